"""The next mail of a sequence is written when its time has come, and leaves with the same commit: once (OB-7)."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from meetings.application.links import Links
from meetings.application.meeting_links import link_token
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import Contact, CrmOf
from meetings.application.ports.outbox import Intent, NewIntent
from meetings.application.ports.unit_of_work import Begin, MeetingLink, UnitOfWork
from meetings.application.reactions import SEND_STEP
from meetings.application.send_email import begin_thread, check_daily_limit, queue_email
from meetings.application.sites import meeting_host
from meetings.application.unsubscribing import unsubscribe_address, unsubscribe_words
from meetings.application.written_mail import write_mail
from meetings.domain.base import NotFound
from meetings.domain.business_hours import BusinessHours
from meetings.domain.email import DailyMailLimit, EmailOrigin, EmailText
from meetings.domain.email_thread import EmailThread
from meetings.domain.enrollment import Enrollment, EnrollmentState, PauseReason
from meetings.domain.identifiers import EnrollmentId
from meetings.domain.mailbox import Mailbox
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.sequence import Sequence, SequenceStep
from meetings.domain.user import User

_LATE = timedelta(minutes=5)
"""A mail that is later than this is looked at again: it might be the middle of the night by now."""


def plan_step(work: UnitOfWork, enrollment: Enrollment) -> None:
    """Have a worker look at the enrolment when its next mail is due. One that comes for nothing does nothing."""
    at = enrollment.next_send_at
    if at is not None:
        lane = f"{SEND_STEP}:{enrollment.id}:{at.isoformat()}"
        work.intend(NewIntent(SEND_STEP, enrollment.id, lane, not_before=at))


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a mail is made of."""

    sequence: Sequence
    step: SequenceStep
    sender: User
    mailbox: Mailbox
    page: SchedulingPage | None


async def send_step(
    intent: Intent, *, begin: Begin, look: Begin, crm_of: CrmOf, links: Links, clock: Clock, policy: Policy
) -> None:
    """Write the mail of an enrolment's next step, if it is due, and queue it in the same transaction.

    Outside business hours, or when the mailbox has sent enough for today, it is put off; without a mailbox, or without
    the page its link leads to, the enrolment pauses. A contact who is not on record any more is sent nothing.

    Raises:
        ProviderError: the contact could not be looked up; worth another try.
    """
    async with look(intent.account_id) as work:
        enrollment = await work.enrollments.get(EnrollmentId(intent.subject))
    contact = None
    if enrollment.is_due(now=clock()):
        found = await (await crm_of(intent.account_id)).contacts_by_id([enrollment.contact])
        contact = found.get(enrollment.contact)
    async with begin(intent.account_id) as work:
        enrollment = await work.enrollments.get(EnrollmentId(intent.subject))
        if enrollment.is_due(now=clock()):
            await _send(work, enrollment, contact, links=links, clock=clock, policy=policy)
        await work.finish(intent)
        await work.commit()


async def _send(
    work: UnitOfWork, enrollment: Enrollment, contact: Contact | None, *, links: Links, clock: Clock, policy: Policy
) -> None:
    now = clock()
    sequence = await work.sequences.get(enrollment.sequence_id)
    if contact is None or enrollment.next_step >= len(sequence.steps):
        enrollment.end(EnrollmentState.FINISHED if contact else EnrollmentState.CANCELLED, now=now)
        return
    if await work.enrollments.opted_out([contact.email]):
        enrollment.end(EnrollmentState.ENDED_BY_UNSUBSCRIBE, now=now)
        return
    sender = await work.users.get(enrollment.user_id)
    usable = [mailbox for mailbox in await work.mailboxes.of_user(sender.id) if mailbox.usable and sender.active]
    if not usable:
        enrollment.hold(reason=PauseReason.NO_MAILBOX, now=now)
        return
    hours = BusinessHours.of(sender.settings)
    opens = hours.at_or_after(now)
    if opens - now > _LATE:
        enrollment.postpone(opens, now=now)
        plan_step(work, enrollment)
        return
    thread = await _thread(work, enrollment)
    mailbox = next((each for each in usable if thread and each.id == thread.mailbox_id), usable[0])
    try:
        await check_daily_limit(work, mailbox, now=now, policy=policy)
    except DailyMailLimit as full:
        enrollment.postpone(hours.at_or_after(now + full.wait), now=now)
        plan_step(work, enrollment)
        return
    page = await _default_page(work, sender)
    ready = _Ready(sequence, sequence.steps[enrollment.next_step], sender, mailbox, page)
    if page is None and ready.step.include_meeting_link:
        enrollment.hold(reason=PauseReason.NOT_SENT, now=now)
        return
    content = await _written(work, enrollment, ready, links=links, clock=clock)
    if thread is None:
        thread = begin_thread(work, mailbox, contact, content, now=now)
    email = queue_email(
        work,
        thread,
        mailbox,
        sender,
        contact.email,
        content,
        now=now,
        origin=EmailOrigin.SEQUENCE,
        unsubscribe=unsubscribe_address(enrollment, links),
    )
    enrollment.sending(email.id, thread.id)


async def _written(work: UnitOfWork, enrollment: Enrollment, ready: _Ready, *, links: Links, clock: Clock) -> EmailText:
    """The mail. A link to the page in it is this enrolment's own, so that a booking by it is recognised (A-IN4)."""
    link = None
    if ready.page is not None:
        own = MeetingLink(
            id=uuid4(),
            page_id=ready.page.id,
            prefill={},
            duration_minutes=None,
            single_use=False,
            expires_at=None,
            enrollment_id=enrollment.id,
        )
        await work.links.add(own, created_by=ready.sender.id, now=clock())
        host = meeting_host(ready.sender, await work.domains.all(), links)
        link = links.with_query(links.page(ready.page.slug, host), link=link_token(own, work.account_id, links.tokens))
    words = unsubscribe_words(ready.sender.settings.locale)
    body = ready.step.body_markdown
    content = write_mail(
        ready.step.subject,
        body,
        sender=ready.sender,
        link=link,
        include_meeting_link=ready.step.include_meeting_link,
    )
    return content.with_footer(words, unsubscribe_address(enrollment, links))


async def _thread(work: UnitOfWork, enrollment: Enrollment) -> EmailThread | None:
    if enrollment.thread_id is None:
        return None
    try:
        return await work.emails.thread(enrollment.thread_id)
    except NotFound:
        return None


async def _default_page(work: UnitOfWork, sender: User) -> SchedulingPage | None:
    """The page that stands for a person: the chosen one while it is up, else their oldest that is (S47)."""
    own = await work.pages.of_organizer(sender.id)
    return next((page for page in own if page.id == sender.default_page_id), own[0] if own else None)
