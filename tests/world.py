"""The whole product in one test: database, worker steps, Google's simulator, a mail server. Only time is handed in.

Everything is real and talks over sockets; there is no GraphQL here, the use cases are called directly.
"""

import asyncio
import dataclasses
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from sqlalchemy import Row, select, update

from meetings.adapters.google.simulator import CLIENT_ID, CLIENT_SECRET, GoogleSimulator
from meetings.application.book_meeting import BookMeeting, book_meeting
from meetings.application.carry_out import carry_out
from meetings.application.change_booking import ByInvitee, Mover, RescheduleBooking, cancel_booking, reschedule_booking
from meetings.application.change_settings import change_settings
from meetings.application.connect_calendar import (
    FinishedConnection,
    StartConnection,
    StartedConnection,
    finish_connection,
    start_connection,
)
from meetings.application.hold_slot import HeldSlot, HoldSlot, hold_slot
from meetings.application.manage_connection import disconnect_calendar, refresh_connection, select_calendars
from meetings.application.page_state import PageState, load_page
from meetings.application.ports.calendars import Calendars
from meetings.application.ports.identities import Caller, Scope
from meetings.application.ports.outbox import Intent
from meetings.application.ports.reads import PagePointer
from meetings.application.read_availability import AvailabilityQuestion, read_availability
from meetings.application.request_meeting import RequestMeeting, request_meeting
from meetings.application.scheduling_pages import CreatePage, create_page
from meetings.application.settle_now import settle_now
from meetings.application.sign_in import NewPerson, add_person, found_account
from meetings.application.sync_calendar import sync_calendar
from meetings.application.toolbox import Toolbox
from meetings.application.uses import disclosure_of
from meetings.domain.account_use import CALENDAR_ONLY, AccountUse
from meetings.domain.availability_rules import AvailabilityRules, WallRange, WeeklyHours
from meetings.domain.booking import Booking
from meetings.domain.calendar_connection import CalendarConnection, Provider
from meetings.domain.identifiers import BookingId, CalendarId, ConnectionId, MailboxId, TeamChannelId
from meetings.domain.page_settings import PageSettings
from meetings.domain.period import Period
from meetings.domain.scheduling_page import BookingForm, PageType
from meetings.domain.user import Role, User, UserSettings
from meetings.infrastructure.circuits.circuits import Circuits
from meetings.infrastructure.database.tables import bookings, host_times, intents, slot_holds, sync_schedule
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.demo.mail_catcher import CaughtMail, MailCatcher
from meetings.infrastructure.passwords import ArgonPasswords
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.settings import Settings, read_settings

KEYS = f"k1:{b64encode(bytes(range(32))).decode()}"
PASSWORD = "correct horse battery"
HOST_EMAIL = "anna@example.com"
CHEAP_PASSWORDS = ArgonPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
DASHBOARD = "http://127.0.0.1/dashboard"
SLOWEST_WRITE_SECONDS = 20


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
        "google_mail_api_url": google.endpoints.mail_api,
        "smtp_url": f"smtp://{mail.host}:{mail.port}",
        "mail_from": "Meetings <meetings@example.com>",
        **more,
    }
    return read_settings(env_file=None, **given)


def variables_of_providers(settings: Settings) -> dict[str, str]:
    """The environment variables that give another process the same providers."""
    told: dict[str, str] = {}
    for provider, own in settings.providers.items():
        for each in dataclasses.fields(own):
            value = getattr(own, each.name)
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            if value is not None and text:
                told[f"MEETINGS_{provider.value}_{each.name}".upper()] = text
    return told


def sqlite_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'meetings.db'}"


@dataclass(frozen=True)
class Callback:
    """What a browser brings back from the consent page."""

    state: str
    code: str | None
    error: str | None
    browser_secret: str | None
    provider: Provider = Provider.GOOGLE


@dataclass
class World:
    """An account whose owner Anna hosts, and everything around it. Nothing happens by itself: see `settle_down`."""

    runtime: Runtime
    tools: Toolbox
    google: GoogleSimulator
    mail: MailCatcher
    clock: Clock
    anna: User = field(init=False)
    _writing: list[asyncio.Task[Any]] = field(default_factory=list)

    @property
    def caller(self) -> Caller:
        return self.caller_of(self.anna)

    def caller_of(self, user: User) -> Caller:
        return Caller(user.account_id, user.id, frozenset(Scope))

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

    async def start(
        self,
        *,
        user: User | None = None,
        reconnect: ConnectionId | None = None,
        login_hint: str | None = None,
        uses: frozenset[AccountUse] = CALENDAR_ONLY,
        reconnect_mailbox: MailboxId | None = None,
        channel: TeamChannelId | None = None,
    ) -> StartedConnection:
        """Anna, or another user, has read the disclosure and is sent to the consent page."""
        tools = self.tools
        version = disclosure_of(tools.providers[Provider.GOOGLE], uses).version
        return await start_connection(
            StartConnection(
                Provider.GOOGLE, version, DASHBOARD, reconnect, login_hint, uses, reconnect_mailbox, channel
            ),
            caller=self.caller_of(user or self.anna),
            look=tools.look,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            links=tools.links,
            clock=self.clock,
            policy=tools.policy,
        )

    async def consent(self, started: StartedConnection, email: str = HOST_EMAIL, **choice: Any) -> Callback:
        """What the consent page's redirect carries once a browser has been through it."""
        back = await asyncio.to_thread(self.google.auto_consent, email, started.authorization_url, **choice)
        query = dict(parse_qsl(urlsplit(back).query))
        return Callback(query["state"], query.get("code"), query.get("error"), started.browser_secret)

    async def come_back(self, callback: Callback) -> FinishedConnection:
        tools = self.tools
        return await finish_connection(
            provider=callback.provider,
            state=callback.state,
            code=callback.code,
            error=callback.error,
            browser_secret=callback.browser_secret,
            begin=tools.begin,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            clock=self.clock,
        )

    async def connect(
        self, *, email: str = HOST_EMAIL, user: User | None = None, reconnect: ConnectionId | None = None
    ) -> ConnectionId:
        """Anna, or another user, goes to the consent page, allows, and comes back; their calendars are read once."""
        started = await self.start(user=user, reconnect=reconnect)
        finished = await self.come_back(await self.consent(started, email))
        await self.settle_down()
        assert finished.connection_id is not None
        return finished.connection_id

    async def disconnect(self) -> None:
        tools = self.tools
        await disconnect_calendar(
            (await self.connection()).id,
            caller=self.caller,
            begin=tools.begin,
            look=tools.look,
            providers=tools.providers,
            push_of=tools.push_of,
            schedule=tools.schedule,
            clock=self.clock,
        )
        await self.settle_down()

    async def connection(self, user: User | None = None) -> CalendarConnection:
        user = user or self.anna
        async with self.tools.look(user.account_id) as work:
            return (await work.connections.of_users([user.id]))[user.id]

    async def calendars(self) -> Calendars:
        """What the product itself uses to talk to Anna's calendars."""
        return self.tools.calendars_of(await self.connection())

    async def refresh(self) -> None:
        """Ask Google for Anna's list of calendars."""
        tools = self.tools
        await refresh_connection(
            (await self.connection()).id,
            caller=self.caller,
            begin=tools.begin,
            look=tools.look,
            calendars_of=tools.calendars_of,
            schedule=tools.schedule,
            clock=self.clock,
        )

    async def select(self, *calendars: CalendarId) -> None:
        """Have exactly these calendars of Anna's block her time, and read them."""
        connection = await self.connection()
        await select_calendars(connection.id, calendars, caller=self.caller, begin=self.tools.begin, clock=self.clock)
        await self.settle_down()

    async def select_everything(self) -> None:
        """Take every calendar that Google lists by now, and read them."""
        await self.refresh()
        await self.select(*(calendar.id for calendar in (await self.connection()).calendars if calendar.eligible))

    async def sync(self) -> None:
        """Read every selected calendar now."""
        connection = await self.connection()
        for calendar in connection.selected_calendars:
            await self.tools.schedule.request(calendar.id)
        await self.sync_due()

    async def sync_due(self) -> bool:
        """Read the calendars that are due; gives whether there were any."""
        due = await self.tools.schedule.due(100)
        for calendar_id in due:
            await self.read_calendar(calendar_id)
        return bool(due)

    async def read_calendar(self, calendar_id: CalendarId) -> bool:
        tools = self.tools
        return await sync_calendar(
            calendar_id,
            begin=tools.begin,
            look=tools.look,
            calendars_of=tools.calendars_of,
            schedule=tools.schedule,
            clock=self.clock,
            policy=tools.policy,
        )

    # ---- pages and bookings ---------------------------------------------------------------------------------------

    async def page(self, slug: str = "anna/intro", *, owner: User | None = None, **settings: Any) -> PagePointer:
        """A page of Anna's, or of another user's: 30 minutes, weekdays from 9 to 17 in Berlin, no notice."""
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
        owner = owner or self.anna
        wish = CreatePage(PageType.ONE_ON_ONE, slug, PageSettings(**given))
        tools = self.tools
        page_id = await create_page(
            wish, caller=self.caller_of(owner), begin=tools.begin, clock=self.clock, policy=tools.policy
        )
        return PagePointer(owner.account_id, page_id)

    async def state(self, page: PagePointer) -> PageState:
        async with self.tools.look(page.account_id) as work:
            return await load_page(work, page.page_id)

    async def offered(self, page: PagePointer, day: date) -> list[str]:
        """What the page offers on a day, as Berlin wall time."""
        question = AvailabilityQuestion(page, day, day, "Europe/Berlin")
        found = await read_availability(question, look=self.tools.look, clock=self.clock, policy=self.tools.policy)
        return [f"{found.slot(start).start.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}" for start in found.starts]

    def form(self, **more: Any) -> BookingForm:
        """What Grace types, who sits in New York."""
        given: dict[str, Any] = {
            "first_name": "Grace",
            "last_name": "Hopper",
            "email": "grace@example.org",
            "time_zone": "America/New_York",
        }
        return BookingForm(**{**given, **more})

    def wish(
        self, page: PagePointer, start: datetime, *, key: str | None = None, hold_token: str | None = None, **form: Any
    ) -> BookMeeting:
        return BookMeeting(page, start, self.form(**form), key or str(uuid4()), "test", hold_token)

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
            carry_out=self._write,
        )

    async def _write(self, intent: Intent) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._writing.append(task)
        await carry_out(intent, self.tools)

    async def request(self, page: PagePointer, *starts: datetime, key: str | None = None, **form: Any) -> Booking:
        """Ask for a meeting on a page that is offline."""
        tools = self.tools
        wish = RequestMeeting(page, starts, self.form(**form), key or str(uuid4()), "test")
        booking_id = await request_meeting(
            wish, begin=tools.begin, look=tools.look, clock=self.clock, policy=tools.policy
        )
        return await self.booking(booking_id)

    async def hold(
        self,
        page: PagePointer,
        start: datetime,
        *,
        visitor: str = "a visitor",
        address: str = "an address",
        replaces: str | None = None,
    ) -> HeldSlot:
        wish = HoldSlot(page, start, None, visitor, address, replaces)
        return await hold_slot(wish, begin=self.tools.begin, clock=self.clock, policy=self.tools.policy)

    async def move(
        self, booking: Booking, start: datetime, *, by: Mover | None = None, key: str | None = None
    ) -> Booking:
        """Move and settle, as `rescheduleBooking` does."""
        tools = self.tools
        wish = RescheduleBooking(self.anna.account_id, booking.id, start, by or ByInvitee(), key or str(uuid4()))
        await reschedule_booking(
            wish,
            begin=tools.begin,
            look=tools.look,
            calendars_of=tools.calendars_of,
            clock=self.clock,
            policy=tools.policy,
        )
        return await self.settle(PagePointer(self.anna.account_id, booking.page_id), booking.id)

    async def cancel(self, booking: Booking, reason: str | None = None, *, by: Mover | None = None) -> None:
        """Call off; the event goes with `settle_down`."""
        account_id = self.anna.account_id
        await cancel_booking(
            account_id, booking.id, reason, by=by or ByInvitee(), begin=self.tools.begin, clock=self.clock
        )

    async def booking(self, booking_id: BookingId) -> Booking:
        async with self.tools.look(self.anna.account_id) as work:
            return await work.bookings.get(booking_id)

    async def switch_pages(self, *, on: bool) -> None:
        """Anna's "scheduling pages" switch (A-CS3)."""
        await change_settings(
            lambda settings: replace(settings, scheduling_pages=on),
            caller=self.caller,
            begin=self.tools.begin,
            clock=self.clock,
        )

    async def newest_booking(self) -> Booking:
        async with self.runtime.database.snapshot() as connection:
            newest = select(bookings.c.id).order_by(bookings.c.created_at.desc()).limit(1)
            return await self.booking(BookingId((await connection.execute(newest)).scalar_one()))

    # ---- what a worker would do -----------------------------------------------------------------------------------

    async def settle_down(self, rounds: int = 20) -> None:
        """Carry out everything that is due, and read every calendar that is due, until nothing is.

        A write that `settle` gave up waiting for, as on a machine that stood still for a moment, is waited for first.
        """
        if self._writing:
            await asyncio.wait(self._writing, timeout=SLOWEST_WRITE_SECONDS)
            self._writing.clear()
        for _ in range(rounds):
            busy = await self.carry_out_due()
            busy = await self.sync_due() or busy
            if not busy:
                return

    async def carry_out_due(self) -> bool:
        due = await self.tools.outbox.due(100)
        for intent_id in due:
            intent = await self.tools.outbox.claim(intent_id)
            if intent is not None:
                await carry_out(intent, self.tools)
        return bool(due)

    async def passes(self, **span: float) -> None:
        """Time goes by. Due times come from two clocks: what is due by this one becomes due by the database's.

        Needs a world whose clock is ahead of the database's. Holds and leases know the database's clock only.
        """
        self.clock.passes(**span)
        async with self.runtime.database.transaction() as connection:
            for table in (intents, sync_schedule):
                waits = (table.c.due_at > database_time(), table.c.due_at <= self.clock.now)
                await connection.execute(update(table).where(*waits).values(due_at=database_time()))

    async def holds_expire(self) -> None:
        """Every hold so far comes to its end by the database's clock."""
        async with self.runtime.database.transaction() as connection:
            for table in (slot_holds, host_times):
                held = table.c.expires_at.is_not(None)
                await connection.execute(update(table).where(held).values(expires_at=database_time(-1)))

    async def unfinished(self) -> list[Row[Any]]:
        """The intents that are neither done nor dead, oldest first."""
        is_open = (intents.c.done_at.is_(None), intents.c.died_at.is_(None))
        async with self.runtime.database.snapshot() as connection:
            return list((await connection.execute(select(intents).where(*is_open).order_by(intents.c.seq))).all())

    # ---- what people and calendars see ----------------------------------------------------------------------------

    def mails_to(self, address: str) -> list[CaughtMail]:
        return [mail for mail in self.mail.mails if mail.recipients == (address,)]

    def events(self, words: str = "", calendar: str = HOST_EMAIL) -> list[dict[str, Any]]:
        """Live events of a calendar, Anna's primary one unless another is named, whose title holds `words`."""
        return [event for event in self.google.events(calendar) if words in event.get("summary", "")]


@asynccontextmanager
async def world(
    database_url: str, google: GoogleSimulator, mail: MailCatcher, *, now: datetime | Clock | None = None, **more: Any
) -> AsyncIterator[World]:
    """A world on an empty database. `now` is its clock, or where that stands, else the real present."""
    process = Process(settings_for(database_url, google, mail, **more))
    google.register_client(CLIENT_ID, CLIENT_SECRET, (process.links.oauth_callback("GOOGLE"),))
    clock = now if isinstance(now, Clock) else Clock(now or datetime.now(UTC))
    began = clock.now
    process.circuits = Circuits(lambda: time.monotonic() + (clock.now - began).total_seconds())
    async with Runtime.open(process) as runtime:
        if not await runtime.database.ready():
            await runtime.database.migrate()
        tools = replace(runtime.toolbox, clock=clock, passwords=CHEAP_PASSWORDS)
        here = World(runtime, tools, google, mail, clock)
        await here.populate()
        yield here


def berlin(text: str) -> datetime:
    """An instant from Berlin wall time, such as `2026-12-07 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
