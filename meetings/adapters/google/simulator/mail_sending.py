"""Sending: what users.messages.send does with a mail, and where it goes.

Sources: "Create and send email messages", "Manage threads" (Gmail API guides). That Gmail gives the mail a Message-ID
of its own was seen in public reports (gauteh/lieer, issue 198).
"""

import base64
import binascii
import secrets
from email import message_from_bytes
from email.message import Message
from email.policy import SMTP
from email.utils import getaddresses

from meetings.adapters.google.simulator.errors import GoogleError, Json
from meetings.adapters.google.simulator.mailbox import (
    INBOX,
    SENT,
    UNREAD,
    LeftMail,
    StoredMail,
    answered_ids,
    same_subject,
)
from meetings.adapters.google.simulator.world import Account, World


def invalid_argument(message: str) -> GoogleError:
    return GoogleError(400, "invalidArgument", message, canonical="INVALID_ARGUMENT")


def send(world: World, account: Account, body: Json) -> StoredMail:
    """The mail as it lies among the sent ones.

    Raises:
        GoogleError: 400 for what is no mail or has no recipients (wording seen in public reports), or goes to an
            address that `refused_recipients` names; 404 for a thread that is not there.
    """
    message = message_from_bytes(_raw(body))
    recipients = _recipients(message)
    if not recipients:
        raise invalid_argument("Recipient address required")
    if world.refused_recipients.intersection(recipients) or not all("@" in each for each in recipients):
        raise invalid_argument("Invalid To header")
    thread = _thread(account, body.get("threadId"), message)
    raw = _as_sent(account, message)
    labels = {SENT, INBOX, UNREAD} if account.email in recipients else {SENT}
    sent = account.mailbox.add(raw, labels, world.now(), thread)
    for recipient in recipients:
        if recipient != account.email:
            hand_over(world, recipient, raw)
    return sent


def hand_over(world: World, recipient: str, raw: bytes) -> None:
    """To the inbox of an account, or out of here."""
    account = world.accounts.get(recipient)
    if account is None:
        world.left_mails.append(LeftMail(recipient, raw))
    else:
        account.mailbox.add(raw, {INBOX, UNREAD}, world.now())


def _raw(body: Json) -> bytes:
    data = body.get("raw")
    try:
        raw = base64.urlsafe_b64decode(str(data or ""))
    except (binascii.Error, ValueError):
        raise invalid_argument("Invalid value for ByteString") from None
    if not raw:
        raise invalid_argument("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
    return raw


def _recipients(message: Message) -> list[str]:
    fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    return list(dict.fromkeys(email.lower() for _, email in getaddresses(fields) if email))


def _thread(account: Account, thread_id: str | None, message: Message) -> str | None:
    """The thread asked for, where subject and references fit; another mail begins its own (assumed)."""
    if thread_id is None:
        return None
    mails = account.mailbox.in_thread(thread_id)
    if not mails:
        raise GoogleError(404, "notFound", "Requested entity was not found.", canonical="NOT_FOUND")
    fits = [each for each in mails if same_subject(each.header("Subject")) == same_subject(str(message["Subject"]))]
    named = answered_ids(message)
    return thread_id if any(str(each.message.get("Message-ID")) in named for each in fits) else None


def _as_sent(account: Account, message: Message) -> bytes:
    """With Gmail's Message-ID and the account as its author, without blind copies."""
    del message["Message-ID"], message["Bcc"]
    message["Message-ID"] = f"<CA{secrets.token_urlsafe(30).replace('-', '+')}@mail.gmail.com>"
    authors = [email.lower() for _, email in getaddresses([str(message.get("From", ""))])]
    if authors != [account.email]:
        del message["From"]
        message["From"] = account.email
    return message.as_bytes(policy=message.policy.clone(linesep=SMTP.linesep))
