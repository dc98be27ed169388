"""Meetings made on a record or found in a calendar, as a unit of work gets and saves them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import IntegrityError

from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.engagement import (
    EngagementEvent,
    MeetingEngagement,
    MeetingOutcome,
    MeetingSource,
    MeetingText,
)
from meetings.domain.identifiers import CalendarId, EngagementId, UserId
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.tables import engagements
from meetings.infrastructure.database.transaction import AnyRow, Image, Transaction

OF_ACCOUNT = select(engagements).where(engagements.c.account_id == bindparam("account"))
BY_ID = OF_ACCOUNT.where(engagements.c.id == bindparam("id"))
BY_IDS = OF_ACCOUNT.where(engagements.c.id.in_(bindparam("ids", expanding=True)))
BY_ICAL_UID = OF_ACCOUNT.where(engagements.c.ical_uid == bindparam("ical_uid"))
BY_EVENT = OF_ACCOUNT.where(engagements.c.event_id == bindparam("event"))


def engagement_from(row: AnyRow) -> MeetingEngagement:
    return MeetingEngagement(
        id=EngagementId(row.id),
        account_id=row.account_id,
        version=row.version,
        owners=tuple(UserId(UUID(owner)) for owner in row.owners),
        contacts=tuple(row.contacts),
        text=MeetingText(row.title, row.body, row.location),
        start=row.start_at,
        end=row.end_at,
        time_zone=row.time_zone,
        source=MeetingSource(row.source),
        created_at=row.created_at,
        outcome=MeetingOutcome(row.outcome),
        calendar_id=None if row.calendar_id is None else CalendarId(row.calendar_id),
        event=_event(row),
        ical_uid=row.ical_uid,
        sequence=row.sequence,
        generation=row.generation,
        settled_at=row.settled_at,
    )


def _event(row: AnyRow) -> EngagementEvent | None:
    if row.event_id is None:
        return None
    return EngagementEvent(CalendarId(row.calendar_id), row.event_id, row.ical_uid, row.event_url, row.join_url)


def engagement_row(engagement: MeetingEngagement) -> dict[str, Any]:
    event = engagement.event
    return {
        "id": engagement.id,
        "account_id": engagement.account_id,
        "owners": [owner.hex for owner in engagement.owners],
        "contacts": list(engagement.contacts),
        "title": engagement.text.title,
        "body": engagement.text.body,
        "location": engagement.text.location,
        "start_at": engagement.start,
        "end_at": engagement.end,
        "time_zone": engagement.time_zone,
        "source": engagement.source.value,
        "outcome": engagement.outcome.value,
        "created_at": engagement.created_at,
        "calendar_id": engagement.calendar_id,
        "event_id": event.event_id if event else None,
        "event_url": event.url if event else None,
        "join_url": event.join_url if event else None,
        "ical_uid": engagement.ical_uid,
        "sequence": engagement.sequence,
        "generation": engagement.generation,
        "settled_at": engagement.settled_at,
    }


class SqlEngagements:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, engagement_id: EngagementId) -> MeetingEngagement:
        known = self._transaction.known(MeetingEngagement, engagement_id)
        found = known or await self._one(BY_ID, id=engagement_id)
        if found is None:
            raise NotFound("meeting engagement")
        return found

    async def by_ical_uid(self, ical_uid: str) -> MeetingEngagement | None:
        return await self._one(BY_ICAL_UID, ical_uid=ical_uid)

    async def by_event(self, event_id: str) -> MeetingEngagement | None:
        return await self._one(BY_EVENT, event=event_id)

    def add(self, engagement: MeetingEngagement) -> None:
        self._transaction.added(engagement)

    async def _one(self, query: Select[*tuple[Any, ...]], **values: object) -> MeetingEngagement | None:
        for row in await self._transaction.rows(query, {"account": self._transaction.account_id, **values}):
            return self._transaction.loaded(engagement_from(row), engagement_row)
        return None

    async def save(self, engagement: MeetingEngagement, before: Image | None, after: Image) -> None:
        """Write an engagement down.

        Raises:
            ConcurrentChange: somebody else did since, or another one has the `ical_uid`.
        """
        try:
            await self._transaction.save(engagements, engagement.version, before, after)
        except IntegrityError as error:
            taken = ("engagements_account_id_ical_uid_idx", "engagements.account_id, engagements.ical_uid")
            if broken_constraint(error) in taken:
                raise ConcurrentChange from error
            raise
