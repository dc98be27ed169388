"""What a mail's header fields say, however they were written: whose it is, what it answers, whether a machine wrote it.

Nothing here raises on what strangers send: what cannot be read is left out.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from meetings.application.free_text import plain
from meetings.application.ports.mail_accounts import MailHeader, MailPerson

WANTED = (
    *("Message-ID", "In-Reply-To", "References", "From", "Sender", "To", "Cc", "Bcc", "Subject", "Content-Type"),
    *("Auto-Submitted", "X-Autoreply", "X-Autorespond", "Precedence", "List-Id", "Return-Path", "X-Failed-Recipients"),
)
"""The fields that are looked at here, for providers that give only those they are asked for."""

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
_BULK = frozenset({"bulk", "list", "junk", "auto_reply"})
_LONGEST_SUBJECT, _MOST_IDS, _MOST_PEOPLE, _LONGEST_FIELD = 998, 100, 200, 100_000


def fields_in(raw: bytes) -> list[tuple[str, str]]:
    """The header fields of a mail as it travels, in order, as far as they can be read."""
    return [(name, str(value)) for name, value in BytesHeaderParser().parsebytes(raw).items()]


def header_of(
    fields: Iterable[tuple[str, str]],
    *,
    mail_id: str,
    at: datetime,
    thread: str | None = None,
    outgoing: bool = False,
    automatic: bool = False,
    bounce: bool = False,
    about: str | None = None,
) -> MailHeader:
    """The mail with these header fields; the rest is what the provider says of it.

    `about` is the message id of the mail that a bounce is about. A mail without a message id gets one that is made of
    `mail_id`, so that it is the same mail the next time.
    """
    known = _by_name(fields)
    answered = _ids(known.get("in-reply-to", ""))
    references = (*_ids(known.get("references", "")), *([about] if about else []))
    people = [*_people(known.get("from", "")), *_people(known.get("sender", "")), MailPerson("", "")]
    return MailHeader(
        mail_id=mail_id,
        message_id=next(iter(_ids(known.get("message-id", ""))), _made_up(mail_id)),
        sender=people[0],
        recipients=tuple(dict.fromkeys(each.email for name in ("to", "cc", "bcc") for each in _people(known[name]))),
        subject=decoded(known.get("subject", ""))[:_LONGEST_SUBJECT],
        at=at,
        in_reply_to=answered[-1] if answered else None,
        references=references,
        thread=thread,
        outgoing=outgoing,
        automatic=automatic or bounce or _automatic(known),
        bounce=bounce,
    )


def may_be_a_report(fields: Iterable[tuple[str, str]]) -> bool:
    """Whether the mail may say that another one was not delivered (RFC 3464), so that it is worth reading."""
    known = _by_name(fields)
    kind = known.get("content-type", "").lower()
    names = {each.email.partition("@")[0].lower() for each in _people(known.get("from", ""))}
    return (
        (kind.startswith("multipart/report") and "delivery-status" in kind)
        or "x-failed-recipients" in known
        or "mailer-daemon" in names
    )


def decoded(value: str) -> str:
    """The words of a field, in one line."""
    try:
        text = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError, TypeError):
        text = value
    return " ".join(plain(text).split())


def _automatic(known: Mapping[str, str]) -> bool:
    """Auto-Submitted (RFC 3834, 5), and what machines said before it; mails of lists (RFC 2919)."""
    submitted = known.get("auto-submitted", "no").partition(";")[0].strip().lower()
    return (
        submitted != "no"
        or known.get("precedence", "").strip().lower() in _BULK
        or known.get("return-path", "").strip() == "<>"
        or not known.keys().isdisjoint({"x-autoreply", "x-autorespond", "list-id"})
    )


def _by_name(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first field of each name, names in small letters; those for addresses are always there."""
    known = {"to": "", "cc": "", "bcc": ""}
    for name, value in fields:
        if not known.get(name.lower()):
            known[name.lower()] = value[:_LONGEST_FIELD]
    return known


def _ids(value: str) -> tuple[str, ...]:
    """Message ids in their order, each once; of very many the first, which began it, and the newest."""
    found = tuple(dict.fromkeys(_MESSAGE_ID.findall(value)))
    return found if len(found) <= _MOST_IDS else (found[0], *found[1 - _MOST_IDS :])


def _people(value: str) -> list[MailPerson]:
    try:
        found = getaddresses([value[:20_000].replace("\r", " ").replace("\n", " ")])
    except (ValueError, TypeError, LookupError, RecursionError):
        return []
    people = [MailPerson(decoded(name)[:200], plain(email).strip()) for name, email in found[:_MOST_PEOPLE]]
    return [each for each in people if "@" in each.email and len(each.email) <= 320]


def _made_up(mail_id: str) -> str:
    return f"<{hashlib.sha256(mail_id.encode(errors='replace')).hexdigest()[:32]}@no-message-id.invalid>"
