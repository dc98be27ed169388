"""What the contract of customer records needs from a CRM, in words that fit every one."""

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from meetings.application.ports.crm import ContactDetails, Crm, MailDirection, MailRecord, MeetingRecord
from meetings.domain.engagement import MeetingOutcome, MeetingSource

START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


class CrmWorld(Protocol):
    """A CRM and the records of one account in it."""

    crm: Crm
    rival: Crm
    """The same records, as another process of ours holds them."""
    elsewhere: Crm
    """Those of another account."""
    owners: tuple[str, str]
    """Addresses of two people of ours whom the CRM knows."""

    async def count(self) -> tuple[int, int, int]:
        """How many contacts, meetings and mails are in the CRM, as it says itself."""


def a_person(email: str = "vera@visitors.example", **given: Any) -> ContactDetails:
    return ContactDetails(email, **given)


def a_meeting(*contacts: str, **given: Any) -> MeetingRecord:
    """Half an hour with these contacts."""
    start = given.pop("start", START)
    values: dict[str, Any] = {
        "key": uuid4(),
        "contacts": contacts,
        "owners": (),
        "title": "Intro",
        "body": None,
        "start": start,
        "end": start + timedelta(minutes=30),
        "outcome": MeetingOutcome.SCHEDULED,
        "source": MeetingSource.PAGE,
    }
    return MeetingRecord(**(values | given))


def a_mail(*contacts: str, **given: Any) -> MailRecord:
    """A mail that we sent to these contacts."""
    key = uuid4()
    values: dict[str, Any] = {
        "key": key,
        "contacts": contacts,
        "owner": "anna@example.com",
        "direction": MailDirection.OUTBOUND,
        "sender": "anna@example.com",
        "recipients": ("vera@visitors.example",),
        "subject": "Hello",
        "text": "How are you?",
        "sent_at": START,
        "message_id": f"<{key.hex}@example.com>",
    }
    return MailRecord(**(values | given))
