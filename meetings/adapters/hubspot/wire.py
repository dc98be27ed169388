"""Our records as HubSpot's properties, and back.

Names: "Meetings" (A-CR5), "Email", "Contacts" of the CRM API. `hs_attendee_owner_ids` holds the other hosts,
`hs_meeting_source` the values of A-CR3; where a portal does not let them be written, they are left out.
"""

import html
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from meetings.adapters.hubspot.portal import KEY, Field, Json, text
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.crm import (
    Contact,
    ContactField,
    MailDirection,
    MailRecord,
    MeetingRecord,
    RecordedMail,
    RecordedMeeting,
)
from meetings.domain.engagement import MeetingOutcome, MeetingSource

CONTACT_NAMES: Mapping[ContactField, str] = {
    "first_name": "firstname",
    "last_name": "lastname",
    "company": "company",
    "owner": "hubspot_owner_id",
}
MEETING_NAMES = (
    *("hs_timestamp", "hs_meeting_title", "hs_meeting_body", "hs_meeting_location", "hs_meeting_start_time"),
    *("hs_meeting_end_time", "hs_meeting_outcome", "hs_meeting_external_url", "hs_meeting_source", "hs_activity_type"),
    *("hubspot_owner_id", "hs_attendee_owner_ids", KEY),
)
MAIL_NAMES = (
    *("hs_timestamp", "hs_email_subject", "hs_email_text", "hs_email_direction", "hs_email_headers"),
    *("hubspot_owner_id", KEY),
)

_OUTCOMES = {
    MeetingOutcome.SCHEDULED: "SCHEDULED",
    MeetingOutcome.COMPLETED: "COMPLETED",
    MeetingOutcome.RESCHEDULED: "RESCHEDULED",
    MeetingOutcome.NO_SHOW: "NO_SHOW",
    MeetingOutcome.CANCELLED: "CANCELED",
}
_SOURCES = {
    MeetingSource.PAGE: "MEETINGS_PUBLIC",
    MeetingSource.API: "INTEGRATION",
    MeetingSource.RECORD: "CRM_UI",
    MeetingSource.CALENDAR: "BIDIRECTIONAL_SYNC",
}
_DIRECTIONS = {MailDirection.OUTBOUND: "EMAIL", MailDirection.INBOUND: "INCOMING_EMAIL"}

_FURTHER = "contactinformation"
_BREAK = re.compile(r"<br\s*/?>|</p>\s*<p[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def further_names(fields: Mapping[str, Field]) -> list[str]:
    """The properties of a person that are read beside those of the record itself."""
    known = {"email", "lifecyclestage", *CONTACT_NAMES.values()}
    named = (name for name, field in fields.items() if field.group == _FURTHER)
    return [name for name in sorted(named) if name not in known and not name.startswith("hs_")]


def contact_from(told: Json, owners: Mapping[str, str]) -> Contact:
    given = _properties(told)
    known = {"email", "createdate", "lastmodifieddate", "hs_object_id", "lifecyclestage", *CONTACT_NAMES.values()}
    return Contact(
        id=text(told, "id"),
        email=given.get("email", ""),
        first_name=given.get("firstname"),
        last_name=given.get("lastname"),
        company=given.get("company"),
        owner=_address(given.get("hubspot_owner_id"), owners),
        created_at=_instant(told.get("createdAt")),
        properties={name: value for name, value in given.items() if name not in known},
    )


def meeting_properties(record: MeetingRecord, owners: Mapping[str, str]) -> dict[str, str]:
    """`hs_timestamp` is the start (A-CR5). Owners whom the portal does not know are left out."""
    ids = [owners[owner.casefold()] for owner in record.owners if owner.casefold() in owners]
    return {
        "hs_timestamp": _written(record.start),
        "hs_meeting_title": record.title,
        "hs_meeting_body": _marked_up(record.body or ""),
        "hs_meeting_location": record.location or "",
        "hs_meeting_start_time": _written(record.start),
        "hs_meeting_end_time": _written(record.end),
        "hs_meeting_outcome": _OUTCOMES[record.outcome],
        "hs_meeting_external_url": record.join_url or "",
        "hs_meeting_source": _SOURCES[record.source],
        "hs_activity_type": record.activity_type or "",
        "hubspot_owner_id": ids[0] if ids else "",
        "hs_attendee_owner_ids": ";".join(ids[1:]),
        KEY: str(record.key),
    }


def meeting_from(told: Json, contacts: Iterable[str], owners: Mapping[str, str]) -> RecordedMeeting:
    given = _properties(told)
    start = _instant(given.get("hs_meeting_start_time") or given.get("hs_timestamp") or told.get("createdAt"))
    ids = [given.get("hubspot_owner_id", ""), *given.get("hs_attendee_owner_ids", "").split(";")]
    people = dict.fromkeys(filter(None, (_address(each, owners) for each in ids)))
    outcomes = {word: outcome for outcome, word in _OUTCOMES.items()}
    sources = {word: source for source, word in _SOURCES.items()}
    return RecordedMeeting(
        id=text(told, "id"),
        key=_key(given.get(KEY)),
        contacts=tuple(sorted(contacts)),
        owners=tuple(people),
        title=given.get("hs_meeting_title", ""),
        body=_plain(given.get("hs_meeting_body")),
        start=start,
        end=max(start, _instant(given.get("hs_meeting_end_time") or start.isoformat())),
        outcome=outcomes.get(given.get("hs_meeting_outcome", ""), MeetingOutcome.SCHEDULED),
        source=sources.get(given.get("hs_meeting_source", "")),
        location=given.get("hs_meeting_location"),
        join_url=given.get("hs_meeting_external_url"),
        activity_type=given.get("hs_activity_type"),
    )


def mail_properties(record: MailRecord, owners: Mapping[str, str]) -> dict[str, str]:
    """Sender and recipients travel in `hs_email_headers`, from which HubSpot fills its own properties."""
    headers = {"from": {"email": record.sender}, "to": [{"email": to} for to in record.recipients], "cc": [], "bcc": []}
    return {
        "hs_timestamp": _written(record.sent_at),
        "hs_email_subject": record.subject,
        "hs_email_text": record.text,
        "hs_email_html": record.html or "",
        "hs_email_direction": _DIRECTIONS[record.direction],
        "hs_email_status": "SENT",
        "hs_email_headers": json.dumps(headers),
        "hubspot_owner_id": owners.get(record.owner.casefold(), ""),
        KEY: str(record.key),
    }


def mail_from(told: Json, contacts: Iterable[str], owners: Mapping[str, str]) -> RecordedMail:
    given = _properties(told)
    sender, recipients = _people(given.get("hs_email_headers"))
    inbound = given.get("hs_email_direction") == _DIRECTIONS[MailDirection.INBOUND]
    return RecordedMail(
        id=text(told, "id"),
        key=_key(given.get(KEY)),
        contacts=tuple(sorted(contacts)),
        owner=_address(given.get("hubspot_owner_id"), owners),
        direction=MailDirection.INBOUND if inbound else MailDirection.OUTBOUND,
        sender=sender,
        recipients=recipients,
        subject=given.get("hs_email_subject", ""),
        text=given.get("hs_email_text", ""),
        sent_at=_instant(given.get("hs_timestamp") or told.get("createdAt")),
    )


def _properties(told: Json) -> dict[str, str]:
    """What is said; HubSpot gives null, or an empty text, for what is not."""
    given = told.get("properties")
    if not isinstance(given, dict):
        raise ProviderUnavailable("HubSpot's answer cannot be read")
    return {name: str(value) for name, value in given.items() if value not in (None, "")}


def _people(headers: str | None) -> tuple[str, tuple[str, ...]]:
    try:
        told: Any = json.loads(headers or "{}")
        sender = str((told.get("from") or {}).get("email") or "")
        return sender, tuple(str(to["email"]) for to in told.get("to") or () if to.get("email"))
    except (ValueError, AttributeError, TypeError):
        return "", ()


def _address(owner: str | None, owners: Mapping[str, str]) -> str | None:
    return next((email for email, known in owners.items() if owner and known == owner), None)


def _key(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


def _marked_up(plain: str) -> str:
    return html.escape(plain, quote=False).replace("\n", "<br>")


def _plain(marked_up: str | None) -> str | None:
    if not marked_up:
        return None
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", marked_up))) or None


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(value: object) -> datetime:
    """HubSpot writes ISO 8601; milliseconds since 1970 are older answers' way."""
    try:
        written = str(value)
        if written.isdecimal():
            return datetime.fromtimestamp(int(written) / 1000, UTC)
        at = datetime.fromisoformat(written.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise ProviderUnavailable("HubSpot's answer cannot be read") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
