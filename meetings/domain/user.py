"""A person of an account: who signs in, hosts meetings, and chooses how their pages behave."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from meetings.domain.availability_rules import AvailabilityRules
from meetings.domain.base import Aggregate, DomainEvent, PermissionMissing, refuse
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.text import email_problem, locale_problem, text_problem, time_zone_problem


class Role(Enum):
    """What a person may do for others: owners and admins manage everybody's pages, members their own."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"


class Weekday(Enum):
    """Days of the week; the value is Python's `date.weekday()`."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


@dataclass(frozen=True, kw_only=True)
class SettingsChanged(DomainEvent):
    """A person changed their settings; their pages may offer other times now."""

    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class DefaultPageChosen(DomainEvent):
    """A person chose the page that stands for them."""

    user_id: UserId
    page_id: PageId


@dataclass(frozen=True, slots=True)
class UserSettings:
    """What a person sets for themselves.

    `calendar_sync`: CRM meetings become calendar events and back, on by default (A-CS2). `scheduling_pages`: off
    makes all their pages refuse bookings (A-CS3). `working_hours`, if set, narrow every page of theirs (A-AV4).
    """

    time_zone: str = "UTC"
    locale: str = "en"
    week_starts_on: Weekday = Weekday.MONDAY
    hour12: bool = False
    calendar_sync: bool = True
    scheduling_pages: bool = True
    working_hours: AvailabilityRules | None = None

    def check(self) -> None:
        """Raise `InvalidInput` with everything that is wrong."""
        hours = self.working_hours.problems("workingHours") if self.working_hours else ()
        refuse(time_zone_problem(self.time_zone, "timeZone"), locale_problem(self.locale, "locale"), *hours)


@dataclass(kw_only=True, eq=False)
class User(Aggregate):
    """A person of an account.

    `password_hash` is whatever the password hasher wrote; None means no sign-in by password. The default page is the
    chosen one, or while none is chosen the oldest page that is not archived (S51, X8).
    """

    id: UserId
    name: str
    email: str
    role: Role
    created_at: datetime
    settings: UserSettings = field(default_factory=UserSettings)
    active: bool = True
    avatar_url: str | None = None
    default_page_id: PageId | None = None
    password_hash: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        refuse(text_problem(self.name, "name", most=200), email_problem(self.email, "email"))

    def change_settings(self, settings: UserSettings, *, now: datetime) -> None:
        """Take new settings whole.

        Raises:
            InvalidInput: with every bad value; nothing changed then.
        """
        settings.check()
        if settings != self.settings:
            self.settings = settings
            self.record(SettingsChanged(at=now, user_id=self.id))

    def choose_default_page(self, page_id: PageId, *, now: datetime) -> None:
        """Make a page the one that stands for this person; choosing it again changes nothing."""
        if page_id != self.default_page_id:
            self.default_page_id = page_id
            self.record(DefaultPageChosen(at=now, user_id=self.id, page_id=page_id))

    def check_may_manage(self, owner: UserId) -> None:
        """Whether this person may change what belongs to `owner`: their own, or anybody's as owner or admin.

        Raises:
            PermissionMissing: neither.
        """
        if owner != self.id and self.role is Role.MEMBER:
            raise PermissionMissing("manage other people's scheduling pages")

    def check_administers(self) -> None:
        """Whether this person may change what is set for the whole account.

        Raises:
            PermissionMissing: neither owner nor admin.
        """
        if self.role is Role.MEMBER:
            raise PermissionMissing("change the settings of the account")
