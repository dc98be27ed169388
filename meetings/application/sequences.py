"""A person writes sequences of mails, and puts contacts into them (S86)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from meetings.application.features import check_feature
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import Contact, CrmOf
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.send_step import plan_step
from meetings.application.written_mail import write_mail
from meetings.domain.base import InvalidInput, NotFound, Problem, Rule, refuse
from meetings.domain.business_hours import BusinessHours
from meetings.domain.enrollment import Enrollment, EnrollmentState, Unsubscribed
from meetings.domain.identifiers import EnrollmentId, SequenceId
from meetings.domain.mailbox import InboxNotConnected
from meetings.domain.plan import Feature
from meetings.domain.sequence import Sequence as MailSequence
from meetings.domain.sequence import SequenceStep
from meetings.domain.user import User

MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class SequenceWish:
    """What a sequence is to say; in a change, None stays."""

    name: str | None = None
    steps: tuple[SequenceStep, ...] | None = None
    ends_by_company: bool | None = None


async def create_sequence(
    wish: SequenceWish, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy
) -> SequenceId:
    """A new sequence of the caller's.

    Raises:
        PlanRequired, SeatRequired: sequences are not for this account, or this person (A-PL4).
        InvalidInput: everything wrong, also a placeholder that is not known.
    """
    async with begin(caller.account_id) as work:
        await check_feature(Feature.SEQUENCES, work=work, user_id=caller.user_id, policy=policy)
        sender = await work.users.get(caller.user_id)
        _check_texts(wish.steps or (), sender)
        sequence = MailSequence.create(
            SequenceId(uuid4()),
            account_id=caller.account_id,
            owner=caller.user_id,
            name=wish.name or "",
            steps=wish.steps or (),
            ends_by_company=bool(wish.ends_by_company),
            now=clock(),
        )
        work.sequences.add(sequence)
        await work.commit()
    return sequence.id


async def change_sequence(
    sequence_id: SequenceId, wish: SequenceWish, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy
) -> None:
    """Have a sequence say something else to whoever has not had it yet.

    Raises:
        NotFound: no such sequence of the caller's.
        PlanRequired, SeatRequired, InvalidInput: as `create_sequence`.
    """
    async with begin(caller.account_id) as work:
        await check_feature(Feature.SEQUENCES, work=work, user_id=caller.user_id, policy=policy)
        sequence = await _own(work, sequence_id, caller)
        _check_texts(wish.steps or (), await work.users.get(caller.user_id))
        sequence.change(now=clock(), name=wish.name, steps=wish.steps, ends_by_company=wish.ends_by_company)
        await work.commit()


async def archive_sequence(sequence_id: SequenceId, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Take nobody in any more. A second call changes nothing.

    Raises:
        NotFound: no such sequence of the caller's.
    """
    async with begin(caller.account_id) as work:
        (await _own(work, sequence_id, caller, archived=True)).archive(now=clock())
        await work.commit()


async def enroll(
    sequence_id: SequenceId,
    contacts: Sequence[str],
    *,
    caller: Caller,
    begin: Begin,
    look: Begin,
    crm_of: CrmOf,
    clock: Clock,
    policy: Policy,
) -> list[EnrollmentId]:
    """Put contacts (ids of the CRM's) into a sequence of the caller's, all or none; in the order given. Whoever is in
    it and not at its end stays as they are, so a second call changes nothing.

    Raises:
        NotFound: no such sequence of the caller's, or it is archived.
        PlanRequired, SeatRequired: as `create_sequence`.
        InboxNotConnected: the caller has no mailbox that works.
        InvalidInput: none or more than 100, or somebody who is not on record.
        Unsubscribed: one of them wants no such mails.
        ConcurrentChange: somebody enrolled one of them at this moment; worth another try.
        ProviderError: the contacts could not be looked up just now.
    """
    refuse(
        Problem(("contactIds",), Rule.REQUIRED) if not contacts else None,
        Problem(("contactIds",), Rule.TOO_MANY, values={"most": MOST_AT_ONCE})
        if len(contacts) > MOST_AT_ONCE
        else None,
    )
    known = await (await crm_of(caller.account_id)).contacts_by_id(contacts)
    strangers = [index for index, contact in enumerate(contacts) if contact not in known]
    refuse(*(Problem(("contactIds", str(index)), Rule.UNKNOWN) for index in strangers))
    people = list({known[contact].email.casefold(): known[contact] for contact in contacts}.values())
    async with begin(caller.account_id) as work:
        await check_feature(Feature.SEQUENCES, work=work, user_id=caller.user_id, policy=policy)
        sequence = await _own(work, sequence_id, caller)
        if not any(mailbox.usable for mailbox in await work.mailboxes.of_user(caller.user_id)):
            raise InboxNotConnected
        if await work.enrollments.opted_out([person.email for person in people]):
            raise Unsubscribed
        enrolled = await _enroll(work, sequence, people, await work.users.get(caller.user_id), clock)
        await work.commit()
    return [enrolled[known[contact].email.casefold()] for contact in contacts]


async def _enroll(
    work: UnitOfWork, sequence: MailSequence, people: Sequence[Contact], sender: User, clock: Clock
) -> Mapping[str, EnrollmentId]:
    already = await work.enrollments.open_of_contacts(sequence.id, [person.email for person in people])
    enrolled = {email: enrollment.id for email, enrollment in already.items()}
    for person in people:
        if person.email.casefold() not in enrolled:
            enrollment = Enrollment.begin(
                EnrollmentId(uuid4()),
                account_id=work.account_id,
                sequence=sequence,
                contact=person.id,
                contact_email=person.email,
                hours=BusinessHours.of(sender.settings),
                now=clock(),
            )
            work.enrollments.add(enrollment)
            plan_step(work, enrollment)
            enrolled[person.email.casefold()] = enrollment.id
    return enrolled


async def pause_enrollment(enrollment_id: EnrollmentId, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Send nothing for now; a mail that is on its way arrives.

    Raises:
        NotFound: no such enrolment in a sequence of the caller's.
        EnrollmentEnded: it has ended.
    """
    async with begin(caller.account_id) as work:
        (await _own_enrollment(work, enrollment_id, caller)).hold(now=clock())
        await work.commit()


async def resume_enrollment(
    enrollment_id: EnrollmentId, *, send_again: bool, caller: Caller, begin: Begin, clock: Clock
) -> None:
    """Go on; with `send_again`, by sending the last step once more where nobody can say whether it arrived (OB-7).

    Raises:
        NotFound, EnrollmentEnded: as `pause_enrollment`.
    """
    async with begin(caller.account_id) as work:
        enrollment = await _own_enrollment(work, enrollment_id, caller)
        sequence = await work.sequences.get(enrollment.sequence_id)
        sender = await work.users.get(caller.user_id)
        enrollment.resume(sequence, send_again=send_again, hours=BusinessHours.of(sender.settings), now=clock())
        plan_step(work, enrollment)
        await work.commit()


async def cancel_enrollment(enrollment_id: EnrollmentId, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Send no more. A second call changes nothing.

    Raises:
        NotFound: as `pause_enrollment`.
    """
    async with begin(caller.account_id) as work:
        (await _own_enrollment(work, enrollment_id, caller)).end(EnrollmentState.CANCELLED, now=clock())
        await work.commit()


async def _own(work: UnitOfWork, sequence_id: SequenceId, caller: Caller, *, archived: bool = False) -> MailSequence:
    missing = NotFound("sequence", ("sequenceId",))
    try:
        sequence = await work.sequences.get(sequence_id)
    except NotFound:
        raise missing from None
    if sequence.owner != caller.user_id or (sequence.archived_at and not archived):
        raise missing
    return sequence


async def _own_enrollment(work: UnitOfWork, enrollment_id: EnrollmentId, caller: Caller) -> Enrollment:
    missing = NotFound("enrolment", ("enrollmentId",))
    try:
        enrollment = await work.enrollments.get(enrollment_id)
    except NotFound:
        raise missing from None
    if enrollment.user_id != caller.user_id:
        raise missing
    return enrollment


def _check_texts(steps: Sequence[SequenceStep], sender: User) -> None:
    """What could not be written as a mail later is refused now."""
    problems: list[Problem] = []
    for index, step in enumerate(steps):
        try:
            write_mail(step.subject, step.body_markdown, sender=sender, link="https://link", include_meeting_link=False)
        except InvalidInput as wrong:
            where = {"template": "bodyMarkdown"}
            problems += [
                Problem(
                    ("steps", str(index), *(where.get(name, name) for name in problem.path)),
                    problem.rule,
                    problem.code,
                    problem.values,
                )
                for problem in wrong.problems
            ]
    refuse(*problems)
