"""FindItem: calendar views, and searches page by page ("FindItem operation", "CalendarView", "IndexedPageItemView").

A view longer than two years is refused (ErrorCalendarViewRangeTooBig). No answer has more than EWSFindCountLimit items:
clients of Exchange 2010 and later get the first ones with IncludesLastItemInRange false, older ones an error
("Throttling policies and the EWSFindCountLimit").
"""

from datetime import timedelta

from meetings.adapters.exchange.simulator import access, mail_search, mail_view, occurrences, view
from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.request import Request, each, success
from meetings.adapters.exchange.simulator.restrictions import matches_item
from meetings.adapters.exchange.simulator.shapes import item_shape
from meetings.adapters.exchange.simulator.soap import Element, children, find, local, m, t, text, truth
from meetings.adapters.exchange.simulator.times import read_moment
from meetings.adapters.exchange.simulator.view import Reader
from meetings.adapters.exchange.simulator.world import CalendarItem, Folder

_LONGEST_VIEW = timedelta(days=2 * 366)
_SORT = {
    "calendar:Start": "start",
    "calendar:End": "end",
    "item:DateTimeCreated": "created_at",
    "item:DateTimeReceived": "created_at",
}


def find_item(request: Request) -> Element:
    def one(named: Element) -> Element:
        reader = Reader(item_shape(request.element, request.version, finding=True), request.zone, request.version, True)
        folder = access.folder(request, named)
        calendar_view = find(request.element, "m:CalendarView")
        if calendar_view is not None:
            return success("FindItem", _viewed(request, folder, calendar_view, reader))
        return success("FindItem", _searched(request, folder, reader))

    return each("FindItem", children(find(request.element, "m:ParentFolderIds")), one)


def _viewed(request: Request, folder: Folder, asked: Element, reader: Reader) -> Element:
    """Single items and occurrences that touch the view, by start.

    Raises:
        EwsError: not a calendar, a view of more than two years, or one that ends before it begins; a restriction or
            order beside the view (refused by "CalendarView"; the code is assumed).
    """
    if not folder.is_calendar:
        raise EwsError("ErrorCalendarFolderIsInvalidForCalendarView", "The folder is not a calendar folder.")
    if find(request.element, "m:Restriction") is not None or find(request.element, "m:SortOrder") is not None:
        raise EwsError("ErrorInvalidRequest", "Restrictions and sort order may not be specified for a CalendarView.")
    start = read_moment(asked.get("StartDate", ""), request.zone)
    end = read_moment(asked.get("EndDate", ""), request.zone)
    if end < start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate")
    if end - start > _LONGEST_VIEW:
        raise EwsError("ErrorCalendarViewRangeTooBig")
    found = [each for item in folder.items.values() for each in occurrences.in_view(item, start, end)]
    found.sort(key=lambda each: (each.start, each.number))
    most = int(asked.get("MaxEntriesReturned", request.settings.find_limit))
    if most < 1:
        raise EwsError("ErrorInvalidPagingMaxRows", "MaxEntriesReturned must be greater than zero.")
    if "MaxEntriesReturned" not in asked.attrib:
        _check_limit(request, len(found))
    most = min(most, request.settings.find_limit)
    return _root(folder, found[:most], reader, total=len(found), last=most >= len(found))


def _searched(request: Request, folder: Folder, reader: Reader) -> Element:
    """Single items and series, or mails, as many as the page wants."""
    restriction = find(request.element, "m:Restriction")
    if folder.mails:
        return _mails(request, folder, reader)
    found = [item for item in folder.items.values() if matches_item(restriction, item)]
    if request.element.get("Traversal") != "Shallow":
        found = []
    for order in reversed(list(children(find(request.element, "m:SortOrder")))):
        path = _path_of(order)
        if path not in _SORT:
            raise EwsError("ErrorUnsupportedPathForSortGroup", f"The property {path} cannot be sorted by here.")
        found.sort(key=lambda item: getattr(item, _SORT[path]), reverse=order.get("Order") == "Descending")
    page = find(request.element, "m:IndexedPageItemView")
    if page is None:
        _check_limit(request, len(found))
        most = request.settings.find_limit
        return _root(folder, found[:most], reader, total=len(found), last=most >= len(found))
    if page.get("BasePoint") not in ("Beginning", "End"):
        raise invalid_schema("The 'BasePoint' attribute is invalid.")
    offset = int(page.get("Offset", "0"))
    most = min(int(page.get("MaxEntriesReturned", request.settings.find_limit)), request.settings.find_limit)
    shown = found[offset : offset + most]
    last = offset + most >= len(found)
    return _root(folder, shown, reader, total=len(found), last=last, offset=offset + len(shown))


def _mails(request: Request, folder: Folder, reader: Reader) -> Element:
    """A page of mails; a client of mail always asks for pages."""
    found = mail_search.matching(folder, find(request.element, "m:Restriction"))
    found = mail_search.in_order(found, list(children(find(request.element, "m:SortOrder"))))
    page = find(request.element, "m:IndexedPageItemView")
    if page is None or request.element.get("Traversal") != "Shallow":
        raise EwsError("ErrorInvalidRequest", "Mails are found page by page here.")
    offset = int(page.get("Offset", "0"))
    most = min(int(page.get("MaxEntriesReturned", request.settings.find_limit)), request.settings.find_limit)
    shown = found[offset : offset + most]
    items = t("Items", *(mail_view.message(folder, mail, reader) for mail in shown))
    last = truth(offset + most >= len(found))
    root = m("RootFolder", items, TotalItemsInView=str(len(found)), IncludesLastItemInRange=last)
    root.set("IndexedPagingOffset", str(offset + len(shown)))
    return root


def _path_of(order: Element) -> str:
    path = next(children(order))
    return path.get("FieldURI", "") if local(path) == "FieldURI" else text(path)


def _check_limit(request: Request, count: int) -> None:
    asked = request.requested_version
    if count > request.settings.find_limit and (asked is None or asked.startswith("Exchange2007")):
        raise EwsError("ErrorExceededFindCountLimit", "The maximum number of items that can be returned was exceeded.")


def _root(
    folder: Folder, shown: list[CalendarItem], reader: Reader, *, total: int, last: bool, offset: int | None = None
) -> Element:
    items = t("Items", *(view.calendar_item(folder, item, reader) for item in shown))
    root = m("RootFolder", items, TotalItemsInView=str(total), IncludesLastItemInRange=truth(last))
    if offset is not None:
        root.set("IndexedPagingOffset", str(offset))
    return root
