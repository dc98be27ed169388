"""A person's connected mailbox: one-to-one mail and sequences leave through it, and replies are found in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from meetings.domain.base import Aggregate, DomainError, DomainEvent
from meetings.domain.calendar_connection import ConnectionStatus, Consent, Grant, MailServer, Provider
from meetings.domain.identifiers import AccountId, ConnectionId, MailboxId, UserId


class InboxProvider(Enum):
    """Whose mailbox it is. IMAP is any server that speaks IMAP and SMTP."""

    GOOGLE = "GOOGLE"
    OFFICE365 = "OFFICE365"
    EXCHANGE = "EXCHANGE"
    IMAP = "IMAP"

    @property
    def brand(self) -> str:
        """What people call it."""
        return "IMAP" if self is InboxProvider.IMAP else Provider(self.value).brand

    @property
    def calendar_provider(self) -> Provider | None:
        """The provider of calendars that the same sign-in opens, if any."""
        return None if self is InboxProvider.IMAP else Provider(self.value)


class InboxNotConnected(DomainError):
    """The person has no mailbox to send from, or its grant does not work any more."""


class MailboxAlreadyConnected(DomainError):
    """The address is connected already, as a personal mailbox or as a team's (A-IN6)."""


class TeamMailboxNotAllowed(DomainError):
    """The address is a team's: it is nobody's own calendar or mailbox (A-CC2)."""


@dataclass(frozen=True, kw_only=True)
class MailboxEvent(DomainEvent):
    """Something happened to a mailbox."""

    mailbox_id: MailboxId
    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class MailboxConnected(MailboxEvent):
    """A mailbox was connected, or connected again."""


@dataclass(frozen=True, kw_only=True)
class MailboxDisconnected(MailboxEvent):
    """The person disconnected it; the calendar of the same account, if connected, stays (A-CC3)."""


@dataclass(frozen=True, kw_only=True)
class MailboxGrantLost(MailboxEvent):
    """The provider no longer accepts our grant; the person has to sign in again."""


@dataclass(kw_only=True, eq=False)
class Mailbox(Aggregate):
    """A connected mailbox of one person, or of a team (`team`), where `user_id` is who connected it.

    It borrows the credentials of the calendar connection `connection_id`, where one sign-in opened both (X11), and has
    its own otherwise. `grant` is how the mailbox stands, whatever becomes of the calendar.
    """

    id: MailboxId
    user_id: UserId
    provider: InboxProvider
    email: str
    consent: Consent
    connected_at: datetime
    connection_id: ConnectionId | None = None
    grant: Grant = Grant.HELD
    server: MailServer | None = None
    team: bool = False
    log_replies: bool = True

    @classmethod
    def connect(
        cls,
        mailbox_id: MailboxId,
        *,
        account_id: AccountId,
        user_id: UserId,
        provider: InboxProvider,
        email: str,
        consent: Consent,
        now: datetime,
        connection_id: ConnectionId | None = None,
        server: MailServer | None = None,
        team: bool = False,
    ) -> "Mailbox":
        mailbox = cls(
            id=mailbox_id,
            account_id=account_id,
            user_id=user_id,
            provider=provider,
            email=email,
            consent=consent,
            connected_at=now,
            connection_id=connection_id,
            server=server,
            team=team,
        )
        mailbox.record(MailboxConnected(at=now, mailbox_id=mailbox.id, user_id=user_id))
        return mailbox

    def reconnect(
        self,
        *,
        provider: InboxProvider,
        consent: Consent,
        now: datetime,
        connection_id: ConnectionId | None = None,
        server: MailServer | None = None,
    ) -> None:
        """Sign in again to the same address, by the same way or another one (S83); what was logged stays."""
        self.provider = provider
        self.consent = consent
        self.connected_at = now
        self.connection_id = connection_id
        self.server = server
        self.grant = Grant.HELD
        self.record(MailboxConnected(at=now, mailbox_id=self.id, user_id=self.user_id))

    def has_address(self, email: str) -> bool:
        """Whether it is the mailbox of this address, in whatever letter case."""
        return self.email.strip().casefold() == email.strip().casefold()

    def stand_alone(self) -> None:
        """The calendar it borrowed its credentials from is disconnected; from here on it has its own."""
        self.connection_id = None

    def disconnect(self, *, now: datetime) -> None:
        """Send and read nothing more. A second call changes nothing."""
        if self.grant is not Grant.RETURNED:
            self.grant = Grant.RETURNED
            self.connection_id = None
            self.record(MailboxDisconnected(at=now, mailbox_id=self.id, user_id=self.user_id))

    def lose_grant(self, *, now: datetime) -> None:
        """The provider refused our grant. Only the first call is news."""
        if self.grant is Grant.HELD:
            self.grant = Grant.LOST
            self.record(MailboxGrantLost(at=now, mailbox_id=self.id, user_id=self.user_id))

    @property
    def usable(self) -> bool:
        """Whether mail can leave through it and replies are looked for."""
        return self.grant is Grant.HELD

    @property
    def status(self) -> ConnectionStatus:
        return {
            Grant.HELD: ConnectionStatus.ACTIVE,
            Grant.LOST: ConnectionStatus.REAUTH_REQUIRED,
            Grant.RETURNED: ConnectionStatus.DISCONNECTED,
        }[self.grant]
