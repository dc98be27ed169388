"""One time on offer."""

from datetime import datetime

import strawberry

from meetings.domain.timespan import TimeSpan


@strawberry.type(description="One time on offer.")
class Slot:
    """Half-open, in UTC."""

    start: datetime = strawberry.field(description="When it begins.")
    end: datetime = strawberry.field(description="When it ends; the next slot may begin right then.")

    @classmethod
    def of(cls, span: TimeSpan) -> "Slot":
        return cls(start=span.start, end=span.end)
