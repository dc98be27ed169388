"""Connecting a mailbox with an address and a password (S24 to S31, S36 to S40, A-EX1, A-EX2)."""

from contextlib import suppress

from meetings.adapters.exchange.autodiscover import CanonicalName
from meetings.adapters.exchange.login_steps import Attempt
from meetings.adapters.exchange.transport import Transport
from meetings.application.ports.calendars import (
    ConnectedMailbox,
    LoginCheck,
    LoginRefused,
    MailboxCredentials,
    ProviderError,
)
from meetings.application.ports.clock import Clock

_CALLS = 3
"""In all, a login may take as long as this many calls of the longest kind."""
_GRACE_SECONDS = 1.0
"""What a call that ends in time needs to say so."""


class ExchangeLogin:
    """`MailboxLogin` for Exchange servers. Nothing is written there; a wrong password is tried once per user name.

    A login is a row of a dozen short calls. The first that takes too long ends it, so that it seldom comes to the time
    that all of them have together.
    """

    def __init__(
        self,
        transport: Transport,
        static_ranges: tuple[str, ...],
        total_seconds: float,
        canonical_name: CanonicalName,
        now: Clock,
    ) -> None:
        self.static_ranges = static_ranges
        self._transport = transport
        self._seconds = _CALLS * total_seconds
        self._canonical_name = canonical_name
        self._now = now

    async def connect(self, given: MailboxCredentials) -> ConnectedMailbox:
        return await self._run(self._attempt(given))

    async def examine(self, given: MailboxCredentials) -> tuple[LoginCheck, ...]:
        """Also when there is no answer in time: the step that waits for it has failed then."""
        attempt = self._attempt(given)
        with suppress(LoginRefused, ProviderError):
            await self._run(attempt)
        return attempt.report()

    def _attempt(self, given: MailboxCredentials) -> Attempt:
        return Attempt(given, self._transport, self.static_ranges, self._canonical_name, self._now)

    async def _run(self, attempt: Attempt) -> ConnectedMailbox:
        until = self._transport.moment_after(self._seconds)
        return await self._transport.in_thread(lambda: attempt.connect(until), until + _GRACE_SECONDS)
