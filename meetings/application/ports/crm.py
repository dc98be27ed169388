"""The customer records: contacts, and on each a timeline of meetings and mails.

Contacts are known by their address, compared without regard to letter case (A-CR4). What is written carries a key of
ours, so each write can be repeated and makes one record (PW-4). `owner` is the address of a person of ours.

Every method may raise `ProviderUnavailable`, `RateLimited` or `ReauthorizationNeeded`, and keeps its own time limit;
nothing is retried inside. Instants are aware UTC.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Generic, Literal, Protocol, TypeVar
from uuid import UUID

from meetings.application.ports.calendars import ProviderError, ReauthorizationNeeded
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from meetings.domain.identifiers import AccountId


class RecordRefused(ProviderError):
    """The CRM refuses this record for good; repeating it will not help. The text names the property, not its value."""


class CrmAccessLost(ReauthorizationNeeded):
    """The CRM refuses what it was connected with; an owner or admin has to connect it again."""


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """What is known of a person. A value that is None says nothing: it never clears what the record has.

    `properties` are further ones by the CRM's own names, such as `phone`; those it does not know are left out.
    """

    email: str
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    owner: str | None = None
    """Who looks after a contact that has nobody yet (A-CR9)."""
    properties: Mapping[str, str] = field(default_factory=dict)


ContactField = Literal["first_name", "last_name", "company", "owner"]
"""What can be changed of a contact."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person on record. `id` is the CRM's own; `properties` are those of ours that it has, by its own names."""

    id: str
    email: str
    first_name: str | None
    last_name: str | None
    company: str | None
    owner: str | None
    created_at: datetime
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """First and last name as far as known, else the address."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.email


@dataclass(frozen=True, slots=True)
class MeetingRecord:
    """A meeting as it should stand on the timelines of `contacts` (ids), `start` to `end`.

    `owners` are the people of ours who hold it, the first one being responsible. `activity_type` is a free word such as
    the page's meeting type; `join_url` where people join.
    """

    key: UUID
    contacts: tuple[str, ...]
    owners: tuple[str, ...]
    title: str
    body: str | None
    start: datetime
    end: datetime
    outcome: MeetingOutcome
    source: MeetingSource
    location: str | None = None
    join_url: str | None = None
    activity_type: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedMeeting:
    """A meeting on record. `id` is the CRM's own; `key` is None for one we did not write."""

    id: str
    key: UUID | None
    contacts: tuple[str, ...]
    owners: tuple[str, ...]
    title: str
    body: str | None
    start: datetime
    end: datetime
    outcome: MeetingOutcome
    source: MeetingSource | None
    location: str | None = None
    join_url: str | None = None
    activity_type: str | None = None


class MailDirection(Enum):
    """Whether we sent it, or received it."""

    OUTBOUND = "OUTBOUND"
    INBOUND = "INBOUND"


@dataclass(frozen=True, slots=True)
class MailRecord:
    """A mail as it should stand on the timelines of `contacts` (ids). `message_id` is the one of its header, with its
    angle brackets; `text` the plain text without what was quoted."""

    key: UUID
    contacts: tuple[str, ...]
    owner: str
    direction: MailDirection
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    sent_at: datetime
    message_id: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedMail:
    """A mail on record. `id` is the CRM's own; `key` is None for one we did not write."""

    id: str
    key: UUID | None
    contacts: tuple[str, ...]
    owner: str | None
    direction: MailDirection
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    sent_at: datetime


TimelineEntry = RecordedMeeting | RecordedMail
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class RecordPage(Generic[Item]):
    """One page of a list. `cursors` go with `items`; `total` is None where the CRM does not tell."""

    items: tuple[Item, ...]
    cursors: tuple[str, ...]
    has_more: bool
    total: int | None = None


class Crm(Protocol):
    """The records of one account."""

    async def put_contact(self, details: ContactDetails) -> Contact:
        """Create or complete the contact with this address. Two at once make one contact.

        What the details name is taken over, but for the owner: a contact that has one keeps it.

        Raises:
            RecordRefused: the CRM does not take the address.
        """

    async def change_contact(self, contact: str, changes: Mapping[ContactField, str | None]) -> Contact:
        """Have a contact say this from now on; None clears a field, one that is not named stays. What is on record
        under an address stays there: to change that is for the CRM's own pages.

        Raises:
            NotFound: no such contact.
            RecordRefused: a value is not accepted.
        """

    async def known(self, emails: Collection[str]) -> Mapping[str, Contact]:
        """The contacts with these addresses, by the address as it was asked for. Addresses that are nobody's are left
        out. Exact addresses only (A-CR1)."""

    async def contacts_by_id(self, ids: Collection[str]) -> Mapping[str, Contact]:
        """Those that exist."""

    async def contacts(self, query: str | None, *, first: int, after: str | None) -> RecordPage[Contact]:
        """Contacts whose name, address or company begins with the words of `query`; all of them, newest first, without.

        Raises:
            BadCursor: `after` is no cursor of this list.
        """

    async def put_meeting(self, record: MeetingRecord) -> str:
        """Create the meeting with this key, or make it say this; gives its id. Others' additions stay.

        Raises:
            RecordRefused: a value is not accepted, or no contact of it exists.
        """

    async def put_mail(self, record: MailRecord) -> str:
        """As `put_meeting`, for a mail; a mail never changes, so a second call only gives its id."""

    async def meetings_by_key(self, keys: Collection[UUID]) -> Mapping[UUID, RecordedMeeting]:
        """Those that are on record."""

    async def meetings_by_id(self, ids: Collection[str]) -> Mapping[str, RecordedMeeting]:
        """Those that are on record, by the CRM's own ids."""

    async def timeline(self, contact: str, *, first: int, after: str | None) -> RecordPage[TimelineEntry]:
        """What happened with a contact, newest first (meetings by their start, mails by when they were sent). Empty for
        a contact that does not exist.

        Raises:
            BadCursor: `after` is no cursor of this list.
        """

    async def timelines(self, contacts: Collection[str], *, first: int) -> Mapping[str, RecordPage[TimelineEntry]]:
        """The first pages of several contacts' timelines, one for each, as `timeline` gives them."""

    async def erase(self, email: str) -> None:
        """Forget a person: contact and mails go; meetings keep their time and lose the person (TP-4). Nobody by this
        address is success."""


CrmOf = Callable[[AccountId], Awaitable[Crm]]
"""Where an account keeps its records."""
