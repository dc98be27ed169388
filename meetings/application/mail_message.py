"""A mail as it travels: RFC 5322, made of an `OutgoingMail` by the standard library and nothing glued together."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from email_validator import EmailNotValidError, validate_email

from meetings.application.message_headers import MAIL
from meetings.application.ports.mail_accounts import MailNotAccepted, MailPerson, OutgoingMail

OWN_ID = "X-Meetings-Mail"
"""The header that repeats our message id, for providers that replace Message-ID by one of their own."""

# Quoted local parts are refused although RFC 5322 allows them: nobody uses them, but attackers. Addresses outside ASCII
# would need every server on the way to take them (RFC 6531).
_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_WORD}(?:\.{_WORD})*)@({_LABEL}(?:\.{_LABEL})*)")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,990}>")
_LONGEST_NAME = 200
_WEB_ADDRESS = re.compile(r"https?://[!-;=?-~]{1,900}")
# Controls of every kind, and what some programs take for the end of a line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def as_message(mail: OutgoingMail, *, at: datetime) -> EmailMessage:
    """The whole mail: headers, plain text and HTML. `at` is aware and becomes the Date header.

    Raises:
        MailNotAccepted: a value that a header would carry holds what must not stand there, such as a line break (IN-4),
            or is no address. The text names the field, never its value.
    """
    message = EmailMessage(MAIL)
    message["From"] = _address(mail.sender, "sender")
    message["To"] = [_address(person, "to") for person in mail.to]
    message["Subject"] = _line(mail.subject, "subject")
    message["Date"] = format_datetime(at)
    message["Message-ID"] = _id(mail.message_id, "message_id")
    message[OWN_ID] = mail.message_id
    if mail.references:
        message["In-Reply-To"] = _id(mail.references[-1], "references")
        message["References"] = " ".join(_id(each, "references") for each in mail.references)
    if mail.unsubscribe is not None:
        message["List-Unsubscribe"] = f"<{_web_address(mail.unsubscribe)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _address(person: MailPerson, field: str) -> Address:
    name = _line(person.name, f"{field}.name")[:_LONGEST_NAME].strip()
    match = _ADDRESS.fullmatch(person.email) if len(person.email) <= 254 else None
    if match is not None:
        return Address(display_name=name, username=match[1], domain=match[2])
    try:
        known = validate_email(person.email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        known = None
    if known is None or known.ascii_email is None:
        raise MailNotAccepted(f"{field}.email is not one mail address")
    return Address(display_name=name, username=known.local_part, domain=str(known.ascii_domain))


def _line(text: str, field: str) -> str:
    if _CONTROL.search(text):
        raise MailNotAccepted(f"{field} holds a control character")
    # What looks like an encoded word (RFC 2047) would be decoded, and could then hold anything.
    return text.replace("=?", "= ?")


def _id(text: str, field: str) -> str:
    if not _MESSAGE_ID.fullmatch(text):
        raise MailNotAccepted(f"{field} is not a message id")
    return text


def _web_address(text: str) -> str:
    if not _WEB_ADDRESS.fullmatch(text):
        raise MailNotAccepted("unsubscribe is not a web address")
    return text
