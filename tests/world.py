"""The whole product in one test: database, worker steps, Google's simulator, a mail server. Only time is handed in.

Everything is real and talks over sockets; there is no GraphQL here, the use cases are called directly.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

from meetings.adapters.google.simulator import CLIENT_ID, CLIENT_SECRET, GoogleSimulator
from meetings.application.book_meeting import BookMeeting, book_meeting
from meetings.application.carry_out import carry_out
from meetings.application.connect_calendar import StartConnection, finish_connection, start_connection
from meetings.application.page_state import PageState, load_page
from meetings.application.ports.identities import Caller, Scope
from meetings.application.ports.reads import PagePointer
from meetings.application.scheduling_pages import CreatePage, create_page
from meetings.application.settle_now import settle_now
from meetings.application.sign_in import NewPerson, add_person, found_account
from meetings.application.sync_calendar import sync_calendar
from meetings.application.toolbox import Toolbox
from meetings.domain.availability_rules import AvailabilityRules, WallRange, WeeklyHours
from meetings.domain.booking import Booking
from meetings.domain.calendar_connection import CalendarConnection, Provider
from meetings.domain.disclosure import disclosure_for
from meetings.domain.identifiers import BookingId, ConnectionId
from meetings.domain.page_settings import PageSettings
from meetings.domain.period import Period
from meetings.domain.scheduling_page import BookingForm, PageType
from meetings.domain.user import Role, User, UserSettings
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.settings import Settings, read_settings

KEYS = f"k1:{b64encode(bytes(range(32))).decode()}"
PASSWORD = "correct horse battery"
HOST_EMAIL = "anna@example.com"


@dataclass
class Clock:
    """The present, as a test sets it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


@contextmanager
def outside() -> Iterator[tuple[GoogleSimulator, MailCatcher]]:
    """Google and a mail server, on loopback."""
    with GoogleSimulator().serve() as google, MailCatcher() as mail:
        yield google, mail


def settings_for(database_url: str, google: GoogleSimulator, mail: MailCatcher, **more: Any) -> Settings:
    """Settings of a product that talks to these simulators."""
    given: dict[str, Any] = {
        "environment": "demo",
        "database_url": database_url,
        "secret_keys": KEYS,
        "google_client_id": CLIENT_ID,
        "google_client_secret": CLIENT_SECRET,
        "google_authorize_url": google.endpoints.authorize,
        "google_token_url": google.endpoints.token,
        "google_revoke_url": google.endpoints.revoke,
        "google_api_url": google.endpoints.api,
        "smtp_url": f"smtp://{mail.host}:{mail.port}",
        "mail_from": "Meetings <meetings@example.com>",
        **more,
    }
    return read_settings(env_file=None, **given)


def sqlite_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'meetings.db'}"


@dataclass
class World:
    """An account whose owner Anna hosts, and everything around it. Nothing happens by itself: see `settle_down`."""

    runtime: Runtime
    tools: Toolbox
    google: GoogleSimulator
    mail: MailCatcher
    clock: Clock
    anna: User = field(init=False)

    @property
    def caller(self) -> Caller:
        return Caller(self.anna.account_id, self.anna.id, frozenset(Scope))

    async def populate(self) -> None:
        settings = UserSettings(time_zone="Europe/Berlin")
        person = NewPerson("Anna Albers", HOST_EMAIL, PASSWORD, settings)
        self.anna = await found_account("Example", person, **self._people())
        self.google.add_account(HOST_EMAIL, "Anna Albers", time_zone="Europe/Berlin")

    async def add_colleague(self, name: str, email: str, role: Role = Role.MEMBER) -> User:
        return await add_person(self.anna.account_id, NewPerson(name, email, PASSWORD), role, **self._people())

    def _people(self) -> dict[str, Any]:
        tools = self.tools
        return {"identities": tools.identities, "passwords": tools.passwords, "clock": self.clock}

    # ---- calendars ------------------------------------------------------------------------------------------------

    async def connect(self, *, email: str = HOST_EMAIL, reconnect: ConnectionId | None = None) -> ConnectionId:
        """Anna goes to the consent page, allows, and comes back; her calendars are read once."""
        tools = self.tools
        wish = StartConnection(
            Provider.GOOGLE, disclosure_for(Provider.GOOGLE).version, "http://127.0.0.1/dashboard", reconnect
        )
        started = await start_connection(
            wish,
            caller=self.caller,
            look=tools.look,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            links=tools.links,
            clock=self.clock,
            policy=tools.policy,
        )
        back = await asyncio.to_thread(self.google.auto_consent, email, started.authorization_url)
        query = dict(parse_qsl(urlsplit(back).query))
        finished = await finish_connection(
            provider=Provider.GOOGLE,
            state=query["state"],
            code=query["code"],
            error=None,
            browser_secret=started.browser_secret,
            begin=tools.begin,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            clock=self.clock,
        )
        await self.settle_down()
        return finished.connection_id

    async def connection(self) -> CalendarConnection:
        async with self.tools.look(self.anna.account_id) as work:
            return (await work.connections.of_users([self.anna.id]))[self.anna.id]

    async def sync(self) -> None:
        """Read every selected calendar now."""
        connection = await self.connection()
        for calendar in connection.selected_calendars:
            await self.tools.schedule.request(calendar.id)
        await self._sync_due()

    async def _sync_due(self) -> bool:
        due = await self.tools.schedule.due(100)
        for calendar_id in due:
            await sync_calendar(
                calendar_id,
                begin=self.tools.begin,
                look=self.tools.look,
                calendars_of=self.tools.calendars_of,
                schedule=self.tools.schedule,
                clock=self.clock,
                policy=self.tools.policy,
            )
        return bool(due)

    # ---- pages and bookings ---------------------------------------------------------------------------------------

    async def page(self, slug: str = "anna/intro", **settings: Any) -> PagePointer:
        """A page of Anna's: 30 minutes, weekdays from 9 to 17 in Berlin, no notice."""
        hours = AvailabilityRules("Europe/Berlin", (WeeklyHours((0, 1, 2, 3, 4), WallRange(540, 1020)),))
        given: dict[str, Any] = {
            "internal_name": "Intro",
            "headline": "Meet Anna",
            "durations_minutes": (30,),
            "start_increment_minutes": 30,
            "minimum_notice": Period(),
            "availability": hours,
            **settings,
        }
        wish = CreatePage(PageType.ONE_ON_ONE, slug, PageSettings(**given))
        page_id = await create_page(wish, caller=self.caller, begin=self.tools.begin, clock=self.clock)
        return PagePointer(self.anna.account_id, page_id)

    async def state(self, page: PagePointer) -> PageState:
        async with self.tools.look(page.account_id) as work:
            return await load_page(work, page.page_id)

    def wish(self, page: PagePointer, start: datetime, **more: Any) -> BookMeeting:
        form: dict[str, Any] = {
            "first_name": "Grace",
            "last_name": "Hopper",
            "email": "grace@example.org",
            "time_zone": "America/New_York",
        }
        key = more.pop("key", None) or str(uuid4())
        hold_token = more.pop("hold_token", None)
        return BookMeeting(page, start, BookingForm(**{**form, **more}), key, "test", hold_token)

    async def book(self, page: PagePointer, start: datetime, **more: Any) -> Booking:
        """Book and settle, as `bookMeeting` does."""
        booking_id = await self.reserve(self.wish(page, start, **more))
        return await self.settle(page, booking_id)

    async def reserve(self, wish: BookMeeting) -> BookingId:
        tools = self.tools
        return await book_meeting(
            wish,
            begin=tools.begin,
            look=tools.look,
            calendars_of=tools.calendars_of,
            clock=self.clock,
            policy=tools.policy,
        )

    async def settle(self, page: PagePointer, booking_id: BookingId, seconds: float = 4) -> Booking:
        tools = self.tools
        return await settle_now(
            page.account_id,
            booking_id,
            seconds=seconds,
            look=tools.look,
            outbox=tools.outbox,
            carry_out=lambda intent: carry_out(intent, tools),
        )

    async def booking(self, booking_id: BookingId) -> Booking:
        async with self.tools.look(self.anna.account_id) as work:
            return await work.bookings.get(booking_id)

    # ---- what a worker would do -----------------------------------------------------------------------------------

    async def settle_down(self, rounds: int = 20) -> None:
        """Carry out everything that is due, and read every calendar that is due, until nothing is."""
        for _ in range(rounds):
            busy = await self.carry_out_due()
            busy = await self._sync_due() or busy
            if not busy:
                return

    async def carry_out_due(self) -> bool:
        due = await self.tools.outbox.due(100)
        for intent_id in due:
            intent = await self.tools.outbox.claim(intent_id)
            if intent is not None:
                await carry_out(intent, self.tools)
        return bool(due)

    def events(self, words: str = "") -> list[dict[str, Any]]:
        """Live events of Anna's primary calendar whose title holds `words`."""
        return [event for event in self.google.events(HOST_EMAIL) if words in event.get("summary", "")]


@asynccontextmanager
async def world(
    database_url: str, google: GoogleSimulator, mail: MailCatcher, *, now: datetime | None = None, **more: Any
) -> AsyncIterator[World]:
    """A world on an empty database. `now` is where its clock stands, else the real present."""
    process = Process(settings_for(database_url, google, mail, **more))
    google.register_client(CLIENT_ID, CLIENT_SECRET, (process.links.oauth_callback("GOOGLE"),))
    clock = Clock(now or datetime.now(UTC))
    async with Runtime.open(process) as runtime:
        await runtime.database.migrate()
        tools = replace(runtime.toolbox, clock=clock)
        here = World(runtime, tools, google, mail, clock)
        await here.populate()
        yield here


def berlin(text: str) -> datetime:
    """An instant from Berlin wall time, such as `2026-12-07 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
