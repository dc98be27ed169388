"""Who is calling, and what resolvers work with.

A `Connection` lives as long as an HTTP request or a WebSocket, an `Operation` as long as one query, mutation or
subscription on it. Resolvers get the operation, so nothing that is looked up for one is seen by another.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import strawberry
from graphql import GraphQLError
from starlette.requests import HTTPConnection
from strawberry.fastapi import BaseContext

from meetings.application.chat_links import ChatLinks
from meetings.application.page_memory import PageMemory
from meetings.application.ports.identities import Caller, Scope
from meetings.application.ports.unit_of_work import Begin
from meetings.application.read_availability import Availability
from meetings.application.sign_in import caller_of
from meetings.application.sites import Site, SiteKind
from meetings.application.toolbox import Toolbox
from meetings.application.watch_availability import AvailabilityWatch
from meetings.domain.base import ConcurrentChange, PermissionMissing
from meetings.domain.identifiers import AccountId
from meetings.domain.user import User
from meetings.graphql.feeds import Feeds
from meetings.graphql.loaders import Loaders
from meetings.graphql.messages import LANGUAGES, language_of, preferred_language
from meetings.graphql.options import ApiOptions
from meetings.graphql.rate_limits import Limiter, network_of
from meetings.graphql.sources import Sources

T = TypeVar("T")

SESSION_COOKIE = "meetings_session"
_TRIES = 5


@dataclass(frozen=True)
class Product:
    """What stands behind the API in one process."""

    tools: Toolbox
    watch: AvailabilityWatch
    chat_links: ChatLinks
    feeds: Feeds
    memory: PageMemory


class Connection(BaseContext):
    """One HTTP request or one WebSocket. `sources` are those of its latest operation.

    `caller` is None for an anonymous one. `token_rejected` says that an explicit token was sent which is none; a
    cookie that ran out only makes the caller anonymous, so that public pages go on working.
    """

    def __init__(self, product: Product, options: ApiOptions, limiter: Limiter, http: HTTPConnection) -> None:
        super().__init__()
        self.product = product
        self.options = options
        self.limiter = limiter
        self.http = http
        self.caller: Caller | None = None
        self.token: str | None = None
        self.by_cookie = False
        self.token_rejected = False
        self.address = network_of(options.client_address(http))
        self.request_id: str = http.scope.get("state", {}).get("request_id") or secrets.token_hex(12)
        self.on_close = ExitStack()
        self.sources = Sources()
        self._checked_at = 0.0
        self._still: asyncio.Task[bool] | None = None

    @property
    def site(self) -> Site:
        """Under which name the product was called; the main one where nobody looked."""
        found: Site | None = self.http.scope.get("state", {}).get("site")
        return found or Site(SiteKind.MAIN, self.product.tools.links.standard_hosts[0])

    @property
    def may_sign_in(self) -> bool:
        """Everywhere but under custom domains and the host for pages, which only visitors see (CD-4)."""
        return self.site.kind is SiteKind.MAIN

    async def sign_in_by_headers(self) -> None:
        """Find out who is calling from `Authorization: Bearer`, else from the session's cookie."""
        if not self.may_sign_in:
            return
        given = bearer(self.http.headers.get("authorization"))
        if given is not None:
            await self.sign_in_by_token(given)
            return
        cookie = self.http.cookies.get(SESSION_COOKIE)
        if cookie:
            self.by_cookie = True
            await self._take(cookie)

    async def sign_in_by_token(self, token: str) -> None:
        """The same from a token that was named explicitly."""
        self.by_cookie = False
        if self.may_sign_in:
            await self._take(token)
        self.token_rejected = self.caller is None

    async def _take(self, token: str) -> None:
        self.caller = await caller_of(token, identities=self.product.tools.identities)
        self.token = token if self.caller else None

    async def still_signed_in(self) -> bool:
        """Whether the token the caller came with is still good, asked anew at most every `recheck_seconds` for all
        subscriptions of a connection together."""
        now = asyncio.get_running_loop().time()
        if self._still is None or now - self._checked_at >= self.options.recheck_seconds:
            self._checked_at = now
            self._still = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._still)

    async def _ask(self) -> bool:
        if self.token is None or self.caller is None:
            return False
        found = await caller_of(self.token, identities=self.product.tools.identities)
        return found is not None and found == self.caller

    @property
    def visitor(self) -> str:
        """Who is holding slots: a signed-in person, or a browser at an address. A hash, never shown."""
        if self.caller:
            return _hashed(f"user:{self.caller.user_id}")
        return _hashed(f"{self.address}|{self.http.headers.get('user-agent', '')}")

    @property
    def address_hash(self) -> str:
        return _hashed(self.address)


class Operation:
    """One query, mutation or subscription."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.sources = Sources()
        self.request_id = connection.request_id
        self.time_limit: asyncio.Timeout | None = None
        self._loaders: dict[AccountId, Loaders] = {}
        self.watched: Availability | None = None
        """What the latest event of a subscription to availability told."""

    @property
    def caller(self) -> Caller | None:
        return self.connection.caller

    @property
    def tools(self) -> Toolbox:
        return self.connection.product.tools

    @property
    def memory(self) -> PageMemory:
        return self.connection.product.memory

    @property
    def sources(self) -> Sources:
        return self.connection.sources

    @property
    def options(self) -> ApiOptions:
        return self.connection.options

    @property
    def begin(self) -> Begin:
        """Units of work in the name of whoever calls."""
        return self.tools.begin_as(f"user:{self.caller.user_id}" if self.caller else "visitor")

    def may_take(self, seconds: float) -> None:
        """Give the operation at least so long from now on: somebody else's server decides how long it takes."""
        until = self.time_limit.when() if self.time_limit else None
        if self.time_limit is not None and until is not None:
            self.time_limit.reschedule(max(until, asyncio.get_running_loop().time() + seconds))

    def loaders(self, account_id: AccountId) -> Loaders:
        if account_id not in self._loaders:
            tools = self.tools
            self._loaders[account_id] = Loaders(
                account_id, tools.reads, tools.crm_of, tools.email_reads, tools.sequence_reads
            )
        return self._loaders[account_id]

    def forget_loaded(self) -> None:
        """Look everything up anew from here on: after a change, and for each event of a subscription."""
        self._loaders.clear()

    def signed_in(self) -> Caller:
        """Who calls.

        Raises:
            GraphQLError: UNAUTHENTICATED.
        """
        if self.caller is None:
            raise unauthenticated()
        return self.caller

    def signed_in_to_read(self) -> Caller:
        """The same for whoever may look.

        Raises:
            GraphQLError: UNAUTHENTICATED, or FORBIDDEN for a token without `READ`.
        """
        caller = self.signed_in()
        if Scope.READ not in caller.scopes:
            raise GraphQLError("This token may not read.", extensions={"code": "FORBIDDEN"})
        return caller

    def check_may_change(self, *, signed_in: bool) -> None:
        """Raise `PermissionMissing` for a token without `WRITE` (A-AP7), and as `signed_in` where that is needed."""
        if signed_in:
            self.signed_in()
        if self.caller and Scope.WRITE not in self.caller.scopes:
            raise PermissionMissing("the token's scope WRITE")

    async def viewer(self) -> User | None:
        """The signed-in person."""
        if self.caller is None:
            return None
        return await self.loaders(self.caller.account_id).users.load(self.caller.user_id)

    async def language(self) -> str:
        """The signed-in person's language, else the browser's, else English."""
        user = await self.viewer()
        accepted = preferred_language(self.connection.http.headers.get("accept-language", ""))
        return language_of(user.settings.locale if user else None) or accepted or LANGUAGES[0]

    async def count(self, limits: tuple[str, ...], what: str, *whose: str) -> None:
        """Count against a rate limit; raises `TooOften`."""
        await self.connection.limiter.take(limits, what, *whose)

    async def count_by_address(self, limits: tuple[str, ...], what: str) -> None:
        self.sources.counted.append((limits, what))
        await self.count(limits, what, self.connection.address)


Info: TypeAlias = strawberry.Info[Operation, None]


def bearer(header: str | None) -> str | None:
    """The token of an `Authorization` header; an empty text when the header is of another kind."""
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def unauthenticated() -> GraphQLError:
    """Sign in first."""
    return GraphQLError("Please sign in.", extensions={"code": "UNAUTHENTICATED"})


async def again_on_conflict(change: Callable[[], Awaitable[T]]) -> T:
    """What `change` gives. It is called again, a few times, when somebody else changed the same thing meanwhile.

    Raises:
        ConcurrentChange: every time.
    """
    for _ in range(_TRIES - 1):
        try:
            return await change()
        except ConcurrentChange:
            await asyncio.sleep(secrets.randbelow(30) / 1000)
    return await change()


async def while_signed_in(events: AsyncIterator[T], operation: Operation) -> AsyncGenerator[T, None]:
    """The events, for as long as the caller may see them: asked before each one, and every few seconds (GQ-7).

    Raises:
        GraphQLError: UNAUTHENTICATED, once the caller signed out, was removed, or the session ended.
    """
    connection = operation.connection
    upcoming: asyncio.Future[T] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(_next(events))
            await asyncio.wait([upcoming], timeout=operation.options.recheck_seconds)
            if not await connection.still_signed_in():
                raise unauthenticated()
            if upcoming.done():
                try:
                    event = upcoming.result()
                except StopAsyncIteration:
                    return
                upcoming = None
                operation.forget_loaded()
                yield event
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        if isinstance(events, AsyncGenerator):
            await events.aclose()


@asynccontextmanager
async def closed_after(events: AsyncIterator[T]) -> AsyncGenerator[AsyncIterator[T], None]:
    """Close the generator behind `events` at once when whoever reads it stops, not some time later."""
    try:
        yield events
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()


async def _next(events: AsyncIterator[T]) -> T:
    return await anext(events)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
