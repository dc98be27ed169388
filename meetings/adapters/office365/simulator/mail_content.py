"""A mail as it travels, taken apart as Exchange does it.

Source: [MS-OXCMAIL]: which property a header becomes, and which message class a report. Headers whose name begins with
"X-" become properties of that name (PS_INTERNET_HEADERS), compared without letter case ([MS-OXCPRPT]). What cannot be
read is left out (assumed).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default

from meetings.adapters.office365.simulator.errors import Json

HEADER_SET = "00020386-0000-0000-c000-000000000046"
_IDS = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True)
class Content:
    """`people` are recipients of Graph by member name: from, toRecipients, ccRecipients, bccRecipients."""

    subject: str
    people: dict[str, list[Json]]
    headers: list[tuple[str, str]]
    in_reply_to: str
    references: str
    body: Json
    has_attachments: bool

    @property
    def recipients(self) -> list[str]:
        names = ("toRecipients", "ccRecipients", "bccRecipients")
        return [each["emailAddress"]["address"] for name in names for each in self.people[name]]

    @property
    def sender(self) -> str:
        return next((str(each["emailAddress"]["address"]) for each in self.people["from"]), "")


def ids_of(raw: bytes) -> tuple[str | None, list[str]]:
    """The message id, and those it says it belongs to."""
    headers = BytesHeaderParser().parsebytes(raw)
    own = _IDS.search(str(headers.get("Message-ID", "")))
    return own[0] if own else None, _IDS.findall(f"{headers.get('In-Reply-To', '')} {headers.get('References', '')}")


def content_of(raw: bytes) -> Content:
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return Content(
        subject=_header(message, "Subject"),
        people={
            member: _people(message, name)
            for member, name in (("from", "From"), ("toRecipients", "To"), ("ccRecipients", "Cc"))
        }
        | {"bccRecipients": _people(message, "Bcc")},
        headers=_raw_headers(raw),
        in_reply_to=_header(message, "In-Reply-To"),
        references=_header(message, "References"),
        body=_body(message),
        has_attachments=_has_attachments(message),
    )


def message_class(raw: bytes) -> str:
    """[MS-OXCMAIL], "Delivery status notifications": the class says what became of the mail."""
    if b"message/delivery-status" not in raw or message_from_bytes(raw).get_content_type() != "multipart/report":
        return "IPM.Note"
    action = re.search(rb"^Action:\s*(\w+)", raw, re.IGNORECASE | re.MULTILINE)
    words = {b"failed": "NDR", b"delayed": "Delayed", b"delivered": "DR", b"relayed": "Relayed.DR"}
    return f"REPORT.IPM.Note.{words.get(action[1].lower() if action else b'', 'NDR')}"


def properties_of(content: Content, message_id: str, kind: str) -> dict[str, str]:
    """Single-value extended properties by their id in small letters."""
    found = {"string 0x1a": kind, "string 0x1035": message_id}
    found |= {"string 0x1042": content.in_reply_to} if content.in_reply_to else {}
    found |= {"string 0x1039": content.references} if content.references else {}
    own = {name.lower(): value for name, value in content.headers if name.lower().startswith("x-")}
    return found | {f"string {HEADER_SET} name {name}": value for name, value in own.items()}


def _header(message: EmailMessage, name: str) -> str:
    try:
        return _readable(" ".join(str(message.get(name, "")).split()))
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        return ""


def _raw_headers(raw: bytes) -> list[tuple[str, str]]:
    """As `internetMessageHeaders` gives them: unfolded, encoded words as they came."""
    told = BytesHeaderParser().parsebytes(raw).items()
    return [(name, " ".join(str(value).encode("ascii", "replace").decode().split())) for name, value in told]


def _people(message: EmailMessage, name: str) -> list[Json]:
    try:
        found = [each for header in message.get_all(name, []) for each in header.addresses]
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        return []
    return list(_recipients((each.display_name, each.addr_spec) for each in found if "@" in each.addr_spec))


def _recipients(people: Iterable[tuple[str, str]]) -> Iterable[Json]:
    for name, address in people:
        yield {"emailAddress": {"name": _readable(name or address), "address": _readable(address)}}


def _readable(text: str) -> str:
    """Bytes of a charset that nobody named are question marks."""
    return text.encode("utf-8", "replace").decode()


def _body(message: EmailMessage) -> Json:
    """HTML where there is some. A part in a charset that nobody knows is empty (assumed)."""
    try:
        part = message.get_body(("html", "plain"))
        if part is None:
            return {"contentType": "text", "content": ""}
        kind = "html" if part.get_content_subtype() == "html" else "text"
        return {"contentType": kind, "content": _readable(str(part.get_content()))}
    except (KeyError, LookupError, ValueError, AttributeError):
        return {"contentType": "text", "content": ""}


def _has_attachments(message: EmailMessage) -> bool:
    try:
        return any(part.is_attachment() for part in message.walk() if isinstance(part, EmailMessage))
    except (ValueError, LookupError, AttributeError):
        return False
