"""Reading what came to and went from one mailbox, in turn with everybody else who could."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime, timedelta
from functools import partial

from meetings.application.log_found_mail import FoundMailLog, OpenedForReading
from meetings.application.policy import Policy
from meetings.application.ports.calendars import CursorExpired, ProviderError, ReauthorizationNeeded
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import CrmOf
from meetings.application.ports.emails import MailSchedule, MailSyncClaim
from meetings.application.ports.mail_accounts import AccessNotGranted, MailAccountOf, MailNews
from meetings.application.ports.unit_of_work import Begin
from meetings.application.read_in_turn import LEASE_SECONDS, after_failure, next_poll, read_in_turn
from meetings.domain.identifiers import MailboxId

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=1)
"""What is read again after a cursor has expired, because clocks differ and mails are late."""


async def sync_mailbox(
    mailbox_id: MailboxId,
    *,
    begin: Begin,
    look: Begin,
    mail_account_of: MailAccountOf,
    crm_of: CrmOf,
    schedule: MailSchedule,
    clock: Clock,
    policy: Policy,
) -> bool:
    """Read what is new in one mailbox, if it is due and nobody else is reading it. Gives whether it is due again.

    Whatever happens, the mailbox is given back with a time for the next read, which begins where this one was sure to
    have taken everything in.
    """

    async def read(claim: MailSyncClaim, started: datetime) -> datetime:
        await _read(claim, started, begin=begin, look=look, mail_account_of=mail_account_of, crm_of=crm_of, clock=clock)
        return next_poll(policy.mail_poll, now=clock())

    failed = partial(_failed, begin=begin, clock=clock, policy=policy)
    return await read_in_turn(mailbox_id, turns=schedule, read=read, failed=failed, clock=clock, poll=policy.mail_poll)


async def _read(
    claim: MailSyncClaim,
    started: datetime,
    *,
    begin: Begin,
    look: Begin,
    mail_account_of: MailAccountOf,
    crm_of: CrmOf,
    clock: Clock,
) -> None:
    async with look(claim.account_id) as work:
        mailbox = await work.mailboxes.get(claim.mailbox_id)
        user = await work.users.get(mailbox.user_id)
        state = await work.mail_reading.state(mailbox.id)
        logging_rules = (await work.account()).email_logging
        own = frozenset(
            address.casefold()
            for address in (user.email, *(each.email for each in await work.mailboxes.of_user(user.id)))
        )
    if state is None or not mailbox.usable or not user.active:
        return
    account = mail_account_of(mailbox)
    opened = OpenedForReading(claim, mailbox, user, own, state.begin_at, logging_rules, account)
    found = FoundMailLog(opened, started, begin=begin, look=look, crm_of=crm_of, clock=clock)
    if state.cursor is not None:
        try:
            await _take_in(account.news(state.cursor), found)
            return
        except CursorExpired:
            log.info("cursor expired, reading the mailbox by time", extra={"mailbox": str(mailbox.id)})
    sure = state.confirmed_at - OVERLAP if state.confirmed_at else state.begin_at
    await _take_in(account.since(max(sure, state.begin_at)), found)


async def _take_in(pages: AsyncIterator[MailNews], found: FoundMailLog) -> None:
    try:
        async for page in pages:
            await found.take(page)
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()


async def _failed(
    claim: MailSyncClaim, error: ProviderError, started: datetime, *, begin: Begin, clock: Clock, policy: Policy
) -> datetime:
    """Write down what a failed read means, and say when to try again. Somebody who signed in again since is
    believed."""
    now = clock()
    async with begin(claim.account_id) as work:
        await work.mail_reading.hold(claim, lease_seconds=LEASE_SECONDS)
        failures = await work.mail_reading.note_failure(claim.mailbox_id)
        mailbox = await work.mailboxes.get(claim.mailbox_id)
        if isinstance(error, ReauthorizationNeeded | AccessNotGranted) and mailbox.connected_at <= started:
            mailbox.lose_grant(now=now)
        await work.commit()
    log.info("a mailbox could not be read", extra={"mailbox": str(claim.mailbox_id), "error": type(error).__name__})
    if isinstance(error, ReauthorizationNeeded | AccessNotGranted):
        return now + policy.mail_poll
    return after_failure(error, failures, now=now, poll=policy.mail_poll)
