"""Whether somebody may use what not every account has: the one question every gated use case asks."""

from meetings.application.policy import Policy
from meetings.application.ports.unit_of_work import UnitOfWork
from meetings.domain.account import Account
from meetings.domain.identifiers import UserId
from meetings.domain.plan import Feature
from meetings.domain.scheduling_page import SchedulingPage


async def check_feature(feature: Feature, *, work: UnitOfWork, user_id: UserId, policy: Policy) -> None:
    """Let a person of the account that `work` is about use a feature, or say what they would need for it.

    Raises:
        PlanRequired: the account's subscriptions do not include it.
        SeatRequired: they do, but the person lacks a seat.
    """
    account = await work.account()
    account.plan.check(feature, user_id, policy.plans)


def shows_branding(page: SchedulingPage, account: Account, policy: Policy) -> bool:
    """Whether a page of an account says by whose product it is made (A-SP20)."""
    return not account.plan.allows(Feature.REMOVE_BRANDING, page.organizer_id, policy.plans)
