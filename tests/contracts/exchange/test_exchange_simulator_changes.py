"""Following a folder: SyncFolderItems, pull and streaming notifications."""

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from exchangelib.errors import (
    ErrorExceededSubscriptionCount,
    ErrorInvalidSubscription,
    ErrorInvalidSyncStateData,
    ErrorSubscriptionNotFound,
)

from meetings.adapters.exchange.simulator import ExchangeSimulator
from tests.contracts.calendars.world import Clock
from tests.contracts.exchange import schema
from tests.contracts.exchange.clients import ADA, BOB, account, ask, envelope, folder_id, http
from tests.contracts.exchange.schema import SchemaCheck, split_stream

HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 3, 8, tzinfo=UTC)
XML = {"Content-Type": "text/xml; charset=utf-8"}
KINDS = ("CreatedEvent", "ModifiedEvent", "MovedEvent", "DeletedEvent")


def _sync(exchange: ExchangeSimulator, state: str | None = None, **about: Any) -> tuple[list[tuple[str, str]], str]:
    """(kind, id) of each change, and the state to go on from."""
    calendar = account(exchange).calendar
    found = list(calendar.sync_items(sync_state=state, only_fields=["subject"], **about))
    return [(kind, item.id) for kind, item in found], calendar.item_sync_state


def test_the_first_state_brings_all_and_the_next_only_what_changed(exchange: ExchangeSimulator) -> None:
    calendar = exchange.calendar_of(ADA)
    kept, moved, gone = (exchange.add_event(calendar, "Talk", NINE + n * HOUR, NINE + (n + 1) * HOUR) for n in range(3))
    first, state = _sync(exchange)
    assert first == [("create", each) for each in (kept, moved, gone)]
    exchange.move_event(moved, NINE + 5 * HOUR, NINE + 6 * HOUR)
    exchange.cancel_event(gone)
    added = exchange.add_event(calendar, "New", NINE, NINE + HOUR)
    second, later = _sync(exchange, state)
    assert second == [("update", moved), ("delete", gone), ("create", added)]
    assert _sync(exchange, later)[0] == []
    assert _sync(exchange, state)[0] == second


def test_what_came_and_went_between_two_states_is_not_told(exchange: ExchangeSimulator) -> None:
    _, state = _sync(exchange)
    exchange.cancel_event(exchange.add_event(exchange.calendar_of(ADA), "Brief", NINE, NINE + HOUR))
    assert _sync(exchange, state)[0] == []


def test_a_change_of_an_occurrence_is_one_of_its_series(exchange: ExchangeSimulator) -> None:
    series = exchange.add_recurring(exchange.calendar_of(ADA), "Weekly", NINE, NINE + HOUR, times=4)
    first, state = _sync(exchange)
    assert first == [("create", series)]
    exchange.move_instance(
        series, NINE + timedelta(days=7), NINE + timedelta(days=8), NINE + timedelta(days=8, hours=1)
    )
    told, state = _sync(exchange, state)
    assert told == [("update", series)]
    exchange.cancel_instance(series, NINE + timedelta(days=14))
    assert _sync(exchange, state)[0] == [("update", series)]


def test_changes_come_in_pages_and_none_is_missed_between_them(exchange: ExchangeSimulator) -> None:
    calendar = exchange.calendar_of(ADA)
    made = [exchange.add_event(calendar, "Talk", NINE + n * HOUR, NINE + (n + 1) * HOUR) for n in range(5)]
    exchange.settings.sync_limit = 2
    exchange.on_call("SyncFolderItems", lambda: exchange.move_event(made[0], NINE, NINE + 2 * HOUR))
    seen: list[tuple[str, str]] = []
    state: str | None = None
    for _ in range(4):
        page, state = _page(exchange, state)
        seen += page
    assert seen == [
        ("Create", made[0]),
        ("Create", made[1]),
        ("Create", made[2]),
        ("Create", made[3]),
        ("Create", made[4]),
        ("Update", made[0]),
    ]


def _page(exchange: ExchangeSimulator, state: str | None) -> tuple[list[tuple[str, str]], str]:
    known = f"<m:SyncState>{state}</m:SyncState>" if state else ""
    answer = ask(
        exchange,
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>"
        f'<t:DistinguishedFolderId Id="calendar"/></m:SyncFolderId>{known}'
        "<m:MaxChangesReturned>512</m:MaxChangesReturned></m:SyncFolderItems>",
    )
    changes = [(each.tag.rpartition("}")[2], each[0]) for each in answer.all("//m:Changes/*")]
    ids = [(kind, item.get("Id") or item[0].get("Id")) for kind, item in changes]
    return ids, answer.first("//m:SyncState/text()")


@pytest.mark.parametrize("state", ["nonsense", "bm9uc2Vuc2U=", "e30="])
def test_a_state_that_is_none_is_refused(exchange: ExchangeSimulator, state: str) -> None:
    with pytest.raises(ErrorInvalidSyncStateData):
        _sync(exchange, state)


def test_an_expired_state_and_one_of_another_folder_are_refused(exchange: ExchangeSimulator) -> None:
    _, state = _sync(exchange)
    other = exchange.add_calendar(ADA, "Other")
    answer = ask(
        exchange,
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>"
        f"{folder_id(other)}</m:SyncFolderId><m:SyncState>{state}</m:SyncState>"
        "<m:MaxChangesReturned>10</m:MaxChangesReturned></m:SyncFolderItems>",
    )
    assert answer.codes == ["ErrorInvalidSyncStateData"]
    exchange.expire_sync_states(exchange.calendar_of(ADA))
    with pytest.raises(ErrorInvalidSyncStateData):
        _sync(exchange, state)
    assert _sync(exchange)[0] == []


# -- pull


def test_pull_events_are_told_until_they_are_acknowledged(exchange: ExchangeSimulator) -> None:
    calendar = account(exchange).calendar
    subscription, mark = calendar.subscribe_to_pull(event_types=KINDS)
    item = exchange.add_event(exchange.calendar_of(ADA), "Talk", NINE, NINE + HOUR)
    exchange.move_event(item, NINE + HOUR, NINE + 2 * HOUR)
    for _ in range(2):
        (told,) = calendar.get_events(subscription, mark)
        assert [type(each).__name__ for each in told.events] == ["CreatedEvent", "ModifiedEvent"]
    assert {each.item_id.id for each in told.events} == {item}
    (rest,) = calendar.get_events(subscription, told.events[0].watermark)
    assert [type(each).__name__ for each in rest.events] == ["ModifiedEvent"]
    (nothing,) = calendar.get_events(subscription, rest.events[-1].watermark)
    assert [type(each).__name__ for each in nothing.events] == ["StatusEvent"]


def test_a_subscription_hears_of_its_folder_and_kinds_alone(exchange: ExchangeSimulator) -> None:
    calendar = account(exchange).calendar
    subscription, mark = calendar.subscribe_to_pull(event_types=("MovedEvent",))
    other = exchange.add_calendar(ADA, "Other")
    exchange.cancel_event(exchange.add_event(other, "Talk", NINE, NINE + HOUR))
    exchange.add_event(exchange.calendar_of(BOB), "Talk", NINE, NINE + HOUR)
    gone = exchange.add_event(exchange.calendar_of(ADA), "Talk", NINE, NINE + HOUR)
    exchange.cancel_event(gone)
    (told,) = calendar.get_events(subscription, mark)
    (moved,) = told.events
    assert (moved.old_item_id.id, moved.parent_folder_id.id) == (gone, exchange.deleted_items_of(ADA))


def test_an_ended_subscription_is_not_found(exchange: ExchangeSimulator) -> None:
    calendar = account(exchange).calendar
    subscription, mark = calendar.subscribe_to_pull(event_types=KINDS)
    calendar.unsubscribe(subscription)
    with pytest.raises(ErrorSubscriptionNotFound):
        list(calendar.get_events(subscription, mark))
    with pytest.raises(ErrorSubscriptionNotFound):
        calendar.unsubscribe(subscription)


def test_a_subscription_nobody_asks_for_ends(exchange: ExchangeSimulator, clock: Clock) -> None:
    calendar = account(exchange).calendar
    pull, mark = calendar.subscribe_to_pull(event_types=KINDS, timeout=10)
    stream = calendar.subscribe_to_streaming(event_types=KINDS)
    for _ in range(3):
        clock.forward(timedelta(minutes=9))
        assert list(calendar.get_events(pull, mark))
    clock.forward(timedelta(minutes=11))
    with pytest.raises(ErrorSubscriptionNotFound):
        list(calendar.get_events(pull, mark))
    with pytest.raises(ErrorInvalidSubscription):
        list(calendar.get_streaming_events(stream, connection_timeout=1))
    assert exchange.subscriptions == 0


def test_an_account_has_so_many_subscriptions_at_most(exchange: ExchangeSimulator) -> None:
    exchange.settings.most_subscriptions = 2
    calendar = account(exchange).calendar
    first, _ = [calendar.subscribe_to_streaming(event_types=KINDS) for _ in range(2)]
    with pytest.raises(ErrorExceededSubscriptionCount):
        calendar.subscribe_to_streaming(event_types=KINDS)
    account(exchange, BOB).calendar.subscribe_to_streaming(event_types=KINDS)
    calendar.unsubscribe(first)
    calendar.subscribe_to_streaming(event_types=KINDS)


# -- streaming


def _streaming(subscription: str, minutes: int = 1) -> str:
    return (
        f"<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>{subscription}</t:SubscriptionId>"
        f"</m:SubscriptionIds><m:ConnectionTimeout>{minutes}</m:ConnectionTimeout></m:GetStreamingEvents>"
    )


@contextlib.contextmanager
def _reading(exchange: ExchangeSimulator, subscription: str, minutes: int = 1) -> Iterator[list[Any]]:
    """Reads the stream in a thread; gives what came so far, and at the end what ended it."""
    told: list[Any] = []

    def read() -> None:
        try:
            for each in account(exchange).calendar.get_streaming_events(subscription, connection_timeout=minutes):
                told.append(each)
            told.append("closed")
        except Exception as error:
            told.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    _until(lambda: exchange.open_streams == 1 or bool(told))
    yield told
    reader.join(timeout=10)
    assert not reader.is_alive()


def _until(what: Any) -> None:
    deadline = time.monotonic() + 5
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_stream_tells_of_changes_as_they_happen_and_then_closes(exchange: ExchangeSimulator) -> None:
    exchange.settings.minute_seconds = 0.6
    subscription = account(exchange).calendar.subscribe_to_streaming(event_types=KINDS)
    with _reading(exchange, subscription) as told:
        item = exchange.add_event(exchange.calendar_of(ADA), "Talk", NINE, NINE + HOUR)
        _until(lambda: told)
        exchange.cancel_event(item)
        _until(lambda: len(told) > 1)
    assert [[type(each).__name__ for each in one.events] for one in told[:2]] == [["CreatedEvent"], ["MovedEvent"]]
    assert (told[0].subscription_id, told[0].events[0].item_id.id, told[2]) == (subscription, item, "closed")
    assert exchange.open_streams == 0


def test_what_happens_between_two_connections_is_told_by_the_next(exchange: ExchangeSimulator) -> None:
    exchange.settings.minute_seconds = 0.3
    subscription = account(exchange).calendar.subscribe_to_streaming(event_types=KINDS)
    exchange.add_event(exchange.calendar_of(ADA), "Talk", NINE, NINE + HOUR)
    with _reading(exchange, subscription) as told:
        _until(lambda: told)
    assert [type(each).__name__ for each in told[0].events] == ["CreatedEvent"]


@pytest.mark.skipif(not schema.AVAILABLE, reason=schema.ABSENT)
def test_the_documents_of_a_stream_keep_to_the_schema(exchange: ExchangeSimulator) -> None:
    """OK at once, news, heartbeats, and Closed at the end."""
    exchange.settings.minute_seconds, exchange.settings.heartbeat_seconds = 0.5, 0.1
    subscription = account(exchange).calendar.subscribe_to_streaming(event_types=KINDS)
    exchange.add_event(exchange.calendar_of(ADA), "Talk", NINE, NINE + HOUR)
    with http(exchange, auth=(ADA, "correct horse battery")) as client:
        answer = client.post("/EWS/Exchange.asmx", content=envelope(_streaming(subscription)), headers=XML)
    assert answer.headers["transfer-encoding"] == "chunked"
    check = SchemaCheck()
    check.check_stream(answer.content)
    assert check.problems == []
    documents = split_stream(answer.content)
    assert b">OK<" in documents[0]
    assert b"CreatedEvent" in documents[1]
    assert [b">OK<" in each for each in documents[2:-1]] == [True] * (len(documents) - 3) != []
    assert b">Closed<" in documents[-1]


def test_a_subscription_nobody_knows_is_named_in_the_refusal(exchange: ExchangeSimulator) -> None:
    calendar = account(exchange).calendar
    with pytest.raises(ErrorInvalidSubscription) as refused:
        list(calendar.get_streaming_events("bm9uZQ==", connection_timeout=1))
    assert "bm9uZQ==" in str(refused.value)


def test_a_stream_whose_subscription_ends_is_closed(exchange: ExchangeSimulator) -> None:
    subscription = account(exchange).calendar.subscribe_to_streaming(event_types=KINDS)
    with _reading(exchange, subscription) as told:
        exchange.expire_subscriptions()
    assert told == ["closed"]


def test_a_server_that_restarts_breaks_streams_off(exchange: ExchangeSimulator) -> None:
    subscription = account(exchange).calendar.subscribe_to_streaming(event_types=KINDS)
    with _reading(exchange, subscription) as told:
        exchange.end_streams()
    assert told == ["closed"] or isinstance(told[0], Exception)
    (call,) = exchange.requests_for("GetStreamingEvents")
    assert b"Closed" not in call.answer


@pytest.mark.parametrize("minutes", [0, 31])
def test_a_connection_lasts_one_to_thirty_minutes(unchecked_exchange: ExchangeSimulator, minutes: int) -> None:
    assert ask(unchecked_exchange, _streaming("x", minutes)).code == "ErrorSchemaValidation"


def test_an_account_has_so_many_streams_at_most(exchange: ExchangeSimulator) -> None:
    exchange.settings.most_streams, exchange.settings.minute_seconds = 1, 0.5
    subscription = account(exchange).calendar.subscribe_to_streaming(event_types=KINDS)
    with _reading(exchange, subscription):
        assert ask(exchange, _streaming(subscription)).code == "ErrorExceededConnectionCount"
        assert list(account(exchange).calendar.all()) == []
