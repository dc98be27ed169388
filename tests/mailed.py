"""The whole product with a person whose mailbox is at any provider: what holds for one has to hold for all.

    async with mailed(database_url, "google", simulators) as ada: ...

The provider's simulator is the one that the contract of mailboxes knows; product and provider have the same clock.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from meetings.application.carry_out import carry_out
from meetings.application.ports.crm import Contact, ContactDetails, Crm, RecordedMail
from meetings.application.ports.mail_accounts import MailAccount
from meetings.application.send_email import SendEmail, send_email
from meetings.application.sync_mailbox import sync_mailbox
from meetings.domain.calendar_connection import Consent
from meetings.domain.email import Email
from meetings.domain.email_thread import EmailThread
from meetings.domain.identifiers import EmailId, EmailThreadId, MailboxId
from meetings.domain.mailbox import Mailbox
from meetings.domain.user import User
from meetings.infrastructure.database.emails import email_from, email_thread_from
from meetings.infrastructure.database.tables import email_threads, emails, intents, mail_sync
from meetings.infrastructure.database.types import database_time
from tests.contracts.calendars.world import HeldCredentials
from tests.contracts.mail.conftest import WORLDS
from tests.contracts.mail.letters import a_bounce, a_mail
from tests.contracts.mail.world import MailWorld, SeenMail
from tests.databases import Simulators
from tests.world import Clock, World, world

VERA = "vera@elsewhere.example"


@dataclass
class Mailed:
    """Anna, whose mailbox `mailbox` is at `place`, and Vera, a contact of hers. `here` is everything around them.
    Nothing happens by itself: see `settle_down`."""

    here: World
    place: MailWorld
    mailbox: Mailbox = field(init=False)
    vera: Contact = field(init=False)
    credentials: dict[MailboxId, HeldCredentials] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return self.here.clock

    async def begin(self) -> None:
        """Anna's mailbox is connected, and Vera is on record."""
        self.here.tools = replace(self.here.tools, mail_account_of=self.account_of)
        self.vera = await self.contact(VERA, "Vera", "Stranger")
        self.mailbox = await self.connect()

    def account_of(self, mailbox: Mailbox) -> MailAccount:
        return self.place.offer.mail(self.credentials[mailbox.id])

    async def connect(self, *, user: User | None = None, email: str | None = None) -> Mailbox:
        """Connect a mailbox; its own credentials are the provider's, and held in memory."""
        user = user or self.here.anna
        mailbox = Mailbox.connect(
            MailboxId(uuid4()),
            account_id=user.account_id,
            user_id=user.id,
            provider=self.place.offer.provider,
            email=email or self.place.account,
            consent=Consent(self.place.offer.disclosure.version, self.clock()),
            now=self.clock(),
        )
        self.credentials[mailbox.id] = self.place.sign_in()
        async with self.here.tools.begin(user.account_id) as work:
            work.mailboxes.add(mailbox, "held in memory")
            await work.commit()
        await self.settle_down()
        return mailbox

    async def crm(self) -> Crm:
        return await self.here.tools.crm_of(self.here.anna.account_id)

    async def contact(self, email: str, first_name: str | None = None, last_name: str | None = None) -> Contact:
        return await (await self.crm()).put_contact(ContactDetails(email, first_name, last_name))

    # ---- writing ----------------------------------------------------------------------------------------------------

    async def queue(self, subject: str = "Next steps", body: str = "Shall we meet?", **more: Any) -> EmailId:
        """Anna writes to Vera; the mail waits for a worker."""
        given = {"contact_id": self.vera.id, "idempotency_key": str(uuid4()), **more}
        link = given.pop("link", None)
        tools = self.here.tools
        return await send_email(
            SendEmail(subject=subject, body_markdown=body, **given),
            caller=self.here.caller,
            link=link,
            begin=tools.begin,
            look=tools.look,
            crm_of=tools.crm_of,
            clock=self.clock,
            policy=tools.policy,
        )

    async def send(self, subject: str = "Next steps", body: str = "Shall we meet?", **more: Any) -> Email:
        """The same, and the mail is handed over at once, as `sendEmail` does."""
        email_id = await self.queue(subject, body, **more)
        return await self.hand_over(email_id)

    async def hand_over(self, email_id: EmailId) -> Email:
        intent = await self.here.tools.outbox.claim_for("send_email", email_id)
        if intent is not None:
            await carry_out(intent, self.here.tools)
        return await self.email(email_id)

    def answer(self, email: Email, *, text: str = "Gladly.\n", **more: Any) -> str:
        """A minute later a mail comes that answers one of ours; gives its message id."""
        self.clock.passes(minutes=1)
        given = {"subject": f"Re: {email.content.subject}", "answers": email.known_as, "text": text, **more}
        given.setdefault("id", f"<{uuid4()}@mail.elsewhere.example>")
        self.place.deliver(a_mail(self.place.account, **given))
        return str(given["id"])

    def bounce(self, email: Email) -> None:
        """A report comes that a mail of ours could not be delivered."""
        self.place.deliver(a_bounce(self.place.account, email.known_as))

    # ---- what a worker would do -------------------------------------------------------------------------------------

    async def settle_down(self) -> None:
        """Carry out everything that is due, and read every mailbox that is due, until nothing is."""
        for _ in range(20):
            busy = await self.here.carry_out_due()
            for mailbox_id in await self.here.tools.mail_schedule.due(100):
                await self.read_once(mailbox_id)
                busy = True
            if not busy:
                return

    async def read(self) -> None:
        """Read the mailbox now, and carry out what follows from it."""
        await self.here.tools.mail_schedule.request(self.mailbox.id)
        await self.settle_down()

    async def read_once(self, mailbox_id: MailboxId) -> bool:
        tools = self.here.tools
        return await sync_mailbox(
            mailbox_id,
            begin=tools.begin,
            look=tools.look,
            mail_account_of=tools.mail_account_of,
            crm_of=tools.crm_of,
            schedule=tools.mail_schedule,
            clock=self.clock,
            policy=tools.policy,
        )

    async def passes(self, **span: float) -> None:
        """Time goes by, for the product, the provider and what is due."""
        self.clock.passes(**span)
        async with self.here.runtime.database.transaction() as connection:
            for table in (intents, mail_sync):
                waits = (table.c.due_at > database_time(), table.c.due_at <= self.clock.now)
                await connection.execute(update(table).where(*waits).values(due_at=database_time(-1)))

    # ---- what became of it ------------------------------------------------------------------------------------------

    async def email(self, email_id: EmailId) -> Email:
        async with self.here.tools.look(self.here.anna.account_id) as work:
            return await work.emails.get(email_id)

    async def thread(self, thread_id: EmailThreadId) -> EmailThread:
        async with self.here.tools.look(self.here.anna.account_id) as work:
            return await work.emails.thread(thread_id)

    async def emails(self) -> list[Email]:
        """Every mail that is stored, oldest first."""
        async with self.here.runtime.database.snapshot() as connection:
            rows = await connection.execute(select(emails).order_by(emails.c.at, emails.c.created_at))
            return [email_from(row) for row in rows]

    async def threads(self) -> list[EmailThread]:
        async with self.here.runtime.database.snapshot() as connection:
            rows = await connection.execute(select(email_threads).order_by(email_threads.c.created_at))
            return [email_thread_from(row) for row in rows]

    async def received(self) -> list[Email]:
        """The logged mails of others."""
        return [email for email in await self.emails() if not email.outgoing]

    async def timeline(self, contact: Contact | None = None) -> list[RecordedMail]:
        """The mails on a contact's record, oldest first."""
        page = await (await self.crm()).timeline((contact or self.vera).id, first=100, after=None)
        return [entry for entry in reversed(page.items) if isinstance(entry, RecordedMail)]

    def delivered(self) -> list[SeenMail]:
        """What has come to Vera."""
        return self.place.received(VERA)


@asynccontextmanager
async def mailed(database_url: str, provider: str, simulators: Simulators, **more: Any) -> AsyncIterator[Mailed]:
    """Anna's product on an empty database, her mailbox connected."""
    clock = Clock(datetime.now(UTC))
    start: Callable[..., AbstractContextManager[MailWorld]] = WORLDS[provider]
    with start(clock=clock) as place:
        async with world(database_url, *simulators, now=clock, **more) as here:
            ada = Mailed(here, place)
            await ada.begin()
            yield ada
