"""What a host does with scheduling pages: create, change, duplicate, archive, delete, choose the default."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from meetings.application.features import check_feature
from meetings.application.meeting_url import slug_for
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.domain.base import NotFound, Problem, Rule, refuse
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.page_settings import PageSettings
from meetings.domain.plan import Feature, SeatRequired
from meetings.domain.scheduling_page import PageHost, PageType, SchedulingPage
from meetings.domain.slug import SlugTaken
from meetings.domain.user import User

_TRIES = 5


@dataclass(frozen=True, slots=True)
class CreatePage:
    """A new page. Without organizer it is the caller's own; without hosts its organizer is the host.

    Without slug it is found below the organizer's meeting URL.
    """

    type: PageType
    slug: str | None
    settings: PageSettings
    organizer_id: UserId | None = None
    hosts: Sequence[PageHost] | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes to a page. `settings` makes the new settings from the current ones; None leaves the rest as it is."""

    page_id: PageId
    settings: Callable[[PageSettings], PageSettings]
    type: PageType | None = None
    slug: str | None = None
    hosts: Sequence[PageHost] | None = None
    if_revision: int | None = None


async def create_page(wish: CreatePage, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy) -> PageId:
    """Publish a page; it needs no calendar (S7) and can be shared at once (S77).

    Raises:
        InvalidInput: everything wrong with it.
        SlugTaken: another page, of whatever account, has the slug, or somebody else's meeting URL is the same.
        NotFound, PermissionMissing: the organizer or a host is nobody the caller may create pages for (A-SP15).
        PlanRequired, SeatRequired: a page with several hosts takes a plan, and each of them a seat (A-PL1, A-SP18);
            shares that differ among them take a higher one, and a seat of the organizer's (A-PL3).
        PageLimitReached: the organizer or the account can have no more pages (A-SP20).
    """
    if wish.slug is None:
        return await _with_found_slug(lambda: _create_page(wish, caller, begin, clock, policy))
    return await _create_page(wish, caller, begin, clock, policy)


async def _with_found_slug(create: Callable[[], Awaitable[PageId]]) -> PageId:
    """Create it again, a few times, when somebody else took the slug that was found for it meanwhile."""
    for _ in range(_TRIES - 1):
        with suppress(SlugTaken):
            return await create()
    return await create()


async def _create_page(wish: CreatePage, caller: Caller, begin: Begin, clock: Clock, policy: Policy) -> PageId:
    async with begin(caller.account_id) as work:
        organizer = await _person(work, caller, wish.organizer_id or caller.user_id)
        hosts = wish.hosts if wish.hosts is not None else [PageHost(organizer.id)]
        await _check_hosts(work, hosts)
        await _check_team(work, organizer, wish.type, hosts, policy)
        await _check_one_more(work, organizer.id, policy)
        slug = wish.slug
        if slug is None:
            slug = await slug_for(organizer, wish.settings.internal_name, work=work, clock=clock)
        page = SchedulingPage.create(
            PageId(uuid4()),
            account_id=caller.account_id,
            type=wish.type,
            slug=slug,
            organizer_id=organizer.id,
            hosts=hosts,
            settings=wish.settings,
            now=clock(),
        )
        await _check_free(work, page)
        work.pages.add(page)
        await work.commit()
    return page.id


async def change_page(wish: ChangePage, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy) -> None:
    """Change a page; what stays equal changes nothing.

    Raises:
        NotFound, PermissionMissing: not a page of the caller's.
        StaleRevision: somebody else changed it since.
        InvalidInput, SlugTaken: as `create_page`; nothing is changed then.
        PlanRequired, SeatRequired: other hosts of a page with several of them, after a downgrade (A-PL5).
    """
    async with begin(caller.account_id) as work:
        page = await own_page(work, caller, wish.page_id)
        if wish.hosts is not None and tuple(wish.hosts) != page.hosts:
            await _check_hosts(work, wish.hosts)
            await _check_team(work, await work.users.get(page.organizer_id), page.type, wish.hosts, policy)
        former = page.slug
        page.change(
            wish.settings(page.settings),
            now=clock(),
            slug=wish.slug,
            hosts=wish.hosts,
            type=wish.type,
            if_revision=wish.if_revision,
        )
        if page.slug != former:
            await _check_free(work, page)
        await work.commit()


async def duplicate_page(
    page_id: PageId, slug: str, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy
) -> PageId:
    """A page of the caller's own with the settings of another one of the account.

    Raises:
        NotFound: no such page.
        InvalidInput, SlugTaken: the slug.
        PlanRequired, SeatRequired, PageLimitReached: as `create_page`.
    """
    async with begin(caller.account_id) as work:
        page = await work.pages.get(page_id)
        hosts = [PageHost(caller.user_id)] if page.type is PageType.ONE_ON_ONE else page.hosts
        await _check_team(work, await work.users.get(caller.user_id), page.type, hosts, policy)
        await _check_one_more(work, caller.user_id, policy)
        copy = page.copy(PageId(uuid4()), slug, organizer_id=caller.user_id, hosts=hosts, now=clock())
        await _check_free(work, copy)
        work.pages.add(copy)
        await work.commit()
    return copy.id


async def archive_page(
    page_id: PageId, archived: bool, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy
) -> None:
    """Take a page down or put it up again; doing it twice changes nothing.

    Raises:
        NotFound, PermissionMissing: not a page of the caller's.
        InvalidInput: it is its organizer's default page and another one could be (A-SP21).
        PageLimitReached: there can be no more pages that are up.
    """
    async with begin(caller.account_id) as work:
        page = await own_page(work, caller, page_id)
        if archived:
            await _check_not_default(work, page)
            page.archive(now=clock())
        elif page.archived_at is not None:
            await _check_one_more(work, page.organizer_id, policy)
            page.restore(now=clock())
        await work.commit()


async def choose_default_page(page_id: PageId, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy) -> None:
    """Make one of the caller's pages the one that stands for them (S51).

    Raises:
        PlanRequired, SeatRequired: see `Feature.CHOOSE_DEFAULT_LINK`; without it, the oldest page stands (X8).
        InvalidInput: not theirs, or archived.
    """
    async with begin(caller.account_id) as work:
        await check_feature(Feature.CHOOSE_DEFAULT_LINK, work=work, user_id=caller.user_id, policy=policy)
        user = await work.users.get(caller.user_id)
        own = {page.id for page in await work.pages.of_organizer(user.id)}
        refuse(None if page_id in own else Problem(("id",), Rule.UNKNOWN))
        user.choose_default_page(page_id, now=clock())
        await work.commit()


def default_page_of(user: User, pages: Sequence[SchedulingPage]) -> SchedulingPage | None:
    """The page that stands for a person, of their pages that are up, oldest first: the chosen one, else the oldest."""
    chosen = next((page for page in pages if page.id == user.default_page_id), None)
    return chosen or next(iter(pages), None)


async def own_page(work: UnitOfWork, caller: Caller, page_id: PageId) -> SchedulingPage:
    """A page the caller may change: their own, or anybody's for owners and admins (A-SP16).

    Raises:
        NotFound: no such page in the account.
        PermissionMissing: a colleague's.
    """
    page = await work.pages.get(page_id)
    user = await work.users.get(caller.user_id)
    user.check_may_manage(page.organizer_id)
    return page


async def _person(work: UnitOfWork, caller: Caller, user_id: UserId) -> User:
    user = await work.users.get(caller.user_id)
    user.check_may_create_for(user_id)
    try:
        return await work.users.get(user_id)
    except NotFound as unknown:
        raise NotFound("user", ("organizerId",)) from unknown


async def _check_hosts(work: UnitOfWork, hosts: Sequence[PageHost]) -> None:
    known = await work.users.of([host.user_id for host in hosts])
    refuse(
        *(
            Problem(("hosts", str(index), "userId"), Rule.UNKNOWN)
            for index, host in enumerate(hosts)
            if host.user_id not in known or not known[host.user_id].active
        )
    )


async def _check_not_default(work: UnitOfWork, page: SchedulingPage) -> None:
    organizer = await work.users.get(page.organizer_id)
    pages = await work.pages.of_organizer(organizer.id)
    default = default_page_of(organizer, pages)
    if default and default.id == page.id and len(pages) > 1:
        refuse(Problem(("id",), Rule.MOVE_DEFAULT_FIRST))


async def _check_team(
    work: UnitOfWork, organizer: User, type: PageType, hosts: Sequence[PageHost], policy: Policy
) -> None:
    """Whether the account may have pages of this type, whether all hosts may be on one, and with such shares."""
    if type is PageType.ONE_ON_ONE:
        return
    await check_feature(Feature.TEAM_PAGES, work=work, user_id=organizer.id, policy=policy)
    if type is PageType.ROUND_ROBIN and len({host.weight for host in hosts}) > 1:
        await check_feature(Feature.ROTATIONS, work=work, user_id=organizer.id, policy=policy)
    for index, host in enumerate(hosts):
        try:
            await check_feature(Feature.HOST_TEAM_PAGES, work=work, user_id=host.user_id, policy=policy)
        except SeatRequired as lacking:
            path = ("hosts", str(index), "userId")
            raise SeatRequired(lacking.feature, lacking.hubs, lacking.user_id, path) from lacking


async def _check_one_more(work: UnitOfWork, organizer: UserId, policy: Policy) -> None:
    account = await work.account()
    own = await work.pages.of_organizer(organizer)
    account.plan.check_one_more_page(organizer, policy.plans, own=len(own), of_account=await work.pages.count())


async def _check_free(work: UnitOfWork, page: SchedulingPage) -> None:
    """Two pages at one path are kept apart by the database; this is about what else paths are kept for."""
    if not await work.pages.is_free_for(page.organizer_id, page.slug):
        raise SlugTaken(page.slug)
