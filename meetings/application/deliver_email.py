"""Handing a queued mail over to its mailbox, once, however often workers die around it (OB-7)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from meetings.application.grants import note_lost_mailbox
from meetings.application.policy import Policy
from meetings.application.ports.calendars import (
    ProviderResting,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import (
    AccessNotGranted,
    MailAccount,
    MailAccountOf,
    MailNotAccepted,
    MailPerson,
    OutgoingMail,
    SentMail,
)
from meetings.application.ports.outbox import Intent, Outbox
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import ConcurrentChange
from meetings.domain.calendar_connection import Grant
from meetings.domain.email import Email, EmailOrigin, EmailState
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import EmailId

T = TypeVar("T")

MOST_REFERENCES = 20
_TRIES = 5
Note = Callable[[Email, EmailThread, datetime], None]
"""What an outcome means for a mail and its conversation, now."""

_CERTAINLY_NOT_SENT = (RateLimited, ProviderResting, ReauthorizationNeeded, AccessNotGranted)


async def deliver_email(
    intent: Intent,
    *,
    begin: Begin,
    look: Begin,
    outbox: Outbox,
    mail_account_of: MailAccountOf,
    clock: Clock,
    policy: Policy,
) -> None:
    """Hand the mail over, or find out what became of an earlier try; doing it again changes nothing.

    It is marked before it is handed over. When nobody said whether it left, its provider is asked for it; it is handed
    over again only once it is proven absent: the provider had `policy.mail_settles_after` to show it. A mail of a
    sequence is not handed over again at all. The outcome and the end of the intent are one commit.

    Raises:
        ProviderError: it did not leave, or nobody knows yet; worth another try (`ReauthorizationNeeded`: once the
            person has signed in again).
        LeaseLost: somebody else has the intent now.
    """
    async with look(intent.account_id) as work:
        email = await work.emails.get(EmailId(intent.subject))
        thread = await work.emails.thread(email.thread_id)
        mailbox = await work.mailboxes.get(email.mailbox_id)
        sender = await work.users.get(email.user_id)
        before = await work.emails.conversation(thread.id)
    if email.state is not EmailState.QUEUED:
        await _finish(intent, begin)
        return
    if not sender.active or mailbox.grant is Grant.RETURNED:
        await give_up_email(intent, begin=begin, clock=clock, finish=True)
        return
    if not mailbox.usable:
        raise ReauthorizationNeeded("the mailbox is not connected")
    account = mail_account_of(mailbox)
    try:
        if email.handed_over_at is None or not await _settled_earlier(
            intent, email, account, begin=begin, clock=clock, policy=policy
        ):
            await _hand_over(
                intent, _outgoing(email, thread, before), account, begin=begin, outbox=outbox, clock=clock,
                policy=policy,
            )  # fmt: skip
    except (ReauthorizationNeeded, AccessNotGranted):
        await note_lost_mailbox(mailbox, begin=begin, clock=clock)
        raise


async def _settled_earlier(
    intent: Intent, email: Email, account: MailAccount, *, begin: Begin, clock: Clock, policy: Policy
) -> bool:
    """What became of an earlier hand-over, if that is settled; false once the mail is proven absent, and is to be
    handed over again."""
    assert email.handed_over_at, "asked for mails that were handed over"
    found = await _in_time(account.find_sent(email.message_id), policy)
    if found is not None:
        await _sent(intent, found, begin=begin, clock=clock)
        return True
    if clock() < email.handed_over_at + policy.mail_settles_after:
        raise ProviderUnavailable("nobody knows yet whether the mail left")
    if email.origin is EmailOrigin.SEQUENCE:
        await _settle(intent, lambda mail, _, now: mail.leave_uncertain(now=now), begin=begin, clock=clock)
        return True
    return False


async def _hand_over(
    intent: Intent,
    mail: OutgoingMail,
    account: MailAccount,
    *,
    begin: Begin,
    outbox: Outbox,
    clock: Clock,
    policy: Policy,
) -> None:
    async with begin(intent.account_id) as work:
        (await work.emails.get(EmailId(intent.subject))).hand_over(now=clock())
        await work.commit()
    await outbox.extend(intent)
    try:
        sent = await _in_time(account.send(mail), policy)
    except MailNotAccepted as refused:
        why = str(refused)
        await _settle(intent, lambda email, _, now: email.fail(why, now=now), begin=begin, clock=clock)
    except _CERTAINLY_NOT_SENT:
        async with begin(intent.account_id) as work:
            (await work.emails.get(EmailId(intent.subject))).take_back()
            await work.commit()
        raise
    else:
        await _sent(intent, sent, begin=begin, clock=clock)


async def _sent(intent: Intent, found: SentMail, *, begin: Begin, clock: Clock) -> None:
    def note(email: Email, thread: EmailThread, now: datetime) -> None:
        email.sent(found.message_id, now=now)
        if thread.mailbox_id == email.mailbox_id:
            thread.provider_thread = found.thread or thread.provider_thread

    await _settle(intent, note, begin=begin, clock=clock)


async def _settle(intent: Intent, note: Note, *, begin: Begin, clock: Clock) -> None:
    """Write an outcome down, together with the end of the intent."""
    for attempt in range(1, _TRIES + 1):
        try:
            async with begin(intent.account_id) as work:
                email = await work.emails.get(EmailId(intent.subject))
                note(email, await work.emails.thread(email.thread_id), clock())
                await work.finish(intent)
                await work.commit()
            return
        except ConcurrentChange:
            if attempt == _TRIES:
                raise


async def give_up_email(intent: Intent, *, begin: Begin, clock: Clock, finish: bool = False) -> None:
    """It could not be settled in all the time there was: a mail that was never handed over has failed, another one is
    uncertain. With `finish`, the intent ends with it."""
    async with begin(intent.account_id) as work:
        email = await work.emails.get(EmailId(intent.subject))
        if email.handed_over_at is None:
            email.fail("the mailbox could not be used", now=clock())
        else:
            email.leave_uncertain(now=clock())
        if finish:
            await work.finish(intent)
        await work.commit()


async def _finish(intent: Intent, begin: Begin) -> None:
    async with begin(intent.account_id) as work:
        await work.finish(intent)
        await work.commit()


async def _in_time(call: Awaitable[T], policy: Policy) -> T:
    async with asyncio.timeout(policy.write_seconds) as limit:
        try:
            return await call
        except TimeoutError as late:
            if limit.expired():
                raise ProviderUnavailable("the mailbox took too long") from late
            raise


def _outgoing(email: Email, thread: EmailThread, before: Sequence[Email]) -> OutgoingMail:
    earlier = [mail.known_as for mail in before if mail.id != email.id]
    return OutgoingMail(
        message_id=email.message_id,
        sender=MailPerson(email.sender.name, email.sender.email),
        to=tuple(MailPerson("", address) for address in email.recipients),
        subject=email.content.subject,
        text=email.content.text,
        html=email.content.html or "",
        references=(*earlier[:1], *earlier[1:][1 - MOST_REFERENCES :]),
        thread=thread.provider_thread if thread.mailbox_id == email.mailbox_id else None,
        unsubscribe=email.unsubscribe,
    )
