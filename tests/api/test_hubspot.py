"""An account that keeps its customer records in HubSpot."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Table, select

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.adapters.hubspot.simulator import HubSpotSimulator
from meetings.domain.user import Role
from meetings.infrastructure.database.tables import crm_connections, crm_contacts
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.hubspot_documents import CONNECT_HUBSPOT, DISCONNECT_HUBSPOT, HUBSPOT
from tests.api.records import CREATE_CONTACT
from tests.api.refusals import every_code_of
from tests.databases import database_url, simulators, sqlite_template
from tests.product import ApiClient, Product, product
from tests.world import HOST_EMAIL

__all__ = ["database_url", "simulators", "sqlite_template"]

RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py
VERA = "vera@visitors.example"


@pytest.fixture
def hubspot() -> Iterator[HubSpotSimulator]:
    with HubSpotSimulator().serve() as started:
        yield started


@pytest.fixture
async def served(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher], hubspot: HubSpotSimulator
) -> AsyncIterator[Product]:
    async with product(database_url, *simulators, hubspot_url=hubspot.url) as started:
        yield started


@pytest.fixture
async def host(served: Product) -> AsyncIterator[ApiClient]:
    async with served.host() as client:
        yield client


async def test_contacts_are_in_hubspot_while_it_is_connected_and_built_in_before_and_after(
    served: Product, host: ApiClient, hubspot: HubSpotSimulator
) -> None:
    portal = hubspot.add_portal([HOST_EMAIL])
    assert (await host.ask(HUBSPOT))["viewer"]["hubSpotConnection"] is None
    told = (await host.ask(CONNECT_HUBSPOT, token=f" {portal.token}\n"))["connectHubSpot"]
    assert told["errors"] == []
    assert told["connection"]["refusedAt"] is None
    assert (await host.ask(HUBSPOT))["viewer"]["hubSpotConnection"] == told["connection"]
    made = await host.ask(CREATE_CONTACT, email=VERA, input={"firstName": "Vera", "company": "Acme"})
    assert made["createContact"]["errors"] == []
    (contact,) = portal.objects["contacts"].values()
    assert contact.properties == {"email": VERA, "firstname": "Vera", "company": "Acme"}
    assert await rows(served, crm_contacts) == []
    assert (await host.ask(DISCONNECT_HUBSPOT))["disconnectHubSpot"] == {"connection": None, "errors": []}
    await host.ask(CREATE_CONTACT, email=VERA)
    assert len(await rows(served, crm_contacts)) == len(portal.objects["contacts"]) == 1


async def test_the_token_is_stored_sealed(served: Product, host: ApiClient, hubspot: HubSpotSimulator) -> None:
    portal = hubspot.add_portal()
    await host.ask(CONNECT_HUBSPOT, token=portal.token)
    (stored,) = await rows(served, crm_connections)
    assert portal.token not in repr(stored)
    await host.ask(DISCONNECT_HUBSPOT)
    assert await rows(served, crm_connections) == []


async def test_our_key_is_made_in_hubspot_once(host: ApiClient, hubspot: HubSpotSimulator) -> None:
    portal = hubspot.add_portal()
    for _ in range(2):
        assert (await host.ask(CONNECT_HUBSPOT, token=portal.token))["connectHubSpot"]["errors"] == []
    for kind in ("meetings", "emails"):
        assert portal.properties[kind]["meetings_key"]["hasUniqueValue"]
    assert len(hubspot.calls("properties.create")) == 2


async def test_everything_that_connecting_refuses(served: Product, host: ApiClient, hubspot: HubSpotSimulator) -> None:
    portal = hubspot.add_portal()
    path = ["privateAppToken"]
    async with every_code_of(served, "connectHubSpot", elsewhere=[RACES]) as refused:
        for malformed in ("", "short", "pat-eu1 with blanks", "x" * 501, "pat-eu1-\x00aaaa", "pat-eu1-schlüssel"):
            await refused.one(host, CONNECT_HUBSPOT, "VALIDATION", path, token=malformed)
        await refused.one(host, CONNECT_HUBSPOT, "CREDENTIALS_REJECTED", path, token="pat-eu1-nobodys")
        portal.missing_scopes = {"owners"}
        await refused.one(host, CONNECT_HUBSPOT, "CREDENTIALS_REJECTED", path, token=portal.token)
        hubspot.fault("owners.list", status=503)
        await refused.one(host, CONNECT_HUBSPOT, "PROVIDER_UNAVAILABLE", None, token=portal.token)
        await served.here.add_colleague("Bob", "bob@example.com", Role.MEMBER)
        async with served.visitor() as bob:
            await bob.sign_in("bob@example.com")
            await refused.one(bob, CONNECT_HUBSPOT, "PERMISSION_MISSING", None, token=portal.token)


async def test_everything_that_disconnecting_refuses(served: Product, host: ApiClient) -> None:
    await served.here.add_colleague("Bob", "bob@example.com", Role.MEMBER)
    async with every_code_of(served, "disconnectHubSpot", elsewhere=[RACES]) as refused:
        await refused.one(host, DISCONNECT_HUBSPOT, "NOT_FOUND", None)
        async with served.visitor() as bob:
            await bob.sign_in("bob@example.com")
            await refused.one(bob, DISCONNECT_HUBSPOT, "PERMISSION_MISSING", None)


async def test_a_token_that_is_refused_later_is_shown_until_another_one_is_given(
    host: ApiClient, hubspot: HubSpotSimulator
) -> None:
    portal = hubspot.add_portal()
    await host.ask(CONNECT_HUBSPOT, token=portal.token)
    portal.revoked = True
    payload = (await host.ask(CREATE_CONTACT, email=VERA))["createContact"]
    assert [error["code"] for error in payload["errors"]] == ["PROVIDER_UNAVAILABLE"]
    assert (await host.ask(HUBSPOT))["viewer"]["hubSpotConnection"]["refusedAt"] is not None
    hubspot.renew_token(portal, "pat-eu1-another-one")
    told = (await host.ask(CONNECT_HUBSPOT, token=portal.token))["connectHubSpot"]
    assert told["connection"]["refusedAt"] is None
    assert (await host.ask(CREATE_CONTACT, email=VERA))["createContact"]["errors"] == []


async def rows(served: Product, table: Table) -> list[object]:
    async with served.here.runtime.database.snapshot() as connection:
        return list((await connection.execute(select(table))).all())
