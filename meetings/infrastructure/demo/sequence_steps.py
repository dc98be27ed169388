"""A part of the tour: a sequence of mails to a contact, which their answer ends."""

from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING, Any

from meetings.infrastructure.demo.client import Frontend
from meetings.infrastructure.demo.mail_steps import CREATE_CONTACT, ON_RECORD, answer
from meetings.infrastructure.demo.people import ANNA, PASSWORD, ZONE

if TYPE_CHECKING:
    from meetings.infrastructure.demo.tour import Tour

CONTACT = "suzuki@example.org"
SUBJECT = "An introduction"

AT_WORK = """
mutation Hours($hours: AvailabilityRulesInput) {
  updateSettings(input: {workingHours: $hours}) { errors { code message path } }
}
"""

CREATE = """
mutation Sequence($input: SequenceInput!) {
  createSequence(input: $input) { sequence { id name steps { delay subject } } errors { code message path } }
}
"""

ENROLL = """
mutation Enroll($sequence: ID!, $contacts: [ID!]!) {
  enrollInSequence(sequenceId: $sequence, contactIds: $contacts) {
    enrollments { id status } errors { code message path }
  }
}
"""

ENROLLED = """
query Enrolled { viewer { enrollments { nodes { id status stepsSent nextSendAt contact { email } } } } }
"""


class AnsweredSequence:
    """Needs the mailbox that Anna connected together with her Google calendar."""

    def __init__(self, tour: "Tour") -> None:
        self._tour = tour
        self._enrollment: dict[str, Any] = {}

    async def walk(self) -> None:
        """Written, sent, answered. Raises what the tour raises."""
        async with Frontend(self._tour.base_url) as anna:
            await anna.sign_in(ANNA.email, PASSWORD)
            await self._ask(anna)
            await self._be_answered(anna)

    async def _ask(self, anna: Frontend) -> None:
        report = self._tour.report
        report.step(f"{ANNA.name} puts a contact into a sequence of mails")
        days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
        always = {"timeZone": ZONE, "weekly": [{"days": days, "from": "00:00", "to": "24:00"}]}
        hours = (await anna.ask(AT_WORK, hours=always))["updateSettings"]
        report.expect(not hours["errors"], "mails leave in her working hours, which are now around the clock", hours)
        steps = [
            {"delay": "PT0M", "subject": SUBJECT, "bodyMarkdown": "Shall we **meet**?", "includeMeetingLink": True},
            {"delay": "P3D", "subject": f"Re: {SUBJECT}", "bodyMarkdown": "Any thoughts?"},
        ]
        made = (await anna.ask(CREATE, input={"name": "New people", "steps": steps}))["createSequence"]
        report.expect(not made["errors"], "the sequence has two mails, three days apart", made)
        contact = (await anna.ask(CREATE_CONTACT, email=CONTACT))["createContact"]["contact"]
        self._contact = contact["id"]
        enrolled = (await anna.ask(ENROLL, sequence=made["sequence"]["id"], contacts=[contact["id"]]))[
            "enrollInSequence"
        ]
        report.expect(not enrolled["errors"], f"{CONTACT} is in it", enrolled)

        async def left() -> bool:
            await self._read(anna)
            return bool(self._enrollment["stepsSent"] == 1 and self._enrollment["nextSendAt"])

        await self._tour.until("the first mail to leave", left)
        seen = self._received()
        report.expect(ANNA.email in seen["From"], f"the first mail has left from {seen['From']}", seen)
        report.expect(
            seen["List-Unsubscribe"] is not None, "with a link, and a button, that end such mails", seen.items()
        )
        report.saw(f"the next one is due at {self._enrollment['nextSendAt']}")

    async def _be_answered(self, anna: Frontend) -> None:
        report = self._tour.report
        report.step("The contact answers, and the sequence stops")
        self._tour.google.mail.deliver(ANNA.email, answer(ANNA, CONTACT, self._received()), ("INBOX", "UNREAD"))

        async def ended() -> bool:
            await self._read(anna)
            return bool(self._enrollment["status"] == "ENDED_BY_REPLY")

        await self._tour.until("the sequence to stop", ended)
        report.expect(self._enrollment["nextSendAt"] is None, "no mail follows: ENDED_BY_REPLY", self._enrollment)
        record: dict[str, Any] = {}

        async def on_record() -> bool:
            record.update((await anna.ask(ON_RECORD, id=self._contact))["viewer"]["contact"])
            return len(record["timeline"]["nodes"]) == 2

        await self._tour.until("the answer to be on the record", on_record)
        answered = [entry for entry in record["timeline"]["nodes"] if entry["direction"] == "INBOUND"]
        report.expect(
            [entry["text"] for entry in answered] == ["Gladly, on Monday."], "the answer is on the timeline", record
        )

    async def _read(self, anna: Frontend) -> None:
        nodes = (await anna.ask(ENROLLED))["viewer"]["enrollments"]["nodes"]
        [self._enrollment] = [node for node in nodes if node["contact"]["email"] == CONTACT]

    def _received(self) -> Message:
        [left] = [mail for mail in self._tour.google.mail.left if mail.to == CONTACT]
        return message_from_bytes(left.raw)
