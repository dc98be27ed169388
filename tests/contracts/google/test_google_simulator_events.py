"""Events, calendars and free/busy of the simulator, driven by google-api-python-client."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from googleapiclient.errors import HttpError

from meetings.adapters.google.simulator import GoogleSimulator, Mail
from tests.contracts.google.clients import calendar_client, credentials, refusal

ADA, BOB = "ada@example.com", "bob@example.com"
BERLIN = ZoneInfo("Europe/Berlin")
EVENT_ID = "v1c0ffee0123456789abcdefghij"


def _body(start: str = "2026-03-03T10:00:00+01:00", end: str = "2026-03-03T10:30:00+01:00", **more: Any) -> Any:
    return {"summary": "Talk", "start": {"dateTime": start}, "end": {"dateTime": end}, **more}


def _refused(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as refused:
        request.execute()
    return refusal(refused.value)


def _times(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["start"].get("dateTime") or event["start"]["date"], event["status"]) for event in events]


# -- one event


def test_an_inserted_event_comes_back_with_what_google_adds(google: GoogleSimulator) -> None:
    service = calendar_client(google, ADA)
    body = _body(id=EVENT_ID, attendees=[{"email": "guest@else.example"}], transparency="opaque")
    event = service.events().insert(calendarId="primary", body=body).execute()
    assert event["id"] == EVENT_ID
    assert event["iCalUID"] == f"{EVENT_ID}@google.com"
    assert event["status"] == "confirmed"
    assert event["start"] == {"dateTime": "2026-03-03T10:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert event["organizer"] == {"email": ADA, "self": True}
    assert event["attendees"] == [{"email": "guest@else.example", "responseStatus": "needsAction"}]
    assert event["created"] == "2026-03-02T08:00:00.000Z"
    assert (event["sequence"], event["eventType"]) == (0, "default")
    assert "transparency" not in event
    assert requests.get(event["htmlLink"], timeout=5).status_code == 200
    assert service.events().get(calendarId=ADA, eventId=EVENT_ID).execute() == event


def test_an_id_is_refused_again_even_after_the_event_was_deleted(google: GoogleSimulator) -> None:
    events = calendar_client(google, ADA).events()
    events.insert(calendarId="primary", body=_body(id=EVENT_ID)).execute()
    again = events.insert(calendarId="primary", body=_body(id=EVENT_ID))
    assert _refused(again) == (409, "duplicate")
    events.delete(calendarId="primary", eventId=EVENT_ID).execute()
    assert _refused(again) == (409, "duplicate")
    google.forget_deleted(ADA)
    assert _refused(events.get(calendarId="primary", eventId=EVENT_ID)) == (404, "notFound")
    assert _refused(again) == (409, "duplicate")


def test_the_same_id_on_another_calendar_is_free(google: GoogleSimulator) -> None:
    calendar_client(google, ADA).events().insert(calendarId="primary", body=_body(id=EVENT_ID)).execute()
    calendar_client(google, BOB).events().insert(calendarId="primary", body=_body(id=EVENT_ID)).execute()
    assert [event["id"] for event in google.events(BOB)] == [EVENT_ID]


def test_a_deleted_event_can_still_be_read_and_the_second_delete_is_gone(google: GoogleSimulator) -> None:
    events = calendar_client(google, ADA).events()
    events.insert(calendarId="primary", body=_body(id=EVENT_ID)).execute()
    delete = events.delete(calendarId="primary", eventId=EVENT_ID)
    delete.execute()
    assert events.get(calendarId="primary", eventId=EVENT_ID).execute()["status"] == "cancelled"
    assert _refused(delete) == (410, "deleted")
    assert _refused(events.delete(calendarId="primary", eventId="neverwas")) == (404, "notFound")


def test_a_deleted_event_is_restored_by_confirming_it(google: GoogleSimulator) -> None:
    events = calendar_client(google, ADA).events()
    events.insert(calendarId="primary", body=_body(id=EVENT_ID)).execute()
    events.delete(calendarId="primary", eventId=EVENT_ID).execute()
    patched = events.patch(calendarId="primary", eventId=EVENT_ID, body={"summary": "Still gone"}).execute()
    assert patched["status"] == "cancelled"
    restored = events.patch(calendarId="primary", eventId=EVENT_ID, body={"status": "confirmed"}).execute()
    assert (restored["status"], restored["sequence"]) == ("confirmed", 2)


def test_update_replaces_the_event_and_patch_merges_into_it(google: GoogleSimulator) -> None:
    events = calendar_client(google, ADA).events()
    private = {"private": {"booking": "7", "step": "1"}}
    body = _body(id=EVENT_ID, description="Long", extendedProperties=private)
    events.insert(calendarId="primary", body=body).execute()
    patch = {"extendedProperties": {"private": {"step": "2"}}, "description": None}
    patched = events.patch(calendarId="primary", eventId=EVENT_ID, body=patch).execute()
    assert patched["extendedProperties"] == {"private": {"booking": "7", "step": "2"}}
    assert "description" not in patched
    assert patched["sequence"] == 0
    moved = _body("2026-03-04T10:00:00+01:00", "2026-03-04T10:30:00+01:00")
    updated = events.update(calendarId="primary", eventId=EVENT_ID, body=moved).execute()
    assert "extendedProperties" not in updated
    assert (updated["iCalUID"], updated["sequence"]) == (f"{EVENT_ID}@google.com", 1)


def test_a_write_with_an_old_etag_is_refused(google: GoogleSimulator) -> None:
    events = calendar_client(google, ADA).events()
    first = events.insert(calendarId="primary", body=_body(id=EVENT_ID)).execute()
    second = events.patch(calendarId="primary", eventId=EVENT_ID, body={"summary": "New"}).execute()
    assert second["etag"] != first["etag"]
    for request in (
        events.patch(calendarId="primary", eventId=EVENT_ID, body={"summary": "Late"}),
        events.delete(calendarId="primary", eventId=EVENT_ID),
    ):
        request.headers["If-Match"] = first["etag"]
        assert _refused(request) == (412, "conditionNotMet")
        request.headers["If-Match"] = second["etag"]
        request.execute()
        second = google.event(ADA, EVENT_ID)


def test_a_meet_link_is_made_when_the_client_asks_with_version_1(google: GoogleSimulator) -> None:
    events = calendar_client(google, ADA).events()
    asked = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    plain = events.insert(calendarId="primary", body=_body(conferenceData=asked)).execute()
    assert "conferenceData" not in plain
    event = events.insert(calendarId="primary", body=_body(conferenceData=asked), conferenceDataVersion=1).execute()
    link = event["hangoutLink"]
    assert link.startswith("https://meet.google.com/")
    assert event["conferenceData"]["createRequest"]["status"] == {"statusCode": "success"}
    assert event["conferenceData"]["entryPoints"][0]["uri"] == link
    kept = events.patch(calendarId="primary", eventId=event["id"], body={"summary": "Other"}).execute()
    assert kept["hangoutLink"] == link
    again = {"conferenceData": asked}
    same = events.patch(calendarId="primary", eventId=event["id"], body=again, conferenceDataVersion=1).execute()
    assert same["hangoutLink"] == link
    none = {"conferenceData": None}
    gone = events.patch(calendarId="primary", eventId=event["id"], body=none, conferenceDataVersion=1).execute()
    assert "hangoutLink" not in gone


def test_a_conference_may_be_pending_first(google: GoogleSimulator) -> None:
    google.settings.conference_pending = True
    events = calendar_client(google, ADA).events()
    asked = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    event = events.insert(calendarId="primary", body=_body(conferenceData=asked), conferenceDataVersion=1).execute()
    assert event["conferenceData"]["createRequest"]["status"] == {"statusCode": "pending"}
    assert "hangoutLink" not in event
    google.finish_conference(ADA, event["id"])
    assert "hangoutLink" in events.get(calendarId="primary", eventId=event["id"]).execute()


IN_BERLIN = {"dateTime": "2026-03-03T10:00:00+01:00", "timeZone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "has-a-dash"}, "invalid"),
        ({"id": "abcd"}, "invalid"),
        ({"id": "upperW"}, "invalid"),
        ({"end": None}, "required"),
        ({"end": {"date": "2026-03-03"}}, "invalid"),
        ({"end": {"dateTime": "2026-03-03T09:00:00+01:00"}}, "timeRangeEmpty"),
        ({"start": {"dateTime": "2026-03-03T10:00:00"}}, "required"),
        ({"start": {"dateTime": "2026-03-03T10:00:00", "timeZone": "Mars/X"}}, "invalid"),
        ({"attendees": [{"displayName": "No address"}]}, "required"),
        ({"attendees": [{"email": "not an address"}]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=DAILY"]}, "required"),
        ({"recurrence": ["RRULE:FREQ=SOMETIMES"], "start": IN_BERLIN}, "invalid"),
        ({"transparency": "glassy"}, "invalid"),
    ],
)
def test_a_broken_event_is_refused(unchecked_google: GoogleSimulator, change: dict[str, Any], reason: str) -> None:
    events = calendar_client(unchecked_google, ADA).events()
    assert _refused(events.insert(calendarId="primary", body=_body() | change)) == (400, reason)
    assert unchecked_google.events(ADA) == []


def test_a_partial_answer_has_only_the_fields_that_were_asked_for(google: GoogleSimulator) -> None:
    google.add_event(ADA, "Talk", datetime(2026, 3, 3, 10, tzinfo=BERLIN), datetime(2026, 3, 3, 11, tzinfo=BERLIN))
    mask = "items(status,start/dateTime),nextSyncToken"
    answer = calendar_client(google, ADA).events().list(calendarId="primary", fields=mask).execute()
    assert answer["items"] == [{"status": "confirmed", "start": {"dateTime": "2026-03-03T10:00:00+01:00"}}]
    assert set(answer) == {"items", "nextSyncToken"}


# -- series and days


@pytest.fixture
def weekly(google: GoogleSimulator) -> str:
    """Mondays 09:00 in Berlin over the change to summer time; one moved, cancelled and left out each."""
    series = google.add_recurring(
        ADA,
        "Weekly",
        datetime(2026, 3, 16, 9, tzinfo=BERLIN),
        datetime(2026, 3, 16, 10, tzinfo=BERLIN),
        ["RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE;TZID=Europe/Berlin:20260413T090000"],
    )
    first, second = datetime(2026, 3, 23, 9, tzinfo=BERLIN), datetime(2026, 3, 30, 9, tzinfo=BERLIN)
    google.move_instance(ADA, series["id"], first, first.replace(day=24, hour=14), first.replace(day=24, hour=15))
    google.cancel_instance(ADA, series["id"], second)
    return str(series["id"])


def test_a_series_is_expanded_in_wall_time_with_its_exceptions(google: GoogleSimulator, weekly: str) -> None:
    service = calendar_client(google, ADA)
    listed = service.events().list(calendarId="primary", singleEvents=True, orderBy="startTime").execute()["items"]
    assert _times(listed) == [
        ("2026-03-16T09:00:00+01:00", "confirmed"),
        ("2026-03-24T14:00:00+01:00", "confirmed"),
        ("2026-04-06T09:00:00+02:00", "confirmed"),
    ]
    moved = listed[1]
    assert moved["id"] == f"{weekly}_20260323T080000Z"
    assert moved["recurringEventId"] == weekly
    assert moved["originalStartTime"]["dateTime"] == "2026-03-23T09:00:00+01:00"
    assert len({event["iCalUID"] for event in listed}) == 1
    assert all("recurrence" not in event for event in listed)
    in_utc = service.events().list(calendarId="primary", singleEvents=True, timeZone="UTC").execute()
    assert in_utc["items"][2]["start"] == {"dateTime": "2026-04-06T07:00:00Z", "timeZone": "Europe/Berlin"}


def test_without_expansion_a_list_has_the_series_and_its_exceptions(google: GoogleSimulator, weekly: str) -> None:
    items = calendar_client(google, ADA).events().list(calendarId="primary").execute()["items"]
    assert [(item["id"], item["status"]) for item in items] == [
        (weekly, "confirmed"),
        (f"{weekly}_20260323T080000Z", "confirmed"),
        (f"{weekly}_20260330T070000Z", "cancelled"),
    ]
    assert items[0]["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE;TZID=Europe/Berlin:20260413T090000"]
    assert set(items[2]) == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}


def test_instances_of_a_series_can_be_read_moved_and_deleted_one_by_one(google: GoogleSimulator, weekly: str) -> None:
    events = calendar_client(google, ADA).events()
    shown = events.instances(calendarId="primary", eventId=weekly, showDeleted=True).execute()["items"]
    assert [item["status"] for item in shown] == ["confirmed", "confirmed", "cancelled", "confirmed"]
    last = shown[3]["id"]
    assert events.get(calendarId="primary", eventId=last).execute()["start"]["dateTime"] == "2026-04-06T09:00:00+02:00"
    times = {"start": {"dateTime": "2026-04-07T09:00:00+02:00"}, "end": {"dateTime": "2026-04-07T10:00:00+02:00"}}
    moved = events.patch(calendarId="primary", eventId=last, body=times).execute()
    assert (moved["id"], moved["originalStartTime"]["dateTime"]) == (last, "2026-04-06T09:00:00+02:00")
    events.delete(calendarId="primary", eventId=last).execute()
    assert _refused(events.delete(calendarId="primary", eventId=last)) == (410, "deleted")
    left = events.instances(calendarId="primary", eventId=weekly).execute()["items"]
    assert [item["start"]["dateTime"][:10] for item in left] == ["2026-03-16", "2026-03-24"]
    assert _refused(events.get(calendarId="primary", eventId=f"{weekly}_20260317T080000Z")) == (404, "notFound")


def test_a_wall_time_that_does_not_exist_moves_forward(google: GoogleSimulator) -> None:
    google.add_recurring(
        ADA,
        "Night shift",
        datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN),
        datetime(2026, 3, 28, 3, 0, tzinfo=BERLIN),
        ["RRULE:FREQ=DAILY;UNTIL=20260330T003000Z"],
    )
    items = calendar_client(google, ADA).events().list(calendarId="primary", singleEvents=True).execute()["items"]
    assert _times(items) == [
        ("2026-03-28T02:30:00+01:00", "confirmed"),
        ("2026-03-29T03:30:00+02:00", "confirmed"),
        ("2026-03-30T02:30:00+02:00", "confirmed"),
    ]


def test_a_series_without_end_stops_after_730_instances_unless_a_window_says_where(google: GoogleSimulator) -> None:
    morning = datetime(2026, 1, 1, 9, tzinfo=UTC)
    google.add_recurring(ADA, "Daily", morning, morning.replace(hour=10), ["RRULE:FREQ=DAILY"])
    events = calendar_client(google, ADA).events()
    assert len(events.list(calendarId="primary", singleEvents=True, maxResults=2500).execute()["items"]) == 730
    window = {"timeMin": "2036-01-01T00:00:00Z", "timeMax": "2036-01-03T00:00:00Z"}
    assert len(events.list(calendarId="primary", singleEvents=True, **window).execute()["items"]) == 2


def test_a_whole_day_has_dates_and_an_exclusive_end(google: GoogleSimulator) -> None:
    google.add_event(ADA, "Holiday", date(2026, 3, 5), date(2026, 3, 7), transparency="transparent")
    google.add_recurring(ADA, "Home", date(2026, 3, 2), date(2026, 3, 3), ["RRULE:FREQ=WEEKLY;COUNT=2"])
    events = calendar_client(google, ADA).events()
    items = events.list(calendarId="primary", singleEvents=True, orderBy="startTime").execute()["items"]
    assert [(item["start"], item["end"]) for item in items] == [
        ({"date": "2026-03-02"}, {"date": "2026-03-03"}),
        ({"date": "2026-03-05"}, {"date": "2026-03-07"}),
        ({"date": "2026-03-09"}, {"date": "2026-03-10"}),
    ]
    assert items[1]["transparency"] == "transparent"
    assert items[2]["id"].endswith("_20260309")
    # Midnight is Berlin's: the holiday ends at 23:00 UTC on the 6th.
    window = {"timeMin": "2026-03-06T23:00:00Z", "timeMax": "2026-03-08T23:00:00Z"}
    assert events.list(calendarId="primary", singleEvents=True, **window).execute()["items"] == []


def test_a_list_is_filtered_by_properties_uid_type_and_words(google: GoogleSimulator) -> None:
    start, end = datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC)
    google.add_event(ADA, "Booked", start, end, extendedProperties={"private": {"booking": "7"}})
    away = google.add_event(ADA, "Away", start, end, eventType="outOfOffice", description="in Rome")
    events = calendar_client(google, ADA).events()

    def found(**query: Any) -> list[str]:
        return [item["summary"] for item in events.list(calendarId="primary", **query).execute()["items"]]

    assert found(privateExtendedProperty="booking=7") == ["Booked"]
    assert found(privateExtendedProperty=["booking=7", "step=1"]) == []
    assert found(iCalUID=away["iCalUID"]) == ["Away"]
    assert found(eventTypes=["outOfOffice", "focusTime"]) == ["Away"]
    assert found(q="rome away") == ["Away"]
    assert found() == ["Booked", "Away"]


# -- guests


def test_guests_get_copies_answer_and_are_mailed_as_asked(google: GoogleSimulator) -> None:
    events = calendar_client(google, ADA).events()
    body = _body(id=EVENT_ID, attendees=[{"email": BOB}, {"email": "guest@else.example"}])
    events.insert(calendarId="primary", body=body, sendUpdates="all").execute()
    copy = calendar_client(google, BOB).events().get(calendarId="primary", eventId=EVENT_ID).execute()
    assert copy["organizer"] == {"email": ADA}
    assert copy["attendees"][0] == {"email": BOB, "responseStatus": "needsAction", "self": True}
    google.respond(BOB, EVENT_ID, "declined")
    assert google.event(ADA, EVENT_ID)["attendees"][0]["responseStatus"] == "declined"

    new_times = _body("2026-03-03T12:00:00+01:00", "2026-03-03T12:30:00+01:00")
    patch = {name: new_times[name] for name in ("start", "end")}
    events.patch(calendarId="primary", eventId=EVENT_ID, body=patch, sendUpdates="externalOnly").execute()
    assert google.event(BOB, EVENT_ID)["start"]["dateTime"] == "2026-03-03T12:00:00+01:00"
    events.delete(calendarId="primary", eventId=EVENT_ID, sendUpdates="none").execute()
    assert google.events(BOB) == []
    assert google.mails == [
        Mail(BOB, "invitation", ADA, EVENT_ID, "Talk", 0),
        Mail("guest@else.example", "invitation", ADA, EVENT_ID, "Talk", 0),
        Mail("guest@else.example", "update", ADA, EVENT_ID, "Talk", 1),
    ]


def test_a_guest_cannot_change_what_belongs_to_the_organizer(google: GoogleSimulator) -> None:
    start, end = datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC)
    guests = [{"email": ADA, "responseStatus": "accepted"}]
    event = google.add_event(ADA, "Invited", start, end, organizer="boss@else.example", attendees=guests)
    events = calendar_client(google, ADA).events()
    patch = events.patch(calendarId="primary", eventId=event["id"], body={"summary": "Mine"})
    assert _refused(patch) == (403, "forbiddenForNonOrganizer")
    own = {"transparency": "transparent"}
    assert events.patch(calendarId="primary", eventId=event["id"], body=own).execute()["transparency"] == "transparent"


# -- calendars


def test_the_calendar_list_has_own_and_shared_calendars_with_roles(google: GoogleSimulator) -> None:
    side = google.add_calendar(ADA, "Side projects")
    google.share_calendar(BOB, ADA, "freeBusyReader")
    team = google.add_calendar(BOB, "Team", time_zone="Europe/London")
    google.share_calendar(team, ADA, "writer")
    google.hide_calendar(ADA, side)
    lists = calendar_client(google, ADA).calendarList()

    def roles(**query: Any) -> dict[str, str]:
        return {item["id"]: item["accessRole"] for item in lists.list(**query).execute()["items"]}

    assert roles() == {ADA: "owner", BOB: "freeBusyReader", team: "writer"}
    assert roles(showHidden=True) == {ADA: "owner", side: "owner", BOB: "freeBusyReader", team: "writer"}
    assert roles(minAccessRole="writer") == {ADA: "owner", team: "writer"}
    primary = lists.get(calendarId="primary").execute()
    assert (primary["id"], primary["primary"], primary["timeZone"]) == (ADA, True, "Europe/Berlin")
    assert lists.get(calendarId=team).execute()["dataOwner"] == BOB


def test_the_calendar_list_is_paged_and_tells_changes(google: GoogleSimulator) -> None:
    for number in range(3):
        google.add_calendar(ADA, f"Calendar {number}")
    lists = calendar_client(google, ADA).calendarList()
    request, pages = lists.list(maxResults=2), []
    while request is not None:
        pages.append(request.execute())
        request = lists.list_next(request, pages[-1])
    assert [len(page["items"]) for page in pages] == [2, 2]
    assert ["nextSyncToken" in page for page in pages] == [False, True]
    google.share_calendar(BOB, ADA, "reader")
    google.share_calendar(BOB, ADA, "none")
    changed = lists.list(syncToken=pages[-1]["nextSyncToken"]).execute()["items"]
    assert [(item["id"], item.get("deleted")) for item in changed] == [(BOB, True)]


def test_a_new_calendar_belongs_to_its_maker(google: GoogleSimulator) -> None:
    service = calendar_client(google, ADA)
    made = service.calendars().insert(body={"summary": "Bookings"}).execute()
    assert (made["dataOwner"], made["timeZone"]) == (ADA, "Europe/Berlin")
    event = service.events().insert(calendarId=made["id"], body=_body()).execute()
    assert event["organizer"] == {"email": made["id"], "displayName": "Bookings", "self": True}
    assert event["creator"] == {"email": ADA}


def test_a_role_decides_what_is_seen_and_what_may_be_done(google: GoogleSimulator) -> None:
    start, end = datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC)
    google.add_event(ADA, "Open", start, end)
    google.add_event(ADA, "Secret", start, end, visibility="private")
    events = calendar_client(google, BOB).events()
    assert _refused(events.list(calendarId=ADA)) == (404, "notFound")

    google.share_calendar(ADA, BOB, "reader")
    page = events.list(calendarId=ADA).execute()
    assert page["accessRole"] == "reader"
    assert [item.get("summary") for item in page["items"]] == ["Open", None]
    assert page["items"][1]["visibility"] == "private"
    assert _refused(events.insert(calendarId=ADA, body=_body())) == (403, "requiredAccessLevel")

    google.share_calendar(ADA, BOB, "freeBusyReader")
    assert all("summary" not in item for item in events.list(calendarId=ADA).execute()["items"])
    google.share_calendar(ADA, BOB, "writer")
    assert events.insert(calendarId=ADA, body=_body()).execute()["creator"] == {"email": BOB}


@pytest.mark.parametrize(("status", "reason"), [(404, "notFound"), (403, "forbidden")])
def test_a_lost_calendar_answers_nothing_until_access_is_back(
    google: GoogleSimulator, status: int, reason: str
) -> None:
    team = google.add_calendar(BOB, "Team")
    google.share_calendar(team, ADA, "reader")
    service = calendar_client(google, ADA)
    token = service.events().list(calendarId=team).execute()["nextSyncToken"]
    google.lose_access(ADA, team, status=status)
    assert _refused(service.events().list(calendarId=team)) == (status, reason)
    assert _refused(service.calendarList().get(calendarId=team)) == (status, reason)
    assert team not in [item["id"] for item in service.calendarList().list().execute()["items"]]
    assert service.events().list(calendarId="primary").execute()["items"] == []
    google.restore_access(ADA, team)
    assert service.events().list(calendarId=team).execute()["items"] == []
    assert _refused(service.events().list(calendarId=team, syncToken=token)) == (410, "fullSyncRequired")


# -- free/busy


def test_free_busy_counts_what_blocks_and_tells_errors_per_calendar(google: GoogleSimulator) -> None:
    def at(hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 3, 3, hour, minute, tzinfo=UTC)

    me = {"email": ADA}
    google.add_event(ADA, "Busy", at(9), at(10))
    google.add_event(ADA, "Overlapping", at(9, 30), at(10, 30))
    google.add_event(ADA, "Free", at(11), at(12), transparency="transparent")
    google.add_event(ADA, "Tentative", at(12), at(13), status="tentative")
    boss = "boss@else.example"
    google.add_event(ADA, "No", at(13), at(14), organizer=boss, attendees=[me | {"responseStatus": "declined"}])
    google.add_event(ADA, "Open", at(14), at(15), organizer=boss, attendees=[me | {"responseStatus": "needsAction"}])
    google.cancel_event(ADA, google.add_event(ADA, "Cancelled", at(15), at(16))["id"])
    google.add_event(ADA, "Away", at(16), at(17), eventType="outOfOffice")
    google.share_calendar(BOB, ADA, "freeBusyReader")
    google.add_event(BOB, "Bob", at(8), at(9))
    body = {
        "timeMin": "2026-03-03T08:30:00Z",
        "timeMax": "2026-03-03T20:00:00Z",
        "items": [{"id": ADA}, {"id": BOB}, {"id": "stranger@else.example"}],
    }
    answer = calendar_client(google, ADA).freebusy().query(body=body).execute()
    assert answer["calendars"] == {
        ADA: {
            "busy": [
                {"start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:30:00Z"},
                {"start": "2026-03-03T12:00:00Z", "end": "2026-03-03T13:00:00Z"},
                {"start": "2026-03-03T14:00:00Z", "end": "2026-03-03T15:00:00Z"},
                {"start": "2026-03-03T16:00:00Z", "end": "2026-03-03T17:00:00Z"},
            ]
        },
        BOB: {"busy": [{"start": "2026-03-03T08:30:00Z", "end": "2026-03-03T09:00:00Z"}]},
        "stranger@else.example": {"busy": [], "errors": [{"domain": "global", "reason": "notFound"}]},
    }


def test_free_busy_sees_series_and_whole_days(google: GoogleSimulator, weekly: str) -> None:
    google.add_event(ADA, "Holiday", date(2026, 3, 29), date(2026, 3, 30))
    body = {"timeMin": "2026-03-22T00:00:00Z", "timeMax": "2026-04-12T00:00:00Z", "items": [{"id": "primary"}]}
    answer = calendar_client(google, ADA).freebusy().query(body=body | {"timeZone": "Europe/Berlin"}).execute()
    assert answer["calendars"]["primary"]["busy"] == [
        {"start": "2026-03-24T14:00:00+01:00", "end": "2026-03-24T15:00:00+01:00"},
        {"start": "2026-03-29T00:00:00+01:00", "end": "2026-03-30T00:00:00+02:00"},
        {"start": "2026-04-06T09:00:00+02:00", "end": "2026-04-06T10:00:00+02:00"},
    ]


@pytest.mark.parametrize(
    ("end", "reason"), [("2026-03-01T00:00:00Z", "timeRangeEmpty"), ("2026-07-01T00:00:00Z", "timeRangeTooLong")]
)
def test_free_busy_refuses_an_empty_or_too_long_window(google: GoogleSimulator, end: str, reason: str) -> None:
    body = {"timeMin": "2026-03-01T00:00:00Z", "timeMax": end, "items": [{"id": "primary"}]}
    assert _refused(calendar_client(google, ADA).freebusy().query(body=body)) == (400, reason)


# -- looking, and the log


def test_a_person_can_watch_a_calendar_in_the_browser(google: GoogleSimulator, weekly: str) -> None:
    google.add_event(ADA, "<b>Tag</b>", datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC))
    page = requests.get(f"{google.url}/calendar/u/{ADA}", timeout=5).text
    assert "Tue 2026-03-03 11:00 - 12:00 CET" in page
    assert "&lt;b&gt;Tag&lt;/b&gt;" in page
    assert page.count("Weekly") == 3
    assert ADA in requests.get(google.url, timeout=5).text


def test_the_log_says_who_asked_what_and_what_came_of_it(google: GoogleSimulator) -> None:
    events = calendar_client(google, credentials(google, ADA)).events()
    events.insert(calendarId="primary", body=_body(id=EVENT_ID), sendUpdates="all").execute()
    call = google.requests_for("events.insert")[0]
    assert (call.number, call.verb, call.path) == (1, "POST", "/calendar/v3/calendars/primary/events")
    assert (call.account, call.status, call.answer["id"]) == (ADA, 200, EVENT_ID)
    assert call.query["sendUpdates"] == "all"
    assert call.body["summary"] == "Talk"
    assert google.requests_for("events.") == google.calls


def test_a_method_that_is_not_simulated_says_so(google: GoogleSimulator) -> None:
    with pytest.raises(HttpError, match=r"acl\.list is not simulated"):
        calendar_client(google, ADA).acl().list(calendarId="primary").execute()
