"""Many hosts in a database, made without going through the product: copies of one who is there."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.infrastructure.database.tables import calendars, connections, mirror_states, mirror_times, users
from tests.world import World

AT_ONCE = 500


async def add_copies(here: World, hosts: int, *, busy: int) -> None:
    """So many more people like Anna, each with a calendar connection and a copy of their calendar with up to `busy`
    events. Nobody synchronizes these calendars."""
    connection_id = (await here.connection()).id
    async with here.runtime.database.transaction() as work:
        user = await _row(work, users, users.c.id == here.anna.id)
        connection = await _row(work, connections, connections.c.id == connection_id)
        own = (calendars.c.connection_id == connection_id) & calendars.c.is_primary
        calendar = await _row(work, calendars, own)
        state = await _row(work, mirror_states, mirror_states.c.calendar_id == calendar["id"])
        found = await work.execute(select(mirror_times).where(mirror_times.c.calendar_id == calendar["id"]).limit(busy))
        times = [dict(each) for each in found.mappings()]
        for first in range(0, hosts, AT_ONCE):
            rows: dict[Table, list[dict[str, Any]]] = {
                users: [],
                connections: [],
                calendars: [],
                mirror_states: [],
                mirror_times: [],
            }
            for _ in range(min(AT_ONCE, hosts - first)):
                ids = {name: uuid4() for name in ("user", "connection", "calendar")}
                email = f"copy-{ids['user'].hex}@example.com"
                rows[users].append({**user, "id": ids["user"], "email": email, "email_key": email})
                rows[connections].append(
                    {**connection, "id": ids["connection"], "user_id": ids["user"], "account_email": email}
                )
                rows[calendars].append(
                    {**calendar, "id": ids["calendar"], "connection_id": ids["connection"], "external_id": email}
                )
                rows[mirror_states].append({**state, "calendar_id": ids["calendar"]})
                rows[mirror_times] += [{**each, "calendar_id": ids["calendar"]} for each in times]
            for table, some in rows.items():
                if some:
                    await work.execute(insert(table), some)
        await work.execute(text("ANALYZE"))  # in production the database does this by itself


async def _row(work: AsyncConnection, table: Table, where: Any) -> Mapping[str, Any]:
    found = (await work.execute(select(table).where(where))).mappings().first()
    assert found is not None, f"nobody to copy in {table.name}"
    return dict(found)
