"""The words of a mail, whoever wrote it."""

import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.application.mail_text import LONGEST_TEXT, TextPart, in_charset, of_html, report_in, text_in, text_of
from tests.contracts.mail.letters import a_bounce, a_mail

VERA = "vera@elsewhere.example"


def test_plain_text_wins_over_html() -> None:
    assert text_of([TextPart(True, "<p>Hello, <b>you</b></p>"), TextPart(False, "Hello")]) == "Hello"
    assert text_of([TextPart(True, "<p>Hello, <b>you</b></p>"), TextPart(False, " \r\n")]) == "Hello, you"
    assert text_of([]) == ""


def test_a_mail_that_hangs_on_to_a_mail_is_not_read() -> None:
    message = EmailMessage(SMTP)
    message.set_content("Look:")
    attached = EmailMessage(SMTP)
    attached.set_content("Secret")
    message.add_attachment(attached)
    assert text_in(message.as_bytes()).split() == ["Look:"]


def test_scripts_and_styles_are_no_words() -> None:
    assert of_html("<style>p{}</style><script>x()</script><p>Hello&amp;you</p>") == "Hello&you"


def test_a_bounce_tells_what_failed_and_about_which_mail() -> None:
    report = report_in(a_bounce("ada@example.com", "<1@meetings.example>"))
    assert (report.failed, report.about) == (True, "<1@meetings.example>")


def test_a_delay_is_no_failure() -> None:
    assert not report_in(a_bounce("ada@example.com", "<1@meetings.example>", action="delayed")).failed


def test_an_old_kind_of_bounce_is_known() -> None:
    """qmail's, which is no multipart/report."""
    text = (
        "Hi. This is the qmail-send program at a.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{VERA}>:\nSorry, no mailbox here by that name.\n\n"
        "--- Below this line is a copy of the message.\n\nMessage-ID: <1@meetings.example>\nSubject: x\n\nHello\n"
    )
    report = report_in(a_mail("ada@example.com", sender="MAILER-DAEMON@a.example", text=text))
    assert (report.failed, report.about) == (True, "<1@meetings.example>")


def test_a_persons_mail_is_no_report() -> None:
    assert not report_in(a_mail("ada@example.com")).failed


@given(st.binary(max_size=3000))
def test_no_bytes_raise(raw: bytes) -> None:
    assert len(text_in(raw)) <= LONGEST_TEXT
    report_in(raw)


@given(
    st.lists(
        st.sampled_from(
            [
                b"Content-Type: multipart/mixed; boundary=b\r\n",
                b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
                b"Content-Type: message/delivery-status\r\n",
                b"Content-Type: message/rfc822\r\n",
                b"Content-Type: text/html; charset=klingon\r\n",
                b'Content-Type: text/plain; charset="\r\n',
                b"Content-Transfer-Encoding: base64\r\n",
                b"Content-Transfer-Encoding: x-uuencode\r\n",
                b"Content-Disposition: attachment; filename*=utf-8''%FF\r\n",
                b"\r\n",
                b"--b\r\n",
                b"--b--\r\n",
                b"Final-Recipient: rfc822; \r\nAction: failed\r\n",
                b"\xff\xfe\x00",
                b"begin 644 x\r\n#!!!\r\n",
                b"<p><table><tr><td>",
            ]
        ),
        max_size=30,
    )
)
def test_no_odd_structure_raises(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    assert len(text_in(raw)) <= LONGEST_TEXT
    report_in(raw)


@given(st.binary(max_size=200), st.sampled_from(["utf-8", "klingon", "utf-7", "idna", "base64", "punycode", None, ""]))
def test_bytes_in_any_charset_are_a_text(content: bytes, charset: str | None) -> None:
    assert isinstance(in_charset(content, charset), str)


def _nested(depth: int) -> bytes:
    opening = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(depth))
    return opening + b"Content-Type: text/plain\r\n\r\nHello\r\n"


BOMBS = {
    "parts within parts": _nested(3_000),
    "very many parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 20_000,
    "html within html": b"Content-Type: text/html\r\n\r\n" + b"<div><blockquote><ul>" * 30_000,
    "a table within a table": b"Content-Type: text/html\r\n\r\n" + b"<table><tr><td>" * 30_000,
    "signs of html": b"Content-Type: text/html\r\n\r\n" + b"<" * 400_000,
    "entities": b"Content-Type: text/html\r\n\r\n" + b"&#x1F600;&" * 40_000,
    "one long line": b"Content-Type: text/plain\r\n\r\n" + b"x" * 5_000_000,
    "a header without an end": b"Subject: x\r\n" + b" y\r\n" * 200_000,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_ends_in_time(kind: str) -> None:
    begun = time.process_time()
    assert len(text_in(BOMBS[kind])) <= LONGEST_TEXT
    report_in(BOMBS[kind])
    assert time.process_time() - begun < 10
