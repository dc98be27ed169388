"""What a person writes in a team's name, from the address that this product provides."""

from datetime import datetime
from email.message import EmailMessage
from html import escape

from meetings.application.mail_message import as_message
from meetings.application.ports.mail import TeamLetter, UnsafeLetter
from meetings.application.ports.mail_accounts import MailNotAccepted, MailPerson, OutgoingMail


def team_message(letter: TeamLetter, *, written_at: datetime) -> EmailMessage:
    """The whole mail, as plain text and as HTML.

    Raises:
        UnsafeLetter: a value that a header would carry holds what must not stand there.
    """
    paragraphs = escape(letter.text).replace("\r\n", "\n").replace("\n", "<br>\n")
    mail = OutgoingMail(
        message_id=letter.message_id,
        sender=MailPerson(letter.sender_name, letter.sender_address),
        to=(MailPerson("", letter.to),),
        subject=letter.subject,
        text=letter.text,
        html=f"<p>{paragraphs}</p>",
    )
    try:
        return as_message(mail, at=written_at)
    except MailNotAccepted as unsafe:
        raise UnsafeLetter(str(unsafe)) from None
