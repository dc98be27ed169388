"""What the adapter asks of HubSpot, and how it bears what comes back (A-CR5 to A-CR8, PW-4, PW-5, RT-6)."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from meetings.adapters.hubspot.access import PrivateApp
from meetings.adapters.hubspot.crm import HubSpotCrm
from meetings.adapters.hubspot.portal import Portal
from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.adapters.hubspot.transport import Transport
from meetings.application.ports.calendars import ProviderUnavailable, RateLimited
from meetings.application.ports.crm import CrmAccessLost, RecordedMeeting, RecordRefused
from meetings.domain.engagement import MeetingOutcome
from tests.contracts.crm.hubspot_world import crm_of
from tests.contracts.crm.world import START, a_mail, a_meeting, a_person
from tests.hubspot.openapi import described, problems

ANNA, BEN = "anna@example.com", "ben@example.com"


@pytest.fixture
def hubspot() -> Iterator[HubSpotSimulator]:
    with HubSpotSimulator().serve() as started:
        yield started


@pytest.fixture
def portal(hubspot: HubSpotSimulator) -> SimulatedPortal:
    return hubspot.add_portal([ANNA, BEN])


async def test_a_meeting_has_the_properties_that_hubspot_documents(
    hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    """A-CR5, A-CR3."""
    crm = crm_of(hubspot, portal)
    vera = await crm.put_contact(a_person())
    record = a_meeting(
        vera.id,
        owners=(ANNA, BEN),
        body="Bring <ideas>\n& questions",
        outcome=MeetingOutcome.CANCELLED,
        join_url="https://video.example.com/1",
        activity_type="A type nobody defined",
    )
    await crm.put_meeting(record)
    (stored,) = portal.objects["meetings"].values()
    assert stored.properties == {
        "hs_timestamp": "2026-11-03T09:00:00.000Z",
        "hs_meeting_title": "Intro",
        "hs_meeting_body": "Bring &lt;ideas&gt;<br>&amp; questions",
        "hs_meeting_location": "",
        "hs_meeting_start_time": "2026-11-03T09:00:00.000Z",
        "hs_meeting_end_time": "2026-11-03T09:30:00.000Z",
        "hs_meeting_outcome": "CANCELED",
        "hs_meeting_external_url": "https://video.example.com/1",
        "hs_meeting_source": "MEETINGS_PUBLIC",
        "hubspot_owner_id": portal.owners[ANNA],
        "hs_attendee_owner_ids": portal.owners[BEN],
        "meetings_key": str(record.key),
    }
    assert (await crm.meetings_by_key([record.key]))[record.key].body == record.body


async def test_calls_and_answers_are_as_hubspot_describes_them(
    hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    """A-CR6."""
    described("contacts")
    crm = crm_of(hubspot, portal)
    vera = await crm.put_contact(a_person(first_name="Vera", owner=ANNA))
    await crm.change_contact(vera.id, {"company": "Acme"})
    await crm.known([vera.email, "nobody@visitors.example"])
    await crm.contacts("vera", first=5, after=None)
    record = a_meeting(vera.id, owners=(ANNA,))
    await crm.put_meeting(record)
    await crm.put_mail(a_mail(vera.id))
    await crm.timeline(vera.id, first=5, after=None)
    await crm.erase(vera.email)
    assert [problem for call in hubspot.calls() for problem in problems(call)] == []
    assert {call.operation for call in hubspot.calls()} >= {"contacts.upsert", "meetings.upsert", "contacts.search"}


async def test_lifecycle_and_owner_of_somebody_known_are_left_alone(
    hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    """A-CR9."""
    crm = crm_of(hubspot, portal)
    await crm.put_contact(a_person(owner=ANNA, properties={"shoe_size": "44"}))
    portal.change(next(iter(portal.objects["contacts"].values())), {"lifecyclestage": "customer"})
    await crm.put_contact(a_person(owner=BEN))
    (stored,) = portal.objects["contacts"].values()
    assert stored.properties == {
        "email": "vera@visitors.example",
        "hubspot_owner_id": portal.owners[ANNA],
        "lifecyclestage": "customer",
    }


async def test_nothing_is_doubled_while_search_does_not_know_it_yet(
    hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    """A-CR7, PW-4."""
    portal.search_delay = 3_600
    crm = crm_of(hubspot, portal)
    vera = await crm.put_contact(a_person())
    assert (await crm.put_contact(a_person())).id == vera.id
    meeting, mail = a_meeting(vera.id), a_mail(vera.id)
    assert len({await crm.put_meeting(meeting) for _ in range(2)}) == 1
    assert len({await crm.put_mail(mail) for _ in range(2)}) == 1
    assert {kind: len(found) for kind, found in portal.objects.items()} == dict.fromkeys(portal.objects, 1)
    assert len((await crm.timeline(vera.id, first=9, after=None)).items) == 2


@pytest.mark.parametrize("lost", ["drop_after_commit", "cut_off_body"])
async def test_writes_whose_answers_are_lost_are_repeated_and_make_one_of_each(
    hubspot: HubSpotSimulator, portal: SimulatedPortal, lost: str
) -> None:
    """PW-5: the first try of every write."""
    crm = crm_of(hubspot, portal)
    await crm._portal.prepare()

    async def twice(operation: str, write: Callable[[Any], Any], what: Any) -> Any:
        hubspot.fault(operation, **{lost: True})
        with pytest.raises(ProviderUnavailable):
            await write(what)
        return await write(what)

    for turn in range(20):
        vera = await twice("contacts.upsert", crm.put_contact, a_person(f"v{turn}@visitors.example"))
        meeting, mail = a_meeting(vera.id), a_mail(vera.id)
        for operation in ("meetings.upsert", "meetings.associate"):
            await twice(operation, crm.put_meeting, meeting)
        for operation in ("emails.upsert", "emails.associate"):
            await twice(operation, crm.put_mail, mail)
        assert len((await crm.timeline(vera.id, first=9, after=None)).items) == 2
    assert {kind: len(found) for kind, found in portal.objects.items()} == dict.fromkeys(portal.objects, 20)


async def test_at_most_four_fifths_of_the_limit_are_used(hubspot: HubSpotSimulator, portal: SimulatedPortal) -> None:
    """RT-6, A-CR8: by the headers of the answers."""
    portal.limit, portal.interval = 20, 1.0
    crm = crm_of(hubspot, portal)
    await crm.contacts_by_id(["1"])
    await asyncio.gather(*(crm.contacts_by_id([str(number)]) for number in range(1, 61)))
    moments = [call.at for call in hubspot.calls()]
    busiest = max(sum(begin <= at < begin + 0.95 for at in moments) for begin in moments)
    assert busiest <= 16
    assert {call.status for call in hubspot.calls()} <= {200, 207}


async def test_searches_keep_to_a_rate_of_their_own(hubspot: HubSpotSimulator, portal: SimulatedPortal) -> None:
    """A-CR7."""
    portal.search_limit = 4
    crm = crm_of(hubspot, portal)
    await asyncio.gather(*(crm.contacts(None, first=1, after=None) for _ in range(9)))
    assert {call.status for call in hubspot.calls("contacts.search")} == {200}
    assert all(len(call.body["filterGroups"]) == 1 for call in hubspot.calls("contacts.search"))


async def test_who_is_told_to_wait_does_not_ask_meanwhile(hubspot: HubSpotSimulator, portal: SimulatedPortal) -> None:
    crm = crm_of(hubspot, portal, wait_seconds=0.0)
    vera = await crm.put_contact(a_person())
    hubspot.fault("contacts.read", status=429, retry_after=30)
    asked = len(hubspot.calls())
    for _ in range(3):
        with pytest.raises(RateLimited) as limited:
            await crm.contacts_by_id([vera.id])
        assert 25 < (limited.value.retry_after or 0) <= 30
    assert len(hubspot.calls()) == asked + 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 401}, CrmAccessLost),
        ({"status": 403}, CrmAccessLost),
        ({"status": 400}, RecordRefused),
        ({"status": 409}, ProviderUnavailable),
        ({"status": 500}, ProviderUnavailable),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, ProviderUnavailable),
        ({"reset": True}, ProviderUnavailable),
        ({"delay_before": 3.0}, ProviderUnavailable),
        ({"drip_seconds": 0.2}, ProviderUnavailable),
        ({"huge_bytes": 20_000_000}, ProviderUnavailable),
        ({"compressed_bytes": 20_000_000}, ProviderUnavailable),
        ({"endless": True}, ProviderUnavailable),
        ({"body": b"\xff\xfe"}, ProviderUnavailable),
        ({"body": "<html>"}, ProviderUnavailable),
        ({"body": "[]"}, ProviderUnavailable),
        ({"body": '{"results": [1]}'}, ProviderUnavailable),
        ({"body": '{"results": [{"id": "1"}]}'}, ProviderUnavailable),
    ],
    ids=str,
)
async def test_what_goes_wrong_is_told_in_time_and_without_secrets(
    hubspot: HubSpotSimulator, portal: SimulatedPortal, fault: dict[str, Any], error: type[Exception]
) -> None:
    transport = Transport(hubspot.url, threads=2, call_seconds=1.5, wait_seconds=1.0)
    crm = HubSpotCrm(Portal(transport, PrivateApp(portal.token)))
    vera = await crm.put_contact(a_person())
    hubspot.fault("contacts.read", **fault)
    began = time.monotonic()
    with pytest.raises(error) as raised:
        await crm.contacts_by_id([vera.id])
    assert time.monotonic() - began < 4
    assert portal.token not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert vera.email not in str(raised.value)


async def test_a_meeting_made_in_hubspot_itself_stands_on_the_timeline(
    hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    crm = crm_of(hubspot, portal)
    vera = await crm.put_contact(a_person())
    theirs = portal.make("meetings", {"hs_timestamp": "2026-11-03T09:00:00Z", "hs_meeting_outcome": "A custom one"})
    theirs.properties["hs_meeting_body"] = "<p>Hello &amp;</p><p>welcome</p>"
    theirs.associated.add(("contacts", vera.id))
    portal.objects["contacts"][vera.id].associated.add(("meetings", theirs.id))
    (found,) = (await crm.timeline(vera.id, first=9, after=None)).items
    assert isinstance(found, RecordedMeeting)
    assert (found.key, found.start, found.end, found.body) == (None, START, START, "Hello &\nwelcome")
    assert found.start - START == timedelta()
