"""A person of an account: who signs in, hosts meetings, and chooses how their pages behave."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from meetings.domain.availability_rules import AvailabilityRules
from meetings.domain.base import Aggregate, DomainError, DomainEvent, PermissionMissing, Problem, Rule, refuse
from meetings.domain.chat_profile import ChatProfile
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.slug import meeting_url_problem, normal_slug
from meetings.domain.text import email_problem, locale_problem, text_problem, time_zone_problem


class Role(Enum):
    """What a person may do for others: owners and admins manage everybody's pages, members their own."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"


class Permission(Enum):
    """What a member may be allowed one by one; owners and admins may all of it.

    PERSONAL_EMAIL_ACCESS: connect a calendar or mailbox of one's own (A-CC1). CREATE_PAGES_FOR_OTHERS (A-SP15).
    """

    PERSONAL_EMAIL_ACCESS = "PERSONAL_EMAIL_ACCESS"
    CREATE_PAGES_FOR_OTHERS = "CREATE_PAGES_FOR_OTHERS"


USUAL_PERMISSIONS = frozenset({Permission.PERSONAL_EMAIL_ACCESS})
"""What members may unless somebody decided otherwise."""


class UserState(Enum):
    """Whether a person can sign in: not before they accepted the invitation, and not after they were deactivated."""

    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"


class InvitationInvalid(DomainError):
    """The invitation was accepted, taken back or replaced by a newer one, or its time has passed."""


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


@dataclass(frozen=True, kw_only=True)
class MeetingUrlChanged(DomainEvent):
    """A person's new pages get addresses below another path; existing ones stay (S50)."""

    user_id: UserId
    meeting_url: str


@dataclass(frozen=True, kw_only=True)
class MeetingDomainChosen(DomainEvent):
    """A person's pages have addresses under another host; where they were before, they still answer (S68)."""

    user_id: UserId
    host: str


@dataclass(frozen=True, kw_only=True)
class ChatProfileChanged(DomainEvent):
    """A person appears otherwise beside a chat, or their meeting link was switched on or off there."""

    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class PersonAdded(DomainEvent):
    """Whoever runs the product let somebody in."""

    user_id: UserId
    role: Role


@dataclass(frozen=True, kw_only=True)
class ApiTokenCreated(DomainEvent):
    """A person made a key for a program; `scopes` is what it may."""

    user_id: UserId
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ApiTokenRevoked(DomainEvent):
    """A person ended a program's key."""

    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class UserInvited(DomainEvent):
    """Somebody was asked to join; asked again, earlier invitations are void."""

    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class InvitationAccepted(DomainEvent):
    """Somebody joined."""

    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class RoleChanged(DomainEvent):
    """A person may do more or less for others."""

    user_id: UserId
    role: Role


@dataclass(frozen=True, kw_only=True)
class PermissionsChanged(DomainEvent):
    """A member was allowed other things."""

    user_id: UserId
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, kw_only=True)
class UserDeactivated(DomainEvent):
    """A person cannot sign in any more, and nobody can book them."""

    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class UserReactivated(DomainEvent):
    """A person can sign in and be booked again."""

    user_id: UserId


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
    chosen one, or while none is chosen the oldest page that is not archived (S51, X8). `permissions` are a member's;
    None stands for the usual ones. `invited_at` is set while an invitation waits to be accepted. `meeting_url` is the
    path that addresses of new pages begin with, unique over all accounts; None until one was needed. `meeting_domain`
    is the host they chose for addresses of their pages; it may have gone since, and then counts as none.
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
    permissions: frozenset[Permission] | None = None
    invited_at: datetime | None = None
    meeting_url: str | None = None
    meeting_domain: str | None = None
    chat_profile: ChatProfile = ChatProfile()

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

    # --- the address of new pages --------------------------------------------------------------------------------

    def change_meeting_url(self, typed: str, *, now: datetime) -> None:
        """Have addresses of pages created from now on begin with another path (S46); existing pages stay (S50).

        Raises:
            InvalidInput: SLUG_INVALID: empty, more than one segment, reserved, or too long to add a page's name (S49).
        """
        wanted = normal_slug(typed)
        refuse(meeting_url_problem(wanted, "meetingUrl"))
        if wanted != self.meeting_url:
            self.meeting_url = wanted
            self.record(MeetingUrlChanged(at=now, user_id=self.id, meeting_url=wanted))

    def choose_meeting_domain(self, host: str, *, now: datetime) -> None:
        """Have addresses of this person's pages under a host from now on. The same again changes nothing."""
        if host != self.meeting_domain:
            self.meeting_domain = host
            self.record(MeetingDomainChosen(at=now, user_id=self.id, host=host))

    # --- beside a chat -------------------------------------------------------------------------------------------

    def change_chat_profile(self, profile: ChatProfile, *, own_pages: Collection[PageId], now: datetime) -> None:
        """Take a new profile whole; the same again changes nothing.

        `own_pages` are this person's that are up.

        Raises:
            InvalidInput: with everything that is wrong; nothing changed then.
        """
        profile.check(own_pages)
        if profile != self.chat_profile:
            self.chat_profile = profile
            self.record(ChatProfileChanged(at=now, user_id=self.id))

    # --- joining and leaving -------------------------------------------------------------------------------------

    @property
    def state(self) -> UserState:
        """Whether this person can sign in, and if not, why."""
        if self.active:
            return UserState.ACTIVE
        return UserState.INVITED if self.invited_at is not None else UserState.DEACTIVATED

    def invite(self, *, now: datetime) -> None:
        """Ask this person to join, or ask again: what was sent before is void then.

        Raises:
            InvalidInput: they have joined already.
        """
        refuse(Problem(("userId",), Rule.CANNOT_CHANGE) if self.password_hash or self.active else None)
        self.invited_at = now
        self.record(UserInvited(at=now, user_id=self.id))

    def accept_invitation(self, invited_at: datetime, *, name: str, password_hash: str, now: datetime) -> None:
        """Join by the invitation of `invited_at`.

        Raises:
            InvitationInvalid: it is not the one that waits.
            InvalidInput: the name.
        """
        if self.active or self.invited_at != invited_at:
            raise InvitationInvalid
        refuse(text_problem(name, "name", most=200))
        self.name, self.password_hash = name.strip(), password_hash
        self.active, self.invited_at = True, None
        self.record(InvitationAccepted(at=now, user_id=self.id))

    def change_role(self, role: Role, *, now: datetime) -> None:
        """Let this person do more or less for others. The same again changes nothing."""
        if role is not self.role:
            self.role = role
            self.record(RoleChanged(at=now, user_id=self.id, role=role))

    def allow(self, permissions: Collection[Permission], *, now: datetime) -> None:
        """Decide what this person may while they are a member. The same again changes nothing."""
        wanted = frozenset(permissions)
        if wanted != self.granted:
            self.permissions = wanted
            told = tuple(sorted(wanted, key=list(Permission).index))
            self.record(PermissionsChanged(at=now, user_id=self.id, permissions=told))

    def deactivate(self, *, now: datetime) -> None:
        """Keep this person out; an invitation is void then. A second call changes nothing."""
        if self.state is not UserState.DEACTIVATED:
            self.active, self.invited_at = False, None
            self.record(UserDeactivated(at=now, user_id=self.id))

    def reactivate(self, *, now: datetime) -> None:
        """Let a deactivated person in again; for an active one nothing changes.

        Raises:
            InvalidInput: they never joined: invite them instead.
        """
        if not self.active:
            refuse(None if self.password_hash else Problem(("userId",), Rule.CANNOT_CHANGE))
            self.active, self.invited_at = True, None
            self.record(UserReactivated(at=now, user_id=self.id))

    # --- what they may do ----------------------------------------------------------------------------------------

    @property
    def granted(self) -> frozenset[Permission]:
        """What this person may do: everything as owner or admin."""
        if self.role is not Role.MEMBER:
            return frozenset(Permission)
        return USUAL_PERMISSIONS if self.permissions is None else self.permissions

    def check_permission(self, permission: Permission) -> None:
        """Whether this person was allowed something.

        Raises:
            PermissionMissing: they were not.
        """
        if permission not in self.granted:
            raise PermissionMissing(permission.value)

    def check_may_create_for(self, owner: UserId) -> None:
        """Whether this person may create pages for `owner`: for themselves, or with the permission (A-SP15).

        Raises:
            PermissionMissing: neither.
        """
        if owner != self.id:
            self.check_permission(Permission.CREATE_PAGES_FOR_OTHERS)

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
