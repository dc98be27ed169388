"""What is kept of a mail that came, and what leaves of one that was written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.application.found_mail import id_key, storable, without_quotation
from meetings.application.written_mail import html_of
from meetings.domain.email import MAX_LOGGED_TEXT


@pytest.mark.parametrize(
    "quoted",
    [
        "On Mon, 2 Mar 2026 at 08:00, Anna <anna@example.com> wrote:\n> Shall we meet?",
        "Am Mo., 2. März 2026 um 08:00 Uhr schrieb Anna <anna@example.com>:\n> Treffen wir uns?",
        "-----Original Message-----\nFrom: Anna\nSent: Monday\nTo: Vera\nSubject: Next steps\n\nShall we meet?",
        "From: Anna <anna@example.com>\nSent: Monday, 2 March 2026 08:00\nTo: Vera\nSubject: Next steps\n\nShall we?",
    ],
    ids=["gmail", "gmail-de", "outlook-old", "outlook"],
)
def test_what_a_mail_quotes_is_not_kept(quoted: str) -> None:
    assert without_quotation(f"Gladly.\r\n\r\nVera\r\n\r\n{quoted}\r\n") == "Gladly.\n\nVera"


def test_an_answer_between_the_lines_or_below_is_kept_with_what_it_answers() -> None:
    below = "> Shall we meet?\n\nGladly."
    assert without_quotation(below) == below


def test_a_mail_that_is_nothing_but_a_quotation_is_kept_as_it_is() -> None:
    assert without_quotation("> Shall we meet?\n> At nine?\n") == "> Shall we meet?\n> At nine?"
    assert without_quotation("") == ""


def test_long_lines_are_kept_whole() -> None:
    long = "word " * 200
    kept = without_quotation(f"{long}\nAnd more.\n\nOn Mon, 2 Mar 2026 at 08:00, Anna <a@example.com> wrote:\n> Shall")
    assert kept == f"{long.strip()}\nAnd more."


def test_a_long_mail_is_cut() -> None:
    assert len(without_quotation("x\n" * MAX_LOGGED_TEXT)) <= MAX_LOGGED_TEXT


@pytest.mark.parametrize(
    "evil", ["On " * 40_000, "\n" * 100_000, "On \n" * 30_000, "> " * 50_000, "From: a\n" * 20_000, "_" * 100_000]
)
def test_a_text_made_to_take_long_does_not(evil: str) -> None:
    began = time.perf_counter()
    without_quotation(evil)
    assert time.perf_counter() - began < 5


@given(st.text(max_size=2000))
def test_whatever_came_can_be_stored(text: str) -> None:
    kept = without_quotation(text)
    assert len(kept) <= MAX_LOGGED_TEXT
    kept.encode("utf-8")
    assert "\x00" not in kept
    assert storable(kept) == kept


def test_message_ids_of_impossible_length_are_known_by_their_hash() -> None:
    assert id_key(" <a@b.example>\n") == "<a@b.example>"
    assert id_key("<" + "a" * 1000 + ">") == id_key("<" + "a" * 1000 + ">") != id_key("<" + "b" * 1000 + ">")
    assert len(id_key("<" + "a" * 1000 + ">")) < 100


@given(st.text(max_size=500))
def test_html_of_anything_holds_no_script_image_or_handler(markdown: str) -> None:
    html = html_of(f"{markdown}\n<img src=x onerror=y><script>z</script> [a](javascript:b) [c](data:text/html,d)")
    for never in ("<script", "<img", "<iframe", 'href="javascript:', 'href="data:'):
        assert never not in html.lower()


def test_markdown_becomes_html_and_an_address_alone_on_its_line_a_link() -> None:
    assert html_of("Dear **Vera**\n\nhttps://meet.example.com/x?a=1&b=2\nbye") == (
        "<p>Dear <strong>Vera</strong></p>\n"
        '<p><a href="https://meet.example.com/x?a=1&amp;b=2" rel="noopener noreferrer">'
        "https://meet.example.com/x?a=1&amp;b=2</a><br>\nbye</p>\n"
    )
