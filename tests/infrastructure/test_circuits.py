"""Breakers, what providers ask for, quotas and places, in virtual time (RT-2, RT-5, RT-6)."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from meetings.application.ports.calendars import (
    BusyAnswer,
    BusyStatus,
    CalendarEvent,
    Calendars,
    CalendarUnreadable,
    CallQuota,
    Changes,
    CursorExpired,
    EventKey,
    EventNews,
    EventRefused,
    EventRemoved,
    EventTime,
    MailboxNotFound,
    ProviderError,
    ProviderResting,
    ProviderUnavailable,
    PushChannel,
    RateLimited,
    ReauthorizationNeeded,
    WrittenEvent,
)
from meetings.application.retry_schedule import next_try
from meetings.domain.calendar_connection import CalendarConnection, ListedCalendar, MailServer, Provider
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.circuits.circuits import Circuits
from meetings.infrastructure.circuits.places import Places, workers_for
from meetings.infrastructure.circuits.quota import Quota
from meetings.infrastructure.circuits.together import Together
from meetings.infrastructure.circuits.watched import Busy
from tests.builders import a_connection

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SPAN = TimeSpan(NOW, NOW + timedelta(hours=1))
DOWN = ProviderUnavailable("no answer")


@dataclass
class Scripted:
    """A provider in memory: `answers` says for each call what comes of it, None is success."""

    outcome: Callable[[], Exception | None] = lambda: None
    calls: int = 0
    pages: tuple[Changes, ...] = ()
    busy_answers: Mapping[str, BusyAnswer] = field(default_factory=dict)

    def _answer(self) -> None:
        self.calls += 1
        if (error := self.outcome()) is not None:
            raise error

    async def list_calendars(self) -> tuple[ListedCalendar, ...]:
        self._answer()
        return ()

    async def busy(self, calendars: Sequence[str], span: TimeSpan) -> Mapping[str, BusyAnswer]:
        self._answer()
        return self.busy_answers

    async def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
        for page in self.pages:
            self._answer()
            yield page

    async def event_news(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[EventNews]:
        self._answer()
        yield EventNews((), (), None)

    async def put_event(self, calendar: str, event: CalendarEvent) -> WrittenEvent:
        self._answer()
        return WrittenEvent("an id")

    async def remove_event(self, calendar: str, key: EventKey) -> None:
        self._answer()

    async def open_channel(self, calendar: str, *, channel_id: str, secret: str, address: str) -> PushChannel:
        self._answer()
        return PushChannel(channel_id, "what", NOW)

    async def close_channel(self, channel: PushChannel) -> None:
        self._answer()


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    """One process with its circuits, and as many connections as a test wants."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.circuits = Circuits(self.clock)

    def connection(
        self,
        place: Scripted,
        provider: Provider = Provider.GOOGLE,
        *,
        server: str | None = None,
        quota: CallQuota | None = None,
    ) -> Calendars:
        return self.circuits.around(place, whose(provider, server), quota)


def whose(provider: Provider = Provider.GOOGLE, server: str | None = None) -> CalendarConnection:
    return a_connection(provider=provider, server=MailServer(server, "15.1") if server else None)


async def outcome_of(calendars: Calendars) -> type[Exception] | None:
    try:
        await calendars.list_calendars()
    except ProviderError as error:
        return type(error)
    return None


async def outcomes_of(calendars: Calendars, times: int) -> list[type[Exception] | None]:
    return [await outcome_of(calendars) for _ in range(times)]


def scripted(*answers: Exception | None, then: Exception | None = None) -> Scripted:
    waiting = list(answers)
    return Scripted(lambda: waiting.pop(0) if waiting else then)


# ---- one connection's breaker --------------------------------------------------------------------------------------


async def test_after_five_failures_in_a_row_nothing_goes_out_for_half_a_minute() -> None:
    bench, place = Bench(), scripted(then=DOWN)
    calendars = bench.connection(place)
    assert await outcomes_of(calendars, 8) == [ProviderUnavailable] * 5 + [ProviderResting] * 3
    bench.clock.now += 29.9
    assert await outcome_of(calendars) is ProviderResting
    assert place.calls == 5


async def test_a_success_between_failures_begins_the_row_anew() -> None:
    bench, place = Bench(), scripted(DOWN, DOWN, DOWN, DOWN, None, DOWN, DOWN, DOWN, DOWN, None)
    assert ProviderResting not in await outcomes_of(bench.connection(place), 10)


async def test_one_probe_goes_out_after_half_a_minute_and_closes_the_breaker() -> None:
    bench, place = Bench(), scripted(*[DOWN] * 5)
    calendars = bench.connection(place)
    await outcomes_of(calendars, 6)
    bench.clock.now += 30
    assert await outcomes_of(calendars, 10) == [None] * 10


async def test_a_probe_that_fails_opens_the_breaker_for_another_half_minute() -> None:
    bench, place = Bench(), scripted(then=DOWN)
    calendars = bench.connection(place)
    await outcomes_of(calendars, 5)
    for round_ in range(1, 4):
        bench.clock.now += 30
        assert await outcomes_of(calendars, 3) == [ProviderUnavailable, ProviderResting, ProviderResting]
        assert place.calls == 5 + round_


async def test_while_the_probe_is_under_way_nothing_else_goes_out() -> None:
    bench, place = Bench(), Hanging()
    calendars = bench.connection(place)
    place.failing = True
    await outcomes_of(calendars, 5)
    place.failing = False
    bench.clock.now += 30
    probe = asyncio.create_task(calendars.list_calendars())
    await place.reached.wait()
    assert await outcomes_of(calendars, 3) == [ProviderResting] * 3
    place.released.set()
    await probe
    assert await outcome_of(calendars) is None


async def test_a_probe_that_was_broken_off_at_once_leaves_room_for_another() -> None:
    bench, place = Bench(), Hanging()
    calendars = bench.connection(place)
    place.failing = True
    await outcomes_of(calendars, 5)
    place.failing = False
    bench.clock.now += 30
    probe = asyncio.create_task(calendars.list_calendars())
    await place.reached.wait()
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    place.released.set()
    assert await outcome_of(calendars) is None


async def test_half_of_twenty_within_half_a_minute_is_too_much() -> None:
    bench, place = Bench(), scripted(*[DOWN, None] * 9, None, DOWN)
    calendars = bench.connection(place)
    assert ProviderResting not in await outcomes_of(calendars, 20)
    assert await outcome_of(calendars) is ProviderResting


async def test_less_than_half_or_less_than_twenty_or_slower_is_not() -> None:
    for answers, pause in (([DOWN, None, None] * 20, 0.0), ([DOWN, None] * 9, 0.0), ([DOWN, None] * 40, 2.0)):
        bench = Bench()
        calendars = bench.connection(scripted(*answers))
        for _ in answers:
            bench.clock.now += pause
            assert await outcome_of(calendars) is not ProviderResting


@pytest.mark.parametrize(
    "answer",
    [
        CalendarUnreadable("lost"),
        EventRefused("no"),
        EventRemoved("gone"),
        CursorExpired("old"),
        MailboxNotFound(),
        ReauthorizationNeeded("sign in"),
        RateLimited(),
    ],
)
async def test_an_answer_that_is_no_success_is_no_failure_of_the_provider(answer: Exception) -> None:
    place = scripted(then=answer)
    assert await outcomes_of(Bench().connection(place), 30) == [type(answer)] * 30
    assert place.calls == 30


async def test_every_kind_of_call_counts_and_is_refused() -> None:
    bench, place = Bench(), Scripted(lambda: DOWN, pages=(Changes((), (), None), Changes((), (), "a cursor")))
    connection = whose()
    calendars = bench.circuits.around(place, connection, None)
    channels = bench.circuits.around_push(place, connection, None)
    key = EventKey("booking", "host", 0)
    event = CalendarEvent(key, "title", "", NOW, NOW, "UTC", ())

    async def each() -> list[type[BaseException]]:
        told: list[type[BaseException]] = []
        for call in (
            calendars.list_calendars(),
            calendars.busy(["a"], SPAN),
            anext(calendars.changes("a", None, SPAN)),
            calendars.put_event("a", event),
            calendars.remove_event("a", key),
            channels.open_channel("a", channel_id="c", secret="s", address="https://example.com"),
            channels.close_channel(PushChannel("c", "r", NOW)),
        ):
            with pytest.raises(ProviderUnavailable) as failed:
                await call
            told.append(failed.type)
        return told

    assert await each() == [ProviderUnavailable] * 5 + [ProviderResting] * 2
    assert await each() == [ProviderResting] * 7
    assert place.calls == 5


async def test_silence_about_every_calendar_is_a_failure_and_about_one_is_not() -> None:
    cases: list[tuple[dict[str, BusyAnswer], bool]] = [({"a": DOWN, "b": DOWN}, True), ({"a": DOWN, "b": ()}, False)]
    for answers, rests in [*cases, ({}, False)]:
        calendars = Bench().connection(Scripted(busy_answers=answers))
        for _ in range(5):
            assert await calendars.busy(["a", "b"], SPAN) == answers
        assert (await outcome_of(calendars) is ProviderResting) is rests


async def test_a_call_given_up_after_five_seconds_is_a_failure_and_one_given_up_before_is_not() -> None:
    for seconds, expected in ((5.0, ProviderResting), (4.9, None)):
        bench, place = Bench(), Hanging()
        calendars = bench.connection(place)
        for _ in range(5):
            place.reached.clear()
            call = asyncio.create_task(calendars.list_calendars())
            await place.reached.wait()
            bench.clock.now += seconds
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        place.released.set()
        assert await outcome_of(calendars) is expected


async def test_pages_come_through_and_the_last_one_is_the_last_call() -> None:
    pages = (Changes((), (), None), Changes((), (), None), Changes((), (), "a cursor"))
    place = Scripted(pages=pages)
    found = [page async for page in Bench().connection(place).changes("a", None, SPAN)]
    assert (tuple(found), place.calls) == (pages, 3)


async def test_a_reader_that_stops_half_way_ends_the_adapters_own_reading() -> None:
    closed: list[bool] = []

    class Reading(Scripted):
        async def changes(self, calendar: str, cursor: str | None, window: TimeSpan) -> AsyncIterator[Changes]:
            try:
                while True:
                    yield Changes((), (), None)
            finally:
                closed.append(True)

    pages = Bench().connection(Reading()).changes("a", None, SPAN)
    assert isinstance(pages, AsyncGenerator)
    await anext(pages)
    await pages.aclose()
    assert closed == [True]


# ---- the provider's breaker ----------------------------------------------------------------------------------------


async def test_five_failures_in_a_row_of_several_connections_are_the_providers() -> None:
    bench, place = Bench(), scripted(then=DOWN)
    for _ in range(5):
        assert await outcome_of(bench.connection(place)) is ProviderUnavailable
    assert await outcome_of(bench.connection(place)) is ProviderResting
    assert place.calls == 5


async def test_one_broken_mailbox_is_not_held_against_the_others() -> None:
    bench = Bench()
    broken, sound = bench.connection(scripted(then=DOWN)), bench.connection(scripted())
    assert await outcomes_of(broken, 7) == [ProviderUnavailable] * 5 + [ProviderResting] * 2
    assert await outcomes_of(sound, 3) == [None] * 3


async def test_one_provider_that_is_down_says_nothing_about_another() -> None:
    bench, down, up = Bench(), scripted(then=DOWN), scripted()
    for _ in range(6):
        await outcome_of(bench.connection(down))
    assert await outcome_of(bench.connection(up, Provider.OFFICE365)) is None


async def test_servers_of_customers_stand_and_fall_alone() -> None:
    bench, down = Bench(), scripted(then=DOWN)
    for _ in range(6):
        await outcome_of(bench.connection(down, Provider.EXCHANGE, server="https://mail.one.example/EWS/Exchange.asmx"))
    one = bench.connection(scripted(), Provider.EXCHANGE, server="https://MAIL.one.example/ews/exchange.asmx")
    other = bench.connection(scripted(), Provider.EXCHANGE, server="https://mail.two.example/EWS/Exchange.asmx")
    assert [await outcome_of(one), await outcome_of(other)] == [ProviderResting, None]


async def test_the_provider_is_probed_by_one_call_of_all_connections() -> None:
    bench, place = Bench(), scripted(*[DOWN] * 5)
    for _ in range(5):
        await outcome_of(bench.connection(place))
    bench.clock.now += 30
    assert [await outcome_of(bench.connection(place)) for _ in range(3)] == [None] * 3


async def test_the_log_tells_when_a_breaker_opens_and_closes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    bench, place = Bench(), scripted(*[DOWN] * 6)
    calendars = bench.connection(place)
    await outcomes_of(calendars, 7)
    bench.clock.now += 30
    await outcome_of(calendars)  # the probe fails: nothing new
    bench.clock.now += 30
    await outcome_of(calendars)
    told = [(record.levelname, record.message) for record in caplog.records]
    assert told == [
        ("WARNING", "a connection failed too often and is left alone for a while"),
        ("INFO", "a connection answers again"),
    ]


# ---- being asked for patience --------------------------------------------------------------------------------------


async def test_no_call_goes_out_before_the_time_the_provider_asked_for() -> None:
    bench, place = Bench(), scripted(RateLimited(retry_after=120))
    calendars = bench.connection(place)
    await outcome_of(calendars)
    for _ in range(119):
        bench.clock.now += 1
        with pytest.raises(RateLimited) as refused:
            await calendars.list_calendars()
        assert refused.value.retry_after == pytest.approx(1120 - bench.clock.now)
    assert place.calls == 1
    bench.clock.now += 1
    assert await outcome_of(calendars) is None


async def test_patience_asked_for_one_calendar_holds_for_the_connection_and_for_no_other() -> None:
    bench = Bench()
    place = Scripted(busy_answers={"a": (), "b": RateLimited(retry_after=10)})
    asked, other = bench.connection(place), bench.connection(scripted())
    await asked.busy(["a", "b"], SPAN)
    assert [await outcome_of(asked), await outcome_of(other)] == [RateLimited, None]


async def test_a_shorter_wish_does_not_shorten_a_longer_one() -> None:
    bench, place = Bench(), Hanging()
    calendars = bench.connection(place)
    both = [asyncio.create_task(calendars.list_calendars()) for _ in range(2)]
    await place.reached.wait()
    await asyncio.sleep(0)
    place.errors = [RateLimited(retry_after=60), RateLimited(retry_after=5)]
    place.released.set()
    await asyncio.gather(*both, return_exceptions=True)
    bench.clock.now += 59
    assert await outcome_of(calendars) is RateLimited


async def test_nobody_waits_longer_than_a_day() -> None:
    bench = Bench()
    calendars = bench.connection(scripted(RateLimited(retry_after=10**9)))
    await outcome_of(calendars)
    bench.clock.now += 24 * 3600
    assert await outcome_of(calendars) is None


# ---- quotas --------------------------------------------------------------------------------------------------------


async def test_one_account_uses_four_fifths_of_its_quota_in_any_minute() -> None:
    bench, place = Bench(), scripted()
    calendars = bench.connection(place, quota=CallQuota(600, 10_000))
    dice = random.Random(5)
    went_out: list[float] = []
    for _ in range(6_000):
        bench.clock.now += dice.random() * 0.1
        if await outcome_of(calendars) is None:
            went_out.append(bench.clock.now)
    assert max(sum(1 for at in went_out if start <= at < start + 60) for start in went_out[::7]) == 480
    assert len(went_out) > 2_000


async def test_all_accounts_share_the_quota_of_the_project() -> None:
    bench, place = Bench(), scripted()
    several = [bench.connection(place, quota=CallQuota(600, 1_000)) for _ in range(10)]
    told = [await outcome_of(several[n % 10]) for n in range(1_000)]
    assert (told.count(None), told.count(RateLimited)) == (800, 200)
    assert await outcome_of(bench.connection(place, Provider.OFFICE365)) is None


async def test_who_is_over_the_quota_is_told_when_to_come_back() -> None:
    bench = Bench()
    calendars = bench.connection(scripted(), quota=CallQuota(10, 100))
    for _ in range(8):
        await calendars.list_calendars()
        bench.clock.now += 1
    with pytest.raises(RateLimited) as refused:
        await calendars.list_calendars()
    assert refused.value.retry_after == pytest.approx(52)
    bench.clock.now += 52
    assert await outcomes_of(calendars, 2) == [None, RateLimited]


async def test_a_change_costs_as_much_as_the_two_requests_it_makes() -> None:
    key = EventKey("booking", "host", 0)
    new = CalendarEvent(key, "title", "", NOW, NOW, "UTC", ())
    calls: list[tuple[Callable[[Calendars], Awaitable[object]], int]] = [
        (lambda calendars: calendars.remove_event("a", key), 4),
        (lambda calendars: calendars.put_event("a", replace(new, sequence=1)), 4),
        (lambda calendars: calendars.put_event("a", new), 8),
    ]
    for call, times in calls:
        calendars = Bench().connection(scripted(), quota=CallQuota(10, 100))
        for _ in range(times):
            await call(calendars)
        assert await outcome_of(calendars) is RateLimited


async def test_a_question_somebody_waits_for_is_counted_and_not_held_back() -> None:
    calendars = Bench().connection(scripted(), quota=CallQuota(10, 100))
    for _ in range(20):
        await calendars.busy(["a"], SPAN)
    assert await outcome_of(calendars) is RateLimited


def test_a_cost_that_never_fits_waits_a_minute_at_a_time() -> None:
    assert Quota(10).full_for(9, 0.0) == 60.0


# ---- the same question, asked by many --------------------------------------------------------------------------------


class Counting(Scripted):
    """Answers with the number of the question, once it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Semaphore(0)

    async def busy(self, calendars: Sequence[str], span: TimeSpan) -> Mapping[str, BusyAnswer]:
        self.calls += 1
        number = self.calls
        await self.released.acquire()
        if (error := self.outcome()) is not None:
            raise error
        return {"a": (EventTime(str(number), 0, 1, BusyStatus.BUSY),)}


def number_of(answer: Mapping[str, BusyAnswer]) -> str:
    events = answer["a"]
    assert isinstance(events, tuple)
    (event,) = events
    return event.event_id


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_fifty_who_ask_the_same_put_two_questions_and_nobody_gets_an_older_answer() -> None:
    """BK-8: what was asked before somebody came is no answer for them."""
    place, together, connection = Counting(), Together[Busy](), whose()
    calendars = [Circuits(Clock()).around(place, connection, None, together) for _ in range(50)]
    first = asyncio.create_task(calendars[0].busy(["a"], SPAN))
    await settle()
    others = [asyncio.create_task(each.busy(["a"], SPAN)) for each in calendars[1:]]
    await settle()
    assert place.calls == 1
    place.released.release()
    assert number_of(await first) == "1"
    await settle()
    late = asyncio.create_task(calendars[0].busy(["a"], SPAN))
    await settle()
    assert place.calls == 2
    place.released.release()
    assert {number_of(await each) for each in others} == {"2"}
    place.released.release()
    assert number_of(await late) == "3"


async def test_other_questions_are_put_at_once() -> None:
    place, together, connection = Counting(), Together[Busy](), whose()
    calendars = Circuits(Clock()).around(place, connection, None, together)
    stranger = Circuits(Clock()).around(place, whose(), None, together)
    other_span = TimeSpan(NOW, NOW + timedelta(hours=2))
    asked = [calendars.busy(["a"], SPAN), calendars.busy(["a", "b"], SPAN), calendars.busy(["a"], other_span)]
    waiting = [asyncio.create_task(each) for each in [*asked, stranger.busy(["a"], SPAN)]]
    await settle()
    assert place.calls == 4
    for _ in waiting:
        place.released.release()
    await asyncio.gather(*waiting)


async def test_who_stops_waiting_takes_nothing_from_the_others() -> None:
    place, together, connection = Counting(), Together[Busy](), whose()
    calendars = Circuits(Clock()).around(place, connection, None, together)
    first = asyncio.create_task(calendars.busy(["a"], SPAN))
    await settle()
    second, third = (asyncio.create_task(calendars.busy(["a"], SPAN)) for _ in range(2))
    await settle()
    first.cancel()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    for _ in range(2):
        place.released.release()
    assert number_of(await third) == "2"


async def test_an_error_is_shared_and_the_next_question_is_a_new_one() -> None:
    failing = [DOWN, DOWN, None]
    place, together, connection = Counting(), Together[Busy](), whose()
    place.outcome = lambda: failing.pop(0)
    calendars = Circuits(Clock()).around(place, connection, None, together)
    waiting = [asyncio.create_task(calendars.busy(["a"], SPAN)) for _ in range(3)]
    for _ in range(3):
        place.released.release()
    assert await asyncio.gather(*waiting, return_exceptions=True) == [DOWN] * 3
    assert number_of(await calendars.busy(["a"], SPAN)) == "3"


# ---- places --------------------------------------------------------------------------------------------------------


class Hanging(Scripted):
    """Does not answer before it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.released = asyncio.Event(), asyncio.Event()
        self.failing = False
        self.errors: list[Exception] = []

    async def list_calendars(self) -> tuple[ListedCalendar, ...]:
        self.calls += 1
        if self.failing:
            raise DOWN
        self.reached.set()
        await self.released.wait()
        if self.errors:
            raise self.errors.pop(0)
        return ()


async def test_a_provider_that_hangs_leaves_places_for_another() -> None:
    hanging, prompt = Hanging(), Scripted()
    of = {Provider.GOOGLE: hanging, Provider.OFFICE365: prompt}
    calendars_of = Places(4).within(lambda connection: of[connection.provider])
    stuck = [asyncio.create_task(calendars_of(whose()).list_calendars()) for _ in range(6)]
    await hanging.reached.wait()
    async with asyncio.timeout(0.5):
        await asyncio.gather(*(calendars_of(whose(Provider.OFFICE365)).list_calendars() for _ in range(50)))
    done, _ = await asyncio.wait(stuck, timeout=3, return_when=asyncio.FIRST_EXCEPTION)
    with pytest.raises(RateLimited):
        await done.pop()
    assert (hanging.calls, prompt.calls) == (4, 50)
    hanging.released.set()
    await asyncio.gather(*stuck, return_exceptions=True)


async def test_a_place_is_free_again_however_its_call_ended() -> None:
    place = scripted(DOWN, None, DOWN, None)
    calendars = Places(1).within(lambda connection: place)(whose())
    assert await outcomes_of(calendars, 4) == [ProviderUnavailable, None, ProviderUnavailable, None]
    hanging = Hanging()
    calendars = Places(1).within(lambda connection: hanging)(whose())
    for _ in range(3):
        hanging.reached.clear()
        call = asyncio.create_task(calendars.list_calendars())
        await hanging.reached.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    hanging.released.set()
    assert await outcome_of(calendars) is None


def test_there_are_workers_for_the_places_of_every_provider() -> None:
    assert [workers_for(8, providers) for providers in (0, 1, 3)] == [8, 8, 24]


# ---- what it means for work that waits -----------------------------------------------------------------------------


@pytest.mark.parametrize("attempts", [1, 10, 1_000])
def test_work_for_a_provider_that_rests_comes_back_soon_after_however_often_it_was_tried(attempts: int) -> None:
    error = ProviderResting("it rests", retry_after=12)
    for chance in (0.0, 0.5, 0.999):
        pause = next_try(error, attempts, now=NOW, chance=chance) - NOW
        assert timedelta(seconds=12) <= pause <= timedelta(seconds=32)
