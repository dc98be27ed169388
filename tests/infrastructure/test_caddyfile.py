"""The `Caddyfile` of this repository, run by Caddy itself in front of the product: certificates for known names."""

import asyncio
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from tests.api.domain_manager import REMOVE, connect, tell
from tests.api.gates import create
from tests.databases import database_url, simulators, sqlite_template
from tests.product import NO_RATES, ApiClient, Product, listening, product
from tests.waiting import until
from tests.world import HOST_EMAIL, PASSWORD

__all__ = ["database_url", "simulators", "sqlite_template"]

CADDY = shutil.which("caddy")
CADDYFILE = Path(__file__).parents[2] / "Caddyfile"
NAME = "yourcustomname.com"
REMOVED = "former.example"
MAIN = "meetings.example.com"

pytestmark = pytest.mark.skipif(CADDY is None, reason="there is no `caddy` on the PATH to try the Caddyfile with")


@dataclass
class Behind:
    """A production server with a page of Anna's at two domains of hers, and Caddy in front with this Caddyfile and an
    authority of its own."""

    served: Product
    anna: ApiClient
    folder: Path
    http_port: int
    https_port: int

    async def asks(self, name: str, path: str, **headers: str) -> int:
        """The status, over a connection whose certificate is the authority's and for this very name; 0 when there is
        none to be had."""
        believing = ssl.create_default_context(cafile=str(self.folder / "caddy/pki/authorities/local/root.crt"))
        try:
            streams = await asyncio.open_connection("127.0.0.1", self.https_port, ssl=believing, server_hostname=name)
        except ssl.SSLCertVerificationError:
            raise
        except ssl.SSLError:
            return 0
        answer = await sent(*streams, name, path, headers)
        return int(answer.split(" ", 2)[1])

    async def asks_without_tls(self, name: str, path: str) -> str:
        """The whole answer."""
        return await sent(*await asyncio.open_connection("127.0.0.1", self.http_port), name, path, {})

    async def listens(self) -> bool:
        try:
            return await self.asks(MAIN, "/health/live") == 200
        except OSError:
            return False


async def sent(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, path: str, headers: dict[str, str]
) -> str:
    lines = [f"GET {path} HTTP/1.1", f"Host: {name}", "Connection: close", *(f"{k}: {v}" for k, v in headers.items())]
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        return (await reader.read()).decode(errors="replace")
    finally:
        writer.close()


@contextmanager
def caddy(upstream: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Caddy, with its HTTP and its HTTPS port."""
    ports = []
    for _ in range(2):
        with listening() as free:
            ports.append(free.getsockname()[1])
    options = ["admin off", "local_certs", "skip_install_trust", f"http_port {ports[0]}", f"https_port {ports[1]}"]
    environment = {
        **os.environ,
        "MEETINGS_UPSTREAM": upstream.removeprefix("http://"),
        "CADDY_GLOBAL_OPTIONS": "\n".join(options),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    command = [str(CADDY), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield ports[0], ports[1]
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
async def behind(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], tmp_path: Path
) -> AsyncIterator[Behind]:
    with NameServer().serve() as dns:
        more: dict[str, Any] = {
            "environment": "production",
            "public_url": f"https://{MAIN}",
            "dns_servers": dns.address,
            "trusted_proxies": "127.0.0.1",
            "rates": {**NO_RATES, "chat_link": ("2/hour",)},
        }
        async with (
            product(database_url, *simulators, with_worker=False, **more) as started,
            ApiClient(started.url, headers={"Host": MAIN}) as anna,
        ):
            answer = await anna.send(
                f'mutation {{ signIn(email: "{HOST_EMAIL}", password: "{PASSWORD}") {{ token }} }}'
            )
            anna.http.headers["Authorization"] = f"Bearer {answer.json()['data']['signIn']['token']}"
            anna.http.cookies.clear()
            await create(anna, "example")
            await connect(anna, dns, NAME)
            removed = await connect(anna, dns, REMOVED)
            assert (await tell(anna, REMOVE, id=removed["id"]))["errors"] == []
            with caddy(started.url, tmp_path) as (http_port, https_port):
                found = Behind(started, anna, tmp_path, http_port, https_port)
                await until("Caddy to listen", found.listens, seconds=60)
                yield found


async def test_known_names_get_a_certificate_and_their_pages_and_others_nothing(behind: Behind) -> None:
    for name, path, status in (
        (NAME, "/meetings/example", 200),
        (NAME, "/meetings/nothing", 404),
        (MAIN, "/meetings/example", 200),
        (f"meet.{MAIN}", "/example", 200),
        (f"www.{NAME}", "/meetings/example", 0),
        (REMOVED, "/meetings/example", 0),
        ("evil.example", "/", 0),
    ):
        assert await behind.asks(name, path) == status, (name, path)


async def test_what_the_proxy_asks_for_itself_and_what_it_says_of_clients_is_nobody_elses(behind: Behind) -> None:
    assert await behind.asks(NAME, f"/tls/ask?domain={NAME}") == 404
    assert await behind.asks(MAIN, f"/tls/ask?domain={NAME}") == 404
    statuses = [
        await behind.asks(MAIN, "/chat/link?" + urlencode({"key": "k", "agent": "a"}), **{"X-Forwarded-For": address})
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3")
    ]
    assert statuses == [200, 200, 429], "counted by the address that called, whatever it says itself"


async def test_without_tls_there_is_only_the_way_to_it(behind: Behind) -> None:
    answer = await behind.asks_without_tls(NAME, "/meetings/example")
    assert answer.startswith("HTTP/1.1 308 ")
    assert f"Location: https://{NAME}" in answer
    assert "/meetings/example" in answer
