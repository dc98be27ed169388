"""How often somebody may do something (AB-1): fields count, not requests, and whose they are, not how they come."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from limits.aio.storage import MemoryStorage

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.graphql.rate_limits import Limiter, TooOften, network_of
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.documents import BOOK, HOLD, MOVE, REQUEST, at, book, page, request, window, working_day
from tests.product import Product, TopLevelErrors, product
from tests.world import HOST_EMAIL, PASSWORD

DAY = working_day().date().isoformat()
FEW = {
    "availability": ("4/minute",),
    "hold": ("2/minute",),
    "booking": ("4/minute", "1000/hour"),
    "booking_per_invitee": ("2/hour",),
    "sign_in": ("3/minute",),
}
ASK = "query($input: AvailabilityInput!) { availability(input: $input) { mode } }"
SIGN_IN = (
    "mutation($e: String!, $p: String!) "
    "{ signIn(email: $e, password: $p) { token errors { code ... on LimitError { limit retryAfter } } } }"
)


@pytest.fixture
async def few(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[Product]:
    async with product(database_url, *simulators, rates=FEW) as served:
        yield served


async def test_asking_for_times_counts_fields_over_aliases_and_connections(few: Product) -> None:
    await few.here.page()
    three = (
        "query($input: AvailabilityInput!) { a: availability(input: $input) { mode } "
        "b: availability(input: $input) { mode } c: availability(input: $input) { mode } }"
    )
    async with few.visitor() as first, few.visitor(**{"User-Agent": "another"}) as second:
        assert set(await first.ask(three, input=window(DAY))) == {"a", "b", "c"}
        await second.ask(ASK, input=window(DAY))
        with pytest.raises(TopLevelErrors) as refused:
            await second.ask(ASK, input=window(DAY))
        [error] = refused.value.errors
        assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("RATE_LIMITED", 4)
        assert 0 < error["extensions"]["retryAfterSeconds"] <= 120
        assert error["path"] == ["availability"]


async def test_booking_asking_and_moving_share_a_limit_per_address(few: Product) -> None:
    async with few.visitor() as visitor:
        for number in range(3):
            wish = book(at("10:00"), invitee=_invitee(number))
            assert _codes(await visitor.ask(BOOK, input=wish)) == ["PAGE_NOT_FOUND"]
        assert _codes(await visitor.ask(REQUEST, input=request(at("10:00"), invitee=_invitee(4)))) == ["PAGE_NOT_FOUND"]
        for document, variables in (
            (BOOK, {"input": book(at("10:00"), invitee=_invitee(5))}),
            (REQUEST, {"input": request(at("10:00"), invitee=_invitee(6))}),
            (MOVE, {"booking": {"token": "x"}, "start": at("10:00"), "key": "k"}),
        ):
            [payload] = (await visitor.ask(document, **variables)).values()
            [error] = payload["errors"]
            assert (error["__typename"], error["code"], error["limit"]) == ("LimitError", "RATE_LIMITED", 4)
            assert error["retryAfter"].startswith("PT")


async def test_an_invitees_address_is_limited_per_page(few: Product) -> None:
    await few.here.page()
    await few.here.page("anna/other")
    async with few.visitor() as visitor:
        for address in ("grace@example.org", " GRACE@example.org "):
            wish = request(at("10:00"), invitee=_invitee(0) | {"email": address})
            assert _codes(await visitor.ask(REQUEST, input=wish)) == []
        limited = (await visitor.ask(REQUEST, input=request(at("10:00"))))["requestMeeting"]
        assert [(error["code"], error["limit"]) for error in limited["errors"]] == [("RATE_LIMITED", 2)]
        elsewhere = request(at("10:00"), page=page("anna/other"))
        assert _codes(await visitor.ask(REQUEST, input=elsewhere)) == []


async def test_holding_and_signing_in_are_limited(few: Product) -> None:
    async with few.visitor() as visitor:
        wish = {"page": page(), "start": at("10:00")}
        codes = [_codes(await visitor.ask(HOLD, input=wish)) for _ in range(3)]
        assert codes == [["PAGE_NOT_FOUND"], ["PAGE_NOT_FOUND"], ["RATE_LIMITED"]]
        tries = [_codes(await visitor.ask(SIGN_IN, e=HOST_EMAIL, p="wrong")) for _ in range(3)]
        assert tries == [["CREDENTIALS_REJECTED"]] * 3
        assert _codes(await visitor.ask(SIGN_IN, e=HOST_EMAIL, p=PASSWORD)) == ["RATE_LIMITED"]
        assert _codes(await visitor.ask(SIGN_IN, e="other@example.com", p="wrong")) == ["RATE_LIMITED"]


def _invitee(number: int) -> dict[str, str]:
    return {"firstName": "Grace", "lastName": "Hopper", "email": f"grace{number or ''}@example.org"}


def _codes(data: dict[str, Any]) -> list[str]:
    [payload] = data.values()
    return [error["code"] for error in payload["errors"]]


# ---- counting -----------------------------------------------------------------------------------------------------


async def test_many_at_once_get_no_more_than_one_after_the_other() -> None:
    limiter = Limiter(MemoryStorage())
    results = await asyncio.gather(
        *(limiter.take(("10/minute",), "x", "somebody") for _ in range(50)), return_exceptions=True
    )
    assert sum(result is None for result in results) == 10
    assert {type(result) for result in results} == {type(None), TooOften}
    await limiter.take(("10/minute",), "x", "somebody else")
    await limiter.take(("10/minute",), "y", "somebody")


async def test_whoever_waits_as_long_as_told_is_let_through_again() -> None:
    limiter = Limiter(MemoryStorage())
    for _ in range(4):
        await limiter.take(("4/second",), "x", "somebody")
    with pytest.raises(TooOften) as refused:
        await limiter.take(("4/second",), "x", "somebody")
    assert 1 <= refused.value.retry_after <= 2
    await asyncio.sleep(refused.value.retry_after)
    await limiter.take(("4/second",), "x", "somebody")


async def test_without_its_storage_a_process_counts_alone_at_half_the_rate() -> None:
    class Broken(MemoryStorage):
        async def acquire_sliding_window_entry(self, *_: Any, **__: Any) -> bool:
            raise ConnectionError("away")

    limiter = Limiter(Broken())
    for _ in range(5):
        await limiter.take(("10/minute",), "x", "somebody")
    with pytest.raises(TooOften) as refused:
        await limiter.take(("10/minute",), "x", "somebody")
    assert (refused.value.limit, 0 < refused.value.retry_after <= 120) == (5, True)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_network_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
