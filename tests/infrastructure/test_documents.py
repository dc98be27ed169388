"""What is stored as JSON comes back equal, whatever was in it."""

from collections.abc import Collection
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.domain.availability_rules import AvailabilityRules, DateOverride, WallRange, WeeklyHours
from meetings.domain.booking import (
    Booking,
    BookingChannel,
    BookingSource,
    Cancellation,
    CancelledBy,
    Invitee,
    UtmTag,
)
from meetings.domain.booking_form import Answer, ConsentOption, FieldKind, FormField, GivenConsent, GuestPolicy
from meetings.domain.chat_profile import ChatProfile
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.page_settings import (
    AvatarChoice,
    ColorScheme,
    FixedWindow,
    LocationKind,
    MeetingLocation,
    PageSettings,
    PageTheme,
    RollingWindow,
)
from meetings.domain.period import Period
from meetings.domain.scheduling_page import PageHost
from meetings.domain.user import UserSettings, Weekday
from meetings.infrastructure.database.documents import (
    availability_from,
    availability_to,
    booking_details_from,
    booking_details_to,
    chat_profile_from,
    chat_profile_to,
    page_hosts_from,
    page_hosts_to,
    page_settings_from,
    page_settings_to,
    user_settings_from,
    user_settings_to,
)
from tests.builders import a_booking

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
optional_texts = st.none() | texts
numbers = st.integers(-(2**31), 2**31)
dates = st.dates(date(2000, 1, 1), date(2100, 1, 1))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
periods = st.builds(Period, days=numbers, minutes=numbers)


def tuples(of: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=most).map(tuple)


ranges = st.builds(WallRange, numbers, numbers)
rules = st.builds(
    AvailabilityRules,
    time_zone=texts,
    weekly=tuples(st.builds(WeeklyHours, tuples(st.integers(0, 6)), ranges)),
    overrides=tuples(st.builds(DateOverride, dates, tuples(ranges))),
)
locations = st.builds(MeetingLocation, st.sampled_from(LocationKind), optional_texts)
page_settings = st.builds(
    PageSettings,
    internal_name=texts,
    headline=texts,
    durations_minutes=tuples(numbers),
    availability=rules,
    event_title=texts,
    description=optional_texts,
    location=locations,
    locale=texts,
    theme=st.builds(
        PageTheme,
        optional_texts,
        st.sampled_from(ColorScheme),
        optional_texts,
        st.sampled_from(AvatarChoice),
        optional_texts,
    ),
    default_duration_minutes=st.none() | numbers,
    start_increment_minutes=st.none() | numbers,
    buffer_before_minutes=numbers,
    buffer_after_minutes=numbers,
    minimum_notice=periods,
    cancellation_notice=periods,
    window=st.builds(RollingWindow, numbers) | st.builds(FixedWindow, dates, dates),
    max_per_day=st.none() | numbers,
    max_per_week=st.none() | numbers,
    form_fields=tuples(
        st.builds(
            FormField,
            texts,
            texts,
            st.sampled_from(FieldKind),
            st.booleans(),
            tuples(texts),
            optional_texts,
            st.booleans(),
        )
    ),
    guests=st.builds(GuestPolicy, st.booleans(), numbers),
    consents=tuples(st.builds(ConsentOption, texts, texts, st.booleans())),
    redirect_url=optional_texts,
    reminders=tuples(periods),
    reminders_include_description=st.booleans(),
    blocked_email_domains=st.lists(st.sampled_from(["a.example", "b.example"])).map(tuple),
    block_free_email=st.booleans(),
    captcha=st.booleans(),
)
user_settings = st.builds(
    UserSettings,
    texts,
    texts,
    st.sampled_from(Weekday),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | rules,
)
chat_profiles = st.builds(
    ChatProfile, optional_texts, optional_texts, st.booleans(), optional_texts, st.none() | st.uuids().map(PageId)
)
page_hosts = tuples(st.builds(PageHost, st.uuids().map(UserId), numbers, st.booleans(), st.none() | numbers))
details = st.fixed_dictionaries(
    {
        "invitee": st.builds(Invitee, texts, texts, texts, texts, texts),
        "location": locations,
        "answers": tuples(st.builds(Answer, texts, texts, tuples(texts))),
        "guests": tuples(texts),
        "consents": tuples(st.builds(GivenConsent, texts, texts, instants)),
        "message": optional_texts,
        "proposed": tuples(instants),
        "source": st.builds(BookingSource, st.sampled_from(BookingChannel), tuples(st.builds(UtmTag, texts, texts))),
        "cancellation": st.none() | st.builds(Cancellation, st.sampled_from(CancelledBy), optional_texts, instants),
    }
)
few = settings(max_examples=60)


def stored(document: Any) -> Any:
    return orjson.loads(orjson.dumps(document))


@few
@given(rules)
def test_opening_hours_come_back(value: AvailabilityRules) -> None:
    assert availability_from(stored(availability_to(value))) == value


@few
@given(page_settings)
def test_page_settings_come_back(value: PageSettings) -> None:
    assert page_settings_from(stored(page_settings_to(value))) == value


@few
@given(page_hosts)
def test_page_hosts_come_back(value: tuple[PageHost, ...]) -> None:
    assert page_hosts_from(stored(page_hosts_to(value))) == value


@few
@given(user_settings)
def test_user_settings_come_back(value: UserSettings) -> None:
    assert user_settings_from(stored(user_settings_to(value))) == value


@few
@given(chat_profiles)
def test_chat_profiles_come_back(value: ChatProfile) -> None:
    assert chat_profile_from(stored(chat_profile_to(value))) == value


@few
@given(details)
def test_booking_details_come_back(value: dict[str, Any]) -> None:
    booking: Booking = a_booking(**value)
    assert booking_details_from(stored(booking_details_to(booking))) == value


def test_every_field_of_the_settings_is_stored() -> None:
    """A field that is added to the domain and forgotten here would be lost without a word."""
    names: dict[type[Any], Collection[str]] = {
        PageSettings: page_settings_to(PLAIN).keys(),
        UserSettings: user_settings_to(UserSettings()).keys(),
        ChatProfile: (chat_profile_to(ChatProfile(shows_link=True)) or {}).keys(),
        PageHost: page_hosts_to([PageHost(UserId(a_booking().id))])[0].keys(),
    }
    for kind, found in names.items():
        assert found == {entry.name for entry in fields(kind)}, kind.__name__


PLAIN = PageSettings(internal_name="", headline="", durations_minutes=(30,), availability=AvailabilityRules("UTC", ()))


def test_microseconds_survive() -> None:
    at = datetime(2026, 11, 3, 9, 0, 0, 1, tzinfo=UTC) + timedelta(days=1)
    booking = a_booking(proposed=(at,))
    assert booking_details_from(stored(booking_details_to(booking)))["proposed"] == (at,)
