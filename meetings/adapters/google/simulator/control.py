"""The simulator as tests and the demo hold it: serve it, act as people using Google, script faults, read the log."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from meetings.adapters.google.simulator import events
from meetings.adapters.google.simulator.api import CalendarApi, Settings, secondary_id
from meetings.adapters.google.simulator.app import AUTH_PATH, REVOKE_PATH, TOKEN_PATH, USERINFO_PATH, SimulatorApp
from meetings.adapters.google.simulator.browser import walk_consent
from meetings.adapters.google.simulator.calls import Call
from meetings.adapters.google.simulator.conference import succeed
from meetings.adapters.google.simulator.consent import ConsentPages
from meetings.adapters.google.simulator.errors import Json
from meetings.adapters.google.simulator.grants import Client, Grants
from meetings.adapters.google.simulator.mail_api import MailApi
from meetings.adapters.google.simulator.mail_control import MailControl
from meetings.adapters.google.simulator.push import Notification, Push, attempt, final
from meetings.adapters.google.simulator.recurrence import instance_key
from meetings.adapters.google.simulator.times import from_python
from meetings.adapters.google.simulator.world import Account, Calendar, Mail, World
from meetings.adapters.scripted_faults.faults import Fault
from meetings.adapters.scripted_faults.script import Scripted
from meetings.adapters.scripted_faults.sending import Sending
from meetings.adapters.scripted_faults.serving import serve_in_loop, serve_in_thread

CLIENT_ID = "simulated-client.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-simulated"
CALENDAR_SCOPE = "https://www.googleapis.com/auth/calendar"
MAIL_SCOPES = ("https://www.googleapis.com/auth/gmail.send", "https://www.googleapis.com/auth/gmail.readonly")

Moment = datetime | date


@dataclass(frozen=True)
class Endpoints:
    """The addresses a client needs. `api` and `mail_api` are for `client_options={"api_endpoint": ...}`."""

    api: str
    mail_api: str
    authorize: str
    token: str
    revoke: str
    userinfo: str


class GoogleSimulator(Scripted[Call, Fault]):
    """Google's accounts server, Calendar API v3 and Gmail API v1 in memory. `mail` is what people do with their mail.

    Thread-safe: the server runs in its own thread or loop, everything here may be called from any other. Moments are
    aware datetimes, or dates for whole days. Methods that act as a person give the event as Google keeps it, a copy.
    """

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(Call, Fault)
        self._world = World(now)
        self._grants = Grants(self._world)
        self.settings = Settings()
        self.sending = Sending[Notification](attempt, final)
        self.push = Push(self._world, self._grants.is_granted, self.sending.send)
        consent = ConsentPages(self._world, self._grants)
        api = CalendarApi(self._world, self.push, self.settings)
        self.mail = MailControl(self._world)
        mail = MailApi(self._world, self.settings)
        self.app = SimulatorApp(self._world, self._grants, consent, api, mail, self._log, self._faults)
        self._url: str | None = None
        self.register_client(CLIENT_ID, CLIENT_SECRET)

    # -- serving

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator["GoogleSimulator"]:
        """Serve on 127.0.0.1 in a thread until the block ends; `url` says where."""
        with serve_in_thread(self.app, port) as url:
            self._url = url
            try:
                yield self
            finally:
                self.sending.close()

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["GoogleSimulator"]:
        """Serve inside the running loop until the block ends."""
        async with serve_in_loop(self.app, port) as url:
            self._url = url
            try:
                yield self
            finally:
                self.sending.close()

    @property
    def url(self) -> str:
        if self._url is None:
            raise RuntimeError("the simulator has not been served yet")
        return self._url

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(
            api=f"{self.url}/calendar/v3",
            mail_api=self.url,
            authorize=self.url + AUTH_PATH,
            token=self.url + TOKEN_PATH,
            revoke=self.url + REVOKE_PATH,
            userinfo=self.url + USERINFO_PATH,
        )

    # -- clients, grants and tokens

    def register_client(self, client_id: str, client_secret: str, redirect_uris: tuple[str, ...] = ()) -> None:
        """Register, or register anew with these redirect addresses; they are compared as text, exactly."""
        with self._world.lock:
            self._grants.clients[client_id] = Client(client_id, client_secret, frozenset(redirect_uris))

    def auto_consent(
        self, email: str, authorization_url: str, *, allow: bool = True, scopes: tuple[str, ...] | None = None
    ) -> str:
        """Walk the consent page as a browser would, over HTTP; gives the address it is sent back to.

        `scopes` are the permissions left ticked; None leaves all. Blocks: call it from a thread of its own when the
        simulator runs inside the same loop. Raises ConsentRefused when Google shows an error page instead.
        """
        return walk_consent(authorization_url, email, allow=allow, scopes=scopes)

    def grant(
        self, email: str, scopes: tuple[str, ...] = (CALENDAR_SCOPE,), client_id: str = CLIENT_ID
    ) -> dict[str, Any]:
        """A token answer (access and refresh token) without the walk through the consent page."""
        with self._world.lock:
            return self._grants.grant_directly(email, client_id, scopes)

    def revoke_grants(self, email: str) -> None:
        """The person removes the app's access: access tokens give 401, refreshing gives `invalid_grant`."""
        with self._world.lock:
            self._grants.revoke_all(email)

    def expire_access_tokens(self, email: str) -> None:
        """All access tokens so far give 401; refreshing works."""
        with self._world.lock:
            self._grants.expire_access_tokens(email)

    @property
    def grants(self) -> Grants:
        """Refresh token policy (`rotate`, `refresh_life`) and who granted what."""
        return self._grants

    # -- accounts, calendars and access

    def add_account(self, email: str, name: str | None = None, *, time_zone: str = "UTC") -> str:
        """A Google account with its primary calendar, whose id is the address. Gives that id."""
        with self._world.lock:
            return self._world.add_account(email, name or email.partition("@")[0].title(), time_zone).email

    def add_calendar(self, owner: str, summary: str, *, time_zone: str | None = None, id: str | None = None) -> str:
        """A secondary calendar of `owner`; gives its id."""
        with self._world.lock:
            zone = time_zone or self._world.accounts[owner].time_zone
            return self._world.add_calendar(owner, id or secondary_id(self._world), summary, zone).id

    def share_calendar(self, calendar_id: str, with_email: str, role: str) -> None:
        """Give somebody owner, writer, writerWithoutPrivateAccess, reader or freeBusyReader access; "none" takes it
        away.
        """
        with self._world.lock:
            self._world.set_access(self._calendar(calendar_id), with_email, role)

    def hide_calendar(self, email: str, calendar_id: str, *, hidden: bool = True) -> None:
        with self._world.lock:
            account = self._world.accounts[email]
            account.list_change += 1
            entry = account.entries[calendar_id]
            entry.hidden, entry.changed = hidden, account.list_change

    def lose_access(self, email: str, calendar_id: str, *, status: int = 404) -> None:
        """From now on the calendar answers this account with 404 notFound, or 403 forbidden; its list lacks it."""
        if status not in (403, 404):
            raise ValueError("Google answers 403 or 404")
        with self._world.lock:
            self._access_changed(email, calendar_id).lost[calendar_id] = status

    def restore_access(self, email: str, calendar_id: str) -> None:
        """Access is back as it was. Sync tokens from before stay dead (410)."""
        with self._world.lock:
            self._access_changed(email, calendar_id).lost.pop(calendar_id, None)

    def expire_sync_tokens(self, calendar_id: str) -> None:
        """Every sync token of the calendar so far gives 410 fullSyncRequired."""
        with self._world.lock:
            self._calendar(calendar_id).sync_epoch += 1

    # -- people at work in Google Calendar

    def add_event(
        self,
        calendar_id: str,
        summary: str,
        start: Moment,
        end: Moment,
        *,
        organizer: str | None = None,
        conference_version: int = 0,
        **fields: Any,
    ) -> Json:
        """A person adds an event. `fields` are more fields of the resource (`transparency`, `attendees`, ...).

        The zone is the moments' own when they have one by name, else the calendar's. `organizer` is the address of
        somebody without a simulated calendar who invited this calendar's owner.
        """
        with self._world.lock:
            calendar = self._calendar(calendar_id)
            body = {"summary": summary, **fields, **self._span(calendar, start, end)}
            own = {"email": organizer} if organizer else None
            wish = events.Wish(organizer=own, conference_version=conference_version)
            return deepcopy(events.insert(self._world, calendar, body, wish).fields)

    def add_recurring(
        self, calendar_id: str, summary: str, start: Moment, end: Moment, recurrence: list[str], **fields: Any
    ) -> Json:
        """A person adds a series: `recurrence` are lines such as `RRULE:FREQ=WEEKLY;COUNT=10`."""
        return self.add_event(calendar_id, summary, start, end, recurrence=recurrence, **fields)

    def change_event(self, calendar_id: str, event_id: str, **fields: Any) -> Json:
        """A person edits an event, or one instance of a series by its instance id; None takes a field away."""
        with self._world.lock:
            return deepcopy(events.patch(self._world, self._calendar(calendar_id), event_id, fields, events.Wish()))

    def move_event(self, calendar_id: str, event_id: str, start: Moment, end: Moment) -> Json:
        with self._world.lock:
            return self.change_event(calendar_id, event_id, **self._span(self._calendar(calendar_id), start, end))

    def cancel_event(self, calendar_id: str, event_id: str) -> None:
        """A person deletes an event, or one instance of a series by its instance id."""
        with self._world.lock:
            events.delete(self._world, self._calendar(calendar_id), event_id, events.Wish())

    def move_instance(
        self, calendar_id: str, series_id: str, original_start: Moment, start: Moment, end: Moment
    ) -> Json:
        return self.move_event(calendar_id, self.instance_id(calendar_id, series_id, original_start), start, end)

    def cancel_instance(self, calendar_id: str, series_id: str, original_start: Moment) -> None:
        self.cancel_event(calendar_id, self.instance_id(calendar_id, series_id, original_start))

    def respond(self, email: str, event_id: str, response: str) -> None:
        """A guest with an account answers an invitation: accepted, tentative, declined or needsAction."""
        with self._world.lock:
            calendar, account = self._calendar(email), self._world.accounts[email]
            guests = deepcopy(events.find(calendar, event_id).fields.get("attendees", []))
            for guest in guests:
                if guest["email"] == email:
                    guest["responseStatus"] = response
            body = {"attendees": guests}
            events.patch(self._world, calendar, event_id, body, events.Wish(actor=account))

    def finish_conference(self, calendar_id: str, event_id: str) -> None:
        """A conference that was pending (`settings.conference_pending`) is ready."""
        with self._world.lock:
            calendar = self._calendar(calendar_id)
            stored = calendar.events[event_id]
            succeed(stored.fields)
            self._world.touch(calendar, stored)
            self._world.announce(calendar)

    def forget_deleted(self, calendar_id: str) -> None:
        """Deleted events "eventually disappear" (Events resource): reading them gives 404, their ids stay used."""
        with self._world.lock:
            calendar = self._calendar(calendar_id)
            for event_id in [each.id for each in calendar.events.values() if each.is_cancelled]:
                del calendar.events[event_id]
                calendar.forgotten_ids.add(event_id)

    # -- looking

    def instance_id(self, calendar_id: str, series_id: str, original_start: Moment) -> str:
        with self._world.lock:
            return f"{series_id}_{instance_key(from_python(original_start, self._calendar(calendar_id).time_zone))}"

    def event(self, calendar_id: str, event_id: str) -> Json:
        """The event, cancelled or not. Raises GoogleError 404."""
        with self._world.lock:
            return deepcopy(events.find(self._calendar(calendar_id), event_id).fields)

    def events(self, calendar_id: str, *, cancelled: bool = False) -> list[Json]:
        """Single events, series and exceptions as kept, in the order they were made; cancelled ones when asked."""
        with self._world.lock:
            found: list[Json] = []
            for stored in self._calendar(calendar_id).events.values():
                found += [stored.fields, *(exception.fields for exception in stored.exceptions.values())]
            return deepcopy([fields for fields in found if cancelled or fields["status"] != "cancelled"])

    @property
    def mails(self) -> list[Mail]:
        """What Google would have mailed to guests, oldest first."""
        with self._world.lock:
            return list(self._world.mails)

    def _calendar(self, calendar_id: str) -> Calendar:
        return self._world.calendars[calendar_id]

    def _access_changed(self, email: str, calendar_id: str) -> Account:
        account, calendar = self._world.accounts[email], self._calendar(calendar_id)
        calendar.access_epochs[email] = calendar.access_epochs.get(email, 0) + 1
        account.list_change += 1
        if calendar_id in account.entries:
            account.entries[calendar_id].changed = account.list_change
        return account

    def _span(self, calendar: Calendar, start: Moment, end: Moment) -> Json:
        return {"start": from_python(start, calendar.time_zone), "end": from_python(end, calendar.time_zone)}
