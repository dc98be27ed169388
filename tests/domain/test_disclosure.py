import pytest

from meetings.domain.calendar_connection import ConsentRequired, Provider
from meetings.domain.disclosure import disclosure_for


@pytest.mark.parametrize("provider", Provider)
def test_every_provider_has_a_text_and_notes_to_read_before_connecting(provider: Provider) -> None:
    disclosure = disclosure_for(provider)
    assert all((disclosure.version, disclosure.title, disclosure.body_markdown))
    assert len(disclosure.notes) > 0
    assert all(note.strip() for note in disclosure.notes)


def test_the_text_for_google_says_what_is_read_and_what_is_changed() -> None:
    text = disclosure_for(Provider.GOOGLE).body_markdown
    for statement in (
        "access to your Google calendar and to every calendar you can reach through Google",  # S21
        "to run your scheduling pages and to link events with contacts of your CRM",  # S21
        "create and change calendars",  # S22
        "create, change and delete single events",  # S22
    ):
        assert statement in text


def test_only_the_current_version_counts_as_accepted() -> None:
    disclosure = disclosure_for(Provider.GOOGLE)
    disclosure.check_accepted(disclosure.version)
    for stale in ("", "google-2020-01", disclosure.version + " ", disclosure.version.upper()):
        with pytest.raises(ConsentRequired):
            disclosure.check_accepted(stale)
