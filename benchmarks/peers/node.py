"""Servers of others that run on Node, installed into a temporary folder in the versions of `package-lock.json`."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.deployment import port_of_a_server

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", "server.mjs")
INSTALL_SECONDS = 180.0
START_SECONDS = 30.0


class NoPeers(Exception):
    """They cannot be had on this machine; the text says why."""


@asynccontextmanager
async def installed() -> AsyncIterator[Path]:
    """A folder with all of them, gone afterwards.

    Raises:
        NoPeers: there is no Node, or its packages cannot be installed.
    """
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise NoPeers(f"there is no `{missing[0]}` on this machine (Debian and Ubuntu: apt install nodejs npm)")
    with TemporaryDirectory(prefix="meetings-peers-") as folder:
        for name in FILES:
            shutil.copy(HERE / name, folder)
        words = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        process = await asyncio.create_subprocess_exec(
            *words, cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(INSTALL_SECONDS):
                _, said = await process.communicate()
        except TimeoutError:
            process.kill()
            raise NoPeers(f"`npm ci` took longer than {INSTALL_SECONDS:g} s") from None
        if process.returncode:
            raise NoPeers(f"`npm ci` ended with {process.returncode}: {said.decode(errors='replace').strip()[-300:]}")
        yield Path(folder)


@asynccontextmanager
async def peer(kind: str, folder: Path) -> AsyncIterator[tuple[str, int]]:
    """One of them as it is run in production: its address, and the id of its process."""
    port = port_of_a_server()
    process = await asyncio.create_subprocess_exec(
        "node",
        "server.mjs",
        kind,
        str(port),
        cwd=folder,
        env={**os.environ, "NODE_ENV": "production"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await _ready(url, process)
        yield url, process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient() as http:
        while process.returncode is None:
            try:
                await http.post(f"{url}/graphql", json={"query": "{ __typename }"})
                return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise NoPeers("a server ended before it was ready; what it said stands above")
