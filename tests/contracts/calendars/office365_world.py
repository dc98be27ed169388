"""Office 365's simulator as a `CalendarWorld`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from meetings.adapters.office365.booking_event import transaction_id
from meetings.adapters.office365.notices import read_push
from meetings.adapters.office365.provider import Office365Settings, office365_provider
from meetings.adapters.office365.simulator import CLIENT_ID, CLIENT_SECRET, Office365Simulator, weekly
from meetings.adapters.office365.simulator.bodies import plain_text, without_join_part
from meetings.adapters.office365.simulator.times import instant
from meetings.application.ports.calendars import BusyStatus, CalendarProvider, EventKey, News
from meetings.domain.calendar_connection import CalendarAccess
from tests.contracts.calendars.world import Clock, HeldCredentials, SeenEvent
from tests.contracts.office365 import openapi
from tests.contracts.office365.openapi import OpenApiCheck
from tests.contracts.office365.receiver import Receiver, listening
from tests.contracts.office365.signing_in import signed_in

ADA, BOB = "ada@example.com", "bob@example.com"
REDIRECT = "http://127.0.0.1:8000/oauth/office365/callback"
BERLIN = ZoneInfo("Europe/Berlin")
# Graph tells a person who may only see free/busy time the same as one who may read.
_ROLES = {CalendarAccess.WRITER: "write", CalendarAccess.READER: "read", CalendarAccess.FREE_BUSY: "freeBusyRead"}
_SHOWN_AS = {
    BusyStatus.BUSY: "busy",
    BusyStatus.TENTATIVE: "tentative",
    BusyStatus.OUT_OF_OFFICE: "oof",
    BusyStatus.FREE: "free",
    BusyStatus.WORKING_ELSEWHERE: "workingElsewhere",
}


class Office365World:
    account = ADA
    refusals: tuple[str, ...] = ("403", "404")
    statuses = frozenset(_SHOWN_AS)
    shared = frozenset({CalendarAccess.WRITER, CalendarAccess.READER})
    chosen_ids = False
    conferences = True
    renewable = True
    returned_grants = False

    def __init__(
        self, office: Office365Simulator, clock: Callable[[], datetime], receiver: Receiver, settings: dict[str, Any]
    ) -> None:
        self.office = office
        self.clock = clock
        self.receiver = receiver
        self.primary = office.default_calendar(ADA)
        office.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
        self.provider = self.provider_with(**settings)

    def provider_with(self, **settings: Any) -> CalendarProvider:
        """Another instance of the adapter, as another process would have."""
        return office365_provider(Office365Settings(**{**self.settings(), **settings}), now=self.clock)

    def settings(self) -> dict[str, Any]:
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "ca_file": self.office.ca_file,
            "login_url": self.office.endpoints.login,
            "graph_url": self.office.endpoints.graph,
            "link_seconds": 0.0,
        }

    def type_in(self) -> None:
        return None

    def sign_in(self) -> HeldCredentials:
        return HeldCredentials(signed_in(self.office, ADA, self.clock()))

    def colleague(self) -> tuple[HeldCredentials, str]:
        return HeldCredentials(signed_in(self.office, BOB, self.clock())), self.office.default_calendar(BOB)

    def consent(self, url: str, *, calendars: bool = True) -> str:
        back = self.office.auto_consent(ADA, url, scopes=None if calendars else ("User.Read",))
        return parse_qs(urlsplit(back).query)["code"][0]

    def redirect_uri(self) -> str:
        return REDIRECT

    def add_calendar(self, name: str, access: CalendarAccess = CalendarAccess.OWNER) -> str:
        if access is CalendarAccess.OWNER:
            return self.office.add_calendar(ADA, name)
        calendar = self.office.add_calendar(BOB, name)
        self.office.share_calendar(calendar, ADA, _ROLES[access])
        return calendar

    def add_event(self, calendar: str, start: datetime, end: datetime, *, status: BusyStatus = BusyStatus.BUSY) -> str:
        return str(self.office.add_event(calendar, "Secret title", start, end, showAs=_SHOWN_AS[status])["id"])

    def add_days(self, calendar: str, first: date, after_last: date) -> str:
        return str(self.office.add_event(calendar, "Secret days", first, after_last)["id"])

    def add_weekly(self, calendar: str, start: datetime, end: datetime, *, times: int | None) -> str:
        rule = weekly(start.astimezone(BERLIN), times=times)
        return str(self.office.add_recurring(calendar, "Secret series", start, end, rule)["id"])

    def plan(self, calendar: str, title: str, start: datetime, end: datetime, **more: Any) -> str:
        times = more.pop("weekly", None)
        series: dict[str, Any] = {"recurrence": weekly(start.astimezone(BERLIN), times=times)} if times else {}
        return str(self.office.add_event(calendar, title, start, end, **planned(more), **series)["id"])

    def replan(self, calendar: str, event_id: str, **more: Any) -> None:
        self.office.change_event(calendar, event_id, **planned(more))

    def invite(self, start: datetime, end: datetime) -> str:
        """Who invites the account has to have accepted it busy: an invitation alone stands as tentative."""
        calendar = self.office.default_calendar(BOB)
        guests = [{"emailAddress": {"address": ADA}}]
        made = self.office.add_event(calendar, "Secret plan", start, end, attendees=guests)
        return self.office.copy_id(ADA, made["id"])

    def decline(self, event_id: str) -> None:
        self.office.respond(ADA, event_id, "declined", keep=True)

    def move_event(self, calendar: str, event_id: str, start: datetime, end: datetime) -> None:
        self.office.move_event(calendar, event_id, start, end)

    def cancel_event(self, calendar: str, event_id: str) -> None:
        self.office.cancel_event(calendar, event_id)

    def move_instance(self, calendar: str, series_id: str, original: datetime, start: datetime, end: datetime) -> None:
        self.office.move_instance(calendar, series_id, original, start, end)

    def cancel_instance(self, calendar: str, series_id: str, original: datetime) -> None:
        self.office.cancel_instance(calendar, series_id, original)

    def occupy(self, calendar: str, key: EventKey, start: datetime, end: datetime) -> None:
        """Graph chooses ids; the nearest thing is somebody else's event with our transaction id."""
        self.office.add_event(calendar, "Foreign", start, end, transactionId=transaction_id(key))

    def add_guest(self, calendar: str, event_id: str, email: str) -> None:
        guests = self.office.event(calendar, event_id)["attendees"]
        self.office.change_event(calendar, event_id, attendees=[*guests, {"emailAddress": {"address": email}}])

    def lose_access(self, calendar: str, refusal: str | None = None) -> None:
        self.office.lose_access(ADA, calendar, status=int(refusal or 404))

    def restore_access(self, calendar: str) -> None:
        self.office.restore_access(ADA, calendar)

    def expire_cursors(self, calendar: str) -> None:
        self.office.expire_sync_tokens(calendar)

    def expire_access(self) -> None:
        self.office.expire_access_tokens(ADA)

    def revoke(self) -> None:
        self.office.revoke_grants(ADA)

    def small_pages(self, size: int) -> None:
        self.office.settings.largest_page = size

    def during_list(self, action: Callable[[], object]) -> None:
        self.office.on_call(lambda call: call.operation in ("calendarView.list", "calendarView.delta"), action)

    def during_write(self, action: Callable[[], object]) -> None:
        self.office.on_call("events.create", action)

    def during_renewal(self, action: Callable[[], object]) -> None:
        self.office.on_call("oauth.token", action)

    def lose_answers(self, times: int) -> None:
        """Of writes of events alone: asking for free/busy time is a POST, too."""
        writes = ("events.create", "events.update", "events.delete", "events.cancel")
        self.office.fault(lambda call: call.operation in writes, drop_after_commit=True, times=times)

    def fail(self, times: int | None = 1) -> None:
        self.office.fault(lambda call: not call.operation.startswith("oauth."), status=500, times=times)

    def limit_rate(self, seconds: int) -> None:
        self.office.fault(lambda call: not call.operation.startswith("oauth."), status=429, retry_after=seconds)

    def recover(self) -> None:
        self.office.clear_faults()

    def calls(self) -> int:
        return len(self.office.calls)

    def seen(self, calendar: str) -> list[SeenEvent]:
        return [_seen(event) for event in self.office.events(calendar)]

    def invitations(self) -> list[tuple[str, str]]:
        return [(mail.to, mail.kind) for mail in self.office.mails]

    def push_address(self) -> str:
        return self.receiver.address

    def wait_for_push(self, count: int) -> list[tuple[str, str]]:
        deadline = time.monotonic() + 5
        while True:
            messages = [read_push(call) for call in list(self.receiver.calls)]
            told = [notice for message in messages if message for notice in message.notices]
            news = [(each.channel_id, each.secret) for each in told if each.news is not News.GREETING]
            if len(news) >= count:
                return news
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(news)} of {count} notifications came")
            time.sleep(0.005)


def planned(more: dict[str, Any]) -> dict[str, Any]:
    """What a person says about an event, in Graph's words."""
    fields: dict[str, Any] = {}
    if "title" in more:
        fields["subject"] = more["title"]
    if "text" in more:
        fields["body"] = {"contentType": "text", "content": more["text"]}
    if "place" in more:
        fields["location"] = {"displayName": more["place"]}
    if "guests" in more:
        fields["attendees"] = [{"emailAddress": {"address": guest}} for guest in more["guests"]]
    if "private" in more:
        fields["sensitivity"] = "private" if more["private"] else "normal"
    return fields


def _seen(event: dict[str, Any]) -> SeenEvent:
    """The event as Outlook shows it; what it writes itself about the online meeting left out."""
    return SeenEvent(
        title=event["subject"],
        description=without_join_part(plain_text(event["body"]["content"])),
        start=instant(event["start"]).astimezone(UTC),
        end=instant(event["end"]).astimezone(UTC),
        zone=event["start"]["timeZone"],
        guests=frozenset(guest["emailAddress"]["address"] for guest in event["attendees"]),
        location=event["location"]["displayName"] or None,
        has_link=event["onlineMeeting"] is not None,
    )


@contextmanager
def office365_world(*, clock: Callable[[], datetime] | None = None, **settings: Any) -> Iterator[Office365World]:
    """A served simulator. Every call is checked against Microsoft's own description of Graph, where that is at hand.

    Its clock is a standing one unless another is given.
    """
    clock, check = clock or Clock(), OpenApiCheck()
    with listening() as receiver, Office365Simulator(now=clock).serve() as office:
        if openapi.AVAILABLE:
            office.observe(check)
        office.add_account(ADA, "Ada Lovelace", time_zone="Europe/Berlin")
        office.add_account(BOB, "Bob Stone", time_zone="America/New_York")
        yield Office365World(office, clock, receiver, settings)
    assert check.problems == []
