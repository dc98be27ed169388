"""The `Caddyfile` of this repository, run by Caddy itself in front of the product: certificates for known names."""

import asyncio
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from tests.api.domain_manager import connect
from tests.api.gates import create
from tests.databases import database_url, simulators, sqlite_template
from tests.product import ApiClient, Product, listening, product
from tests.waiting import until
from tests.world import HOST_EMAIL, PASSWORD

__all__ = ["database_url", "simulators", "sqlite_template"]

CADDY = shutil.which("caddy")
CADDYFILE = Path(__file__).parents[2] / "Caddyfile"
NAME = "yourcustomname.com"
MAIN = "meetings.example.com"

pytestmark = pytest.mark.skipif(CADDY is None, reason="there is no `caddy` on the PATH to try the Caddyfile with")


@pytest.fixture
async def served(database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]) -> AsyncIterator[Product]:
    """A production server with a page of Anna's, and a domain of her own."""
    with NameServer().serve() as dns:
        more: dict[str, Any] = {
            "environment": "production",
            "public_url": f"https://{MAIN}",
            "dns_servers": dns.address,
            "trusted_proxies": "127.0.0.1",
        }
        async with product(database_url, *simulators, with_worker=False, **more) as started:
            async with ApiClient(started.url, headers={"Host": MAIN}) as anna:
                answer = await anna.send(
                    f'mutation {{ signIn(email: "{HOST_EMAIL}", password: "{PASSWORD}") {{ token }} }}'
                )
                anna.http.headers["Authorization"] = f"Bearer {answer.json()['data']['signIn']['token']}"
                anna.http.cookies.clear()
                await create(anna, "example")
                await connect(anna, dns, NAME)
            yield started


@contextmanager
def caddy(served: Product, folder: Path) -> Iterator[int]:
    """Caddy with this Caddyfile and an authority of its own; gives the port it listens on."""
    ports = []
    for _ in range(2):
        with listening() as free:
            ports.append(free.getsockname()[1])
    here = f"{{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\thttp_port {ports[0]}\n\thttps_port {ports[1]}\n"
    text = CADDYFILE.read_text()
    assert text.count("\n{\n") == 1
    (folder / "Caddyfile").write_text(text.replace("\n{\n", f"\n{here}"))
    environment = {
        **os.environ,
        "MEETINGS_UPSTREAM": served.url.removeprefix("http://"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    command = [str(CADDY), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield ports[1]
    finally:
        process.terminate()
        process.wait(timeout=20)


async def asked(port: int, name: str, path: str) -> int:
    """The status; 0 when there is no certificate for the name."""
    believing = ssl.create_default_context()
    believing.check_hostname, believing.verify_mode = False, ssl.CERT_NONE
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=believing, server_hostname=name)
    except ssl.SSLError:
        return 0
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode(errors="replace")
    finally:
        writer.close()
    return int(answer.split(" ", 2)[1])


async def test_known_names_get_a_certificate_and_their_pages_and_others_nothing(
    served: Product, tmp_path: Path
) -> None:
    with caddy(served, tmp_path) as port:

        async def listens() -> bool:
            try:
                return await asked(port, MAIN, "/health/live") == 200
            except OSError:
                return False

        await until("Caddy to listen", listens)
        for name, path, status in (
            (NAME, "/meetings/example", 200),
            (MAIN, "/meetings/example", 200),
            (f"meet.{MAIN}", "/example", 200),
            (NAME, "/tls/ask?domain=" + NAME, 404),
            ("evil.example", "/", 0),
        ):
            assert await asked(port, name, path) == status, (name, path)
