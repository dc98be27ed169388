"""Which meetings end a sequence (A-IN4, A-IN5): those with whoever enrolled the contact, however they came about."""

from datetime import timedelta

import pytest

from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import BookingState
from meetings.domain.enrollment import EnrollmentState
from meetings.domain.user import User
from tests.mail.sequenced import Sequenced
from tests.mailed import VERA, Mailed
from tests.world import HOST_EMAIL

BEN_EMAIL = "ben@example.com"
TOMORROW_AT_ONE = timedelta(days=1, hours=2, minutes=30)
"""After Monday morning: within everybody's hours."""


async def with_ben(ada: Mailed) -> User:
    """Anna's and Ben's calendars are connected."""
    here = ada.here
    ben = await here.add_colleague("Ben", BEN_EMAIL)
    here.google.add_account(BEN_EMAIL, "Ben Bauer", time_zone="Europe/Berlin")
    await here.connect()
    await here.connect(email=BEN_EMAIL, user=ben)
    return ben


async def booked(ada: Mailed, page: PagePointer, email: str = VERA) -> None:
    """Somebody books by the page's plain address."""
    booking = await ada.here.book(page, ada.clock.now + TOMORROW_AT_ONE, email=email)
    assert booking.state is BookingState.CONFIRMED
    await ada.settle_down()


async def test_a_booking_with_the_enroller_by_any_page_of_theirs_ends_it(ada: Mailed) -> None:
    """A-IN5: also without the link of the mail, in whatever letter case the address is typed."""
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    await with_ben(ada)
    await booked(ada, await ada.here.page(), VERA.upper())
    ended = await here.enrollment(enrollment)
    assert (ended.state, ended.next_send_at) == (EnrollmentState.ENDED_BY_BOOKING, None)
    await here.wait(days=7)
    assert ada.delivered() == []


async def test_a_booking_of_somebody_else_or_with_a_colleague_does_not(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    ben = await with_ben(ada)
    await booked(ada, await ada.here.page(), "willi@elsewhere.example")
    await booked(ada, await ada.here.page("ben/intro", owner=ben))
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ACTIVE


async def test_a_meeting_that_is_asked_for_while_no_calendar_is_connected_ends_it(ada: Mailed) -> None:
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    await ada.here.request(await ada.here.page(), ada.clock.now + TOMORROW_AT_ONE, email=VERA)
    await ada.settle_down()
    assert (await here.enrollment(enrollment)).state is EnrollmentState.ENDED_BY_BOOKING


@pytest.mark.parametrize(
    ("organizer", "becomes"), [(HOST_EMAIL, EnrollmentState.ENDED_BY_BOOKING), (BEN_EMAIL, EnrollmentState.ACTIVE)]
)
async def test_an_event_in_the_calendar_of_the_enroller_ends_it_and_one_in_a_colleagues_does_not(
    ada: Mailed, organizer: str, becomes: EnrollmentState
) -> None:
    """A-IN4: once it is on the contact's record."""
    here = await Sequenced.begin(ada)
    enrollment = await here.enroll()
    ben = await with_ben(ada)
    start = ada.clock.now + TOMORROW_AT_ONE
    ada.here.google.add_event(
        organizer, "Lunch", start, start + timedelta(hours=1), attendees=[{"email": VERA}, {"email": organizer}]
    )
    for user in (ada.here.anna, ben):
        for calendar in (await ada.here.connection(user)).selected_calendars:
            await ada.here.tools.schedule.request(calendar.id)
    await ada.here.settle_down()
    found = await (await ada.crm()).timeline(ada.vera.id, first=10, after=None)
    assert [getattr(entry, "title", None) for entry in found.items] == ["Lunch"]
    assert (await here.enrollment(enrollment)).state is becomes
