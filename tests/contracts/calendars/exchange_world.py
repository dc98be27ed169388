"""The Exchange simulator as a `CalendarWorld`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import pytest

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.booking_event import KEY, PROPERTY_SET, key_text
from meetings.adapters.exchange.provider import ExchangeSettings, exchange_provider
from meetings.adapters.exchange.simulator import PASSWORD, Call, Event, ExchangeSimulator
from meetings.adapters.exchange.simulator.item_fields import busy_values
from meetings.adapters.exchange.versions import ServerBuild
from meetings.application.ports.calendars import (
    BusyStatus,
    CalendarProvider,
    EventKey,
    MailboxCredentials,
    ServerAuth,
)
from meetings.domain.calendar_connection import CalendarAccess
from tests.contracts.calendars.world import Clock, HeldCredentials, SeenEvent
from tests.contracts.exchange import schema
from tests.contracts.exchange.schema import SchemaCheck

ADA, BOB = "ada@example.com", "bob@example.com"
_BUSY = {
    BusyStatus.BUSY: "Busy",
    BusyStatus.TENTATIVE: "Tentative",
    BusyStatus.OUT_OF_OFFICE: "OOF",
    BusyStatus.FREE: "Free",
    BusyStatus.UNKNOWN: "NoData",
    BusyStatus.WORKING_ELSEWHERE: "WorkingElsewhere",
}
# A folder of one's own that is only half one's own, such as a calendar from the internet.
_RIGHTS = {
    CalendarAccess.OWNER: "owner",
    CalendarAccess.WRITER: "writer",
    CalendarAccess.READER: "reader",
    CalendarAccess.FREE_BUSY: "free_busy",
}
_OF_SCHEMA = "14.2"
_WRITES = ("CreateItem", "UpdateItem", "DeleteItem")


class ExchangeWorld:
    account = ADA
    refusals: tuple[str, ...] = ("ErrorAccessDenied", "ErrorFolderNotFound", "ErrorItemNotFound")
    shared = frozenset({CalendarAccess.READER})
    chosen_ids = True
    conferences = False
    renewable = False
    returned_grants = False

    def __init__(
        self, exchange: ExchangeSimulator, clock: Callable[[], datetime], auth: ServerAuth, settings: dict[str, Any]
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.auth = auth
        known = busy_values(exchange.settings.version)
        self.statuses = frozenset(status for status, name in _BUSY.items() if name in known)
        self.primary = exchange.calendar_of(ADA)
        self.provider = self.provider_with(**settings)

    def provider_with(self, **settings: Any) -> CalendarProvider:
        """Another instance of the adapter, as another process would have."""
        return exchange_provider(ExchangeSettings(**{**self.settings(), **settings}), now=self.clock)

    def settings(self) -> dict[str, Any]:
        return {"private_networks": (f"localhost:{self.exchange.port}",), "ca_file": self.exchange.ca_file}

    def type_in(self) -> MailboxCredentials:
        return MailboxCredentials(email=ADA, password=PASSWORD, server_url=self.exchange.ews_url)

    def sign_in(self) -> HeldCredentials:
        return self._signed_in(ADA)

    def colleague(self) -> tuple[HeldCredentials, str]:
        return self._signed_in(BOB), self.exchange.calendar_of(BOB)

    def _signed_in(self, email: str) -> HeldCredentials:
        access = MailboxAccess(
            email=email,
            username=email,
            password=PASSWORD,
            url=self.exchange.ews_url,
            auth=self.auth,
            build=ServerBuild(*self.exchange.settings.version.build),
        )
        return HeldCredentials(access.to_text())

    def consent(self, url: str, *, calendars: bool = True) -> str:
        pytest.skip("people sign in with a password there, not on a consent page")

    def redirect_uri(self) -> str:
        pytest.skip("there is no consent page to come back from")

    def add_calendar(self, name: str, access: CalendarAccess = CalendarAccess.OWNER) -> str:
        return self.exchange.add_calendar(ADA, name, rights=_RIGHTS[access])

    def add_event(self, calendar: str, start: datetime, end: datetime, *, status: BusyStatus = BusyStatus.BUSY) -> str:
        return self.exchange.add_event(calendar, "Secret title", start, end, busy=_BUSY[status])

    def add_days(self, calendar: str, first: date, after_last: date) -> str:
        return self.exchange.add_event(calendar, "Secret days", first, after_last)

    def add_weekly(self, calendar: str, start: datetime, end: datetime, *, times: int | None) -> str:
        return self.exchange.add_recurring(calendar, "Secret series", start, end, times=times)

    def plan(self, calendar: str, title: str, start: datetime, end: datetime, **more: Any) -> str:
        guests = tuple(more.get("guests", ()))
        if more.get("weekly"):
            return self.exchange.add_recurring(calendar, title, start, end, times=more["weekly"], attendees=guests)
        return self.exchange.add_event(
            calendar,
            title,
            start,
            end,
            attendees=guests,
            location=more.get("place"),
            body=more.get("text"),
            sensitivity="Private" if more.get("private") else "Normal",
        )

    def replan(self, calendar: str, event_id: str, **more: Any) -> None:
        private = more.get("private")
        self.exchange.change_event(
            event_id,
            subject=more.get("title"),
            attendees=tuple(more["guests"]) if "guests" in more else None,
            body=more.get("text"),
            sensitivity=None if private is None else "Private" if private else "Normal",
        )

    def invite(self, start: datetime, end: datetime) -> str:
        return self.exchange.invite(ADA, BOB, "Secret plan", start, end)

    def decline(self, event_id: str) -> None:
        self.exchange.respond(event_id, "Decline", keep=True)

    def move_event(self, calendar: str, event_id: str, start: datetime, end: datetime) -> None:
        self.exchange.move_event(event_id, start, end)

    def cancel_event(self, calendar: str, event_id: str) -> None:
        self.exchange.cancel_event(event_id)

    def move_instance(self, calendar: str, series_id: str, original: datetime, start: datetime, end: datetime) -> None:
        self.exchange.move_instance(series_id, original, start, end)

    def cancel_instance(self, calendar: str, series_id: str, original: datetime) -> None:
        self.exchange.cancel_instance(series_id, original)

    def occupy(self, calendar: str, key: EventKey, start: datetime, end: datetime) -> None:
        """Exchange chooses ids; the nearest thing is somebody else's event with our key as its property."""
        self.exchange.add_event(calendar, "Foreign", start, end, extended={(PROPERTY_SET, KEY): key_text(key)})

    def add_guest(self, calendar: str, event_id: str, email: str) -> None:
        guests = [address for address, _ in self.exchange.event(event_id).attendees]
        self.exchange.change_event(event_id, attendees=(*guests, email))

    def lose_access(self, calendar: str, refusal: str | None = None) -> None:
        self.exchange.lose_access(calendar, code=refusal or "ErrorAccessDenied")

    def restore_access(self, calendar: str) -> None:
        self.exchange.restore_access(calendar)

    def expire_cursors(self, calendar: str) -> None:
        self.exchange.expire_sync_states(calendar)

    def expire_access(self) -> None:
        pytest.skip("a password is shown with every call; there is nothing to renew")

    def revoke(self) -> None:
        """The password is another one now."""
        self.exchange.change_password(ADA, "another one")

    def small_pages(self, size: int) -> None:
        self.exchange.settings.find_limit = self.exchange.settings.sync_limit = size

    def during_list(self, action: Callable[[], object]) -> None:
        self.exchange.on_call(lambda call: call.operation in ("FindItem", "SyncFolderItems"), action)

    def during_write(self, action: Callable[[], object]) -> None:
        self.exchange.on_call("CreateItem", action)

    def during_renewal(self, action: Callable[[], object]) -> None:
        pytest.skip("a password is shown with every call; there is nothing to renew")

    def lose_answers(self, times: int) -> None:
        self.exchange.fault(lambda call: call.operation in _WRITES, drop_after_commit=True, times=times)

    def fail(self, times: int | None = 1) -> None:
        self.exchange.fault(_asks_a_mailbox, status=500, times=times)

    def limit_rate(self, seconds: int) -> None:
        self.exchange.fault(_asks_a_mailbox, code="ErrorServerBusy", back_off_ms=seconds * 1000)

    def recover(self) -> None:
        self.exchange.clear_faults()

    def calls(self) -> int:
        return len(self.exchange.calls)

    def seen(self, calendar: str) -> list[SeenEvent]:
        return [_seen(event) for event in self.exchange.events(calendar)]

    def invitations(self) -> list[tuple[str, str]]:
        return [(mail.to, mail.kind) for mail in self.exchange.mails if not mail.kind.startswith("response")]

    def push_address(self) -> str:
        pytest.skip("Exchange is listened to; it calls nobody here")

    def wait_for_push(self, count: int) -> list[tuple[str, str]]:
        pytest.skip("Exchange is listened to; it calls nobody here")


def _asks_a_mailbox(call: Call) -> bool:
    return call.account is not None


def _seen(event: Event) -> SeenEvent:
    """The event as Outlook shows it."""
    return SeenEvent(
        title=event.subject,
        description=event.body.replace("\r\n", "\n"),
        start=event.start,
        end=event.end,
        zone=event.zone,
        guests=frozenset(address for address, _ in event.attendees),
        location=event.location or None,
    )


@contextmanager
def exchange_world(
    *,
    clock: Callable[[], datetime] | None = None,
    version: str = _OF_SCHEMA,
    auth: ServerAuth = ServerAuth.BASIC,
    **settings: Any,
) -> Iterator[ExchangeWorld]:
    """A served simulator of Exchange 2010 SP2, or of another version. Calls to 2010 SP2 are checked against its
    published schema, where that is at hand. Its clock is a standing one unless another is given.
    """
    check = SchemaCheck()
    now = clock or Clock()
    with ExchangeSimulator(now=now, version=version).serve() as exchange:
        if schema.AVAILABLE and version == _OF_SCHEMA:
            exchange.observe(check)
        exchange.add_account(ADA, "Ada Lovelace", time_zone="Europe/Berlin")
        exchange.add_account(BOB, "Bob Stone", time_zone="America/New_York")
        yield ExchangeWorld(exchange, now, auth, settings)
    assert check.problems == []
