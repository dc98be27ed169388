"""What the simulator keeps: tenants, accounts, their calendars with events, and the mails Exchange would have sent.

Everything here is plain state. One lock guards it all, because the server runs in its own thread and a test, or a
person watching the demo, changes the calendars from another.

Events carry immutable ids. Exchange's ordinary ids are made from them and change their form only; see `ordinary_id`.
"""

import base64
import re
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from meetings.adapters.office365.simulator.errors import Json, access_denied, item_not_found, malformed_id
from meetings.adapters.office365.simulator.times import stamp, zone_of

HOME_TENANT = "8c5b4d6a-2f1e-4b0a-9d6b-3c1f5e7a9b20"
# The tenant of everybody who signs in with a personal Microsoft account ("ID token claims reference", `tid`).
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
# Roles of calendarPermission ("Share or delegate a calendar in Outlook").
ROLES = (
    "none",
    "freeBusyRead",
    "limitedRead",
    "read",
    "write",
    "delegateWithoutPrivateEventAccess",
    "delegateWithPrivateEventAccess",
    "owner",
)


@dataclass
class StoredEvent:
    """One event of one calendar: single, or a series with its exceptions.

    `fields` is the event as Exchange keeps it (times as written). `changed` is the number of the calendar's change that
    touched it last. `exceptions` are moved or edited occurrences and `cancelled` the removed ones, both by the day of
    their original start. `extended` are single-value extended properties by id. `removed` marks a deleted one, which
    only delta answers still know.
    """

    id: str
    fields: Json
    position: int
    changed: int = 0
    exceptions: dict[str, "StoredEvent"] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    extended: dict[str, str] = field(default_factory=dict)
    removed: bool = False

    @property
    def is_series(self) -> bool:
        return self.fields.get("recurrence") is not None


@dataclass
class Calendar:
    """`copies` are the ids of other people's meetings here, by the meeting's `iCalUId`."""

    id: str
    name: str
    owner: str
    time_zone: str
    default: bool
    hex_color: str = ""
    access: dict[str, str] = field(default_factory=dict)
    events: dict[str, StoredEvent] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    change: int = 0
    sync_epoch: int = 0

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.time_zone)


@dataclass
class Account:
    """A work or school account. Without `mailbox` it has no calendars; `hybrid` says that its mailbox is on premises.

    `entries` are the calendars in its list, in order; `lost` are those that answer 403 or 404 whatever the sharing
    says.
    """

    email: str
    name: str
    time_zone: str
    tenant_id: str
    mailbox: bool = True
    hybrid: bool = False
    user_principal_name: str = ""
    entries: list[str] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)

    @property
    def object_id(self) -> str:
        """The stable `oid`: never the address."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.tenant_id}/{self.email}"))


@dataclass(frozen=True)
class Mail:
    """A mail Exchange would have sent to an attendee. `kind`: invitation, update or cancellation."""

    to: str
    kind: str
    calendar_id: str
    event_id: str
    subject: str


@dataclass(frozen=True)
class Change:
    """What happened to one event: created, updated or deleted."""

    calendar: Calendar
    event_id: str
    kind: str
    change_key: str


class World:
    """All state. `now` gives aware instants. `listeners` hear of every change of an event. `pages_url` is where people
    look at it. `transactions` are the calendar and event that a mailbox last made under a transaction id."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.calendars: dict[str, Calendar] = {}
        self.mails: list[Mail] = []
        self.transactions: dict[tuple[str, str], tuple[str, str]] = {}
        self.listeners: list[Callable[[Change], None]] = []
        self.pages_url = "https://outlook.office365.com"
        self._counter = 0

    def add_account(self, account: Account) -> Account:
        if account.email in self.accounts:
            raise ValueError(f"there is an account {account.email} already")
        zone_of(account.time_zone)
        account.user_principal_name = account.user_principal_name or account.email
        self.accounts[account.email] = account
        if account.mailbox:
            self.add_calendar(account.email, "Calendar", account.time_zone, default=True)
        return account

    def add_calendar(self, owner: str, name: str, time_zone: str, *, default: bool = False) -> Calendar:
        calendar = Calendar(id=self.new_id("AQMkAD"), name=name, owner=owner, time_zone=time_zone, default=default)
        self.calendars[calendar.id] = calendar
        self.set_access(calendar, owner, "owner")
        return calendar

    def set_access(self, calendar: Calendar, email: str, role: str) -> None:
        """Give `email` this role, or take it away with "none".

        The calendar joins the list at once and under the same id; in reality the person accepts an invitation first and
        gets an id of their own mailbox for it (assumed away).
        """
        if role not in ROLES:
            raise ValueError(f"{role} is not a role of an Outlook calendar")
        calendar.access[email] = role
        account = self.accounts.get(email)
        if account is None:
            return
        if role == "none" and calendar.id in account.entries:
            account.entries.remove(calendar.id)
        elif role != "none" and calendar.id not in account.entries:
            account.entries.append(calendar.id)

    def default_calendar(self, email: str) -> Calendar:
        """Raises GraphError 404 for an account that has none."""
        for each in self.calendars.values():
            if each.owner == email and each.default:
                return each
        raise item_not_found()

    def role(self, account: Account, calendar: Calendar) -> str:
        return calendar.access.get(account.email, "none")

    def calendar_for(self, account: Account, calendar_id: str | None, *, write: bool = False) -> Calendar:
        """The calendar; None stands for the account's default one.

        Raises:
            GraphError: 404 ErrorItemNotFound for one that is not there or was taken away, 403 ErrorAccessDenied when
                `lose_access` said so or when it may not be written, 400 ErrorInvalidIdMalformed.
        """
        if calendar_id is not None:
            check_id(calendar_id)
        calendar = self.default_calendar(account.email) if calendar_id is None else self.calendars.get(calendar_id)
        if calendar is not None and account.lost.get(calendar.id) == 403:
            raise access_denied()
        if calendar is None or self.role(account, calendar) == "none" or calendar.id in account.lost:
            raise item_not_found()
        if write and ROLES.index(self.role(account, calendar)) < ROLES.index("write"):
            raise access_denied()
        return calendar

    def touch(self, calendar: Calendar, stored: StoredEvent) -> None:
        """The event changed now: a new change key, and the next number of the calendar's changes."""
        calendar.change += 1
        stored.changed = calendar.change
        stored.fields["lastModifiedDateTime"] = stamp(self.now())
        stored.fields["changeKey"] = self._change_key()

    def announce(self, calendar: Calendar, stored: StoredEvent, kind: str) -> None:
        for listener in self.listeners:
            listener(Change(calendar, stored.id, kind, stored.fields["changeKey"]))

    def new_position(self) -> int:
        self._counter += 1
        return self._counter

    def new_id(self, prefix: str = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A") -> str:
        """An id in the alphabet of Exchange's, URL-safe base64 with padding; equal ids differ in letter case too."""
        return f"{prefix}{base64.urlsafe_b64encode(secrets.token_bytes(30)).decode()}"

    def _change_key(self) -> str:
        self._counter += 1
        return base64.b64encode(b"change" + self._counter.to_bytes(9, "big")).decode()


ORDINARY = "AAMkAGI1"
_ID = re.compile(r"[A-Za-z0-9_\-=]+")


def check_id(told: str) -> None:
    """Raises GraphError 400 ErrorInvalidIdMalformed for text that cannot be an id (seen in public reports).

    By its letters only; the service looks inside, too.
    """
    if not _ID.fullmatch(told):
        raise malformed_id()


def ordinary_id(immutable: str) -> str:
    """The id that is told without `Prefer: IdType="ImmutableId"` ("Immutable identifiers for Outlook resources")."""
    return ORDINARY + immutable


def immutable_id(told: str) -> str:
    """Either kind is taken in a request (assumed: the kinds can be told apart by their form)."""
    return told.removeprefix(ORDINARY)
