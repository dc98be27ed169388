"""The text of one mail, however it was written."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from meetings.application.ports.mail_accounts import MailAccount
from tests.contracts.mail.following import Follower
from tests.contracts.mail.letters import a_mail, message_id
from tests.contracts.mail.world import MailWorld


async def _read(world: MailWorld, mail: MailAccount, raw: bytes) -> str:
    """Deliver, and read what the news then tell."""
    follower = Follower(mail)
    await follower.follow()
    world.deliver(raw)
    (told,) = await follower.follow()
    body = await mail.read(told.mail_id)
    assert body is not None
    return body.text


def _words(text: str) -> str:
    return " ".join(text.split())


async def test_plain_text_is_the_text(world: MailWorld, mail: MailAccount) -> None:
    text = await _read(world, mail, a_mail(world.account, text="Gladly – 10:00?\n\nVera ☂\n"))
    assert text.replace("\r\n", "\n").strip() == "Gladly – 10:00?\n\nVera ☂"


async def test_of_both_kinds_the_words_come_once(world: MailWorld, mail: MailAccount) -> None:
    text = await _read(world, mail, a_mail(world.account, text="Gladly.\n", html="<p>Gladly.</p>\n"))
    assert _words(text) == "Gladly."


async def test_html_alone_becomes_text(world: MailWorld, mail: MailAccount) -> None:
    html = "<style>p{color:red}</style><script>alert(1)</script><p>Gladly&nbsp;&ndash;</p><p>at ten</p>"
    text = await _read(world, mail, a_mail(world.account, text=None, html=html))
    assert _words(text.replace("\xa0", " ")) == "Gladly – at ten"


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-8"])
async def test_any_charset_is_read(world: MailWorld, mail: MailAccount, charset: str) -> None:
    message = EmailMessage(SMTP)
    message["From"], message["To"], message["Message-ID"] = "vera@elsewhere.example", world.account, message_id()
    message.set_content("Grüße aus Köln", charset=charset, cte="base64")
    assert _words(await _read(world, mail, message.as_bytes())) == "Grüße aus Köln"


async def test_attachments_are_not_read(world: MailWorld, mail: MailAccount) -> None:
    message = EmailMessage(SMTP)
    message["From"], message["To"], message["Message-ID"] = "vera@elsewhere.example", world.account, message_id()
    message.set_content("See the notes.")
    message.add_attachment("Secret notes", filename="notes.txt")
    message.add_attachment(b"%PDF" + b"\0" * 100_000, maintype="application", subtype="pdf", filename="notes.pdf")
    assert _words(await _read(world, mail, message.as_bytes())) == "See the notes."


async def test_a_very_long_text_is_cut(world: MailWorld, mail: MailAccount) -> None:
    text = await _read(world, mail, a_mail(world.account, text="word " * 40_000))
    assert 90_000 < len(text) <= 100_000


async def test_a_mail_that_is_gone_has_no_text(world: MailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(world.account, id=(id := message_id())))
    (told,) = await follower.follow()
    world.erase(id)
    assert await mail.read(told.mail_id) is None
