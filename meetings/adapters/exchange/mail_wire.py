"""Elements of Exchange's answers about mail in our words. Pure functions over parsed XML.

Sources: the EWS reference (Microsoft Learn) on Message, InternetMessageHeaders and ItemClass; [MS-OXCMAIL] for the
classes of reports, [MS-OXORMMS] and public reports for those of automatic answers.

Headers are those a mail arrived with. What the owner sent has none; there the item's own elements say whose it is.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.utils import formataddr
from typing import Any

from meetings.adapters.exchange.wire import TYPES, item_id, moment
from meetings.adapters.exchange.wire import text as text_in
from meetings.application.mail_fields import header_of, may_be_a_report
from meetings.application.mail_text import Report, TextPart, text_of
from meetings.application.ports.mail_accounts import MailHeader

Element = Any

INBOX, SENT = "inbox", "sentitems"
LEFT_OUT = ("drafts", "deleteditems", "junkemail", "outbox")
ROLES = (INBOX, SENT, *LEFT_OUT)
_MACHINES = ("ipm.note.rules.ooftemplate", "ipm.note.rules.replytemplate", "report.")


@dataclass(frozen=True, slots=True)
class MailFolder:
    """`counts` are all mails in it, and the unread ones."""

    folder_id: str
    parent_id: str
    counts: tuple[int, int]


def folder(element: Element) -> MailFolder:
    parent = element.find(f"{TYPES}ParentFolderId")
    return MailFolder(
        folder_id=str(element.find(f"{TYPES}FolderId").get("Id")),
        parent_id=str(parent.get("Id")) if parent is not None else "",
        counts=(int(text_in(element, "TotalCount") or 0), int(text_in(element, "UnreadCount") or 0)),
    )


def followed(folders: Iterable[MailFolder], by_role: Mapping[str, str]) -> list[MailFolder]:
    """Those in which mail is looked for: all but drafts, junk, deleted mails, what is about to leave, and whatever lies
    within these."""
    known = {each.folder_id: each for each in folders}
    out = {by_role[role] for role in LEFT_OUT if role in by_role}

    def within(folder_id: str) -> bool:
        """The walk ends at the root, which is not told, or after as many steps as there are folders."""
        for _ in range(len(known) + 1):
            if folder_id in out or folder_id not in known:
                return folder_id in out
            folder_id = known[folder_id].parent_id
        return True

    return [each for each in known.values() if not within(each.folder_id)]


def created(entries: Iterable[Element]) -> list[str]:
    """The ids of what came, out of the changes of SyncFolderItems. That something was read or flagged is no news."""
    return [item_id(entry[0]) for entry in entries if entry.tag == f"{TYPES}Create"]


def received_at(element: Element) -> datetime | None:
    told = text_in(element, "DateTimeReceived")
    return moment(told) if told else None


def is_draft(element: Element) -> bool:
    return text_in(element, "IsDraft") == "true"


def is_report(element: Element) -> bool:
    """Whether the mail may say that another one was not delivered, and is worth reading for that."""
    return _class(element).startswith("report.") or may_be_a_report(_arrived_with(element))


def says_failed(element: Element) -> bool:
    """Whether Exchange itself took it for a report that a mail was not delivered."""
    return _class(element).startswith("report.") and _class(element).endswith(".ndr")


def header(element: Element, *, outgoing: bool, report: Report | None) -> MailHeader:
    failed = report is not None and report.failed
    told = (text_in(element, "DateTimeSent") if outgoing else "") or text_in(element, "DateTimeReceived")
    return header_of(
        [*_arrived_with(element), *_of_the_item(element)],
        mail_id=item_id(element),
        at=moment(told),
        outgoing=outgoing,
        automatic=_class(element).startswith(_MACHINES),
        bounce=failed,
        about=report.about if report is not None and failed else None,
    )


def message_id(element: Element) -> str:
    return text_in(element, "InternetMessageId")


def mime(element: Element) -> bytes:
    """Raises ValueError."""
    return base64.b64decode(text_in(element, "MimeContent"))


def body(element: Element) -> str:
    found = element.find(f"{TYPES}Body")
    if found is None:
        return ""
    return text_of([TextPart(html=found.get("BodyType") == "HTML", text=found.text or "")])


def _arrived_with(element: Element) -> list[tuple[str, str]]:
    found = element.findall(f"{TYPES}InternetMessageHeaders/{TYPES}InternetMessageHeader")
    return [(str(each.get("HeaderName")), each.text or "") for each in found]


def _of_the_item(element: Element) -> Iterator[tuple[str, str]]:
    """The same as fields; of each name the first field counts, so they say what the headers leave out."""
    yield "Message-ID", message_id(element)
    yield "Subject", text_in(element, "Subject")
    for field, name in (
        ("From", "From"),
        ("Sender", "Sender"),
        ("To", "ToRecipients"),
        ("Cc", "CcRecipients"),
        ("Bcc", "BccRecipients"),
    ):
        yield field, ", ".join(_people(element.findall(f"{TYPES}{name}/{TYPES}Mailbox")))
    yield "In-Reply-To", text_in(element, "InReplyTo")
    yield "References", text_in(element, "References")


def _people(mailboxes: Iterable[Element]) -> Iterator[str]:
    """Addresses outside ASCII, and what is no address, are left out."""
    for each in mailboxes:
        try:
            yield formataddr((text_in(each, "Name"), text_in(each, "EmailAddress")))
        except (UnicodeError, HeaderParseError, ValueError):
            continue


def _class(element: Element) -> str:
    return text_in(element, "ItemClass").lower()
