"""Bookings, as their hosts see them and as an invitee sees theirs."""

import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from meetings.domain import booking as domain
from meetings.domain import booking_form
from meetings.domain.booking_changes import is_changeable
from meetings.domain.identifiers import AccountId
from meetings.graphql.booking_lists import BookingFilter
from meetings.graphql.calendar_links import CalendarLinks
from meetings.graphql.context import Info, Operation
from meetings.graphql.enums import BookingChannel, BookingState, CancelledBy
from meetings.graphql.node_ids import Kind, to_id
from meetings.graphql.nodes import Node
from meetings.graphql.page_parts import MeetingLocation
from meetings.graphql.paging import PageInfo, check_first, page_info
from meetings.graphql.people import User
from meetings.graphql.public_pages import PublicSchedulingPage
from meetings.graphql.scalars import URL, EmailAddress, Locale, TimeZone

if TYPE_CHECKING:
    from meetings.graphql.crm import Contact, MeetingEngagement
    from meetings.graphql.scheduling_pages import SchedulingPage


@strawberry.type(description="Who booked.")
class Invitee:
    """As they wrote it."""

    name: str = strawberry.field(description="First and last name.")
    first_name: str = strawberry.field(description="First name.")
    last_name: str = strawberry.field(description="Last name.")
    email: EmailAddress = strawberry.field(description="Where they get mail.")
    time_zone: TimeZone = strawberry.field(description="The zone they booked in.")
    locale: Locale = strawberry.field(description="The language they are written to.")

    @classmethod
    def of(cls, invitee: domain.Invitee) -> "Invitee":
        return cls(
            name=invitee.name,
            first_name=invitee.first_name,
            last_name=invitee.last_name,
            email=EmailAddress(invitee.email),
            time_zone=TimeZone(invitee.time_zone),
            locale=Locale(invitee.locale),
        )


@strawberry.type(description="An answer to a question of the form.")
class Answer:
    """With the question as it was asked."""

    key: str = strawberry.field(description="The question's key.")
    label: str = strawberry.field(description="The question.")
    values: list[str] = strawberry.field(description="What was answered; several only where several could be chosen.")

    @classmethod
    def of(cls, answer: booking_form.Answer) -> "Answer":
        return cls(key=answer.key, label=answer.label, values=list(answer.values))


@strawberry.type(description="Something the invitee agreed to.")
class GivenConsent:
    """With the text as it stood."""

    key: str = strawberry.field(description="Which consent.")
    text_markdown: str = strawberry.field(description="What was agreed to.")
    given_at: datetime.datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, consent: booking_form.GivenConsent) -> "GivenConsent":
        return cls(key=consent.key, text_markdown=consent.text_markdown, given_at=consent.given_at)


@strawberry.type(description="How a meeting was called off, or a request declined.")
class Cancellation:
    """By whom, why, when."""

    by: CancelledBy = strawberry.field(description="Who called it off.")
    reason: str | None = strawberry.field(description="In their words.")
    at: datetime.datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, cancellation: domain.Cancellation) -> "Cancellation":
        return cls(by=cancellation.by, reason=cancellation.reason, at=cancellation.at)


@strawberry.type(description="A `utm_*` value of the link the visitor followed.")
class UtmTag:
    """Kept as it came."""

    key: str = strawberry.field(description="Such as `utm_source`.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="How the visitor came to the page.")
class BookingSource:
    """For the host's statistics."""

    channel: BookingChannel = strawberry.field(description="From where.")
    utm: list[UtmTag] = strawberry.field(description="What the link said about itself.")

    @classmethod
    def of(cls, source: domain.BookingSource) -> "BookingSource":
        return cls(channel=source.channel, utm=[UtmTag(key=tag.key, value=tag.value) for tag in source.utm])


@strawberry.type(description="A meeting somebody booked or asked for, as its hosts see it.")
class Booking(Node):
    """Invitees see a `ManagedBooking`."""

    status: BookingState = strawberry.field(description="How it stands.")
    title: str = strawberry.field(description="The title of the calendar event.")
    start: datetime.datetime = strawberry.field(description="When it begins; of a request, the preferred time.")
    end: datetime.datetime = strawberry.field(description="When it ends.")
    duration_minutes: int = strawberry.field(description="How long it lasts.")
    proposed_starts: list[datetime.datetime] = strawberry.field(
        description="The times the invitee proposed, the preferred one first; empty for what was booked at once."
    )
    is_offline: bool = strawberry.field(description="Whether it was asked for on a page without a calendar.")
    invitee: Invitee = strawberry.field(description="Who booked.")
    guests: list[EmailAddress] = strawberry.field(description="Whom they bring.")
    answers: list[Answer] = strawberry.field(description="What they answered, in the form's order.")
    consents: list[GivenConsent] = strawberry.field(description="What they agreed to.")
    message: str | None = strawberry.field(description="What they wrote to a request.")
    location: MeetingLocation = strawberry.field(description="Where one meets.")
    join_url: URL | None = strawberry.field(description="The video conference; null until there is one.")
    calendar_event_id: str | None = strawberry.field(description="The event's id at the provider; null without event.")
    calendar_event_url: URL | None = strawberry.field(description="The event in the host's calendar.")
    cancellation: Cancellation | None = strawberry.field(description="How it was called off or declined.")
    failure: str | None = strawberry.field(description="Why the calendar could not be written, of a failed one.")
    rescheduled_from: datetime.datetime | None = strawberry.field(description="When it began before the last move.")
    source: BookingSource = strawberry.field(description="How the visitor came to the page.")
    created_at: datetime.datetime = strawberry.field(description="When it was booked or asked for.")
    booking: strawberry.Private[domain.Booking]

    @strawberry.field(description="The page it was booked on.")
    async def page(
        self, info: Info
    ) -> Annotated["SchedulingPage", strawberry.lazy("meetings.graphql.scheduling_pages")] | None:
        from meetings.graphql.scheduling_pages import SchedulingPage

        page = await info.context.loaders(self.booking.account_id).pages.load(self.booking.page_id)
        return SchedulingPage.of(page, info.context) if page else None

    @strawberry.field(description="Whose calendar holds the event.")
    async def host(self, info: Info) -> User | None:
        user = await info.context.loaders(self.booking.account_id).users.load(self.booking.host)
        return User.of(user) if user else None

    @strawberry.field(description="Everybody the invitee meets.")
    async def hosts(self, info: Info) -> list[User]:
        users = await info.context.loaders(self.booking.account_id).users.load_many(list(self.booking.hosts))
        return [User.of(user) for user in users if user]

    @strawberry.field(description="Whoever booked, on record; null until they are.")
    async def contact(self, info: Info) -> Annotated["Contact", strawberry.lazy("meetings.graphql.crm")] | None:
        from meetings.graphql.crm import Contact

        account_id = AccountId(self.booking.account_id)
        contact = await info.context.loaders(account_id).contacts_by_email.load(self.booking.invitee.email)
        return Contact.of(contact, account_id) if contact else None

    @strawberry.field(
        description="The meeting on their record; null until it is there, and for what was only asked for."
    )
    async def engagement(
        self, info: Info
    ) -> Annotated["MeetingEngagement", strawberry.lazy("meetings.graphql.crm")] | None:
        from meetings.graphql.crm import MeetingEngagement

        account_id = AccountId(self.booking.account_id)
        recorded = await info.context.loaders(account_id).recorded_meetings.load(self.booking.id)
        return MeetingEngagement.of(recorded, account_id) if recorded else None

    @strawberry.field(description="Whether its host can call it off here.")
    async def can_cancel(self, info: Info) -> bool:
        return self.booking.state is BookingState.REQUESTED or await self._changeable(info, self.booking.end)

    @strawberry.field(description="Whether its host can move it here.")
    async def can_reschedule(self, info: Info) -> bool:
        return await self._changeable(info, self.booking.start)

    async def _changeable(self, info: Info, until: datetime.datetime) -> bool:
        in_time = self.booking.occupies and info.context.tools.clock() < until
        return in_time and await _allowed_by_calendar(self.booking, info.context)

    @classmethod
    def of(cls, booking: domain.Booking) -> "Booking":
        event = booking.event
        return cls(
            id=to_id(Kind.BOOKING, booking.id),
            status=booking.state,
            title=booking.title,
            start=booking.start,
            end=booking.end,
            duration_minutes=_minutes(booking),
            proposed_starts=list(booking.proposed),
            is_offline=bool(booking.proposed),
            invitee=Invitee.of(booking.invitee),
            guests=[EmailAddress(guest) for guest in booking.guests],
            answers=[Answer.of(answer) for answer in booking.answers],
            consents=[GivenConsent.of(consent) for consent in booking.consents],
            message=booking.message,
            location=MeetingLocation.of(booking.location),
            join_url=_url(event.join_url if event else None),
            calendar_event_id=event.event_id if event else None,
            calendar_event_url=_url(event.url if event else None),
            cancellation=Cancellation.of(booking.cancellation) if booking.cancellation else None,
            failure=booking.failure,
            rescheduled_from=booking.rescheduled_from,
            source=BookingSource.of(booking.source),
            created_at=booking.created_at,
            booking=booking,
        )


@strawberry.type(description="A booking as its invitee sees it, behind the unguessable token of the manage link.")
class ManagedBooking:
    """Names no ids, and nobody's address but the invitee's and those they wrote themselves."""

    status: BookingState = strawberry.field(description="How it stands. Only `CONFIRMED` is in the host's calendar.")
    is_offline: bool = strawberry.field(
        description="Whether it was asked for, not booked: nothing is fixed until then."
    )
    subject: str = strawberry.field(description="The title of the meeting.")
    start: datetime.datetime = strawberry.field(description="When it begins; of a request, the preferred time.")
    end: datetime.datetime = strawberry.field(description="When it ends.")
    duration_minutes: int = strawberry.field(description="How long it lasts.")
    time_zone: TimeZone = strawberry.field(description="The zone it was booked in.")
    proposed_starts: list[datetime.datetime] = strawberry.field(
        description="The times that were proposed, the preferred one first; empty for what was booked at once."
    )
    invitee: Invitee = strawberry.field(description="Who booked.")
    guests: list[EmailAddress] = strawberry.field(description="Whom they bring.")
    answers: list[Answer] = strawberry.field(description="What they answered, in the form's order.")
    consents: list[GivenConsent] = strawberry.field(description="What they agreed to.")
    location: MeetingLocation = strawberry.field(description="Where one meets.")
    join_url: URL | None = strawberry.field(description="The video conference; null until there is one.")
    calendar_event_id: str | None = strawberry.field(description="The event's id at the provider; null without event.")
    cancellation: Cancellation | None = strawberry.field(description="How it was called off or declined.")
    rescheduled_from: datetime.datetime | None = strawberry.field(description="When it began before the last move.")
    manage_url: URL = strawberry.field(description="Where it can be moved or cancelled; a secret of the invitee's.")
    manage_token: str = strawberry.field(description="The token in that address, for `BookingRef`.")
    calendar_links: CalendarLinks = strawberry.field(description="For the invitee's own calendar.")
    booking: strawberry.Private[domain.Booking]

    @strawberry.field(description="The page it was booked on; null once it is gone.")
    async def page(self, info: Info) -> PublicSchedulingPage | None:
        loaders = info.context.loaders(self.booking.account_id)
        page = await loaders.pages.load(self.booking.page_id)
        account = await loaders.account()
        if page is None or page.archived_at is not None or account is None:
            return None
        now = info.context.tools.clock()
        return PublicSchedulingPage.of(await loaders.page_state(page), account, info.context, now)

    @strawberry.field(description="Where the page sends the visitor after booking.")
    async def redirect_url(self, info: Info) -> URL | None:
        page = await info.context.loaders(self.booking.account_id).pages.load(self.booking.page_id)
        return _url(page.settings.redirect_url if page else None)

    @strawberry.field(description="Whether the invitee can cancel now.")
    async def can_cancel(self, info: Info) -> bool:
        return await self._cancellable_until(info) is not None

    @strawberry.field(description="Whether the invitee can move it now.")
    async def can_reschedule(self, info: Info) -> bool:
        return await self._changeable_until(info) is not None

    @strawberry.field(description="Until when the invitee can cancel; null when they cannot, or not any more.")
    async def can_cancel_until(self, info: Info) -> datetime.datetime | None:
        return await self._cancellable_until(info)

    async def _cancellable_until(self, info: Info) -> datetime.datetime | None:
        if self.booking.state is BookingState.REQUESTED:
            return self.booking.end
        return await self._changeable_until(info)

    @strawberry.field(description="Until when the invitee can move it; null when they cannot, or not any more.")
    async def can_reschedule_until(self, info: Info) -> datetime.datetime | None:
        return await self._changeable_until(info)

    async def _changeable_until(self, info: Info) -> datetime.datetime | None:
        page = await info.context.loaders(self.booking.account_id).pages.load(self.booking.page_id)
        if page is None or not self.booking.occupies or not await _allowed_by_calendar(self.booking, info.context):
            return None
        until = page.changeable_until(self.booking)
        return until if until > info.context.tools.clock() else None

    @classmethod
    def of(cls, booking: domain.Booking, operation: Operation) -> "ManagedBooking":
        links, event = operation.tools.links, booking.event
        return cls(
            status=booking.state,
            is_offline=bool(booking.proposed),
            subject=booking.title,
            start=booking.start,
            end=booking.end,
            duration_minutes=_minutes(booking),
            time_zone=TimeZone(booking.invitee.time_zone),
            proposed_starts=list(booking.proposed),
            invitee=Invitee.of(booking.invitee),
            guests=[EmailAddress(guest) for guest in booking.guests],
            answers=[Answer.of(answer) for answer in booking.answers],
            consents=[GivenConsent.of(consent) for consent in booking.consents],
            location=MeetingLocation.of(booking.location),
            join_url=_url(event.join_url if event else None),
            calendar_event_id=event.event_id if event else None,
            cancellation=Cancellation.of(booking.cancellation) if booking.cancellation else None,
            rescheduled_from=booking.rescheduled_from,
            manage_url=URL(links.manage(booking.id)),
            manage_token=links.manage_token(booking.id),
            calendar_links=CalendarLinks.of(booking, links),
            booking=booking,
        )


@strawberry.type(description="One booking in a list.")
class BookingEdge:
    """With where it stands."""

    cursor: str = strawberry.field(description="Give it to `after` to go on from here.")
    node: Booking = strawberry.field(description="The booking.")


@strawberry.type(description="A page of a list of bookings, latest start first.")
class BookingConnection:
    """Forward only."""

    edges: list[BookingEdge] = strawberry.field(description="The bookings with their cursors.")
    nodes: list[Booking] = strawberry.field(description="The bookings.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    filter: strawberry.Private[BookingFilter]

    @strawberry.field(description="How many there are in all.")
    async def total_count(self, info: Info) -> int | None:
        return await self.filter.count(info.context)


async def booking_connection(
    operation: Operation, filter: BookingFilter, first: int, after: str | None
) -> BookingConnection:
    """One page of the list. Raises `BadCursor`, and BAD_USER_INPUT for a size that cannot be."""
    found = await filter.slice(operation, check_first(first), after)
    edges = [BookingEdge(cursor=cursor, node=Booking.of(booking)) for cursor, booking in found.items]
    return BookingConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info([edge.cursor for edge in edges], has_next=found.has_next, after=after),
        filter=filter,
    )


async def _allowed_by_calendar(booking: domain.Booking, operation: Operation) -> bool:
    """Whether the host's calendar lets the meeting be changed from here (S94)."""
    connection = await operation.loaders(booking.account_id).connection_of.load(booking.host)
    return is_changeable(booking, connection)


def _minutes(booking: domain.Booking) -> int:
    return int(booking.slot.duration.total_seconds()) // 60


def _url(address: str | None) -> URL | None:
    return URL(address) if address else None
