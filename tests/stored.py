"""What a world's database holds, as it is stored."""

from sqlalchemy import Table, select

from tests.world import World


async def count(here: World, table: Table) -> int:
    """How many rows."""
    async with here.runtime.database.snapshot() as connection:
        return len((await connection.execute(select(table))).all())


async def sealed(here: World, table: Table) -> list[str | None]:
    """The credentials in one of the tables of them, without the key to them; None for those that were given back."""
    async with here.runtime.database.snapshot() as connection:
        return list((await connection.execute(select(table.c.sealed))).scalars())
