"""Putting a meeting that was made on a record, or found in a calendar, on the timelines of its contacts."""

from meetings.application.ports.crm import CrmOf, MeetingRecord
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.identifiers import EngagementId


async def log_engagement(intent: Intent, *, look: Begin, crm_of: CrmOf) -> None:
    """Have the records say what the meeting says now; doing it again changes nothing.

    It stands with those of its people who are contacts; nobody becomes one by it (A-CR1). When none is one any more,
    because they were forgotten, there is nobody to write it for.

    Raises:
        ProviderError: worth another try, but for `RecordRefused`.
    """
    async with look(intent.account_id) as work:
        engagement = await work.engagements.get(EngagementId(intent.subject))
        owners = await work.users.of(engagement.owners)
    crm = await crm_of(intent.account_id)
    known = await crm.known(engagement.contacts)
    if not known:
        return
    await crm.put_meeting(
        MeetingRecord(
            key=engagement.id,
            contacts=tuple(known[email].id for email in engagement.contacts if email in known),
            owners=tuple(owners[owner].email for owner in engagement.owners if owner in owners),
            title=engagement.text.title,
            body=engagement.text.body,
            start=engagement.start,
            end=engagement.end,
            outcome=engagement.outcome,
            source=engagement.source,
            location=engagement.text.location,
            join_url=engagement.event.join_url if engagement.event else None,
        )
    )
