"""Calls in the name of one connection: signed, a few at once, with one new access token when Graph rejects the old."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from meetings.adapters.office365.graph import Graph, Question
from meetings.adapters.office365.places import Places
from meetings.adapters.office365.refusals import Asked, Refused, as_provider_error
from meetings.adapters.office365.signin import Office365SignIn
from meetings.adapters.office365.tokens import Grant
from meetings.application.ports.calendars import Credentials, ProviderUnavailable
from meetings.application.ports.clock import Clock


class AuthorizedCalls:
    """Keeps the credentials it read: made for one use case, not for the life of a process, though that would work.

    `places` are shared by all that call for the same mailbox.
    """

    def __init__(
        self, credentials: Credentials, sign_in: Office365SignIn, graph: Graph, places: Places, now: Clock
    ) -> None:
        self.graph = graph
        self._credentials = credentials
        self._sign_in = sign_in
        self._places = places
        self._now = now
        self._text: str | None = None

    def limit(self, seconds: float | None = None) -> float:
        return self.graph.transport.limit(seconds)

    async def email(self, until: float) -> str:
        """The address of the account."""
        return Grant.from_text(await self._current(until)).email

    async def call(self, question: Question, asked: Asked, until: float) -> Any:
        """The answer's JSON, None without a body. Raises any `ProviderError` that fits what was asked."""
        try:
            return await self.attempt(question, until)
        except Refused as refused:
            raise self.error(refused, asked) from None

    async def attempt(self, question: Question, until: float) -> Any:
        """The same for callers to whom some refusals are answers; these are raised as `Refused`."""
        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await self._signed(question, until)
        except TimeoutError:
            raise ProviderUnavailable("no answer from Microsoft in time") from None

    async def pages(self, question: Question, asked: Asked, until: float | None) -> AsyncIterator[Any]:
        """All pages, until `until`, or each within the limit of a call. A page may be empty and not be the last."""
        while True:
            page = await self.call(question, asked, until or self.limit())
            yield page
            following = page.get("@odata.nextLink")
            if following is None:
                return
            question = self.following(question, following)

    def following(self, question: Question, link: Any) -> Question:
        """The question for the next page, asked the same way.

        Raises:
            ProviderUnavailable: the link leads elsewhere.
        """
        if not isinstance(link, str) or not self.graph.leads_here(link):
            raise ProviderUnavailable("a next page that is not Microsoft Graph's")
        return replace(question, path=link, params=None)

    def error(self, refused: Refused, asked: Asked) -> Exception:
        return as_provider_error(refused, asked, self._now())

    async def _signed(self, question: Question, until: float) -> Any:
        text = await self._current(until)
        try:
            return await self._placed(text, question, until)
        except Refused as refused:
            if refused.status != 401:
                raise
        return await self._placed(await self._renewed(text, until), question, until)

    async def _placed(self, text: str, question: Question, until: float) -> Any:
        grant = Grant.from_text(text)
        async with self._places.place(grant.mailbox):
            return await self.graph.ask(grant.access_token, question, until)

    async def _current(self, until: float) -> str:
        if self._text is None:
            self._text = await self._credentials.current()
        if Grant.from_text(self._text).is_fresh(self._now()):
            return self._text
        return await self._renewed(self._text, until)

    async def _renewed(self, stale: str, until: float) -> str:
        """Calls whose token was rejected together get one new one: `Credentials` sees to that."""
        self._text = await self._credentials.renew(stale, lambda text: self._sign_in.refreshed(text, until))
        return self._text
