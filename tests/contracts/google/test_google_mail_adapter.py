"""What only Gmail does, and what a batch of requests may bring back, through real sockets (RT-1 to RT-3)."""

import base64
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.adapters.google import mail_wire as wire
from meetings.adapters.google.reading import read
from meetings.application.ports.calendars import ProviderError, ProviderUnavailable, RateLimited
from meetings.application.ports.mail_accounts import MailAccount, MailNotAccepted, MailPerson
from tests.contracts.mail.following import Follower
from tests.contracts.mail.google_world import ADA, BOB, GoogleMailWorld, google_mail_world
from tests.contracts.mail.letters import VERA, a_mail, an_outgoing, message_id


@pytest.fixture
def world() -> Iterator[GoogleMailWorld]:
    with google_mail_world() as started:
        yield started


@pytest.fixture
def mail(world: GoogleMailWorld) -> MailAccount:
    return world.offer.mail(world.sign_in())


FAULTS: dict[str, tuple[dict[str, Any], type[ProviderError]]] = {
    "500": ({"status": 500}, ProviderUnavailable),
    "429": ({"status": 429}, RateLimited),
    "403 rate": ({"status": 403, "reason": "userRateLimitExceeded"}, RateLimited),
    "reset": ({"reset": True}, ProviderUnavailable),
    "closed without an answer": ({"drop_after_commit": True}, ProviderUnavailable),
    "cut off": ({"cut_off_body": True}, ProviderUnavailable),
    "no batch": ({"body": "{}"}, ProviderUnavailable),
    "a page of somebody else": ({"content_type": "text/html"}, ProviderUnavailable),
    "a batch of nothing": ({"body": "--b--\r\n", "content_type": "multipart/mixed; boundary=b"}, ProviderUnavailable),
    "parts without names": (
        {"body": "--b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n--b--", "content_type": "multipart/mixed; boundary=b"},
        ProviderUnavailable,
    ),
    "not text": ({"body": b"\xff\xfe", "content_type": "multipart/mixed; boundary=b"}, ProviderUnavailable),
    "too long": ({"huge_bytes": 11 * 2**20}, ProviderUnavailable),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_each_kind_of_bad_batch_is_an_error_of_the_port_after_one_try(
    world: GoogleMailWorld, mail: MailAccount, name: str
) -> None:
    fault, meaning = FAULTS[name]
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(ADA))
    world.google.fault("batch", times=None, **fault)
    with pytest.raises(ProviderError) as refused:
        await follower.follow()
    assert type(refused.value) is meaning
    assert len(world.google.requests_for("batch")) == 1
    world.google.clear_faults()
    assert len(await follower.follow()) == 1


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 429}, RateLimited),
        ({"status": 429, "retry_after": 9}, RateLimited),
        ({"status": 500}, ProviderUnavailable),
        ({"body": "{"}, ProviderUnavailable),
        ({"body": "{}"}, ProviderUnavailable),
    ],
)
async def test_one_bad_answer_within_a_batch_spoils_it(
    world: GoogleMailWorld, mail: MailAccount, fault: dict[str, Any], meaning: type[ProviderError]
) -> None:
    follower = Follower(mail)
    await follower.follow()
    for _ in range(3):
        world.deliver(a_mail(ADA))
    world.google.fault("users.messages.get", on_call=2, **fault)
    with pytest.raises(ProviderError) as refused:
        await follower.follow()
    assert type(refused.value) is meaning
    assert len(await follower.follow()) == 3


async def test_a_token_that_is_rejected_within_a_batch_is_renewed_once(world: GoogleMailWorld) -> None:
    credentials = world.sign_in()
    follower = Follower(world.offer.mail(credentials))
    await follower.follow()
    world.deliver(a_mail(ADA))
    world.google.fault("users.messages.get", status=401)
    assert len(await follower.follow()) == 1
    assert credentials.renewals == 1
    assert len(world.google.requests_for("batch")) == 2


async def test_mails_are_read_fifty_at_a_time(world: GoogleMailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    for _ in range(120):
        world.deliver(a_mail(ADA))
    world.google.forget_calls()
    assert len(await follower.follow()) == 120
    assert [call.operation for call in world.google.calls if call.within is None] == [
        "users.history.list",
        *["batch"] * 3,
    ]


async def test_only_what_stands_above_a_mail_is_read(world: GoogleMailWorld, mail: MailAccount) -> None:
    """Nothing of a private mail's text comes over the wire, and none of the headers that are not looked at."""
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(ADA, text="Very private words", X_Private="also private"))
    await follower.follow()
    answers = [str(call.answer) for call in world.google.calls if call.operation.startswith("users.")]
    assert not any("rivate" in each for each in answers)


async def test_a_mail_whose_message_id_cannot_be_read_has_left_all_the_same(
    world: GoogleMailWorld, mail: MailAccount
) -> None:
    outgoing = an_outgoing(ADA)
    world.google.fault("batch", status=429)
    with pytest.raises(ProviderUnavailable):  # and not RateLimited, which would say that it has not left
        await mail.send(outgoing)
    (arrived,) = world.received(VERA.email)
    found = await mail.find_sent(outgoing.message_id)
    assert found is not None
    assert found.message_id == arrived.message_id


async def test_a_conversation_that_is_gone_does_not_keep_a_mail_from_leaving(
    world: GoogleMailWorld, mail: MailAccount
) -> None:
    sent = await mail.send(an_outgoing(ADA, thread="00000000deadbeef"))
    assert (len(world.received(VERA.email)), sent.thread == "00000000deadbeef") == (1, False)


async def test_a_mail_that_is_too_long_is_not_handed_over(world: GoogleMailWorld, mail: MailAccount) -> None:
    with pytest.raises(MailNotAccepted):
        await mail.send(an_outgoing(ADA, text="x" * 6_000_000))
    assert world.google.requests_for("users.messages.send") == []


async def test_texts_that_gmail_keeps_apart_are_read_and_attachments_are_not(
    world: GoogleMailWorld, mail: MailAccount
) -> None:
    world.google.settings.inline_bytes = 10
    follower = Follower(mail)
    await follower.follow()
    world.deliver(a_mail(ADA, text="Gladly, and at length.\n", html="<p>Gladly, and at length.</p>"))
    message = EmailMessage(SMTP)
    message["From"], message["To"], message["Message-ID"] = VERA.email, ADA, message_id()
    message.set_content("See the notes that hang on here.")
    message.add_attachment("Secret notes, quite long", filename="notes.txt")
    world.deliver(message.as_bytes())
    bodies = [await mail.read(told.mail_id) for told in await follower.follow()]
    assert [body.text.strip() for body in bodies if body] == [
        "Gladly, and at length.",
        "See the notes that hang on here.",
    ]
    assert len(world.google.requests_for("users.messages.attachments.get")) == 3


async def test_a_colleague_answers_in_the_same_conversation(world: GoogleMailWorld, mail: MailAccount) -> None:
    follower = Follower(mail)
    await follower.follow()
    sent = await mail.send(an_outgoing(ADA, MailPerson("Bob", BOB), subject="Next steps"))
    reply = a_mail(ADA, sender=BOB, subject="Re: Next steps", answers=sent.message_id, id=(id := message_id()))
    world.google.mail.send_by_hand(BOB, reply, ADA)
    await follower.follow()
    assert (follower.seen[id].thread, follower.seen[id].sender.email) == (sent.thread, BOB)


async def test_the_search_for_a_mail_takes_no_words_of_others(world: GoogleMailWorld, mail: MailAccount) -> None:
    for odd in ("", "<>", "<a b@c>", "<a@b> OR in:anywhere", "<a\n@b>", '<"x"@b>', "<a@b>" * 300):
        assert await mail.find_sent(odd) is None
    assert world.google.requests_for("users.messages.list") == []


_NAMES = ["parts", "mimeType", "body", "data", "headers", "name", "value", "filename", "payload", "id", "labelIds"]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(_NAMES), _json))
def test_an_answer_that_makes_no_sense_is_an_error_of_the_port_or_a_text(answer: dict[str, Any]) -> None:
    for parse in (wire.text, wire.is_left_out, wire.fields_of, wire.sent_mail, wire.listed, wire.added, wire.cursor_of):
        try:
            read(parse, answer)
        except ProviderUnavailable:
            continue


@given(st.text())
def test_only_our_own_cursors_are_read(text: str) -> None:
    number = wire.history_id_in(text)
    assert number is None or text == f"1:{number}"


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("iso-8859-1", "Grüße".encode("iso-8859-1")),
        ("iso-8859-1", "Grüße".encode()),  # what Google may have made UTF-8 already
        ("iso-2022-jp", "Grüße 日本".encode()),
        ("klingon", "Grüße".encode()),
        ("utf-16", "Grüße".encode("utf-16")),
    ],
)
def test_a_text_is_read_whether_google_changed_its_charset_or_not(charset: str, content: bytes) -> None:
    headers = [{"name": "Content-Type", "value": f"text/plain; charset={charset}"}]
    data = base64.urlsafe_b64encode(content).decode()
    part = {"mimeType": "text/plain", "headers": headers, "body": {"data": data}}
    assert "Grüße" in wire.text({"payload": part})


def test_parts_within_parts_are_read_to_an_end() -> None:
    part: dict[str, Any] = {"mimeType": "text/plain", "body": {"data": "SGVsbG8"}}
    for _ in range(150):
        part = {"mimeType": "multipart/mixed", "parts": [part]}
    assert wire.text({"payload": part}) == "Hello"
    for _ in range(150):
        part = {"mimeType": "multipart/mixed", "parts": [part]}
    assert wire.text({"payload": part}) == ""
