"""Reads one calendar, as the worker does, and tells on standard output what that took.

`python -m benchmarks.calendar_reader CALENDAR whole|changes`, with the settings in the environment. It says `ready` and
begins when a line comes. For Linux, which tells the peak of memory.
"""

import asyncio
import json
import sys
import time
from uuid import UUID

from sqlalchemy import select, update

from benchmarks.memory import forget_peak, mib
from meetings.application.sync_calendar import sync_calendar
from meetings.domain.identifiers import AccountId, CalendarId, ConnectionId
from meetings.infrastructure.database.tables import mirror_states, sync_schedule
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.settings import read_settings


async def read(calendar: CalendarId, *, whole: bool) -> dict[str, float]:
    """One read. The provider's library is loaded before, because a worker loads it once for all reads."""
    async with Runtime.open(Process(read_settings(env_file=None))) as runtime:
        tools = runtime.toolbox
        account, connection = await _whose(runtime, calendar)
        async with tools.look(account) as work:
            calendars = tools.calendars_of(await work.connections.get(connection))
        await calendars.list_calendars()
        if whole:
            async with runtime.database.transaction() as transaction:
                await transaction.execute(update(mirror_states).values(cursor=None))
        await tools.schedule.request(calendar)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        forget_peak()
        before, began, worked = mib("VmRSS"), time.perf_counter(), time.process_time()
        await sync_calendar(
            calendar,
            begin=tools.begin,
            look=tools.look,
            calendars_of=tools.calendars_of,
            schedule=tools.schedule,
            clock=tools.clock,
            policy=tools.policy,
        )
        return {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - worked,
            "mib": mib("VmHWM") - before,
        }


async def _whose(runtime: Runtime, calendar: CalendarId) -> tuple[AccountId, ConnectionId]:
    planned = sync_schedule.c
    async with runtime.database.snapshot() as connection:
        query = select(planned.account_id, planned.connection_id).where(planned.calendar_id == calendar)
        row = (await connection.execute(query)).one()
    return AccountId(row.account_id), ConnectionId(row.connection_id)


if __name__ == "__main__":
    told = asyncio.run(read(CalendarId(UUID(sys.argv[1])), whole=sys.argv[2] == "whole"))
    print(json.dumps(told))
