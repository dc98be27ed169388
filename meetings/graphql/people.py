"""Accounts and the people in them."""

from typing import Annotated

import strawberry

from meetings.application.chat_profile import widget_key
from meetings.domain import account as domain_account
from meetings.domain import user as domain_user
from meetings.domain.calendar_connection import Capability, Grant
from meetings.domain.identifiers import AccountId, UserId
from meetings.graphql.audit_log import AuditEntryConnection, audit_log_of
from meetings.graphql.availability_rules import AvailabilityRules
from meetings.graphql.context import Info
from meetings.graphql.enums import Hub, Permission, Role, UserState, Weekday
from meetings.graphql.node_ids import Kind, to_id
from meetings.graphql.nodes import Node
from meetings.graphql.paging import AFTER, DEFAULT_PAGE, FIRST, PageInfo, check_first, page_info
from meetings.graphql.plans import Plan
from meetings.graphql.scalars import URL, EmailAddress, Locale, TimeZone


@strawberry.type(description="An organisation. Everything belongs to exactly one; nothing of it is visible to another.")
class Account(Node):
    """Shown to its people only."""

    name: str = strawberry.field(description="What it is called.")
    exchange_full_sync: bool = strawberry.field(
        description="Whether booked meetings can be moved and cancelled, and CRM meetings synchronized, on Exchange "
        "calendars too. Set by `setExchangeFullSync`."
    )
    internal_domains: list[str] = strawberry.field(
        description="Mail domains that are its own beside those of its people, sorted: who has an address there is no "
        "contact when calendars are looked through for meetings with contacts. Set by `setInternalDomains`."
    )
    stored: strawberry.Private[domain_account.Account]

    @strawberry.field(description="What it subscribes to.")
    def plan(self, info: Info) -> Plan:
        return Plan.of(self.stored.plan, info.context.tools.policy.plans)

    @strawberry.field(
        description="What web sites name it by when they ask `chatMeetingLink`. Always the same, and no secret."
    )
    def widget_key(self) -> str:
        return widget_key(self.stored.id)

    @strawberry.field(description="Everybody in it, also who was invited or deactivated, in the order they came.")
    async def users(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
    ) -> "UserConnection | None":
        found = await info.context.tools.reads.people(self.stored.account_id, first=check_first(first), after=after)
        edges = [UserEdge(cursor=cursor, node=User.of(user)) for cursor, user in found.items]
        return UserConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=page_info([edge.cursor for edge in edges], has_next=found.has_next, after=after),
        )

    @strawberry.field(
        description="For owners: what happened, newest first, with who did it and when. That somebody looked is an "
        "entry as well."
    )
    async def audit_log(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
    ) -> AuditEntryConnection | None:
        return await audit_log_of(info.context, first, after)

    @classmethod
    def of(cls, account: domain_account.Account) -> "Account":
        return cls(
            id=to_id(Kind.ACCOUNT, account.id),
            name=account.name,
            exchange_full_sync=account.exchange_full_sync,
            internal_domains=list(account.internal_domains),
            stored=account,
        )


@strawberry.type(description="A person of the account, as colleagues see them.")
class User(Node):
    """Never shown to visitors: they see a `PublicHost`."""

    name: str = strawberry.field(description="First and last name.")
    email: EmailAddress = strawberry.field(description="Where they sign in and get mail.")
    avatar_url: URL | None = strawberry.field(description="Their picture.")
    time_zone: TimeZone = strawberry.field(description="The zone they work in.")
    locale: Locale = strawberry.field(description="The language they are written to.")
    role: Role = strawberry.field(description="What they may do for others.")
    state: UserState = strawberry.field(description="Whether they can sign in.")
    permissions: list[Permission] = strawberry.field(description="What they may, one by one.")
    account_id: strawberry.Private[AccountId]
    user_id: strawberry.Private[UserId]

    @strawberry.field(description="The hubs they have a seat of.")
    async def seats(self, info: Info) -> list[Hub]:
        account = await info.context.loaders(self.account_id).account()
        return list(account.plan.seats_of(self.user_id)) if account else []

    @classmethod
    def of(cls, user: domain_user.User) -> "User":
        return cls(
            id=to_id(Kind.USER, user.id),
            name=user.name,
            email=EmailAddress(user.email),
            avatar_url=URL(user.avatar_url) if user.avatar_url else None,
            time_zone=TimeZone(user.settings.time_zone),
            locale=Locale(user.settings.locale),
            role=user.role,
            state=user.state,
            permissions=sorted(user.granted, key=list(Permission).index),
            account_id=user.account_id,
            user_id=user.id,
        )


@strawberry.type(description="One person in a list.")
class UserEdge:
    """With where they stand."""

    cursor: str = strawberry.field(description="Give it to `after` to go on from here.")
    node: User = strawberry.field(description="The person.")


@strawberry.type(description="A page of the account's people, in the order they came.")
class UserConnection:
    """Forward only."""

    edges: list[UserEdge] = strawberry.field(description="The people with their cursors.")
    nodes: list[User] = strawberry.field(description="The people.")
    page_info: PageInfo = strawberry.field(description="Where this part of the list stands.")


@strawberry.type(description="What the signed-in person set for themselves.")
class ViewerSettings:
    """Changed by `updateSettings`."""

    time_zone: TimeZone = strawberry.field(description="The zone they work in.")
    locale: Locale = strawberry.field(description="The language they are written to.")
    week_starts_on: Weekday = strawberry.field(description="Which day calendars show first.")
    hour12: bool = strawberry.field(description="Whether times are shown with AM and PM.")
    scheduling_pages: bool = strawberry.field(description="Off makes all of this person's pages refuse bookings.")
    working_hours: AvailabilityRules | None = strawberry.field(
        description="Hours that narrow every page of this person; null when none do."
    )
    user: strawberry.Private[domain_user.User]

    @strawberry.field(
        description="CRM meetings become calendar events and back; null where the calendar's provider cannot do that."
    )
    async def calendar_sync(self, info: Info) -> bool | None:
        connection = await info.context.loaders(self.user.account_id).connection_of.load(self.user.id)
        gone = connection is None or connection.grant is Grant.RETURNED
        able = connection is None or gone or connection.can(Capability.CALENDAR_SYNC)
        return self.user.settings.calendar_sync if able else None

    @classmethod
    def of(cls, user: domain_user.User) -> "ViewerSettings":
        settings = user.settings
        hours = settings.working_hours
        return cls(
            time_zone=TimeZone(settings.time_zone),
            locale=Locale(settings.locale),
            week_starts_on=settings.week_starts_on,
            hour12=settings.hour12,
            scheduling_pages=settings.scheduling_pages,
            working_hours=AvailabilityRules.of(hours) if hours else None,
            user=user,
        )
