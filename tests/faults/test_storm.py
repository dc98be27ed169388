"""Many visitors at the same moment, over HTTP, against real processes (BK-1, ID-1, PW-5); and the control (TH-2)."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from meetings.adapters.google.simulator import Call, GoogleSimulator
from meetings.application.policy import Policy
from meetings.infrastructure.database.tables import bookings, intents
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.conftest import simulators
from tests.deployment import Deployment, deployment
from tests.product import ApiClient, until
from tests.services import Run
from tests.unguarded import without_constraint
from tests.world import HOST_EMAIL

__all__ = ["simulators"]

VISITORS = 50
ROUNDS = 20
SLUG = "anna/intro"

STARTS = """
query Starts($input: AvailabilityInput!) { availability(input: $input) { mode days { slots { start } } } }
"""

BOOK = """
mutation Book($input: BookMeetingInput!) {
  bookMeeting(input: $input) {
    booking { status start end manageToken manageUrl }
    errors { code message path ... on SlotUnavailableError { reason alternatives { start end } } }
  }
}
"""

LOOK = "query Look($token: String!) { bookingByToken(token: $token) { status } }"

Simulators = tuple[GoogleSimulator, MailCatcher]

PATIENT = Policy(settle_seconds=30)
"""However slow the machine is, nobody is told PENDING only because of that."""

UNGUARDED_SERVER = "tests.faults.unguarded_server"


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="one-process-on-sqlite"),
        pytest.param("postgresql", id="two-processes-on-postgresql", marks=pytest.mark.services),
    ]
)
def place(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> dict[str, Any]:
    """Where the product runs: with Redis there is a worker process as well."""
    if request.param == "sqlite":
        return {"database_url": request.getfixturevalue("sqlite_url"), "run": run, "folder": tmp_path}
    urls = {"database_url": request.getfixturevalue("postgres_url"), "redis_url": request.getfixturevalue("redis_url")}
    return {**urls, "webs": 2, "run": run, "folder": tmp_path}


@pytest.fixture
async def running(place: dict[str, Any], simulators: Simulators) -> AsyncIterator[Deployment]:
    """The product; Anna's page is open."""
    async with open_page(place, simulators) as started:
        await started.start()
        yield started


@pytest.fixture
async def unguarded(place: dict[str, Any], simulators: Simulators) -> AsyncIterator[Deployment]:
    """The same without locks and without the database's rule."""
    async with open_page(place, simulators, serving_module=UNGUARDED_SERVER) as started:
        await without_constraint(started.here.runtime.database)
        await started.start()
        yield started


@asynccontextmanager
async def open_page(place: dict[str, Any], simulators: Simulators, **more: Any) -> AsyncIterator[Deployment]:
    google, mail = simulators
    async with deployment(google=google, mail=mail, policy=PATIENT, **place, **more) as prepared:
        await prepared.here.connect()
        await prepared.here.page(SLUG)
        yield prepared


@asynccontextmanager
async def visitors(running: Deployment, count: int) -> AsyncIterator[list[ApiClient]]:
    """So many people with a browser each, spread over the web processes, connected already."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(running.visitor()) for _ in range(count)]
        await asyncio.gather(*(client.http.get("/health/live") for client in clients))
        yield clients


async def offered(client: ApiClient, count: int) -> list[str]:
    """The first `count` starts from tomorrow on."""
    first = date.today() + timedelta(days=1)
    window = {
        "page": {"slug": {"slug": SLUG}},
        "from": str(first),
        "to": str(first + timedelta(days=20)),
        "timeZone": "Europe/Berlin",
    }
    found = (await client.ask(STARTS, input=window))["availability"]
    starts: list[str] = [slot["start"] for day in found["days"] for slot in day["slots"]]
    assert found["mode"] == "ONLINE"
    assert len(starts) >= count
    return starts[:count]


def wish(start: str, visitor: int, key: str | None = None) -> dict[str, Any]:
    return {
        "page": {"slug": {"slug": SLUG}},
        "start": start,
        "timeZone": "America/New_York",
        "invitee": {"firstName": "Visitor", "lastName": str(visitor), "email": f"visitor{visitor}@example.org"},
        "idempotencyKey": key or str(uuid4()),
    }


async def book(client: ApiClient, wanted: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(BOOK, input=wanted))["bookMeeting"]
    return answer


@dataclass
class Storm:
    """What came of rounds in which everybody wants the same slot."""

    answers: list[list[dict[str, Any]]]
    seconds: list[float]

    def figures(self) -> str:
        cuts = statistics.quantiles(self.seconds, n=100, method="inclusive")
        return f"{len(self.seconds)} bookMeeting calls: p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms"


async def storm(running: Deployment, rounds: int, *, until_double: bool = False) -> Storm:
    """Let everybody book the same slot at the same time, each round another one."""
    seen = Storm([], [])
    async with visitors(running, VISITORS) as clients:

        async def timed(client: ApiClient, wanted: dict[str, Any]) -> dict[str, Any]:
            began = time.perf_counter()
            answer = await book(client, wanted)
            seen.seconds.append(time.perf_counter() - began)
            return answer

        for start in await offered(clients[0], rounds):
            wishes = [wish(start, visitor) for visitor in range(VISITORS)]
            answers = await asyncio.gather(*map(timed, clients, wishes))
            seen.answers.append(answers)
            if until_double and sum(answer["booking"] is not None for answer in answers) > 1:
                break
    return seen


def outcome(answer: dict[str, Any]) -> str:
    """The status of a booking, or the codes of its refusal."""
    if answer["booking"]:
        return str(answer["booking"]["status"])
    told = [
        error["code"] if error.get("alternatives") else f"{error['code']} without alternatives"
        for error in answer["errors"]
    ]
    return ", ".join(told)


def instants(texts: Sequence[str]) -> list[datetime]:
    return sorted(datetime.fromisoformat(text).astimezone(UTC) for text in texts)


def event_starts(running: Deployment) -> list[datetime]:
    return instants([event["start"]["dateTime"] for event in running.google.events(HOST_EMAIL)])


async def states(running: Deployment) -> dict[str, int]:
    """How many bookings the database has in each state."""
    query = select(bookings.c.state, func.count().label("bookings")).group_by(bookings.c.state)
    async with running.here.runtime.database.snapshot() as connection:
        return {row.state: row.bookings for row in await connection.execute(query)}


async def given_up(running: Deployment) -> int:
    query = select(func.count()).select_from(intents).where(intents.c.died_at.is_not(None))
    async with running.here.runtime.database.snapshot() as connection:
        return int((await connection.execute(query)).scalar_one())


# ---- one slot, many visitors ----------------------------------------------------------------------------------------


async def test_one_of_fifty_visitors_gets_the_slot(running: Deployment, request: pytest.FixtureRequest) -> None:
    """BK-1."""
    seen = await storm(running, ROUNDS)
    print(f"{request.node.name}: {seen.figures()}")
    for answers in seen.answers:
        assert Counter(map(outcome, answers)) == {"CONFIRMED": 1, "SLOT_TAKEN": VISITORS - 1}
    booked = [answer["booking"]["start"] for answers in seen.answers for answer in answers if answer["booking"]]
    assert event_starts(running) == instants(booked)
    assert len(set(booked)) == ROUNDS
    assert await states(running) == {"CONFIRMED": ROUNDS}
    assert await given_up(running) == 0


async def test_without_the_guard_a_slot_is_booked_twice(unguarded: Deployment, request: pytest.FixtureRequest) -> None:
    """The control for BK-1: without it the test above could pass although nothing guards."""
    seen = await storm(unguarded, ROUNDS, until_double=True)
    winners = [sum(answer["booking"] is not None for answer in answers) for answers in seen.answers]
    print(f"{request.node.name}: {winners[-1]} bookings of one slot in round {len(winners)}")
    assert winners[-1] > 1
    starts = event_starts(unguarded)
    assert len(starts) > len(set(starts))


# ---- one visitor, many tries ----------------------------------------------------------------------------------------


async def test_the_same_booking_sent_five_times_at_once_is_one_booking(running: Deployment) -> None:
    """ID-1."""
    async with visitors(running, 5) as clients:
        [start] = await offered(clients[0], 1)
        wanted = wish(start, 1, key=str(uuid4()))
        answers = await asyncio.gather(*(book(client, wanted) for client in clients))
        again = await book(clients[0], wanted)
    assert [answer["booking"]["status"] for answer in answers] == ["CONFIRMED"] * 5
    assert all(answer == answers[0] for answer in (*answers, again))
    assert event_starts(running) == instants([start])
    assert await states(running) == {"CONFIRMED": 1}


# ---- an answer that gets lost ---------------------------------------------------------------------------------------


class FirstWrites:
    """Matches the first call that writes an event, for each event."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, call: Call) -> bool:
        if call.operation != "events.insert" or call.body["id"] in self.seen:
            return False
        self.seen.add(call.body["id"])
        return True


async def test_no_event_is_doubled_when_the_answer_to_every_first_write_is_lost(running: Deployment) -> None:
    """PW-5: Google does what it was asked and the connection breaks before it says so."""
    count = 20
    lost = running.google.fault(FirstWrites(), times=None, drop_after_commit=True)
    async with visitors(running, 5) as clients:
        starts = await offered(clients[0], count)
        answers: list[dict[str, Any]] = []
        for at in range(0, count, len(clients)):
            wishes = [wish(start, at) for start in starts[at : at + len(clients)]]
            answers += await asyncio.gather(*map(book, clients, wishes))
        assert set(map(outcome, answers)) <= {"CONFIRMED", "PENDING"}
        tokens = [answer["booking"]["manageToken"] for answer in answers]

        async def all_confirmed() -> bool:
            looks = await asyncio.gather(*(clients[0].ask(LOOK, token=token) for token in tokens))
            return all(look["bookingByToken"]["status"] == "CONFIRMED" for look in looks)

        await until("every booking is confirmed", all_confirmed, seconds=30)
    assert lost.hits == count
    assert event_starts(running) == instants(starts)
    assert len(running.google.events(HOST_EMAIL, cancelled=True)) == count
    assert await given_up(running) == 0
