"""Where providers call: stored, then answered; nothing happens for a call that is not from who it says (SY-2, SY-5)."""

import secrets
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.database.tables import push_channels, sync_schedule
from tests.databases import BOTH_DATABASES, Simulators
from tests.own_calendars import asks_for_busy_time
from tests.product import ApiClient, Product, product, until
from tests.world import HOST_EMAIL

FORGED = 2_000
"""Each takes the whole way through the application; five times as many only take five times as long."""

NOTICES = 500


@pytest.fixture
async def quiet(database_url: str, simulators: Simulators) -> AsyncIterator[Product]:
    """A product that reads calendars when it is told to, and not again for hours."""
    hours = {"poll_with_push": "PT8H", "poll_without_push": "PT8H"}
    async with product(database_url, *simulators, policy=hours) as running:
        await running.connect()
        yield running


async def channel_of(running: Product) -> dict[str, str]:
    """The headers of a call that Google would make about Anna's calendar."""

    async def stored() -> Any:
        async with running.here.runtime.database.snapshot() as connection:
            newest = select(push_channels).order_by(push_channels.c.id.desc()).limit(1)  # two may open at once
            return (await connection.execute(newest)).one_or_none()

    row = await until("the channel to be opened", stored)
    opened = next(
        call.body for call in running.google.requests_for("events.watch") if call.body["id"] == row.channel_id
    )
    return {
        "X-Goog-Channel-ID": opened["id"],
        "X-Goog-Channel-Token": opened["token"],
        "X-Goog-Message-Number": "2",
        "X-Goog-Resource-ID": row.resource_id,
        "X-Goog-Resource-State": "exists",
    }


def reads(google: GoogleSimulator) -> int:
    return len(google.requests_for(asks_for_busy_time))


async def settled_reads(google: GoogleSimulator) -> int:
    """How many reads there were, once no more come."""
    before = -1
    while before != reads(google):
        before = reads(google)
        await until("a moment to pass", _Moment().over)
    return before


class _Moment:
    """Half a second."""

    def __init__(self) -> None:
        self._looks = 0

    def over(self) -> bool:
        self._looks += 1
        return self._looks > 25


async def test_a_change_in_the_calendar_is_read_because_google_called(quiet: Product) -> None:
    await channel_of(quiet)
    before = await settled_reads(quiet.google)
    start = quiet.here.clock()
    quiet.google.add_event(HOST_EMAIL, "Dentist", start, start)
    await until("the calendar to be read", lambda: reads(quiet.google) > before)


async def test_a_call_with_the_channels_secret_has_the_calendar_read(quiet: Product) -> None:
    headers = await channel_of(quiet)
    before = await settled_reads(quiet.google)
    async with quiet.visitor() as google:
        answer = await google.http.post("/webhooks/google", headers=headers)
    assert (answer.status_code, answer.text) == (202, "")
    await until("the calendar to be read", lambda: reads(quiet.google) > before)


async def test_a_greeting_is_answered_and_nothing_is_read(quiet: Product) -> None:
    headers = await channel_of(quiet)
    before = await settled_reads(quiet.google)
    async with quiet.visitor() as google:
        answer = await google.http.post("/webhooks/google", headers=headers | {"X-Goog-Resource-State": "sync"})
    assert answer.status_code == 202
    assert await settled_reads(quiet.google) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-Goog-Channel-Token": ""},
        {"X-Goog-Channel-Token": "x" * 32},
        {"X-Goog-Channel-ID": str(uuid4())},
        {"X-Goog-Channel-ID": ""},
        {"X-Goog-Message-Number": "one"},
    ],
)
async def test_a_call_that_is_not_googles_is_not_found_and_reads_nothing(quiet: Product, wrong: dict[str, str]) -> None:
    headers = await channel_of(quiet)
    before = await settled_reads(quiet.google)
    async with quiet.visitor() as somebody:
        answer = await somebody.http.post("/webhooks/google", headers=headers | wrong)
    assert (answer.status_code, answer.text) == (404, "")
    assert await settled_reads(quiet.google) == before


async def test_thousands_of_forged_calls_read_nothing(quiet: Product) -> None:
    headers = await channel_of(quiet)
    before = await settled_reads(quiet.google)
    known = headers["X-Goog-Channel-ID"]
    for number in range(FORGED):
        channel = known if number % 2 else str(uuid4())
        assert await forged_call(quiet, channel, secrets.token_urlsafe(24)) == 404
    async with quiet.here.runtime.database.snapshot() as connection:
        (plan,) = (await connection.execute(select(sync_schedule))).all()
    assert not plan.requested
    assert await settled_reads(quiet.google) == before


async def forged_call(running: Product, channel: str, secret: str) -> int:
    """The status that the application answers, asked without a socket in between."""
    sent: list[Any] = []
    headers = {b"host": b"127.0.0.1", b"x-goog-channel-id": channel, b"x-goog-channel-token": secret}
    headers |= {b"x-goog-message-number": "1", b"x-goog-resource-state": "exists"}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/webhooks/google",
        "raw_path": b"/webhooks/google",
        "query_string": b"",
        "root_path": "",
        "client": ("192.0.2.1", 40_000),
        "server": ("127.0.0.1", 80),
        "headers": [(name, value.encode() if isinstance(value, str) else value) for name, value in headers.items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await running.app(scope, receive, send)
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_a_storm_of_notices_is_one_read_a_second_and_one_after_it(quiet: Product) -> None:
    headers = await channel_of(quiet)
    before = await settled_reads(quiet.google)
    began = time.monotonic()
    async with quiet.visitor() as google:
        for _ in range(NOTICES):
            assert (await google.http.post("/webhooks/google", headers=headers)).status_code == 202
    seconds = time.monotonic() - began
    assert 1 <= await settled_reads(quiet.google) - before <= 2 + seconds


async def test_changes_that_follow_each_other_are_read_sooner_than_a_second_after_each_other(quiet: Product) -> None:
    headers = await channel_of(quiet)
    before = await settled_reads(quiet.google)
    async with quiet.visitor() as google:
        for change in range(1, 6):
            await google.http.post("/webhooks/google", headers=headers)
            await until("the read", lambda expected=before + change: reads(quiet.google) >= expected)
    first, *_, last = quiet.google.requests_for(asks_for_busy_time)[before:]
    assert (last.at - first.at).total_seconds() < 4


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/webhooks/icloud", 404), ("GET", "/webhooks/google", 405), ("POST", "/webhooks/google", 404)],
)
async def test_other_calls_find_nothing(visitor: ApiClient, method: str, path: str, status: int) -> None:
    assert (await visitor.http.request(method, path)).status_code == status


async def test_a_notice_that_cannot_be_stored_is_not_confirmed(quiet: Product) -> None:
    headers = await channel_of(quiet)
    async with quiet.here.runtime.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE sync_schedule RENAME TO gone")
    async with quiet.visitor() as google:
        answer = await google.http.post("/webhooks/google", headers=headers)
    assert answer.status_code == 500
    assert "sync_schedule" not in answer.text
