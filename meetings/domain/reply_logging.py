"""Which mails of a mailbox are logged (A-IN1 to A-IN3). Whatever is not logged is not kept in any form."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from meetings.domain.base import Problem, Rule, refuse
from meetings.domain.email import Email
from meetings.domain.mail_domain import mail_domain
from meetings.domain.text import email_problem

MOST_NEVER_LOGGED = 500

_TAG = re.compile(r"\[[^\[\]]{1,40}\]|\([^()]{1,40}\)")
_ANSWER = re.compile(
    r"(?:re|r|aw|antw|antwort|wg|fw|fwd|sv|vs|vb|vá|odp|ynt|rv|res|rif|ref|enc|tr|回复|答复|转发|返信)"
    r"(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:\uff1a]",
    re.IGNORECASE,
)


class LoggingRule(Enum):
    """What is logged of connected mailboxes: answers to our mails, or all mail with contacts we know."""

    REPLIES_ONLY = "REPLIES_ONLY"
    KNOWN_CONTACTS = "KNOWN_CONTACTS"


class NotLogged(Enum):
    """Why a mail is not logged."""

    MAILBOX_SWITCHED_OFF = "MAILBOX_SWITCHED_OFF"
    BEFORE_CONNECTED = "BEFORE_CONNECTED"
    USER_INACTIVE = "USER_INACTIVE"
    NEVER_LOGGED = "NEVER_LOGGED"
    ANSWERS_NOTHING = "ANSWERS_NOTHING"
    OTHER_SUBJECT = "OTHER_SUBJECT"
    OTHER_PEOPLE = "OTHER_PEOPLE"


@dataclass(frozen=True, slots=True)
class EmailLogging:
    """What an account sets. `never_log` holds addresses, and domains with everything below them, in small letters."""

    rule: LoggingRule = LoggingRule.REPLIES_ONLY
    never_log: tuple[str, ...] = ()

    @classmethod
    def of(cls, rule: LoggingRule, never_log: Iterable[str]) -> "EmailLogging":
        """What somebody typed in, each entry once.

        Raises:
            InvalidInput: an entry is neither an address nor a domain, or there are too many.
        """
        typed = [entry.strip() for entry in never_log]
        refuse(
            Problem(("neverLog",), Rule.TOO_MANY, values={"most": MOST_NEVER_LOGGED})
            if len(typed) > MOST_NEVER_LOGGED
            else None,
            *(_entry_problem(entry, "neverLog", str(index)) for index, entry in enumerate(typed)),
        )
        return cls(rule, tuple(dict.fromkeys(_entry(entry) for entry in typed)))

    def never_logs(self, address: str) -> bool:
        """Whether mail with this address is not logged."""
        domain = mail_domain(address) or ""
        parts = domain.split(".")
        above = {".".join(parts[index:]) for index in range(len(parts))}
        return not above.isdisjoint(self.never_log) or _entry(address) in self.never_log


def _entry_problem(entry: str, *path: str) -> Problem | None:
    if "@" in entry:
        return email_problem(entry, *path)
    if not entry:
        return Problem(path, Rule.REQUIRED)
    return Problem(path, Rule.NOT_A_DOMAIN) if mail_domain(entry) is None else None


def _entry(typed: str) -> str:
    """The form in which entries are compared: the local part in small letters, the domain as `mail_domain` has it."""
    local, at, _ = typed.strip().rpartition("@")
    return f"{local.casefold()}{at}{mail_domain(typed) or ''}"


@dataclass(frozen=True, slots=True)
class Watch:
    """Whose mailbox is read: since when it is connected without a break, and whether mail of it is logged at all."""

    connected_since: datetime
    user_active: bool
    log_replies: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mail as it was found. `sender` is None for one that the mailbox's owner sent; `others` are the addresses of
    everybody but them. All are in small letters."""

    at: datetime
    subject: str
    sender: str | None
    others: tuple[str, ...]

    @property
    def decisive(self) -> tuple[str, ...]:
        """Whose addresses decide that it is never logged: who sent it, or who got what the owner sent. That somebody
        else got a contact's mail, too, such as a colleague, does not."""
        return self.others if self.sender is None else (self.sender,)


def why_not_logged(found: Sighting, *, watch: Watch, logging: EmailLogging) -> NotLogged | None:
    """What speaks against logging a mail, whatever it answers."""
    if not watch.log_replies:
        return NotLogged.MAILBOX_SWITCHED_OFF
    if any(map(logging.never_logs, found.decisive)):
        return NotLogged.NEVER_LOGGED
    return why_not_heard(found, watch=watch)


def why_not_heard(found: Sighting, *, watch: Watch) -> NotLogged | None:
    """What speaks against taking notice that somebody wrote, which keeps nothing of the mail: people whose mails are
    never logged get no more mails of a sequence either once they answer."""
    if found.at < watch.connected_since.replace(microsecond=0):  # providers tell whole seconds
        return NotLogged.BEFORE_CONNECTED
    return None if watch.user_active else NotLogged.USER_INACTIVE


def why_no_reply(found: Sighting, original: Email | None, *, watch: Watch, logging: EmailLogging) -> NotLogged | None:
    """What speaks against logging a mail as an answer to `original`, the mail of ours that it names by its message id.

    The same subject alone makes no answer (A-IN2); the name with another subject is none either (A-IN1). From which
    address it comes does not matter, but for those that are never logged.
    """
    against = why_not_logged(found, watch=watch, logging=logging)
    if against is not None:
        return against
    if original is None or not original.outgoing:
        return NotLogged.ANSWERS_NOTHING
    if any(map(logging.never_logs, original.recipients)):
        return NotLogged.NEVER_LOGGED
    if not same_subject(found.subject, original.content.subject):
        return NotLogged.OTHER_SUBJECT
    return None


def why_not_ours(found: Sighting, original: Email, *, watch: Watch, logging: EmailLogging) -> NotLogged | None:
    """What speaks against logging a mail that the owner sent with another program as one more of a conversation:
    `original` is a mail it answers, and it has to go to whom that one came from, or went to."""
    against = why_not_logged(found, watch=watch, logging=logging)
    if against is not None:
        return against
    people = original.recipients if original.outgoing else (original.sender.email,)
    if set(people).isdisjoint(found.others):
        return NotLogged.OTHER_PEOPLE
    return None if same_subject(found.subject, original.content.subject) else NotLogged.OTHER_SUBJECT


def same_subject(one: str, other: str) -> bool:
    """Whether two subjects are the same but for what programs put before them, and for blanks and letter case."""
    return bare_subject(one) == bare_subject(other)


def bare_subject(subject: str) -> str:
    """A subject without `Re:`, `AW:`, `[EXTERNAL]` and the like before it, in one letter case, with single blanks."""
    rest = " ".join(subject.split())
    while True:
        found = _ANSWER.match(rest) or _TAG.match(rest)
        if found is None:
            return rest.casefold()
        rest = rest[found.end() :].lstrip()


def others_than(own: Collection[str], addresses: Iterable[str]) -> tuple[str, ...]:
    """The addresses that are not among our own, each once, in the order given. All are in small letters."""
    return tuple(dict.fromkeys(address for address in addresses if address and address not in own))
