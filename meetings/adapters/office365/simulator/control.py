"""The simulator as tests and the demo hold it: serve it, act as people using Outlook, script faults, read the log."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from meetings.adapters.office365.simulator import events, invitations
from meetings.adapters.office365.simulator.api import CalendarApi, Settings
from meetings.adapters.office365.simulator.app import SimulatorApp
from meetings.adapters.office365.simulator.browser import walk_consent
from meetings.adapters.office365.simulator.calls import Call
from meetings.adapters.office365.simulator.certificates import certificate_for
from meetings.adapters.office365.simulator.consent import ConsentPages
from meetings.adapters.office365.simulator.errors import Json
from meetings.adapters.office365.simulator.event_fields import NO_TIME, make_link
from meetings.adapters.office365.simulator.grants import Client, Grants
from meetings.adapters.office365.simulator.id_tokens import IdTokens
from meetings.adapters.office365.simulator.mail_api import MailApi
from meetings.adapters.office365.simulator.mail_control import MailControl
from meetings.adapters.office365.simulator.mail_post import Post
from meetings.adapters.office365.simulator.sending import Notification, attempt, taken
from meetings.adapters.office365.simulator.subscriptions import Subscriptions
from meetings.adapters.office365.simulator.times import from_python, wall, zone_of
from meetings.adapters.office365.simulator.world import (
    HOME_TENANT,
    Account,
    Calendar,
    Mail,
    StoredEvent,
    World,
    immutable_id,
)
from meetings.adapters.scripted_faults.faults import Fault
from meetings.adapters.scripted_faults.script import Scripted
from meetings.adapters.scripted_faults.sending import Sending
from meetings.adapters.scripted_faults.serving import serve_in_loop, serve_in_thread

CLIENT_ID = "5d2f8e4c-1b6a-4c3e-9f70-7a8b9c0d1e2f"
CLIENT_SECRET = "simulated~secret.of-an-app-registration"
SCOPES = ("openid", "profile", "email", "offline_access", "User.Read", "Calendars.ReadWrite", "MailboxSettings.Read")

Moment = datetime | date


@dataclass(frozen=True)
class Endpoints:
    """The addresses a client needs. `login` is in place of https://login.microsoftonline.com, `graph` in place of
    https://graph.microsoft.com; `api` is Graph with its version."""

    login: str
    graph: str

    @property
    def api(self) -> str:
        return f"{self.graph}/v1.0"

    def authority(self, tenant: str = "common") -> str:
        return f"{self.login}/{tenant}"

    def authorize(self, tenant: str = "common") -> str:
        return f"{self.login}/{tenant}/oauth2/v2.0/authorize"

    def token(self, tenant: str = "common") -> str:
        return f"{self.login}/{tenant}/oauth2/v2.0/token"


class Office365Simulator(Scripted[Call, Fault]):
    """Entra's sign-in, Graph's calendar and Graph's mail (`mail`) in memory.

    Thread-safe: the server runs in its own thread or loop, everything here may be called from any other. Moments are
    aware datetimes, or dates for whole days. Event ids are immutable ids; ordinary ones are taken, too. Methods that
    act as a person give the event as Exchange keeps it, with its `id`, a copy.
    """

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(Call, Fault)
        self._world = World(now)
        id_tokens = IdTokens()
        self._grants = Grants(self._world, id_tokens)
        self.settings = Settings()
        self.sending = Sending[Notification](attempt, taken)
        self.push = Subscriptions(self._world, self._grants.is_granted, self.sending.send)
        consent = ConsentPages(self._world, self._grants)
        api = CalendarApi(self._world, self.push, self.settings)
        post = Post(self._world)
        api.handlers |= MailApi(post, self.settings).handlers
        self.mail = MailControl(self._world, post)
        self.app = SimulatorApp(self._world, self._grants, id_tokens, consent, api, self._log, self._faults)
        self._certificate = certificate_for(self)
        self._url: str | None = None
        self.register_client(CLIENT_ID, CLIENT_SECRET)

    # -- serving

    @contextlib.contextmanager
    def serve(self, port: int = 0, *, pages_port: int | None = None) -> Iterator["Office365Simulator"]:
        """Serve on 127.0.0.1 over TLS in a thread until the block ends; `url` says where, `ca_file` whom to trust.

        With `pages_port` (0: any) people's pages are served over plain http, too, and the sign-in page is announced
        there: browsers do not know the authority.
        """
        with contextlib.ExitStack() as stack:
            url = stack.enter_context(serve_in_thread(self.app, port, tls=self._certificate.context))
            pages = url if pages_port is None else stack.enter_context(serve_in_thread(self.app, pages_port))
            self._url, self._world.pages_url = url, pages
            stack.callback(self.sending.close)
            yield self

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0, *, pages_port: int | None = None) -> AsyncIterator["Office365Simulator"]:
        """Serve inside the running loop until the block ends."""
        async with contextlib.AsyncExitStack() as stack:
            url = await stack.enter_async_context(serve_in_loop(self.app, port, tls=self._certificate.context))
            pages = url
            if pages_port is not None:
                pages = await stack.enter_async_context(serve_in_loop(self.app, pages_port))
            self._url, self._world.pages_url = url, pages
            stack.callback(self.sending.close)
            yield self

    @property
    def pages_url(self) -> str:
        """Where a person looks at the calendars."""
        return self._world.pages_url

    @property
    def url(self) -> str:
        if self._url is None:
            raise RuntimeError("the simulator has not been served yet")
        return self._url

    @property
    def ca_file(self) -> str:
        """The path of a PEM file with the authority that signs the server's certificate; the same each time it is
        served, and there as long as the simulator is."""
        return self._certificate.authority_file

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(login=self.url, graph=self.url)

    # -- clients, grants and tokens

    def register_client(
        self,
        client_id: str,
        client_secret: str,
        redirect_uris: tuple[str, ...] = (),
        *,
        tenants: tuple[str, ...] | None = None,
    ) -> None:
        """Register, or register anew. Redirect addresses are compared as text, exactly; `tenants` restricts the app to
        these organisations."""
        with self._world.lock:
            own = frozenset(tenants) if tenants is not None else None
            self._grants.clients[client_id] = Client(client_id, client_secret, frozenset(redirect_uris), own)

    def auto_consent(
        self, email: str, authorization_url: str, *, allow: bool = True, scopes: tuple[str, ...] | None = None
    ) -> str:
        """Walk the consent page as a browser would, over HTTP; gives the address it is sent back to.

        `scopes` are the permissions that are granted beside the sign-in ones; None grants all. Blocks: call it from a
        thread of its own when the simulator runs inside the same loop. Raises ConsentRefused when an error page comes.
        """
        return walk_consent(authorization_url, email, allow=allow, scopes=scopes, ca_file=self.ca_file)

    def grant(self, email: str, scopes: tuple[str, ...] = SCOPES, client_id: str = CLIENT_ID) -> dict[str, Any]:
        """A token answer without the walk through the consent page."""
        with self._world.lock:
            return self._grants.grant_directly(email, client_id, scopes, self.url)

    def revoke_grants(self, email: str) -> None:
        """The consent is taken away: access tokens give 401, refreshing gives `invalid_grant`.

        In reality an access token lives on until it ends, unless continuous access evaluation cuts it off (assumed).
        """
        with self._world.lock:
            self._grants.revoke_all(email)

    def expire_access_tokens(self, email: str) -> None:
        """All access tokens so far give 401; refreshing works."""
        with self._world.lock:
            self._grants.expire_access_tokens(email)

    def expire_refresh_tokens(self, email: str) -> None:
        """All refresh tokens so far have not been used for 90 days: `invalid_grant`, AADSTS700082."""
        with self._world.lock:
            self._grants.expire_refresh_tokens(email)

    def require_more_proof(self, email: str, *, required: bool = True) -> None:
        """Conditional access: token requests give `interaction_required` with `claims` until it is lifted; access
        tokens so far go on. A walk through the consent page proves it (assumed)."""
        with self._world.lock:
            people = self._grants.conditional_access
            (people.add if required else people.discard)(email)

    def require_admin_consent(self, email: str, *, required: bool = True) -> None:
        """The person's organisation lets only administrators consent: the page says "Need admin approval"."""
        with self._world.lock:
            people = self._grants.admin_consent
            (people.add if required else people.discard)(email)

    @property
    def grants(self) -> Grants:
        """Refresh token policy (`single_use`, `refresh_life`) and who granted what."""
        return self._grants

    # -- accounts, calendars and access

    def add_account(
        self,
        email: str,
        name: str | None = None,
        *,
        time_zone: str = "UTC",
        tenant_id: str = HOME_TENANT,
        mailbox: bool = True,
        hybrid: bool = False,
        user_principal_name: str | None = None,
    ) -> str:
        """An account with its default calendar; gives that calendar's id, or "" without a mailbox.

        `time_zone` is a name of Windows' or of IANA. `hybrid` means that the mailbox is on premises, so that there is
        none here.
        """
        with self._world.lock:
            account = Account(
                email=email,
                name=name or email.partition("@")[0].title(),
                time_zone=time_zone,
                tenant_id=tenant_id,
                mailbox=mailbox and not hybrid,
                hybrid=hybrid,
                user_principal_name=user_principal_name or email,
            )
            self._world.add_account(account)
            return self._world.default_calendar(email).id if account.mailbox else ""

    def default_calendar(self, email: str) -> str:
        with self._world.lock:
            return self._world.default_calendar(email).id

    def object_id(self, email: str) -> str:
        """The account's `oid`."""
        return self._world.accounts[email].object_id

    def add_calendar(self, owner: str, name: str, *, time_zone: str | None = None) -> str:
        """A further calendar of `owner`; gives its id."""
        with self._world.lock:
            zone = time_zone or self._world.accounts[owner].time_zone
            return self._world.add_calendar(owner, name, zone).id

    def share_calendar(self, calendar_id: str, with_email: str, role: str) -> None:
        """Give somebody freeBusyRead, limitedRead, read, write, delegateWithoutPrivateEventAccess or
        delegateWithPrivateEventAccess; "none" takes it away.
        """
        with self._world.lock:
            self._world.set_access(self._calendar(calendar_id), with_email, role)

    def lose_access(self, email: str, calendar_id: str, *, status: int = 404) -> None:
        """From now on the calendar answers this account with 404 ErrorItemNotFound, or 403 ErrorAccessDenied; its list
        lacks it."""
        if status not in (403, 404):
            raise ValueError("Graph answers 403 or 404")
        with self._world.lock:
            self._world.accounts[email].lost[calendar_id] = status

    def restore_access(self, email: str, calendar_id: str) -> None:
        """Access is back as it was."""
        with self._world.lock:
            self._world.accounts[email].lost.pop(calendar_id, None)

    def expire_sync_tokens(self, calendar_id: str) -> None:
        """Every delta and skip token of the calendar so far gives 410 SyncStateNotFound."""
        with self._world.lock:
            self._calendar(calendar_id).sync_epoch += 1

    # -- people at work in Outlook

    def add_event(
        self,
        calendar_id: str,
        subject: str,
        start: Moment,
        end: Moment,
        *,
        organizer: str | None = None,
        **fields: Any,
    ) -> Json:
        """A person adds an event. `fields` are more fields of the resource (`showAs`, `attendees`, ...).

        The zone is the moments' own when they have one by name, else the calendar's. Dates make a whole-day event.
        `organizer` is the address of somebody without an account here who invited this calendar's owner.
        """
        with self._world.lock:
            calendar = self._calendar(calendar_id)
            body = {"subject": subject, **self._span(calendar, start, end), **fields}
            if organizer is not None:
                body.setdefault("attendees", [{"emailAddress": {"address": calendar.owner}}])
            if organizer is None:
                stored = events.create(self._world, calendar, body, events.Wish())
            else:
                stored = events.create(self._world, calendar, {**body, "attendees": []}, events.Wish())
                self._invited(calendar, stored, organizer, body["attendees"])
            return self._copy_of(stored.id, stored.fields)

    def add_recurring(
        self, calendar_id: str, subject: str, start: Moment, end: Moment, recurrence: Json, **fields: Any
    ) -> Json:
        """A person adds a series: `recurrence` is a patternedRecurrence; see `weekly`."""
        return self.add_event(calendar_id, subject, start, end, recurrence=recurrence, **fields)

    def change_event(self, calendar_id: str, event_id: str, **fields: Any) -> Json:
        """A person edits an event, or one occurrence of a series by its id."""
        with self._world.lock:
            found = events.update(
                self._world, self._calendar(calendar_id), immutable_id(event_id), fields, events.Wish()
            )
            return self._copy_of(found.id, found.fields)

    def move_event(self, calendar_id: str, event_id: str, start: Moment, end: Moment) -> Json:
        with self._world.lock:
            return self.change_event(calendar_id, event_id, **self._span(self._calendar(calendar_id), start, end))

    def cancel_event(self, calendar_id: str, event_id: str) -> None:
        """A person deletes an event, or one occurrence of a series by its id."""
        with self._world.lock:
            events.delete(self._world, self._calendar(calendar_id), immutable_id(event_id), events.Wish())

    def move_instance(
        self, calendar_id: str, series_id: str, original_start: Moment, start: Moment, end: Moment
    ) -> Json:
        return self.move_event(calendar_id, self.instance_id(calendar_id, series_id, original_start), start, end)

    def cancel_instance(self, calendar_id: str, series_id: str, original_start: Moment) -> None:
        self.cancel_event(calendar_id, self.instance_id(calendar_id, series_id, original_start))

    def respond(self, email: str, event_id: str, response: str, *, keep: bool = False) -> None:
        """An attendee with an account answers an invitation: accepted, tentativelyAccepted or declined.

        `event_id` is that of the attendee's own copy or of the organizer's event. A declined meeting leaves the
        calendar unless `keep`.
        """
        with self._world.lock:
            calendar = self._world.default_calendar(email)
            stored = self._copy_in(calendar, immutable_id(event_id))
            invitations.answer(self._world, calendar, stored, response, keep=keep)

    def finish_online_meeting(self, calendar_id: str, event_id: str) -> None:
        """A Teams meeting whose link was pending (`settings.link_pending`) is ready."""
        with self._world.lock:
            calendar = self._calendar(calendar_id)
            stored = calendar.events[immutable_id(event_id)]
            make_link(stored.fields)
            self._world.touch(calendar, stored)
            self._world.announce(calendar, stored, "updated")

    # -- looking

    def instance_id(self, calendar_id: str, series_id: str, original_start: Moment) -> str:
        """The id of the occurrence that was planned to start then."""
        with self._world.lock:
            series = self._calendar(calendar_id).events[immutable_id(series_id)]
            zone = zone_of(series.fields["start"]["timeZone"])
            day = original_start.astimezone(zone) if isinstance(original_start, datetime) else original_start
            return events.occurrence_id(series, f"{day:%Y-%m-%d}")

    def copy_id(self, email: str, event_id: str) -> str:
        """The id of somebody's own copy of a meeting that another event id names."""
        with self._world.lock:
            return self._copy_in(self._world.default_calendar(email), immutable_id(event_id)).id

    def event(self, calendar_id: str, event_id: str) -> Json:
        """The event with its `id` and `singleValueExtendedProperties`. Raises GraphError 404."""
        with self._world.lock:
            found = events.find(self._calendar(calendar_id), immutable_id(event_id))
            extended = found.stored.extended if found.stored else {}
            properties = [{"id": name, "value": value} for name, value in extended.items()]
            return {**self._copy_of(found.id, found.fields), "singleValueExtendedProperties": properties}

    def events(self, calendar_id: str) -> list[Json]:
        """Single events, series and exceptions as kept, in the order they were made."""
        with self._world.lock:
            found: list[Json] = []
            for stored in self._calendar(calendar_id).events.values():
                if not stored.removed:
                    found.append(self._copy_of(stored.id, stored.fields))
                    found += [self._copy_of(each.id, each.fields) for each in stored.exceptions.values()]
            return found

    @property
    def mails(self) -> list[Mail]:
        """What Exchange would have mailed to attendees, oldest first."""
        with self._world.lock:
            return list(self._world.mails)

    # -- inside

    def _calendar(self, calendar_id: str) -> Calendar:
        return self._world.calendars[calendar_id]

    def _copy_in(self, calendar: Calendar, event_id: str) -> StoredEvent:
        named = [each.events[event_id] for each in self._world.calendars.values() if event_id in each.events]
        own = [each for each in calendar.events.values() if each.fields["iCalUId"] == named[0].fields["iCalUId"]]
        return own[0]

    def _copy_of(self, event_id: str, fields: Json) -> Json:
        return {"id": event_id, **deepcopy(fields)}

    def _invited(self, calendar: Calendar, stored: StoredEvent, organizer: str, attendees: list[Json]) -> None:
        """Make a new event somebody else's meeting."""
        stored.fields |= {
            "isOrganizer": False,
            "organizer": {"emailAddress": {"name": organizer, "address": organizer}},
            "responseStatus": {"response": "notResponded", "time": NO_TIME},
            "attendees": [
                {"type": "required", "status": {"response": "none", "time": NO_TIME}, "emailAddress": {
                    "name": each["emailAddress"].get("name", each["emailAddress"]["address"]),
                    "address": each["emailAddress"]["address"],
                }}
                for each in attendees
            ],
        }  # fmt: skip
        self._world.touch(calendar, stored)

    def _span(self, calendar: Calendar, start: Moment, end: Moment) -> Json:
        span: Json = {"start": from_python(start, calendar.time_zone), "end": from_python(end, calendar.time_zone)}
        return span if isinstance(start, datetime) else {**span, "isAllDay": True}


def weekly(start: datetime | date, *, times: int | None = None, every: int = 1) -> Json:
    """A patternedRecurrence on the weekday of `start`, `times` times or for ever. `start` in the calendar's zone."""
    day = wall(from_python(start, "UTC")) if not isinstance(start, datetime) else start
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    pattern = {"type": "weekly", "interval": every, "daysOfWeek": [names[day.weekday()]]}
    ends = {"type": "numbered", "numberOfOccurrences": times} if times else {"type": "noEnd"}
    return {"pattern": pattern, "range": {**ends, "startDate": f"{day:%Y-%m-%d}"}}
