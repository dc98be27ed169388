import pytest

from meetings.application.event_description import describe
from meetings.domain.booking_form import Answer
from tests.builders import a_booking, a_page, an_invitee

MANAGE = "https://meet.example.com/b/token"
BOOKING = a_booking(
    invitee=an_invitee(first_name="Ivo", last_name="Visitor", email="ivo@example.org"),
    answers=(Answer("topic", "What about?", ("the weather",)), Answer("colours", "Colours", ("red", "green"))),
    message="See you\nsoon",
)


def test_an_event_says_what_the_page_says_who_booked_what_they_answered_and_how_to_change_it() -> None:
    assert describe(BOOKING, a_page(description="Let us talk."), MANAGE) == (
        "Let us talk.\n\n"
        "Booked by: Ivo Visitor <ivo@example.org>\n"
        "What about?: the weather\n"
        "Colours: red, green\n"
        "Message: See you\nsoon\n\n"
        "Move or cancel this meeting: https://meet.example.com/b/token"
    )


def test_what_there_is_nothing_of_leaves_no_gap() -> None:
    assert describe(a_booking(), a_page(), MANAGE) == (
        "Booked by: Ivo Visitor <ivo@example.org>\n\nMove or cancel this meeting: https://meet.example.com/b/token"
    )


def test_an_event_that_the_invitee_cannot_change_carries_no_link() -> None:
    text = describe(BOOKING, a_page(description="Let us talk."), None)
    assert "http" not in text
    assert text.endswith("Message: See you\nsoon")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("de", "Gebucht von"),
        ("de-AT", "Gebucht von"),
        ("en-GB", "Booked by"),
        ("fr", "Booked by"),
        ("del", "Booked by"),
    ],
)
def test_an_event_speaks_the_language_of_its_page(locale: str, words: str) -> None:
    assert describe(a_booking(), a_page(locale=locale), None) == f"{words}: Ivo Visitor <ivo@example.org>"


def test_nothing_an_invitee_wrote_can_become_a_link() -> None:
    text = describe(
        a_booking(
            invitee=an_invitee(first_name="evil.example", last_name="https://evil.example"),
            answers=(Answer("topic", "Topic", ("https://evil.example/x",)),),
            message="see www.evil.example now",
        ),
        a_page(),
        None,
    )
    assert "https://" not in text
    assert "evil.example" not in text
