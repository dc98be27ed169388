"""A history of what clients wished and were told, and what has to hold once everything has come to rest (TH-3).

Clients book, hold, move, call off and repeat themselves at the same time, give up waiting now and then, and their
hosts' calendars fail in between. Everything is drawn from one seed; how the turns fall together is not.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from meetings.adapters.google import booking_event
from meetings.application.book_meeting import BookMeeting
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import HoldLimitReached, LockTimeout
from meetings.domain.base import ConcurrentChange
from meetings.domain.booking import Booking, BookingState, BookingStateInvalid
from meetings.domain.identifiers import BookingId
from meetings.domain.scheduling_page import CalendarUnverified, SlotTaken, SlotUnavailable
from meetings.domain.timespan import floor_minute
from meetings.domain.user import User
from meetings.infrastructure.database.tables import bookings, host_times
from tests.world import HOST_EMAIL, World, berlin

FIRST = berlin("2035-12-03 13:00")
STARTS = [FIRST + timedelta(minutes=15 * number) for number in range(8)]
"""Meetings last half an hour, so neighbours overlap and every host has room for four."""

REFUSALS = (
    SlotTaken,
    SlotUnavailable,
    CalendarUnverified,
    LockTimeout,
    ConcurrentChange,
    HoldLimitReached,
    BookingStateInvalid,
)
"""What a client may be told instead of yes. Anything else is a fault of ours and ends the run."""

FAULTS: Sequence[dict[str, Any]] = (
    {"match": "events.insert", "drop_after_commit": True},
    {"match": "events.insert", "status": 503},
    {"match": "events.insert", "reset": True},
    {"match": "events.insert", "delay": 0.1},
    {"match": "events.patch", "drop_after_commit": True},
    {"match": "events.patch", "status": 429, "retry_after": 1},
    {"match": "events.delete", "drop_after_commit": True},
    {"match": "events.delete", "status": 500},
    {"match": "events.get", "status": 503},
    {"match": "events.get", "cut_off_body": True},
    {"match": "events.list", "status": 410, "reason": "fullSyncRequired"},
    {"match": "freebusy.query", "status": 500},
    {"match": "freebusy.query", "delay": 0.05},
)

Standing = tuple[BookingState, datetime]


@dataclass
class Entry:
    """One booking a client wished for, and every way it may stand after what that client was told since.

    `acknowledged` None means that the client gave up waiting: the booking is there, or it is not.
    """

    wish: BookMeeting
    host: User
    acknowledged: bool | None = None
    booking_id: BookingId | None = None
    possible: set[Standing] = field(default_factory=set)


@dataclass
class History:
    """One seed's run over three hosts with a page each. When `calm`, no calendar fails and everybody waits."""

    here: World
    seed: int
    calm: bool = False
    hosts: list[tuple[User, PagePointer, str]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    # ---- the run --------------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        here = self.here
        people = [(here.anna, HOST_EMAIL)]
        for name in ("bob", "cleo"):
            email = f"{name}@example.com"
            here.google.add_account(email, time_zone="Europe/Berlin")
            people.append((await here.add_colleague(name.title(), email), email))
        for user, email in people:
            await here.connect(email=email, user=user)
            page = await here.page(f"{user.id.hex}/meet", owner=user, start_increment_minutes=15)
            self.hosts.append((user, page, email))

    async def run(self, *, clients: int = 8, wishes: int = 6) -> None:
        """Let all clients do their wishes while workers carry out what follows and calendars fail."""
        over = asyncio.Event()
        around = [asyncio.create_task(work(over)) for work in (self._work, self._work, self._pass_time)]
        if not self.calm:
            around.append(asyncio.create_task(self._fail(over)))
        async with asyncio.timeout(60):
            await asyncio.gather(*(self._client(number, wishes) for number in range(clients)))
        over.set()
        await asyncio.gather(*around)
        await self._come_to_rest()

    async def _work(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.here.carry_out_due()
            await asyncio.sleep(0.03)

    async def _pass_time(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.here.passes(seconds=5)
            await self.here.sync_due()
            await asyncio.sleep(0.1)

    async def _fail(self, over: asyncio.Event) -> None:
        chance = random.Random(f"{self.seed}: faults")
        while not over.is_set():
            self.here.google.fault(**chance.choice(FAULTS))
            await asyncio.sleep(0.03)

    async def _come_to_rest(self) -> None:
        self.here.google.clear_faults()
        for _ in range(20):
            await self.here.passes(minutes=4)
            await self.here.settle_down()
            if not await self.here.unfinished():
                return

    # ---- one client -----------------------------------------------------------------------------------------------

    async def _client(self, number: int, wishes: int) -> None:
        chance = random.Random(f"{self.seed}: client {number}")
        own: list[Entry] = []
        for turn in range(wishes):
            standing = [entry for entry in own if entry.booking_id]
            act = chance.choices(("book", "hold", "repeat", "move", "cancel"), (40, 15, 10, 20, 15))[0]
            if act in ("book", "hold") or not standing:
                entry = self._new_wish(chance, f"v{self.seed}-{number}-{turn}@example.org")
                own.append(entry)
                self.entries.append(entry)
                await self._book(entry, chance, hold=act == "hold")
            elif act == "repeat":
                await self._repeat(chance.choice(standing), chance)
            elif act == "move":
                await self._move(chance.choice(standing), chance)
            else:
                await self._cancel(chance.choice(standing), chance)

    def _new_wish(self, chance: random.Random, email: str) -> Entry:
        user, page, _ = chance.choice(self.hosts)
        return Entry(self.here.wish(page, chance.choice(STARTS), email=email, key=email), user)

    async def _book(self, entry: Entry, chance: random.Random, *, hold: bool) -> None:
        if hold:
            wish = entry.wish
            held = await _told(
                lambda: self.here.hold(wish.page, wish.start, visitor=wish.idempotency_key, address=wish.form.email)
            )
            if not isinstance(held, Refused):
                entry.wish = self.here.wish(
                    wish.page, wish.start, email=wish.form.email, key=wish.idempotency_key, hold_token=held.token
                )
        told = await _told(lambda: self.here.reserve(entry.wish), patience=self._patience(chance))
        if isinstance(told, Refused):
            entry.acknowledged = False if told.said else None
            return
        entry.acknowledged, entry.booking_id = True, told
        entry.possible = {(BookingState.CONFIRMED, entry.wish.start)}
        if chance.random() < 0.7:
            await self.here.settle(entry.wish.page, told, seconds=0.2)

    async def _repeat(self, entry: Entry, chance: random.Random) -> None:
        """B-BO1: the same wish gives the same booking, whatever became of it."""
        told = await _told(lambda: self.here.reserve(entry.wish), patience=self._patience(chance))
        assert isinstance(told, Refused) or told == entry.booking_id

    async def _move(self, entry: Entry, chance: random.Random) -> None:
        booking, start = await self._mine(entry), chance.choice(STARTS)
        told = await _told(lambda: self.here.move(booking, start), patience=self._patience(chance))
        self._learn(entry, told, (BookingState.CONFIRMED, start))

    async def _cancel(self, entry: Entry, chance: random.Random) -> None:
        booking = await self._mine(entry)
        told = await _told(lambda: self.here.cancel(booking), patience=self._patience(chance))
        cancelled = {(BookingState.CANCELLED, start) for _, start in entry.possible}
        self._learn(entry, told, *cancelled)

    async def _mine(self, entry: Entry) -> Booking:
        assert entry.booking_id
        return await self.here.booking(entry.booking_id)

    def _patience(self, chance: random.Random) -> float | None:
        """Now and then a client does not wait for the answer."""
        return chance.uniform(0.001, 0.15) if chance.random() < 0.15 and not self.calm else None

    def _learn(self, entry: Entry, told: Any, *after: Standing) -> None:
        """What a client knows of a booking nobody else touches: that it changed, that it did not, or neither."""
        if not isinstance(told, Refused):
            entry.possible = set(after)
        elif not told.said:
            entry.possible |= set(after)

    # ---- what has to hold -----------------------------------------------------------------------------------------

    async def violations(self) -> list[str]:
        """What does not hold, each as a sentence; none when everything does."""
        async with self.here.runtime.database.snapshot() as connection:
            ids = list((await connection.execute(select(bookings.c.id))).scalars())
        stored = [await self.here.booking(BookingId(each)) for each in ids]
        found = [*self._double_booked(stored), *self._not_as_told(stored), *self._not_in_calendars(stored)]
        found += await self._time_not_as_booked(stored)
        found += [f"I5: {intent.reaction} is left to do: {intent.error}" for intent in await self.here.unfinished()]
        dead = await self.here.tools.outbox.dead(self.here.anna.account_id, 100)
        found += [f"I5: {intent.reaction} was given up: {intent.error}" for intent in dead]
        return found

    def _double_booked(self, stored: Sequence[Booking]) -> list[str]:
        found = []
        for user, _, _ in self.hosts:
            taken = sorted(
                (booking.start, booking.end) for booking in stored if booking.host == user.id and booking.occupies
            )
            found += [
                f"I1: {user.name} meets two people at {second[0]:%H:%M}"
                for first, second in itertools.pairwise(taken)
                if second[0] < first[1]
            ]
        return found

    async def _time_not_as_booked(self, stored: Sequence[Booking]) -> list[str]:
        """The guarded table takes exactly the time of what stands."""
        async with self.here.runtime.database.snapshot() as connection:
            booked = host_times.c.booking_id.is_not(None)
            rows = (await connection.execute(select(host_times).where(booked))).all()
        taken = sorted((str(row.booking_id), row.start_minute, row.end_minute) for row in rows)
        expected = sorted(
            (str(booking.id), floor_minute(booking.start), floor_minute(booking.end))
            for booking in stored
            if booking.occupies
        )
        return [] if taken == expected else ["I1: the taken times are not those of the bookings"]

    def _not_as_told(self, stored: Sequence[Booking]) -> list[str]:
        found = []
        for entry in self.entries:
            mine = [booking for booking in stored if booking.invitee.email == entry.wish.form.email]
            who = entry.wish.form.email
            if entry.acknowledged is False and mine:
                found.append(f"I2: {who} was refused and has a booking")
            elif entry.acknowledged is None and len(mine) > 1:
                found.append(f"I2: {who} has {len(mine)} bookings")
            elif entry.acknowledged:
                now = {(booking.state, booking.start) for booking in mine if booking.id == entry.booking_id}
                if len(mine) != 1 or not now <= entry.possible:
                    found.append(f"I2: {who} was told {entry.possible}, and has {now or mine}")
        return found

    def _not_in_calendars(self, stored: Sequence[Booking]) -> list[str]:
        found = []
        live: dict[str, list[Any]] = {}
        for _, _, email in self.hosts:
            for event in self.here.google.events(email):
                live.setdefault(str(booking_event.booking_key(event)), []).append(event)
        for booking in stored:
            events = live.pop(str(booking.id), [])
            times = [datetime.fromisoformat(event["start"]["dateTime"]) for event in events]
            wanted = [booking.start] if booking.state is BookingState.CONFIRMED else []
            if times != wanted or booking.state is BookingState.PENDING:
                found.append(f"I4: a booking is {booking.state.value} at {booking.start}, its events are at {times}")
        return found + [f"I4: an event stands for {key}, which is no booking" for key in live]

    async def same_answers(self) -> list[str]:
        """I2: the key of a wish whose outcome nobody learned tells it."""
        found = []
        for entry in self.entries:
            if entry.acknowledged is None:
                before = await self._count(entry)
                if before:
                    told = await _told(partial(self.here.reserve, entry.wish))
                    if isinstance(told, Refused) or await self._count(entry) != before:
                        found.append(f"I2: {entry.wish.form.email} asked again and was told {told}")
        return found

    async def _count(self, entry: Entry) -> int:
        async with self.here.runtime.database.snapshot() as connection:
            details = list((await connection.execute(select(bookings.c.details))).scalars())
        return sum(entry.wish.form.email in str(each) for each in details)


@dataclass
class Refused:
    """A client was told no (`said`), or gave up waiting and knows nothing."""

    said: bool


def _patience(chance: random.Random) -> float | None:
    """Now and then a client does not wait for the answer."""
    return chance.uniform(0.001, 0.15) if chance.random() < 0.15 else None


async def _told(command: Callable[[], Awaitable[Any]], *, patience: float | None = None) -> Any:
    try:
        async with asyncio.timeout(patience):
            return await command()
    except REFUSALS:
        return Refused(said=True)
    except TimeoutError:
        return Refused(said=False)
