"""What whoever runs the product can set about the API."""

from collections.abc import Callable
from dataclasses import dataclass, field

from limits.aio.storage import SlidingWindowCounterSupport
from starlette.requests import HTTPConnection

from meetings.graphql.counts_in_memory import CountsInMemory


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How large one operation may be, counted with all fragments expanded, before anything is resolved (GQ-1)."""

    depth: int
    tokens: int
    aliases: int
    cost: int
    fields: int
    root_fields: int = 10
    mutations: int = 3
    directives: int = 20


SIGNED_IN = DocumentLimits(depth=12, tokens=2_000, aliases=30, cost=5_000, fields=500)
ANONYMOUS = DocumentLimits(depth=8, tokens=1_000, aliases=15, cost=1_000, fields=400)


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one WebSocket, and one session or address with several, may do (GQ-6)."""

    init_seconds: float = 10.0
    subscriptions: int = 20
    connections_per_session: int = 5
    connections_per_address: int = 100
    messages_per_minute: int = 100
    message_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How often, per address unless said otherwise (AB-1), in the notation of the `limits` library: `10/minute`."""

    availability: tuple[str, ...] = ("120/minute",)
    hold: tuple[str, ...] = ("20/minute",)
    booking: tuple[str, ...] = ("10/minute", "50/hour")
    booking_per_invitee: tuple[str, ...] = ("5/hour",)
    """Per invitee's address and page."""
    sign_in: tuple[str, ...] = ("10/minute",)
    """Per address, and once more per e-mail address."""
    chat_link: tuple[str, ...] = ("240/minute",)
    """Links beside chats, through the API and through the script together."""
    domain_check: tuple[str, ...] = ("30/10minute",)
    """How often an account may have its domains looked up."""
    mailbox: tuple[str, ...] = ("10/10minute", "30/hour")
    """How often a person may try to connect a mailbox with a password, tests included."""
    mailbox_per_account: tuple[str, ...] = ("100/hour",)
    """The same for all people of an account together."""
    team_mail: tuple[str, ...] = ("100/hour",)
    """How often people of an account may send a mail in a team's name."""
    mailbox_per_login: tuple[str, ...] = ("5/15minute",)
    """The same for one mailbox, whoever tries: servers lock an account after some wrong passwords."""


def peer_address(connection: HTTPConnection) -> str:
    """The address at the other end of the connection. Right only without a proxy in between."""
    return connection.client.host if connection.client else "unknown"


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """All of it. `allowed_origins` are web sites that may send cookies along and open sockets (the server's own always
    may); `client_address` tells who is calling, believing only proxies that are trusted."""

    allowed_origins: tuple[str, ...] = ()
    secure_cookies: bool = True
    explorer: bool = False
    introspection_for_anonymous: bool = False
    signed_in: DocumentLimits = SIGNED_IN
    anonymous: DocumentLimits = ANONYMOUS
    sockets: SocketLimits = SocketLimits()
    rates: RateLimits = RateLimits()
    rate_storage: SlidingWindowCounterSupport = field(default_factory=CountsInMemory)
    client_address: Callable[[HTTPConnection], str] = peer_address
    execution_seconds: float = 10.0
    recheck_seconds: float = 2.0
    """How often a running subscription looks whether its caller is still signed in (GQ-7)."""
