"""What an event is called in everybody's calendar: the same from every server (B-CR1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.domain.ical_uid import MAX_ICAL_UID, common_ical_uid

HEAD = "040000008200E00074C5B7101A82E008"
NO_DAY, DAY = "00000000", "07D80319"
REST = "5025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B"


def _wrapped(uid: str, day: str = NO_DAY) -> str:
    data = b"vCal-Uid\x01\x00\x00\x00" + uid.encode() + b"\x00"
    return HEAD + day + "0" * 32 + len(data).to_bytes(4, "little").hex().upper() + data.hex().upper()


def test_a_name_of_another_server_stays_as_it_is() -> None:
    assert common_ical_uid(" 7kuk3b@google.com ") == "7kuk3b@google.com"


def test_a_name_that_outlook_wrapped_is_unwrapped() -> None:
    assert common_ical_uid(_wrapped("7kuk3b@google.com")) == "7kuk3b@google.com"
    assert common_ical_uid(_wrapped("7kuk3b@google.com").lower()) == "7kuk3b@google.com"


def test_an_instance_that_left_its_series_has_a_name_of_its_own() -> None:
    """The first is the example of MS-OXOCAL 4.1.2.1.2: moved from 25 March 2008."""
    for of_series, instance in ((HEAD + NO_DAY + REST, HEAD + DAY + REST), (_wrapped("a@b.c"), _wrapped("a@b.c", DAY))):
        assert common_ical_uid(instance) == instance != common_ical_uid(of_series)


def test_letter_case_makes_no_other_name_of_outlook() -> None:
    assert common_ical_uid((HEAD + NO_DAY + REST).lower()) == HEAD + NO_DAY + REST


@pytest.mark.parametrize("told", [HEAD, HEAD + "AB" * 16, HEAD + NO_DAY + "FF" * 20, HEAD + "A", "", "04"])
def test_what_is_cut_short_is_still_a_name(told: str) -> None:
    assert common_ical_uid(told) == told.upper()


def test_a_very_long_name_is_cut() -> None:
    assert len(common_ical_uid("x" * 5_000)) == MAX_ICAL_UID


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=80))
def test_wrapping_changes_no_name(uid: str) -> None:
    assert common_ical_uid(_wrapped(uid)) == common_ical_uid(common_ical_uid(_wrapped(uid)))
    if not uid.upper().startswith(HEAD):
        assert common_ical_uid(_wrapped(uid)) == uid
