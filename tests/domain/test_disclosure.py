import pytest

from meetings.domain.calendar_connection import ConsentRequired
from meetings.domain.disclosure import Disclosure


def test_only_the_current_version_counts_as_accepted() -> None:
    disclosure = Disclosure("some-2026-11", "Connect", "What it means.", ())
    disclosure.check_accepted("some-2026-11")
    for stale in ("", "some-2020-01", "some-2026-11 ", "SOME-2026-11"):
        with pytest.raises(ConsentRequired):
            disclosure.check_accepted(stale)
