"""Everything a host sets on a scheduling page, and what makes a setting wrong (A-SP2 to A-SP13)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from meetings.domain.availability_rules import AvailabilityRules
from meetings.domain.base import Problem, Rule, refuse
from meetings.domain.blocked_addresses import block_list_problems
from meetings.domain.booking_form import (
    ConsentOption,
    FormField,
    GuestPolicy,
    consent_problems,
    field_problems,
    guest_policy_problems,
)
from meetings.domain.event_title import MAX_TITLE, STANDARD_TOKENS, token_problems
from meetings.domain.period import Period
from meetings.domain.text import color_problem, locale_problem, text_problem, url_problem

START_INCREMENTS = (5, 10, 15, 20, 30, 45, 60, 90, 120)
MAX_DURATIONS = 12
MAX_DURATION_MINUTES = 1440
MAX_BUFFER_MINUTES = 1440
MAX_NOTICE_DAYS = 366
MAX_WINDOW_DAYS = 366
MAX_CAP = 1_000
MAX_REMINDERS = 3


class LocationKind(Enum):
    """Where the meeting takes place. VIDEO asks the host's calendar provider for a conference link."""

    VIDEO = "VIDEO"
    PHONE_HOST_CALLS = "PHONE_HOST_CALLS"
    PHONE_VISITOR_CALLS = "PHONE_VISITOR_CALLS"
    IN_PERSON = "IN_PERSON"
    CUSTOM = "CUSTOM"


@dataclass(frozen=True, slots=True)
class MeetingLocation:
    """A place; `text` is the address, number or words, required where the kind alone does not say it (A-SP3)."""

    kind: LocationKind
    text: str | None = None


class ColorScheme(Enum):
    """Which colours the page uses."""

    AUTO = "AUTO"
    LIGHT = "LIGHT"
    DARK = "DARK"


class AvatarChoice(Enum):
    """Which picture the page shows (A-SP11)."""

    PROFILE_IMAGE = "PROFILE_IMAGE"
    COMPANY_LOGO = "COMPANY_LOGO"
    CUSTOM_AVATAR = "CUSTOM_AVATAR"


@dataclass(frozen=True, slots=True)
class PageTheme:
    """How the page looks."""

    accent_color: str | None = None
    color_scheme: ColorScheme = ColorScheme.AUTO
    logo_url: str | None = None
    avatar: AvatarChoice = AvatarChoice.PROFILE_IMAGE
    avatar_url: str | None = None


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """Bookable from today through `days` days after today, in the page's zone."""

    days: int


@dataclass(frozen=True, slots=True)
class FixedWindow:
    """Bookable from the first through the last date, both included, in the page's zone."""

    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class PageSettings:
    """The editable part of a page. Can hold anything; `check` says what is wrong, everything at once.

    `start_increment_minutes` None means the meeting's duration. Buffers are minutes. `default_duration_minutes` None
    means the first duration. `blocked_email_domains` are in the form of `mail_domain`. `captcha` asks visitors to show
    that they are people, where that is set up.
    """

    internal_name: str
    headline: str
    durations_minutes: tuple[int, ...]
    availability: AvailabilityRules
    event_title: str = "{{firstName}} {{lastName}} – {{host}}"
    description: str | None = None
    location: MeetingLocation = MeetingLocation(LocationKind.VIDEO)
    locale: str = "en"
    theme: PageTheme = PageTheme()
    default_duration_minutes: int | None = None
    start_increment_minutes: int | None = 15
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    minimum_notice: Period = Period(minutes=240)
    cancellation_notice: Period = Period()
    window: RollingWindow | FixedWindow = RollingWindow(60)
    max_per_day: int | None = None
    max_per_week: int | None = None
    form_fields: tuple[FormField, ...] = ()
    guests: GuestPolicy = GuestPolicy()
    consents: tuple[ConsentOption, ...] = ()
    redirect_url: str | None = None
    reminders: tuple[Period, ...] = ()
    reminders_include_description: bool = False
    blocked_email_domains: tuple[str, ...] = ()
    block_free_email: bool = False
    captcha: bool = False

    def check(self) -> None:
        """Raise `InvalidInput` with every problem; paths are the API's input names."""
        refuse(*self.problems())

    def problems(self) -> Iterator[Problem | None]:
        """Every problem; None entries count as none."""
        yield text_problem(self.internal_name, "internalName", most=200)
        yield text_problem(self.headline, "headline", most=200)
        yield text_problem(self.event_title, "eventTitle", most=MAX_TITLE)
        yield from token_problems(self.event_title, self.known_tokens, "eventTitle")
        if self.description is not None:
            yield text_problem(self.description, "description", most=10_000, required=False, lines=True)
        yield locale_problem(self.locale, "locale")
        yield from self._location_problems()
        yield from self._theme_problems()
        yield from self._duration_problems()
        yield from self.availability.problems("availability")
        yield from self._window_problems()
        yield from field_problems(self.form_fields, "formFields")
        yield from guest_policy_problems(self.guests, "maxGuests")
        yield from consent_problems(self.consents, "consents")
        if self.redirect_url is not None:
            yield url_problem(self.redirect_url, "redirectUrl")
        yield from self._reminder_problems()
        yield from block_list_problems(self.blocked_email_domains, "blockedEmailDomains")

    @property
    def known_tokens(self) -> frozenset[str]:
        """The tokens `event_title` may use."""
        return STANDARD_TOKENS | {entry.key for entry in self.form_fields}

    @property
    def default_duration(self) -> int:
        """The duration in minutes that is meant when none is named."""
        return self.default_duration_minutes or self.durations_minutes[0]

    def _location_problems(self) -> Iterator[Problem | None]:
        needs_text = self.location.kind not in (LocationKind.VIDEO, LocationKind.PHONE_HOST_CALLS)
        yield text_problem(self.location.text or "", "locationText", most=500, required=needs_text)

    def _theme_problems(self) -> Iterator[Problem | None]:
        if self.theme.accent_color is not None:
            yield color_problem(self.theme.accent_color, "accentColor")
        if self.theme.logo_url is not None:
            yield url_problem(self.theme.logo_url, "logoUrl")
        if self.theme.avatar_url is not None:
            yield url_problem(self.theme.avatar_url, "avatarUrl")
        elif self.theme.avatar is AvatarChoice.CUSTOM_AVATAR:
            yield Problem(("avatarUrl",), Rule.REQUIRED)

    def _duration_problems(self) -> Iterator[Problem | None]:
        if not self.durations_minutes:
            yield Problem(("durationsMinutes",), Rule.REQUIRED)
        if len(self.durations_minutes) > MAX_DURATIONS:
            yield Problem(("durationsMinutes",), Rule.TOO_MANY, values={"most": MAX_DURATIONS})
        if len(set(self.durations_minutes)) != len(self.durations_minutes):
            yield Problem(("durationsMinutes",), Rule.DUPLICATE)
        for index, duration in enumerate(self.durations_minutes):
            yield _between(duration, 1, MAX_DURATION_MINUTES, "durationsMinutes", str(index))
        if self.default_duration_minutes is not None and self.default_duration_minutes not in self.durations_minutes:
            yield Problem(("defaultDurationMinutes",), Rule.NOT_ONE_OF, values=_options(self.durations_minutes))
        if self.start_increment_minutes is not None and self.start_increment_minutes not in START_INCREMENTS:
            yield Problem(("startIncrementMinutes",), Rule.NOT_ONE_OF, values=_options(START_INCREMENTS))
        yield _between(self.buffer_before_minutes, 0, MAX_BUFFER_MINUTES, "bufferBefore")
        yield _between(self.buffer_after_minutes, 0, MAX_BUFFER_MINUTES, "bufferAfter")

    def _window_problems(self) -> Iterator[Problem | None]:
        yield _notice_problem(self.minimum_notice, "minimumNotice")
        yield _notice_problem(self.cancellation_notice, "cancellationNotice")
        if isinstance(self.window, RollingWindow):
            yield _between(self.window.days, 1, MAX_WINDOW_DAYS, "rollingWindow")
        elif self.window.last < self.window.first:
            yield Problem(("windowTo",), Rule.END_BEFORE_START)
        if self.max_per_day is not None:
            yield _between(self.max_per_day, 1, MAX_CAP, "maxPerDay")
        if self.max_per_week is not None:
            yield _between(self.max_per_week, 1, MAX_CAP, "maxPerWeek")

    def _reminder_problems(self) -> Iterator[Problem | None]:
        if len(self.reminders) > MAX_REMINDERS:
            yield Problem(("reminders",), Rule.TOO_MANY, values={"most": MAX_REMINDERS})
        if len(set(self.reminders)) != len(self.reminders):
            yield Problem(("reminders",), Rule.DUPLICATE)
        for index, reminder in enumerate(self.reminders):
            if reminder.negative or not reminder.longest_minutes:
                yield Problem(("reminders", str(index)), Rule.TOO_SMALL, values={"least": "PT1M"})
            elif reminder.longest_minutes > MAX_NOTICE_DAYS * 1440:
                yield Problem(("reminders", str(index)), Rule.TOO_LARGE, values={"most": f"P{MAX_NOTICE_DAYS}D"})


def _notice_problem(notice: Period, name: str) -> Problem | None:
    if notice.negative:
        return Problem((name,), Rule.TOO_SMALL, values={"least": "PT0M"})
    if notice.longest_minutes > MAX_NOTICE_DAYS * 1440:
        return Problem((name,), Rule.TOO_LARGE, values={"most": f"P{MAX_NOTICE_DAYS}D"})
    return None


def _between(value: int, least: int, most: int, *path: str) -> Problem | None:
    if least <= value <= most:
        return None
    return Problem(path, Rule.TOO_SMALL if value < least else Rule.TOO_LARGE, values={"least": least, "most": most})


def _options(values: tuple[int, ...]) -> dict[str, object]:
    return {"options": ", ".join(str(value) for value in values)}
