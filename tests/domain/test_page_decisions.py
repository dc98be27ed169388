"""What a page offers and what it accepts: one function decides both."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.availability import BusyKind, BusySpan, HostTime, Reason
from meetings.domain.availability_rules import AvailabilityRules, DateOverride, WallRange, WeeklyHours
from meetings.domain.base import ProblemCode, Rule
from meetings.domain.booking import (
    Booking,
    BookingChannel,
    BookingSource,
    BookingState,
    MeetingRequested,
    SlotReserved,
    UtmTag,
)
from meetings.domain.booking_form import Answer, ConsentOption, FieldKind, FormField, GivenConsent, GuestPolicy
from meetings.domain.page_settings import FixedWindow, RollingWindow
from meetings.domain.period import Period
from meetings.domain.scheduling_page import (
    BookingForm,
    CalendarUnverified,
    PageHost,
    PageType,
    SchedulingPage,
    SlotTaken,
    SlotUnavailable,
    surroundings,
)
from meetings.domain.timespan import TimeSpan, at_minute, floor_minute
from tests.builders import NOW, START, a_form, a_page, booking_id, calendar_id, time_of, user_id, weekday_hours
from tests.domain.problems import refused
from tests.domain.random_pages import Scene, scenes

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY, FRIDAY = date(2026, 11, 3), date(2026, 11, 6)
CALENDAR = calendar_id()


def berlin(clock: str, day: date = TUESDAY) -> datetime:
    """`berlin("10:30")`: that time in Berlin, on the day after `NOW`."""
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=BERLIN).astimezone(UTC)


def span(start: str, end: str, day: date = TUESDAY) -> tuple[int, int]:
    return floor_minute(berlin(start, day)), floor_minute(berlin(end, day))


def times(
    page: SchedulingPage, *busy: tuple[int, int], day: date = TUESDAY, minutes: int = 30, **given: Any
) -> list[str]:
    """The starts offered on a day, by Berlin's clock."""
    hosts = given.pop("hosts", None) or [time_of(host.user_id, *busy) for host in page.hosts]
    midnight = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    asked = TimeSpan(midnight, midnight + timedelta(days=1))
    known: dict[str, Any] = {"meetings": [], "now": NOW}
    starts = page.open_starts(asked, minutes, hosts=hosts, **(known | given))
    return [at_minute(start).astimezone(BERLIN).strftime("%H:%M") for start in starts]


def reserve(page: SchedulingPage, start: datetime, *busy: BusySpan | tuple[int, int], **given: Any) -> Booking:
    values: dict[str, Any] = {
        "hosts": [time_of(host.user_id, *busy) for host in page.hosts],
        "meetings": [],
        "host_name": "Anna Host",
        "calendar_id": CALENDAR,
        "now": NOW,
    }
    form = given.pop("form", None) or a_form()
    return page.reserve(booking_id(), start, form, **(values | given))


def unavailable(page: SchedulingPage, start: datetime, **given: Any) -> SlotUnavailable:
    with pytest.raises(SlotUnavailable) as refusal:
        reserve(page, start, **given)
    return refusal.value


def taken(page: SchedulingPage, start: datetime, *busy: BusySpan | tuple[int, int], **given: Any) -> SlotTaken:
    with pytest.raises(SlotTaken) as refusal:
        reserve(page, start, *busy, **given)
    return refusal.value


def morning(**given: Any) -> SchedulingPage:
    """A page that is open from nine to eleven, without notice."""
    hours = weekday_hours(end=11 * 60)
    values: dict[str, Any] = {"availability": hours, "minimum_notice": Period()}
    return a_page(**(values | given))


def clocks(spans: Sequence[TimeSpan]) -> list[str]:
    return [each.start.astimezone(BERLIN).strftime("%a %H:%M") for each in spans]


# ---- what is offered (A-SP4 to A-SP9, B-SP1, B-SP2) ---------------------------------------------------------------


def test_starts_follow_the_increment_from_the_beginning_of_the_hours() -> None:
    assert times(morning(start_increment_minutes=15)) == [
        *["09:00", "09:15", "09:30", "09:45"],
        *["10:00", "10:15", "10:30"],
    ]


def test_without_an_increment_one_meeting_may_begin_where_another_could_end() -> None:
    assert times(morning(start_increment_minutes=None)) == ["09:00", "09:30", "10:00", "10:30"]
    assert times(morning(start_increment_minutes=None, durations_minutes=(60,)), minutes=60) == ["09:00", "10:00"]


def test_each_duration_has_its_own_slots() -> None:
    page = morning(durations_minutes=(15, 30, 60), start_increment_minutes=None)
    assert times(page, minutes=15)[-1] == "10:45"
    assert times(page, minutes=30)[-1] == "10:30"
    assert times(page, minutes=60) == ["09:00", "10:00"]


def test_no_slot_begins_before_the_notice_has_passed() -> None:
    page = a_page(minimum_notice=Period(minutes=240))
    nine = berlin("09:00")
    assert times(page, now=nine)[0] == "13:00"
    assert unavailable(page, berlin("12:30"), now=nine).reason is Reason.MINIMUM_NOTICE
    assert reserve(page, berlin("13:00"), now=nine).start == berlin("13:00")
    assert unavailable(page, berlin("13:00"), now=nine + timedelta(seconds=1)).reason is Reason.MINIMUM_NOTICE


def test_a_notice_of_days_is_counted_on_the_wall_clock() -> None:
    page = a_page(availability=weekday_hours(days=range(7)), minimum_notice=Period(days=1))
    saturday, sunday = date(2026, 3, 28), date(2026, 3, 29)  # the clock goes forward in between
    assert times(page, day=sunday, now=berlin("10:00", saturday))[0] == "10:00"
    day_in_minutes = a_page(availability=page.settings.availability, minimum_notice=Period(minutes=1440))
    assert times(day_in_minutes, day=sunday, now=berlin("10:00", saturday))[0] == "11:00"


def test_buffers_keep_meetings_apart_on_both_sides() -> None:
    page = a_page(buffer_before_minutes=30, buffer_after_minutes=30, start_increment_minutes=15)
    event = span("13:00", "13:30")
    around = [clock for clock in times(page, event) if "11:45" <= clock <= "14:15"]
    assert around == ["11:45", "12:00", "14:00", "14:15"]


@pytest.mark.parametrize(
    ("buffers", "first_after", "last_before"),
    [({"buffer_before_minutes": 15}, "13:45", "12:30"), ({"buffer_after_minutes": 15}, "13:30", "12:15")],
)
def test_a_buffer_before_keeps_off_what_was_and_one_after_what_comes(
    buffers: dict[str, Any], first_after: str, last_before: str
) -> None:
    offered = times(a_page(start_increment_minutes=15, **buffers), span("13:00", "13:30"))
    assert (min(clock for clock in offered if clock > "13:00"), max(clock for clock in offered if clock < "13:00")) == (
        first_after,
        last_before,
    )


def test_an_event_takes_exactly_its_own_time() -> None:
    offered = times(morning(start_increment_minutes=None), span("09:30", "10:00"))
    assert offered == ["09:00", "10:00", "10:30"]


def test_a_rolling_window_ends_with_its_last_day() -> None:
    page = a_page(window=RollingWindow(4), minimum_notice=Period())
    assert times(page, day=FRIDAY) != []
    assert times(page, day=FRIDAY + timedelta(days=3)) == []
    assert unavailable(page, berlin("10:00", FRIDAY + timedelta(days=3))).reason is Reason.BOOKING_WINDOW


def test_a_fixed_window_has_its_first_and_last_day_included() -> None:
    page = a_page(window=FixedWindow(TUESDAY + timedelta(days=1), FRIDAY), minimum_notice=Period())
    assert [times(page, day=TUESDAY + timedelta(days=each)) != [] for each in range(5)] == [
        *[False, True, True],
        *[True, False],
    ]


def test_a_window_that_is_over_offers_nothing_and_says_so() -> None:
    page = a_page(window=FixedWindow(date(2026, 10, 1), date(2026, 10, 31)))
    assert times(page) == []
    refusal = unavailable(page, START)
    assert (refusal.reason, refusal.alternatives) == (Reason.BOOKING_WINDOW, ())


def test_a_closed_date_has_no_slots_and_its_neighbours_do() -> None:
    hours = AvailabilityRules(
        "Europe/Berlin",
        (WeeklyHours((0, 1, 2, 3, 4), WallRange(540, 660)),),
        (DateOverride(TUESDAY, ()), DateOverride(FRIDAY, (WallRange(600, 660),))),
    )
    page = morning(availability=hours, start_increment_minutes=None)
    assert times(page) == []
    assert times(page, day=TUESDAY + timedelta(days=1)) == ["09:00", "09:30", "10:00", "10:30"]
    assert times(page, day=FRIDAY) == ["10:00", "10:30"]
    assert unavailable(page, berlin("10:00")).reason is Reason.DATE_OVERRIDE


def test_a_full_day_or_week_takes_no_more_meetings() -> None:
    two = [floor_minute(berlin("09:00")), floor_minute(berlin("16:00"))]
    day, week = a_page(max_per_day=2), a_page(max_per_week=2)
    assert times(day, meetings=two) == []
    assert times(day, meetings=two[:1]) != []
    assert unavailable(day, berlin("11:00"), meetings=two).reason is Reason.DAILY_LIMIT
    assert times(day, day=FRIDAY, meetings=two) != []
    assert times(week, day=FRIDAY, meetings=two) == []
    assert unavailable(week, berlin("11:00", FRIDAY), meetings=two).reason is Reason.WEEKLY_LIMIT
    assert times(week, day=FRIDAY + timedelta(days=3), meetings=two) != []


def test_a_group_needs_all_its_hosts_and_a_round_robin_one() -> None:
    page = morning(start_increment_minutes=None)
    anna, bert = user_id(), user_id()
    page.hosts = (PageHost(anna), PageHost(bert))
    hosts = [time_of(anna, span("09:00", "09:30")), time_of(bert, span("10:00", "10:30"))]
    page.type = PageType.GROUP
    assert times(page, hosts=hosts) == ["09:30", "10:30"]
    assert reserve(page, berlin("09:30"), hosts=hosts).hosts == (anna, bert)
    with pytest.raises(SlotTaken):
        reserve(page, berlin("09:00"), hosts=hosts)
    page.type = PageType.ROUND_ROBIN
    assert times(page, hosts=hosts) == ["09:00", "09:30", "10:00", "10:30"]
    assert reserve(page, berlin("09:00"), hosts=hosts).hosts == (bert,)
    assert reserve(page, berlin("10:00"), hosts=hosts).hosts == (anna,)
    assert reserve(page, berlin("09:30"), hosts=hosts).hosts == (anna,)


# ---- what is refused (A-BO3) --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (datetime(2020, 1, 1, 9, 0, tzinfo=UTC), Reason.BOOKING_WINDOW),
        (NOW + timedelta(hours=3), Reason.MINIMUM_NOTICE),
        (NOW - timedelta(minutes=15), Reason.MINIMUM_NOTICE),
        (berlin("03:00"), Reason.OUTSIDE_HOURS),
        (berlin("16:45"), Reason.OUTSIDE_HOURS),
        (berlin("10:00", date(2026, 11, 7)), Reason.OUTSIDE_HOURS),
        (berlin("09:07"), Reason.NOT_ON_GRID),
        (berlin("10:00") + timedelta(seconds=1), Reason.NOT_ON_GRID),
        (berlin("10:00") + timedelta(microseconds=1), Reason.NOT_ON_GRID),
    ],
    ids=[
        "years ago",
        "too soon",
        "past",
        "at night",
        "too late to fit",
        "Saturday",
        "off the grid",
        "a second late",
        "a bit",
    ],
)
def test_a_time_the_page_never_offers_is_refused_with_the_reason_and_three_open_alternatives(
    start: datetime, reason: Reason
) -> None:
    page = a_page()
    refusal = unavailable(page, start)
    assert (refusal.reason, refusal.slot) == (reason, TimeSpan(start, start + timedelta(minutes=30)))
    assert len(refusal.alternatives) == 3
    for alternative in refusal.alternatives:
        assert reserve(page, alternative.start).slot == alternative


def test_a_time_far_beyond_the_booking_window_has_no_alternatives() -> None:
    refusal = unavailable(a_page(), berlin("10:00", date(2027, 6, 1)))
    assert (refusal.reason, refusal.alternatives) == (Reason.BOOKING_WINDOW, ())


def test_a_start_may_come_with_any_offset() -> None:
    page = a_page()
    assert reserve(page, START.astimezone(ZoneInfo("Asia/Kathmandu"))).slot == reserve(page, START).slot


def test_what_somebody_or_some_event_has_is_taken_and_three_neighbours_are_offered_instead() -> None:
    page = a_page(start_increment_minutes=30)
    refusal = taken(page, berlin("10:00"), span("10:00", "11:00"), span("09:00", "09:30"))
    assert refusal.slot == TimeSpan(berlin("10:00"), berlin("10:30"))
    assert clocks(refusal.alternatives) == ["Tue 09:30", "Tue 11:00", "Tue 11:30"]
    assert {each.duration for each in refusal.alternatives} == {timedelta(minutes=30)}


def test_alternatives_are_looked_for_over_two_weeks_and_there_may_be_none() -> None:
    page = a_page(start_increment_minutes=30)
    week = (floor_minute(NOW), floor_minute(NOW) + 7 * 1440)
    assert clocks(taken(page, berlin("10:00"), week).alternatives) == ["Mon 09:00", "Mon 09:30", "Mon 10:00"]
    month = (floor_minute(NOW), floor_minute(NOW) + 31 * 1440)
    assert taken(page, berlin("10:00"), month).alternatives == ()


def test_alternatives_come_from_the_surroundings_which_hold_the_slot_or_the_present() -> None:
    two_weeks, slot = timedelta(days=14), TimeSpan(START, START + timedelta(minutes=30))
    assert surroundings(slot, now=NOW) == TimeSpan(START - two_weeks, START + two_weeks)
    later = START + timedelta(days=900)
    assert surroundings(slot, now=later) == TimeSpan(later - two_weeks, later + two_weeks)


@pytest.mark.parametrize("kind", BusyKind)
def test_it_does_not_matter_by_what_a_time_is_taken(kind: BusyKind) -> None:
    page = a_page()
    assert taken(page, berlin("10:00"), BusySpan(*span("10:15", "10:20"), "source", kind)).alternatives != ()


def test_a_meeting_that_would_come_too_close_to_another_is_taken() -> None:
    page = a_page(buffer_after_minutes=15)
    assert isinstance(taken(page, berlin("10:00"), span("10:30", "11:00")), SlotTaken)


def test_a_rule_of_the_page_comes_before_an_event() -> None:
    assert unavailable(a_page(), berlin("03:00"), hosts=[time_of(user_id(), span("03:00", "04:00"))]).reason is (
        Reason.OUTSIDE_HOURS
    )


def test_a_time_for_which_no_calendar_could_be_read_is_not_known_to_be_free() -> None:
    page = a_page()
    unread = [time_of(page.hosts[0].user_id, known_from=0, known_until=0)]
    assert times(page, hosts=unread) == []
    with pytest.raises(CalendarUnverified):
        reserve(page, START, hosts=unread)
    assert unavailable(page, berlin("03:00"), hosts=unread).alternatives == ()


def test_a_start_without_an_offset_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="aware"):
        reserve(a_page(), START.replace(tzinfo=None))


# ---- hosts themselves ---------------------------------------------------------------------------------------------


def by_host(page: SchedulingPage, start: datetime, *busy: tuple[int, int], **given: Any) -> list[Any]:
    hosts = [time_of(host.user_id, *busy) for host in page.hosts]
    values: dict[str, Any] = {"hosts": hosts, "meetings": [], "now": NOW, "by_host": True}
    return page.free_hosts(start, 30, **(values | given))


def test_a_host_is_held_to_neither_notice_nor_window() -> None:
    page = a_page(minimum_notice=Period(days=2), window=RollingWindow(3))
    hosts = [page.hosts[0].user_id]
    assert by_host(page, berlin("10:00")) == hosts
    assert by_host(page, berlin("10:00", date(2027, 6, 1))) == hosts


def test_a_host_is_held_to_hours_grid_caps_events_and_the_present() -> None:
    page = a_page(max_per_day=1)
    for start, known, reason in (
        (berlin("03:00"), {}, Reason.OUTSIDE_HOURS),
        (berlin("10:07"), {}, Reason.NOT_ON_GRID),
        (berlin("10:00"), {"meetings": [floor_minute(berlin("15:00"))]}, Reason.DAILY_LIMIT),
        (berlin("10:00"), {"now": berlin("10:01")}, Reason.MINIMUM_NOTICE),
    ):
        with pytest.raises(SlotUnavailable) as refusal:
            by_host(page, start, **known)
        assert refusal.value.reason is reason
    with pytest.raises(SlotTaken):
        by_host(page, berlin("10:00"), span("10:00", "10:30"))


# ---- reserving ----------------------------------------------------------------------------------------------------


def test_a_reserved_slot_is_a_pending_booking_that_says_all_the_visitor_said() -> None:
    page = a_page(
        durations_minutes=(30, 60),
        event_title="{{name}} about {{topic}}",
        form_fields=(FormField("topic", "What about?", FieldKind.SHORT_TEXT),),
        guests=GuestPolicy(allowed=True, most=2),
        consents=(ConsentOption("terms", "The *terms*", required=True), ConsentOption("news", "The news")),
        locale="de",
    )
    source = BookingSource(BookingChannel.EMBED, (UtmTag("utm_source", "letter"),))
    form = BookingForm(
        first_name=" Ivo ",
        last_name="Visitor ",
        email=" ivo@example.org ",
        time_zone="America/New_York",
        duration_minutes=60,
        answers={"topic": (" the weather ",)},
        guests=(" mia@example.org",),
        consents=("terms", "terms"),
        message="Hello",
        source=source,
    )
    booking = reserve(page, START, form=form)
    assert (booking.state, booking.slot) == (BookingState.PENDING, TimeSpan(START, START + timedelta(hours=1)))
    assert (booking.page_id, booking.account_id, booking.hosts) == (page.id, page.account_id, (page.hosts[0].user_id,))
    assert (booking.invitee.name, booking.invitee.email) == ("Ivo Visitor", "ivo@example.org")
    assert (booking.invitee.time_zone, booking.invitee.locale) == ("America/New_York", "de")
    assert (booking.title, booking.location) == ("Ivo Visitor about the weather", page.settings.location)
    assert booking.answers == (Answer("topic", "What about?", ("the weather",)),)
    assert booking.consents == (GivenConsent("terms", "The *terms*", NOW),)
    assert (booking.guests, booking.message, booking.source) == (("mia@example.org",), "Hello", source)
    assert (booking.calendar_id, booking.event, booking.proposed, booking.created_at) == (CALENDAR, None, (), NOW)
    assert booking.pull_events() == (SlotReserved(at=NOW, booking_id=booking.id, page_id=page.id, hosts=booking.hosts),)


def test_a_visitor_s_own_language_wins_over_the_page_s() -> None:
    assert reserve(a_page(locale="de"), START, form=a_form(locale="en-GB")).invitee.locale == "en-GB"


def test_nothing_is_consented_to_that_was_not_ticked() -> None:
    page = a_page(consents=(ConsentOption("news", "The news"),))
    assert reserve(page, START).consents == ()


def test_an_empty_message_is_none() -> None:
    assert reserve(a_page(), START, form=a_form(message="")).message is None


def test_a_bad_form_is_told_before_a_bad_time() -> None:
    page = a_page()
    assert refused(lambda: reserve(page, berlin("03:00"), form=a_form(email="nobody"))) == [
        ("invitee.email", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)
    ]


# ---- requesting (S10, S11, A-OF3, A-OF4) --------------------------------------------------------------------------


def request(page: SchedulingPage, *starts: datetime, **given: Any) -> Booking:
    values: dict[str, Any] = {
        "hosts": [time_of(host.user_id) for host in page.hosts],
        "meetings": [],
        "host_name": "Anna Host",
        "now": NOW,
    }
    form = given.pop("form", None) or a_form()
    return page.request(booking_id(), starts, form, **(values | given))


def test_a_request_proposes_times_in_order_and_is_in_no_calendar() -> None:
    page = a_page()
    later, sooner = berlin("15:00"), berlin("10:00").astimezone(BERLIN)
    asked = request(page, later, sooner, form=a_form(message="Please"))
    assert (asked.state, asked.proposed, asked.start) == (BookingState.REQUESTED, (later, sooner), later)
    assert [each.tzinfo for each in asked.proposed] == [UTC, UTC]
    assert (asked.calendar_id, asked.event, asked.occupies, asked.message) == (None, None, False, "Please")
    assert asked.pull_events() == (MeetingRequested(at=NOW, booking_id=asked.id, page_id=page.id, hosts=asked.hosts),)


@pytest.mark.parametrize(
    ("starts", "rule"),
    [
        ([], Rule.REQUIRED),
        ([berlin(clock) for clock in ("10:00", "11:00", "12:00", "13:00")], Rule.TOO_MANY),
        ([berlin("10:00"), berlin("10:00").astimezone(BERLIN)], Rule.DUPLICATE),
    ],
    ids=["none", "four", "one twice"],
)
def test_a_request_proposes_one_to_three_different_times(starts: list[datetime], rule: Rule) -> None:
    assert refused(lambda: request(a_page(), *starts)) == [("preferredStarts", rule)]


def test_a_request_is_told_everything_wrong_with_form_and_times_at_once() -> None:
    assert refused(lambda: request(a_page(), form=a_form(email="nobody", last_name=""))) == [
        ("invitee.lastName", Rule.REQUIRED),
        ("invitee.email", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID),
        ("preferredStarts", Rule.REQUIRED),
    ]


def test_every_proposed_time_has_to_be_one_the_page_offers() -> None:
    page = a_page()
    with pytest.raises(SlotUnavailable) as refusal:
        request(page, berlin("10:00"), berlin("03:00"))
    assert (refusal.value.reason, refusal.value.slot.start) == (Reason.OUTSIDE_HOURS, berlin("03:00"))
    with pytest.raises(SlotTaken):
        request(page, berlin("10:00"), hosts=[time_of(page.hosts[0].user_id, span("10:00", "10:30"))])


# ---- the same function lists and accepts --------------------------------------------------------------------------


picks = st.tuples(st.integers(0, 10**6), st.sampled_from([-1, 1, 5, 30]), st.integers(-60, 4 * 1440))


def candidates(pick: tuple[int, int, int], scene: Scene, listed: list[int]) -> list[datetime]:
    """A listed start, its neighbour, the same a second late, one that only hosts stand in the way of, and any other."""
    number, off, anywhere = pick
    some = [listed[number % len(listed)]] if listed else []
    minute = floor_minute(scene.now)
    in_the_way = sorted({*scene.with_all_hosts_free().open_starts(days_of(scene))} - {*listed})
    others = [in_the_way[number % len(in_the_way)]] if in_the_way else []
    minutes = [*some, *(start + off for start in some), *others, minute + anywhere]
    return [*map(at_minute, minutes), *(at_minute(start) + timedelta(seconds=1) for start in some)]


def days_of(scene: Scene) -> TimeSpan:
    return TimeSpan(scene.now - timedelta(hours=2), scene.now + timedelta(days=5))


def outcome(scene: Scene, start: datetime) -> Booking | Exception:
    form = a_form(duration_minutes=scene.duration)
    try:
        return scene.page.reserve(booking_id(), start, form, host_name="Anna Host", calendar_id=CALENDAR, **scene.known)
    except (SlotTaken, SlotUnavailable, CalendarUnverified) as refusal:
        return refusal


@settings(max_examples=40)
@given(scenes(), picks)
def test_a_start_is_accepted_exactly_when_it_is_listed_and_refused_for_what_stands_in_its_way(
    scene: Scene, pick: tuple[int, int, int]
) -> None:
    listed = scene.open_starts(days_of(scene))
    for start in candidates(pick, scene, listed):
        result = outcome(scene, start)
        is_listed = start in map(at_minute, listed)
        if isinstance(result, Booking):
            assert is_listed
            assert_reserved(scene, start, result)
            continue
        assert not is_listed
        if offers(scene.with_all_calendars_read(), start):
            assert isinstance(result, CalendarUnverified)
        elif offers(scene.with_all_hosts_free(), start):
            assert isinstance(result, SlotTaken)
        else:
            assert isinstance(result, SlotUnavailable)
        if not isinstance(result, CalendarUnverified):
            assert_alternatives(scene, result)


def offers(scene: Scene, start: datetime) -> bool:
    return start in map(at_minute, scene.open_starts(TimeSpan(start, start + timedelta(minutes=1))))


def assert_reserved(scene: Scene, start: datetime, booking: Booking) -> None:
    assert booking.slot == TimeSpan(start, start + timedelta(minutes=scene.duration))
    if scene.page.type is PageType.ROUND_ROBIN:
        (chosen,) = booking.hosts
        alone: list[HostTime] = [host for host in scene.hosts if host.host == str(chosen)]
        assert scene.page.open_starts(
            TimeSpan(start, start + timedelta(minutes=1)),
            scene.duration,
            **(scene.known | {"hosts": alone}),
        )
    else:
        assert booking.hosts == tuple(host.user_id for host in scene.page.hosts)


def assert_alternatives(scene: Scene, refusal: SlotTaken | SlotUnavailable) -> None:
    """The three open slots that are nearest, or all there are."""
    wished = max(refusal.slot.start, scene.now)
    found = scene.open_starts(surroundings(refusal.slot, now=scene.now))
    nearest = sorted(abs(at_minute(start) - wished) for start in found)[:3]
    starts = [each.start for each in refusal.alternatives]
    assert starts == sorted(starts)
    assert set(starts) <= set(map(at_minute, found))
    assert sorted(abs(start - wished) for start in starts) == nearest
    assert {each.duration for each in refusal.alternatives} <= {timedelta(minutes=scene.duration)}


@settings(max_examples=20)
@given(scenes(), picks)
def test_a_host_can_take_exactly_what_the_page_would_offer_without_notice_and_window(
    scene: Scene, pick: tuple[int, int, int]
) -> None:
    open_ended = scene.without_notice_and_window()
    listed = open_ended.open_starts(days_of(scene))
    for start in candidates(pick, scene, listed):
        try:
            scene.page.free_hosts(start, scene.duration, by_host=True, **scene.known)
            accepted = True
        except (SlotTaken, SlotUnavailable, CalendarUnverified):
            accepted = False
        assert accepted == (start in map(at_minute, listed))
