"""Health: live, ready, degraded, unavailable, each with its reason (PF-2)."""

from pathlib import Path

from tests import services
from tests.databases import Simulators
from tests.product import ApiClient, Product, product, served_alone
from tests.world import sqlite_url


async def test_a_process_that_can_do_everything_is_ready(visitor: ApiClient) -> None:
    answer = await visitor.http.get("/health/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], set(body["checks"].values())) == ("ready", {"ok"})
    assert set(body["checks"]) == {"database", "keys", "broker", "providers", "worker"}
    assert body["versions"]["tzdata"].startswith("20")


async def test_liveness_asks_nobody(simulators: Simulators) -> None:
    async with served_alone(nowhere(), *simulators) as visitor:
        assert (await visitor.http.get("/health/live")).json() == {"status": "ok"}


async def test_without_its_database_a_process_is_not_ready(simulators: Simulators) -> None:
    async with served_alone(nowhere(), *simulators) as visitor:
        answer = await visitor.http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert answer.json()["checks"]["database"] == "cannot be reached"


async def test_with_an_older_schema_a_process_is_not_ready(tmp_path: Path, simulators: Simulators) -> None:
    async with served_alone(sqlite_url(tmp_path), *simulators) as visitor:
        answer = await visitor.http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "the schema is not the newest: run `meetings migrate`"


async def test_without_its_broker_a_process_is_ready_but_degraded(database_url: str, simulators: Simulators) -> None:
    nobody = f"redis://127.0.0.1:{services.free_port()}/0"
    async with product(database_url, *simulators, redis_url=nobody) as running, running.visitor() as visitor:
        answer = await visitor.http.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        assert answer.json()["checks"]["broker"] == "cannot be reached; work goes on more slowly"
        data = await visitor.ask("{ server { version } }")
        assert data["server"]["version"]


async def test_a_provider_that_cannot_be_read_makes_it_degraded(served: Product, visitor: ApiClient) -> None:
    await served.here.connect()
    (calendar,) = (await served.here.connection()).selected_calendars
    async with served.here.tools.begin(served.here.anna.account_id) as work:
        for _ in range(3):
            await work.mirror.note_failure(calendar.id)
        await work.commit()
    body = (await visitor.http.get("/health/ready")).json()
    assert body["status"] == "degraded"
    assert body["checks"]["providers"] == "1 of 1 calendars cannot be read"


def nowhere() -> str:
    return f"postgresql+asyncpg://nobody@127.0.0.1:{services.free_port()}/nothing"
