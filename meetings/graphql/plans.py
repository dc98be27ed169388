"""What an account subscribes to, who has seats, and what that opens."""

from typing import Annotated

import strawberry

from meetings.application.seats import assign_seats, revoke_seats
from meetings.domain import plan as domain
from meetings.domain.identifiers import UserId
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.enums import Hub, Tier
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, UserError, mutation
from meetings.graphql.node_ids import Kind, from_id


@strawberry.type(description="A hub that the account subscribes to.")
class HubSubscription:
    """Set by whoever runs this server."""

    hub: Hub = strawberry.field(description="What it is.")
    tier: Tier = strawberry.field(description="How much of it.")
    seats: int | None = strawberry.field(description="How many seats there are; null where their number is open.")
    seats_used: int = strawberry.field(description="How many people have one; more than `seats` after a downgrade.")


@strawberry.type(description="What the account has.")
class Plan:
    """Shown to everybody in it."""

    all_features: bool = strawberry.field(
        description="Nothing is gated: every feature is open to everybody, whatever is subscribed to."
    )
    subscriptions: list[HubSubscription] = strawberry.field(
        description="What is subscribed to; all other hubs are FREE."
    )

    @classmethod
    def of(cls, plan: domain.Plan, rules: domain.PlanRules) -> "Plan":
        return cls(
            all_features=plan.unlimited(rules),
            subscriptions=[
                HubSubscription(
                    hub=each.hub,
                    tier=each.tier,
                    seats=each.seats,
                    seats_used=len(plan.holders.get(each.hub, frozenset())),
                )
                for each in plan.subscriptions
            ],
        )


@strawberry.type(description="What became of seats.")
class SeatsPayload:
    """Either the plan or errors."""

    plan: Plan | None = strawberry.field(default=None, description="The plan as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


HubArgument = Annotated[Hub, strawberry.argument(description="`SALES` or `SERVICE`.")]
UsersArgument = Annotated[list[strawberry.ID], strawberry.argument(description="Who; all of them or nobody.")]


@strawberry.type(description="Mutations of seats.")
class SeatMutations:
    """Part of the schema's mutations. All are for owners and admins."""

    @mutation(
        SeatsPayload,
        Access.SIGNED_IN,
        "For owners and admins: give people seats of a hub. Who has one keeps it.",
        Code.VALIDATION,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def assign_seats(self, info: Info, hub: HubArgument, user_ids: UsersArgument) -> SeatsPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await again_on_conflict(
            lambda: assign_seats(
                hub,
                _people(user_ids),
                caller=caller,
                begin=operation.begin,
                clock=tools.clock,
                policy=tools.policy,
            )
        )
        return await _payload(operation)

    @mutation(
        SeatsPayload,
        Access.SIGNED_IN,
        "For owners and admins: take people's seats of a hub away. What they set up stays and is served; what takes a "
        "seat to change cannot be changed. Who has none is fine.",
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def revoke_seats(self, info: Info, hub: HubArgument, user_ids: UsersArgument) -> SeatsPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await again_on_conflict(
            lambda: revoke_seats(hub, _people(user_ids), caller=caller, begin=operation.begin, clock=tools.clock)
        )
        return await _payload(operation)


def _people(ids: list[strawberry.ID]) -> list[UserId]:
    return [UserId(from_id(Kind.USER, each)) for each in ids]


async def _payload(operation: Operation) -> SeatsPayload:
    operation.forget_loaded()
    account = await operation.loaders(operation.signed_in().account_id).account()
    return SeatsPayload(plan=Plan.of(account.plan, operation.tools.policy.plans) if account else None)
