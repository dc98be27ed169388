"""What an account stores of one person from outside, wherever it stands."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from meetings.domain.identifiers import BookingId, EngagementId


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much of a person was deleted."""

    emails: int
    enrollments: int


class PersonalData(Protocol):
    """Of one account, within one transaction. Addresses are compared in whatever letter case."""

    async def is_of_ours(self, email: str) -> bool:
        """Whether somebody of the account signs in with this address, or connected a calendar or mailbox of it."""

    async def bookings_with(self, email: str) -> list[BookingId]:
        """The bookings whose invitee or guest has this address."""

    async def engagements_with(self, email: str) -> list[EngagementId]:
        """The meetings on records and from calendars in which this address takes part."""

    async def forget(self, email: str, contact: str | None, meetings: Collection[UUID]) -> Forgotten:
        """Delete what is about this person alone: mails, conversations, enrolments, opt-outs, links filled in for them,
        keys of commands, exports that can still be fetched, and whatever waits to be done, or was given up, about
        these and about `meetings` but for their events. `contact` is the CRM's id of the person.

        Raises:
            ConcurrentChange: a mail came to one of their conversations meanwhile; again is right.
        """

    async def keep_request(self, email: str, *, now: datetime, expires_at: datetime | None = None) -> UUID:
        """Remember whom something was asked about, sealed; gives the request's id."""

    async def requested(self, request: UUID, *, now: datetime) -> str | None:
        """Whom a request is about; None once it is closed, has expired, or never was."""

    async def close_request(self, request: UUID) -> None:
        """Forget whom a request was about. Again changes nothing."""

    async def everything_of(self, email: str, contact: str | None) -> Mapping[str, list[Mapping[str, Any]]]:
        """Every stored row about a person, by what it is, as JSON values; oldest first."""
