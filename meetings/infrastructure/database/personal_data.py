"""What an account stores of one person from outside: found, forgotten, or put together for them.

Addresses are compared here and not by the database: the databases disagree about small letters beyond ASCII. So rows
are looked through page by page; nobody is erased or exported often.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Column, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from meetings.application.ports.personal_data import Forgotten
from meetings.application.reactions import SETTLE_BOOKING, SETTLE_ENGAGEMENT
from meetings.domain.base import ConcurrentChange
from meetings.domain.identifiers import BookingId, EngagementId
from meetings.infrastructure.database.mapping import email_key
from meetings.infrastructure.database.tables import (
    bookings,
    connections,
    crm_contacts,
    crm_mails,
    crm_meetings,
    crm_timeline,
    email_threads,
    emails,
    engagements,
    enrollments,
    idempotency_keys,
    intents,
    journal,
    mail_opt_outs,
    mailboxes,
    meeting_links,
    person_requests,
    users,
    visitors,
)
from meetings.infrastructure.database.transaction import AnyRow, Transaction
from meetings.infrastructure.secrets import SealBroken, Secrets

_PAGE = 1_000
_AT_ONCE = 500
_SEALED_FIELD = "person_requests.sealed"
_EVENTS = (SETTLE_BOOKING, SETTLE_ENGAGEMENT)
_WITHHELD = frozenset({"account_id", "version", "words", "nonce_hash", "fingerprint", "unsubscribe"})
"""Columns of the machinery, and what lets somebody act as another."""


@dataclass(frozen=True, slots=True)
class _Correspondence:
    threads: list[UUID]
    emails: list[UUID]
    enrollments: list[UUID]


class SqlPersonalData:
    def __init__(self, transaction: Transaction, secrets: Secrets) -> None:
        self._transaction = transaction
        self._secrets = secrets

    # ---- finding ----------------------------------------------------------------------------------------------------

    async def is_of_ours(self, email: str) -> bool:
        for column in (users.c.email, connections.c.account_email, mailboxes.c.email):
            rows = await self._transaction.rows(select(column.label("email")).where(self._mine(column.table)))
            if any(_is(row.email, email) for row in rows):
                return True
        return False

    async def bookings_with(self, email: str) -> list[BookingId]:
        found = self._ids(bookings, [bookings.c.details], lambda row: _takes_part(row.details, email))
        return [BookingId(found_id) for found_id in await found]

    async def engagements_with(self, email: str) -> list[EngagementId]:
        found = self._ids(engagements, [engagements.c.contacts], lambda row: _among(row.contacts, email))
        return [EngagementId(found_id) for found_id in await found]

    async def _correspondence(self, email: str, contact: str | None) -> _Correspondence:
        threads = await self._ids(
            email_threads,
            [email_threads.c.contact, email_threads.c.contact_email],
            lambda row: _is(row.contact_email, email) or row.contact == contact,
        )
        theirs = frozenset(threads)
        mails = await self._ids(
            emails,
            [emails.c.thread_id, emails.c.sender_email, emails.c.recipients, emails.c.contacts],
            lambda row: (
                row.thread_id in theirs
                or _is(row.sender_email, email)
                or _among(row.recipients, email)
                or contact in row.contacts
            ),
        )
        enrolled = await self._ids(
            enrollments,
            [enrollments.c.contact, enrollments.c.contact_email],
            lambda row: _is(row.contact_email, email) or row.contact == contact,
        )
        return _Correspondence(threads, mails, enrolled)

    async def _links(self, email: str, enrolled: Collection[UUID], meetings: Collection[UUID]) -> list[UUID]:
        return await self._ids(
            meeting_links,
            [meeting_links.c.prefill, meeting_links.c.enrollment_id, meeting_links.c.booking_id],
            lambda row: (
                any(_among(values, email) for values in row.prefill.values())
                or row.enrollment_id in enrolled
                or row.booking_id in meetings
            ),
        )

    async def _ids(self, table: Table, columns: list[Column[Any]], fits: Callable[[AnyRow], bool]) -> list[UUID]:
        """The ids of the rows that fit."""
        return [row.id async for row in self._all(table, columns) if fits(row)]

    async def _all(self, table: Table, columns: list[Column[Any]]) -> AsyncIterator[AnyRow]:
        page = select(table.c.id, *columns).where(self._mine(table)).order_by(table.c.id).limit(_PAGE)
        rows = await self._transaction.rows(page)
        while rows:
            for row in rows:
                yield row
            rows = await self._transaction.rows(page.where(table.c.id > rows[-1].id))

    def _mine(self, table: Any) -> Any:
        return table.c.account_id == self._transaction.account_id

    # ---- forgetting -------------------------------------------------------------------------------------------------

    async def forget(self, email: str, contact: str | None, meetings: Collection[UUID]) -> Forgotten:
        found = await self._correspondence(email, contact)
        subjects = {*meetings, *found.emails, *found.enrollments}
        links = await self._links(email, frozenset(found.enrollments), frozenset(meetings))
        await self._delete(meeting_links.c.id, links)
        await self._delete(enrollments.c.id, found.enrollments)
        await self._delete(emails.c.id, found.emails)
        await self._delete(email_threads.c.id, found.threads)
        await self._delete(idempotency_keys.c.booking_id, subjects)
        key = email_key(email)
        opted_out = delete(mail_opt_outs).where(self._mine(mail_opt_outs), mail_opt_outs.c.email_key == key)
        await self._transaction.run(opted_out)
        await self._forget_work(email, subjects)
        await self._close_requests_about(email)
        return Forgotten(len(found.emails), len(found.enrollments))

    async def _forget_work(self, email: str, subjects: Collection[UUID]) -> None:
        """Intents hold ids; what went wrong with one may quote an address."""
        for some in _parts(subjects):
            about = (self._mine(intents), intents.c.subject.in_(some))
            await self._transaction.run(delete(intents).where(*about, intents.c.reaction.not_in(_EVENTS)))
            await self._transaction.run(update(intents).where(*about).values(error=None))
        told = select(intents.c.seq, intents.c.error).where(self._mine(intents), intents.c.error.is_not(None))
        for row in await self._transaction.rows(told):
            if email_key(email) in row.error.casefold():
                kind = row.error.partition(":")[0]
                told_less = "" if email_key(email) in kind.casefold() else kind
                await self._transaction.run(
                    update(intents).where(intents.c.seq == row.seq).values(error=told_less or "erased")
                )

    async def _close_requests_about(self, email: str) -> None:
        """Exports that could still be fetched; the requests to erase are needed until the CRM has followed."""
        fetchable = select(person_requests).where(
            self._mine(person_requests),
            person_requests.c.sealed.is_not(None),
            person_requests.c.expires_at.is_not(None),
        )
        for row in await self._transaction.rows(fetchable):
            if _is(await self._opened(row) or "", email):
                await self.close_request(row.id)

    async def _delete(self, column: Column[Any], values: Collection[UUID]) -> None:
        try:
            for some in _parts(values):
                await self._transaction.run(delete(column.table).where(self._mine(column.table), column.in_(some)))
        except IntegrityError as error:  # somebody hung something on it since it was looked for
            raise ConcurrentChange from error

    # ---- requests ---------------------------------------------------------------------------------------------------

    async def keep_request(self, email: str, *, now: datetime, expires_at: datetime | None = None) -> UUID:
        request, account_id = uuid4(), self._transaction.account_id
        sealed = await self._secrets.seal(
            self._transaction.connection, account_id, _SEALED_FIELD, request, email.strip()
        )
        row = {
            "id": request,
            "account_id": account_id,
            "sealed": sealed,
            "requested_at": now,
            "expires_at": expires_at,
        }
        await self._transaction.run(insert(person_requests), row)
        return request

    async def requested(self, request: UUID, *, now: datetime) -> str | None:
        which = select(person_requests).where(self._mine(person_requests), person_requests.c.id == request)
        for row in await self._transaction.rows(which):
            return await self._opened(row) if row.expires_at is None or now < row.expires_at else None
        return None

    async def close_request(self, request: UUID) -> None:
        which = (self._mine(person_requests), person_requests.c.id == request)
        await self._transaction.run(update(person_requests).where(*which).values(sealed=None))

    async def _opened(self, row: AnyRow) -> str | None:
        if row.sealed is None:
            return None
        connection, account_id = self._transaction.connection, self._transaction.account_id
        try:
            return await self._secrets.open(connection, account_id, _SEALED_FIELD, row.id, row.sealed)
        except SealBroken:
            return None

    # ---- putting together -------------------------------------------------------------------------------------------

    async def everything_of(self, email: str, contact: str | None) -> Mapping[str, list[Mapping[str, Any]]]:
        meetings = [*await self.bookings_with(email), *await self.engagements_with(email)]
        found = await self._correspondence(email, contact)
        links = await self._links(email, frozenset(found.enrollments), frozenset(meetings))
        on_record = await self._ids(crm_contacts, [crm_contacts.c.email], lambda row: _is(row.email, email))
        logged = select(crm_timeline.c.entry_id).where(crm_timeline.c.contact_id.in_(on_record))
        entries = [row.entry_id for row in await self._transaction.rows(logged)]
        own_bookings = await self._ids(bookings, [bookings.c.details], lambda row: _is_by(row.details, email))
        everything = {
            "contacts": await self._rows(crm_contacts, crm_contacts.c.id, on_record),
            "meetingsOnRecord": await self._rows(crm_meetings, crm_meetings.c.id, entries),
            "mailsOnRecord": await self._rows(crm_mails, crm_mails.c.id, entries),
            "bookings": await self._bookings(email, meetings),
            "engagements": await self._rows(engagements, engagements.c.id, meetings),
            "conversations": await self._rows(email_threads, email_threads.c.id, found.threads),
            "mails": await self._rows(emails, emails.c.id, found.emails),
            "enrollments": await self._rows(enrollments, enrollments.c.id, found.enrollments),
            "links": await self._rows(meeting_links, meeting_links.c.id, links),
            "browsers": await self._rows(visitors, visitors.c.booking_id, own_bookings),
            "journal": await self._rows(
                journal, journal.c.subject, {*meetings, *found.threads, *found.emails, *found.enrollments}
            ),
        }
        opted_out = select(mail_opt_outs.c.at).where(
            self._mine(mail_opt_outs), mail_opt_outs.c.email_key == email_key(email)
        )
        everything["optOuts"] = [{"at": _json(row.at)} for row in await self._transaction.rows(opted_out)]
        return everything

    async def _rows(self, table: Table, column: Column[Any], values: Collection[UUID]) -> list[Mapping[str, Any]]:
        order = next(table.c[name] for name in ("created_at", "enrolled_at", "expires_at", "at") if name in table.c)
        found: list[AnyRow] = []
        for some in _parts(values):
            found += await self._transaction.rows(select(table).where(self._mine(table), column.in_(some)))
        found.sort(key=lambda row: getattr(row, order.name))
        return [_document(row) for row in found]

    async def _bookings(self, email: str, meetings: Collection[UUID]) -> list[Mapping[str, Any]]:
        """A guest gets when and where; what the invitee said is the invitee's."""
        shown: list[Mapping[str, Any]] = []
        for row in await self._rows(bookings, bookings.c.id, meetings):
            details = row["details"]
            if _is_by(details, email):
                shown.append({**row, "as": "INVITEE"})
            else:
                shown.append(
                    {
                        **{key: row[key] for key in ("id", "state", "start_at", "end_at", "created_at")},
                        "as": "GUEST",
                        "email": next(guest for guest in details["guests"] if _is(guest, email)),
                        "location": details["location"],
                    }
                )
        return shown


def _is(stored: str, email: str) -> bool:
    return email_key(stored) == email_key(email)


def _among(stored: Iterable[str], email: str) -> bool:
    return any(_is(each, email) for each in stored)


def _is_by(details: Mapping[str, Any], email: str) -> bool:
    return _is(details["invitee"]["email"], email)


def _takes_part(details: Mapping[str, Any], email: str) -> bool:
    return _is_by(details, email) or _among(details["guests"], email)


def _parts(values: Collection[UUID]) -> Iterable[list[UUID]]:
    every = list(values)
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))


def _document(row: AnyRow) -> Mapping[str, Any]:
    return {key: _json(value) for key, value in row._mapping.items() if key not in _WITHHELD and value is not None}


def _json(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value
