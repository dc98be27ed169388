"""A part of the tour: mail to a contact leaves through the writer's own mailbox, and the answer is on the record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from meetings.infrastructure.demo.client import Frontend
from meetings.infrastructure.demo.people import ANNA, BEN, CARLA, PASSWORD, Person

if TYPE_CHECKING:
    from meetings.infrastructure.demo.tour import Tour

SUBJECT = "Next steps"

INBOX = "query Inbox { viewer { inbox { provider email status } } }"

CREATE_CONTACT = """
mutation Contact($email: String!, $input: ContactInput) {
  createContact(email: $email, input: $input) { contact { id email name } errors { code message } }
}
"""

SEND = """
mutation Send($input: SendEmailInput!) {
  sendEmail(input: $input) { message { status from { email } to subject } errors { code message path } }
}
"""

ON_RECORD = """
query Record($id: ID!) {
  viewer {
    contact(id: $id) { timeline { nodes { ... on LoggedEmail { direction from subject text } } } }
    emailThreads(contactId: $id) { nodes { subject unread messages { nodes { status } } } }
  }
}
"""


@dataclass(frozen=True)
class _Mailbox:
    """A person's mailbox at a provider's simulator: what came to an address from there, and how a mail comes to it."""

    person: Person
    contact: str
    received: Callable[[str], Sequence[bytes]]
    deliver: Callable[[bytes], object]


class Correspondence:
    """Needs the mailboxes that Anna, Ben and Carla connected together with their calendars."""

    def __init__(self, tour: "Tour") -> None:
        self._tour = tour

    async def walk(self) -> None:
        """Each writes and is answered. Raises what the tour raises."""
        google, office, exchange = self._tour.google.mail, self._tour.elsewhere.office, self._tour.elsewhere.exchange
        for mailbox in (
            _Mailbox(
                ANNA,
                "mae@example.org",
                lambda to: [mail.raw for mail in google.left if mail.to == to],
                lambda raw: google.deliver(ANNA.email, raw, ("INBOX", "UNREAD")),
            ),
            _Mailbox(
                BEN,
                "sally@example.org",
                office.mail.received,
                lambda raw: office.mail.deliver(BEN.email, raw, "inbox"),
            ),
            _Mailbox(
                CARLA,
                "valentina@example.org",
                exchange.mail.received,
                lambda raw: exchange.mail.deliver(CARLA.email, raw, "inbox"),
            ),
        ):
            async with Frontend(self._tour.base_url) as browser:
                await browser.sign_in(mailbox.person.email, PASSWORD)
                await self._write(browser, mailbox)

    async def _write(self, browser: Frontend, mailbox: _Mailbox) -> None:
        report = self._tour.report
        inbox = (await browser.ask(INBOX))["viewer"]["inbox"]
        report.step(f"{mailbox.person.name} writes to a contact, who answers")
        report.expect(
            inbox is not None and inbox["status"] == "ACTIVE",
            f"the mailbox came with the calendar: {inbox and inbox['provider']}",
            inbox,
        )
        contact = (await browser.ask(CREATE_CONTACT, email=mailbox.contact))["createContact"]["contact"]
        wish = {
            "contactId": contact["id"],
            "subject": SUBJECT,
            "bodyMarkdown": "Shall we **meet**?\n\n{{ sender_name }}",
            "idempotencyKey": str(uuid4()),
        }
        sent = (await browser.ask(SEND, input=wish))["sendEmail"]
        report.expect(not sent["errors"] and sent["message"]["status"] == "SENT", "the mail has left", sent)
        [seen] = [message_from_bytes(raw) for raw in mailbox.received(mailbox.contact)]
        report.expect(mailbox.person.email in seen["From"], f"{contact['email']} got it from {seen['From']}", seen)
        mailbox.deliver(answer(mailbox.person, mailbox.contact, seen))
        self._record: dict[str, Any] = {}

        async def answered() -> bool:
            self._record = (await browser.ask(ON_RECORD, id=contact["id"]))["viewer"]
            return len(self._record["contact"]["timeline"]["nodes"]) == 2

        await self._tour.until("the answer to be on the record", answered)
        entries = {entry["direction"]: entry for entry in self._record["contact"]["timeline"]["nodes"]}
        for direction in ("OUTBOUND", "INBOUND"):
            report.saw(f"- {direction} {entries[direction]['subject']}: {entries[direction]['text'].splitlines()[0]}")
        report.expect(
            entries["INBOUND"]["text"] == "Gladly, on Monday.",
            "both are on the timeline, the answer without what it quotes",
            entries,
        )
        [thread] = self._record["emailThreads"]["nodes"]
        report.expect(
            thread["unread"] and len(thread["messages"]["nodes"]) == 2, "and in one conversation, unread", thread
        )


def answer(person: Person, contact: str, seen: Message) -> bytes:
    """What the contact's program sends back to a mail."""
    made = EmailMessage(SMTP)
    subject = str(seen["Subject"]).removeprefix("Re: ")
    made["From"], made["To"], made["Subject"] = contact, person.email, f"Re: {subject}"
    made["Date"], made["Message-ID"] = seen["Date"], f"<{uuid4()}@example.org>"
    made["In-Reply-To"] = made["References"] = seen["Message-ID"]
    quoted = f"On Mon, 2 Mar 2026 at 08:00, {person.name} <{person.email}> wrote:\n> Shall we meet?\n"
    made.set_content(f"Gladly, on Monday.\n\n{quoted}")
    return made.as_bytes()
