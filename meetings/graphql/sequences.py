"""Sequences of mails, and the contacts in them."""

import datetime
from typing import Annotated

import strawberry

from meetings.application.ports.reads import Slice
from meetings.application.sequences import (
    SequenceWish,
    archive_sequence,
    cancel_enrollment,
    change_sequence,
    create_sequence,
    enroll,
    pause_enrollment,
    resume_enrollment,
)
from meetings.domain import enrollment as enrolling
from meetings.domain import sequence as domain
from meetings.domain.base import NotFound
from meetings.domain.enrollment import EnrollmentEnded, EnrollmentState, Unsubscribed
from meetings.domain.identifiers import AccountId, EnrollmentId, SequenceId, UserId
from meetings.domain.period import Period
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.crm import Contact
from meetings.graphql.emails import EmailThread
from meetings.graphql.enums import EnrollmentStatus, PauseReason
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, RefusedError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.node_ids import Kind, OutsideKind, from_id, from_outside_id, to_id
from meetings.graphql.nodes import Node
from meetings.graphql.paging import AFTER, DEFAULT_PAGE, FIRST, PageInfo, check_first, page_info
from meetings.graphql.scalars import EmailAddress


@strawberry.type(description="One mail of a sequence.")
class SequenceStep:
    """By its place."""

    delay: Period = strawberry.field(
        description="How long after the mail before it, or after enrolling; then at the sender's next business hour."
    )
    subject: str = strawberry.field(description="Its subject.")
    body_markdown: str = strawberry.field(description="What it says, in Markdown with placeholders as in `sendEmail`.")
    include_meeting_link: bool = strawberry.field(description="Whether a link to the sender's page stands at the end.")

    @classmethod
    def of(cls, step: domain.SequenceStep) -> "SequenceStep":
        return cls(
            delay=step.delay,
            subject=step.subject,
            body_markdown=step.body_markdown,
            include_meeting_link=step.include_meeting_link,
        )


@strawberry.type(description="Mails that go to a contact one after the other, until they answer, book or opt out.")
class Sequence(Node):
    """Shown to the person whose sequence it is."""

    name: str = strawberry.field(description="Its name; contacts never see it.")
    steps: list[SequenceStep] = strawberry.field(description="Its mails, in order.")
    ends_by_company: bool = strawberry.field(
        description="Whether an answer from anybody at the contact's mail domain ends it too."
    )
    archived: bool = strawberry.field(description="Whether nobody can be enrolled any more.")
    created_at: datetime.datetime = strawberry.field(description="When it was written.")
    updated_at: datetime.datetime = strawberry.field(description="When it was last changed.")
    own: strawberry.Private[domain.Sequence]

    @strawberry.field(description="Who is in it, those enrolled last first.")
    async def enrollments(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        status: Annotated[
            list[EnrollmentStatus] | None, strawberry.argument(description="Only those that stand like this.")
        ] = None,
    ) -> "SequenceEnrollmentConnection | None":
        own = self.own
        return await enrollments_of(
            info.context, AccountId(own.account_id), own.owner, own.id, None, status or [], first, after
        )

    @classmethod
    def of(cls, sequence: domain.Sequence) -> "Sequence":
        return cls(
            id=to_id(Kind.SEQUENCE, sequence.id),
            name=sequence.name,
            steps=[SequenceStep.of(step) for step in sequence.steps],
            ends_by_company=sequence.ends_by_company,
            archived=sequence.archived_at is not None,
            created_at=sequence.created_at,
            updated_at=sequence.updated_at,
            own=sequence,
        )


@strawberry.type(description="A contact in a sequence.")
class SequenceEnrollment(Node):
    """Shown to the person whose sequence it is."""

    status: EnrollmentStatus = strawberry.field(description="How it stands, and if it has ended, what ended it.")
    pause_reason: PauseReason | None = strawberry.field(description="Why nothing is sent for now; null unless PAUSED.")
    contact_email: EmailAddress = strawberry.field(description="The contact's address when they were enrolled.")
    steps_sent: int = strawberry.field(description="How many mails were written so far.")
    next_send_at: datetime.datetime | None = strawberry.field(
        description="When the next mail leaves; null while one is on its way, and when none follows."
    )
    enrolled_at: datetime.datetime = strawberry.field(description="Since when the contact is in it.")
    ended_at: datetime.datetime | None = strawberry.field(description="When it ended.")
    own: strawberry.Private[enrolling.Enrollment]

    @strawberry.field(description="The sequence.")
    async def sequence(self, info: Info) -> Sequence | None:
        own = self.own
        found = await info.context.loaders(AccountId(own.account_id)).sequences.load(own.sequence_id)
        return Sequence.of(found) if found else None

    @strawberry.field(description="The contact; null once they are not on record any more.")
    async def contact(self, info: Info) -> Contact | None:
        account_id = AccountId(self.own.account_id)
        contact = await info.context.loaders(account_id).contacts.load(self.own.contact)
        return Contact.of(contact, account_id) if contact else None

    @strawberry.field(description="The conversation of its mails, once there is one.")
    async def thread(self, info: Info) -> EmailThread | None:
        thread_id, account_id = self.own.thread_id, AccountId(self.own.account_id)
        if thread_id is None:
            return None
        thread = await info.context.loaders(account_id).email_threads.load(thread_id)
        return EmailThread.of(thread) if thread else None

    @classmethod
    def of(cls, enrollment: enrolling.Enrollment) -> "SequenceEnrollment":
        return cls(
            id=to_id(Kind.ENROLLMENT, enrollment.id),
            status=enrollment.state,
            pause_reason=enrollment.pause,
            contact_email=EmailAddress(enrollment.contact_email),
            steps_sent=enrollment.next_step,
            next_send_at=enrollment.next_send_at,
            enrolled_at=enrollment.enrolled_at,
            ended_at=enrollment.ended_at,
            own=enrollment,
        )


@strawberry.type(description="An enrolment in a list.")
class SequenceEnrollmentEdge:
    """With its place."""

    cursor: str = strawberry.field(description="For `after`.")
    node: SequenceEnrollment = strawberry.field(description="The enrolment.")


@strawberry.type(description="Enrolments, those enrolled last first.")
class SequenceEnrollmentConnection:
    """A page of them."""

    edges: list[SequenceEnrollmentEdge] = strawberry.field(description="The enrolments with their places.")
    nodes: list[SequenceEnrollment] = strawberry.field(description="The enrolments.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")

    @classmethod
    def of(cls, found: Slice[enrolling.Enrollment], after: str | None) -> "SequenceEnrollmentConnection":
        edges = [
            SequenceEnrollmentEdge(cursor=cursor, node=SequenceEnrollment.of(each)) for cursor, each in found.items
        ]
        info = page_info([edge.cursor for edge in edges], has_next=found.has_next, after=after)
        return cls(edges=edges, nodes=[edge.node for edge in edges], page_info=info)


async def sequences_of(
    operation: Operation, account_id: AccountId, user_id: UserId, *, archived: bool
) -> list[Sequence]:
    """A person's sequences."""
    found = await operation.tools.sequence_reads.of_owner(account_id, user_id, archived=archived)
    return [Sequence.of(sequence) for sequence in found]


async def enrollments_of(
    operation: Operation,
    account_id: AccountId,
    user_id: UserId,
    sequence: SequenceId | None,
    contact_id: str | None,
    states: list[EnrollmentState],
    first: int,
    after: str | None,
) -> SequenceEnrollmentConnection:
    """A page of who is in a person's sequences."""
    found = await operation.tools.sequence_reads.enrollments(
        account_id,
        user=user_id,
        sequence=sequence,
        contact=None if contact_id is None else from_outside_id(OutsideKind.CONTACT, contact_id),
        states=states,
        first=check_first(first),
        after=after,
    )
    return SequenceEnrollmentConnection.of(found, after)


@strawberry.input(description="One mail of a sequence.")
class SequenceStepInput:
    """By its place."""

    delay: Period = strawberry.field(description="How long after the mail before it, or after enrolling; up to P90D.")
    subject: str = strawberry.field(description="Its subject, at most 250 characters.")
    body_markdown: str = strawberry.field(description="What it says: Markdown, with placeholders as in `sendEmail`.")
    include_meeting_link: bool = strawberry.field(
        default=False, description="Whether a link to the sender's page stands at the end, unless it stands somewhere."
    )

    def step(self) -> domain.SequenceStep:
        return domain.SequenceStep(self.delay, self.subject, self.body_markdown, self.include_meeting_link)


@strawberry.input(description="A sequence. In a change, what is left out stays.")
class SequenceInput:
    """A new one needs a name and steps."""

    name: str | None = strawberry.field(default=None, description="Its name, at most 100 characters.")
    steps: list[SequenceStepInput] | None = strawberry.field(default=None, description="Its mails, 1 to 20, in order.")
    ends_by_company: bool | None = strawberry.field(
        default=None, description="Whether an answer from anybody at the contact's mail domain ends it; if new, no."
    )

    def wish(self) -> SequenceWish:
        steps = None if self.steps is None else tuple(step.step() for step in self.steps)
        return SequenceWish(self.name, steps, self.ends_by_company)


@strawberry.type(description="What became of a sequence.")
class SequencePayload:
    """Either the sequence or errors."""

    sequence: Sequence | None = strawberry.field(default=None, description="The sequence as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="Who was enrolled.")
class EnrollPayload:
    """Either everybody or errors."""

    enrollments: list[SequenceEnrollment] | None = strawberry.field(
        default=None, description="In the order of `contactIds`; whoever was in it already is as they were."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nobody was enrolled.")


@strawberry.type(description="What became of an enrolment.")
class EnrollmentPayload:
    """Either the enrolment or errors."""

    enrollment: SequenceEnrollment | None = strawberry.field(default=None, description="The enrolment as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


ENROLLMENT = strawberry.argument(description="Which enrolment of the signed-in person's.")
SEQUENCE = strawberry.argument(description="Which sequence of the signed-in person's.")


@strawberry.type(description="Mutations of sequences.")
class SequenceMutations:
    """Part of the schema's mutations."""

    @mutation(
        SequencePayload,
        Access.SIGNED_IN,
        "Write a sequence of mails.",
        Code.VALIDATION,
        Code.PLAN_REQUIRED,
        Code.SEAT_REQUIRED,
    )
    async def create_sequence(
        self, info: Info, input: Annotated[SequenceInput, strawberry.argument(description="The sequence.")]
    ) -> SequencePayload:
        operation, tools = info.context, info.context.tools
        made = await create_sequence(
            input.wish(), caller=operation.signed_in(), begin=operation.begin, clock=tools.clock, policy=tools.policy
        )
        return SequencePayload(sequence=await _sequence(operation, made))

    @mutation(
        SequencePayload,
        Access.SIGNED_IN,
        "Have a sequence say something else. Whoever is in it gets the new steps that are still ahead of them.",
        Code.VALIDATION,
        Code.NOT_FOUND,
        Code.PLAN_REQUIRED,
        Code.SEAT_REQUIRED,
        Code.CONCURRENT_CHANGE,
    )
    async def update_sequence(
        self,
        info: Info,
        sequence_id: Annotated[strawberry.ID, SEQUENCE],
        input: Annotated[SequenceInput, strawberry.argument(description="What changes.")],
    ) -> SequencePayload:
        operation, tools = info.context, info.context.tools
        caller, which = operation.signed_in(), SequenceId(from_id(Kind.SEQUENCE, sequence_id))
        await again_on_conflict(
            lambda: change_sequence(
                which, input.wish(), caller=caller, begin=operation.begin, clock=tools.clock, policy=tools.policy
            )
        )
        return SequencePayload(sequence=await _sequence(operation, which))

    @mutation(
        SequencePayload,
        Access.SIGNED_IN,
        "Take nobody into a sequence any more. Whoever is in it goes on to its end.",
        Code.NOT_FOUND,
        Code.CONCURRENT_CHANGE,
    )
    async def archive_sequence(self, info: Info, sequence_id: Annotated[strawberry.ID, SEQUENCE]) -> SequencePayload:
        operation, clock = info.context, info.context.tools.clock
        caller, which = operation.signed_in(), SequenceId(from_id(Kind.SEQUENCE, sequence_id))
        await again_on_conflict(lambda: archive_sequence(which, caller=caller, begin=operation.begin, clock=clock))
        return SequencePayload(sequence=await _sequence(operation, which))

    @mutation(
        EnrollPayload,
        Access.SIGNED_IN,
        "Put contacts into a sequence, all or none. Mails leave through the signed-in person's mailbox in their "
        "business hours. Whoever is in it already stays as they are: calling twice changes nothing.",
        Code.VALIDATION,
        Code.NOT_FOUND,
        Code.NOT_CONNECTED,
        Code.CONTACT_OPTED_OUT,
        Code.PLAN_REQUIRED,
        Code.SEAT_REQUIRED,
        Code.PROVIDER_UNAVAILABLE,
        Code.CONCURRENT_CHANGE,
    )
    async def enroll_in_sequence(
        self,
        info: Info,
        sequence_id: Annotated[strawberry.ID, SEQUENCE],
        contact_ids: Annotated[list[strawberry.ID], strawberry.argument(description="Whom to enrol, 1 to 100.")],
    ) -> EnrollPayload:
        operation, tools = info.context, info.context.tools
        caller, which = operation.signed_in(), SequenceId(from_id(Kind.SEQUENCE, sequence_id))
        contacts = [from_outside_id(OutsideKind.CONTACT, contact) for contact in contact_ids]
        enrolled = await again_on_conflict(
            lambda: enroll(
                which,
                contacts,
                caller=caller,
                begin=operation.begin,
                look=tools.look,
                crm_of=tools.crm_of,
                clock=tools.clock,
                policy=tools.policy,
            )
        )
        found = await tools.sequence_reads.enrollments_by_id(caller.account_id, enrolled)
        return EnrollPayload(enrollments=[SequenceEnrollment.of(found[each]) for each in enrolled])

    @mutation(
        EnrollmentPayload,
        Access.SIGNED_IN,
        "Send a contact nothing of a sequence for now. A mail that is on its way arrives.",
        Code.NOT_FOUND,
        Code.ENROLLMENT_ENDED,
        Code.CONCURRENT_CHANGE,
    )
    async def pause_enrollment(
        self, info: Info, enrollment_id: Annotated[strawberry.ID, ENROLLMENT]
    ) -> EnrollmentPayload:
        operation, clock = info.context, info.context.tools.clock
        caller, which = operation.signed_in(), EnrollmentId(from_id(Kind.ENROLLMENT, enrollment_id))
        await again_on_conflict(lambda: pause_enrollment(which, caller=caller, begin=operation.begin, clock=clock))
        return EnrollmentPayload(enrollment=await _enrollment(operation, which))

    @mutation(
        EnrollmentPayload,
        Access.SIGNED_IN,
        "Go on with an enrolment that is paused.",
        Code.NOT_FOUND,
        Code.ENROLLMENT_ENDED,
        Code.CONCURRENT_CHANGE,
    )
    async def resume_enrollment(
        self,
        info: Info,
        enrollment_id: Annotated[strawberry.ID, ENROLLMENT],
        send_again: Annotated[
            bool,
            strawberry.argument(
                description="Send the last step once more, where it did not leave, or nobody can say whether it "
                "arrived: the contact may then have it twice."
            ),
        ] = False,
    ) -> EnrollmentPayload:
        operation, clock = info.context, info.context.tools.clock
        caller, which = operation.signed_in(), EnrollmentId(from_id(Kind.ENROLLMENT, enrollment_id))
        await again_on_conflict(
            lambda: resume_enrollment(which, send_again=send_again, caller=caller, begin=operation.begin, clock=clock)
        )
        return EnrollmentPayload(enrollment=await _enrollment(operation, which))

    @mutation(
        EnrollmentPayload,
        Access.SIGNED_IN,
        "End an enrolment. Cancelling one that has ended changes nothing.",
        Code.NOT_FOUND,
        Code.CONCURRENT_CHANGE,
    )
    async def cancel_enrollment(
        self, info: Info, enrollment_id: Annotated[strawberry.ID, ENROLLMENT]
    ) -> EnrollmentPayload:
        operation, clock = info.context, info.context.tools.clock
        caller, which = operation.signed_in(), EnrollmentId(from_id(Kind.ENROLLMENT, enrollment_id))
        await again_on_conflict(lambda: cancel_enrollment(which, caller=caller, begin=operation.begin, clock=clock))
        return EnrollmentPayload(enrollment=await _enrollment(operation, which))


async def _sequence(operation: Operation, which: SequenceId) -> Sequence:
    found = await operation.tools.sequence_reads.sequences_by_id(operation.signed_in().account_id, [which])
    if which not in found:
        raise NotFound("sequence", ("sequenceId",))
    return Sequence.of(found[which])


async def _enrollment(operation: Operation, which: EnrollmentId) -> SequenceEnrollment:
    found = await operation.tools.sequence_reads.enrollments_by_id(operation.signed_in().account_id, [which])
    if which not in found:
        raise NotFound("enrolment", ("enrollmentId",))
    return SequenceEnrollment.of(found[which])


@as_user_errors.register
def _(error: Unsubscribed, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.CONTACT_OPTED_OUT, ("contactIds",)))]


@as_user_errors.register
def _(error: EnrollmentEnded, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.ENROLLMENT_ENDED, ("enrollmentId",)))]
