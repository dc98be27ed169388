"""The pages this server shows itself: the manage page, its calendar file, the scheduling page."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import Booking, BookingState
from meetings.domain.page_settings import LocationKind, MeetingLocation
from meetings.domain.period import Period
from tests.product import ApiClient, Product, until
from tests.world import HOST_EMAIL


def next_monday() -> datetime:
    day = datetime.now(UTC) + timedelta(days=7)
    day += timedelta(days=(7 - day.weekday()) % 7)
    return day.replace(hour=9, minute=0, second=0, microsecond=0)


@pytest.fixture
async def connected(served: Product) -> Product:
    """The product, with Anna's calendar connected."""
    await served.connect()
    return served


async def book(product: Product, page: PagePointer | None = None, **form: Any) -> tuple[Booking, str]:
    """A confirmed booking, and the path of its manage page."""
    page = page or await product.here.page()
    booking = await product.here.book(page, next_monday(), **form)
    assert booking.state is BookingState.CONFIRMED
    return booking, f"/b/{product.here.tools.links.manage_token(booking.id)}"


# ---- the manage page ----------------------------------------------------------------------------------------------


async def test_the_manage_page_says_what_was_booked_and_when_in_the_invitees_zone(
    connected: Product, visitor: ApiClient
) -> None:
    booking, path = await book(connected, time_zone="America/New_York")
    shown = await visitor.http.get(path)
    assert shown.status_code == 200
    assert booking.title in shown.text
    assert "America/New_York" in shown.text
    assert "This meeting is confirmed." in shown.text
    assert f'href="{path.removeprefix("/b/")}.ics"' in shown.text
    assert "<script" not in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["x-robots-tag"] == "noindex"
    assert "form-action 'self'" in shown.headers["content-security-policy"]


async def test_it_speaks_the_language_the_meeting_was_booked_in(connected: Product, visitor: ApiClient) -> None:
    _, path = await book(connected, locale="de-DE", time_zone="Europe/Berlin")
    shown = (await visitor.http.get(path)).text
    assert '<html lang="de">' in shown
    assert "Dieser Termin ist bestätigt." in shown
    assert "Montag, " in shown


async def test_following_the_link_changes_nothing(connected: Product, visitor: ApiClient) -> None:
    booking, path = await book(connected)
    for method in ("GET", "HEAD", "OPTIONS"):
        for address in (path, f"{path}/cancel", f"{path}.ics"):
            await visitor.http.request(method, address)
    assert (await connected.here.booking(booking.id)).state is BookingState.CONFIRMED
    assert len(connected.here.events()) == 1


async def test_the_form_cancels_without_a_script(connected: Product, visitor: ApiClient) -> None:
    booking, path = await book(connected)
    answer = await visitor.http.post(f"{path}/cancel", data={"reason": "ill\r\nsorry"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{connected.url}{path}")
    cancelled = await connected.here.booking(booking.id)
    assert cancelled.state is BookingState.CANCELLED
    assert cancelled.cancellation is not None
    assert (cancelled.cancellation.by.value, cancelled.cancellation.reason) == ("INVITEE", "ill\nsorry")
    await until("the event to go", lambda: connected.here.events() == [] or None)
    shown = (await visitor.http.get(path)).text
    assert "This meeting was cancelled." in shown
    assert "<form" not in shown
    assert (await visitor.http.post(f"{path}/cancel")).status_code == 303


async def test_too_late_is_said_and_nothing_is_cancelled(connected: Product, visitor: ApiClient) -> None:
    page = await connected.here.page(cancellation_notice=Period(days=30))
    booking, path = await book(connected, page)
    assert "<form" not in (await visitor.http.get(path)).text
    answer = await visitor.http.post(f"{path}/cancel")
    assert answer.status_code == 409
    assert "too late to cancel" in answer.text
    assert (await connected.here.booking(booking.id)).state is BookingState.CONFIRMED


async def test_a_reason_with_control_characters_is_refused(connected: Product, visitor: ApiClient) -> None:
    booking, path = await book(connected)
    assert (await visitor.http.post(f"{path}/cancel", data={"reason": "a\x00b"})).status_code == 409
    assert (await visitor.http.post(f"{path}/cancel", data={"reason": "x" * 2_001})).status_code == 422
    assert (await connected.here.booking(booking.id)).state is BookingState.CONFIRMED


async def test_any_other_token_finds_the_same_nothing(connected: Product, visitor: ApiClient) -> None:
    _, path = await book(connected)
    wrong = [
        f"{path[:-1]}{'A' if path[-1] != 'A' else 'B'}",
        "/b/x",
        "/b/" + "A" * 46,
        f"{path}A",
        path.swapcase().replace("/B/", "/b/"),
    ]
    pages = {(await visitor.http.get(address)).text for address in wrong}
    assert len(pages) == 1
    for address in wrong:
        assert (await visitor.http.get(address)).status_code == 404
        assert (await visitor.http.get(f"{address}.ics")).status_code == 404
        assert (await visitor.http.post(f"{address}/cancel")).status_code == 404
    assert len(connected.here.events()) == 1


async def test_what_strangers_wrote_is_text_on_the_page(connected: Product, visitor: ApiClient) -> None:
    _, path = await book(connected, first_name='<img src=x onerror="alert(1)">', last_name="'\"{{7*7}}")
    shown = (await visitor.http.get(path)).text
    assert "<img" not in shown
    assert "&lt;img" in shown
    assert "49" not in shown.partition("<h1>")[2].partition("</h1>")[0]


# ---- the calendar file --------------------------------------------------------------------------------------------


def event_in(file: bytes | None) -> Any:
    """The one event of a calendar file."""
    (event,) = Calendar.from_ical(file or b"").walk("VEVENT")
    return event


async def test_the_calendar_file_is_the_one_of_the_mail(connected: Product, visitor: ApiClient) -> None:
    booking, path = await book(connected)
    answer = await visitor.http.get(f"{path}.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert "attachment" in answer.headers["content-disposition"]
    mail = await until(
        "the mail to arrive",
        lambda: next((mail for mail in connected.mail.mails if mail.recipients == ("grace@example.org",)), None),
    )
    downloaded, sent = event_in(answer.content), event_in(mail.calendar)
    for name in ("UID", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "ORGANIZER", "URL"):
        assert downloaded[name] == sent[name], name
    assert downloaded["DTSTART"].dt == booking.start


async def test_the_calendar_file_of_a_cancelled_meeting_takes_it_back(connected: Product, visitor: ApiClient) -> None:
    _, path = await book(connected)
    await visitor.http.post(f"{path}/cancel")
    answer = await visitor.http.get(f"{path}.ics")
    event = event_in(answer.content)
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 1)
    assert "method=CANCEL" in answer.headers["content-type"]


# ---- the scheduling page ------------------------------------------------------------------------------------------


async def test_the_scheduling_page_shows_free_times_without_scripts(connected: Product, visitor: ApiClient) -> None:
    page = await connected.here.page(description="We talk about <b>plans</b>.")
    shown = (await visitor.http.get("/p/anna/intro")).text
    assert "<h1>Meet Anna</h1>" in shown
    assert "30 minutes with Anna Albers" in shown
    assert "&lt;b&gt;plans&lt;/b&gt;" in shown
    assert "All times in Europe/Berlin" in shown
    assert "<script" not in shown
    assert HOST_EMAIL not in shown
    free = re.findall(r'<time datetime="([^"]+)"', shown)
    await connected.here.book(page, datetime.fromisoformat(free[1]))
    shown = (await visitor.http.get("/p/anna/intro")).text
    assert re.findall(r'<time datetime="([^"]+)"', shown) == [free[0], *free[2:]]


async def test_a_page_without_a_calendar_says_that_times_are_proposed(served: Product, visitor: ApiClient) -> None:
    location = MeetingLocation(LocationKind.PHONE_HOST_CALLS)
    await served.here.page("anna/de", locale="de-DE", location=location)
    shown = (await visitor.http.get("/p/anna/de")).text
    assert "Zeiten lassen sich vorschlagen" in shown
    assert '<html lang="de">' in shown


@pytest.mark.parametrize("slug", ["nobody", "anna", "anna/intro/more", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5_000])
async def test_an_unknown_page_is_not_found(visitor: ApiClient, slug: str) -> None:
    answer = await visitor.http.get(f"/p/{slug}")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
