"""Telling and forgetting people, and looking through the journal, from the command line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.infrastructure.test_cli import Command, folder, init, meetings

__all__ = ["folder", "meetings"]


def test_a_person_is_exported_and_erased(meetings: Command, folder: Path) -> None:
    init(meetings)
    told = json.loads(meetings("export-person", "Grace@example.org").out)
    assert told["person"] == "Grace@example.org"
    assert told["bookings"] == told["contacts"] == told["mails"] == []
    done = meetings("erase-person", "grace@example.org")
    assert (done.code, done.out) == (0, "They are forgotten here; a worker has the customer records follow.\n")
    assert meetings("erase-person", "grace@example.org").code == 0
    ours = meetings("erase-person", "anna@example.com")
    assert (ours.code, ours.err) == (1, "meetings: This cannot be used: email: not_allowed_here.\n")
    nobody = meetings("erase-person", "nobody")
    assert (nobody.code, nobody.err) == (1, "meetings: This cannot be used: email: not_an_email.\n")
    assert meetings("audit", "verify").out.startswith("ok  ")


def test_a_journal_that_was_edited_is_found(meetings: Command, folder: Path) -> None:
    init(meetings)
    meetings("add-user", "--name", "Ben", "--email", "ben@example.com")
    meetings("users", "role", "ben@example.com", "admin")
    whole = meetings("audit", "verify")
    assert whole.code == 0
    assert whole.out.startswith("ok  ")
    assert ": 2 entries; the newest hash is " in whole.out
    with closing(sqlite3.connect(folder / "meetings.db")) as database, database:
        database.execute("UPDATE journal SET actor = 'nobody' WHERE position = 1")
    edited = meetings("audit", "verify")
    assert edited.code == 1
    assert edited.out.endswith(": entry 1 is not as it was written.\n")
