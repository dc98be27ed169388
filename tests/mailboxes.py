"""Anna's mailbox on an Exchange server, for tests of the whole product."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from meetings.adapters.exchange.disclosure import DISCLOSURE
from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.application.account_settings import switch_exchange_full_sync
from meetings.application.connect_exchange import ConnectExchange, connect_exchange
from meetings.application.ports.calendars import MailboxCredentials
from meetings.application.store_connection import StoredAccount
from meetings.domain.identifiers import ConnectionId
from meetings.domain.user import User
from tests.world import HOST_EMAIL, World, outside, world

MAILBOX_PASSWORD = "canary-of-a-mailbox-password"


@contextmanager
def exchange_server(**how: Any) -> Iterator[ExchangeSimulator]:
    """A server on loopback with Anna's mailbox."""
    with ExchangeSimulator(**how).serve() as exchange:
        exchange.add_account(HOST_EMAIL, "Anna Albers", password=MAILBOX_PASSWORD, time_zone="Europe/Berlin")
        yield exchange


def may_call(*servers: ExchangeSimulator) -> dict[str, Any]:
    """Settings of a product that may call every port of this machine and believes the first server's authority."""
    return {"exchange_private_networks": "localhost:1024-65535", "exchange_ca_file": servers[0].ca_file}


def typed(exchange: ExchangeSimulator, **other: Any) -> MailboxCredentials:
    """What Anna types in."""
    given: dict[str, Any] = {"email": HOST_EMAIL, "password": MAILBOX_PASSWORD, "server_url": exchange.ews_url}
    return MailboxCredentials(**{**given, **other})


@dataclass
class AtExchange:
    """A world whose Anna has a mailbox on an Exchange server."""

    here: World
    exchange: ExchangeSimulator
    calendar: str = field(init=False)

    def __post_init__(self) -> None:
        self.calendar = self.exchange.calendar_of(HOST_EMAIL)

    async def submit(
        self,
        *,
        version: str = DISCLOSURE.version,
        user: User | None = None,
        reconnect: ConnectionId | None = None,
        **other: Any,
    ) -> StoredAccount:
        """Press "connect"."""
        tools = self.here.tools
        return await connect_exchange(
            ConnectExchange(version, typed(self.exchange, **other), reconnect),
            caller=self.here.caller_of(user or self.here.anna),
            begin=tools.begin,
            look=tools.look,
            providers=tools.providers,
            clock=self.here.clock,
        )

    async def connect(self, **other: Any) -> ConnectionId:
        """Connect, and read the calendar once."""
        stored = await self.submit(**other)
        await self.here.settle_down()
        assert stored.connection_id is not None
        return stored.connection_id

    async def lift_limits(self, *, on: bool = True) -> None:
        """Anna, who owns the account, switches full sync."""
        here = self.here
        await switch_exchange_full_sync(on=on, caller=here.caller, begin=here.tools.begin, clock=here.clock)

    def events(self, words: str = "") -> list[Any]:
        """The live events of Anna's calendar whose subject holds `words`."""
        return [event for event in self.exchange.events(self.calendar) if words in event.subject]


def clock_of(at: datetime) -> Callable[[], datetime]:
    return lambda: at


@asynccontextmanager
async def at_exchange(database_url: str, *, now: datetime) -> AsyncIterator[AtExchange]:
    """Anna with a mailbox on an Exchange 2010 SP2 that she has not connected yet; `now` is when her world begins."""
    with outside() as (google, mail), exchange_server(now=clock_of(now)) as exchange:
        async with world(database_url, google, mail, now=now, **may_call(exchange)) as here:
            yield AtExchange(here, exchange)
