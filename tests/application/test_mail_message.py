"""A mail of ours as it travels (IN-4, RFC 5322)."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.application.mail_fields import fields_in, header_of
from meetings.application.mail_message import OWN_ID, as_message
from meetings.application.ports.mail_accounts import MailNotAccepted, MailPerson, OutgoingMail
from tests.contracts.smtp.injections import INJECTIONS

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
VERA = MailPerson("Vera", "vera@elsewhere.example")
NAMES = {
    "From", "To", "Subject", "Date", "Message-ID", OWN_ID, "In-Reply-To", "References", "List-Unsubscribe",
    "List-Unsubscribe-Post", "MIME-Version", "Content-Type",
}  # fmt: skip


def a_mail(**other: Any) -> OutgoingMail:
    given: dict[str, Any] = {
        "message_id": "<1@meetings.example>",
        "sender": MailPerson("Ada Lovelace", "ada@example.com"),
        "to": (VERA,),
        "subject": "Next steps",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "references": ("<0@meetings.example>",),
        "unsubscribe": "https://meetings.example/u/1",
    }
    return OutgoingMail(**{**given, **other})


def _raw(mail: OutgoingMail) -> bytes:
    return as_message(mail, at=NOW).as_bytes()


@pytest.mark.parametrize("field", ["subject", "name", "email", "sender", "message_id", "references", "unsubscribe"])
@pytest.mark.parametrize("words", INJECTIONS)
def test_no_words_add_a_header_or_a_recipient(field: str, words: str) -> None:
    changed: dict[str, dict[str, object]] = {
        "subject": {"subject": words},
        "name": {"to": (MailPerson(words, "vera@elsewhere.example"),)},
        "email": {"to": (MailPerson("Vera", words),)},
        "sender": {"sender": MailPerson(words, "ada@example.com")},
        "message_id": {"message_id": words},
        "references": {"references": (words,)},
        "unsubscribe": {"unsubscribe": words},
    }
    try:
        raw = _raw(a_mail(**changed[field]))
    except MailNotAccepted as refused:
        told = str(refused)
    else:
        told = ""
        _arrives_alone(raw, words if field == "email" else VERA.email)
    assert not words.strip() or words not in told


def _arrives_alone(raw: bytes, recipient: str) -> None:
    head, _, _ = raw.partition(b"\r\n\r\n")
    message = message_from_bytes(raw, policy=default)
    assert set(message.keys()) <= NAMES
    assert len(message.keys()) == len(set(message.keys()))
    assert len(message["To"].addresses) == 1
    assert message["To"].addresses[0].addr_spec == recipient
    assert head.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert b"\n" not in head.replace(b"\r\n", b"")


@given(subject=st.text(max_size=300), name=st.text(max_size=100))
def test_any_words_are_refused_or_arrive(subject: str, name: str) -> None:
    try:
        raw = _raw(a_mail(subject=subject, to=(MailPerson(name, VERA.email),)))
    except MailNotAccepted:
        return
    told = header_of(fields_in(raw), mail_id="1", at=NOW)
    assert told.recipients == (VERA.email,)
    assert (told.message_id, told.in_reply_to) == ("<1@meetings.example>", "<0@meetings.example>")


def test_an_international_domain_is_written_in_ascii() -> None:
    raw = _raw(a_mail(to=(MailPerson("Vera", "vera@bücher.example"),)))
    assert b"vera@xn--bcher-kva.example" in raw


@pytest.mark.parametrize("address", ["věra@elsewhere.example", '"a b"@elsewhere.example', "a@b@c", "a@[127.0.0.1]"])
def test_an_address_that_not_everybody_can_deliver_to_is_refused(address: str) -> None:
    with pytest.raises(MailNotAccepted):
        _raw(a_mail(to=(MailPerson("Vera", address),)))
