"""The link to a person's page, as a chat on somebody's web site shows it: asked very often, changed rarely."""

import asyncio
from collections import OrderedDict
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from meetings.application.chat_profile import chat_page_of, widget_key
from meetings.application.links import Links
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.fan_out import FanOut, Listener, host_topic, links_topic
from meetings.application.ports.reads import PagePointer, Reads
from meetings.application.ports.unit_of_work import Begin
from meetings.application.read_availability import AvailabilityQuestion, next_available, read_availability
from meetings.application.sites import meeting_host
from meetings.domain.base import NotFound
from meetings.domain.booking_mode import BookingMode
from meetings.domain.identifiers import UserId
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.timespan import TimeSpan
from meetings.domain.user import User

_Name: TypeAlias = tuple[str, UserId]

_USUAL_WORDS = {"en": "Book a meeting with me", "de": "Einen Termin mit mir vereinbaren"}
_DAYS_AHEAD = 14
_MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class ChatLink:
    """What is shown. `next_available` is the first slot the page offers, None when it offers none."""

    agent_name: str
    agent_avatar_url: str | None
    text: str
    url: str
    mode: BookingMode
    next_available: TimeSpan | None


@dataclass(frozen=True)
class _Found:
    """A link with what it depends on."""

    link: ChatLink
    topics: frozenset[str]
    read_at: datetime


class ChatLinks:
    """Links for one event loop, kept for as long as nothing they depend on changed, and for `watch_seconds` at most.

    Only links that are shown are kept: an unknown person, and one who shows none, cost the same question each time.
    """

    def __init__(
        self,
        *,
        look: Begin,
        reads: Reads,
        fan_out: FanOut,
        links: Links,
        clock: Clock,
        policy: Policy,
        most_kept: int = _MOST_KEPT,
    ) -> None:
        self._look = look
        self._reads = reads
        self._fan_out = fan_out
        self._links = links
        self._clock = clock
        self._policy = policy
        self._most_kept = most_kept
        self._kept: OrderedDict[_Name, _Kept] = OrderedDict()
        self._reading: WeakValueDictionary[_Name, asyncio.Lock] = WeakValueDictionary()

    async def of(self, key: str, agent: UserId) -> ChatLink | None:
        """What the chat of an account (by its `widget_key`) shows beside a person; None when that is nothing, when
        there is no such person, and when they are of another account."""
        name = (key, agent)
        remembered = await self._remembered(name)
        if remembered is not None:
            return remembered
        one_by_one = self._reading.setdefault(name, asyncio.Lock())
        async with one_by_one:
            return await self._remembered(name) or await self._keep(key, agent)

    async def still(self, key: str, agent: UserId, link: ChatLink) -> bool:
        """Whether `of` would give this very link, without reading anything."""
        return await self._remembered((key, agent)) is link

    async def _remembered(self, name: _Name) -> ChatLink | None:
        kept = self._kept.get(name)
        if kept is None:
            return None
        self._kept.move_to_end(name)
        if await kept.is_good(self._clock()):
            return kept.found.link
        if self._kept.get(name) is kept:
            del self._kept[name]
        await kept.listening.aclose()
        return None

    async def _keep(self, key: str, agent: UserId) -> ChatLink | None:
        """Read, listen to what the answer depends on, and read again: nothing that changes in between is missed."""
        found = await self._read(key, agent)
        if found is None:
            return None
        async with AsyncExitStack() as stack:
            ear = await stack.enter_async_context(self._fan_out.listen(found.topics))
            again = await self._read(key, agent)
            if again is None or again.topics != found.topics:
                return again.link if again else None
            await self._put((key, agent), _Kept(again, ear, stack.pop_all(), self._policy.watch_seconds))
        return again.link

    async def _put(self, name: _Name, kept: "_Kept") -> None:
        self._kept[name] = kept
        if len(self._kept) > self._most_kept:
            _, oldest = self._kept.popitem(last=False)
            await oldest.listening.aclose()

    async def _read(self, key: str, agent: UserId) -> _Found | None:
        user = await self._reads.person(agent)
        if user is None or widget_key(user.account_id) != key or not (user.active and user.chat_profile.shows_link):
            return None
        async with self._look(user.account_id) as work:
            page = chat_page_of(user, await work.pages.of_organizer(user.id))
        return await self._found(user, page) if page else None

    async def _found(self, user: User, page: SchedulingPage) -> _Found | None:
        read_at = self._clock()
        first = read_at.astimezone(ZoneInfo(page.time_zone)).date()
        pointer = PagePointer(user.account_id, page.id)
        question = AvailabilityQuestion(pointer, first, first + timedelta(days=_DAYS_AHEAD - 1), page.time_zone)
        try:
            offered = await read_availability(question, look=self._look, clock=self._clock, policy=self._policy)
            slot = await next_available(offered, look=self._look, clock=self._clock, policy=self._policy)
        except NotFound:  # taken down this moment
            return None
        host = meeting_host(user, await self._reads.web_domains(user.account_id), self._links)
        profile = user.chat_profile
        link = ChatLink(
            agent_name=profile.display_name or user.name,
            agent_avatar_url=profile.avatar_url or user.avatar_url,
            text=profile.link_text or _usual_words(user),
            url=self._links.page(page.slug, host),
            mode=offered.mode,
            next_available=slot,
        )
        hosts = {host_topic(each) for each in offered.state.host_ids}
        return _Found(link, frozenset({links_topic(user.account_id), *hosts}), read_at)


def _usual_words(user: User) -> str:
    return _USUAL_WORDS.get(user.settings.locale.partition("-")[0], _USUAL_WORDS["en"])


class _Kept:
    """A link with the ear that hears when it is no good any more."""

    def __init__(self, found: _Found, ear: Listener, listening: AsyncExitStack, seconds: float) -> None:
        self.found = found
        self.listening = listening
        self._ear = ear
        self._lives = timedelta(seconds=seconds)
        self._good = True

    async def is_good(self, now: datetime) -> bool:
        """Whether nothing was heard; once something was, never again."""
        slot = self.found.link.next_available
        if now - self.found.read_at >= self._lives or (slot is not None and slot.start <= now):
            self._good = False
        if self._good and await self._ear.wait(0):
            self._good = False
        return self._good
