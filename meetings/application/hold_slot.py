"""Keeping a slot for a visitor while they type (BK-6)."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meetings.application.book_meeting import require_online
from meetings.application.links import token_hash
from meetings.application.page_state import load_page, slot_span, times_of_hosts
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.fan_out import host_topic
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import Begin, SlotHold
from meetings.domain.identifiers import AccountId
from meetings.domain.scheduling_page import surroundings
from meetings.domain.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class HoldSlot:
    """The wish to keep a slot. `visitor` and `address` are hashes of who asks; `replaces` is the token of their last
    hold."""

    page: PagePointer
    start: datetime
    duration_minutes: int | None
    visitor: str
    address: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class HeldSlot:
    """A slot that is kept until `expires_at` for whoever has the token."""

    token: str
    slot: TimeSpan
    expires_at: datetime


async def hold_slot(wish: HoldSlot, *, begin: Begin, clock: Clock, policy: Policy) -> HeldSlot:
    """Hide the slot from others for some minutes. With `replaces`, the old hold ends, and the same token goes on;
    a text that is no token of ours replaces nothing.

    A hold takes one host: on a round-robin page the others stay bookable. It never beats a confirmed booking.

    Raises:
        NotFound, InvalidInput: the page, the duration.
        PageOffline, BookingBlocked: there is nothing to hold.
        SlotTaken, SlotUnavailable, CalendarUnverified: the slot is not offered.
        HoldLimitReached: too many holds already.
        LockTimeout: too many are booking the same host.
    """
    token = _token_for(wish)
    hashed = token_hash(token)
    async with begin(wish.page.account_id) as work:
        state = await load_page(work, wish.page.page_id)
        require_online(state)
        await work.host_times.lock(state.host_ids)
        now = clock()
        duration = state.page.offered_duration(wish.duration_minutes)
        slot = slot_span(wish.start, duration)
        around = surroundings(slot, now=now)
        times, meetings = await times_of_hosts(work, state, around, now=now, policy=policy, excluding_hold=hashed)
        free = state.page.free_hosts(wish.start, duration, hosts=times, meetings=meetings, now=now)
        hosts = tuple(state.page.chosen_of(free))
        await work.host_times.release_hold(hashed)
        expires_at = await work.host_times.hold(
            SlotHold(hashed, state.page.id, hosts, slot.start, slot.end, wish.visitor, wish.address),
            minutes=policy.hold_minutes,
            most_per_visitor=policy.holds_per_visitor,
            most_per_address=policy.holds_per_address,
        )
        work.poke(*(host_topic(host) for host in hosts))
        await work.commit()
    return HeldSlot(token, slot, expires_at)


async def release_slot(token: str, *, begin: Begin) -> None:
    """Let a hold go; one that ended already, or never was, is success."""
    account_id = _account_of(token)
    if account_id is None:
        return
    async with begin(account_id) as work:
        hosts = await work.host_times.release_hold(token_hash(token))
        work.poke(*(host_topic(host) for host in hosts))
        await work.commit()


def _token_for(wish: HoldSlot) -> str:
    """The token to be replaced, or a new one: 192 random bits behind the account's id, so that it can be found without
    the page."""
    fresh = f"{wish.page.account_id.hex}{secrets.token_urlsafe(24)}"
    old = wish.replaces or ""
    return old if len(old) == len(fresh) and _account_of(old) == wish.page.account_id else fresh


def _account_of(token: str) -> AccountId | None:
    try:
        return AccountId(UUID(hex=token[:32]))
    except ValueError:
        return None
