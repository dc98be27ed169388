"""Keeping one provider from taking all of a worker (RT-6)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from meetings.application.ports.calendars import Calendars, CalendarsOf, RateLimited
from meetings.application.ports.mail_accounts import MailAccount, MailAccountOf
from meetings.domain.calendar_connection import CalendarConnection, Provider
from meetings.domain.mailbox import InboxProvider, Mailbox
from meetings.infrastructure.circuits.watched import Call, WatchedCalendars
from meetings.infrastructure.circuits.watched_mail import WatchedMailAccount

WAIT_SECONDS = 1.0
AGAIN_SECONDS = 2.0


class Places:
    """So many calls of one provider at a time as there are `places`; for one event loop.

    One too many waits for a second, and is then to be repeated: work that waits for a provider that hangs makes room
    for work that needs another. It takes more workers than places for that, `workers_for` says how many.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._of: dict[Provider | InboxProvider, asyncio.Semaphore] = {}

    def within(self, calendars_of: CalendarsOf) -> CalendarsOf:
        """The same calendars, whose calls take one of their provider's places each."""

        def bounded(connection: CalendarConnection) -> Calendars:
            places = self._of.setdefault(connection.provider, asyncio.Semaphore(self._places))
            return WatchedCalendars(calendars_of(connection), _Place(places))

        return bounded

    def within_mail(self, mail_account_of: MailAccountOf) -> MailAccountOf:
        """The same mailboxes, in the same way."""

        def bounded(mailbox: Mailbox) -> MailAccount:
            places = self._of.setdefault(mailbox.provider, asyncio.Semaphore(self._places))
            return WatchedMailAccount(mail_account_of(mailbox), _Place(places))

        return bounded


def workers_for(places: int, providers: int) -> int:
    """How many workers it takes so that one provider that hangs leaves `places` for each of the others."""
    return places * max(providers, 1)


@dataclass(frozen=True, slots=True)
class _Place:
    places: asyncio.Semaphore

    async def begin(self, requests: int, *, urgent: bool) -> Call:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self.places.acquire()
        except TimeoutError:
            raise RateLimited("enough calls to this provider are under way", retry_after=AGAIN_SECONDS) from None
        return _Taken(self.places.release)


@dataclass(frozen=True, slots=True)
class _Taken:
    release: Callable[[], None]

    def ended(self, error: BaseException | None) -> None:
        self.release()
