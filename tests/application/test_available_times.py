"""Free times for mails, of hosts whose calendar is at each provider in turn (A-IN8, S98, B-EX3)."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from meetings.application.account_settings import switch_exchange_full_sync
from meetings.application.available_times import OfferedTimes, OfferTimes, available_times
from meetings.application.ports.reads import PagePointer
from meetings.domain.calendar_connection import Capability, CapabilityUnsupported, Provider
from tests.contracts.calendars.world import CalendarWorld
from tests.databases import Simulators, simulators
from tests.hosted import Hosted, hosted, place

__all__ = ["place", "simulators"]

PAGE_URL = "https://meet.example.com/meetings/anna/intro?from=<mail>&x=1"


@pytest.fixture
async def anna(sqlite_url: str, place: CalendarWorld, simulators: Simulators) -> AsyncIterator[Hosted]:
    """Anna at each provider in turn, connected."""
    async with hosted(sqlite_url, place, simulators) as started:
        await started.connect()
        yield started


def next_monday() -> date:
    today = datetime.now(UTC).date()
    return today + timedelta(days=7 - today.weekday())


async def offered(anna: Hosted, page: PagePointer, count: int = 4) -> OfferedTimes:
    here = anna.here
    first = next_monday()
    return await available_times(
        OfferTimes(page.page_id, first, first + timedelta(days=4), "Europe/Berlin", count),
        PAGE_URL,
        caller=here.caller,
        look=here.tools.look,
        links=here.tools.links,
        clock=here.clock,
        policy=here.tools.policy,
    )


async def test_a_mail_of_a_host_gets_times_where_the_provider_can_and_else_none_before_the_limit_is_lifted(
    anna: Hosted,
) -> None:
    """A-IN8; S98 and B-EX3 for Exchange."""
    here, page = anna.here, await anna.here.page()
    if anna.provider is Provider.EXCHANGE:
        with pytest.raises(CapabilityUnsupported) as refused:
            await offered(anna, page)
        assert refused.value.capability is Capability.CLICKABLE_TIMES
        await switch_exchange_full_sync(on=True, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    times = (await offered(anna, page)).times
    assert len({time.slot.start.date() for time in times}) == 4


async def test_what_stands_in_the_address_of_the_page_does_no_harm_in_a_mail(anna: Hosted) -> None:
    """IN-5."""
    here, page = anna.here, await anna.here.page()
    await switch_exchange_full_sync(on=True, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    found = await offered(anna, page, 1)
    assert "<mail>" not in found.html
    assert "&lt;mail&gt;&amp;x=1&amp;date=" in found.html
    assert "<mail>&x=1&date=" in found.text


async def test_an_event_of_the_hosts_own_is_left_out(anna: Hosted) -> None:
    """S3, in a mail as on the page."""
    here, page = anna.here, await anna.here.page()
    await switch_exchange_full_sync(on=True, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    first = (await offered(anna, page, 1)).times[0].slot
    anna.place.add_event(anna.place.primary, first.start, first.end)
    await here.sync()
    assert (await offered(anna, page, 1)).times[0].slot.start >= first.end
