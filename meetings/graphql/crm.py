"""Customer records: contacts, and on each a timeline of meetings and mails."""

import datetime
from collections.abc import Sequence
from typing import Annotated

import strawberry

from meetings.application.ports.crm import Contact as RecordedContact
from meetings.application.ports.crm import RecordedMail, RecordedMeeting, RecordPage
from meetings.application.ports.crm import TimelineEntry as RecordedEntry
from meetings.domain import engagement as domain
from meetings.domain.identifiers import AccountId, BookingId, EngagementId
from meetings.graphql.bookings import Booking
from meetings.graphql.context import Info, Operation
from meetings.graphql.enums import MailDirection, MeetingOutcome, MeetingSource, Role
from meetings.graphql.node_ids import Kind, OutsideKind, parse_outside_id, to_id, to_outside_id
from meetings.graphql.nodes import Node
from meetings.graphql.paging import AFTER, DEFAULT_PAGE, FIRST, PageInfo, check_first, page_info
from meetings.graphql.people import User
from meetings.graphql.scalars import URL, EmailAddress


@strawberry.type(description="One more thing the customer records know of a contact.")
class ContactProperty:
    """Filled in by a form's `contactProperty`."""

    name: str = strawberry.field(description="What the records call it, such as `phone`.")
    value: str = strawberry.field(description="What it says; several values are separated by `;`.")


@strawberry.type(description="A person on record, known by their address.")
class Contact(Node):
    """Everybody in the account may see it."""

    email: EmailAddress = strawberry.field(description="Where they get mail. Compared without regard to letter case.")
    name: str = strawberry.field(description="First and last name as far as known, else the address.")
    first_name: str | None = strawberry.field(description="First name.")
    last_name: str | None = strawberry.field(description="Last name.")
    company: str | None = strawberry.field(description="Where they work.")
    owner_email: EmailAddress | None = strawberry.field(description="The address of whoever looks after them.")
    properties: list[ContactProperty] = strawberry.field(description="What else is known, by name.")
    created_at: datetime.datetime = strawberry.field(description="Since when they are on record.")
    account_id: strawberry.Private[AccountId]
    contact: strawberry.Private[RecordedContact]

    @strawberry.field(description="Who looks after them; null for nobody, and for somebody who is not in the account.")
    async def owner(self, info: Info) -> User | None:
        if self.contact.owner is None:
            return None
        user = await info.context.loaders(self.account_id).users_by_email.load(self.contact.owner)
        return User.of(user) if user else None

    @strawberry.field(description="What happened with them, newest first; null while the records cannot be reached.")
    async def timeline(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
    ) -> "TimelineConnection | None":
        loaders = info.context.loaders(self.account_id)
        found: RecordPage[RecordedEntry] | None
        if after is None:
            found = await loaders.timeline_beginnings.load((self.contact.id, check_first(first)))
        else:
            crm = await loaders.crm()
            found = await crm.timeline(self.contact.id, first=check_first(first), after=after)
        return _timeline(found, self.account_id, after) if found else None

    @classmethod
    def of(cls, contact: RecordedContact, account_id: AccountId) -> "Contact":
        return cls(
            id=to_outside_id(OutsideKind.CONTACT, contact.id),
            email=EmailAddress(contact.email),
            name=contact.name,
            first_name=contact.first_name,
            last_name=contact.last_name,
            company=contact.company,
            owner_email=EmailAddress(contact.owner) if contact.owner else None,
            properties=[ContactProperty(name=name, value=value) for name, value in sorted(contact.properties.items())],
            created_at=contact.created_at,
            account_id=account_id,
            contact=contact,
        )


@strawberry.type(description="A meeting on the record of one or more contacts.")
class MeetingEngagement(Node):
    """Booked on a page, made on the record, found in a calendar, or put there in the customer records themselves."""

    title: str = strawberry.field(description="What it is called.")
    body: str | None = strawberry.field(description="What it is about.")
    location: str | None = strawberry.field(description="Where one meets.")
    join_url: URL | None = strawberry.field(description="The video conference.")
    start: datetime.datetime = strawberry.field(description="When it begins.")
    end: datetime.datetime = strawberry.field(description="When it ends.")
    outcome: MeetingOutcome = strawberry.field(description="What became of it.")
    source: MeetingSource | None = strawberry.field(
        description="Where it came from; null for one that was made in the customer records themselves."
    )
    activity_type: str | None = strawberry.field(description="What kind of meeting it is, such as the page's name.")
    account_id: strawberry.Private[AccountId]
    meeting: strawberry.Private[RecordedMeeting]

    @strawberry.field(description="The first of its contacts; null once none is on record any more.")
    async def contact(self, info: Info) -> Contact | None:
        found = await self._contacts(info, self.meeting.contacts[:1])
        return found[0] if found else None

    @strawberry.field(description="Everybody on record whom it is with.")
    async def contacts(self, info: Info) -> list[Contact] | None:
        return await self._contacts(info, self.meeting.contacts)

    async def _contacts(self, info: Info, ids: Sequence[str]) -> list[Contact]:
        found = await info.context.loaders(self.account_id).contacts.load_many(list(ids))
        return [Contact.of(contact, self.account_id) for contact in found if contact]

    @strawberry.field(description="The people of the account who hold it, the responsible one first.")
    async def owners(self, info: Info) -> list[User]:
        users = await info.context.loaders(self.account_id).users_by_email.load_many(list(self.meeting.owners))
        return [User.of(user) for user in users if user]

    @strawberry.field(
        description="The booking it stands for; null for any other meeting, and for a booking the caller may not see."
    )
    async def booking(self, info: Info) -> Booking | None:
        if self.meeting.key is None:
            return None
        return await visible_booking(info.context, BookingId(self.meeting.key))

    @strawberry.field(description="The event in the owner's calendar.")
    async def calendar_event_url(self, info: Info) -> URL | None:
        event = await self._event(info)
        return URL(event) if event else None

    async def _event(self, info: Info) -> str | None:
        engagement = await self._engagement(info)
        if engagement is not None:
            return engagement.event.url if engagement.event else None
        if self.meeting.key is None:
            return None
        booking = await visible_booking(info.context, BookingId(self.meeting.key))
        return booking.booking.event.url if booking and booking.booking.event else None

    @strawberry.field(
        description="Whether its contacts were invited by an event in the owner's calendar. False for one made on a "
        "record while calendar sync was off, no calendar was connected, or its provider cannot invite."
    )
    async def invitation_sent(self, info: Info) -> bool:
        engagement = await self._engagement(info)
        if engagement is not None:
            return engagement.invites and engagement.settled_at is not None
        return self.meeting.source in (MeetingSource.PAGE, MeetingSource.API)

    async def _engagement(self, info: Info) -> domain.MeetingEngagement | None:
        if self.meeting.key is None:
            return None
        return await info.context.loaders(self.account_id).engagements.load(EngagementId(self.meeting.key))

    @classmethod
    def of(cls, meeting: RecordedMeeting, account_id: AccountId) -> "MeetingEngagement":
        own = meeting.key
        return cls(
            id=to_outside_id(OutsideKind.MEETING, meeting.id) if own is None else to_id(Kind.ENGAGEMENT, own),
            title=meeting.title,
            body=meeting.body,
            location=meeting.location,
            join_url=URL(meeting.join_url) if meeting.join_url else None,
            start=meeting.start,
            end=meeting.end,
            outcome=meeting.outcome,
            source=meeting.source,
            activity_type=meeting.activity_type,
            account_id=account_id,
            meeting=meeting,
        )


@strawberry.type(description="A mail on the record of one or more contacts.")
class LoggedEmail:
    """As it stands there: a mail never changes."""

    id: strawberry.ID = strawberry.field(description="Opaque.")
    direction: MailDirection = strawberry.field(description="Whether we wrote it or got it.")
    from_: EmailAddress = strawberry.field(name="from", description="Who wrote it.")
    to: list[EmailAddress] = strawberry.field(description="Whom it went to.")
    subject: str = strawberry.field(description="Its subject.")
    text: str = strawberry.field(description="What it says, without what it quotes.")
    sent_at: datetime.datetime = strawberry.field(description="When it was sent.")
    account_id: strawberry.Private[AccountId]
    mail: strawberry.Private[RecordedMail]

    @strawberry.field(description="Whose mail it is, of the people of the account.")
    async def owner(self, info: Info) -> User | None:
        if self.mail.owner is None:
            return None
        user = await info.context.loaders(self.account_id).users_by_email.load(self.mail.owner)
        return User.of(user) if user else None

    @classmethod
    def of(cls, mail: RecordedMail, account_id: AccountId) -> "LoggedEmail":
        return cls(
            id=to_outside_id(OutsideKind.MAIL, mail.id),
            direction=mail.direction,
            from_=EmailAddress(mail.sender),
            to=[EmailAddress(recipient) for recipient in mail.recipients],
            subject=mail.subject,
            text=mail.text,
            sent_at=mail.sent_at,
            account_id=account_id,
            mail=mail,
        )


TimelineEntry = Annotated[
    MeetingEngagement | LoggedEmail,
    strawberry.union("TimelineEntry", description="Something that happened with a contact."),
]


@strawberry.type(description="One entry of a timeline.")
class TimelineEdge:
    """With where it stands."""

    cursor: str = strawberry.field(description="Give it to `after` to go on from here.")
    node: TimelineEntry = strawberry.field(description="The meeting or mail.")


@strawberry.type(
    description="A page of a timeline, newest first: meetings by their start, mails by when they were sent."
)
class TimelineConnection:
    """Forward only."""

    edges: list[TimelineEdge] = strawberry.field(description="The entries with their cursors.")
    nodes: list[TimelineEntry] = strawberry.field(description="The entries.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int | None = strawberry.field(description="How many there are in all, where the records tell.")


@strawberry.type(description="One contact in a list.")
class ContactEdge:
    """With where it stands."""

    cursor: str = strawberry.field(description="Give it to `after` to go on from here.")
    node: Contact = strawberry.field(description="The contact.")


@strawberry.type(description="A page of a list of contacts, newest first.")
class ContactConnection:
    """Forward only."""

    edges: list[ContactEdge] = strawberry.field(description="The contacts with their cursors.")
    nodes: list[Contact] = strawberry.field(description="The contacts.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int | None = strawberry.field(description="How many there are in all, where the records tell.")


async def contact_connection(
    operation: Operation, account_id: AccountId, query: str | None, first: int, after: str | None
) -> ContactConnection:
    """One page of the contacts that `query` finds. Raises `BadCursor`, `ProviderError`, and BAD_USER_INPUT for a size
    that cannot be."""
    crm = await operation.loaders(account_id).crm()
    found = await crm.contacts(query, first=check_first(first), after=after)
    edges = [
        ContactEdge(cursor=cursor, node=Contact.of(contact, account_id))
        for cursor, contact in zip(found.cursors, found.items, strict=True)
    ]
    return ContactConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info([edge.cursor for edge in edges], has_next=found.has_more, after=after),
        total_count=found.total,
    )


def _timeline(found: RecordPage[RecordedEntry], account_id: AccountId, after: str | None) -> TimelineConnection:
    edges = [
        TimelineEdge(cursor=cursor, node=_entry(entry, account_id))
        for cursor, entry in zip(found.cursors, found.items, strict=True)
    ]
    return TimelineConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info([edge.cursor for edge in edges], has_next=found.has_more, after=after),
        total_count=found.total,
    )


def _entry(entry: RecordedEntry, account_id: AccountId) -> MeetingEngagement | LoggedEmail:
    if isinstance(entry, RecordedMail):
        return LoggedEmail.of(entry, account_id)
    return MeetingEngagement.of(entry, account_id)


async def contact_by_id(operation: Operation, contact: str) -> Contact | None:
    """A contact of the caller's account."""
    account_id = operation.signed_in().account_id
    found = await operation.loaders(account_id).contacts.load(contact) if contact else None
    return Contact.of(found, account_id) if found else None


async def engagement_by_key(operation: Operation, key: EngagementId) -> MeetingEngagement | None:
    """A meeting on record, by our own id: one that was made there or found in a calendar, else one that was booked."""
    account_id = operation.signed_in().account_id
    loaders = operation.loaders(account_id)
    engagement = await loaders.engagements.load(key)
    if engagement is not None:
        return await of_engagement(operation, engagement)
    recorded = await loaders.recorded_meetings.load(key)
    return MeetingEngagement.of(recorded, account_id) if recorded else None


async def outside_node(operation: Operation, given: str) -> Contact | MeetingEngagement | None:
    """What an id of the records' own names: a contact, or a meeting that was made there."""
    kind, own = parse_outside_id(given) or (None, "")
    if kind is OutsideKind.CONTACT:
        return await contact_by_id(operation, own)
    if kind is not OutsideKind.MEETING:
        return None
    account_id = operation.signed_in().account_id
    found = (await (await operation.loaders(account_id).crm()).meetings_by_id([own])).get(own)
    return MeetingEngagement.of(found, account_id) if found and found.key is None else None


async def of_engagement(operation: Operation, engagement: domain.MeetingEngagement) -> MeetingEngagement:
    """A meeting as we have it ourselves, also before the records have it."""
    account_id = AccountId(engagement.account_id)
    loaders = operation.loaders(account_id)
    owners = await loaders.users.load_many(list(engagement.owners))
    contacts = await loaders.contacts_by_email.load_many(list(engagement.contacts))
    recorded = RecordedMeeting(
        id=engagement.id.hex,
        key=engagement.id,
        contacts=tuple(contact.id for contact in contacts if contact),
        owners=tuple(owner.email for owner in owners if owner),
        title=engagement.text.title,
        body=engagement.text.body,
        start=engagement.start,
        end=engagement.end,
        outcome=engagement.outcome,
        source=engagement.source,
        location=engagement.text.location,
        join_url=engagement.event.join_url if engagement.event else None,
    )
    return MeetingEngagement.of(recorded, account_id)


async def visible_booking(operation: Operation, booking_id: BookingId) -> Booking | None:
    """A booking the caller hosts, or anybody's for owners and admins."""
    caller = operation.signed_in()
    booking = await operation.loaders(caller.account_id).bookings.load(booking_id)
    if booking is None:
        return None
    viewer = await operation.viewer()
    may_see = caller.user_id in booking.hosts or (viewer is not None and viewer.role is not Role.MEMBER)
    return Booking.of(booking) if may_see else None
