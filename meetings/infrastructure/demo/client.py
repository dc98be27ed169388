"""The tour's front end: a GraphQL client over HTTP and WebSocket that knows nothing but the public API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport


class Refused(Exception):
    """The API answered with a top-level error, or with something that is no answer."""


class Frontend:
    """One person's browser, or program: keeps cookies, sends documents, listens to subscriptions.

    With `host` it came by that name, as if a DNS led from it to the server.
    """

    def __init__(self, base_url: str, *, host: str | None = None) -> None:
        self.base_url = base_url
        address = httpx.URL(base_url)
        named = address if host is None else address.copy_with(host=host)
        headers = {"Host": named.netloc.decode("ascii"), "Origin": str(named)}
        self.http = httpx.AsyncClient(base_url=base_url, timeout=15, headers=headers)
        self._token: str | None = None

    async def __aenter__(self) -> "Frontend":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.aclose()

    async def ask(self, document: str, **variables: object) -> dict[str, Any]:
        """The `data` of an operation.

        Raises:
            Refused: there are top-level errors.
        """
        answer = await self.http.post("/graphql", json={"query": document, "variables": variables})
        body = answer.json()
        if answer.status_code != 200 or body.get("errors"):
            raise Refused(f"{answer.status_code}: {body.get('errors') or body}")
        data: dict[str, Any] = body["data"]
        return data

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in; from here on the session's cookie goes along, and its token on sockets."""
        data = await self.ask(
            "mutation($e: String!, $p: String!) { signIn(email: $e, password: $p) { token errors { code message } } }",
            e=email,
            p=password,
        )
        if data["signIn"]["errors"]:
            raise Refused(str(data["signIn"]["errors"]))
        self._token = data["signIn"]["token"]

    @asynccontextmanager
    async def subscribe(self, document: str, **variables: object) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The events of a subscription over graphql-transport-ws."""
        payload = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        transport = WebsocketsTransport(
            url=f"{self.base_url.replace('http', 'ws', 1)}/graphql",
            init_payload=payload,
            headers={"Origin": self.base_url},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        request = gql(document)
        request.variable_values = dict(variables)
        async with Client(transport=transport) as session:
            events = session.subscribe(request)
            try:
                yield events
            finally:
                await events.aclose()
