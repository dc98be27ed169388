"""Office 365, put together from its settings."""

from dataclasses import dataclass, field

from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.calendar import Office365Calendars
from meetings.adapters.office365.clouds import CLOUDS
from meetings.adapters.office365.disclosure import DISCLOSURE, HELP_URL, INBOX_DISCLOSURE
from meetings.adapters.office365.event_writes import EventWrites
from meetings.adapters.office365.feed import Feed
from meetings.adapters.office365.graph import Graph
from meetings.adapters.office365.identity import Entra
from meetings.adapters.office365.mail import Office365Mail
from meetings.adapters.office365.mail_feed import MailFeed
from meetings.adapters.office365.mail_folders import MailFolders
from meetings.adapters.office365.mail_writes import MailWrites
from meetings.adapters.office365.mailbox_zone import MailboxZone
from meetings.adapters.office365.news_feed import NewsFeed
from meetings.adapters.office365.notices import read_push
from meetings.adapters.office365.places import Places
from meetings.adapters.office365.push import Office365Push
from meetings.adapters.office365.signin import Office365SignIn
from meetings.adapters.office365.transport import Transport
from meetings.application.ports.calendars import (
    CalendarProvider,
    Calendars,
    CallQuota,
    Credentials,
    PushChannels,
    Registration,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.mail_accounts import InboxOffer, MailAccount
from meetings.domain.calendar_connection import Provider
from meetings.domain.mailbox import InboxProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Office365Settings:
    """The app that the operator registered with Microsoft Entra, where Microsoft is, and how much is asked of it.

    `tenant` is whom to let in: "common" (organisations and personal accounts), "organizations", or the id of one.
    `cloud` is one of those in clouds.py; `login_url` and `graph_url` are for Microsofts elsewhere. `ca_file` names
    further authorities (PEM) whose certificates are believed.

    `calls_at_once` bounds the calls under way for one mailbox in this process, `threads` those who sign in. A call has
    `total_seconds` (5 of them for connecting), a live question for busy time `busy_seconds` in all. `page_size` is how
    many events, `mail_page_size` how many headers of mails are held in memory at once; an online meeting's link that is
    still being made is waited for `link_seconds`.
    """

    client_id: str
    client_secret: str = field(repr=False)
    tenant: str = "common"
    cloud: str = "global"
    ca_file: str | None = None
    login_url: str | None = None
    graph_url: str | None = None
    threads: int = 4
    calls_at_once: int = 3
    total_seconds: float = 30.0
    busy_seconds: float = 3.0
    page_size: int = 50
    mail_page_size: int = 100
    link_seconds: float = 0.5

    def __post_init__(self) -> None:
        if self.cloud not in CLOUDS:
            raise ValueError(f"cloud must be one of {', '.join(CLOUDS)}")

    @property
    def login(self) -> str:
        return (self.login_url or CLOUDS[self.cloud].login).rstrip("/")

    @property
    def graph(self) -> str:
        return (self.graph_url or CLOUDS[self.cloud].graph).rstrip("/")


def office365_provider(settings: Office365Settings, *, now: Clock) -> CalendarProvider:
    """No network call and no heavy import happens before the first call to Microsoft. One per process: it has the
    connections, the threads, and the count of calls."""
    transport = Transport(ca_file=settings.ca_file, total_seconds=settings.total_seconds)
    graph = Graph(settings.graph, transport)
    places = Places(settings.calls_at_once)
    entra = Entra(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        authority=f"{settings.login}/{settings.tenant}",
        transport=transport,
        threads=settings.threads,
        now=now,
    )
    sign_in = Office365SignIn(entra=entra, graph=graph, tenant=settings.tenant)

    def calls(credentials: Credentials) -> AuthorizedCalls:
        return AuthorizedCalls(credentials, sign_in, graph, places, now)

    def calendars(credentials: Credentials) -> Calendars:
        own = calls(credentials)
        zone = MailboxZone(own)
        return Office365Calendars(
            calls=own,
            writes=EventWrites(own, settings.link_seconds),
            feed=Feed(own, zone, settings.page_size),
            news=NewsFeed(own, zone, settings.page_size),
            zone=zone,
            busy_seconds=settings.busy_seconds,
            page_size=settings.page_size,
        )

    def push(credentials: Credentials) -> PushChannels:
        return Office365Push(calls(credentials), now)

    def mail(credentials: Credentials) -> MailAccount:
        own = calls(credentials)
        feed = MailFeed(own, MailFolders(own), now, settings.mail_page_size)
        return Office365Mail(calls=own, writes=MailWrites(own, now), feed=feed)

    inbox = InboxOffer(
        provider=InboxProvider.OFFICE365,
        disclosure=INBOX_DISCLOSURE,
        sign_in=sign_in,
        mail=mail,
        calls_at_once=settings.calls_at_once,
    )
    return CalendarProvider(
        provider=Provider.OFFICE365,
        disclosure=DISCLOSURE,
        sign_in=sign_in,
        calendars=calendars,
        push=push,
        help_url=HELP_URL,
        inbox=inbox,
        # "Service-specific throttling limits": per app and mailbox 10,000 in 10 minutes, per app 130,000 in 10 seconds.
        quota=CallQuota(per_account=1_000, altogether=780_000),
    )


_SET_UP = """\
In the Microsoft Entra admin centre (https://entra.microsoft.com), under "App registrations":

1. Register an app. Supported accounts: any organisation, or only yours (then set MEETINGS_OFFICE365_TENANT to your
   tenant's id). Platform "Web", redirect address {callback}
2. Under "API permissions", add these delegated permissions of Microsoft Graph: Calendars.Read, Calendars.ReadWrite,
   Mail.ReadWrite, Mail.Send, User.Read, email, offline_access, openid. Grant them for your organisation if its people
   may not do so themselves.
3. Under "Certificates & secrets", make a client secret, and note when it expires.
4. Set MEETINGS_OFFICE365_CLIENT_ID to the application id, and MEETINGS_OFFICE365_CLIENT_SECRET to the secret's value.

For the clouds of the US government or of China, register the app there, and set MEETINGS_OFFICE365_CLOUD to usgov,
usgovdod or china."""


def _addresses(settings: Office365Settings) -> tuple[str, ...]:
    return settings.login, settings.graph


def _make(settings: Office365Settings, clock: Clock) -> CalendarProvider:
    return office365_provider(settings, now=clock)


REGISTRATION = Registration(
    settings=Office365Settings,
    make=_make,
    set_up=_SET_UP,
    addresses=_addresses,
    read_push=read_push,
)
