"""What only Graph does, through real sockets: bad answers, limits, reading (RT-1 to RT-3, RT-6, SY-6, A-CC7)."""

import asyncio
import email.utils
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from meetings.adapters.office365.transport import AnswerTooLong
from meetings.application.ports.calendars import (
    BusyStatus,
    Calendars,
    CalendarUnreadable,
    CursorExpired,
    EventTime,
    MailboxNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
    RemovedEvent,
)
from meetings.domain.timespan import TimeSpan, at_minute
from tests.contracts.calendars.office365_world import ADA, BOB, Office365World, office365_world
from tests.contracts.calendars.wishes import a_wish
from tests.contracts.calendars.world import Clock, HeldCredentials, at
from tests.contracts.office365.signing_in import signed_in
from tests.waiting import within

T = TypeVar("T")

WEEK = TimeSpan(at(2, 0), at(9, 0))
_TIMES = {
    "start": {"dateTime": "2026-03-03T09:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-03-03T10:00:00", "timeZone": "UTC"},
}


@pytest.fixture
def world() -> Iterator[Office365World]:
    with office365_world() as started:
        yield started


@pytest.fixture
def credentials(world: Office365World) -> HeldCredentials:
    return world.sign_in()


@pytest.fixture
def calendars(world: Office365World, credentials: HeldCredentials) -> Calendars:
    return world.provider.calendars(credentials)


def _calls(world: Office365World) -> list[tuple[str, int]]:
    return [(call.operation, call.status) for call in world.office.calls]


async def _read(world: Office365World, calendars: Calendars) -> list[EventTime]:
    return [event async for page in calendars.changes(world.primary, None, WEEK) for event in page.changed]


async def _until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, however slow the machine: connecting alone may take longer than a short limit allows."""
    deadline = time.monotonic() + 15
    while True:
        try:
            return await ask()
        except ProviderUnavailable:
            if time.monotonic() > deadline:
                raise


# ---- answers that are lost, broken, slow or refused ---------------------------------------------------------------

FAULTS: dict[str, tuple[dict[str, Any], type[ProviderError]]] = {
    "500": ({"status": 500}, ProviderUnavailable),
    "502 of a gateway": ({"status": 502, "body": "<h1>Bad</h1>", "content_type": "text/html"}, ProviderUnavailable),
    "503": ({"status": 503}, ProviderUnavailable),
    "503 until later": ({"status": 503, "retry_after": 9}, RateLimited),
    "504": ({"status": 504}, ProviderUnavailable),
    "429": ({"status": 429}, RateLimited),
    "403": ({"status": 403}, CalendarUnreadable),
    "403 of a firewall": ({"status": 403, "body": "<h1>No</h1>", "content_type": "text/html"}, ProviderUnavailable),
    "403 of the organisation": ({"status": 403, "reason": "Authorization_RequestDenied"}, ReauthorizationNeeded),
    "404": ({"status": 404}, CalendarUnreadable),
    "404 of somebody else": ({"status": 404, "body": "gone", "content_type": "text/plain"}, ProviderUnavailable),
    "404 no mailbox": ({"status": 404, "reason": "MailboxNotEnabledForRESTAPI"}, MailboxNotFound),
    "302": ({"status": 302, "headers": {"Location": "/elsewhere"}, "body": "{}"}, ProviderUnavailable),
    "reset": ({"reset": True}, ProviderUnavailable),
    "closed without an answer": ({"drop_after_commit": True}, ProviderUnavailable),
    "cut off": ({"cut_off_body": True}, ProviderUnavailable),
    "another content type": ({"content_type": "text/html"}, ProviderUnavailable),
    "not JSON": ({"body": "{"}, ProviderUnavailable),
    "not an object": ({"body": "[]"}, ProviderUnavailable),
    "nothing": ({"body": ""}, ProviderUnavailable),
    "too deep": ({"body": "[" * 200_000}, ProviderUnavailable),
    "not text": ({"body": b"\xff\xfe{}"}, ProviderUnavailable),
    "no entries": ({"body": "{}"}, ProviderUnavailable),
    "entries of another kind": ({"body": '{"value": [1]}'}, ProviderUnavailable),
    "an entry without an id": ({"body": '{"value": [{"type": "seriesMaster"}]}'}, ProviderUnavailable),
    "not what was promised": ({"body": '{"value": [{"id": "e"}]}'}, ProviderUnavailable),
    "another zone than we know": (
        {"body": '{"value": [{"id": "e", "start": {"dateTime": "2026-03-03T09:00:00", "timeZone": "Mars"}}]}'},
        ProviderUnavailable,
    ),
    "a next page elsewhere": (
        {"body": '{"value": [], "@odata.nextLink": "https://evil.example/v1.0/me"}'},
        ProviderUnavailable,
    ),
    "a cursor elsewhere": (
        {"body": '{"value": [], "@odata.deltaLink": "https://evil.example/v1.0/me"}'},
        ProviderUnavailable,
    ),
    "too long": ({"huge_bytes": 11 * 2**20}, AnswerTooLong),
    "lies about compression": ({"headers": {"Content-Encoding": "gzip"}, "body": "{}"}, ProviderUnavailable),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_each_kind_of_bad_answer_is_an_error_of_the_port_after_one_try(
    world: Office365World, calendars: Calendars, name: str
) -> None:
    fault, meaning = FAULTS[name]
    world.office.fault("calendarView.delta", times=None, **fault)
    with pytest.raises(ProviderError) as refused:
        await _read(world, calendars)
    assert type(refused.value) is meaning
    assert len(world.office.requests_for("calendarView.delta")) == 1
    world.office.clear_faults()
    assert await _read(world, calendars) == []


SLOW: dict[str, dict[str, Any]] = {
    "late": {"delay": 3},
    "late to work": {"delay_before": 3},
    "one byte now and then": {"drip_seconds": 0.05},
}


@pytest.mark.parametrize("name", SLOW)
async def test_a_slow_answer_ends_in_time_and_gives_its_place_back(name: str) -> None:
    with office365_world(calls_at_once=1, total_seconds=0.8) as world:
        calendars = world.provider.calendars(world.sign_in())
        await _until_answered(lambda: _read(world, calendars))
        world.office.fault("calendarView.delta", **SLOW[name])
        with within(2.5), pytest.raises(ProviderUnavailable):
            await _read(world, calendars)
        assert await _until_answered(lambda: _read(world, calendars)) == []


@pytest.mark.parametrize("fault", [{"delay": 3}, {"drip_seconds": 0.05}])
async def test_live_busy_time_is_asked_within_one_limit(fault: dict[str, Any]) -> None:
    """BK-8: the calendar that is slow has no answer, which is not "free"."""
    with office365_world(busy_seconds=1.2) as world:
        calendars = world.provider.calendars(world.sign_in())
        await calendars.list_calendars()
        world.add_event(world.primary, at(3, 9), at(3, 10))
        choir = world.add_calendar("Choir")
        world.office.fault(lambda call: call.path_parameters.get("calendar") == world.primary, **fault)
        with within(2.5):
            answers = await calendars.busy([world.primary, choir], WEEK)
        assert (type(answers[world.primary]), answers[choir]) == (ProviderUnavailable, ())


async def test_the_pause_graph_asks_for_may_be_a_date(world: Office365World, calendars: Calendars) -> None:
    later = email.utils.format_datetime(world.clock() + timedelta(seconds=90), usegmt=True)
    world.office.fault("calendarView.delta", status=429, retry_after=later)
    with pytest.raises(RateLimited) as refused:
        await _read(world, calendars)
    assert refused.value.retry_after == 90


# ---- how many at once ---------------------------------------------------------------------------------------------


def _most_at_once(world: Office365World) -> list[int]:
    """Counts the calls to Graph under way, as the simulator sees them."""
    now, most, lock = [0], [0], threading.Lock()

    def arrives(call: Any) -> bool:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        return False

    def leaves(call: Any) -> None:
        with lock:
            now[0] -= 1

    world.office.fault(lambda call: call.path.startswith("/v1.0") and arrives(call))
    world.office.observe(lambda call: leaves(call) if call.path.startswith("/v1.0") else None)
    world.office.settings.service_seconds = 0.15
    return most


async def test_one_mailbox_gets_three_calls_at_once_however_many_ask(world: Office365World) -> None:
    most = _most_at_once(world)
    several = [world.provider.calendars(world.sign_in()) for _ in range(6)]
    await asyncio.gather(*(each.busy([world.primary], WEEK) for each in several))
    assert most == [3]


async def test_a_live_question_does_not_wait_for_the_small_ones_of_a_read(
    world: Office365World, calendars: Calendars
) -> None:
    for number in range(24):
        await calendars.put_event(world.primary, a_wish(f"booking-{number}"))
    world.office.settings.service_seconds = 0.15
    world.office.forget_calls()
    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    world.office.on_call("events.get", lambda: loop.call_soon_threadsafe(begun.set))
    reading = asyncio.create_task(_read(world, calendars))
    await begun.wait()
    answer = (await world.provider.calendars(world.sign_in()).busy([world.primary], WEEK))[world.primary]
    assert isinstance(answer, tuple)
    assert (len(answer), reading.done()) == (24, False)
    assert len(await reading) == 24


async def test_other_mailboxes_do_not_wait(world: Office365World) -> None:
    most = _most_at_once(world)
    theirs = world.provider.calendars(HeldCredentials(signed_in(world.office, BOB, world.clock())))
    ours = world.provider.calendars(world.sign_in())
    bobs = world.office.default_calendar(BOB)
    ada = [ours.busy([world.primary], WEEK) for _ in range(6)]
    await asyncio.gather(*ada, *(theirs.busy([bobs], WEEK) for _ in range(6)))
    assert 3 < most[0] <= 6


def test_two_event_loops_of_a_process_share_the_places(world: Office365World) -> None:
    most = _most_at_once(world)

    async def work() -> None:
        several = [world.provider.calendars(world.sign_in()) for _ in range(5)]
        await asyncio.gather(*(each.busy([world.primary], WEEK) for each in several))

    threads = [threading.Thread(target=lambda: asyncio.run(work())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [3]


# ---- credentials --------------------------------------------------------------------------------------------------


async def test_a_rejected_token_is_renewed_once_and_the_call_made_once_more(
    world: Office365World, calendars: Calendars, credentials: HeldCredentials
) -> None:
    world.expire_access()
    await _read(world, calendars)
    assert _calls(world) == [
        ("calendarView.delta", 401),
        ("oauth.configuration", 200),
        ("oauth.token", 200),
        ("calendarView.delta", 200),
    ]
    assert credentials.renewals == 1


async def test_a_token_that_is_rejected_again_is_microsofts_trouble(
    world: Office365World, calendars: Calendars, credentials: HeldCredentials
) -> None:
    world.office.fault("calendarView.delta", status=401, times=None)
    with pytest.raises(ProviderUnavailable):
        await _read(world, calendars)
    assert [operation for operation, _ in _calls(world)].count("calendarView.delta") == 2
    assert credentials.renewals == 1


async def test_a_claims_challenge_that_stays_sends_the_person_to_sign_in_again(
    world: Office365World, calendars: Calendars
) -> None:
    challenge = {
        "WWW-Authenticate": 'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    }
    world.office.fault("calendarView.delta", status=401, headers=challenge, times=None)
    with pytest.raises(ReauthorizationNeeded):
        await _read(world, calendars)


@pytest.mark.parametrize("minutes", [79, 81])
async def test_a_token_known_to_end_is_not_tried_first(minutes: int) -> None:
    clock = Clock()
    with office365_world(clock=clock) as world:
        calendars = world.provider.calendars(world.sign_in())
        clock.at += timedelta(minutes=minutes)
        await _read(world, calendars)
        assert [operation for operation, _ in _calls(world)] == [
            "oauth.configuration",
            "oauth.token",
            "calendarView.delta",
        ]


async def test_the_description_of_the_tenant_is_read_once(world: Office365World, calendars: Calendars) -> None:
    for _ in range(3):
        world.expire_access()
        await _read(world, calendars)
    operations = [operation for operation, _ in _calls(world)]
    assert (operations.count("oauth.token"), operations.count("oauth.configuration")) == (3, 1)


async def test_a_refresh_token_that_is_used_up_by_refreshing_is_replaced(world: Office365World) -> None:
    """OA-6: with single-use tokens, each of many refreshes leaves credentials that can be refreshed."""
    world.office.grants.single_use = True
    credentials = world.sign_in()
    calendars = world.provider.calendars(credentials)
    for _ in range(4):
        world.expire_access()
        await _read(world, calendars)
    assert credentials.renewals == 4


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 500}, ProviderUnavailable),
        ({"status": 429, "retry_after": 5}, RateLimited),
        ({"status": 503, "retry_after": 5}, RateLimited),
        ({"reset": True}, ProviderUnavailable),
        ({"cut_off_body": True}, ProviderUnavailable),
        ({"content_type": "text/html"}, ProviderUnavailable),
        ({"body": "{}"}, ProviderUnavailable),
        ({"body": '{"access_token": "a", "expires_in": "soon"}'}, ProviderUnavailable),
        ({"body": '{"error": "invalid_client"}', "status": 401}, ProviderUnavailable),
        ({"body": '{"error": "invalid_grant", "error_codes": [50173]}', "status": 400}, ReauthorizationNeeded),
        ({"body": '{"error": "interaction_required", "claims": "{}"}', "status": 400}, ReauthorizationNeeded),
    ],
)
async def test_only_a_lost_grant_sends_the_person_to_sign_in_again(
    world: Office365World,
    calendars: Calendars,
    credentials: HeldCredentials,
    fault: dict[str, Any],
    meaning: type[Exception],
) -> None:
    before = credentials.text
    world.expire_access()
    world.office.fault("oauth.token", times=None, **fault)
    with pytest.raises(ProviderError) as refused:
        await _read(world, calendars)
    assert type(refused.value) is meaning
    assert (credentials.text, len(world.office.requests_for("oauth.token"))) == (before, 1)


async def test_conditional_access_and_disuse_send_the_person_to_sign_in_again(world: Office365World) -> None:
    for act in (world.office.require_more_proof, world.office.expire_refresh_tokens):
        calendars = world.provider.calendars(world.sign_in())
        world.expire_access()
        act(ADA)
        with pytest.raises(ReauthorizationNeeded):
            await _read(world, calendars)
        world.office.require_more_proof(ADA, required=False)


# ---- accounts without a mailbox -----------------------------------------------------------------------------------


@pytest.mark.parametrize("hybrid", [False, True])
async def test_an_account_without_a_mailbox_is_told_from_one_whose_mailbox_is_elsewhere(
    world: Office365World, hybrid: bool
) -> None:
    world.office.add_account("eve@example.com", mailbox=False, hybrid=hybrid)
    calendars = world.provider.calendars(HeldCredentials(signed_in(world.office, "eve@example.com", world.clock())))
    with pytest.raises(MailboxNotFound) as missing:
        await calendars.list_calendars()
    assert missing.value.hybrid is hybrid


async def test_a_lost_mailbox_is_told_by_every_call(world: Office365World, calendars: Calendars) -> None:
    world.office.fault(
        lambda call: call.path.startswith("/v1.0"), status=404, reason="MailboxNotEnabledForRESTAPI", times=None
    )
    with pytest.raises(MailboxNotFound):
        await calendars.busy([world.primary], WEEK)
    with pytest.raises(MailboxNotFound):
        await _read(world, calendars)
    with pytest.raises(MailboxNotFound):
        await calendars.put_event(world.primary, a_wish())


async def test_a_shared_calendar_whose_mailbox_is_gone_is_that_calendars_trouble(
    world: Office365World, calendars: Calendars
) -> None:
    choir = world.add_calendar("Choir")
    world.office.fault(
        lambda call: call.path_parameters.get("calendar") == choir, status=404, reason="MailboxNotEnabledForRESTAPI"
    )
    answers = await calendars.busy([world.primary, choir], WEEK)
    assert (answers[world.primary], type(answers[choir])) == ((), CalendarUnreadable)


async def test_a_calendar_that_is_gone_is_told_even_when_no_other_answers(
    world: Office365World, calendars: Calendars
) -> None:
    choir = world.add_calendar("Choir")
    world.lose_access(choir)
    world.office.fault(lambda call: call.path_parameters.get("calendar") == world.primary, status=500)
    answers = await calendars.busy([world.primary, choir], WEEK)
    assert {each: type(answer) for each, answer in answers.items()} == {
        world.primary: ProviderUnavailable,
        choir: CalendarUnreadable,
    }


# ---- reading ------------------------------------------------------------------------------------------------------


async def test_titles_and_guests_are_not_asked_for_where_graph_lets_us_choose(
    world: Office365World, calendars: Calendars
) -> None:
    guests = [{"emailAddress": {"address": BOB, "name": "Secret guest"}}]
    world.office.add_event(world.primary, "Secret", at(3, 9), at(3, 10), attendees=guests)
    await calendars.busy([world.primary], WEEK)
    await calendars.list_calendars()
    answers = [json.dumps(call.answer) for call in world.office.calls if call.operation != "me.get"]
    assert answers
    assert [answer for answer in answers if "Secret" in answer or BOB in answer] == []


async def test_a_change_feed_gives_on_times_and_nothing_else(world: Office365World, calendars: Calendars) -> None:
    world.office.add_event(world.primary, "Secret", at(3, 9), at(3, 10), body={"content": "Secret"})
    assert "Secret" not in repr(await _read(world, calendars))


async def test_calendars_that_others_shared_are_listed(world: Office365World, calendars: Calendars) -> None:
    theirs = world.office.default_calendar(BOB)
    world.office.share_calendar(theirs, ADA, "read")
    listed = {each.external_id: each for each in await calendars.list_calendars()}
    assert (listed[theirs].name, listed[theirs].primary, listed[theirs].time_zone) == ("Bob Stone", False, None)


async def test_a_calendar_that_only_shows_free_and_busy_blocks_all_the_same(
    world: Office365World, calendars: Calendars
) -> None:
    theirs = world.office.default_calendar(BOB)
    world.office.share_calendar(theirs, ADA, "freeBusyRead")
    world.add_event(theirs, at(3, 9), at(3, 10))
    answer = (await calendars.busy([theirs], WEEK))[theirs]
    assert isinstance(answer, tuple)
    (event,) = answer
    assert at_minute(event.start) == at(3, 9)


async def test_a_mailbox_that_does_not_tell_its_zone_is_listed_without_one(
    world: Office365World, calendars: Calendars
) -> None:
    world.office.fault("calendar.getSchedule", status=403)
    assert (await calendars.list_calendars())[0].time_zone is None


async def test_an_empty_page_is_not_the_end(world: Office365World, calendars: Calendars) -> None:
    event = world.add_event(world.primary, at(3, 9), at(3, 10))
    world.office.settings.empty_first_page = True
    assert [each.event_id for each in await _read(world, calendars)] == [event]


async def test_a_page_holds_no_more_events_than_wanted() -> None:
    with office365_world(page_size=3) as world:
        calendars = world.provider.calendars(world.sign_in())
        for hour in range(7):
            world.add_event(world.primary, at(3, hour), at(3, hour + 1))
        pages = [page async for page in calendars.changes(world.primary, None, WEEK)]
        assert [len(page.changed) for page in pages] == [3, 3, 1]


async def test_busy_time_is_asked_in_pages_until_the_last() -> None:
    with office365_world(page_size=3) as world:
        calendars = world.provider.calendars(world.sign_in())
        made = {world.add_event(world.primary, at(3, hour), at(3, hour + 1)) for hour in range(7)}
        answer = (await calendars.busy([world.primary], WEEK))[world.primary]
        assert isinstance(answer, tuple)
        assert {event.event_id for event in answer} == made
        assert len(world.office.requests_for("calendarView.list")) == 3


@pytest.mark.parametrize("page", [1, 2, 3])
async def test_a_cursor_that_dies_at_any_page_is_expired(
    world: Office365World, calendars: Calendars, page: int
) -> None:
    (first,) = [each async for each in calendars.changes(world.primary, None, WEEK)]
    for hour in range(6):
        world.add_event(world.primary, at(3, hour), at(3, hour + 1))
    world.office.settings.largest_page = 2
    world.office.fault("calendarView.delta", page=page, status=410)
    with pytest.raises(CursorExpired):
        [each async for each in calendars.changes(world.primary, first.cursor, WEEK)]


async def test_a_cursor_that_leads_elsewhere_is_not_followed(world: Office365World, calendars: Calendars) -> None:
    for link in ("https://evil.example/v1.0/me/calendarView/delta", f"{world.office.url}/beta/me/calendarView/delta"):
        with pytest.raises(CursorExpired):
            [each async for each in calendars.changes(world.primary, f"1:{link}", WEEK)]
    assert world.office.calls == []


async def test_an_occurrence_blocks_as_its_series_says(world: Office365World, calendars: Calendars) -> None:
    series = world.add_weekly(world.primary, at(3, 9), at(3, 10), times=None)
    world.office.change_event(world.primary, series, showAs="oof")
    (event,) = await _read(world, calendars)
    assert (event.series_id, event.status) == (series, BusyStatus.OUT_OF_OFFICE)
    assert [operation for operation, _ in _calls(world)] == ["calendarView.delta"]


async def test_an_occurrence_without_its_series_is_completed_by_asking(
    world: Office365World, calendars: Calendars
) -> None:
    series = world.add_weekly(world.primary, at(3, 9), at(3, 10), times=None)
    bare = {"id": "o-1", "type": "occurrence", "seriesMasterId": series, **_TIMES}
    orphan = {"id": "o-2", "type": "occurrence", "seriesMasterId": "gone", **_TIMES}
    link = f"{world.office.url}/v1.0/me/calendars/x/calendarView/delta?$deltatoken=1"
    world.office.fault("calendarView.delta", body=json.dumps({"value": [bare, orphan], "@odata.deltaLink": link}))
    (page,) = [each async for each in calendars.changes(world.primary, None, WEEK)]
    assert [(each.event_id, each.status) for each in page.changed] == [("o-1", BusyStatus.BUSY)]
    assert [each.event_id for each in page.removed] == ["o-2"]


async def test_an_occurrence_of_a_series_that_is_kept_from_us_blocks(
    world: Office365World, calendars: Calendars
) -> None:
    """Somebody's private series, in a calendar that they shared."""
    series = world.add_weekly(world.primary, at(3, 9), at(3, 10), times=None)
    (told,) = await _read(world, calendars)
    bare = {"id": told.event_id, "type": "occurrence", "seriesMasterId": series, **_TIMES}
    link = f"{world.office.url}/v1.0/me/calendars/x/calendarView/delta?$deltatoken=1"
    world.office.fault("calendarView.delta", body=json.dumps({"value": [bare], "@odata.deltaLink": link}))
    world.office.fault("events.get", status=403)
    (event,) = await _read(world, calendars)
    assert (event.status, event.status.blocks) == (BusyStatus.UNKNOWN, True)


async def test_a_series_that_comes_again_without_its_instances_is_read_anew(
    world: Office365World, calendars: Calendars
) -> None:
    """What became of the instances that were told before is not said, and "free" would be a guess."""
    series = world.add_weekly(world.primary, at(3, 9), at(3, 10), times=None)
    (first,) = [each async for each in calendars.changes(world.primary, None, WEEK)]
    world.office.change_event(world.primary, series, subject="Another secret")
    answer = {"value": [{"id": series, "type": "seriesMaster"}], "@odata.deltaLink": f"{world.office.url}/v1.0/x"}
    world.office.fault("calendarView.delta", body=json.dumps(answer))
    with pytest.raises(CursorExpired):
        [each async for each in calendars.changes(world.primary, first.cursor, WEEK)]


async def test_only_events_that_may_be_ours_are_asked_whose_they_are(
    world: Office365World, calendars: Calendars
) -> None:
    for number in range(3):
        transaction = f"localevent:{number}"
        world.office.add_event(world.primary, "Theirs", at(3, 9), at(3, 10), transactionId=transaction)
    written = await calendars.put_event(world.primary, a_wish())
    world.office.forget_calls()
    told = {each.event_id: each.booking_key for each in await _read(world, calendars)}
    assert (told[written.event_id], len(told)) == (a_wish().key.booking, 4)
    assert len(world.office.requests_for("events.get")) == 1


async def test_our_events_are_known_even_where_a_view_does_not_expand_their_property(
    world: Office365World, calendars: Calendars
) -> None:
    """Seen in public reports of client libraries (microsoft-graph-docs, issue 13385)."""
    written = await calendars.put_event(world.primary, a_wish())
    await calendars.busy([world.primary], WEEK)
    (view,) = world.office.requests_for("calendarView.list")
    (item,) = view.answer["value"]
    del item["singleValueExtendedProperties"]
    world.office.fault("calendarView.list", body=json.dumps({"value": [item]}))
    answer = (await calendars.busy([world.primary], WEEK))[world.primary]
    assert isinstance(answer, tuple)
    (event,) = answer
    assert (event.event_id, event.booking_key) == (written.event_id, a_wish().key.booking)
    assert len(world.office.requests_for("events.get")) == 1


async def test_an_event_of_ours_that_goes_while_it_is_looked_at_is_gone(
    world: Office365World, calendars: Calendars
) -> None:
    written = await calendars.put_event(world.primary, a_wish())
    world.office.on_call("calendarView.delta", lambda: world.cancel_event(world.primary, written.event_id))
    (page,) = [each async for each in calendars.changes(world.primary, None, WEEK)]
    assert (page.changed, [each.event_id for each in page.removed]) == ((), [written.event_id])


async def _news(calendars: Calendars, calendar: str, cursor: str | None) -> tuple[list[EventTime], list[RemovedEvent]]:
    pages = [page async for page in calendars.changes(calendar, cursor, WEEK)]
    return [each for page in pages for each in page.changed], [each for page in pages for each in page.removed]


async def _cursor(calendars: Calendars, calendar: str) -> str | None:
    return [page async for page in calendars.changes(calendar, None, WEEK)][-1].cursor


async def test_our_event_outside_the_window_is_told_with_its_times_and_not_as_gone(
    world: Office365World, calendars: Calendars
) -> None:
    """Graph says "removed" of whatever changes out there, and a removed event cancels its booking."""
    cursor = await _cursor(calendars, world.primary)
    far = a_wish(start=at(20, 9), end=at(20, 10))
    written = await calendars.put_event(world.primary, far)
    changed, removed = await _news(calendars, world.primary, cursor)
    assert [(each.event_id, each.booking_key, at_minute(each.start)) for each in changed] == [
        (written.event_id, far.key.booking, far.start)
    ]
    assert removed == []


async def test_our_event_that_the_host_drags_out_of_the_window_is_told_where_it_is(
    world: Office365World, calendars: Calendars
) -> None:
    written = await calendars.put_event(world.primary, a_wish())
    cursor = await _cursor(calendars, world.primary)
    world.move_event(world.primary, written.event_id, at(20, 9), at(20, 10))
    ((event,), removed) = await _news(calendars, world.primary, cursor)
    assert (event.event_id, at_minute(event.start), removed) == (written.event_id, at(20, 9), [])


@pytest.mark.parametrize("in_the_bin", [False, True])
async def test_our_event_that_the_host_removed_is_gone_wherever_it_was(
    world: Office365World, calendars: Calendars, in_the_bin: bool
) -> None:
    near = await calendars.put_event(world.primary, a_wish())
    far = await calendars.put_event(world.primary, a_wish("far", start=at(20, 9), end=at(20, 10)))
    cursor = await _cursor(calendars, world.primary)
    for event in (near, far):
        world.cancel_event(world.primary, event.event_id)
    world.office.settings.bin_can_be_read = in_the_bin
    changed, removed = await _news(calendars, world.primary, cursor)
    assert (changed, {each.event_id for each in removed}) == ([], {near.event_id, far.event_id})


async def test_when_very_much_is_gone_the_calendar_is_read_anew(world: Office365World, calendars: Calendars) -> None:
    cursor = await _cursor(calendars, world.primary)
    for number in range(51):
        world.add_event(world.primary, at(20, 9), at(20, 10, number % 60))
    with pytest.raises(CursorExpired):
        await _news(calendars, world.primary, cursor)
    assert len(world.office.requests_for("events.get")) <= 50


async def test_a_copy_of_our_event_in_a_guests_calendar_is_the_guests_own(world: Office365World) -> None:
    """A colleague who was invited, and is connected too: their time is taken, and not by a booking of theirs."""
    ours, bobs = world.provider.calendars(world.sign_in()), world.office.default_calendar(BOB)
    theirs = world.provider.calendars(HeldCredentials(signed_in(world.office, BOB, world.clock())))
    wish = a_wish(attendees=(a_wish().attendees[0].__class__("Bob", BOB),))
    await ours.put_event(world.primary, wish)
    answer = (await theirs.busy([bobs], WEEK))[bobs]
    assert isinstance(answer, tuple)
    (busy,) = answer
    told = [event async for page in theirs.changes(bobs, None, WEEK) for event in page.changed]
    assert (busy.booking_key, [each.booking_key for each in told]) == (None, [None])
