"""The mail of a team: an address the product provides, and a mailbox of the team's own before it (A-IN7, A-IN9)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from meetings.domain.base import Aggregate, DomainError, DomainEvent, InvalidInput, Problem, Rule, refuse
from meetings.domain.identifiers import AccountId, MailboxId, TeamChannelId, UserId
from meetings.domain.mailbox import InboxProvider
from meetings.domain.text import text_problem

MAX_NAME = 60
_LONGEST_LOCAL_PART = 40


class TeamMailProvider(Enum):
    """Where a team's mail is. HOSTED: at this product, without any mailbox."""

    HOSTED = "HOSTED"
    GOOGLE = "GOOGLE"
    OFFICE365 = "OFFICE365"
    EXCHANGE = "EXCHANGE"
    IMAP = "IMAP"

    @property
    def inbox(self) -> InboxProvider | None:
        """Whose mailboxes these are; None for HOSTED, which has none."""
        return None if self is TeamMailProvider.HOSTED else InboxProvider(self.value)


FOR_TEAMS = frozenset({TeamMailProvider.HOSTED, TeamMailProvider.GOOGLE, TeamMailProvider.OFFICE365})
"""Exchange and IMAP are for people alone (S92, S93, A-IN7)."""


class TeamMailUnsupported(DomainError):
    """Mailboxes of this provider cannot be a team's; hosted mail can (S93)."""

    def __init__(self, provider: TeamMailProvider) -> None:
        self.provider = provider
        super().__init__(f"{provider.value} is not for teams")


@dataclass(frozen=True, kw_only=True)
class TeamChannelEvent(DomainEvent):
    """Something happened to a team's channel."""

    channel_id: TeamChannelId


@dataclass(frozen=True, kw_only=True)
class TeamChannelCreated(TeamChannelEvent):
    """A team has an address from here on."""


@dataclass(frozen=True, kw_only=True)
class TeamMailboxAttached(TeamChannelEvent):
    """Mail of the team leaves through a mailbox of its own from here on."""


@dataclass(frozen=True, kw_only=True)
class TeamChannelRemoved(TeamChannelEvent):
    """The team's address is gone."""


@dataclass(kw_only=True, eq=False)
class TeamChannel(Aggregate):
    """A team's name and address.

    The hosted address is there from the beginning: it serves while no mailbox is connected, and takes over when the
    team's mailbox drops.
    """

    id: TeamChannelId
    name: str
    provider: TeamMailProvider
    hosted_address: str
    created_by: UserId
    created_at: datetime
    mailbox_id: MailboxId | None = None
    removed_at: datetime | None = None

    @classmethod
    def create(
        cls,
        channel_id: TeamChannelId,
        *,
        account_id: AccountId,
        provider: TeamMailProvider,
        name: str,
        hosted_domain: str,
        created_by: UserId,
        now: datetime,
    ) -> "TeamChannel":
        """Raises:
        TeamMailUnsupported: not with this provider.
        InvalidInput: no name that mails can come from.
        """
        if provider not in FOR_TEAMS:
            raise TeamMailUnsupported(provider)
        shown = " ".join(name.split(" ")).strip()
        refuse(text_problem(shown, "name", most=MAX_NAME))
        channel = cls(
            id=channel_id,
            account_id=account_id,
            name=shown,
            provider=provider,
            hosted_address=hosted_address(shown, channel_id, hosted_domain),
            created_by=created_by,
            created_at=now,
        )
        channel.record(TeamChannelCreated(at=now, channel_id=channel.id))
        return channel

    def attach(self, mailbox_id: MailboxId, *, now: datetime) -> None:
        """Have mail leave through this mailbox. The same again changes nothing."""
        if self.mailbox_id != mailbox_id:
            self.mailbox_id = mailbox_id
            self.record(TeamMailboxAttached(at=now, channel_id=self.id))

    def remove(self, *, now: datetime) -> None:
        """Give the name and the address up. A second call changes nothing."""
        if self.removed_at is None:
            self.removed_at = now
            self.record(TeamChannelRemoved(at=now, channel_id=self.id))


def name_taken() -> InvalidInput:
    """What a name that another channel has is refused with (A-IN9)."""
    return InvalidInput([Problem(("name",), Rule.DUPLICATE)])


def hosted_address(name: str, channel_id: TeamChannelId, domain: str) -> str:
    """An address nobody else has: the name as far as an address can hold it, and a part of the channel's id."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").casefold()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_LOCAL_PART].strip("-") or "team"
    return f"{words}-{channel_id.hex[:12]}@{domain}"
