"""Telling people by mail what happened. A letter that is not true any more is not sent."""

from collections.abc import Collection
from datetime import datetime, timedelta

from meetings.application.invitations import Invitation
from meetings.application.links import Links
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail import (
    AnswerLine,
    Audience,
    BlockedAttemptLetter,
    BookingAttempt,
    ConnectionLostLetter,
    Correspondent,
    InvitationLetter,
    Letter,
    LostCalendar,
    Mailer,
    MailRefused,
    MeetingLetter,
    MeetingNews,
    Recipient,
)
from meetings.application.ports.outbox import Intent, NewIntent
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.reactions import SEND_REMINDER, TELL_BLOCKED
from meetings.domain.booking import (
    Booking,
    BookingCancelled,
    BookingConfirmed,
    BookingDeclined,
    BookingFailed,
    BookingState,
    MeetingRequested,
    MoveConfirmed,
)
from meetings.domain.booking_changes import is_changeable
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.identifiers import BookingId, ConnectionId, UserId
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.user import User, UserState

_NEWS = {
    MeetingRequested.__name__: (MeetingNews.REQUESTED, {BookingState.REQUESTED}),
    BookingConfirmed.__name__: (MeetingNews.CONFIRMED, {BookingState.CONFIRMED, BookingState.PENDING}),
    MoveConfirmed.__name__: (MeetingNews.MOVED, {BookingState.CONFIRMED}),
    BookingFailed.__name__: (MeetingNews.FAILED, {BookingState.FAILED}),
    BookingCancelled.__name__: (MeetingNews.CANCELLED, {BookingState.CANCELLED}),
    BookingDeclined.__name__: (MeetingNews.DECLINED, {BookingState.DECLINED}),
}
"""What an event is called in a letter, and in which states of the booking that is still worth telling."""


async def tell_about_booking(intent: Intent, audience: Audience, *, look: Begin, mailer: Mailer, links: Links) -> None:
    """Write to one side of a booking about the event the intent came from.

    The same intent always makes the same Message-ID, so a letter that is sent twice after a crash is one to a mail
    program. An address the server refuses for good is not tried again.

    Raises:
        MailUnavailable: worth another try.
    """
    news, states = _NEWS[intent.details["news"]]
    async with look(intent.account_id) as work:
        booking = await work.bookings.get(BookingId(intent.subject))
        page = await work.pages.get(booking.page_id)
        hosts = await work.users.of(booking.hosts)
        connection = (await work.connections.of_users([booking.host])).get(booking.host)
    if booking.erased or booking.state not in states:
        return
    previous = intent.details.get("previous_start")
    letter = letter_about(
        booking,
        page,
        hosts[booking.host],
        connection,
        audience,
        news,
        message_id=message_id_of(intent, links),
        links=links,
        previous_start=datetime.fromisoformat(previous) if previous else None,
    )
    await send_letter(letter, mailer)


async def plan_reminders(intent: Intent, *, begin: Begin, clock: Clock) -> None:
    """Store one intent for each reminder of the page that is still ahead (A-SP13), for the booking's present start.

    A meeting that moved away and back, or was planned before, has them already.
    """
    now = clock()
    async with begin(intent.account_id) as work:
        booking = await work.bookings.get(BookingId(intent.subject))
        page = await work.pages.get(booking.page_id)
        for reminder in page.settings.reminders if booking.state is BookingState.CONFIRMED else ():
            due = reminder.before(booking.start, booking.invitee.time_zone)
            if due > now:
                start = booking.start.isoformat()
                lane = f"{SEND_REMINDER}:{booking.id}:{due.isoformat()}:{start}"
                details = {"start": start}
                work.intend(NewIntent(SEND_REMINDER, booking.id, lane, not_before=due, details=details, once=True))
        await work.finish(intent)
        await work.commit()


async def send_reminder(intent: Intent, *, look: Begin, mailer: Mailer, links: Links, clock: Clock) -> None:
    """Remind the invitee, unless the meeting was moved, called off, or began meanwhile (A-NO2).

    Raises:
        MailUnavailable: worth another try.
    """
    async with look(intent.account_id) as work:
        booking = await work.bookings.get(BookingId(intent.subject))
        page = await work.pages.get(booking.page_id)
        hosts = await work.users.of(booking.hosts)
        connection = (await work.connections.of_users([booking.host])).get(booking.host)
    moved = booking.start.isoformat() != intent.details["start"]
    if booking.state is not BookingState.CONFIRMED or moved or clock() >= booking.start:
        return
    letter = letter_about(
        booking,
        page,
        hosts[booking.host],
        connection,
        Audience.INVITEE,
        MeetingNews.REMINDER,
        message_id=message_id_of(intent, links),
        links=links,
    )
    await send_letter(letter, mailer)


async def tell_grant_lost(intent: Intent, *, look: Begin, mailer: Mailer, links: Links) -> None:
    """Tell a host that their calendar has to be connected again, unless it was meanwhile (OA-5)."""
    async with look(intent.account_id) as work:
        connection = await work.connections.get(ConnectionId(intent.subject))
        host = await work.users.get(connection.user_id)
        borrower = await work.mailboxes.borrowing(connection.id)
    if not connection.usable:
        letter = ConnectionLostLetter(
            message_id=message_id_of(intent, links),
            to=recipient_of(host),
            provider=connection.provider.brand,
            account_email=connection.account_email,
            settings_url=links.settings(),
            with_password=connection.with_password,
            with_mailbox=borrower is not None and not borrower.usable,
        )
        await send_letter(letter, mailer)


async def tell_invitation(intent: Intent, *, look: Begin, mailer: Mailer, links: Links, policy: Policy) -> None:
    """Send somebody the link by which they join, unless they did, or the invitation is void or out of date.

    Raises:
        MailUnavailable: worth another try.
    """
    async with look(intent.account_id) as work:
        person = await work.users.get(UserId(intent.subject))
        account = await work.account()
    invited_at = datetime.fromisoformat(intent.details["invited_at"])
    if person.state is UserState.INVITED and person.invited_at == invited_at:
        invitation = Invitation(intent.account_id, person.id, invited_at)
        letter = InvitationLetter(
            message_id=message_id_of(intent, links),
            to=recipient_of(person),
            account=account.name,
            url=links.invitation(invitation.token(links.tokens)),
            expires_at=invited_at + timedelta(days=policy.invitation_days),
        )
        await send_letter(letter, mailer)


async def tell_blocked_attempts(
    intent: Intent, *, begin: Begin, look: Begin, mailer: Mailer, links: Links, clock: Clock, policy: Policy
) -> None:
    """Tell a host which attempts to book failed because which calendar cannot be read (S61), all in one mail.

    Attempts count as told only once the server took the letter; those that came meanwhile are told later.
    """
    host_id = UserId(intent.subject)
    async with look(intent.account_id) as work:
        attempts = await work.blocked_attempts.waiting(host_id)
        host = await work.users.get(host_id)
        connection = (await work.connections.of_users([host_id])).get(host_id)
        pages = {attempt.page_id: await work.pages.get(attempt.page_id) for attempt in attempts}
    lost = connection.lost_calendars if connection else []
    if connection and attempts:
        named = lost or connection.selected_calendars
        letter = BlockedAttemptLetter(
            message_id=message_id_of(intent, links),
            to=recipient_of(host),
            calendars=tuple(LostCalendar(calendar.name, connection.account_email) for calendar in named),
            attempts=tuple(
                BookingAttempt(pages[attempt.page_id].settings.headline, attempt.wished_start, attempt.tried_at)
                for attempt in attempts
            ),
            settings_url=links.settings(),
        )
        await send_letter(letter, mailer)
    async with begin(intent.account_id) as work:
        if attempts:
            await work.blocked_attempts.mark_told(host_id, attempts)
            if await work.blocked_attempts.waiting(host_id):
                not_before = clock() + policy.blocked_bundle
                work.intend(NewIntent(TELL_BLOCKED, host_id, intent.lane, not_before=not_before))
        await work.finish(intent)
        await work.commit()


async def have_each_told(reaction: str, intent: Intent, readers: Collection[UserId], work: UnitOfWork) -> None:
    """End an intent with one of `reaction` for each reader, whose id it has as `to`: nobody is told twice because
    somebody else could not be reached. Commits."""
    for user_id in sorted(readers):
        lane = f"{reaction}:{intent.subject}:{user_id}"
        work.intend(NewIntent(reaction, intent.subject, lane, details={**intent.details, "to": str(user_id)}))
    await work.finish(intent)
    await work.commit()


async def send_letter(letter: Letter, mailer: Mailer) -> None:
    """Hand a letter over.

    Raises:
        LetterRefused: it never will be delivered.
        MailUnavailable: worth another try.
    """
    try:
        await mailer.send(letter)
    except MailRefused as refused:
        raise LetterRefused(str(refused)) from refused


class LetterRefused(Exception):
    """The letter will never be delivered; listed for people, not tried again."""


def letter_about(
    booking: Booking,
    page: SchedulingPage,
    host: User,
    connection: CalendarConnection | None,
    audience: Audience,
    news: MeetingNews,
    *,
    message_id: str,
    links: Links,
    previous_start: datetime | None = None,
) -> MeetingLetter:
    """What one side of a booking is told; also what a calendar file of it says."""
    changeable = is_changeable(booking, connection)
    ended = booking.state in (BookingState.CANCELLED, BookingState.DECLINED, BookingState.FAILED)
    manage = links.manage(booking.id) if changeable and not ended and audience is Audience.INVITEE else None
    with_description = news is not MeetingNews.REMINDER or page.settings.reminders_include_description
    return MeetingLetter(
        message_id=message_id,
        to=_invitee_as_recipient(booking) if audience is Audience.INVITEE else recipient_of(host),
        audience=audience,
        news=news,
        uid=f"{booking.id}@meetings",
        sequence=booking.sequence,
        title=booking.title,
        start=booking.start,
        end=booking.end,
        host=Correspondent(host.name, host.email),
        invitee=Correspondent(booking.invitee.name, booking.invitee.email),
        booking_time_zone=booking.invitee.time_zone,
        location=booking.location.text,
        join_url=booking.event.join_url if booking.event else None,
        description=page.settings.description if with_description else None,
        manage_url=manage,
        previous_start=previous_start,
        proposed=booking.proposed if news is MeetingNews.REQUESTED else (),
        reason=booking.cancellation.reason if booking.cancellation else booking.message,
        answers=tuple(AnswerLine(answer.label, answer.values) for answer in booking.answers),
        guests=booking.guests,
    )


def _invitee_as_recipient(booking: Booking) -> Recipient:
    invitee = booking.invitee
    return Recipient(invitee.name, invitee.email, invitee.locale, invitee.time_zone)


def recipient_of(host: User) -> Recipient:
    """Somebody of the account, in their own language and zone."""
    return Recipient(host.name, host.email, host.settings.locale, host.settings.time_zone)


def message_id_of(intent: Intent, links: Links) -> str:
    """The same for each try."""
    return f"<{intent.id}@{links.host}>"
