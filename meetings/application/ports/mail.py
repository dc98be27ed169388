"""The mails this product sends, as facts; how they read is the mailer's business.

A letter says who is told what. The adapter turns it into subject, text, HTML and, where a meeting is attached, a
calendar file, in the recipient's language and zone. Letters hold no secret except the recipient's own manage link.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol


class MailUnavailable(Exception):
    """The mail server could not be reached or answered with a temporary refusal (4xx); worth another try."""


class MailRefused(Exception):
    """The mail server refused this letter for good (5xx): the address or the content."""


class UnsafeLetter(MailRefused, ValueError):
    """The letter was never handed over: a value in it cannot stand in a header, an address or a link.

    Such as a line break or another control character in a name, title, address or `uid`, or a link that is not
    http(s). Names the field, never its value.
    """


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter goes to. `locale` is a BCP 47 tag, `time_zone` the IANA name of the zone its times are shown in."""

    name: str
    email: str
    locale: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Correspondent:
    """The other side of a meeting, as the recipient should see them: a name and an address to answer to."""

    name: str
    email: str


class Audience(Enum):
    """Which side of the meeting a letter about it speaks to."""

    INVITEE = "INVITEE"
    HOST = "HOST"


class MeetingNews(Enum):
    """What happened to a meeting."""

    REQUESTED = "REQUESTED"
    CONFIRMED = "CONFIRMED"
    MOVED = "MOVED"
    CANCELLED = "CANCELLED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"
    REMINDER = "REMINDER"


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answer of the invitee, as the form labelled it. Free text from a stranger: to be escaped."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeetingLetter:
    """Something happened to a meeting.

    `uid` and `sequence` are the calendar file's UID and SEQUENCE: the uid never changes for one booking, the sequence
    grows with each change. `start` and `end` are aware UTC instants, half-open. `previous_start` is set for MOVED.
    `proposed` lists every time an invitee proposed (REQUESTED), the first one equal to `start`. `manage_url` is None
    where the recipient cannot change the meeting. `message_id` is stable: the same letter sent twice carries it twice;
    it has the form `<left@right>` (RFC 5322 3.6.4).

    `reason` is why the meeting was called off, or, as long as it was not, what the invitee wrote to the host.

    What a stranger may have written, and what is therefore shown without working links: `title` (it may carry the
    invitee's name), `invitee.name`, `reason`, `answers`, `guests`. `location` and `description` are the host's words.
    """

    message_id: str
    to: Recipient
    audience: Audience
    news: MeetingNews
    uid: str
    sequence: int
    title: str
    start: datetime
    end: datetime
    host: Correspondent
    invitee: Correspondent
    booking_time_zone: str
    location: str | None = None
    join_url: str | None = None
    description: str | None = None
    manage_url: str | None = None
    previous_start: datetime | None = None
    proposed: tuple[datetime, ...] = ()
    reason: str | None = None
    answers: tuple[AnswerLine, ...] = ()
    guests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LostCalendar:
    """A selected calendar that cannot be read any more, by the name its host gave it."""

    name: str
    account_email: str


@dataclass(frozen=True, slots=True)
class BookingAttempt:
    """Somebody tried to book and could not: the page's headline, the wished start (aware UTC) and when it was tried."""

    page: str
    wished_start: datetime
    tried_at: datetime


@dataclass(frozen=True, slots=True)
class BlockedAttemptLetter:
    """To a host: somebody tried to book, but a selected calendar cannot be read (S61).

    Names every lost calendar and every bundled attempt (at least one of each, oldest first), and both remedies: have
    access granted again, or remove the calendar from the selection at `settings_url`.
    """

    message_id: str
    to: Recipient
    calendars: tuple[LostCalendar, ...]
    attempts: tuple[BookingAttempt, ...]
    settings_url: str


@dataclass(frozen=True, slots=True)
class ConnectionLostLetter:
    """To a host: the grant of a calendar account was revoked or expired; pages are offline until reconnected.

    `with_password`: what is not accepted any more is the password they connected with, and a new one is to be entered.
    `with_mailbox`: the mailbox of the same account was lost with it.
    """

    message_id: str
    to: Recipient
    provider: str
    account_email: str
    settings_url: str
    with_password: bool = False
    with_mailbox: bool = False


@dataclass(frozen=True, slots=True)
class InvitationLetter:
    """To somebody who is asked to join an account; `url` is theirs alone and works once, until `expires_at`."""

    message_id: str
    to: Recipient
    account: str
    url: str = field(repr=False)
    expires_at: datetime


class DomainNews(Enum):
    """ENDANGERED: the record of a connected domain is gone. LOST: it was for too long, the domain is off."""

    ENDANGERED = "ENDANGERED"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class DomainLetter:
    """To an owner or admin: pages under a domain of the account's own are about to go, or have gone.

    `record_name` and `record_value` are the TXT record that keeps the domain, or brings it back; after it was lost
    that is another one than before. `until` is an aware UTC instant: when an endangered domain is lost; None for LOST.
    """

    message_id: str
    to: Recipient
    news: DomainNews
    host: str
    record_name: str
    record_value: str
    until: datetime | None
    settings_url: str


@dataclass(frozen=True, slots=True)
class MailboxLostLetter:
    """To a person: a mailbox of theirs cannot be used any more until it is connected again.

    With `team`, the mailbox is that of a team of this name, and mail leaves from `hosted_address` meanwhile (A-NO4).
    `with_password`: what is not accepted any more is a password.
    """

    message_id: str
    to: Recipient
    provider: str
    email: str
    settings_url: str
    with_password: bool = False
    team: str | None = None
    hosted_address: str | None = None


@dataclass(frozen=True, slots=True)
class CrmRefusedLetter:
    """To an owner or admin: the account's CRM, by its name, does not let us in any more; what is to be recorded waits
    until somebody connects it again."""

    message_id: str
    to: Recipient
    crm: str
    settings_url: str


@dataclass(frozen=True, slots=True)
class TeamLetter:
    """A mail that a person writes in a team's name, from the address that this product provides (A-IN9).

    `to` is an address. `sender_address` is one that the mail server may send as. All texts are the person's own.
    """

    message_id: str
    to: str
    sender_name: str
    sender_address: str
    subject: str
    text: str


Letter = (
    MeetingLetter
    | BlockedAttemptLetter
    | ConnectionLostLetter
    | InvitationLetter
    | DomainLetter
    | MailboxLostLetter
    | CrmRefusedLetter
)


class Mailer(Protocol):
    """Hands letters over to a mail server."""

    async def send(self, letter: Letter | TeamLetter) -> None:
        """Hand one letter over; returning means the server took it.

        Raises:
            MailUnavailable: try again later.
            MailRefused: never will be delivered.
        """
