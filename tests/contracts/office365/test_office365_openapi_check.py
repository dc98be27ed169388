"""The checker against Microsoft's description finds planted mistakes, and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from meetings.adapters.office365.simulator import Office365Simulator
from meetings.adapters.office365.simulator.operations import OPERATIONS
from tests.contracts.office365 import openapi
from tests.contracts.office365.clients import graph_client
from tests.contracts.office365.openapi import (
    NOT_COVERED,
    NOT_COVERED_GROUPS,
    STATUSES,
    OpenApiCheck,
    schema_problems,
)

pytestmark = pytest.mark.skipif(not openapi.AVAILABLE, reason=openapi.WHY_NOT)

START = {"dateTime": "2026-03-03T10:00:00", "timeZone": "Europe/Berlin"}
END = {"dateTime": "2026-03-03T11:00:00", "timeZone": "Europe/Berlin"}
GOOD: dict[str, Any] = {"subject": "Tea", "start": START, "end": END}


@pytest.fixture
def check(unchecked_office: Office365Simulator) -> OpenApiCheck:
    check = OpenApiCheck()
    unchecked_office.observe(check)
    return check


@pytest.fixture
def client(unchecked_office: Office365Simulator) -> Iterator[httpx.Client]:
    with graph_client(unchecked_office, "ada@example.com") as client:
        yield client


def test_good_calls_are_checked_and_are_no_problem(check: OpenApiCheck, client: httpx.Client) -> None:
    made = client.post("/me/events", json=GOOD).json()
    client.patch(f"/me/events/{made['id']}", json={"showAs": "free", "recurrence": None})
    client.get("/me/calendars", params={"$select": "id,name,canEdit", "$top": "5"})
    client.post(f"/me/events/{made['id']}/cancel", json={"comment": "Sorry"})
    assert (check.checked, check.problems) == (4, [])


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (lambda client: client.post("/me/events", json={**GOOD, "title": "Tea"}), "'title' does not match"),
        (lambda client: client.post("/me/events", json={**GOOD, "showAs": "away"}), "'away' is not one of"),
        (lambda client: client.post("/me/events", json={**GOOD, "isAllDay": "no"}), "'no' is not"),
        (lambda client: client.post("/me/events", json={**GOOD, "start": "2026-03-03"}), "'2026-03-03' is not"),
        (
            lambda client: client.post("/me/events", json={**GOOD, "singleValueExtendedProperties": [{"id": "x"}]}),
            "'value' is a required property",
        ),
        (lambda client: client.post("/me/events", content=b"{}"), "does not say that it is JSON"),
        (lambda client: client.get("/me/events", params={"$select": "id,titel"}), "titel is not one of the names"),
        (lambda client: client.get("/me/events", params={"$top": "many"}), "many is not a number"),
        (lambda client: client.get("/me/events", params={"top": "5"}), "unknown parameter top"),
        (lambda client: client.get("/me/calendarView"), "parameter startDateTime is missing"),
        (lambda client: client.get("/me/happenings"), "nothing describes GET /v1.0/me/happenings"),
        (lambda client: client.post("/subscriptions", json={"resource": 1}), "1 is not"),
    ],
)
def test_a_planted_mistake_is_found(
    check: OpenApiCheck, client: httpx.Client, mistake: Callable[[httpx.Client], object], told: str
) -> None:
    mistake(client)
    assert any(told in problem for problem in check.problems), check.problems


def test_an_answer_that_breaks_the_description_is_found(
    unchecked_office: Office365Simulator, client: httpx.Client
) -> None:
    client.post("/me/events", json=GOOD)
    call = unchecked_office.calls[-1]
    call.answer |= {"showAs": "away", "mood": "fine"}
    check = OpenApiCheck()
    check(call)
    assert sorted(problem.partition("answer ")[2].partition(": ")[0] for problem in check.problems) == ["$", "$.showAs"]


def test_a_spoiled_answer_is_not_the_simulators_mistake(
    unchecked_office: Office365Simulator, check: OpenApiCheck, client: httpx.Client
) -> None:
    unchecked_office.fault("me.get", body="not JSON")
    unchecked_office.fault("me.get", status=503)
    assert [client.get("/me").status_code for _ in range(3)] == [200, 503, 200]
    assert (check.checked, check.problems) == (3, [])


def test_schemas_can_be_asked_one_by_one() -> None:
    assert schema_problems("event", {"subject": "Tea", "recurrence": None, "@odata.etag": "x"}) == []
    assert schema_problems("event", {"attendees": [{"type": "boss"}]}) == [
        "$.attendees[0].type: 'boss' is not one of ['required', 'optional', 'resource']"
    ]


def test_every_exception_names_an_operation_there_is() -> None:
    names = {operation.name for operation in OPERATIONS}
    assert set(NOT_COVERED) | set(STATUSES) <= names
    assert all(any(name.startswith(group) for name in names) for group in NOT_COVERED_GROUPS)


def test_mail_is_not_checked_because_the_description_knows_no_mail(check: OpenApiCheck, client: httpx.Client) -> None:
    client.get("/me/messages")
    assert (check.checked, check.problems) == (0, [])
    assert [path for path in openapi.described_paths() if "/messages" in path or "/mailFolders" in path] == []
