"""Deciding which mailboxes are read, and since when what comes to them counts (A-IN1)."""

from datetime import datetime

from meetings.application.ports.emails import MailSchedule
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.identifiers import MailboxId, UserId
from meetings.domain.mailbox import Mailbox
from meetings.domain.user import User


async def plan_mail_sync(intent: Intent, *, look: Begin, schedule: MailSchedule) -> None:
    """Have a mailbox read from its connection on, or no more, as it stands now."""
    async with look(intent.account_id) as work:
        mailbox = await work.mailboxes.get(MailboxId(intent.subject))
        user = await work.users.get(mailbox.user_id)
    await _plan(mailbox, user, mailbox.connected_at, schedule)


async def plan_mail_sync_of_person(intent: Intent, *, look: Begin, schedule: MailSchedule) -> None:
    """The same for all mailboxes of a person who was deactivated, or is active again since `at` of the details."""
    async with look(intent.account_id) as work:
        user = await work.users.get(UserId(intent.subject))
        mailboxes = await work.mailboxes.of_user(user.id)
    since = datetime.fromisoformat(intent.details["at"])
    for mailbox in mailboxes:
        await _plan(mailbox, user, max(mailbox.connected_at, since), schedule)


async def _plan(mailbox: Mailbox, user: User, begin_at: datetime, schedule: MailSchedule) -> None:
    if mailbox.usable and user.active and not mailbox.team:
        await schedule.plan(mailbox.account_id, mailbox.id, begin_at=begin_at)
    else:
        await schedule.forget(mailbox.account_id, mailbox.id)
