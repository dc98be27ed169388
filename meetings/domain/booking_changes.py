"""Whether people can still move or cancel a meeting: a question to the booking and to its host's calendar together."""

from meetings.domain.booking import Booking
from meetings.domain.calendar_connection import CalendarConnection, Capability, CapabilityUnsupported, Grant


def check_changeable(booking: Booking, connection: CalendarConnection | None) -> None:
    """Whether the host's calendar lets `booking` be moved and cancelled from here (S94).

    A request takes no time and has no event, so nothing stands in its way; nor does it where the host gave their
    calendar back. A grant that is merely lost changes nothing: the event is still where it cannot be changed.

    Raises:
        CapabilityUnsupported: with the provider.
    """
    if booking.occupies and connection is not None and connection.grant is not Grant.RETURNED:
        connection.require(Capability.CHANGE_BOOKINGS)


def is_changeable(booking: Booking, connection: CalendarConnection | None) -> bool:
    """Whether `check_changeable` has nothing to say."""
    try:
        check_changeable(booking, connection)
    except CapabilityUnsupported:
        return False
    return True
