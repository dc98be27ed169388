"""The one place that wires: everything an event loop works with, made from the settings."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from meetings.adapters.dns.service_records import DnsServiceRecords
from meetings.adapters.dns.text_records import DnsTextRecords
from meetings.adapters.imap.provider import ImapSettings
from meetings.adapters.smtp.mailer import SmtpMailer
from meetings.application.links import Links
from meetings.application.ports.calendars import Calendars, ChangeListener, Providers, PushChannels
from meetings.application.ports.fan_out import FanOut
from meetings.application.ports.mail_accounts import InboxOffers, MailAccount
from meetings.application.ports.page_signs import DatabasePulse
from meetings.application.ports.unit_of_work import LockTimeout
from meetings.application.signed_tokens import SignedTokens
from meetings.application.toolbox import Toolbox
from meetings.domain.base import NotFound
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.identifiers import AccountId, CalendarId, ConnectionId, MailboxId
from meetings.domain.mailbox import Mailbox
from meetings.infrastructure.circuits.circuits import Circuits
from meetings.infrastructure.circuits.together import Together
from meetings.infrastructure.circuits.watched import Busy
from meetings.infrastructure.credentials import StoredCredentials
from meetings.infrastructure.database.crm_trips import SqlCrmTrips
from meetings.infrastructure.database.email_reads import SqlEmailReads
from meetings.infrastructure.database.mail_schedule import SqlMailSchedule
from meetings.infrastructure.database.page_signs import SqlPageSigns
from meetings.infrastructure.database.pulse import database_pulse
from meetings.infrastructure.database.reads import SqlReads
from meetings.infrastructure.database.sealed_credentials import OF_MAILBOXES
from meetings.infrastructure.database.sequence_reads import SqlSequenceReads
from meetings.infrastructure.database.sign_in_attempts import SqlSignInAttempts
from meetings.infrastructure.database.sync_schedule import SqlSyncSchedule
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.doorbell import Doorbell
from meetings.infrastructure.fan_out import InProcessFanOut, RedisFanOut
from meetings.infrastructure.hubspot_records import HubSpotRecords, hubspot_sign_in, hubspot_transport
from meetings.infrastructure.identities import SqlIdentities
from meetings.infrastructure.leadership import Leadership
from meetings.infrastructure.outbox import SqlOutbox
from meetings.infrastructure.passwords import ArgonPasswords
from meetings.infrastructure.providers import inbox_offers_of, providers_of
from meetings.infrastructure.settings import Settings

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The clock of the real world."""
    return datetime.now(UTC)


class Process:
    """What all event loops of one process share: the settings, the providers' pools and circuits, the bell, the
    pokes.

    `start` and `stop` frame the life of the bell's thread.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
        self.keyring = settings.keyring()
        self.providers: Providers = providers_of(settings.providers, utc_now)
        self.inbox_offers: InboxOffers = inbox_offers_of(
            self.providers,
            ImapSettings(private_networks=settings.imap_private_networks, ca_file=settings.imap_ca_file),
            records=DnsServiceRecords(settings.dns_servers),
            clock=utc_now,
        )
        self.hubspot = hubspot_transport(settings.hubspot_url)
        self.hubspot_sign_in = hubspot_sign_in(settings, self.hubspot, utc_now)
        self.circuits = Circuits()
        self.doorbell = Doorbell(self.redis_url)
        self.pokes = InProcessFanOut()
        self.keys_fit = False
        self.links = Links(
            settings.public_url, settings.dashboard, self.keyring.derive(b"manage links"), settings.pages_address
        )

    def start(self) -> None:
        self.doorbell.start()

    def stop(self) -> None:
        self.doorbell.stop()


@dataclass(frozen=True)
class Runtime:
    """Everything one event loop works with; another loop, such as an embedded worker's, opens its own."""

    process: Process
    database: Database
    toolbox: Toolbox
    leadership: Leadership = field(repr=False)

    @property
    def settings(self) -> Settings:
        return self.process.settings

    async def check_keys(self) -> None:
        """Raise `BadKeys` unless the secret keys fit the database; asks it once per process."""
        if not self.process.keys_fit:
            await self.database.check_keys()
            self.process.keys_fit = True

    async def refuse_wrong_keys(self) -> None:
        """As `check_keys`, for a start: a database that is away or not migrated yet can still come (OA-7, PF-3)."""
        try:
            await self.check_keys()
        except (SQLAlchemyError, OSError, LockTimeout) as error:
            log.warning("the secret keys could not be checked yet", extra={"error": type(error).__name__})

    @classmethod
    @asynccontextmanager
    async def open(cls, process: Process) -> AsyncIterator["Runtime"]:
        """Opens no connection yet: a database that is away is found out by whoever asks it first."""
        settings = process.settings
        async with AsyncExitStack() as stack:
            fan_out: FanOut = process.pokes
            if process.redis_url is not None:
                between = RedisFanOut(process.redis_url)
                stack.push_async_callback(between.close)
                fan_out = between

            async def announce(intents: Sequence[UUID]) -> None:
                process.doorbell.ring_intents(intents)

            url = settings.database_url.get_secret_value()
            database = Database(url, keyring=process.keyring, fan_out=fan_out, announce=announce)
            stack.push_async_callback(database.close)
            leadership = Leadership(url)
            stack.push_async_callback(leadership.close)
            pulse = database_pulse(url)
            stack.push_async_callback(pulse.close)
            yield cls(process, database, _toolbox(process, database, fan_out, pulse), leadership)


def _toolbox(process: Process, database: Database, fan_out: FanOut, pulse: DatabasePulse) -> Toolbox:
    settings = process.settings
    questions = Together[Busy]()

    def credentials(connection: CalendarConnection) -> StoredCredentials:
        lease = settings.lease_seconds
        return StoredCredentials(database, connection.account_id, connection.id, lease_seconds=lease)

    def calendars_of(connection: CalendarConnection) -> Calendars:
        if connection.provider not in process.providers:
            raise NotFound("calendar provider")
        provider = process.providers[connection.provider]
        calendars = provider.calendars(credentials(connection))
        return process.circuits.around(calendars, connection, provider.quota, questions)

    def push_of(connection: CalendarConnection) -> PushChannels | None:
        provider = process.providers.get(connection.provider)
        if provider is None or provider.push is None or not settings.uses_push:
            return None
        return process.circuits.around_push(provider.push(credentials(connection)), connection, provider.quota)

    def listener_of(connection: CalendarConnection) -> ChangeListener | None:
        provider = process.providers.get(connection.provider)
        return provider.listen(credentials(connection)) if provider and provider.listen else None

    def mail_account_of(mailbox: Mailbox) -> MailAccount:
        offer = process.inbox_offers.get(mailbox.provider)
        if offer is None:
            raise NotFound("mail provider")
        lease, account_id = settings.lease_seconds, mailbox.account_id
        if mailbox.connection_id is None:
            opened = StoredCredentials(database, account_id, mailbox.id, place=OF_MAILBOXES, lease_seconds=lease)
        else:
            opened = StoredCredentials(database, account_id, mailbox.connection_id, lease_seconds=lease)
        return process.circuits.around_mail(offer.mail(opened), mailbox)

    records = HubSpotRecords(
        database,
        process.hubspot,
        process.circuits,
        sign_in=process.hubspot_sign_in,
        lease_seconds=settings.lease_seconds,
        clock=utc_now,
    )

    return Toolbox(
        begin_as=database.begin,
        look=database.look(),
        reads=SqlReads(database),
        page_signs=SqlPageSigns(database),
        pulse=pulse,
        outbox=SqlOutbox(database, lease_seconds=settings.lease_seconds),
        schedule=_RingingSchedule(database, process.doorbell),
        mail_schedule=_RingingMailSchedule(database, process.doorbell),
        email_reads=SqlEmailReads(database),
        sequence_reads=SqlSequenceReads(database),
        identities=SqlIdentities(database),
        sign_in_attempts=SqlSignInAttempts(database),
        passwords=ArgonPasswords(),
        providers=process.providers,
        calendars_of=calendars_of,
        push_of=push_of,
        listener_of=listener_of,
        crm_of=records.crm_of,
        try_crm=records.try_credentials,
        crm_sign_in=process.hubspot_sign_in,
        crm_trips=SqlCrmTrips(database),
        inbox_offers=process.inbox_offers,
        mail_account_of=mail_account_of,
        team_mail_domain=settings.team_domain,
        mailer=SmtpMailer(settings.smtp(), now=utc_now),
        fan_out=fan_out,
        links=process.links,
        dns=DnsTextRecords(settings.dns_servers),
        captcha=settings.captcha(),
        visitor_tokens=SignedTokens(process.keyring.derive(b"visitors")),
        clock=utc_now,
        policy=settings.policy,
    )


class _RingingSchedule(SqlSyncSchedule):
    """Wakes a worker for calendars that are to be read at once."""

    def __init__(self, database: Database, doorbell: Doorbell) -> None:
        super().__init__(database)
        self._doorbell = doorbell

    async def plan(self, account_id: AccountId, connection_id: ConnectionId, calendars: list[CalendarId]) -> None:
        await super().plan(account_id, connection_id, calendars)
        self._doorbell.ring_calendars(calendars)

    async def request(self, calendar_id: CalendarId) -> None:
        await super().request(calendar_id)
        self._doorbell.ring_calendars([calendar_id])


class _RingingMailSchedule(SqlMailSchedule):
    """Wakes a worker for mailboxes that are to be read at once."""

    def __init__(self, database: Database, doorbell: Doorbell) -> None:
        super().__init__(database)
        self._doorbell = doorbell

    async def plan(self, account_id: AccountId, mailbox_id: MailboxId, *, begin_at: datetime) -> None:
        await super().plan(account_id, mailbox_id, begin_at=begin_at)
        self._doorbell.ring_mailboxes([mailbox_id])

    async def request(self, mailbox_id: MailboxId) -> None:
        await super().request(mailbox_id)
        self._doorbell.ring_mailboxes([mailbox_id])
