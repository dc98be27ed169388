"""Trips of people to a CRM's consent page, until they come back (OA-1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from meetings.domain.identifiers import AccountId, UserId


@dataclass(frozen=True, slots=True)
class CrmTrip:
    """Good once and until `expires_at`, for the person who began it: known by the hash of its state; `browser_hash` is
    the hash of a value only their browser holds."""

    state_hash: str
    browser_hash: str
    account_id: AccountId
    user_id: UserId
    redirect_uri: str
    return_to: str
    expires_at: datetime


class CrmTrips(Protocol):
    async def add(self, trip: CrmTrip) -> None:
        """Remember a trip."""

    async def take(self, state_hash: str) -> CrmTrip | None:
        """The trip, once: a second call with the same state gives None, also when both run at the same time.

        None too for one that has expired, by the store's own clock.
        """
