"""The check itself: it must find what is wrong, or the suites that lean on it prove nothing."""

from typing import Any

import pytest
import requests

from meetings.adapters.google.simulator import GoogleSimulator
from tests.contracts.google.discovery import DiscoveryCheck, schema_problems

ADA = "ada@example.com"
GOOD = {"start": {"dateTime": "2026-03-03T10:00:00Z"}, "end": {"dateTime": "2026-03-03T11:00:00Z"}}


def _problems(google: GoogleSimulator, verb: str, path: str, **about: Any) -> list[str]:
    check = DiscoveryCheck()
    google.observe(check)
    bearer = {"Authorization": f"Bearer {google.grant(ADA)['access_token']}"}
    requests.request(verb, f"{google.endpoints.api}/{path}", headers=bearer, timeout=5, **about)
    return check.problems


@pytest.mark.parametrize(
    ("verb", "path", "about", "problem"),
    [
        ("GET", "calendars/primary/events", {"params": {"timeMin": "2026-03-03T10:00:00"}}, "with an offset"),
        ("GET", "calendars/primary/events", {"params": {"timeMinimum": "x"}}, "unknown parameter timeMinimum"),
        ("GET", "calendars/primary/events", {"params": {"maxResults": "0"}}, "out of range"),
        ("GET", "calendars/primary/events", {"params": {"orderBy": "name"}}, "not one of"),
        ("GET", "calendars/primary/events", {"params": {"singleEvents": "True"}}, "not a boolean"),
        ("POST", "calendars/primary/events", {"json": GOOD | {"sumary": "Typo"}}, "sumary"),
        ("POST", "calendars/primary/events", {"json": {"start": GOOD["start"]}}, "end is required"),
        ("POST", "calendars/primary/events", {"json": GOOD | {"visibility": "hidden"}}, "'hidden' is not one of"),
        ("POST", "calendars/primary/events", {"json": GOOD | {"sequence": "1"}}, "is not of type 'integer'"),
        ("GET", "calendars/primary/happenings", {}, "no method for GET"),
    ],
)
def test_a_broken_request_is_found(
    unchecked_google: GoogleSimulator, verb: str, path: str, about: dict[str, Any], problem: str
) -> None:
    found = _problems(unchecked_google, verb, path, **about)
    assert any(problem in each for each in found), found


def test_a_good_request_and_its_answer_pass(unchecked_google: GoogleSimulator) -> None:
    assert _problems(unchecked_google, "POST", "calendars/primary/events", json=GOOD) == []


@pytest.mark.parametrize(
    "event",
    [
        {"attendees": [{"email": "a@example.com", "responseStatus": "maybe"}]},
        {"start": {"dateTime": 5}},
        {"updated": "yesterday"},
        {"extendedProperties": {"private": {"n": 1}}},
    ],
)
def test_a_broken_answer_is_found(event: dict[str, Any]) -> None:
    assert schema_problems("Event", event) != []
