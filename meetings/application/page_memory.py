"""What this process remembers of pages, so that availability is answered from memory and is exact all the same.

Before each use the database is asked for its pulse. Unless anything at all was committed since, and unless time alone
changed something (a hold ran out, a copy of a calendar became too old), what is remembered is what would be read.
Otherwise the page's signs are read, in one statement, and what differs is put in place: nothing, one host's busy time,
or the page and its people as a whole.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from math import ceil

from meetings.application.page_state import WEEK, PageState, is_asked, known_times, load_page, reach_of
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.page_signs import DatabasePulse, PageSigns, Pulse, ReadPageSigns, TakenSign
from meetings.application.ports.reads import PagePointer, Reads
from meetings.application.ports.unit_of_work import Begin, MirroredTime, TakenTime
from meetings.domain.account import Account
from meetings.domain.availability import HostTime
from meetings.domain.availability.ready import ReadyHost, ready_starts
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.timespan import TimeSpan, ceil_minute

_BACK = timedelta(days=1)
_STEP = timedelta(days=31)
_STALE = timedelta(days=7)
MOST_SPANS = 500_000
"""How many busy spans are remembered in all; one takes about 200 bytes."""
_PAGE_COUNTS_AS = 200
_TRIES = 5
_SLUGS = 10_000


@dataclass
class KnownPage:
    """A page as of the last look. Another object stands for it as soon as anything about it or its account differs.

    `span` is where slots may begin for which it is complete; `mirrored` tells how fresh the calendars' copies are.
    `until` is when the passing of time changes it by this process' clock, `holds_until` by the database's.
    """

    state: PageState
    account: Account
    span: TimeSpan
    mirrored: Mapping[UserId, MirroredTime]
    hosts: Sequence[ReadyHost] = field(compare=False)
    meetings: Sequence[int]
    until: datetime | None
    holds_until: datetime | None

    def starts(self, span: TimeSpan, duration: int, *, now: datetime) -> list[int]:
        """As `SchedulingPage.open_starts`."""
        page = self.state.page
        earliest = page.earliest(now=now)
        return ready_starts(
            page.slot_rules(duration, now=now),
            self.hosts,
            page.pool,
            start=max(ceil_minute(span.start), earliest),
            end=ceil_minute(span.end),
            earliest=earliest,
            page_meetings=self.meetings,
        )


@dataclass
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: KnownPage | None = None
    pulse: Pulse | None = None
    weight: int = 0


class PageMemory:
    """The pages asked about lately, of all accounts, for one event loop."""

    def __init__(
        self,
        *,
        look: Begin,
        signs: ReadPageSigns,
        pulse: DatabasePulse,
        clock: Clock,
        policy: Policy,
        most_spans: int = MOST_SPANS,
    ) -> None:
        self._look = look
        self._read_signs = signs
        self._pulse = pulse
        self._clock = clock
        self._policy = policy
        self._most_spans = most_spans
        self._entries: OrderedDict[PageId, _Entry] = OrderedDict()
        self._weight = 0
        self._slugs: dict[str, PagePointer] = {}

    async def page(self, page: PagePointer, until: datetime) -> KnownPage:
        """The page as it is now, for starts from yesterday to `until`, or to the end of its booking window if that
        comes first.

        Raises:
            NotFound: the page is gone.
        """
        pulse = await self._pulse.feel()
        entry = self._entries.setdefault(page.page_id, _Entry())
        self._entries.move_to_end(page.page_id)
        if (known := self._good(entry, pulse, until)) is not None:
            return known
        async with entry.lock:
            if entry.pulse is not None and entry.pulse.mark != pulse.mark:
                pulse = await self._pulse.feel()
            if (known := self._good(entry, pulse, until)) is not None:
                return known
            try:
                known = await self._look_again(entry, page, until)
            except BaseException:
                self._forget(page.page_id, entry)
                raise
            entry.pulse = pulse
            self._weigh(page.page_id, entry)
            return known

    async def find(self, slug: str, reads: Reads) -> PagePointer | None:
        """The page that answers at a normal slug, as `Reads.page_at`."""
        pointer = self._slugs.get(slug)
        if pointer is not None:
            try:
                known = await self.page(pointer, self._clock())
            except NotFound:
                known = None
            if known is not None and known.state.page.slug == slug:
                return pointer
            self._slugs.pop(slug, None)
        pointer = await reads.page_at(slug)
        if pointer is not None:
            self._slugs[slug] = pointer
            if len(self._slugs) > _SLUGS:
                del self._slugs[next(iter(self._slugs))]
        return pointer

    async def still(self, known: KnownPage) -> bool:
        """Whether `known` is what `page` would give now, for the span it was given for. Never raises: what cannot be
        told is not so, and whoever asks `page` then meets the reason."""
        page = known.state.page
        entry = self._entries.get(page.id)
        if entry is None or entry.known is not known:
            return False
        pulse = await self._pulse.feel()
        if self._good(entry, pulse, known.span.start) is known:
            return True
        try:
            return await self.page(PagePointer(page.account_id, page.id), known.span.start) is known
        except Exception:
            return False

    def _good(self, entry: _Entry, pulse: Pulse, until: datetime) -> KnownPage | None:
        known = entry.known
        if known is None or entry.pulse is None or entry.pulse.mark != pulse.mark or pulse.at is None:
            return None
        if known.holds_until is not None and known.holds_until <= pulse.at:
            return None
        now = self._clock()
        in_time = now - known.span.start < _STALE and now >= known.span.start
        if not in_time or (known.until is not None and known.until < now):
            return None
        enough = until <= known.span.end or _last_instant(known.state, now) <= known.span.end
        return known if enough else None

    async def _look_again(self, entry: _Entry, page: PagePointer, until: datetime) -> KnownPage:
        now = self._clock()
        before = entry.known
        state, account = (before.state, before.account) if before else await self._read(page)
        for _ in range(_TRIES):
            span = _span(before, min(until, _last_instant(state, now)), now)
            signs = await self._signs(page, state, span)
            if signs.versions == {**state.versions, account.id: account.version}:
                entry.known = self._known(state, account, signs, span, now, before)
                return entry.known
            state, account = await self._read(page)
        raise ConcurrentChange

    async def _read(self, page: PagePointer) -> tuple[PageState, Account]:
        async with self._look(page.account_id) as work:
            return await load_page(work, page.page_id), await work.account()

    async def _signs(self, page: PagePointer, state: PageState, span: TimeSpan) -> PageSigns:
        around = TimeSpan(span.start - WEEK, span.end + WEEK)
        return await self._read_signs(page, list(state.users), around)

    def _known(
        self,
        state: PageState,
        account: Account,
        signs: PageSigns,
        span: TimeSpan,
        now: datetime,
        before: KnownPage | None,
    ) -> KnownPage:
        reach = reach_of(span)
        asked = [host.user_id for host in state.page.hosts if is_asked(state, host)]
        mirrored = signs.mirrored(asked, confirmed_since=now - self._policy.mirror_max_age)
        live = [each for each in signs.taken if each.expires_at is None or each.expires_at > signs.at]
        low, high = reach.minutes()
        taken = [_taken(each) for each in live if each.end > low and each.start < high]
        meetings = [(each.host, each.start) for each in live if each.page == state.page.id and not each.held]
        if not state.is_capped:
            meetings = []
        oldest = [each.confirmed_at for each in mirrored.values() if each.confirmed_at and each.known_until]
        found = KnownPage(
            state=state,
            account=account,
            span=span,
            mirrored={user: replace(each, busy=()) for user, each in mirrored.items()},
            hosts=[],
            meetings=[start for _, start in meetings],
            until=min(oldest) + self._policy.mirror_max_age if oldest else None,
            holds_until=min((each.expires_at for each in live if each.expires_at is not None), default=None),
        )
        times = known_times(state, reach, mirrored, taken, meetings)
        ready = {host.time.host: host for host in before.hosts} if before and before.span == span else {}
        same = bool(before) and before == found and all(_equal(ready.get(each.host), each) for each in times)
        if before is not None and same and len(times) == len(before.hosts):
            return before
        found.hosts = [_put(each, ready.get(each.host), span) for each in times]
        return found

    def _weigh(self, page_id: PageId, entry: _Entry) -> None:
        """Take note of how much is remembered, and forget what was not asked about for longest, if it is too much."""
        if entry.known is None or self._entries.get(page_id) is not entry:
            return
        weight = _PAGE_COUNTS_AS + sum(len(host.time.busy) for host in entry.known.hosts)
        self._weight += weight - entry.weight
        entry.weight = weight
        while self._weight > self._most_spans and len(self._entries) > 1:
            oldest = next(iter(self._entries))
            self._forget(oldest, self._entries[oldest])

    def _forget(self, page_id: PageId, entry: _Entry) -> None:
        if self._entries.get(page_id) is entry:
            del self._entries[page_id]
            self._weight -= entry.weight


def _span(before: KnownPage | None, until: datetime, now: datetime) -> TimeSpan:
    """What to keep: whole steps, so that questions a little further ahead find everything ready; at least what there
    was, unless that lies behind."""
    start, end = now - _BACK, now + _STEP
    if before is not None and timedelta(0) <= now - before.span.start < _STALE:
        start, end = before.span.start, before.span.end
    start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return TimeSpan(start, end + _STEP * max(0, ceil((until - end) / _STEP)))


def _taken(sign: TakenSign) -> TakenTime:
    return TakenTime(sign.host, sign.start, sign.end, sign.held)


def _put(host: HostTime, ready: ReadyHost | None, span: TimeSpan) -> ReadyHost:
    if ready is None:
        return ReadyHost(host, *span.minutes())
    if not _equal(ready, host):
        ready.change(host)
    return ready


def _equal(ready: ReadyHost | None, host: HostTime) -> bool:
    """Whether the same is known; the order in which busy times come says nothing."""
    if ready is None:
        return False
    known = ready.time
    return known == host or (
        sorted(map(tuple, known.busy)) == sorted(map(tuple, host.busy))
        and replace(known, busy=()) == replace(host, busy=())
    )


def _last_instant(state: PageState, now: datetime) -> datetime:
    """The end of the booking window: no slot begins later."""
    _, last = state.page.booking_dates(now=now)
    return datetime.combine(last + timedelta(days=2), time.min, UTC)
