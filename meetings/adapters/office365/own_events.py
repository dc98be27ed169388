"""Which events are ours: by what we stored on them, in the calendar they were written to and nowhere else.

Not by its id: ids are the immutable ones, and these stay when an event goes to the bin ("Obtain immutable identifiers
for Outlook resources": they change only when the item leaves the mailbox), so an id may name what was removed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from meetings.adapters.office365 import booking_event
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.booking_event import KEY_PROPERTY, READ_SELECT, STATE_PROPERTY
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.paths import events_of, one_event
from meetings.adapters.office365.places import few_at_once
from meetings.adapters.office365.reading import items_of
from meetings.adapters.office365.refusals import Asked, Refused
from meetings.application.ports.calendars import EventKey

READ = {"$select": READ_SELECT, "$expand": booking_event.expand(KEY_PROPERTY, STATE_PROPERTY)}
"""What is read of an event in order to change it."""

_KEY = {"$select": "id,transactionId,isOrganizer", "$expand": booking_event.expand(KEY_PROPERTY)}
# The one, a copy or two that somebody made of it by hand, and then some.
_CARRIERS = "10"


async def live_event(calls: AuthorizedCalls, calendar: str, key: EventKey, asked: Asked, until: float) -> Any:
    """The event that stands for `key` in this calendar; None when there is none, or not any more."""
    question = Question(
        "GET", events_of(calendar), params={**READ, "$filter": booking_event.carries(key), "$top": _CARRIERS}
    )
    return booking_event.best(items_of(await calls.call(question, asked, until)), key)


async def with_keys(calls: AuthorizedCalls, calendar: str, items: Sequence[Any], until: float | None) -> list[Any]:
    """The events, with the property that names the booking: asked for one by one, of those that may be ours and came
    without. One that is gone meanwhile is marked as removed."""
    maybe = [each["id"] for each in items if booking_event.may_be_ours(each) and not booking_event.tells_key(each)]
    found = await few_at_once(lambda each: event_or_none(calls, calendar, each, _KEY, until), maybe)
    told = dict(zip(maybe, found, strict=True))
    return [each if each["id"] not in told else _merged(each, told[each["id"]]) for each in items]


async def event_or_none(
    calls: AuthorizedCalls, calendar: str, event: str, wanted: Mapping[str, str], until: float | None
) -> Any:
    """None: it is gone meanwhile. Of one that we may not look at, no more than its id: others' private events."""
    try:
        return await calls.attempt(Question("GET", one_event(calendar, event), params=wanted), until or calls.limit())
    except Refused as refused:
        if refused.says_gone:
            return None
        if refused.status in (400, 403) and refused.code is not None:
            return {"id": event}
        raise calls.error(refused, Asked.CALENDAR) from None


def removed(item: Any) -> Any:
    """An event as a change feed tells that it is gone."""
    return {"id": item["id"], "@removed": {"reason": "deleted"}}


def _merged(item: Any, told: Any) -> Any:
    return removed(item) if told is None else {**item, **told}
