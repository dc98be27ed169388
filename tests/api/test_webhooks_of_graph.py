"""Microsoft Graph calls the served product: handshake, changes, the three life-cycle notices (SY-1, SY-4, SY-5)."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from meetings.adapters.office365.simulator import CLIENT_ID, CLIENT_SECRET, Office365Simulator
from meetings.adapters.office365.simulator.subscriptions import Subscription
from tests.contracts.calendars.office365_world import Office365World, office365_world
from tests.databases import Simulators
from tests.hosted import Hosted, now, settings_of
from tests.product import Product, product, until

SECRET = "x" * 32


@dataclass
class Watched:
    """A served product whose host's calendar Graph watches, and which is read when it is told to, and hours later."""

    running: Product
    place: Office365World

    @property
    def office(self) -> Office365Simulator:
        return self.place.office

    @property
    def subscription(self) -> Subscription:
        (only,) = self.office.push.open.values()
        return only

    def reads(self) -> int:
        return len([call for call in self.office.calls if "calendarView/delta" in call.path])

    async def settled_reads(self) -> int:
        """How many reads there were, once no more come."""
        seen: list[int] = []

        def quiet() -> bool:
            seen.append(self.reads())
            return len(seen) > 25 and len(set(seen[-25:])) == 1

        await until("no more reads", quiet)
        return self.reads()

    async def is_read_after(self, cause: Callable[[], object]) -> None:
        before = await self.settled_reads()
        cause()
        await until("the calendar to be read", lambda: self.reads() > before)


@pytest.fixture
async def watched(database_url: str, simulators: Simulators) -> AsyncIterator[Watched]:
    hours = {"poll_with_push": "PT8H", "poll_without_push": "PT8H"}
    with office365_world(clock=now) as place:
        async with product(database_url, *simulators, policy=hours, **settings_of(place)) as running:
            place.office.register_client(
                CLIENT_ID, CLIENT_SECRET, (running.here.tools.links.oauth_callback("OFFICE365"),)
            )
            await Hosted(running.here, place).connect()
            found = Watched(running, place)
            await until("the subscription to be opened", lambda: bool(place.office.push.open) or None)
            yield found


async def test_the_product_proves_itself_and_is_told_of_changes(watched: Watched) -> None:
    start = now() + timedelta(days=2)
    await watched.is_read_after(
        lambda: watched.place.add_event(watched.place.primary, start, start + timedelta(minutes=30))
    )
    assert watched.subscription.expires_at - now() > timedelta(days=2)


async def test_missed_notices_have_the_calendar_read(watched: Watched) -> None:
    await watched.is_read_after(lambda: watched.office.push.miss(watched.subscription.id))


async def _is_replaced(watched: Watched, ending: Callable[[str], object]) -> None:
    await until("one subscription alone", lambda: len(watched.office.push.open) == 1 or None)
    old = watched.subscription.id
    await watched.is_read_after(lambda: ending(old))
    await until("another subscription", lambda: set(watched.office.push.open) - {old} or None)
    await until("the old one to be gone", lambda: old not in watched.office.push.open or None)
    start = now() + timedelta(days=3)
    await watched.is_read_after(
        lambda: watched.place.add_event(watched.place.primary, start, start + timedelta(minutes=30))
    )


async def test_a_subscription_that_wants_a_new_authorization_is_replaced(watched: Watched) -> None:
    await _is_replaced(watched, watched.office.push.require_reauthorization)


async def test_a_subscription_that_was_removed_is_replaced(watched: Watched) -> None:
    await _is_replaced(watched, watched.office.push.remove)


@pytest.mark.parametrize("life_cycle", [None, "missed", "reauthorizationRequired", "subscriptionRemoved"])
async def test_a_forged_notice_makes_no_work(watched: Watched, life_cycle: str | None) -> None:
    before = await watched.settled_reads()
    known = watched.subscription
    value = {"subscriptionId": known.id, "clientState": SECRET, "resource": "me/events", "changeType": "updated"}
    if life_cycle is not None:
        value["lifecycleEvent"] = life_cycle
    async with watched.running.visitor() as somebody:
        answer = await somebody.http.post(_path(known.url), json={"value": [value]})
    assert answer.status_code == 404
    assert await watched.settled_reads() == before
    assert list(watched.office.push.open) == [known.id]


async def test_the_text_of_the_handshake_comes_back_as_plain_text_and_never_as_a_page(watched: Watched) -> None:
    script = "<script>alert(1)</script>"
    async with watched.running.visitor() as somebody:
        answer = await somebody.http.post("/webhooks/office365", params={"validationToken": script})
        too_long = await somebody.http.post("/webhooks/office365", params={"validationToken": "x" * 5000})
    assert (answer.status_code, answer.text) == (200, script)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert too_long.status_code == 404


def _path(address: str) -> str:
    return "/webhooks" + address.partition("/webhooks")[2]
