import pytest

from meetings.domain.calendar_connection import ConsentRequired
from meetings.domain.disclosure import Disclosure


def test_two_texts_are_read_and_accepted_as_one() -> None:
    calendar = Disclosure("google-1", "Connect your calendar", "Times.", ("One.", "Shared."))
    both = calendar.with_(Disclosure("gmail-2", "Connect your mail", "Letters.", ("Shared.", "Two.")))
    assert (both.version, both.title) == ("google-1+gmail-2", "Connect your calendar")
    assert both.body_markdown == "Times.\n\n## Connect your mail\n\nLetters."
    assert both.notes == ("One.", "Shared.", "Two.")


def test_only_the_current_version_counts_as_accepted() -> None:
    disclosure = Disclosure("some-2026-11", "Connect", "What it means.", ())
    disclosure.check_accepted("some-2026-11")
    for stale in ("", "some-2020-01", "some-2026-11 ", "SOME-2026-11"):
        with pytest.raises(ConsentRequired):
            disclosure.check_accepted(stale)
