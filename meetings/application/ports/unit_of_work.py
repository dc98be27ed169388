"""One transaction over one account's data.

`async with begin(account_id) as work:` opens it; leaving without `commit` rolls back. Aggregates that were got or
added are saved by `commit` if they changed: a save that finds another version raises `ConcurrentChange`; their events
become journal entries, and one intent per reaction, in the same transaction; pokes go out after it. No network call
belongs inside.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from meetings.application.ports.calendars import EventTime, RemovedEvent
from meetings.application.ports.crm_connections import CrmConnections
from meetings.application.ports.emails import Emails, MailReading
from meetings.application.ports.outbox import Intent, NewIntent
from meetings.application.ports.personal_data import PersonalData
from meetings.application.ports.sequences import Enrollments, Sequences
from meetings.application.ports.sync_schedule import SyncClaim
from meetings.domain.account import Account
from meetings.domain.base import DomainError
from meetings.domain.booking import Booking
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.engagement import MeetingEngagement
from meetings.domain.identifiers import (
    AccountId,
    BookingId,
    CalendarId,
    ConnectionId,
    EngagementId,
    EnrollmentId,
    MailboxId,
    PageId,
    TeamChannelId,
    UserId,
    WebDomainId,
)
from meetings.domain.mailbox import Mailbox
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.team_channel import TeamChannel
from meetings.domain.timespan import TimeSpan
from meetings.domain.user import User
from meetings.domain.web_domain import WebDomain


class LockTimeout(Exception):
    """Other bookings kept a host busy for too long (3 s); worth another try."""


class HoldLimitReached(Exception):
    """The visitor, or their address on this page, has as many live holds as allowed (BK-6)."""


class Users(Protocol):
    async def get(self, user_id: UserId) -> User:
        """Raises `NotFound`."""

    async def of(self, user_ids: Collection[UserId]) -> dict[UserId, User]:
        """Those that exist."""

    async def active_owners(self) -> set[UserId]:
        """Who owns the account and can sign in, as stored."""

    async def active_admins(self) -> set[UserId]:
        """The same of owners and admins together."""

    async def close_doors(self, user_id: UserId) -> None:
        """End all sessions of a person and all tokens of their programs."""

    def add(self, user: User) -> None:
        """`commit` raises `EmailTaken` when somebody of any account signs in with the address, and `SlugTaken` when
        somebody has the meeting URL (also for a changed one)."""


class CalendarConnections(Protocol):
    async def get(self, connection_id: ConnectionId) -> CalendarConnection:
        """Raises `NotFound`."""

    async def of_users(self, user_ids: Collection[UserId]) -> dict[UserId, CalendarConnection]:
        """The connection of each person who has one (also a disconnected one)."""

    def add(self, connection: CalendarConnection, credentials: str) -> None:
        """Add a connection with its credentials, which are sealed before they are stored."""

    async def replace_credentials(self, connection_id: ConnectionId, credentials: str | None) -> str | None:
        """Store other credentials, or none; gives the ones there were."""


class Mailboxes(Protocol):
    """Connected mailboxes; disconnected ones stay, because of what was sent and found through them."""

    async def get(self, mailbox_id: MailboxId) -> Mailbox:
        """Raises `NotFound`."""

    async def of_user(self, user_id: UserId) -> list[Mailbox]:
        """A person's own mailboxes, also disconnected ones, in the order in which they were connected. None of a
        team."""

    async def by_email(self, email: str) -> Mailbox | None:
        """The mailbox that has this address now, whoever's in the account, also a team's; in whatever letter case."""

    async def borrowing(self, connection_id: ConnectionId) -> Mailbox | None:
        """The mailbox that borrows the credentials of a calendar connection."""

    def add(self, mailbox: Mailbox, credentials: str | None) -> None:
        """Add a mailbox with its credentials, which are sealed before they are stored; None when it borrows them.
        `commit` raises `MailboxAlreadyConnected` when another of the account has the address."""

    async def replace_credentials(self, mailbox_id: MailboxId, credentials: str | None) -> str | None:
        """Store other credentials, or none; gives the ones there were."""


class TeamChannels(Protocol):
    """The account's channels of teams; removed ones are not there."""

    async def get(self, channel_id: TeamChannelId) -> TeamChannel:
        """Raises `NotFound`."""

    async def all(self) -> list[TeamChannel]:
        """Oldest first."""

    def add(self, channel: TeamChannel) -> None:
        """`commit` raises `InvalidInput` when another channel of the account has the name."""


class SchedulingPages(Protocol):
    async def get(self, page_id: PageId) -> SchedulingPage:
        """Raises `NotFound`."""

    async def of_organizer(self, user_id: UserId) -> list[SchedulingPage]:
        """Pages that are not archived, oldest first."""

    async def count(self) -> int:
        """How many pages of the account are not archived."""

    async def is_free(self, slug: str) -> bool:
        """Whether no page of any account, archived ones included, has this normal slug."""

    async def is_free_for(self, user_id: UserId, path: str) -> bool:
        """Whether nobody else, of whatever account, has a page at this normal slug or the meeting URL itself."""

    def add(self, page: SchedulingPage) -> None:
        """`commit` raises `SlugTaken` when another page of any account has the slug (also for a changed slug)."""


class Bookings(Protocol):
    """Saving a booking also keeps the hosts' taken times: while it occupies, exactly its slot for each of its hosts,
    none otherwise. `commit` raises `SlotTaken` when another live booking or hold overlaps (BK-1)."""

    async def get(self, booking_id: BookingId) -> Booking:
        """Raises `NotFound`."""

    async def by_event(self, event_id: str) -> Booking | None:
        """The booking whose event has this id at its provider."""

    def add(self, booking: Booking) -> None: ...

    async def meeting_starts(
        self, page_id: PageId, span: TimeSpan, *, excluding: BookingId | None = None
    ) -> list[tuple[UserId, int]]:
        """Host and start (minutes since the epoch) of each occupying booking of the page that starts in `span`."""

    async def standing_events(
        self,
        calendar_id: CalendarId,
        span: TimeSpan,
        *,
        settled_before: datetime,
        confirmed_since: datetime | None = None,
    ) -> list[tuple[BookingId, str]]:
        """CONFIRMED bookings that overlap `span` and whose event, of this id in this calendar, was settled before.

        With `confirmed_since`, those that became CONFIRMED then or later, for the first time or after a move.
        """

    async def count_on_page(self, page_id: PageId) -> int:
        """How many bookings were ever made on the page."""

    async def by_ical_uid(self, ical_uid: str) -> Booking | None:
        """The newest booking whose event is called this in everybody's calendar."""


class Engagements(Protocol):
    """Meetings that were made on a record or found in a calendar. `commit` raises `ConcurrentChange` when another one
    of the account has the `ical_uid`, so that two calendars that show one event at once make one meeting (B-CR1)."""

    async def get(self, engagement_id: EngagementId) -> MeetingEngagement:
        """Raises `NotFound`."""

    async def by_ical_uid(self, ical_uid: str) -> MeetingEngagement | None:
        """The one whose event is called this in everybody's calendar."""

    async def by_event(self, event_id: str) -> MeetingEngagement | None:
        """The one whose event has this id at its provider."""

    def add(self, engagement: MeetingEngagement) -> None: ...


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far a calendar was read for people's records. `window` is what a whole read covered; `asked` grows whenever
    somebody wants it to be read."""

    cursor: str | None
    window: TimeSpan | None
    asked: int


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """The event of one calendar that stands for a meeting. `organized_here`: this is its organizer's calendar."""

    calendar_id: CalendarId
    event_id: str
    engagement_id: EngagementId
    organized_here: bool


class RecordFeeds(Protocol):
    """How far calendars were read for people's records, and which of their events stand for which meetings."""

    async def state(self, calendar_id: CalendarId) -> FeedState:
        """Of a calendar that was never read, an empty one."""

    async def ask(self, calendar_id: CalendarId) -> None:
        """Note that somebody wants a calendar to be read."""

    async def keep(self, calendar_id: CalendarId, *, cursor: str | None, window: TimeSpan) -> None:
        """All up to `cursor` is stored; the next read goes on from there."""

    async def unasked_since(self, calendar_id: CalendarId, asked: int) -> bool:
        """Whether nobody asked after that many had. Who asks from here on waits for this transaction."""

    async def found(self, calendar_id: CalendarId, event_ids: Collection[str]) -> dict[str, FoundEvent]:
        """Those of these events that stand for a meeting."""

    async def standing(self, calendar_id: CalendarId, *, after: datetime) -> list[FoundEvent]:
        """The events of a calendar that stand for meetings which end after an instant."""

    async def copies(self, engagement_id: EngagementId) -> list[FoundEvent]:
        """The events that stand for a meeting, in everybody's calendars."""

    async def note(self, event: FoundEvent) -> None:
        """An event stands for a meeting. Repeating it changes nothing."""

    async def forget(self, events: Sequence[FoundEvent]) -> None:
        """These events stand for nothing any more."""

    async def own_addresses(self) -> set[str]:
        """What people of the account sign in with, and the addresses of the calendars they connected."""

    async def writes_under_way(self, slot: TimeSpan) -> bool:
        """Whether an event of ours at exactly this time is being written, so that its name is not known yet."""

    async def is_being_written(self, engagement_id: EngagementId) -> bool:
        """Whether the event of a meeting that was made on a record is still to be written, or changed."""


@dataclass(frozen=True, slots=True)
class TakenTime:
    """A live booking's or hold's time of one host, in minutes since the epoch, half-open."""

    host: UserId
    start: int
    end: int
    held: bool


@dataclass(frozen=True, slots=True)
class SlotHold:
    """A visitor's short claim on a slot. Stored by the hash of its token; `visitor` and `address` are hashes too."""

    token_hash: str
    page_id: PageId
    hosts: tuple[UserId, ...]
    start: datetime
    end: datetime
    visitor: str
    address: str


class HostTimes(Protocol):
    """What bookings and holds take of hosts' time. Expired holds count as gone, by database time."""

    async def lock(self, hosts: Collection[UserId]) -> None:
        """Lock hosts for the rest of the transaction, in sorted order; their expired holds are removed (BK-2, BK-6).

        Raises:
            LockTimeout: not within 3 s.
        """

    async def taken(
        self,
        hosts: Collection[UserId],
        span: TimeSpan,
        *,
        excluding: BookingId | None = None,
        excluding_hold: str | None = None,
    ) -> list[TakenTime]:
        """Live bookings and holds of `hosts` that overlap `span`, but for one booking and one hold (by token hash)."""

    async def hold(self, hold: SlotHold, *, minutes: int, most_per_visitor: int, most_per_address: int) -> datetime:
        """Hold a slot and say until when, by database time. Takes the place of an equal hold with the same token.

        Raises:
            SlotTaken: a live booking or another hold overlaps.
            HoldLimitReached: too many live holds of this visitor, or of this address on this page.
        """

    async def release_hold(self, token_hash: str) -> tuple[UserId, ...]:
        """Let a hold go; gives the hosts that were held, none when there is no such hold (any more)."""


@dataclass(frozen=True, slots=True)
class MirroredTime:
    """What is known of one host's busy time from their calendars.

    `busy` are blocking spans in minutes since the epoch, half-open, sorted by start, possibly overlapping; events this
    product wrote itself are left out, their bookings count instead. Known within `[known_from, known_until)` only; both
    are equal when a selected calendar was never read, is lost, or was last confirmed too long ago. `confirmed_at` is
    the oldest confirmation among the calendars.
    """

    host: UserId
    busy: Sequence[tuple[int, int]]
    known_from: int
    known_until: int
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class MirrorState:
    """How far the copy of one calendar has come. `window` is what a full read covered; `failures` counts in a row."""

    calendar_id: CalendarId
    connection_id: ConnectionId
    cursor: str | None
    window: TimeSpan | None
    confirmed_at: datetime | None
    failures: int


class BusyMirror(Protocol):
    """Our copy of the busy time of selected calendars."""

    async def of_hosts(
        self, hosts: Collection[UserId], span: TimeSpan, *, confirmed_since: datetime
    ) -> dict[UserId, MirroredTime]:
        """What is known of each host with a connection, over all their selected calendars together."""

    async def by_calendar(self, host: UserId, span: TimeSpan) -> list[tuple[int, int, CalendarId]]:
        """A host's busy times that touch `span`, each with the selected calendar it is in; for explanations."""

    async def state(self, calendar_id: CalendarId) -> MirrorState:
        """How far a calendar's copy has come; a calendar never synced has an empty state."""

    async def keep_reading(self, claim: SyncClaim, *, lease_seconds: int) -> None:
        """Renew the right to read a calendar; until the commit nobody else gets it.

        Raises:
            LeaseLost: somebody else reads the calendar by now, or nobody is to.
        """

    async def apply(
        self, calendar_id: CalendarId, changed: Sequence[EventTime], removed: Sequence[RemovedEvent]
    ) -> bool:
        """Take changes into the copy in force; gives whether any blocking time changed. Repeating changes nothing."""

    async def begin_copy(self, calendar_id: CalendarId) -> int:
        """Start an empty shadow copy for a full read and give its number; an unfinished older one is dropped."""

    async def fill_copy(self, calendar_id: CalendarId, copy: int, changed: Sequence[EventTime]) -> None:
        """Add events to a shadow copy; an event that is there already is replaced.

        Raises:
            ConcurrentChange: a newer shadow copy was begun, or this one is in force already.
        """

    async def swap_copy(self, calendar_id: CalendarId, copy: int, window: TimeSpan) -> bool:
        """Put the shadow copy in force in place of the old one; gives whether any blocking time changed (SY-6).

        Raises:
            ConcurrentChange: as `fill_copy`.
        """

    async def confirm(self, calendar_id: CalendarId, *, cursor: str | None, at: datetime) -> None:
        """Everything up to `cursor` is in the copy, as of `at`; failures start over."""

    async def note_failure(self, calendar_id: CalendarId) -> int:
        """One more failed read in a row; gives how many. The copy stays as it is."""

    async def forget(self, calendar_id: CalendarId) -> None:
        """Drop a calendar's copy and state."""


@dataclass(frozen=True, slots=True)
class KeptResult:
    """What a command with this key did: the fingerprint of its input, and what it is about: a booking, a mail."""

    fingerprint: str
    subject: UUID


class IdempotencyKeys(Protocol):
    """Keys of commands already carried out (ID-1, ID-2), unique per account, operation and scope; kept 72 h."""

    async def find(self, operation: str, scope: str, key: str) -> KeptResult | None:
        """What was done under this key, if anything was committed."""

    async def keep(self, operation: str, scope: str, key: str, result: KeptResult) -> bool:
        """Keep a result with this transaction. False when another transaction kept one first: roll back and `find`.

        Waits for a transaction in flight with the same key, at most 5 s (then `LockTimeout`).
        """


@dataclass(frozen=True, slots=True)
class Attempt:
    """A booking somebody tried on a blocked page: on which page, for when, and when it was tried."""

    page_id: PageId
    wished_start: datetime
    tried_at: datetime


class BlockedAttempts(Protocol):
    """Attempts to book blocked hosts, waiting to be told to them in one mail (S61)."""

    async def add(self, host: UserId, attempt: Attempt) -> bool:
        """Note an attempt; gives whether it is the first that waits to be told."""

    async def last_told_at(self, host: UserId) -> datetime | None:
        """When attempts were last told, None when never."""

    async def waiting(self, host: UserId) -> list[Attempt]:
        """The waiting attempts, oldest first."""

    async def mark_told(self, host: UserId, attempts: Sequence[Attempt]) -> None:
        """These attempts are told and wait no more; others that came meanwhile still do."""


@dataclass(frozen=True, slots=True)
class MeetingLink:
    """A link to a page. `prefill` are values the form starts with, by its keys; `used_at` is when it was last used;
    `enrollment_id` is set for one in a mail of a sequence."""

    id: UUID
    page_id: PageId
    prefill: Mapping[str, tuple[str, ...]]
    duration_minutes: int | None
    single_use: bool
    expires_at: datetime | None
    used_at: datetime | None = None
    enrollment_id: EnrollmentId | None = None

    def leads_on(self, *, now: datetime) -> bool:
        """Whether something can be booked by it."""
        return (self.expires_at is None or now < self.expires_at) and not (self.single_use and self.used_at)


class LinkSpent(DomainError):
    """The link has ended, or was for one meeting, which is booked."""


class MeetingLinks(Protocol):
    """The account's links to its pages."""

    async def find(self, link_id: UUID) -> MeetingLink | None: ...

    async def add(self, link: MeetingLink, *, created_by: UserId, now: datetime) -> None: ...

    async def use(self, link_id: UUID, booking_id: BookingId, *, now: datetime) -> None:
        """Book something by a link, with this transaction. Of two at once with a link for one meeting, one succeeds.

        Raises:
            LinkSpent: it leads nowhere (any more).
        """


class WebDomains(Protocol):
    """The account's claims on domains."""

    async def get(self, domain_id: WebDomainId) -> WebDomain:
        """Raises `NotFound`."""

    async def all(self) -> list[WebDomain]:
        """Oldest first."""

    def add(self, domain: WebDomain) -> None:
        """`commit` raises `DomainTaken` when another account connected the host (also for one that is connected)."""

    async def remove(self, domain: WebDomain) -> None:
        """Drop a claim with this transaction; what it recorded is still written down."""


class Visitors(Protocol):
    """Browsers that booked on a custom domain: which booking of theirs was the last. Expired ones count as gone."""

    async def last_booking(self, visitor: UUID, *, host: str, nonce_hash: str) -> BookingId | None:
        """What this browser booked last, if it is known under this host by this very nonce."""

    async def remember(self, visitor: UUID, booking_id: BookingId, *, host: str, nonce_hash: str, days: int) -> None:
        """From here on a browser is known by this nonce alone, for so many days."""

    async def forget_of_email(self, email: str) -> int:
        """Know no browser any more whose last booking, as stored, is of this invitee, in whatever letter case; gives
        how many there were. Part of erasing a person; the same again finds none."""


class UnitOfWork(Protocol):
    """One transaction over one account's data; every repository sees that account alone (TP-1)."""

    account_id: AccountId
    actor: str
    users: Users
    connections: CalendarConnections
    pages: SchedulingPages
    bookings: Bookings
    engagements: Engagements
    sequences: Sequences
    enrollments: Enrollments
    record_feeds: RecordFeeds
    host_times: HostTimes
    mirror: BusyMirror
    idempotency: IdempotencyKeys
    blocked_attempts: BlockedAttempts
    links: MeetingLinks
    domains: WebDomains
    visitors: Visitors
    mailboxes: Mailboxes
    team_channels: TeamChannels
    emails: Emails
    mail_reading: MailReading
    personal_data: PersonalData
    crm_connection: CrmConnections

    async def account(self) -> Account:
        """The account itself. Raises `NotFound`."""

    async def versions(self, page: PageId, people: Collection[UserId]) -> dict[UUID, int]:
        """The versions of a page, of these people and of their connections, by id; of those that exist."""

    def intend(self, intent: NewIntent) -> None:
        """Store one more intent with this transaction, beside those the reactions table asks for."""

    def poke(self, *topics: str) -> None:
        """Tell watchers of these topics once this transaction has committed."""

    async def finish(self, intent: Intent) -> None:
        """Mark a claimed intent done in this transaction. Raises `LeaseLost` when the claim is not the latest."""

    async def commit(self) -> None:
        """Save everything that changed, once. Raises `ConcurrentChange`, `SlotTaken`, `SlugTaken`, `EmailTaken`,
        `LockTimeout`; nothing is saved then."""


Begin = Callable[[AccountId], AbstractAsyncContextManager[UnitOfWork]]
"""Opens a unit of work; who acts (for the journal) is bound when the callable is made."""
