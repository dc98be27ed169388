"""The simulator as tests and the demo hold it: serve it, act as people using Outlook, script faults, read the log."""

import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from meetings.adapters.exchange.simulator import certificates, invitations, outlook
from meetings.adapters.exchange.simulator.app import SimulatorApp
from meetings.adapters.exchange.simulator.calls import Call
from meetings.adapters.exchange.simulator.faults import Fault
from meetings.adapters.exchange.simulator.ids import Key, read_id
from meetings.adapters.exchange.simulator.mail_control import MailControl
from meetings.adapters.exchange.simulator.operations import Operations
from meetings.adapters.exchange.simulator.outlook import Event, Moment, Wish
from meetings.adapters.exchange.simulator.removal import remove
from meetings.adapters.exchange.simulator.settings import Settings
from meetings.adapters.exchange.simulator.soap import Element
from meetings.adapters.exchange.simulator.streaming import Streams
from meetings.adapters.exchange.simulator.subscriptions import Subscriptions
from meetings.adapters.exchange.simulator.versions import version_of
from meetings.adapters.exchange.simulator.world import (
    MAILBOX_KINDS,
    Account,
    Folder,
    Mail,
    World,
    rights_of,
)
from meetings.adapters.exchange.simulator.zones import windows_name_of
from meetings.adapters.scripted_faults.script import Scripted
from meetings.adapters.scripted_faults.serving import serve_in_loop, serve_in_thread

PASSWORD = "correct horse battery"
DEFAULT_HOSTS = ("localhost", "127.0.0.1", "example.com", "mail.example.com", "autodiscover.example.com")
TLS_MODES = ("trusted", "self-signed", "plain")


class ExchangeSimulator(Scripted[Call, Fault]):
    """An Exchange server in memory: EWS for calendars and for mail (`mail`), autodiscover, and the sign-in page of
    Outlook on the web.

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
        super().__init__(Call, Fault)
        self._world = World(now)
        self._tls = tls
        self._certificate = certificates.self_signed(hosts) if tls == "self-signed" else certificates.issued(hosts)
        self._folder_of_files = tempfile.TemporaryDirectory(prefix="exchange-simulator-")
        self.settings = Settings(version=version_of(version))
        self.mail = MailControl(self._world)
        self._subscriptions = Subscriptions(self._world)
        self._streams = Streams(self._subscriptions, self.settings)
        operations = Operations(self._world, self.settings, self._subscriptions)
        self.app = SimulatorApp(self._world, self.settings, operations, self._streams, self._log, self._faults)
        self._port: int | None = None

    # -- serving

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator["ExchangeSimulator"]:
        """Serve on 127.0.0.1 in a thread until the block ends; `url` says where."""
        with serve_in_thread(self.app, port, tls=self._context) as address, self._folder_of_files:
            self._port = urlsplit(address).port
            yield self

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["ExchangeSimulator"]:
        """Serve inside the running loop until the block ends."""
        async with serve_in_loop(self.app, port, tls=self._context) as address:
            self._port = urlsplit(address).port
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
            folder.rights = rights_of(rights)
            return folder.id

    def set_rights(self, calendar: str, rights: str) -> None:
        """What its owner may do there: none, free_busy, reader, writer or owner."""
        with self._world.lock:
            self._folder(calendar).rights = rights_of(rights)

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
        extended: dict[tuple[str, str], str] | None = None,
        body: str | None = None,
        sensitivity: str = "Normal",
    ) -> str:
        """A person adds an event, and invites when there are guests; gives its id.

        The zone is the mailbox's own unless `time_zone` (a tz database name) is given. `extended` are string
        properties: (id of the property set, name) -> value.
        """
        with self._world.lock:
            folder = self._folder(calendar)
            wish = Wish(subject, start, end, busy, time_zone, attendees, location, None, extended, body, sensitivity)
            return outlook.id_of(folder, outlook.add(self._world, folder, wish))

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
        attendees: tuple[str, ...] = (),
    ) -> str:
        """A person adds a series: weekly on the day of `start`, `times` times (None: without end), unless a `pattern`
        (the first child of a Recurrence element) says otherwise. Gives the id of the series.
        """
        with self._world.lock:
            folder = self._folder(calendar)
            series = outlook.series_of(folder, start, times=times, pattern=pattern, zone=time_zone)
            wish = Wish(subject, start, end, busy, time_zone, attendees, recurrence=series)
            return outlook.id_of(folder, outlook.add(self._world, folder, wish))

    def invite(self, to: str, organizer: str, subject: str, start: datetime, end: datetime) -> str:
        """Somebody with a mailbox here invites; gives the id of the guest's copy."""
        with self._world.lock:
            self.add_event(self.calendar_of(organizer), subject, start, end, attendees=(to,))
            calendar = self._default(self._account(to))
            return outlook.id_of(calendar, max(calendar.items.values(), key=lambda item: item.number))

    def respond(self, event_id: str, response: str, *, keep: bool = False) -> None:
        """The guest answers: Accept, Tentative or Decline. Declining moves the copy to Deleted Items unless it is kept
        (newer Outlooks can keep declined meetings, shown as free; assumed to look so in EWS).
        """
        with self._world.lock:
            folder, item = outlook.find(self._world, event_id)
            invitations.respond(self._world, folder, item, response)
            if response == "Decline" and not keep:
                remove(self._world, folder, item, keep=True, tell=False)

    def change_event(
        self,
        event_id: str,
        *,
        subject: str | None = None,
        busy: str | None = None,
        attendees: tuple[str, ...] | None = None,
        body: str | None = None,
        sensitivity: str | None = None,
    ) -> None:
        """A person edits an event or one occurrence; guests are told."""
        with self._world.lock:
            outlook.change(
                self._world,
                event_id,
                subject=subject,
                busy=busy,
                attendees=attendees,
                body=body,
                sensitivity=sensitivity,
            )

    def move_event(self, event_id: str, start: Moment, end: Moment) -> None:
        """A person drags an event, a whole series or one occurrence to another time. A series starts afresh."""
        with self._world.lock:
            outlook.move(self._world, event_id, start, end)

    def repeat_event(self, event_id: str, *, times: int | None = None) -> None:
        """A person makes a single event a weekly series, `times` times (None: without end); its id stays."""
        with self._world.lock:
            outlook.repeat(self._world, event_id, times=times)

    def cancel_event(self, event_id: str) -> None:
        """A person deletes an event, a whole series or one occurrence; it moves to Deleted Items, guests are told."""
        with self._world.lock:
            folder, item = outlook.find(self._world, event_id)
            remove(self._world, folder, item, keep=True, tell=True)

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
                found += [outlook.seen(folder, each) for each in (item, *item.exceptions.values())]
            return found

    def event(self, event_id: str) -> Event:
        """Raises EwsError ErrorItemNotFound."""
        with self._world.lock:
            return outlook.seen(*outlook.find(self._world, event_id))

    @property
    def mails(self) -> list[Mail]:
        """What the server would have mailed, oldest first."""
        with self._world.lock:
            return list(self._world.mails)

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
