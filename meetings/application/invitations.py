"""The text in the mail that asks somebody to join: who, of which account, and which invitation of theirs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from meetings.application.signed_tokens import SignedTokens
from meetings.domain.identifiers import AccountId, UserId

_PURPOSE = "invitation"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SIZE = 16 + 16 + 8


@dataclass(frozen=True, slots=True)
class Invitation:
    """One invitation of one person; `invited_at` tells it from earlier and later ones."""

    account_id: AccountId
    user_id: UserId
    invited_at: datetime

    def token(self, tokens: SignedTokens) -> str:
        """What the mail's link carries."""
        micros = (self.invited_at - _EPOCH) // _MICROSECOND
        return tokens.sign(_PURPOSE, self.account_id.bytes + self.user_id.bytes + micros.to_bytes(8, "big"))


def invitation_of(token: str, tokens: SignedTokens) -> Invitation | None:
    """The invitation a text stands for; None for a text that no mail of ours carried."""
    payload = tokens.payload_of(_PURPOSE, token, size=_SIZE)
    if payload is None:
        return None
    invited_at = _EPOCH + int.from_bytes(payload[32:], "big") * _MICROSECOND
    return Invitation(AccountId(UUID(bytes=payload[:16])), UserId(UUID(bytes=payload[16:32])), invited_at)
