"""What is deleted when nobody needs it any more (TP-3), and who does it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Table, insert, select

from meetings.infrastructure.database.tables import (
    crm_trips,
    idempotency_keys,
    intents,
    push_channels,
    sessions,
    sign_in_attempts,
    slot_holds,
)
from meetings.infrastructure.housekeeping import tidy_up
from meetings.infrastructure.leadership import Leadership
from tests.databases import BOTH_DATABASES, Simulators
from tests.services import Postgres
from tests.world import World, world

on_both_databases = pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)


@pytest.fixture
async def here(database_url: str, simulators: Simulators) -> AsyncIterator[World]:
    async with world(database_url, *simulators) as found:
        yield found


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def rows(here: World, at: datetime) -> dict[Table, dict[str, Any]]:
    """A row of each table whose time is up at `at`."""
    account, user, new = here.anna.account_id, here.anna.id, str(uuid4())
    intent = {"id": uuid4(), "account_id": account, "reaction": "tell_host", "subject": uuid4(), "lane": new}
    return {
        sessions: {"token_hash": new, "account_id": account, "user_id": user, "created_at": at, "expires_at": at},
        sign_in_attempts: {
            "state_hash": new, "account_id": account, "user_id": user, "browser_hash": "b", "provider": "GOOGLE",
            "verifier": "v", "redirect_uri": "r", "return_to": "t", "disclosure_version": "d", "created_at": at,
            "expires_at": at,
        },
        crm_trips: {
            "state_hash": new, "account_id": account, "user_id": user, "browser_hash": "b", "redirect_uri": "r",
            "return_to": "t", "expires_at": at,
        },
        slot_holds: {
            "token_hash": new, "account_id": account, "page_id": uuid4(), "visitor": "v", "address": "a",
            "start_at": at, "end_at": at, "expires_at": at,
        },
        idempotency_keys: {
            "account_id": account, "operation": "bookMeeting", "scope": "s", "key": new, "fingerprint": "f",
            "booking_id": uuid4(), "created_at": at,
        },
        intents: {**intent, "details": {}, "created_at": at, "due_at": at, "attempts": 1, "fence": 1, "done_at": at},
        push_channels: {
            "channel_id": new, "account_id": account, "calendar_id": uuid4(), "connection_id": uuid4(),
            "resource_id": "r", "secret_hash": "s", "expires_at": at, "renew_at": at,
        },
    }  # fmt: skip


async def store(here: World, at: datetime) -> None:
    async with here.runtime.database.transaction() as connection:
        for table, row in rows(here, at).items():
            await connection.execute(insert(table).values(row))


async def counts(here: World) -> dict[str, int]:
    async with here.runtime.database.snapshot() as connection:
        return {
            table.name: len((await connection.execute(select(table))).all())
            for table in (sessions, sign_in_attempts, crm_trips, slot_holds, idempotency_keys, intents, push_channels)
        }


@on_both_databases
async def test_only_what_is_out_of_date_is_deleted(here: World) -> None:
    await store(here, ago(days=8))
    await store(here, ago(minutes=5))
    gone = await tidy_up(here.runtime.database)
    for elsewhere in ("visitors", "bookings", "person_requests"):  # see the tests of forms filled in, and of retention
        assert gone.pop(elsewhere) == 0
    assert set(gone.values()) == {1}
    assert set((await counts(here)).values()) == {1}
    assert set((await tidy_up(here.runtime.database)).values()) == {0}


async def test_what_waits_for_people_or_for_its_time_is_kept(here: World) -> None:
    waiting = rows(here, ago(days=99))[intents] | {"done_at": None}
    dead = rows(here, ago(days=99))[intents] | {"done_at": None, "died_at": ago(days=99)}
    async with here.runtime.database.transaction() as connection:
        for row in (waiting, dead):
            await connection.execute(insert(intents).values(row))
    assert (await tidy_up(here.runtime.database))["intents"] == 0


async def test_more_than_one_transaction_full_is_deleted(here: World) -> None:
    async with here.runtime.database.transaction() as connection:
        many = [rows(here, ago(days=9))[sessions] for _ in range(2_100)]
        await connection.execute(insert(sessions), many)
    assert (await tidy_up(here.runtime.database))["sessions"] == 2_100


async def test_one_process_leads_until_it_is_gone(postgres_url: str) -> None:
    first, second = Leadership(postgres_url), Leadership(postgres_url)
    assert await first.held()
    assert not await second.held()
    assert await first.held()
    await first.close()
    assert await second.held()
    assert not await first.held()
    await second.close()


async def test_a_leader_that_lost_its_connection_does_not_lead_any_more(postgres_url: str) -> None:
    first, second = Leadership(postgres_url), Leadership(postgres_url)
    assert await first.held()
    everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    await Postgres(postgres_url).execute(f"{everybody} AND pid <> pg_backend_pid()")
    assert await second.held()
    assert not await first.held()
    await second.close()


async def test_on_sqlite_everybody_leads(database_url: str) -> None:
    assert await Leadership(database_url).held()
    assert await Leadership(database_url).held()
