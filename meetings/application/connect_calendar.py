"""A host connects a calendar account: off to the provider's consent page, and back."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from meetings.application.links import Links, token_hash
from meetings.application.policy import Policy
from meetings.application.ports.calendars import (
    AccessNotGranted,
    AuthorizationDenied,
    Calendars,
    CodeRejected,
    Credentials,
    Granted,
    MailboxNotFound,
    ProviderError,
    Providers,
    ReauthorizationNeeded,
    SignIn,
)
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.sign_in_attempts import SignInAttempt, SignInAttempts
from meetings.application.ports.unit_of_work import Begin
from meetings.application.store_connection import NewConnection, existing_connection, store_connection
from meetings.domain.base import DomainError, NotFound
from meetings.domain.calendar_connection import (
    AlreadyConnected,
    Consent,
    ListedCalendar,
    Provider,
)
from meetings.domain.identifiers import ConnectionId


class TokenInvalid(DomainError):
    """The state of a callback is unknown, used, expired, or belongs to another browser."""

    def __init__(self, return_to: str | None = None) -> None:
        self.return_to = return_to
        super().__init__("token invalid")


class ConnectionFailed(DomainError):
    """Coming back from the consent page did not lead to a connection; `reason` says why, `return_to` where to go."""

    def __init__(self, reason: "FailureReason", return_to: str) -> None:
        self.reason = reason
        self.return_to = return_to
        super().__init__(reason)


FailureReason = str
"""One of the words below; the description of `startCalendarConnection` lists them for clients."""
DENIED: FailureReason = "OAUTH_DENIED"
CODE_REJECTED: FailureReason = "TOKEN_INVALID"
NOT_GRANTED: FailureReason = "PERMISSION_MISSING"
UNAVAILABLE: FailureReason = "PROVIDER_UNAVAILABLE"
NO_CALENDAR: FailureReason = "CALENDAR_NOT_ELIGIBLE"
NO_MAILBOX: FailureReason = "MAILBOX_NOT_FOUND"
MAILBOX_ELSEWHERE: FailureReason = "MAILBOX_MIGRATION_OR_HYBRID"
CONNECTED_ALREADY: FailureReason = "ALREADY_CONNECTED"


@dataclass(frozen=True, slots=True)
class StartConnection:
    """The wish to connect. `accepted_disclosure` is the version that was read; `return_to` was checked before."""

    provider: Provider
    accepted_disclosure: str
    return_to: str
    reconnect: ConnectionId | None = None
    login_hint: str | None = None


@dataclass(frozen=True, slots=True)
class StartedConnection:
    """Where the browser goes, and the value it has to bring back (in a cookie nobody else gets)."""

    authorization_url: str
    browser_secret: str = field(repr=False)
    expires_in: timedelta


@dataclass(frozen=True, slots=True)
class FinishedConnection:
    """A connection that stands. `selection_kept` is false when another account than before was chosen on reconnecting;
    `other_account` when it is not the one the person announced (A-CC5)."""

    connection_id: ConnectionId
    return_to: str
    selection_kept: bool
    other_account: bool


async def start_connection(
    wish: StartConnection,
    *,
    caller: Caller,
    look: Begin,
    providers: Providers,
    attempts: SignInAttempts,
    links: Links,
    clock: Clock,
    policy: Policy,
) -> StartedConnection:
    """Prepare the trip to the consent page; the provider learns nothing about the person yet.

    Raises:
        ConsentRequired: not the current disclosure.
        AlreadyConnected: there is a working connection and it is not the one to reconnect.
        NotFound: no such connection to reconnect, or no consent page of this provider.
    """
    offered = providers.get(wish.provider)
    if offered is None or offered.sign_in is None:
        raise NotFound("consent page", ("provider",))
    offered.disclosure.check_accepted(wish.accepted_disclosure)
    async with look(caller.account_id) as work:
        await existing_connection(work, caller, wish.reconnect)
    state, browser_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    redirect_uri = links.oauth_callback(wish.provider.value)
    authorization = await offered.sign_in.begin(state=state, redirect_uri=redirect_uri, login_hint=wish.login_hint)
    now, lasts = clock(), timedelta(minutes=policy.attempt_minutes)
    await attempts.add(
        SignInAttempt(
            state_hash=token_hash(state),
            browser_hash=token_hash(browser_secret),
            account_id=caller.account_id,
            user_id=caller.user_id,
            provider=wish.provider,
            verifier=authorization.verifier,
            redirect_uri=redirect_uri,
            return_to=wish.return_to,
            disclosure_version=wish.accepted_disclosure,
            reconnect=wish.reconnect,
            login_hint=wish.login_hint,
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return StartedConnection(authorization.url, browser_secret, lasts)


async def finish_connection(
    *,
    provider: Provider,
    state: str,
    code: str | None,
    error: str | None,
    browser_secret: str | None,
    begin: Begin,
    providers: Providers,
    attempts: SignInAttempts,
    clock: Clock,
) -> FinishedConnection:
    """Take what the consent page's redirect brought. The grant of an account that was connected before is given back.

    Raises:
        TokenInvalid: the state is unknown, was used, has expired, or belongs to another provider or browser (OA-1).
        ConnectionFailed: denied, code refused, scope missing, provider not reachable, no calendar that can be
            written, or connected meanwhile.
    """
    attempt = await attempts.take(token_hash(state))
    offered = providers.get(provider)
    if offered is None or offered.sign_in is None:
        raise TokenInvalid
    if attempt is None or attempt.provider is not provider or attempt.expires_at <= clock():
        raise TokenInvalid
    if browser_secret is None or not secrets.compare_digest(token_hash(browser_secret), attempt.browser_hash):
        raise TokenInvalid
    if code is None:
        raise ConnectionFailed(DENIED if error == "access_denied" else CODE_REJECTED, attempt.return_to)
    granted, listed = await _sign_in(offered.sign_in, offered.calendars, attempt, code)
    if not any(calendar.access.can_write for calendar in listed):
        raise ConnectionFailed(NO_CALENDAR, attempt.return_to)
    return await _store(attempt, granted, listed, begin=begin, providers=providers, clock=clock)


async def _sign_in(
    sign_in: SignIn, calendars: Callable[[Credentials], Calendars], attempt: SignInAttempt, code: str
) -> tuple[Granted, tuple[ListedCalendar, ...]]:
    try:
        granted = await sign_in.finish(code=code, verifier=attempt.verifier, redirect_uri=attempt.redirect_uri)
        return granted, await calendars(_Fresh(granted.credentials)).list_calendars()
    except AuthorizationDenied as no:
        raise ConnectionFailed(DENIED, attempt.return_to) from no
    except (CodeRejected, ReauthorizationNeeded) as no:
        raise ConnectionFailed(CODE_REJECTED, attempt.return_to) from no
    except AccessNotGranted as no:
        raise ConnectionFailed(NOT_GRANTED, attempt.return_to) from no
    except MailboxNotFound as no:
        raise ConnectionFailed(MAILBOX_ELSEWHERE if no.hybrid else NO_MAILBOX, attempt.return_to) from no
    except ProviderError as no:
        raise ConnectionFailed(UNAVAILABLE, attempt.return_to) from no


class _Fresh:
    """Credentials that are minutes old and not stored yet; there is nobody to share a renewal with."""

    def __init__(self, credentials: str) -> None:
        self._credentials = credentials

    async def current(self) -> str:
        return self._credentials

    async def renew(self, stale: str, refresh: Callable[[str], Awaitable[str]]) -> str:
        if stale == self._credentials:
            self._credentials = await refresh(stale)
        return self._credentials


async def _store(
    attempt: SignInAttempt,
    granted: Granted,
    listed: tuple[ListedCalendar, ...],
    *,
    begin: Begin,
    providers: Providers,
    clock: Clock,
) -> FinishedConnection:
    new = NewConnection(
        provider=attempt.provider,
        account_email=granted.account_email,
        credentials=granted.credentials,
        listed=listed,
        consent=Consent(attempt.disclosure_version, attempt.created_at),
    )
    caller = Caller(attempt.account_id, attempt.user_id, frozenset())
    try:
        stored = await store_connection(
            new, caller=caller, reconnect=attempt.reconnect, begin=begin, providers=providers, clock=clock
        )
    except AlreadyConnected as already:
        raise ConnectionFailed(CONNECTED_ALREADY, attempt.return_to) from already
    hinted = attempt.login_hint
    other = hinted is not None and hinted.casefold() != granted.account_email.casefold()
    return FinishedConnection(stored.connection_id, attempt.return_to, stored.selection_kept, other)
