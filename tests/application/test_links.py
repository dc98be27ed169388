import string
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.application.links import Links, token_hash
from meetings.domain.identifiers import BookingId
from tests.builders import booking_id

ALPHABET = string.ascii_letters + string.digits + "-_"
LINKS = Links("https://meet.example.com", "https://app.example.com", keys=[b"k" * 32])
OTHERS = Links("https://meet.example.com", "https://app.example.com", keys=[b"o" * 32])
BOOKING = BookingId(UUID("0190f6a0-1111-7222-8333-444455556666"))

bookings = st.uuids().map(BookingId)


def test_addresses_are_absolute_and_ours() -> None:
    token = LINKS.manage_token(BOOKING)
    assert LINKS.page("anna/intro") == "https://meet.example.com/meetings/anna/intro"
    assert LINKS.manage(BOOKING) == f"https://meet.example.com/b/{token}"
    assert LINKS.calendar_file(BOOKING) == f"https://meet.example.com/b/{token}.ics"
    assert LINKS.settings() == "https://app.example.com/settings/calendar"
    assert LINKS.oauth_callback("GOOGLE") == "https://meet.example.com/oauth/google/callback"
    assert LINKS.push_address("GOOGLE") == "https://meet.example.com/webhooks/google"
    assert LINKS.host == "meet.example.com"
    assert Links("http://127.0.0.1:8080", "", [b"k"]).host == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://app.example.com/done", "https://app.example.com/done?calendar=failed&reason=a+%26+b"),
        ("https://app.example.com/?x=1", "https://app.example.com/?x=1&calendar=failed&reason=a+%26+b"),
        ("https://app.example.com/#top", "https://app.example.com/?calendar=failed&reason=a+%26+b#top"),
    ],
)
def test_what_is_added_to_an_address_arrives_as_its_query(address: str, expected: str) -> None:
    extended = LINKS.with_query(address, calendar="failed", reason="a & b")
    assert extended == expected
    query = parse_qs(urlsplit(extended).query)
    assert (query["calendar"], query["reason"]) == (["failed"], ["a & b"])


# ---- manage tokens ------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(bookings)
def test_a_token_leads_back_to_its_booking_and_is_always_the_same(booking: BookingId) -> None:
    token = LINKS.manage_token(booking)
    assert LINKS.booking_of(token) == booking
    assert LINKS.manage_token(booking) == token
    assert len(token) == 46
    assert set(token) <= set(ALPHABET)


@settings(max_examples=30)
@given(bookings, st.integers(0, 45), st.sampled_from(ALPHABET))
def test_a_token_with_one_other_character_is_nobody_s(booking: BookingId, place: int, other: str) -> None:
    token = LINKS.manage_token(booking)
    changed = token[:place] + other + token[place + 1 :]
    assert LINKS.booking_of(changed) == (booking if changed == token else None)


def test_no_single_character_can_be_changed_not_even_in_bits_that_are_not_read() -> None:
    token = LINKS.manage_token(BOOKING)
    changed = {token[:place] + other + token[place + 1 :] for place in range(len(token)) for other in ALPHABET}
    assert len(changed) == 46 * 63 + 1
    assert [text for text in changed if LINKS.booking_of(text)] == [token]


@settings(max_examples=30)
@given(bookings, bookings)
def test_the_proof_of_one_booking_is_none_for_another(one: BookingId, other: BookingId) -> None:
    mixed = LINKS.manage_token(one)[:21] + LINKS.manage_token(other)[21:]
    assert LINKS.booking_of(mixed) in (None, one) if one == other else LINKS.booking_of(mixed) is None


@settings(max_examples=30)
@given(bookings)
def test_a_token_made_with_another_key_is_nobody_s(booking: BookingId) -> None:
    assert LINKS.booking_of(OTHERS.manage_token(booking)) is None


def test_after_a_change_of_keys_old_tokens_still_lead_somewhere_and_new_ones_are_made_with_the_first() -> None:
    rotated = Links("https://meet.example.com", "", keys=[b"n" * 32, *LINKS.keys])
    assert rotated.booking_of(LINKS.manage_token(BOOKING)) == BOOKING
    assert rotated.booking_of(rotated.manage_token(BOOKING)) == BOOKING
    assert LINKS.booking_of(rotated.manage_token(BOOKING)) is None


@settings(max_examples=60)
@given(st.text(max_size=60) | st.text(ALPHABET, min_size=46, max_size=46))
def test_any_other_text_is_no_token(text: str) -> None:
    assert LINKS.booking_of(text) is None


@pytest.mark.parametrize("text", ["", "=", "A" * 46, "A" * 100_000, LINKS.manage_token(BOOKING) + "=", "\udc80", " "])
def test_a_text_of_the_wrong_shape_is_no_token(text: str) -> None:
    assert LINKS.booking_of(text) is None


def test_a_token_is_not_the_id_and_does_not_show_the_keys() -> None:
    assert BOOKING.hex not in LINKS.manage_token(BOOKING)
    assert "kkkk" not in repr(LINKS)


def test_only_a_hash_of_a_random_token_is_stored() -> None:
    assert token_hash("secret") == "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
    assert token_hash(str(booking_id())) != token_hash(str(uuid4()))


def test_a_token_that_is_no_text_anybody_can_write_has_a_hash_all_the_same() -> None:
    assert len(token_hash(chr(0xDC80))) == 64
