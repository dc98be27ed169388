"""What is read again and again, such as calendars and mailboxes, by one reader at a time (SY-3)."""

from datetime import datetime
from typing import Protocol, TypeVar

Key = TypeVar("Key")
Claim = TypeVar("Claim")


class ReadingTurns(Protocol[Key, Claim]):
    """One reader of each at a time, one more read after it however many were asked for meanwhile. Each method is a
    transaction of its own; leases run on database time."""

    async def request(self, key: Key, /) -> None:
        """Have one that is read anyway read as soon as possible. Cheap, and repeating it changes nothing."""

    async def due(self, limit: int) -> list[Key]:
        """What is to be read now and nobody is reading, longest due first."""

    async def claim(self, key: Key, /, *, lease_seconds: int) -> Claim | None:
        """Take a due one; None when it is not due or somebody is reading it. Requests so far are consumed."""

    async def extend(self, claim: Claim, *, lease_seconds: int) -> bool:
        """Renew the lease; false, and no effect, when the claim is not the latest any more."""

    async def finish(self, claim: Claim, *, next_at: datetime) -> bool:
        """Give it back, to be read again at `next_at`, or at once if that was requested meanwhile.

        Gives whether it is due at once. No effect, and false, when the claim is not the latest any more.
        """
