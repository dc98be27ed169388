"""Which bookings a list shows, and to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meetings.application.ports.reads import Slice
from meetings.domain.booking import Booking
from meetings.domain.identifiers import AccountId, PageId, UserId
from meetings.graphql.context import Operation
from meetings.graphql.enums import BookingState


@dataclass(frozen=True)
class BookingFilter:
    """Bookings of an account; `host` None means everybody's. Starts in `[start_from, start_to)`, either may be open."""

    account_id: AccountId
    host: UserId | None
    page: PageId | None = None
    states: Sequence[BookingState] | None = None
    start_from: datetime | None = None
    start_to: datetime | None = None

    async def slice(self, operation: Operation, first: int, after: str | None) -> Slice[Booking]:
        """One page of the list. Raises `BadCursor`."""
        return await operation.tools.reads.bookings(
            self.account_id,
            host=self.host,
            page=self.page,
            states=self.states,
            start_from=self.start_from,
            start_to=self.start_to,
            first=first,
            after=after,
        )

    async def count(self, operation: Operation) -> int:
        """How many the whole list has."""
        return await operation.tools.reads.count_bookings(
            self.account_id,
            host=self.host,
            page=self.page,
            states=self.states,
            start_from=self.start_from,
            start_to=self.start_to,
        )
