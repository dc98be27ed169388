"""Connecting HubSpot by signing in there, as a browser does it: from the mutation over the consent page and back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.domain.user import Role
from meetings.graphql.cookies import OAUTH_COOKIE, OAUTH_PATH
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.hubspot_documents import DISCONNECT_HUBSPOT, HUBSPOT, SIGN_IN_OFFERED, START_HUBSPOT
from tests.api.records import CREATE_CONTACT
from tests.api.refusals import every_code_of
from tests.contracts.crm.hubspot_world import CLIENT_ID, CLIENT_SECRET
from tests.databases import database_url, simulators, sqlite_template
from tests.product import ApiClient, Product, product
from tests.world import HOST_EMAIL

__all__ = ["database_url", "simulators", "sqlite_template"]

Simulators = tuple[GoogleSimulator, MailCatcher]
CALLBACK = "/oauth/hubspot/callback"


@pytest.fixture
def hubspot() -> Iterator[HubSpotSimulator]:
    with HubSpotSimulator().serve() as started:
        yield started


@pytest.fixture
def portal(hubspot: HubSpotSimulator) -> SimulatedPortal:
    return hubspot.add_portal([HOST_EMAIL])


@asynccontextmanager
async def serving(
    database_url: str, simulators: Simulators, hubspot: HubSpotSimulator, **more: Any
) -> AsyncIterator[Product]:
    google, mail = simulators
    given: dict[str, Any] = {"hubspot_url": hubspot.url, "hubspot_authorize_url": hubspot.authorize_url, **more}
    async with product(database_url, google, mail, **given) as started:
        hubspot.register_app(CLIENT_ID, CLIENT_SECRET, started.here.tools.links.oauth_callback("hubspot"))
        yield started


@pytest.fixture
async def served(database_url: str, simulators: Simulators, hubspot: HubSpotSimulator) -> AsyncIterator[Product]:
    app = {"hubspot_client_id": CLIENT_ID, "hubspot_client_secret": CLIENT_SECRET}
    async with serving(database_url, simulators, hubspot, **app) as started:
        yield started


@pytest.fixture
async def host(served: Product) -> AsyncIterator[ApiClient]:
    async with served.host() as client:
        yield client


def settings_of(host: ApiClient) -> str:
    """Where the browser wants to be in the end."""
    return f"{host.url}/settings"


async def goes_there(host: ApiClient) -> str:
    told = (await host.ask(START_HUBSPOT, returnTo=settings_of(host)))["startHubSpotConnection"]
    assert told["errors"] == []
    assert told["expiresAt"] is not None
    return str(told["authorizationUrl"])


async def comes_back(
    host: ApiClient, hubspot: HubSpotSimulator, portal: SimulatedPortal, page: str, *, allow: bool = True
) -> httpx.Response:
    back = await asyncio.to_thread(hubspot.auto_consent, portal, page, allow=allow)
    return await host.http.get(f"{CALLBACK}?{urlsplit(back).query}")


def went_to(answer: httpx.Response) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(answer.headers["location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query)


async def test_records_are_in_hubspot_once_the_browser_came_back(
    served: Product, host: ApiClient, hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    assert (await host.ask(SIGN_IN_OFFERED))["viewer"]["hubSpotSignInOffered"] is True
    answer = await comes_back(host, hubspot, portal, await goes_there(host))
    assert answer.status_code == 303
    assert went_to(answer) == (settings_of(host), {"hubspot": ["connected"]})
    assert f'{OAUTH_COOKIE}=""' in answer.headers["set-cookie"]
    assert f"Path={OAUTH_PATH}" in answer.headers["set-cookie"]
    connection = (await host.ask(HUBSPOT))["viewer"]["hubSpotConnection"]
    assert connection["refusedAt"] is None
    assert (await host.ask(CREATE_CONTACT, email="vera@visitors.example"))["createContact"]["errors"] == []
    assert len(portal.objects["contacts"]) == 1
    assert (await host.ask(DISCONNECT_HUBSPOT))["disconnectHubSpot"] == {"connection": None, "errors": []}
    assert hubspot.sign_ins.installs[0].revoked


async def test_who_says_no_comes_back_with_the_reason(
    host: ApiClient, hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    answer = await comes_back(host, hubspot, portal, await goes_there(host), allow=False)
    assert went_to(answer) == (settings_of(host), {"hubspot": ["failed"], "reason": ["OAUTH_DENIED"]})
    assert (await host.ask(HUBSPOT))["viewer"]["hubSpotConnection"] is None


async def test_a_trip_of_another_browser_leads_to_a_plain_page(
    served: Product, host: ApiClient, hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    page = await goes_there(host)
    async with served.visitor() as stranger:
        answer = await comes_back(stranger, hubspot, portal, page)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert (await host.http.get(CALLBACK)).status_code == 400
    assert (await host.ask(HUBSPOT))["viewer"]["hubSpotConnection"] is None


async def test_a_trip_to_hubspot_cannot_come_back_as_one_to_a_calendar(
    host: ApiClient, hubspot: HubSpotSimulator, portal: SimulatedPortal
) -> None:
    back = await asyncio.to_thread(hubspot.auto_consent, portal, await goes_there(host))
    query = urlsplit(back).query
    assert (await host.http.get(f"/oauth/google/callback?{query}")).status_code == 400
    assert (await host.http.get(f"{CALLBACK}?{query}")).status_code == 303


async def test_everything_that_starting_refuses(served: Product, host: ApiClient) -> None:
    await served.here.add_colleague("Bob", "bob@example.com", Role.MEMBER)
    async with every_code_of(served, "startHubSpotConnection", elsewhere=["NOT_FOUND"]) as refused:
        elsewhere = "https://elsewhere.example/settings"
        await refused.one(host, START_HUBSPOT, "VALIDATION", ["returnTo"], returnTo=elsewhere)
        async with served.visitor() as bob:
            await bob.sign_in("bob@example.com")
            await refused.one(bob, START_HUBSPOT, "PERMISSION_MISSING", None, returnTo=settings_of(host))


async def test_without_an_app_nobody_can_sign_in(
    database_url: str, simulators: Simulators, hubspot: HubSpotSimulator
) -> None:
    async with serving(database_url, simulators, hubspot) as served, served.host() as host:
        assert (await host.ask(SIGN_IN_OFFERED))["viewer"]["hubSpotSignInOffered"] is False
        told = (await host.ask(START_HUBSPOT, returnTo=settings_of(host)))["startHubSpotConnection"]
        assert [error["code"] for error in told["errors"]] == ["NOT_FOUND"]
        assert told["authorizationUrl"] is None
