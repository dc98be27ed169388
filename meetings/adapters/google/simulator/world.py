"""What the simulator keeps: accounts, their calendars and calendar lists, events, and the mails Google would have sent.
Mailboxes are in mailbox.py.

Everything here is plain state. One lock guards it all, because the server runs in its own thread and a test, or a
person watching the demo, changes the calendars from another.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from meetings.adapters.google.simulator.errors import Json, forbidden, not_found, required_access_level
from meetings.adapters.google.simulator.mailbox import LeftMail, Mailbox
from meetings.adapters.google.simulator.times import stamp

ROLES = ("none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")
ID_ALPHABET = "0123456789abcdefghijklmnopqrstuv"


@dataclass
class StoredEvent:
    """One event of one calendar: single, or a series with its exceptions.

    `fields` is the resource as Google keeps it. `changed` is the number of the calendar's change that touched it last.
    `exceptions` are moved or cancelled instances by instance key; `gone` are instances that a change of the series took
    away: key -> (original start, number of that change), so that an incremental list can report them.
    """

    fields: Json
    position: int
    changed: int = 0
    exceptions: dict[str, "StoredEvent"] = field(default_factory=dict)
    gone: dict[str, tuple[Json, int]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.fields["id"])

    @property
    def is_series(self) -> bool:
        return bool(self.fields.get("recurrence"))

    @property
    def is_cancelled(self) -> bool:
        return bool(self.fields["status"] == "cancelled")


@dataclass
class Calendar:
    """A calendar with its access control list. A primary calendar's id is its owner's address (Calendars & events)."""

    id: str
    summary: str
    owner: str
    time_zone: str
    primary: bool
    description: str | None = None
    access: dict[str, str] = field(default_factory=dict)
    events: dict[str, StoredEvent] = field(default_factory=dict)
    forgotten_ids: set[str] = field(default_factory=set)
    change: int = 0
    updated: datetime | None = None
    sync_epoch: int = 0
    access_epochs: dict[str, int] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def epoch(self, email: str) -> str:
        """Sync tokens of another epoch are dead."""
        return f"{self.sync_epoch}.{self.access_epochs.get(email, 0)}"


@dataclass
class ListEntry:
    """A calendar on somebody's calendar list; `changed` counts that account's list changes."""

    calendar_id: str
    changed: int
    hidden: bool = False
    selected: bool = True
    deleted: bool = False
    summary_override: str | None = None


@dataclass
class Account:
    """A Google account. `lost` are calendars that answer 403 or 404 whatever the access list says. `without_mail`: an
    account of Google that has no Gmail."""

    email: str
    name: str
    time_zone: str
    entries: dict[str, ListEntry] = field(default_factory=dict)
    list_change: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    mailbox: Mailbox = field(default_factory=Mailbox)
    without_mail: bool = False

    @property
    def subject(self) -> str:
        """The stable `sub` of OpenID Connect: digits, never the address."""
        return str(int(hashlib.sha256(self.email.encode()).hexdigest()[:17], 16)).zfill(21)


@dataclass(frozen=True)
class Mail:
    """A mail Google Calendar would have sent to a guest. `kind`: invitation, update or cancellation."""

    to: str
    kind: str
    calendar_id: str
    event_id: str
    summary: str
    sequence: int


class World:
    """All state. `now` gives aware instants. `listeners` hear of every calendar whose events changed."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.calendars: dict[str, Calendar] = {}
        self.mails: list[Mail] = []
        self.left_mails: list[LeftMail] = []
        self.refused_recipients: set[str] = set()
        self.listeners: list[Callable[[Calendar], None]] = []
        self._etags = 0
        self._positions = 0

    def add_account(self, email: str, name: str, time_zone: str) -> Account:
        if email in self.accounts:
            raise ValueError(f"there is an account {email} already")
        account = Account(email=email, name=name, time_zone=time_zone)
        self.accounts[email] = account
        self.add_calendar(email, email, name, time_zone, primary=True)
        return account

    def add_calendar(self, owner: str, id_: str, summary: str, time_zone: str, *, primary: bool = False) -> Calendar:
        calendar = Calendar(id=id_, summary=summary, owner=owner, time_zone=time_zone, primary=primary)
        calendar.updated = self.now()
        self.calendars[id_] = calendar
        self.set_access(calendar, owner, "owner")
        return calendar

    def set_access(self, calendar: Calendar, email: str, role: str) -> None:
        """Give `email` this role, or take it away with "none".

        A change of access kills that person's sync tokens ("Synchronize resources efficiently": 410 after "changes in
        related ACLs"). The calendar joins the list at once; in reality the person accepts it by mail first (assumed).
        """
        if role not in ROLES:
            raise ValueError(f"{role} is not a role of Google Calendar")
        calendar.access[email] = role
        calendar.access_epochs[email] = calendar.access_epochs.get(email, 0) + 1
        account = self.accounts.get(email)
        if account is None:
            return
        account.list_change += 1
        entry = account.entries.setdefault(calendar.id, ListEntry(calendar.id, account.list_change))
        entry.changed, entry.deleted = account.list_change, role == "none"

    def calendar_for(
        self, account: Account, calendar_id: str, at_least: str = "freeBusyReader"
    ) -> tuple[Calendar, str]:
        """The calendar and the account's role on it; `primary` is the account's own.

        Raises:
            GoogleError: 404 for a calendar the account cannot see ("Handle API errors": a calendar that is not there
                and one without access look the same), 403 forbidden when `lose_access` said so, 403
                requiredAccessLevel.
        """
        key = account.email if calendar_id == "primary" else calendar_id
        calendar = self.calendars.get(key)
        if account.lost.get(key) == 403:
            raise forbidden()
        role = calendar.access.get(account.email, "none") if calendar is not None else "none"
        if calendar is None or role == "none" or key in account.lost:
            raise not_found()
        if ROLES.index(role) < ROLES.index(at_least):
            raise required_access_level("writer" if at_least.startswith("writer") else at_least)
        return calendar, role

    def touch(self, calendar: Calendar, stored: StoredEvent) -> None:
        """The event changed now: new etag and `updated`, and the next number of the calendar's changes."""
        calendar.change += 1
        calendar.updated = self.now()
        stored.changed = calendar.change
        stored.fields["updated"] = stamp(self.now())
        stored.fields["etag"] = self.new_etag()

    def announce(self, calendar: Calendar) -> None:
        for listener in self.listeners:
            listener(calendar)

    def new_etag(self) -> str:
        self._etags += 1
        return f'"{3_000_000_000_000_000 + self._etags * 2}"'

    def new_position(self) -> int:
        self._positions += 1
        return self._positions

    def new_event_id(self) -> str:
        return "".join(secrets.choice(ID_ALPHABET) for _ in range(26))
