"""What is written on an event of ours, so that its echo tells what it stands for.

A booking's event carries the booking's id alone. That of a meeting made on a record carries a word before the id, for
it counts as busy like any other event: bookings take their hosts' time by themselves, such meetings do not.
"""

from uuid import UUID

from meetings.application.ports.calendars import EventKey
from meetings.domain.engagement import MeetingEngagement
from meetings.domain.identifiers import EngagementId

_ENGAGEMENT = "engagement:"


def key_of(engagement: MeetingEngagement) -> EventKey:
    """The key of the event that invites to a meeting made on a record."""
    return EventKey(f"{_ENGAGEMENT}{engagement.id}", str(engagement.owner), engagement.generation)


def engagement_of(key: str | None) -> EngagementId | None:
    """The meeting on a record that an event of this key stands for; None for a booking's, and for what is not ours."""
    if key is None or not key.startswith(_ENGAGEMENT):
        return None
    try:
        return EngagementId(UUID(key.removeprefix(_ENGAGEMENT)))
    except ValueError:
        return None


def counts_as_busy(key: str | None) -> bool:
    """Whether an event of this key takes its owner's time: all but bookings', which do that themselves."""
    return key is None or key.startswith(_ENGAGEMENT)
