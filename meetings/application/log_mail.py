"""Mails of ours and of contacts, on the contacts' timelines (S85, S87)."""

from meetings.application.ports.crm import CrmOf, MailDirection, MailRecord
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.email import EmailState
from meetings.domain.identifiers import EmailId

_ON_RECORD = (EmailState.SENT, EmailState.BOUNCED, EmailState.RECEIVED)


async def log_mail(intent: Intent, *, look: Begin, crm_of: CrmOf) -> None:
    """Put a mail on the records of its contacts; again is no second entry. One that did not leave stands nowhere.

    Raises:
        ProviderError: the CRM cannot be reached; worth another try.
        RecordRefused: the CRM does not take it, and will not.
    """
    async with look(intent.account_id) as work:
        email = await work.emails.get(EmailId(intent.subject))
        owner = await work.users.get(email.user_id)
    if email.state not in _ON_RECORD:
        return
    record = MailRecord(
        key=email.id,
        contacts=email.contacts,
        owner=owner.email,
        direction=MailDirection.OUTBOUND if email.outgoing else MailDirection.INBOUND,
        sender=email.sender.email,
        recipients=email.recipients,
        subject=email.content.subject,
        text=email.content.text,
        html=email.content.html,
        sent_at=email.at,
        message_id=email.known_as,
    )
    await (await crm_of(intent.account_id)).put_mail(record)
