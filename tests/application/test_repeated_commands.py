from dataclasses import replace
from typing import Any

import pytest

from meetings.application.book_meeting import BookMeeting
from meetings.application.change_booking import ByInvitee, RescheduleBooking
from meetings.application.ports.reads import PagePointer
from meetings.application.repeated_commands import CommandKey
from meetings.application.request_meeting import RequestMeeting
from meetings.domain.base import Rule
from meetings.domain.booking import BookingChannel, BookingSource
from tests.builders import START, a_form, account_id, booking_id, page_id
from tests.domain.problems import refused

PAGE = PagePointer(account_id(), page_id())
WISH = BookMeeting(PAGE, START, a_form(answers={"topic": ("x",), "size": ("L",)}), "key-1", "203.0.113.7")


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("", Rule.REQUIRED),
        ("  ", Rule.REQUIRED),
        ("x" * 201, Rule.TOO_LONG),
        ("a\x00b", Rule.CONTROL_CHARACTERS),
        ("a\nb", Rule.CONTROL_CHARACTERS),
    ],
)
def test_a_key_that_cannot_be_kept_is_refused(key: str, rule: Rule) -> None:
    assert refused(lambda: CommandKey.of("bookMeeting", "scope", key, {})) == [("idempotencyKey", rule)]


def test_the_longest_key_is_taken_as_it_is() -> None:
    assert CommandKey.of("bookMeeting", "scope", "x" * 200, {}).key == "x" * 200


def test_the_same_wish_has_the_same_fingerprint_whatever_the_offset_and_the_order_of_answers() -> None:
    same = replace(WISH, form=a_form(answers={"size": ("L",), "topic": ("x",)}), start=START.astimezone())
    assert same.command() == WISH.command()


@pytest.mark.parametrize(
    "changed",
    [
        {"page": PagePointer(PAGE.account_id, page_id())},
        {"start": START.replace(minute=15)},
        *(
            {"form": replace(WISH.form, **each)}
            for each in (
                {"first_name": "Eva"},
                {"email": "eva@example.org"},
                {"time_zone": "UTC"},
                {"duration_minutes": 30},
                {"answers": {"topic": ("y",), "size": ("L",)}},
                {"guests": ("a@example.org",)},
                {"consents": ("terms",)},
                {"message": "Hello"},
                {"source": BookingSource(BookingChannel.CHAT)},
            )
        ),
    ],
    ids=lambda changed: ", ".join(changed),
)
def test_another_wish_under_the_same_key_has_another_fingerprint(changed: dict[str, Any]) -> None:
    other = replace(WISH, **changed).command()
    assert (other.operation, other.scope, other.key) == ("bookMeeting", "203.0.113.7", "key-1")
    assert other.fingerprint != WISH.command().fingerprint


def test_the_caller_and_the_key_are_no_part_of_the_wish_itself() -> None:
    for other in (replace(WISH, scope="198.51.100.1"), replace(WISH, idempotency_key="key-2")):
        assert other.command() != WISH.command()
        assert other.command().fingerprint == WISH.command().fingerprint


def test_a_hold_is_no_part_of_the_wish_so_losing_it_does_not_make_another_one() -> None:
    assert replace(WISH, hold_token="token").command() == WISH.command()


def test_a_request_is_what_was_proposed_in_which_order() -> None:
    later = START.replace(hour=12)
    request = RequestMeeting(PAGE, (START, later), a_form(), "key-1", "203.0.113.7")
    assert request.command().operation == "requestMeeting"
    assert replace(request, starts=(later, START)).command().fingerprint != request.command().fingerprint
    assert replace(request, starts=[START, later]).command() == request.command()


def test_a_move_belongs_to_its_booking_alone() -> None:
    move = RescheduleBooking(PAGE.account_id, booking_id(), START, ByInvitee(), "key-1")
    assert (move.command().operation, move.command().scope) == ("rescheduleBooking", str(move.booking_id))
    assert replace(move, start=START.replace(hour=12)).command().fingerprint != move.command().fingerprint
    assert replace(move, booking_id=booking_id()).command().scope != move.command().scope
