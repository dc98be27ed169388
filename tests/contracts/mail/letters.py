"""Mails as other people's programs write them."""

from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from itertools import count
from typing import Any

from meetings.application.ports.mail_accounts import MailPerson, OutgoingMail

VERA = MailPerson("Véra Stranger", "vera@elsewhere.example")
_numbers = count(1)


def message_id(domain: str = "mail.elsewhere.example") -> str:
    """One that no other mail has."""
    return f"<{next(_numbers)}.of.a.test@{domain}>"


def an_outgoing(account: str, /, *to: MailPerson, **other: Any) -> OutgoingMail:
    """A mail of ours, to Vera unless told otherwise."""
    given: dict[str, Any] = {
        "message_id": message_id("meetings.example"),
        "sender": MailPerson("Ada Lovelace", account),
        "to": to or (VERA,),
        "subject": "Next steps – Grüße",
        "text": "Shall we meet?\n\nAda – ☂\n",
        "html": "<p>Shall we meet?</p><p>Ada – ☂</p>\n",
    }
    return OutgoingMail(**{**given, **other})


def a_mail(
    to: str,
    *,
    sender: str = "Vera Stranger <vera@elsewhere.example>",
    subject: str = "Re: Next steps",
    text: str | None = "Gladly.\n",
    html: str | None = None,
    answers: str | None = None,
    references: tuple[str, ...] = (),
    id: str | None = None,
    **headers: str,
) -> bytes:
    """A mail to `to`. `headers` have `_` for `-` in their names."""
    message = EmailMessage(SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = "Mon, 02 Mar 2026 08:00:00 +0000"
    message["Message-ID"] = id or message_id()
    if answers:
        message["In-Reply-To"] = answers
    if references or answers:
        message["References"] = " ".join(references or (str(answers),))
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    if text is not None:
        message.set_content(text)
    if html is not None and text is None:
        message.set_content(html, subtype="html")
    elif html is not None:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def a_bounce(to: str, of: str, *, action: str = "failed", failed: str = "vera@elsewhere.example") -> bytes:
    """A delivery status notification (RFC 3464) about the mail with the message id `of`."""
    report = MIMEMultipart("report", policy=SMTP)
    report.set_param("report-type", "delivery-status")
    report["From"] = "Mail Delivery Subsystem <mailer-daemon@elsewhere.example>"
    report["To"], report["Subject"] = to, "Delivery Status Notification"
    report["Date"], report["Message-ID"] = "Mon, 02 Mar 2026 08:00:00 +0000", message_id()
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText(f"About your mail to {failed}: {action}.", policy=SMTP))
    report.attach(MIMEMessage(_status(action, failed), "delivery-status", policy=SMTP))
    report.attach(MIMEMessage(_original(of, failed), "rfc822", policy=SMTP))
    return report.as_bytes()


def _status(action: str, failed: str) -> EmailMessage:
    """The groups of fields of RFC 3464: one about the mail, one about the recipient."""
    fields = EmailMessage(SMTP)
    code = "5.1.1" if action == "failed" else "4.4.1"
    fields["Reporting-MTA"] = "dns; mx.elsewhere.example"
    fields.set_payload(f"Final-Recipient: rfc822; {failed}\r\nAction: {action}\r\nStatus: {code}\r\n")
    return fields


def _original(message_id: str, to: str) -> EmailMessage:
    original = EmailMessage(SMTP)
    original["To"], original["Subject"], original["Message-ID"] = to, "Next steps", message_id
    original.set_content("Shall we meet?")
    return original
