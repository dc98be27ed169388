"""Requests that were damaged at random: what the schema still allows is answered as the schema wants."""

import copy
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from meetings.adapters.exchange.simulator import PASSWORD, ExchangeSimulator
from tests.contracts.exchange import schema
from tests.contracts.exchange.clients import (
    ADA,
    CALENDAR,
    change_item,
    delete_item,
    envelope,
    get_item,
    http,
    new_item,
    read,
    set_field,
    view,
)
from tests.contracts.exchange.schema import document_problems

NINE = datetime(2026, 3, 3, 8, tzinfo=UTC)
SERIES = (
    "<t:Subject>s</t:Subject><t:Body BodyType='Text'>b</t:Body><t:Start>2026-03-03T08:00:00Z</t:Start>"
    "<t:End>2026-03-03T09:00:00Z</t:End><t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>v@x.example"
    "</t:EmailAddress></t:Mailbox></t:Attendee></t:RequiredAttendees><t:Recurrence><t:WeeklyRecurrence>"
    "<t:Interval>1</t:Interval><t:DaysOfWeek>Tuesday</t:DaysOfWeek></t:WeeklyRecurrence><t:NumberedRecurrence>"
    "<t:StartDate>2026-03-03</t:StartDate><t:NumberOfOccurrences>3</t:NumberOfOccurrences></t:NumberedRecurrence>"
    "</t:Recurrence>"
)
VALUES = ("", "x", "-1", "2026-13-45", "99999999999999999999")


def _requests(item: str) -> list[str]:
    change = change_item(item, None, set_field("item:Subject", "<t:Subject>T</t:Subject>"))
    return [
        view("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", paths=("calendar:Start",), most=5),
        get_item(item, paths=("item:Body",), shape="AllProperties"),
        new_item(SERIES, sends="SendToAllAndSaveCopy"),
        change.replace("AutoResolve", "AlwaysOverwrite"),
        delete_item(item),
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>"
        f"{CALENDAR}</m:SyncFolderId><m:MaxChangesReturned>10</m:MaxChangesReturned></m:SyncFolderItems>",
        "<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape><m:FolderIds>"
        f"{CALENDAR}</m:FolderIds></m:GetFolder>",
        f"<m:Subscribe><m:PullSubscriptionRequest><t:FolderIds>{CALENDAR}</t:FolderIds><t:EventTypes><t:EventType>"
        "CreatedEvent</t:EventType></t:EventTypes><t:Timeout>10</t:Timeout></m:PullSubscriptionRequest></m:Subscribe>",
        '<m:ResolveNames ReturnFullContactData="true"><m:UnresolvedEntry>ada</m:UnresolvedEntry></m:ResolveNames>',
    ]


def _damaged(requests: list[str], chance: random.Random) -> Iterator[bytes]:
    """Each with one or two elements, attributes or texts taken away, doubled or changed."""
    while True:
        root = etree.fromstring(envelope(chance.choice(requests)).encode())
        for _ in range(chance.choice((1, 1, 2))):
            _damage(chance.choice(list(root.iter("{*}*"))), chance)
        yield etree.tostring(root)


def _damage(element: etree._Element, chance: random.Random) -> None:
    parent = element.getparent()
    act = chance.choice(("remove", "attribute", "value", "text", "double"))
    if parent is None:
        return
    if act == "remove":
        parent.remove(element)
    elif act == "double":
        parent.append(copy.deepcopy(element))
    elif act == "text":
        element.text = chance.choice(VALUES)
    elif element.attrib:
        name = chance.choice(list(element.attrib))
        if act == "attribute":
            del element.attrib[name]
        else:
            element.set(name, chance.choice(VALUES))


@pytest.mark.skipif(not schema.AVAILABLE, reason=schema.ABSENT)
def test_what_the_schema_allows_is_answered_as_it_wants(unchecked_exchange: ExchangeSimulator) -> None:
    exchange = unchecked_exchange
    exchange.settings.most_subscriptions = 1000
    calendar = exchange.calendar_of(ADA)
    allowed = 0
    requests = _requests(exchange.add_event(calendar, "Talk", NINE, NINE + timedelta(hours=1)))
    damaged = _damaged(requests, random.Random(20260302))
    with http(exchange, auth=(ADA, PASSWORD)) as client:
        for request in (next(damaged) for _ in range(250)):
            answer = read(client.post("/EWS/Exchange.asmx", content=request, headers={"Content-Type": "text/xml"}))
            if document_problems(request):
                continue
            allowed += 1
            assert answer.code != "ErrorInternalServerError", request
            assert document_problems(answer.text.encode()) == [], request
    assert allowed > 50
