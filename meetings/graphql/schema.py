"""The whole schema. Importing it does no I/O."""

import asyncio
from functools import partial
from importlib.metadata import version
from typing import Annotated

import strawberry
from strawberry.schema.config import StrawberryConfig

from meetings.domain.base import NotFound
from meetings.domain.identifiers import (
    BookingId,
    ConnectionId,
    EmailId,
    EmailThreadId,
    EngagementId,
    EnrollmentId,
    MailboxId,
    PageId,
    SequenceId,
    UserId,
)
from meetings.domain.timespan import at_minute, ceil_minute
from meetings.graphql.account_settings import AccountMutations
from meetings.graphql.administration import AdministrationMutations
from meetings.graphql.availability import AvailabilityQueries, AvailabilitySubscriptions
from meetings.graphql.available_times import AvailableTimesMutations
from meetings.graphql.booking_events import BookingSubscriptions
from meetings.graphql.booking_mutations import BookingMutations
from meetings.graphql.bookings import Booking, ManagedBooking
from meetings.graphql.calendars import CalendarConnection, CalendarMutations
from meetings.graphql.chat import ChatMutations, ChatQueries
from meetings.graphql.connection_events import ConnectionSubscriptions
from meetings.graphql.context import Info, Operation
from meetings.graphql.crm import Contact, MeetingEngagement, engagement_by_key, outside_node, visible_booking
from meetings.graphql.crm_connection import CrmConnectionMutations
from meetings.graphql.crm_mutations import CrmMutations
from meetings.graphql.domains import DomainMutations
from meetings.graphql.email_events import EmailSubscriptions
from meetings.graphql.email_templates import EmailTemplateMutations
from meetings.graphql.emails import EmailMessage, EmailMutations, EmailThread
from meetings.graphql.enums import Provider
from meetings.graphql.errors import ERROR_TYPES
from meetings.graphql.exchange import ExchangeMutations
from meetings.graphql.executing import Api, CheckedDocument, TimeLimit
from meetings.graphql.inbox import InboxConnection, InboxMutations
from meetings.graphql.leaf_lists import LeafListExecutor
from meetings.graphql.meeting_links import MeetingLinkMutations
from meetings.graphql.messages import LANGUAGES
from meetings.graphql.node_ids import Kind, parse_id
from meetings.graphql.nodes import Node
from meetings.graphql.page_address import PageArgument, linked, pointer_to
from meetings.graphql.paging import MAX_PAGE
from meetings.graphql.people import Account, User
from meetings.graphql.plans import SeatMutations
from meetings.graphql.privacy import PrivacyMutations
from meetings.graphql.public_pages import PublicSchedulingPage
from meetings.graphql.scalars import SCALARS, Locale, refused
from meetings.graphql.scheduling_pages import PageMutations, SchedulingPage
from meetings.graphql.sequences import Sequence, SequenceEnrollment, SequenceMutations
from meetings.graphql.settings import SettingsMutations
from meetings.graphql.sign_in import SignInMutations
from meetings.graphql.team_channels import TeamChannel, TeamChannelMutations, team_channels_of
from meetings.graphql.viewer import Viewer


@strawberry.type(description="What this server is.")
class ServerInfo:
    """The same for everybody."""

    version: str = strawberry.field(description="The product's version.")
    locales: list[Locale] = strawberry.field(description="Languages it writes messages in.")
    providers: list[Provider] = strawberry.field(description="Calendars that can be connected here.")
    captcha_site_key: str | None = strawberry.field(
        description="What scripts need to show the captcha that pages can ask for; null where none is set up."
    )


@strawberry.type(description="Questions. They change nothing.")
class Query(AvailabilityQueries, ChatQueries):
    """The roots of all reading."""

    @strawberry.field(description="Any object by its id; null when there is none, or none for the caller.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]
    ) -> Node | None:
        return await _node(info.context, id)

    @strawberry.field(description="Several objects by their ids, in the same order; null for those there are not.")
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 ids.")]
    ) -> list[Node | None]:
        if len(ids) > MAX_PAGE:
            raise refused(f"At most {MAX_PAGE} ids at once.")
        return list(await asyncio.gather(*(_node(info.context, each) for each in ids)))

    @strawberry.field(description="The signed-in person; null for an anonymous request. Everything private is below.")
    async def viewer(self, info: Info) -> Viewer | None:
        operation = info.context
        if operation.caller is None:
            return None
        operation.signed_in_to_read()
        user = await operation.viewer()
        return Viewer.of(user) if user else None

    @strawberry.field(description="Public. A page people book on; null when nothing bookable lives at that address.")
    async def public_scheduling_page(self, info: Info, at: PageArgument) -> PublicSchedulingPage | None:
        operation = info.context
        pointer = await pointer_to(operation, at)
        if pointer is None:
            return None
        now = operation.tools.clock()
        try:
            known = await operation.memory.page(pointer, now)
        except NotFound:
            return None
        link = await linked(operation, pointer)
        operation.sources.used(partial(operation.memory.still, known), at_minute(ceil_minute(now)))
        return PublicSchedulingPage.of(known.state, known.account, operation, now, link)

    @strawberry.field(
        description="Public. The invitee's view of a booking, behind the unguessable token of the manage link; null "
        "for any other text."
    )
    async def booking_by_token(
        self, info: Info, token: Annotated[str, strawberry.argument(description="The token of the manage link.")]
    ) -> ManagedBooking | None:
        operation = info.context
        booking_id = operation.tools.links.booking_of(token)
        account_id = await operation.tools.reads.account_of_booking(booking_id) if booking_id else None
        if booking_id is None or account_id is None:
            return None
        booking = await operation.loaders(account_id).bookings.load(booking_id)
        return ManagedBooking.of(booking, operation) if booking else None

    @strawberry.field(description="Public. What this server is.")
    def server(self, info: Info) -> ServerInfo:
        captcha = info.context.tools.captcha
        return ServerInfo(
            version=version("meetings"),
            locales=[Locale(language) for language in LANGUAGES],
            providers=list(info.context.tools.providers),
            captcha_site_key=captcha.site_key if captcha else None,
        )


@strawberry.type(description="Changes. Each is all or nothing: when its `errors` is not empty, nothing was written.")
class Mutation(
    SignInMutations,
    SettingsMutations,
    ChatMutations,
    AccountMutations,
    AdministrationMutations,
    SeatMutations,
    PrivacyMutations,
    EmailMutations,
    EmailTemplateMutations,
    AvailableTimesMutations,
    SequenceMutations,
    MeetingLinkMutations,
    DomainMutations,
    CalendarMutations,
    ExchangeMutations,
    InboxMutations,
    TeamChannelMutations,
    PageMutations,
    BookingMutations,
    CrmMutations,
    CrmConnectionMutations,
):
    """The roots of all changing."""


@strawberry.type(description="What happens, live: over WebSocket (`graphql-transport-ws`) or as a multipart answer.")
class Subscription(AvailabilitySubscriptions, BookingSubscriptions, ConnectionSubscriptions, EmailSubscriptions):
    """The roots of all watching."""


async def _node(operation: Operation, given: str) -> Node | None:
    """What an id names, if the caller may see it. Public things have addresses and tokens instead of ids."""
    caller, found = operation.caller, parse_id(given)
    if caller is None:
        return None
    operation.signed_in_to_read()
    if found is None:
        return await outside_node(operation, given)
    kind, own = found
    loaders = operation.loaders(caller.account_id)
    match kind:
        case Kind.ACCOUNT:
            account = await loaders.account()
            return Account.of(account) if account and account.id == own else None
        case Kind.USER:
            user = await loaders.users.load(UserId(own))
            return User.of(user) if user else None
        case Kind.PAGE:
            page = await loaders.pages.load(PageId(own))
            return SchedulingPage.of(page, operation) if page else None
        case Kind.CONNECTION:
            connection = await loaders.connections.load(ConnectionId(own))
            own_one = connection is not None and connection.user_id == caller.user_id
            return CalendarConnection.of(connection) if connection and own_one else None
        case Kind.INBOX:
            async with operation.tools.look(caller.account_id) as work:
                own_ones = {mailbox.id: mailbox for mailbox in await work.mailboxes.of_user(caller.user_id)}
            mailbox = own_ones.get(MailboxId(own))
            return InboxConnection.of(mailbox) if mailbox else None
        case Kind.TEAM_CHANNEL:
            channels = {channel.id: channel for channel in await team_channels_of(operation, caller.account_id)}
            return channels.get(strawberry.ID(given))
        case Kind.EMAIL:
            mails = await operation.tools.email_reads.emails_by_id(caller.account_id, [EmailId(own)])
            mine = [mail for mail in mails.values() if mail.user_id == caller.user_id]
            return EmailMessage.of(mine[0]) if mine else None
        case Kind.EMAIL_THREAD:
            threads = await operation.tools.email_reads.threads_by_id(caller.account_id, [EmailThreadId(own)])
            shown = [thread for thread in threads.values() if thread.user_id == caller.user_id]
            return EmailThread.of(shown[0]) if shown else None
        case Kind.SEQUENCE:
            sequences = await operation.tools.sequence_reads.sequences_by_id(caller.account_id, [SequenceId(own)])
            of_caller = [each for each in sequences.values() if each.owner == caller.user_id]
            return Sequence.of(of_caller[0]) if of_caller else None
        case Kind.ENROLLMENT:
            enrolled = await operation.tools.sequence_reads.enrollments_by_id(caller.account_id, [EnrollmentId(own)])
            of_theirs = [each for each in enrolled.values() if each.user_id == caller.user_id]
            return SequenceEnrollment.of(of_theirs[0]) if of_theirs else None
        case Kind.BOOKING:
            return await visible_booking(operation, BookingId(own))
        case Kind.ENGAGEMENT:
            return await engagement_by_key(operation, EngagementId(own))
    return None


schema = Api(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        *ERROR_TYPES,
        Account,
        Sequence,
        SequenceEnrollment,
        User,
        SchedulingPage,
        Booking,
        CalendarConnection,
        InboxConnection,
        TeamChannel,
        Contact,
        MeetingEngagement,
    ],
    extensions=[CheckedDocument, TimeLimit],
    execution_context_class=LeafListExecutor,
    config=StrawberryConfig(scalar_map=SCALARS),
)


def printed_schema() -> str:
    """The schema as `schema.graphql` holds it."""
    return f"{schema}\n"
