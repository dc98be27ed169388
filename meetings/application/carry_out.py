"""What a worker does with an intent it has claimed."""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping

from meetings.application import reactions
from meetings.application.crm_letters import plan_crm_letters, tell_of_crm
from meetings.application.deliver_email import deliver_email, give_up_email
from meetings.application.domain_letters import tell_admins, tell_of_domain
from meetings.application.erase_person import erase_on_record
from meetings.application.follow_enrollments import (
    end_by_answer,
    end_by_booking,
    end_by_engagement,
    end_by_other_mail,
    follow_sequence_mail,
)
from meetings.application.letters import (
    LetterRefused,
    plan_reminders,
    send_reminder,
    tell_about_booking,
    tell_blocked_attempts,
    tell_grant_lost,
    tell_invitation,
)
from meetings.application.log_booking import log_booking
from meetings.application.log_calendar_events import log_calendar_events
from meetings.application.log_engagement import log_engagement
from meetings.application.log_mail import log_mail
from meetings.application.mailbox_letters import plan_mailbox_letters, tell_of_mailbox
from meetings.application.plan_mail_sync import plan_mail_sync, plan_mail_sync_of_person
from meetings.application.plan_sync import plan_sync, renew_channels
from meetings.application.ports.calendars import ProviderError
from meetings.application.ports.crm import CrmAccessLost, RecordRefused
from meetings.application.ports.mail import Audience, MailUnavailable
from meetings.application.ports.outbox import Intent, LeaseLost
from meetings.application.ports.unit_of_work import LockTimeout
from meetings.application.retry_schedule import next_try
from meetings.application.send_step import send_step
from meetings.application.settle_booking import give_up, give_up_at, settle_booking
from meetings.application.settle_engagement import settle_engagement, stop_trying_at
from meetings.application.toolbox import Toolbox
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.identifiers import BookingId

log = logging.getLogger(__name__)

MAX_MAIL_TRIES = 60
MAX_FAULTS = 8
"""How often a reaction that fails by a mistake of ours is tried before people have to look."""


async def _settle_booking(intent: Intent, tools: Toolbox) -> None:
    await settle_booking(
        intent,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        links=tools.links,
        clock=tools.clock,
        policy=tools.policy,
    )


async def _settle_engagement(intent: Intent, tools: Toolbox) -> None:
    await settle_engagement(
        intent,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        clock=tools.clock,
        policy=tools.policy,
    )


async def _log_booking(intent: Intent, tools: Toolbox) -> None:
    await log_booking(intent, look=tools.look, crm_of=tools.crm_of)


async def _send_email(intent: Intent, tools: Toolbox) -> None:
    await deliver_email(
        intent,
        begin=tools.begin,
        look=tools.look,
        outbox=tools.outbox,
        mail_account_of=tools.mail_account_of,
        clock=tools.clock,
        policy=tools.policy,
    )


async def _log_mail(intent: Intent, tools: Toolbox) -> None:
    await log_mail(intent, look=tools.look, crm_of=tools.crm_of)


async def _plan_mail_sync(intent: Intent, tools: Toolbox) -> None:
    await plan_mail_sync(intent, look=tools.look, schedule=tools.mail_schedule)


async def _plan_mail_sync_of_person(intent: Intent, tools: Toolbox) -> None:
    await plan_mail_sync_of_person(intent, look=tools.look, schedule=tools.mail_schedule)


async def _log_calendar_events(intent: Intent, tools: Toolbox) -> None:
    await log_calendar_events(
        intent,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        crm_of=tools.crm_of,
        clock=tools.clock,
        policy=tools.policy,
    )


async def _log_engagement(intent: Intent, tools: Toolbox) -> None:
    await log_engagement(intent, look=tools.look, crm_of=tools.crm_of)


async def _tell_invitee(intent: Intent, tools: Toolbox) -> None:
    await tell_about_booking(intent, Audience.INVITEE, look=tools.look, mailer=tools.mailer, links=tools.links)


async def _tell_host(intent: Intent, tools: Toolbox) -> None:
    await tell_about_booking(intent, Audience.HOST, look=tools.look, mailer=tools.mailer, links=tools.links)


async def _plan_reminders(intent: Intent, tools: Toolbox) -> None:
    await plan_reminders(intent, begin=tools.begin, clock=tools.clock)


async def _send_reminder(intent: Intent, tools: Toolbox) -> None:
    await send_reminder(intent, look=tools.look, mailer=tools.mailer, links=tools.links, clock=tools.clock)


async def _plan_sync(intent: Intent, tools: Toolbox) -> None:
    await plan_sync(intent, begin=tools.begin, look=tools.look, push_of=tools.push_of, schedule=tools.schedule)
    await renew_channels(
        look=tools.look,
        providers=tools.providers,
        push_of=tools.push_of,
        schedule=tools.schedule,
        links=tools.links,
        clock=tools.clock,
    )


async def _tell_grant_lost(intent: Intent, tools: Toolbox) -> None:
    await tell_grant_lost(intent, look=tools.look, mailer=tools.mailer, links=tools.links)


async def _tell_mailbox_lost(intent: Intent, tools: Toolbox) -> None:
    await plan_mailbox_letters(intent, begin=tools.begin)


async def _tell_of_mailbox(intent: Intent, tools: Toolbox) -> None:
    await tell_of_mailbox(intent, look=tools.look, mailer=tools.mailer, links=tools.links)


async def _tell_blocked(intent: Intent, tools: Toolbox) -> None:
    await tell_blocked_attempts(
        intent,
        begin=tools.begin,
        look=tools.look,
        mailer=tools.mailer,
        links=tools.links,
        clock=tools.clock,
        policy=tools.policy,
    )


async def _tell_invitation(intent: Intent, tools: Toolbox) -> None:
    await tell_invitation(intent, look=tools.look, mailer=tools.mailer, links=tools.links, policy=tools.policy)


async def _tell_admins(intent: Intent, tools: Toolbox) -> None:
    await tell_admins(intent, begin=tools.begin)


async def _tell_of_domain(intent: Intent, tools: Toolbox) -> None:
    await tell_of_domain(intent, look=tools.look, mailer=tools.mailer, links=tools.links)


async def _tell_crm_refused(intent: Intent, tools: Toolbox) -> None:
    await plan_crm_letters(intent, begin=tools.begin)


async def _tell_of_crm(intent: Intent, tools: Toolbox) -> None:
    await tell_of_crm(intent, look=tools.look, mailer=tools.mailer, links=tools.links)


async def _catch_up_on_record(intent: Intent, tools: Toolbox) -> None:
    await tools.outbox.wake(intent.account_id, reactions.WORKING_WITH_RECORDS, died_of=CrmAccessLost.__name__)


async def _send_step(intent: Intent, tools: Toolbox) -> None:
    await send_step(
        intent,
        begin=tools.begin,
        look=tools.look,
        crm_of=tools.crm_of,
        links=tools.links,
        clock=tools.clock,
        policy=tools.policy,
    )


async def _follow_sequence_mail(intent: Intent, tools: Toolbox) -> None:
    await follow_sequence_mail(intent, begin=tools.begin, clock=tools.clock)


async def _end_by_answer(intent: Intent, tools: Toolbox) -> None:
    await end_by_answer(intent, begin=tools.begin, clock=tools.clock)


async def _end_by_other_mail(intent: Intent, tools: Toolbox) -> None:
    await end_by_other_mail(intent, begin=tools.begin, clock=tools.clock)


async def _end_by_booking(intent: Intent, tools: Toolbox) -> None:
    await end_by_booking(intent, begin=tools.begin, clock=tools.clock)


async def _end_by_engagement(intent: Intent, tools: Toolbox) -> None:
    await end_by_engagement(intent, begin=tools.begin, clock=tools.clock)


async def _erase_on_record(intent: Intent, tools: Toolbox) -> None:
    await erase_on_record(intent, begin=tools.begin, look=tools.look, crm_of=tools.crm_of, clock=tools.clock)


Reaction = Callable[[Intent, Toolbox], Awaitable[None]]

HANDLERS: Mapping[str, Reaction] = {
    reactions.SETTLE_BOOKING: _settle_booking,
    reactions.SETTLE_ENGAGEMENT: _settle_engagement,
    reactions.LOG_BOOKING: _log_booking,
    reactions.LOG_ENGAGEMENT: _log_engagement,
    reactions.LOG_CALENDAR_EVENTS: _log_calendar_events,
    reactions.SEND_EMAIL: _send_email,
    reactions.LOG_MAIL: _log_mail,
    reactions.SEND_STEP: _send_step,
    reactions.FOLLOW_SEQUENCE_MAIL: _follow_sequence_mail,
    reactions.END_BY_ANSWER: _end_by_answer,
    reactions.END_BY_OTHER_MAIL: _end_by_other_mail,
    reactions.END_BY_BOOKING: _end_by_booking,
    reactions.END_BY_ENGAGEMENT: _end_by_engagement,
    reactions.PLAN_MAIL_SYNC: _plan_mail_sync,
    reactions.PLAN_MAIL_SYNC_OF_PERSON: _plan_mail_sync_of_person,
    reactions.TELL_INVITEE: _tell_invitee,
    reactions.TELL_HOST: _tell_host,
    reactions.PLAN_REMINDERS: _plan_reminders,
    reactions.SEND_REMINDER: _send_reminder,
    reactions.PLAN_SYNC: _plan_sync,
    reactions.TELL_GRANT_LOST: _tell_grant_lost,
    reactions.TELL_MAILBOX_LOST: _tell_mailbox_lost,
    reactions.TELL_OF_MAILBOX: _tell_of_mailbox,
    reactions.TELL_BLOCKED: _tell_blocked,
    reactions.TELL_INVITATION: _tell_invitation,
    reactions.TELL_ADMINS: _tell_admins,
    reactions.TELL_OF_DOMAIN: _tell_of_domain,
    reactions.ERASE_ON_RECORD: _erase_on_record,
    reactions.TELL_CRM_REFUSED: _tell_crm_refused,
    reactions.TELL_OF_CRM: _tell_of_crm,
    reactions.CATCH_UP_ON_RECORD: _catch_up_on_record,
}
"""How each reaction of the table in `reactions.py` is carried out."""

ENDED_BY_THEIR_COMMIT = frozenset(
    {
        reactions.SETTLE_BOOKING,
        reactions.SETTLE_ENGAGEMENT,
        reactions.LOG_CALENDAR_EVENTS,
        reactions.SEND_EMAIL,
        reactions.PLAN_REMINDERS,
        reactions.TELL_BLOCKED,
        reactions.TELL_ADMINS,
        reactions.TELL_MAILBOX_LOST,
        reactions.TELL_CRM_REFUSED,
        reactions.SEND_STEP,
        reactions.FOLLOW_SEQUENCE_MAIL,
        reactions.END_BY_ANSWER,
        reactions.END_BY_OTHER_MAIL,
        reactions.END_BY_BOOKING,
        reactions.END_BY_ENGAGEMENT,
        reactions.ERASE_ON_RECORD,
    }
)
"""Those that save something: the end of their intent is part of the same commit."""


async def carry_out(intent: Intent, tools: Toolbox) -> None:
    """Carry out a claimed intent and mark it done, or give it back for another try, or list it as dead.

    Never raises for what a provider, a mail server or a rival did; a lost lease is simply left to whoever has it.
    """
    handler = HANDLERS.get(intent.reaction)
    if handler is None:
        await tools.outbox.bury(intent, error=f"unknown reaction {intent.reaction}")
        return
    try:
        await handler(intent, tools)
        if intent.reaction not in ENDED_BY_THEIR_COMMIT:
            await tools.outbox.done(intent)
    except LeaseLost:
        log.info("another worker has this intent", extra={"intent": str(intent.id)})
    except (NotFound, LetterRefused, RecordRefused) as gone:
        await tools.outbox.bury(intent, error=f"{type(gone).__name__}: {gone}")
    except (ProviderError, MailUnavailable, ConcurrentChange, LockTimeout) as error:
        await _again(intent, error, tools)
    except Exception as fault:
        log.exception("a reaction failed", extra={"intent": str(intent.id), "reaction": intent.reaction})
        if intent.attempts >= MAX_FAULTS:
            await tools.outbox.bury(intent, error=f"{type(fault).__name__}")
        else:
            await _again(intent, fault, tools)


async def _again(intent: Intent, error: Exception, tools: Toolbox) -> None:
    """Give the intent back with a later time, or give it up when there is no point in going on."""
    now = tools.clock()
    at = next_try(error, intent.attempts, now=now, chance=random.random())  # noqa: S311  # jitter, nothing secret
    told = f"{type(error).__name__}: {error}"
    if intent.reaction == reactions.SETTLE_BOOKING:
        async with tools.look(intent.account_id) as work:
            booking = await work.bookings.get(BookingId(intent.subject))
        if at >= give_up_at(intent, booking, tools.policy):
            await give_up(intent, begin=tools.begin, clock=tools.clock)
            await tools.outbox.bury(intent, error=told)
            return
    elif intent.reaction == reactions.SETTLE_ENGAGEMENT:
        if at >= await stop_trying_at(intent, look=tools.look, policy=tools.policy):
            await tools.outbox.bury(intent, error=told)
            return
    elif intent.reaction == reactions.SEND_EMAIL:
        if at >= intent.created_at + tools.policy.give_up_after:
            await give_up_email(intent, begin=tools.begin, clock=tools.clock)
            await tools.outbox.bury(intent, error=told)
            return
    elif isinstance(error, MailUnavailable) and intent.attempts >= MAX_MAIL_TRIES:
        await tools.outbox.bury(intent, error=told)
        return
    await tools.outbox.retry(intent, at=at, error=told)
