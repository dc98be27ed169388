"""How long a full inbox takes to be read for a few answers: `python -m benchmarks.inbox_sync`.

For each provider a simulated mailbox to which many mails have come since it was read last, 20 of them answers to mails
of ours. The product reads it with a SQLite database, as the worker does. Provider and product share this process, so
the provider's work, and checking what goes to and fro against its published description, is in the time and the memory.
"""

import asyncio
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.memory import forget_peak, mib
from meetings.infrastructure.database.migrate import migrate
from tests.contracts.mail.letters import a_mail, message_id
from tests.mailed import Mailed, mailed
from tests.services import Run
from tests.world import outside, sqlite_url

MAILS, QUICK_MAILS = 10_000, 1_000
ANSWERS = 20
PROVIDERS = ("google", "office365", "exchange")
"""Those whose mailboxes are simulated; a real IMAP server would be measured with the others' simulators."""


async def run(servers: Run, *, quick: bool = False) -> dict[str, Any]:
    """Each provider once; `quick` with a tenth of the mails."""
    mails = QUICK_MAILS if quick else MAILS
    with TemporaryDirectory(prefix="meetings-benchmark-") as folder:
        await migrate(sqlite_url(Path(folder)))
        rows = [{"provider": each, **await measure(each, mails, Path(folder))} for each in PROVIDERS]
    return {"mails": mails, "answers": ANSWERS, "rows": rows}


async def measure(provider: str, mails: int, template: Path) -> dict[str, Any]:
    """One read of everything that came, and one when nothing has come since."""
    with TemporaryDirectory(prefix="meetings-benchmark-") as folder, outside() as simulators:
        shutil.copy(template / "meetings.db", folder)
        async with mailed(sqlite_url(Path(folder)), provider, simulators) as ada:
            ours = await ada.send()
            await ada.read()
            await asyncio.to_thread(_fill, ada, ours.known_as, mails)
            whole = await _read(ada)
            logged = len(await ada.received())
            if logged != ANSWERS:
                raise RuntimeError(f"{logged} answers were found, not {ANSWERS}")
            return {"whole": whole, "nothing": await _read(ada)}


def _fill(ada: Mailed, answered: str, mails: int) -> None:
    """Mails of strangers, with the answers spread evenly among them."""
    ada.clock.passes(minutes=1)
    for number in range(mails):
        answer = number % (mails // ANSWERS) == 0
        raw = a_mail(
            ada.place.account,
            sender="Vera Stranger <vera@elsewhere.example>" if answer else f"Somebody <{number}@crowd.example>",
            subject="Re: Next steps" if answer else f"News of the day, number {number}",
            text="Gladly.\n" if answer else "Lorem ipsum dolor sit amet.\n" * 40,
            answers=answered if answer else None,
            id=message_id("crowd.example"),
        )
        ada.place.deliver(raw)


async def _read(ada: Mailed) -> dict[str, float]:
    await ada.here.tools.mail_schedule.request(ada.mailbox.id)
    forget_peak()
    before, calls, began, worked = mib("VmRSS"), ada.place.calls(), time.perf_counter(), time.process_time()
    await ada.read_once(ada.mailbox.id)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - worked,
        "mib": mib("VmHWM") - before,
        "calls": ada.place.calls() - calls,
    }


def table(results: dict[str, Any]) -> str:
    """Seconds and memory hold the simulator's share."""
    columns = {"s": "seconds", "CPU s": "cpu_seconds", "calls": "calls", "MiB more": "mib"}
    reads = {f"{results['mails']} mails": "whole", "none": "nothing"}
    heads = "".join(f"{f'{read}: {name}' if name == 's' else name:>16}" for read in reads for name in columns)
    lines = [f"{'inbox':<12}{heads}"]
    for row in results["rows"]:
        cells = "".join(f"{row[read][column]:>16.4g}" for read in reads.values() for column in columns.values())
        lines.append(f"{row['provider']:<12}{cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    started = Run.begin()
    try:
        print(table(asyncio.run(run(started))))
    finally:
        started.end()
