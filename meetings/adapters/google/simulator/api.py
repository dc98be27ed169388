"""The methods of Calendar API v3 that are simulated, one function each, from a read request to an answer's body."""

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from meetings.adapters.google.simulator import errors, events, free_busy, listing, view
from meetings.adapters.google.simulator.errors import Json
from meetings.adapters.google.simulator.push import Push
from meetings.adapters.google.simulator.times import read_zone
from meetings.adapters.google.simulator.world import ROLES, Account, Calendar, World


@dataclass
class Settings:
    """Choices of a test. Small and empty pages are allowed to Google at any time, so clients must bear them."""

    largest_page: int | None = None
    empty_first_page: bool = False
    conference_pending: bool = False
    inline_bytes: int = 100_000
    """Longer texts of mails come as attachments do; how long Google lets them be is not documented."""


@dataclass(frozen=True)
class Request:
    """A call that passed the gate: who asks, path and query parameters as Python values, the JSON body."""

    account: Account
    path: dict[str, str]
    query: Json
    body: Json
    if_match: str | None
    base_url: str


@dataclass
class CalendarApi:
    """`handlers` answers by method name; a body of None is 204."""

    world: World
    push: Push
    settings: Settings
    handlers: dict[str, Callable[[Request], Json | None]] = field(init=False)

    def __post_init__(self) -> None:
        self.handlers = {
            "calendarList.list": self.list_calendars,
            "calendarList.get": self.get_list_entry,
            "calendars.get": self.get_calendar,
            "calendars.insert": self.insert_calendar,
            "events.list": self.list_events,
            "events.get": self.get_event,
            "events.insert": self.insert_event,
            "events.update": self.update_event,
            "events.patch": self.patch_event,
            "events.delete": self.delete_event,
            "events.instances": self.list_instances,
            "events.watch": self.watch_events,
            "channels.stop": self.stop_channel,
            "freebusy.query": self.query_free_busy,
        }

    def list_calendars(self, request: Request) -> Json:
        """calendarList.list: pages of at most 250, default 100; deleted and hidden entries come with a sync token."""
        query, account = request.query, request.account
        entries = list(account.entries.values())
        since = self._list_since(account, query)
        least = ROLES.index(query.get("minAccessRole", "none"))
        found = [
            entry
            for entry in entries
            if (since is None or entry.changed > since)
            and (not entry.deleted or query.get("showDeleted") or since is not None)
            and (not entry.hidden or query.get("showHidden") or since is not None)
            and ROLES.index(self.world.calendars[entry.calendar_id].access.get(account.email, "none")) >= least
            and (entry.calendar_id not in account.lost or since is not None)
        ]
        size = min(query.get("maxResults", 100), 250, self.settings.largest_page or 250)
        offset = _list_offset(query)
        shown = [view.list_entry_json(self.world, account, entry) for entry in found[offset : offset + size]]
        page: Json = {"kind": "calendar#calendarList", "etag": f'"list{account.list_change}"', "items": shown}
        if offset + size < len(found):
            return {**page, "nextPageToken": f"list-page-{offset + size}"}
        return {**page, "nextSyncToken": f"list-{account.email}-{account.list_change}"}

    def get_list_entry(self, request: Request) -> Json:
        account = request.account
        calendar, _ = self.world.calendar_for(account, request.path["calendarId"])
        return view.list_entry_json(self.world, account, account.entries[calendar.id])

    def get_calendar(self, request: Request) -> Json:
        return view.calendar_json(self.world.calendar_for(request.account, request.path["calendarId"])[0])

    def insert_calendar(self, request: Request) -> Json:
        """A secondary calendar of the account. Without timeZone it gets the account's (assumed)."""
        if not request.body.get("summary"):
            raise errors.required("Missing title.")
        zone = request.body.get("timeZone") or request.account.time_zone
        read_zone(zone)
        owner = request.account.email
        calendar = self.world.add_calendar(owner, secondary_id(self.world), request.body["summary"], zone)
        calendar.description = request.body.get("description")
        return view.calendar_json(calendar)

    def list_events(self, request: Request) -> Json:
        calendar, role = self._calendar(request)
        page = listing.list_events(
            self.world,
            calendar,
            request.account,
            request.query,
            largest=self.settings.largest_page,
            empty_first=self.settings.empty_first_page,
        )
        return self._events_answer(request, calendar, role, page)

    def list_instances(self, request: Request) -> Json:
        calendar, role = self._calendar(request)
        series = events.find(calendar, request.path["eventId"]).stored
        if series is None or not series.is_series:
            raise errors.not_found()
        page = listing.list_instances(calendar, series, request.query, largest=self.settings.largest_page)
        return self._events_answer(request, calendar, role, page)

    def get_event(self, request: Request) -> Json:
        """Deleted events too: "The get method always returns them" (Events resource, `status`)."""
        calendar, role = self._calendar(request)
        found = events.find(calendar, request.path["eventId"])
        if found.stored is None and found.fields["status"] == "cancelled":
            return view.skeleton(found.fields)
        return self._event(request, calendar, role, found.fields)

    def insert_event(self, request: Request) -> Json:
        calendar, role = self._calendar(request, "writerWithoutPrivateAccess")
        stored = events.insert(self.world, calendar, request.body, self._wish(request))
        return self._event(request, calendar, role, stored.fields)

    def update_event(self, request: Request) -> Json:
        calendar, role = self._calendar(request, "writerWithoutPrivateAccess")
        fields = events.update(self.world, calendar, request.path["eventId"], request.body, self._wish(request))
        return self._event(request, calendar, role, fields)

    def patch_event(self, request: Request) -> Json:
        calendar, role = self._calendar(request, "writerWithoutPrivateAccess")
        fields = events.patch(self.world, calendar, request.path["eventId"], request.body, self._wish(request))
        return self._event(request, calendar, role, fields)

    def delete_event(self, request: Request) -> None:
        calendar, _ = self._calendar(request, "writerWithoutPrivateAccess")
        events.delete(self.world, calendar, request.path["eventId"], self._wish(request))

    def watch_events(self, request: Request) -> Json:
        calendar, _ = self._calendar(request)
        return self.push.watch(request.account, calendar, request.body, request.base_url)

    def stop_channel(self, request: Request) -> None:
        self.push.stop(request.account, request.body)

    def query_free_busy(self, request: Request) -> Json:
        return free_busy.query(self.world, request.account, request.body)

    def _calendar(self, request: Request, at_least: str = "freeBusyReader") -> tuple[Calendar, str]:
        return self.world.calendar_for(request.account, request.path["calendarId"], at_least)

    def _wish(self, request: Request) -> events.Wish:
        """`sendNotifications` is the deprecated word for `sendUpdates=all` (events.insert)."""
        query = request.query
        return events.Wish(
            actor=request.account,
            send_updates=query.get("sendUpdates") or ("all" if query.get("sendNotifications") else None),
            conference_version=query.get("conferenceDataVersion", 0),
            conference_pending=self.settings.conference_pending,
            if_match=request.if_match,
        )

    def _event(self, request: Request, calendar: Calendar, role: str, fields: Json) -> Json:
        return view.event_json(fields, calendar, request.account, role, _zone(request, calendar), request.base_url)

    def _events_answer(self, request: Request, calendar: Calendar, role: str, page: listing.Page) -> Json:
        zone = _zone(request, calendar)
        answer = view.events_page(calendar, role, zone.key, f'"p{calendar.change}"')
        answer["items"] = [
            view.skeleton(entry.fields)
            if entry.bare
            else view.event_json(entry.fields, calendar, request.account, role, zone, request.base_url)
            for entry in page.entries
        ]
        if page.next_page_token:
            answer["nextPageToken"] = page.next_page_token
        if page.next_sync_token:
            answer["nextSyncToken"] = page.next_sync_token
        return answer

    def _list_since(self, account: Account, query: Json) -> int | None:
        token = query.get("syncToken")
        if not token:
            return None
        if query.get("minAccessRole"):
            raise errors.sync_token_with_restrictions()
        own, _, number = token.rpartition("-")
        if own != f"list-{account.email}" or not number.isdigit():
            raise errors.full_sync_required()
        return int(number)


def secondary_id(world: World) -> str:
    """The form of a secondary calendar's id (seen in answers)."""
    return f"c_{world.new_event_id()}{world.new_event_id()}@group.calendar.google.com"


def _list_offset(query: Json) -> int:
    token = query.get("pageToken")
    if not token:
        return 0
    name, _, offset = token.rpartition("-")
    if name != "list-page" or not offset.isdigit():
        raise errors.invalid("Invalid page token value.", "pageToken")
    return int(offset)


def _zone(request: Request, calendar: Calendar) -> ZoneInfo:
    name = request.query.get("timeZone")
    return read_zone(name) if name else calendar.zone
