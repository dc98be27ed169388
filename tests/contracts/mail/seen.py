"""A mail as its reader sees it, out of the bytes that arrived."""

from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default

from tests.contracts.mail.world import SeenMail


def seen(raw: bytes) -> SeenMail:
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return SeenMail(
        message_id=str(message["Message-ID"]).strip(),
        sender=_addresses(message, "From")[0],
        to=frozenset(_addresses(message, "To")),
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        in_reply_to=str(message["In-Reply-To"]).strip() if message["In-Reply-To"] else None,
        references=tuple(str(message["References"] or "").split()),
        headers={name.lower(): " ".join(str(value).split()) for name, value in message.items()},
    )


def _addresses(message: EmailMessage, name: str) -> list[str]:
    header = message[name]
    return [each.addr_spec for each in header.addresses] if isinstance(header, AddressHeader) else []


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
