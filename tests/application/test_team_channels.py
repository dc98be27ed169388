"""The mail of teams: an address at once, a mailbox of their own before it, and what happens when that drops."""

from email.message import EmailMessage
from typing import Any

import pytest

from meetings.application.connect_calendar import ConnectionFailed, Wanted
from meetings.application.team_channels import TeamMail, create_channel, remove_channel, send_team_mail
from meetings.domain.account_use import CALENDAR_ONLY, EMAIL_ONLY
from meetings.domain.base import InvalidInput, NotFound, PermissionMissing, Rule
from meetings.domain.calendar_connection import Grant
from meetings.domain.identifiers import TeamChannelId
from meetings.domain.mailbox import Mailbox
from meetings.domain.team_channel import TeamChannel, TeamMailProvider, TeamMailUnsupported
from meetings.domain.user import Role, User
from tests.inboxes import mailboxes_of
from tests.world import HOST_EMAIL, World

TEAM = "support@example.com"
HOSTED, GOOGLE = TeamMailProvider.HOSTED, TeamMailProvider.GOOGLE


async def create(
    here: World, provider: TeamMailProvider = HOSTED, name: str = "Support Team", user: User | None = None
) -> TeamChannelId:
    return await create_channel(
        provider,
        name,
        hosted_domain=here.tools.team_mail_domain,
        caller=here.caller_of(user or here.anna),
        begin=here.tools.begin,
        clock=here.clock,
    )


async def connect(here: World, channel: TeamChannelId, email: str = TEAM) -> None:
    """Sign in to the team's mailbox at Google."""
    if email == TEAM:
        here.google.add_account(TEAM, "Support")
    started = await here.start(uses=EMAIL_ONLY, channel=channel)
    finished = await here.come_back(await here.consent(started, email))
    assert finished.channel == channel
    await here.settle_down()


async def channel_of(here: World, channel: TeamChannelId) -> tuple[TeamChannel, Mailbox | None]:
    async with here.tools.look(here.anna.account_id) as work:
        found = await work.team_channels.get(channel)
        return found, None if found.mailbox_id is None else await work.mailboxes.get(found.mailbox_id)


async def send(here: World, channel: TeamChannelId, key: str = "k", **more: Any) -> str:
    """Send a mail in the team's name; gives the address it left from."""
    given = {"to": "grace@example.org", "subject": "About your ticket", "text": "It <works> again.\nBye.", **more}
    tools = here.tools
    sent = await send_team_mail(
        TeamMail(key=key, **given),
        channel,
        caller=here.caller,
        begin=tools.begin,
        look=tools.look,
        mail_account_of=tools.mail_account_of,
        mailer=tools.mailer,
        clock=here.clock,
    )
    return sent.sender


def words_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def test_a_hosted_channel_needs_no_credentials_and_sends_at_once(anywhere: World) -> None:
    """A-IN9."""
    channel, _ = await channel_of(anywhere, await create(anywhere))
    assert channel.hosted_address.startswith("support-team-")
    assert channel.hosted_address.endswith("@example.com")
    assert await send(anywhere, channel.id) == channel.hosted_address
    [mail] = anywhere.mail.mails
    assert mail.recipients == ("grace@example.org",)
    assert str(mail.message["From"]) == f"Support Team <{channel.hosted_address}>"
    assert mail.message["Subject"] == "About your ticket"
    assert "It <works> again." in words_of(mail.message, "plain")
    assert "It &lt;works&gt; again.<br>" in words_of(mail.message, "html")
    assert anywhere.google.calls == []


async def test_the_name_a_team_sends_under_is_unique(anywhere: World) -> None:
    """A-IN9: in whatever letter case; free again once the channel is removed."""
    first = await create(anywhere)
    with pytest.raises(InvalidInput) as refused:
        await create(anywhere, name=" support TEAM ")
    assert [(problem.path, problem.rule) for problem in refused.value.problems] == [(("name",), Rule.DUPLICATE)]
    tools = anywhere.tools
    await remove_channel(
        first, caller=anywhere.caller, begin=tools.begin, providers=tools.providers, clock=anywhere.clock
    )
    again = await create(anywhere)
    assert again != first
    with pytest.raises(NotFound):
        await send(anywhere, first)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "Support\r\nBcc: all@example.com"])
async def test_a_name_that_no_mail_can_come_from_is_refused(here: World, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await create(here, name=name)
    assert {problem.path for problem in refused.value.problems} == {("name",)}


@pytest.mark.parametrize("provider", [TeamMailProvider.EXCHANGE, TeamMailProvider.IMAP])
async def test_mailboxes_of_exchange_and_imap_cannot_be_a_teams(here: World, provider: TeamMailProvider) -> None:
    """S92, S93, A-IN7."""
    with pytest.raises(TeamMailUnsupported):
        await create(here, provider)
    async with here.tools.look(here.anna.account_id) as work:
        assert await work.team_channels.all() == []


async def test_only_owners_and_admins_make_and_remove_channels(here: World) -> None:
    bob = await here.add_colleague("Bob", "bob@example.com")
    with pytest.raises(PermissionMissing):
        await create(here, user=bob)
    channel = await create(here)
    tools = here.tools
    with pytest.raises(PermissionMissing):
        await remove_channel(
            channel, caller=here.caller_of(bob), begin=tools.begin, providers=tools.providers, clock=here.clock
        )


async def test_a_teams_mailbox_sends_for_it_and_is_nobodys_own(here: World) -> None:
    """A-IN7: and the same request sends once."""
    channel = await create(here, GOOGLE)
    await connect(here, channel)
    found, mailbox = await channel_of(here, channel)
    assert mailbox is not None
    assert (mailbox.email, mailbox.team, found.provider) == (TEAM, True, GOOGLE)
    assert await mailboxes_of(here) == []
    for _ in range(2):
        assert await send(here, channel) == TEAM
    assert len(here.google.requests_for("users.messages.send")) == 1
    assert not here.mail.mails


async def test_the_hosted_address_takes_over_when_the_teams_mailbox_drops(here: World) -> None:
    """A-IN9, A-NO4: admins and whoever connected it are told once each, and it sends on."""
    berta = await here.add_colleague("Berta", "berta@example.com", Role.ADMIN)
    await here.add_colleague("Bob", "bob@example.com")
    channel = await create(here, GOOGLE)
    await connect(here, channel)
    here.google.revoke_grants(TEAM)
    here.clock.passes(minutes=1)
    found, _ = await channel_of(here, channel)
    assert await send(here, channel) == found.hosted_address
    await here.settle_down()
    assert await send(here, channel, key="another") == found.hosted_address
    await here.settle_down()
    letters = [mail for mail in here.mail.mails if "Support Team" in mail.message["Subject"]]
    assert sorted(mail.recipients for mail in letters) == [(HOST_EMAIL,), (berta.email,)]
    assert found.hosted_address in words_of(letters[0].message, "plain")
    _, mailbox = await channel_of(here, channel)
    assert mailbox is not None
    assert mailbox.grant is Grant.LOST

    started = await here.start(uses=EMAIL_ONLY, channel=channel)
    await here.come_back(await here.consent(started, TEAM))
    assert await send(here, channel, key="a third") == TEAM


async def test_an_address_is_a_persons_or_a_teams(here: World) -> None:
    """A-IN6, A-CC2: in either order."""
    await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY)))
    channel = await create(here, GOOGLE)
    with pytest.raises(ConnectionFailed) as failed:
        await connect(here, channel, HOST_EMAIL)
    assert (failed.value.reason, failed.value.wanted) == ("ALREADY_CONNECTED", Wanted.CHANNEL)
    await connect(here, channel)
    for uses in (EMAIL_ONLY, CALENDAR_ONLY):
        with pytest.raises(ConnectionFailed) as failed:
            await here.come_back(await here.consent(await here.start(uses=uses), TEAM))
        assert failed.value.reason == "SHARED_MAILBOX_NOT_ALLOWED"


async def test_a_persons_calendar_is_no_teams_mailbox(here: World) -> None:
    await here.connect()
    channel = await create(here, GOOGLE)
    with pytest.raises(ConnectionFailed) as failed:
        await connect(here, channel, HOST_EMAIL)
    assert failed.value.reason == "ALREADY_CONNECTED"


async def test_two_teams_have_not_the_same_mailbox(here: World) -> None:
    first, second = await create(here, GOOGLE), await create(here, GOOGLE, "Sales")
    await connect(here, first)
    with pytest.raises(ConnectionFailed) as failed:
        await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY, channel=second), TEAM))
    assert failed.value.reason == "ALREADY_CONNECTED"


async def test_removing_a_channel_gives_its_mailbox_back(here: World) -> None:
    """OA-4."""
    channel = await create(here, GOOGLE)
    await connect(here, channel)
    tools = here.tools
    await remove_channel(channel, caller=here.caller, begin=tools.begin, providers=tools.providers, clock=here.clock)
    assert len(here.google.requests_for("oauth.revoke")) == 1
    async with here.tools.look(here.anna.account_id) as work:
        assert await work.mailboxes.by_email(TEAM) is None
    await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY), TEAM))
    assert [mailbox.email for mailbox in await mailboxes_of(here)] == [TEAM]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"to": "nobody"}, "to"),
        ({"subject": ""}, "subject"),
        ({"subject": "Hello\r\nBcc: all@example.com"}, "subject"),
        ({"text": " "}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"key": ""}, "idempotencyKey"),
    ],
)
async def test_a_mail_that_cannot_be_sent_is_refused(here: World, wrong: dict[str, str], path: str) -> None:
    channel = await create(here)
    with pytest.raises(InvalidInput) as refused:
        await send(here, channel, **wrong)
    assert {problem.path for problem in refused.value.problems} == {(path,)}
    assert not here.mail.mails


async def test_channels_of_another_account_are_not_there(here: World) -> None:
    with pytest.raises(NotFound):
        await send(here, TeamChannelId(here.anna.id))
