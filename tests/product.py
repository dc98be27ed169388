"""The whole product behind its public API, on a free port of the loopback address; see also `tests/world.py`."""

import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from meetings.adapters.google.simulator import CLIENT_ID, CLIENT_SECRET, GoogleSimulator
from meetings.infrastructure.app import create_app
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.frames import SharedFrames
from meetings.infrastructure.joined_writes import WholeAnswers
from meetings.infrastructure.runtime import Runtime
from tests.waiting import until
from tests.world import HOST_EMAIL, PASSWORD, Clock, World, settings_for

__all__ = ["ApiClient", "Product", "TopLevelErrors", "product", "served", "served_alone", "until"]

START_SECONDS = 20.0
ENOUGH = ("1000000/minute",)
"""A rate that no test reaches."""
NO_RATES = {
    "availability": ENOUGH,
    "hold": ENOUGH,
    "booking": ENOUGH,
    "booking_per_invitee": ENOUGH,
    "sign_in": ENOUGH,
    "domain_check": ENOUGH,
    "chat_link": ENOUGH,
    "mailbox": ENOUGH,
    "mailbox_per_account": ENOUGH,
    "mailbox_per_login": ENOUGH,
}


class TopLevelErrors(Exception):
    """The API refused an operation as a whole; `errors` is what it said."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        self.errors = errors
        super().__init__(errors)

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]


class ApiClient:
    """A browser or a program in front of the API: keeps cookies, sends documents, listens to subscriptions."""

    def __init__(self, url: str, *, token: str | None = None, headers: dict[str, str] | None = None) -> None:
        self.url = url
        self.token = token
        given = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.AsyncClient(base_url=url, timeout=30, headers=given | (headers or {}))

    async def __aenter__(self) -> "ApiClient":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.aclose()

    async def send(self, document: str, **variables: object) -> httpx.Response:
        """The raw answer."""
        return await self.http.post("/graphql", json={"query": document, "variables": variables})

    async def ask(self, document: str, **variables: object) -> dict[str, Any]:
        """The `data` of an operation. Raises `TopLevelErrors`."""
        body = (await self.send(document, **variables)).json()
        if body.get("errors"):
            raise TopLevelErrors(body["errors"])
        data: dict[str, Any] = body["data"]
        return data

    async def sign_in(self, email: str = HOST_EMAIL, password: str = PASSWORD) -> None:
        """Sign in; the cookie goes along from here on, and the token on sockets."""
        data = await self.ask(
            "mutation($e: String!, $p: String!) { signIn(email: $e, password: $p) { token errors { code } } }",
            e=email,
            p=password,
        )
        assert data["signIn"]["errors"] == []
        self.token = data["signIn"]["token"]

    @asynccontextmanager
    async def subscribe(self, document: str, **variables: object) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The events of a subscription over graphql-transport-ws."""
        transport = WebsocketsTransport(
            url=f"{self.url.replace('http', 'ws', 1)}/graphql",
            init_payload={"Authorization": f"Bearer {self.token}"} if self.token else {},
            headers={"Origin": self.url},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        request = gql(document)
        request.variable_values = dict(variables)
        async with Client(transport=transport) as session:
            events = session.subscribe(request)
            try:
                yield events
            finally:
                await events.aclose()


@dataclass
class Product:
    """A served product. `here` works on the same database and hears the same pokes, without going through the API."""

    url: str
    app: FastAPI
    here: World

    @property
    def google(self) -> GoogleSimulator:
        return self.here.google

    @property
    def mail(self) -> MailCatcher:
        return self.here.mail

    async def connect(self) -> None:
        """Anna connects her calendar, and it is read for the first time, by whichever worker is quicker."""
        await self.here.connect()
        connection = await self.here.connection()

        async def is_read() -> bool:
            async with self.here.tools.look(connection.account_id) as work:
                states = [await work.mirror.state(calendar.id) for calendar in connection.selected_calendars]
            return all(state.confirmed_at is not None for state in states)

        await until("the calendars to be read", is_read)

    def visitor(self, **headers: str) -> ApiClient:
        """Somebody who is not signed in."""
        return ApiClient(self.url, headers=headers)

    @asynccontextmanager
    async def host(self) -> AsyncIterator[ApiClient]:
        """Anna, signed in."""
        async with ApiClient(self.url) as client:
            await client.sign_in()
            yield client


@asynccontextmanager
async def served_alone(
    database_url: str, google: GoogleSimulator, mail: MailCatcher, *, with_worker: bool | None = False, **more: Any
) -> AsyncIterator[ApiClient]:
    """Somebody in front of a product on whatever database, with nobody in it."""
    listener = listening()
    url = address_of(listener)
    app = create_app(settings_for(database_url, google, mail, **{"public_url": url, **more}), with_worker=with_worker)
    with served(app, listener):
        async with ApiClient(url) as client:
            yield client


@asynccontextmanager
async def product(
    database_url: str, google: GoogleSimulator, mail: MailCatcher, *, with_worker: bool | None = None, **more: Any
) -> AsyncIterator[Product]:
    """A product on a database that has the newest schema, with Anna's account in it."""
    listener = listening()
    url = address_of(listener)
    given: dict[str, Any] = {"public_url": url, "push": True, "sweep_seconds": 0.5, "rates": NO_RATES, **more}
    app = create_app(settings_for(database_url, google, mail, **given), with_worker=with_worker)
    google.register_client(
        CLIENT_ID,
        CLIENT_SECRET,
        (app.state.process.links.oauth_callback("GOOGLE"),),
    )
    async with Runtime.open(app.state.process) as runtime:
        here = World(runtime, runtime.toolbox, google, mail, RealClock(datetime.now(UTC)))
        await here.populate()
        with served(app, listener):
            yield Product(url, app, here)


class RealClock(Clock):
    """The real present: a served product asks nobody else."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def served(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """Serve in a thread with an event loop of its own, so that a test may block."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=WholeAnswers,
        ws=SharedFrames,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="product", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    if not server.started:
        raise RuntimeError("the product did not start; the log says why")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=START_SECONDS)
        with contextlib.suppress(OSError):
            listener.close()


def listening() -> socket.socket:
    """A socket that listens on a free port: whoever comes before the server only waits."""
    return socket.create_server(("127.0.0.1", 0), backlog=1024)


def address_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
