"""How an event or a calendar looks to the account that asks.

Source: event, calendar and calendarPermission resources. What a person with free/busy access reads of an event is
assumed: its time and status; so is what remains of somebody else's private event ("Private Appointment" in Outlook).
"""

from urllib.parse import quote

from meetings.adapters.office365.simulator.bodies import shown_body
from meetings.adapters.office365.simulator.errors import Json
from meetings.adapters.office365.simulator.events import Found, etag
from meetings.adapters.office365.simulator.odata import Prefer, property_id
from meetings.adapters.office365.simulator.times import shown
from meetings.adapters.office365.simulator.world import ROLES, Account, Calendar, World, ordinary_id

_TIMES = ("createdDateTime", "lastModifiedDateTime", "changeKey", "iCalUId", "isAllDay", "isCancelled", "isOrganizer",
          "seriesMasterId", "showAs", "type", "recurrence", "sensitivity", "start", "end", "originalStart",
          "originalStartTimeZone", "originalEndTimeZone", "responseStatus")  # fmt: skip


def event_json(found: Found, role: str, prefer: Prefer, pages_url: str, extended: tuple[str, ...] = ()) -> Json:
    """The event as somebody with `role` on its calendar reads it; `extended` are the properties asked for.

    `webLink` leads to the simulator's own page.
    """
    fields = found.fields
    seen: Json = {"@odata.etag": etag(fields), "id": told_id(found.id, prefer)}
    names, subject = _visible(fields, role)
    seen |= {name: value for name, value in fields.items() if names is None or name in names}
    if subject is not None:
        seen["subject"] = subject
    if names is None:
        seen["body"] = shown_body(fields["body"], prefer.body_type)
        seen["webLink"] = f"{pages_url}/owa/?itemid={quote(found.id, safe='')}&exvsurl=1&path=/calendar/item"
    if seen["seriesMasterId"] is not None:
        seen["seriesMasterId"] = told_id(seen["seriesMasterId"], prefer)
    for name in ("start", "end"):
        seen[name] = shown(fields[name], prefer.time_zone, all_day=fields["isAllDay"])
    if extended and names is None:
        seen |= _extended(found, extended)
    return seen


def bare_occurrence(found: Found, prefer: Prefer) -> Json:
    """An untouched occurrence in a delta answer: "their occurrences only have these properties: @odata.type,
    @odata.etag, seriesMasterId, type, id, start, end" (microsoft-graph-docs, issue 7632)."""
    fields = found.fields
    return {
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": etag(fields),
        "seriesMasterId": told_id(fields["seriesMasterId"], prefer),
        "type": "occurrence",
        "id": told_id(found.id, prefer),
        "start": shown(fields["start"], prefer.time_zone, all_day=fields["isAllDay"]),
        "end": shown(fields["end"], prefer.time_zone, all_day=fields["isAllDay"]),
    }


def told_id(immutable: str, prefer: Prefer) -> str:
    return immutable if prefer.immutable_ids else ordinary_id(immutable)


def calendar_json(world: World, account: Account, calendar: Calendar) -> Json:
    """A calendar in the account's list. `canEdit` and its like tell what the account itself may do there."""
    role = world.role(account, calendar)
    owner = world.accounts[calendar.owner]
    return {
        "id": calendar.id,
        "name": calendar.name if calendar.owner == account.email or not calendar.default else owner.name,
        "color": "auto",
        "hexColor": calendar.hex_color,
        "isDefaultCalendar": calendar.default and calendar.owner == account.email,
        "changeKey": f"ck{calendar.change}",
        "canShare": role == "owner",
        "canViewPrivateItems": role in ("owner", "delegateWithPrivateEventAccess"),
        "canEdit": ROLES.index(role) >= ROLES.index("write"),
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": calendar.owner == account.email,
        "isRemovable": not (calendar.default and calendar.owner == account.email),
        "owner": {"name": owner.name, "address": owner.email},
    }


def _visible(fields: Json, role: str) -> tuple[tuple[str, ...] | None, str | None]:
    """The names of the fields to show, or None for all, and a subject in place of the event's own."""
    private = fields["sensitivity"] in ("private", "confidential")
    if private and role not in ("owner", "delegateWithPrivateEventAccess"):
        return _TIMES, "Private Appointment"
    if role == "freeBusyRead":
        return _TIMES, "Busy"
    # "Can view titles and locations" ("calendarPermission", role limitedRead).
    return ((*_TIMES, "subject", "location", "locations"), None) if role == "limitedRead" else (None, None)


def _extended(found: Found, asked: tuple[str, ...]) -> Json:
    """Only properties that the event has; without any the member is missing (seen in public reports)."""
    has = found.stored.extended if found.stored is not None else {}
    if found.stored is None and found.series is not None:
        has = found.series.extended
    values = [{"id": each, "value": has[property_id(each)]} for each in asked if property_id(each) in has]
    return {"singleValueExtendedProperties": values} if values else {}
