from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.application.availability_cursor import Digest

FIRST = date(2026, 11, 1)
ABOUT = (UUID(int=1), FIRST, date(2027, 1, 1), "Europe/Berlin", 30)
Days = dict[date, list[int]]


def digest(days: Days, *, about: tuple[object, ...] = ABOUT, mode: str = "ONLINE") -> Digest:
    return Digest.of(about, FIRST, mode, days)


offered = st.dictionaries(
    st.integers(0, 61).map(lambda days: FIRST + timedelta(days=days)),
    st.lists(st.integers(29_000_000, 29_000_200), min_size=1, max_size=5),
    max_size=6,
)
changes = st.dictionaries(
    st.integers(0, 61).map(lambda days: FIRST + timedelta(days=days)),
    st.none() | st.lists(st.integers(29_000_000, 29_000_200), min_size=1, max_size=2),
    max_size=4,
)


@settings(max_examples=50)
@given(offered, changes)
def test_a_cursor_tells_exactly_the_days_that_differ_from_what_its_holder_saw(before: Days, changed: Days) -> None:
    after = {day: starts for day, starts in (before | changed).items() if starts is not None}
    seen = digest(after).seen_by(digest(before).cursor())
    assert seen == digest(before)
    assert digest(after).changed_since(seen) == (
        sorted(day for day in after if before.get(day) != after[day]),
        sorted(day for day in before if day not in after),
    )


@settings(max_examples=20)
@given(offered)
def test_nothing_differs_from_oneself(days: Days) -> None:
    assert digest(days).changed_since(digest(days)) == ([], [])


def test_a_cursor_remembers_the_mode() -> None:
    online, offline = digest({}), digest({}, mode="OFFLINE")
    assert online != offline
    assert offline.seen_by(online.cursor()) == online


@pytest.mark.parametrize(
    "about",
    [
        (uuid4(), *ABOUT[1:]),
        (ABOUT[0], FIRST, date(2027, 1, 2), "Europe/Berlin", 30),
        (*ABOUT[:3], "Europe/Paris", 30),
        (*ABOUT[:4], 60),
    ],
    ids=["page", "window", "zone", "duration"],
)
def test_a_cursor_of_another_question_is_none(about: tuple[object, ...]) -> None:
    assert digest({}).seen_by(digest({}, about=about).cursor()) is None


@pytest.mark.parametrize(
    "text", ["", "x", "AQ", "!!!", "ü", "\x00", "A" * 10_000, "2026-11-01", digest({}).cursor()[:-1]]
)
def test_any_other_text_is_no_cursor(text: str) -> None:
    assert digest({}).seen_by(text) is None


@settings(max_examples=50)
@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.hex()))
def test_whatever_is_sent_as_a_cursor_is_answered(text: str) -> None:
    assert digest({}).seen_by(text) in (None, digest({}))


def test_a_cursor_of_another_version_is_none() -> None:
    cursor = digest({FIRST: [1]}).cursor()
    assert cursor.startswith("A")
    assert digest({}).seen_by("B" + cursor[1:]) is None


def test_a_cursor_is_short_and_safe_in_an_address() -> None:
    whole = {FIRST + timedelta(days=each): [1, 2, 3] for each in range(62)}
    assert (len(digest({}).cursor()), len(digest(whole).cursor())) == (15, 594)
    assert digest(whole).cursor().replace("-", "").replace("_", "").isalnum()
    assert digest(whole).seen_by(digest(whole).cursor()) == digest(whole)
