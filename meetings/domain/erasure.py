"""Forgetting people from outside: what is left of them, and what happened when that was asked for (TP-4)."""

from dataclasses import dataclass

from meetings.domain.base import DomainError, DomainEvent

ERASED_EMAIL = "erased@erased.invalid"
"""Where an address has to stand once its person is forgotten. No mail ever gets to `.invalid` (RFC 2606)."""

ERASED_TITLE = "Meeting"
"""What a meeting is called once the person it was with is forgotten."""


class UpcomingMeetings(DomainError):
    """Meetings with the person are still to come, or asked for. They have to be called off first, so that everybody
    hears of it and the events go."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"{count} meetings are still to come")


@dataclass(frozen=True, kw_only=True)
class PersonErased(DomainEvent):
    """Somebody had a person forgotten. Nothing here says whom."""

    bookings: int
    engagements: int
    emails: int
    enrollments: int


@dataclass(frozen=True, kw_only=True)
class PersonExportRequested(DomainEvent):
    """Somebody wants all that is stored of a person. Nothing here says of whom."""


@dataclass(frozen=True, kw_only=True)
class PersonExportRead(DomainEvent):
    """Somebody with the link fetched all that is stored of a person."""
