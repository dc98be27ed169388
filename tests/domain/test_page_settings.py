from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.availability import SlotRules
from meetings.domain.availability_rules import AvailabilityRules, DateOverride, WallRange, WeeklyHours
from meetings.domain.base import ProblemCode, Rule
from meetings.domain.booking_form import ConsentOption, FieldKind, FormField, GuestPolicy
from meetings.domain.page_settings import (
    START_INCREMENTS,
    AvatarChoice,
    FixedWindow,
    LocationKind,
    MeetingLocation,
    PageSettings,
    PageTheme,
    RollingWindow,
)
from meetings.domain.period import Period
from tests.builders import NOW, a_page, page_settings, weekday_hours
from tests.domain.problems import refused, told

DAY = Period(days=1)
NEW_YEAR = date(2027, 1, 1)


def topic(key: str = "topic", **given: Any) -> FormField:
    return FormField(key, given.pop("label", "Topic"), given.pop("kind", FieldKind.SHORT_TEXT), **given)


def test_the_default_settings_have_no_problem() -> None:
    page_settings().check()


@pytest.mark.parametrize(
    "given",
    [
        {"internal_name": "x" * 200, "headline": "x" * 200},
        {"event_title": "{{firstName}} {{lastName}} {{name}} {{email}} {{company}} {{host}} {{page}}"},
        {"event_title": "About {{topic}}", "form_fields": (topic(),)},
        {"description": ""},
        {"description": "First line\nsecond line"},
        {"durations_minutes": (1, 1440)},
        {"durations_minutes": tuple(range(15, 195, 15))},
        {"durations_minutes": (15, 30, 60), "default_duration_minutes": 60},
        {"start_increment_minutes": None},
        *({"start_increment_minutes": increment} for increment in (5, 10, 15, 20, 30, 45, 60, 90, 120)),
        {"buffer_before_minutes": 0, "buffer_after_minutes": 1440},
        {"minimum_notice": Period()},
        {"minimum_notice": Period(days=366)},
        {"cancellation_notice": DAY},
        {"window": RollingWindow(1)},
        {"window": RollingWindow(366)},
        {"window": FixedWindow(NEW_YEAR, NEW_YEAR)},
        {"window": FixedWindow(date(2020, 1, 1), date(2020, 1, 2))},
        {"max_per_day": 1, "max_per_week": 1000},
        {"redirect_url": "https://example.com/thanks?from=meetings"},
        {"locale": "de-AT"},
        {"theme": PageTheme(accent_color="#a1b2c3", logo_url="https://example.com/logo.png")},
        {"theme": PageTheme(avatar=AvatarChoice.CUSTOM_AVATAR, avatar_url="https://example.com/anna.png")},
        {"location": MeetingLocation(LocationKind.VIDEO)},
        {"location": MeetingLocation(LocationKind.PHONE_HOST_CALLS, "we call you")},
        {"location": MeetingLocation(LocationKind.IN_PERSON, "Main Street 1")},
        {"guests": GuestPolicy(allowed=True, most=10)},
        {"guests": GuestPolicy(allowed=False, most=-1)},
        {"reminders": ()},
        {"reminders": (DAY, Period(minutes=60), Period(days=7))},
    ],
)
def test_what_a_host_may_set_has_no_problem(given: dict[str, Any]) -> None:
    page_settings(**given).check()


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        # A-SP2: names and the event's title
        ({"internal_name": " "}, [("internalName", Rule.REQUIRED)]),
        ({"internal_name": "x" * 201}, [("internalName", Rule.TOO_LONG)]),
        ({"headline": ""}, [("headline", Rule.REQUIRED)]),
        ({"headline": "a\nb"}, [("headline", Rule.CONTROL_CHARACTERS)]),
        ({"event_title": ""}, [("eventTitle", Rule.REQUIRED)]),
        ({"event_title": "x" * 301}, [("eventTitle", Rule.TOO_LONG)]),
        ({"event_title": "Call {{nobody}}"}, [("eventTitle", Rule.UNKNOWN_TOKEN)]),
        ({"event_title": "{{a}} {{b}}"}, [("eventTitle", Rule.UNKNOWN_TOKEN)] * 2),
        ({"event_title": "About {{topic}}"}, [("eventTitle", Rule.UNKNOWN_TOKEN)]),
        ({"description": "x" * 10_001}, [("description", Rule.TOO_LONG)]),
        ({"description": "bell\x07"}, [("description", Rule.CONTROL_CHARACTERS)]),
        # A-SP3: the place
        ({"location": MeetingLocation(LocationKind.IN_PERSON)}, [("locationText", Rule.REQUIRED)]),
        ({"location": MeetingLocation(LocationKind.CUSTOM, " ")}, [("locationText", Rule.REQUIRED)]),
        ({"location": MeetingLocation(LocationKind.PHONE_VISITOR_CALLS)}, [("locationText", Rule.REQUIRED)]),
        ({"location": MeetingLocation(LocationKind.VIDEO, "x" * 501)}, [("locationText", Rule.TOO_LONG)]),
        # A-SP4: durations
        ({"durations_minutes": ()}, [("durationsMinutes", Rule.REQUIRED)]),
        ({"durations_minutes": (0,)}, [("durationsMinutes.0", Rule.TOO_SMALL)]),
        ({"durations_minutes": (30, -15)}, [("durationsMinutes.1", Rule.TOO_SMALL)]),
        ({"durations_minutes": (1441,)}, [("durationsMinutes.0", Rule.TOO_LARGE)]),
        ({"durations_minutes": (30, 30)}, [("durationsMinutes", Rule.DUPLICATE)]),
        ({"durations_minutes": tuple(range(1, 14))}, [("durationsMinutes", Rule.TOO_MANY)]),
        ({"default_duration_minutes": 45}, [("defaultDurationMinutes", Rule.NOT_ONE_OF)]),
        # A-SP5: weekly hours
        ({"availability": weekday_hours(start=1020, end=540)}, [("availability.weekly.0.to", Rule.END_BEFORE_START)]),
        ({"availability": weekday_hours(end=1441)}, [("availability.weekly.0.to", Rule.TOO_LARGE)]),
        (
            {"availability": weekday_hours("Mars/X")},
            [("availability.timeZone", Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID)],
        ),
        # A-SP6: the booking window
        ({"window": RollingWindow(0)}, [("rollingWindow", Rule.TOO_SMALL)]),
        ({"window": RollingWindow(367)}, [("rollingWindow", Rule.TOO_LARGE)]),
        ({"window": FixedWindow(NEW_YEAR, date(2026, 12, 31))}, [("windowTo", Rule.END_BEFORE_START)]),
        # A-SP7: notice
        ({"minimum_notice": Period(minutes=-1)}, [("minimumNotice", Rule.TOO_SMALL)]),
        ({"minimum_notice": Period(days=-1, minutes=9999)}, [("minimumNotice", Rule.TOO_SMALL)]),
        ({"minimum_notice": Period(days=367)}, [("minimumNotice", Rule.TOO_LARGE)]),
        ({"cancellation_notice": Period(days=-1)}, [("cancellationNotice", Rule.TOO_SMALL)]),
        ({"cancellation_notice": Period(days=366, minutes=1)}, [("cancellationNotice", Rule.TOO_LARGE)]),
        # A-SP8: buffers
        ({"buffer_before_minutes": -1}, [("bufferBefore", Rule.TOO_SMALL)]),
        ({"buffer_after_minutes": 1441}, [("bufferAfter", Rule.TOO_LARGE)]),
        # A-SP9: the grid
        ({"start_increment_minutes": 0}, [("startIncrementMinutes", Rule.NOT_ONE_OF)]),
        ({"start_increment_minutes": 7}, [("startIncrementMinutes", Rule.NOT_ONE_OF)]),
        ({"start_increment_minutes": 25}, [("startIncrementMinutes", Rule.NOT_ONE_OF)]),
        # A-SP10: where the visitor goes afterwards
        ({"redirect_url": "javascript:alert(1)"}, [("redirectUrl", Rule.NOT_A_URL)]),
        ({"redirect_url": "/thanks"}, [("redirectUrl", Rule.NOT_A_URL)]),
        ({"redirect_url": ""}, [("redirectUrl", Rule.NOT_A_URL)]),
        # A-SP11: language and looks
        ({"locale": "xx"}, [("locale", Rule.NOT_A_LOCALE)]),
        ({"locale": ""}, [("locale", Rule.NOT_A_LOCALE)]),
        ({"theme": PageTheme(accent_color="red")}, [("accentColor", Rule.NOT_A_COLOR)]),
        ({"theme": PageTheme(logo_url="logo.png")}, [("logoUrl", Rule.NOT_A_URL)]),
        ({"theme": PageTheme(avatar_url="data:,x")}, [("avatarUrl", Rule.NOT_A_URL)]),
        ({"theme": PageTheme(avatar=AvatarChoice.CUSTOM_AVATAR)}, [("avatarUrl", Rule.REQUIRED)]),
        # A-SP12: guests
        ({"guests": GuestPolicy(allowed=True)}, [("maxGuests", Rule.TOO_SMALL)]),
        ({"guests": GuestPolicy(allowed=True, most=11)}, [("maxGuests", Rule.TOO_LARGE)]),
        # A-SP13: reminders
        ({"reminders": (DAY, Period(days=2), Period(days=3), Period(days=4))}, [("reminders", Rule.TOO_MANY)]),
        ({"reminders": (DAY, DAY)}, [("reminders", Rule.DUPLICATE)]),
        ({"reminders": (DAY, Period())}, [("reminders.1", Rule.TOO_SMALL)]),
        ({"reminders": (Period(minutes=-5),)}, [("reminders.0", Rule.TOO_SMALL)]),
        ({"reminders": (Period(days=367),)}, [("reminders.0", Rule.TOO_LARGE)]),
        # B-SP2: caps
        ({"max_per_day": 0}, [("maxPerDay", Rule.TOO_SMALL)]),
        ({"max_per_week": 1001}, [("maxPerWeek", Rule.TOO_LARGE)]),
        # A-FO1, A-FO2: the form
        ({"form_fields": (topic(""),)}, [("formFields.0.key", Rule.REQUIRED)]),
        ({"consents": (ConsentOption("terms", ""),)}, [("consents.0.textMarkdown", Rule.REQUIRED)]),
    ],
)
def test_a_bad_setting_names_its_field_and_the_rule_it_breaks(given: dict[str, Any], problems: list[object]) -> None:
    assert refused(page_settings(**given).check) == problems


def test_everything_that_is_wrong_is_told_at_once() -> None:
    settings = page_settings(
        internal_name="",
        event_title="{{nobody}}",
        durations_minutes=(30, 0),
        start_increment_minutes=7,
        buffer_before_minutes=-1,
        availability=AvailabilityRules(
            "Mars/X",
            (WeeklyHours((0,), WallRange(1020, 540)),),
            (DateOverride(NEW_YEAR, (WallRange(-1, 60),)),),
        ),
        minimum_notice=Period(minutes=-1),
        window=FixedWindow(NEW_YEAR, date(2026, 12, 31)),
        max_per_day=0,
        form_fields=(topic("email"),),
        guests=GuestPolicy(allowed=True, most=11),
        redirect_url="javascript:alert(1)",
        reminders=(DAY,) * 4,
    )
    assert refused(settings.check) == [
        ("internalName", Rule.REQUIRED),
        ("eventTitle", Rule.UNKNOWN_TOKEN),
        ("durationsMinutes.1", Rule.TOO_SMALL),
        ("startIncrementMinutes", Rule.NOT_ONE_OF),
        ("bufferBefore", Rule.TOO_SMALL),
        ("availability.timeZone", Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID),
        ("availability.weekly.0.to", Rule.END_BEFORE_START),
        ("availability.overrides.0.hours.0.from", Rule.TOO_SMALL),
        ("minimumNotice", Rule.TOO_SMALL),
        ("windowTo", Rule.END_BEFORE_START),
        ("maxPerDay", Rule.TOO_SMALL),
        ("formFields.0.key", Rule.RESERVED),
        ("maxGuests", Rule.TOO_LARGE),
        ("redirectUrl", Rule.NOT_A_URL),
        ("reminders", Rule.TOO_MANY),
        ("reminders", Rule.DUPLICATE),
    ]


def test_a_problem_carries_the_figures_its_message_needs() -> None:
    found = {
        ".".join(problem.path): dict(problem.values)
        for problem in page_settings(
            durations_minutes=(0,), start_increment_minutes=7, default_duration_minutes=5, reminders=(Period(days=400),)
        ).problems()
        if problem
    }
    assert found == {
        "durationsMinutes.0": {"least": 1, "most": 1440},
        "startIncrementMinutes": {"options": "5, 10, 15, 20, 30, 45, 60, 90, 120"},
        "defaultDurationMinutes": {"options": "0"},
        "reminders.0": {"most": "P366D"},
    }


def test_the_duration_meant_without_naming_one_is_the_default_or_the_first() -> None:
    assert page_settings(durations_minutes=(60, 30)).default_duration == 60
    assert page_settings(durations_minutes=(60, 30), default_duration_minutes=30).default_duration == 30


numbers = st.integers(-2, 3) | st.sampled_from([15, 30, 90, 365, 366, 367, 1000, 1001, 1440, 1441])
any_settings = st.builds(
    PageSettings,
    internal_name=st.just("x"),
    headline=st.just("x"),
    durations_minutes=st.lists(numbers, max_size=3).map(tuple),
    default_duration_minutes=st.none() | numbers,
    start_increment_minutes=st.none() | numbers | st.sampled_from(START_INCREMENTS),
    buffer_before_minutes=numbers,
    buffer_after_minutes=numbers,
    minimum_notice=st.builds(Period, numbers, numbers),
    window=st.builds(RollingWindow, numbers)
    | st.builds(FixedWindow, *[st.dates(date(2026, 1, 1), date(2028, 1, 1))] * 2),
    max_per_day=st.none() | numbers,
    max_per_week=st.none() | numbers,
    availability=st.builds(
        AvailabilityRules,
        st.sampled_from(["UTC", "Europe/Berlin", "Mars/X"]),
        st.lists(
            st.builds(
                WeeklyHours, st.just((0, 1)), st.builds(WallRange, numbers, st.sampled_from([540, 600, 1440, 1441]))
            ),
            max_size=2,
        ).map(tuple),
    ),
)


@settings(max_examples=40)
@given(any_settings)
def test_settings_without_problems_always_make_rules_the_engine_takes(settings: PageSettings) -> None:
    problems = told(settings.problems())
    if problems:
        assert refused(lambda: a_page(settings=settings)) == problems
        return
    page = a_page(settings=settings)
    for duration in settings.durations_minutes:
        assert isinstance(page.slot_rules(duration, now=NOW), SlotRules)
