"""Free times to be put into a mail."""

import datetime
from typing import Annotated

import strawberry

from meetings.application.available_times import OfferTimes, available_times
from meetings.domain.base import NotFound
from meetings.domain.identifiers import PageId
from meetings.graphql.context import Info
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, UserError, mutation
from meetings.graphql.node_ids import Kind, from_id
from meetings.graphql.scalars import URL, TimeZone
from meetings.graphql.slots import Slot


@strawberry.type(description="A free time, and where it is booked.")
class OfferedTime:
    """Nothing is held."""

    slot: Slot = strawberry.field(description="The time.")
    url: URL = strawberry.field(description="The page with this time chosen; if it was taken meanwhile, with others.")


@strawberry.type(description="Free times for a mail, in the page's language.")
class AvailableTimes:
    """Without any free time, `html` and `text` are a plain link to the page."""

    times: list[OfferedTime] = strawberry.field(description="The times, by start.")
    html: str = strawberry.field(description="To be inserted into an HTML mail.")
    text: str = strawberry.field(description="The same for a mail in plain text.")


@strawberry.type(description="Free times for a mail.")
class InsertAvailableTimesPayload:
    """Either times or errors."""

    available_times: AvailableTimes | None = strawberry.field(default=None, description="The times.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why there are none.")


@strawberry.type(description="Mutations of free times in mails.")
class AvailableTimesMutations:
    """Part of the schema's mutations."""

    @mutation(
        InsertAvailableTimesPayload,
        Access.SIGNED_IN,
        "Some free times of a page of the account, spread over the days, as HTML and plain text to be put into a mail. "
        "Each leads to the page with that time chosen. Nothing is held or stored. Not for pages of hosts whose "
        "calendar cannot do this: share the page's plain link instead.",
        Code.PAGE_NOT_FOUND,
        Code.VALIDATION,
        Code.DURATION_NOT_OFFERED,
        Code.BOOKING_BLOCKED,
        Code.CAPABILITY_UNSUPPORTED,
    )
    async def insert_available_times(
        self,
        info: Info,
        page_id: Annotated[strawberry.ID, strawberry.argument(description="Which page.")],
        from_: Annotated[datetime.date, strawberry.argument(name="from", description="The first day.")],
        to: Annotated[datetime.date, strawberry.argument(description="The last day, at most 62 days in all.")],
        time_zone: Annotated[TimeZone, strawberry.argument(description="The reader's zone: times are told in it.")],
        count: Annotated[int, strawberry.argument(description="At most how many times, 1 to 20.")] = 6,
        duration_minutes: Annotated[
            int | None, strawberry.argument(description="How long to meet; left out, the page's default.")
        ] = None,
    ) -> InsertAvailableTimesPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        page = await operation.loaders(caller.account_id).pages.load(PageId(from_id(Kind.PAGE, page_id)))
        if page is None:
            raise NotFound("page", ("pageId",))
        offered = await available_times(
            OfferTimes(page.id, from_, to, time_zone, count, duration_minutes),
            await operation.loaders(caller.account_id).url_of(page, tools.links),
            caller=caller,
            look=tools.look,
            links=tools.links,
            clock=tools.clock,
            policy=tools.policy,
        )
        times = [OfferedTime(slot=Slot.of(time.slot), url=URL(time.url)) for time in offered.times]
        return InsertAvailableTimesPayload(
            available_times=AvailableTimes(times=times, html=offered.html, text=offered.text)
        )
