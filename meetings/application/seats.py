"""What an account subscribes to, and who has a seat."""

from collections.abc import Collection, Iterable

from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.domain.base import Problem, Rule, refuse
from meetings.domain.identifiers import AccountId, UserId
from meetings.domain.plan import Hub, Subscription
from meetings.domain.user import UserState


async def subscribe(
    account_id: AccountId, subscriptions: Iterable[Subscription], *, everything: bool, begin: Begin, clock: Clock
) -> None:
    """Have an account subscribe to these hubs and no others; nothing that is there is taken down (A-PL5).

    For whoever runs the product, not for the account's people.

    Raises:
        InvalidInput: it makes no sense.
    """
    async with begin(account_id) as work:
        (await work.account()).subscribe(subscriptions, everything=everything, now=clock())
        await work.commit()


async def assign_seats(
    hub: Hub, users: Collection[UserId], *, caller: Caller, begin: Begin, clock: Clock, policy: Policy
) -> None:
    """Give people seats of a hub: all of them, or nobody. Who has one keeps it.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        InvalidInput: somebody is unknown or deactivated, or there are not as many seats.
    """
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        await _check_people(work, users)
        (await work.account()).assign_seats(hub, users, policy.plans, now=clock())
        await work.commit()


async def revoke_seats(hub: Hub, users: Collection[UserId], *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Take people's seats of a hub away; who has none is fine. What they set up stays (A-PL5).

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
    """
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        (await work.account()).revoke_seats(hub, users, now=clock())
        await work.commit()


async def _check_people(work: UnitOfWork, users: Collection[UserId]) -> None:
    known = await work.users.of(users)
    refuse(
        *(
            Problem(("userIds", str(index)), Rule.UNKNOWN)
            for index, user in enumerate(users)
            if user not in known or known[user].state is UserState.DEACTIVATED
        )
    )
