"""How people are told when: in a locale, in a zone, with the zone's name and its offset on that day."""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_name


def language_of(locale: str) -> str:
    """`de` for German in any country, else `en`: the languages that letters are written in."""
    return "de" if locale.replace("_", "-").split("-")[0].lower() == "de" else "en"


def locale_of(tag: str) -> Locale:
    """The locale that dates are written in: the reader's own where the letter speaks their language, else English.

    A French month inside an English sentence would help nobody, so `fr-FR` reads English dates.
    """
    language = language_of(tag)
    parts = tag.replace("_", "-").split("-")
    if parts[0].lower() == language:
        for territory in (part.upper() for part in parts[1:] if len(part) == 2 and part.isalpha()):
            try:
                return Locale(language, territory)
            except UnknownLocaleError:
                break
    return Locale(language)


def span_words(start: datetime, end: datetime, *, zone: str, locale: Locale) -> str:
    """`Tuesday, March 3, 2026, 10:00 AM – 10:30 AM (Eastern Standard Time, America/New_York, UTC-05:00)`.

    `start` and `end` are aware; the end names its own day or its own offset where they differ from the start's.
    """
    local_start, local_end = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    if local_start.utcoffset() != local_end.utcoffset():
        return f"{moment_words(start, zone=zone, locale=locale)} – {moment_words(end, zone=zone, locale=locale)}"
    end_words = time_words(local_end, locale)
    if local_end.date() != local_start.date():
        end_words = f"{day_words(end, zone=zone, locale=locale)}, {end_words}"
    day = day_words(start, zone=zone, locale=locale)
    return f"{day}, {time_words(local_start, locale)} – {end_words} ({zone_words(local_start, locale)})"


def moment_words(at: datetime, *, zone: str, locale: Locale) -> str:
    """`Tuesday, March 3, 2026, 10:00 AM (Eastern Standard Time, America/New_York, UTC-05:00)`."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{day_words(at, zone=zone, locale=locale)}, {time_words(local, locale)} ({zone_words(local, locale)})"


def day_words(at: datetime, *, zone: str, locale: Locale, form: str = "full") -> str:
    """The local date: `Tuesday, March 3, 2026`, or without the weekday as `form="long"`."""
    return str(format_date(at.astimezone(ZoneInfo(zone)), form, locale=locale))


def time_words(local: datetime, locale: Locale) -> str:
    """The time of day: `10:00 AM`."""
    # CLDR puts a narrow no-break space before AM and PM, which older mail programs show as a box.
    return str(format_time(local, "short", locale=locale)).replace("\u202f", " ")


def zone_words(local: datetime, locale: Locale) -> str:
    """The zone on that day: `Eastern Standard Time, America/New_York, UTC-05:00`."""
    key = str(local.tzinfo)
    offset = f"UTC{local:%z}"
    name = str(get_timezone_name(local, "long", locale=locale, zone_variant=_variant(local)))
    known_by_name = not name.startswith(("GMT+", "GMT-", "UTC+", "UTC-"))
    return ", ".join((*((name,) if known_by_name else ()), key, f"{offset[:6]}:{offset[6:8]}"))


def _variant(local: datetime) -> Literal["daylight", "standard"]:
    """Whether the clock is ahead of the year's lowest offset.

    `tzinfo.dst()` cannot tell: tzdata writes Ireland's winter as negative daylight saving, which would name January in
    Dublin "Irish Standard Time", CLDR's name for its summer.
    """
    offsets = [local.replace(month=month, day=1, hour=12).utcoffset() for month in (1, 7)]
    return "daylight" if local.utcoffset() != min(offset for offset in offsets if offset is not None) else "standard"
