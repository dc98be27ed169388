"""The path that addresses of a person's new pages begin with."""

import secrets
from collections.abc import Iterator

from meetings.application.features import check_feature
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.domain.calendar_connection import Grant, NotConnected
from meetings.domain.plan import Feature
from meetings.domain.slug import MAX_MEETING_URL, MAX_SLUG, SlugTaken, meeting_url_problem, normal_slug, slug_of
from meetings.domain.user import User

_LONGEST_END = 9
"""What `_variants` puts behind a path at most."""


async def change_meeting_url(typed: str, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy) -> None:
    """Have addresses of the caller's pages begin with another path from now on (S46); existing ones stay (S50).

    Raises:
        PlanRequired, SeatRequired: see `Feature.EDIT_MEETING_URL` (S42, S45).
        NotConnected: no calendar is connected yet (S42).
        InvalidInput: it cannot be part of an address (S49).
        SlugTaken: somebody else's address, of whatever account, is the same.
    """
    async with begin(caller.account_id) as work:
        await check_feature(Feature.EDIT_MEETING_URL, work=work, user_id=caller.user_id, policy=policy)
        user = await work.users.get(caller.user_id)
        connection = (await work.connections.of_users([user.id])).get(user.id)
        if connection is None or connection.grant is Grant.RETURNED:
            raise NotConnected
        user.change_meeting_url(typed, now=clock())
        if not await work.pages.is_free_for(user.id, user.meeting_url or ""):
            raise SlugTaken(normal_slug(typed))
        await work.commit()


async def slug_for(organizer: User, name: str, *, work: UnitOfWork, clock: Clock) -> str:
    """The path of a new page of somebody's that nobody chose one for: their own, and what the page is called.

    Their first page is at the meeting URL itself, the others below it. Who has no meeting URL yet gets one made from
    their name. Two people at once can be given the same path; then the commit raises `SlugTaken`, and asking again
    gives another one.
    """
    if organizer.meeting_url is None:
        organizer.change_meeting_url(await _own_path(organizer, work), now=clock())
    own = organizer.meeting_url or ""
    if await work.pages.is_free(own):
        return own
    leaf = slug_of(name, most=MAX_SLUG - MAX_MEETING_URL - _LONGEST_END - 1) or "meeting"
    return await _first_free(f"{own}/{leaf}", work)


async def _own_path(user: User, work: UnitOfWork) -> str:
    wanted = slug_of(user.name, most=MAX_MEETING_URL - _LONGEST_END)
    for path in _variants("host" if meeting_url_problem(wanted) else wanted):
        if await work.pages.is_free_for(user.id, path):
            return path
    raise SlugTaken(wanted)


async def _first_free(wanted: str, work: UnitOfWork) -> str:
    for slug in _variants(wanted):
        if await work.pages.is_free(slug):
            return slug
    raise SlugTaken(wanted)


def _variants(wanted: str) -> Iterator[str]:
    """The path itself, then with small numbers behind it, then with one that nobody has."""
    yield wanted
    yield from (f"{wanted}-{number}" for number in range(2, 10))
    yield f"{wanted}-{secrets.token_hex(4)}"
