"""Around all calls of one process: breakers, what providers asked for, and quotas."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from meetings.application.ports.calendars import (
    Calendars,
    CallQuota,
    ProviderError,
    ProviderResting,
    ProviderUnavailable,
    PushChannels,
    RateLimited,
)
from meetings.application.ports.crm import Crm
from meetings.application.ports.mail_accounts import MailAccount
from meetings.application.retry_schedule import LONGEST_WAIT
from meetings.domain.calendar_connection import CalendarConnection, MailServer
from meetings.domain.identifiers import AccountId
from meetings.domain.mailbox import Mailbox
from meetings.infrastructure.circuits.breaker import Breaker, Turn
from meetings.infrastructure.circuits.quota import Quota
from meetings.infrastructure.circuits.together import Together
from meetings.infrastructure.circuits.watched import Busy, Call, WatchedCalendars, WatchedPushChannels
from meetings.infrastructure.circuits.watched_crm import WatchedCrm
from meetings.infrastructure.circuits.watched_mail import WatchedMailAccount

log = logging.getLogger(__name__)

SILENCE_SECONDS = 5.0
"""A call that its caller gave up after this time went unanswered; before, it tells nothing about the provider."""
_KNOWN_CONNECTIONS = 5_000
_PROVIDER_CALLERS = 2

Site = tuple[str, str]
"""Who stands or falls together: a provider, or one server of a provider whose servers are the customers' own."""


class Circuits:
    """One per process; any thread and event loop may call. `clock` is monotonic, in seconds.

    Calls that are not let out raise `ProviderResting` while a breaker is open (of the connection, or of its provider
    or server), and `RateLimited` with the rest of the time while the provider asked for patience or the quota is
    used up; the quota holds back no question for somebody who waits for its answer, it only counts them. What a
    provider asked one process is not known to another.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._connections: dict[UUID, _Connection] = {}
        self._sites: dict[Site, Breaker] = {}
        self._quotas: dict[Site, Quota] = {}

    def around(
        self,
        calendars: Calendars,
        connection: CalendarConnection,
        quota: CallQuota | None,
        questions: Together[Busy] | None = None,
    ) -> Calendars:
        """`questions` is the event loop's: there, equal ones for busy time are put together."""

        def together(key: Hashable, put: Callable[[], Awaitable[Busy]]) -> Awaitable[Busy]:
            assert questions is not None
            return questions.ask((connection.id, key), put)

        return WatchedCalendars(calendars, _watch(self, connection, quota), together if questions else None)

    def around_push(
        self, channels: PushChannels, connection: CalendarConnection, quota: CallQuota | None
    ) -> PushChannels:
        return WatchedPushChannels(channels, _watch(self, connection, quota))

    def around_mail(self, account: MailAccount, mailbox: Mailbox) -> MailAccount:
        """Mail that does not answer is not held against the calendars of the same account, nor the other way round."""
        site = _site(f"{mailbox.provider.value} mail", mailbox.server)
        return WatchedMailAccount(account, _Watch(self, mailbox.id, site, None))

    def around_crm(self, crm: Crm, account: AccountId, name: str) -> Crm:
        """Of an account whose records another product keeps, called by its name. A quota is the adapter's business:
        only the CRM's answers tell it."""
        return WatchedCrm(crm, _Watch(self, account, _site(name, None), None))

    def begin(
        self, connection: UUID, site: Site, quota: CallQuota | None, requests: int, *, urgent: bool = False
    ) -> "_Going":
        """Let a call out, or raise what it meets in its place."""
        with self._lock:
            now = self._clock()
            own = self._known(connection, quota, now)
            provider = self._sites.setdefault(site, Breaker(callers=_PROVIDER_CALLERS))
            if (wait := own.patience_until - now) > 0:
                raise RateLimited("the provider asked us to wait", retry_after=wait)
            if (wait := max(own.breaker.rests_for(now), provider.rests_for(now))) > 0:
                raise ProviderResting("it failed too often just now; it is asked again soon", retry_after=wait)
            quotas = self._quotas_of(own, site, quota)
            if (wait := max((each.full_for(requests, now) for each in quotas), default=0.0)) > 0 and not urgent:
                raise RateLimited("our own limit for this provider is reached", retry_after=wait)
            for each in quotas:
                each.spend(requests, now)
            return _Going(self, connection, site, own, provider, own.breaker.begin(), provider.begin(), now)

    def ended(self, going: "_Going", error: BaseException | None) -> None:
        with self._lock:
            now = self._clock()
            failed = _failed(error, now - going.began_at)
            with _told("a connection", going.own.breaker, going):
                going.own.breaker.ended(going.own_turn, failed, now)
            with _told("a provider", going.provider, going):
                going.provider.ended(going.provider_turn, failed, now, going.connection)
            if isinstance(error, RateLimited) and error.retry_after is not None:
                until = now + min(error.retry_after, LONGEST_WAIT.total_seconds())
                going.own.patience_until = max(going.own.patience_until, until)

    def _known(self, connection: UUID, quota: CallQuota | None, now: float) -> "_Connection":
        known = self._connections.get(connection)
        if known is None:
            if len(self._connections) >= _KNOWN_CONNECTIONS:
                self._connections = {key: one for key, one in self._connections.items() if not one.forgettable(now)}
            known = self._connections[connection] = _Connection(quota)
        return known

    def _quotas_of(self, own: "_Connection", site: Site, quota: CallQuota | None) -> list[Quota]:
        if quota is None or own.quota is None:
            return []
        return [own.quota, self._quotas.setdefault(site, Quota(quota.altogether))]


class _Connection:
    """What is known of one connection."""

    def __init__(self, quota: CallQuota | None) -> None:
        self.breaker = Breaker()
        self.quota = Quota(quota.per_account) if quota else None
        self.patience_until = 0.0

    def forgettable(self, now: float) -> bool:
        idle = self.quota is None or self.quota.forgettable(now)
        return idle and self.patience_until <= now and self.breaker.forgettable(now)


@dataclass(frozen=True, slots=True)
class _Going:
    """A call that went out."""

    circuits: Circuits
    connection: UUID
    site: Site
    own: _Connection
    provider: Breaker
    own_turn: Turn
    provider_turn: Turn
    began_at: float

    def ended(self, error: BaseException | None) -> None:
        self.circuits.ended(self, error)


@contextmanager
def _told(what: str, breaker: Breaker, going: _Going) -> Iterator[None]:
    """Logs when the breaker opens or closes meanwhile."""
    was_open = breaker.is_open
    yield
    if breaker.is_open != was_open:
        about = {"provider": going.site[0], "server": going.site[1] or None, "connection": str(going.connection)}
        state = "failed too often and is left alone for a while" if breaker.is_open else "answers again"
        log.log(logging.WARNING if breaker.is_open else logging.INFO, f"{what} {state}", extra=about)


@dataclass(frozen=True, slots=True)
class _Watch:
    circuits: Circuits
    connection: UUID
    site: Site
    quota: CallQuota | None

    async def begin(self, requests: int, *, urgent: bool) -> Call:
        return self.circuits.begin(self.connection, self.site, self.quota, requests, urgent=urgent)


def _watch(circuits: Circuits, connection: CalendarConnection, quota: CallQuota | None) -> _Watch:
    return _Watch(circuits, connection.id, _site(connection.provider.value, connection.server), quota)


def _site(provider: str, server: MailServer | None) -> Site:
    return provider, urlsplit(server.url).netloc.lower() if server else ""


def _failed(error: BaseException | None, seconds: float) -> bool | None:
    """Whether the provider did not answer. A refusal is an answer, and so is being asked for patience."""
    if error is None:
        return False
    if isinstance(error, ProviderUnavailable):
        return True
    if isinstance(error, ProviderError):
        return False
    if isinstance(error, asyncio.CancelledError) and seconds >= SILENCE_SECONDS:
        return True
    return None
