"""How long the page of a contact takes on which much happened: `python -m benchmarks.crm_timeline`.

One contact with 300 meetings and 200 mails among 500 contacts, in the built-in records. A signed-in person asks for
the newest 20 entries, then for 20 in the middle, each with everything there is to show, and searches contacts by the
beginning of a name. Figures: statements the database gets, and milliseconds from request to answer, one at a time;
client and server share one process here, so a server of its own is faster.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from sqlalchemy import event

from benchmarks.place import POSTGRESQL, SQLITE
from meetings.application.ports.crm import ContactDetails, Crm, MailDirection, MailRecord, MeetingRecord
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from meetings.infrastructure.database.migrate import migrate
from tests.product import ApiClient, Product, product
from tests.services import Postgres, Run
from tests.world import HOST_EMAIL, outside

MEETINGS, MAILS, OTHERS = 300, 200, 500
VERA = "vera@visitors.example"
BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)

ENTRY = """... on MeetingEngagement { title start end outcome invitationSent calendarEventUrl
    contacts { email name } owners { name } booking { id status } }
  ... on LoggedEmail { direction from to subject text sentAt owner { name } }"""
PAGE = f"""query($id: ID!, $after: String) {{ viewer {{ contact(id: $id) {{ name email company owner {{ name }}
  timeline(first: 20, after: $after) {{ totalCount pageInfo {{ endCursor }} nodes {{ {ENTRY} }} }} }} }} }}"""
SEARCH = (
    """query($words: String) { viewer { contacts(first: 20, query: $words) { totalCount nodes { id email name } } } }"""
)


async def run(servers: Run, *, quick: bool = False) -> dict[str, Any]:
    """Measure on both databases."""
    times = 40 if quick else 200
    rows = []
    for database in (POSTGRESQL, SQLITE):
        with TemporaryDirectory(prefix="meetings-benchmark-") as folder, outside() as (google, mail):
            url = f"sqlite+aiosqlite:///{Path(folder)}/meetings.db"
            if database == POSTGRESQL:
                url = await Postgres(servers.server("postgres", "postgres")).create_database()
            await migrate(url)
            async with product(url, google, mail, with_worker=False) as served, served.host() as host:
                await fill(await served.here.tools.crm_of(served.here.anna.account_id))
                rows.append({"database": database, **await measured(served, host, times)})
    return {"entries": MEETINGS + MAILS, "contacts": OTHERS + 1, "rows": rows}


async def fill(crm: Crm) -> None:
    """The same for every run."""
    for number in range(OTHERS):
        await crm.put_contact(ContactDetails(f"visitor{number}@visitors.example", f"Visitor{number}", company="Acme"))
    vera = await crm.put_contact(ContactDetails(VERA, "Vera", "Vogt", "Acme", owner=HOST_EMAIL))
    for number in range(MEETINGS):
        start = BEGAN + timedelta(hours=5 * number)
        await crm.put_meeting(
            MeetingRecord(
                key=uuid4(),
                contacts=(vera.id,),
                owners=(HOST_EMAIL,),
                title=f"Meeting {number}",
                body="What it is about.",
                start=start,
                end=start + timedelta(minutes=30),
                outcome=MeetingOutcome.COMPLETED,
                source=MeetingSource.PAGE,
            )
        )
    for number in range(MAILS):
        await crm.put_mail(
            MailRecord(
                key=uuid4(),
                contacts=(vera.id,),
                owner=HOST_EMAIL,
                direction=MailDirection.INBOUND,
                sender=VERA,
                recipients=(HOST_EMAIL,),
                subject=f"Mail {number}",
                text="What it says. " * 20,
                sent_at=BEGAN + timedelta(hours=7 * number),
                message_id=f"<{number}@visitors.example>",
            )
        )


async def measured(served: Product, host: ApiClient, times: int) -> dict[str, Any]:
    """Each question as often as `times`, after a first time that does not count."""
    contact = (await host.ask(SEARCH, words="vera vogt"))["viewer"]["contacts"]["nodes"][0]["id"]
    middle = None
    for _ in range(12):
        middle = (await host.ask(PAGE, id=contact, after=middle))["viewer"]["contact"]["timeline"]["pageInfo"][
            "endCursor"
        ]
    figures: dict[str, Any] = {}
    for name, document, variables in (
        ("newest", PAGE, {"id": contact}),
        ("middle", PAGE, {"id": contact, "after": middle}),
        ("search", SEARCH, {"words": "visitor19"}),
    ):
        with statements(served) as seen:
            await host.ask(document, **variables)
        took = []
        for _ in range(times):
            began = time.perf_counter()
            await host.ask(document, **variables)
            took.append((time.perf_counter() - began) * 1000)
        took.sort()
        figures[f"{name}_statements"] = sum("SELECT" in statement for statement in seen)
        figures[f"{name}_p50_ms"] = round(took[times // 2], 1)
        figures[f"{name}_p95_ms"] = round(took[times * 95 // 100], 1)
    return figures


@contextmanager
def statements(served: Product) -> Iterator[list[str]]:
    """What the server asks its database meanwhile."""
    seen: list[str] = []
    engine = served.app.state.runtime.database._reading.sync_engine

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def table(results: dict[str, Any]) -> str:
    columns = {
        f"{name} {title}": f"{name}_{key}"
        for name in ("newest", "middle", "search")
        for title, key in (("SQL", "statements"), ("p50 ms", "p50_ms"), ("p95 ms", "p95_ms"))
    }
    lines = [f"{'timeline of a contact':<22}{'':<12}{''.join(f'{name:>15}' for name in columns)}"]
    for row in results["rows"]:
        lines.append(f"{'':<22}{row['database']:<12}{''.join(f'{row[key]:>15}' for key in columns.values())}")
    return "\n".join(lines)


if __name__ == "__main__":
    started = Run.begin()
    try:
        print(table(asyncio.run(run(started))))
    finally:
        started.end()
