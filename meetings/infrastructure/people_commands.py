"""What whoever runs the product does to accounts from the command line: plans, seats, people.

They act in the name of an owner of the account; the journal says `operator`.
"""

from collections.abc import Sequence

from meetings.application.people import (
    InvitePerson,
    change_role,
    deactivate_person,
    invite_person,
    reactivate_person,
)
from meetings.application.ports.identities import Caller, Scope
from meetings.application.seats import assign_seats, revoke_seats, subscribe
from meetings.domain.base import NotFound
from meetings.domain.identifiers import AccountId, UserId
from meetings.domain.plan import Hub, Subscription, Tier
from meetings.domain.user import Role, User
from meetings.infrastructure.runtime import Runtime

OPERATOR = "operator"
PAGE = 100


class BadSubscription(ValueError):
    """Not of the form `SALES=STARTER` or, with so many seats, `SALES=STARTER:5`."""


def subscription_of(text: str) -> Subscription:
    """A subscription as it is typed.

    Raises:
        BadSubscription: it is none.
    """
    hub, _, rest = text.strip().upper().partition("=")
    tier, colon, seats = rest.partition(":")
    number = seats.isascii() and seats.isdigit()
    if hub not in Hub.__members__ or tier not in Tier.__members__ or (colon and not number):
        raise BadSubscription(text)
    return Subscription(Hub[hub], Tier[tier], int(seats) if colon else None)


async def plan_lines(account_id: AccountId, runtime: Runtime) -> list[str]:
    """An account's subscriptions and what they open, one sentence a line."""
    tools = runtime.toolbox
    async with tools.look(account_id) as work:
        plan = (await work.account()).plan
    lines = []
    for hub in Hub:
        used = len(plan.holders.get(hub, frozenset()))
        seats = plan.seats(hub)
        seated = f", {used} of {'any number of' if seats is None else seats} seats used" if used or seats else ""
        lines.append(f"{hub.value}: {plan.tier(hub).value}{seated}")
    if plan.unlimited(tools.policy.plans):
        lines.append("Nothing is gated: everybody has every feature, whatever is subscribed to.")
    return lines


async def set_plan(account_id: AccountId, wanted: Sequence[Subscription], everything: bool, runtime: Runtime) -> None:
    """Have an account subscribe to exactly this."""
    tools = runtime.toolbox
    await subscribe(account_id, wanted, everything=everything, begin=tools.begin_as(OPERATOR), clock=tools.clock)


async def set_seats(account_id: AccountId, hub: Hub, emails: Sequence[str], revoke: bool, runtime: Runtime) -> None:
    """Give people seats, or take them away. Raises `NotFound` for an address that nobody of the account has."""
    tools = runtime.toolbox
    caller, people = await owner_of(account_id, runtime), await people_of(account_id, runtime)
    ids = [person_with(email, people).id for email in emails]
    begin = tools.begin_as(OPERATOR)
    if revoke:
        await revoke_seats(hub, ids, caller=caller, begin=begin, clock=tools.clock)
    else:
        await assign_seats(hub, ids, caller=caller, begin=begin, clock=tools.clock, policy=tools.policy)


async def people_of(account_id: AccountId, runtime: Runtime) -> list[User]:
    """Everybody of an account, in the order they came."""
    found: list[User] = []
    after: str | None = None
    while True:
        part = await runtime.toolbox.reads.people(account_id, first=PAGE, after=after)
        found.extend(user for _, user in part.items)
        if not part.has_next:
            return found
        after = part.items[-1][0]


async def invite(account_id: AccountId, wish: InvitePerson, runtime: Runtime) -> None:
    """Ask somebody by mail to join; a worker sends it."""
    tools = runtime.toolbox
    caller = await owner_of(account_id, runtime)
    await invite_person(wish, caller=caller, begin=tools.begin_as(OPERATOR), clock=tools.clock)


async def set_role(account_id: AccountId, email: str, role: Role, runtime: Runtime) -> None:
    """Let somebody do more or less for others."""
    tools = runtime.toolbox
    caller, who = await owner_of(account_id, runtime), await _named(account_id, email, runtime)
    await change_role(who, role, caller=caller, begin=tools.begin_as(OPERATOR), clock=tools.clock)


async def set_active(account_id: AccountId, email: str, active: bool, runtime: Runtime) -> None:
    """Keep somebody out, or let them in again."""
    tools = runtime.toolbox
    caller, who = await owner_of(account_id, runtime), await _named(account_id, email, runtime)
    change = reactivate_person if active else deactivate_person
    await change(who, caller=caller, begin=tools.begin_as(OPERATOR), clock=tools.clock)


def person_with(email: str, people: Sequence[User]) -> User:
    """Whose address this is. Raises `NotFound`."""
    wanted = email.strip().casefold()
    found = next((user for user in people if user.email.casefold() == wanted), None)
    if found is None:
        raise NotFound(f"a person with the address {email}")
    return found


async def _named(account_id: AccountId, email: str, runtime: Runtime) -> UserId:
    return person_with(email, await people_of(account_id, runtime)).id


async def owner_of(account_id: AccountId, runtime: Runtime) -> Caller:
    """In whose name something is done. Raises `NotFound`."""
    for person in await people_of(account_id, runtime):
        if person.role is Role.OWNER and person.active:
            return Caller(account_id, person.id, frozenset(Scope))
    raise NotFound("an owner of the account")
