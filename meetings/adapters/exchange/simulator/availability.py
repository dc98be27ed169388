"""GetUserAvailability ("GetUserAvailability operation", MS-OXWSAVAIL): free/busy by address.

Times are in the zone of the request, without an offset ("CalendarEvent"; the zone is the request's `TimeZone`). One
answer per mailbox, in order. A default calendar is looked at, whoever asks sees free/busy; details only the owner
(assumed: no other permissions are simulated).
"""

from datetime import datetime, timedelta, timezone, tzinfo

from meetings.adapters.exchange.simulator import occurrences, zones
from meetings.adapters.exchange.simulator.errors import EwsError, EwsFault, invalid_schema
from meetings.adapters.exchange.simulator.identity import item_id
from meetings.adapters.exchange.simulator.request import Request, explained
from meetings.adapters.exchange.simulator.soap import Element, children, find, m, t, text, truth
from meetings.adapters.exchange.simulator.world import Account, CalendarItem, Folder

# MergedFreeBusy: a digit per interval, the busiest wins; WorkingElsewhere shows as 4 (MS-OXWSAVAIL 2.2.4.5).
_DIGITS = {"Free": "0", "Tentative": "1", "Busy": "2", "OOF": "3", "WorkingElsewhere": "4", "NoData": "4"}
_WEIGHT = ("0", "4", "1", "2", "3")
_LONGEST = timedelta(days=62)
_MOST_MAILBOXES = 100


def get_user_availability(request: Request) -> Element:
    """Raises EwsFault: no time zone, a window that is too long or ends before it begins, too many mailboxes."""
    asked = list(children(find(request.element, "m:MailboxDataArray")))
    if len(asked) > _MOST_MAILBOXES:
        raise EwsFault("ErrorMailboxDataArrayTooBig", "Too many mailboxes.")
    options = find(request.element, "t:FreeBusyViewOptions")
    if options is None:
        raise EwsFault("ErrorInvalidFreeBusyViewType", "FreeBusyViewOptions are missing.")
    zone = _zone(request)
    start = _moment(text(options, "t:TimeWindow/t:StartTime"), zone)
    end = _moment(text(options, "t:TimeWindow/t:EndTime"), zone)
    if end <= start:
        raise EwsFault("ErrorInvalidTimeInterval", "The end of the window is not after its start.")
    if end - start > _LONGEST:
        raise EwsFault(
            "ErrorTimeIntervalTooBig", "The requested time duration specified for FreeBusyViewOptions is too long."
        )
    answers = m("FreeBusyResponseArray")
    for each in asked:
        answers.append(_answer(request, each, options, start, end, zone))
    return m("GetUserAvailabilityResponse", answers)


def _answer(
    request: Request, asked: Element, options: Element, start: datetime, end: datetime, zone: tzinfo
) -> Element:
    try:
        account = request.world.account(text(asked, "t:Email/t:Address"))
        if account is None or not account.has_mailbox:
            raise EwsError(
                "ErrorMailRecipientNotFound", "Unable to resolve e-mail address to an Active Directory object."
            )
        calendar = account.distinguished("calendar")
        assert calendar is not None
        if account.moving:
            raise EwsError("ErrorMailboxMoveInProgress")
        if calendar.lost is not None:
            raise EwsError("ErrorNoFreeBusyAccess", "The caller does not have access to free/busy data.")
        view = _view(request, account, calendar, options, start, end, zone)
    except EwsError as error:
        return m("FreeBusyResponse", m("ResponseMessage", *explained(error), ResponseClass="Error"), _no_view())
    return m("FreeBusyResponse", m("ResponseMessage", m("ResponseCode", "NoError"), ResponseClass="Success"), view)


def _no_view() -> Element:
    return m("FreeBusyView", t("FreeBusyViewType", "None"))


def _view(
    request: Request,
    account: Account,
    calendar: Folder,
    options: Element,
    start: datetime,
    end: datetime,
    zone: tzinfo,
) -> Element:
    wanted = text(options, "t:RequestedView", "DetailedMerged")
    details = wanted.startswith("Detailed") and account is request.account
    shown = wanted if details else wanted.replace("Detailed", "FreeBusy")
    found = [each for item in calendar.items.values() for each in occurrences.in_view(item, start, end)]
    found.sort(key=lambda item: item.start)
    made = m("FreeBusyView", t("FreeBusyViewType", shown))
    if wanted.endswith("Merged") or wanted == "MergedOnly":
        minutes = int(text(options, "t:MergedFreeBusyIntervalInMinutes", "30"))
        if not 5 <= minutes <= 1440:
            raise EwsError("ErrorInvalidMergedFreeBusyInterval", "The interval must be between 5 and 1440 minutes.")
        made.append(t("MergedFreeBusy", _merged(found, start, end, timedelta(minutes=minutes))))
    if wanted != "MergedOnly":
        events = [_event(calendar, item, zone, details=details) for item in found]
        if events:
            made.append(t("CalendarEventArray", *events))
    made.append(_working_hours(account, request.year))
    return made


def _merged(found: list[CalendarItem], start: datetime, end: datetime, step: timedelta) -> str:
    digits = ""
    while start < end:
        until = start + step
        here = [_DIGITS[item.busy] for item in found if item.start < until and item.end > start]
        digits += max(here, key=_WEIGHT.index, default="0")
        start = until
    return digits


def _event(calendar: Folder, item: CalendarItem, zone: tzinfo, *, details: bool) -> Element:
    made = t(
        "CalendarEvent",
        t("StartTime", f"{item.start.astimezone(zone):%Y-%m-%dT%H:%M:%S}"),
        t("EndTime", f"{item.end.astimezone(zone):%Y-%m-%dT%H:%M:%S}"),
        t("BusyType", item.busy),
    )
    if details:
        made.append(_details(calendar, item))
    return made


def _details(calendar: Folder, item: CalendarItem) -> Element:
    flags = {
        "IsMeeting": item.is_meeting,
        "IsRecurring": item.master is not None,
        "IsException": item.is_exception,
        "IsReminderSet": item.value("ReminderIsSet") == "true",
        "IsPrivate": item.value("Sensitivity") == "Private",
    }
    return t(
        "CalendarEventDetails",
        t("ID", item_id(calendar, item).get("Id")),
        t("Subject", item.value("Subject")),
        t("Location", item.value("Location")),
        *(t(name, truth(value)) for name, value in flags.items()),
    )


def _working_hours(account: Account, year: int) -> Element:
    """Nine to five from Monday to Friday, in the mailbox's own zone."""
    period = t(
        "WorkingPeriod",
        t("DayOfWeek", "Monday Tuesday Wednesday Thursday Friday"),
        t("StartTimeInMinutes", "540"),
        t("EndTimeInMinutes", "1020"),
    )
    zone = zones.availability_zone(account.time_zone, year)
    return t("WorkingHours", zone, t("WorkingPeriodArray", period))


def _zone(request: Request) -> tzinfo:
    """The zone of the request: `TimeZone`, else the header's ("TimeZone (Availability)").

    Its two changes of the clocks are not worked out: the header's zone is used when both are given and the biases
    agree, else the plain bias (assumed to be what tests need).
    """
    given = find(request.element, "t:TimeZone")
    if given is None:
        if request.zone_name is None:
            raise EwsFault("ErrorTimeZone", "The time zone information is missing.")
        return request.zone
    bias = int(text(given, "t:Bias", "0"))
    if request.zone_name is not None and zones.rules_of(request.zone_name, request.year).standard == -bias:
        return request.zone
    if text(given, "t:DaylightTime/t:Month", "0") not in ("0", ""):
        return _named_like(given, request.year)
    return timezone(timedelta(minutes=-bias))


def _named_like(given: Element, year: int) -> tzinfo:
    """A zone with these two changes of the clocks, whatever its name is."""
    for name in zones.names():
        if _signature(zones.availability_zone(name, year)) == _signature(given):
            return zones.zone_of(name)
    raise EwsFault("ErrorTimeZone", "The time zone information is not valid.")


def _signature(zone: Element) -> list[str]:
    return [
        text(each).strip()
        for each in zone.iter()
        if isinstance(each.tag, str) and not len(each) and "Year" not in each.tag
    ]


def _moment(value: str, zone: tzinfo) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise invalid_schema(f"The value '{value}' is invalid according to its datatype 'dateTime'.") from None
    return found if found.tzinfo else found.replace(tzinfo=zone)
