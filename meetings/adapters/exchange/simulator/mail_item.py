"""A mail as the server keeps it: as it travelled, and taken apart as Exchange does it.

Source: [MS-OXCMAIL] for which element a header becomes, and which class a report. What cannot be read is left out
(assumed).
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from functools import cached_property

from meetings.adapters.exchange.simulator.soap import Element

_IDS = re.compile(r"<[^<>\s]+>")
# XML 1.0 has no words for these.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(eq=False)
class MailItem:
    """`extended` are properties by their key. `change` is the number of the folder's change that touched it last,
    `created_change` that of its arrival there; `version` is behind the change key. `arrived`: it came from elsewhere,
    with headers. `spare_id` is the message id that it got here, should it have come without one.
    """

    number: int
    raw: bytes
    received_at: datetime
    spare_id: str
    item_class: str = "IPM.Note"
    extended: dict[object, Element] = field(default_factory=dict)
    arrived: bool = False
    draft: bool = False
    read: bool = False
    change: int = 0
    created_change: int = 0
    version: int = 0
    modified_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    @cached_property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def message_id(self) -> str:
        found = _IDS.search(self.header("Message-ID"))
        return found[0] if found else self.spare_id

    @property
    def recipients(self) -> list[str]:
        return [address for name in ("To", "Cc", "Bcc") for _, address in self.people(name)]

    def header(self, name: str) -> str:
        try:
            return readable(" ".join(str(self.message.get(name, "")).split()))
        except (ValueError, LookupError, TypeError, AttributeError, IndexError):
            return ""

    def headers(self) -> list[tuple[str, str]]:
        """As they came, unfolded."""
        told = BytesHeaderParser().parsebytes(self.raw).items()
        return [(readable(name), readable(" ".join(str(value).split()))) for name, value in told]

    def people(self, name: str) -> list[tuple[str, str]]:
        """(name, address) of everybody in a header."""
        try:
            found = [each for header in self.message.get_all(name, []) for each in header.addresses]
        except (ValueError, LookupError, TypeError, AttributeError, IndexError):
            return []
        return [(readable(each.display_name), readable(each.addr_spec)) for each in found if "@" in each.addr_spec]

    def body(self) -> tuple[str, str]:
        """(Text or HTML, what it says); HTML where there is some. A part in a charset that nobody knows is empty."""
        try:
            part = self.message.get_body(("html", "plain"))
            if part is None:
                return "Text", ""
            kind = "HTML" if part.get_content_subtype() == "html" else "Text"
            return kind, readable(str(part.get_content()))
        except (KeyError, LookupError, ValueError, AttributeError):
            return "Text", ""


def class_of(raw: bytes) -> str:
    """[MS-OXCMAIL], "Delivery status notifications": the class says what became of the mail."""
    if b"message/delivery-status" not in raw or message_from_bytes(raw).get_content_type() != "multipart/report":
        return "IPM.Note"
    action = re.search(rb"^Action:\s*(\w+)", raw, re.IGNORECASE | re.MULTILINE)
    words = {b"failed": "NDR", b"delayed": "Delayed", b"delivered": "DR", b"relayed": "Relayed.DR"}
    return f"REPORT.IPM.Note.{words.get(action[1].lower() if action else b'', 'NDR')}"


def readable(text: str) -> str:
    """Bytes of a charset that nobody named, and what XML cannot say, are question marks."""
    return _NO_XML.sub("?", text.encode("utf-8", "replace").decode())
