"""A person whose every word can be found again, and all the places the product could keep words in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select

from meetings.application.create_engagement import CreateEngagement, create_engagement
from meetings.application.erase_person import LOOK_AGAIN_AFTER, erase_person
from meetings.application.ports.crm import Contact
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import MeetingLink
from meetings.domain.booking import Booking, BookingSource, UtmTag
from meetings.domain.booking_form import FieldKind, FormField, GuestPolicy
from meetings.domain.engagement import MeetingText
from meetings.domain.identifiers import BookingId, EngagementId, EnrollmentId
from meetings.infrastructure.database.tables import intents, metadata, slot_holds
from tests.mail.sequenced import Sequenced
from tests.mailed import Mailed

MARK = "canaryqz"
"""Stands in every single thing this person says or is called."""
EMAIL = "Vera.CanaryQz@elsewhere.example"
SAID = f"only {MARK} says this"


@dataclass
class Canary:
    """Vera, and everything she left with Anna. Her meetings are over once `time_passes`."""

    mailed: Mailed
    contact: Contact = field(init=False)
    page: PagePointer = field(init=False)
    booked: Booking = field(init=False)
    as_guest: Booking = field(init=False)
    cancelled: Booking = field(init=False)
    planned: EngagementId = field(init=False)
    enrolled: EnrollmentId = field(init=False)

    @property
    def account_id(self) -> Any:
        return self.mailed.here.anna.account_id

    async def leave_traces(self) -> None:
        """A contact, mails both ways, a sequence, bookings, a meeting on record, a link, a browser, an opt-out, and
        work that failed and says whom it was for."""
        here, mailed = self.mailed.here, self.mailed
        self.contact = await mailed.contact(EMAIL, f"Vera {MARK}", f"Stranger {MARK}")
        sequenced = await Sequenced.begin(mailed)
        await here.connect()
        sent = await mailed.send(f"Hello {MARK}", SAID, contact_id=self.contact.id)
        mailed.answer(sent, sender=f"Vera {MARK} <{EMAIL}>", text=SAID)
        await mailed.read()
        self.enrolled = await sequenced.enroll(self.contact)
        await self._book()
        self.planned = await create_engagement(
            CreateEngagement(self.contact.id, (), MeetingText(f"Lunch with {MARK}", SAID, SAID), *self._at(3, hours=1)),
            caller=here.caller,
            begin=here.tools.begin,
            crm_of=here.tools.crm_of,
            clock=here.clock,
        )
        async with here.tools.begin(self.account_id) as work:
            link = MeetingLink(uuid4(), self.page.page_id, {"email": (EMAIL,), "company": (SAID,)}, None, False, None)
            await work.links.add(link, created_by=here.anna.id, now=here.clock())
            await work.visitors.remember(uuid4(), self.booked.id, host="meet.test", nonce_hash="n", days=9)
            await work.enrollments.opt_out(EMAIL, at=here.clock())
            await work.commit()
        await mailed.settle_down()
        await self._fail()

    async def _book(self) -> None:
        here = self.mailed.here
        self.page = await here.page(
            form_fields=(FormField("company", "Company", FieldKind.SHORT_TEXT, contact_property="company"),),
            guests=GuestPolicy(True, 2),
        )
        form: dict[str, Any] = {
            "first_name": f"Vera {MARK}",
            "last_name": MARK,
            "email": EMAIL.upper(),
            "answers": {"company": (SAID,)},
            "message": SAID,
            "guests": (f"friend.{MARK}@example.org",),
            "source": BookingSource(utm=(UtmTag("utm_source", MARK),)),
        }
        self.booked = await here.book(self.page, self._at(0)[0], **form)
        self.cancelled = await here.book(self.page, self._at(1)[0], **form)
        await here.cancel(self.cancelled, SAID)
        self.as_guest = await here.book(self.page, self._at(2)[0], guests=(EMAIL, "else@example.org"))

    def _at(self, days: int, hours: float = 0.5) -> tuple[datetime, datetime]:
        noon = self.mailed.clock.now.replace(hour=13, minute=0) + timedelta(days=days)
        return noon, noon + timedelta(hours=hours)

    async def _fail(self) -> None:
        """A letter that a mail server refused for good, and a hold of nobody in particular."""
        now = self.mailed.clock.now
        dead = {"id": uuid4(), "account_id": self.account_id, "reaction": "tell_invitee", "lane": "l", "details": {}}
        told = {"created_at": now, "due_at": now, "attempts": 3, "fence": 3, "died_at": now}
        error = f"LetterRefused: 550 <{EMAIL}>: no such user"
        async with self.mailed.here.runtime.database.transaction() as connection:
            for subject in (self.booked.id, uuid4()):
                row = {**dead, **told, "id": uuid4(), "subject": subject, "error": error}
                await connection.execute(insert(intents), row)
            hold = {
                "token_hash": "t",
                "account_id": self.account_id,
                "page_id": uuid4(),
                "visitor": "v",
                "address": "a",
            }
            await connection.execute(insert(slot_holds), {**hold, "start_at": now, "end_at": now, "expires_at": now})

    async def time_passes(self) -> None:
        """Every meeting of hers is over, and nothing about them is left to do."""
        await self.mailed.passes(days=10)
        await self.mailed.settle_down()

    # ---- forgetting -------------------------------------------------------------------------------------------------

    async def erase(self, email: str = EMAIL) -> None:
        """As `erasePerson` does."""
        here = self.mailed.here
        await erase_person(
            email, caller=here.caller, begin=here.tools.begin, crm_of=here.tools.crm_of, clock=here.clock
        )

    async def workers_follow(self) -> None:
        """The customer records forget her too, and once more a little later."""
        await self.mailed.settle_down()
        await self.mailed.passes(seconds=LOOK_AGAIN_AFTER.total_seconds() + 1)
        await self.mailed.settle_down()

    # ---- looking ----------------------------------------------------------------------------------------------------

    async def hits(self) -> dict[str, list[str]]:
        """Every row of every table of the database in which any word of hers stands, by table."""
        found: dict[str, list[str]] = {}
        async with self.mailed.here.runtime.database.snapshot() as connection:
            for table in metadata.sorted_tables:
                rows = (await connection.execute(select(table))).all()
                told = [repr(tuple(row)) for row in rows if MARK in repr(tuple(row)).casefold()]
                if told:
                    found[table.name] = told
        return found

    async def booking(self, booking_id: BookingId) -> Booking:
        async with self.mailed.here.tools.look(self.account_id) as work:
            return await work.bookings.get(booking_id)
