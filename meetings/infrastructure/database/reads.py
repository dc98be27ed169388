"""Questions of the API, answered by plain queries."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, bindparam, func, select, tuple_

from meetings.application.ports.reads import BadCursor, ConnectedDomain, JournalEntry, PagePointer, Slice
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
from meetings.infrastructure.database import connections as stored_connections
from meetings.infrastructure.database import engagements as stored_engagements
from meetings.infrastructure.database import users as stored_users
from meetings.infrastructure.database.cursors import cursor_at, position_of
from meetings.infrastructure.database.mapping import (
    account_from,
    booking_from,
    connections_from,
    email_key,
    page_from,
    user_from,
)
from meetings.infrastructure.database.mirror import STATE, mirror_state
from meetings.infrastructure.database.tables import (
    accounts,
    booking_hosts,
    bookings,
    calendars,
    journal,
    journal_heads,
    pages,
    users,
    web_domains,
)
from meetings.infrastructure.database.transaction import AnyRow, execute
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.database.web_domains import OF_ACCOUNT as DOMAINS_OF_ACCOUNT
from meetings.infrastructure.database.web_domains import web_domain_from

T = TypeVar("T")
Conditions = list[ColumnElement[bool]]

PAGE_AT = select(pages.c.account_id, pages.c.id).where(pages.c.slug == bindparam("slug"), pages.c.archived_at.is_(None))
CONNECTED_DOMAIN = select(web_domains.c.account_id, web_domains.c.connected_host, web_domains.c.indexed).where(
    web_domains.c.connected_host == bindparam("host")
)
PERSON = select(users).where(users.c.id == bindparam("person"))
USERS_BY_EMAIL = select(users).where(
    users.c.account_id == bindparam("account"), users.c.email_key.in_(bindparam("keys", expanding=True))
)
PAGES_BY_ID = select(pages).where(
    pages.c.account_id == bindparam("account"), pages.c.id.in_(bindparam("ids", expanding=True))
)
BOOKINGS_BY_ID = select(bookings).where(
    bookings.c.account_id == bindparam("account"), bookings.c.id.in_(bindparam("ids", expanding=True))
)


class SqlReads:
    """See the port. Each answer is one statement in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- by address and id ------------------------------------------------------------------------------------------

    async def page_at(self, slug: str) -> PagePointer | None:
        for row in await self._rows(PAGE_AT, {"slug": slug}):
            return PagePointer(AccountId(row.account_id), PageId(row.id))
        return None

    async def connected_domain(self, host: str) -> ConnectedDomain | None:
        for row in await self._rows(CONNECTED_DOMAIN, {"host": host}):
            return ConnectedDomain(AccountId(row.account_id), row.connected_host, row.indexed)
        return None

    async def domains_due(self, before: datetime, limit: int) -> list[tuple[AccountId, WebDomainId]]:
        due = (web_domains.c.connected_host.is_not(None), web_domains.c.checked_at <= before)
        query = select(web_domains.c.account_id, web_domains.c.id).where(*due).order_by(web_domains.c.checked_at)
        return [(AccountId(row.account_id), WebDomainId(row.id)) for row in await self._rows(query.limit(limit))]

    async def web_domains(self, account_id: AccountId) -> list[WebDomain]:
        return [web_domain_from(row) for row in await self._rows(DOMAINS_OF_ACCOUNT, {"account": account_id})]

    async def account_of_booking(self, booking_id: BookingId) -> AccountId | None:
        for row in await self._rows(select(bookings.c.account_id).where(bookings.c.id == booking_id)):
            return AccountId(row.account_id)
        return None

    async def person(self, user_id: UserId) -> User | None:
        for row in await self._rows(PERSON, {"person": user_id}):
            return user_from(row)
        return None

    async def account(self, account_id: AccountId) -> Account | None:
        for row in await self._rows(select(accounts).where(accounts.c.id == account_id)):
            return account_from(row)
        return None

    async def users(self, account_id: AccountId, ids: Collection[UserId]) -> dict[UserId, User]:
        found = map(user_from, await self._by_ids(stored_users.BY_IDS, account_id, ids))
        return {user.id: user for user in found}

    async def pages_by_id(self, account_id: AccountId, ids: Collection[PageId]) -> dict[PageId, SchedulingPage]:
        found = map(page_from, await self._by_ids(PAGES_BY_ID, account_id, ids))
        return {page.id: page for page in found}

    async def bookings_by_id(self, account_id: AccountId, ids: Collection[BookingId]) -> dict[BookingId, Booking]:
        found = map(booking_from, await self._by_ids(BOOKINGS_BY_ID, account_id, ids))
        return {booking.id: booking for booking in found}

    async def engagements(
        self, account_id: AccountId, ids: Collection[EngagementId]
    ) -> dict[EngagementId, MeetingEngagement]:
        rows = await self._by_ids(stored_engagements.BY_IDS, account_id, ids)
        return {EngagementId(row.id): stored_engagements.engagement_from(row) for row in rows}

    async def users_by_email(self, account_id: AccountId, emails: Collection[str]) -> dict[str, User]:
        keys = {email: email_key(email) for email in emails}
        values = {"account": account_id, "keys": list(set(keys.values()))}
        rows = await self._rows(USERS_BY_EMAIL, values) if keys else ()
        found = {row.email_key: user_from(row) for row in rows}
        return {email: found[key] for email, key in keys.items() if key in found}

    async def connections(self, account_id: AccountId, users: Collection[UserId]) -> dict[UserId, CalendarConnection]:
        found = connections_from(await self._by_ids(stored_connections.OF_USERS, account_id, users))
        return {connection.user_id: connection for connection in found}

    async def connections_by_id(
        self, account_id: AccountId, ids: Collection[ConnectionId]
    ) -> dict[ConnectionId, CalendarConnection]:
        found = connections_from(await self._by_ids(stored_connections.BY_IDS, account_id, ids))
        return {connection.id: connection for connection in found}

    async def mirror_states(self, account_id: AccountId, connection: ConnectionId) -> dict[CalendarId, MirrorState]:
        query = STATE.where(calendars.c.connection_id == connection, calendars.c.selected)
        found = map(mirror_state, await self._rows(query, {"account": account_id}))
        return {state.calendar_id: state for state in found}

    # ---- lists ------------------------------------------------------------------------------------------------------

    async def people(self, account_id: AccountId, *, first: int, after: str | None) -> Slice[User]:
        query = select(users).where(users.c.account_id == account_id)
        if after is not None:
            query = query.where(tuple_(users.c.created_at, users.c.id) > tuple_(*position_of(after)))
        rows = await self._rows(query.order_by(users.c.created_at, users.c.id).limit(first + 1))
        return _slice(rows, first, user_from, lambda user: (user.created_at, user.id))

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
        query = select(pages).where(*_page_conditions(account_id, organizer, type, archived))
        if after is not None:
            query = query.where(tuple_(pages.c.created_at, pages.c.id) > tuple_(*position_of(after)))
        rows = await self._rows(query.order_by(pages.c.created_at, pages.c.id).limit(first + 1))
        return _slice(rows, first, page_from, lambda page: (page.created_at, page.id))

    async def count_pages(
        self, account_id: AccountId, *, organizer: UserId | None, type: PageType | None, archived: bool
    ) -> int:
        query = select(func.count()).select_from(pages)
        return await self._number(query.where(*_page_conditions(account_id, organizer, type, archived)))

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
        query = select(bookings).where(*_booking_conditions(account_id, host, page, states, start_from, start_to))
        if after is not None:
            query = query.where(tuple_(bookings.c.start_at, bookings.c.id) < tuple_(*position_of(after)))
        rows = await self._rows(query.order_by(bookings.c.start_at.desc(), bookings.c.id.desc()).limit(first + 1))
        return _slice(rows, first, booking_from, lambda booking: (booking.start, booking.id))

    async def count_bookings(
        self,
        account_id: AccountId,
        *,
        host: UserId | None,
        page: PageId | None,
        states: Collection[BookingState] | None,
        start_from: datetime | None,
        start_to: datetime | None,
    ) -> int:
        query = select(func.count()).select_from(bookings)
        return await self._number(
            query.where(*_booking_conditions(account_id, host, page, states, start_from, start_to))
        )

    # ---- the journal ------------------------------------------------------------------------------------------------

    async def journal(
        self, account_id: AccountId, *, after: int, kinds: Collection[str], limit: int
    ) -> list[JournalEntry]:
        query = (
            select(journal)
            .where(journal.c.account_id == account_id, journal.c.position > after, journal.c.kind.in_(kinds))
            .order_by(journal.c.position)
            .limit(limit)
        )
        return [_entry(row) for row in await self._rows(query)]

    async def audit_log(self, account_id: AccountId, *, first: int, after: str | None) -> Slice[JournalEntry]:
        query = select(journal).where(journal.c.account_id == account_id).order_by(journal.c.position.desc())
        if after is not None:
            if not (after.isascii() and after.isdecimal() and len(after) <= _MOST_DIGITS):
                raise BadCursor
            query = query.where(journal.c.position < int(after))
        rows = await self._rows(query.limit(first + 1))
        return Slice([(str(row.position), _entry(row)) for row in rows[:first]], has_next=len(rows) > first)

    async def journal_end(self, account_id: AccountId) -> int:
        heads = select(journal_heads.c.position).where(journal_heads.c.account_id == account_id)
        return await self._number(heads)

    # ---- statements -------------------------------------------------------------------------------------------------

    async def _rows(self, query: Executable, values: dict[str, Any] | None = None) -> Sequence[AnyRow]:
        async with self._database.snapshot() as connection:
            return (await execute(connection, query, values)).all()

    async def _by_ids(self, query: Executable, account_id: AccountId, ids: Collection[UUID]) -> Sequence[AnyRow]:
        return await self._rows(query, {"account": account_id, "ids": list(ids)}) if ids else ()

    async def _number(self, query: Executable) -> int:
        async with self._database.snapshot() as connection:
            return (await execute(connection, query)).scalar() or 0


def _page_conditions(
    account_id: AccountId, organizer: UserId | None, type: PageType | None, archived: bool
) -> Conditions:
    archival = pages.c.archived_at
    conditions = [pages.c.account_id == account_id, archival.is_not(None) if archived else archival.is_(None)]
    if organizer is not None:
        conditions.append(pages.c.organizer_id == organizer)
    if type is not None:
        conditions.append(pages.c.type == type.value)
    return conditions


def _booking_conditions(
    account_id: AccountId,
    host: UserId | None,
    page: PageId | None,
    states: Collection[BookingState] | None,
    start_from: datetime | None,
    start_to: datetime | None,
) -> Conditions:
    conditions = [bookings.c.account_id == account_id]
    if host is not None:
        hosted = select(booking_hosts.c.booking_id).where(booking_hosts.c.host_id == host)
        conditions.append(bookings.c.id.in_(hosted))
    if page is not None:
        conditions.append(bookings.c.page_id == page)
    if states is not None:
        conditions.append(bookings.c.state.in_([state.value for state in states]))
    if start_from is not None:
        conditions.append(bookings.c.start_at >= start_from)
    if start_to is not None:
        conditions.append(bookings.c.start_at < start_to)
    return conditions


_MOST_DIGITS = 15


def _entry(row: AnyRow) -> JournalEntry:
    return JournalEntry(row.position, row.kind, row.subject, row.actor, row.at, row.details)


def _slice(
    rows: Sequence[AnyRow], first: int, make: Callable[[AnyRow], T], position: Callable[[T], tuple[datetime, UUID]]
) -> Slice[T]:
    items = [make(row) for row in rows[:first]]
    return Slice([(cursor_at(*position(item)), item) for item in items], has_next=len(rows) > first)
