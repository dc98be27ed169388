"""S94: whether people can move and cancel a meeting from here, over providers, switch, grant and state."""

import pytest

from meetings.domain.booking import BookingState
from meetings.domain.booking_changes import check_changeable, is_changeable
from meetings.domain.calendar_connection import (
    Capability,
    CapabilityUnsupported,
    Grant,
    Provider,
    lifted_limits,
)
from tests.builders import a_booking, a_connection

STANDING = (BookingState.PENDING, BookingState.CONFIRMED)


@pytest.mark.parametrize("full_sync", [False, True])
@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize("grant", Grant)
@pytest.mark.parametrize("state", BookingState)
def test_only_a_meeting_that_stands_in_an_exchange_calendar_with_its_limits_cannot_be_changed(
    provider: Provider, full_sync: bool, grant: Grant, state: BookingState
) -> None:
    lifted = lifted_limits(provider, exchange_full_sync=full_sync)
    connection = a_connection(provider=provider, grant=grant, lifted=lifted)
    booking = a_booking(state=state)
    limited = provider is Provider.EXCHANGE and not full_sync
    forbidden = limited and grant is not Grant.RETURNED and state in STANDING
    assert is_changeable(booking, connection) is not forbidden
    if forbidden:
        with pytest.raises(CapabilityUnsupported) as refused:
            check_changeable(booking, connection)
        assert (refused.value.provider, refused.value.capability) == (provider, Capability.CHANGE_BOOKINGS)


@pytest.mark.parametrize("state", BookingState)
def test_without_a_calendar_nothing_stands_in_the_way(state: BookingState) -> None:
    check_changeable(a_booking(state=state), None)
