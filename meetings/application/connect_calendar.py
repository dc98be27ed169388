"""A person connects an account, for its calendars, its mailbox or both: off to the consent page, and back."""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from meetings.application.links import Links, token_hash
from meetings.application.manage_inbox import own_mailbox
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
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.store_connection import WantedUses, check_may_connect, existing_connection, store_account
from meetings.application.store_mailbox import OpenedAccount
from meetings.application.team_channels import attach_mailbox
from meetings.application.uses import check_disclosure, check_offered
from meetings.domain.account_use import CALENDAR_ONLY, AccountUse
from meetings.domain.base import DomainError, NotFound, PermissionMissing
from meetings.domain.calendar_connection import (
    AlreadyConnected,
    Consent,
    ListedCalendar,
    Provider,
)
from meetings.domain.identifiers import ConnectionId, MailboxId, TeamChannelId
from meetings.domain.mailbox import InboxProvider, MailboxAlreadyConnected, TeamMailboxNotAllowed


class TokenInvalid(DomainError):
    """The state of a callback is unknown, used, expired, or belongs to another browser."""

    def __init__(self, return_to: str | None = None) -> None:
        self.return_to = return_to
        super().__init__("token invalid")


class ConnectionFailed(DomainError):
    """Coming back from the consent page led to nothing of what was wanted; `reason` says why, `return_to` where to go,
    `wanted` what it was."""

    def __init__(self, reason: "FailureReason", return_to: str, wanted: "Wanted") -> None:
        self.reason = reason
        self.return_to = return_to
        self.wanted = wanted
        super().__init__(reason)


class Wanted(Enum):
    """What a trip to the consent page is about, in one word."""

    CALENDAR = "calendar"
    INBOX = "inbox"
    CHANNEL = "channel"
    HUBSPOT = "hubspot"


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
OF_A_TEAM: FailureReason = "SHARED_MAILBOX_NOT_ALLOWED"


@dataclass(frozen=True, slots=True)
class StartConnection:
    """The wish to connect. `accepted_disclosure` is the version that was read; `return_to` was checked before.

    `uses` is what is asked for, no more (OA-3); `reconnect` and `reconnect_mailbox` name what it was used for before.
    With `channel` it is the mailbox of a team's channel.
    """

    provider: Provider
    accepted_disclosure: str
    return_to: str
    reconnect: ConnectionId | None = None
    login_hint: str | None = None
    uses: frozenset[AccountUse] = CALENDAR_ONLY
    reconnect_mailbox: MailboxId | None = None
    channel: TeamChannelId | None = None


@dataclass(frozen=True, slots=True)
class StartedConnection:
    """Where the browser goes, and the value it has to bring back (in a cookie nobody else gets)."""

    authorization_url: str
    browser_secret: str = field(repr=False)
    expires_in: timedelta


@dataclass(frozen=True, slots=True)
class FinishedConnection:
    """What stands of what was wanted. `selection_kept` is false when another account than before was chosen on
    reconnecting; `other_account` when it is not the one the person announced (A-CC5).

    A refused scope switches off only its own use (OA-3): `calendar_failed` and `inbox_failed` say why one of two is not
    there.
    """

    connection_id: ConnectionId | None
    return_to: str
    selection_kept: bool
    other_account: bool
    mailbox_id: MailboxId | None = None
    calendar_failed: FailureReason | None = None
    inbox_failed: FailureReason | None = None
    channel: TeamChannelId | None = None


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
        InvalidInput: nothing is asked for, or mail where that is not offered.
        AlreadyConnected: there is a working connection and it is not the one to reconnect.
        NotFound: no such connection or mailbox to reconnect, or no consent page of this provider.
    """
    offered = providers.get(wish.provider)
    if offered is None or offered.sign_in is None:
        raise NotFound("consent page", ("provider",))
    check_offered(offered, wish.uses)
    check_disclosure(offered, wish.uses, wish.accepted_disclosure)
    async with look(caller.account_id) as work:
        await _check_before(work, caller, wish)
    state, browser_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    redirect_uri = links.oauth_callback(wish.provider.value)
    authorization = await offered.sign_in.begin(
        state=state, redirect_uri=redirect_uri, login_hint=wish.login_hint, uses=wish.uses
    )
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
            uses=wish.uses,
            reconnect_mailbox=wish.reconnect_mailbox,
            channel=wish.channel,
        )
    )
    return StartedConnection(authorization.url, browser_secret, lasts)


async def _check_before(work: UnitOfWork, caller: Caller, wish: StartConnection) -> None:
    if wish.channel is not None:
        return
    await check_may_connect(work, caller)
    if AccountUse.CALENDAR in wish.uses:
        await existing_connection(work, caller, wish.reconnect)
    if wish.reconnect_mailbox is not None:
        await own_mailbox(work, caller, wish.reconnect_mailbox, named="reconnect")


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
            written, a team's mailbox, or connected meanwhile.
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
        raise _failed(DENIED if error == "access_denied" else CODE_REJECTED, attempt)
    granted = await _trade_in(offered.sign_in, attempt, code)
    listed, calendar_failed = await _calendars_of(offered.calendars, attempt, granted)
    uses = attempt.uses & granted.uses
    if calendar_failed is not None:
        uses -= CALENDAR_ONLY
    if not uses:
        raise _failed(calendar_failed or NOT_GRANTED, attempt)
    return await _store(attempt, granted, uses, listed, calendar_failed, begin=begin, providers=providers, clock=clock)


def _failed(reason: FailureReason, attempt: SignInAttempt) -> ConnectionFailed:
    wanted = Wanted.CALENDAR if AccountUse.CALENDAR in attempt.uses else Wanted.INBOX
    return ConnectionFailed(reason, attempt.return_to, Wanted.CHANNEL if attempt.channel else wanted)


async def _trade_in(sign_in: SignIn, attempt: SignInAttempt, code: str) -> Granted:
    with _reasons(attempt):
        return await sign_in.finish(code=code, verifier=attempt.verifier, redirect_uri=attempt.redirect_uri)


async def _calendars_of(
    calendars: Callable[[Credentials], Calendars], attempt: SignInAttempt, granted: Granted
) -> tuple[tuple[ListedCalendar, ...], FailureReason | None]:
    """The account's calendars, or why there can be no calendar although one was wanted."""
    if AccountUse.CALENDAR not in attempt.uses:
        return (), None
    if AccountUse.CALENDAR not in granted.uses:
        return (), NOT_GRANTED
    with _reasons(attempt):
        listed = await calendars(_Fresh(granted.credentials)).list_calendars()
    return listed, None if any(calendar.access.can_write for calendar in listed) else NO_CALENDAR


@contextmanager
def _reasons(attempt: SignInAttempt) -> Iterator[None]:
    try:
        yield
    except AuthorizationDenied as no:
        raise _failed(DENIED, attempt) from no
    except (CodeRejected, ReauthorizationNeeded) as no:
        raise _failed(CODE_REJECTED, attempt) from no
    except AccessNotGranted as no:
        raise _failed(NOT_GRANTED, attempt) from no
    except MailboxNotFound as no:
        raise _failed(MAILBOX_ELSEWHERE if no.hybrid else NO_MAILBOX, attempt) from no
    except ProviderError as no:
        raise _failed(UNAVAILABLE, attempt) from no


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
    uses: frozenset[AccountUse],
    listed: tuple[ListedCalendar, ...],
    calendar_failed: FailureReason | None,
    *,
    begin: Begin,
    providers: Providers,
    clock: Clock,
) -> FinishedConnection:
    opened = OpenedAccount(
        provider=InboxProvider(attempt.provider.value),
        email=granted.account_email,
        credentials=granted.credentials,
        opens=granted.uses,
        consent=Consent(attempt.disclosure_version, attempt.created_at),
    )
    caller = Caller(attempt.account_id, attempt.user_id, frozenset())
    if attempt.channel is not None:
        return await _attach(attempt, opened, attempt.channel, caller=caller, begin=begin, clock=clock)
    wanted = WantedUses(
        uses=uses, listed=listed, reconnect=attempt.reconnect, reconnect_mailbox=attempt.reconnect_mailbox
    )
    try:
        stored = await store_account(opened, wanted, caller=caller, begin=begin, providers=providers, clock=clock)
    except (AlreadyConnected, MailboxAlreadyConnected) as already:
        raise _failed(CONNECTED_ALREADY, attempt) from already
    except TeamMailboxNotAllowed as teams:
        raise _failed(OF_A_TEAM, attempt) from teams
    hinted = attempt.login_hint
    inbox_failed = CONNECTED_ALREADY if stored.mailbox_refused is not None else None
    if AccountUse.EMAIL in attempt.uses - granted.uses:
        inbox_failed = NOT_GRANTED
    return FinishedConnection(
        connection_id=stored.connection_id,
        return_to=attempt.return_to,
        selection_kept=stored.selection_kept,
        other_account=hinted is not None and hinted.casefold() != granted.account_email.casefold(),
        mailbox_id=stored.mailbox_id,
        calendar_failed=calendar_failed,
        inbox_failed=inbox_failed,
    )


async def _attach(
    attempt: SignInAttempt, opened: OpenedAccount, channel: TeamChannelId, *, caller: Caller, begin: Begin, clock: Clock
) -> FinishedConnection:
    try:
        await attach_mailbox(opened, channel, caller=caller, begin=begin, clock=clock)
    except MailboxAlreadyConnected as already:
        raise _failed(CONNECTED_ALREADY, attempt) from already
    except (PermissionMissing, NotFound) as gone:
        raise _failed(NOT_GRANTED, attempt) from gone
    hinted = attempt.login_hint
    other = hinted is not None and hinted.casefold() != opened.email.casefold()
    return FinishedConnection(None, attempt.return_to, True, other, channel=channel)
