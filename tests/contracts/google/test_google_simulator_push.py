"""Notification channels of the simulator, delivered to a local receiver."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from meetings.adapters.google.simulator import GoogleSimulator
from tests.contracts.calendars.world import Clock
from tests.contracts.google.clients import calendar_client, refusal
from tests.contracts.google.receiver import Receiver

ADA, BOB = "ada@example.com", "bob@example.com"
START = datetime(2026, 3, 3, 9, tzinfo=UTC)


def _watch(google: GoogleSimulator, receiver: Receiver, channel_id: str = "channel-1", **more: Any) -> dict[str, Any]:
    body = {"id": channel_id, "type": "web_hook", "address": receiver.address, "token": "secret-1", **more}
    answer: dict[str, Any] = calendar_client(google, ADA).events().watch(calendarId="primary", body=body).execute()
    google.sending.wait_until_sent()
    return answer


def _change(google: GoogleSimulator, times: int = 1, calendar_id: str = ADA) -> None:
    for _ in range(times):
        google.add_event(calendar_id, "Talk", START, START + timedelta(hours=1))


def _refused(google: GoogleSimulator, body: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(HttpError) as refused:
        calendar_client(google, ADA).events().watch(calendarId="primary", body=body).execute()
    return refusal(refused.value)


def test_a_channel_says_sync_first_and_exists_at_every_change(
    google: GoogleSimulator, receiver: Receiver, clock: Clock
) -> None:
    channel = _watch(google, receiver, params={"ttl": "3600"})
    expires_at = clock() + timedelta(hours=1)
    assert channel["kind"] == "api#channel"
    assert channel["expiration"] == str(int(expires_at.timestamp()) * 1000)
    _change(google)
    google.sending.wait_until_sent()
    sync, exists = receiver.messages
    assert {name: value for name, value in exists.items() if name.startswith("X-Goog-")} == {
        "X-Goog-Channel-ID": "channel-1",
        "X-Goog-Channel-Token": "secret-1",
        "X-Goog-Channel-Expiration": "Mon, 02 Mar 2026 09:00:00 GMT",
        "X-Goog-Message-Number": exists["X-Goog-Message-Number"],
        "X-Goog-Resource-ID": channel["resourceId"],
        "X-Goog-Resource-State": "exists",
        "X-Goog-Resource-URI": channel["resourceUri"],
    }
    assert (sync["X-Goog-Resource-State"], sync["X-Goog-Message-Number"]) == ("sync", "1")
    assert int(exists["X-Goog-Message-Number"]) > 1
    assert receiver.bodies == [b"", b""]


def test_what_clients_and_people_do_is_told_and_other_calendars_are_not(
    google: GoogleSimulator, receiver: Receiver
) -> None:
    _watch(google, receiver)
    events = calendar_client(google, ADA).events()
    body = {"start": {"dateTime": "2026-03-03T10:00:00Z"}, "end": {"dateTime": "2026-03-03T11:00:00Z"}}
    event = events.insert(calendarId="primary", body=body).execute()
    events.delete(calendarId="primary", eventId=event["id"]).execute()
    _change(google, calendar_id=BOB)
    google.sending.wait_until_sent()
    assert receiver.states() == ["sync", "exists", "exists"]


def test_an_invitation_is_told_to_the_guest(google: GoogleSimulator, receiver: Receiver) -> None:
    _watch(google, receiver)
    google.add_event(BOB, "Invited", START, START + timedelta(hours=1), attendees=[{"email": ADA}])
    google.sending.wait_until_sent()
    assert receiver.states() == ["sync", "exists"]


def test_a_stopped_channel_is_silent_and_cannot_be_stopped_again(google: GoogleSimulator, receiver: Receiver) -> None:
    channel = _watch(google, receiver)
    stop = calendar_client(google, ADA).channels().stop(body={"id": "channel-1", "resourceId": channel["resourceId"]})
    stop.execute()
    _change(google)
    google.sending.wait_until_sent()
    assert receiver.states() == ["sync"]
    with pytest.raises(HttpError) as refused:
        stop.execute()
    assert refused.value.status_code == 404


def test_a_channel_ends_at_its_expiry(google: GoogleSimulator, receiver: Receiver, clock: Clock) -> None:
    asked = int((clock() + timedelta(minutes=10)).timestamp() * 1000)
    assert _watch(google, receiver, expiration=str(asked))["expiration"] == str(asked)
    clock.forward(timedelta(minutes=10))
    _change(google)
    google.sending.wait_until_sent()
    assert receiver.states() == ["sync"]
    assert google.push.channels == {}


def test_a_channel_lives_a_week_by_itself_and_no_longer_than_google_allows(
    google: GoogleSimulator, receiver: Receiver, clock: Clock
) -> None:
    def days(channel: dict[str, Any]) -> float:
        return (int(channel["expiration"]) / 1000 - clock().timestamp()) / 86_400

    assert days(_watch(google, receiver)) == 7
    assert days(_watch(google, receiver, "channel-2", params={"ttl": str(90 * 86_400)})) == 30


def test_a_channel_is_silent_after_the_grant_or_the_access_is_gone(google: GoogleSimulator, receiver: Receiver) -> None:
    _watch(google, receiver)
    google.lose_access(ADA, ADA)
    _change(google)
    google.restore_access(ADA, ADA)
    google.revoke_grants(ADA)
    _change(google)
    google.sending.wait_until_sent()
    assert receiver.states() == ["sync"]


def test_a_bad_channel_is_refused(google: GoogleSimulator, receiver: Receiver) -> None:
    good = {"id": "channel-1", "type": "web_hook", "address": receiver.address}
    _watch(google, receiver)
    assert _refused(google, good) == (400, "channelIdNotUnique")
    assert _refused(google, good | {"id": "2", "address": "http://app.example/hook"}) == (
        400,
        "push.webhookUrlNotHttps",
    )
    assert _refused(google, good | {"id": "2", "type": "carrier_pigeon"}) == (400, "push.channelTypeNotSupported")
    assert _refused(google, good | {"id": "x" * 65}) == (400, "invalid")
    assert _refused(google, good | {"id": "2", "expiration": "1000"}) == (400, "invalid")


def test_messages_can_be_lost_and_repeated(google: GoogleSimulator, receiver: Receiver) -> None:
    _watch(google, receiver)
    google.sending.lose_next(2)
    _change(google, 2)
    google.sending.repeat_next()
    _change(google, 2)
    google.sending.wait_until_sent()
    numbers = [message["X-Goog-Message-Number"] for message in receiver.messages]
    assert receiver.states() == ["sync", "exists", "exists", "exists"]
    assert numbers[1] == numbers[2] != numbers[3]
    assert len(google.sending.lost) == 2


def test_messages_can_be_held_and_arrive_late_in_another_order(google: GoogleSimulator, receiver: Receiver) -> None:
    _watch(google, receiver)
    google.sending.hold()
    _change(google, 3)
    google.sending.wait_until_sent()
    assert receiver.states() == ["sync"]
    assert google.sending.release(reverse=True) == 3
    google.sending.wait_until_sent()
    numbers = [int(message["X-Goog-Message-Number"]) for message in receiver.messages[1:]]
    assert numbers == sorted(numbers, reverse=True)


def test_a_receiver_that_fails_is_tried_again_and_one_that_refuses_is_not(
    google: GoogleSimulator, receiver: Receiver
) -> None:
    google.sending.retry_pauses = (0.01, 0.01)
    receiver.status = 503
    _watch(google, receiver)
    assert google.sending.sent[-1].statuses == [503, 503, 503]
    receiver.status = 404
    _change(google)
    google.sending.wait_until_sent()
    assert google.sending.sent[-1].statuses == [404]
