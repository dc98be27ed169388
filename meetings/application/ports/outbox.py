"""Intents: what has to happen because something happened. Each is a row, claimed by lease and fenced (OB-1, OB-2)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from meetings.domain.identifiers import AccountId


class LeaseLost(Exception):
    """Somebody else holds the intent now; whatever this worker did must not be written down."""


@dataclass(frozen=True, slots=True)
class NewIntent:
    """An intent to be stored with the change that causes it.

    `reaction` names what to do, `subject` the aggregate it is about. Of all intents with the same `lane`, one at a
    time is worked on, oldest first. `not_before` delays it; until then it stands in nobody's way, while one that waits
    for another try keeps its place. `details` are ids and figures, never secrets. With `once` it is not stored while
    another intent of its lane is open.
    """

    reaction: str
    subject: UUID
    lane: str
    not_before: datetime | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    once: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent a worker has claimed. `attempts` counts this one; `fence` proves that the claim is the latest."""

    id: UUID
    account_id: AccountId
    reaction: str
    subject: UUID
    lane: str
    details: Mapping[str, str]
    attempts: int
    fence: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeadIntent:
    """An intent nobody works on any more until it is replayed (OB-6)."""

    id: UUID
    reaction: str
    subject: UUID
    attempts: int
    error: str
    died_at: datetime


class Outbox(Protocol):
    """The stored intents, each method its own short transaction. Leases run on database time."""

    async def due(self, limit: int) -> list[UUID]:
        """Ids of intents that could be claimed now, oldest first: due, not leased, not done, not dead."""

    async def claim(self, intent_id: UUID) -> Intent | None:
        """Take an intent for the lease time (60 s); None when it is done, dead, not due, leased, or not first in its
        lane. Claiming raises the fence."""

    async def claim_for(self, reaction: str, subject: UUID) -> Intent | None:
        """Claim the oldest open intent of this reaction about this subject, as `claim` does."""

    async def extend(self, intent: Intent) -> None:
        """Renew the lease. Raises `LeaseLost` when the fence has moved on."""

    async def done(self, intent: Intent) -> None:
        """The intent is carried out. Raises `LeaseLost` when the fence has moved on."""

    async def retry(self, intent: Intent, *, at: datetime, error: str) -> None:
        """Give the intent back, not to be claimed before `at`. No effect when the fence has moved on."""

    async def bury(self, intent: Intent, *, error: str) -> None:
        """Give the intent up, listed for people. No effect when the fence has moved on."""

    async def dead(self, account_id: AccountId, limit: int) -> list[DeadIntent]:
        """The account's dead intents, newest first."""

    async def wake(self, account_id: AccountId, reactions: Collection[str], *, died_of: str) -> int:
        """Make due now what waits for another try, and what died of the error of this name, attempts at zero: the
        account's intents of these reactions. Gives how many; none a second time, until they fail again. One that is
        being worked on is left to whoever does."""

    async def replay(self, account_id: AccountId, intent_id: UUID) -> bool:
        """Make a dead intent due again, attempts at zero; false when there is no such dead intent."""
