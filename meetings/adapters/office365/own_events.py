"""Finding the event of a booking by what we stored on it, in the calendar it was written to and nowhere else.

Not by its id: ids are the immutable ones, and these stay when an event goes to the bin ("Obtain immutable identifiers
for Outlook resources": they change only when the item leaves the mailbox), so an id may name what was removed.
"""

from typing import Any

from meetings.adapters.office365 import booking_event
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.booking_event import KEY_PROPERTY, READ_SELECT, STATE_PROPERTY
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.paths import events_of
from meetings.adapters.office365.reading import items_of
from meetings.adapters.office365.refusals import Asked
from meetings.application.ports.calendars import EventKey

READ = {"$select": READ_SELECT, "$expand": booking_event.expand(KEY_PROPERTY, STATE_PROPERTY)}
"""What is read of an event in order to change it."""

# The one, a copy or two that somebody made of it by hand, and then some.
_CARRIERS = "10"


async def live_event(calls: AuthorizedCalls, calendar: str, key: EventKey, asked: Asked, until: float) -> Any:
    """The event that stands for `key` in this calendar; None when there is none, or not any more."""
    question = Question(
        "GET", events_of(calendar), params={**READ, "$filter": booking_event.carries(key), "$top": _CARRIERS}
    )
    return booking_event.best(items_of(await calls.call(question, asked, until)), key)
