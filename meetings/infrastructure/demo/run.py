"""The demo: everything in one process, with simulators instead of the outside world, and the tour through it."""

import asyncio
import socket
import sys
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from secrets import token_bytes

import uvicorn

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.adapters.google.simulator import CLIENT_ID, CLIENT_SECRET, GoogleSimulator
from meetings.adapters.office365.simulator import CLIENT_ID as OFFICE_ID
from meetings.adapters.office365.simulator import CLIENT_SECRET as OFFICE_SECRET
from meetings.adapters.office365.simulator import Office365Simulator
from meetings.application.sign_in import NewPerson, add_person, found_account
from meetings.domain.user import Role, UserSettings
from meetings.infrastructure.app import create_app
from meetings.infrastructure.demo.client import Refused
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from meetings.infrastructure.demo.name_server import NameServer
from meetings.infrastructure.demo.people import ANNA, BEN, EVERYBODY, PASSWORD, ZONE
from meetings.infrastructure.demo.report import NotAsExpected
from meetings.infrastructure.demo.tour import Elsewhere, Tour, prepare_google
from meetings.infrastructure.logs import set_up_logs
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.server import PortTaken, check_free
from meetings.infrastructure.settings import LogFormat, Settings, read_settings

HOST = "127.0.0.1"


class DemoFailed(Exception):
    """A step of the tour was not as expected; the text says which and what was seen."""


def run_demo(*, once: bool, port: int) -> int:
    """Start everything, walk the tour, then serve until Ctrl-C; with `once` return after the tour.

    Gives the exit code: 1, after a sentence that says why, when the port is in use or a step was not as expected.
    """
    set_up_logs(LogFormat.CONSOLE, "ERROR")
    try:
        asyncio.run(_demo(once=once, port=port or _free_port()))
    except PortTaken as taken:
        print(f"meetings: {taken} With make: make demo PORT=8123", file=sys.stderr)
        return 1
    except DemoFailed as failed:
        print(f"\n✗ {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo has ended; nothing of it is left.")
    return 0


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as anything:
        found: int = anything.getsockname()[1]
        return found


async def _demo(*, once: bool, port: int) -> None:
    check_free(HOST, port)
    with ExitStack() as outside, tempfile.TemporaryDirectory(prefix="meetings-demo-") as folder:
        google = outside.enter_context(GoogleSimulator().serve())
        office = outside.enter_context(Office365Simulator().serve(pages_port=0))
        exchange = outside.enter_context(ExchangeSimulator().serve())
        elsewhere = Elsewhere(office, exchange, outside.enter_context(NameServer().serve()))
        mail = outside.enter_context(MailCatcher())
        shared = prepare_google(google, EVERYBODY)
        settings = _settings(port, Path(folder), google, elsewhere, mail)
        google.register_client(CLIENT_ID, CLIENT_SECRET, (f"{settings.public_url}/oauth/google/callback",))
        office.register_client(OFFICE_ID, OFFICE_SECRET, (f"{settings.public_url}/oauth/office365/callback",))
        await _populate(settings)
        async with _serving(settings, port):
            await _walk(Tour(settings.public_url, google, mail, shared, elsewhere))
            if not once:
                _invite(settings, google, office)
                await asyncio.Event().wait()


def _settings(port: int, folder: Path, google: GoogleSimulator, elsewhere: Elsewhere, mail: MailCatcher) -> Settings:
    return read_settings(
        env_file=None,
        environment="demo",
        public_url=f"http://{HOST}:{port}",
        database_url=f"sqlite+aiosqlite:///{folder / 'demo.db'}",
        secret_keys=f"demo:{b64encode(token_bytes(32)).decode()}",
        google_client_id=CLIENT_ID,
        google_client_secret=CLIENT_SECRET,
        google_authorize_url=google.endpoints.authorize,
        google_token_url=google.endpoints.token,
        google_revoke_url=google.endpoints.revoke,
        google_api_url=google.endpoints.api,
        google_mail_api_url=google.endpoints.mail_api,
        office365_client_id=OFFICE_ID,
        office365_client_secret=OFFICE_SECRET,
        office365_login_url=elsewhere.office.endpoints.login,
        office365_graph_url=elsewhere.office.endpoints.graph,
        office365_ca_file=elsewhere.office.ca_file,
        exchange_private_networks=f"localhost:{elsewhere.exchange.port}",
        exchange_ca_file=elsewhere.exchange.ca_file,
        smtp_url=f"smtp://{mail.host}:{mail.port}",
        mail_from="Meetings <meetings@demo.example>",
        dns_servers=elsewhere.dns.address,
        push=True,
        rates={"booking": ("100/minute",)},  # one machine plays all visitors
        sweep_seconds=2.0,
        policy={"mail_poll": 1},
        log_level="WARNING",
    )


async def _populate(settings: Settings) -> None:
    """An account with four hosts, none of them connected yet."""
    async with Runtime.open(Process(settings)) as runtime:
        await runtime.database.migrate()
        tools = runtime.toolbox
        hosts = [NewPerson(p.name, p.email, PASSWORD, UserSettings(time_zone=ZONE)) for p in EVERYBODY]
        owner = await found_account(
            "Demo Ltd", hosts[0], identities=tools.identities, passwords=tools.passwords, clock=tools.clock
        )
        for host in hosts[1:]:
            await add_person(
                owner.account_id,
                host,
                Role.MEMBER,
                identities=tools.identities,
                passwords=tools.passwords,
                clock=tools.clock,
            )


@asynccontextmanager
async def _serving(settings: Settings, port: int) -> AsyncIterator[None]:
    """The product itself, web and worker, in this process."""
    config = uvicorn.Config(
        create_app(settings),
        host=HOST,
        port=port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=3,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if running.done():
                raise DemoFailed("the server did not start; see above")
            await asyncio.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(running, return_exceptions=True)


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the demo."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _walk(tour: Tour) -> None:
    try:
        await tour.walk()
    except (NotAsExpected, Refused, TimeoutError) as wrong:
        raise DemoFailed(f"step {tour.report.steps} of the tour failed: {wrong or type(wrong).__name__}") from wrong
    tour.report.saw("", f"The tour: {tour.report.steps} steps, all as expected, in {tour.report.seconds():.1f} s.")


def _invite(settings: Settings, google: GoogleSimulator, office: Office365Simulator) -> None:
    print(
        f"""
The demo goes on serving until Ctrl-C:

  explorer         {settings.public_url}/graphql     (signIn as {ANNA.email} / {PASSWORD})
  Anna's page      {settings.public_url}/p/anna/intro
  Anna's calendar  {google.url}/calendar/u/{ANNA.email}
  Ben's calendar   {office.pages_url}/calendar/{BEN.email}
  the schema       {settings.public_url}/schema.graphql
""",
        flush=True,
    )
