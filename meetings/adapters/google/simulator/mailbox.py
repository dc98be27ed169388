"""What the simulator keeps of mail: each account's mailbox with its history, and what left for people elsewhere.

Sources: "Synchronize clients with Gmail" and "Manage labels" (Gmail API guides); the resources Message and History.
"""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from functools import cached_property

from meetings.adapters.google.simulator.errors import GoogleError

INBOX, UNREAD, SENT, DRAFT, SPAM, TRASH = "INBOX", "UNREAD", "SENT", "DRAFT", "SPAM", "TRASH"
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_PREFIXES = re.compile(r"^(\s*(re|aw|fwd?|wg)\s*:\s*)+", re.IGNORECASE)


@dataclass
class StoredMail:
    """A mail in one mailbox, as it travelled. `changed` is the number of the history record that touched it last."""

    id: str
    thread_id: str
    raw: bytes
    labels: set[str]
    at: datetime
    changed: int

    @cached_property
    def message(self) -> Message:
        return message_from_bytes(self.raw)

    @property
    def message_id(self) -> str:
        return str(self.message.get("Message-ID", "")).strip()

    def header(self, name: str) -> str:
        """Unfolded and with encoded words read, as Gmail's API shows headers (seen in answers)."""
        return shown(str(self.message.get(name, "")))


@dataclass(frozen=True)
class Added:
    """A history record: a mail was added."""

    number: int
    mail_id: str
    thread_id: str
    labels: tuple[str, ...]


@dataclass
class Mailbox:
    """Mails by their id, oldest first. History before `forgotten` is gone; it is kept about a week (history.list)."""

    mails: dict[str, StoredMail] = field(default_factory=dict)
    history: list[Added] = field(default_factory=list)
    number: int = 1000
    forgotten: int = 0
    _named: dict[str, list[str]] = field(default_factory=dict)
    """The ids of mails by their Message-ID."""

    def add(self, raw: bytes, labels: set[str], at: datetime, thread_id: str | None = None) -> StoredMail:
        """The id of the first mail of a thread is that of the thread (seen in answers); numbers have gaps."""
        self.number += 1 + secrets.randbelow(20)
        id_ = secrets.token_hex(8)
        message = message_from_bytes(raw)
        thread = thread_id or self._thread_of(message) or id_
        mail = StoredMail(id_, thread, raw, labels, at, self.number)
        self.mails[id_] = mail
        self._named.setdefault(mail.message_id, []).append(id_)
        self.history.append(Added(self.number, id_, thread, tuple(sorted(labels))))
        return mail

    def since(self, number: int) -> list[Added]:
        """Raises GoogleError 404 for a number that is too old, or none that was ever given out."""
        if number < self.forgotten or number > self.number or number < 1000:
            raise GoogleError(404, "notFound", "Requested entity was not found.", canonical="NOT_FOUND")
        return [record for record in self.history if record.number > number]

    def get(self, mail_id: str) -> StoredMail:
        if not re.fullmatch("[0-9a-f]{1,16}", mail_id):
            raise GoogleError(400, "invalidArgument", "Invalid id value", canonical="INVALID_ARGUMENT")
        mail = self.mails.get(mail_id)
        if mail is None:
            raise GoogleError(404, "notFound", "Requested entity was not found.", canonical="NOT_FOUND")
        return mail

    def by_message_id(self, message_id: str) -> list[StoredMail]:
        return [self.mails[id_] for id_ in self._named.get(message_id, ()) if id_ in self.mails]

    def in_thread(self, thread_id: str) -> list[StoredMail]:
        return [mail for mail in self.mails.values() if mail.thread_id == thread_id]

    def _thread_of(self, message: Message) -> str | None:
        """The thread of a mail that it refers to, when the subject is the same but for "Re:" (assumed for mails that
        arrive; documented for those that are sent, "Manage threads")."""
        subject = same_subject(str(message.get("Subject", "")))
        found = [mail for named in sorted(answered_ids(message)) for mail in self.by_message_id(named)]
        return next((mail.thread_id for mail in found if same_subject(mail.header("Subject")) == subject), None)


@dataclass(frozen=True)
class LeftMail:
    """A mail that left for somebody without an account here."""

    to: str
    raw: bytes


def answered_ids(message: Message) -> set[str]:
    return set(_MESSAGE_ID.findall(f"{message.get('In-Reply-To', '')} {message.get('References', '')}"))


def same_subject(subject: str) -> str:
    return _PREFIXES.sub("", shown(subject)).strip().lower()


def shown(value: str) -> str:
    unfolded = re.sub(r"\r?\n[ \t]+", " ", value)
    try:
        return str(make_header(decode_header(unfolded)))
    except (LookupError, ValueError):
        return unfolded
