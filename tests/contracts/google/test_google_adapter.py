"""What only Google does, and what its client libraries would do wrong, through real sockets (RT-1 to RT-3, OA-1)."""

import asyncio
import base64
import email.utils
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from meetings.adapters.google.booking_event import event_id
from meetings.application.ports.calendars import (
    AccessNotGranted,
    Calendars,
    CalendarUnreadable,
    CodeRejected,
    CursorExpired,
    EventRefused,
    EventRemoved,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.domain.timespan import TimeSpan, at_minute
from tests.contracts.calendars.google_world import ADA, BOB, REDIRECT, GoogleWorld, google_world
from tests.contracts.calendars.wishes import a_wish
from tests.contracts.calendars.world import Clock, HeldCredentials, at
from tests.waiting import within

WEEK = TimeSpan(at(2, 0), at(9, 0))


@pytest.fixture
def world() -> Iterator[GoogleWorld]:
    with google_world() as started:
        yield started


@pytest.fixture
def credentials(world: GoogleWorld) -> HeldCredentials:
    return world.sign_in()


@pytest.fixture
def calendars(world: GoogleWorld, credentials: HeldCredentials) -> Calendars:
    calendars: Calendars = world.provider.calendars(credentials)
    return calendars


def _calls(world: GoogleWorld, group: str = "") -> list[tuple[str, int]]:
    return [(call.operation, call.status) for call in world.google.calls if call.operation.startswith(group)]


async def _read(calendars: Calendars, calendar: str = ADA) -> list[str]:
    return [event.event_id async for page in calendars.changes(calendar, None, WEEK) for event in page.changed]


# ---- answers that are lost, broken, slow or refused ---------------------------------------------------------------

FAULTS: dict[str, tuple[dict[str, Any], type[ProviderError]]] = {
    "500": ({"status": 500}, ProviderUnavailable),
    "502 of a gateway": ({"status": 502, "body": "<h1>Bad</h1>", "content_type": "text/html"}, ProviderUnavailable),
    "503": ({"status": 503}, ProviderUnavailable),
    "503 until later": ({"status": 503, "retry_after": 9}, RateLimited),
    "408": ({"status": 408}, ProviderUnavailable),
    "425": ({"status": 425}, ProviderUnavailable),
    "429": ({"status": 429}, RateLimited),
    "403 rate": ({"status": 403, "reason": "rateLimitExceeded"}, RateLimited),
    "403 rate of the user": ({"status": 403, "reason": "userRateLimitExceeded"}, RateLimited),
    "403 quota": ({"status": 403, "reason": "quotaExceeded"}, RateLimited),
    "403 forbidden": ({"status": 403, "reason": "forbidden"}, CalendarUnreadable),
    "403 of a firewall": ({"status": 403, "body": "<h1>No</h1>", "content_type": "text/html"}, ProviderUnavailable),
    "403 scope": ({"status": 403, "reason": "insufficientPermissions"}, ReauthorizationNeeded),
    "404": ({"status": 404}, CalendarUnreadable),
    "404 of somebody else": ({"status": 404, "body": "gone", "content_type": "text/plain"}, ProviderUnavailable),
    "302": ({"status": 302, "headers": {"Location": "/elsewhere"}, "body": "{}"}, ProviderUnavailable),
    "304": ({"status": 304}, ProviderUnavailable),
    "reset": ({"reset": True}, ProviderUnavailable),
    "closed without an answer": ({"drop_after_commit": True}, ProviderUnavailable),
    "cut off": ({"cut_off_body": True}, ProviderUnavailable),
    "another content type": ({"content_type": "text/html"}, ProviderUnavailable),
    "not JSON": ({"body": "{"}, ProviderUnavailable),
    "not an object": ({"body": "[]"}, ProviderUnavailable),
    "nothing": ({"body": ""}, ProviderUnavailable),
    "too deep": ({"body": "[" * 200_000}, ProviderUnavailable),
    "not text": ({"body": b"\xff\xfe{}"}, ProviderUnavailable),
    "not what was promised": ({"body": '{"timeZone": "UTC", "items": [{"id": "e"}]}'}, ProviderUnavailable),
    "items of another kind": ({"body": '{"timeZone": "UTC", "items": [1]}'}, ProviderUnavailable),
    "another zone than we know": ({"body": '{"timeZone": "Mars/Olympus", "items": []}'}, ProviderUnavailable),
    "too long": ({"huge_bytes": 11 * 2**20}, ProviderUnavailable),
    "lies about compression": ({"headers": {"Content-Encoding": "gzip"}, "body": "{}"}, ProviderUnavailable),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_each_kind_of_bad_answer_is_an_error_of_the_port_after_one_try(
    world: GoogleWorld, calendars: Calendars, name: str
) -> None:
    fault, meaning = FAULTS[name]
    world.google.fault("events.list", times=None, **fault)
    with pytest.raises(ProviderError) as refused:
        await _read(calendars)
    assert type(refused.value) is meaning
    assert len(world.google.requests_for("events.list")) == 1
    world.google.clear_faults()
    assert await _read(calendars) == []


SLOW: dict[str, dict[str, Any]] = {
    "late": {"delay": 3},
    "late to work": {"delay_before": 3},
    "one byte now and then": {"drip_seconds": 0.05},
}


@pytest.mark.parametrize("name", SLOW)
async def test_a_slow_answer_ends_in_time_and_gives_its_thread_back(name: str) -> None:
    with google_world(threads=1, total_seconds=0.4) as world:
        calendars = world.provider.calendars(world.sign_in())
        await calendars.list_calendars()
        world.google.fault("events.list", **SLOW[name])
        with within(2.0), pytest.raises(ProviderUnavailable):
            await _read(calendars)
        assert await _read(calendars) == []


@pytest.mark.parametrize("fault", [{"delay": 3}, {"drip_seconds": 0.05}])
@pytest.mark.parametrize("operation", ["freebusy.query", "events.list"])
async def test_live_busy_time_is_asked_within_one_limit(operation: str, fault: dict[str, Any]) -> None:
    """BK-8: both questions together, and the calendar that is slow has no answer, which is not "free"."""
    with google_world(busy_seconds=0.5) as world:
        calendars = world.provider.calendars(world.sign_in())
        await calendars.list_calendars()
        world.add_event(ADA, at(3, 9), at(3, 10))
        choir = world.add_calendar("Choir")
        world.google.fault(operation, **fault)
        with within(2.0):
            if operation == "freebusy.query":
                with pytest.raises(ProviderUnavailable):
                    await calendars.busy([ADA, choir], WEEK)
            else:
                answers = await calendars.busy([ADA, choir], WEEK)
                assert (type(answers[ADA]), answers[choir]) == (ProviderUnavailable, ())


async def test_a_call_that_finds_no_free_thread_gives_up_in_time() -> None:
    with google_world(threads=1, busy_seconds=0.2) as world:
        calendars = world.provider.calendars(world.sign_in())
        await calendars.list_calendars()
        world.google.fault("calendarList.list", delay=1.0)
        slow = asyncio.create_task(calendars.list_calendars())
        await asyncio.sleep(0.05)
        with within(0.9), pytest.raises(ProviderUnavailable):
            await calendars.busy([ADA], WEEK)
        assert len(await slow) == 1


async def test_a_name_server_that_does_not_answer_does_not_hold_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking a name up cannot be given a limit, so its thread is left behind until it ends."""
    resolve = socket.getaddrinfo

    def slowly(*arguments: Any, **named: Any) -> Any:
        if threading.current_thread().name.startswith("google_"):
            time.sleep(1.2)
        return resolve(*arguments, **named)

    with google_world(total_seconds=0.2) as world:
        calendars = world.provider.calendars(world.sign_in())
        await calendars.list_calendars()
        monkeypatch.setattr(socket, "getaddrinfo", slowly)
        with within(1.0), pytest.raises(ProviderUnavailable):
            await world.provider.sign_in.finish(code="c", verifier="v", redirect_uri=REDIRECT)
        with within(1.0), pytest.raises(ProviderUnavailable):
            await calendars.list_calendars()


async def test_one_connection_takes_only_its_places() -> None:
    with google_world(calls_at_once=2) as world:
        calendars = world.provider.calendars(world.sign_in())
        await calendars.list_calendars()
        world.google.forget_calls()
        both, arrived = threading.Barrier(2, timeout=15), []

        def held() -> None:
            both.wait()
            time.sleep(0.3)  # for a third call, if one were let through
            arrived.append(len(world.google.requests_for("calendarList.list")))
            both.wait()

        for turn in (1, 2):
            world.google.on_call("calendarList.list", held, on_call=turn)
        await asyncio.gather(*(calendars.list_calendars() for _ in range(6)))
        assert arrived == [2, 2]


async def test_the_pause_google_asks_for_may_be_a_date(world: GoogleWorld, calendars: Calendars) -> None:
    later = email.utils.format_datetime(world.clock() + timedelta(seconds=90), usegmt=True)
    world.google.fault("events.list", status=429, retry_after=later)
    with pytest.raises(RateLimited) as refused:
        await _read(calendars)
    assert refused.value.retry_after == 90


async def test_a_proxy_in_the_environment_is_not_asked(
    world: GoogleWorld, calendars: Calendars, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert len(await calendars.list_calendars()) == 1


# ---- credentials --------------------------------------------------------------------------------------------------


async def test_a_rejected_token_is_renewed_once_and_the_call_made_once_more(
    world: GoogleWorld, calendars: Calendars, credentials: HeldCredentials
) -> None:
    world.expire_access()
    await _read(calendars)
    assert _calls(world) == [("events.list", 401), ("oauth.token", 200), ("events.list", 200)]
    assert credentials.renewals == 1


async def test_a_token_that_is_rejected_again_is_googles_trouble(
    world: GoogleWorld, calendars: Calendars, credentials: HeldCredentials
) -> None:
    world.google.fault("events.list", status=401, times=None)
    with pytest.raises(ProviderUnavailable):
        await _read(calendars)
    assert _calls(world) == [("events.list", 401), ("oauth.token", 200), ("events.list", 401)]
    assert credentials.renewals == 1


@pytest.mark.parametrize("minutes", [59, 61])
async def test_a_token_known_to_end_is_not_tried_first(world: GoogleWorld, calendars: Calendars, minutes: int) -> None:
    assert isinstance(world.clock, Clock)
    world.clock.at += timedelta(minutes=minutes)
    await _read(calendars)
    assert _calls(world) == [("oauth.token", 200), ("events.list", 200)]


async def test_a_refresh_keeps_or_replaces_the_refresh_token(
    world: GoogleWorld, calendars: Calendars, credentials: HeldCredentials
) -> None:
    first = json.loads(await credentials.current())
    world.expire_access()
    await _read(calendars)
    second = json.loads(await credentials.current())
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    world.google.grants.rotate = True
    world.expire_access()
    await _read(calendars)
    third = json.loads(await credentials.current())
    assert third["refresh_token"] != first["refresh_token"]
    assert third["expires_at"] == int((world.clock() + timedelta(seconds=3599)).timestamp())


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 400, "reason": "invalid_grant"}, ReauthorizationNeeded),
        ({"status": 401, "reason": "invalid_client"}, ProviderUnavailable),
        ({"status": 500}, ProviderUnavailable),
        ({"status": 429, "retry_after": 5}, RateLimited),
        ({"reset": True}, ProviderUnavailable),
        ({"content_type": "text/html"}, ProviderUnavailable),
        ({"body": "{}"}, ProviderUnavailable),
        ({"body": '{"access_token": "a", "expires_in": "soon"}'}, ProviderUnavailable),
    ],
)
async def test_only_a_lost_grant_sends_the_person_to_sign_in_again(
    world: GoogleWorld,
    calendars: Calendars,
    credentials: HeldCredentials,
    fault: dict[str, Any],
    meaning: type[Exception],
) -> None:
    before = credentials.text
    world.expire_access()
    world.google.fault("oauth.token", times=None, **fault)
    with pytest.raises(ProviderError) as refused:
        await _read(calendars)
    assert type(refused.value) is meaning
    assert (credentials.text, len(world.google.requests_for("oauth.token"))) == (before, 1)


async def test_no_secret_is_in_a_log_an_error_or_a_repr(world: GoogleWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    begun = await world.provider.sign_in.begin(state="state-1", redirect_uri=REDIRECT, login_hint=None)
    code = world.consent(begun.url)
    granted = await world.provider.sign_in.finish(code=code, verifier=begun.verifier, redirect_uri=REDIRECT)
    credentials = HeldCredentials(granted.credentials)
    calendars = world.provider.calendars(credentials)
    texts = [granted.credentials]
    errors = []
    faults: dict[str, dict[str, Any]] = {"events.list": {"status": 403, "body": "no"}, "oauth.token": {"status": 500}}
    for operation, fault in faults.items():
        world.expire_access()
        fault_set = world.google.fault(operation, times=None, **fault)
        with pytest.raises(ProviderError) as refused:
            await _read(calendars)
        errors.append(f"{refused.value!r} {refused.getrepr(showlocals=False)}")
        world.google.remove_fault(fault_set)
        texts.append(await credentials.current())
    secrets = [code, begun.verifier, "GOCSPX-simulated"]
    secrets += [json.loads(text)[name] for text in texts for name in ("access_token", "refresh_token")]
    said = [caplog.text, repr(world.provider), repr(world.provider.sign_in), *errors]
    assert [secret for secret in secrets for text in said if secret in text] == []
    assert [error for error in errors if ADA in error] == []


# ---- reading ------------------------------------------------------------------------------------------------------


async def test_titles_and_guests_never_reach_us(world: GoogleWorld, calendars: Calendars) -> None:
    guests = [{"email": ADA}, {"email": BOB, "displayName": "Secret guest"}]
    world.google.add_event(ADA, "Secret", at(3, 9), at(3, 10), description="Secret", attendees=guests)
    await _read(calendars)
    await calendars.busy([ADA], WEEK)
    answers = [call.answer for call in world.google.requests_for("events.")]
    assert len(answers) == 2
    assert [answer for answer in answers if "Secret" in json.dumps(answer) or BOB in json.dumps(answer)] == []


async def test_hidden_calendars_are_listed_too(world: GoogleWorld, calendars: Calendars) -> None:
    hidden = world.add_calendar("Hidden")
    world.google.hide_calendar(ADA, hidden)
    assert hidden in {each.external_id for each in await calendars.list_calendars()}


async def test_calendars_are_asked_together_and_only_busy_ones_in_detail(
    world: GoogleWorld, calendars: Calendars
) -> None:
    asked = [world.add_calendar(f"Calendar {number}") for number in range(60)]
    world.add_event(asked[3], at(3, 9), at(3, 10))
    world.add_event(asked[55], at(3, 9), at(3, 10))
    answers = await calendars.busy(asked, WEEK)
    assert [calendar for calendar in asked if answers[calendar]] == [asked[3], asked[55]]
    assert sorted(_calls(world)) == [("events.list", 200)] * 2 + [("freebusy.query", 200)] * 2


async def test_what_google_calls_busy_stays_busy_when_no_event_shows_it(
    world: GoogleWorld, calendars: Calendars
) -> None:
    world.add_event(ADA, at(3, 9), at(3, 10))
    world.google.fault("events.list", body='{"timeZone": "UTC", "items": []}')
    answer = (await calendars.busy([ADA], WEEK))[ADA]
    assert isinstance(answer, tuple)
    (event,) = answer
    assert (at_minute(event.start), at_minute(event.end)) == (at(3, 9), at(3, 10))


async def test_a_calendar_that_fails_in_detail_is_not_free(world: GoogleWorld, calendars: Calendars) -> None:
    choir = world.add_calendar("Choir")
    for calendar in (ADA, choir):
        world.add_event(calendar, at(3, 9), at(3, 10))
    world.google.fault(lambda call: call.operation == "events.list" and choir in call.path, status=500)
    answers = await calendars.busy([ADA, choir], WEEK)
    assert (isinstance(answers[ADA], tuple), type(answers[choir])) == (True, ProviderUnavailable)


async def test_an_empty_page_is_not_the_end(world: GoogleWorld, calendars: Calendars) -> None:
    event = world.add_event(ADA, at(3, 9), at(3, 10))
    world.google.settings.empty_first_page = True
    assert await _read(calendars) == [event]


async def test_a_full_read_of_an_endless_series_ends_with_the_window(world: GoogleWorld, calendars: Calendars) -> None:
    world.add_weekly(ADA, at(3, 9), at(3, 10), times=None)
    world.add_event(ADA, at(1, 9), at(1, 10))
    (event,) = await _read(calendars)
    assert event.endswith("_20260303T090000Z")


async def test_a_page_holds_no_more_events_than_wanted() -> None:
    with google_world(page_size=3) as world:
        calendars = world.provider.calendars(world.sign_in())
        for hour in range(7):
            world.add_event(ADA, at(3, hour), at(3, hour + 1))
        pages = [page async for page in calendars.changes(ADA, None, WEEK)]
        assert [len(page.changed) for page in pages] == [3, 3, 1]


async def test_a_series_that_loses_several_instances_is_read_anew(world: GoogleWorld, calendars: Calendars) -> None:
    """Google tells only about half a year of the instances that go with a series."""
    series = world.add_weekly(ADA, at(3, 9), at(3, 10), times=5)
    (page,) = [page async for page in calendars.changes(ADA, None, WEEK)]
    world.cancel_instance(ADA, series, at(3, 9))
    (one_gone,) = [page async for page in calendars.changes(ADA, page.cursor, WEEK)]
    assert len(one_gone.removed) == 1
    world.google.settings.largest_page = 1
    world.cancel_event(ADA, series)
    with pytest.raises(CursorExpired):
        [page async for page in calendars.changes(ADA, one_gone.cursor, WEEK)]


@pytest.mark.parametrize("page", [1, 2, 3])
async def test_a_cursor_that_dies_at_any_page_is_expired(world: GoogleWorld, calendars: Calendars, page: int) -> None:
    (first,) = [each async for each in calendars.changes(ADA, None, WEEK)]
    for hour in range(6):
        world.add_event(ADA, at(3, hour), at(3, hour + 1))
    world.google.settings.largest_page = 2
    world.google.fault("events.list", page=page, status=410, reason="fullSyncRequired")
    with pytest.raises(CursorExpired):
        [each async for each in calendars.changes(ADA, first.cursor, WEEK)]


# ---- writing ------------------------------------------------------------------------------------------------------


async def test_a_first_write_is_one_call_and_a_change_two(world: GoogleWorld, calendars: Calendars) -> None:
    wish = a_wish()
    await calendars.put_event(ADA, wish)
    await calendars.put_event(ADA, replace(wish, start=at(5, 8), end=at(5, 9), sequence=1))
    await calendars.remove_event(ADA, wish.key)
    assert [operation for operation, _ in _calls(world)] == [
        "events.insert",
        "events.get",
        "events.patch",
        "events.get",
        "events.delete",
    ]
    writes = world.google.requests_for(lambda call: call.verb != "GET")
    assert [call.query["sendUpdates"] for call in writes] == ["all", "all", "all"]
    assert [call.query.get("conferenceDataVersion") for call in writes] == ["1", "1", None]
    assert writes[0].body["id"] == event_id(wish.key)


@pytest.mark.parametrize("fault", [{"drop_after_commit": True}, {"cut_off_body": True}, {"content_type": "text/html"}])
async def test_the_client_libraries_do_not_send_a_write_again_by_themselves(
    world: GoogleWorld, calendars: Calendars, fault: dict[str, Any]
) -> None:
    """httplib2 repeats a request whose connection closed without an answer, unless it is kept from it."""
    world.google.fault("events.insert", times=None, **fault)
    with pytest.raises(ProviderUnavailable) if "content_type" in fault else within(5):
        await calendars.put_event(ADA, a_wish())
    assert [operation for operation, _ in _calls(world)] == ["events.insert", "events.get"]


async def test_an_event_written_without_our_hearing_of_it_is_found_at_once(
    world: GoogleWorld, calendars: Calendars
) -> None:
    world.google.fault("events.insert", drop_after_commit=True)
    written = await calendars.put_event(ADA, a_wish(conference=True))
    assert (written.event_id, written.join_url is None) == (event_id(a_wish().key), False)


async def test_a_server_error_after_the_write_is_an_unknown_outcome(world: GoogleWorld, calendars: Calendars) -> None:
    world.google.fault("events.insert", status=500)
    world.google.fault("events.get", status=500)
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(ADA, a_wish())
    assert [operation for operation, _ in _calls(world)] == ["events.insert", "events.get"]


@pytest.mark.parametrize("status", [400, 403, 429])
async def test_a_definite_refusal_is_not_looked_after(world: GoogleWorld, calendars: Calendars, status: int) -> None:
    world.google.fault("events.insert", status=status, reason="invalid" if status == 400 else None)
    with pytest.raises((EventRefused, RateLimited)):
        await calendars.put_event(ADA, a_wish())
    assert len(world.google.calls) == 1


async def test_a_change_does_not_overwrite_what_changed_meanwhile(world: GoogleWorld, calendars: Calendars) -> None:
    wish = a_wish()
    written = await calendars.put_event(ADA, wish)
    moved = replace(wish, start=at(5, 8), end=at(5, 9), sequence=1)
    world.google.on_call("events.get", lambda: world.add_guest(ADA, written.event_id, "colleague@example.com"))
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(ADA, moved)
    await calendars.put_event(ADA, moved)
    (event,) = world.seen(ADA)
    assert (event.start, "colleague@example.com" in event.guests) == (moved.start, True)
    assert [call.status for call in world.google.requests_for("events.patch")] == [412, 200]


async def test_an_id_whose_event_vanished_from_the_bin_is_used_up(world: GoogleWorld, calendars: Calendars) -> None:
    wish = a_wish()
    written = await calendars.put_event(ADA, wish)
    world.cancel_event(ADA, written.event_id)
    world.google.forget_deleted(ADA)
    for each in (wish, replace(wish, sequence=1)):
        with pytest.raises(EventRemoved):
            await calendars.put_event(ADA, each)


async def test_a_link_that_is_still_being_made_is_looked_for_once(world: GoogleWorld, calendars: Calendars) -> None:
    world.google.settings.conference_pending = True
    early = await calendars.put_event(ADA, a_wish("early", conference=True))
    assert early.join_url is None
    wish = a_wish("ready", conference=True)
    world.google.on_call("events.insert", lambda: world.google.finish_conference(ADA, event_id(wish.key)))
    ready = await calendars.put_event(ADA, wish)
    assert ready.join_url is not None
    world.google.finish_conference(ADA, early.event_id)
    assert (await calendars.put_event(ADA, a_wish("early", conference=True))).join_url is not None


async def test_trouble_while_looking_for_the_link_does_not_hide_the_event(
    world: GoogleWorld, calendars: Calendars
) -> None:
    world.google.settings.conference_pending = True
    world.google.fault("events.get", status=500)
    written = await calendars.put_event(ADA, a_wish(conference=True))
    assert (written.join_url, len(world.seen(ADA))) == (None, 1)


async def test_a_colleagues_copy_of_the_event_is_not_taken_for_ours(world: GoogleWorld, calendars: Calendars) -> None:
    """The copy on a guest's calendar has the same id."""
    wish = a_wish()
    guest = replace(wish.attendees[0], email=ADA)
    world.google.add_event(
        BOB, "Theirs", at(4, 14), at(4, 15), id=event_id(wish.key), attendees=[{"email": guest.email}]
    )
    with pytest.raises(EventRefused):
        await calendars.put_event(ADA, wish)
    answer = (await calendars.busy([ADA], WEEK))[ADA]
    assert isinstance(answer, tuple)
    (event,) = answer
    assert (event.event_id, event.booking_key) == (event_id(wish.key), None)


# ---- signing in ---------------------------------------------------------------------------------------------------


def _id_token(claims: dict[str, Any]) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


def _claims_of(world: GoogleWorld, nonce: str) -> dict[str, Any]:
    return {
        "iss": "https://accounts.google.com",
        "aud": "simulated-client.apps.googleusercontent.com",
        "nonce": nonce,
        "exp": world.clock().timestamp() + 60,
        "email": ADA,
    }


CLAIMS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another issuer": lambda claims: claims.update(iss="https://evil.example"),
    "another audience": lambda claims: claims.update(aud="somebody-else"),
    "a list of audiences": lambda claims: claims.update(aud=["simulated-client.apps.googleusercontent.com"]),
    "another nonce": lambda claims: claims.update(nonce="replayed"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "a nonce that is no text": lambda claims: claims.update(nonce=7),
    "expired": lambda claims: claims.update(exp=claims["exp"] - 61),
    "no end": lambda claims: claims.pop("exp"),
    "an end that is no number": lambda claims: claims.update(exp="tomorrow"),
}


def _token_answer(**changes: Any) -> dict[str, Any]:
    scope = "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/calendar"
    return {"access_token": "a", "refresh_token": "r", "expires_in": 3599, "scope": scope, **changes}


async def _finish(world: GoogleWorld, answer: dict[str, Any], verifier: str) -> Any:
    world.google.fault("oauth.token", body=json.dumps(answer))
    return await world.provider.sign_in.finish(code="c", verifier=verifier, redirect_uri=REDIRECT)


async def _begin(world: GoogleWorld) -> tuple[str, str]:
    """A verifier, and the nonce that went with it."""
    begun = await world.provider.sign_in.begin(state="s", redirect_uri=REDIRECT, login_hint=None)
    return begun.verifier, begun.url.partition("nonce=")[2].partition("&")[0]


@pytest.mark.parametrize("name", CLAIMS)
async def test_an_identity_that_is_not_meant_for_us_is_no_identity(world: GoogleWorld, name: str) -> None:
    verifier, nonce = await _begin(world)
    claims = _claims_of(world, nonce)
    assert (await _finish(world, _token_answer(id_token=_id_token(claims)), verifier)).account_email == ADA
    CLAIMS[name](claims)
    with pytest.raises(CodeRejected):
        await _finish(world, _token_answer(id_token=_id_token(claims)), verifier)


@pytest.mark.parametrize("id_token", [None, "", "a.b", "a.%%%.c", "a.W10.c"])
async def test_an_identity_that_cannot_be_read_is_none(world: GoogleWorld, id_token: str | None) -> None:
    verifier, _ = await _begin(world)
    with pytest.raises(CodeRejected):
        await _finish(world, _token_answer(id_token=id_token), verifier)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"scope": "openid https://www.googleapis.com/auth/userinfo.email"}, "calendar"),
        ({"scope": ""}, "calendar"),
        ({"scope": "https://www.googleapis.com/auth/calendar.readonly"}, "calendar"),
        ({"refresh_token": ""}, "access while you are away"),
    ],
)
async def test_a_grant_that_is_too_small_says_what_is_missing(
    world: GoogleWorld, change: dict[str, Any], missing: str
) -> None:
    verifier, nonce = await _begin(world)
    answer = _token_answer(id_token=_id_token(_claims_of(world, nonce)), **change)
    with pytest.raises(AccessNotGranted) as refused:
        await _finish(world, answer, verifier)
    assert refused.value.missing == missing


async def test_an_account_without_an_address_cannot_be_named(world: GoogleWorld) -> None:
    verifier, nonce = await _begin(world)
    claims = {**_claims_of(world, nonce), "email": ""}
    with pytest.raises(AccessNotGranted):
        await _finish(world, _token_answer(id_token=_id_token(claims)), verifier)


async def test_every_sign_in_asks_for_lasting_access(world: GoogleWorld) -> None:
    """Connecting a second time gives a refresh token again."""
    for _ in range(2):
        begun = await world.provider.sign_in.begin(state="s", redirect_uri=REDIRECT, login_hint=ADA)
        code = world.consent(begun.url)
        granted = await world.provider.sign_in.finish(code=code, verifier=begun.verifier, redirect_uri=REDIRECT)
        assert json.loads(granted.credentials)["refresh_token"]


async def test_a_revocation_that_fails_is_tried_again_by_the_caller(world: GoogleWorld) -> None:
    text = await world.sign_in().current()
    world.google.fault("oauth.revoke", status=503)
    with pytest.raises(ProviderUnavailable):
        await world.provider.sign_in.revoke(text)
    await world.provider.sign_in.revoke(text)
    assert not world.google.grants.is_granted(ADA)


# ---- push ---------------------------------------------------------------------------------------------------------


async def test_a_channel_is_as_long_lived_as_google_allows(world: GoogleWorld, credentials: HeldCredentials) -> None:
    push = world.provider.push(credentials)
    channel = await push.open_channel(ADA, channel_id="c", secret="s", address=world.push_address())
    assert channel.expires_at == world.clock() + world.google.push.longest_life


async def test_an_address_google_will_not_call_is_refused(world: GoogleWorld, credentials: HeldCredentials) -> None:
    push = world.provider.push(credentials)
    with pytest.raises(EventRefused):
        await push.open_channel(ADA, channel_id="c", secret="s", address="http://example.com/hook")


async def test_an_address_that_is_not_ours_does_not_cost_a_new_token(
    world: GoogleWorld, credentials: HeldCredentials
) -> None:
    world.google.fault("events.watch", status=401, reason="push.webhookUrlUnauthorized")
    with pytest.raises(EventRefused):
        await world.provider.push(credentials).open_channel(
            ADA, channel_id="c", secret="s", address=world.push_address()
        )
    assert credentials.renewals == 0
