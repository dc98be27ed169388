"""Settling a booking while its visitor waits, by the same intent a worker would carry out (architecture, step 6)."""

import asyncio
from collections.abc import Callable, Coroutine

from meetings.application.ports.outbox import Intent, Outbox
from meetings.application.ports.unit_of_work import Begin
from meetings.application.reactions import SETTLE_BOOKING
from meetings.domain.booking import Booking, BookingState
from meetings.domain.identifiers import AccountId, BookingId

_LOOK_EVERY = 0.05
_under_way: set[asyncio.Task[None]] = set()
"""Writes that outlive the request they were begun for; kept here so that they are not collected."""

CarryOut = Callable[[Intent], Coroutine[object, object, None]]


async def settle_now(
    account_id: AccountId, booking_id: BookingId, *, seconds: float, look: Begin, outbox: Outbox, carry_out: CarryOut
) -> Booking:
    """The booking, settled if its calendar write ends within `seconds`, else as it is (PENDING).

    Takes the booking's intent and carries it out; when somebody else has it, waits for them. A write that takes
    longer goes on by itself, and if this process dies a worker takes it up once the lease has ended.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    intent = await outbox.claim_for(SETTLE_BOOKING, booking_id)
    if intent is not None:
        task = asyncio.create_task(carry_out(intent))
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)
        await asyncio.wait([task], timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
    while True:
        async with look(account_id) as work:
            booking = await work.bookings.get(booking_id)
        if booking.state is not BookingState.PENDING or asyncio.get_running_loop().time() >= deadline:
            return booking
        await asyncio.sleep(_LOOK_EVERY)
