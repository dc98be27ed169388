"""Gmail's JSON, read: what stands above a mail, and its text. Pure functions.

Sources: the resources Message, MessagePart and History of Gmail API v1, "System labels" ("Manage labels" guide).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from typing import Any

from meetings.application.mail_fields import header_of, may_be_a_report
from meetings.application.mail_text import Report, TextPart, in_charset, report_in, text_of
from meetings.application.ports.mail_accounts import MailHeader, MailNotAccepted, SentMail

Json = Any

HISTORY_FIELDS = "nextPageToken,historyId,history(messagesAdded(message(id,labelIds)))"
LIST_FIELDS = "nextPageToken,messages(id)"
HEADER_FIELDS = "id,threadId,labelIds,internalDate,sizeEstimate,payload(headers)"
BODY_FIELDS = "id,payload"

_LEFT_OUT = frozenset({"DRAFT", "SPAM", "TRASH", "CHAT"})
_SENT = "SENT"
_MOST_PARTS = 200
_MOST_KEPT_APART, _LONGEST_KEPT_APART = 2, 5_000_000
# Charsets whose bytes could pass for UTF-8.
_SEVEN_BITS = ("iso-2022", "hz", "utf-7", "utf-16", "utf-32")
_CURSOR = re.compile(r"1:([0-9]{1,20})")


def cursor_of(answer: Json) -> str:
    """The cursor for what comes after this answer about the mailbox."""
    return f"1:{int(answer['historyId'])}"


def history_id_in(cursor: str) -> str | None:
    """The number in a cursor of ours; None for any other text."""
    match = _CURSOR.fullmatch(cursor)
    return match[1] if match and cursor.isascii() else None


def added(page: Json) -> list[str]:
    """The ids of the mails that a page of history tells of, each once, without those that are left out."""
    told = [entry["message"] for record in page.get("history", []) for entry in record.get("messagesAdded", [])]
    return list(dict.fromkeys(mail["id"] for mail in told if not is_left_out(mail)))


def listed(page: Json) -> list[str]:
    """The ids of the mails on a page of a list; a list of none has no body left, once only these fields are asked."""
    return [mail["id"] for mail in (page or {}).get("messages", [])]


def next_page(page: Json) -> str | None:
    token = (page or {}).get("nextPageToken")
    return str(token) if token else None


def id_of(mail: Json) -> str:
    return str(mail["id"])


def sent_mail(mail: Json) -> SentMail:
    """Raises ValueError for a mail without a message id."""
    message_id = field(mail, "Message-ID")
    if not message_id:
        raise ValueError("no message id")
    return SentMail(message_id, str(mail["threadId"]))


def header(mail: Json, report: Report) -> MailHeader:
    return header_of(
        fields_of(mail),
        mail_id=mail["id"],
        at=arrived_at(mail),
        thread=mail["threadId"],
        outgoing=is_sent(mail),
        bounce=report.failed,
        about=report.about if report.failed else None,
    )


def is_left_out(mail: Json) -> bool:
    """Drafts, junk, deleted mails and chats."""
    return not _LEFT_OUT.isdisjoint(mail.get("labelIds", ()))


def is_sent(mail: Json) -> bool:
    return _SENT in mail.get("labelIds", ())


def fields_of(mail: Json) -> list[tuple[str, str]]:
    """The header fields that were asked for."""
    return [(str(field["name"]), str(field["value"])) for field in mail.get("payload", {}).get("headers", [])]


def field(mail: Json, name: str) -> str | None:
    return next((value.strip() for each, value in fields_of(mail) if each.lower() == name.lower()), None)


def is_worth_reading(mail: Json, most_bytes: int) -> bool:
    """Whether it may be the report of a delivery that failed, and is of a size that such a report has."""
    return not is_sent(mail) and may_be_a_report(fields_of(mail)) and mail.get("sizeEstimate", 0) <= most_bytes


def arrived_at(mail: Json) -> datetime:
    """When Gmail took the mail, by its own clock: `internalDate` is milliseconds since the epoch, as text."""
    return datetime.fromtimestamp(int(mail["internalDate"]) / 1000, UTC)


def report(mail: Json) -> Report:
    """What a report on a delivery says, of a mail that was read as it travelled."""
    return report_in(_bytes(mail["raw"]))


def text(mail: Json) -> str:
    return text_of(TextPart(_kind(part) == "text/html", _decoded(part)) for part in _texts(mail))


def kept_apart(mail: Json) -> list[Json]:
    """The bodies of texts that Gmail keeps apart for their length, the first few: `attachmentId` is what to ask for,
    and `data` what to fill in (MessagePartBody). One that would be too long for an answer is left empty."""
    bodies = [part.get("body", {}) for part in _texts(mail)]
    apart = [body for body in bodies if body.get("attachmentId") and not body.get("data")]
    return [body for body in apart if body.get("size", 0) <= _LONGEST_KEPT_APART][:_MOST_KEPT_APART]


def data(attachment: Json) -> str:
    return str(attachment["data"])


def _texts(mail: Json) -> Iterator[Json]:
    """The parts that are text: no attachments, and nothing of a mail that hangs on to the mail."""
    waiting, seen = [mail.get("payload", {})], 0
    while waiting and seen < _MOST_PARTS:
        part, seen = waiting.pop(0), seen + 1
        kind = _kind(part)
        if not kind.startswith("message/"):
            waiting = [*part.get("parts", []), *waiting]
        if kind in ("text/plain", "text/html") and not _is_attached(part):
            yield part


def _kind(part: Json) -> str:
    return str(part.get("mimeType", "")).lower()


def _is_attached(part: Json) -> bool:
    return bool(part.get("filename")) or (_of_part(part, "content-disposition") or "").lower().startswith("attachment")


def _decoded(part: Json) -> str:
    """The text of a part. Gmail's documentation does not say whether `data` is as it was sent or already UTF-8."""
    content = _bytes(part.get("body", {}).get("data", ""))
    charset = _charset(part)
    for guess in (charset, "utf-8") if charset.startswith(_SEVEN_BITS) else ("utf-8", charset):
        try:
            return content.decode(guess)
        except (LookupError, ValueError):
            continue
    return in_charset(content, charset)


def _charset(part: Json) -> str:
    declared = Message()
    declared["Content-Type"] = _of_part(part, "content-type") or "text/plain"
    try:
        return (declared.get_content_charset() or "utf-8").lower()
    except (LookupError, ValueError, TypeError):
        return "utf-8"


def _of_part(part: Json, name: str) -> str | None:
    found = (each.get("value") for each in part.get("headers", []) if str(each.get("name", "")).lower() == name)
    return next((" ".join(str(value).split()) for value in found), None)


def _bytes(data: str) -> bytes:
    """base64url, with or without its padding; nothing for what is none."""
    try:
        return base64.urlsafe_b64decode(data.rstrip("=") + "=" * (-len(data.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        return b""


def outgoing(raw: bytes, thread: str | None) -> Json:
    """The body that sends a mail. Raises MailNotAccepted for one that Gmail would not take: 5 MB in this way of
    sending ("Create and send email messages": larger ones are uploads)."""
    if len(raw) > 5_000_000:
        raise MailNotAccepted("the mail is too long")
    body = {"raw": base64.urlsafe_b64encode(raw).decode()}
    return {**body, "threadId": thread} if thread else body
