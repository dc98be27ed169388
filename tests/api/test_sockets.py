"""Subscriptions over WebSocket: the protocol, its limits (GQ-6), and who may still listen (GQ-7)."""

import asyncio
import json
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from meetings.graphql.options import ApiOptions, SocketLimits
from meetings.graphql.router import graphql_router
from tests.api.documents import BOOK, at, book, window, working_day
from tests.api.setting_up import connected, online
from tests.databases import database_url, simulators, sqlite_template
from tests.product import ApiClient, Product, address_of, listening, product
from tests.product import served as serving

__all__ = ["database_url", "simulators", "sqlite_template"]

DAY = working_day().date().isoformat()
MEMORY = Path("/proc/self/statm")
LIVE = """subscription($input: AvailabilityInput!, $after: String) { availabilityChanged(input: $input, after: $after) {
  __typename
  ... on AvailabilitySnapshot { cursor availability { mode days { date slotCount } } }
  ... on AvailabilityDelta { cursor mode days { date slotCount } emptiedDates nextAvailable { start } }
} }"""
BOOKINGS = "subscription($after: String) { bookingEvents(after: $after) { cursor type booking { id status start } } }"
CONNECTION = "subscription { calendarConnectionStatus { status needsAction } }"


@asynccontextmanager
async def socket(
    served: Product, *, origin: str | None = None, protocol: str = "graphql-transport-ws", **more: Any
) -> AsyncIterator[ClientConnection]:
    """A socket nobody has said anything on."""
    async with connect(
        f"{served.url.replace('http', 'ws', 1)}/graphql",
        origin=Origin(origin) if origin else None,
        subprotocols=[Subprotocol(protocol)],
        compression=None,
        **more,
    ) as opened:
        yield opened


@asynccontextmanager
async def ready(served: Product, token: str | None = None) -> AsyncIterator[ClientConnection]:
    """A socket whose `connection_init` was acknowledged."""
    async with socket(served) as opened:
        await say(opened, type="connection_init", payload={"Authorization": f"Bearer {token}"} if token else {})
        assert (await heard(opened))["type"] == "connection_ack"
        yield opened


async def say(opened: ClientConnection, **message: object) -> None:
    await opened.send(json.dumps(message))


async def subscribe(opened: ClientConnection, query: str, id: str = "1", **variables: object) -> None:
    await say(opened, type="subscribe", id=id, payload={"query": query, "variables": variables})


async def heard(opened: ClientConnection, seconds: float = 10) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        found: dict[str, Any] = json.loads(await opened.recv())
    return found


async def data(opened: ClientConnection, seconds: float = 10) -> Any:
    """The one root field of the next event."""
    message = await heard(opened, seconds)
    assert message["type"] == "next", message
    assert "errors" not in message["payload"], message
    [value] = message["payload"]["data"].values()
    return value


async def closed(opened: ClientConnection, seconds: float = 10) -> int:
    """The code the server closes with."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                await opened.recv()
            except ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else 1006


# ---- the protocol ---------------------------------------------------------------------------------------------------


INIT = '{"type": "connection_init"}'
BROKEN: list[tuple[list[str | bytes], int]] = [
    (['{"type": "subscribe", "id": "1", "payload": {"query": "{ server { version } }"}}'], 4401),
    ([INIT, INIT], 4429),
    (['{"type": "connection_init", "payload": 5}'], 4400),
    (['{"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}}'], 4403),
    (['{"type": "connection_init", "payload": {"token": "nonsense"}}'], 4403),
    (["not json"], 4400),
    (["[]"], 4400),
    (["5"], 4400),
    (["{}"], 4400),
    (['{"type": "nonsense"}'], 4400),
    ([b"binary"], 4400),
    ([INIT, '{"type": "subscribe", "id": "1"}'], 4400),
    ([INIT, '{"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}}'], 4400),
    ([INIT, '{"type": "subscribe", "id": "1", "payload": {"query": 5}}'], 4400),
    ([INIT, '{"type": "subscribe", "id": "1", "payload": {"query": ["a"]}}'], 4400),
    ([INIT, '{"type": "subscribe", "id": "1", "payload": {"query": "a", "variables": 1}}'], 4400),
    (['{"type": "connection_init", "payload": {"x": "' + "y" * 70_000 + '"}}'], 1009),
]


async def test_what_breaks_the_protocol_closes_the_socket(served: Product) -> None:
    for messages, code in BROKEN:
        async with socket(served) as opened:
            for message in messages:
                await opened.send(message)
            assert await closed(opened) == code, messages


async def test_the_same_id_twice_closes_the_socket(served: Product) -> None:
    await served.here.page()
    async with ready(served) as opened:
        await subscribe(opened, LIVE, input=window(DAY))
        await data(opened)
        await subscribe(opened, LIVE, input=window(DAY))
        assert await closed(opened) == 4409


async def test_only_the_one_protocol_is_spoken(served: Product) -> None:
    async with socket(served, protocol="graphql-ws") as opened:
        assert await closed(opened) == 4406


async def test_a_foreign_page_opens_no_socket(served: Product) -> None:
    for origin in ("https://evil.example", f"{served.url}.evil.example", "null"):
        with pytest.raises(InvalidStatus) as refused:
            async with socket(served, origin=origin):
                pass
        assert refused.value.response.status_code == 403
    async with socket(served, origin=served.url) as opened:
        await say(opened, type="ping")
        assert (await heard(opened))["type"] == "pong"


async def test_errors_on_a_socket_have_codes_and_do_not_close_it(served: Product) -> None:
    async with ready(served) as opened:
        for number, (query, code) in enumerate(
            [
                ("{ server {", "GRAPHQL_PARSE_FAILED"),
                ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
                ("{ " + "a " * 2_000 + "}", "QUERY_TOO_COMPLEX"),
                ("fragment A on Query { server { version } }", "GRAPHQL_VALIDATION_FAILED"),
                (BOOKINGS, "UNAUTHENTICATED"),
                (CONNECTION, "UNAUTHENTICATED"),
            ]
        ):
            await subscribe(opened, query, id=str(number))
            message = await heard(opened)
            errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
            assert [error["extensions"]["code"] for error in errors] == [code], query
            assert errors[0]["extensions"]["requestId"]
            if message["type"] == "next":
                assert (await heard(opened))["type"] == "complete"
        await subscribe(opened, "{ server { version } }", id="still there")
        assert (await data(opened))["version"]


async def test_an_unknown_page_is_an_error_and_the_end(served: Product) -> None:
    async with ready(served) as opened:
        await subscribe(opened, LIVE, input=window(DAY))
        message = await heard(opened)
        assert message["payload"]["errors"][0]["extensions"]["reason"] == "PAGE_NOT_FOUND"
        assert (await heard(opened))["type"] == "complete"


# ---- limits ---------------------------------------------------------------------------------------------------------


async def test_a_socket_has_at_most_twenty_subscriptions(served: Product) -> None:
    await served.here.page()
    async with ready(served) as opened:
        for number in range(20):
            await subscribe(opened, LIVE, id=str(number), input=window(DAY))
            await data(opened)
        await subscribe(opened, LIVE, id="one too many", input=window(DAY))
        refused = await heard(opened)
        assert (refused["id"], refused["type"]) == ("one too many", "error")
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await say(opened, type="complete", id="0")
        await subscribe(opened, LIVE, id="in its place", input=window(DAY))
        await data(opened)


async def test_a_session_has_at_most_five_sockets(served: Product, host: ApiClient) -> None:
    async def six() -> None:
        async with AsyncExitStack() as stack:
            for token in (host.token, host.token, host.token, host.token, host.token, None):
                await stack.enter_async_context(ready(served, token))
            sixth = await stack.enter_async_context(socket(served))
            await say(sixth, type="connection_init", payload={"token": host.token})
            assert await closed(sixth) == 4403

    await six()
    await six()  # closed ones do not count


async def test_a_socket_that_talks_too_much_is_closed(served: Product) -> None:
    async with ready(served) as opened:
        for _ in range(120):
            await say(opened, type="ping")
        assert await closed(opened) == 4429


@pytest.mark.skipif(not MEMORY.exists(), reason=f"the system does not tell a process's memory in {MEMORY}")
async def test_five_hundred_idle_sockets_take_little_memory_and_an_address_has_no_more_than_allowed(
    served: Product,
) -> None:
    options = ApiOptions(sockets=SocketLimits(connections_per_address=500))
    files, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    # both ends of each socket are ours
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, min(4_096, most_files)), most_files))
    with elsewhere(served, options) as other:
        before = resident_memory()
        async with AsyncExitStack() as stack:
            for _ in range(10):
                await asyncio.gather(*(stack.enter_async_context(ready(other)) for _ in range(50)))
            assert resident_memory() - before < 200 * 2**20
            with pytest.raises(InvalidStatus) as refused:
                await stack.enter_async_context(socket(other))
            assert refused.value.response.status_code == 403


@contextmanager
def elsewhere(served: Product, options: ApiOptions) -> Iterator[Product]:
    """The API once more, with options that nobody can set for the whole product."""
    app = FastAPI()
    app.include_router(graphql_router(lambda: served.here.tools, options), prefix="/graphql")
    with listening() as listener, serving(app, listener):
        yield replace(served, url=address_of(listener))


def resident_memory() -> int:
    """In bytes, of this process, which is client and server."""
    return int(MEMORY.read_text().split()[1]) * resource.getpagesize()


async def test_a_socket_that_never_says_who_it_is_is_closed(served: Product) -> None:
    options = ApiOptions(sockets=SocketLimits(init_seconds=0.2))
    with elsewhere(served, options) as other:
        async with socket(other) as opened:
            assert await closed(opened) == 4408


async def test_subscribing_counts_against_the_rate_as_asking_does(
    database_url: str, simulators: tuple[Any, Any]
) -> None:
    async with product(database_url, *simulators, rates={"availability": ("3/minute",)}) as served:
        await served.here.page()
        async with ready(served) as first, ready(served) as second:
            await subscribe(first, LIVE, id="1", input=window(DAY))
            await subscribe(first, LIVE, id="2", input=window(DAY))
            await data(first)
            await data(first)
            await subscribe(second, LIVE, id="1", input=window(DAY))
            await data(second)
            await subscribe(second, LIVE, id="2", input=window(DAY))
            [error] = (await heard(second))["payload"]["errors"]
            assert error["extensions"]["code"] == "RATE_LIMITED"
            assert 0 < error["extensions"]["retryAfterSeconds"] <= 120


# ---- events ---------------------------------------------------------------------------------------------------------


async def test_live_availability_is_a_snapshot_then_whole_days_and_goes_on_after_a_cursor(
    served: Product, visitor: ApiClient
) -> None:
    await online(served)
    async with ready(served) as opened:
        await subscribe(opened, LIVE, input=window(DAY))
        snapshot = await data(opened)
        assert snapshot["__typename"] == "AvailabilitySnapshot"
        assert snapshot["availability"]["days"] == [{"date": DAY, "slotCount": 16}]
        assert (await visitor.ask(BOOK, input=book(at("10:00"))))["bookMeeting"]["errors"] == []
        delta = await data(opened)
        assert (delta["__typename"], delta["mode"]) == ("AvailabilityDelta", "ONLINE")
        assert delta["days"] == [{"date": DAY, "slotCount": 15}]
        assert delta["emptiedDates"] == []
    assert (await visitor.ask(BOOK, input=book(at("11:00"))))["bookMeeting"]["errors"] == []
    async with ready(served) as opened:
        await subscribe(opened, LIVE, input=window(DAY), after=delta["cursor"])
        missed = await data(opened)
        assert (missed["__typename"], missed["days"]) == ("AvailabilityDelta", [{"date": DAY, "slotCount": 14}])
        await subscribe(opened, LIVE, id="2", input=window(DAY), after="nonsense")
        assert (await data(opened))["__typename"] == "AvailabilitySnapshot"


async def test_a_query_and_a_subscription_after_its_cursor_leave_no_gap(served: Product, visitor: ApiClient) -> None:
    await online(served)
    question = "query($input: AvailabilityInput!) { availability(input: $input) { cursor } }"
    cursor = (await visitor.ask(question, input=window(DAY)))["availability"]["cursor"]
    assert (await visitor.ask(BOOK, input=book(at("10:00"))))["bookMeeting"]["errors"] == []
    async with ready(served) as opened:
        await subscribe(opened, LIVE, input=window(DAY), after=cursor)
        assert (await data(opened))["days"] == [{"date": DAY, "slotCount": 15}]


async def test_booking_events_come_in_order_and_go_on_after_a_cursor(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    async with ready(served, host.token) as opened:
        await subscribe(opened, BOOKINGS)
        await asyncio.sleep(0.3)  # from now on
        await visitor.ask(BOOK, input=book(at("10:00")))
        events = [await data(opened), await data(opened)]
        assert [event["type"] for event in events] == ["BOOKING_PENDING", "BOOKING_CONFIRMED"]
    await visitor.ask(BOOK, input=book(at("11:00")))
    async with ready(served, host.token) as opened:
        await subscribe(opened, BOOKINGS, after=events[0]["cursor"])
        later = [await data(opened) for _ in range(3)]
        assert [event["type"] for event in later] == ["BOOKING_CONFIRMED", "BOOKING_PENDING", "BOOKING_CONFIRMED"]
        assert later[0]["cursor"] == events[1]["cursor"]
        await subscribe(opened, BOOKINGS, id="2", after="nonsense")
        while (message := await heard(opened))["id"] != "2":
            pass
        assert message["payload"]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_connections_status_comes_at_once_and_after_every_change(served: Product, host: ApiClient) -> None:
    await connected(served)
    async with ready(served, host.token) as opened:
        await subscribe(opened, CONNECTION)
        assert (await data(opened))["status"] == "ACTIVE"
        await served.here.disconnect()
        assert await data(opened) == {"status": "DISCONNECTED", "needsAction": "SIGN_IN_AGAIN"}


@pytest.mark.parametrize("query", [BOOKINGS, CONNECTION])
async def test_signing_out_ends_what_was_being_listened_to(served: Product, host: ApiClient, query: str) -> None:
    await online(served)
    async with ready(served, host.token) as opened:
        await subscribe(opened, query)
        await asyncio.sleep(0.3)
        await host.ask("mutation { signOut { signedOut } }")
        async with asyncio.timeout(5):
            while "errors" not in (message := await heard(opened))["payload"]:
                pass
        assert message["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert (await heard(opened))["type"] == "complete"
        async with served.visitor() as visitor:
            await visitor.ask(BOOK, input=book(at("10:00")))
        with pytest.raises(TimeoutError):
            await heard(opened, seconds=1)
