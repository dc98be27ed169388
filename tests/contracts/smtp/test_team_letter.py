"""Mails in a team's name over SMTP: from the team's address, and nothing in a header that does not belong there."""

from dataclasses import replace

import pytest

from meetings.adapters.smtp.mailer import SmtpMailer
from meetings.application.ports.mail import TeamLetter, UnsafeLetter
from meetings.infrastructure.demo.mail_catcher import MailCatcher

LETTER = TeamLetter(
    message_id="<team-1@meetings.test>",
    to="vera@visitor.test",
    sender_name="Support Team",
    sender_address="support-1@meetings.test",
    subject="Grüße",
    text="Hello <b>Vera</b>,\nall is well.",
)


async def test_a_mail_in_a_teams_name_comes_from_the_teams_address(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    await mailer.send(LETTER)
    [mail] = catcher.mails
    assert mail.recipients == ("vera@visitor.test",)
    assert mail.message["From"] == "Support Team <support-1@meetings.test>"
    assert (mail.message["Subject"], mail.message["Message-ID"]) == ("Grüße", "<team-1@meetings.test>")
    plain, html = mail.message.iter_parts()
    assert plain.get_content().splitlines() == ["Hello <b>Vera</b>,", "all is well."]
    assert "Hello &lt;b&gt;Vera&lt;/b&gt;,<br>" in html.get_content()


@pytest.mark.parametrize("field", ["sender_name", "sender_address", "to", "subject", "message_id"])
@pytest.mark.parametrize("text", ["a\r\nBcc: all@host.test", "a\nb", "a\x00b", "a\x85b"])
async def test_a_line_break_in_a_header_is_never_sent(
    mailer: SmtpMailer, catcher: MailCatcher, field: str, text: str
) -> None:
    with pytest.raises(UnsafeLetter):
        await mailer.send(replace(LETTER, **{field: text}))
    assert not catcher.mails
