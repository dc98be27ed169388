"""What Graph's calls to our address say (SY-2, SY-4, SY-5)."""

import json
import time
from typing import Any

import pytest

from meetings.adapters.office365.notices import read_push
from meetings.application.ports.calendars import News, Notice, PushCall, PushMessage


def _call(body: Any = b"", **query: str) -> PushCall:
    return PushCall(headers={}, query=query, body=body if isinstance(body, bytes) else json.dumps(body).encode())


def _entry(secret: str | None = "s3cret", **other: Any) -> dict[str, Any]:
    return {
        "subscriptionId": "1f0c8b1c-0000-4000-8000-000000000001",
        "clientState": secret,
        "changeType": "updated",
        "resource": "Users/1/Events/2",
        "resourceData": {"id": "2", "@odata.type": "#Microsoft.Graph.Event"},
        **other,
    }


def test_a_validation_is_answered_with_its_token() -> None:
    token = "Validation: Testing <b>client</b> 1&2"
    assert read_push(_call(validationToken=token, channel="c-1")) == PushMessage(echo=token)


@pytest.mark.parametrize("token", ["", "x" * 5000])
def test_a_token_that_graph_would_not_send_is_not_echoed(token: str) -> None:
    assert read_push(_call(validationToken=token, channel="c-1")) is None


def test_a_change_names_the_channel_and_the_secret() -> None:
    assert read_push(_call({"value": [_entry()]}, channel="c-1")) == PushMessage(notices=(Notice("c-1", "s3cret"),))


@pytest.mark.parametrize(
    ("event", "news"),
    [
        ("missed", News.CHANGED),
        ("reauthorizationRequired", News.CHANNEL_ENDING),
        ("subscriptionRemoved", News.CHANNEL_ENDING),
        ("somethingNew", News.CHANGED),
        (5, News.CHANGED),
    ],
)
def test_each_event_in_the_life_of_a_subscription_is_understood(event: Any, news: News) -> None:
    message = read_push(_call({"value": [_entry(lifecycleEvent=event)]}, channel="c-1"))
    assert message == PushMessage(notices=(Notice("c-1", "s3cret", news),))


def test_several_notices_in_one_call_are_told_once_each() -> None:
    entries = [_entry(), _entry(), _entry("other"), _entry(lifecycleEvent="subscriptionRemoved")]
    message = read_push(_call({"value": entries}, channel="c-1"))
    assert message is not None
    assert [(each.secret, each.news) for each in message.notices] == [
        ("s3cret", News.CHANGED),
        ("other", News.CHANGED),
        ("s3cret", News.CHANNEL_ENDING),
    ]


@pytest.mark.parametrize("secret", [None, 5, ["s3cret"]])
def test_a_notice_without_a_secret_has_an_empty_one(secret: Any) -> None:
    message = read_push(_call({"value": [_entry(secret)]}, channel="c-1"))
    assert message is not None
    assert [each.secret for each in message.notices] == [""]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"value": null}',
        b'{"value": {}}',
        b'{"value": []}',
        b'{"value": [1]}',
        b'{"value": [{}, "x"]}',
        b"\xff\xfe",
        b"[" * 500_000,
        b'{"value":' + b"[" * 500_000,
        b'{"a":' * 100_000,
        b"0" * (2**20 + 1),
        json.dumps({"value": [_entry()], "filler": "x" * 2**20}).encode(),
    ],
)
def test_anything_else_is_not_graphs_and_told_so_quickly(body: bytes) -> None:
    begun = time.monotonic()
    assert read_push(_call(body, channel="c-1")) is None
    assert time.monotonic() - begun < 2


def test_a_call_that_names_no_channel_says_nothing() -> None:
    assert read_push(_call({"value": [_entry()]})) is None
    assert read_push(_call({"value": [_entry()]}, channel="")) is None


def test_no_secret_shows_in_the_representation() -> None:
    call = _call({"value": [_entry()]}, channel="c-1")
    assert "s3cret" not in repr(call) + repr(read_push(call))
