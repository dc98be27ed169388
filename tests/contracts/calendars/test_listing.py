"""Which calendars an account has (S57, A-CS1)."""

from meetings.application.ports.calendars import Calendars
from meetings.domain.calendar_connection import CalendarAccess
from tests.contracts.calendars.world import CalendarWorld


async def test_the_primary_calendar_comes_first_with_its_zone(world: CalendarWorld, calendars: Calendars) -> None:
    world.add_calendar("Choir")
    first, second = await calendars.list_calendars()
    assert (first.external_id, first.primary, first.access) == (world.primary, True, CalendarAccess.OWNER)
    assert first.time_zone == "Europe/Berlin"
    assert (second.name, second.primary) == ("Choir", False)


async def test_what_may_be_done_with_each_calendar_is_told(world: CalendarWorld, calendars: Calendars) -> None:
    wanted = {world.add_calendar(access.value, access): access for access in (CalendarAccess.OWNER, *world.shared)}
    listed = await calendars.list_calendars()
    assert {each.external_id: each.access for each in listed if each.external_id in wanted} == wanted


async def test_a_calendar_made_later_appears_at_the_next_read(world: CalendarWorld, calendars: Calendars) -> None:
    before = {each.external_id for each in await calendars.list_calendars()}
    made = world.add_calendar("Made later")
    after = {each.external_id for each in await calendars.list_calendars()}
    assert after - before == {made}


async def test_a_long_list_arrives_whole(world: CalendarWorld, calendars: Calendars) -> None:
    made = {world.add_calendar(f"Calendar {number}") for number in range(7)}
    world.small_pages(2)
    listed = [each.external_id for each in await calendars.list_calendars()]
    assert len(listed) == 8
    assert made < set(listed)


async def test_a_calendar_that_was_taken_away_is_not_listed(world: CalendarWorld, calendars: Calendars) -> None:
    lost = world.add_calendar("Team", CalendarAccess.READER)
    world.lose_access(lost)
    assert lost not in {each.external_id for each in await calendars.list_calendars()}
