"""Faults that every provider can have, told to each simulator in its own words."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from meetings.adapters.exchange.simulator import PASSWORD
from meetings.application.ports.calendars import CalendarProvider
from tests.contracts.calendars.exchange_world import ExchangeWorld
from tests.contracts.calendars.google_world import GoogleWorld
from tests.contracts.calendars.office365_world import Office365World
from tests.contracts.calendars.world import CalendarWorld

PATIENCE_SECONDS = 40

TIME_OUT = "time-out"

FAULTS: dict[str, dict[str, Any]] = {
    TIME_OUT: {"delay": 1.5},
    "connection reset": {"reset": True},
    "429": {"status": 429},
    "429 with a time to wait": {"status": 429, "retry_after": PATIENCE_SECONDS},
    "503": {"status": 503},
    "503 with a time to wait": {"status": 503, "retry_after": PATIENCE_SECONDS},
    "500": {"status": 500},
    "answer cut off": {"cut_off_body": True},
    "another type than promised": {"body": "<!DOCTYPE html><p>Sign in to this network", "content_type": "text/html"},
    "answer lost": {"drop_after_commit": True},
}
"""What a simulator does to a call; a time-out is longer than an impatient provider waits, its work is done."""

_WRITES = {
    GoogleWorld: ("events.insert", "events.patch", "events.delete"),
    Office365World: ("events.create", "events.update", "events.delete", "events.cancel"),
    ExchangeWorld: ("CreateItem", "UpdateItem", "DeleteItem"),
}


class Asking(Enum):
    """What a call is for."""

    ANYTHING = "anything"
    READING = "reading"
    WRITING = "writing"


def simulator_of(place: CalendarWorld) -> Any:
    """The simulator itself; all of them know `fault` and `on_call` with the same words."""
    if isinstance(place, GoogleWorld):
        return place.google
    if isinstance(place, Office365World):
        return place.office
    assert isinstance(place, ExchangeWorld)
    return place.exchange


def impatient(place: CalendarWorld) -> CalendarProvider:
    """The provider as the product has it, but with calls that may last a second at most."""
    assert isinstance(place, GoogleWorld | Office365World | ExchangeWorld)
    provider: CalendarProvider = place.provider_with(total_seconds=1.0, busy_seconds=0.8)
    return provider


def about_calendars(place: CalendarWorld, asking: Asking = Asking.ANYTHING) -> Callable[[Any], bool]:
    """Matches calls of the simulator; signing in and renewing a grant are none of them."""
    writes = next(names for kind, names in _WRITES.items() if isinstance(place, kind))

    def matches(call: Any) -> bool:
        if call.account is None or call.operation.startswith(("oauth.", "autodiscover.")):
            return False
        return asking is Asking.ANYTHING or (call.operation in writes) is (asking is Asking.WRITING)

    return matches


def spoil(place: CalendarWorld, fault: str, asking: Asking = Asking.ANYTHING, *, times: int | None = None) -> None:
    """The next `times` calls go wrong; without a number all, until `place.recover()`."""
    simulator_of(place).fault(about_calendars(place, asking), times=times, **FAULTS[fault])


def calls_for(place: CalendarWorld, asking: Asking = Asking.ANYTHING) -> int:
    """How many calls came in so far."""
    return sum(map(about_calendars(place, asking), list(simulator_of(place).calls)))


def allow_again(place: CalendarWorld) -> None:
    """After `place.revoke()`: what the person has to do at the provider before they can sign in again."""
    if isinstance(place, ExchangeWorld):
        place.exchange.change_password(place.account, PASSWORD)
