"""What people leave ticked on the consent page, and mailboxes of teams, wherever there is such a page."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meetings.application.connect_calendar import FinishedConnection, StartConnection, start_connection
from meetings.application.team_channels import create_channel
from meetings.application.uses import disclosure_of
from meetings.domain.account_use import BOTH, EMAIL_ONLY, AccountUse
from meetings.domain.identifiers import TeamChannelId
from meetings.domain.team_channel import TeamMailProvider
from tests.hosted import PLACES, Hosted, hosted, now
from tests.inboxes import mailboxes_of, send
from tests.world import DASHBOARD, Callback, outside

CONSENTING = {
    # the simulator, and the permissions of its calendars and of its mail
    "google": (
        "google",
        ("https://www.googleapis.com/auth/calendar",),
        ("https://www.googleapis.com/auth/gmail.send", "https://www.googleapis.com/auth/gmail.readonly"),
    ),
    "office365": ("office", ("Calendars.ReadWrite", "User.Read"), ("Mail.ReadWrite", "Mail.Send", "User.Read")),
}
ADA = "ada@example.com"


class AtConsentPage:
    """Anna in front of a provider's consent page."""

    def __init__(self, anna: Hosted, name: str) -> None:
        self.anna = anna
        simulator, self.calendar, self.mail = CONSENTING[name]
        self.simulator: Any = getattr(anna.place, simulator)

    async def goes(
        self,
        uses: frozenset[AccountUse],
        *,
        scopes: tuple[str, ...] | None = None,
        channel: TeamChannelId | None = None,
    ) -> FinishedConnection:
        """There and back, with these permissions left ticked; None leaves all."""
        here, tools = self.anna.here, self.anna.here.tools
        started = await start_connection(
            StartConnection(
                self.anna.provider,
                disclosure_of(self.anna.offered, uses).version,
                DASHBOARD,
                uses=uses,
                channel=channel,
            ),
            caller=here.caller,
            look=tools.look,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            links=tools.links,
            clock=here.clock,
            policy=tools.policy,
        )
        back = await asyncio.to_thread(self.simulator.auto_consent, ADA, started.authorization_url, scopes=scopes)
        query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
        callback = Callback(query["state"], query.get("code"), None, started.browser_secret, self.anna.provider)
        finished = await here.come_back(callback)
        await here.settle_down()
        return finished


@pytest.fixture(params=CONSENTING)
async def page(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[AtConsentPage]:
    with PLACES[request.param](clock=now) as place, outside() as simulators:
        async with hosted(sqlite_url, place, simulators) as anna:
            yield AtConsentPage(anna, request.param)


async def test_a_refused_use_is_off_and_the_other_one_on(page: AtConsentPage) -> None:
    """OA-3: first mail is refused, then the calendar."""
    finished = await page.goes(BOTH, scopes=page.calendar)
    assert (finished.inbox_failed, finished.calendar_failed) == ("PERMISSION_MISSING", None)
    assert await mailboxes_of(page.anna.here) == []
    await (await page.anna.here.calendars()).list_calendars()
    await page.anna.here.disconnect()

    finished = await page.goes(BOTH, scopes=page.mail)
    assert (finished.connection_id, finished.calendar_failed) == (None, "PERMISSION_MISSING")
    [mailbox] = await mailboxes_of(page.anna.here)
    await send(page.anna.here, mailbox)


async def test_a_team_has_its_mailbox_there(page: AtConsentPage) -> None:
    """A-IN7: Google and Office 365."""
    here = page.anna.here
    channel = await create_channel(
        TeamMailProvider(page.anna.provider.value),
        "Support",
        hosted_domain=here.tools.team_mail_domain,
        caller=here.caller,
        begin=here.tools.begin,
        clock=here.clock,
    )
    assert (await page.goes(EMAIL_ONLY, channel=channel)).channel == channel
    async with here.tools.look(here.anna.account_id) as work:
        mailbox = await work.mailboxes.by_email(ADA)
        [found] = await work.team_channels.all()
    assert mailbox is not None
    assert (mailbox.team, found.mailbox_id) == (True, mailbox.id)
    await send(here, mailbox)
