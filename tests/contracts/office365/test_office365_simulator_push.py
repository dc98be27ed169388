"""Subscriptions of the Office 365 simulator, and what they send."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from meetings.adapters.office365.simulator import CLIENT_ID, HOME_TENANT, Office365Simulator
from meetings.adapters.office365.simulator.sending import by_address
from tests.contracts.calendars.world import Clock
from tests.contracts.office365.clients import graph_client, refusal
from tests.contracts.office365.receiver import Receiver

ADA, BOB = "ada@example.com", "bob@example.com"
LONGEST = timedelta(minutes=4230)


@pytest.fixture
def wish(office: Office365Simulator, receiver: Receiver, clock: Clock) -> Callable[..., dict[str, Any]]:
    """The body of a subscription, with changes."""

    def body(**more: Any) -> dict[str, Any]:
        return {
            "changeType": "created,updated,deleted",
            "notificationUrl": receiver.address,
            "lifecycleNotificationUrl": f"{receiver.address}&life=cycle",
            "resource": f"/me/calendars/{office.default_calendar(ADA)}/events",
            "expirationDateTime": f"{clock() + LONGEST:%Y-%m-%dT%H:%M:%SZ}",
            "clientState": "s3cret",
            **more,
        }

    return body


def _add(office: Office365Simulator, hour: int = 9, calendar: str | None = None) -> str:
    start = datetime(2026, 3, 3, hour, tzinfo=UTC)
    calendar = calendar or office.default_calendar(ADA)
    return str(office.add_event(calendar, "Talk", start, start + timedelta(hours=1))["id"])


def test_a_subscription_is_made_once_its_addresses_proved_themselves(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]], clock: Clock
) -> None:
    answer = ada.post("/subscriptions", json=wish())
    made = answer.json()
    assert answer.status_code == 201
    assert (made["applicationId"], made["creatorId"], made["clientState"]) == (
        CLIENT_ID,
        office.object_id(ADA),
        "s3cret",
    )
    assert datetime.fromisoformat(made["expirationDateTime"]) == clock() + LONGEST
    assert len(receiver.validations) == 2
    assert receiver.validations[0].startswith("Validation: Testing client application reachability")
    assert ada.get(f"/subscriptions/{made['id']}").json()["id"] == made["id"]
    assert [each["id"] for each in ada.get("/subscriptions").json()["value"]] == [made["id"]]


def test_changes_are_told_with_the_secret_and_the_id_of_the_event(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    made = ada.post("/subscriptions", json=wish()).json()
    calendar, event = office.default_calendar(ADA), _add(office)
    office.change_event(calendar, event, subject="Later")
    office.cancel_event(calendar, event)
    values = receiver.wait_for(3)
    assert [value["changeType"] for value in values] == ["created", "updated", "deleted"]
    first = values[0]
    assert (first["subscriptionId"], first["clientState"], first["tenantId"]) == (made["id"], "s3cret", HOME_TENANT)
    assert first["subscriptionExpirationDateTime"] == made["expirationDateTime"]
    resource = f"Users/{office.object_id(ADA)}/Events/{event}"
    assert (first["resource"], first["resourceData"]["@odata.id"]) == (resource, resource)
    assert first["resourceData"]["@odata.type"] == "#Microsoft.Graph.Event"
    assert first["resourceData"]["id"] == event
    assert receiver.calls[0].headers["content-type"].startswith("application/json")


def test_ids_in_notices_are_of_the_kind_that_was_preferred(
    office: Office365Simulator, signed_in: Callable[..., httpx.Client], receiver: Receiver, wish: Callable[..., Any]
) -> None:
    ordinary = signed_in(ADA, prefer="")
    ordinary.post("/subscriptions", json=wish())
    event = _add(office)
    told = receiver.wait_for(1)[0]["resourceData"]["id"]
    assert told != event
    assert told == ordinary.get("/me/events").json()["value"][0]["id"]


def test_only_the_watched_calendar_and_the_wanted_changes_are_told(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    choir = office.add_calendar(ADA, "Choir")
    ada.post("/subscriptions", json=wish(changeType="deleted"))
    ada.post("/subscriptions", json=wish(resource="me/events", clientState="all"))
    in_choir, in_main = _add(office, calendar=choir), _add(office)
    _add(office, calendar=office.default_calendar(BOB))
    office.cancel_event(office.default_calendar(ADA), in_main)
    office.sending.wait_until_sent()
    assert [
        (value["clientState"], value["changeType"], value["resourceData"]["id"]) for value in receiver.values()
    ] == [
        ("all", "created", in_choir),
        ("all", "created", in_main),
        ("s3cret", "deleted", in_main),
        ("all", "deleted", in_main),
    ]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"expirationDateTime": "2026-03-05T06:31:00Z"}, "ExtensionError"),
        ({"expirationDateTime": "2026-03-02T08:00:00Z"}, "InvalidRequest"),
        ({"expirationDateTime": None}, "InvalidRequest"),
        ({"notificationUrl": "http://meetings.example/hook"}, "InvalidRequest"),
        ({"lifecycleNotificationUrl": "ftp://meetings.example"}, "InvalidRequest"),
        ({"resource": "/me/happenings"}, "InvalidRequest"),
        ({"changeType": "renamed"}, "InvalidRequest"),
        ({"clientState": "x" * 129}, "InvalidRequest"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(
    unchecked_office: Office365Simulator, receiver: Receiver, clock: Clock, more: dict[str, Any], code: str
) -> None:
    body = {
        "changeType": "updated",
        "notificationUrl": receiver.address,
        "resource": "/me/events",
        "expirationDateTime": f"{clock() + LONGEST:%Y-%m-%dT%H:%M:%SZ}",
    }
    with graph_client(unchecked_office, ADA) as ada:
        assert refusal(ada.post("/subscriptions", json={**body, **more})) == (400, code)
        assert ada.post("/subscriptions", json=body).status_code == 201
    assert len(receiver.validations) == 1


@pytest.mark.parametrize(("proves_itself", "proof_type"), [(False, "text/plain"), (True, "text/html")])
def test_an_address_that_does_not_prove_itself_gets_nothing(
    office: Office365Simulator,
    ada: httpx.Client,
    receiver: Receiver,
    wish: Callable[..., dict[str, Any]],
    proves_itself: bool,
    proof_type: str,
) -> None:
    receiver.proves_itself, receiver.proof_type = proves_itself, proof_type
    assert refusal(ada.post("/subscriptions", json=wish())) == (400, "InvalidRequest")
    assert ada.get("/subscriptions").json()["value"] == []
    nowhere = wish(notificationUrl="http://127.0.0.1:9/", lifecycleNotificationUrl=None)
    assert "timed out" in ada.post("/subscriptions", json=nowhere).json()["error"]["message"]


def test_a_calendar_that_is_not_there_cannot_be_watched(
    office: Office365Simulator, ada: httpx.Client, wish: Callable[..., dict[str, Any]]
) -> None:
    choir = office.add_calendar(ADA, "Choir")
    office.lose_access(ADA, choir)
    assert refusal(ada.post("/subscriptions", json=wish(resource=f"me/calendars/{choir}/events"))) == (
        404,
        "ErrorItemNotFound",
    )


def test_a_subscription_lives_until_its_end_unless_it_is_renewed(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]], clock: Clock
) -> None:
    made = ada.post("/subscriptions", json=wish()).json()
    path = f"/subscriptions/{made['id']}"
    too_long = {"expirationDateTime": f"{clock() + LONGEST + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"}
    assert refusal(ada.patch(path, json=too_long)) == (400, "ExtensionError")
    clock.forward(timedelta(minutes=60))
    renewed = {"expirationDateTime": f"{clock() + LONGEST:%Y-%m-%dT%H:%M:%SZ}"}
    assert ada.patch(path, json=renewed).status_code == 200
    assert refusal(ada.patch(path, json={"clientState": "other"})) == (400, "InvalidRequest")
    clock.forward(LONGEST - timedelta(minutes=1))
    _add(office)
    assert len(receiver.wait_for(1)) == 1
    clock.forward(timedelta(minutes=1))
    _add(office)
    office.sending.wait_until_sent()
    assert len(receiver.values()) == 1


def test_an_address_can_be_changed_once_the_new_one_proved_itself(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    made = ada.post("/subscriptions", json=wish()).json()
    ada.patch(f"/subscriptions/{made['id']}", json={"notificationUrl": f"{receiver.address}&moved=yes"})
    _add(office)
    receiver.wait_for(1)
    assert (len(receiver.validations), receiver.calls[0].query["moved"]) == (3, "yes")


def test_a_deleted_subscription_is_silent_and_not_there_any_more(
    office: Office365Simulator,
    ada: httpx.Client,
    signed_in: Callable[..., httpx.Client],
    receiver: Receiver,
    wish: Callable[..., dict[str, Any]],
) -> None:
    made = ada.post("/subscriptions", json=wish()).json()
    path = f"/subscriptions/{made['id']}"
    assert refusal(signed_in(BOB).delete(path)) == (404, "ResourceNotFound")
    assert ada.delete(path).status_code == 204
    assert refusal(ada.delete(path)) == (404, "ResourceNotFound")
    _add(office)
    office.sending.wait_until_sent()
    assert receiver.values() == []


def test_notices_stop_while_reauthorization_is_due(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    made = ada.post("/subscriptions", json=wish()).json()
    office.push.require_reauthorization(made["id"])
    _add(office)
    (notice,) = receiver.wait_for(1)
    assert (notice["lifecycleEvent"], notice["clientState"], "changeType" in notice) == (
        "reauthorizationRequired",
        "s3cret",
        False,
    )
    assert receiver.calls[0].query["life"] == "cycle"
    assert ada.post(f"/subscriptions/{made['id']}/reauthorize").status_code == 204
    _add(office)
    assert receiver.wait_for(2)[1]["changeType"] == "created"


def test_graph_tells_that_notices_were_missed_and_that_a_subscription_is_no_more(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    made = ada.post("/subscriptions", json=wish()).json()
    office.push.miss(made["id"])
    office.push.remove(made["id"])
    assert [value["lifecycleEvent"] for value in receiver.wait_for(2)] == ["missed", "subscriptionRemoved"]
    assert refusal(ada.get(f"/subscriptions/{made['id']}")) == (404, "ResourceNotFound")


def test_notices_can_get_lost_come_twice_and_in_another_order(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    ada.post("/subscriptions", json=wish())
    office.sending.lose_next()
    lost = _add(office, 8)
    office.sending.repeat_next()
    twice = _add(office, 9)
    office.sending.wait_until_sent()
    office.sending.hold()
    first, second = _add(office, 10), _add(office, 11)
    assert office.sending.release(reverse=True) == 2
    told = [value["resourceData"]["id"] for value in receiver.wait_for(4)]
    assert told == [twice, twice, second, first]
    assert [message.value["resourceData"]["id"] for message in office.sending.lost] == [lost]


def test_several_notices_may_come_in_one_call(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    ada.post("/subscriptions", json=wish())
    office.sending.hold()
    made = [_add(office, hour) for hour in (9, 10, 11)]
    assert office.sending.release(joined=by_address) == 3
    assert [value["resourceData"]["id"] for value in receiver.wait_for(3)] == made
    assert len(receiver.calls) == 1


def test_a_notice_that_was_not_taken_is_sent_again(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    ada.post("/subscriptions", json=wish())
    office.sending.retry_pauses = (0.0, 0.0)
    receiver.status = 503
    _add(office)
    office.sending.wait_until_sent()
    assert (len(receiver.values()), office.sending.sent[0].statuses) == (3, [503, 503, 503])


def test_nothing_is_told_once_the_grant_or_the_access_is_gone(
    office: Office365Simulator, ada: httpx.Client, receiver: Receiver, wish: Callable[..., dict[str, Any]]
) -> None:
    ada.post("/subscriptions", json=wish())
    office.lose_access(ADA, office.default_calendar(ADA))
    _add(office)
    office.restore_access(ADA, office.default_calendar(ADA))
    office.revoke_grants(ADA)
    _add(office)
    office.sending.wait_until_sent()
    assert receiver.values() == []
