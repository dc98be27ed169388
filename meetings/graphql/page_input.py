"""A page as its host sends it: used to create and to change one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import strawberry

from meetings.application.scheduling_pages import ChangePage, CreatePage
from meetings.domain import booking_form, page_settings
from meetings.domain.availability_rules import AvailabilityRules, WallRange, WeeklyHours
from meetings.domain.base import InvalidInput, Problem, refuse
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.mail_domain import mail_domain
from meetings.domain.page_settings import FixedWindow, PageSettings, RollingWindow
from meetings.domain.period import Period
from meetings.domain.scheduling_page import PageHost
from meetings.domain.slug import normal_slug, slug_problem
from meetings.domain.user import User
from meetings.graphql.availability_rules import AvailabilityRulesInput
from meetings.graphql.enums import AvatarChoice, ColorScheme, FieldKind, LocationKind, PageType, Rule
from meetings.graphql.node_ids import Kind, from_id


@strawberry.input(description="Somebody one can meet on the page.")
class PageHostInput:
    """A page of the type `ONE_ON_ONE` has exactly one."""

    user_id: strawberry.ID = strawberry.field(description="Who.")
    weight: int = strawberry.field(default=100, description="Their share of a round robin's meetings, 0 to 1,000.")
    check_availability: bool = strawberry.field(
        default=True, description="Off counts the page's hours alone; this host's calendar is not asked."
    )
    max_per_day: int | None = strawberry.field(
        default=None, description="How many meetings a day this host takes from this page; `null` for any number."
    )

    def host(self) -> PageHost:
        own = UserId(from_id(Kind.USER, self.user_id))
        return PageHost(own, self.weight, self.check_availability, self.max_per_day)


@strawberry.input(description="A question of the booking form, on top of first name, last name and e-mail address.")
class FormFieldInput:
    """The order of the list is the order of the form."""

    key: str = strawberry.field(description="A letter, then letters, digits and underscores; at most 40, each once.")
    label: str = strawberry.field(description="What the visitor is asked, at most 300 characters.")
    kind: FieldKind = strawberry.field(description="How it is filled in.")
    required: bool = strawberry.field(default=False, description="Whether it must be answered.")
    options: list[str] = strawberry.field(
        default_factory=list, description="What can be chosen, for the kinds `SELECT` and `MULTI_SELECT`."
    )
    hidden: bool = strawberry.field(default=False, description="Filled in by the link alone, not shown.")
    contact_property: str | None = strawberry.field(
        default=None, description="The contact's property it fills in the CRM."
    )

    def field(self) -> booking_form.FormField:
        return booking_form.FormField(
            key=self.key,
            label=self.label,
            kind=self.kind,
            required=self.required,
            options=tuple(self.options),
            contact_property=self.contact_property,
            hidden=self.hidden,
        )


@strawberry.input(description="Something the visitor may or must agree to.")
class ConsentOptionInput:
    """At most ten."""

    key: str = strawberry.field(description="A letter, then letters, digits and underscores; at most 40, each once.")
    text_markdown: str = strawberry.field(description="What is agreed to, at most 5,000 characters.")
    required: bool = strawberry.field(description="Whether booking needs it.")

    def option(self) -> booking_form.ConsentOption:
        return booking_form.ConsentOption(self.key, self.text_markdown, self.required)


@strawberry.input(
    description="Used to create and to change a page. When changing, a field left out is unchanged and `null` clears "
    "what can be empty. When creating, `internalName` and `durationsMinutes` are needed, everything else has a default."
)
class SchedulingPageInput:
    """Everything a host sets on a page."""

    type: strawberry.Maybe[PageType | None] = strawberry.field(
        default=None, description="How many hosts meet the invitee; `ONE_ON_ONE` unless said. Cannot change later."
    )
    slug: strawberry.Maybe[str | None] = strawberry.field(
        default=None,
        description="The path: small letters, digits, `.`, `_`, `-`, at most one slash. Unique over everything. Left "
        "out when creating, the organizer's meeting URL, or below it what the page is called.",
    )
    organizer_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="Whose page it is; the caller's unless said. Cannot change later."
    )
    hosts: strawberry.Maybe[list[PageHostInput] | None] = strawberry.field(
        default=None, description="Whom one meets; the organizer unless said."
    )
    internal_name: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="What colleagues call it; visitors never see it. At most 200 characters."
    )
    headline: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="What it is about, at most 200 characters; the internal name unless said."
    )
    description: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="More words, at most 10,000 characters."
    )
    event_title: strawberry.Maybe[str | None] = strawberry.field(
        default=None,
        description="Title of the calendar event, with placeholders such as `{{firstName}}`, `{{company}}`, `{{host}}` "
        "and the keys of form fields.",
    )
    location_kind: strawberry.Maybe[LocationKind | None] = strawberry.field(
        default=None, description="Where one meets; `VIDEO` unless said."
    )
    location_text: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The address, number or words, where the kind alone does not say it."
    )
    locale: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The page's language, such as `de` or `de-DE`; the organizer's unless said."
    )
    accent_color: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="A colour such as `#1a2b3c`."
    )
    color_scheme: strawberry.Maybe[ColorScheme | None] = strawberry.field(
        default=None, description="`AUTO` unless said."
    )
    logo_url: strawberry.Maybe[str | None] = strawberry.field(default=None, description="The organisation's logo.")
    avatar: strawberry.Maybe[AvatarChoice | None] = strawberry.field(
        default=None, description="Which picture is shown; the host's unless said."
    )
    avatar_url: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The picture for `CUSTOM_AVATAR`."
    )
    durations_minutes: strawberry.Maybe[list[int] | None] = strawberry.field(
        default=None, description="How long one can meet: 1 to 12 different durations of 1 to 1,440 minutes."
    )
    default_duration_minutes: strawberry.Maybe[int | None] = strawberry.field(
        default=None, description="The duration that is meant when none is named; `null` for the first."
    )
    start_increment_minutes: strawberry.Maybe[int | None] = strawberry.field(
        default=None,
        description="Distance of start times: 5, 10, 15, 20, 30, 45, 60, 90 or 120; `null` for the meeting's duration.",
    )
    buffer_before: strawberry.Maybe[Period | None] = strawberry.field(
        default=None, description="Free time kept before each meeting, in hours and minutes, at most `PT24H`."
    )
    buffer_after: strawberry.Maybe[Period | None] = strawberry.field(
        default=None, description="Free time kept after each meeting, in hours and minutes, at most `PT24H`."
    )
    minimum_notice: strawberry.Maybe[Period | None] = strawberry.field(
        default=None, description="How long before it begins a meeting must be booked; `PT4H` unless said."
    )
    cancellation_notice: strawberry.Maybe[Period | None] = strawberry.field(
        default=None, description="How long before it begins the invitee may last move or cancel a meeting."
    )
    rolling_window: strawberry.Maybe[Period | None] = strawberry.field(
        default=None, description="How many days ahead one can book, 1 to 366; `P60D` unless said."
    )
    window_from: strawberry.Maybe[date | None] = strawberry.field(
        default=None, description="First day of a fixed booking window; with `windowTo`, instead of `rollingWindow`."
    )
    window_to: strawberry.Maybe[date | None] = strawberry.field(
        default=None, description="Last day of a fixed booking window."
    )
    max_per_day: strawberry.Maybe[int | None] = strawberry.field(
        default=None, description="How many meetings a day the page takes; `null` for any number."
    )
    max_per_week: strawberry.Maybe[int | None] = strawberry.field(
        default=None, description="How many meetings a week, from Monday, the page takes; `null` for any number."
    )
    availability: strawberry.Maybe[AvailabilityRulesInput | None] = strawberry.field(
        default=None, description="Opening hours; Monday to Friday, 09:00 to 17:00 in the organizer's zone unless said."
    )
    form_fields: strawberry.Maybe[list[FormFieldInput] | None] = strawberry.field(
        default=None, description="Questions of the form, at most 50. Taken whole."
    )
    guests_allowed: strawberry.Maybe[bool | None] = strawberry.field(
        default=None, description="Whether the invitee may bring people."
    )
    max_guests: strawberry.Maybe[int | None] = strawberry.field(
        default=None, description="How many, 1 to 10; 10 unless said."
    )
    consents: strawberry.Maybe[list[ConsentOptionInput] | None] = strawberry.field(
        default=None, description="What is to be agreed to, at most ten. Taken whole."
    )
    redirect_url: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="Where the visitor goes after booking."
    )
    reminders: strawberry.Maybe[list[Period] | None] = strawberry.field(
        default=None, description="How long before the meeting the invitee is reminded by mail; at most three."
    )
    reminders_include_description: strawberry.Maybe[bool | None] = strawberry.field(
        default=None, description="Whether reminders repeat the page's description."
    )

    blocked_email_domains: strawberry.Maybe[list[str] | None] = strawberry.field(
        default=None,
        description="Domains, such as `example.com`, whose addresses cannot book, those under them included; at most "
        "200. Taken whole.",
    )
    block_free_email: strawberry.Maybe[bool | None] = strawberry.field(
        default=None, description="Whether addresses of the large free mail services cannot book."
    )
    captcha: strawberry.Maybe[bool | None] = strawberry.field(
        default=None,
        description="Whether visitors have to solve a captcha, where `server.captchaSiteKey` says that there is one.",
    )

    def creation(self, organizer: User) -> CreatePage:
        """The wish for a new page.

        Raises:
            InvalidInput: every bad value at once, those of the settings included.
        """
        missing = [
            Problem((graphql_name,), Rule.REQUIRED)
            for name, graphql_name in (
                ("internal_name", "internalName"),
                ("durations_minutes", "durationsMinutes"),
            )
            if getattr(self, name) is None
        ]
        name = self.internal_name.value if self.internal_name and self.internal_name.value else ""
        start = PageSettings(
            internal_name=name or "-",
            headline=name[:200] or "-",
            durations_minutes=(30,),
            availability=_office_hours(organizer.settings.time_zone),
            locale=organizer.settings.locale,
        )
        return CreatePage(
            type=_value_of(self.type) or PageType.ONE_ON_ONE,
            slug=_value_of(self.slug),
            settings=self._applied_to(start, missing),
            organizer_id=self._organizer(),
            hosts=self._hosts(),
        )

    def change(self, page_id: PageId, if_revision: int | None) -> ChangePage:
        """The wish to change a page.

        Raises:
            InvalidInput: the organizer is named, who cannot change.
        """
        refuse(Problem(("organizerId",), Rule.CANNOT_CHANGE) if self.organizer_id is not None else None)
        return ChangePage(
            page_id=page_id,
            settings=lambda current: self._applied_to(current, []),
            type=_value_of(self.type),
            slug=_value_of(self.slug),
            hosts=self._hosts(),
            if_revision=if_revision,
        )

    def _organizer(self) -> UserId | None:
        given = _value_of(self.organizer_id)
        return UserId(from_id(Kind.USER, given)) if given is not None else None

    def _hosts(self) -> list[PageHost] | None:
        given = _value_of(self.hosts)
        return [host.host() for host in given] if given is not None else None

    def _applied_to(self, current: PageSettings, problems: list[Problem]) -> PageSettings:
        """The settings with what was given.

        Raises:
            InvalidInput: something given cannot be a value at all; together with all other problems.
        """
        changes = _Changes(problems)
        for name, graphql_name in _OF_THE_PAGE.items():
            changes.take(getattr(self, name), graphql_name, name, keep=False)
        for name, graphql_name in _REQUIRED.items():
            changes.take(getattr(self, name), graphql_name, name)
        for name, graphql_name in _NULLABLE.items():
            changes.take(getattr(self, name), graphql_name, name, nullable=True)
        for name, graphql_name, read in _CONVERTED:
            changes.take(getattr(self, name), graphql_name, name, read=read)
        self._take_minutes(changes)
        changed = replace(
            current,
            **changes.values,
            location=self._location(current, changes),
            theme=self._theme(current, changes),
            window=self._window(current, changes),
            guests=self._guests(current, changes),
        )
        if changes.problems:
            slug = _value_of(self.slug)
            of_slug = slug_problem(normal_slug(slug), "slug") if slug is not None else None
            raise InvalidInput(problem for problem in (*changes.problems, of_slug, *changed.problems()) if problem)
        return changed

    def _take_minutes(self, changes: "_Changes") -> None:
        for name, graphql_name in (("buffer_before", "bufferBefore"), ("buffer_after", "bufferAfter")):
            given: strawberry.Some[Period | None] | None = getattr(self, name)
            if given is not None and given.value is not None and given.value.days:
                changes.problems.append(Problem((graphql_name,), Rule.MALFORMED))
            else:
                changes.take(given, graphql_name, f"{name}_minutes", read=_minutes)

    def _location(self, current: PageSettings, changes: "_Changes") -> page_settings.MeetingLocation:
        kind = changes.one(self.location_kind, "locationKind", current.location.kind)
        text = current.location.text if self.location_text is None else self.location_text.value
        return page_settings.MeetingLocation(kind, text or None)

    def _theme(self, current: PageSettings, changes: "_Changes") -> page_settings.PageTheme:
        theme = current.theme
        return page_settings.PageTheme(
            accent_color=theme.accent_color if self.accent_color is None else self.accent_color.value,
            color_scheme=changes.one(self.color_scheme, "colorScheme", theme.color_scheme),
            logo_url=theme.logo_url if self.logo_url is None else self.logo_url.value,
            avatar=changes.one(self.avatar, "avatar", theme.avatar),
            avatar_url=theme.avatar_url if self.avatar_url is None else self.avatar_url.value,
        )

    def _guests(self, current: PageSettings, changes: "_Changes") -> booking_form.GuestPolicy:
        allowed = changes.one(self.guests_allowed, "guestsAllowed", current.guests.allowed)
        most = current.guests.most or booking_form.MAX_GUESTS
        return booking_form.GuestPolicy(allowed, changes.one(self.max_guests, "maxGuests", most) if allowed else 0)

    def _window(self, current: PageSettings, changes: "_Changes") -> RollingWindow | FixedWindow:
        """Either rolling or fixed: what is given with a value wins; giving both kinds is a problem."""
        rolling = _value_of(self.rolling_window)
        first, last = _value_of(self.window_from), _value_of(self.window_to)
        if rolling is not None:
            if first is not None or last is not None:
                changes.problems.append(Problem(("rollingWindow",), Rule.NOT_ALLOWED_HERE))
            if rolling.minutes:
                changes.problems.append(Problem(("rollingWindow",), Rule.WHOLE_DAYS_ONLY))
                return current.window
            return RollingWindow(rolling.days)
        if first is None and last is None:
            return self._cleared_window(current, changes)
        known = current.window if isinstance(current.window, FixedWindow) else None
        first, last = first or (known.first if known else None), last or (known.last if known else None)
        if first is None or last is None:
            changes.problems.append(Problem(("windowFrom" if first is None else "windowTo",), Rule.REQUIRED))
            return current.window
        return FixedWindow(first, last)

    def _cleared_window(self, current: PageSettings, changes: "_Changes") -> RollingWindow | FixedWindow:
        """`null` takes away the kind of window it belongs to, which another one has to follow."""
        fixed = isinstance(current.window, FixedWindow)
        cleared = (self.window_from, self.window_to) if fixed else (self.rolling_window,)
        if any(given is not None for given in cleared):
            changes.problems.append(Problem(("rollingWindow",), Rule.REQUIRED))
        return current.window


class _Changes:
    """New values by the setting's name, and what was wrong with them."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.values: dict[str, Any] = {}

    def take(
        self,
        given: "strawberry.Some[Any] | None",
        graphql_name: str,
        name: str,
        *,
        nullable: bool = False,
        keep: bool = True,
        read: Callable[[Any], Any] | None = None,
    ) -> None:
        """Take a value that was given; a `null` only where it is one."""
        if given is None:
            return
        if given.value is None and not nullable:
            self.problems.append(Problem((graphql_name,), Rule.REQUIRED))
        elif keep:
            self.values[name] = read(given.value) if read else given.value

    def one(self, given: "strawberry.Some[Any] | None", graphql_name: str, current: Any) -> Any:
        """The value given, or the current one; a `null` is a problem."""
        if given is not None and given.value is None:
            self.problems.append(Problem((graphql_name,), Rule.REQUIRED))
        return current if given is None or given.value is None else given.value


_OF_THE_PAGE = {"type": "type", "slug": "slug", "hosts": "hosts", "organizer_id": "organizerId"}
"""What is not one of the settings, but taken by the use case itself."""

_REQUIRED = {
    "internal_name": "internalName",
    "headline": "headline",
    "event_title": "eventTitle",
    "locale": "locale",
    "minimum_notice": "minimumNotice",
    "cancellation_notice": "cancellationNotice",
    "reminders_include_description": "remindersIncludeDescription",
    "block_free_email": "blockFreeEmail",
    "captcha": "captcha",
}
_NULLABLE = {
    "description": "description",
    "default_duration_minutes": "defaultDurationMinutes",
    "start_increment_minutes": "startIncrementMinutes",
    "max_per_day": "maxPerDay",
    "max_per_week": "maxPerWeek",
    "redirect_url": "redirectUrl",
}


def _fields(given: list[FormFieldInput]) -> tuple[booking_form.FormField, ...]:
    return tuple(entry.field() for entry in given)


def _options(given: list[ConsentOptionInput]) -> tuple[booking_form.ConsentOption, ...]:
    return tuple(option.option() for option in given)


def _domains(given: list[str]) -> tuple[str, ...]:
    """In the form they are compared in; what is none stays as it is, to be told."""
    return tuple(dict.fromkeys((None if "@" in each else mail_domain(each)) or each for each in given))


def _rules(given: AvailabilityRulesInput) -> AvailabilityRules:
    return given.rules()


_CONVERTED: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("durations_minutes", "durationsMinutes", tuple),
    ("reminders", "reminders", tuple),
    ("form_fields", "formFields", _fields),
    ("consents", "consents", _options),
    ("availability", "availability", _rules),
    ("blocked_email_domains", "blockedEmailDomains", _domains),
)


def _minutes(given: Period) -> int:
    return given.minutes


def _value_of(given: "strawberry.Some[Any] | None") -> Any:
    return given.value if given is not None else None


def _office_hours(zone: str) -> AvailabilityRules:
    return AvailabilityRules(zone, (WeeklyHours((0, 1, 2, 3, 4), WallRange(9 * 60, 17 * 60)),))
