"""Calendars, events, views and free/busy time of the Office 365 simulator, driven over HTTP."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from meetings.adapters.office365.simulator import Office365Simulator, weekly
from tests.contracts.calendars.world import Clock
from tests.contracts.office365.clients import graph_client, refusal

ADA, BOB = "ada@example.com", "bob@example.com"
KEY = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name BookingKey"
MARCH = {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-04-01T00:00:00Z"}


def _time(text: str, zone: str = "Europe/Berlin") -> dict[str, str]:
    return {"dateTime": text, "timeZone": zone}


def _body(**more: Any) -> dict[str, Any]:
    return {"subject": "Tea", "start": _time("2026-03-03T10:00:00"), "end": _time("2026-03-03T11:00:00"), **more}


def _guest(address: str, **more: Any) -> dict[str, Any]:
    return {"emailAddress": {"address": address, **more}, "type": "required"}


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def _starts(answer: httpx.Response) -> list[str]:
    return [each["start"]["dateTime"][:16] for each in answer.json()["value"]]


# -- the person and their calendars


def test_a_person_is_described_with_a_mail_address(office: Office365Simulator, ada: httpx.Client) -> None:
    me = ada.get("/me").json()
    assert (me["id"], me["mail"], me["userPrincipalName"]) == (office.object_id(ADA), ADA, ADA)
    assert ada.get("/me", params={"$select": "mail,userPrincipalName"}).json().keys() == {
        "@odata.context",
        "id",
        "mail",
        "userPrincipalName",
    }
    assert ada.get(f"/users/{me['id']}").json()["mail"] == ADA
    assert refusal(ada.get(f"/users/{BOB}")) == (403, "ErrorAccessDenied")


def test_a_mailbox_says_its_zone_by_windows_name(ada: httpx.Client) -> None:
    settings = ada.get("/me/mailboxSettings").json()
    assert (settings["timeZone"], settings["workingHours"]["timeZone"]["name"]) == ("W. Europe Standard Time",) * 2


def test_own_calendars_and_shared_ones_are_listed_with_what_may_be_done(
    office: Office365Simulator, ada: httpx.Client
) -> None:
    choir = office.add_calendar(ADA, "Choir")
    roles = ("freeBusyRead", "limitedRead", "read", "write", "delegateWithPrivateEventAccess")
    for role in roles:
        office.share_calendar(office.add_calendar(BOB, role), ADA, role)
    listed = ada.get("/me/calendars").json()["value"]
    assert [(each["name"], each["canEdit"], each["canShare"], each["canViewPrivateItems"]) for each in listed] == [
        ("Calendar", True, True, True),
        ("Choir", True, True, True),
        ("freeBusyRead", False, False, False),
        ("limitedRead", False, False, False),
        ("read", False, False, False),
        ("write", True, False, False),
        ("delegateWithPrivateEventAccess", True, False, True),
    ]
    assert [each["isDefaultCalendar"] for each in listed] == [True] + [False] * 6
    assert listed[0]["owner"] == {"name": "Ada Lovelace", "address": ADA}
    assert listed[2]["owner"]["address"] == BOB
    assert ada.get(f"/me/calendars/{choir}").json()["name"] == "Choir"
    assert ada.get("/me/calendar").json()["id"] == office.default_calendar(ADA)


def test_a_list_comes_in_pages(office: Office365Simulator, ada: httpx.Client) -> None:
    for number in range(12):
        office.add_calendar(ADA, f"Calendar {number}")
    first = ada.get("/me/calendars").json()
    assert len(first["value"]) == 10
    second = ada.get(first["@odata.nextLink"]).json()
    assert (len(second["value"]), "@odata.nextLink" in second) == (3, False)
    third = ada.get("/me/calendars", params={"$top": "5", "$select": "name"}).json()
    assert "$top=5" in third["@odata.nextLink"]
    assert "$select=name" in third["@odata.nextLink"]
    by_header = graph_client(office, ADA, prefer="odata.maxpagesize=2")
    with by_header:
        assert len(by_header.get("/me/calendars").json()["value"]) == 2


@pytest.mark.parametrize("top", ["0", "1001", "x"])
def test_a_page_has_one_to_a_thousand_entries(unchecked_office: Office365Simulator, top: str) -> None:
    with graph_client(unchecked_office, ADA) as ada:
        assert refusal(ada.get("/me/calendars", params={"$top": top})) == (400, "ErrorInvalidParameter")


def test_a_calendar_is_made_once_under_a_name(ada: httpx.Client) -> None:
    made = ada.post("/me/calendars", json={"name": "Choir"})
    assert (made.status_code, made.json()["name"]) == (201, "Choir")
    assert refusal(ada.post("/me/calendars", json={"name": "Choir"})) == (409, "ErrorFolderExists")


def test_a_calendar_that_was_taken_away_is_not_there(office: Office365Simulator, ada: httpx.Client) -> None:
    team = office.add_calendar(BOB, "Team")
    office.share_calendar(team, ADA, "read")
    assert ada.get(f"/me/calendars/{team}").status_code == 200
    office.lose_access(ADA, team)
    assert refusal(ada.get(f"/me/calendars/{team}")) == (404, "ErrorItemNotFound")
    office.lose_access(ADA, team, status=403)
    assert refusal(ada.get(f"/me/calendars/{team}")) == (403, "ErrorAccessDenied")
    assert team not in [each["id"] for each in ada.get("/me/calendars").json()["value"]]
    office.restore_access(ADA, team)
    assert ada.get(f"/me/calendars/{team}").status_code == 200
    office.share_calendar(team, ADA, "none")
    assert refusal(ada.get(f"/me/calendars/{team}")) == (404, "ErrorItemNotFound")


@pytest.mark.parametrize(
    ("hybrid", "mail", "words"),
    [(False, None, "either inactive, soft-deleted"), (True, "cy@example.com", "not yet supported for this mailbox")],
)
def test_an_account_without_a_mailbox_here_has_no_calendars(
    office: Office365Simulator, signed_in: Callable[..., httpx.Client], hybrid: bool, mail: str | None, words: str
) -> None:
    assert office.add_account("cy@example.com", "Cy", mailbox=False, hybrid=hybrid) == ""
    cy = signed_in("cy@example.com")
    assert cy.get("/me").json()["mail"] == mail
    refused = cy.get("/me/calendars")
    assert refusal(refused) == (404, "MailboxNotEnabledForRESTAPI")
    assert words in refused.json()["error"]["message"]


# -- writing one event


def test_an_event_comes_back_as_the_service_keeps_it(office: Office365Simulator, ada: httpx.Client) -> None:
    calendar = office.default_calendar(ADA)
    answer = ada.post(f"/me/calendars/{calendar}/events", json=_body(location={"displayName": "Café"}))
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (
        201,
        f"{office.endpoints.api}/me/calendars/{calendar}/events/{made['id']}",
    )
    assert (made["start"], made["originalStartTimeZone"]) == (
        {"dateTime": "2026-03-03T09:00:00.0000000", "timeZone": "UTC"},
        "W. Europe Standard Time",
    )
    assert (made["type"], made["showAs"], made["isOrganizer"], made["location"]["displayName"]) == (
        "singleInstance",
        "busy",
        True,
        "Café",
    )
    assert made["@odata.etag"] == f'W/"{made["changeKey"]}"'
    assert ada.get(f"/me/events/{made['id']}").json() == {**made}
    assert ada.get(f"/me/calendar/events/{made['id']}").json()["id"] == made["id"]


@pytest.mark.parametrize("zone", ["America/New_York", "Eastern Standard Time"])
def test_zones_are_taken_by_either_name_and_shown_in_the_one_preferred(
    ada: httpx.Client, signed_in: Callable[..., httpx.Client], zone: str
) -> None:
    made = ada.post(
        "/me/events", json=_body(start=_time("2026-03-03T10:00:00", zone), end=_time("2026-03-03T11:00:00", zone))
    )
    assert made.json()["start"]["dateTime"] == "2026-03-03T15:00:00.0000000"
    berlin = signed_in(ADA, prefer='outlook.timezone="W. Europe Standard Time", IdType="ImmutableId"')
    seen = berlin.get(f"/me/events/{made.json()['id']}")
    assert seen.json()["start"] == _time("2026-03-03T16:00:00.0000000", "W. Europe Standard Time")
    assert 'outlook.timezone="W. Europe Standard Time"' in seen.headers["preference-applied"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"start": {"timeZone": "UTC"}}, "ErrorPropertyValidationFailure"),
        ({"start": _time("tomorrow")}, "ErrorInvalidRequest"),
        ({"start": _time("2026-03-03T10:00:00", "Mars/Base")}, "TimeZoneNotSupportedException"),
        ({"end": _time("2026-03-03T09:00:00")}, "ErrorPropertyValidationFailure"),
        ({"isAllDay": True}, "ErrorPropertyValidationFailure"),
        ({"attendees": [_guest("not an address")]}, "ErrorInvalidRecipients"),
        ({"showAs": "away"}, "BadRequest"),
        ({"mood": "fine"}, "BadRequest"),
        ({"reminderMinutesBeforeStart": "soon"}, "BadRequest"),
        ({"onlineMeetingProvider": "skypeForBusiness", "isOnlineMeeting": True}, "ErrorPropertyValidationFailure"),
        ({"singleValueExtendedProperties": [{"id": "Colour", "value": "red"}]}, "ErrorInvalidProperty"),
        ({"recurrence": {"pattern": {"type": "weekly"}}}, "ErrorPropertyValidationFailure"),
    ],
)
def test_what_makes_no_sense_is_refused(unchecked_office: Office365Simulator, more: dict[str, Any], code: str) -> None:
    with graph_client(unchecked_office, ADA) as ada:
        refused = ada.post("/me/events", json=_body(**more))
        assert refusal(refused) == (400, code)
        inner = refused.json()["error"]["innerError"]
        assert inner["request-id"] == refused.headers["request-id"]
        assert unchecked_office.events(unchecked_office.default_calendar(ADA)) == []


def test_the_text_becomes_html_and_can_be_had_as_text(
    ada: httpx.Client, signed_in: Callable[..., httpx.Client]
) -> None:
    text = "Agenda: tea & cake.\n\nhttps://example.com/?a=b&c=<d>"
    made = ada.post("/me/events", json=_body(body={"contentType": "text", "content": text})).json()
    assert made["body"]["contentType"] == "html"
    assert "tea &amp; cake.<br>" in made["body"]["content"]
    assert made["bodyPreview"] == text
    plain = signed_in(ADA, prefer='outlook.body-content-type="text", IdType="ImmutableId"')
    assert plain.get(f"/me/events/{made['id']}").json()["body"] == {"contentType": "text", "content": text}
    page = {"contentType": "html", "content": "<html><body><p>One</p><p>Two</p></body></html>"}
    ada.patch(f"/me/events/{made['id']}", json={"body": page})
    assert plain.get(f"/me/events/{made['id']}").json()["body"]["content"] == "One\n\nTwo"


def test_a_patch_changes_what_it_names_under_the_version_it_expects(ada: httpx.Client) -> None:
    made = ada.post("/me/events", json=_body()).json()
    path = f"/me/events/{made['id']}"
    changed = ada.patch(path, json={"showAs": "oof"}, headers={"If-Match": made["@odata.etag"]})
    assert (changed.status_code, changed.json()["showAs"], changed.json()["subject"]) == (200, "oof", "Tea")
    assert changed.json()["@odata.etag"] != made["@odata.etag"]
    late = ada.patch(path, json={"subject": "Late"}, headers={"If-Match": made["@odata.etag"]})
    assert refusal(late) == (412, "ErrorIrresolvableConflict")
    assert ada.delete(path, headers={"If-Match": made["@odata.etag"]}).status_code == 412
    assert ada.delete(path, headers={"If-Match": "*"}).status_code == 204
    assert refusal(ada.delete(path)) == (404, "ErrorItemNotFound")
    assert refusal(ada.get(path)) == (404, "ErrorItemNotFound")


def test_what_was_deleted_may_still_be_read_where_the_service_gives_it(
    office: Office365Simulator, ada: httpx.Client
) -> None:
    path = f"/me/events/{ada.post('/me/events', json=_body()).json()['id']}"
    ada.delete(path)
    office.settings.bin_can_be_read = True
    assert ada.get(path).json()["subject"] == "Tea"
    assert refusal(ada.patch(path, json={"subject": "Coffee"})) == (404, "ErrorItemNotFound")
    assert ada.get("/me/events").json()["value"] == []


def test_a_repeated_creation_with_one_transaction_id_makes_one_event(
    office: Office365Simulator, ada: httpx.Client
) -> None:
    body = _body(transactionId="7b6cfd51-abf4-5eb9-a6fc-d59ee1aeebb1", attendees=[_guest("vera@visitors.example")])
    first, second = (ada.post("/me/events", json=body) for _ in range(2))
    assert (second.status_code, second.json()["id"]) == (201, first.json()["id"])
    assert [mail.kind for mail in office.mails] == ["invitation"]
    other = ada.post("/me/events", json={**body, "subject": "Coffee"})
    assert refusal(other) == (400, "ErrorDuplicateTransactionId")
    office.settings.refuse_same_transaction = True
    assert refusal(ada.post("/me/events", json=body)) == (400, "ErrorDuplicateTransactionId")
    ada.delete(f"/me/events/{first.json()['id']}")
    assert ada.post("/me/events", json=body).json()["id"] != first.json()["id"]


def test_extended_properties_are_found_and_shown_when_asked_for(ada: httpx.Client) -> None:
    made = ada.post(
        "/me/events", json=_body(singleValueExtendedProperties=[{"id": KEY, "value": "booking's 1"}])
    ).json()
    ada.post("/me/events", json=_body())
    assert "singleValueExtendedProperties" not in made
    carries = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq 'booking''s 1')"
    expand = f"singleValueExtendedProperties($filter=id eq '{KEY.replace('66f5', '66F5')}')"
    found = ada.get("/me/events", params={"$filter": carries, "$expand": expand, "$select": "subject"}).json()["value"]
    assert [(each["id"], each["singleValueExtendedProperties"][0]["value"]) for each in found] == [
        (made["id"], "booking's 1")
    ]
    assert set(found[0]) == {"@odata.etag", "id", "subject", "singleValueExtendedProperties"}
    none = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq 'booking 2')"
    assert ada.get("/me/events", params={"$filter": none}).json()["value"] == []
    ada.patch(f"/me/events/{made['id']}", json={"singleValueExtendedProperties": [{"id": KEY, "value": "2"}]})
    assert len(ada.get("/me/events", params={"$filter": none.replace("booking 2", "2")}).json()["value"]) == 1


@pytest.mark.parametrize(
    "params",
    [
        {"$filter": "subject eq 'Tea'"},
        {"$expand": "attachments"},
        {"$expand": "singleValueExtendedProperties"},
        {"$orderby": "subject"},
        {"$format": "xml"},
    ],
)
def test_questions_that_are_not_simulated_are_refused(
    unchecked_office: Office365Simulator, params: dict[str, str]
) -> None:
    with graph_client(unchecked_office, ADA) as ada:
        ada.post("/me/events", json=_body())
        assert ada.get("/me/events", params=params).status_code == 400


def test_ids_come_in_two_kinds_and_either_is_taken(ada: httpx.Client, signed_in: Callable[..., httpx.Client]) -> None:
    made = ada.post("/me/events", json=_body()).json()
    ordinary = signed_in(ADA, prefer="")
    (seen,) = ordinary.get("/me/events").json()["value"]
    assert seen["id"] != made["id"]
    assert ada.get(f"/me/events/{seen['id']}").json()["id"] == made["id"]
    assert ordinary.get(f"/me/events/{made['id']}").json()["id"] == seen["id"]


def test_text_that_cannot_be_an_id_is_malformed(office: Office365Simulator, ada: httpx.Client) -> None:
    for path in ("/me/events/not an id", "/me/calendars/a.b", "/me/calendars/a.b/events/abc"):
        assert refusal(ada.get(path)) == (400, "ErrorInvalidIdMalformed")
    unknown = office.default_calendar(ADA)[:-4] + "AAA="
    assert refusal(ada.get(f"/me/calendars/{unknown}")) == (404, "ErrorItemNotFound")
    assert refusal(ada.get(f"/me/events/{unknown}")) == (404, "ErrorItemNotFound")


def test_an_online_meeting_has_a_link_and_lives_as_long_as_its_text_names_it(ada: httpx.Client) -> None:
    text = {"contentType": "text", "content": "Tea"}
    made = ada.post("/me/events", json=_body(isOnlineMeeting=True, body=text)).json()
    link = made["onlineMeeting"]["joinUrl"]
    assert (made["onlineMeetingProvider"], link in made["body"]["content"]) == ("teamsForBusiness", True)
    path = f"/me/events/{made['id']}"
    assert ada.patch(path, json={"isOnlineMeeting": False, "subject": "Coffee"}).json()["isOnlineMeeting"] is True
    kept = {"contentType": "html", "content": made["body"]["content"].replace("Tea", "Coffee")}
    assert ada.patch(path, json={"body": kept}).json()["onlineMeeting"]["joinUrl"] == link
    ended = ada.patch(path, json={"body": text}).json()
    assert (ended["isOnlineMeeting"], ended["onlineMeeting"]) == (False, None)


def test_the_link_of_an_online_meeting_may_come_later(office: Office365Simulator, ada: httpx.Client) -> None:
    office.settings.link_pending = True
    made = ada.post("/me/events", json=_body(isOnlineMeeting=True)).json()
    assert (made["isOnlineMeeting"], made["onlineMeeting"]) == (True, None)
    office.finish_online_meeting(office.default_calendar(ADA), made["id"])
    assert ada.get(f"/me/events/{made['id']}").json()["onlineMeeting"]["joinUrl"].startswith("https://teams.")


def test_a_calendar_shared_for_reading_cannot_be_written(
    office: Office365Simulator, ada: httpx.Client, signed_in: Callable[..., httpx.Client]
) -> None:
    team = office.add_calendar(BOB, "Team")
    office.share_calendar(team, ADA, "read")
    assert refusal(ada.post(f"/me/calendars/{team}/events", json=_body())) == (403, "ErrorAccessDenied")
    office.share_calendar(team, ADA, "write")
    made = ada.post(f"/me/calendars/{team}/events", json=_body()).json()
    assert made["organizer"]["emailAddress"]["address"] == BOB
    assert signed_in(BOB).get(f"/me/events/{made['id']}").json()["subject"] == "Tea"


def test_sharing_decides_how_much_of_an_event_is_seen(office: Office365Simulator, ada: httpx.Client) -> None:
    team = office.add_calendar(BOB, "Team")
    place = {"displayName": "Clinic"}
    office.add_event(team, "Doctor", _at(3, 9), _at(3, 10), sensitivity="private", location=place)
    office.add_event(team, "Lesson", _at(3, 11), _at(3, 12), location=place)

    def seen(role: str) -> list[tuple[str, str | None, bool]]:
        office.share_calendar(team, ADA, role)
        entries = ada.get(f"/me/calendars/{team}/events").json()["value"]
        assert {each["showAs"] for each in entries} == {"busy"}
        return [
            (each["subject"], each.get("location", {}).get("displayName"), "body" in each and "webLink" in each)
            for each in entries
        ]

    hidden = ("Private Appointment", None, False)
    assert seen("freeBusyRead") == [hidden, ("Busy", None, False)]
    assert seen("limitedRead") == [hidden, ("Lesson", "Clinic", False)]
    assert seen("read") == [hidden, ("Lesson", "Clinic", True)]
    assert seen("write") == [hidden, ("Lesson", "Clinic", True)]
    assert seen("delegateWithPrivateEventAccess") == [("Doctor", "Clinic", True), ("Lesson", "Clinic", True)]


# -- meetings


def test_attendees_are_mailed_by_the_service(office: Office365Simulator, ada: httpx.Client) -> None:
    vera, will = _guest("vera@visitors.example", name="Vera"), _guest("will@visitors.example")
    made = ada.post("/me/events", json=_body(attendees=[vera])).json()
    assert made["attendees"][0]["emailAddress"]["name"] == "Vera"
    path = f"/me/events/{made['id']}"
    ada.patch(path, json={"showAs": "free", "singleValueExtendedProperties": [{"id": KEY, "value": "1"}]})
    ada.patch(path, json={"attendees": [vera, will]})
    ada.patch(path, json={"subject": "Coffee", "attendees": [will]})
    assert ada.post(f"{path}/cancel", json={"comment": "Sorry"}).status_code == 202
    assert [(mail.to.partition("@")[0], mail.kind) for mail in office.mails] == [
        ("vera", "invitation"),
        ("will", "invitation"),
        ("will", "update"),
        ("vera", "cancellation"),
        ("will", "cancellation"),
    ]
    assert refusal(ada.get(path)) == (404, "ErrorItemNotFound")


def test_deleting_a_meeting_cancels_it(office: Office365Simulator, ada: httpx.Client) -> None:
    made = ada.post("/me/events", json=_body(attendees=[_guest("vera@visitors.example")])).json()
    assert ada.delete(f"/me/events/{made['id']}").status_code == 204
    assert [mail.kind for mail in office.mails] == ["invitation", "cancellation"]


def test_an_attendee_has_a_copy_answers_and_sees_it_cancelled(
    office: Office365Simulator, ada: httpx.Client, signed_in: Callable[..., httpx.Client]
) -> None:
    bob = signed_in(BOB)
    made = ada.post("/me/events", json=_body(attendees=[_guest(BOB)])).json()
    (copy,) = bob.get("/me/events").json()["value"]
    assert (copy["id"] != made["id"], copy["iCalUId"] == made["iCalUId"]) == (True, True)
    assert (copy["isOrganizer"], copy["showAs"], copy["responseStatus"]["response"]) == (
        False,
        "tentative",
        "notResponded",
    )
    assert copy["transactionId"] is None
    path = f"/me/events/{copy['id']}"
    assert refusal(bob.patch(path, json={"subject": "Mine"})) == (403, "ErrorAccessDenied")
    assert refusal(bob.post(f"{path}/cancel", json={})) == (400, "ErrorAccessDenied")
    assert bob.post(f"{path}/accept", json={"sendResponse": True}).status_code == 202
    assert bob.get(path).json()["showAs"] == "busy"
    answered = ada.get(f"/me/events/{made['id']}").json()["attendees"][0]["status"]["response"]
    assert answered == "accepted"
    ada.patch(f"/me/events/{made['id']}", json={"subject": "Coffee"})
    assert (bob.get(path).json()["subject"], bob.get(path).json()["showAs"]) == ("Coffee", "busy")
    ada.delete(f"/me/events/{made['id']}")
    gone = bob.get(path).json()
    assert (gone["isCancelled"], gone["showAs"], gone["subject"]) == (True, "free", "Canceled: Coffee")
    assert refusal(ada.post(f"/me/events/{ada.post('/me/events', json=_body()).json()['id']}/accept", json={})) == (
        400,
        "ErrorInvalidRequest",
    )


def test_a_declined_meeting_goes_unless_the_person_keeps_such_meetings(
    office: Office365Simulator, ada: httpx.Client, signed_in: Callable[..., httpx.Client]
) -> None:
    bob = signed_in(BOB)
    for keep in (False, True):
        made = ada.post("/me/events", json=_body(attendees=[_guest(BOB)])).json()
        office.respond(BOB, made["id"], "declined", keep=keep)
    (kept,) = bob.get("/me/events").json()["value"]
    assert (kept["responseStatus"]["response"], kept["showAs"]) == ("declined", "free")


def test_somebody_without_an_account_can_invite(office: Office365Simulator, ada: httpx.Client) -> None:
    office.add_event(office.default_calendar(ADA), "Talk", _at(3, 9), _at(3, 10), organizer="cy@elsewhere.example")
    (seen,) = ada.get("/me/events").json()["value"]
    assert (seen["isOrganizer"], seen["organizer"]["emailAddress"]["address"]) == (False, "cy@elsewhere.example")
    assert [guest["emailAddress"]["address"] for guest in seen["attendees"]] == [ADA]


# -- views


def test_a_view_has_what_touches_it_in_order_of_time(office: Office365Simulator, ada: httpx.Client) -> None:
    calendar = office.default_calendar(ADA)
    office.add_event(calendar, "Late", _at(3, 12), _at(3, 13))
    office.add_event(calendar, "Over", _at(2, 23), _at(3, 1))
    office.add_event(calendar, "Before", _at(2, 22), _at(3, 0))
    office.add_event(calendar, "After", _at(4, 0), _at(4, 1))
    day = {"startDateTime": "2026-03-03T00:00:00Z", "endDateTime": "2026-03-04T01:00:00+01:00"}
    seen = ada.get(f"/me/calendars/{calendar}/calendarView", params=day).json()["value"]
    assert [each["subject"] for each in seen] == ["Over", "Late"]
    assert len(ada.get("/me/calendarView", params={**day, "$top": "1"}).json()["value"]) == 1


def test_names_of_parameters_are_taken_in_any_case_and_times_without_offset_are_utc(
    unchecked_office: Office365Simulator,
) -> None:
    calendar = unchecked_office.default_calendar(ADA)
    unchecked_office.add_event(calendar, "Late", _at(3, 23), _at(3, 23, 30))
    window = {"startdatetime": "2026-03-03T23:00:00", "enddatetime": "2026-03-04T00:00:00"}
    with graph_client(unchecked_office, ADA) as ada:
        assert len(ada.get("/me/calendarView", params=window).json()["value"]) == 1


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ({"startDateTime": "2026-03-03T00:00:00Z"}, "ErrorInvalidParameter"),
        ({"startDateTime": "soon", "endDateTime": "2026-03-04T00:00:00Z"}, "ErrorInvalidParameter"),
        ({"startDateTime": "2026-03-04T00:00:00Z", "endDateTime": "2026-03-03T00:00:00Z"}, "ErrorInvalidParameter"),
        ({"startDateTime": "2026-03-04T00:00:00Z", "endDateTime": "2031-03-05T00:00:00Z"}, "ErrorInvalidRequest"),
    ],
)
def test_a_view_needs_a_sensible_window(
    unchecked_office: Office365Simulator, window: dict[str, str], code: str
) -> None:
    with graph_client(unchecked_office, ADA) as ada:
        assert refusal(ada.get("/me/calendarView", params=window)) == (400, code)


def test_whole_days_are_midnight_to_midnight_whatever_zone_is_preferred(
    office: Office365Simulator, ada: httpx.Client, signed_in: Callable[..., httpx.Client]
) -> None:
    calendar = office.default_calendar(ADA)
    office.add_event(calendar, "Fair", date(2026, 3, 28), date(2026, 3, 30))
    for prefer in ('outlook.timezone="UTC"', 'outlook.timezone="Tokyo Standard Time"'):
        (seen,) = signed_in(ADA, prefer=prefer).get("/me/events").json()["value"]
        assert (seen["isAllDay"], seen["start"]["dateTime"], seen["end"]["dateTime"]) == (
            True,
            "2026-03-28T00:00:00.0000000",
            "2026-03-30T00:00:00.0000000",
        )
    # The days are the owner's: in Berlin the 28th begins at 23:00 UTC, and the clocks change on the 29th.
    for start, end, there in (("27T22:00", "27T23:00", 0), ("27T23:00", "28T00:00", 1), ("29T22:00", "29T23:00", 0)):
        window = {"startDateTime": f"2026-03-{start}:00Z", "endDateTime": f"2026-03-{end}:00Z"}
        assert len(ada.get("/me/calendarView", params=window).json()["value"]) == there


def test_a_series_keeps_its_wall_time_and_can_be_changed_one_by_one(
    office: Office365Simulator, ada: httpx.Client
) -> None:
    calendar = office.default_calendar(ADA)
    series = office.add_recurring(calendar, "Lesson", _at(17, 9), _at(17, 10), weekly(_at(17, 9), times=4))["id"]
    wide = {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-05-01T00:00:00Z"}
    view = ada.get("/me/calendarView", params=wide)
    assert _starts(view) == ["2026-03-17T09:00", "2026-03-24T09:00", "2026-03-31T08:00", "2026-04-07T08:00"]
    assert {(each["type"], each["seriesMasterId"]) for each in view.json()["value"]} == {("occurrence", series)}
    office.move_instance(calendar, series, _at(24, 9), _at(25, 15), _at(25, 16))
    office.cancel_instance(calendar, series, _at(31, 8))
    view = ada.get("/me/calendarView", params=wide)
    assert _starts(view) == ["2026-03-17T09:00", "2026-03-25T15:00", "2026-04-07T08:00"]
    moved = view.json()["value"][1]
    assert (moved["type"], moved["originalStart"]) == ("exception", "2026-03-24T09:00:00.0000000Z")
    assert ada.get(f"/me/events/{moved['id']}").json()["type"] == "exception"
    last = view.json()["value"][2]["id"]
    changed = ada.patch(f"/me/events/{last}", json={"showAs": "free"}).json()
    assert (changed["type"], changed["id"], changed["showAs"]) == ("exception", last, "free")
    assert ada.delete(f"/me/events/{last}").status_code == 204
    assert refusal(ada.get(f"/me/events/{last}")) == (404, "ErrorItemNotFound")
    (master,) = ada.get("/me/events").json()["value"]
    assert (master["id"], master["type"]) == (series, "seriesMaster")
    assert master["recurrence"]["range"]["numberOfOccurrences"] == 4
    assert len(ada.get(f"/me/events/{series}/instances", params=wide).json()["value"]) == 2
    ada.delete(f"/me/events/{series}")
    assert ada.get("/me/calendarView", params=wide).json()["value"] == []


@pytest.mark.parametrize(
    ("pattern", "ends", "days"),
    [
        ({"type": "daily", "interval": 3}, {"type": "numbered", "numberOfOccurrences": 3}, ["03-03", "03-06", "03-09"]),
        ({"type": "daily", "interval": 1}, {"type": "endDate", "endDate": "2026-03-05"}, ["03-03", "03-04", "03-05"]),
        (
            {"type": "weekly", "interval": 2, "daysOfWeek": ["tuesday", "friday"], "firstDayOfWeek": "monday"},
            {"type": "numbered", "numberOfOccurrences": 4},
            ["03-03", "03-06", "03-17", "03-20"],
        ),
        ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 3}, {"type": "noEnd"}, ["03-03", "04-03", "05-03"]),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "first"},
            {"type": "noEnd"},
            ["03-03", "04-07", "05-05"],
        ),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday", "tuesday"], "index": "last"},
            {"type": "noEnd"},
            ["03-31", "04-28", "05-26"],
        ),
        ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 3, "month": 3}, {"type": "noEnd"}, ["03-03"]),
        (
            {"type": "relativeYearly", "interval": 1, "daysOfWeek": ["thursday"], "index": "second", "month": 4},
            {"type": "noEnd"},
            ["04-09"],
        ),
    ],
)
def test_every_kind_of_recurrence_is_expanded(
    ada: httpx.Client, pattern: dict[str, Any], ends: dict[str, Any], days: list[str]
) -> None:
    recurrence = {"pattern": pattern, "range": {"startDate": "2026-03-03", **ends}}
    assert ada.post("/me/events", json=_body(recurrence=recurrence)).json()["type"] == "seriesMaster"
    window = {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-06-01T00:00:00Z"}
    assert [start[5:10] for start in _starts(ada.get("/me/calendarView", params=window))] == days


def test_an_attendee_sees_the_series_with_its_exceptions(
    office: Office365Simulator, signed_in: Callable[..., httpx.Client]
) -> None:
    calendar = office.default_calendar(ADA)
    rule = weekly(_at(3, 9), times=3)
    guests = [{"emailAddress": {"address": BOB}}]
    series = office.add_recurring(calendar, "Lesson", _at(3, 9), _at(3, 10), rule, attendees=guests)["id"]
    office.move_instance(calendar, series, _at(10, 9), _at(11, 15), _at(11, 16))
    office.cancel_instance(calendar, series, _at(17, 9))
    assert _starts(signed_in(BOB).get("/me/calendarView", params=MARCH)) == ["2026-03-03T09:00", "2026-03-11T15:00"]


# -- free/busy


def _schedule(*addresses: str, hours: int = 24, **more: Any) -> dict[str, Any]:
    end = datetime(2026, 3, 3, tzinfo=UTC) + timedelta(hours=hours)
    return {
        "schedules": list(addresses),
        "startTime": _time("2026-03-03T00:00:00", "UTC"),
        "endTime": _time(f"{end:%Y-%m-%dT%H:%M:%S}", "UTC"),
        **more,
    }


def test_free_busy_tells_status_and_digits_and_errors_for_each_person(
    office: Office365Simulator, ada: httpx.Client
) -> None:
    calendar = office.default_calendar(ADA)
    for hour, status in enumerate(("free", "tentative", "busy", "oof", "workingElsewhere")):
        office.add_event(calendar, f"Event {hour}", _at(3, hour), _at(3, hour + 1), showAs=status)
    asked = _schedule(ADA, "nobody@example.com", hours=6, availabilityViewInterval=60)
    own, nobody = ada.post("/me/calendar/getSchedule", json=asked).json()["value"]
    assert (own["scheduleId"], own["availabilityView"]) == (ADA, "012300")
    assert [item["status"] for item in own["scheduleItems"]] == ["free", "tentative", "busy", "oof", "workingElsewhere"]
    assert own["workingHours"]["timeZone"]["name"] == "W. Europe Standard Time"
    assert (nobody["error"]["responseCode"], nobody["scheduleItems"]) == ("ErrorMailRecipientNotFound", [])


def test_others_show_their_time_but_not_their_subjects(office: Office365Simulator, ada: httpx.Client) -> None:
    office.add_event(office.default_calendar(BOB), "Secret", _at(3, 9), _at(3, 10))
    (bob,) = ada.post("/me/calendar/getSchedule", json=_schedule(BOB)).json()["value"]
    assert "subject" not in bob["scheduleItems"][0]
    capital = {name[0].upper() + name[1:]: value for name, value in _schedule(BOB).items()}
    assert ada.post("/me/calendar/getSchedule", json=capital).json()["value"] == [bob]
    office.lose_access(ADA, office.default_calendar(BOB))
    (lost,) = ada.post("/me/calendar/getSchedule", json=_schedule(BOB)).json()["value"]
    assert lost["error"]["responseCode"] == "ErrorNoFreeBusyAccess"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (_schedule(), "ErrorInvalidRequest"),
        (_schedule(*(f"p{number}@example.com" for number in range(21))), "ErrorMailboxDataArrayTooBig"),
        (_schedule(ADA, hours=24 * 62 + 1), "ErrorTimeIntervalTooBig"),
        (_schedule(ADA, hours=0), "ErrorInvalidRequest"),
        (_schedule(ADA, availabilityViewInterval=1), "ErrorInvalidMergedFreeBusyInterval"),
    ],
)
def test_free_busy_has_limits(ada: httpx.Client, asked: dict[str, Any], code: str) -> None:
    assert refusal(ada.post("/me/calendar/getSchedule", json=asked)) == (400, code)


# -- the gate


def test_a_call_without_a_good_token_is_refused(office: Office365Simulator, ada: httpx.Client, clock: Clock) -> None:
    for header, words in (("", "empty"), ("Bearer made-up", "not well formed")):
        refused = ada.get("/me", headers={"Authorization": header})
        assert refusal(refused) == (401, "InvalidAuthenticationToken")
        assert words in refused.json()["error"]["message"]
    assert ada.get("/me").status_code == 200
    clock.forward(timedelta(seconds=4799))
    assert "expired" in ada.get("/me").json()["error"]["message"]


def test_a_permission_opens_what_it_is_for(office: Office365Simulator, signed_in: Callable[..., httpx.Client]) -> None:
    reader = signed_in(ADA, scopes=("https://graph.microsoft.com/Calendars.Read",))
    assert reader.get("/me/calendars").status_code == 200
    assert refusal(reader.post("/me/events", json=_body())) == (403, "ErrorAccessDenied")
    assert refusal(reader.get("/me")) == (403, "Authorization_RequestDenied")
    assert refusal(reader.get("/me/mailboxSettings")) == (403, "ErrorAccessDenied")


def test_an_unknown_address_is_no_resource(unchecked_office: Office365Simulator) -> None:
    with graph_client(unchecked_office, ADA) as ada:
        refused = ada.get("/me/happenings")
    assert refusal(refused) == (400, "BadRequest")
    assert "segment 'happenings'" in refused.json()["error"]["message"]


def test_answers_carry_the_callers_request_id(ada: httpx.Client) -> None:
    answer = ada.get("/me", headers={"client-request-id": "mine-1"})
    assert (answer.headers["client-request-id"], len(answer.headers["request-id"])) == ("mine-1", 36)
