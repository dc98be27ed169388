"""What an event is called in everybody's calendar.

Most servers hand an event's name on as it is. Exchange and Office 365 wrap a name that was made elsewhere into one of
theirs (MS-OXCICAL, "Property: UID"; MS-OXOCAL 2.2.1.27, PidLidGlobalObjectId), which is undone before names are
compared. An instance that left its series has the series' name with its day put in, and keeps that as its own.
"""

import re

_OUTLOOK = "040000008200E00074C5B7101A82E008"
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
# In bytes: the class's id, the day of an instance, when it was made, nothing, the length of what follows.
_DAY, _LENGTH, _DATA = 16, 36, 40
_FOREIGN = b"vCal-Uid\x01\x00\x00\x00"
MAX_ICAL_UID = 1_000


def common_ical_uid(told: str) -> str:
    """The name as every calendar tells it: without Outlook's wrapping.

    A name that is none of Outlook's stays as it is, but for what is longer than `MAX_ICAL_UID`. Repeating changes
    nothing.
    """
    name = told.strip()
    if not (_HEX.fullmatch(name) and name.upper().startswith(_OUTLOOK)):
        return name[:MAX_ICAL_UID]
    known = bytes.fromhex(name)
    data = known[_DATA : _DATA + int.from_bytes(known[_LENGTH:_DATA], "little")]
    if data.startswith(_FOREIGN) and not any(known[_DAY : _DAY + 4]):
        return data.removeprefix(_FOREIGN).rstrip(b"\x00").decode(errors="replace")[:MAX_ICAL_UID]
    return name.upper()[:MAX_ICAL_UID]
