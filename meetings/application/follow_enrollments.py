"""What happens to a contact's mails and meetings moves their enrolments on, or ends them (A-IN4, A-IN5).

Each of these looks at how things stand now, so that repetition and order do not matter.
"""

from collections.abc import Iterable

from meetings.application.ports.clock import Clock
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.send_step import plan_step
from meetings.domain.blocked_addresses import FREE_DOMAINS
from meetings.domain.business_hours import BusinessHours
from meetings.domain.email import EmailOrigin
from meetings.domain.enrollment import Enrollment, EnrollmentState
from meetings.domain.identifiers import BookingId, EmailId, EmailThreadId, EngagementId, UserId
from meetings.domain.mail_domain import mail_domain


async def follow_sequence_mail(intent: Intent, *, begin: Begin, clock: Clock) -> None:
    """A mail of a sequence left, did not, came back, or nobody knows."""
    async with begin(intent.account_id) as work:
        email = await work.emails.get(EmailId(intent.subject))
        if email.origin is EmailOrigin.SEQUENCE:
            for enrollment in await work.enrollments.open_by_thread(email.thread_id):
                sequence = await work.sequences.get(enrollment.sequence_id)
                sender = await work.users.get(enrollment.user_id)
                hours = BusinessHours.of(sender.settings)
                before = enrollment.next_send_at
                enrollment.follow(email.id, email.state, sequence, hours=hours, now=clock())
                if enrollment.next_send_at != before:
                    plan_step(work, enrollment)
        await work.finish(intent)
        await work.commit()


async def end_by_answer(intent: Intent, *, begin: Begin, clock: Clock) -> None:
    """A contact answered a mail of their enroller's, or wrote them another one. A machine's answer is none.

    What came in a conversation of the sequence ends it whoever sent it; so does a mail from the contact's company,
    where the sequence says so, unless everybody has an address there.
    """
    async with begin(intent.account_id) as work:
        email = await work.emails.get(EmailId(intent.subject))
        thread = await work.emails.thread(email.thread_id)
        if not email.automatic:
            sender = email.sender.email
            theirs = [
                *await work.enrollments.open_by_thread(thread.id),
                *await work.enrollments.open_with(email.user_id, sender),
                *await work.enrollments.open_with(email.user_id, thread.contact_email),
                *await _at_company(work, email.user_id, sender),
            ]
            since = [enrollment for enrollment in theirs if enrollment.began_before(email.at)]
            _end(since, EnrollmentState.ENDED_BY_REPLY, clock)
        await work.finish(intent)
        await work.commit()


async def end_by_other_mail(intent: Intent, *, begin: Begin, clock: Clock) -> None:
    """A contact wrote to the person whose conversation with them this is, without answering anything."""
    async with begin(intent.account_id) as work:
        thread = await work.emails.thread(EmailThreadId(intent.subject))
        with_them = await work.enrollments.open_with(thread.user_id, thread.contact_email)
        heard_at = thread.heard_at
        since = [enrollment for enrollment in with_them if heard_at and enrollment.began_before(heard_at)]
        _end(since, EnrollmentState.ENDED_BY_REPLY, clock)
        await work.finish(intent)
        await work.commit()


async def end_by_booking(intent: Intent, *, begin: Begin, clock: Clock) -> None:
    """A meeting was booked, or asked for: with the enroller, or with anybody by a link in a mail of the sequence."""
    async with begin(intent.account_id) as work:
        booking = await work.bookings.get(BookingId(intent.subject))
        by_link = await work.enrollments.by_booking(booking.id)
        met = [each for host in booking.hosts for each in await work.enrollments.open_with(host, booking.invitee.email)]
        _end([*([by_link] if by_link else []), *met], EnrollmentState.ENDED_BY_BOOKING, clock)
        await work.finish(intent)
        await work.commit()


async def end_by_engagement(intent: Intent, *, begin: Begin, clock: Clock) -> None:
    """A meeting with a contact was made on their record, or in a calendar: it ends sequences of those who hold it."""
    async with begin(intent.account_id) as work:
        engagement = await work.engagements.get(EngagementId(intent.subject))
        if engagement.takes_place:
            _end(await _met(work, engagement.owners, engagement.contacts), EnrollmentState.ENDED_BY_BOOKING, clock)
        await work.finish(intent)
        await work.commit()


async def _met(work: UnitOfWork, owners: Iterable[UserId], contacts: Iterable[str]) -> list[Enrollment]:
    return [
        enrollment
        for owner in owners
        for contact in contacts
        for enrollment in await work.enrollments.open_with(owner, contact)
    ]


def _end(enrollments: Iterable[Enrollment], state: EnrollmentState, clock: Clock) -> None:
    for enrollment in enrollments:
        enrollment.end(state, now=clock())


async def _at_company(work: UnitOfWork, enroller: UserId, sender: str) -> list[Enrollment]:
    domain = mail_domain(sender)
    if domain is None or domain in FREE_DOMAINS:
        return []
    return await work.enrollments.open_at_domain(enroller, domain)
