"""Why a day offers what it offers (A-AV8)."""

from datetime import date, timedelta

from meetings.application.explain_day import Explanation, explain_day
from meetings.application.ports.reads import PagePointer
from tests.world import HOST_EMAIL, World, berlin

MONDAY = date(2035, 12, 3)


async def explained(here: World, page: PagePointer) -> list[Explanation]:
    return await explain_day(
        page.page_id,
        MONDAY,
        None,
        caller=here.caller,
        look=here.tools.look,
        clock=here.clock,
        policy=here.tools.policy,
    )


async def test_a_busy_time_is_told_with_the_name_of_its_calendar(here: World) -> None:
    here.google.add_event(HOST_EMAIL, "Secret", berlin("2035-12-03 10:00"), berlin("2035-12-03 11:00"))
    await here.connect()
    [busy] = [found for found in await explained(here, await here.page()) if found.reason == "BUSY"]
    assert (busy.start, busy.end) == (berlin("2035-12-03 09:31"), berlin("2035-12-03 11:00"))
    assert busy.source == (await here.connection()).calendars[0].name
    assert busy.host == "Anna Albers"
    assert "Secret" not in str(busy)


async def test_a_booking_is_told_as_one(here: World) -> None:
    await here.connect()
    page = await here.page()
    await here.book(page, berlin("2035-12-03 10:00"))
    [busy] = [found for found in await explained(here, page) if found.reason == "BUSY"]
    assert (busy.end - busy.start, busy.source) == (timedelta(minutes=59), "booking")
