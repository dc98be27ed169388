"""A visitor asks for a meeting on a page without a calendar behind it (S9 to S11)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import uuid4

from meetings.application.blocked_attempts import note_blocked_attempt
from meetings.application.book_meeting import check_form
from meetings.application.page_state import load_page, slot_span, times_of_hosts
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import Begin
from meetings.application.repeated_commands import (
    CommandKey,
    KeptMeanwhile,
    earlier_result,
    keep_result,
    result_of_rival,
)
from meetings.domain.booking_mode import BookingMode
from meetings.domain.identifiers import BookingId
from meetings.domain.scheduling_page import BookingBlocked, BookingForm, PageOnline, surroundings
from meetings.domain.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class RequestMeeting:
    """The wish for one of up to three times, the preferred one first."""

    page: PagePointer
    starts: Sequence[datetime]
    form: BookingForm
    idempotency_key: str
    scope: str

    def command(self) -> CommandKey:
        starts = [start.timestamp() for start in self.starts]
        given = {"page": self.page.page_id, "starts": starts, "form": asdict(self.form)}
        return CommandKey.of("requestMeeting", self.scope, self.idempotency_key, given)


async def request_meeting(
    wish: RequestMeeting, *, begin: Begin, look: Begin, clock: Clock, policy: Policy
) -> BookingId:
    """Store the request: nothing is held, no calendar is touched. The same command again gives the same booking.

    Raises:
        NotFound, InvalidInput, IdempotencyConflict, SlotTaken, SlotUnavailable: as `book_meeting`.
        LinkSpent: the link it comes by has ended, or was for one meeting.
        PageOnline: the page books at once.
        BookingBlocked: the page takes nothing now.
    """
    command = wish.command()
    async with look(wish.page.account_id) as work:
        earlier = await earlier_result(work, command)
        if earlier:
            return BookingId(earlier)
        state = await load_page(work, wish.page.page_id)
    check_form(state, wish.form, policy)
    if state.mode is BookingMode.BLOCKED:
        if wish.starts:
            await note_blocked_attempt(state, wish.starts[0], begin=begin, policy=policy, now=clock())
        raise BookingBlocked
    try:
        return await _store(wish, command, begin=begin, clock=clock, policy=policy)
    except KeptMeanwhile:
        return BookingId(await result_of_rival(wish.page.account_id, command, look))


async def _store(wish: RequestMeeting, command: CommandKey, *, begin: Begin, clock: Clock, policy: Policy) -> BookingId:
    async with begin(wish.page.account_id) as work:
        state = await load_page(work, wish.page.page_id)
        if state.mode is BookingMode.ONLINE:
            raise PageOnline
        now = clock()
        first, last = min(wish.starts, default=now), max(wish.starts, default=now)
        around = TimeSpan(
            surroundings(slot_span(first, 0), now=now).start, surroundings(slot_span(last, 0), now=now).end
        )
        times, meetings = await times_of_hosts(work, state, around, now=now, policy=policy)
        booking = state.page.request(
            BookingId(uuid4()),
            wish.starts,
            wish.form,
            hosts=times,
            meetings=meetings,
            host_name=state.users[state.page.hosts[0].user_id].name,
            now=now,
        )
        if wish.page.link_id:
            await work.links.use(wish.page.link_id, booking.id, now=now)
        work.bookings.add(booking)
        await keep_result(work, command, booking.id)
        await work.commit()
    return booking.id
