"""Each kind of scripted fault, as google-api-python-client meets it."""

import asyncio
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError

from meetings.adapters.google.simulator import GoogleSimulator
from tests.contracts.google.clients import calendar_client, refusal

ADA, BOB = "ada@example.com", "bob@example.com"
EVENT_ID = "v1c0ffee0123456789abcdefghij"
START = datetime(2026, 3, 3, 9, tzinfo=UTC)
# What httplib2 and the client raise when an answer is lost or broken.
LOST = (OSError, http.client.HTTPException, TypeError, ssl.SSLError, ValueError)


def _insert(google: GoogleSimulator, *, timeout: float = 5.0) -> Any:
    body = {
        "id": EVENT_ID,
        "start": {"dateTime": "2026-03-03T10:00:00Z"},
        "end": {"dateTime": "2026-03-03T11:00:00Z"},
    }
    return calendar_client(google, ADA, timeout=timeout).events().insert(calendarId="primary", body=body)


def _list(google: GoogleSimulator, *, timeout: float = 5.0) -> Any:
    return calendar_client(google, ADA, timeout=timeout).events().list(calendarId="primary")


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (500, None, "backendError"),
        (503, None, "backendError"),
        (429, None, "rateLimitExceeded"),
        (403, None, "rateLimitExceeded"),
        (403, "userRateLimitExceeded", "userRateLimitExceeded"),
        (403, "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        (404, None, "notFound"),
        (410, "fullSyncRequired", "fullSyncRequired"),
    ],
)
def test_a_scripted_status_is_worded_as_google_words_it(
    google: GoogleSimulator, status: int, reason: str | None, told: str
) -> None:
    google.fault("events.insert", status=status, reason=reason, retry_after=17)
    with pytest.raises(HttpError) as refused:
        _insert(google).execute(num_retries=0)
    assert refusal(refused.value) == (status, told)
    assert refused.value.resp["retry-after"] == "17"
    assert google.events(ADA) == []
    _insert(google).execute()
    assert [(call.status, call.fault, call.worked) for call in google.requests_for("events.insert")] == [
        (status, "status", False),
        (200, None, True),
    ]


def test_a_fault_hits_the_calls_it_was_told_to(google: GoogleSimulator) -> None:
    google.fault("events.list", on_call=2, times=2, status=500)

    def ask() -> int:
        try:
            _list(google).execute()
        except HttpError as error:
            return int(error.status_code)
        return 200

    assert [ask() for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_fault_lasts_until_it_is_removed_and_may_pick_one_account(google: GoogleSimulator) -> None:
    fault = google.fault("events.", times=None, account=BOB, status=503)
    _list(google).execute()
    for _ in range(3):
        with pytest.raises(HttpError):
            calendar_client(google, BOB).events().list(calendarId="primary").execute()
    assert fault.hits == 3
    google.remove_fault(fault)
    calendar_client(google, BOB).events().list(calendarId="primary").execute()


def test_a_fault_may_pick_calls_by_a_function(google: GoogleSimulator) -> None:
    google.fault(lambda call: call.verb == "POST" and call.body["id"] == EVENT_ID, status=500)
    _list(google).execute()
    with pytest.raises(HttpError):
        _insert(google).execute()


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_paged_list_can_fail_at_every_page(google: GoogleSimulator, page: int) -> None:
    for hour in range(5):
        google.add_event(ADA, "Talk", START.replace(hour=hour), START.replace(hour=hour) + timedelta(minutes=30))
    google.fault("events.list", page=page, status=500)
    events = calendar_client(google, ADA).events()
    request = events.list(calendarId="primary", maxResults=2)
    for _ in range(page - 1):
        request = events.list_next(request, request.execute())
    with pytest.raises(HttpError) as refused:
        request.execute()
    assert refused.value.status_code == 500
    assert len(request.execute()["items"]) == (1 if page == 3 else 2)


def test_the_work_is_done_although_the_answer_is_dropped(google: GoogleSimulator) -> None:
    google.fault("events.insert", drop_after_commit=True, times=None)
    with pytest.raises(LOST):
        _insert(google).execute()
    assert [event["id"] for event in google.events(ADA)] == [EVENT_ID]
    first = google.requests_for("events.insert")[0]
    assert (first.status, first.worked, first.fault) == (200, True, "drop_after_commit")
    google.clear_faults()
    with pytest.raises(HttpError) as refused:
        _insert(google).execute()
    assert refused.value.status_code == 409


def test_a_reset_connection_leaves_nothing_behind(google: GoogleSimulator) -> None:
    google.fault("events.insert", reset=True, times=None)
    with pytest.raises(LOST):
        _insert(google).execute()
    assert google.events(ADA) == []
    address, port = google.url.removeprefix("http://").split(":")
    google.fault("page", reset=True)
    with socket.create_connection((address, int(port)), timeout=5) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            raw.recv(100)


def test_a_cut_off_answer_cannot_be_read(google: GoogleSimulator) -> None:
    google.fault("events.insert", cut_off_body=True, times=None)
    with pytest.raises(LOST):
        _insert(google).execute()
    assert len(google.events(ADA)) == 1
    google.fault("page", cut_off_body=True)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        requests.get(google.url, timeout=5)


def test_an_answer_of_another_kind_comes_instead_of_the_work(google: GoogleSimulator) -> None:
    # The client library hands out what it cannot read as text, as if it were the result.
    google.fault("events.insert", content_type="text/html")
    assert _insert(google).execute() == "<html><body>Sign in to the network</body></html>"
    google.fault("events.insert", body=b'{"id": ')
    assert _insert(google).execute() == '{"id": '
    assert google.events(ADA) == []


def test_a_delay_comes_after_the_work_or_before_it(google: GoogleSimulator) -> None:
    google.fault("events.insert", delay=0.4)
    with pytest.raises(TimeoutError):
        _insert(google, timeout=0.1).execute()
    assert len(google.events(ADA)) == 1
    google.fault("events.delete", delay_before=0.3)
    with pytest.raises(TimeoutError):
        calendar_client(google, ADA, timeout=0.1).events().delete(calendarId="primary", eventId=EVENT_ID).execute()
    assert len(google.events(ADA)) == 1
    deadline = time.monotonic() + 5
    while google.events(ADA) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert google.events(ADA) == []


def test_a_slow_fault_does_not_hold_up_other_calls(google: GoogleSimulator) -> None:
    google.fault("events.insert", delay_before=5)
    hanging = threading.Thread(target=_ignoring(_insert(google, timeout=1.0).execute), daemon=True)
    hanging.start()
    started = time.monotonic()
    _list(google).execute()
    assert time.monotonic() - started < 1
    hanging.join(timeout=5)


def test_an_answer_can_drip_or_be_huge(google: GoogleSimulator) -> None:
    google.fault("events.list", drip_seconds=0.02)
    started = time.monotonic()
    with requests.get(google.url, timeout=5) as page:
        assert page.status_code == 200
    tokens = google.grant(ADA)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = requests.get(f"{google.endpoints.api}/calendars/primary/events", headers=bearer, stream=True, timeout=5)
    next(answer.iter_content(10))
    assert time.monotonic() - started > 0.15
    answer.close()
    google.fault("events.list", huge_bytes=2_000_000)
    huge = requests.get(f"{google.endpoints.api}/calendars/primary/events", headers=bearer, timeout=5)
    assert len(huge.content) > 2_000_000


def test_the_accounts_server_can_fail_too(google: GoogleSimulator) -> None:
    service = calendar_client(google, ADA)
    google.expire_access_tokens(ADA)
    google.fault("oauth.token", status=400, reason="invalid_grant")
    with pytest.raises(RefreshError, match="invalid_grant"):
        service.events().list(calendarId="primary").execute()
    service.events().list(calendarId="primary").execute()


def test_a_hook_runs_after_the_work_and_may_call_the_simulator(google: GoogleSimulator) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(len(google.events(ADA)))
        assert requests.get(google.url, timeout=5).status_code == 200

    google.on_call("events.insert", look)
    _insert(google).execute()
    assert seen == [1]


async def test_the_simulator_also_runs_inside_a_running_loop() -> None:
    async with GoogleSimulator().running() as google:
        google.add_account(ADA)
        answer = await asyncio.to_thread(lambda: _list(google).execute())
    assert answer["items"] == []
    with pytest.raises(requests.exceptions.ConnectionError):
        await asyncio.to_thread(requests.get, google.url, timeout=1)


def test_many_clients_at_once_get_one_event_for_one_id(google: GoogleSimulator) -> None:
    def status(request: Any) -> int:
        try:
            request.execute()
        except HttpError as error:
            return int(error.status_code)
        return 200

    requests_for_it = [_insert(google) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(status, requests_for_it)) == [200] + [409] * 19
    assert len(google.events(ADA)) == 1


def test_the_simulator_can_go_away_and_come_back_with_what_it_had() -> None:
    google = GoogleSimulator()
    google.add_account(ADA)
    with google.serve():
        _insert(google).execute()
        port = int(google.url.rpartition(":")[2])
    with pytest.raises(LOST):
        _list(google).execute()
    with google.serve(port):
        assert [event["id"] for event in _list(google).execute()["items"]] == [EVENT_ID]


def test_starting_and_stopping_is_quick() -> None:
    started = time.monotonic()
    with GoogleSimulator().serve() as google:
        assert requests.get(google.url, timeout=5).status_code == 200
        with requests.Session() as idle:
            idle.get(google.url, timeout=5)
    assert time.monotonic() - started < 0.3


def _ignoring(action: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            action()
        except (HttpError, *LOST):
            return

    return run
