"""What Graph tells of a mail, as a header of the port. Pure functions.

Sources: "message resource type" (`internetMessageHeaders` comes only when it is selected), [MS-OXPROPS] for the numbers
of properties, [MS-OXCMAIL] for what they hold and for the message classes of reports.

Headers are those the mail arrived with. What the owner sent has none here; there the resource's own members say whose
it is, and two properties what it answers.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.utils import formataddr
from typing import Any

from meetings.adapters.office365.booking_event import expand
from meetings.application.mail_fields import header_of, may_be_a_report
from meetings.application.mail_text import Report
from meetings.application.ports.mail_accounts import MailHeader

Json = Any

SELECT = (
    "internetMessageId,internetMessageHeaders,conversationId,parentFolderId,from,sender,toRecipients,ccRecipients,"
    "bccRecipients,subject,receivedDateTime,sentDateTime,isDraft"
)
_CLASS, _ANSWERS, _REFERENCES = "String 0x1a", "String 0x1042", "String 0x1039"
EXPAND = expand(_CLASS, _ANSWERS, _REFERENCES)
"""PidTagMessageClass, PidTagInReplyToId, PidTagInternetReferences."""

_MACHINES = ("ipm.note.rules.ooftemplate", "ipm.note.rules.replytemplate", "report.")


def is_told(item: Json) -> bool:
    """Whether the entry of a change feed is a mail with what was asked for. Of one that was only read or flagged since,
    Graph tells a few members (microsoft-graph-docs, issue 7776)."""
    return "@removed" not in item and item.get("receivedDateTime") is not None and item.get("isDraft") is not True


def is_report(item: Json) -> bool:
    """Whether the mail may say that another one was not delivered, and is worth reading for that."""
    return _class(item).startswith("report.") or may_be_a_report(_arrived_with(item))


def says_failed(item: Json) -> bool:
    """Whether Exchange itself took it for a report that a mail was not delivered."""
    return _class(item).startswith("report.") and _class(item).endswith(".ndr")


def header(item: Json, *, sent: str | None, report: Report | None) -> MailHeader:
    """The mail; `sent` is the id of the folder of sent mails."""
    outgoing = sent is not None and item.get("parentFolderId") == sent
    failed = report is not None and report.failed
    return header_of(
        [*_arrived_with(item), *_of_the_resource(item)],
        mail_id=item["id"],
        at=_instant((item.get("sentDateTime") if outgoing else None) or item["receivedDateTime"]),
        thread=item.get("conversationId") or None,
        outgoing=outgoing,
        automatic=_class(item).startswith(_MACHINES),
        bounce=failed,
        about=report.about if report is not None and failed else None,
    )


def _arrived_with(item: Json) -> list[tuple[str, str]]:
    return [(str(each["name"]), str(each.get("value") or "")) for each in item.get("internetMessageHeaders") or ()]


def _of_the_resource(item: Json) -> Iterator[tuple[str, str]]:
    """The same as fields; of each name the first field counts, so they say what the headers leave out."""
    yield "Message-ID", str(item.get("internetMessageId") or "")
    yield "Subject", str(item.get("subject") or "")
    for name, member in (("From", "from"), ("Sender", "sender")):
        yield name, ", ".join(_people([item.get(member)]))
    for name, member in (("To", "toRecipients"), ("Cc", "ccRecipients"), ("Bcc", "bccRecipients")):
        yield name, ", ".join(_people(item.get(member) or []))
    yield "In-Reply-To", _property(item, _ANSWERS)
    yield "References", _property(item, _REFERENCES)


def _people(recipients: list[Json]) -> Iterator[str]:
    """Addresses outside ASCII, and what is no address, are left out."""
    for recipient in recipients:
        told = (recipient or {}).get("emailAddress") or {}
        try:
            yield formataddr((str(told.get("name") or ""), str(told.get("address") or "")))
        except (UnicodeError, HeaderParseError, ValueError):
            continue


def _class(item: Json) -> str:
    return _property(item, _CLASS).lower()


def _property(item: Json, name: str) -> str:
    """Graph writes the numbers of properties in its own way, "String 0x1a"."""
    for each in item.get("singleValueExtendedProperties") or ():
        kind, _, number = str(each.get("id")).partition(" ")
        if f"{kind} {number.lower()}" == name:
            return str(each.get("value") or "")
    return ""


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
