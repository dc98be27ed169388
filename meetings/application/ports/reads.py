"""Questions that change nothing. Lists come in pages by keyset, so that growth costs nothing.

Aggregates given here are snapshots to be shown; whoever wants to change one gets it from a unit of work.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from meetings.application.ports.unit_of_work import MirrorState
from meetings.domain.account import Account
from meetings.domain.booking import Booking, BookingState
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.engagement import MeetingEngagement
from meetings.domain.identifiers import (
    AccountId,
    BookingId,
    CalendarId,
    ConnectionId,
    EngagementId,
    PageId,
    UserId,
    WebDomainId,
)
from meetings.domain.scheduling_page import PageType, SchedulingPage
from meetings.domain.user import User
from meetings.domain.web_domain import WebDomain

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A part of a list: each item with the cursor that stands right after it, and whether more follow."""

    items: Sequence[tuple[str, T]]
    has_next: bool


@dataclass(frozen=True, slots=True)
class PagePointer:
    """Where a public address leads; `link_id` is set for one that `createMeetingLink` made."""

    account_id: AccountId
    page_id: PageId
    link_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Something that happened, as it was recorded: append-only, in order of `position` within the account (I9).

    `kind` is the domain event's name; `subject` the aggregate it happened to; `details` its ids and figures as text.
    """

    position: int
    kind: str
    subject: UUID
    actor: str
    at: datetime
    details: Mapping[str, str]


class BadCursor(Exception):
    """A paging cursor that this list never gave."""


@dataclass(frozen=True, slots=True)
class ConnectedDomain:
    """A custom domain that is served, and whose it is. `indexed`: search engines may look at it."""

    account_id: AccountId
    host: str
    indexed: bool


class Reads(Protocol):
    """Answers to the API's questions. Those without an account see all of them."""

    async def page_at(self, slug: str) -> PagePointer | None:
        """The page that answers at a normal slug; None when there is none or it is archived."""

    async def connected_domain(self, host: str) -> ConnectedDomain | None:
        """Whose domain a host is (in the form of `web_host`); None when nobody connected it."""

    async def domains_due(self, before: datetime, limit: int) -> list[tuple[AccountId, WebDomainId]]:
        """Connected domains, of all accounts, last looked at then or earlier."""

    async def web_domains(self, account_id: AccountId) -> list[WebDomain]:
        """All claims of an account, oldest first."""

    async def account_of_booking(self, booking_id: BookingId) -> AccountId | None:
        """For manage links, whose token was verified before."""

    async def person(self, user_id: UserId) -> User | None:
        """Anybody, of whatever account."""

    async def account(self, account_id: AccountId) -> Account | None: ...

    async def people(self, account_id: AccountId, *, first: int, after: str | None) -> Slice[User]:
        """Everybody in the account, in the order they came. Raises `BadCursor`."""

    async def users(self, account_id: AccountId, ids: Collection[UserId]) -> dict[UserId, User]: ...

    async def pages_by_id(self, account_id: AccountId, ids: Collection[PageId]) -> dict[PageId, SchedulingPage]:
        """Archived ones included."""

    async def bookings_by_id(self, account_id: AccountId, ids: Collection[BookingId]) -> dict[BookingId, Booking]: ...

    async def engagements(
        self, account_id: AccountId, ids: Collection[EngagementId]
    ) -> dict[EngagementId, MeetingEngagement]: ...

    async def users_by_email(self, account_id: AccountId, emails: Collection[str]) -> dict[str, User]:
        """By the address as it was asked for, whatever its letter case."""

    async def connections(
        self, account_id: AccountId, users: Collection[UserId]
    ) -> dict[UserId, CalendarConnection]: ...

    async def connections_by_id(
        self, account_id: AccountId, ids: Collection[ConnectionId]
    ) -> dict[ConnectionId, CalendarConnection]: ...

    async def mirror_states(self, account_id: AccountId, connection: ConnectionId) -> dict[CalendarId, MirrorState]:
        """How far each selected calendar's copy has come."""

    async def pages(
        self,
        account_id: AccountId,
        *,
        organizer: UserId | None,
        type: PageType | None,
        archived: bool,
        first: int,
        after: str | None,
    ) -> Slice[SchedulingPage]:
        """Oldest first. Raises `BadCursor`."""

    async def count_pages(
        self, account_id: AccountId, *, organizer: UserId | None, type: PageType | None, archived: bool
    ) -> int: ...

    async def bookings(
        self,
        account_id: AccountId,
        *,
        host: UserId | None,
        page: PageId | None,
        states: Collection[BookingState] | None,
        start_from: datetime | None,
        start_to: datetime | None,
        first: int,
        after: str | None,
    ) -> Slice[Booking]:
        """By start, latest first. Raises `BadCursor`."""

    async def count_bookings(
        self,
        account_id: AccountId,
        *,
        host: UserId | None,
        page: PageId | None,
        states: Collection[BookingState] | None,
        start_from: datetime | None,
        start_to: datetime | None,
    ) -> int: ...

    async def journal(
        self, account_id: AccountId, *, after: int, kinds: Collection[str], limit: int
    ) -> list[JournalEntry]:
        """Entries past a position, in order. Nothing that commits later can have a position already passed."""

    async def audit_log(self, account_id: AccountId, *, first: int, after: str | None) -> Slice[JournalEntry]:
        """Entries of all kinds, newest first. Raises `BadCursor`."""

    async def journal_end(self, account_id: AccountId) -> int:
        """The position of the newest entry, 0 when there is none."""
