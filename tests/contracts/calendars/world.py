"""What the contract of calendars needs from a provider's simulator, in words that fit every provider."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from meetings.application.ports.calendars import (
    BusyStatus,
    CalendarProvider,
    EventKey,
    MailboxCredentials,
    ReauthorizationNeeded,
)
from meetings.domain.calendar_connection import CalendarAccess

# Monday, 09:00 in Berlin, four weeks before the clocks change there.
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved. It begins on Monday, 2 March 2026, 09:00 in Berlin."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, step: timedelta) -> None:
        self.at += step


class HeldCredentials:
    """The `Credentials` port in memory, as it promises: one refresh at a time, and none when there is news."""

    def __init__(self, text: str) -> None:
        self.text: str | None = text
        self.renewals = 0
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> str:
        if self.text is None:
            raise ReauthorizationNeeded("no credentials")
        return self.text

    async def renew(self, stale: str, refresh: Callable[[str], Awaitable[str]]) -> str:
        async with self._one_at_a_time:
            if self.text == stale:
                self.renewals += 1
                self.text = await refresh(stale)
            return await self.current()


@dataclass(frozen=True)
class SeenEvent:
    """A live event as its owner sees it at the provider. `zone` is the zone its times are shown in."""

    title: str
    description: str
    start: datetime
    end: datetime
    zone: str
    guests: frozenset[str]
    location: str | None = None
    has_link: bool = False


class CalendarWorld(Protocol):
    """A provider and its simulator, with an account in Berlin whose calendars are at hand.

    Instants are aware. Everything here acts at the provider, not through our adapter, except what says so.
    """

    provider: CalendarProvider
    account: str
    primary: str
    refusals: tuple[str, ...]
    """How the provider words that a calendar may not be read any more."""
    statuses: frozenset[BusyStatus]
    """What a person can make an event say there."""
    shared: frozenset[CalendarAccess]
    """What somebody else's calendar can be shared for, as far as the provider tells."""
    chosen_ids: bool
    """Whether the writer of an event chooses its id, so that somebody else's event may have it already."""
    conferences: bool
    """Whether the provider makes links to join a meeting by."""
    renewable: bool
    """Whether credentials are renewed now and then; a password is not."""
    returned_grants: bool
    """Whether a grant can be given back to the provider; if not, forgetting it is all there is."""

    def settings(self) -> dict[str, Any]:
        """The fields of the provider's settings that let the product find this simulator."""

    def type_in(self) -> MailboxCredentials | None:
        """What the account's owner types in where there is no consent page; None where there is one."""

    def sign_in(self) -> HeldCredentials:
        """A grant that works, without the walk through the consent page."""

    def colleague(self) -> tuple[HeldCredentials, str]:
        """A grant of Bob, bob@example.com, and his primary calendar."""

    def consent(self, url: str, *, calendars: bool = True) -> str:
        """Walk the consent page at `url` and give the code; without `calendars` that permission is not given."""

    def redirect_uri(self) -> str: ...

    def add_calendar(self, name: str, access: CalendarAccess = CalendarAccess.OWNER) -> str: ...

    def add_event(
        self, calendar: str, start: datetime, end: datetime, *, status: BusyStatus = BusyStatus.BUSY
    ) -> str: ...

    def add_days(self, calendar: str, first: date, after_last: date) -> str: ...

    def add_weekly(self, calendar: str, start: datetime, end: datetime, *, times: int | None) -> str: ...

    def plan(self, calendar: str, title: str, start: datetime, end: datetime, **more: Any) -> str:
        """The account's owner plans something. `more`: `guests` (addresses), `text`, `place`, `private`, and `weekly`
        (how many times)."""

    def replan(self, calendar: str, event_id: str, **more: Any) -> None:
        """They change their mind. `more`: `title`, `guests`, `text` and `private` as in `plan`."""

    def invite(self, start: datetime, end: datetime) -> str:
        """Somebody else invites the account: an event in its primary calendar."""

    def decline(self, event_id: str) -> None: ...

    def move_event(self, calendar: str, event_id: str, start: datetime, end: datetime) -> None: ...

    def cancel_event(self, calendar: str, event_id: str) -> None: ...

    def move_instance(
        self, calendar: str, series_id: str, original: datetime, start: datetime, end: datetime
    ) -> None: ...

    def cancel_instance(self, calendar: str, series_id: str, original: datetime) -> None: ...

    def occupy(self, calendar: str, key: EventKey, start: datetime, end: datetime) -> None:
        """Somebody else's event stands where the event with this key would go."""

    def add_guest(self, calendar: str, event_id: str, email: str) -> None: ...

    def lose_access(self, calendar: str, refusal: str | None = None) -> None:
        """From now on the calendar is refused, in one of the words of `refusals`, or the provider's usual one."""

    def restore_access(self, calendar: str) -> None: ...

    def expire_cursors(self, calendar: str) -> None: ...

    def expire_access(self) -> None:
        """What the account's credentials are used with is not accepted any more, but can be renewed."""

    def revoke(self) -> None:
        """The person takes the grant back."""

    def small_pages(self, size: int) -> None: ...

    def during_list(self, action: Callable[[], object]) -> None:
        """Run `action` after the next page of a list of events, before it arrives."""

    def during_write(self, action: Callable[[], object]) -> None:
        """Run `action` once the next new event is written, before the answer to that arrives."""

    def during_renewal(self, action: Callable[[], object]) -> None:
        """Run `action` once the next renewal of the credentials is granted, before the answer to that arrives."""

    def lose_answers(self, times: int) -> None:
        """The next writes are done, but their answers are lost."""

    def fail(self, times: int | None = 1) -> None:
        """The next calls for calendars are answered with a server error; without a number, all."""

    def limit_rate(self, seconds: int) -> None:
        """The next call is refused as one too many, to be repeated after `seconds`."""

    def recover(self) -> None: ...

    def calls(self) -> int:
        """How many requests came to the provider so far."""

    def seen(self, calendar: str) -> list[SeenEvent]: ...

    def invitations(self) -> list[tuple[str, str]]:
        """(address, what) of each mail the provider sent to guests; what is invitation, update or cancellation."""

    def push_address(self) -> str: ...

    def wait_for_push(self, count: int) -> list[tuple[str, str]]:
        """(channel id, secret) of each call to the push address, once there are `count`; blocks. Greetings left out."""
