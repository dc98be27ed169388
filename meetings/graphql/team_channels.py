"""The mail of teams: what addresses there are, connecting their mailboxes, sending."""

from datetime import datetime
from typing import Annotated

import strawberry

from meetings.application.connect_calendar import StartConnection
from meetings.application.ports.calendars import CalendarProvider as OfferedProvider
from meetings.application.ports.mail import MailUnavailable
from meetings.application.team_channels import TeamMail, TeamMailRefused, create_channel, remove_channel, send_team_mail
from meetings.application.uses import check_disclosure
from meetings.domain import team_channel as domain
from meetings.domain.account_use import EMAIL_ONLY
from meetings.domain.base import InvalidInput, Problem, Rule
from meetings.domain.identifiers import AccountId, TeamChannelId
from meetings.domain.mailbox import Mailbox
from meetings.domain.team_channel import FOR_TEAMS, TeamMailUnsupported
from meetings.graphql.consent_trips import StartConnectionPayload, begin_trip, check_return, offered_mailboxes
from meetings.graphql.context import Info, Operation
from meetings.graphql.enums import ConnectionStatus, TeamMailProvider
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import (
    TRY_AGAIN_AFTER,
    Access,
    RefusedError,
    TemporaryError,
    UserError,
    Wording,
    as_user_errors,
    mutation,
)
from meetings.graphql.node_ids import Kind, from_id, to_id
from meetings.graphql.nodes import Node
from meetings.graphql.scalars import URL, EmailAddress


@strawberry.type(description="A team's name and address for mail.")
class TeamChannel(Node):
    """Its hosted address takes over by itself while its mailbox cannot be used."""

    name: str = strawberry.field(description="Whom its mails come from; no two channels of an account have the same.")
    provider: TeamMailProvider = strawberry.field(description="Where its mail is.")
    address: EmailAddress = strawberry.field(description="From where its mails leave now.")
    hosted_address: EmailAddress = strawberry.field(description="The address that this product provides for it.")
    mailbox: EmailAddress | None = strawberry.field(description="Its own mailbox; null while none was connected.")
    mailbox_status: ConnectionStatus | None = strawberry.field(
        description="How its own mailbox is doing; null while none was connected."
    )
    created_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def of(cls, channel: domain.TeamChannel, mailbox: Mailbox | None) -> "TeamChannel":
        usable = mailbox is not None and mailbox.usable
        return cls(
            id=to_id(Kind.TEAM_CHANNEL, channel.id),
            name=channel.name,
            provider=channel.provider,
            address=EmailAddress(mailbox.email if mailbox and usable else channel.hosted_address),
            hosted_address=EmailAddress(channel.hosted_address),
            mailbox=EmailAddress(mailbox.email) if mailbox else None,
            mailbox_status=mailbox.status if mailbox else None,
            created_at=channel.created_at,
        )


async def team_channels_of(operation: Operation, account_id: AccountId) -> list[TeamChannel]:
    """The account's channels, oldest first."""
    async with operation.tools.look(account_id) as work:
        found = []
        for channel in await work.team_channels.all():
            mailbox = None if channel.mailbox_id is None else await work.mailboxes.get(channel.mailbox_id)
            found.append(TeamChannel.of(channel, mailbox))
    return found


def team_mail_providers(operation: Operation) -> list[domain.TeamMailProvider]:
    """Where a team's mail can be here; hosted mail always can."""
    offers = operation.tools.inbox_offers
    for_teams = [each for each in domain.TeamMailProvider if each in FOR_TEAMS]
    return [each for each in for_teams if each.inbox is None or each.inbox in offers]


@strawberry.type(description="A team's channel that was made.")
class CreateTeamChannelPayload:
    """Either a channel or errors."""

    channel: TeamChannel | None = strawberry.field(default=None, description="The channel. Its address works at once.")
    authorization_url: URL | None = strawberry.field(
        default=None, description="The consent page where the team's mailbox is signed in to; null for hosted mail."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="Until when the person may come back.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was made.")


@strawberry.type(description="What became of a team's channel.")
class RemoveTeamChannelPayload:
    """Either the id or errors."""

    removed_id: strawberry.ID | None = strawberry.field(default=None, description="The channel that is gone.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was removed.")


@strawberry.type(description="What became of a mail in a team's name.")
class SendTeamEmailPayload:
    """Either the address it left from or errors."""

    sent_from: EmailAddress | None = strawberry.field(default=None, description="From which address it left.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was sent.")


@strawberry.input(description="A mail in a team's name.")
class SendTeamEmailInput:
    """Plain text."""

    channel_id: strawberry.ID = strawberry.field(description="In whose name.")
    to: str = strawberry.field(description="To which address.")
    subject: str = strawberry.field(description="At most 200 characters.")
    text: str = strawberry.field(description="At most 20,000 characters.")
    idempotency_key: str = strawberry.field(description="Makes it safe to send twice: the same key is one mail.")


_CHANNEL = Annotated[strawberry.ID, strawberry.argument(description="Which channel.")]
_RETURN_TO = "Where the browser goes afterwards; on this server, its dashboard, or an allowed origin."


@strawberry.type(description="Mutations of teams' mail.")
class TeamChannelMutations:
    """Part of the schema's mutations."""

    @mutation(
        CreateTeamChannelPayload,
        Access.SIGNED_IN,
        "For owners and admins: give a team a name and an address for mail. HOSTED takes no credentials. With GOOGLE "
        "and OFFICE365 the team's mailbox is then signed in to at `authorizationUrl`; the redirect to `returnTo` "
        "carries `channel=connected`, or `channel=failed` and a `reason` as for `startInboxConnection`. EXCHANGE and "
        "IMAP are for personal mailboxes only: take HOSTED.",
        Code.CAPABILITY_UNSUPPORTED,
        Code.CONSENT_REQUIRED,
        Code.PERMISSION_MISSING,
        Code.VALIDATION,
    )
    async def create_team_channel(
        self,
        info: Info,
        provider: Annotated[TeamMailProvider, strawberry.argument(description="Where its mail is.")],
        name: Annotated[str, strawberry.argument(description="Whom its mails come from.")],
        return_to: Annotated[URL | None, strawberry.argument(description=_RETURN_TO)] = None,
        accepted_disclosure: Annotated[
            str | None, strawberry.argument(description="The accepted version of `inboxDisclosure`; not for HOSTED.")
        ] = None,
    ) -> CreateTeamChannelPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        offered = None
        if provider in FOR_TEAMS and provider.inbox is not None:
            offered = offered_mailboxes(operation, provider.inbox.calendar_provider)
            if return_to is None:
                raise InvalidInput([Problem(("returnTo",), Rule.REQUIRED)])
            check_return(operation, return_to)
            check_disclosure(offered, EMAIL_ONLY, accepted_disclosure or "")
        channel_id = await create_channel(
            provider,
            name,
            hosted_domain=tools.team_mail_domain,
            caller=caller,
            begin=operation.begin,
            clock=tools.clock,
        )
        channel = await _shown(operation, channel_id)
        if offered is None:
            return CreateTeamChannelPayload(channel=channel)
        started = await begin_trip(operation, _trip(offered, channel_id, return_to or "", accepted_disclosure or ""))
        return CreateTeamChannelPayload(
            channel=channel, authorization_url=started.authorization_url, expires_at=started.expires_at
        )

    @mutation(
        StartConnectionPayload,
        Access.SIGNED_IN,
        "For owners and admins: sign in to a team's mailbox, for the first time or again. As `createTeamChannel` with "
        "the channel's provider.",
        Code.CAPABILITY_UNSUPPORTED,
        Code.CONSENT_REQUIRED,
        Code.NOT_FOUND,
        Code.PERMISSION_MISSING,
        Code.VALIDATION,
    )
    async def connect_team_mailbox(
        self,
        info: Info,
        channel_id: _CHANNEL,
        provider: Annotated[TeamMailProvider, strawberry.argument(description="Whose mailbox.")],
        return_to: Annotated[URL, strawberry.argument(description=_RETURN_TO)],
        accepted_disclosure: Annotated[str, strawberry.argument(description="The accepted version.")],
    ) -> StartConnectionPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        if provider not in FOR_TEAMS:
            raise TeamMailUnsupported(provider)
        offered = offered_mailboxes(operation, provider.inbox.calendar_provider if provider.inbox else None)
        channel = TeamChannelId(from_id(Kind.TEAM_CHANNEL, channel_id))
        async with tools.look(caller.account_id) as work:
            (await work.users.get(caller.user_id)).check_administers()
            await work.team_channels.get(channel)
        return await begin_trip(operation, _trip(offered, channel, return_to, accepted_disclosure))

    @mutation(
        RemoveTeamChannelPayload,
        Access.SIGNED_IN,
        "For owners and admins: give a team's name and address up, and its mailbox back to its provider.",
        Code.NOT_FOUND,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def remove_team_channel(self, info: Info, channel_id: _CHANNEL) -> RemoveTeamChannelPayload:
        operation = info.context
        tools = operation.tools
        channel = TeamChannelId(from_id(Kind.TEAM_CHANNEL, channel_id))
        await remove_channel(
            channel,
            caller=operation.signed_in(),
            begin=operation.begin,
            providers=tools.providers,
            clock=tools.clock,
        )
        return RemoveTeamChannelPayload(removed_id=to_id(Kind.TEAM_CHANNEL, channel))

    @mutation(
        SendTeamEmailPayload,
        Access.SIGNED_IN,
        "Send a mail in a team's name: through the team's mailbox while that works, else from its hosted address.",
        Code.NOT_FOUND,
        Code.VALIDATION,
        Code.EMAIL_INVALID,
        Code.IDEMPOTENCY_CONFLICT,
        Code.PROVIDER_UNAVAILABLE,
        Code.RATE_LIMITED,
    )
    async def send_team_email(
        self, info: Info, input: Annotated[SendTeamEmailInput, strawberry.argument(description="The mail.")]
    ) -> SendTeamEmailPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await operation.count(operation.options.rates.team_mail, "teamMail", str(caller.account_id))
        sent = await send_team_mail(
            TeamMail(input.to, input.subject, input.text, input.idempotency_key),
            TeamChannelId(from_id(Kind.TEAM_CHANNEL, input.channel_id)),
            caller=caller,
            begin=operation.begin,
            look=tools.look,
            mail_account_of=tools.mail_account_of,
            mailer=tools.mailer,
            clock=tools.clock,
        )
        return SendTeamEmailPayload(sent_from=EmailAddress(sent.sender))


def _trip(provider: OfferedProvider, channel: TeamChannelId, return_to: str, accepted: str) -> StartConnection:
    return StartConnection(
        provider=provider.provider,
        accepted_disclosure=accepted,
        return_to=return_to,
        uses=EMAIL_ONLY,
        channel=channel,
    )


async def _shown(operation: Operation, channel_id: TeamChannelId) -> TeamChannel:
    async with operation.tools.look(operation.signed_in().account_id) as work:
        return TeamChannel.of(await work.team_channels.get(channel_id), None)


# ---- how refusals are told ----------------------------------------------------------------------------------------


@as_user_errors.register
def _(error: TeamMailUnsupported, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.CAPABILITY_UNSUPPORTED, ("provider",), detail="TEAM_MAIL"))]


@as_user_errors.register
def _(error: TeamMailRefused, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.EMAIL_INVALID, ("to",)))]


@as_user_errors.register
def _(error: MailUnavailable, wording: Wording) -> list[UserError]:
    return [TemporaryError(**wording.base(Code.PROVIDER_UNAVAILABLE), retry_after=TRY_AGAIN_AFTER)]
