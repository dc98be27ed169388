"""The organisation everything belongs to."""

from dataclasses import dataclass
from datetime import datetime

from meetings.domain.base import Aggregate


@dataclass(kw_only=True, eq=False)
class Account(Aggregate):
    """An organisation. Its `id` and `account_id` are the same; nothing of it is visible to another."""

    name: str
    created_at: datetime
