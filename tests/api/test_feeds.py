"""Many who watch the same window: one execution for each change, everybody up to date, nobody waits for the slow."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import websockets
from websockets import Subprotocol
from websockets.frames import Frame, Opcode

from meetings.application.hold_slot import release_slot
from meetings.application.ports.reads import PagePointer
from meetings.application.read_availability import AvailabilityQuestion, read_availability
from meetings.graphql.executing import Api
from meetings.graphql.feeds import Payload
from tests.product import NO_RATES, Product, product
from tests.world import outside

WATCH = """
subscription Watch($input: AvailabilityInput!, $after: String) {
  availabilityChanged(input: $input, after: $after) {
    __typename
    ... on AvailabilitySnapshot { cursor availability { mode days { date slots { start } } } }
    ... on AvailabilityDelta { cursor mode days { date slots { start } } emptiedDates nextAvailable { start } }
  }
}
"""


@pytest.fixture
async def running(sqlite_url: str) -> AsyncIterator[Product]:
    with outside() as (google, mail):
        async with product(sqlite_url, google, mail, with_worker=False) as found:
            await found.connect()
            yield found


class Watcher:
    """A client that keeps what it was told, as a front end would."""

    def __init__(self, running: Product, first: date, after: str | None = None) -> None:
        self._url = running.url
        window = {"page": {"slug": {"slug": "anna/intro"}}, "from": str(first), "to": str(first + timedelta(days=9))}
        self._payload = {
            "query": WATCH,
            "variables": {"input": {**window, "timeZone": "UTC"}, **({"after": after} if after else {})},
        }
        self.days: dict[str, list[str]] = {}
        self.cursor = ""
        self.events: list[dict[str, Any]] = []

    async def watch(self, stack: AsyncExitStack) -> None:
        url = f"{self._url.replace('http', 'ws', 1)}/graphql"
        origin: Any = self._url
        connected = websockets.connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], origin=origin)
        self.socket = await stack.enter_async_context(connected)
        await self.socket.send('{"type":"connection_init"}')
        assert json.loads(await self.socket.recv())["type"] == "connection_ack"
        await self.socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": self._payload}))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(15):
            message = json.loads(await self.socket.recv())
        assert message["type"] == "next", message
        event: dict[str, Any] = message["payload"]["data"]["availabilityChanged"]
        self.events.append(event)
        self.cursor = event["cursor"]
        if event["__typename"] == "AvailabilitySnapshot":
            self.days = {}
            event = event["availability"]
        for gone in event.get("emptiedDates", ()):
            self.days.pop(gone, None)
        self.days.update({day["date"]: [slot["start"] for slot in day["slots"]] for day in event["days"]})
        return event

    async def hear_until(self, cursor: str) -> None:
        while self.cursor != cursor or not self.events:
            await self.hear()


async def now(running: Product, page: PagePointer, first: date) -> tuple[str, dict[str, list[str]]]:
    """The cursor of the present answer, and what it offers."""
    tools = running.here.tools
    question = AvailabilityQuestion(page, first, first + timedelta(days=9), "UTC")
    found = await read_availability(question, look=tools.look, clock=running.here.clock, policy=tools.policy)
    days = {
        str(day): [found.slot(start).start.isoformat().replace("+00:00", "Z") for start in starts]
        for day, starts in found.days.items()
    }
    return found.digest.cursor(), days


def tomorrow() -> date:
    return datetime.now(UTC).date() + timedelta(days=1)


async def test_everybody_is_told_each_change_and_it_is_executed_once(
    running: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed = 0
    tell = Api.tell

    async def counted(*given: Any) -> Any:
        nonlocal executed
        executed += 1
        return await tell(*given)

    monkeypatch.setattr(Api, "tell", counted)
    page, first = await running.here.page(), tomorrow()
    async with AsyncExitStack() as stack:
        watchers = [Watcher(running, first) for _ in range(12)]
        for each in watchers:
            await each.watch(stack)
            await each.hear()
        starts = [start for day in watchers[0].days.values() for start in day]
        for number, start in enumerate(starts[:3], 1):
            await running.here.hold(page, datetime.fromisoformat(start), visitor=str(number))
            cursor, days = await now(running, page, first)
            for each in watchers:
                await each.hear_until(cursor)
                assert each.days == days
            assert executed == number
        assert all(len(each.events) == 4 for each in watchers)


async def test_newcomers_share_the_first_event_as_long_as_it_is_the_present(
    running: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed = 0
    stream = Api.stream

    async def counted(*given: Any, **named: Any) -> Any:
        nonlocal executed
        executed += 1
        return await stream(*given, **named)

    monkeypatch.setattr(Api, "stream", counted)
    page, first = await running.here.page(), tomorrow()
    shared = 0
    async with AsyncExitStack() as stack:
        for number in range(6):
            before = executed
            for _ in range(4):
                newcomer = Watcher(running, first)
                await newcomer.watch(stack)
                await newcomer.hear()
                assert newcomer.events[0]["__typename"] == "AvailabilitySnapshot"
                cursor, days = await now(running, page, first)
                assert (newcomer.cursor, newcomer.days) == (cursor, days)
            shared += executed - before < 4
            start = datetime.fromisoformat(next(start for day in days.values() for start in day))
            await running.here.hold(page, start, visitor=str(number))
            held, _ = await now(running, page, first)
            await newcomer.hear_until(held)
    assert shared >= 5  # a minute may end in between


async def test_a_shared_first_event_counts_against_the_rate(sqlite_url: str) -> None:
    with outside() as (google, mail):
        rates = {**NO_RATES, "availability": ("3/minute",)}
        async with product(sqlite_url, google, mail, with_worker=False, rates=rates) as running:
            await running.here.page()
            async with AsyncExitStack() as stack:
                watchers = [Watcher(running, tomorrow()) for _ in range(5)]
                for each in watchers:
                    await each.watch(stack)
                told = [json.loads(await each.socket.recv())["payload"] for each in watchers]
    assert ["errors" in each for each in told] == [False] * 3 + [True] * 2
    assert {each["errors"][0]["extensions"]["code"] for each in told[3:]} == {"RATE_LIMITED"}


async def test_who_comes_back_with_a_cursor_is_told_what_they_missed_and_follows_on(running: Product) -> None:
    page, first = await running.here.page(), tomorrow()
    async with AsyncExitStack() as stack:
        early = Watcher(running, first)
        await early.watch(stack)
        await early.hear()
        start = datetime.fromisoformat(next(iter(early.days.values()))[0])
        held = await running.here.hold(page, start)
        late = Watcher(running, first, after=early.cursor)
        late.days = dict(early.days)
        await late.watch(stack)
        await early.hear()
        await late.hear_until(early.cursor)
        assert late.events[0]["__typename"] == "AvailabilityDelta"
        assert late.days == early.days
        await release_slot(held.token, begin=running.here.tools.begin)
        cursor, days = await now(running, page, first)
        for each in (early, late):
            await each.hear_until(cursor)
            assert each.days == days


async def test_who_does_not_read_keeps_nobody_waiting_and_skips_to_the_present(running: Product) -> None:
    page, first = await running.here.page(durations_minutes=(15,), start_increment_minutes=5), tomorrow()
    async with AsyncExitStack() as stack:
        quick, slow = Watcher(running, first), Watcher(running, first)
        for each in (quick, slow):
            await each.watch(stack)
            await each.hear()
        kernel: socket.socket = slow.socket.transport.get_extra_info("socket")
        assert urlsplit(running.url).port == kernel.getpeername()[1]
        slow.socket.transport.pause_reading()
        start = datetime.fromisoformat(next(iter(quick.days.values()))[0])
        changes = 60
        for _ in range(changes):
            held = await running.here.hold(page, start)
            await quick.hear()
            await release_slot(held.token, begin=running.here.tools.begin)
            await quick.hear()
        held = await running.here.hold(page, start)
        cursor, days = await now(running, page, first)
        await quick.hear_until(cursor)
        slow.socket.transport.resume_reading()
        await slow.hear_until(cursor)
        assert slow.days == quick.days == days


async def test_everybody_is_told_when_the_page_goes(running: Product) -> None:
    await running.here.page()
    async with AsyncExitStack() as stack:
        watcher = Watcher(running, tomorrow())
        await watcher.watch(stack)
        await watcher.hear()
        async with running.host() as anna:
            pages = "{ viewer { schedulingPages(first: 5) { nodes { id } } } }"
            [mine] = (await anna.ask(pages))["viewer"]["schedulingPages"]["nodes"]
            await anna.ask(
                "mutation($id: ID!) { archiveSchedulingPage(id: $id) { errors { code } } }",
                id=mine["id"],
            )
        async with asyncio.timeout(15):
            assert json.loads(await watcher.socket.recv()) == {"id": "1", "type": "complete"}


@pytest.mark.parametrize("size", [0, 1, 90, 91, 92, 125, 126, 3_000, 65_500, 65_536, 70_000])
def test_a_frame_made_once_is_the_frame_the_library_would_write(size: int) -> None:
    payload = Payload('{"data":"' + "ü" * size + '"}')
    for head in ('{"id":"1","type":"next","payload":', '{"id":"another","type":"next","payload":'):
        text = payload.message(head)
        assert json.loads(text)["payload"]["data"] == "ü" * size
        assert payload.frame(head) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
        assert payload.frame(head) is payload.frame(head)
