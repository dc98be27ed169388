"""A real browser, driven by the DevTools protocol: Debian's Chromium, where it is installed."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.waiting import until

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 60.0
ENOUGH_SECONDS = 30.0


def browser_path() -> str | None:
    """Where the browser is; None when there is none on the PATH."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Gone(Exception):
    """The window is not there (any more), or cannot do what it was asked."""


class Browser:
    """One window, and those it opens. Expressions are JavaScript whose value can be written as JSON."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._first = ""
        self._sessions: dict[str, str] = {}

    async def begin(self) -> None:
        self._first = (await self._call("Target.createTarget", url="about:blank"))["targetId"]

    async def open(self, url: str) -> None:
        """Go to an address in the first window."""
        await self._in(self._first, "Page.navigate", url=url)

    async def told(self, expression: str, *, of: str | None = None) -> Any:
        """What an expression is worth in the first window, or in the one that shows the address `of`."""
        window = self._first if of is None else await self._window(of)
        answer = await self._in(window, "Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str, *, of: str | None = None) -> None:
        """Wait for an expression to hold."""

        async def holds() -> bool:
            return bool(await self.told(f"Boolean({expression})", of=of))

        await until(expression, holds, seconds=ENOUGH_SECONDS)

    async def follow(self, expression: str) -> str:
        """Click on an element with the mouse, and give the address of the window that this opens, once it is loaded."""
        before = {target["targetId"] for target in await self._windows()}
        corner = f"{expression}.getBoundingClientRect()"
        x, y = [
            await self.told(f"{corner}.{side} + {corner}.{size} / 2")
            for side, size in (("x", "width"), ("y", "height"))
        ]
        for kind in ("mousePressed", "mouseReleased"):
            await self._in(self._first, "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

        async def loaded() -> str | None:
            for window in await self._windows():
                url: str = window["url"]
                if window["targetId"] not in before and url.startswith("http"):
                    with suppress(Gone):  # a page that wants nothing to do with who opened it gets another window
                        done = f"document.readyState === 'complete' && location.href === {json.dumps(url)}"
                        return url if await self.told(done, of=url) else None
            return None

        opened: str = await until("a window to open", loaded, seconds=ENOUGH_SECONDS)
        return opened

    async def cookies(self) -> list[str]:
        """The names of all cookies of all sites."""
        return [cookie["name"] for cookie in (await self._call("Storage.getCookies"))["cookies"]]

    async def _windows(self) -> list[dict[str, Any]]:
        found = (await self._call("Target.getTargets"))["targetInfos"]
        return [target for target in found if target["type"] == "page"]

    async def _window(self, url: str) -> str:
        for target in await self._windows():
            if target["url"] == url:
                return str(target["targetId"])
        raise Gone(url)

    async def _in(self, window: str, method: str, **given: Any) -> dict[str, Any]:
        if window not in self._sessions:
            attached = await self._call("Target.attachToTarget", targetId=window, flatten=True)
            self._sessions[window] = attached["sessionId"]
        return await self._call(method, self._sessions[window], **given)

    async def _call(self, method: str, session: str | None = None, **given: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": given}
        await self._socket.send(json.dumps(message if session is None else {**message, "sessionId": session}))
        async with asyncio.timeout(ENOUGH_SECONDS):
            async for text in self._socket:
                answer = json.loads(text)
                if answer.get("id") == self._number:
                    if "error" in answer:
                        raise Gone(answer["error"]["message"])
                    result: dict[str, Any] = answer["result"]
                    return result
        raise ConnectionError("the browser is gone")


@asynccontextmanager
async def headless() -> AsyncIterator[Browser]:
    """A browser with a profile of its own that reaches nothing but this machine."""
    program = browser_path()
    assert program is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        started = await asyncio.create_subprocess_exec(
            program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.localhost",
            "--remote-debugging-port=0",
            "--lang=en",
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port, path = await _address(Path(profile) / "DevToolsActivePort")
            async with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None) as socket:
                browser = Browser(socket)
                await browser.begin()
                yield browser
        finally:
            with suppress(ProcessLookupError):
                started.terminate()
            await started.wait()


async def _address(file: Path) -> tuple[str, str]:
    """The port and path the browser wrote down once it listens."""
    lines: list[str] = []

    async def listens() -> bool:
        with suppress(FileNotFoundError):
            lines[:] = (await asyncio.to_thread(file.read_text)).split()
        return len(lines) == 2

    await until("the browser to listen", listens, seconds=START_SECONDS)
    return lines[0], lines[1]
