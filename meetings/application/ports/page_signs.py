"""Whether anything changed: what lets a process answer from memory and still never say what is no longer true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import MirroredTime
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class Pulse:
    """`mark` equals an earlier one only if nothing at all was committed in between. `at` is the database's time."""

    mark: object
    at: datetime | None


class DatabasePulse(Protocol):
    async def feel(self) -> Pulse:
        """The pulse, felt after this was called; calls that wait at the same time share one. Never raises: a database
        that does not answer gives a mark that equals no other."""


@dataclass(frozen=True, slots=True)
class TakenSign:
    """A booking's or, until `expires_at`, a hold's time of one host; on which page it was made."""

    host: UserId
    page: PageId
    start: int
    end: int
    held: bool
    expires_at: datetime | None


class PageSigns(Protocol):
    """Everything about one page and span that availability depends on, as of one instant. Equal signs, equal answers.

    `versions` are those of the page, its people, their connections (with their calendars) and its account, by id.
    `taken` holds expired holds as well, since `at`, the database's time, moves on.
    """

    at: datetime
    versions: Mapping[UUID, int]
    taken: Sequence[TakenSign]

    def mirrored(self, hosts: Sequence[UserId], *, confirmed_since: datetime) -> Mapping[UserId, MirroredTime]:
        """As `BusyMirror.of_hosts`."""


class ReadPageSigns(Protocol):
    async def __call__(self, page: PagePointer, people: Sequence[UserId], span: TimeSpan) -> PageSigns:
        """In one question to the database. `people` are whoever belonged to the page when it was read last; if others
        do by now, the version of the page differs. What is taken on the page itself is given for everybody."""
