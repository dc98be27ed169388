"""Scheduling pages, as a unit of work gets and saves them."""

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError

from meetings.domain.base import NotFound
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.slug import SlugTaken
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.mapping import page_from, page_row
from meetings.infrastructure.database.tables import pages, users
from meetings.infrastructure.database.transaction import Image, Transaction

BY_ID = select(pages).where(pages.c.account_id == bindparam("account"), pages.c.id == bindparam("id"))
OF_ORGANIZER = (
    select(pages)
    .where(
        pages.c.account_id == bindparam("account"),
        pages.c.organizer_id == bindparam("organizer"),
        pages.c.archived_at.is_(None),
    )
    .order_by(pages.c.created_at, pages.c.id)
)


class SqlSchedulingPages:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, page_id: PageId) -> SchedulingPage:
        known = self._transaction.known(SchedulingPage, page_id)
        if known is not None:
            return known
        values = {"account": self._transaction.account_id, "id": page_id}
        for row in await self._transaction.rows(BY_ID, values):
            return self._transaction.loaded(page_from(row), page_row)
        raise NotFound("scheduling page")

    async def of_organizer(self, user_id: UserId) -> list[SchedulingPage]:
        values = {"account": self._transaction.account_id, "organizer": user_id}
        rows = await self._transaction.rows(OF_ORGANIZER, values)
        return [self._transaction.loaded(page_from(row), page_row) for row in rows]

    async def count(self) -> int:
        mine = (pages.c.account_id == self._transaction.account_id, pages.c.archived_at.is_(None))
        found: int = (await self._transaction.run(select(func.count()).select_from(pages).where(*mine))).scalar_one()
        return found

    async def is_free(self, slug: str) -> bool:
        return not await self._transaction.rows(select(pages.c.id).where(pages.c.slug == slug))

    async def is_free_for(self, user_id: UserId, path: str) -> bool:
        of_pages = select(pages.c.id).where(pages.c.slug == path, pages.c.organizer_id != user_id)
        of_people = select(users.c.id).where(users.c.meeting_url == path, users.c.id != user_id)
        return not await self._transaction.rows(of_pages.union_all(of_people))

    def add(self, page: SchedulingPage) -> None:
        self._transaction.added(page)

    async def save(self, page: SchedulingPage, before: Image | None, after: Image) -> None:
        """Write a page down.

        Raises:
            ConcurrentChange: somebody else did since.
            SlugTaken: another page, also an archived one, has the slug.
        """
        try:
            await self._transaction.save(pages, page.version, before, after)
        except IntegrityError as error:
            if broken_constraint(error) in ("pages_slug_key", "pages.slug"):
                raise SlugTaken(page.slug) from error
            raise
