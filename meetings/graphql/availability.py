"""Which times a page offers, once and live."""

import datetime
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from functools import partial
from typing import Annotated

import strawberry

from meetings.application import read_availability as application
from meetings.application.read_availability import AvailabilityQuestion, next_available, read_availability
from meetings.application.watch_availability import Delta, Snapshot
from meetings.domain.base import NotFound
from meetings.domain.identifiers import BookingId
from meetings.graphql.context import Info, Operation, closed_after
from meetings.graphql.enums import BookingMode, Freshness
from meetings.graphql.leaf_lists import Nested
from meetings.graphql.page_address import PageAddress, pointer_to
from meetings.graphql.scalars import TimeZone, refused
from meetings.graphql.slots import Slot, Slots


@strawberry.input(description="A window of whole days of the visitor's zone.")
class AvailabilityInput:
    """Both days belong to it."""

    page: PageAddress = strawberry.field(description="Which page.")
    from_: datetime.date = strawberry.field(name="from", description="The first day.")
    to: datetime.date = strawberry.field(description="The last day, at most 62 days in all.")
    time_zone: TimeZone = strawberry.field(description="Whose days are meant; slots are grouped by them.")
    duration_minutes: int | None = strawberry.field(
        default=None, description="How long to meet; left out, the page's default."
    )
    reschedule_token: str | None = strawberry.field(
        default=None, description="The manage token of a booking that is to be moved: its own time counts as free."
    )


@strawberry.type(description="A day with time left.")
class AvailableDay:
    """Of the visitor's zone."""

    date: datetime.date = strawberry.field(description="Which day.")
    slot_count: int = strawberry.field(description="How many slots begin on it, at least one.")
    starts: strawberry.Private[Sequence[int]]
    duration_minutes: strawberry.Private[int]

    @strawberry.field(description="The slots that begin on it, by start.")
    def slots(self) -> list[Slot]:
        return Slots(self.starts, self.duration_minutes)  # type: ignore[return-value]  # a list for the executor


class Days:
    """Days of an answer: objects, or columns in wire form."""

    def __init__(self, found: application.Availability, days: Iterable[datetime.date]) -> None:
        self._starts = [(day, found.days[day]) for day in days]
        self._minutes = found.duration_minutes

    def __iter__(self) -> Iterator[AvailableDay]:
        for day, starts in self._starts:
            yield AvailableDay(date=day, slot_count=len(starts), starts=starts, duration_minutes=self._minutes)

    def __len__(self) -> int:
        return len(self._starts)

    def column(self, field: str, nested: Nested) -> Sequence[object] | None:
        match field:
            case "date":
                return [day.isoformat() for day, _ in self._starts]
            case "slotCount":
                return [len(starts) for _, starts in self._starts]
            case "slots":
                columns = [nested(Slots(starts, self._minutes)) for _, starts in self._starts]
                return None if None in columns else columns
        return None


@strawberry.type(description="What a page offers in a window.")
class Availability:
    """Decided by the same function that books."""

    time_zone: TimeZone = strawberry.field(description="Whose days these are.")
    duration_minutes: int = strawberry.field(description="How long the slots are.")
    mode: BookingMode = strawberry.field(description="What can be done with a slot: booked, proposed, or nothing.")
    from_: datetime.date = strawberry.field(name="from", description="The first day asked for.")
    to: datetime.date = strawberry.field(description="The last day asked for.")
    freshness: Freshness = strawberry.field(description="How far this can be trusted.")
    computed_at: datetime.datetime = strawberry.field(description="As of when.")
    cursor: str = strawberry.field(description="Says what this answer holds; give it to `availabilityChanged(after:)`.")
    found: strawberry.Private[application.Availability]

    @strawberry.field(
        description="Days with time left. Ask for `date slotCount` to paint a month, and for `slots` of chosen days."
    )
    def days(
        self,
        on: Annotated[
            list[datetime.date] | None, strawberry.argument(description="Only these days; left out, all.")
        ] = None,
    ) -> list[AvailableDay]:
        return days_of(self.found, on)  # type: ignore[return-value]  # a list for the executor

    @strawberry.field(description="The first slot at or after `from`, even beyond `to`; null when there is none.")
    async def next_available(self, info: Info) -> Slot | None:
        tools, memory = info.context.tools, info.context.memory
        span = await next_available(self.found, look=tools.look, clock=tools.clock, policy=tools.policy, memory=memory)
        return Slot.of(span) if span else None

    @classmethod
    def of(cls, found: application.Availability) -> "Availability":
        question = found.question
        return cls(
            time_zone=TimeZone(question.time_zone),
            duration_minutes=found.duration_minutes,
            mode=found.mode,
            from_=question.first,
            to=question.last,
            freshness=found.freshness,
            computed_at=found.computed_at,
            cursor=found.digest.cursor(),
            found=found,
        )


def days_of(found: application.Availability, on: Sequence[datetime.date] | None) -> Days:
    """Its days with time left, all or only those of `on`."""
    return Days(found, found.days if on is None else [day for day in found.days if day in on])


@strawberry.type(description="The whole window as it is now.")
class AvailabilitySnapshot:
    """The first event, unless a cursor still fits."""

    cursor: str = strawberry.field(description="Where this watcher stands, for `after`.")
    availability: Availability = strawberry.field(description="Everything the window offers.")


@strawberry.type(description="Days that changed. Each replaces that day whole: applying one twice changes nothing.")
class AvailabilityDelta:
    """What differs from what this watcher had seen."""

    cursor: str = strawberry.field(description="Where this watcher stands, for `after`.")
    days: list[AvailableDay] = strawberry.field(description="Days that offer something else now.")
    emptied_dates: list[datetime.date] = strawberry.field(description="Days that offer nothing any more.")
    mode: BookingMode = strawberry.field(description="What can be done with a slot now.")
    found: strawberry.Private[application.Availability]

    @strawberry.field(description="The first slot at or after `from`, even beyond `to`; null when there is none.")
    async def next_available(self, info: Info) -> Slot | None:
        tools, memory = info.context.tools, info.context.memory
        span = await next_available(self.found, look=tools.look, clock=tools.clock, policy=tools.policy, memory=memory)
        return Slot.of(span) if span else None


AvailabilityEvent = Annotated[
    AvailabilitySnapshot | AvailabilityDelta,
    strawberry.union("AvailabilityEvent", description="What a watcher of a window gets: all of it, then changes."),
]


async def question_of(operation: Operation, input: AvailabilityInput) -> AvailabilityQuestion | None:
    """What is asked; None when there is no such page.

    Raises:
        GraphQLError: BAD_USER_INPUT, when the token is none of a booking of this page.
    """
    pointer = await pointer_to(operation, input.page)
    if pointer is None:
        return None
    return AvailabilityQuestion(
        page=pointer,
        first=input.from_,
        last=input.to,
        time_zone=input.time_zone,
        duration_minutes=input.duration_minutes,
        moving=_moving(operation, input.reschedule_token) if input.reschedule_token else None,
    )


async def availability_of(operation: Operation, input: AvailabilityInput) -> Availability | None:
    """What a page offers in a window; None when there is no such page. Counts against no limit.

    Raises:
        GraphQLError, InvalidInput: a token, zone, window or duration that cannot be.
    """
    question = await question_of(operation, input)
    if question is None:
        return None
    tools = operation.tools
    try:
        found = await read_availability(
            question, look=tools.look, clock=tools.clock, policy=tools.policy, memory=operation.memory
        )
    except NotFound:
        return None
    if found.known is not None:
        operation.sources.used(partial(operation.memory.still, found.known), found.true_until)
    return Availability.of(found)


def _moving(operation: Operation, token: str) -> BookingId:
    booking_id = operation.tools.links.booking_of(token)
    if booking_id is None:
        raise refused("`rescheduleToken` is no manage token.", "TOKEN_INVALID")
    return booking_id


@strawberry.type(description="Queries about availability.")
class AvailabilityQueries:
    """Part of the schema's queries."""

    @strawberry.field(
        description="Public. One window of bookable time; null when there is no such page. Reading never waits for a "
        "calendar's provider. A zone, window or duration that cannot be fails with `BAD_USER_INPUT` and a `reason`."
    )
    async def availability(
        self,
        info: Info,
        input: Annotated[AvailabilityInput, strawberry.argument(description="Which page, days and zone.")],
    ) -> Availability | None:
        operation = info.context
        await operation.count_by_address(operation.options.rates.availability, "availability")
        return await availability_of(operation, input)


@strawberry.type(description="Subscriptions to availability.")
class AvailabilitySubscriptions:
    """Part of the schema's subscriptions."""

    @strawberry.subscription(
        description="Public. First a snapshot, or what changed since `after`; then every change of the window, also "
        "those the clock makes. Ends when the page is gone. An unknown page fails with the reason `PAGE_NOT_FOUND`."
    )
    async def availability_changed(
        self,
        info: Info,
        input: Annotated[AvailabilityInput, strawberry.argument(description="Which page, days and zone.")],
        after: Annotated[
            str | None, strawberry.argument(description="The last cursor seen, from a query or an event.")
        ] = None,
    ) -> AsyncGenerator[AvailabilityEvent, None]:
        operation = info.context
        await operation.count_by_address(operation.options.rates.availability, "availability")
        question = await question_of(operation, input)
        if question is None:
            raise refused("There is no page at this address.", "PAGE_NOT_FOUND")
        async with closed_after(operation.connection.product.watch.watch(question, after)) as events:
            async for event in events:
                operation.forget_loaded()
                operation.watched = event.availability
                yield told(event)


def told(event: Snapshot | Delta) -> AvailabilitySnapshot | AvailabilityDelta:
    """An event as the schema has it."""
    if isinstance(event, Snapshot):
        return AvailabilitySnapshot(cursor=event.cursor, availability=Availability.of(event.availability))
    return AvailabilityDelta(
        cursor=event.cursor,
        days=Days(event.availability, event.changed),  # type: ignore[arg-type]  # a list for the executor
        emptied_dates=list(event.emptied),
        mode=event.mode,
        found=event.availability,
    )
