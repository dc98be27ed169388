"""Incremental lists of the simulator: pages, sync tokens, tombstones."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from meetings.adapters.google.simulator import GoogleSimulator
from tests.contracts.calendars.world import Clock
from tests.contracts.google.clients import calendar_client, refusal

ADA = "ada@example.com"


def _add(google: GoogleSimulator, *hours: int) -> list[str]:
    def one(hour: int) -> str:
        start = datetime(2026, 3, 3, hour, tzinfo=UTC)
        return str(google.add_event(ADA, f"At {hour}", start, start + timedelta(minutes=30))["id"])

    return [one(hour) for hour in hours]


def _pages(google: GoogleSimulator, **query: Any) -> list[dict[str, Any]]:
    """Reads to the last page, as google-api-python-client does it."""
    events = calendar_client(google, ADA).events()
    request, pages = events.list(calendarId="primary", **query), []
    while request is not None:
        pages.append(request.execute())
        request = events.list_next(request, pages[-1])
    return pages


def _items(pages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["id"], item["status"]) for page in pages for item in page["items"]]


def _token(pages: list[dict[str, Any]]) -> str:
    return str(pages[-1]["nextSyncToken"])


def _refused(google: GoogleSimulator, **query: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as refused:
        calendar_client(google, ADA).events().list(calendarId="primary", **query).execute()
    return refusal(refused.value)


def test_the_sync_token_stands_on_the_last_page_only(google: GoogleSimulator) -> None:
    ids = _add(google, 9, 10, 11, 12, 13)
    pages = _pages(google, maxResults=2)
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert [("nextPageToken" in page, "nextSyncToken" in page) for page in pages] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert [id_ for id_, _ in _items(pages)] == ids


def test_the_simulator_may_answer_smaller_and_empty_pages(google: GoogleSimulator) -> None:
    ids = _add(google, 9, 10, 11)
    google.settings.largest_page = 2
    google.settings.empty_first_page = True
    pages = _pages(google)
    assert [len(page["items"]) for page in pages] == [0, 2, 1]
    assert [id_ for id_, _ in _items(pages)] == ids


def test_an_incremental_list_has_what_changed_with_tombstones(google: GoogleSimulator) -> None:
    kept, moved, deleted = _add(google, 9, 10, 11)
    token = _token(_pages(google, singleEvents=True))
    assert _items(_pages(google, singleEvents=True, syncToken=token)) == []
    later = datetime(2026, 3, 4, 10, tzinfo=UTC)
    google.move_event(ADA, moved, later, later + timedelta(minutes=30))
    google.cancel_event(ADA, deleted)
    (added,) = _add(google, 14)
    delta = _pages(google, singleEvents=True, syncToken=token)
    assert _items(delta) == [(moved, "confirmed"), (deleted, "cancelled"), (added, "confirmed")]
    assert set(delta[0]["items"][1]) == {"kind", "etag", "id", "status"}
    assert _items(_pages(google, singleEvents=True, syncToken=_token(delta))) == []
    detailed = _pages(google, singleEvents=True, syncToken=token, showDeleted=True)
    assert detailed[0]["items"][1]["start"]["dateTime"] == "2026-03-03T12:00:00+01:00"
    assert kept not in dict(_items(delta))


def test_an_incremental_list_is_paged_too(google: GoogleSimulator) -> None:
    token = _token(_pages(google, maxResults=2))
    ids = _add(google, 9, 10, 11)
    pages = _pages(google, maxResults=2, syncToken=token)
    assert [len(page["items"]) for page in pages] == [2, 1]
    assert [id_ for id_, _ in _items(pages)] == ids
    assert _items(_pages(google, maxResults=2, syncToken=_token(pages))) == []


def test_a_change_between_two_pages_comes_with_the_next_incremental_list(google: GoogleSimulator) -> None:
    first, second, third = _add(google, 9, 10, 11)
    late: list[str] = []

    def meanwhile() -> None:
        google.cancel_event(ADA, first)
        google.cancel_event(ADA, third)
        late.extend(_add(google, 15))

    google.on_call("events.list", meanwhile)
    pages = _pages(google, maxResults=2)
    assert _items(pages) == [(first, "confirmed"), (second, "confirmed"), (late[0], "confirmed")]
    delta = _pages(google, maxResults=2, syncToken=_token(pages))
    assert _items(delta) == [(first, "cancelled"), (third, "cancelled"), (late[0], "confirmed")]


def test_a_touched_series_comes_with_all_instances_and_a_touched_instance_alone(google: GoogleSimulator) -> None:
    start = datetime(2026, 3, 3, 9, tzinfo=UTC)
    series = google.add_recurring(ADA, "Daily", start, start.replace(hour=10), ["RRULE:FREQ=DAILY;COUNT=4"])["id"]
    window = {"timeMin": "2026-03-03T00:00:00Z", "timeMax": "2026-03-05T00:00:00Z"}
    pages = _pages(google, singleEvents=True, **window)
    assert len(_items(pages)) == 2
    token = _token(pages)

    google.cancel_instance(ADA, series, start.replace(day=4))
    one = _pages(google, singleEvents=True, syncToken=token)
    assert _items(one) == [(f"{series}_20260304T090000Z", "cancelled")]
    assert "start" not in one[0]["items"][0]

    google.change_event(ADA, series, summary="Renamed")
    every = _items(_pages(google, singleEvents=True, syncToken=_token(one)))
    # The token does not remember the window of the first list.
    assert [(id_[-16:], status) for id_, status in every] == [
        ("20260303T090000Z", "confirmed"),
        ("20260304T090000Z", "cancelled"),
        ("20260305T090000Z", "confirmed"),
        ("20260306T090000Z", "confirmed"),
    ]


def test_instances_that_a_shorter_or_deleted_series_loses_are_told(google: GoogleSimulator) -> None:
    start = datetime(2026, 3, 3, 9, tzinfo=UTC)
    series = google.add_recurring(ADA, "Daily", start, start.replace(hour=10), ["RRULE:FREQ=DAILY;COUNT=3"])["id"]
    token = _token(_pages(google, singleEvents=True))
    google.change_event(ADA, series, recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    shorter = _pages(google, singleEvents=True, syncToken=token)
    assert [(id_[-16:], status) for id_, status in _items(shorter)] == [
        ("20260303T090000Z", "confirmed"),
        ("20260304T090000Z", "confirmed"),
        ("20260305T090000Z", "cancelled"),
    ]
    google.cancel_event(ADA, series)
    gone = _items(_pages(google, singleEvents=True, syncToken=_token(shorter)))
    assert [status for _, status in gone] == ["cancelled", "cancelled"]
    assert _items(_pages(google, singleEvents=True)) == []
    assert _items(_pages(google, showDeleted=True)) == [(series, "cancelled")]


@pytest.mark.parametrize("spoil", [lambda token: "1" + token, lambda token: "nonsense", lambda token: token[:-8]])
def test_a_token_that_was_tampered_with_is_gone(google: GoogleSimulator, spoil: Callable[[str], str]) -> None:
    token = _token(_pages(google))
    assert _refused(google, syncToken=spoil(token)) == (410, "fullSyncRequired")


def test_an_expired_token_and_one_of_another_calendar_are_gone(google: GoogleSimulator) -> None:
    token = _token(_pages(google))
    google.expire_sync_tokens(ADA)
    assert _refused(google, syncToken=token) == (410, "fullSyncRequired")
    fresh = _token(_pages(google))
    other = google.add_calendar(ADA, "Other")
    with pytest.raises(HttpError) as refused:
        calendar_client(google, ADA).events().list(calendarId=other, syncToken=fresh).execute()
    assert refused.value.status_code == 410


@pytest.mark.parametrize(
    "restriction",
    [
        {"timeMin": "2026-03-01T00:00:00Z"},
        {"timeMax": "2026-04-01T00:00:00Z"},
        {"orderBy": "updated"},
        {"q": "word"},
        {"iCalUID": "x@google.com"},
        {"privateExtendedProperty": "a=b"},
        {"sharedExtendedProperty": "a=b"},
        {"updatedMin": "2026-03-01T00:00:00Z"},
        {"showDeleted": False},
        {"singleEvents": True},
    ],
)
def test_a_sync_token_bears_no_restriction_beside_it(google: GoogleSimulator, restriction: dict[str, Any]) -> None:
    token = _token(_pages(google))
    assert _refused(google, syncToken=token, **restriction) == (400, "invalid")


def test_a_restricted_list_gives_no_sync_token(google: GoogleSimulator) -> None:
    _add(google, 9)
    assert "nextSyncToken" not in _pages(google, q="At")[-1]
    assert "nextSyncToken" not in _pages(google, singleEvents=True, orderBy="startTime")[-1]
    assert "nextSyncToken" in _pages(google, timeMin="2026-03-01T00:00:00Z", timeMax="2026-04-01T00:00:00Z")[-1]


def test_a_page_token_fits_only_the_list_it_came_from(google: GoogleSimulator) -> None:
    _add(google, 9, 10)
    token = calendar_client(google, ADA).events().list(calendarId="primary", maxResults=1).execute()["nextPageToken"]
    assert _refused(google, pageToken=token, timeMin="2026-03-01T00:00:00Z") == (400, "invalid")
    assert _refused(google, pageToken="made-up") == (400, "invalid")


def test_updated_min_finds_recent_changes_and_deletions(google: GoogleSimulator, clock: Clock) -> None:
    old, deleted = _add(google, 9, 10)
    clock.forward(timedelta(days=1))
    google.cancel_event(ADA, deleted)
    recent = _items(_pages(google, updatedMin="2026-03-03T00:00:00Z"))
    assert recent == [(deleted, "cancelled")]
    assert old not in dict(recent)
    assert _refused(google, updatedMin="2026-01-01T00:00:00Z") == (410, "updatedMinTooLongAgo")


def test_a_list_can_be_ordered_by_start_or_by_change(google: GoogleSimulator, clock: Clock) -> None:
    late, early = _add(google, 15, 9)
    clock.forward(timedelta(minutes=1))
    google.change_event(ADA, late, summary="Changed")
    by_start = _pages(google, singleEvents=True, orderBy="startTime", maxResults=1)
    assert [id_ for id_, _ in _items(by_start)] == [early, late]
    assert [id_ for id_, _ in _items(_pages(google, orderBy="updated", maxResults=1))] == [early, late]
    assert _refused(google, orderBy="startTime") == (400, "invalid")
