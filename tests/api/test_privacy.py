"""Telling and forgetting people from outside, through the API."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from tests.api.privacy_documents import ERASE, EXPORT
from tests.api.refusals import every_code_of
from tests.product import ApiClient, Product, until
from tests.world import HOST_EMAIL

GRACE = "grace@example.org"
RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py


async def test_a_person_is_told_and_forgotten(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await a_request_of_graces(served)
    answer = (await host.ask(EXPORT, email=GRACE))["exportPerson"]
    assert answer["errors"] == []
    assert datetime.fromisoformat(answer["export"]["expiresAt"]) > datetime.now(UTC)
    fetched = await visitor.http.get(answer["export"]["url"])
    assert fetched.headers["Content-Disposition"].startswith("attachment")
    assert fetched.headers["Cache-Control"] == "no-store"
    assert [booking["as"] for booking in fetched.json()["bookings"]] == ["INVITEE"]
    assert (await visitor.http.get(f"{answer['export']['url']}x")).status_code == 404
    done = (await host.ask(ERASE, email="nobody@example.org"))["erasePerson"]
    assert done == {"erasedEmail": "nobody@example.org", "errors": []}


async def test_who_cannot_be_erased_is_refused_with_a_reason(served: Product, host: ApiClient) -> None:
    await a_request_of_graces(served)
    async with every_code_of(served, "erasePerson", elsewhere=[RACES]) as refused:
        await refused.one(host, ERASE, "UPCOMING_MEETINGS", ["email"], email=GRACE.upper())
        await refused.one(host, ERASE, "VALIDATION", ["email"], email=HOST_EMAIL)
        await refused.one(host, ERASE, "EMAIL_INVALID", ["email"], email="nobody")
        await _as_member(served, lambda cleo: refused.one(cleo, ERASE, "PERMISSION_MISSING", email=GRACE))


async def test_of_whom_nothing_can_be_told_is_refused_with_a_reason(served: Product, host: ApiClient) -> None:
    async with every_code_of(served, "exportPerson", elsewhere=[RACES]) as refused:
        await refused.one(host, EXPORT, "EMAIL_INVALID", ["email"], email="nobody")
        await refused.one(host, EXPORT, "VALIDATION", ["email"], email=" ")
        await _as_member(served, lambda cleo: refused.one(cleo, EXPORT, "PERMISSION_MISSING", email=GRACE))


async def a_request_of_graces(served: Product) -> None:
    """She asked for a meeting, and workers have done what follows."""
    await served.here.request(await served.here.page(), next_monday())

    async def all_done() -> bool:
        return not await served.here.unfinished()

    await until("the workers to be done", all_done)


def next_monday() -> datetime:
    """A morning in Berlin at which Anna's page can be booked."""
    today = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())


async def _as_member(served: Product, what: Callable[[ApiClient], Awaitable[object]]) -> None:
    await served.here.add_colleague("Cleo", "cleo@example.com")
    async with ApiClient(served.url) as cleo:
        await cleo.sign_in("cleo@example.com")
        await what(cleo)
