"""What Microsoft gave us to act for one person, as it is kept."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from meetings.application.ports.calendars import ReauthorizationNeeded
from meetings.domain.account_use import CALENDAR_ONLY, AccountUse

# A token that is about to expire would expire on its way.
_MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The text of `Credentials`, read: msal's token cache, and what is needed of it for each call.

    The access token stands beside the cache, because when it expires (`expires_at`, seconds since the epoch) is a
    matter of the clock that was handed in, and msal reads the machine's. For the same reason no access token is left in
    `cache`, and no ID token, which names the person and serves no purpose after signing in.

    `mailbox` is Microsoft's name for the account ("home account id"); it never changes. `email` is its address. `uses`
    are what was granted, and what a new access token is asked for; a text that does not say is from when there were
    calendars only.
    """

    access_token: str = field(repr=False)
    expires_at: int
    mailbox: str
    email: str
    cache: str = field(repr=False)
    uses: frozenset[AccountUse] = CALENDAR_ONLY

    def is_fresh(self, now: datetime) -> bool:
        return (now + _MARGIN).timestamp() < self.expires_at

    def to_text(self) -> str:
        return json.dumps(
            {
                "access_token": self.access_token,
                "expires_at": self.expires_at,
                "mailbox": self.mailbox,
                "email": self.email,
                "cache": self.cache,
                "uses": sorted(use.value for use in self.uses),
            }
        )

    @classmethod
    def from_text(cls, text: str) -> "Grant":
        """Raises ReauthorizationNeeded for a text that is not ours: only signing in again makes a new one."""
        try:
            told = json.loads(text)
            return cls(
                access_token=str(told["access_token"]),
                expires_at=int(told["expires_at"]),
                mailbox=str(told["mailbox"]),
                email=str(told["email"]),
                cache=str(told["cache"]),
                uses=frozenset(map(AccountUse, told["uses"])) if "uses" in told else CALENDAR_ONLY,
            )
        except (ValueError, TypeError, KeyError):
            raise ReauthorizationNeeded("the stored credentials cannot be read") from None


def lean(cache: str) -> str:
    """A serialised token cache without what is not kept (see `Grant`)."""
    told: dict[str, Any] = json.loads(cache)
    return json.dumps({kind: items for kind, items in told.items() if kind not in ("AccessToken", "IdToken")})
