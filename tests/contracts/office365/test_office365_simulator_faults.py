"""Each kind of scripted fault of the Office 365 simulator, as an HTTP client meets it."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from meetings.adapters.office365.simulator import Office365Simulator
from tests.contracts.office365.clients import LOST, graph_client, refusal, tokens_for, trusting

ADA, BOB = "ada@example.com", "bob@example.com"
START = datetime(2026, 3, 3, 9, tzinfo=UTC)
BODY = {
    "subject": "Tea",
    "start": {"dateTime": "2026-03-03T10:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-03-03T11:00:00", "timeZone": "UTC"},
}
DAY = {"startDateTime": "2026-03-03T00:00:00Z", "endDateTime": "2026-03-04T00:00:00Z"}


def _events(office: Office365Simulator) -> list[dict[str, Any]]:
    return office.events(office.default_calendar(ADA))


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (400, None, "ErrorInvalidRequest"),
        (401, None, "InvalidAuthenticationToken"),
        (403, None, "ErrorAccessDenied"),
        (404, "MailboxNotEnabledForRESTAPI", "MailboxNotEnabledForRESTAPI"),
        (429, None, "TooManyRequests"),
        (429, "ApplicationThrottled", "ApplicationThrottled"),
        (500, None, "InternalServerError"),
        (503, None, "ErrorServerBusy"),
        (504, None, "UnknownError"),
    ],
)
def test_a_scripted_status_is_worded_as_graph_words_it(
    office: Office365Simulator, ada: httpx.Client, status: int, reason: str | None, told: str
) -> None:
    office.fault("events.create", status=status, reason=reason, retry_after=17)
    refused = ada.post("/me/events", json=BODY)
    assert (*refusal(refused), refused.headers["retry-after"]) == (status, told, "17")
    assert refused.json()["error"]["innerError"]["request-id"] == refused.headers["request-id"]
    assert _events(office) == []
    assert ada.post("/me/events", json=BODY).status_code == 201
    assert [(call.status, call.fault, call.worked) for call in office.requests_for("events.create")] == [
        (status, "status", False),
        (201, None, True),
    ]


def test_the_sign_in_can_fail_in_its_own_words(office: Office365Simulator) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": office.grant(ADA)["refresh_token"]}
    office.fault("oauth.token", status=503)
    office.fault("oauth.token", status=400, reason="invalid_grant")
    answers = [tokens_for(office, form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 400, 200]
    assert [answer.json().get("error") for answer in answers] == ["temporarily_unavailable", "invalid_grant", None]


def test_a_fault_hits_the_calls_it_was_told_to(office: Office365Simulator, ada: httpx.Client) -> None:
    office.fault("calendars.list", on_call=2, times=2, status=500)
    assert [ada.get("/me/calendars").status_code for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_fault_lasts_until_it_is_removed_and_may_pick_one_account(
    office: Office365Simulator, ada: httpx.Client, signed_in: Callable[..., httpx.Client]
) -> None:
    bob = signed_in(BOB)
    fault = office.fault("calendars.", times=None, account=BOB, status=503)
    assert ada.get("/me/calendars").status_code == 200
    assert [bob.get("/me/calendars").status_code for _ in range(3)] == [503] * 3
    assert fault.hits == 3
    office.remove_fault(fault)
    assert bob.get("/me/calendars").status_code == 200


def test_a_fault_may_pick_calls_by_a_function(office: Office365Simulator, ada: httpx.Client) -> None:
    office.fault(lambda call: call.verb == "POST" and call.body["subject"] == "Tea", status=500)
    assert ada.get("/me/events").status_code == 200
    assert ada.post("/me/events", json={**BODY, "subject": "Coffee"}).status_code == 201
    assert ada.post("/me/events", json=BODY).status_code == 500


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize(("operation", "view"), [("calendarView.list", ""), ("calendarView.delta", "/delta")])
def test_a_paged_list_can_fail_at_every_page(
    office: Office365Simulator, ada: httpx.Client, operation: str, view: str, page: int
) -> None:
    calendar = office.default_calendar(ADA)
    for hour in range(5):
        office.add_event(calendar, "Talk", START.replace(hour=hour), START.replace(hour=hour) + timedelta(minutes=30))
    office.settings.largest_page = 2
    office.fault(operation, page=page, status=500)
    answer = ada.get(f"/me/calendars/{calendar}/calendarView{view}", params=DAY)
    read = 0
    while answer.status_code == 200:
        read += 1
        answer = ada.get(answer.json()["@odata.nextLink"])
    assert read == page - 1
    assert ada.get(str(answer.request.url)).status_code == 200


def test_the_work_is_done_although_the_answer_is_dropped(office: Office365Simulator, ada: httpx.Client) -> None:
    office.fault("events.create", drop_after_commit=True)
    with pytest.raises(LOST):
        ada.post("/me/events", json=BODY)
    assert [event["subject"] for event in _events(office)] == ["Tea"]
    assert office.requests_for("events.create")[0].status == 201


def test_a_reset_comes_before_the_work(office: Office365Simulator, ada: httpx.Client) -> None:
    office.fault("events.create", reset=True)
    with pytest.raises(LOST):
        ada.post("/me/events", json=BODY)
    assert _events(office) == []


def test_an_answer_can_stop_short(office: Office365Simulator, ada: httpx.Client) -> None:
    office.fault("events.create", cut_off_body=True)
    with pytest.raises(LOST):
        ada.post("/me/events", json=BODY)
    assert len(_events(office)) == 1


def test_an_answer_can_come_byte_by_byte(office: Office365Simulator, ada: httpx.Client) -> None:
    office.fault("events.create", drip_seconds=0.02)
    began = time.monotonic()
    with ada.stream("POST", "/me/events", json=BODY) as answer:
        assert len(next(answer.iter_bytes(10))) == 10
    assert time.monotonic() - began > 0.15


def test_an_answer_can_be_huge(office: Office365Simulator, ada: httpx.Client) -> None:
    office.fault("me.get", huge_bytes=3_000_000)
    answer = ada.get("/me")
    assert len(answer.content) > 3_000_000
    assert answer.json()["mail"] == ADA


@pytest.mark.parametrize(
    ("about", "content_type", "content"),
    [
        ({"body": "{not JSON"}, "application/json", b"{not JSON"),
        (
            {"content_type": "text/html"},
            "text/html; charset=utf-8",
            b"<html><body>Sign in to the network</body></html>",
        ),
        ({"body": b"", "status": 502, "content_type": "text/plain"}, "text/plain; charset=utf-8", b""),
    ],
)
def test_something_between_can_answer(
    office: Office365Simulator, ada: httpx.Client, about: dict[str, Any], content_type: str, content: bytes
) -> None:
    office.fault("me.get", **about)
    answer = ada.get("/me")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (
        about.get("status", 200),
        content_type,
        content,
    )


@pytest.mark.parametrize(("delay", "written"), [({"delay_before": 0.4}, 0), ({"delay": 0.4}, 1)])
def test_a_delay_falls_before_or_after_the_work(
    office: Office365Simulator, signed_in: Callable[..., httpx.Client], delay: dict[str, float], written: int
) -> None:
    office.fault("events.create", **delay)
    with pytest.raises(httpx.ReadTimeout):
        signed_in(ADA, timeout=0.15).post("/me/events", json=BODY)
    assert len(_events(office)) == written


def test_a_hook_runs_between_the_work_and_its_answer(office: Office365Simulator, ada: httpx.Client) -> None:
    seen: list[int] = []
    office.on_call("events.create", lambda: seen.append(len(_events(office))), on_call=2)
    for subject in ("One", "Two", "Three"):
        ada.post("/me/events", json={**BODY, "subject": subject})
    assert seen == [2]


async def test_a_slow_fault_does_not_hold_up_other_calls(office: Office365Simulator) -> None:
    office.fault("events.create", delay_before=5)
    bearer = {"Authorization": f"Bearer {office.grant(ADA)['access_token']}"}
    async with httpx.AsyncClient(verify=trusting(office), trust_env=False, headers=bearer) as client:
        hanging = asyncio.create_task(client.post(f"{office.endpoints.api}/me/events", json=BODY, timeout=0.5))
        await asyncio.sleep(0)
        assert (await client.get(f"{office.endpoints.api}/me", timeout=0.4)).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            await hanging


def test_it_can_go_away_and_come_back_with_what_it_had() -> None:
    office = Office365Simulator()
    office.add_account(ADA)
    with office.serve(), graph_client(office, ADA) as client:
        client.post("/me/events", json=BODY)
        port, trusted = int(office.url.rpartition(":")[2]), office.ca_file
    with pytest.raises(LOST), graph_client(office, ADA) as client:
        client.get("/me/events")
    with office.serve(port), graph_client(office, ADA) as client:
        assert [event["subject"] for event in client.get("/me/events").json()["value"]] == ["Tea"]
        assert office.ca_file == trusted


def test_starting_and_stopping_is_quick() -> None:
    began = time.monotonic()
    with Office365Simulator().serve() as office, httpx.Client(verify=trusting(office), trust_env=False) as idle:
        assert idle.get(office.url).status_code == 200
    assert time.monotonic() - began < 1


def test_faults_and_hooks_can_be_cleared(office: Office365Simulator, ada: httpx.Client) -> None:
    office.fault(status=500, times=None)
    office.on_call(None, lambda: pytest.fail("cleared"))
    office.clear_faults()
    assert ada.get("/me").status_code == 200


def test_a_fifth_call_at_once_for_one_mailbox_is_one_too_many(
    office: Office365Simulator, signed_in: Callable[..., httpx.Client]
) -> None:
    """Four wait in the service for one mailbox; others have their own count."""
    token, other = (office.grant(email)["access_token"] for email in (ADA, BOB))
    office.settings.service_seconds = 0.3

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(verify=trusting(office), trust_env=False, base_url=office.endpoints.api) as client:
            calls = [client.get("/me", headers={"Authorization": f"Bearer {each}"}) for each in [token] * 6 + [other]]
            return await asyncio.gather(*calls)

    answers = asyncio.run(ask())
    assert sorted(answer.status_code for answer in answers[:6]) == [200] * 4 + [429] * 2
    assert answers[6].status_code == 200
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (refusal(refused)[1], refused.headers["retry-after"]) == ("ApplicationThrottled", "1")
    assert "MailboxConcurrency" in refused.json()["error"]["message"]


def test_the_log_tells_each_call(office: Office365Simulator, ada: httpx.Client) -> None:
    ada.post("/me/events", json=BODY)
    (call,) = office.calls
    assert (call.verb, call.operation, call.account, call.status, call.page) == ("POST", "events.create", ADA, 201, 1)
    assert (call.body["subject"], call.answer["subject"]) == ("Tea", "Tea")
    office.forget_calls()
    assert office.calls == []


def test_people_and_clients_may_act_at_the_same_time(office: Office365Simulator) -> None:
    calendar = office.default_calendar(ADA)

    def write(number: int) -> int:
        if number % 2:
            office.add_event(calendar, f"By hand {number}", START, START + timedelta(hours=1))
            return 201
        with graph_client(office, ADA) as client:
            return client.post("/me/events", json={**BODY, "subject": f"By program {number}"}).status_code

    office.settings.concurrent_calls = 16
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(16))) == {201}
    assert len({event["id"] for event in _events(office)}) == 16
