"""Which bookings a caller may see and change."""

from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import UnitOfWork
from meetings.domain.base import NotFound
from meetings.domain.booking import Booking
from meetings.domain.identifiers import BookingId
from meetings.domain.user import Role


async def own_booking(work: UnitOfWork, caller: Caller, booking_id: BookingId) -> Booking:
    """A booking the caller hosts; owners and admins have everybody's.

    Raises:
        NotFound: no such booking, or not theirs: both read the same.
    """
    booking = await work.bookings.get(booking_id)
    if caller.user_id not in booking.hosts:
        user = await work.users.get(caller.user_id)
        if user.role is Role.MEMBER:
            raise NotFound("booking", ("bookingId",))
    return booking
