"""The signed-in person: everything private hangs below."""

import datetime
from typing import Annotated

import strawberry

from meetings.domain import user as domain
from meetings.domain.account import MailServerKind
from meetings.domain.base import PermissionMissing
from meetings.domain.identifiers import AccountId, UserId
from meetings.graphql.account_settings import ExchangeNetwork, ExchangePreset, exchange_preset_of
from meetings.graphql.booking_lists import BookingFilter
from meetings.graphql.bookings import BookingConnection, booking_connection
from meetings.graphql.calendars import CalendarConnection, ConnectableCalendar, Disclosure
from meetings.graphql.chat import ChatProfile
from meetings.graphql.context import Info
from meetings.graphql.crm import Contact, ContactConnection, contact_by_id, contact_connection
from meetings.graphql.crm_connection import HubSpotConnection, hubspot_connection
from meetings.graphql.domains import Domain, MeetingDomain, meeting_domains
from meetings.graphql.emails import (
    EmailLogging,
    EmailMessageConnection,
    EmailThreadConnection,
    emails_in,
    threads_of,
)
from meetings.graphql.enums import (
    AccountUse,
    BookingState,
    ConnectionStatus,
    EmailStatus,
    EnrollmentStatus,
    Feature,
    InboxProvider,
    PageType,
    Provider,
    Role,
    TeamMailProvider,
)
from meetings.graphql.inbox import ConnectableInbox, InboxConnection, InboxDisclosure, inboxes_of
from meetings.graphql.node_ids import Kind, OutsideKind, from_id, from_outside_id
from meetings.graphql.paging import AFTER, DEFAULT_PAGE, FIRST, check_first, page_info
from meetings.graphql.people import Account, User, ViewerSettings
from meetings.graphql.scheduling_pages import SchedulingPage, SchedulingPageConnection, SchedulingPageEdge
from meetings.graphql.sequences import Sequence, SequenceEnrollmentConnection, enrollments_of, sequences_of
from meetings.graphql.sign_in import ApiToken
from meetings.graphql.team_channels import TeamChannel, team_channels_of, team_mail_providers


@strawberry.type(description="The signed-in person, and everything they may see.")
class Viewer:
    """Null for an anonymous request."""

    user: User = strawberry.field(description="Who they are, as colleagues see them.")
    role: Role = strawberry.field(description="What they may do in the account.")
    settings: ViewerSettings = strawberry.field(description="What they set for themselves.")
    meeting_url: str | None = strawberry.field(
        description="What addresses of pages they create begin with; null until the first one. Changed by "
        "`updateMeetingUrl`."
    )
    own: strawberry.Private[domain.User]

    @strawberry.field(description="What they may use of what not every account has.")
    async def features(self, info: Info) -> list[Feature]:
        account = await info.context.loaders(self.own.account_id).account()
        return list(account.plan.features(self.own.id, info.context.tools.policy.plans)) if account else []

    @strawberry.field(description="The hosts that addresses of their pages can be under.")
    async def meeting_domains(self, info: Info) -> list[MeetingDomain]:
        return await meeting_domains(self.own, info.context)

    @strawberry.field(description="For owners and admins: the account's own domains and claims, oldest first.")
    async def domains(self, info: Info) -> list[Domain] | None:
        self.own.check_administers()
        return [Domain.of(claim) for claim in await info.context.loaders(AccountId(self.own.account_id)).web_domains()]

    @strawberry.field(
        description="For owners and admins: the connection to HubSpot; null while the account's customer records are "
        "built in."
    )
    async def hub_spot_connection(self, info: Info) -> HubSpotConnection | None:
        self.own.check_administers()
        return await hubspot_connection(info.context)

    @strawberry.field(
        description="Whether HubSpot can be connected by signing in there, with `startHubSpotConnection`; "
        "`connectHubSpot` with a private app's token works in any case."
    )
    def hub_spot_sign_in_offered(self, info: Info) -> bool:
        return info.context.tools.crm_sign_in is not None

    @strawberry.field(description="The organisation they belong to.")
    async def account(self, info: Info) -> Account | None:
        account = await info.context.loaders(self.own.account_id).account()
        return Account.of(account) if account else None

    @strawberry.field(description="The page that is meant where none is named: the chosen one, else the oldest.")
    async def default_scheduling_page(self, info: Info) -> SchedulingPage | None:
        loaders = info.context.loaders(self.own.account_id)
        default = await loaders.default_page_of(self.own.id)
        page = await loaders.pages.load(default) if default else None
        return SchedulingPage.of(page, info.context) if page else None

    @strawberry.field(description="How they appear beside a chat. Changed by `updateChatProfile`.")
    def chat_profile(self) -> ChatProfile:
        return ChatProfile.of(self.own)

    @strawberry.field(description="Their calendar accounts, at most one; also a disconnected one.")
    async def calendar_connections(self, info: Info) -> list[CalendarConnection]:
        connection = await info.context.loaders(self.own.account_id).connection_of.load(self.own.id)
        return [CalendarConnection.of(connection)] if connection else []

    @strawberry.field(
        description="What they must read and accept before a calendar of this kind is connected; null where calendars "
        "of this kind are not offered."
    )
    async def calendar_disclosure(
        self,
        info: Info,
        provider: Annotated[Provider, strawberry.argument(description="Whose calendars.")],
        uses: Annotated[
            list[AccountUse] | None,
            strawberry.argument(
                description="What the account is to be used for, as for `startCalendarConnection`; left out, for all."
            ),
        ] = None,
    ) -> Disclosure | None:
        offered = info.context.tools.providers.get(provider)
        connection = await info.context.loaders(self.own.account_id).connection_of.load(self.own.id)
        return Disclosure.of(offered, connection, None if uses is None else frozenset(uses)) if offered else None

    @strawberry.field(description="The kinds of calendars that can be connected here, with what to read before.")
    async def calendar_providers(self, info: Info) -> list[ConnectableCalendar]:
        connection = await info.context.loaders(self.own.account_id).connection_of.load(self.own.id)
        return [ConnectableCalendar.of(offered, connection) for offered in info.context.tools.providers.values()]

    @strawberry.field(
        description="The mailbox that mail of theirs leaves through: the first that works, else the first; null "
        "for none."
    )
    async def inbox(self, info: Info) -> InboxConnection | None:
        own = await inboxes_of(info.context, AccountId(self.own.account_id), self.own.id)
        working = [each for each in own if each.status is ConnectionStatus.ACTIVE]
        return next(iter(working or own), None)

    @strawberry.field(description="Their connected mailboxes, in the order in which they were connected.")
    async def inboxes(self, info: Info) -> list[InboxConnection]:
        return await inboxes_of(info.context, AccountId(self.own.account_id), self.own.id)

    @strawberry.field(description="The account's channels for mail of teams, oldest first.")
    async def team_channels(self, info: Info) -> list[TeamChannel]:
        return await team_channels_of(info.context, AccountId(self.own.account_id))

    @strawberry.field(description="Where mail of a team can be here; hosted mail always can.")
    def team_mail_providers(self, info: Info) -> list[TeamMailProvider]:
        return team_mail_providers(info.context)

    @strawberry.field(description="The kinds of mailboxes that can be connected here, with what to read before.")
    def inbox_providers(self, info: Info) -> list[ConnectableInbox]:
        return [ConnectableInbox.of(offer) for offer in info.context.tools.inbox_offers.values()]

    @strawberry.field(
        description="What they must read and accept before a mailbox of this kind is connected; null where mailboxes "
        "of this kind are not offered."
    )
    def inbox_disclosure(
        self, info: Info, provider: Annotated[InboxProvider, strawberry.argument(description="Whose mailbox.")]
    ) -> InboxDisclosure | None:
        offer = info.context.tools.inbox_offers.get(provider)
        return InboxDisclosure.of(offer) if offer else None

    @strawberry.field(
        description="From where this product calls Exchange servers; null where Exchange cannot be connected."
    )
    def exchange_network(self, info: Info) -> ExchangeNetwork | None:
        offered = info.context.tools.providers.get(Provider.EXCHANGE)
        return ExchangeNetwork.of(offered.login.static_ranges) if offered and offered.login else None

    @strawberry.field(
        description="What to fill in for an address when its mailbox is connected; null where nothing is preset."
    )
    async def exchange_preset(
        self, info: Info, email: Annotated[str, strawberry.argument(description="The mailbox's address.")]
    ) -> ExchangePreset | None:
        account = await info.context.loaders(self.own.account_id).account()
        preset = exchange_preset_of(account, email)
        return ExchangePreset.of(preset) if preset else None

    @strawberry.field(description="For owners and admins: all preset Exchange servers, the newest last.")
    async def exchange_presets(self, info: Info) -> list[ExchangePreset] | None:
        self.own.check_administers()
        account = await info.context.loaders(self.own.account_id).account()
        presets = account.mail_presets if account else ()
        return [ExchangePreset.of(preset) for preset in presets if preset.kind is MailServerKind.EXCHANGE]

    @strawberry.field(description="The account's pages, oldest first: everybody may see them, to share their links.")
    async def scheduling_pages(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        type: Annotated[PageType | None, strawberry.argument(description="Only pages of this type.")] = None,
        archived: Annotated[bool, strawberry.argument(description="Those taken down instead of those up.")] = False,
        organizer_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only pages of this person; left out, of all.")
        ] = None,
    ) -> SchedulingPageConnection | None:
        operation = info.context
        organizer = None if organizer_id is None else UserId(from_id(Kind.USER, organizer_id))
        found = await operation.tools.reads.pages(
            self.own.account_id,
            organizer=organizer,
            type=type,
            archived=archived,
            first=check_first(first),
            after=after,
        )
        edges = [
            SchedulingPageEdge(cursor=cursor, node=SchedulingPage.of(page, operation)) for cursor, page in found.items
        ]
        return SchedulingPageConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=page_info([edge.cursor for edge in edges], has_next=found.has_next, after=after),
            organizer=organizer,
            page_type=type,
            archived=archived,
        )

    @strawberry.field(description="Bookings they host, latest start first; owners and admins may ask for everybody's.")
    async def bookings(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        status: Annotated[
            list[BookingState] | None, strawberry.argument(description="Only those that stand like this.")
        ] = None,
        from_: Annotated[
            datetime.datetime | None,
            strawberry.argument(name="from", description="Only those that begin at or after this."),
        ] = None,
        to: Annotated[
            datetime.datetime | None, strawberry.argument(description="Only those that begin before this.")
        ] = None,
        everybody: Annotated[
            bool, strawberry.argument(description="Those of all hosts, for owners and admins.")
        ] = False,
    ) -> BookingConnection | None:
        if everybody and self.role is Role.MEMBER:
            raise PermissionMissing("see other people's bookings")
        filter = BookingFilter(
            self.own.account_id,
            host=None if everybody else self.own.id,
            states=status,
            start_from=from_,
            start_to=to,
        )
        return await booking_connection(info.context, filter, first, after)

    @strawberry.field(
        description="The account's contacts, newest first: everybody may see them. Null while the customer records "
        "cannot be reached."
    )
    async def contacts(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        query: Annotated[
            str | None,
            strawberry.argument(description="Only those whose name, address or company begins with these words."),
        ] = None,
    ) -> ContactConnection | None:
        return await contact_connection(info.context, AccountId(self.own.account_id), query, first, after)

    @strawberry.field(description="A contact by its id; null when there is none.")
    async def contact(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The contact's id.")]
    ) -> Contact | None:
        return await contact_by_id(info.context, from_outside_id(OutsideKind.CONTACT, id))

    @strawberry.field(description="Their conversations by mail, those with the newest mail first.")
    async def email_threads(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        contact_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only with this contact.")] = None,
        unread_only: Annotated[
            bool, strawberry.argument(description="Only those with something they have not seen.")
        ] = False,
    ) -> EmailThreadConnection | None:
        return await threads_of(
            info.context,
            AccountId(self.own.account_id),
            self.own.id,
            contact_id=contact_id,
            unread_only=unread_only,
            first=first,
            after=after,
        )

    @strawberry.field(description="Their mails that stand like this, the newest first: `UNCERTAIN` ones need a look.")
    async def emails(
        self,
        info: Info,
        status: Annotated[EmailStatus, strawberry.argument(description="What became of them.")],
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
    ) -> EmailMessageConnection | None:
        return await emails_in(info.context, AccountId(self.own.account_id), self.own.id, status, first, after)

    @strawberry.field(description="Their sequences of mails, oldest first.")
    async def sequences(
        self,
        info: Info,
        archived: Annotated[bool, strawberry.argument(description="Those that are archived instead.")] = False,
    ) -> list[Sequence]:
        return await sequences_of(info.context, AccountId(self.own.account_id), self.own.id, archived=archived)

    @strawberry.field(description="Who is in their sequences, those enrolled last first.")
    async def enrollments(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
        contact_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this contact.")] = None,
        status: Annotated[
            list[EnrollmentStatus] | None, strawberry.argument(description="Only those that stand like this.")
        ] = None,
    ) -> SequenceEnrollmentConnection | None:
        account_id = AccountId(self.own.account_id)
        return await enrollments_of(info.context, account_id, self.own.id, None, contact_id, status or [], first, after)

    @strawberry.field(description="Which mails of connected mailboxes are logged. Changed by `setEmailLogging`.")
    async def email_logging(self, info: Info) -> EmailLogging | None:
        account = await info.context.loaders(self.own.account_id).account()
        return EmailLogging.of(account.email_logging) if account else None

    @strawberry.field(description="Tokens of their programs, newest first.")
    async def api_tokens(self, info: Info) -> list[ApiToken]:
        tokens = await info.context.tools.identities.tokens(self.own.id, self.own.account_id)
        return [ApiToken.of(token) for token in tokens]

    @classmethod
    def of(cls, user: domain.User) -> "Viewer":
        return cls(
            user=User.of(user), role=user.role, settings=ViewerSettings.of(user), meeting_url=user.meeting_url, own=user
        )
