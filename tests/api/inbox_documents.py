"""Documents about mailboxes and teams' mail."""

from tests.api.documents import ERRORS

INBOX = "id provider email status statusMessage needsAction logReplies sharesSignIn serverUrl"
INBOXES = f"{{ viewer {{ inbox {{ {INBOX} }} inboxes {{ {INBOX} }} }} }}"
START_INBOX = (
    "mutation($provider: InboxProvider!, $returnTo: URL!, $version: String!, $reconnect: ID) { startInboxConnection("
    "provider: $provider, returnTo: $returnTo, acceptedDisclosure: $version, reconnect: $reconnect) "
    f"{{ authorizationUrl expiresAt {ERRORS} }} }}"
)
START_CALENDAR = (
    "mutation($input: StartCalendarConnectionInput!) { startCalendarConnection(input: $input) "
    f"{{ authorizationUrl {ERRORS} }} }}"
)
EXCHANGE_INBOX = (
    "mutation($input: ExchangeInput!, $version: String!, $uses: [AccountCapability!]) "
    "{ connectExchangeInbox(input: $input, acceptedDisclosure: $version, capabilities: $uses) "
    f"{{ inbox {{ {INBOX} }} connection {{ id status }} {ERRORS} }} }}"
)
IMAP_INBOX = (
    "mutation($input: ImapInput!, $version: String!) { connectImapInbox(input: $input, acceptedDisclosure: $version) "
    f"{{ inbox {{ {INBOX} }} {ERRORS} }} }}"
)
DISCONNECT_INBOX = f"mutation($id: ID!) {{ disconnectInbox(connectionId: $id) {{ inbox {{ {INBOX} }} {ERRORS} }} }}"

CHANNEL = "id name provider address hostedAddress mailbox mailboxStatus"
CHANNELS = f"{{ viewer {{ teamChannels {{ {CHANNEL} }} teamMailProviders }} }}"
CREATE_CHANNEL = (
    "mutation($provider: TeamMailProvider!, $name: String!, $returnTo: URL, $version: String) { createTeamChannel("
    "provider: $provider, name: $name, returnTo: $returnTo, acceptedDisclosure: $version) "
    f"{{ channel {{ {CHANNEL} }} authorizationUrl {ERRORS} }} }}"
)
CONNECT_CHANNEL = (
    "mutation($id: ID!, $provider: TeamMailProvider!, $returnTo: URL!, $version: String!) { connectTeamMailbox("
    "channelId: $id, provider: $provider, returnTo: $returnTo, acceptedDisclosure: $version) "
    f"{{ authorizationUrl {ERRORS} }} }}"
)
REMOVE_CHANNEL = f"mutation($id: ID!) {{ removeTeamChannel(channelId: $id) {{ removedId {ERRORS} }} }}"
SEND_AS_TEAM = f"mutation($input: SendTeamEmailInput!) {{ sendTeamEmail(input: $input) {{ sentFrom {ERRORS} }} }}"
