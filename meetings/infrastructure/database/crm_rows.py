"""Rows of the built-in customer records, to what the port speaks of and back."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Label, Table

from meetings.application.ports.crm import (
    Contact,
    MailDirection,
    MailRecord,
    MeetingRecord,
    RecordedMail,
    RecordedMeeting,
    TimelineEntry,
)
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from meetings.infrastructure.database.transaction import AnyRow

Values = dict[str, Any]


def labelled(table: Table, prefix: str) -> list[Label[Any]]:
    """Every column of a table, its name after a prefix, so that several tables can stand in one row."""
    return [column.label(f"{prefix}_{column.name}") for column in table.columns]


# ---- people -------------------------------------------------------------------------------------------------------


def contact_from(row: AnyRow) -> Contact:
    return Contact(
        id=row.id.hex,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        company=row.company,
        owner=row.owner,
        created_at=row.created_at,
        properties=row.properties,
    )


def words_of(*texts: str | None) -> str:
    """What somebody is found by: the words of the texts in lower case, a blank before each."""
    return "".join(f" {word}" for text in texts if text for word in text.casefold().split())


def words_to_find(query: str) -> Iterable[str]:
    """What has to be in somebody's words: each begins one of them."""
    return (f" {word}" for word in query.casefold().split())


# ---- what happened ------------------------------------------------------------------------------------------------


def meeting_row(record: MeetingRecord) -> Values:
    return {
        "key": record.key,
        "owners": list(record.owners),
        "title": record.title,
        "body": record.body,
        "start_at": record.start,
        "end_at": record.end,
        "outcome": record.outcome.value,
        "source": record.source.value,
        "location": record.location,
        "join_url": record.join_url,
        "activity_type": record.activity_type,
    }


def mail_row(record: MailRecord) -> Values:
    return {
        "key": record.key,
        "owner": record.owner,
        "direction": record.direction.value,
        "sender": record.sender,
        "recipients": list(record.recipients),
        "subject": record.subject,
        "text": record.text,
        "html": record.html,
        "sent_at": record.sent_at,
        "message_id": record.message_id,
    }


def entry_from(row: AnyRow, contacts: tuple[str, ...]) -> TimelineEntry:
    """What stands in a row of a timeline, joined with both tables."""
    return mail_from(row, contacts) if row.meeting_id is None else meeting_from(row, contacts)


def meeting_from(row: AnyRow, contacts: tuple[str, ...]) -> RecordedMeeting:
    return RecordedMeeting(
        id=row.meeting_id.hex,
        key=row.meeting_key,
        contacts=contacts,
        owners=tuple(row.meeting_owners),
        title=row.meeting_title,
        body=row.meeting_body,
        start=row.meeting_start_at,
        end=row.meeting_end_at,
        outcome=MeetingOutcome(row.meeting_outcome),
        source=MeetingSource(row.meeting_source),
        location=row.meeting_location,
        join_url=row.meeting_join_url,
        activity_type=row.meeting_activity_type,
    )


def mail_from(row: AnyRow, contacts: tuple[str, ...]) -> RecordedMail:
    return RecordedMail(
        id=row.mail_id.hex,
        key=row.mail_key,
        contacts=contacts,
        owner=row.mail_owner,
        direction=MailDirection(row.mail_direction),
        sender=row.mail_sender,
        recipients=tuple(row.mail_recipients),
        subject=row.mail_subject,
        text=row.mail_text,
        sent_at=row.mail_sent_at,
    )
