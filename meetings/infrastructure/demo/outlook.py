"""Ben's and Carla's calendars in the demo, as their own simulators hold them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import Event, ExchangeSimulator
from meetings.adapters.office365.simulator import Office365Simulator
from meetings.infrastructure.demo.people import BEN, BOB_EMAIL, CARLA, CARLA_PASSWORD, PROJECT_CALENDAR, ZONE


@dataclass(frozen=True)
class ShownEvent:
    """An event as its owner sees it; `raw` for when it is not as expected."""

    start: datetime
    body: str
    lines: tuple[str, ...]
    raw: object


class Outlook(Protocol):
    """A person's calendars at their provider."""

    title: str
    second_calendar: str
    """The name of another calendar that blocks time."""

    def event_of(self, words: str) -> ShownEvent | None:
        """The live event whose title holds `words`."""

    def lose_access(self) -> None:
        """The second calendar cannot be read any more."""

    def restore_access(self) -> None: ...


class BensOutlook:
    """In Office 365: his own calendar, and one that a colleague shares with him."""

    title = "Office 365"
    second_calendar = PROJECT_CALENDAR

    def __init__(self, office: Office365Simulator) -> None:
        self._office = office
        self._own = office.add_account(BEN.email, BEN.name, time_zone=ZONE)
        office.add_account(BOB_EMAIL, "Bob", time_zone=ZONE)
        self._shared = office.add_calendar(BOB_EMAIL, PROJECT_CALENDAR)
        office.share_calendar(self._shared, BEN.email, "read")
        noon = _today().replace(hour=13)
        for day in range(1, 15):
            office.add_event(
                self._shared, "Project round", noon + timedelta(days=day), noon + timedelta(days=day, hours=1)
            )

    def event_of(self, words: str) -> ShownEvent | None:
        found = [event for event in self._office.events(self._own) if words in event["subject"]]
        return _shown_by_graph(found[0]) if found else None

    def lose_access(self) -> None:
        self._office.lose_access(BEN.email, self._shared)

    def restore_access(self) -> None:
        self._office.restore_access(BEN.email, self._shared)


class CarlasOutlook:
    """On an Exchange server of the company's own: her calendar, and a second folder."""

    title = "Exchange"
    second_calendar = PROJECT_CALENDAR

    def __init__(self, exchange: ExchangeSimulator) -> None:
        self._exchange = exchange
        self._own = exchange.add_account(CARLA.email, CARLA.name, password=CARLA_PASSWORD, time_zone=ZONE)
        self._second = exchange.add_calendar(CARLA.email, PROJECT_CALENDAR)
        morning = _today().replace(hour=9)
        exchange.add_recurring(self._own, "Stand-up", morning, morning + timedelta(minutes=30), times=20)

    def event_of(self, words: str) -> ShownEvent | None:
        found = [event for event in self._exchange.events(self._own) if words in event.subject]
        return _shown_by_exchange(found[0]) if found else None

    def lose_access(self) -> None:
        self._exchange.lose_access(self._second)

    def restore_access(self) -> None:
        self._exchange.restore_access(self._second)


def _today() -> datetime:
    return datetime.now(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


def _shown_by_graph(event: dict[str, Any]) -> ShownEvent:
    zone, guests = event["start"]["timeZone"], [guest["emailAddress"]["address"] for guest in event["attendees"]]
    start = datetime.fromisoformat(event["start"]["dateTime"][:19]).replace(tzinfo=ZoneInfo(zone))
    meeting = event.get("onlineMeeting") or {}
    return ShownEvent(
        start.astimezone(UTC),
        event["body"]["content"],
        (
            f"{event['subject']} | {event['start']['dateTime'][:16]} {zone} | shown as {event['showAs']}",
            f"attendees: {', '.join(guests)} | {meeting.get('joinUrl')}",
        ),
        event,
    )


def _shown_by_exchange(event: Event) -> ShownEvent:
    guests = ", ".join(address for address, _ in event.attendees)
    local = event.start.astimezone(ZoneInfo(event.zone))
    return ShownEvent(
        event.start,
        event.body,
        (
            f"{event.subject} | {local:%Y-%m-%dT%H:%M} {event.zone} | LegacyFreeBusyStatus {event.busy}",
            f"attendees: {guests}",
            *(f"| {line}" for line in event.body.splitlines()[:4] if line.strip()),
        ),
        event,
    )
