"""Exchange Server, simulated: Exchange Web Services and autodiscover over TLS on a loopback address.

    with ExchangeSimulator(version="14.2").serve() as exchange:
        exchange.add_account("ada@example.com", "Ada", time_zone="Europe/Berlin")
        ... point a real EWS client at exchange.ews_url, believing exchange.ca_file ...

It answers as Microsoft's documentation says. Each behaviour names its source: a page of the EWS reference by its title,
or an open specification (MS-OXWS...); "seen" stands for answers in public reports, and what rests on a guess is marked
"assumed". For the demo and the tests only.
"""

from meetings.adapters.exchange.simulator.calls import Call
from meetings.adapters.exchange.simulator.control import DEFAULT_HOSTS, PASSWORD, ExchangeSimulator
from meetings.adapters.exchange.simulator.faults import Fault
from meetings.adapters.exchange.simulator.outlook import Event
from meetings.adapters.exchange.simulator.proxy import ForwardProxy, Tunnel, forward_proxy
from meetings.adapters.exchange.simulator.settings import EXCHANGE_ONLINE, Autodiscover, Settings
from meetings.adapters.exchange.simulator.world import Mail

__all__ = [
    "DEFAULT_HOSTS",
    "EXCHANGE_ONLINE",
    "PASSWORD",
    "Autodiscover",
    "Call",
    "Event",
    "ExchangeSimulator",
    "Fault",
    "ForwardProxy",
    "Mail",
    "Settings",
    "Tunnel",
    "forward_proxy",
]
