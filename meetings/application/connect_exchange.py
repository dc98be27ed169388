"""A host connects a mailbox on an Exchange server with an address and a password: one submit, and no trip elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from meetings.application.ports.calendars import (
    CalendarProvider,
    CalendarUnreadable,
    LoginCheck,
    LoginProblem,
    LoginRefused,
    MailboxCredentials,
    MailboxLogin,
    MailboxNotFound,
    Providers,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.mail_accounts import ImapCredentials, InboxLogin
from meetings.application.ports.unit_of_work import Begin
from meetings.application.store_connection import (
    StoredAccount,
    WantedUses,
    check_may_connect,
    existing_connection,
    store_account,
)
from meetings.application.store_mailbox import OpenedAccount, check_not_a_teams
from meetings.application.uses import check_disclosure, check_offered
from meetings.domain.account import Account, MailServerKind
from meetings.domain.account_use import BOTH, CALENDAR_ONLY, AccountUse
from meetings.domain.base import DomainError, InvalidInput, Problem, Rule, refuse
from meetings.domain.calendar_connection import Consent, ListedCalendar, MailServer, Provider
from meetings.domain.certificate import certificate_problem
from meetings.domain.identifiers import ConnectionId, MailboxId
from meetings.domain.mail_domain import mail_domain
from meetings.domain.mailbox import InboxProvider
from meetings.domain.text import MAX_EMAIL, MAX_URL, email_problem, text_problem

MAX_LOGIN = 256
"""The longest user name (`sAMAccountName` with its domain, UPN) and the longest password we hand on."""


class ServerAsksToWait(RateLimited):
    """The server answers no further try for now. Its own rule, not ours."""


class NoWritableCalendar(DomainError):
    """The mailbox has no calendar that bookings could be written into."""


@dataclass(frozen=True, slots=True)
class ConnectExchange:
    """The wish to connect a mailbox for its calendar, its mail or both (S78). `accepted_disclosure` is the version of
    the notice that was read (S35)."""

    accepted_disclosure: str
    mailbox: MailboxCredentials
    reconnect: ConnectionId | None = None
    uses: frozenset[AccountUse] = CALENDAR_ONLY
    reconnect_mailbox: MailboxId | None = None


def check_wish(wish: ConnectExchange, providers: Providers) -> None:
    """Everything that can be said of a wish before anybody is asked; nothing leaves this process.

    Raises:
        ConsentRequired: not the current notice.
        InvalidInput: as `check_mailbox`, or mail of Exchange is not offered.
    """
    offered = _offered(providers)
    check_offered(offered, wish.uses)
    check_disclosure(offered, wish.uses, wish.accepted_disclosure)
    check_mailbox(wish.mailbox, providers)


def check_mailbox(given: MailboxCredentials, providers: Providers) -> None:
    """Raise `InvalidInput` with everything wrong in what was typed in (S24, S26, S27), or when it is not offered."""
    _login(providers)
    email = given.email.strip()
    bad_shape = email_problem(email, "email")  # not whether mail is delivered there: `anna@corp.local` is fine
    refuse(
        text_problem(email, "email", most=MAX_EMAIL) or (bad_shape and Problem(("email",), bad_shape.rule)),
        text_problem(given.password, "password", most=MAX_LOGIN),
        text_problem(given.username or "", "username", most=MAX_LOGIN, required=False),
        text_problem(given.server_url or "", "serverUrl", most=MAX_URL, required=False),
        certificate_problem(given.ca_certificate, "caCertificate") if given.ca_certificate else None,
    )


async def connect_exchange(
    wish: ConnectExchange, *, caller: Caller, begin: Begin, look: Begin, providers: Providers, clock: Clock
) -> StoredAccount:
    """Sign in to the mailbox and keep what was wanted of it. Nothing is stored unless all of it succeeds (S40, S91).

    Without a server's address the one that an admin preset for the address' domain is taken, if there is one (A-EX3).

    Raises:
        ConsentRequired, InvalidInput: as `check_wish`.
        AlreadyConnected, NotFound: as `existing_connection`; before anybody is asked, and once more when it is stored.
        MailboxAlreadyConnected, TeamMailboxNotAllowed: as `store_account`.
        LoginRefused: what was typed in has to change.
        ServerAsksToWait, ProviderUnavailable: worth another try, later.
        NoWritableCalendar: there is nowhere to write bookings.
    """
    check_wish(wish, providers)
    async with look(caller.account_id) as work:
        await check_may_connect(work, caller)
        if AccountUse.CALENDAR in wish.uses:
            await existing_connection(work, caller, wish.reconnect)
        await check_not_a_teams(work, wish.mailbox.email)
        given = _completed(wish.mailbox, await work.account())
    accepted = Consent(wish.accepted_disclosure, clock())
    offered = _offered(providers)
    if AccountUse.CALENDAR in wish.uses:
        opened, listed = await _open_calendar(_login(providers), given, accepted)
    else:
        assert offered.inbox, "offered"
        assert offered.inbox.login, "offered"
        opened, listed = await _open_mail(offered.inbox.login, given, accepted), ()
    wanted = WantedUses(
        uses=wish.uses, listed=listed, reconnect=wish.reconnect, reconnect_mailbox=wish.reconnect_mailbox
    )
    return await store_account(opened, wanted, caller=caller, begin=begin, providers=providers, clock=clock)


async def examine_exchange(
    given: MailboxCredentials, *, caller: Caller, look: Begin, providers: Providers
) -> Sequence[LoginCheck]:
    """What connecting would come to, step by step. Nothing is stored, here or there.

    Raises:
        InvalidInput: as `check_mailbox`.
        ServerAsksToWait, ProviderUnavailable: worth another try, later.
    """
    check_mailbox(given, providers)
    async with look(caller.account_id) as work:
        given = _completed(given, await work.account())
    try:
        return await _login(providers).examine(given)
    except RateLimited as busy:
        raise ServerAsksToWait(retry_after=busy.retry_after) from None


def login_names(given: MailboxCredentials | ImapCredentials) -> tuple[str, ...]:
    """The names a server may count failed tries under, each once, in the form in which they are compared.

    Without a user name the part before the "@" may be tried as well (X9), so whoever guesses passwords for one of them
    guesses for all.
    """
    email = given.email.strip().casefold()
    typed = (given.username or email.partition("@")[0]).strip().casefold()
    bare = typed.rpartition("\\")[2].partition("@")[0]
    return tuple(dict.fromkeys((email, f"{bare}@{email.partition('@')[2]}")))


def _completed(given: MailboxCredentials, account: Account) -> MailboxCredentials:
    """What was typed in without blanks around it, and the preset of the domain where no server was named."""
    server = (given.server_url or "").strip()
    domain = mail_domain(given.email)
    preset = account.mail_preset(domain) if domain and not server else None
    if preset is not None and preset.kind is MailServerKind.EXCHANGE:
        server = preset.address
    return replace(
        given,
        email=given.email.strip(),
        username=(given.username or "").strip() or None,
        server_url=server or None,
    )


async def _open_calendar(
    login: MailboxLogin, given: MailboxCredentials, accepted: Consent
) -> tuple[OpenedAccount, Sequence[ListedCalendar]]:
    with _refusals():
        mailbox = await login.connect(given)
    if not any(calendar.access.can_write for calendar in mailbox.calendars):
        raise NoWritableCalendar
    server = MailServer(mailbox.server_url, mailbox.server_version)
    return _opened(mailbox.account_email, mailbox.credentials, server, accepted), mailbox.calendars


async def _open_mail(login: InboxLogin, given: MailboxCredentials, accepted: Consent) -> OpenedAccount:
    with _refusals():
        mailbox = await login.connect(given)
    server = MailServer(mailbox.server_url, mailbox.server_version)
    return _opened(mailbox.email, mailbox.credentials, server, accepted)


def _opened(email: str, credentials: str, server: MailServer, accepted: Consent) -> OpenedAccount:
    """A password opens all of a mailbox."""
    return OpenedAccount(
        provider=InboxProvider.EXCHANGE,
        email=email,
        credentials=credentials,
        opens=BOTH,
        consent=accepted,
        server=server,
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ReauthorizationNeeded:
        raise LoginRefused(LoginProblem.CREDENTIALS_REJECTED) from None
    except (MailboxNotFound, CalendarUnreadable):
        raise LoginRefused(LoginProblem.MAILBOX_NOT_FOUND) from None
    except RateLimited as busy:
        raise ServerAsksToWait(retry_after=busy.retry_after) from None


def _offered(providers: Providers) -> CalendarProvider:
    offered = providers.get(Provider.EXCHANGE)
    if offered is None or offered.login is None:
        raise InvalidInput([Problem((), Rule.NOT_AVAILABLE_YET)])
    return offered


def _login(providers: Providers) -> MailboxLogin:
    login = _offered(providers).login
    assert login, "offered"
    return login
