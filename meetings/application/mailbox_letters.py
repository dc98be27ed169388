"""Telling people that a mailbox of theirs, or of a team's, has to be connected again (B-EX4, A-NO4)."""

from uuid import UUID

from meetings.application.letters import have_each_told, message_id_of, recipient_of, send_letter
from meetings.application.links import Links
from meetings.application.ports.mail import MailboxLostLetter, Mailer
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.reactions import TELL_OF_MAILBOX
from meetings.domain.calendar_connection import WITH_PASSWORD, Grant
from meetings.domain.identifiers import MailboxId, UserId
from meetings.domain.mailbox import InboxProvider, Mailbox
from meetings.domain.team_channel import TeamChannel


async def plan_mailbox_letters(intent: Intent, *, begin: Begin) -> None:
    """Have each person told who is to know: who connected the mailbox, and for a team's the owners and admins too."""
    async with begin(intent.account_id) as work:
        mailbox = await work.mailboxes.get(MailboxId(intent.subject))
        readers = {mailbox.user_id} | (await work.users.active_admins() if mailbox.team else set())
        await have_each_told(TELL_OF_MAILBOX, intent, readers, work)


async def tell_of_mailbox(intent: Intent, *, look: Begin, mailer: Mailer, links: Links) -> None:
    """Write to one of them, unless it works again, or the letter about the calendar says it already: a mailbox that
    borrowed its grant loses it with the calendar.

    Raises:
        MailUnavailable: worth another try.
    """
    async with look(intent.account_id) as work:
        mailbox = await work.mailboxes.get(MailboxId(intent.subject))
        reader = await work.users.get(UserId(UUID(intent.details["to"])))
        told_already = await _lost_with_its_calendar(work, mailbox)
        channel = await _channel_of(work, mailbox)
    if mailbox.grant is not Grant.LOST or not reader.active or told_already or (mailbox.team and channel is None):
        return
    calendar = mailbox.provider.calendar_provider
    letter = MailboxLostLetter(
        message_id=message_id_of(intent, links),
        to=recipient_of(reader),
        provider=mailbox.provider.brand,
        email=mailbox.email,
        settings_url=links.settings(),
        with_password=mailbox.provider is InboxProvider.IMAP or calendar in WITH_PASSWORD,
        team=channel.name if channel else None,
        hosted_address=channel.hosted_address if channel else None,
    )
    await send_letter(letter, mailer)


async def _lost_with_its_calendar(work: UnitOfWork, mailbox: Mailbox) -> bool:
    if mailbox.connection_id is None:
        return False
    return (await work.connections.get(mailbox.connection_id)).grant is Grant.LOST


async def _channel_of(work: UnitOfWork, mailbox: Mailbox) -> TeamChannel | None:
    return next((each for each in await work.team_channels.all() if each.mailbox_id == mailbox.id), None)
