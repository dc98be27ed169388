"""Accounts and the people in them."""

import strawberry

from meetings.domain import account as domain_account
from meetings.domain import user as domain_user
from meetings.domain.calendar_connection import Capability, Grant
from meetings.graphql.availability_rules import AvailabilityRules
from meetings.graphql.context import Info
from meetings.graphql.enums import Weekday
from meetings.graphql.node_ids import Kind, to_id
from meetings.graphql.nodes import Node
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
    stored: strawberry.Private[domain_account.Account]

    @strawberry.field(description="What it subscribes to.")
    def plan(self, info: Info) -> Plan:
        return Plan.of(self.stored.plan, info.context.tools.policy.plans)

    @classmethod
    def of(cls, account: domain_account.Account) -> "Account":
        return cls(
            id=to_id(Kind.ACCOUNT, account.id),
            name=account.name,
            exchange_full_sync=account.exchange_full_sync,
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

    @classmethod
    def of(cls, user: domain_user.User) -> "User":
        return cls(
            id=to_id(Kind.USER, user.id),
            name=user.name,
            email=EmailAddress(user.email),
            avatar_url=URL(user.avatar_url) if user.avatar_url else None,
            time_zone=TimeZone(user.settings.time_zone),
            locale=Locale(user.settings.locale),
        )


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
