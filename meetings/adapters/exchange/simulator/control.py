"""The simulator as tests and the demo hold it: serve it, act as people using Outlook, script faults, read the log."""

import contextlib
import copy
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import certificates, invitations, occurrences, recurrence, view
from meetings.adapters.exchange.simulator.app import SimulatorApp
from meetings.adapters.exchange.simulator.calls import Call, CallLog
from meetings.adapters.exchange.simulator.faults import Fault, Faults, Hook, Match, matches
from meetings.adapters.exchange.simulator.ids import Key, read_id
from meetings.adapters.exchange.simulator.operations import Operations
from meetings.adapters.exchange.simulator.serving import serve_in_loop, serve_in_thread
from meetings.adapters.exchange.simulator.settings import Settings
from meetings.adapters.exchange.simulator.shapes import property_key
from meetings.adapters.exchange.simulator.soap import Element, t
from meetings.adapters.exchange.simulator.streaming import Streams
from meetings.adapters.exchange.simulator.subscriptions import Subscriptions
from meetings.adapters.exchange.simulator.times import midnight
from meetings.adapters.exchange.simulator.versions import version_of
from meetings.adapters.exchange.simulator.world import (
    MAILBOX_KINDS,
    RIGHTS,
    Account,
    Attendee,
    CalendarItem,
    Folder,
    Mail,
    Person,
    World,
)
from meetings.adapters.exchange.simulator.zones import windows_name_of, zone_of

PASSWORD = "correct horse battery"
DEFAULT_HOSTS = ("localhost", "127.0.0.1", "example.com", "mail.example.com", "autodiscover.example.com")
TLS_MODES = ("trusted", "self-signed", "plain")

Moment = datetime | date


@dataclass(frozen=True)
class Event:
    """An item as its owner sees it in Outlook. `start` and `end` are UTC; `zone` is a tz database name."""

    id: str
    subject: str
    body: str
    body_type: str
    start: datetime
    end: datetime
    zone: str
    busy: str
    all_day: bool
    location: str
    attendees: tuple[tuple[str, str], ...]
    kind: str
    response: str
    cancelled: bool
    uid: str


class ExchangeSimulator:
    """An Exchange server in memory: EWS, autodiscover, and the sign-in page of Outlook on the web.

    Thread-safe: the server runs in its own thread or loop, everything here may be called from any other. Moments are
    aware datetimes, or dates for whole days. Calendars and events are named by their EWS ids.

    `tls` is "trusted" (a certificate of `ca_pem`'s authority for `hosts`), "self-signed" or "plain".
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        version: str = "14.2",
        tls: str = "trusted",
        hosts: tuple[str, ...] = DEFAULT_HOSTS,
    ) -> None:
        if tls not in TLS_MODES:
            raise ValueError(f"{tls} is not one of {TLS_MODES}")
        self._world = World(now)
        self._log = CallLog()
        self._faults = Faults()
        self._tls = tls
        self._certificate = certificates.self_signed(hosts) if tls == "self-signed" else certificates.issued(hosts)
        self._folder_of_files = tempfile.TemporaryDirectory(prefix="exchange-simulator-")
        self.settings = Settings(version=version_of(version))
        self._subscriptions = Subscriptions(self._world)
        self._streams = Streams(self._subscriptions, self.settings)
        operations = Operations(self._world, self.settings, self._subscriptions)
        self.app = SimulatorApp(self._world, self.settings, operations, self._streams, self._log, self._faults)
        self._port: int | None = None

    # -- serving

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator["ExchangeSimulator"]:
        """Serve on 127.0.0.1 in a thread until the block ends; `url` says where."""
        with serve_in_thread(self.app, port, self._context) as self._port, self._folder_of_files:
            yield self

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["ExchangeSimulator"]:
        """Serve inside the running loop until the block ends."""
        async with serve_in_loop(self.app, port, self._context) as self._port:
            with self._folder_of_files:
                yield self

    @property
    def port(self) -> int:
        if self._port is None:
            raise RuntimeError("the simulator has not been served yet")
        return self._port

    @property
    def url(self) -> str:
        """Without a path, such as `https://localhost:40123`."""
        return f"{'http' if self._tls == 'plain' else 'https'}://localhost:{self.port}"

    @property
    def ews_url(self) -> str:
        return f"{self.url}/EWS/Exchange.asmx"

    @property
    def ca_pem(self) -> str:
        """The authority that vouches for the server; the certificate itself when it is self-signed."""
        return self._certificate.ca_pem

    @property
    def ca_file(self) -> str:
        """The same in a file, while the simulator is served."""
        path = Path(self._folder_of_files.name) / "authority.pem"
        if not path.exists():
            path.write_text(self.ca_pem)
        return str(path)

    @property
    def _context(self) -> ssl.SSLContext | None:
        return None if self._tls == "plain" else self._certificate.context

    # -- accounts

    def add_account(
        self,
        email: str,
        name: str | None = None,
        *,
        password: str = PASSWORD,
        time_zone: str = "UTC",
        kind: str = "personal",
        has_mailbox: bool = True,
        alias: str | None = None,
        domain: str = "EXAMPLE",
        upn: str | None = None,
        names: tuple[str, ...] = ("upn", "domain", "alias"),
        app_password: str | None = None,
    ) -> str:
        """Somebody in the directory, with a mailbox unless said otherwise; gives the id of the default calendar.

        `kind` is personal, shared, room or equipment. `names` says which login names work: "upn" (the address unless
        `upn` is another), "domain" (`DOMAIN\\alias`), "alias". `app_password` makes the account one with two-factor
        sign-in. The accounts of shared mailboxes and resources are disabled, as Exchange makes them.
        """
        if kind not in MAILBOX_KINDS:
            raise ValueError(f"{kind} is not one of {MAILBOX_KINDS}")
        account = Account(
            email=email,
            name=name or email.partition("@")[0].title(),
            password=password,
            time_zone=windows_name_of(time_zone),
            upn=upn or email,
            domain=domain,
            alias=alias or email.partition("@")[0],
            kind=kind,
            has_mailbox=has_mailbox,
            names=frozenset(names),
            app_password=app_password,
            disabled=kind != "personal",
        )
        with self._world.lock:
            self._world.add_account(account)
        return self.calendar_of(email)

    def calendar_of(self, email: str) -> str:
        """The id of the account's default calendar."""
        with self._world.lock:
            return self._default(self._account(email)).id

    def deleted_items_of(self, email: str) -> str:
        with self._world.lock:
            found = self._account(email).distinguished("deleteditems")
            assert found is not None
            return found.id

    def share_mailbox(self, email: str, with_email: str) -> None:
        """Give somebody full access to a mailbox."""
        with self._world.lock:
            self._account(email).delegates.add(with_email)

    def change_password(self, email: str, password: str) -> None:
        """The old password is wrong from now on, on connections that are open too."""
        with self._world.lock:
            self._account(email).password = password
            self._account(email).sign_in_epoch += 1

    def disable(self, email: str, *, disabled: bool = True) -> None:
        with self._world.lock:
            self._account(email).disabled = disabled

    def expire_password(self, email: str, *, expired: bool = True) -> None:
        with self._world.lock:
            self._account(email).password_expired = expired

    def unlock(self, email: str) -> None:
        with self._world.lock:
            self._account(email).locked, self._account(email).failures = False, 0

    def is_locked(self, email: str) -> bool:
        with self._world.lock:
            return self._account(email).locked

    def failed_sign_ins(self, email: str) -> int:
        """How often signing in as this account was refused for its password."""
        with self._world.lock:
            return self._account(email).failed_sign_ins

    def move_mailbox(self, email: str, *, moving: bool = True) -> None:
        """The mailbox is on the move: ErrorMailboxMoveInProgress."""
        with self._world.lock:
            self._account(email).moving = moving

    def remove_mailbox(self, email: str) -> None:
        """The account stays, its mailbox goes: ErrorNonExistentMailbox."""
        with self._world.lock:
            self._account(email).has_mailbox = False

    # -- calendars and access

    def add_calendar(self, email: str, name: str, *, rights: str = "owner") -> str:
        """Another calendar folder, below the default calendar; gives its id."""
        with self._world.lock:
            folder = self._world.add_calendar(self._account(email), name)
            folder.rights = _right(rights)
            return folder.id

    def set_rights(self, calendar: str, rights: str) -> None:
        """What its owner may do there: none, free_busy, reader, writer or owner."""
        with self._world.lock:
            self._folder(calendar).rights = _right(rights)

    def lose_access(self, calendar: str, *, code: str = "ErrorAccessDenied") -> None:
        """From now on the folder and its items are refused with this code, and FindFolder does not find it.

        Seen besides: ErrorFolderNotFound, ErrorItemNotFound.
        """
        with self._world.lock:
            self._folder(calendar).lost = code

    def restore_access(self, calendar: str) -> None:
        with self._world.lock:
            self._folder(calendar).lost = None

    def remove_calendar(self, calendar: str) -> None:
        """The folder and what is in it are gone: ErrorFolderNotFound."""
        with self._world.lock:
            self._world.remove_folder(self._folder(calendar))

    def expire_sync_states(self, calendar: str) -> None:
        """Every state of the folder so far gives ErrorInvalidSyncStateData."""
        with self._world.lock:
            self._folder(calendar).sync_epoch += 1

    def expire_subscriptions(self) -> None:
        """No subscription is known any more; open streams close."""
        with self._world.lock:
            self._subscriptions.expire_all()

    def end_streams(self) -> None:
        """Open streams break off without `Closed`, as when a server restarts."""
        self._streams.end_all()

    @property
    def open_streams(self) -> int:
        return self._streams.count

    @property
    def subscriptions(self) -> int:
        return self._subscriptions.count

    # -- people at work in Outlook

    def add_event(
        self,
        calendar: str,
        subject: str,
        start: Moment,
        end: Moment,
        *,
        busy: str = "Busy",
        time_zone: str | None = None,
        attendees: tuple[str, ...] = (),
        location: str | None = None,
        recurrence: Element | None = None,
        extended: dict[tuple[str, str], str] | None = None,
    ) -> str:
        """A person adds an event, and invites when there are guests; gives its id.

        The zone is the mailbox's own unless `time_zone` (a tz database name) is given. `extended` are string
        properties: (id of the property set, name) -> value.
        """
        with self._world.lock:
            folder = self._folder(calendar)
            zone = windows_name_of(time_zone) if time_zone else folder.mailbox.time_zone
            item = self._made(
                folder, subject, self._span(zone, start, end), zone, all_day=not isinstance(start, datetime)
            )
            item.elements["LegacyFreeBusyStatus"] = t("LegacyFreeBusyStatus", busy)
            if location is not None:
                item.elements["Location"] = t("Location", location)
            item.recurrence = recurrence
            item.attendees = [Attendee(self._person(email)) for email in attendees]
            for (set_id, name), value in (extended or {}).items():
                _set_property(item, set_id, name, value)
            self._world.put(folder, item)
            if attendees:
                invitations.send(self._world, folder, None, item, changed_only=False)
            return _id(folder, item)

    def add_recurring(
        self,
        calendar: str,
        subject: str,
        start: Moment,
        end: Moment,
        *,
        times: int | None = None,
        pattern: Element | None = None,
        busy: str = "Busy",
        time_zone: str | None = None,
    ) -> str:
        """A person adds a series: weekly on the day of `start`, `times` times (None: without end), unless a `pattern`
        (the first child of a Recurrence element) says otherwise. Gives the id of the series.
        """
        with self._world.lock:
            owner = self._folder(calendar).mailbox
            zone = ZoneInfo(time_zone) if time_zone else owner.zone
            first = start.astimezone(zone).date() if isinstance(start, datetime) else start
            series = recurrence.weekly(first, times=times)
            if pattern is not None:
                series = t("Recurrence", copy.deepcopy(pattern), recurrence.range_from(first, times=times))
            return self.add_event(calendar, subject, start, end, busy=busy, time_zone=time_zone, recurrence=series)

    def invite(self, to: str, organizer: str, subject: str, start: datetime, end: datetime) -> str:
        """Somebody with a mailbox here invites; gives the id of the guest's copy."""
        with self._world.lock:
            self.add_event(self.calendar_of(organizer), subject, start, end, attendees=(to,))
            calendar = self._default(self._account(to))
            return _id(calendar, max(calendar.items.values(), key=lambda item: item.number))

    def respond(self, event_id: str, response: str, *, keep: bool = False) -> None:
        """The guest answers: Accept, Tentative or Decline. Declining moves the copy to Deleted Items unless it is kept
        (newer Outlooks can keep declined meetings, shown as free; assumed to look so in EWS).
        """
        with self._world.lock:
            folder, item = self._find(event_id)
            invitations.respond(self._world, folder, item, response)
            if response == "Decline" and not keep:
                self._world.remove(folder, item, to=self._bin(folder))

    def change_event(
        self,
        event_id: str,
        *,
        subject: str | None = None,
        busy: str | None = None,
        attendees: tuple[str, ...] | None = None,
        body: str | None = None,
    ) -> None:
        """A person edits an event or one occurrence; guests are told."""
        with self._world.lock:
            folder, item = self._for_writing(event_id)
            before = item.copied()
            for name, value in (("Subject", subject), ("LegacyFreeBusyStatus", busy)):
                if value is not None:
                    item.elements[name] = t(name, value)
            if body is not None:
                item.elements["Body"] = t("Body", body, BodyType="Text")
            if attendees is not None:
                held = {each.person.email: each for each in item.attendees}
                item.attendees = [held.get(email) or Attendee(self._person(email)) for email in attendees]
            self._changed(folder, before, item)

    def move_event(self, event_id: str, start: Moment, end: Moment) -> None:
        """A person drags an event, a whole series or one occurrence to another time. A series starts afresh."""
        with self._world.lock:
            folder, item = self._for_writing(event_id)
            before = item.copied()
            begins, ends = self._span(item.start_zone, start, end)
            if item.recurrence is not None:
                item.recurrence = recurrence.moved(item.recurrence, begins - item.start, item.zone, item.start)
                item.exceptions, item.deleted = {}, set()
            item.start, item.end = begins, ends
            self._changed(folder, before, item)

    def cancel_event(self, event_id: str) -> None:
        """A person deletes an event, a whole series or one occurrence; it moves to Deleted Items, guests are told."""
        with self._world.lock:
            folder, item = self._find(event_id)
            if item.attendees and item.response == "Organizer":
                invitations.cancel(self._world, folder, item)
            if item.master is not None and item.original is not None:
                item.master.deleted.add(item.original)
                item.master.exceptions.pop(item.original, None)
                self._world.touch(folder, item.master)
            else:
                self._world.remove(folder, item, to=self._bin(folder))

    def purge(self, email: str) -> None:
        """Deleted Items are emptied for good."""
        with self._world.lock:
            folder = self._account(email).distinguished("deleteditems")
            assert folder is not None
            for item in list(folder.items.values()):
                self._world.remove(folder, item, to=None)

    def move_instance(self, series_id: str, original: datetime, start: Moment, end: Moment) -> None:
        self.move_event(self.instance_id(series_id, original), start, end)

    def cancel_instance(self, series_id: str, original: datetime) -> None:
        self.cancel_event(self.instance_id(series_id, original))

    def instance_id(self, series_id: str, original: datetime) -> str:
        """The id of the occurrence planned for `original`."""
        key = read_id(series_id)
        return Key("I", key.mailbox, key.number, original.astimezone(UTC)).to_text()

    # -- looking

    def events(self, calendar: str) -> list[Event]:
        """Single events and series, with exceptions behind their series, in the order they were made."""
        with self._world.lock:
            folder = self._folder(calendar)
            found = []
            for item in folder.items.values():
                found += [_event(folder, item), *(_event(folder, each) for each in item.exceptions.values())]
            return found

    def event(self, event_id: str) -> Event:
        """Raises EwsError ErrorItemNotFound."""
        with self._world.lock:
            return _event(*self._find(event_id))

    @property
    def mails(self) -> list[Mail]:
        """What the server would have mailed, oldest first."""
        with self._world.lock:
            return list(self._world.mails)

    @property
    def calls(self) -> list[Call]:
        return list(self._log.calls)

    def requests_for(self, match: Match) -> list[Call]:
        """The calls of one operation (`GetItem`), of a group (`autodiscover.`), or that a function picks."""
        return [call for call in self.calls if matches(match, call)]

    def forget_calls(self) -> None:
        self._log.calls.clear()

    def observe(self, observer: Callable[[Call], None]) -> None:
        """Tell `observer` of every finished call, in the server's thread; of a stream when it begins."""
        self._log.observers.append(observer)

    # -- faults

    def fault(self, match: Match = None, **about: object) -> Fault:
        """Script a fault; see `meetings.adapters.exchange.simulator.faults` for what it can do."""
        return self._faults.add(Fault(match, **about))  # type: ignore[arg-type]

    def on_call(self, match: Match, action: Callable[[], object], *, on_call: int = 1) -> None:
        """Run `action` once, after the work of the n-th matching call and before its answer leaves."""
        self._faults.add_hook(Hook(match, action, on_call))

    def remove_fault(self, fault: Fault) -> None:
        self._faults.remove(fault)

    def clear_faults(self) -> None:
        self._faults.clear()

    # -- inside

    def _account(self, email: str) -> Account:
        found = self._world.account(email)
        if found is None:
            raise KeyError(email)
        return found

    def _folder(self, calendar: str) -> Folder:
        return self._world.folder(calendar)

    def _default(self, account: Account) -> Folder:
        found = account.distinguished("calendar")
        assert found is not None
        return found

    def _bin(self, folder: Folder) -> Folder | None:
        return folder.mailbox.distinguished("deleteditems")

    def _person(self, email: str) -> Person:
        account = self._world.account(email)
        return account.person if account is not None else Person(email, email)

    def _find(self, event_id: str) -> tuple[Folder, CalendarItem]:
        key = read_id(event_id)
        account = self._world.mailbox_of(key.mailbox)
        for folder in account.folders.values() if account else ():
            if key.number in folder.items:
                item = folder.items[key.number]
                return folder, item if key.original is None else occurrences.existing(item, key.original)
        raise KeyError(event_id)

    def _for_writing(self, event_id: str) -> tuple[Folder, CalendarItem]:
        folder, item = self._find(event_id)
        if item.master is not None and item.original is not None:
            return folder, occurrences.changed(item.master, item.original)
        return folder, item

    def _changed(self, folder: Folder, before: CalendarItem, item: CalendarItem) -> None:
        item.sequence += 1
        self._world.touch(folder, item)
        if item.response == "Organizer" and (before.attendees or item.attendees):
            invitations.send(self._world, folder, before, item, changed_only=False)

    def _made(
        self, folder: Folder, subject: str, span: tuple[datetime, datetime], zone: str, *, all_day: bool
    ) -> CalendarItem:
        number = self._world.new_number()
        return CalendarItem(
            number=number,
            start=span[0],
            end=span[1],
            uid=f"040000008200E00074C5B7101A82E008{number:048X}",
            organizer=folder.mailbox.person,
            created_at=self._world.now(),
            start_zone=zone,
            end_zone=zone,
            all_day=all_day,
            elements={"Subject": t("Subject", subject)},
        )

    def _span(self, zone: str, start: Moment, end: Moment) -> tuple[datetime, datetime]:
        return _instant(start, zone), _instant(end, zone)


def _instant(moment: Moment, zone: str) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else midnight(moment, zone_of(zone))


def _right(rights: str) -> str:
    if rights not in RIGHTS:
        raise ValueError(f"{rights} is not one of {RIGHTS}")
    return rights


def _id(folder: Folder, item: CalendarItem) -> str:
    return view.item_id(folder, item).get("Id") or ""


def _event(folder: Folder, item: CalendarItem) -> Event:
    body = item.elements.get("Body")
    return Event(
        id=_id(folder, item),
        subject=item.value("Subject"),
        body=item.value("Body"),
        body_type="Text" if body is None else body.get("BodyType", "Text"),
        start=item.start,
        end=item.end,
        zone=item.zone.key,
        busy=item.busy,
        all_day=item.all_day,
        location=item.value("Location"),
        attendees=tuple((each.person.email, each.response) for each in item.attendees),
        kind=item.kind,
        response=item.response,
        cancelled=item.cancelled,
        uid=item.uid,
    )


def _set_property(item: CalendarItem, set_id: str, name: str, value: str) -> None:
    uri = t("ExtendedFieldURI", PropertySetId=set_id, PropertyName=name, PropertyType="String")
    item.extended[property_key(uri)] = t("ExtendedProperty", uri, t("Value", value))
