"""The database, and the units of work that read and change it."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BindParameter, bindparam, func, insert, select, union_all, update
from sqlalchemy.exc import TimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.application.ports.crm_connections import CrmConnections
from meetings.application.ports.emails import Emails, MailReading
from meetings.application.ports.fan_out import FanOut
from meetings.application.ports.outbox import Intent, LeaseLost, NewIntent
from meetings.application.ports.personal_data import PersonalData
from meetings.application.ports.sequences import Enrollments, Sequences
from meetings.application.ports.unit_of_work import (
    Begin,
    BlockedAttempts,
    Bookings,
    BusyMirror,
    CalendarConnections,
    Engagements,
    HostTimes,
    IdempotencyKeys,
    LockTimeout,
    Mailboxes,
    MeetingLinks,
    RecordFeeds,
    SchedulingPages,
    TeamChannels,
    Users,
    Visitors,
    WebDomains,
)
from meetings.application.reactions import intents_for, topics_for
from meetings.domain.account import Account
from meetings.domain.base import Aggregate, DomainEvent, NotFound
from meetings.domain.booking import Booking
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.email import Email
from meetings.domain.email_thread import EmailThread
from meetings.domain.engagement import MeetingEngagement
from meetings.domain.enrollment import Enrollment
from meetings.domain.identifiers import AccountId, PageId, UserId
from meetings.domain.mailbox import Mailbox
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.sequence import Sequence as MailSequence
from meetings.domain.team_channel import TeamChannel
from meetings.domain.user import User
from meetings.domain.web_domain import WebDomain
from meetings.infrastructure.database.blocked_attempts import SqlBlockedAttempts
from meetings.infrastructure.database.bookings import SqlBookings, takes_other_time
from meetings.infrastructure.database.connections import SqlCalendarConnections, connection_image
from meetings.infrastructure.database.crm_connections import SqlCrmConnections
from meetings.infrastructure.database.emails import SqlEmails, email_row, email_thread_row
from meetings.infrastructure.database.engagements import SqlEngagements, engagement_row
from meetings.infrastructure.database.engines import read_engine, write_engine
from meetings.infrastructure.database.host_times import SqlHostTimes
from meetings.infrastructure.database.idempotency import SqlIdempotencyKeys
from meetings.infrastructure.database.journal import write_journal
from meetings.infrastructure.database.mail_reading import SqlMailReading
from meetings.infrastructure.database.mailboxes import SqlMailboxes, mailbox_row
from meetings.infrastructure.database.mapping import account_from, account_row, booking_row, page_row, user_row
from meetings.infrastructure.database.meeting_links import SqlMeetingLinks
from meetings.infrastructure.database.migrate import at_newest, migrate_engine
from meetings.infrastructure.database.mirror import SqlBusyMirror
from meetings.infrastructure.database.pages import SqlSchedulingPages
from meetings.infrastructure.database.personal_data import SqlPersonalData
from meetings.infrastructure.database.record_feeds import SqlRecordFeeds
from meetings.infrastructure.database.sequences import (
    SqlEnrollments,
    SqlSequences,
    enrollment_row,
    sequence_row,
)
from meetings.infrastructure.database.tables import accounts, connections, intents, pages, users
from meetings.infrastructure.database.team_channels import SqlTeamChannels, team_channel_row
from meetings.infrastructure.database.transaction import Image, Transaction, transaction_open
from meetings.infrastructure.database.types import Instant, database_time
from meetings.infrastructure.database.users import SqlUsers
from meetings.infrastructure.database.visitors import SqlVisitors
from meetings.infrastructure.database.web_domains import SqlWebDomains, web_domain_row
from meetings.infrastructure.secrets import Keyring, Secrets

Announce = Callable[[Sequence[UUID]], Awaitable[None]]

_log = logging.getLogger(__name__)


class Database:
    """One database, for one event loop: another loop (an embedded worker's thread) makes its own `Database`.

    `fan_out` is told the topics, `announce` the ids of new intents that are due now, each after a commit; neither can
    undo it, so what they raise is logged only.
    """

    def __init__(
        self, url: str, *, keyring: Keyring, fan_out: FanOut | None = None, announce: Announce | None = None
    ) -> None:
        self.secrets = Secrets(keyring)
        self.fan_out = fan_out
        self.announce = announce
        self._writing = write_engine(url)
        self._reading = read_engine(url)

    # ---- life -------------------------------------------------------------------------------------------------------

    async def migrate(self, revision: str = "head") -> None:
        """Bring the database to a revision, see `migrate.migrate`."""
        await migrate_engine(self._writing, revision)

    async def check_keys(self) -> None:
        """Raise `BadKeys` unless the secret keys fit what is stored; to be called once at the start (OA-7)."""
        async with self.transaction() as connection:
            await self.secrets.check(connection)

    async def rewrap_keys(self) -> int:
        """Wrap every account's key by the newest secret key, in short transactions; gives how many were (OA-8)."""
        total = 0
        while True:
            async with self.transaction() as connection:
                count = await self.secrets.rewrap(connection)
            total += count
            if not count:
                return total

    async def ready(self) -> bool:
        """Whether the database answers and has the schema this code needs (PF-2). Raises what the driver raises."""
        async with self.snapshot() as connection:
            return await connection.run_sync(at_newest)

    async def close(self) -> None:
        """Close every connection."""
        await self._writing.dispose()
        await self._reading.dispose()

    # ---- transactions -----------------------------------------------------------------------------------------------

    def begin(self, actor: str) -> Begin:
        """Opens units of work that may save; `actor` stands in the journal as who did it."""
        return lambda account_id: SqlUnitOfWork(self, account_id, actor)

    def look(self, actor: str = "") -> Begin:
        """Opens units of work that only read and cannot commit. They wait for no writer."""
        return lambda account_id: SqlUnitOfWork(self, account_id, actor, read_only=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction over all accounts, for this package's own machinery; commits unless something is raised."""
        async with self._connection(read_only=False) as connection:
            yield connection
            await connection.commit()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection over all accounts that only reads. On PostgreSQL each statement sees what is committed then."""
        async with self._connection(read_only=True) as connection:
            yield connection

    @asynccontextmanager
    async def _connection(self, *, read_only: bool) -> AsyncIterator[AsyncConnection]:
        engine = self._reading if read_only else self._writing
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(engine.connect())
            except TimeoutError as error:
                raise LockTimeout("no connection was free") from error
            outside = transaction_open.get()
            transaction_open.set(True)
            try:
                yield connection
            finally:
                transaction_open.set(outside)

    async def tell(self, topics: set[str], intent_ids: Sequence[UUID]) -> None:
        """What follows a commit at once: pokes, and a word to the workers."""
        try:
            if topics and self.fan_out:
                await self.fan_out.poke(topics)
            if intent_ids and self.announce:
                await self.announce(intent_ids)
        except Exception:
            _log.exception("A commit could not be announced; the periodic sweep will find what is due.")


class SqlUnitOfWork:
    """See the port. Nothing is asked of the database before the first repository is used; it commits at most once."""

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

    def __init__(self, database: Database, account_id: AccountId, actor: str, *, read_only: bool = False) -> None:
        self.account_id = account_id
        self.actor = actor
        self._database = database
        self._read_only = read_only
        self._open = database._connection(read_only=read_only)
        self._new_intents: list[NewIntent] = []
        self._committed = False

    async def __aenter__(self) -> "SqlUnitOfWork":
        connection = await self._open.__aenter__()
        self._transaction = Transaction(connection, self.account_id, keep_images=not self._read_only)
        self._enter_repositories(self._transaction)
        return self

    def _enter_repositories(self, transaction: Transaction) -> None:
        self.users = self._users = SqlUsers(transaction)
        self.connections = self._connections = SqlCalendarConnections(transaction, self._database.secrets)
        self.pages = self._pages = SqlSchedulingPages(transaction)
        self.host_times = self._host_times = SqlHostTimes(transaction)
        self.bookings = self._bookings = SqlBookings(transaction, self._host_times)
        self.engagements = self._engagements = SqlEngagements(transaction)
        self.sequences = self._sequences = SqlSequences(transaction)
        self.enrollments = self._enrollments = SqlEnrollments(transaction)
        self.record_feeds = SqlRecordFeeds(transaction)
        self.mirror = SqlBusyMirror(transaction)
        self.idempotency = SqlIdempotencyKeys(transaction)
        self.blocked_attempts = SqlBlockedAttempts(transaction)
        self.links = SqlMeetingLinks(transaction)
        self.domains = self._domains = SqlWebDomains(transaction)
        self.visitors = SqlVisitors(transaction)
        self.mailboxes = self._mailboxes = SqlMailboxes(transaction, self._database.secrets)
        self.team_channels = self._team_channels = SqlTeamChannels(transaction)
        self.emails = self._emails = SqlEmails(transaction)
        self.mail_reading = SqlMailReading(transaction)
        self.personal_data = SqlPersonalData(transaction, self._database.secrets)
        self.crm_connection = SqlCrmConnections(transaction, self._database.secrets)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.__aexit__(kind, error, traceback)

    async def account(self) -> Account:
        known = self._transaction.known(Account, self.account_id)
        if known is not None:
            return known
        for row in await self._transaction.rows(select(accounts).where(accounts.c.id == self.account_id)):
            return self._transaction.loaded(account_from(row), account_row)
        raise NotFound("account")

    async def versions(self, page: PageId, people: Collection[UserId]) -> dict[UUID, int]:
        values = {"account": self.account_id, "page": page, "people": list(people)}
        return {row.id: row.version for row in await self._transaction.rows(VERSIONS, values)}

    def intend(self, intent: NewIntent) -> None:
        self._new_intents.append(intent)

    def poke(self, *topics: str) -> None:
        self._transaction.pokes.update(topics)

    async def finish(self, intent: Intent) -> None:
        latest = (
            intents.c.id == intent.id,
            intents.c.account_id == self.account_id,
            intents.c.fence == intent.fence,
            intents.c.done_at.is_(None),
            intents.c.died_at.is_(None),
        )
        done = update(intents).where(*latest).values(done_at=database_time(), lease_until=None)
        if (await self._transaction.run(done)).rowcount != 1:
            raise LeaseLost

    async def commit(self) -> None:
        if self._read_only or self._committed:
            raise RuntimeError("this unit of work only reads" if self._read_only else "a unit of work commits once")
        changed = self._changed()
        try:
            events, intent_ids = await self._write(changed)
            await self._transaction.connection.commit()
        except BaseException:
            await self._transaction.connection.rollback()
            raise
        self._committed = True
        for aggregate, _, _ in changed:
            aggregate.version += 1
        topics = self._transaction.pokes.union(*(topics_for(event, self.account_id) for event, _ in events))
        await self._database.tell(topics, intent_ids)

    async def _write(
        self, changed: Sequence[tuple[Aggregate, Image | None, Image]]
    ) -> tuple[Sequence[tuple[DomainEvent, UUID]], list[UUID]]:
        """Everything that belongs to the commit: hosts' locks first, the journal's last, so that nobody deadlocks."""
        events = [(event, found.id) for found in self._transaction.all_known() for event in found.pull_events()]
        await self._lock_hosts(changed)
        for aggregate, before, after in changed:
            await self._save(aggregate, before, after)
        intent_ids = await self._store_intents(events)
        await write_journal(self._transaction, self.actor, events)
        return events, intent_ids

    def _changed(self) -> list[tuple[Aggregate, Image | None, Image]]:
        """What has to be saved, with what is stored and what shall be. Referenced rows come before referring ones."""
        found = []
        for aggregate in self._transaction.all_known():
            before, after = self._transaction.image_before(aggregate), _image(aggregate)
            if before != after:
                found.append((aggregate, before, after))
        return sorted(found, key=lambda entry: _ORDER.index(type(entry[0])))

    async def _lock_hosts(self, changed: Sequence[tuple[Aggregate, Image | None, Image]]) -> None:
        hosts = {
            host
            for aggregate, before, after in changed
            if isinstance(aggregate, Booking) and takes_other_time(before, after)
            for host in aggregate.hosts
        }
        if hosts:
            await self.host_times.lock(hosts)

    async def _save(self, aggregate: Aggregate, before: Image | None, after: Image) -> None:
        match aggregate:
            case Account():
                await self._transaction.save(accounts, aggregate.version, before, after)
            case User():
                await self._users.save(aggregate, before, after)
            case CalendarConnection():
                await self._connections.save(aggregate, before, after)
            case SchedulingPage():
                await self._pages.save(aggregate, before, after)
            case Booking():
                await self._bookings.save(aggregate, before, after)
            case MeetingEngagement():
                await self._engagements.save(aggregate, before, after)
            case MailSequence():
                await self._sequences.save(aggregate, before, after)
            case Enrollment():
                await self._enrollments.save(aggregate, before, after)
            case WebDomain():
                await self._domains.save(aggregate, before, after)
            case Mailbox():
                await self._mailboxes.save(aggregate, before, after)
            case TeamChannel():
                await self._team_channels.save(aggregate, before, after)
            case EmailThread():
                await self._emails.save_thread(aggregate, before, after)
            case Email():
                await self._emails.save(aggregate, before, after)

    async def _store_intents(self, events: Sequence[tuple[DomainEvent, UUID]]) -> list[UUID]:
        wanted = [intent for event, subject in events for intent in intents_for(event, subject)]
        wanted += [intent for intent in self._new_intents if not (intent.once and await self._lane_is_open(intent))]
        stored = {uuid4(): intent for intent in wanted}
        rows = [
            {
                "id": intent_id,
                "account_id": self.account_id,
                "reaction": intent.reaction,
                "subject": intent.subject,
                "lane": intent.lane,
                "details": dict(intent.details),
                "not_before": intent.not_before,
            }
            for intent_id, intent in stored.items()
        ]
        if rows:
            await self._transaction.run(NEW_INTENTS, rows)
        return [intent_id for intent_id, intent in stored.items() if intent.not_before is None]

    async def _lane_is_open(self, intent: NewIntent) -> bool:
        query = select(intents.c.id).where(
            intents.c.account_id == self.account_id,
            intents.c.lane == intent.lane,
            intents.c.done_at.is_(None),
            intents.c.died_at.is_(None),
        )
        return bool(await self._transaction.rows(query.limit(1)))


_PEOPLE: BindParameter[Any] = bindparam("people", expanding=True)
VERSIONS = union_all(
    *(
        select(table.c.id, table.c.version).where(table.c.account_id == bindparam("account"), of)
        for table, of in (
            (pages, pages.c.id == bindparam("page")),
            (users, users.c.id.in_(_PEOPLE)),
            (connections, connections.c.user_id.in_(_PEOPLE)),
        )
    )
)

NEW_INTENTS = insert(intents).values(
    created_at=database_time(),
    due_at=func.coalesce(bindparam("not_before", type_=Instant()), database_time()),
    attempts=0,
    fence=0,
)
"""Executed for one row after the other: their order is the order of their lane."""

_ORDER: list[type[Aggregate]] = [
    Account,
    User,
    CalendarConnection,
    Mailbox,
    TeamChannel,
    EmailThread,
    Email,
    SchedulingPage,
    Booking,
    MeetingEngagement,
    MailSequence,
    Enrollment,
    WebDomain,
]


def _image(aggregate: Aggregate) -> Image:
    match aggregate:
        case Account():
            return account_row(aggregate)
        case User():
            return user_row(aggregate)
        case CalendarConnection():
            return connection_image(aggregate)
        case SchedulingPage():
            return page_row(aggregate)
        case Booking():
            return booking_row(aggregate)
        case MeetingEngagement():
            return engagement_row(aggregate)
        case MailSequence():
            return sequence_row(aggregate)
        case Enrollment():
            return enrollment_row(aggregate)
        case WebDomain():
            return web_domain_row(aggregate)
        case Mailbox():
            return mailbox_row(aggregate)
        case TeamChannel():
            return team_channel_row(aggregate)
        case EmailThread():
            return email_thread_row(aggregate)
        case Email():
            return email_row(aggregate)
    raise TypeError(type(aggregate).__name__)
