"""Around the days on which clocks change, what is listed, booked, mailed and filed is one time."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from meetings.domain.page_settings import RollingWindow
from tests.api.documents import AVAILABILITY, BOOK, book, window
from tests.api.setting_up import online
from tests.product import ApiClient, Product

HOST_ZONE = ZoneInfo("Europe/Berlin")
VISITOR_ZONE = ZoneInfo("America/New_York")


def next_change(zone: ZoneInfo, *, summer: bool) -> date:
    """The next date, at least a week ahead, on which the zone's clock is put forward (`summer`) or back."""
    day = datetime.now(zone).date() + timedelta(days=7)
    while True:
        before, after = (datetime.combine(day + timedelta(days=n), time(0), zone).utcoffset() for n in (0, 1))
        if before != after and (after > before) is summer:  # type: ignore[operator]  # never None
            return day
        day += timedelta(days=1)


@pytest.mark.parametrize("summer", [True, False])
@pytest.mark.parametrize("zone", [HOST_ZONE, VISITOR_ZONE])
async def test_all_agree_on_the_first_morning_after_a_clock_change(
    served: Product, visitor: ApiClient, zone: ZoneInfo, summer: bool
) -> None:
    change = next_change(zone, summer=summer)
    day = change + timedelta(days=(7 - change.weekday()) % 7 or 7)  # the Monday after: pages open on weekdays
    await online(served, window=RollingWindow(366))
    wall = datetime.combine(day, time(15), HOST_ZONE)
    start = wall.astimezone(UTC).isoformat().replace("+00:00", "Z")

    asked = window(day.isoformat(), timeZone=VISITOR_ZONE.key)
    [listed] = (await visitor.ask(AVAILABILITY, input=asked))["availability"]["days"]
    assert start in [slot["start"] for slot in listed["slots"]]

    booked = (await visitor.ask(BOOK, input=book(start)))["bookMeeting"]
    assert booked["errors"] == []
    assert (booked["booking"]["start"], booked["booking"]["timeZone"]) == (start, VISITOR_ZONE.key)

    [event] = served.here.events("Grace")
    assert datetime.fromisoformat(event["start"]["dateTime"]) == wall
    assert event["start"]["timeZone"] == VISITOR_ZONE.key

    mail = await asyncio.to_thread(
        served.mail.wait_for, lambda caught: "grace@example.org" in caught.recipients, seconds=10
    )
    assert wall.astimezone(VISITOR_ZONE).strftime("%-I:%M") in mail.text
    assert mail.calendar
    [filed] = Calendar.from_ical(mail.calendar).walk("VEVENT")
    assert filed.decoded("DTSTART") == wall
