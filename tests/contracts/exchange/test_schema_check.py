"""The check itself: it must find what is wrong, or the suites that lean on it prove nothing."""

import pytest

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.adapters.exchange.simulator.errors import TEXTS
from tests.contracts.exchange import schema
from tests.contracts.exchange.clients import CALENDAR, ask, change_item, envelope, get_item, new_item, set_field, view
from tests.contracts.exchange.schema import SchemaCheck, document_problems, response_codes, split_stream

pytestmark = pytest.mark.skipif(not schema.AVAILABLE, reason=schema.ABSENT)

GOOD = envelope(view("2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"))
TIMES = "<t:Start>2026-03-03T10:00:00Z</t:Start><t:End>2026-03-03T11:00:00Z</t:End>"


def _answer(inside: str) -> bytes:
    message = f'<m:GetItemResponseMessage ResponseClass="Success">{inside}</m:GetItemResponseMessage>'
    body = f"<m:GetItemResponse><m:ResponseMessages>{message}</m:ResponseMessages></m:GetItemResponse>"
    return envelope(body, version=None).encode()


def test_what_keeps_to_the_schema_is_no_problem() -> None:
    assert document_problems(GOOD.encode()) == []
    answer = _answer('<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:CalendarItem><t:ItemId Id="a"/>')
    assert document_problems(answer) != []
    whole = (
        '<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:CalendarItem><t:ItemId Id="a"/></t:CalendarItem></m:Items>'
    )
    assert document_problems(_answer(whole)) == []


@pytest.mark.parametrize(
    ("planted", "problem"),
    [
        (GOOD.replace("IdOnly", "Everything"), "'Everything' is not an element of the set"),
        (GOOD.replace("StartDate=", "Start="), "'Start' is not allowed"),
        (GOOD.replace("2026-03-03T00:00:00Z", "yesterday"), "'yesterday' is not a valid value"),
        (GOOD.replace(' Traversal="Shallow"', ""), "'Traversal' is required"),
        (GOOD.replace('Id="calendar"', 'Id="kalender"'), "kalender"),
        (GOOD.replace("Exchange2010_SP2", "Exchange2013"), "Exchange2013"),
        (GOOD.replace("m:FindItem", "m:SearchItem"), "No matching global"),
        (envelope(new_item(f"{TIMES}<t:Subject>late</t:Subject>")), "Subject"),
        (envelope(new_item("<t:IsOrganizer>true</t:IsOrganizer>")), "IsOrganizer"),
        (envelope(new_item("<t:LegacyFreeBusyStatus>WorkingElsewhere</t:LegacyFreeBusyStatus>")), "WorkingElsewhere"),
        (envelope(get_item("a", paths=("calendar:Beginning",))), "calendar:Beginning"),
        (envelope(change_item("a", "b", "")), "Missing child element"),
        (envelope(change_item("a", "b", set_field("item:Subject", ""), Suppress="true")), "'Suppress' is not allowed"),
        (GOOD.replace("</m:FindItem>", ""), "not XML"),
        (GOOD.replace("s:Envelope", "s:Letter"), "not a SOAP envelope"),
    ],
)
def test_a_planted_mistake_is_found(planted: str, problem: str) -> None:
    found = document_problems(planted.encode())
    assert any(problem in each for each in found), found


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("<m:ResponseCode>ErrorOfOurOwn</m:ResponseCode><m:Items/>", "ErrorOfOurOwn"),
        ("<m:Items/><m:ResponseCode>NoError</m:ResponseCode>", "ResponseCode"),
        ("<m:ResponseCode>NoError</m:ResponseCode>", "Missing child element"),
        ("<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:CalendarItem><t:Start>soon</t:Start>", "not XML"),
        (
            "<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:CalendarItem><t:Start>soon</t:Start></t:CalendarItem>"
            "</m:Items>",
            "'soon' is not a valid value",
        ),
        (
            "<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:CalendarItem><t:End>2026-03-03T10:00:00Z</t:End>"
            "<t:Start>2026-03-03T10:00:00Z</t:Start></t:CalendarItem></m:Items>",
            "Start",
        ),
    ],
)
def test_a_planted_mistake_in_an_answer_is_found(inside: str, problem: str) -> None:
    found = document_problems(_answer(inside))
    assert any(problem in each for each in found), found


def test_a_fault_needs_a_code_the_schema_knows() -> None:
    fault = (
        "<s:Fault><faultcode>a:{0}</faultcode><faultstring>No.</faultstring>"
        "<detail><e:ResponseCode>{0}</e:ResponseCode></detail></s:Fault>"
    )
    assert document_problems(envelope(fault.format("ErrorServerBusy"), version=None).encode()) == []
    assert document_problems(envelope(fault.format("ErrorTired"), version=None).encode()) != []


def test_all_documents_of_a_stream_are_looked_at() -> None:
    part = (
        "<m:GetStreamingEventsResponse><m:ResponseMessages>"
        '<m:GetStreamingEventsResponseMessage ResponseClass="Success">'
        "<m:ResponseCode>NoError</m:ResponseCode><m:ConnectionStatus>{}</m:ConnectionStatus>"
        "</m:GetStreamingEventsResponseMessage></m:ResponseMessages></m:GetStreamingEventsResponse>"
    )
    documents = [envelope(part.format(status), version=None).encode() for status in ("OK", "Tired", "Closed")]
    assert split_stream(b"".join(documents)) == documents
    check = SchemaCheck()
    check.check_stream(b"".join(documents))
    assert (check.checked, len(check.problems)) == (3, 1)


def test_the_observer_sees_requests_and_answers_of_a_simulator(unchecked_exchange: ExchangeSimulator) -> None:
    check = SchemaCheck()
    unchecked_exchange.observe(check)
    ask(unchecked_exchange, view("2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"))
    assert (check.checked, check.problems) == (2, [])
    ask(unchecked_exchange, f"<m:GetFolder><m:FolderIds>{CALENDAR}</m:FolderIds></m:GetFolder>")
    assert [("request" in problem, "FolderShape" in problem) for problem in check.problems] == [(True, True)]


def test_requests_that_the_server_refuses_by_its_schema_are_left_out(unchecked_exchange: ExchangeSimulator) -> None:
    check = SchemaCheck()
    unchecked_exchange.observe(check)
    answer = ask(unchecked_exchange, new_item("<t:IsOrganizer>true</t:IsOrganizer>"))
    assert (answer.status, answer.code) == (500, "ErrorSchemaValidation")
    assert (check.checked, check.problems) == (1, [])


def test_the_simulator_has_no_codes_of_its_own() -> None:
    assert set(TEXTS) - response_codes() == set()
