"""Forgetting a person from outside, here and in the customer records (TP-4)."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from meetings.application.ports.calendars import ProviderError
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import CrmOf
from meetings.application.ports.identities import Caller
from meetings.application.ports.outbox import Intent, NewIntent
from meetings.application.ports.unit_of_work import Begin
from meetings.application.reactions import ERASE_ON_RECORD
from meetings.domain.base import Problem, Rule, refuse
from meetings.domain.booking import Booking
from meetings.domain.engagement import MeetingEngagement
from meetings.domain.erasure import PersonErased, UpcomingMeetings
from meetings.domain.identifiers import AccountId
from meetings.domain.text import email_problem

LOOK_AGAIN_AFTER = timedelta(minutes=15)
"""What was being written on record when the person was erased has arrived there by then."""
_SECOND = "second"


async def erase_person(email: str, *, caller: Caller, begin: Begin, crm_of: CrmOf, clock: Clock) -> None:
    """Forget a person. Bookings and other meetings keep their time and people of ours; all else about the person goes
    in this transaction. The customer records follow by the outbox, as soon as they can be reached. Erasing somebody
    again, or somebody who was never here, succeeds.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        InvalidInput: no address, or one of somebody of the account.
        UpcomingMeetings: meetings with the person are to come.
    """
    refuse(email_problem(email.strip(), "email"))
    contact = await contact_id(email, caller.account_id, crm_of)
    now = clock()
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        personal = work.personal_data
        refuse(Problem(("email",), Rule.NOT_ALLOWED_HERE) if await personal.is_of_ours(email) else None)
        bookings = [await work.bookings.get(booking_id) for booking_id in await personal.bookings_with(email)]
        engagements = [await work.engagements.get(meeting) for meeting in await personal.engagements_with(email)]
        upcoming = sum(each.is_ahead(now=now) for each in _all(bookings, engagements))
        if upcoming:
            raise UpcomingMeetings(upcoming)
        await work.visitors.forget_of_email(email)
        own: set[UUID] = {booking.id for booking in bookings if booking.is_by(email)}
        for meeting in _all(bookings, engagements):
            meeting.forget(email, now=now)
        gone = await personal.forget(email, contact, own | {meeting.id for meeting in engagements})
        request = await personal.keep_request(email, now=now)
        work.intend(NewIntent(ERASE_ON_RECORD, request, f"{ERASE_ON_RECORD}:{request}"))
        (await work.account()).record(
            PersonErased(
                at=now,
                bookings=len(bookings),
                engagements=len(engagements),
                emails=gone.emails,
                enrollments=gone.enrollments,
            )
        )
        await work.commit()


def _all(
    bookings: Iterable[Booking], engagements: Iterable[MeetingEngagement]
) -> Iterable[Booking | MeetingEngagement]:
    yield from bookings
    yield from engagements


async def contact_id(email: str, account_id: AccountId, crm_of: CrmOf) -> str | None:
    """The CRM's id of a person; None also when the CRM cannot be reached: nothing waits for it."""
    try:
        known = await (await crm_of(account_id)).known([email.strip()])
    except ProviderError:
        return None
    return next((contact.id for contact in known.values()), None)


async def erase_on_record(intent: Intent, *, begin: Begin, look: Begin, crm_of: CrmOf, clock: Clock) -> None:
    """Have the customer records forget a person: at once, and once more for what was being written meanwhile; whom it
    was about is kept, sealed, until then.

    Raises:
        ProviderError: the CRM cannot be reached; worth another try.
    """
    async with look(intent.account_id) as work:
        email = await work.personal_data.requested(intent.subject, now=clock())
    if email is not None:
        await (await crm_of(intent.account_id)).erase(email)
    async with begin(intent.account_id) as work:
        if email is None or _SECOND in intent.details:
            await work.personal_data.close_request(intent.subject)
        else:
            again = clock() + LOOK_AGAIN_AFTER
            work.intend(
                NewIntent(ERASE_ON_RECORD, intent.subject, intent.lane, not_before=again, details={_SECOND: "yes"})
            )
        await work.finish(intent)
        await work.commit()
