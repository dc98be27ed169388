"""What is kept of a mail that was found in a mailbox: cut, without what it quotes, without what no database takes."""

import asyncio
import hashlib
import re

from mailparser_reply import EmailReplyParser

from meetings.application.ports.mail_accounts import MailBody, MailHeader
from meetings.domain.email import MAX_LOGGED_TEXT, MAX_SUBJECT, Correspondent, EmailText
from meetings.domain.email_thread import FoundMail
from meetings.domain.text import MAX_EMAIL

MOST_RECIPIENTS = 100
_LONGEST_ID = 400
_LONGEST_NAME = 200
_LONGEST_LINE = 300
"""Longer lines introduce no quotation. The parser's expressions take much longer for them than they are long."""

_LANGUAGES = ["en", "de", "cs", "da", "es", "fr", "it", "ja", "ko", "nl", "pl", "sv", "zh"]
_PARSER = EmailReplyParser(languages=_LANGUAGES)
_BLANK_LINES = re.compile(r"\n{3,}")


async def found_mail(header: MailHeader, body: MailBody | None, *, mailbox: str) -> FoundMail:
    """A mail as it is kept. The text of one that is gone meanwhile is empty."""
    text = await asyncio.to_thread(without_quotation, body.text) if body else ""
    return FoundMail(
        message_id=message_key(header, mailbox),
        sender=Correspondent(storable(header.sender.name)[:_LONGEST_NAME], address(header.sender.email)),
        recipients=tuple(dict.fromkeys(map(address, header.recipients)))[:MOST_RECIPIENTS],
        content=EmailText(" ".join(storable(header.subject).split())[:MAX_SUBJECT], text),
        at=header.at,
        automatic=header.automatic,
    )


def message_key(header: MailHeader, mailbox: str) -> str:
    """What a mail is known by: its message id; a mail without one by its id in this mailbox."""
    return id_key(header.message_id or f"{mailbox}/{header.mail_id}")


def id_key(message_id: str) -> str:
    """A message id as it is stored and looked for: one of impossible length by its hash."""
    clean = storable(message_id).strip()
    if len(clean) <= _LONGEST_ID:
        return clean
    return f"<{hashlib.sha256(clean.encode()).hexdigest()}@too-long.invalid>"


def address(given: str) -> str:
    """An address in small letters, at most as long as addresses can be."""
    return storable(given).strip().casefold()[:MAX_EMAIL]


def without_quotation(text: str) -> str:
    """What the sender of a mail wrote above what they quoted, at most 20,000 characters; all of it when nothing else
    is left. Takes up to half a second for a text that was made to take long."""
    lines = [line.rstrip() for line in storable(text.replace("\r\n", "\n")).split("\n")]
    whole = _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()[:MAX_LOGGED_TEXT]
    short = "\n".join(line[:_LONGEST_LINE] for line in whole.split("\n"))
    written = (_PARSER.parse_reply(text=short) or "").strip()
    if not written or all(line.startswith(">") for line in written.split("\n")):
        return whole
    if short == whole:
        return written
    return "\n".join(whole.split("\n")[: written.count("\n") + 1]).strip()


def storable(text: str) -> str:
    """Text without control characters other than line breaks and tabs, and without halves of surrogate pairs."""
    return "".join(char for char in text if char in "\n\t" or (char >= " " and not "\x7f" <= char <= "\x9f"
                   and not "\ud800" <= char <= "\udfff"))  # fmt: skip
