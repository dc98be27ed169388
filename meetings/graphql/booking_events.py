"""What happens to bookings, live."""

import datetime
import enum
from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from meetings.application.ports.reads import JournalEntry
from meetings.application.watch_bookings import watch_bookings
from meetings.domain import booking as domain
from meetings.domain.booking import (
    BookingCancelled,
    BookingConfirmed,
    BookingDeclined,
    BookingFailed,
    BookingMoved,
    MeetingRequested,
    MoveConfirmed,
    SlotReserved,
)
from meetings.domain.identifiers import PageId
from meetings.graphql.bookings import Booking
from meetings.graphql.context import Info, closed_after, while_signed_in
from meetings.graphql.node_ids import Kind, from_id


@strawberry.enum(description="What happened to a booking.")
class BookingEventType(enum.Enum):
    """Named in the past tense."""

    BOOKING_REQUESTED = strawberry.enum_value("BOOKING_REQUESTED", description="A visitor proposed times.")
    BOOKING_PENDING = strawberry.enum_value(
        "BOOKING_PENDING", description="A slot was taken, or a booking moved; the calendar write is under way."
    )
    BOOKING_CONFIRMED = strawberry.enum_value("BOOKING_CONFIRMED", description="The event exists at the provider.")
    BOOKING_RESCHEDULED = strawberry.enum_value("BOOKING_RESCHEDULED", description="The event has followed a move.")
    BOOKING_FAILED = strawberry.enum_value("BOOKING_FAILED", description="The provider refused for good.")
    BOOKING_CANCELLED = strawberry.enum_value("BOOKING_CANCELLED", description="It was called off.")
    BOOKING_DECLINED = strawberry.enum_value("BOOKING_DECLINED", description="A host declined the request.")


_TYPES = {
    MeetingRequested.__name__: BookingEventType.BOOKING_REQUESTED,
    SlotReserved.__name__: BookingEventType.BOOKING_PENDING,
    BookingMoved.__name__: BookingEventType.BOOKING_PENDING,
    BookingConfirmed.__name__: BookingEventType.BOOKING_CONFIRMED,
    MoveConfirmed.__name__: BookingEventType.BOOKING_RESCHEDULED,
    BookingFailed.__name__: BookingEventType.BOOKING_FAILED,
    BookingCancelled.__name__: BookingEventType.BOOKING_CANCELLED,
    BookingDeclined.__name__: BookingEventType.BOOKING_DECLINED,
}


@strawberry.type(description="Something that happened to a booking.")
class BookingEvent:
    """In order, none left out and none twice."""

    cursor: str = strawberry.field(description="Where this watcher stands, for `after`.")
    type: BookingEventType = strawberry.field(description="What happened.")
    occurred_at: datetime.datetime = strawberry.field(description="When.")
    booking: Booking = strawberry.field(description="The booking as it is now.")

    @classmethod
    def of(cls, entry: JournalEntry, booking: domain.Booking) -> "BookingEvent":
        return cls(
            cursor=str(entry.position),
            type=_TYPES[entry.kind],
            occurred_at=entry.at,
            booking=Booking.of(booking),
        )


@strawberry.type(description="Subscriptions to bookings.")
class BookingSubscriptions:
    """Part of the schema's subscriptions."""

    @strawberry.subscription(
        description="For signed-in people: what happens to their bookings, to everybody's for owners and admins. "
        "Without `after`, from now on; with it, everything since. Ends with `UNAUTHENTICATED` within seconds of "
        "signing out."
    )
    async def booking_events(
        self,
        info: Info,
        after: Annotated[
            str | None, strawberry.argument(description="The last cursor seen; nothing is left out after it.")
        ] = None,
        page_ids: Annotated[
            list[strawberry.ID] | None, strawberry.argument(description="Only bookings of these pages.")
        ] = None,
    ) -> AsyncGenerator[BookingEvent, None]:
        operation = info.context
        caller = operation.signed_in_to_read()
        pages = None if page_ids is None else {PageId(from_id(Kind.PAGE, given)) for given in page_ids}
        tools = operation.tools
        events = watch_bookings(caller, after, pages, reads=tools.reads, fan_out=tools.fan_out)
        async with closed_after(while_signed_in(events, operation)) as seen:
            async for entry, booking in seen:
                yield BookingEvent.of(entry, booking)
