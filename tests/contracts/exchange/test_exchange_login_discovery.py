"""Finding the server by the address alone (S25, S29, S82, IN-1): autodiscover, its redirects, who sees a password."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from meetings.adapters.exchange.provider import ExchangeSettings, exchange_provider
from meetings.adapters.exchange.simulator import (
    EXCHANGE_ONLINE,
    PASSWORD,
    Autodiscover,
    ExchangeSimulator,
    ForwardProxy,
    forward_proxy,
)
from meetings.application.ports.calendars import (
    ConnectedMailbox,
    LoginProblem,
    LoginRefused,
    MailboxCredentials,
    RateLimited,
    ServerAuth,
)
from tests.contracts.calendars.world import NOW
from tests.contracts.exchange.https_server import Asked, Authority, Server, https_server

ADA = "ada@example.com"
DOMAIN, SUBDOMAIN = "example.com", "autodiscover.example.com"


class Network:
    """Names of this test's little internet, and a proxy that stands for the way to them: the simulator is at every
    address, unless `routes` leads port 443 of it elsewhere."""

    def __init__(self, proxy: ForwardProxy, routes: dict[str, tuple[str, int]], simulator: int) -> None:
        self.names = {DOMAIN: "192.0.2.1", SUBDOMAIN: "192.0.2.2"}
        self.aliases: dict[str, str] = {}
        self.proxy = proxy
        self._simulator = simulator
        self._routes = routes

    @property
    def asked(self) -> list[str]:
        """Where calls went, as the proxy was asked."""
        return [tunnel.asked for tunnel in self.proxy.tunnels]

    def lead(self, host: str, port: int) -> None:
        self._routes[f"{self.names[host]}:443"] = ("127.0.0.1", port)

    def resolve(self, host: str, port: int) -> Sequence[str]:
        if host not in self.names:
            raise OSError("no such name")
        self._routes.setdefault(f"{self.names[host]}:443", ("127.0.0.1", self._simulator))
        return [self.names[host]]

    def canonical_name(self, host: str) -> str:
        return self.aliases.get(host, host)


@pytest.fixture
def network(exchange: ExchangeSimulator) -> Iterator[Network]:
    routes = {"192.0.2.1:443": ("127.0.0.1", exchange.port)}
    with forward_proxy(routes=routes) as proxy:
        yield Network(proxy, routes, exchange.port)


async def _connect(exchange: ExchangeSimulator, network: Network, **changes: Any) -> ConnectedMailbox:
    settings = ExchangeSettings(
        private_networks=("192.0.2.0/24", f"localhost:{exchange.port}"),
        ca_file=exchange.ca_file,
        egress_proxy=network.proxy.url,
    )
    login = exchange_provider(
        settings, now=lambda: NOW, resolver=network.resolve, canonical_name=network.canonical_name
    ).login
    assert login is not None
    given: dict[str, Any] = {"email": ADA, "password": PASSWORD, **changes}
    return await login.connect(MailboxCredentials(**given))


async def _problem(exchange: ExchangeSimulator, network: Network, **changes: Any) -> LoginProblem:
    with pytest.raises(LoginRefused) as refused:
        await _connect(exchange, network, **changes)
    return refused.value.problem


@pytest.fixture
def found_here(exchange: ExchangeSimulator, network: Network) -> None:
    """Autodiscover names the simulator by a name of the little internet."""
    network.names["mail.example.com"] = "192.0.2.3"
    exchange.settings.autodiscover = Autodiscover(ews_url="https://mail.example.com/EWS/Exchange.asmx")


def _shown(exchange: ExchangeSimulator) -> list[str]:
    """The hosts that saw a password."""
    return [call.host.partition(":")[0] for call in exchange.calls if "authorization" in call.headers]


@pytest.mark.usefixtures("found_here")
@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM, ServerAuth.AUTO])
async def test_a_server_is_found_by_the_address(
    exchange: ExchangeSimulator, network: Network, auth: ServerAuth
) -> None:
    connected = await _connect(exchange, network, auth=auth)
    assert connected.server_url == "https://mail.example.com/EWS/Exchange.asmx"
    assert network.asked[0] == "192.0.2.2:443"
    assert set(network.asked) == {"192.0.2.2:443", "192.0.2.3:443"}
    assert exchange.failed_sign_ins(ADA) == 0


@pytest.mark.usefixtures("found_here")
async def test_each_place_is_asked_without_a_password_first(exchange: ExchangeSimulator, network: Network) -> None:
    await _connect(exchange, network, auth=ServerAuth.BASIC)
    first = next(call for call in exchange.calls if call.operation == "autodiscover.pox" or call.status == 401)
    assert "authorization" not in first.headers
    assert DOMAIN not in _shown(exchange)


@pytest.mark.usefixtures("found_here")
async def test_the_domain_itself_is_asked_when_its_subdomain_is_not_there(
    exchange: ExchangeSimulator, network: Network
) -> None:
    del network.names[SUBDOMAIN]
    assert await _connect(exchange, network)
    assert network.asked[0] == "192.0.2.1:443"


async def test_what_is_nowhere_has_to_be_typed_in(exchange: ExchangeSimulator, network: Network) -> None:
    exchange.settings.autodiscover = Autodiscover(absent=True)
    assert await _problem(exchange, network) is LoginProblem.URL_REQUIRED
    network.names.clear()
    assert await _problem(exchange, network) is LoginProblem.URL_REQUIRED


@pytest.mark.parametrize("set_up", [Autodiscover(error=500), Autodiscover(error=601)])
async def test_an_address_that_discovery_does_not_know_has_to_come_with_a_server(
    exchange: ExchangeSimulator, network: Network, set_up: Autodiscover
) -> None:
    exchange.settings.autodiscover = set_up
    assert await _problem(exchange, network) is LoginProblem.URL_REQUIRED


@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
async def test_a_wrong_password_is_tried_once_per_name_over_all_places(
    exchange: ExchangeSimulator, network: Network, auth: ServerAuth
) -> None:
    assert await _problem(exchange, network, password="wrong", auth=auth) is LoginProblem.USERNAME_REQUIRED
    assert exchange.failed_sign_ins(ADA) == 2
    exchange.unlock(ADA)
    given = {"password": "wrong", "username": ADA, "auth": auth}
    assert await _problem(exchange, network, **given) is LoginProblem.CREDENTIALS_REJECTED
    assert exchange.failed_sign_ins(ADA) == 3


@pytest.mark.usefixtures("found_here")
async def test_the_name_that_discovery_accepted_is_the_one_used(exchange: ExchangeSimulator, network: Network) -> None:
    exchange.add_account("dora@example.com", names=("alias",))
    connected = await _connect(exchange, network, email="dora@example.com")
    assert '"username": "dora"' in connected.credentials


async def test_discovery_that_leads_to_exchange_online_ends_with_office_365(
    exchange: ExchangeSimulator, network: Network
) -> None:
    for set_up in (
        Autodiscover(ews_url=EXCHANGE_ONLINE),
        Autodiscover(redirect_address="ada@contoso.mail.onmicrosoft.com"),
        Autodiscover(redirect_url="https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml"),
    ):
        exchange.settings.autodiscover = set_up
        assert await _problem(exchange, network) is LoginProblem.USE_OFFICE365
    assert {"192.0.2.1:443", "192.0.2.2:443"} >= set(network.asked)


async def test_a_domain_whose_discovery_is_an_alias_of_microsofts_belongs_to_office_365(
    exchange: ExchangeSimulator, network: Network
) -> None:
    exchange.settings.autodiscover = Autodiscover(absent=True)
    network.aliases[SUBDOMAIN] = "autodiscover.geo.outlook.com"
    assert await _problem(exchange, network) is LoginProblem.USE_OFFICE365
    assert _shown(exchange) == []


@contextlib.contextmanager
def _redirecting(network: Network, authority: Authority, where: str) -> Iterator[Server]:
    """Both places of discovery answer with a redirect, before anybody could sign in."""

    def answer(connection: Any, asked: Asked) -> None:
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())

    with https_server(authority.server(DOMAIN, SUBDOMAIN), answer) as server:
        for host in (DOMAIN, SUBDOMAIN):
            network.lead(host, server.port)
        yield server


def _asked_openly(server: Server) -> bool:
    return all("authorization" not in {name.lower() for name in asked.headers} for asked in server.asked)


@pytest.mark.usefixtures("found_here")
async def test_a_redirect_is_followed_to_a_server_that_may_be_called(
    exchange: ExchangeSimulator, network: Network
) -> None:
    authority = Authority()
    with _redirecting(network, authority, "https://mail.example.com/autodiscover/autodiscover.xml") as server:
        connected = await _connect(exchange, network, ca_certificate=authority.pem)
    assert connected.server_url == "https://mail.example.com/EWS/Exchange.asmx"
    assert _asked_openly(server)
    assert len(server.asked) == 1


async def test_an_answer_may_send_us_on_as_well(exchange: ExchangeSimulator, network: Network) -> None:
    network.names["mail.example.com"] = "192.0.2.3"
    found: dict[str, Any] = {"ews_url": "https://mail.example.com/EWS/Exchange.asmx"}
    exchange.add_account("eva@example.com")
    for set_up in (
        Autodiscover(redirect_url="https://mail.example.com/autodiscover/autodiscover.xml", **found),
        Autodiscover(redirect_address="eva@example.com", **found),
    ):
        exchange.settings.autodiscover = set_up
        connected = await _connect(exchange, network)
        assert (connected.account_email, connected.server_url) == (ADA, found["ews_url"])
    assert "192.0.2.3:443" in network.asked
    assert exchange.failed_sign_ins(ADA) == 0


FORBIDDEN = (
    "https://169.254.169.254/autodiscover/autodiscover.xml",
    "https://inside.example.com/autodiscover/autodiscover.xml",
)


@pytest.mark.parametrize("where", FORBIDDEN)
@pytest.mark.parametrize("by_answer", [True, False])
async def test_a_redirect_to_a_forbidden_address_is_not_followed(
    exchange: ExchangeSimulator, network: Network, where: str, by_answer: bool
) -> None:
    network.names["inside.example.com"] = "10.0.0.8"
    authority = Authority()
    exchange.settings.autodiscover = Autodiscover(redirect_url=where)
    with contextlib.nullcontext() if by_answer else _redirecting(network, authority, where):
        problem = await _problem(exchange, network, ca_certificate=authority.pem)
    assert problem is LoginProblem.ADDRESS_FORBIDDEN
    assert {"192.0.2.1:443", "192.0.2.2:443"} == set(network.asked)


@pytest.mark.parametrize("by_answer", [True, False])
async def test_a_redirect_without_tls_is_not_followed(
    exchange: ExchangeSimulator, network: Network, by_answer: bool
) -> None:
    where = "http://mail.example.com/autodiscover/autodiscover.xml"
    authority = Authority()
    exchange.settings.autodiscover = Autodiscover(redirect_url=where)
    with contextlib.nullcontext() if by_answer else _redirecting(network, authority, where):
        problem = await _problem(exchange, network, ca_certificate=authority.pem)
    assert problem is LoginProblem.URL_REQUIRED
    assert {"192.0.2.1:443", "192.0.2.2:443"} == set(network.asked)


async def test_redirects_without_end_end_soon(exchange: ExchangeSimulator, network: Network) -> None:
    authority = Authority()
    with _redirecting(network, authority, f"https://{DOMAIN}/autodiscover/autodiscover.xml") as server:
        assert await _problem(exchange, network, ca_certificate=authority.pem) is LoginProblem.URL_REQUIRED
    assert len(server.asked) <= 10


@pytest.mark.parametrize(
    "set_up",
    [
        Autodiscover(redirect_url="https://autodiscover.example.com/autodiscover/autodiscover.xml", circular=True),
        Autodiscover(redirect_address="eva@example.com", circular=True),
        Autodiscover(redirect_address=ADA, circular=True),
    ],
)
async def test_going_round_in_circles_ends_soon(
    exchange: ExchangeSimulator, network: Network, set_up: Autodiscover
) -> None:
    exchange.add_account("eva@example.com")
    exchange.settings.autodiscover = set_up
    assert await _problem(exchange, network) is LoginProblem.URL_REQUIRED
    assert len(exchange.calls) <= 30


async def test_a_name_of_a_private_network_is_not_searched(exchange: ExchangeSimulator, network: Network) -> None:
    network.names.update({DOMAIN: "10.0.0.1", SUBDOMAIN: "127.0.0.1"})
    assert await _problem(exchange, network) is LoginProblem.ADDRESS_FORBIDDEN
    assert network.asked == []


async def test_a_certificate_for_another_name_ends_the_search_there(
    exchange: ExchangeSimulator, network: Network
) -> None:
    with ExchangeSimulator(hosts=("mail.example.net",)).serve() as other:
        other.add_account(ADA)
        for host in (DOMAIN, SUBDOMAIN):
            network.lead(host, other.port)
        problem = await _problem(exchange, network, ca_certificate=other.ca_pem)
    assert (problem, other.calls) == (LoginProblem.URL_REQUIRED, [])


async def test_discovery_that_answers_nonsense_finds_nothing(exchange: ExchangeSimulator, network: Network) -> None:
    for hostile in ("dtd", "entities", "external", "depth"):
        exchange.fault("autodiscover.", hostile=hostile, times=None)
        assert await _problem(exchange, network) is LoginProblem.URL_REQUIRED
        exchange.clear_faults()


@pytest.mark.usefixtures("found_here")
async def test_a_busy_server_behind_discovery_says_when_to_come_back(
    exchange: ExchangeSimulator, network: Network
) -> None:
    exchange.fault("FindFolder", status=429, retry_after=11)
    with pytest.raises(RateLimited) as busy:
        await _connect(exchange, network)
    assert busy.value.retry_after == 11
