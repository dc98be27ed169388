"""Exchange servers, put together from the operator's settings."""

from dataclasses import dataclass, field
from pathlib import Path

from meetings.adapters.exchange.autodiscover import CanonicalName, system_canonical_name
from meetings.adapters.exchange.calendar import ExchangeCalendars
from meetings.adapters.exchange.calls import MailboxCalls
from meetings.adapters.exchange.dialling import Egress
from meetings.adapters.exchange.disclosure import DISCLOSURE, INBOX_DISCLOSURE
from meetings.adapters.exchange.event_writes import EventWrites
from meetings.adapters.exchange.inbox_login import ExchangeInboxLogin
from meetings.adapters.exchange.listening import ExchangeListener, Listeners
from meetings.adapters.exchange.login import ExchangeLogin
from meetings.adapters.exchange.mail import ExchangeMail
from meetings.adapters.exchange.mail_feed import MailFeed
from meetings.adapters.exchange.transport import Transport
from meetings.application.outbound import OutboundGuard, Resolver
from meetings.application.ports.calendars import (
    CalendarProvider,
    Calendars,
    ChangeListener,
    Credentials,
    Registration,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import InboxOffer, MailAccount
from meetings.domain.calendar_connection import Provider
from meetings.domain.mailbox import InboxProvider

HELP_URL = (
    "https://support.microsoft.com/office/introduction-to-the-outlook-calendar-d94c5203-77c7-48ec-90a5-2e2bc10bd6f8"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """Which servers may be called, and which way calls leave. Everything has a default: people bring their servers.

    `private_networks` lists networks and hosts that are called although they are not public (`10.1.0.0/16`,
    `mail.corp.example:4443`); without it, servers inside the operator's own network are refused. `ca_file` holds
    certificates of authorities in PEM, believed beside the usual ones. Where servers let only listed addresses in,
    `static_ranges` is what their owners are told to list, and `egress_proxy` (`http://host:port`) or `egress_address`
    (one of this machine's) is what makes it true.

    `threads` bounds all calls under way in this process, `calls_at_once` those of one use of a mailbox, `listeners` the
    connections held open for news, each for `listen_minutes`. A call has `total_seconds` (5 of them for connecting), a
    live question for busy time `busy_seconds` in all. `page_size` is how many events, `mail_page_size` how many headers
    of mails are held in memory at once.
    """

    private_networks: tuple[str, ...] = ()
    ca_file: str | None = None
    egress_proxy: str | None = field(default=None, repr=False)
    egress_address: str | None = None
    static_ranges: tuple[str, ...] = ()
    total_seconds: float = 30.0
    busy_seconds: float = 3.0
    threads: int = 8
    calls_at_once: int = 4
    kept_connections: int = 64
    page_size: int = 500
    mail_page_size: int = 100
    listeners: int = 100
    listen_minutes: int = 29


def exchange_provider(
    settings: ExchangeSettings,
    *,
    now: Clock,
    resolver: Resolver | None = None,
    canonical_name: CanonicalName = system_canonical_name,
) -> CalendarProvider:
    """No network call and no heavy import happens before the first call to a server. One per process: it has the pool.

    Raises:
        ValueError: a network, proxy, address or file is none; or ranges are promised that nothing makes true (S80).
        OSError: the file of certificates cannot be read.
    """
    if settings.static_ranges and settings.egress_proxy is None and settings.egress_address is None:
        raise ValueError("static_ranges needs egress_proxy or egress_address: calls would leave from anywhere")
    transport = Transport(
        OutboundGuard(settings.private_networks, resolver=resolver),
        Egress(settings.egress_proxy, settings.egress_address),
        certificates=Path(settings.ca_file).read_text("ascii") if settings.ca_file else None,
        threads=settings.threads,
        total_seconds=settings.total_seconds,
        kept_connections=settings.kept_connections,
    )
    transport.session(None).close()  # says what is wrong with the certificates
    writes = EventWrites(transport)
    listeners = Listeners(settings.listeners)

    def calls(credentials: Credentials) -> MailboxCalls:
        return MailboxCalls(credentials, transport, now, settings.calls_at_once)

    def calendars(credentials: Credentials) -> Calendars:
        return ExchangeCalendars(
            calls=calls(credentials),
            writes=writes,
            busy_seconds=settings.busy_seconds,
            page_size=settings.page_size,
        )

    def listen(credentials: Credentials) -> ChangeListener:
        return ExchangeListener(calls(credentials), listeners, settings.listen_minutes)

    def mail(credentials: Credentials) -> MailAccount:
        own = calls(credentials)
        return ExchangeMail(own, MailFeed(own, now, settings.mail_page_size), now)

    login = ExchangeLogin(transport, settings.static_ranges, settings.total_seconds, canonical_name, now)
    inbox = InboxOffer(
        provider=InboxProvider.EXCHANGE,
        disclosure=INBOX_DISCLOSURE,
        mail=mail,
        login=ExchangeInboxLogin(login, transport, now),
        calls_at_once=settings.calls_at_once,
    )
    return CalendarProvider(
        provider=Provider.EXCHANGE,
        disclosure=DISCLOSURE,
        login=login,
        inbox=inbox,
        calendars=calendars,
        listen=listen,
        help_url=HELP_URL,
    )


REGISTRATION = Registration(
    settings=ExchangeSettings,
    make=lambda settings, clock: exchange_provider(settings, now=clock),
    set_up=(
        "Nothing is needed: people type in their own server, password and user name. Servers inside your network are "
        "called only if MEETINGS_EXCHANGE_PRIVATE_NETWORKS lists them, and MEETINGS_EXCHANGE_CA_FILE makes your own "
        "authority trusted. Where firewalls let only listed addresses in, set MEETINGS_EXCHANGE_EGRESS_PROXY or "
        "MEETINGS_EXCHANGE_EGRESS_ADDRESS, and name the ranges in MEETINGS_EXCHANGE_STATIC_RANGES."
    ),
)
