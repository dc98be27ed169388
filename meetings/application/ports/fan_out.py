"""Telling every process that something changed, so that whoever watches reads again.

A poke carries a topic, no content: listeners read the present state, so lost order and repetition do not matter.
"""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID


def host_topic(host: UUID) -> str:
    """Poked when the time of a host changed: booking, hold, calendar, settings."""
    return f"host:{host}"


def page_topic(page: UUID) -> str:
    """Poked when the rules of a page changed."""
    return f"page:{page}"


def bookings_topic(account: UUID) -> str:
    """Poked when something happened to a booking of an account."""
    return f"bookings:{account}"


def connections_topic(user: UUID) -> str:
    """Poked when a person's calendar connection changed status or sync progress."""
    return f"connections:{user}"


def mails_topic(user: UUID) -> str:
    """Poked when something happened to a mail of a person's: it left, came, or came back."""
    return f"mails:{user}"


def links_topic(account: UUID) -> str:
    """Poked when links to pages of an account may lead elsewhere, or say something else of whom one meets there."""
    return f"links:{account}"


class Listener(Protocol):
    """An open ear. Pokes that arrive while nobody waits are kept, as a set."""

    async def wait(self, timeout: float) -> frozenset[str]:
        """The topics poked since the last call; waits up to `timeout` seconds for one, then gives an empty set."""


class FanOut(Protocol):
    """Pokes to every process."""

    async def poke(self, topics: Collection[str]) -> None:
        """Tell everybody. Never raises: a poke that cannot be delivered is logged, watchers also look by themselves."""

    def listen(self, topics: Collection[str]) -> AbstractAsyncContextManager[Listener]:
        """Listen from here on; entering returns once nothing poked afterwards can be missed."""
