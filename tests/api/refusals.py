"""Looking at mutations that are refused: the code is declared, the object is null, nothing was written."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import func, select
from strawberry.types import get_object_definition

from meetings.graphql.error_codes import UserErrorCode
from meetings.graphql.errors import ErrorsAsData
from meetings.graphql.schema import schema
from meetings.infrastructure.database import tables
from meetings.infrastructure.database.types import database_time
from tests.product import ApiClient, Product, until

WRITTEN = (
    tables.accounts,
    tables.users,
    tables.pages,
    tables.bookings,
    tables.email_threads,
    tables.emails,
    tables.sequences,
    tables.enrollments,
    tables.booking_hosts,
    tables.slot_holds,
    tables.host_times,
    tables.api_tokens,
    tables.idempotency_keys,
    tables.sign_in_attempts,
    tables.credentials,
    tables.sessions,
    tables.engagements,
    tables.crm_connections,
    tables.crm_trips,
    tables.crm_contacts,
    tables.crm_meetings,
    tables.crm_timeline,
)
"""What mutations write. What the product finds out on the way, such as a lost calendar, is not theirs."""

DECLARED: dict[str, frozenset[UserErrorCode]] = {
    schema.config.name_converter.get_graphql_name(field): next(
        each.codes for each in field.extensions if isinstance(each, ErrorsAsData)
    )
    for field in get_object_definition(schema.mutation, strict=True).fields
}


async def all_followed(served: Product) -> None:
    """Wait until the product's worker, if it has one, has carried out what is due: records are kept by it, say."""
    app: Any = served.app
    if app.state.worker is None:
        return
    intents = tables.intents.c
    still_open = (intents.done_at.is_(None), intents.died_at.is_(None), intents.due_at <= database_time())
    query = select(func.count()).select_from(tables.intents).where(*still_open, intents.attempts < 2)

    async def none_is_due() -> bool:
        async with served.here.runtime.database.snapshot() as connection:
            return (await connection.execute(query)).scalar_one() == 0

    await until("what follows", none_is_due)


async def everything_written(served: Product) -> dict[str, list[Any]]:
    found = {}
    async with served.here.runtime.database.snapshot() as connection:
        for table in WRITTEN:
            columns = [column for column in table.c if column.name != "last_used_at"]
            found[table.name] = sorted(map(repr, (await connection.execute(select(*columns))).all()))
    return found


class Refusals:
    """Sends one mutation again and again, each time to be refused."""

    def __init__(self, served: Product, mutation: str) -> None:
        self.mutation = mutation
        self.seen: set[str] = set()
        self._served = served

    async def all(self, client: ApiClient, document: str, **variables: object) -> list[dict[str, Any]]:
        """The errors; at least one, each declared, with nothing written."""
        await all_followed(self._served)
        before = await everything_written(self._served)
        payload = (await client.ask(document, **variables))[self.mutation]
        errors: list[dict[str, Any]] = payload.pop("errors")
        assert errors, payload
        assert set(payload.values()) == {None}
        assert await everything_written(self._served) == before
        codes = {error["code"] for error in errors}
        assert codes <= {code.name for code in DECLARED[self.mutation]}
        assert all(error["message"] for error in errors)
        self.seen |= codes
        return errors

    async def one(
        self, client: ApiClient, document: str, code: str, path: list[str] | None = None, **variables: object
    ) -> dict[str, Any]:
        """The only error."""
        [error] = await self.all(client, document, **variables)
        assert (error["code"], error["path"]) == (code, path)
        return error


@asynccontextmanager
async def every_code_of(served: Product, mutation: str, *, elsewhere: Collection[str] = ()) -> AsyncIterator[Refusals]:
    """Afterwards every code that the mutation declares was seen, except those that are shown elsewhere."""
    refusals = Refusals(served, mutation)
    yield refusals
    assert {code.name for code in DECLARED[mutation]} - refusals.seen == {
        "PERMISSION_MISSING",
        *elsewhere,
    } - refusals.seen
