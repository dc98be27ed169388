"""Anna in front of the API, with her calendar and her mailbox at any provider; workers do nothing by themselves.

async with at_provider("office365", database_url, simulators) as anna:
    await anna.connect()
    ...
    await anna.follow_up()
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from meetings.adapters.google.simulator import CLIENT_ID as GOOGLE_ID
from meetings.adapters.google.simulator import CLIENT_SECRET as GOOGLE_SECRET
from meetings.adapters.office365.simulator import CLIENT_ID as OFFICE_ID
from meetings.adapters.office365.simulator import CLIENT_SECRET as OFFICE_SECRET
from meetings.application.sync_mailbox import sync_mailbox
from meetings.application.uses import disclosure_of
from meetings.domain.account_use import BOTH
from tests.api.documents import FULL_SYNC
from tests.api.inbox_documents import EXCHANGE_INBOX, IMAP_INBOX, START_CALENDAR
from tests.api.records import page_of
from tests.contracts.calendars.exchange_world import ExchangeWorld
from tests.contracts.calendars.google_world import GoogleWorld
from tests.contracts.calendars.office365_world import Office365World
from tests.contracts.mail.exchange_world import ExchangeMailWorld
from tests.contracts.mail.google_world import GoogleMailWorld
from tests.contracts.mail.imap_world import ADA, PASSWORD, ImapMailWorld, imap_mail_world
from tests.contracts.mail.office365_world import Office365MailWorld
from tests.contracts.mail.world import MailWorld
from tests.databases import Simulators
from tests.hosted import PLACES, now, settings_of
from tests.product import ApiClient, Product, product

Place = GoogleWorld | Office365World | ExchangeWorld
CALENDARS = ("google", "office365", "exchange")
MAILBOXES = (*CALENDARS, "imap")


@dataclass
class ProviderClock:
    """The present, and what passed at the provider beyond it: some tell times to the second only."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


@dataclass
class Anna:
    """Anna, signed in. `place` is where her calendar is, if her provider has calendars; `inbox` is her mailbox."""

    served: Product
    host: ApiClient
    clock: ProviderClock
    inbox: MailWorld
    place: Place | None = None

    @property
    def calendar(self) -> Place:
        assert self.place is not None, "there are no calendars at this provider"
        return self.place

    async def connect(self) -> None:
        """Connect all the account serves for, in the way of its provider, and have it read once."""
        if isinstance(self.inbox, ImapMailWorld):
            await connect_imap(self.host, self.inbox)
        elif isinstance(self.place, ExchangeWorld):
            await connect_exchange(self.served, self.host, self.place)
        else:
            await self._sign_in()
        await self.follow_up()

    async def _sign_in(self) -> None:
        """Read what is disclosed, go to the provider's page, allow, and come back."""
        place = self.calendar
        provider = place.provider.provider.value
        ask = "query($p: CalendarProvider!) { viewer { calendarDisclosure(provider: $p) { version } } }"
        shown = (await self.host.ask(ask, p=provider))["viewer"]["calendarDisclosure"]
        wish = {
            "provider": provider,
            "acceptedDisclosure": shown["version"],
            "returnTo": f"{self.served.url}/dashboard",
        }
        started = (await self.host.ask(START_CALENDAR, input=wish))["startCalendarConnection"]
        assert started["errors"] == []
        code = await asyncio.to_thread(place.consent, started["authorizationUrl"])
        state = parse_qs(urlsplit(started["authorizationUrl"]).query)["state"][0]
        back = await self.host.http.get(f"/oauth/{provider.lower()}/callback", params={"state": state, "code": code})
        said = parse_qs(urlsplit(back.headers["location"]).query)
        assert said == {"calendar": ["connected"], "inbox": ["connected"]}

    async def lift_limits(self) -> None:
        assert (await self.host.ask(FULL_SYNC, on=True))["setExchangeFullSync"]["errors"] == []

    async def follow_up(self) -> None:
        """What workers do: carry out what is due, and read every calendar and mailbox of hers."""
        here, tools = self.served.here, self.served.here.tools
        async with tools.look(here.anna.account_id) as work:
            for connection in (await work.connections.of_users([here.anna.id])).values():
                for calendar in connection.selected_calendars:
                    await tools.schedule.request(calendar.id)
            for mailbox in await work.mailboxes.of_user(here.anna.id):
                if mailbox.usable:
                    await tools.mail_schedule.request(mailbox.id)
        await here.settle_down()
        for mailbox_id in await tools.mail_schedule.due(100):
            await sync_mailbox(
                mailbox_id,
                begin=tools.begin,
                look=tools.look,
                mail_account_of=tools.mail_account_of,
                crm_of=tools.crm_of,
                schedule=tools.mail_schedule,
                clock=here.clock,
                policy=tools.policy,
            )
        await here.settle_down()

    async def timeline(self, contact: dict[str, Any]) -> list[dict[str, Any]]:
        """What stands on a contact's record, newest first."""
        entries: list[dict[str, Any]] = (await page_of(self.host, contact))["timeline"]["nodes"]
        return entries


async def connect_imap(host: ApiClient, servers: ImapMailWorld) -> dict[str, Any]:
    """Type in the password of a mailbox on any servers; gives the inbox."""
    shown = await host.ask("{ viewer { inboxDisclosure(provider: IMAP) { version } } }")
    typed = {
        "email": ADA,
        "password": PASSWORD,
        "imap": {"host": "localhost", "port": servers.imap.port},
        "smtp": {"host": "localhost", "port": servers.smtp.port},
    }
    version = shown["viewer"]["inboxDisclosure"]["version"]
    payload = (await host.ask(IMAP_INBOX, input=typed, version=version))["connectImapInbox"]
    assert payload["errors"] == []
    return dict(payload["inbox"])


async def connect_exchange(
    served: Product, host: ApiClient, place: ExchangeWorld, uses: tuple[str, ...] = ("CALENDAR", "EMAIL")
) -> dict[str, Any]:
    """Type in the password of an Exchange mailbox; gives what the API says is connected."""
    wanted = frozenset(use for use in BOTH if use.value in uses)
    version = disclosure_of(served.here.tools.providers[place.provider.provider], wanted).version
    typed = place.type_in()
    given = {"email": typed.email, "password": typed.password, "serverUrl": typed.server_url}
    payload = (await host.ask(EXCHANGE_INBOX, input=given, version=version, uses=list(uses)))["connectExchangeInbox"]
    assert payload["errors"] == []
    return dict(payload)


@asynccontextmanager
async def at_provider(provider: str, database_url: str, simulators: Simulators, **settings: Any) -> AsyncIterator[Anna]:
    """A product that can reach the provider; Anna is signed in, and nothing is connected yet."""
    clock = ProviderClock()
    with _outside(provider, clock) as (place, inbox, known):
        given = {"push": False, **known, **settings}
        async with product(database_url, *simulators, with_worker=False, **given) as served, served.host() as host:
            callback = served.here.tools.links.oauth_callback
            if isinstance(place, GoogleWorld):
                place.google.register_client(GOOGLE_ID, GOOGLE_SECRET, (callback("GOOGLE"),))
            if isinstance(place, Office365World):
                place.office.register_client(OFFICE_ID, OFFICE_SECRET, (callback("OFFICE365"),))
            yield Anna(served, host, clock, inbox, place)


@contextmanager
def _outside(provider: str, clock: ProviderClock) -> Iterator[tuple[Place | None, MailWorld, dict[str, Any]]]:
    """The provider's simulator, the mailbox in it, and the settings by which the product finds it."""
    if provider == "imap":
        with imap_mail_world(clock=clock, host="localhost") as servers:
            yield None, servers, settings_of_imap(servers)
        return
    started: Callable[..., AbstractContextManager[Any]] = PLACES[provider]
    with started(clock=clock) as place:
        yield place, _mailbox_at(place, clock), settings_of(place)


def settings_of_imap(servers: ImapMailWorld) -> dict[str, Any]:
    return {"imap_private_networks": ("localhost:1024-65535",), "imap_ca_file": servers.ca_file}


def _mailbox_at(place: Place, clock: ProviderClock) -> MailWorld:
    """The mailbox of the account whose calendar is there."""
    if isinstance(place, GoogleWorld):
        return GoogleMailWorld(place.google, clock, {})
    if isinstance(place, Office365World):
        return Office365MailWorld(place.office, clock, {})
    return ExchangeMailWorld(place.exchange, clock, {})
