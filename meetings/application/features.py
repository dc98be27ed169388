"""Whether somebody may use what not every account has: the one question every gated use case asks."""

from meetings.application.policy import Policy
from meetings.application.ports.unit_of_work import UnitOfWork
from meetings.domain.identifiers import UserId
from meetings.domain.plan import Feature


async def check_feature(feature: Feature, *, work: UnitOfWork, user_id: UserId, policy: Policy) -> None:
    """Let a person of the account that `work` is about use a feature, or say what they would need for it.

    Raises:
        PlanRequired: the account's subscriptions do not include it.
        SeatRequired: they do, but the person lacks a seat.
    """
    account = await work.account()
    account.plan.check(feature, user_id, policy.plans)
