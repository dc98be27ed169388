"""Names of time zones: Microsoft speaks of its own, the rest of the world of IANA's."""

from zoneinfo import ZoneInfo


def iana_name(name: str | None) -> str | None:
    """The IANA name of a zone that Microsoft names, its own way or IANA's; None for one that cannot be told.

    Windows' names stand for the zone that Unicode's CLDR (windowsZones) gives for them worldwide. A zone that somebody
    made up in an old Outlook ("Customized Time Zone", "tzone://Microsoft/Custom") is one that cannot be told.
    """
    if not name:
        return None
    from babel.core import get_global  # costs 50 ms, and only calendars with whole days need it

    return next((each for each in (get_global("windows_zone_mapping").get(name), name) if each and _known(each)), None)


def zone_of(name: str | None) -> ZoneInfo | None:
    """The zone itself."""
    found = iana_name(name)
    return ZoneInfo(found) if found else None


def _known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True
