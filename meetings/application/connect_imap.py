"""A person connects a mailbox on a server that speaks IMAP and SMTP, with an address and a password, in one submit."""

from contextlib import suppress
from dataclasses import dataclass, replace

from meetings.application.connect_exchange import MAX_LOGIN, ServerAsksToWait
from meetings.application.ports.calendars import (
    LoginProblem,
    LoginRefused,
    Providers,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.mail_accounts import ImapCredentials, InboxLogin, InboxOffer, InboxOffers, ServerAddress
from meetings.application.ports.unit_of_work import Begin
from meetings.application.store_connection import StoredAccount, WantedUses, check_may_connect, store_account
from meetings.application.store_mailbox import OpenedAccount, check_not_a_teams
from meetings.domain.account import Account, MailServerKind
from meetings.domain.account_use import EMAIL_ONLY
from meetings.domain.base import DomainError, InvalidInput, Problem, Rule, refuse
from meetings.domain.calendar_connection import Consent, MailServer
from meetings.domain.identifiers import MailboxId
from meetings.domain.mail_domain import mail_domain
from meetings.domain.mailbox import InboxProvider
from meetings.domain.text import MAX_EMAIL, email_problem, text_problem

_LONGEST_HOST = 253
_MOST_PORT = 65_535
IMAPS_PORT = 993
"""Where IMAP is spoken over TLS from the start (RFC 8314, 3.2)."""


class ImapRefused(DomainError):
    """The mailbox cannot be connected with what was typed in; `problem` says why."""

    def __init__(self, problem: LoginProblem, *, suggestion: str | None = None) -> None:
        self.problem = problem
        self.suggestion = suggestion
        super().__init__(problem.value)


@dataclass(frozen=True, slots=True)
class ConnectImap:
    """The wish to connect a mailbox. `accepted_disclosure` is the version of the notice that was read."""

    accepted_disclosure: str
    mailbox: ImapCredentials
    reconnect: MailboxId | None = None


def check_imap(wish: ConnectImap, offers: InboxOffers) -> None:
    """Everything that can be said of a wish before anybody is asked; nothing leaves this process.

    Raises:
        ConsentRequired: not the current notice.
        InvalidInput: everything wrong in what was typed in, or it is not offered.
    """
    given = wish.mailbox
    _offered(offers).disclosure.check_accepted(wish.accepted_disclosure)
    bad_shape = email_problem(given.email.strip(), "email")
    refuse(
        text_problem(given.email.strip(), "email", most=MAX_EMAIL)
        or (bad_shape and Problem(("email",), bad_shape.rule)),
        text_problem(given.password, "password", most=MAX_LOGIN),
        text_problem(given.username or "", "username", most=MAX_LOGIN, required=False),
        *_server_problems(given.imap, "imap"),
        *_server_problems(given.smtp, "smtp"),
    )


async def connect_imap(
    wish: ConnectImap,
    *,
    caller: Caller,
    begin: Begin,
    look: Begin,
    offers: InboxOffers,
    providers: Providers,
    clock: Clock,
) -> StoredAccount:
    """Sign in to the mailbox and keep it. Nothing is stored unless all of it succeeds.

    Without a server's address the one that an admin preset for the address' domain is taken, if there is one (A-EX3).

    Raises:
        ConsentRequired, InvalidInput: as `check_imap`.
        PermissionMissing: the person may not connect a mailbox (A-CC1).
        MailboxAlreadyConnected, TeamMailboxNotAllowed, NotFound: as `store_account`.
        ImapRefused: what was typed in has to change.
        ServerAsksToWait, ProviderUnavailable: worth another try, later.
    """
    check_imap(wish, offers)
    async with look(caller.account_id) as work:
        await check_may_connect(work, caller)
        await check_not_a_teams(work, wish.mailbox.email)
        given = _completed(wish.mailbox, await work.account())
    accepted = Consent(wish.accepted_disclosure, clock())
    opened = await _open(_login(offers), given, accepted)
    wanted = WantedUses(uses=EMAIL_ONLY, reconnect_mailbox=wish.reconnect)
    return await store_account(opened, wanted, caller=caller, begin=begin, providers=providers, clock=clock)


async def _open(login: InboxLogin, given: ImapCredentials, accepted: Consent) -> OpenedAccount:
    try:
        mailbox = await login.connect(given)
    except LoginRefused as refused:
        raise ImapRefused(refused.problem, suggestion=refused.suggestion) from None
    except ReauthorizationNeeded:
        raise ImapRefused(LoginProblem.CREDENTIALS_REJECTED) from None
    except RateLimited as busy:
        raise ServerAsksToWait(retry_after=busy.retry_after) from None
    return OpenedAccount(
        provider=InboxProvider.IMAP,
        email=mailbox.email,
        credentials=mailbox.credentials,
        opens=EMAIL_ONLY,
        consent=accepted,
        server=MailServer(mailbox.server_url, mailbox.server_version),
    )


def _completed(given: ImapCredentials, account: Account) -> ImapCredentials:
    """What was typed in without blanks around it, and the preset of the domain where no server was named."""
    domain = mail_domain(given.email)
    preset = account.mail_preset(domain) if domain and given.imap is None else None
    imap = given.imap
    if preset is not None and preset.kind is MailServerKind.IMAP:
        imap = preset_server(preset.address)
    return replace(given, email=given.email.strip(), username=(given.username or "").strip() or None, imap=imap)


def preset_server(address: str) -> ServerAddress:
    """What `host` or `host:port` means: IMAP over TLS from the start."""
    host, _, port = address.rpartition(":") if ":" in address else (address, "", "")
    number = IMAPS_PORT
    with suppress(ValueError):
        number = int(port)
    return ServerAddress(host, number)


def _server_problems(server: ServerAddress | None, field: str) -> list[Problem]:
    if server is None:
        return []
    wrong_host = text_problem(server.host, field, "host", most=_LONGEST_HOST)
    found = [wrong_host] if wrong_host else []
    if server.port < 1:
        found.append(Problem((field, "port"), Rule.TOO_SMALL, values={"least": 1}))
    if server.port > _MOST_PORT:
        found.append(Problem((field, "port"), Rule.TOO_LARGE, values={"most": _MOST_PORT}))
    return found


def _offered(offers: InboxOffers) -> InboxOffer:
    offered = offers.get(InboxProvider.IMAP)
    if offered is None or offered.login is None:
        raise InvalidInput([Problem((), Rule.NOT_AVAILABLE_YET)])
    return offered


def _login(offers: InboxOffers) -> InboxLogin:
    login = _offered(offers).login
    assert login, "offered"
    return login
