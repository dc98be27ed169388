"""Following a calendar through `calendarView/delta` of the Office 365 simulator."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from meetings.adapters.office365.simulator import Office365Simulator, weekly
from tests.contracts.office365.clients import UTC_IDS, graph_client, refusal

ADA, BOB = "ada@example.com", "bob@example.com"
MARCH = {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-04-01T00:00:00Z"}


@pytest.fixture
def calendar(office: Office365Simulator) -> str:
    return office.default_calendar(ADA)


def _at(day: int, hour: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def _add(office: Office365Simulator, day: int, hour: int, **fields: Any) -> str:
    calendar = office.default_calendar(ADA)
    return str(office.add_event(calendar, "Talk", _at(day, hour), _at(day, hour) + timedelta(hours=1), **fields)["id"])


def _round(client: httpx.Client, calendar: str, link: str | None = None) -> tuple[list[dict[str, Any]], str]:
    """All entries of a round and the link for the next one."""
    answer = client.get(link) if link else client.get(f"/me/calendars/{calendar}/calendarView/delta", params=MARCH)
    entries = []
    while True:
        body = answer.json()
        entries += body["value"]
        if "@odata.deltaLink" in body:
            assert "@odata.nextLink" not in body
            return entries, body["@odata.deltaLink"]
        answer = client.get(body["@odata.nextLink"])


def _told(entries: list[dict[str, Any]]) -> dict[str, str]:
    """What was told of each id: its start, or that it is removed."""
    return {each["id"]: "removed" if "@removed" in each else each["start"]["dateTime"][5:13] for each in entries}


def test_a_first_round_has_the_window_and_later_ones_what_changed(
    office: Office365Simulator, ada: httpx.Client, calendar: str
) -> None:
    kept, moved, gone = (_add(office, 3, hour) for hour in (9, 11, 13))
    office.add_event(calendar, "Later", _at(3, 9, month=5), _at(3, 10, month=5))
    entries, link = _round(ada, calendar)
    assert _told(entries) == {kept: "03-03T09", moved: "03-03T11", gone: "03-03T13"}
    assert entries[0]["subject"] == "Talk"
    assert _round(ada, calendar, link)[0] == []
    office.move_event(calendar, moved, _at(5, 9), _at(5, 10))
    office.cancel_event(calendar, gone)
    added = _add(office, 3, 20)
    entries, following = _round(ada, calendar, link)
    assert _told(entries) == {moved: "03-05T09", gone: "removed", added: "03-03T20"}
    assert [each["@removed"] for each in entries if "@removed" in each] == [{"reason": "deleted"}]
    assert _told(_round(ada, calendar, link)[0]) == _told(entries)
    assert _round(ada, calendar, following)[0] == []


def test_what_leaves_the_window_or_changes_outside_is_told_as_removed(
    office: Office365Simulator, ada: httpx.Client, calendar: str
) -> None:
    leaves = _add(office, 3, 9)
    _, link = _round(ada, calendar)
    office.move_event(calendar, leaves, _at(3, 9, month=6), _at(3, 10, month=6))
    outside = office.add_event(calendar, "Later", _at(3, 9, month=5), _at(3, 10, month=5))["id"]
    assert _told(_round(ada, calendar, link)[0]) == {leaves: "removed", outside: "removed"}


def test_an_event_that_came_and_went_between_two_pages_is_told_as_removed(
    office: Office365Simulator, ada: httpx.Client, calendar: str
) -> None:
    for hour in range(4):
        _add(office, 3, hour)
    office.settings.largest_page = 2
    made: list[str] = []
    office.on_call("calendarView.delta", lambda: made.append(_add(office, 3, 20)))
    entries, link = _round(ada, calendar)
    assert made[0] in _told(entries)
    office.cancel_event(calendar, made[0])
    assert _told(_round(ada, calendar, link)[0]) == {made[0]: "removed"}


def test_a_series_comes_whole_with_its_master_and_bare_occurrences(
    office: Office365Simulator, ada: httpx.Client, calendar: str
) -> None:
    rule = weekly(_at(3, 9), times=3)
    series = office.add_recurring(calendar, "Lesson", _at(3, 9), _at(3, 10), rule, showAs="oof")["id"]
    entries, link = _round(ada, calendar)
    master, *occurrences = entries
    assert (master["id"], master["type"], master["showAs"]) == (series, "seriesMaster", "oof")
    assert {each["type"] for each in occurrences} == {"occurrence"}
    assert set(occurrences[0]) == {"@odata.type", "@odata.etag", "seriesMasterId", "type", "id", "start", "end"}
    office.move_instance(calendar, series, _at(10, 9), _at(12, 15), _at(12, 16))
    office.cancel_instance(calendar, series, _at(17, 9))
    entries, link = _round(ada, calendar, link)
    assert [(each["type"], each["start"]["dateTime"][5:13]) for each in entries] == [
        ("seriesMaster", "03-03T09"),
        ("occurrence", "03-03T09"),
        ("exception", "03-12T15"),
    ]
    assert entries[2]["seriesMasterId"] == series
    office.move_event(calendar, series, _at(4, 15), _at(4, 16))
    entries, link = _round(ada, calendar, link)
    assert [each["start"]["dateTime"][5:13] for each in entries[1:]] == ["03-04T15", "03-11T15", "03-18T15"]
    office.cancel_event(calendar, series)
    assert _told(_round(ada, calendar, link)[0]) == {series: "removed"}


def test_a_series_is_never_split_over_pages(office: Office365Simulator, ada: httpx.Client, calendar: str) -> None:
    first = _add(office, 2, 9)
    office.add_recurring(calendar, "Lesson", _at(3, 9), _at(3, 10), weekly(_at(3, 9), times=4))
    last = _add(office, 20, 9)
    office.settings.largest_page = 2
    page = ada.get(f"/me/calendars/{calendar}/calendarView/delta", params=MARCH).json()
    assert [each["type"] for each in page["value"]] == ["singleInstance", "seriesMaster", *["occurrence"] * 4]
    second = ada.get(page["@odata.nextLink"]).json()
    assert [each["id"] for each in second["value"]] == [last]
    assert page["value"][0]["id"] == first


def test_pages_are_as_long_as_preferred_and_may_be_empty(
    office: Office365Simulator, signed_in: Callable[..., httpx.Client], calendar: str
) -> None:
    made = [_add(office, 3, hour) for hour in range(5)]
    client = signed_in(ADA, prefer=f"{UTC_IDS}, odata.maxpagesize=2")
    page = client.get(f"/me/calendars/{calendar}/calendarView/delta", params=MARCH).json()
    assert [each["id"] for each in page["value"]] == made[:2]
    office.settings.empty_first_page = True
    empty = client.get(f"/me/calendars/{calendar}/calendarView/delta", params=MARCH).json()
    assert (empty["value"], "@odata.nextLink" in empty) == ([], True)
    assert list(_told(_round(client, calendar)[0])) == made


def test_the_window_is_that_of_the_first_question(office: Office365Simulator, ada: httpx.Client, calendar: str) -> None:
    _, link = _round(ada, calendar)
    inside, outside = _add(office, 31, 9), _add(office, 31, 22)
    office.move_event(calendar, outside, _at(1, 0, month=4), _at(1, 1, month=4))
    assert _told(_round(ada, calendar, link)[0]) == {inside: "03-31T09", outside: "removed"}


def test_whole_days_touch_the_window_as_days_of_the_owner(
    office: Office365Simulator, ada: httpx.Client, calendar: str
) -> None:
    """1 April in Berlin begins on 31 March, 22:00 UTC."""
    fair = office.add_event(calendar, "Fair", date(2026, 4, 1), date(2026, 4, 2))["id"]
    office.add_event(calendar, "Next", date(2026, 4, 2), date(2026, 4, 3))
    assert list(_told(_round(ada, calendar)[0])) == [fair]


@pytest.mark.parametrize("status", [404, 403])
def test_a_lost_calendar_is_told_by_error_and_followed_again_later(
    office: Office365Simulator, ada: httpx.Client, status: int
) -> None:
    team = office.add_calendar(BOB, "Team")
    office.share_calendar(team, ADA, "read")
    _, link = _round(ada, team)
    office.lose_access(ADA, team, status=status)
    assert ada.get(link).status_code == status
    office.restore_access(ADA, team)
    assert _round(ada, team, link)[0] == []


def test_dead_tokens_are_gone_and_foreign_ones_are_refused(
    office: Office365Simulator, ada: httpx.Client, signed_in: Callable[..., httpx.Client], calendar: str
) -> None:
    for hour in range(3):
        _add(office, 3, hour)
    office.settings.largest_page = 2
    page = ada.get(f"/me/calendars/{calendar}/calendarView/delta", params=MARCH).json()
    _, link = _round(ada, calendar)
    office.expire_sync_tokens(calendar)
    for dead in (link, page["@odata.nextLink"]):
        assert refusal(ada.get(dead)) == (410, "SyncStateNotFound")
    _, link = _round(ada, calendar)
    other = office.add_calendar(ADA, "Choir")
    for foreign in (link.replace(calendar, other), link[:-4], link.partition("=")[0] + "=nonsense"):
        assert refusal(ada.get(foreign)) == (400, "SyncStateInvalid")
    office.share_calendar(calendar, BOB, "read")
    assert refusal(signed_in(BOB).get(link)) == (400, "SyncStateInvalid")


def test_what_delta_does_not_take_is_ignored(unchecked_office: Office365Simulator) -> None:
    calendar = unchecked_office.default_calendar(ADA)
    unchecked_office.add_event(calendar, "Talk", _at(3, 9), _at(3, 10))
    with graph_client(unchecked_office, ADA) as ada:
        params = {**MARCH, "$select": "subject", "$expand": "calendar", "$orderby": "subject", "$top": "1"}
        (entry,) = ada.get("/me/calendarView/delta()", params=params).json()["value"]
    assert "body" in entry


def test_without_a_window_there_is_no_round(unchecked_office: Office365Simulator) -> None:
    with graph_client(unchecked_office, ADA) as ada:
        assert refusal(ada.get("/me/calendarView/delta")) == (400, "ErrorInvalidParameter")
