"""Time zones by the names Windows gives them, and their rules as Exchange writes them.

Which Windows zone is which: Unicode CLDR's windowsZones, as it ships in Babel. Shape of a definition:
"GetServerTimeZones operation" and MS-OXWSGTZ. A server knows the rules of Windows, here those of the tz
database for one year (assumed to agree).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from meetings.adapters.exchange.simulator.errors import EwsError
from meetings.adapters.exchange.simulator.soap import Element, t

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Rule:
    """When the clocks change every year: at `at` minutes of wall time on the n-th `day` of `month` (-1: the last)."""

    to_offset: int
    at: int
    month: int
    day: str
    occurrence: int


@dataclass(frozen=True)
class Rules:
    """Offsets are minutes east of UTC. Without daylight saving time both are equal and there are no changes."""

    standard: int
    daylight: int
    to_standard: Rule | None
    to_daylight: Rule | None


def zone_of(windows_name: str) -> ZoneInfo:
    """Raises EwsError ErrorCalendarInvalidTimeZone (code assumed)."""
    try:
        return ZoneInfo(_zones()[windows_name])
    except KeyError:
        raise EwsError("ErrorCalendarInvalidTimeZone", f"The time zone '{windows_name}' is not known.") from None


def windows_name_of(zone: str) -> str:
    """The Windows zone of a tz database name: the one CLDR names, else one with the same rules in this decade."""
    names = {iana: windows for windows, iana in _zones().items()}
    return names.get(zone) or _same_rules(zone)


@cache
def rules_of(windows_name: str, year: int) -> Rules:
    """The offsets of a year, and the two changes of the clocks when there are exactly two."""
    zone = zone_of(windows_name)
    changes = _changes(zone, year)
    if len(changes) != 2:
        offset = _offset(zone, datetime(year, 1, 1, tzinfo=UTC))
        return Rules(offset, offset, None, None)
    rules = [_rule(zone, moment) for moment in changes]
    later, earlier = sorted(rules, key=lambda rule: rule.to_offset, reverse=True)
    return Rules(standard=earlier.to_offset, daylight=later.to_offset, to_standard=earlier, to_daylight=later)


def names() -> list[str]:
    """All zones a server knows, sorted."""
    return sorted(_zones())


def definitions(names: list[str] | None, year: int, *, full: bool) -> list[Element]:
    """What GetServerTimeZones answers: all zones, or those asked for that are known (unknown ones are left out)."""
    known = sorted(_zones())
    wanted = known if names is None else [name for name in names if name in _zones()]
    return [definition(name, year, full=full) for name in wanted]


def definition(name: str, year: int, *, full: bool, tag: str = "TimeZoneDefinition") -> Element:
    rules = rules_of(name, year)
    made = t(tag, Id=name, Name=f"(UTC{_clock(rules.standard)}) {name}")
    if not full:
        return made
    trule = f"trule:Microsoft/Registry/{name}/1"
    periods = t("Periods", t("Period", Bias=_duration(-rules.standard), Name="Standard", Id=f"{trule}-Standard"))
    group = t("TransitionsGroup", Id="0")
    if rules.to_standard and rules.to_daylight:
        periods.append(t("Period", Bias=_duration(-rules.daylight), Name="Daylight", Id=f"{trule}-Daylight"))
        group.append(_transition(rules.to_daylight, f"{trule}-Daylight"))
        group.append(_transition(rules.to_standard, f"{trule}-Standard"))
    else:
        group.append(t("Transition", t("To", f"{trule}-Standard", Kind="Period")))
    made.append(periods)
    made.append(t("TransitionsGroups", group))
    made.append(t("Transitions", t("Transition", t("To", "0", Kind="Group"))))
    return made


def availability_zone(name: str, year: int) -> Element:
    """The zone as GetUserAvailability writes it: minutes west of UTC, and the two changes ("SerializableTimeZone")."""
    rules = rules_of(name, year)
    never = Rule(rules.standard, 0, 0, "Sunday", 0)
    return t(
        "TimeZone",
        t("Bias", str(-rules.standard)),
        _change("StandardTime", rules.to_standard or never, 0),
        _change("DaylightTime", rules.to_daylight or never, rules.standard - rules.daylight),
    )


def _change(tag: str, rule: Rule, bias: int) -> Element:
    order = 5 if rule.occurrence == -1 else rule.occurrence
    return t(
        tag,
        t("Bias", str(bias)),
        t("Time", f"{rule.at // 60:02}:{rule.at % 60:02}:00"),
        t("DayOrder", str(order)),
        t("Month", str(rule.month)),
        t("DayOfWeek", rule.day),
    )


def _transition(rule: Rule, period: str) -> Element:
    return t(
        "RecurringDayTransition",
        t("To", period, Kind="Period"),
        t("TimeOffset", _duration(rule.at)),
        t("Month", str(rule.month)),
        t("DayOfWeek", rule.day),
        t("Occurrence", str(rule.occurrence)),
    )


@cache
def _zones() -> dict[str, str]:
    named: dict[str, str] = dict(get_global("windows_zone_mapping"))
    renamed = {"Etc/UTC": "UTC", "Asia/Katmandu": "Asia/Kathmandu", "Asia/Calcutta": "Asia/Kolkata"}
    renamed |= {"Asia/Rangoon": "Asia/Yangon", "Asia/Saigon": "Asia/Ho_Chi_Minh", "America/Godthab": "America/Nuuk"}
    return {windows: renamed.get(zone, zone) for windows, zone in named.items()}


@cache
def _same_rules(zone: str) -> str:
    wanted = _fingerprint(ZoneInfo(zone))
    for windows, iana in sorted(_zones().items()):
        if _fingerprint(ZoneInfo(iana)) == wanted:
            return windows
    raise ValueError(f"no Windows zone has the rules of {zone}")


def _fingerprint(zone: ZoneInfo) -> tuple[int, ...]:
    weeks = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=7 * week) for week in range(104))
    return tuple(_offset(zone, moment) for moment in weeks)


def _changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The first hours (UTC) in which another offset holds."""
    found = []
    before = datetime(year, 1, 1, tzinfo=UTC)
    for _ in range(365):
        after = before + timedelta(days=1)
        if _offset(zone, before) != _offset(zone, after):
            hours = (before + _HOUR * count for count in range(1, 25))
            found.append(next(hour for hour in hours if _offset(zone, hour) != _offset(zone, before)))
        before = after
    return found


def _rule(zone: ZoneInfo, moment: datetime) -> Rule:
    """The change in wall time as it was before."""
    old = _offset(zone, moment - _HOUR)
    wall = moment.replace(tzinfo=None) + timedelta(minutes=old)
    in_last_week = (wall + timedelta(days=7)).month != wall.month
    return Rule(
        to_offset=_offset(zone, moment),
        at=wall.hour * 60 + wall.minute,
        month=wall.month,
        day=DAYS[wall.weekday()],
        occurrence=-1 if in_last_week else (wall.day - 1) // 7 + 1,
    )


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    return int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds()) // 60


def _duration(minutes: int) -> str:
    return f"{'-' if minutes < 0 else ''}PT{abs(minutes)}M"


def _clock(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
