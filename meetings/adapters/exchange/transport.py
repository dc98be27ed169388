"""Blocking calls to Exchange, in threads of their own and through the outbound guard."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

import requests

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.connections import Connections, carefully
from meetings.adapters.exchange.dialling import Egress
from meetings.adapters.exchange.guarded_http import GuardedSession, Limits
from meetings.adapters.exchange.xml_limits import XmlRefused
from meetings.application.outbound import OutboundGuard
from meetings.application.ports.calendars import ProviderUnavailable

if TYPE_CHECKING:
    from meetings.adapters.exchange.soap import Connection, Mailbox

T = TypeVar("T")

# At DEBUG these write down headers, passwords among them; exchangelib's errors hold whole requests.
for _name, _level in (
    ("exchangelib", logging.CRITICAL),
    ("urllib3", logging.INFO),
    ("requests_ntlm", logging.INFO),
    ("spnego", logging.INFO),
):
    logging.getLogger(_name).setLevel(_level)


class Transport:
    """One per process. `certificates` is PEM of authorities that the operator trusts for every server.

    A call that nobody waits for any more still has its thread until its limit: `threads` bounds those, and so what a
    dead server can take up.
    """

    def __init__(
        self,
        guard: OutboundGuard,
        egress: Egress,
        *,
        certificates: str | None,
        threads: int,
        total_seconds: float,
        kept_connections: int,
    ) -> None:
        self.guard = guard
        self._egress = egress
        self._certificates = certificates
        self._threads = threads
        self._total_seconds = total_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="exchange")
        self.connections = Connections(self.connect, most=kept_connections)
        self._at_work: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._at_work_lock = threading.Lock()

    def limit(self, seconds: float | None = None) -> float:
        """The moment of the monotonic clock at which a call that begins now has to end."""
        return time.monotonic() + min(seconds or self._total_seconds, self._total_seconds)

    @staticmethod
    def moment_after(seconds: float) -> float:
        """For a row of calls, each with a limit of its own."""
        return time.monotonic() + seconds

    def session(
        self, ca: str | None, *, seconds: float | None = None, answer_bytes: int | None = None
    ) -> GuardedSession:
        """Raises ValueError when `ca` holds no certificate."""
        limits = Limits(total_seconds=seconds or self._total_seconds)
        if answer_bytes is not None:
            limits = Limits(total_seconds=limits.total_seconds, answer_bytes=answer_bytes)
        if ca and self._certificates:
            GuardedSession(self.guard, ca_certificates=ca).close()  # it has to hold one of its own
        certificates = "\n".join(each for each in (self._certificates, ca) if each) or None
        return GuardedSession(self.guard, limits=limits, egress=self._egress, ca_certificates=certificates)

    def connect(self, access: MailboxAccess, *, asks_version: bool = False) -> "Connection":
        """A new connection, in a thread that may take its time: exchangelib is imported here."""
        from meetings.adapters.exchange.soap import Connection

        return Connection(access, lambda: self.session(access.ca), at_once=self._threads, asks_version=asks_version)

    async def in_thread(self, work: Callable[[], T], until: float) -> T:
        """Raises ProviderUnavailable when `work` takes too long, besides whatever `work` raises."""
        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except TimeoutError:
            raise ProviderUnavailable("no answer from Exchange in time") from None

    def call(self, access: MailboxAccess, work: Callable[["Mailbox"], T], until: float) -> T:
        """What `work` gives; blocks.

        Raises:
            Refused: Exchange said no.
            ProviderUnavailable: it did not answer, or not in a way that can be read.
        """
        from meetings.adapters.exchange.soap import Mailbox

        with readable():
            kept = self.connections.of(access)
            mailbox = Mailbox(kept.connection, access.email, until)
            return carefully(kept, lambda: work(mailbox), until - time.monotonic())

    @contextmanager
    def alone(self, name: str, until: float) -> Iterator[None]:
        """One at a time for each name. Raises TimeoutError."""
        with self._at_work_lock:
            lock = self._at_work.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=max(until - time.monotonic(), 0)):
            raise TimeoutError("an earlier write takes too long")
        try:
            yield
        finally:
            lock.release()


@contextmanager
def readable() -> Iterator[None]:
    """Turns what goes wrong on the way to an answer, and while it is read, into `ProviderUnavailable`."""
    from exchangelib.errors import EWSError

    try:
        yield
    except (requests.RequestException, OSError) as error:
        raise ProviderUnavailable(f"no answer from Exchange ({type(error).__name__})") from None
    except (XmlRefused, EWSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ProviderUnavailable(f"an answer of Exchange that cannot be read ({type(error).__name__})") from None
