"""How much work the link beside a chat is once it was asked for: `python -m benchmarks.chat_links`.

One web process, one host with 400 events in the next 60 days who shows the link. Three figures: what looking the link
up takes inside the process, and what a whole request costs the web process in CPU time: the script's, one
through GraphQL, and a static answer of the same bytes.
"""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from benchmarks.load import Job, load
from benchmarks.place import POSTGRESQL, SQLITE, cpu_ms_since, cpu_seconds, fill_calendar, place
from meetings.application.chat_links import ChatLinks
from meetings.application.chat_profile import change_chat_profile, widget_key
from meetings.domain.chat_profile import ChatProfile
from meetings.graphql.node_ids import Kind, to_id
from tests.deployment import Deployment
from tests.services import Run
from tests.world import HOST_EMAIL, World

CONNECTIONS = 8
LOOKS = 2_000
REQUESTS = 4_000

LINK = """
query Link($key: String!, $agent: ID!) {
  chatMeetingLink(widgetKey: $key, agentId: $agent) {
    agentName agentAvatarUrl text url mode nextAvailable { start end }
  }
}
"""


async def run(servers: Run, *, quick: bool = False) -> dict[str, Any]:
    """Measure on both databases."""
    seconds = 1.2 if quick else 4.0
    rows = []
    for database in (POSTGRESQL, SQLITE):
        async with place(servers, database, with_worker=False) as deployed:
            fill_calendar(deployed.google, HOST_EMAIL, days=60, events=400)
            here = deployed.here
            await here.connect()
            await here.page()
            await change_chat_profile(
                lambda _: ChatProfile(shows_link=True), caller=here.caller, begin=here.tools.begin, clock=here.clock
            )
            await deployed.start()
            rows.append({"database": database, **await looked_up(here), **await requested(deployed, seconds)})
    return {"connections": CONNECTIONS, "rows": rows}


async def looked_up(here: World) -> dict[str, float]:
    """Milliseconds of one look, the first and then the usual one."""
    tools, anna = here.tools, here.anna
    links = ChatLinks(
        look=tools.look,
        reads=tools.reads,
        fan_out=tools.fan_out,
        links=tools.links,
        clock=tools.clock,
        policy=tools.policy,
    )
    key = widget_key(anna.account_id)
    began = time.perf_counter()
    first = await links.of(key, anna.id)
    cold = time.perf_counter() - began
    if first is None or first.next_available is None:
        raise RuntimeError("nothing to measure")
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        await links.of(key, anna.id)
        took.append(time.perf_counter() - began)
    took.sort()
    p50, p99 = (took[int(LOOKS * share)] for share in (0.5, 0.99))
    return {
        "cold_ms": round(cold * 1000, 2),
        "look_p50_ms": round(p50 * 1000, 3),
        "look_p99_ms": round(p99 * 1000, 3),
    }


async def requested(deployed: Deployment, seconds: float) -> dict[str, Any]:
    """CPU time of the web process for one request."""
    url, pid, anna = deployed.urls[0], deployed.webs[0].pid, deployed.here.anna
    variables = {"key": widget_key(anna.account_id), "agent": to_id(Kind.USER, anna.id)}
    body = json.dumps({"query": LINK, "variables": variables})
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        answer = await http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
        if not answer.json()["data"]["chatMeetingLink"]:
            raise RuntimeError(f"nothing to measure: {answer.text[:600]}")
        await http.put("/static", content=answer.content)
    costs: dict[str, Any] = {}
    for name, path in (("static", "/static"), ("graphql", "/graphql")):
        before = cpu_seconds(pid)
        done = await load(
            Job(f"{url}{path}", [body], '"agentName"', seconds=seconds, connections=CONNECTIONS, warm_up=0)
        )
        costs[f"{name}_cpu_ms"] = cpu_ms_since(before, pid, done.answers)
        costs[f"{name}_p50_ms"] = round(done.p50_ms, 2)
        costs[f"{name}_per_second"] = done.per_second
    costs["script_cpu_ms"] = await asked_by_the_script(url, pid, variables)
    return costs


async def asked_by_the_script(url: str, pid: int, variables: dict[str, str]) -> float | None:
    """CPU time of the web process for one `GET /chat/link`, over connections that stay open."""
    place = urlsplit(url)
    request = f"GET /chat/link?{urlencode(variables)} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()

    async def ask_often() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for _ in range(REQUESTS // CONNECTIONS):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            answer = await reader.readexactly(length)
            if b'"agentName"' not in answer:
                raise RuntimeError(f"nothing to measure: {answer[:600]!r}")
        writer.close()

    await ask_often()
    before = cpu_seconds(pid)
    await asyncio.gather(*(ask_often() for _ in range(CONNECTIONS)))
    return cpu_ms_since(before, pid, REQUESTS)


def table(results: dict[str, Any]) -> str:
    columns = {
        "cold ms": "cold_ms",
        "look p50 ms": "look_p50_ms",
        "look p99 ms": "look_p99_ms",
        "script CPU ms": "script_cpu_ms",
        "GraphQL CPU ms": "graphql_cpu_ms",
        "static CPU ms": "static_cpu_ms",
        "per s": "graphql_per_second",
    }
    lines = [f"{'link beside a chat':<20}{'':<12}{''.join(f'{name:>16}' for name in columns)}"]
    for row in results["rows"]:
        values = "".join(f"{row[key] if row[key] is not None else '-':>16}" for key in columns.values())
        lines.append(f"{'':<20}{row['database']:<12}{values}")
    return "\n".join(lines)


if __name__ == "__main__":
    started = Run.begin()
    try:
        print(table(asyncio.run(run(started))))
    finally:
        started.end()
