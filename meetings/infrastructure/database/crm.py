"""The built-in customer records, for accounts that keep them nowhere else."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from uuid import UUID, uuid4

from sqlalchemy import Executable, Text, bindparam, cast, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.application.ports.crm import (
    Contact,
    ContactDetails,
    ContactField,
    MailRecord,
    MeetingRecord,
    RecordedMeeting,
    RecordPage,
    RecordRefused,
    TimelineEntry,
)
from meetings.domain.base import NotFound
from meetings.domain.erasure import ERASED_TITLE
from meetings.domain.identifiers import AccountId
from meetings.domain.text import email_problem
from meetings.infrastructure.database.crm_rows import (
    contact_from,
    entry_from,
    labelled,
    mail_row,
    meeting_from,
    meeting_row,
    words_of,
    words_to_find,
)
from meetings.infrastructure.database.cursors import cursor_at, position_of
from meetings.infrastructure.database.mapping import email_key
from meetings.infrastructure.database.tables import crm_contacts, crm_mails, crm_meetings, crm_timeline
from meetings.infrastructure.database.transaction import AnyRow, execute, insert_into
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database

_contacts, _meetings, _mails, _entries = crm_contacts.c, crm_meetings.c, crm_mails.c, crm_timeline.c

KNOWN = select(crm_contacts).where(
    _contacts.account_id == bindparam("account"), _contacts.email_key.in_(bindparam("keys", expanding=True))
)
BY_ID = select(crm_contacts).where(
    _contacts.account_id == bindparam("account"), _contacts.id.in_(bindparam("ids", expanding=True))
)
MEETINGS_BY_KEY = select(*labelled(crm_meetings, "meeting")).where(
    _meetings.account_id == bindparam("account"), _meetings.key.in_(bindparam("keys", expanding=True))
)
MEETINGS_BY_ID = select(*labelled(crm_meetings, "meeting")).where(
    _meetings.account_id == bindparam("account"), _meetings.id.in_(bindparam("ids", expanding=True))
)
TIMELINE = (
    select(_entries.at, _entries.entry_id, *labelled(crm_meetings, "meeting"), *labelled(crm_mails, "mail"))
    .select_from(crm_timeline)
    .outerjoin(crm_meetings, _meetings.id == _entries.meeting_id)
    .outerjoin(crm_mails, _mails.id == _entries.mail_id)
    .where(_entries.account_id == bindparam("account"), _entries.contact_id == bindparam("contact"))
    .order_by(_entries.at.desc(), _entries.entry_id.desc())
)
LENGTH = select(func.count()).where(
    _entries.account_id == bindparam("account"), _entries.contact_id == bindparam("contact")
)
_OF_SEVERAL = (
    _entries.account_id == bindparam("account"),
    _entries.contact_id.in_(bindparam("contacts", expanding=True)),
)
_newest_first = func.row_number().over(
    partition_by=_entries.contact_id, order_by=(_entries.at.desc(), _entries.entry_id.desc())
)
_places = select(crm_timeline, _newest_first.label("place")).where(*_OF_SEVERAL).subquery()
BEGINNINGS = (
    select(
        _places.c.contact_id,
        _places.c.at,
        _places.c.entry_id,
        *labelled(crm_meetings, "meeting"),
        *labelled(crm_mails, "mail"),
    )
    .select_from(_places)
    .outerjoin(crm_meetings, _meetings.id == _places.c.meeting_id)
    .outerjoin(crm_mails, _mails.id == _places.c.mail_id)
    .where(_places.c.place <= bindparam("most"))
    .order_by(_places.c.contact_id, _places.c.place)
)
LENGTHS = select(_entries.contact_id, func.count().label("total")).where(*_OF_SEVERAL).group_by(_entries.contact_id)
CONTACTS_OF = (
    select(_entries.entry_id, _entries.contact_id)
    .where(
        _entries.account_id == bindparam("account"),
        or_(
            _entries.meeting_id.in_(bindparam("ids", expanding=True)),
            _entries.mail_id.in_(bindparam("ids", expanding=True)),
        ),
    )
    .order_by(_entries.contact_id)
)


class SqlCrm:
    """See the port. Each method is one transaction, or, where it only reads, at most three statements."""

    def __init__(self, database: Database, account_id: AccountId) -> None:
        self._database = database
        self._account_id = account_id

    # ---- people -----------------------------------------------------------------------------------------------------

    async def put_contact(self, details: ContactDetails) -> Contact:
        email = details.email.strip()
        if email_problem(email):
            raise RecordRefused("email is not accepted")
        given = {
            "first_name": details.first_name,
            "last_name": details.last_name,
            "company": details.company,
            "owner": details.owner,
        }
        new = {
            "id": uuid4(),
            "account_id": self._account_id,
            "email": email,
            "email_key": email_key(email),
            **given,
            "created_at": database_time(),
            "words": words_of(email, details.first_name, details.last_name, details.company),
            "properties": dict(details.properties),
        }
        async with self._database.transaction() as connection:
            insert = insert_into(connection, crm_contacts).values(new)
            completed = {name: func.coalesce(insert.excluded[name], crm_contacts.c[name]) for name in given}
            completed["owner"] = func.coalesce(_contacts.owner, insert.excluded.owner)
            whose = [_contacts.account_id, _contacts.email_key]
            put = insert.on_conflict_do_update(index_elements=whose, set_=completed).returning(crm_contacts)
            row = (await execute(connection, put)).one()
            rest = {
                "words": words_of(row.email, row.first_name, row.last_name, row.company),
                "properties": {**row.properties, **details.properties},
            }
            if rest != {name: getattr(row, name) for name in rest}:
                again = update(crm_contacts).where(_contacts.id == row.id).values(rest).returning(crm_contacts)
                row = (await execute(connection, again)).one()
        return contact_from(row)

    async def change_contact(self, contact: str, changes: Mapping[ContactField, str | None]) -> Contact:
        which = (_contacts.account_id == self._account_id, _contacts.id == next(_uuids([contact]), None))
        async with self._database.transaction() as connection:
            row = (await execute(connection, select(crm_contacts).where(*which).with_for_update())).one_or_none()
            if row is None:
                raise NotFound("contact")
            now = {"first_name": row.first_name, "last_name": row.last_name, "company": row.company, **changes}
            words = words_of(row.email, now["first_name"], now["last_name"], now["company"])
            changed = update(crm_contacts).where(*which).values({**changes, "words": words}).returning(crm_contacts)
            return contact_from((await execute(connection, changed)).one())

    async def known(self, emails: Collection[str]) -> Mapping[str, Contact]:
        keys = {email: email_key(email) for email in emails}
        rows = await self._rows(KNOWN, keys=list(set(keys.values()))) if keys else ()
        found = {row.email_key: contact_from(row) for row in rows}
        return {email: found[key] for email, key in keys.items() if key in found}

    async def contacts_by_id(self, ids: Collection[str]) -> Mapping[str, Contact]:
        asked = list(_uuids(ids))
        rows = await self._rows(BY_ID, ids=asked) if asked else ()
        return {contact.id: contact for contact in map(contact_from, rows)}

    async def contacts(self, query: str | None, *, first: int, after: str | None) -> RecordPage[Contact]:
        which = [_contacts.account_id == self._account_id]
        which += [_contacts.words.contains(word, autoescape=True) for word in words_to_find(query or "")]
        page = select(crm_contacts).where(*which).order_by(_contacts.created_at.desc(), _contacts.id.desc())
        if after is not None:
            page = page.where(tuple_(_contacts.created_at, _contacts.id) < tuple_(*position_of(after)))
        async with self._database.snapshot() as connection:
            rows = (await execute(connection, page.limit(first + 1))).all()
            total = await execute(connection, select(func.count()).select_from(crm_contacts).where(*which))
        return RecordPage(
            items=tuple(map(contact_from, rows[:first])),
            cursors=tuple(cursor_at(row.created_at, row.id) for row in rows[:first]),
            has_more=len(rows) > first,
            total=total.scalar_one(),
        )

    # ---- what happened ----------------------------------------------------------------------------------------------

    async def put_meeting(self, record: MeetingRecord) -> str:
        row = meeting_row(record)
        new = {"id": uuid4(), "account_id": self._account_id, "created_at": database_time(), **row}
        async with self._database.transaction() as connection:
            contacts = await self._existing(connection, record.contacts)
            insert = insert_into(connection, crm_meetings).values(new)
            put = insert.on_conflict_do_update(index_elements=[_meetings.account_id, _meetings.key], set_=row)
            meeting: UUID = (await execute(connection, put.returning(_meetings.id))).scalar_one()
            await self._associate(connection, contacts, meeting_id=meeting, at=record.start)
            moved = update(crm_timeline).where(_entries.meeting_id == meeting, _entries.at != record.start)
            await execute(connection, moved.values(at=record.start))
        return meeting.hex

    async def put_mail(self, record: MailRecord) -> str:
        new = {"id": uuid4(), "account_id": self._account_id, "created_at": database_time(), **mail_row(record)}
        async with self._database.transaction() as connection:
            contacts = await self._existing(connection, record.contacts)
            put = insert_into(connection, crm_mails).values(new)
            put = put.on_conflict_do_nothing(index_elements=[_mails.account_id, _mails.key])
            mail: UUID | None = (await execute(connection, put.returning(_mails.id))).scalar_one_or_none()
            if mail is not None:
                await self._associate(connection, contacts, mail_id=mail, at=record.sent_at)
                return mail.hex
            known = select(_mails.id).where(_mails.account_id == self._account_id, _mails.key == record.key)
            found: UUID = (await execute(connection, known)).scalar_one()
        return found.hex

    async def meetings_by_key(self, keys: Collection[UUID]) -> Mapping[UUID, RecordedMeeting]:
        if not keys:
            return {}
        async with self._database.snapshot() as connection:
            values = {"account": self._account_id, "keys": list(keys)}
            rows = (await execute(connection, MEETINGS_BY_KEY, values)).all()
            people = await self._contacts_of(connection, [row.meeting_id for row in rows])
        return {row.meeting_key: meeting_from(row, people.get(row.meeting_id, ())) for row in rows}

    async def meetings_by_id(self, ids: Collection[str]) -> Mapping[str, RecordedMeeting]:
        asked = list(_uuids(ids))
        if not asked:
            return {}
        async with self._database.snapshot() as connection:
            rows = (await execute(connection, MEETINGS_BY_ID, {"account": self._account_id, "ids": asked})).all()
            people = await self._contacts_of(connection, asked)
        return {row.meeting_id.hex: meeting_from(row, people.get(row.meeting_id, ())) for row in rows}

    async def timeline(self, contact: str, *, first: int, after: str | None) -> RecordPage[TimelineEntry]:
        whose = next(_uuids([contact]), None)
        page = TIMELINE.limit(first + 1)
        if after is not None:
            page = page.where(tuple_(_entries.at, _entries.entry_id) < tuple_(*position_of(after)))
        values = {"account": self._account_id, "contact": whose}
        async with self._database.snapshot() as connection:
            rows = (await execute(connection, page, values)).all()
            total = (await execute(connection, LENGTH, values)).scalar_one()
            people = await self._contacts_of(connection, [row.entry_id for row in rows[:first]])
        return _page(rows, people, first, total)

    async def timelines(self, contacts: Collection[str], *, first: int) -> Mapping[str, RecordPage[TimelineEntry]]:
        asked = list(_uuids(contacts))
        found: dict[UUID, list[AnyRow]] = {contact: [] for contact in asked}
        if not asked:
            return {contact: _page([], {}, first, 0) for contact in contacts}
        values = {"account": self._account_id, "contacts": asked}
        async with self._database.snapshot() as connection:
            for row in await execute(connection, BEGINNINGS, {**values, "most": first + 1}):
                found[row.contact_id].append(row)
            shown = {row.entry_id for rows in found.values() for row in rows[:first]}
            people = await self._contacts_of(connection, list(shown))
            totals = {row.contact_id: row.total for row in await execute(connection, LENGTHS, values)}
        pages = {contact.hex: _page(rows, people, first, totals.get(contact, 0)) for contact, rows in found.items()}
        return {contact: pages.get(contact) or _page([], {}, first, 0) for contact in contacts}

    # ---- forgetting -------------------------------------------------------------------------------------------------

    async def erase(self, email: str) -> None:
        key = email_key(email)
        person = select(_contacts.id).where(_contacts.account_id == self._account_id, _contacts.email_key == key)
        theirs = select(_entries.entry_id).where(_entries.contact_id.in_(person))
        took_part = or_(
            _mails.id.in_(theirs),
            func.lower(_mails.sender) == key,
            func.lower(cast(_mails.recipients, Text)).contains(f'"{key}"', autoescape=True),
        )
        blank = {"title": ERASED_TITLE, "body": None, "location": None, "join_url": None}
        async with self._database.transaction() as connection:
            await execute(connection, delete(crm_mails).where(_mails.account_id == self._account_id, took_part))
            await execute(connection, update(crm_meetings).where(_meetings.id.in_(theirs)).values(blank))
            await execute(connection, delete(crm_contacts).where(_contacts.id.in_(person)))

    # ---- statements -------------------------------------------------------------------------------------------------

    async def _rows(self, query: Executable, **values: object) -> Sequence[AnyRow]:
        async with self._database.snapshot() as connection:
            return (await execute(connection, query, {"account": self._account_id, **values})).all()

    async def _existing(self, connection: AsyncConnection, contacts: Iterable[str]) -> list[UUID]:
        """Those that are on record, kept there until the commit.

        Raises:
            RecordRefused: none is.
        """
        query = BY_ID.with_only_columns(_contacts.id).order_by(_contacts.id).with_for_update(read=True, key_share=True)
        values = {"account": self._account_id, "ids": list(_uuids(contacts))}
        found = list((await execute(connection, query, values)).scalars())
        if not found:
            raise RecordRefused("no contact of it is on record")
        return found

    async def _associate(self, connection: AsyncConnection, contacts: Iterable[UUID], **entry: object) -> None:
        entry_id = entry.get("meeting_id") or entry.get("mail_id")
        rows = [
            {"contact_id": contact, "entry_id": entry_id, "account_id": self._account_id, **entry}
            for contact in contacts
        ]
        await execute(connection, insert_into(connection, crm_timeline).on_conflict_do_nothing(), rows)

    async def _contacts_of(self, connection: AsyncConnection, entries: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
        if not entries:
            return {}
        people: dict[UUID, tuple[str, ...]] = {}
        values = {"account": self._account_id, "ids": list(entries)}
        for row in await execute(connection, CONTACTS_OF, values):
            people[row.entry_id] = (*people.get(row.entry_id, ()), row.contact_id.hex)
        return people


def _page(
    rows: Sequence[AnyRow], people: Mapping[UUID, tuple[str, ...]], first: int, total: int
) -> RecordPage[TimelineEntry]:
    """The page that begins with these rows; one more of them than it holds says that there are more."""
    return RecordPage(
        items=tuple(entry_from(row, people.get(row.entry_id, ())) for row in rows[:first]),
        cursors=tuple(cursor_at(row.at, row.entry_id) for row in rows[:first]),
        has_more=len(rows) > first,
        total=total,
    )


def _uuids(ids: Iterable[str]) -> Iterator[UUID]:
    """Ids of ours; others are nobody's."""
    for each in ids:
        try:
            yield UUID(hex=each)
        except ValueError:
            continue
