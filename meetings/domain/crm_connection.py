"""An account's tie to a CRM of its own; without one its records are built in."""

from dataclasses import dataclass
from datetime import datetime

from meetings.domain.base import DomainEvent


@dataclass(frozen=True, slots=True)
class CrmConnection:
    """HubSpot holds the records since `connected_at`; it refuses us since `refused_at`, None while it does not."""

    connected_at: datetime
    refused_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CrmConnected(DomainEvent):
    """An admin had HubSpot keep the account's records, or gave another token for it."""


@dataclass(frozen=True, kw_only=True)
class CrmRefused(DomainEvent):
    """HubSpot refuses what it was connected with, for the first time since; `at` is the connection's `refused_at`."""


@dataclass(frozen=True, kw_only=True)
class CrmDisconnected(DomainEvent):
    """An admin went back to the built-in records."""
