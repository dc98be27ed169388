"""Calls in the name of one connection: a few at once, with the errors of the port."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.refusals import Asked, Refused, as_provider_error
from meetings.adapters.exchange.transport import Transport
from meetings.application.ports.calendars import Credentials, ProviderUnavailable
from meetings.application.ports.clock import Clock

if TYPE_CHECKING:
    from meetings.adapters.exchange.soap import Mailbox

T = TypeVar("T")


class MailboxCalls:
    """Keeps the credentials it read: made for one use case, not for the life of a process, though that would work."""

    def __init__(self, credentials: Credentials, transport: Transport, now: Clock, at_once: int) -> None:
        self._credentials = credentials
        self.transport = transport
        self._now = now
        self._places = asyncio.Semaphore(at_once)
        self._access: MailboxAccess | None = None

    async def access(self) -> MailboxAccess:
        """Raises ReauthorizationNeeded when there are no credentials, or none that are ours."""
        if self._access is None:
            self._access = MailboxAccess.from_text(await self._credentials.current())
        return self._access

    def limit(self, seconds: float | None = None) -> float:
        return self.transport.limit(seconds)

    async def call(self, work: Callable[["Mailbox"], T], asked: Asked, until: float) -> T:
        """What `work` gives in a thread. Raises any `ProviderError` that fits what was asked."""
        access = await self.access()
        try:
            async with asyncio.timeout(until - time.monotonic()), self._places:
                return await self.transport.in_thread(lambda: self.transport.call(access, work, until), until)
        except TimeoutError:
            raise ProviderUnavailable("no answer from Exchange in time") from None
        except Refused as refused:
            raise self.error(refused, asked) from None

    def error(self, refused: Refused, asked: Asked) -> Exception:
        return as_provider_error(refused, asked, self._now())
