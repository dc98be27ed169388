"""A page that offers times and takes bookings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from meetings.domain.availability import HostTime, Pool, Reason, SlotRules, free_hosts, open_starts, why_not
from meetings.domain.base import (
    Aggregate,
    DomainError,
    DomainEvent,
    InvalidInput,
    Problem,
    ProblemCode,
    Rule,
    refuse,
)
from meetings.domain.blocked_addresses import blocked_problem
from meetings.domain.booking import Booking, BookingSource, BookingState, Invitee
from meetings.domain.booking_form import (
    GivenConsent,
    answer_problems,
    consent_answer_problems,
    guest_problems,
    kept_answers,
)
from meetings.domain.event_title import render_title
from meetings.domain.identifiers import AccountId, BookingId, CalendarId, PageId, UserId
from meetings.domain.page_settings import FixedWindow, PageSettings
from meetings.domain.slug import normal_slug, slug_problem
from meetings.domain.text import email_problem, locale_problem, text_problem, time_zone_problem
from meetings.domain.timespan import TimeSpan, at_minute, ceil_minute, floor_minute

MAX_NAME = 100
MAX_MESSAGE = 2_000
MAX_PROPOSALS = 3
MAX_UTM_TAGS = 20
ALTERNATIVES = 3
_ALTERNATIVES_WITHIN = timedelta(days=14)


class PageType(Enum):
    """How many hosts meet the invitee: the one, all of them, or any one of them."""

    ONE_ON_ONE = "ONE_ON_ONE"
    GROUP = "GROUP"
    ROUND_ROBIN = "ROUND_ROBIN"


class StaleRevision(DomainError):
    """The page was changed since the caller read it."""

    def __init__(self, current: int) -> None:
        self.current = current
        super().__init__(f"the page is at revision {current}")


class SlotTaken(DomainError):
    """Somebody or some event has this time, or comes too close to it."""

    def __init__(self, slot: TimeSpan, alternatives: Sequence[TimeSpan] = ()) -> None:
        self.slot = slot
        self.alternatives = tuple(alternatives)
        super().__init__(f"taken: {slot.start.isoformat()}")


class SlotUnavailable(DomainError):
    """The page never offers this time, whoever is free; `reason` says which rule."""

    def __init__(self, slot: TimeSpan, reason: Reason, alternatives: Sequence[TimeSpan] = ()) -> None:
        self.slot = slot
        self.reason = reason
        self.alternatives = tuple(alternatives)
        super().__init__(f"not offered ({reason.name}): {slot.start.isoformat()}")


class PageOffline(DomainError):
    """No calendar stands behind the page; times can be requested, not booked."""


class PageOnline(DomainError):
    """The page books at once; requesting a time is for offline pages."""


class BookingBlocked(DomainError):
    """Nobody can book this page now."""


class CalendarUnverified(DomainError):
    """A host's calendar could not be read just now, so the time is not known to be free; worth another try (A-AV15)."""


@dataclass(frozen=True, slots=True)
class PageHost:
    """A person one can meet on a page.

    With `check_availability` off, this host's calendar is not asked: the page's hours alone count.
    """

    user_id: UserId
    weight: int = 100
    check_availability: bool = True
    max_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class BookingForm:
    """What a visitor sends in, unchecked."""

    first_name: str
    last_name: str
    email: str
    time_zone: str
    duration_minutes: int | None = None
    locale: str | None = None
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guests: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    message: str | None = None
    source: BookingSource = BookingSource()


@dataclass(frozen=True, kw_only=True)
class PageEvent(DomainEvent):
    """Something happened to a page."""

    page_id: PageId


@dataclass(frozen=True, kw_only=True)
class PageCreated(PageEvent):
    """A page was published."""


@dataclass(frozen=True, kw_only=True)
class PageChanged(PageEvent):
    """A page's settings changed; it may offer other times now."""


@dataclass(frozen=True, kw_only=True)
class PageArchived(PageEvent):
    """A page was taken down; its address answers nothing."""


@dataclass(frozen=True, kw_only=True)
class PageRestored(PageEvent):
    """An archived page is up again."""


@dataclass(kw_only=True, eq=False)
class SchedulingPage(Aggregate):
    """A page people book on. Exists without a calendar (S7); its slug is unique over all accounts and never moves.

    `revision` counts what its owner changed, for `ifRevision`.
    """

    id: PageId
    type: PageType
    slug: str
    organizer_id: UserId
    hosts: tuple[PageHost, ...]
    settings: PageSettings
    created_at: datetime
    updated_at: datetime
    revision: int = 1
    archived_at: datetime | None = None

    @classmethod
    def create(
        cls,
        page_id: PageId,
        *,
        account_id: AccountId,
        type: PageType,
        slug: str,
        organizer_id: UserId,
        hosts: Sequence[PageHost],
        settings: PageSettings,
        now: datetime,
    ) -> "SchedulingPage":
        """A new page.

        Raises:
            InvalidInput: every bad value at once, the slug's (SLUG_INVALID) included.
        """
        slug = normal_slug(slug)
        refuse(*_host_problems(type, hosts), slug_problem(slug, "slug"), *settings.problems())
        page = cls(
            id=page_id,
            account_id=account_id,
            type=type,
            slug=slug,
            organizer_id=organizer_id,
            hosts=tuple(hosts),
            settings=settings,
            created_at=now,
            updated_at=now,
        )
        page.record(PageCreated(at=now, page_id=page.id))
        return page

    def change(
        self,
        settings: PageSettings,
        *,
        now: datetime,
        slug: str | None = None,
        hosts: Sequence[PageHost] | None = None,
        type: PageType | None = None,
        if_revision: int | None = None,
    ) -> None:
        """Take new settings whole; slug and hosts only where given. Settings equal to the current ones change nothing.

        Raises:
            StaleRevision: `if_revision` is not the current one.
            InvalidInput: every bad value at once; the type cannot change (A-SP1). Nothing changed then.
        """
        if if_revision is not None and if_revision != self.revision:
            raise StaleRevision(self.revision)
        slug = self.slug if slug is None else normal_slug(slug)
        new_hosts = self.hosts if hosts is None else tuple(hosts)
        refuse(
            Problem(("type",), Rule.CANNOT_CHANGE) if type not in (None, self.type) else None,
            slug_problem(slug, "slug"),
            *_host_problems(self.type, new_hosts),
            *settings.problems(),
        )
        if (settings, slug, new_hosts) != (self.settings, self.slug, self.hosts):
            self.settings, self.slug, self.hosts = settings, slug, new_hosts
            self._touch(PageChanged(at=now, page_id=self.id))

    def archive(self, *, now: datetime) -> None:
        """Take the page down. A second call changes nothing."""
        if self.archived_at is None:
            self.archived_at = now
            self._touch(PageArchived(at=now, page_id=self.id))

    def restore(self, *, now: datetime) -> None:
        """Put an archived page up again. A second call changes nothing."""
        if self.archived_at is not None:
            self.archived_at = None
            self._touch(PageRestored(at=now, page_id=self.id))

    # --- what the page offers ------------------------------------------------------------------------------------

    @property
    def pool(self) -> Pool:
        """Whether all hosts have to be free, or any one."""
        return Pool.ANY if self.type is PageType.ROUND_ROBIN else Pool.ALL

    @property
    def time_zone(self) -> str:
        """The zone of the page's hours, days and weeks."""
        return self.settings.availability.time_zone

    def offered_duration(self, minutes: int | None) -> int:
        """The duration meant by `minutes`; None is the page's default.

        Raises:
            InvalidInput: DURATION_NOT_OFFERED (A-BO4).
        """
        duration = self.settings.default_duration if minutes is None else minutes
        refuse(self._duration_problem(minutes))
        return duration

    def slot_rules(self, duration: int, *, now: datetime, by_host: bool = False) -> SlotRules:
        """The rules of the availability engine for meetings of `duration` minutes, as of `now`.

        A host who accepts or moves a meeting themselves (`by_host`) is not held to the booking window.
        """
        first, last = (None, None) if by_host else self.booking_dates(now=now)
        settings = self.settings
        return SlotRules(
            hours=settings.availability.opening_hours(),
            duration=duration,
            increment=settings.start_increment_minutes or duration,
            buffer_before=settings.buffer_before_minutes,
            buffer_after=settings.buffer_after_minutes,
            first_date=first,
            last_date=last,
            max_per_day=settings.max_per_day,
            max_per_week=settings.max_per_week,
        )

    def booking_dates(self, *, now: datetime) -> tuple[date, date]:
        """First and last bookable date, both included, in the page's zone."""
        today = now.astimezone(ZoneInfo(self.time_zone)).date()
        window = self.settings.window
        if isinstance(window, FixedWindow):
            return max(window.first, today), window.last
        return today, today + timedelta(days=window.days)

    def earliest(self, *, now: datetime, by_host: bool = False) -> int:
        """The earliest start the minimum notice leaves, in minutes since the epoch (A-SP7); a host needs no notice."""
        return ceil_minute(now if by_host else self.settings.minimum_notice.after(now, self.time_zone))

    def open_starts(
        self,
        span: TimeSpan,
        duration: int,
        *,
        hosts: Sequence[HostTime],
        meetings: Sequence[int],
        now: datetime,
    ) -> list[int]:
        """Every start offered in `span`: minutes since the epoch, sorted.

        `meetings` are the starts of this page's meetings that count toward its caps.
        """
        return open_starts(
            self.slot_rules(duration, now=now),
            hosts,
            self.pool,
            start=ceil_minute(span.start),
            end=ceil_minute(span.end),
            earliest=self.earliest(now=now),
            page_meetings=meetings,
        )

    def free_hosts(
        self,
        start: datetime,
        duration: int,
        *,
        hosts: Sequence[HostTime],
        meetings: Sequence[int],
        now: datetime,
        by_host: bool = False,
    ) -> list[UserId]:
        """Who takes a meeting that begins at `start`: all hosts, or for a round-robin page those who are free.

        Decided by the same function that lists the open starts. For alternatives that hold, `hosts` and `meetings` have
        to be complete in the `surroundings` of the slot.

        Raises:
            SlotTaken: somebody or some event has the time; with up to three alternatives.
            SlotUnavailable: the page never offers it; with the reason and up to three alternatives.
            CalendarUnverified: it would be offered if a calendar could be read.
        """
        rules = self.slot_rules(duration, now=now, by_host=by_host)
        earliest = self.earliest(now=now, by_host=by_host)
        slot = TimeSpan(start, start + timedelta(minutes=duration))
        on_the_minute = at_minute(floor_minute(start)) == start
        if on_the_minute:
            free = set(free_hosts(rules, hosts, start=floor_minute(start), earliest=earliest, page_meetings=meetings))
            chosen = [host.user_id for host in self.hosts if str(host.user_id) in free]
            if chosen and (self.pool is Pool.ANY or len(chosen) == len(self.hosts)):
                return chosen
            missing = why_not(
                rules, hosts, self.pool, start=floor_minute(start), earliest=earliest, page_meetings=meetings
            )
            reason = missing.reason if missing else Reason.BUSY
        else:
            reason = Reason.NOT_ON_GRID
        if reason is Reason.HOST_UNREACHABLE:
            raise CalendarUnverified
        alternatives = self._alternatives(slot, duration, hosts=hosts, meetings=meetings, now=now)
        if reason in (Reason.BUSY, Reason.BUFFER, Reason.HELD):
            raise SlotTaken(slot, alternatives)
        raise SlotUnavailable(slot, reason, alternatives)

    def chosen_of(self, free: Sequence[UserId]) -> list[UserId]:
        """Who of the free hosts takes the meeting: all, or on a round-robin page the first."""
        return list(free[:1] if self.pool is Pool.ANY else free)

    def _alternatives(
        self, slot: TimeSpan, duration: int, *, hosts: Sequence[HostTime], meetings: Sequence[int], now: datetime
    ) -> list[TimeSpan]:
        """The open slots nearest to the wished one, at most three, sorted by start."""
        found = self.open_starts(surroundings(slot, now=now), duration, hosts=hosts, meetings=meetings, now=now)
        wished = max(slot.start, now)
        nearest = sorted(found, key=lambda start: abs(at_minute(start) - wished))[:ALTERNATIVES]
        return [TimeSpan(at_minute(start), at_minute(start) + timedelta(minutes=duration)) for start in sorted(nearest)]

    # --- bookings ------------------------------------------------------------------------------------------------

    def check_form(self, form: BookingForm) -> None:
        """Raise `InvalidInput` with everything wrong in what a visitor sent; online and offline alike (A-OF4)."""
        refuse(*self.form_problems(form))

    def form_problems(self, form: BookingForm) -> Iterator[Problem | None]:
        """Everything wrong in what a visitor sent; None entries count as none."""
        yield text_problem(form.first_name, "invitee", "firstName", most=MAX_NAME)
        yield text_problem(form.last_name, "invitee", "lastName", most=MAX_NAME)
        wrong_address = email_problem(form.email.strip(), "invitee", "email")
        yield wrong_address or blocked_problem(
            form.email,
            self.settings.blocked_email_domains,
            "invitee",
            "email",
            free_too=self.settings.block_free_email,
        )
        yield time_zone_problem(form.time_zone, "timeZone")
        if form.locale is not None:
            yield locale_problem(form.locale, "locale")
        if form.message is not None:
            yield text_problem(form.message, "message", most=MAX_MESSAGE, required=False, lines=True)
        yield self._duration_problem(form.duration_minutes)
        yield from answer_problems(self.settings.form_fields, form.answers, "answers")
        yield from guest_problems(self.settings.guests, _stripped(form.guests), form.email.strip(), "guests")
        yield from consent_answer_problems(self.settings.consents, form.consents, "consents")
        yield from _source_problems(form.source)

    def _duration_problem(self, minutes: int | None) -> Problem | None:
        if minutes is None or minutes in self.settings.durations_minutes:
            return None
        options = ", ".join(str(duration) for duration in self.settings.durations_minutes)
        return Problem(
            ("durationMinutes",), Rule.NOT_ONE_OF, ProblemCode.DURATION_NOT_OFFERED, values={"options": options}
        )

    def reserve(
        self,
        booking_id: BookingId,
        start: datetime,
        form: BookingForm,
        *,
        hosts: Sequence[HostTime],
        meetings: Sequence[int],
        host_name: str,
        calendar_id: CalendarId,
        now: datetime,
    ) -> Booking:
        """Reserve the slot that begins at `start` (aware).

        `hosts` carry what is known to be busy; `meetings` as in `open_starts`. A round-robin page takes its first
        free host. The booking is PENDING; its event belongs into `calendar_id`.

        Raises:
            InvalidInput: the form.
            SlotTaken, SlotUnavailable, CalendarUnverified: as `free_hosts`.
        """
        self.check_form(form)
        duration = self.offered_duration(form.duration_minutes)
        free = self.free_hosts(start, duration, hosts=hosts, meetings=meetings, now=now)
        chosen = self.chosen_of(free)
        booking = self._booking(booking_id, BookingState.PENDING, [start], duration, form, chosen, host_name, now)
        booking.calendar_id = calendar_id
        return booking

    def request(
        self,
        booking_id: BookingId,
        starts: Sequence[datetime],
        form: BookingForm,
        *,
        hosts: Sequence[HostTime],
        meetings: Sequence[int],
        host_name: str,
        now: datetime,
    ) -> Booking:
        """Ask for up to three times on an offline page; nothing is held and no calendar is written (S10, S11).

        Raises:
            InvalidInput: the form, or no start, more than three, or one twice.
            SlotTaken, SlotUnavailable: the page does not offer one of the starts.
        """
        refuse(*self.form_problems(form), *_proposal_problems(starts))
        duration = self.offered_duration(form.duration_minutes)
        for start in starts:
            self.free_hosts(start, duration, hosts=hosts, meetings=meetings, now=now)
        chosen = self.chosen_of([host.user_id for host in self.hosts])
        return self._booking(booking_id, BookingState.REQUESTED, starts, duration, form, chosen, host_name, now)

    def _booking(
        self,
        booking_id: BookingId,
        state: BookingState,
        starts: Sequence[datetime],
        duration: int,
        form: BookingForm,
        hosts: Sequence[UserId],
        host_name: str,
        now: datetime,
    ) -> Booking:
        texts = {option.key: option.text_markdown for option in self.settings.consents}
        slot = TimeSpan(starts[0], starts[0] + timedelta(minutes=duration))
        booking = Booking(
            id=booking_id,
            account_id=self.account_id,
            page_id=self.id,
            hosts=tuple(hosts),
            invitee=Invitee(
                first_name=form.first_name.strip(),
                last_name=form.last_name.strip(),
                email=form.email.strip(),
                time_zone=form.time_zone,
                locale=form.locale or self.settings.locale,
            ),
            start=slot.start,
            end=slot.end,
            title=self.event_title(form, host_name),
            location=self.settings.location,
            state=state,
            created_at=now,
            answers=kept_answers(self.settings.form_fields, form.answers),
            guests=_stripped(form.guests),
            consents=tuple(GivenConsent(key, texts[key], now) for key in dict.fromkeys(form.consents)),
            message=form.message or None,
            proposed=tuple(TimeSpan(start, start).start for start in starts) if state is BookingState.REQUESTED else (),
            source=form.source,
        )
        booking.announce(now=now)
        return booking

    def event_title(self, form: BookingForm, host_name: str) -> str:
        """The event's title with its tokens filled in (A-SP2); the headline where nothing is left of it."""
        answers = {key: ", ".join(values) for key, values in form.answers.items()}
        values = {
            **answers,
            "firstName": form.first_name,
            "lastName": form.last_name,
            "name": f"{form.first_name} {form.last_name}",
            "email": form.email,
            "host": host_name,
            "page": self.settings.headline,
        }
        return render_title(self.settings.event_title, values) or self.settings.headline

    def changeable_until(self, booking: Booking) -> datetime:
        """Until when the invitee may move or cancel: the page's cancellation notice before the start."""
        return self.settings.cancellation_notice.before(booking.start, self.time_zone)

    def copy(
        self, page_id: PageId, slug: str, *, organizer_id: UserId, hosts: Sequence[PageHost], now: datetime
    ) -> "SchedulingPage":
        """A new page with the same settings under another slug (A-SP16).

        Raises:
            InvalidInput: the slug.
        """
        name = f"{self.settings.internal_name} (2)"[:200]
        return SchedulingPage.create(
            page_id,
            account_id=self.account_id,
            type=self.type,
            slug=slug,
            organizer_id=organizer_id,
            hosts=hosts,
            settings=replace(self.settings, internal_name=name),
            now=now,
        )

    def _touch(self, event: PageEvent) -> None:
        self.revision += 1
        self.updated_at = event.at
        self.record(event)


def _host_problems(type: PageType, hosts: Sequence[PageHost]) -> Iterator[Problem]:
    if type is not PageType.ONE_ON_ONE:
        yield Problem(("type",), Rule.NOT_AVAILABLE_YET, values={"available": PageType.ONE_ON_ONE.value})
    if not hosts:
        yield Problem(("hosts",), Rule.REQUIRED)
    if type is PageType.ONE_ON_ONE and len(hosts) > 1:
        yield Problem(("hosts",), Rule.TOO_MANY, values={"most": 1})
    for index, host in enumerate(hosts):
        if any(host.user_id == other.user_id for other in hosts[:index]):
            yield Problem(("hosts", str(index), "userId"), Rule.DUPLICATE)
        if host.max_per_day is not None and host.max_per_day < 1:
            yield Problem(("hosts", str(index), "maxPerDay"), Rule.TOO_SMALL, values={"least": 1})
        if not 0 <= host.weight <= 1_000:
            rule = Rule.TOO_SMALL if host.weight < 0 else Rule.TOO_LARGE
            yield Problem(("hosts", str(index), "weight"), rule, values={"least": 0, "most": 1_000})


def _proposal_problems(starts: Sequence[datetime]) -> Iterator[Problem]:
    if not starts:
        yield Problem(("preferredStarts",), Rule.REQUIRED)
    if len(starts) > MAX_PROPOSALS:
        yield Problem(("preferredStarts",), Rule.TOO_MANY, values={"most": MAX_PROPOSALS})
    if len(set(starts)) != len(starts):
        yield Problem(("preferredStarts",), Rule.DUPLICATE)


def _source_problems(source: BookingSource) -> Iterator[Problem | None]:
    if len(source.utm) > MAX_UTM_TAGS:
        yield Problem(("utm",), Rule.TOO_MANY, values={"most": MAX_UTM_TAGS})
    for index, tag in enumerate(source.utm):
        yield text_problem(tag.key, "utm", str(index), "key", most=100)
        yield text_problem(tag.value, "utm", str(index), "value", most=1_000, required=False)


def _stripped(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts)


def surroundings(slot: TimeSpan, *, now: datetime) -> TimeSpan:
    """Where alternatives to a slot are looked for; holds the slot itself, unless it lies in the past."""
    wished = max(slot.start, now)
    return TimeSpan(wished - _ALTERNATIVES_WITHIN, wished + _ALTERNATIVES_WITHIN)


def check_window_request(first: date, last: date, *, most_days: int) -> None:
    """Raise `InvalidInput` unless `first` to `last` (both included) is a window that may be asked for."""
    if last < first:
        raise InvalidInput([Problem(("to",), Rule.END_BEFORE_START)])
    if (last - first).days >= most_days:
        raise InvalidInput([Problem(("to",), Rule.TOO_LARGE, values={"most": f"{most_days} days"})])
