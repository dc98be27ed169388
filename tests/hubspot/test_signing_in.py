"""HubSpot connected by signing in there: tokens that end, are renewed once for all, and are refused for good."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from sqlalchemy import select

from meetings.adapters.hubspot.oauth import SCOPES
from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.application.connect_calendar import ConnectionFailed, StartedConnection, TokenInvalid
from meetings.application.connect_crm import disconnect_hubspot
from meetings.application.people import change_role
from meetings.application.ports.calendars import ProviderUnavailable, RateLimited
from meetings.application.ports.crm import CrmAccessLost
from meetings.application.sign_in_to_crm import finish_crm_sign_in, start_crm_sign_in
from meetings.domain.base import PermissionMissing
from meetings.domain.user import Role, User
from meetings.infrastructure.circuits.circuits import Circuits
from meetings.infrastructure.database.tables import crm_connections, crm_trips
from meetings.infrastructure.doctor import examine
from meetings.infrastructure.hubspot_records import HubSpotRecords, hubspot_sign_in, hubspot_transport
from tests.contracts.crm.hubspot_world import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI
from tests.contracts.crm.world import a_mail, a_meeting, a_person
from tests.databases import BOTH_DATABASES, Simulators, database_url, simulators, sqlite_template
from tests.world import DASHBOARD, HOST_EMAIL, World, world

__all__ = ["database_url", "simulators", "sqlite_template"]

VERA = "vera@visitors.example"
on_both = pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)


@pytest.fixture
def hubspot() -> Iterator[HubSpotSimulator]:
    with HubSpotSimulator().serve() as started:
        yield started


@pytest.fixture
async def here(database_url: str, simulators: Simulators, hubspot: HubSpotSimulator) -> AsyncIterator[World]:
    set_up: dict[str, Any] = {
        "public_url": "http://127.0.0.1",
        "hubspot_url": hubspot.url,
        "hubspot_authorize_url": hubspot.authorize_url,
        "hubspot_client_id": CLIENT_ID,
        "hubspot_client_secret": CLIENT_SECRET,
    }
    hubspot.register_app(CLIENT_ID, CLIENT_SECRET, REDIRECT_URI)
    async with world(database_url, *simulators, **set_up) as here:
        yield here


@pytest.fixture
def portal(hubspot: HubSpotSimulator) -> SimulatedPortal:
    return hubspot.add_portal([HOST_EMAIL])


@pytest.fixture
async def signed_in(here: World, hubspot: HubSpotSimulator, portal: SimulatedPortal) -> SimulatedPortal:
    await sign_in(here, hubspot, portal)
    return portal


async def start(here: World, user: User | None = None) -> StartedConnection:
    tools = here.tools
    return await start_crm_sign_in(
        DASHBOARD,
        caller=here.caller_of(user or here.anna),
        look=tools.look,
        sign_in=tools.crm_sign_in,
        trips=tools.crm_trips,
        links=tools.links,
        clock=tools.clock,
        policy=tools.policy,
    )


async def consent(
    hubspot: HubSpotSimulator, portal: SimulatedPortal, started: StartedConnection, *, allow: bool = True
) -> dict[str, str]:
    back = await asyncio.to_thread(hubspot.auto_consent, portal, started.authorization_url, allow=allow)
    assert back.startswith(f"{REDIRECT_URI}?")
    return dict(parse_qsl(urlsplit(back).query))


async def come_back(here: World, told: dict[str, str], browser_secret: str | None) -> str:
    tools = here.tools
    return await finish_crm_sign_in(
        state=told["state"],
        code=told.get("code"),
        error=told.get("error"),
        browser_secret=browser_secret,
        begin=tools.begin,
        sign_in=tools.crm_sign_in,
        trips=tools.crm_trips,
        try_crm=tools.try_crm,
        clock=tools.clock,
    )


async def sign_in(here: World, hubspot: HubSpotSimulator, portal: SimulatedPortal) -> None:
    here.clock.passes(seconds=1)
    started = await start(here)
    assert await come_back(here, await consent(hubspot, portal, started), started.browser_secret) == DASHBOARD


async def ask(here: World) -> None:
    await (await here.tools.crm_of(here.anna.account_id)).known([VERA])


async def rows(here: World, table: Any) -> list[Any]:
    async with here.runtime.database.snapshot() as connection:
        return list((await connection.execute(select(table))).all())


# ---- there and back -------------------------------------------------------------------------------------------------


async def test_the_consent_page_is_asked_for_what_is_needed_and_told_nothing_else(
    here: World, hubspot: HubSpotSimulator
) -> None:
    started = await start(here)
    assert started.authorization_url.startswith(f"{hubspot.authorize_url}?")
    query = parse_qs(urlsplit(started.authorization_url).query)
    assert query.keys() == {"client_id", "redirect_uri", "scope", "state"}
    assert query["scope"] == [" ".join(SCOPES)]
    assert started.browser_secret not in started.authorization_url
    assert query["state"][0] not in repr(await rows(here, crm_trips))


@on_both
async def test_records_are_in_hubspot_after_signing_in_and_the_tokens_are_sealed(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal
) -> None:
    crm = await here.tools.crm_of(here.anna.account_id)
    vera = await crm.put_contact(a_person(VERA))
    assert [contact.properties["email"] for contact in signed_in.objects["contacts"].values()] == [VERA]
    assert (await crm.known([VERA]))[VERA].id == vera.id
    assert signed_in.properties["meetings"]["meetings_key"]["hasUniqueValue"]
    [install] = hubspot.sign_ins.installs
    stored = repr(await rows(here, crm_connections))
    assert install.refresh_token not in stored
    tokens = [call.account for call in hubspot.calls("contacts.upsert")]
    assert all(token and token not in stored for token in tokens)


async def test_nobody_who_does_not_administer_the_account_is_sent_there(here: World) -> None:
    bob = await here.add_colleague("Bob", "bob@example.com")
    with pytest.raises(PermissionMissing):
        await start(here, bob)
    assert await rows(here, crm_trips) == []


async def test_who_comes_back_twice_late_or_in_another_browser_connects_nothing(
    here: World, hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    started = await start(here)
    told = await consent(hubspot, portal, started)
    for browser in (None, "x" * 43):
        with pytest.raises(TokenInvalid):
            await come_back(here, told, browser)
        started = await start(here)
        told = await consent(hubspot, portal, started)
    with pytest.raises(TokenInvalid):
        await come_back(here, {**told, "state": "x" * 43}, started.browser_secret)
    here.clock.passes(minutes=11)
    with pytest.raises(TokenInvalid):
        await come_back(here, told, started.browser_secret)
    started = await start(here)
    told = await consent(hubspot, portal, started)
    await come_back(here, told, started.browser_secret)
    with pytest.raises(TokenInvalid):
        await come_back(here, told, started.browser_secret)
    assert len(hubspot.sign_ins.installs) == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("denied", "OAUTH_DENIED"),
        ("code", "TOKEN_INVALID"),
        ("away", "PROVIDER_UNAVAILABLE"),
        ("client", "PROVIDER_UNAVAILABLE"),
        ("scopes", "PERMISSION_MISSING"),
        ("portal", "PERMISSION_MISSING"),
        ("admin", "PERMISSION_MISSING"),
    ],
)
async def test_what_goes_wrong_is_told_by_its_reason_and_nothing_is_connected(
    here: World, hubspot: HubSpotSimulator, portal: SimulatedPortal, wrong: str, reason: str
) -> None:
    ada = await here.add_colleague("Ada Admin", "ada@example.com", Role.ADMIN)
    started = await start(here, ada)
    told = await consent(hubspot, portal, started, allow=wrong != "denied")
    if wrong == "code":
        told["code"] = "another"
    elif wrong == "away":
        hubspot.fault("oauth.token", status=503)
    elif wrong == "client":
        hubspot.register_app(CLIENT_ID, "another secret", REDIRECT_URI)
    elif wrong == "scopes":
        answer = {"access_token": "a", "refresh_token": "b", "expires_in": 1800, "scopes": ["oauth"]}
        hubspot.fault("oauth.token", status=200, body=json.dumps(answer))
    elif wrong == "portal":
        portal.missing_scopes = {"owners"}
    elif wrong == "admin":
        await change_role(ada.id, Role.MEMBER, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    with pytest.raises(ConnectionFailed) as failed:
        await come_back(here, told, started.browser_secret)
    assert (failed.value.reason, failed.value.return_to) == (reason, DASHBOARD)
    assert await rows(here, crm_connections) == []
    assert all(install.revoked for install in hubspot.sign_ins.installs)
    assert CLIENT_SECRET not in f"{failed.value!r} {failed.value.__cause__!r}"


# ---- tokens that end ------------------------------------------------------------------------------------------------


async def test_tokens_that_end_in_the_middle_are_renewed_and_nothing_is_lost_or_doubled(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal
) -> None:
    hubspot.sign_ins.calls_per_token = 2
    hubspot.expire_access_tokens(signed_in)
    crm = await here.tools.crm_of(here.anna.account_id)
    vera = await crm.put_contact(a_person(VERA))
    meeting, mail = a_meeting(vera.id), a_mail(vera.id)
    for _ in range(2):
        await crm.put_meeting(meeting)
        await crm.put_mail(mail)
    assert len((await crm.timeline(vera.id, first=9, after=None)).items) == 2
    assert {kind: len(found) for kind, found in signed_in.objects.items()} == {
        "contacts": 1,
        "meetings": 1,
        "emails": 1,
    }
    assert hubspot.sign_ins.installs[0].refreshes > 3


async def test_a_token_is_renewed_before_it_ends(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal
) -> None:
    """A process with a clock that stands half an hour later, which is the product's own clock here."""
    await ask(here)
    assert hubspot.sign_ins.installs[0].refreshes == 0
    later = here.clock.now + timedelta(minutes=29, seconds=30)
    process = another_process(here, hubspot, clock=lambda: later)
    await (await process.crm_of(here.anna.account_id)).known([VERA])
    assert hubspot.sign_ins.installs[0].refreshes == 1
    assert {call.status for call in hubspot.calls("contacts.read")} <= {200, 207}


@on_both
async def test_several_processes_renew_a_token_once(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal
) -> None:
    hubspot.sign_ins.rotate = True
    processes = [another_process(here, hubspot) for _ in range(4)]
    for process in processes:
        await (await process.crm_of(here.anna.account_id)).known([VERA])
    hubspot.expire_access_tokens(signed_in)
    hubspot.fault("oauth.token", delay_before=0.3)

    async def read(process: HubSpotRecords) -> None:
        crm = await process.crm_of(here.anna.account_id)
        await asyncio.gather(*(crm.known([VERA]) for _ in range(3)))

    await asyncio.gather(*map(read, processes))
    assert hubspot.sign_ins.installs[0].refreshes == 1
    hubspot.expire_access_tokens(signed_in)
    await ask(here)
    assert hubspot.sign_ins.installs[0].refreshes == 2


async def test_an_access_token_that_is_refused_right_after_it_was_renewed_is_the_end(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal
) -> None:
    signed_in.revoked = True
    with pytest.raises(CrmAccessLost):
        await ask(here)
    assert hubspot.sign_ins.installs[0].refreshes == 1
    await here.settle_down()
    assert [mail.subject for mail in here.mails_to(HOST_EMAIL)] == ["HubSpot is no longer connected"]


async def test_an_app_that_was_removed_from_the_portal_is_told_and_signing_in_again_mends_it(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal
) -> None:
    hubspot.remove_app(signed_in)
    for _ in range(2):
        with pytest.raises(CrmAccessLost) as lost:
            await ask(here)
    assert "eu1-" not in f"{lost.value!r} {lost.value.__cause__!r}"
    await here.settle_down()
    assert [mail.subject for mail in here.mails_to(HOST_EMAIL)] == ["HubSpot is no longer connected"]
    await sign_in(here, hubspot, signed_in)
    await ask(here)
    async with here.tools.look(here.anna.account_id) as work:
        connection = await work.crm_connection.current()
    assert connection is not None
    assert connection.refused_at is None


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"reset": True}, {"body": "<html>"}], ids=str)
async def test_a_token_server_that_is_away_is_no_refusal(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal, fault: dict[str, Any]
) -> None:
    hubspot.expire_access_tokens(signed_in)
    hubspot.fault("oauth.token", **fault)
    with pytest.raises((ProviderUnavailable, RateLimited)):
        await ask(here)
    here.clock.passes(minutes=1)
    await ask(here)
    await here.settle_down()
    assert here.mail.mails == ()


async def test_a_client_that_hubspot_does_not_know_is_our_fault_and_nobodys_refusal(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal
) -> None:
    hubspot.expire_access_tokens(signed_in)
    hubspot.register_app(CLIENT_ID, "another secret", REDIRECT_URI)
    with pytest.raises(ProviderUnavailable, match="our client"):
        await ask(here)
    await here.settle_down()
    assert here.mail.mails == ()


async def test_without_the_client_records_wait_and_the_doctor_says_so(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal
) -> None:
    process = HubSpotRecords(
        here.runtime.database, hubspot_transport(hubspot.url), Circuits(), sign_in=None, clock=here.clock
    )
    with pytest.raises(ProviderUnavailable, match="not set up"):
        await process.crm_of(here.anna.account_id)
    settings = here.runtime.settings
    without = settings.model_copy(update={"hubspot_client_id": None, "hubspot_client_secret": None})
    not_set = "people signed in, for a client that is not set"
    for given, said in ((settings, "answers and lets us in"), (without, not_set)):
        found = [finding async for finding in examine(given)]
        assert [finding.found for finding in found if finding.what.startswith("HubSpot of")] == [said]
        assert CLIENT_SECRET not in repr(found)


# ---- going back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("away", [False, True])
async def test_disconnecting_gives_the_grant_back_if_hubspot_takes_it(
    here: World, hubspot: HubSpotSimulator, signed_in: SimulatedPortal, away: bool
) -> None:
    if away:
        hubspot.fault("oauth.revoke", status=503)
    tools = here.tools
    await disconnect_hubspot(caller=here.caller, begin=tools.begin, sign_in=tools.crm_sign_in, clock=tools.clock)
    assert hubspot.sign_ins.installs[0].revoked is not away
    assert await rows(here, crm_connections) == []


def another_process(here: World, hubspot: HubSpotSimulator, clock: Any = None) -> HubSpotRecords:
    transport, clock = hubspot_transport(hubspot.url), clock or here.clock
    sign_in = hubspot_sign_in(here.runtime.settings, transport, clock)
    return HubSpotRecords(here.runtime.database, transport, Circuits(), sign_in=sign_in, clock=clock)
