"""Where a provider cannot call us, the worker holds a conversation open and hears of changes at once (SY-1, S84)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from meetings.adapters.exchange.simulator import ExchangeSimulator
from tests.contracts.calendars.exchange_world import ExchangeWorld, exchange_world
from tests.databases import Simulators
from tests.hosted import Hosted, now, settings_of
from tests.product import Product, product, until

NEVER = {"poll_with_push": "PT8H", "poll_without_push": "PT8H"}


@dataclass
class Heard:
    """A product with a host on Exchange, whose calendar is polled hours later."""

    running: Product
    place: ExchangeWorld

    @property
    def exchange(self) -> ExchangeSimulator:
        return self.place.exchange

    def reads(self) -> int:
        return len(self.exchange.requests_for("SyncFolderItems"))

    def add_event(self) -> None:
        start = now() + timedelta(days=2)
        self.place.add_event(self.place.primary, start, start + timedelta(minutes=30))

    async def listens(self) -> None:
        """A conversation is open, and the read at its start is over."""
        await until("a conversation", lambda: self.exchange.open_streams == 1 or None)
        seen: list[int] = []

        def quiet() -> bool:
            seen.append(self.reads())
            return len(seen) > 40 and len(set(seen[-40:])) == 1

        await until("no more reads", quiet)


@pytest.fixture
async def heard(database_url: str, simulators: Simulators) -> AsyncIterator[Heard]:
    with exchange_world(clock=now) as place:
        async with product(database_url, *simulators, policy=NEVER, **settings_of(place)) as running:
            await Hosted(running.here, place).connect()
            yield Heard(running, place)


async def test_a_change_is_read_as_soon_as_the_server_tells_of_it(heard: Heard) -> None:
    await heard.listens()
    before = heard.reads()
    heard.add_event()
    await until("the calendar to be read", lambda: heard.reads() > before or None)


async def test_what_happens_while_nobody_listens_is_read_when_somebody_does_again(heard: Heard) -> None:
    await heard.listens()
    before = heard.reads()
    heard.exchange.end_streams()
    heard.add_event()
    await until("a conversation again", lambda: heard.exchange.open_streams == 1 or None, seconds=60)
    await until("the calendar to be read", lambda: heard.reads() > before or None)


async def test_nobody_listens_to_a_mailbox_that_was_disconnected(heard: Heard) -> None:
    await heard.listens()
    await heard.running.here.disconnect()
    await until("the conversation to end", lambda: heard.exchange.open_streams == 0 or None)


async def test_a_password_that_was_changed_is_tried_once(heard: Heard) -> None:
    """S38, B-EX4: no lock-out by conversations, reads and bookings that all try again."""
    await heard.listens()
    heard.place.revoke()
    heard.exchange.end_streams()

    async def offline() -> bool:
        return not (await heard.running.here.connection()).usable

    await until("the connection to be given up", offline, seconds=60)
    assert heard.exchange.failed_sign_ins(heard.place.account) <= 2  # one that listens, one that reads
