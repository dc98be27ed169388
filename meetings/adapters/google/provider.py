"""Google, put together from its settings."""

from dataclasses import dataclass, field

from meetings.adapters.google.authorized import AuthorizedCalls
from meetings.adapters.google.calendar import GoogleCalendars
from meetings.adapters.google.disclosure import DISCLOSURE, MAIL_DISCLOSURE
from meetings.adapters.google.event_writes import EventWrites
from meetings.adapters.google.mail import GoogleMail
from meetings.adapters.google.push import GooglePush
from meetings.adapters.google.signin import GoogleSignIn
from meetings.adapters.google.tokens import AccountsServer
from meetings.adapters.google.transport import Api, Transport
from meetings.adapters.google.wire import read_push
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
class GoogleSettings:
    """The client that Google's console gave the operator, where Google is, and how much is asked of it at once.

    `threads` bounds all calls under way in this process, `calls_at_once` those of one connection. A call has
    `total_seconds` (5 of them for connecting), a live question for busy time `busy_seconds` in all. `page_size` is how
    many events are held in memory at once, `mail_page_size` how many mails; `mail_batch_size` of them are read in one
    request (Google advises against more than 50: "Batching requests" guide of the Gmail API). A conference link that is
    still being made is waited for `link_seconds`. The quotas are requests per minute as Google's console shows them,
    here what it gives to begin with ("Manage quotas" guide of the Calendar API).
    """

    client_id: str
    client_secret: str = field(repr=False)
    api_url: str = "https://www.googleapis.com/calendar/v3"
    mail_api_url: str = "https://gmail.googleapis.com"
    authorize_url: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    revoke_url: str = "https://oauth2.googleapis.com/revoke"
    threads: int = 16
    calls_at_once: int = 4
    total_seconds: float = 30.0
    busy_seconds: float = 3.0
    page_size: int = 1000
    mail_page_size: int = 500
    mail_batch_size: int = 50
    link_seconds: float = 0.5
    quota_per_user: int = 600
    quota_per_project: int = 10_000


def google_provider(settings: GoogleSettings, *, now: Clock) -> CalendarProvider:
    """No network call and no heavy import happens before the first call to Google. One per process: it has the pool."""
    transport = Transport(
        urls={Api.CALENDAR: settings.api_url, Api.MAIL: settings.mail_api_url},
        threads=settings.threads,
        total_seconds=settings.total_seconds,
    )
    accounts = AccountsServer(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        token_url=settings.token_url,
        revoke_url=settings.revoke_url,
        transport=transport,
        now=now,
    )

    def calls(credentials: Credentials, api: Api = Api.CALENDAR) -> AuthorizedCalls:
        return AuthorizedCalls(credentials, accounts, transport, now, settings.calls_at_once, api)

    def calendars(credentials: Credentials) -> Calendars:
        own = calls(credentials)
        return GoogleCalendars(
            calls=own,
            writes=EventWrites(own, settings.link_seconds),
            busy_seconds=settings.busy_seconds,
            page_size=settings.page_size,
        )

    def push(credentials: Credentials) -> PushChannels:
        return GooglePush(calls(credentials))

    def mail(credentials: Credentials) -> MailAccount:
        return GoogleMail(
            calls=calls(credentials, Api.MAIL),
            now=now,
            page_size=settings.mail_page_size,
            batch_size=settings.mail_batch_size,
        )

    sign_in = GoogleSignIn(authorize_url=settings.authorize_url, accounts=accounts)
    return CalendarProvider(
        provider=Provider.GOOGLE,
        disclosure=DISCLOSURE,
        help_url="https://support.google.com/calendar/answer/37095",
        sign_in=sign_in,
        calendars=calendars,
        push=push,
        quota=CallQuota(per_account=settings.quota_per_user, altogether=settings.quota_per_project),
        inbox=InboxOffer(
            provider=InboxProvider.GOOGLE,
            disclosure=MAIL_DISCLOSURE,
            mail=mail,
            sign_in=sign_in,
            calls_at_once=settings.calls_at_once,
        ),
    )


REGISTRATION = Registration(
    settings=GoogleSettings,
    make=lambda settings, clock: google_provider(settings, now=clock),
    set_up=(
        "set MEETINGS_GOOGLE_CLIENT_ID and MEETINGS_GOOGLE_CLIENT_SECRET: an OAuth client of type web application,"
        " with the redirect address {callback}"
    ),
    addresses=lambda settings: (
        settings.authorize_url,
        settings.token_url,
        settings.api_url,
        settings.mail_api_url,
    ),
    read_push=read_push,
)
