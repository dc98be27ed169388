"""Aggregates with valid defaults, so that a test states only what matters to it. Ids are new unless given."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from meetings.domain.account import Account
from meetings.domain.availability import BusySpan, HostTime
from meetings.domain.availability_rules import AvailabilityRules, WallRange, WeeklyHours
from meetings.domain.booking import Booking, BookingState, Invitee
from meetings.domain.calendar_connection import (
    CalendarAccess,
    CalendarConnection,
    CalendarHealth,
    ConnectedCalendar,
    Consent,
    ListedCalendar,
    Provider,
)
from meetings.domain.identifiers import AccountId, BookingId, CalendarId, ConnectionId, PageId, UserId
from meetings.domain.page_settings import LocationKind, MeetingLocation, PageSettings
from meetings.domain.scheduling_page import BookingForm, PageHost, PageType, SchedulingPage
from meetings.domain.user import Role, User

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
"""A Monday morning."""

START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
"""A start that the default page offers at `NOW`: Tuesday, 10:00 in Berlin."""


def account_id() -> AccountId:
    return AccountId(uuid4())


def user_id() -> UserId:
    return UserId(uuid4())


def page_id() -> PageId:
    return PageId(uuid4())


def booking_id() -> BookingId:
    return BookingId(uuid4())


def connection_id() -> ConnectionId:
    return ConnectionId(uuid4())


def calendar_id() -> CalendarId:
    return CalendarId(uuid4())


def an_account(account: AccountId | None = None, *, name: str = "Example Ltd", created_at: datetime = NOW) -> Account:
    own = account or account_id()
    return Account(id=own, account_id=own, name=name, created_at=created_at)


def a_user(account: AccountId | None = None, **given: Any) -> User:
    """A member called Anna Host, with an address of her own."""
    own = given.pop("id", None) or user_id()
    values: dict[str, Any] = {
        "id": own,
        "account_id": account or account_id(),
        "name": "Anna Host",
        "email": f"anna-{own.hex[:12]}@example.com",
        "role": Role.MEMBER,
        "created_at": NOW,
    }
    return User(**(values | given))


def weekday_hours(
    zone: str = "Europe/Berlin", *, start: int = 9 * 60, end: int = 17 * 60, days: Sequence[int] = range(5)
) -> AvailabilityRules:
    """Monday to Friday, nine to five."""
    return AvailabilityRules(zone, (WeeklyHours(tuple(days), WallRange(start, end)),))


def page_settings(**given: Any) -> PageSettings:
    """Meetings of 30 minutes by phone, Monday to Friday from nine to five in Berlin, with four hours of notice."""
    values: dict[str, Any] = {
        "internal_name": "Intro",
        "headline": "Get to know us",
        "durations_minutes": (30,),
        "availability": weekday_hours(),
        "location": MeetingLocation(LocationKind.PHONE_HOST_CALLS),
    }
    return PageSettings(**(values | given))


def a_page(host: User | UserId | None = None, account: AccountId | None = None, **given: Any) -> SchedulingPage:
    """A one-on-one page of `host`, in the host's account, with no events waiting.

    What is no attribute of the page is taken as one of its settings: `a_page(anna, buffer_after_minutes=15)`.
    """
    own = given.pop("id", None) or page_id()
    if isinstance(host, User):
        account, host = account or AccountId(host.account_id), host.id
    host = host or user_id()
    now = given.pop("created_at", NOW)
    page = SchedulingPage.create(
        own,
        account_id=account or account_id(),
        type=given.pop("type", PageType.ONE_ON_ONE),
        slug=given.pop("slug", f"anna/{own.hex[:12]}"),
        organizer_id=given.pop("organizer_id", host),
        hosts=given.pop("hosts", (PageHost(host),)),
        settings=given.pop("settings", None) or page_settings(**given),
        now=now,
    )
    page.pull_events()
    return page


def a_calendar(**given: Any) -> ConnectedCalendar:
    """A calendar that blocks time and can be read."""
    own = given.pop("id", None) or calendar_id()
    values: dict[str, Any] = {
        "id": own,
        "external_id": f"{own.hex[:12]}@calendars.example.com",
        "name": "Anna",
        "access": CalendarAccess.OWNER,
        "selected": True,
        "health": CalendarHealth.READABLE,
    }
    return ConnectedCalendar(**(values | given))


def a_listed_calendar(external_id: str = "primary@example.com", **given: Any) -> ListedCalendar:
    """A calendar as a provider lists it: owned, not the primary one."""
    values: dict[str, Any] = {"external_id": external_id, "name": "Anna", "access": CalendarAccess.OWNER}
    return ListedCalendar(**(values | given))


def a_connection(
    user: User | UserId | None = None, account: AccountId | None = None, **given: Any
) -> CalendarConnection:
    """A Google account of `user` whose one calendar blocks time, receives bookings and can be read; no events waiting.

    Other `calendars` come as `a_calendar(...)`; the first of them receives bookings unless another is named.
    """
    if isinstance(user, User):
        account, user = account or AccountId(user.account_id), user.id
    calendars = list(given.pop("calendars", None) or [a_calendar(primary=True)])
    values: dict[str, Any] = {
        "id": given.pop("id", None) or connection_id(),
        "account_id": account or account_id(),
        "user_id": user or user_id(),
        "provider": Provider.GOOGLE,
        "account_email": "anna@example.com",
        "consent": Consent("google-2026-11", NOW),
        "connected_at": NOW,
        "calendars": calendars,
        "default_calendar_id": calendars[0].id,
    }
    return CalendarConnection(**(values | given))


def an_invitee(**given: Any) -> Invitee:
    values: dict[str, Any] = {
        "first_name": "Ivo",
        "last_name": "Visitor",
        "email": "ivo@example.org",
        "time_zone": "Europe/Berlin",
        "locale": "en",
    }
    return Invitee(**(values | given))


def a_form(**given: Any) -> BookingForm:
    """What a visitor sends who fills in no more than they have to."""
    values: dict[str, Any] = {
        "first_name": "Ivo",
        "last_name": "Visitor",
        "email": "ivo@example.org",
        "time_zone": "Europe/Berlin",
    }
    return BookingForm(**(values | given))


def time_of(host: UserId, *busy: BusySpan | tuple[int, int], **given: Any) -> HostTime:
    """A host's time that is known for ever; `busy` spans are minutes since the epoch."""
    values: dict[str, Any] = {"host": str(host), "busy": busy, "known_from": -(2**40), "known_until": 2**40}
    return HostTime(**(values | given))


def a_booking(page: SchedulingPage | None = None, **given: Any) -> Booking:
    """A reserved slot (PENDING) of 30 minutes on `page`, with all the page's hosts; no events waiting."""
    page = page or a_page()
    start: datetime = given.pop("start", START)
    values: dict[str, Any] = {
        "id": given.pop("id", None) or booking_id(),
        "account_id": page.account_id,
        "page_id": page.id,
        "hosts": tuple(host.user_id for host in page.hosts),
        "invitee": an_invitee(),
        "start": start,
        "end": start + timedelta(minutes=given.pop("minutes", 30)),
        "title": "Ivo Visitor – Anna Host",
        "location": page.settings.location,
        "state": BookingState.PENDING,
        "created_at": NOW,
    }
    return Booking(**(values | given))
