"""All that is stored of a person from outside, in one document (TP-4)."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from meetings.application.export_person import LINK_LASTS, ExportLink, export_person, read_export
from meetings.domain.base import InvalidInput, NotFound
from meetings.infrastructure.database.tables import metadata, person_requests
from tests.databases import BOTH_DATABASES, Simulators
from tests.mailed import mailed
from tests.privacy.canary import EMAIL, MARK, SAID, Canary

on_both_databases = pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)


@pytest.fixture
async def vera(database_url: str, simulators: Simulators) -> AsyncIterator[Canary]:
    async with mailed(database_url, "google", simulators) as anna:
        canary = Canary(anna)
        await canary.leave_traces()
        yield canary


async def ask(vera: Canary, email: str = EMAIL) -> ExportLink:
    here = vera.mailed.here
    tools = here.tools
    return await export_person(email, caller=here.caller, begin=tools.begin, links=tools.links, clock=here.clock)


async def fetch(vera: Canary, link: ExportLink) -> dict[str, Any]:
    here, tools = vera.mailed.here, vera.mailed.here.tools
    token = link.url.rpartition("/")[2]
    document = await read_export(
        token, begin=tools.begin, look=tools.look, crm_of=tools.crm_of, links=tools.links, clock=here.clock
    )
    told: dict[str, Any] = json.loads(json.dumps(document))
    return told


@on_both_databases
async def test_a_person_is_told_everything_that_is_stored_of_them(vera: Canary) -> None:
    document = await fetch(vera, await ask(vera, EMAIL.lower()))
    counts = {key: len(value) for key, value in document.items() if isinstance(value, list)}
    assert counts.pop("journal") > 10
    assert counts == {
        "contacts": 1,
        "meetingsOnRecord": 3,
        "mailsOnRecord": 2,
        "bookings": 3,
        "engagements": 1,
        "conversations": 1,
        "mails": 2,
        "enrollments": 1,
        "links": 1,
        "browsers": 1,
        "optOuts": 1,
    }
    assert document["person"] == EMAIL.lower()
    mine = next(each for each in document["bookings"] if each["id"] == str(vera.booked.id))
    assert mine["details"]["message"] == SAID
    assert all(SAID in json.dumps(document[kind]) for kind in ("mails", "bookings", "engagements", "links"))


async def test_a_guest_is_not_told_what_the_invitee_said(vera: Canary) -> None:
    document = await fetch(vera, await ask(vera))
    as_guest = next(each for each in document["bookings"] if each["as"] == "GUEST")
    assert as_guest["email"].casefold() == EMAIL.casefold()
    assert "grace" not in json.dumps(as_guest).casefold()


async def test_no_secret_is_in_an_export(vera: Canary) -> None:
    told = json.dumps(await fetch(vera, await ask(vera)))
    for secret in ("nonce_hash", "fingerprint", "unsubscribe", "token", "sealed"):
        assert secret not in told


async def test_a_link_to_an_export_expires_and_nobody_can_make_one_up(vera: Canary) -> None:
    link = await ask(vera)
    other = vera.mailed.here.tools.links.tokens.sign("person export", bytes(32))
    for wrong in ("x", link.url[:-1], f"https://example.com/{other}"):
        with pytest.raises(NotFound):
            await fetch(vera, ExportLink(wrong, link.expires_at))
    assert (await fetch(vera, link))["bookings"]
    vera.mailed.clock.now += LINK_LASTS + timedelta(seconds=1)
    with pytest.raises(NotFound):
        await fetch(vera, link)


async def test_an_export_that_was_asked_for_holds_nothing_of_a_person_erased_since(vera: Canary) -> None:
    await vera.time_passes()
    link = await ask(vera)
    await vera.erase()
    with pytest.raises(NotFound):
        await fetch(vera, link)
    await vera.workers_follow()
    again = await fetch(vera, await ask(vera))
    assert MARK not in json.dumps({key: value for key, value in again.items() if key != "person"}).casefold()
    assert not any(value for value in again.values() if isinstance(value, list))


async def test_of_whom_an_export_is_wanted_is_stored_sealed_only(vera: Canary) -> None:
    before = await vera.hits()
    await ask(vera)
    assert person_requests.name in metadata.tables
    assert set(await vera.hits()) == set(before)
    with pytest.raises(InvalidInput):
        await ask(vera, "nobody")
