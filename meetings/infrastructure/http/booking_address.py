"""What the address of a booking page says beside its slug: a zone, a length, a month, a chosen time, answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from meetings.graphql.scalars import print_instant
from meetings.graphql.time_zones import canonical_zone
from meetings.infrastructure.http.words import WORDS

MOST_QUERY = 8_000
_MOST_PARAMETERS = 200
_CHOSEN = ("start", "date", "time")
_MONTH = re.compile(r"(?P<slug>.+)/(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])")
_YEARS = range(1971, 2199)
"""A year from either end of what the API takes, so that no zone leads beyond."""
_DURATION = re.compile(r"[1-9]\d{0,4}")


@dataclass(frozen=True)
class Month:
    """A month of the calendar."""

    year: int
    number: int

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


def month_in(path: str) -> tuple[str, Month] | None:
    """The slug and the month of `anna/intro/2026-11`; None for any other path."""
    found = _MONTH.fullmatch(path.strip("/"))
    if found is None or int(found["year"]) not in _YEARS:
        return None
    return found["slug"], Month(int(found["year"]), int(found["month"]))


@dataclass(frozen=True)
class Wish:
    """The query of an address. What cannot be understood counts as not said."""

    pairs: Sequence[tuple[str, str]]

    @classmethod
    def read(cls, query: str) -> "Wish":
        try:
            return cls(parse_qsl(query[:MOST_QUERY], max_num_fields=_MOST_PARAMETERS))
        except ValueError:
            return cls(())

    def said(self, name: str) -> str | None:
        return next((value for key, value in self.pairs if key == name), None)

    @property
    def zone(self) -> str | None:
        return canonical_zone(self.said("tz") or "")

    @property
    def duration(self) -> int | None:
        said = self.said("duration") or ""
        return int(said) if _DURATION.fullmatch(said) else None

    @property
    def language(self) -> str | None:
        language = (self.said("lang") or "").partition("-")[0].lower()
        return language if language in WORDS else None

    @property
    def link(self) -> str | None:
        """The token of a link that was made for somebody."""
        return self.said("link")

    def day(self, zone: str) -> date | None:
        """The chosen day, of this zone."""
        start = instant_of(self.said("start") or "")
        if start is not None:
            return start.astimezone(ZoneInfo(zone)).date()
        try:
            day = date.fromisoformat(self.said("date") or "")
        except ValueError:
            return None
        return day if day.year in _YEARS else None

    def chosen(self, starts: Sequence[str], zone: str) -> str | None:
        """The one of these starts that is meant, by `start`, or by `date` and `time` of the wall clock in this zone: of
        an hour that is there twice, the first."""
        start = instant_of(self.said("start") or "")
        if start is not None:
            return next((each for each in starts if each == print_instant(start)), None)
        wall = f"{self.said('date')} {self.said('time')}"
        local = ((each, datetime.fromisoformat(each).astimezone(ZoneInfo(zone))) for each in starts)
        return next((each for each, at in local if f"{at:%Y-%m-%d %H:%M}" == wall), None)

    @property
    def chooses(self) -> bool:
        """Whether a time was chosen, be it on offer or not."""
        return self.said("start") is not None or None not in (self.said("date"), self.said("time"))

    @property
    def text(self) -> str:
        return urlencode(self.pairs)

    def having(self, **changed: str) -> str:
        """The query with other values, and without a chosen time unless that is one of them."""
        return urlencode([*self.without(*changed), *changed.items()])

    def without(self, *names: str) -> list[tuple[str, str]]:
        """What else the query says, but for a chosen time."""
        return [(key, value) for key, value in self.pairs if key not in {*names, *_CHOSEN}]

    @property
    def utm(self) -> list[tuple[str, str]]:
        return [(key, value) for key, value in self.pairs if key.startswith("utm_")]


def instant_of(text: str) -> datetime | None:
    """An instant with an offset, in UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo and found.year in _YEARS else None
    except (ValueError, OverflowError):
        return None
