"""Coming back from the consent page (OA-1): only the browser that went there, once, in time, to where it wanted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import update

from meetings.adapters.google.disclosure import DISCLOSURE as GOOGLE_DISCLOSURE
from meetings.application.connect_calendar import StartConnection, start_connection
from meetings.domain.calendar_connection import Provider
from meetings.graphql.cookies import OAUTH_COOKIE, OAUTH_PATH
from meetings.infrastructure.database.tables import sign_in_attempts
from tests.product import ApiClient, Product
from tests.world import HOST_EMAIL

CALLBACK = "/oauth/google/callback"
RETURN_TO = "https://dashboard.example.com/settings?tab=calendar"


@dataclass
class Trip:
    """Anna went to the consent page and allowed; she has not come back yet."""

    product: Product
    visitor: ApiClient
    secret: str
    state: str
    code: str

    async def comes_back(
        self, *, path: str = CALLBACK, cookie: str | None = "", method: str = "GET", **query: str | list[str] | None
    ) -> httpx.Response:
        """With her cookie, state and code, except for what is said otherwise; None leaves something out."""
        given = {"state": self.state, "code": self.code, **query}
        sent = self.secret if cookie == "" else cookie
        headers = {} if sent is None else {"Cookie": f"{OAUTH_COOKIE}={sent}"}
        params = {name: value for name, value in given.items() if value is not None}
        return await self.visitor.http.request(method, path, params=params, headers=headers)

    async def connections(self) -> int:
        tools = self.product.here.tools
        found = await tools.reads.connections(self.product.here.anna.account_id, [self.product.here.anna.id])
        return len(found)

    async def expire(self) -> None:
        async with self.product.here.runtime.database.transaction() as connection:
            past = datetime.now(UTC) - timedelta(seconds=1)
            await connection.execute(update(sign_in_attempts).values(expires_at=past))


async def go(product: Product, visitor: ApiClient, **consent: Any) -> Trip:
    """Send Anna to the consent page, where she allows what `consent` says."""
    here = product.here
    started = await start_connection(
        StartConnection(Provider.GOOGLE, GOOGLE_DISCLOSURE.version, RETURN_TO),
        caller=here.caller,
        look=here.tools.look,
        providers=here.tools.providers,
        attempts=here.tools.sign_in_attempts,
        links=here.tools.links,
        clock=here.clock,
        policy=here.tools.policy,
    )
    back = here.google.auto_consent(HOST_EMAIL, started.authorization_url, **consent)
    query = dict(parse_qsl(urlsplit(back).query))
    return Trip(product, visitor, started.browser_secret, query["state"], query.get("code", ""))


@pytest.fixture
async def trip(served: Product, visitor: ApiClient) -> Trip:
    return await go(served, visitor)


def went_to(answer: httpx.Response) -> tuple[str, dict[str, list[str]]]:
    """Where the browser is sent: the address without its query, and the query."""
    parts = urlsplit(answer.headers["location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query)


async def test_the_browser_comes_back_to_where_it_wanted_with_a_connected_calendar(trip: Trip) -> None:
    answer = await trip.comes_back()
    assert answer.status_code == 303
    assert went_to(answer) == (
        "https://dashboard.example.com/settings",
        {"tab": ["calendar"], "calendar": ["connected"]},
    )
    assert f'{OAUTH_COOKIE}=""' in answer.headers["set-cookie"]
    assert f"Path={OAUTH_PATH}" in answer.headers["set-cookie"]
    assert answer.headers["cache-control"] == "no-store"
    assert await trip.connections() == 1


BAD: dict[str, Callable[[Trip], Awaitable[httpx.Response]]] = {
    "nothing at all": lambda trip: trip.comes_back(state=None, code=None),
    "no state": lambda trip: trip.comes_back(state=None),
    "an empty state": lambda trip: trip.comes_back(state=""),
    "a state of nobody's": lambda trip: trip.comes_back(state="x" * 43),
    "the state cut": lambda trip: trip.comes_back(state=trip.state[:-1]),
    "the state with more": lambda trip: trip.comes_back(state=trip.state + "A"),
    "the state in other letters": lambda trip: trip.comes_back(state=trip.state.swapcase()),
    "the state with a space": lambda trip: trip.comes_back(state=f" {trip.state}"),
    "the state with a line break": lambda trip: trip.comes_back(state=f"{trip.state}\r\n"),
    "the state with a zero": lambda trip: trip.comes_back(state=f"{trip.state}\0"),
    "the state twice": lambda trip: trip.comes_back(state=[trip.state, trip.state]),
    "two states": lambda trip: trip.comes_back(state=[trip.state, "x" * 43]),
    "an endless state": lambda trip: trip.comes_back(state="x" * 20_000),
    "the browser's secret as state": lambda trip: trip.comes_back(state=trip.secret),
    "no cookie": lambda trip: trip.comes_back(cookie=None),
    "another cookie": lambda trip: trip.comes_back(cookie="x" * 43),
    "the state as cookie": lambda trip: trip.comes_back(cookie=trip.state),
    "the cookie cut": lambda trip: trip.comes_back(cookie=trip.secret[:-1]),
    "the cookie in other letters": lambda trip: trip.comes_back(cookie=trip.secret.swapcase()),
    "a provider we do not know": lambda trip: trip.comes_back(path="/oauth/icloud/callback"),
    "a provider that is not set up": lambda trip: trip.comes_back(path="/oauth/office365/callback"),
    "the provider in capitals": lambda trip: trip.comes_back(path="/oauth/GOOGLE/callback"),
    "by POST": lambda trip: trip.comes_back(method="POST"),
    "by PUT": lambda trip: trip.comes_back(method="PUT"),
}


@pytest.mark.parametrize("bad", BAD)
async def test_a_bad_callback_connects_nothing_and_sends_nobody_anywhere(trip: Trip, bad: str) -> None:
    answer = await BAD[bad](trip)
    assert answer.status_code in (400, 404, 405, 414)
    assert "location" not in answer.headers
    assert trip.state not in answer.text
    assert await trip.connections() == 0


async def test_a_bad_callback_uses_the_state_up(trip: Trip) -> None:
    assert (await trip.comes_back(cookie="x" * 43)).status_code == 400
    assert (await trip.comes_back()).status_code == 400
    assert await trip.connections() == 0


async def test_a_callback_that_comes_too_late_connects_nothing(trip: Trip) -> None:
    await trip.expire()
    assert (await trip.comes_back()).status_code == 400
    assert await trip.connections() == 0


async def test_a_callback_works_once(trip: Trip) -> None:
    assert (await trip.comes_back()).status_code == 303
    assert (await trip.comes_back()).status_code == 400
    assert await trip.connections() == 1


async def test_state_and_cookie_of_two_trips_do_not_fit_together(served: Product, visitor: ApiClient) -> None:
    one, other = await go(served, visitor), await go(served, visitor)
    assert (await one.comes_back(cookie=other.secret)).status_code == 400
    assert (await other.comes_back(state=one.state)).status_code == 400
    assert await one.connections() == 0


async def test_the_code_of_another_trip_is_refused_by_its_challenge(served: Product, visitor: ApiClient) -> None:
    one, other = await go(served, visitor), await go(served, visitor)
    answer = await one.comes_back(code=other.code)
    assert went_to(answer)[1] == {"tab": ["calendar"], "calendar": ["failed"], "reason": ["TOKEN_INVALID"]}
    assert await one.connections() == 0


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"code": "4/made-up"}, "TOKEN_INVALID"),
        ({"code": None}, "TOKEN_INVALID"),
        ({"code": ["one", "two"]}, "TOKEN_INVALID"),
        ({"code": "x" * 5_000}, "TOKEN_INVALID"),
        ({"code": None, "error": "access_denied"}, "OAUTH_DENIED"),
        ({"code": None, "error": "server_error"}, "TOKEN_INVALID"),
    ],
)
async def test_what_went_wrong_at_the_provider_is_said_where_the_browser_came_from(
    trip: Trip, query: dict[str, Any], reason: str
) -> None:
    answer = await trip.comes_back(**query)
    assert answer.status_code == 303
    assert went_to(answer) == (
        "https://dashboard.example.com/settings",
        {"tab": ["calendar"], "calendar": ["failed"], "reason": [reason]},
    )
    assert await trip.connections() == 0


async def test_a_permission_that_was_not_given_is_named(served: Product, visitor: ApiClient) -> None:
    trip = await go(served, visitor, scopes=("openid", "email"))
    assert went_to(await trip.comes_back())[1]["reason"] == ["PERMISSION_MISSING"]
    assert await trip.connections() == 0


async def test_a_provider_that_does_not_answer_is_named(trip: Trip) -> None:
    trip.product.google.fault("oauth.token", status=503)
    assert went_to(await trip.comes_back())[1]["reason"] == ["PROVIDER_UNAVAILABLE"]
    assert await trip.connections() == 0


async def test_the_plain_page_speaks_the_browsers_language(visitor: ApiClient) -> None:
    german = await visitor.http.get(CALLBACK, headers={"Accept-Language": "fr;q=0.9, de-AT;q=0.8, en"})
    assert german.status_code == 400
    assert '<html lang="de">' in german.text
    assert "Dieser Link gilt nicht mehr" in german.text
    assert "default-src 'none'" in german.headers["content-security-policy"]


async def test_the_address_to_come_back_to_is_the_settings_one_and_not_the_hosts(
    served: Product, visitor: ApiClient
) -> None:
    answer = await visitor.http.get(CALLBACK, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in answer.text
    assert served.here.tools.links.oauth_callback("GOOGLE") == f"{served.url}{CALLBACK}"
