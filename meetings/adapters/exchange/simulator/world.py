"""What the simulated server keeps: accounts, mailboxes, folders, calendar items, mails."""

import copy
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator.ids import Key, change_key
from meetings.adapters.exchange.simulator.mail_item import MailItem
from meetings.adapters.exchange.simulator.soap import Element
from meetings.adapters.exchange.simulator.zones import zone_of

RIGHTS = ("none", "free_busy", "reader", "writer", "owner")
MAILBOX_KINDS = ("personal", "shared", "room", "equipment")


def rights_of(name: str) -> str:
    """The name, if it is one. Raises ValueError."""
    if name not in RIGHTS:
        raise ValueError(f"{name} is not one of {RIGHTS}")
    return name


@dataclass(frozen=True)
class Person:
    name: str
    email: str


@dataclass
class Attendee:
    """`kind` is Required, Optional or Resource; `response` a value of ResponseTypeType."""

    person: Person
    kind: str = "Required"
    response: str = "Unknown"
    replied_at: datetime | None = None


@dataclass(frozen=True, order=True)
class PropertyKey:
    """What names an extended property: a set and a name or id, or a tag; and its type ("ExtendedFieldURI")."""

    set: str
    name: str
    type: str


@dataclass(eq=False)
class CalendarItem:
    """A single item, a series (`recurrence`), or an occurrence of one (`master`, `original`).

    `start` and `end` are UTC, half-open. `elements` holds what was written, by element name, where no field of its own
    is needed. `change` is the number of the folder's change that touched it last, `created_change` that of its birth;
    `version` is behind the change key. `response` is the owner's own answer (MyResponseType).
    """

    number: int
    start: datetime
    end: datetime
    uid: str
    organizer: Person
    created_at: datetime
    start_zone: str = "UTC"
    end_zone: str = "UTC"
    all_day: bool = False
    elements: dict[str, Element] = field(default_factory=dict)
    extended: dict[PropertyKey, Element] = field(default_factory=dict)
    attendees: list[Attendee] = field(default_factory=list)
    response: str = "Organizer"
    invitations_sent: bool = False
    cancelled: bool = False
    sequence: int = 0
    modified_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    change: int = 0
    created_change: int = 0
    version: int = 0
    recurrence: Element | None = None
    exceptions: dict[datetime, "CalendarItem"] = field(default_factory=dict)
    deleted: set[datetime] = field(default_factory=set)
    master: "CalendarItem | None" = None
    original: datetime | None = None
    is_exception: bool = False

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.start_zone)

    @property
    def kind(self) -> str:
        if self.master is not None:
            return "Exception" if self.is_exception else "Occurrence"
        return "Single" if self.recurrence is None else "RecurringMaster"

    @property
    def is_meeting(self) -> bool:
        return bool(self.attendees) or self.response != "Organizer"

    def value(self, name: str, default: str = "") -> str:
        found = self.elements.get(name)
        return default if found is None or found.text is None else found.text

    @property
    def busy(self) -> str:
        return self.value("LegacyFreeBusyStatus", "Busy")

    def copied(self) -> "CalendarItem":
        return copy.deepcopy(self)


@dataclass(eq=False)
class Folder:
    """A folder of one mailbox. `lost` is the code its access is refused with. `gone` remembers removed items for
    synchronization: number -> (change of removal, change of creation).
    """

    number: int
    mailbox: "Account"
    name: str
    kind: str
    parent: int | None
    distinguished: str | None = None
    rights: str = "owner"
    lost: str | None = None
    change: int = 0
    version: int = 1
    sync_epoch: int = 0
    items: dict[int, CalendarItem] = field(default_factory=dict)
    mails: dict[int, MailItem] = field(default_factory=dict)
    gone: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return Key("F", self.mailbox.guid, self.number).to_text()

    @property
    def is_calendar(self) -> bool:
        return self.kind.startswith("IPF.Appointment")

    @property
    def change_key(self) -> str:
        return change_key("F", self.version)


@dataclass(eq=False)
class Account:
    """Somebody in the directory, with a mailbox or without.

    `names` are the ways the account may call itself when it signs in. `delegates` have full access to the mailbox.
    """

    email: str
    name: str
    password: str
    time_zone: str
    upn: str
    domain: str
    alias: str
    kind: str = "personal"
    has_mailbox: bool = True
    names: frozenset[str] = frozenset({"upn", "domain", "alias"})
    app_password: str | None = None
    disabled: bool = False
    password_expired: bool = False
    locked: bool = False
    failures: int = 0
    failed_sign_ins: int = 0
    sign_in_epoch: int = 0
    delegates: set[str] = field(default_factory=set)
    folders: dict[int, Folder] = field(default_factory=dict)
    hierarchy_change: int = 0
    moving: bool = False

    @property
    def guid(self) -> bytes:
        return hashlib.sha256(self.email.lower().encode()).digest()[:8]

    @property
    def person(self) -> Person:
        return Person(self.name, self.email)

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.time_zone)

    def distinguished(self, name: str) -> Folder | None:
        return next((folder for folder in self.folders.values() if folder.distinguished == name), None)


@dataclass(frozen=True)
class Mail:
    """A mail the server would have sent to an attendee. `kind`: invitation, update or cancellation, or a response."""

    to: str
    kind: str
    sender: str
    uid: str
    subject: str
    sequence: int


@dataclass(frozen=True)
class Change:
    """Something happened in a folder: CreatedEvent, ModifiedEvent, DeletedEvent or MovedEvent of one item.

    For a move `moved_to` is (new item number, new folder).
    """

    kind: str
    folder: Folder
    number: int
    version: int
    at: datetime
    moved_to: tuple[int, Folder] | None = None


# What a new mailbox has ("DistinguishedFolderId"), as far as it is met here: name, class, distinguished id.
_FOLDERS = (
    ("Inbox", "IPF.Note", "inbox"),
    ("Sent Items", "IPF.Note", "sentitems"),
    ("Drafts", "IPF.Note", "drafts"),
    ("Outbox", "IPF.Note", "outbox"),
    ("Junk E-Mail", "IPF.Note", "junkemail"),
    ("Deleted Items", "IPF.Note", "deleteditems"),
    ("Contacts", "IPF.Contact", "contacts"),
    ("Calendar", "IPF.Appointment", "calendar"),
    ("Tasks", "IPF.Task", "tasks"),
)


class World:
    """All state. `now` gives aware instants. `listeners` hear of every `Change`, while the lock is held.

    `posted` is every mail that was sent, once for each recipient; `refused` are addresses that nothing is taken for.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.mails: list[Mail] = []
        self.posted: list[tuple[str, bytes]] = []
        self.refused: set[str] = set()
        self.listeners: list[Callable[[Change], None]] = []
        self._numbers = 0
        self._versions = 0

    def add_account(self, account: Account) -> Account:
        key = account.email.lower()
        if key in self.accounts:
            raise ValueError(f"there is an account {account.email} already")
        self.accounts[key] = account
        root = self._folder(account, "Top of Information Store", "IPF.Note", None, "msgfolderroot")
        for name, kind, distinguished in _FOLDERS:
            self._folder(account, name, kind, root.number, distinguished)
        return account

    def account(self, email: str) -> Account | None:
        return self.accounts.get(email.strip().lower())

    def add_calendar(self, account: Account, name: str, parent: Folder | None = None) -> Folder:
        """Another calendar folder, inside the default calendar unless `parent` is given."""
        inside = parent or account.distinguished("calendar")
        assert inside is not None
        return self._folder(account, name, "IPF.Appointment", inside.number, None)

    def remove_folder(self, folder: Folder) -> None:
        folder.mailbox.hierarchy_change += 1
        del folder.mailbox.folders[folder.number]

    def folder(self, folder_id: str) -> Folder:
        """The folder with this id, whoever may see it. Raises KeyError."""
        for account in self.accounts.values():
            for folder in account.folders.values():
                if folder.id == folder_id:
                    return folder
        raise KeyError(folder_id)

    def mailbox_of(self, guid: bytes) -> Account | None:
        return next((account for account in self.accounts.values() if account.guid == guid), None)

    def put(self, folder: Folder, item: CalendarItem) -> None:
        """A new item stands in the folder."""
        folder.items[item.number] = item
        self._touch(folder, item)
        item.created_change = item.change
        self._tell(Change("CreatedEvent", folder, item.number, item.version, self.now()))

    def touch(self, folder: Folder, item: CalendarItem) -> None:
        """The item changed now. A change of an occurrence is one of its series."""
        self._touch(folder, item)
        whole = item if item.master is None else item.master
        if whole is not item:
            self._touch(folder, whole)
            item.version = whole.version
        self._tell(Change("ModifiedEvent", folder, whole.number, whole.version, self.now()))

    def remove(self, folder: Folder, item: CalendarItem, *, to: Folder | None) -> CalendarItem | None:
        """Take the item out; `to` is where it moves, under a new id (MoveItem and DeleteItem operations)."""
        del folder.items[item.number]
        folder.change += 1
        folder.gone[item.number] = (folder.change, item.created_change)
        if to is None:
            self._tell(Change("DeletedEvent", folder, item.number, item.version, self.now()))
            return None
        moved = item.copied()
        moved.number = self.new_number()
        to.items[moved.number] = moved
        self._touch(to, moved)
        moved.created_change = moved.change
        change = Change("MovedEvent", folder, item.number, item.version, self.now(), (moved.number, to))
        self._tell(change)
        return moved

    def add_mail_folder(self, account: Account, name: str, parent: Folder) -> Folder:
        return self._folder(account, name, "IPF.Note", parent.number, None)

    def put_mail(self, folder: Folder, mail: MailItem) -> None:
        """A mail stands in the folder from now on."""
        folder.mails[mail.number] = mail
        self.touch_mail(folder, mail)
        mail.created_change = mail.change

    def touch_mail(self, folder: Folder, mail: MailItem) -> None:
        folder.change += 1
        self._versions += 1
        mail.change, mail.version, mail.modified_at = folder.change, self._versions, self.now()

    def remove_mail(self, folder: Folder, mail: MailItem) -> None:
        del folder.mails[mail.number]
        folder.change += 1
        folder.gone[mail.number] = (folder.change, mail.created_change)

    def move_mail(self, folder: Folder, mail: MailItem, to: Folder) -> None:
        """Into another folder, under a new id."""
        self.remove_mail(folder, mail)
        mail.number = self.new_number()
        self.put_mail(to, mail)

    def new_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _touch(self, folder: Folder, item: CalendarItem) -> None:
        folder.change += 1
        self._versions += 1
        item.change, item.version, item.modified_at = folder.change, self._versions, self.now()

    def _tell(self, change: Change) -> None:
        for listener in list(self.listeners):
            listener(change)

    def _folder(self, account: Account, name: str, kind: str, parent: int | None, distinguished: str | None) -> Folder:
        folder = Folder(self.new_number(), account, name, kind, parent, distinguished)
        account.folders[folder.number] = folder
        account.hierarchy_change += 1
        return folder
