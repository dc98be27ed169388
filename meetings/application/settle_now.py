"""Settling a booking while its visitor waits, or a mail while its writer does, by the same intent a worker would carry
out (architecture, step 6)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar
from uuid import UUID

from meetings.application.ports.outbox import Intent, Outbox
from meetings.application.ports.unit_of_work import Begin
from meetings.application.reactions import SETTLE_BOOKING
from meetings.domain.booking import Booking, BookingState
from meetings.domain.identifiers import AccountId, BookingId

T = TypeVar("T")

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

    async def present() -> Booking:
        async with look(account_id) as work:
            return await work.bookings.get(booking_id)

    return await carried_out_now(
        SETTLE_BOOKING,
        booking_id,
        present,
        lambda booking: booking.state is not BookingState.PENDING,
        seconds=seconds,
        outbox=outbox,
        carry_out=carry_out,
    )


async def carried_out_now(
    reaction: str,
    subject: UUID,
    present: Callable[[], Awaitable[T]],
    settled: Callable[[T], bool],
    *,
    seconds: float,
    outbox: Outbox,
    carry_out: CarryOut,
) -> T:
    """What an intent is about, as soon as it is settled, or as it is after `seconds`; see `settle_now`."""
    deadline = asyncio.get_running_loop().time() + seconds
    intent = await outbox.claim_for(reaction, subject)
    if intent is not None:
        task = asyncio.create_task(carry_out(intent))
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)
        await asyncio.wait([task], timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
    while True:
        found = await present()
        if settled(found) or asyncio.get_running_loop().time() >= deadline:
            return found
        await asyncio.sleep(_LOOK_EVERY)
