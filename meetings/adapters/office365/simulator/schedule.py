"""calendar: getSchedule: free/busy time of people, by address.

Source: "calendar: getSchedule", scheduleInformation, freeBusyError. Limits: 20 addresses, 62 days. "0= free or working
elswhere, 1= tentative, 2= busy, 3= out of office" for the digits. A person without a mailbox here, or whose calendar
cannot be reached, is an `error` inside a 200.
"""

from datetime import datetime, timedelta
from typing import Any

from meetings.adapters.office365.simulator.errors import GraphError, Json, invalid_request
from meetings.adapters.office365.simulator.events import Found
from meetings.adapters.office365.simulator.listing import Window, bounds, view
from meetings.adapters.office365.simulator.odata import Prefer
from meetings.adapters.office365.simulator.times import instant, read_time, shown, windows_name
from meetings.adapters.office365.simulator.world import Account, World

MOST_ADDRESSES, LONGEST = 20, timedelta(days=62)
_DIGITS = {"free": "0", "workingElsewhere": "0", "tentative": "1", "busy": "2", "oof": "3", "unknown": "2"}


def get_schedule(world: World, account: Account, body: Json, prefer: Prefer) -> Json:
    """Parameters may begin with a capital letter, as the official client writes them.

    Raises:
        GraphError: 400 for too many addresses, too long a time, or values that cannot be read.
    """
    given = {name[:1].lower() + name[1:]: value for name, value in body.items()}
    addresses = given.get("schedules")
    if not isinstance(addresses, list) or not addresses:
        raise invalid_request("The parameter 'schedules' is missing.")
    if len(addresses) > MOST_ADDRESSES:
        # The limit is that of the documentation; the service was seen to take 100 (microsoft-graph-docs, issue 7047).
        message = f"The allowed size = {MOST_ADDRESSES}; the actual size = {len(addresses)}."
        words = "There are too many target users in the EmailAddress array."
        raise GraphError(400, "ErrorMailboxDataArrayTooBig", f"{words} {message}")
    start, end = (read_time(given.get(name), name) for name in ("startTime", "endTime"))
    window = Window(instant(start), instant(end))
    if window.end <= window.start:
        raise invalid_request("The end of the time range is not after its start.")
    if window.end - window.start > LONGEST:
        # Code and message as in microsoft-graph-docs, pull request 19703.
        message = "The requested time duration specified for FreeBusyViewOptions.TimeWindow is too long."
        actual = (window.end - window.start).days
        limits = f"The allowed limit = {LONGEST.days} days; the actual limit = {actual} days."
        raise GraphError(400, "ErrorTimeIntervalTooBig", f"{message} {limits}")
    minutes = given.get("availabilityViewInterval", 30)
    if not isinstance(minutes, int) or not 5 <= minutes <= 1440:
        raise GraphError(400, "ErrorInvalidMergedFreeBusyInterval", "The interval must be between 5 and 1440 minutes.")
    answers = [_answer(world, account, address, window, minutes, prefer) for address in addresses]
    return {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.scheduleInformation)",
            "value": answers}  # fmt: skip


def _answer(world: World, account: Account, address: Any, window: Window, minutes: int, prefer: Prefer) -> Json:
    person = world.accounts.get(str(address).lower())
    if person is None or not person.mailbox:
        return _error(address, f"Unable to resolve e-mail address {address} to an Active Directory object.",
                      "ErrorMailRecipientNotFound")  # fmt: skip
    calendar = world.default_calendar(person.email)
    if calendar.id in account.lost:
        return _error(address, "Microsoft.Exchange.InfoWorker.Common.Availability.NoFreeBusyAccessException: The caller"
                      " does not have access to free/busy data.", "ErrorNoFreeBusyAccess")  # fmt: skip
    found = view(calendar, window)
    open_ = account.email == person.email
    return {
        "scheduleId": address,
        "availabilityView": _digits(found, window, timedelta(minutes=minutes)),
        "scheduleItems": [_item(each, prefer, open_=open_) for each in found],
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": windows_name(person.time_zone)},
        },
    }


def _error(address: Any, message: str, code: str) -> Json:
    return {"scheduleId": address, "scheduleItems": [], "error": {"message": message, "responseCode": code}}


def _item(found: Found, prefer: Prefer, *, open_: bool) -> Json:
    """Subject and place are for the person's own account (assumed; sharing decides in reality)."""
    fields = found.fields
    item: Json = {
        "isPrivate": fields["sensitivity"] == "private",
        "status": fields["showAs"],
        "start": shown(fields["start"], prefer.time_zone, all_day=fields["isAllDay"]),
        "end": shown(fields["end"], prefer.time_zone, all_day=fields["isAllDay"]),
    }
    return {**item, "subject": fields["subject"], "location": fields["location"]["displayName"]} if open_ else item


def _digits(found: list[Found], window: Window, step: timedelta) -> str:
    """One digit per step, the busiest status of what touches it."""
    spans = [(*bounds(each.fields), _DIGITS[each.fields["showAs"]]) for each in found]
    digits, at = "", window.start
    while at < window.end:
        until: datetime = min(at + step, window.end)
        touching = [digit for begins, ends, digit in spans if begins < until and ends > at]
        digits += max(touching, default="0")
        at = until
    return digits
