"""How Gmail shows a mail: the resource Message in its four formats.

Header values are shown unfolded and with encoded words read (seen in answers); the bytes of text parts as they were
sent (assumed). Attached mails are shown with their parts (assumed).
"""

import base64
from collections.abc import Iterator
from email.message import Message

from meetings.adapters.google.simulator.errors import Json
from meetings.adapters.google.simulator.mailbox import StoredMail, shown


def reference(mail: StoredMail) -> Json:
    """As lists tell it: "only an id and a threadId" (ListMessagesResponse)."""
    return {"id": mail.id, "threadId": mail.thread_id}


def labelled(mail: StoredMail) -> Json:
    return {**reference(mail), "labelIds": sorted(mail.labels)}


def message_json(mail: StoredMail, format_: str, only: list[str], inline_bytes: int) -> Json:
    """`only`: names of the headers to show with the format `metadata`; none means all. Longer texts than `inline_bytes`
    are kept apart (MessagePartBody, `attachmentId`)."""
    seen: Json = {
        **labelled(mail),
        "snippet": "",
        "historyId": str(mail.changed),
        "internalDate": str(int(mail.at.timestamp() * 1000)),
        "sizeEstimate": len(mail.raw),
    }
    if format_ == "raw":
        return {**seen, "raw": _base64url(mail.raw)}
    if format_ == "metadata":
        wanted = {name.lower() for name in only}
        headers = [each for each in _headers(mail.message) if not wanted or each["name"].lower() in wanted]
        return {**seen, "payload": {"mimeType": mail.message.get_content_type(), "headers": headers}}
    return {**seen, "payload": _part(mail.message, "", inline_bytes)} if format_ == "full" else seen


def attachment(mail: StoredMail, attachment_id: str) -> Json | None:
    """The content of the part that has this name; None where there is none."""
    for number, part in _numbered(mail.message, ""):
        if attachment_id == _name(number):
            data = _content(part)
            return {"size": len(data), "data": _base64url(data)}
    return None


def _numbered(message: Message, number: str) -> Iterator[tuple[str, Message]]:
    if message.is_multipart():
        for at, each in enumerate(_children(message)):
            yield from _numbered(each, _number(number, at))
    else:
        yield number, message


def _children(message: Message) -> list[Message]:
    return [each for each in message.get_payload() if isinstance(each, Message)]


def _number(parent: str, at: int) -> str:
    return f"{parent}.{at}" if parent else str(at)


def _name(number: str) -> str:
    return f"ANGjdJ{number or 'whole'}"


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _part(message: Message, number: str, inline_bytes: int) -> Json:
    part: Json = {
        "partId": number,
        "mimeType": message.get_content_type(),
        "filename": message.get_filename() or "",
        "headers": _headers(message),
        "body": {"size": 0},
    }
    if message.is_multipart():
        children = enumerate(_children(message))
        return {**part, "parts": [_part(each, _number(number, at), inline_bytes) for at, each in children]}
    data = _content(message)
    part["body"] = {"size": len(data)}
    if part["filename"] or len(data) > inline_bytes:
        part["body"]["attachmentId"] = _name(number)
    else:
        part["body"]["data"] = _base64url(data)
    return part


def _headers(message: Message) -> list[Json]:
    return [{"name": name, "value": _text(shown(str(value)))} for name, value in message.items()]


def _text(value: str) -> str:
    """JSON holds no lone surrogates, by which Python stands for bytes it could not read."""
    return value.encode("utf-8", "replace").decode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
