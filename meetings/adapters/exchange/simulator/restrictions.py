"""Restrictions of FindItem and FindFolder ("Restriction", MS-OXWSSRCH 2.2.4.2): which items or folders match."""

import operator
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator.errors import EwsError
from meetings.adapters.exchange.simulator.shapes import property_key
from meetings.adapters.exchange.simulator.soap import Element, children, find, local, text, truth
from meetings.adapters.exchange.simulator.times import read_moment
from meetings.adapters.exchange.simulator.world import CalendarItem, Folder

Value = str | int | datetime | None
Lookup = Callable[[Element], Value]

_COMPARE: dict[str, Callable[..., bool]] = {
    "IsEqualTo": operator.eq,
    "IsNotEqualTo": operator.ne,
    "IsGreaterThan": operator.gt,
    "IsGreaterThanOrEqualTo": operator.ge,
    "IsLessThan": operator.lt,
    "IsLessThanOrEqualTo": operator.le,
}


def matches_item(restriction: Element | None, item: CalendarItem) -> bool:
    """Raises EwsError ErrorUnsupportedPathForQuery for a property that cannot be searched for."""
    return matches(restriction, lambda path: _of_item(path, item))


def matches_folder(restriction: Element | None, folder: Folder) -> bool:
    return matches(restriction, lambda path: _of_folder(path, folder))


def matches(restriction: Element | None, value_of: Lookup) -> bool:
    """The same for whatever has values."""
    return restriction is None or _matches(next(children(restriction)), value_of)


def _matches(expression: Element, value_of: Lookup) -> bool:
    kind = local(expression)
    if kind == "And":
        return all(_matches(part, value_of) for part in children(expression))
    if kind == "Or":
        return any(_matches(part, value_of) for part in children(expression))
    if kind == "Not":
        return not _matches(next(children(expression)), value_of)
    path = next(children(expression))
    value = value_of(path)
    if kind == "Exists":
        return value is not None
    if kind == "Contains":
        constant = find(expression, "t:Constant")
        return _contains(expression, value, "" if constant is None else constant.get("Value", ""))
    if kind in _COMPARE:
        constant = find(expression, "t:FieldURIOrConstant/t:Constant")
        if constant is None:
            raise EwsError("ErrorUnsupportedPathForQuery")
        return _compare(_COMPARE[kind], value, constant.get("Value", ""))
    raise EwsError("ErrorInvalidRequest", f"The restriction '{kind}' is not known.")


def _compare(compare: Callable[..., bool], value: Value, constant: str) -> bool:
    if value is None:
        return compare is operator.ne
    if isinstance(value, datetime):
        return compare(value, read_moment(constant, ZoneInfo("UTC")))
    return compare(int(value), int(constant)) if isinstance(value, int) else compare(value, constant)


def _contains(expression: Element, value: Value, constant: str) -> bool:
    mode = expression.get("ContainmentMode", "Substring")
    whole, part = str(value or ""), constant
    if expression.get("ContainmentComparison", "Exact") != "Exact":
        whole, part = whole.casefold(), part.casefold()
    if value is None:
        return False
    if mode == "FullString":
        return whole == part
    if mode in ("Prefixed", "PrefixOnWords", "ExactPhrase"):
        return whole.startswith(part)
    return part in whole


def _of_item(path: Element, item: CalendarItem) -> Value:
    if local(path) == "ExtendedFieldURI":
        held = item.extended.get(property_key(path))
        return None if held is None else text(held, "t:Value")
    name = path.get("FieldURI", "")
    simple: dict[str, Value] = {
        "item:Subject": item.value("Subject"),
        "item:ItemClass": item.value("ItemClass", "IPM.Appointment"),
        "item:LastModifiedTime": item.modified_at,
        "item:DateTimeCreated": item.created_at,
        "item:DateTimeReceived": item.created_at,
        "calendar:Start": item.start,
        "calendar:End": item.end,
        "calendar:Location": item.value("Location"),
        "calendar:LegacyFreeBusyStatus": item.busy,
        "calendar:IsAllDayEvent": truth(item.all_day),
        "calendar:IsRecurring": truth(item.recurrence is not None),
        "calendar:IsMeeting": truth(item.is_meeting),
        "calendar:IsCancelled": truth(item.cancelled),
    }
    if name not in simple:
        # The iCalendar uid, among others, cannot be searched for ("calendar:UID": seen with many clients).
        raise EwsError("ErrorUnsupportedPathForQuery")
    return simple[name]


def _of_folder(path: Element, folder: Folder) -> Value:
    if local(path) == "ExtendedFieldURI":
        return None
    simple: dict[str, Value] = {
        "folder:DisplayName": folder.name,
        "folder:FolderClass": folder.kind,
        "folder:TotalCount": len(folder.items),
    }
    if path.get("FieldURI", "") not in simple:
        raise EwsError("ErrorUnsupportedPathForQuery")
    return simple[path.get("FieldURI", "")]
