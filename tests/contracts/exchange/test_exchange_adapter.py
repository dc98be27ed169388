"""What only Exchange does, through sockets: passwords, connections, limits, false answers, series, windows, writes."""

import asyncio
import logging
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.connections import Connections
from meetings.adapters.exchange.provider import ExchangeSettings, exchange_provider
from meetings.adapters.exchange.simulator import PASSWORD, ExchangeSimulator
from meetings.adapters.exchange.versions import ServerBuild
from meetings.application.ports.calendars import (
    Attendee,
    BusyStatus,
    CalendarEvent,
    CalendarProvider,
    Calendars,
    CalendarUnreadable,
    Changes,
    EventKey,
    EventRefused,
    EventRemoved,
    EventTime,
    MailboxNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
    RemovedEvent,
    ServerAuth,
)
from meetings.domain.timespan import TimeSpan, at_minute
from tests.contracts.calendars.wishes import a_wish
from tests.contracts.calendars.world import NOW, HeldCredentials, at

ADA, BOB = "ada@example.com", "bob@example.com"
WINDOW = TimeSpan(at(2, 0), at(2, 0, month=5))
TUESDAY = TimeSpan(at(3, 0), at(4, 0))
FAULT = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>{}</faultcode>'
    "<faultstring>Too busy.</faultstring></s:Fault></s:Body></s:Envelope>"
)


def _provider(exchange: ExchangeSimulator, **settings: Any) -> CalendarProvider:
    given = {"private_networks": (f"localhost:{exchange.port}",), "ca_file": exchange.ca_file, **settings}
    return exchange_provider(ExchangeSettings(**given), now=lambda: NOW)


def _held(exchange: ExchangeSimulator, email: str = ADA, **changes: Any) -> HeldCredentials:
    access = MailboxAccess(
        email=email,
        username=email,
        password=PASSWORD,
        url=exchange.ews_url,
        auth=ServerAuth.BASIC,
        build=ServerBuild(*exchange.settings.version.build),
    )
    return HeldCredentials(replace(access, **changes).to_text())


@pytest.fixture
def calendars(exchange: ExchangeSimulator) -> Calendars:
    return _provider(exchange).calendars(_held(exchange))


@pytest.fixture
def primary(exchange: ExchangeSimulator) -> str:
    return exchange.calendar_of(ADA)


async def _read(calendars: Calendars, calendar: str, cursor: str | None = None) -> list[Changes]:
    return [page async for page in calendars.changes(calendar, cursor, WINDOW)]


def _operations(exchange: ExchangeSimulator) -> list[str]:
    return [call.operation for call in exchange.calls]


# ---- passwords and connections --------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
async def test_a_password_that_is_wrong_now_is_shown_once_however_many_calls_wait(
    exchange: ExchangeSimulator, primary: str, auth: ServerAuth
) -> None:
    exchange.change_password(ADA, "another one")
    held = _held(exchange, auth=auth)
    provider = _provider(exchange)
    calls = [provider.calendars(held).busy([primary], TUESDAY) for _ in range(6)]
    refused = await asyncio.gather(*calls, provider.calendars(held).list_calendars(), return_exceptions=True)
    assert {type(each) for each in refused} == {ReauthorizationNeeded}
    with pytest.raises(ReauthorizationNeeded):
        await provider.calendars(held).list_calendars()
    assert (exchange.failed_sign_ins(ADA), exchange.is_locked(ADA)) == (1, False)


async def test_a_new_login_with_the_same_password_is_a_new_try(exchange: ExchangeSimulator) -> None:
    provider = _provider(exchange)
    exchange.disable(ADA)
    with pytest.raises(ReauthorizationNeeded):
        await provider.calendars(_held(exchange)).list_calendars()
    exchange.disable(ADA, disabled=False)
    assert await provider.calendars(_held(exchange)).list_calendars()


async def test_mailboxes_on_one_server_never_see_each_other(exchange: ExchangeSimulator) -> None:
    provider = _provider(exchange)
    own = {ADA: exchange.calendar_of(ADA), BOB: exchange.calendar_of(BOB)}
    held = {email: _held(exchange, email, auth=ServerAuth.NTLM) for email in own}

    async def look(email: str) -> tuple[str, str]:
        (listed,) = await provider.calendars(held[email]).list_calendars()
        return email, listed.external_id

    seen = await asyncio.gather(*(look(email) for email in [ADA, BOB] * 6))
    assert set(seen) == set(own.items())
    with pytest.raises(CalendarUnreadable):
        await _read(provider.calendars(held[ADA]), own[BOB])


async def test_a_connection_is_kept_for_the_next_call(exchange: ExchangeSimulator, calendars: Calendars) -> None:
    await calendars.list_calendars()
    await calendars.list_calendars()
    assert len({call.peer for call in exchange.calls}) == 1


def test_connections_that_are_kept_are_few() -> None:
    class Closing:
        closed = 0

        def close(self) -> None:
            Closing.closed += 1

    def opened(access: MailboxAccess) -> Any:
        return Closing()

    kept = Connections(opened, most=3)
    for number in range(10):
        kept.of(MailboxAccess(ADA, ADA, f"p{number}", "https://x/", ServerAuth.BASIC, ServerBuild(15, 1)))
    assert (len(kept), Closing.closed) == (3, 7)


async def test_nothing_of_one_call_is_left_in_the_library_for_others(exchange: ExchangeSimulator) -> None:
    from exchangelib.protocol import CachingProtocol

    before = dict(CachingProtocol._protocol_cache)
    await _provider(exchange).calendars(_held(exchange)).list_calendars()
    assert before == CachingProtocol._protocol_cache


# ---- time, size, and answers that lie -------------------------------------------------------------------------------


async def test_live_busy_time_is_answered_in_time_or_not_at_all(exchange: ExchangeSimulator, primary: str) -> None:
    exchange.fault("FindItem", delay=5, times=None)
    calendars = _provider(exchange, busy_seconds=0.3).calendars(_held(exchange))
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        await calendars.busy([primary], TUESDAY)
    assert time.monotonic() - started < 2


async def test_one_slow_calendar_does_not_silence_the_others(exchange: ExchangeSimulator, primary: str) -> None:
    slow = exchange.add_calendar(ADA, "Slow")
    exchange.add_event(primary, "x", at(3, 9), at(3, 10))
    calendars = _provider(exchange, busy_seconds=2.0).calendars(_held(exchange))
    await calendars.list_calendars()
    exchange.fault(lambda call: call.operation == "FindItem" and slow.encode() in call.raw, delay_before=8, times=None)
    answers = await calendars.busy([slow, primary], TUESDAY)
    assert isinstance(answers[slow], ProviderUnavailable)
    answer = answers[primary]
    assert isinstance(answer, tuple)
    assert len(answer) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"delay": 10},
        {"drip_seconds": 0.1},
        {"endless": True},
        {"huge_bytes": 11 * 2**20},
        {"cut_off_body": True},
        {"reset": True},
        {"hostile": "dtd"},
        {"hostile": "entities"},
        {"hostile": "external"},
        {"hostile": "depth"},
        {"body": "{}", "content_type": "application/json"},
        {"body": "<html>Sign in</html>", "content_type": "text/html"},
        {"body": "", "content_type": "text/xml"},
        {"body": "<x/>", "content_type": "text/xml"},
        {"status": 302, "headers": {"Location": "/owa/"}},
        {"status": 403},
        {"status": 502},
    ],
)
async def test_whatever_a_server_answers_instead_is_no_answer_and_comes_in_time(
    exchange: ExchangeSimulator, primary: str, fault: dict[str, Any]
) -> None:
    exchange.add_event(primary, "x", at(3, 9), at(3, 10))
    calendars = _provider(exchange, total_seconds=2.0, busy_seconds=2.0).calendars(_held(exchange))
    cursor = (await _read(calendars, primary))[-1].cursor
    exchange.fault(times=None, **fault)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        await calendars.busy([primary], TUESDAY)
    with pytest.raises(ProviderUnavailable):
        await _read(calendars, primary, cursor)
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("fault", "kind", "wait"),
    [
        ({"code": "ErrorServerBusy", "back_off_ms": 4500}, RateLimited, 4.5),
        ({"code": "ErrorServerBusy"}, RateLimited, None),
        ({"code": "ErrorExceededConnectionCount"}, RateLimited, None),
        ({"status": 503, "retry_after": 8}, RateLimited, 8),
        ({"status": 429, "retry_after": "Mon, 02 Mar 2026 08:00:30 GMT"}, RateLimited, 30),
        ({"code": "ErrorMailboxMoveInProgress"}, ProviderUnavailable, None),
        ({"code": "ErrorInternalServerTransientError"}, ProviderUnavailable, None),
        ({"code": "ErrorTimeoutExpired"}, ProviderUnavailable, None),
        ({"code": "ErrorNonExistentMailbox"}, MailboxNotFound, None),
        ({"code": "ErrorAccountDisabled"}, ReauthorizationNeeded, None),
        ({"status": 503}, ProviderUnavailable, None),
        ({"status": 500, "content_type": "text/xml", "body": FAULT.format("a:ErrorServerBusy")}, RateLimited, None),
        ({"status": 500, "content_type": "text/xml", "body": FAULT.format("s:Client")}, ProviderUnavailable, None),
    ],
)
async def test_trouble_of_the_account_is_raised_as_what_it_is_and_never_repeated_here(
    exchange: ExchangeSimulator, primary: str, fault: dict[str, Any], kind: type[ProviderError], wait: float | None
) -> None:
    calendars = _provider(exchange).calendars(_held(exchange))
    exchange.fault("FindItem", times=None, **fault)
    with pytest.raises(ProviderError) as raised:
        await calendars.busy([primary], TUESDAY)
    assert type(raised.value) is kind
    assert getattr(raised.value, "retry_after", None) == wait
    assert _operations(exchange).count("FindItem") == 1


@pytest.mark.parametrize("code", ["ErrorAccessDenied", "ErrorItemNotFound", "ErrorFolderNotFound"])
async def test_a_lost_calendar_is_that_calendars_answer(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str, code: str
) -> None:
    lost = exchange.add_calendar(ADA, "Lost")
    exchange.lose_access(lost, code=code)
    answers = await calendars.busy([lost, primary], TUESDAY)
    assert isinstance(answers[lost], CalendarUnreadable)
    assert answers[primary] == ()


async def test_a_dead_server_takes_no_more_threads_than_there_are(exchange: ExchangeSimulator, primary: str) -> None:
    before = set(threading.enumerate())
    exchange.fault(delay_before=3, times=None)
    calendars = _provider(exchange, threads=3, total_seconds=0.5, busy_seconds=0.5).calendars(_held(exchange))
    await asyncio.gather(*(calendars.busy([primary], TUESDAY) for _ in range(12)), return_exceptions=True)
    added = {thread for thread in threading.enumerate() if thread.name.startswith("exchange_")} - before
    assert 0 < len(added) <= 3


# ---- series and windows ---------------------------------------------------------------------------------------------


async def test_a_series_that_changed_is_told_anew_in_one_page(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    """Nobody who takes the page as a whole sees the series' time free in between."""
    series = exchange.add_recurring(primary, "Weekly", at(3, 9), at(3, 10), times=3)
    exchange.add_event(primary, "Single", at(3, 12), at(3, 13))
    cursor = (await _read(calendars, primary))[-1].cursor
    exchange.move_instance(series, at(10, 9), at(12, 15), at(12, 16))
    (page,) = await _read(calendars, primary, cursor)
    assert page.removed == (RemovedEvent(series),)
    assert sorted(at_minute(each.start) for each in page.changed) == [at(3, 9), at(12, 15), at(17, 9)]
    assert {each.series_id for each in page.changed} == {series}
    assert page.cursor is not None


async def test_a_single_event_that_becomes_a_series_leaves_nothing_behind(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    single = exchange.add_event(primary, "x", at(3, 9), at(3, 10))
    cursor = (await _read(calendars, primary))[-1].cursor
    exchange.repeat_event(single, times=2)
    (page,) = await _read(calendars, primary, cursor)
    assert page.removed == (RemovedEvent(single),)
    assert len(page.changed) == 2


async def test_a_series_made_during_a_full_read_is_whole_after_the_next_one(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    made: list[str] = []
    exchange.on_call(
        "SyncFolderItems",
        lambda: made.append(exchange.add_recurring(primary, "Weekly", at(3, 9), at(3, 10), times=2)),
    )
    pages = await _read(calendars, primary)
    assert len([each for page in pages for each in page.changed]) == 2
    (page,) = await _read(calendars, primary, pages[-1].cursor)
    assert page.removed == (RemovedEvent(made[0]),)
    assert {each.series_id for each in page.changed} == {made[0]}


async def test_a_window_with_more_than_fits_is_read_in_pieces_and_whole(
    exchange: ExchangeSimulator, primary: str
) -> None:
    for number in range(60):
        start = at(3, 0) + timedelta(minutes=20 * number)
        exchange.add_event(primary, "x", start, start + timedelta(minutes=15))
    calendars = _provider(exchange, page_size=7).calendars(_held(exchange))
    pages = await _read(calendars, primary)
    assert max(len(page.changed) for page in pages) <= 7
    assert len({each.event_id for page in pages for each in page.changed}) == 60
    answer = (await calendars.busy([primary], TUESDAY))[primary]
    assert isinstance(answer, tuple)
    assert len(answer) == 60


async def test_more_at_one_time_than_a_server_tells_of_is_no_answer(exchange: ExchangeSimulator, primary: str) -> None:
    for _ in range(4):
        exchange.add_event(primary, "x", at(3, 9), at(3, 10))
    calendars = _provider(exchange, page_size=3).calendars(_held(exchange))
    with pytest.raises(ProviderUnavailable):
        await calendars.busy([primary], TimeSpan(at(3, 9), at(3, 10)))


async def test_a_read_asks_for_nothing_that_is_not_needed(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    exchange.add_event(
        primary, "Secret title", at(3, 9), at(3, 10), location="Secret place", attendees=("v@x.example",)
    )
    await _read(calendars, primary)
    await calendars.busy([primary], TUESDAY)
    for call in exchange.requests_for("FindItem") + exchange.requests_for("SyncFolderItems"):
        assert b"Secret" not in call.answer
        assert b"v@x.example" not in call.answer


async def test_an_hour_that_happens_twice_is_two_hours(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    """The clocks go back in Berlin on 25 October 2026 at 01:00 UTC."""
    night = TimeSpan(datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC))
    for hour in (0, 1):
        start = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        exchange.add_event(primary, "x", start, start + timedelta(minutes=15))
    answer = (await calendars.busy([primary], night))[primary]
    assert isinstance(answer, tuple)
    assert sorted(at_minute(each.start).hour for each in answer) == [0, 1]


# ---- writes ---------------------------------------------------------------------------------------------------------


async def test_a_first_write_looks_before_it_creates_and_then_asks_what_the_event_is_called(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    await calendars.put_event(primary, a_wish())
    assert _operations(exchange) == ["FindItem", "CreateItem", "GetItem"]


async def test_a_lost_answer_is_looked_for_and_not_written_again(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    exchange.fault("CreateItem", drop_after_commit=True)
    written = await calendars.put_event(primary, a_wish())
    assert _operations(exchange) == ["FindItem", "CreateItem", "FindItem"]
    assert [event.id for event in exchange.events(primary)] == [written.event_id]


async def test_an_answer_that_stays_away_leaves_the_outcome_open(exchange: ExchangeSimulator, primary: str) -> None:
    calendars = _provider(exchange, total_seconds=2).calendars(_held(exchange))
    await calendars.list_calendars()
    exchange.fault("CreateItem", delay=5)
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(primary, a_wish())
    assert len(exchange.events(primary)) == 1
    written = await calendars.put_event(primary, a_wish())
    assert [event.id for event in exchange.events(primary)] == [written.event_id]
    assert [mail.kind for mail in exchange.mails] == ["invitation"]


async def test_an_event_that_was_written_and_is_nowhere_was_removed(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    written = await calendars.put_event(primary, a_wish())
    exchange.cancel_event(written.event_id)
    with pytest.raises(EventRemoved):  # it lies in the bin
        await calendars.put_event(primary, a_wish())
    exchange.purge(ADA)
    with pytest.raises(EventRemoved):
        await calendars.put_event(primary, a_wish(written_as=written.event_id))
    assert exchange.events(primary) == []


async def test_what_changed_between_look_and_write_is_not_overwritten(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    wish = a_wish()
    written = await calendars.put_event(primary, wish)
    guests = tuple(address for address, _ in exchange.event(written.event_id).attendees)
    exchange.on_call(
        "GetItem", lambda: exchange.change_event(written.event_id, attendees=(*guests, "boss@example.com"))
    )
    moved = replace(wish, start=at(5, 8), end=at(5, 9), sequence=1)
    with pytest.raises(ProviderUnavailable):
        await calendars.put_event(primary, moved)
    assert exchange.event(written.event_id).start == wish.start
    await calendars.put_event(primary, moved)
    event = exchange.event(written.event_id)
    assert event.start == moved.start
    assert "boss@example.com" in {address for address, _ in event.attendees}


async def test_rooms_and_optional_guests_of_the_host_stay(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    wish = a_wish()
    written = await calendars.put_event(primary, wish)
    await calendars.put_event(primary, replace(wish, title="Tea", sequence=1))
    (update,) = exchange.requests_for("UpdateItem")
    assert b"OptionalAttendees" not in update.raw
    assert b"calendar:Resources" not in update.raw
    assert exchange.event(written.event_id).subject == "Tea"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("Europe/Berlin", "Europe/Berlin"), ("Asia/Kathmandu", "Asia/Kathmandu"), ("Mars/Olympus", "UTC")],
)
async def test_an_event_is_shown_in_the_bookings_zone_as_far_as_windows_has_it(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str, zone: str, shown: str
) -> None:
    wish = a_wish(time_zone=zone)
    written = await calendars.put_event(primary, wish)
    event = exchange.event(written.event_id)
    assert (event.start, event.end) == (wish.start, wish.end)
    assert event.zone == shown


async def test_texts_arrive_as_they_are(exchange: ExchangeSimulator, calendars: Calendars, primary: str) -> None:
    wish = a_wish(title="<b>Tea & 'cake'</b> \U0001f370", description="a < b\n]]> &amp;", location='Zürich "Nord"')
    written = await calendars.put_event(primary, wish)
    event = exchange.event(written.event_id)
    assert (event.subject, event.location) == (wish.title, wish.location)
    assert (event.body.replace("\r\n", "\n"), event.body_type) == (wish.description, "Text")


async def test_a_subject_is_cut_where_exchange_would_refuse_it(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    await calendars.put_event(primary, a_wish(title="x" * 300))
    assert [event.subject for event in exchange.events(primary)] == ["x" * 255]


async def test_what_cannot_be_an_item_is_refused_without_a_call(
    exchange: ExchangeSimulator, calendars: Calendars, primary: str
) -> None:
    for wish in (
        a_wish(start=at(4, 15), end=at(4, 14)),
        a_wish(attendees=(Attendee("Vera", "v" * 300 + "@x.example"),)),
    ):
        with pytest.raises(EventRefused):
            await calendars.put_event(primary, wish)
    assert "CreateItem" not in _operations(exchange)


async def test_a_change_that_stays_busy_is_told_as_such(exchange: ExchangeSimulator, calendars: Calendars) -> None:
    primary = exchange.calendar_of(ADA)
    await calendars.put_event(primary, a_wish())
    (event,) = exchange.events(primary)
    assert (event.busy, event.kind) == ("Busy", "Single")


async def test_an_invited_colleagues_copy_is_not_taken_for_our_event(
    exchange: ExchangeSimulator, calendars: Calendars
) -> None:
    """Properties may travel with an invitation inside one organisation."""
    wish = a_wish(attendees=(Attendee("Bob", BOB),))
    await calendars.put_event(exchange.calendar_of(ADA), wish)
    bobs = _provider(exchange).calendars(_held(exchange, BOB))
    answer = (await bobs.busy([exchange.calendar_of(BOB)], TimeSpan(at(4, 0), at(5, 0))))[exchange.calendar_of(BOB)]
    assert isinstance(answer, tuple)
    assert [each.booking_key for each in answer] == [None]
    before = exchange.events(exchange.calendar_of(BOB))
    await bobs.remove_event(exchange.calendar_of(BOB), wish.key)
    assert exchange.events(exchange.calendar_of(BOB)) == before


async def test_writers_that_come_together_keep_their_events_apart(exchange: ExchangeSimulator, primary: str) -> None:
    provider = _provider(exchange)
    wishes = [a_wish(f"booking-{number % 4}") for number in range(12)]
    await asyncio.gather(*(provider.calendars(_held(exchange)).put_event(primary, wish) for wish in wishes))
    assert len(exchange.events(primary)) == len(exchange.mails) == 4


# ---- every version, and what is logged ------------------------------------------------------------------------------


def _cycle(primary: str) -> CalendarEvent:
    return CalendarEvent(
        key=EventKey("booking-1", "host-1", 0),
        title="Coffee",
        description="Agenda",
        start=at(4, 14),
        end=at(4, 15),
        time_zone="Europe/Berlin",
        attendees=(Attendee("Vera", "vera@visitors.example"),),
    )


@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
@pytest.mark.parametrize("version", ["14.2", "15.0", "15.1", "15.2"])
async def test_every_version_can_be_read_written_and_followed(version: str, auth: ServerAuth) -> None:
    with ExchangeSimulator(now=lambda: NOW, version=version).serve() as server:
        primary = server.add_account(ADA, time_zone="Europe/Berlin")
        calendars = _provider(server).calendars(_held(server, auth=auth))
        cursor = (await _read(calendars, primary))[-1].cursor
        wish = _cycle(primary)
        written = await calendars.put_event(primary, wish)
        moved = replace(wish, start=at(5, 14), end=at(5, 15), sequence=1)
        assert (await calendars.put_event(primary, moved)).event_id == written.event_id
        (page,) = await _read(calendars, primary, cursor)
        assert [(each.event_id, at_minute(each.start), each.booking_key) for each in page.changed] == [
            (written.event_id, at(5, 14), "booking-1")
        ]
        await calendars.remove_event(primary, wish.key)
        assert server.events(primary) == []
        assert [mail.kind for mail in server.mails] == ["invitation", "update", "cancellation"]


async def test_working_elsewhere_is_known_since_2013_and_does_not_block() -> None:
    with ExchangeSimulator(now=lambda: NOW, version="15.1").serve() as server:
        primary = server.add_account(ADA)
        server.add_event(primary, "x", at(3, 9), at(3, 10), busy="WorkingElsewhere")
        calendars = _provider(server).calendars(_held(server))
        assert await calendars.busy([primary], TUESDAY) == {primary: ()}
        told = [each for page in await _read(calendars, primary) for each in page.changed]
        assert [each.status for each in told if isinstance(each, EventTime)] == [BusyStatus.WORKING_ELSEWHERE]


async def test_the_owners_link_leads_to_the_event_where_the_server_can_show_one() -> None:
    with ExchangeSimulator(now=lambda: NOW, version="15.1").serve() as server:
        primary = server.add_account(ADA)
        written = await _provider(server).calendars(_held(server)).put_event(primary, a_wish())
        assert written.url is not None
        assert written.url.startswith(f"{server.url}/owa/?ItemID=")


@pytest.mark.parametrize("auth", [ServerAuth.BASIC, ServerAuth.NTLM])
async def test_nothing_of_a_call_is_logged_but_our_own_words(
    exchange: ExchangeSimulator, primary: str, caplog: pytest.LogCaptureFixture, auth: ServerAuth
) -> None:
    caplog.set_level(logging.DEBUG)
    calendars = _provider(exchange, total_seconds=5).calendars(_held(exchange, auth=auth))
    wish = a_wish(title="Very private title")
    faults: list[Callable[[], object]] = [
        lambda: None,
        lambda: exchange.fault("CreateItem", drop_after_commit=True),
        lambda: exchange.fault(times=1, body="<x>", content_type="text/xml"),
        lambda: exchange.fault(times=1, status=500),
        lambda: exchange.change_password(ADA, "another one"),
    ]
    raised = []
    for number, fault in enumerate(faults):
        fault()
        try:
            await calendars.put_event(primary, replace(wish, key=EventKey(f"b{number}", "h", 0)))
        except ProviderError as error:
            raised.append(repr(error))
    shown = caplog.text + "".join(raised)
    assert len(raised) >= 3
    for secret in (PASSWORD, "Very private title", "vera@visitors.example", "Authorization"):
        assert secret not in shown
    assert b64encode(f"{ADA}:{PASSWORD}".encode()).decode() not in shown
