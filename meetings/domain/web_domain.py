"""An account's own domain, under which its pages are served once the account has shown that it controls it."""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from meetings.domain.base import Aggregate, DomainError, DomainEvent, Problem, Rule
from meetings.domain.identifiers import AccountId, WebDomainId

MOST_DOMAINS = 50
"""Of one account, claims that wait included."""
RECORD_LABEL = "_meetings-verification"
ROBOTS_LINE = "Disallow: /meetings*"
"""What keeps search engines from the pages of a custom domain (S70)."""

_PROOF_BYTES = 32
_GRACE = timedelta(hours=72)
"""For how long a proof may be gone before the domain is given up (CD-2)."""
_EVERY = timedelta(hours=24)
_MOST = 253
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class DomainTaken(DomainError):
    """Another account has shown that it controls this domain."""


class DomainNotConnected(DomainError):
    """No domain of the account, or one it has not shown to control (any more)."""


class DnsNotReady(DomainError):
    """The record that shows control is not there yet, or holds another value."""


class DomainState(Enum):
    """PENDING: claimed, not shown yet. CONNECTED: pages are served. ENDANGERED: served, but the record is gone."""

    PENDING = "PENDING"
    CONNECTED = "CONNECTED"
    ENDANGERED = "ENDANGERED"


@dataclass(frozen=True, kw_only=True)
class DomainAdded(DomainEvent):
    """An account claims a domain."""

    host: str


@dataclass(frozen=True, kw_only=True)
class DomainConnected(DomainEvent):
    """An account has shown that it controls a domain."""

    host: str


@dataclass(frozen=True, kw_only=True)
class DomainProofMissed(DomainEvent):
    """The record of a connected domain was not there."""

    host: str


@dataclass(frozen=True, kw_only=True)
class DomainLost(DomainEvent):
    """The record was gone for too long: nothing is served under the domain any more."""

    host: str


@dataclass(frozen=True, kw_only=True)
class DomainRemoved(DomainEvent):
    """An account gave a domain up."""

    host: str


@dataclass(frozen=True, kw_only=True)
class PrimaryDomainChosen(DomainEvent):
    """People of the account who chose no domain get addresses under this one."""

    host: str


@dataclass(frozen=True, kw_only=True)
class DomainIndexingSwitched(DomainEvent):
    """Search engines may look at pages under the domain, or may not."""

    host: str
    allowed: bool


@dataclass(kw_only=True, eq=False)
class WebDomain(Aggregate):
    """A claim of an account on a host name, and what came of it.

    `proof` is random, of this claim alone: removing the domain and adding it again gives another one, and so does
    losing it (CD-1, CD-2). `missing_since` is set while the record of a connected domain is gone. Over all accounts
    at most one claim on a host is connected.
    """

    id: WebDomainId
    host: str
    added_at: datetime
    proof: str = field(default_factory=lambda: secrets.token_hex(_PROOF_BYTES))
    connected_at: datetime | None = None
    checked_at: datetime | None = None
    missing_since: datetime | None = None
    primary: bool = False
    indexed: bool = True

    @property
    def connected(self) -> bool:
        return self.connected_at is not None

    @property
    def state(self) -> DomainState:
        if not self.connected:
            return DomainState.PENDING
        return DomainState.CONNECTED if self.missing_since is None else DomainState.ENDANGERED

    @property
    def record_name(self) -> str:
        """Where the TXT record belongs."""
        return f"{RECORD_LABEL}.{self.host}"

    @property
    def record_value(self) -> str:
        """What the TXT record has to say."""
        return f"meetings-verification={self.proof}"

    @property
    def kept_until(self) -> datetime | None:
        """When a connected domain whose record is gone is given up; None while the record is there."""
        return self.missing_since + _GRACE if self.connected and self.missing_since else None

    @property
    def due_at(self) -> datetime | None:
        """When a connected domain is looked at again; None for one that is not connected."""
        return self.checked_at + _EVERY if self.connected and self.checked_at else None

    def take_records(self, texts: Collection[str], *, now: datetime) -> None:
        """Judge the claim by all TXT records there are at `record_name`.

        Raises:
            DnsNotReady: it is not connected, and the record is not there; nothing changed.
        """
        shown = self.record_value in texts
        if not self.connected:
            if not shown:
                raise DnsNotReady
            self.connected_at = now
            self.record(DomainConnected(at=now, host=self.host))
        elif not shown and self.missing_since is None:
            self.missing_since = now
            self.record(DomainProofMissed(at=now, host=self.host))
        elif not shown and self.missing_since is not None and now - self.missing_since >= _GRACE:
            self._lose(now)
        if shown:
            self.missing_since = None
        self.checked_at = now

    def _lose(self, now: datetime) -> None:
        self.connected_at = self.missing_since = None
        self.primary = False
        self.proof = secrets.token_hex(_PROOF_BYTES)
        self.record(DomainLost(at=now, host=self.host))

    def choose(self, *, now: datetime) -> None:
        """Make it the domain of whoever chose none. The same again changes nothing.

        Raises:
            DomainNotConnected: it is not connected.
        """
        if not self.connected:
            raise DomainNotConnected
        if not self.primary:
            self.primary = True
            self.record(PrimaryDomainChosen(at=now, host=self.host))

    def step_down(self) -> None:
        """Another domain is primary now."""
        self.primary = False

    def give_up(self, *, now: datetime) -> None:
        """The account removes it; whoever saves drops it."""
        self.record(DomainRemoved(at=now, host=self.host))

    def switch_indexing(self, *, allowed: bool, now: datetime) -> None:
        """Let search engines look at pages under it, or ask them not to. The same again changes nothing."""
        if allowed != self.indexed:
            self.indexed = allowed
            self.record(DomainIndexingSwitched(at=now, host=self.host, allowed=allowed))

    @classmethod
    def claim(cls, id: WebDomainId, *, host: str, account_id: AccountId, now: datetime) -> "WebDomain":
        """A claim on a normal host, with a proof nobody knows yet."""
        domain = cls(id=id, account_id=account_id, host=host, added_at=now)
        domain.record(DomainAdded(at=now, host=host))
        return domain


def web_host(typed: str) -> str | None:
    """A host name in the one form in which they are compared: small letters, other scripts as `xn--` (RFC 5890),
    neither port nor closing dot. None for what is no name of at least two labels, such as an IP address."""
    try:
        written = typed.strip().removesuffix(".").lower().encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = written.split(".")
    good = len(written) <= _MOST and len(labels) > 1 and all(map(_LABEL.fullmatch, labels))
    return written if good and not labels[-1].isdigit() else None


def web_host_problem(typed: str, *path: str) -> Problem | None:
    """What keeps a text from being a host name."""
    if not typed.strip():
        return Problem(path, Rule.REQUIRED)
    return None if web_host(typed) else Problem(path, Rule.NOT_A_DOMAIN)
