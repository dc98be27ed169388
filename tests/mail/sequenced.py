"""Anna's sequences, in tests of mail."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from meetings.application.ports.crm import Contact
from meetings.application.sequences import SequenceWish, create_sequence, enroll
from meetings.domain.email import Email
from meetings.domain.enrollment import Enrollment
from meetings.domain.identifiers import EnrollmentId, SequenceId
from meetings.domain.period import Period
from meetings.domain.sequence import SequenceStep
from tests.mailed import Mailed

STEPS = (
    SequenceStep(Period(), "An introduction", "Hello from {{ sender_name }}."),
    SequenceStep(Period(days=2), "Re: An introduction", "Any thoughts?"),
    SequenceStep(Period(days=3), "Re: An introduction", "This is my last mail."),
)
_MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
MONDAY_MORNING = _MIDNIGHT + timedelta(days=7 - _MIDNIGHT.weekday(), hours=9, minutes=30)
"""The next one: in Berlin, where Anna works, it is after ten."""


@dataclass
class Sequenced:
    """Anna and her sequence; `mailed` is everything around them."""

    mailed: Mailed
    sequence: SequenceId

    @classmethod
    async def begin(cls, mailed: Mailed, **wish: Any) -> "Sequenced":
        mailed.clock.now = MONDAY_MORNING
        tools, caller = mailed.here.tools, mailed.here.caller
        wanted = SequenceWish(**{"name": "New people", "steps": STEPS, **wish})
        sequence = await create_sequence(
            wanted, caller=caller, begin=tools.begin, clock=mailed.clock, policy=tools.policy
        )
        return cls(mailed, sequence)

    async def enroll(self, *contacts: Contact) -> EnrollmentId:
        """Put contacts in, Vera unless told otherwise; gives the first one's enrolment."""
        here = self.mailed.here
        ids = [contact.id for contact in contacts or (self.mailed.vera,)]
        enrolled = await enroll(
            self.sequence,
            ids,
            caller=here.caller,
            begin=here.tools.begin,
            look=here.tools.look,
            crm_of=here.tools.crm_of,
            clock=self.mailed.clock,
            policy=here.tools.policy,
        )
        return enrolled[0]

    async def enrollment(self, enrollment_id: EnrollmentId) -> Enrollment:
        async with self.mailed.here.tools.look(self.mailed.here.anna.account_id) as work:
            return await work.enrollments.get(enrollment_id)

    async def next_mail(self, enrollment_id: EnrollmentId) -> Email:
        """Wait for the next step, and see its mail leave."""
        before = {email.id for email in await self.mailed.emails()}
        due = (await self.enrollment(enrollment_id)).next_send_at
        assert due, "nothing is due"
        await self.mailed.passes(seconds=max(0.0, (due - self.mailed.clock.now).total_seconds()))
        await self.mailed.settle_down()
        assert (await self.enrollment(enrollment_id)).pause is None
        (new,) = [email for email in await self.mailed.emails() if email.id not in before]
        return new

    async def wait(self, **span: float) -> None:
        """Time goes by, and whatever is due happens."""
        await self.mailed.passes(**span)
        await self.mailed.settle_down()
