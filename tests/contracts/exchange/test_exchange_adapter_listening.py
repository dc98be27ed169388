"""Being told of changes over a connection that is held open (SY-1)."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.application.ports.calendars import (
    CalendarUnreadable,
    ChangeListener,
    ProviderUnavailable,
    ReauthorizationNeeded,
)
from tests.contracts.calendars.world import at
from tests.contracts.exchange.test_exchange_adapter import ADA, _held, _provider
from tests.waiting import until


def _listener(exchange: ExchangeSimulator, **settings: Any) -> ChangeListener:
    listen = _provider(exchange, **settings).listen
    assert listen is not None
    return listen(_held(exchange))


@contextlib.asynccontextmanager
async def _listening(
    exchange: ExchangeSimulator, *calendars: str, **settings: Any
) -> AsyncIterator["asyncio.Queue[str | Exception | None]"]:
    """What is heard, from when the server holds the connection open; None at the end."""
    heard: asyncio.Queue[str | Exception | None] = asyncio.Queue()

    async def listen() -> None:
        changes = _listener(exchange, **settings).changes(calendars)
        assert isinstance(changes, AsyncGenerator)
        try:
            async for each in changes:
                heard.put_nowait(each)
            heard.put_nowait(None)
        except Exception as error:
            heard.put_nowait(error)
        finally:
            await changes.aclose()

    before = exchange.open_streams
    task = asyncio.create_task(listen())
    await until("a stream or the end", lambda: exchange.open_streams > before or task.done())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _next(heard: "asyncio.Queue[str | Exception | None]") -> str | Exception | None:
    return await asyncio.wait_for(heard.get(), 5)


async def test_a_change_is_told_with_its_calendar(exchange: ExchangeSimulator) -> None:
    primary, choir, other = (
        exchange.calendar_of(ADA),
        *(exchange.add_calendar(ADA, name) for name in ("Choir", "Other")),
    )
    async with _listening(exchange, primary, choir) as heard:
        exchange.add_event(other, "x", at(3, 9), at(3, 10))
        event = exchange.add_event(choir, "x", at(3, 9), at(3, 10))
        assert await _next(heard) == choir
        exchange.move_event(event, at(3, 11), at(3, 12))
        assert await _next(heard) == choir
        exchange.cancel_event(event)
        assert await _next(heard) == choir
        exchange.add_event(primary, "x", at(3, 9), at(3, 10))
        assert await _next(heard) == primary


async def test_signs_of_life_are_no_news_and_the_end_comes_when_the_server_says_so(exchange: ExchangeSimulator) -> None:
    exchange.settings.minute_seconds, exchange.settings.heartbeat_seconds = 0.5, 0.1
    async with _listening(exchange, exchange.calendar_of(ADA), listen_minutes=1) as heard:
        assert await _next(heard) is None
    assert exchange.open_streams == 0


async def test_a_connection_is_cut_when_nobody_listens_any_more(exchange: ExchangeSimulator) -> None:
    primary = exchange.calendar_of(ADA)
    async with _listening(exchange, primary) as heard:
        exchange.add_event(primary, "x", at(3, 9), at(3, 10))
        assert await _next(heard) == primary
        assert exchange.open_streams == 1
    await until("the end of the stream", lambda: exchange.open_streams == 0)


async def test_asking_again_after_the_end_listens_again(exchange: ExchangeSimulator) -> None:
    primary = exchange.calendar_of(ADA)
    exchange.settings.minute_seconds, exchange.settings.heartbeat_seconds = 0.3, 0.1
    async with _listening(exchange, primary, listen_minutes=1) as heard:
        assert await _next(heard) is None
    exchange.settings.minute_seconds = 60
    async with _listening(exchange, primary) as heard:
        exchange.add_event(primary, "x", at(3, 9), at(3, 10))
        assert await _next(heard) == primary


async def test_a_server_that_restarts_ends_it_as_an_error(exchange: ExchangeSimulator) -> None:
    async with _listening(exchange, exchange.calendar_of(ADA)) as heard:
        exchange.end_streams()
        assert isinstance(await _next(heard), ProviderUnavailable)


async def test_a_lost_calendar_cannot_be_listened_to(exchange: ExchangeSimulator) -> None:
    lost = exchange.add_calendar(ADA, "Choir")
    exchange.lose_access(lost)
    async with _listening(exchange, lost) as heard:
        assert isinstance(await _next(heard), CalendarUnreadable)


async def test_a_lost_calendar_does_not_silence_the_others(exchange: ExchangeSimulator) -> None:
    primary, lost = exchange.calendar_of(ADA), exchange.add_calendar(ADA, "Choir")
    exchange.lose_access(lost)
    async with _listening(exchange, lost, primary) as heard:
        exchange.add_event(primary, "x", at(3, 9), at(3, 10))
        assert await _next(heard) == primary


async def test_a_wrong_password_needs_the_person(exchange: ExchangeSimulator) -> None:
    exchange.change_password(ADA, "another one")
    async with _listening(exchange, exchange.calendar_of(ADA)) as heard:
        assert isinstance(await _next(heard), ReauthorizationNeeded)
    assert exchange.failed_sign_ins(ADA) == 1


async def test_no_more_connections_are_held_open_than_allowed(exchange: ExchangeSimulator) -> None:
    primary = exchange.calendar_of(ADA)
    listen = _provider(exchange, listeners=1).listen
    assert listen is not None
    first = listen(_held(exchange)).changes([primary])
    assert isinstance(first, AsyncGenerator)
    waiting = asyncio.ensure_future(anext(first))
    await until("one stream", lambda: exchange.open_streams == 1)
    with pytest.raises(ProviderUnavailable):
        await anext(listen(_held(exchange)).changes([primary]))
    exchange.add_event(primary, "x", at(3, 9), at(3, 10))
    assert await asyncio.wait_for(waiting, 5) == primary
    await first.aclose()
    await until("the end of the stream", lambda: exchange.open_streams == 0)
    # The place is given back by the client's thread, which notices a moment later that its connection is gone.
    await until(
        "the end of the thread",
        lambda: not any(thread.name == "exchange listener" for thread in threading.enumerate()),
    )
    again = listen(_held(exchange)).changes([primary])
    assert isinstance(again, AsyncGenerator)
    waiting = asyncio.ensure_future(anext(again))
    await until("one stream", lambda: exchange.open_streams == 1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await again.aclose()


@pytest.mark.parametrize("hostile", ["dtd", "entities", "external", "depth"])
async def test_what_no_parser_should_see_ends_the_connection(exchange: ExchangeSimulator, hostile: str) -> None:
    exchange.fault("GetStreamingEvents", hostile=hostile)
    async with _listening(exchange, exchange.calendar_of(ADA)) as heard:
        assert isinstance(await _next(heard), ProviderUnavailable)


@pytest.mark.parametrize("version", ["14.2", "15.0", "15.1", "15.2"])
async def test_every_version_tells(version: str) -> None:
    with ExchangeSimulator(version=version).serve() as server:
        primary = server.add_account(ADA)
        async with _listening(server, primary) as heard:
            server.add_event(primary, "x", at(3, 9), at(3, 10))
            assert await _next(heard) == primary
