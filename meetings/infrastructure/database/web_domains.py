"""Custom domains, as a unit of work gets and saves them."""

from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from meetings.domain.base import NotFound
from meetings.domain.identifiers import WebDomainId
from meetings.domain.web_domain import DomainTaken, WebDomain
from meetings.infrastructure.database.engines import broken_constraint
from meetings.infrastructure.database.tables import web_domains
from meetings.infrastructure.database.transaction import AnyRow, Image, Transaction

OF_ACCOUNT = (
    select(web_domains)
    .where(web_domains.c.account_id == bindparam("account"))
    .order_by(web_domains.c.added_at, web_domains.c.id)
)


def web_domain_from(row: AnyRow) -> WebDomain:
    return WebDomain(
        id=WebDomainId(row.id),
        account_id=row.account_id,
        version=row.version,
        host=row.host,
        added_at=row.added_at,
        proof=row.proof,
        connected_at=row.connected_at,
        checked_at=row.checked_at,
        missing_since=row.missing_since,
        primary=row.is_primary,
        indexed=row.indexed,
    )


def web_domain_row(domain: WebDomain) -> dict[str, Any]:
    return {
        "id": domain.id,
        "account_id": domain.account_id,
        "host": domain.host,
        "connected_host": domain.host if domain.connected else None,
        "added_at": domain.added_at,
        "proof": domain.proof,
        "connected_at": domain.connected_at,
        "checked_at": domain.checked_at,
        "missing_since": domain.missing_since,
        "is_primary": domain.primary,
        "indexed": domain.indexed,
    }


class SqlWebDomains:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, domain_id: WebDomainId) -> WebDomain:
        for domain in await self.all():
            if domain.id == domain_id:
                return domain
        raise NotFound("domain", ("id",))

    async def all(self) -> list[WebDomain]:
        rows = await self._transaction.rows(OF_ACCOUNT, {"account": self._transaction.account_id})
        return [self._transaction.loaded(web_domain_from(row), web_domain_row) for row in rows]

    def add(self, domain: WebDomain) -> None:
        self._transaction.added(domain)

    async def remove(self, domain: WebDomain) -> None:
        whose = (web_domains.c.account_id == self._transaction.account_id, web_domains.c.id == domain.id)
        await self._transaction.run(delete(web_domains).where(*whose))

    async def save(self, domain: WebDomain, before: Image | None, after: Image) -> None:
        """Write a domain down.

        Raises:
            ConcurrentChange: somebody else did since.
            DomainTaken: another account connected the host.
        """
        try:
            await self._transaction.save(web_domains, domain.version, before, after)
        except IntegrityError as error:
            taken = ("web_domains_connected_host_key", "web_domains.connected_host")
            if broken_constraint(error) in taken:
                raise DomainTaken from error
            raise
