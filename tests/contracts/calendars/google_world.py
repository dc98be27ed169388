"""Google's simulator as a `CalendarWorld`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from meetings.adapters.google.booking_event import event_id as google_event_id
from meetings.adapters.google.provider import GoogleSettings, google_provider
from meetings.adapters.google.simulator import CLIENT_ID, CLIENT_SECRET, GoogleSimulator
from meetings.adapters.google.tokens import Grant
from meetings.adapters.google.wire import read_push
from meetings.application.ports.calendars import BusyStatus, EventKey, News, Notice, PushCall
from meetings.domain.calendar_connection import CalendarAccess
from tests.contracts.calendars.world import Clock, HeldCredentials, SeenEvent
from tests.contracts.google.discovery import DiscoveryCheck
from tests.contracts.google.receiver import Receiver, listening

ADA, BOB = "ada@example.com", "bob@example.com"
REDIRECT = "http://127.0.0.1:8000/oauth/google/callback"
_ROLES = {
    CalendarAccess.OWNER: "owner",
    CalendarAccess.WRITER: "writer",
    CalendarAccess.READER: "reader",
    CalendarAccess.FREE_BUSY: "freeBusyReader",
}
_FIELDS: dict[BusyStatus, dict[str, Any]] = {
    BusyStatus.BUSY: {},
    BusyStatus.TENTATIVE: {"status": "tentative"},
    BusyStatus.OUT_OF_OFFICE: {"eventType": "outOfOffice"},
    BusyStatus.FREE: {"transparency": "transparent"},
    BusyStatus.WORKING_ELSEWHERE: {"eventType": "workingLocation", "transparency": "transparent"},
}


class GoogleWorld:
    account = ADA
    primary = ADA
    refusals: tuple[str, ...] = ("403", "404")
    statuses = frozenset(_FIELDS)
    shared = frozenset(_ROLES) - {CalendarAccess.OWNER}
    chosen_ids = True
    conferences = True
    renewable = True
    returned_grants = True

    def __init__(
        self, google: GoogleSimulator, clock: Callable[[], datetime], receiver: Receiver, settings: dict[str, Any]
    ) -> None:
        self.google = google
        self.clock = clock
        self.receiver = receiver
        google.register_client(CLIENT_ID, CLIENT_SECRET, (REDIRECT,))
        self.provider = self.provider_with(**settings)

    def provider_with(self, **settings: Any) -> Any:
        """Another instance of the adapter, as another process would have."""
        return google_provider(GoogleSettings(**{**self.settings(), **settings}), now=self.clock)

    def settings(self) -> dict[str, Any]:
        endpoints = self.google.endpoints
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "api_url": endpoints.api,
            "mail_api_url": endpoints.mail_api,
            "authorize_url": endpoints.authorize,
            "token_url": endpoints.token,
            "revoke_url": endpoints.revoke,
            "link_seconds": 0.0,
        }

    def type_in(self) -> None:
        return None

    def sign_in(self) -> HeldCredentials:
        return self._signed_in(ADA)

    def colleague(self) -> tuple[HeldCredentials, str]:
        return self._signed_in(BOB), BOB

    def _signed_in(self, email: str) -> HeldCredentials:
        tokens = self.google.grant(email)
        ends = self.clock() + timedelta(seconds=tokens["expires_in"])
        grant = Grant(tokens["access_token"], tokens["refresh_token"], int(ends.timestamp()), ("calendar",))
        return HeldCredentials(grant.to_text())

    def consent(self, url: str, *, calendars: bool = True) -> str:
        back = self.google.auto_consent(ADA, url, scopes=None if calendars else ())
        return parse_qs(urlsplit(back).query)["code"][0]

    def redirect_uri(self) -> str:
        return REDIRECT

    def add_calendar(self, name: str, access: CalendarAccess = CalendarAccess.OWNER) -> str:
        if access is CalendarAccess.OWNER:
            return self.google.add_calendar(ADA, name)
        calendar = self.google.add_calendar(BOB, name)
        self.google.share_calendar(calendar, ADA, _ROLES[access])
        return calendar

    def add_event(self, calendar: str, start: datetime, end: datetime, *, status: BusyStatus = BusyStatus.BUSY) -> str:
        return str(self.google.add_event(calendar, "Secret title", start, end, **_FIELDS[status])["id"])

    def add_days(self, calendar: str, first: date, after_last: date) -> str:
        return str(self.google.add_event(calendar, "Secret days", first, after_last)["id"])

    def add_weekly(self, calendar: str, start: datetime, end: datetime, *, times: int | None) -> str:
        rule = "RRULE:FREQ=WEEKLY" + (f";COUNT={times}" if times else "")
        return str(self.google.add_recurring(calendar, "Secret series", start, end, [rule])["id"])

    def plan(self, calendar: str, title: str, start: datetime, end: datetime, **more: Any) -> str:
        times = more.pop("weekly", None)
        series: dict[str, Any] = {"recurrence": [f"RRULE:FREQ=WEEKLY;COUNT={times}"]} if times else {}
        return str(self.google.add_event(calendar, title, start, end, **planned(more), **series)["id"])

    def replan(self, calendar: str, event_id: str, **more: Any) -> None:
        self.google.change_event(calendar, event_id, **planned(more))

    def invite(self, start: datetime, end: datetime) -> str:
        return str(self.google.add_event(BOB, "Secret plan", start, end, attendees=[{"email": ADA}])["id"])

    def decline(self, event_id: str) -> None:
        self.google.respond(ADA, event_id, "declined")

    def move_event(self, calendar: str, event_id: str, start: datetime, end: datetime) -> None:
        self.google.move_event(calendar, event_id, start, end)

    def cancel_event(self, calendar: str, event_id: str) -> None:
        self.google.cancel_event(calendar, event_id)

    def move_instance(self, calendar: str, series_id: str, original: datetime, start: datetime, end: datetime) -> None:
        self.google.move_instance(calendar, series_id, original, start, end)

    def cancel_instance(self, calendar: str, series_id: str, original: datetime) -> None:
        self.google.cancel_instance(calendar, series_id, original)

    def occupy(self, calendar: str, key: EventKey, start: datetime, end: datetime) -> None:
        self.google.add_event(calendar, "Foreign", start, end, id=google_event_id(key))

    def add_guest(self, calendar: str, event_id: str, email: str) -> None:
        guests = self.google.event(calendar, event_id).get("attendees", [])
        self.google.change_event(calendar, event_id, attendees=[*guests, {"email": email}])

    def lose_access(self, calendar: str, refusal: str | None = None) -> None:
        self.google.lose_access(ADA, calendar, status=int(refusal or 404))

    def restore_access(self, calendar: str) -> None:
        self.google.restore_access(ADA, calendar)

    def expire_cursors(self, calendar: str) -> None:
        self.google.expire_sync_tokens(calendar)

    def expire_access(self) -> None:
        self.google.expire_access_tokens(ADA)

    def revoke(self) -> None:
        self.google.revoke_grants(ADA)

    def small_pages(self, size: int) -> None:
        self.google.settings.largest_page = size

    def during_list(self, action: Callable[[], object]) -> None:
        self.google.on_call("events.list", action)

    def during_write(self, action: Callable[[], object]) -> None:
        self.google.on_call("events.insert", action)

    def during_renewal(self, action: Callable[[], object]) -> None:
        self.google.on_call("oauth.token", action)

    def lose_answers(self, times: int) -> None:
        self.google.fault(lambda call: call.verb in ("POST", "PATCH", "DELETE"), drop_after_commit=True, times=times)

    def fail(self, times: int | None = 1) -> None:
        self.google.fault(lambda call: not call.operation.startswith("oauth."), status=500, times=times)

    def limit_rate(self, seconds: int) -> None:
        self.google.fault(status=429, retry_after=seconds)

    def recover(self) -> None:
        self.google.clear_faults()

    def calls(self) -> int:
        return len(self.google.calls)

    def seen(self, calendar: str) -> list[SeenEvent]:
        return [_seen(event) for event in self.google.events(calendar)]

    def invitations(self) -> list[tuple[str, str]]:
        return [(mail.to, mail.kind) for mail in self.google.mails]

    def push_address(self) -> str:
        return self.receiver.address

    def wait_for_push(self, count: int) -> list[tuple[str, str]]:
        deadline = time.monotonic() + 5
        while True:
            told = [notice for headers in list(self.receiver.messages) for notice in _notices(headers)]
            news = [(each.channel_id, each.secret) for each in told if each.news is not News.GREETING]
            if len(news) >= count:
                return news
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(news)} of {count} notifications came")
            time.sleep(0.005)


def planned(more: dict[str, Any]) -> dict[str, Any]:
    """What a person says about an event, in Google's words."""
    words = {"title": "summary", "text": "description", "place": "location"}
    fields = {words[name]: value for name, value in more.items() if name in words}
    if "guests" in more:
        fields["attendees"] = [{"email": guest} for guest in more["guests"]]
    if "private" in more:
        fields["visibility"] = "private" if more["private"] else "default"
    return fields


def _notices(headers: dict[str, str]) -> tuple[Notice, ...]:
    message = read_push(PushCall({name.lower(): value for name, value in headers.items()}, {}, b""))
    return message.notices if message else ()


def _seen(event: dict[str, Any]) -> SeenEvent:
    """The event as Google's calendar shows it: descriptions are HTML there."""
    return SeenEvent(
        title=event.get("summary", ""),
        description=unescape(event.get("description", "")),
        start=datetime.fromisoformat(event["start"]["dateTime"]).astimezone(UTC),
        end=datetime.fromisoformat(event["end"]["dateTime"]).astimezone(UTC),
        zone=event["start"].get("timeZone", ""),
        guests=frozenset(guest["email"] for guest in event.get("attendees", [])),
        location=event.get("location"),
        has_link="hangoutLink" in event,
    )


@contextmanager
def google_world(*, clock: Callable[[], datetime] | None = None, **settings: Any) -> Iterator[GoogleWorld]:
    """A served simulator. Every call is checked against Google's own description of its API.

    Its clock is a standing one unless another is given.
    """
    clock, check = clock or Clock(), DiscoveryCheck()
    with listening() as receiver, GoogleSimulator(now=clock).serve() as google:
        google.observe(check)
        google.add_account(ADA, "Ada Lovelace", time_zone="Europe/Berlin")
        google.add_account(BOB, "Bob Stone", time_zone="America/New_York")
        yield GoogleWorld(google, clock, receiver, settings)
    assert check.problems == []
