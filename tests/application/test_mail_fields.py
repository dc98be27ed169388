"""What header fields say, whoever wrote them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.application.mail_fields import WANTED, decoded, fields_in, header_of, may_be_a_report
from meetings.application.ports.mail_accounts import MailHeader

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def told(**fields: str) -> MailHeader:
    return header_of([(name.replace("_", "-"), value) for name, value in fields.items()], mail_id="7", at=NOW)


def test_names_and_addresses_are_taken_apart() -> None:
    mail = told(From='"Stranger, Vera" <vera@a.example>', To="Bob <bob@b.example>, eve@e.example", Cc="bob@b.example")
    assert (mail.sender.name, mail.sender.email) == ("Stranger, Vera", "vera@a.example")
    assert mail.recipients == ("bob@b.example", "eve@e.example")


def test_encoded_words_are_read() -> None:
    mail = told(
        Subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?= aus\r\n =?iso-8859-1?q?K=F6ln?=",
        From="=?utf-8?q?V=C3=A9ra?= <v@a.example>",
    )
    assert (mail.subject, mail.sender.name) == ("Grüße aus Köln", "Véra")


def test_a_line_break_that_was_hidden_in_a_subject_is_none() -> None:
    assert told(Subject="=?utf-8?q?a=0D=0ABcc:_x?=").subject == "a Bcc: x"


def test_who_wrote_for_somebody_else_counts_where_nobody_is_from() -> None:
    assert told(Sender="eve@e.example").sender.email == "eve@e.example"
    assert told(From="undisclosed:;").sender.email == ""


def test_message_ids_keep_their_order_and_come_once() -> None:
    mail = told(References="<1@a> <2@a>\r\n\t<1@a>,<3@a>", In_Reply_To="Your mail of Monday <3@a>")
    assert (mail.references, mail.in_reply_to) == (("<1@a>", "<2@a>", "<3@a>"), "<3@a>")


def test_of_very_many_message_ids_the_first_and_the_newest_are_kept() -> None:
    mail = told(References=" ".join(f"<{number}@a>" for number in range(1000)))
    assert (len(mail.references), mail.references[0], mail.references[-1]) == (100, "<0@a>", "<999@a>")


def test_a_mail_without_a_message_id_gets_the_same_one_each_time() -> None:
    assert told(Subject="a").message_id == told(Subject="b").message_id
    assert told().message_id.startswith("<")


@pytest.mark.parametrize(
    ("fields", "machine"),
    [
        ({"Auto_Submitted": "auto-replied"}, True),
        ({"Auto_Submitted": "auto-generated; owner=x"}, True),
        ({"Auto_Submitted": "No"}, False),
        ({"Precedence": "Bulk"}, True),
        ({"Precedence": "first-class"}, False),
        ({"X_Autoreply": "yes"}, True),
        ({"X_Autorespond": "yes"}, True),
        ({"List_Id": "<l.example>"}, True),
        ({"Return_Path": "<>"}, True),
        ({"Return_Path": "<a@a.example>"}, False),
        ({}, False),
    ],
)
def test_machines_are_known_by_what_they_say(fields: dict[str, str], machine: bool) -> None:
    assert told(**fields).automatic is machine


@pytest.mark.parametrize(
    ("name", "value", "worth_reading"),
    [
        ("Content-Type", 'multipart/report; boundary=x; report-type="delivery-status"', True),
        ("Content-Type", "multipart/report; report-type=disposition-notification", False),
        ("X-Failed-Recipients", "vera@a.example", True),
        ("From", "Mail Delivery System <MAILER-DAEMON@a.example>", True),
        ("From", "Vera <vera@a.example>", False),
    ],
)
def test_what_may_be_a_bounce_is_worth_reading(name: str, value: str, worth_reading: bool) -> None:
    assert may_be_a_report([(name, value)]) is worth_reading


@given(st.lists(st.tuples(st.sampled_from(WANTED), st.text(max_size=200))))
def test_no_text_in_a_field_raises(fields: list[tuple[str, str]]) -> None:
    mail = header_of(fields, mail_id="7", at=NOW)
    assert mail.message_id
    assert all("@" in each for each in mail.recipients)
    assert "\n" not in mail.subject
    may_be_a_report(fields)


@given(st.binary(max_size=2000))
def test_no_bytes_raise(raw: bytes) -> None:
    fields = fields_in(raw)
    header_of(fields, mail_id="7", at=NOW)
    may_be_a_report(fields)


@given(
    st.sampled_from(["utf-8", "klingon", "utf-7", "idna", "base64", "unicode-escape", ""]),
    st.sampled_from("qQbBx"),
    st.text(max_size=60),
)
def test_no_encoded_word_raises(charset: str, encoding: str, words: str) -> None:
    decoded(f"=?{charset}?{encoding}?{words}?=")
    header_of([("From", f"=?{charset}?{encoding}?{words}?= <a@b>")], mail_id="7", at=NOW)


def test_huge_fields_are_read_in_time() -> None:
    for value in ("(" * 100_000, "<" * 100_000, '"' * 99_999, ",;" * 50_000, "=?" * 50_000, "a@b," * 50_000):
        told(From=value, To=value, Subject=value, References=value)
