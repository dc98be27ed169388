"""What people read before they connect (S13, S15, S21, S22)."""

from meetings.adapters.google.disclosure import DISCLOSURE as GOOGLE
from tests.contracts.calendars.world import CalendarWorld


def test_every_provider_has_a_text_and_notes_to_read_before_connecting(world: CalendarWorld) -> None:
    disclosure = world.provider.disclosure
    assert all((disclosure.version, disclosure.title, disclosure.body_markdown))
    assert len(disclosure.notes) > 0
    assert all(note.strip() for note in disclosure.notes)
    assert world.provider.help_url


def test_the_text_for_google_says_what_is_read_and_what_is_changed() -> None:
    for statement in (
        "access to your Google calendar and to every calendar you can reach through Google",  # S21
        "to run your scheduling pages and to link events with contacts of your CRM",  # S21
        "create and change calendars",  # S22
        "create, change and delete single events",  # S22
    ):
        assert statement in GOOGLE.body_markdown
