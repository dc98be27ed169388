"""Consent pages people were sent to, until they come back (OA-1)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from meetings.domain.account_use import CALENDAR_ONLY, AccountUse
from meetings.domain.calendar_connection import Provider
from meetings.domain.identifiers import AccountId, ConnectionId, MailboxId, TeamChannelId, UserId


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """One trip to a provider's consent page, good once and until `expires_at`.

    Stored by the hash of its state; `browser_hash` is the hash of a value only the person's browser holds. `verifier`
    is sealed before it is stored. `uses` is what was asked for; with `channel`, it is a team's mailbox.
    """

    state_hash: str
    browser_hash: str
    account_id: AccountId
    user_id: UserId
    provider: Provider
    verifier: str = field(repr=False)
    redirect_uri: str
    return_to: str
    disclosure_version: str
    reconnect: ConnectionId | None
    login_hint: str | None
    created_at: datetime
    expires_at: datetime
    uses: frozenset[AccountUse] = CALENDAR_ONLY
    reconnect_mailbox: MailboxId | None = None
    channel: TeamChannelId | None = None


class SignInAttempts(Protocol):
    async def add(self, attempt: SignInAttempt) -> None:
        """Remember an attempt."""

    async def take(self, state_hash: str) -> SignInAttempt | None:
        """The attempt, once: a second call with the same state gives None, also when both run at the same time.

        None too for one that has expired, by the store's own clock.
        """
