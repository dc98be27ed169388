"""GetItem and CreateItem, UpdateItem and DeleteItem for calendar items (MS-OXWSMTGS, and the operations' pages).

Mails are read and sent (`mail_post`).
"""

from meetings.adapters.exchange.simulator import access, invitations, mail_post, mail_view, occurrences, view, writing
from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.removal import remove
from meetings.adapters.exchange.simulator.request import Request, each, success
from meetings.adapters.exchange.simulator.shapes import Shape, item_shape
from meetings.adapters.exchange.simulator.soap import Element, children, find, local, m, t
from meetings.adapters.exchange.simulator.view import Reader
from meetings.adapters.exchange.simulator.world import CalendarItem, Folder

_SENDS = ("SendToNone", "SendOnlyToAll", "SendToAllAndSaveCopy")
_UPDATES = (*_SENDS, "SendOnlyToChanged", "SendToChangedAndSaveCopy")
_ANSWERS = {"AcceptItem": "Accept", "TentativelyAcceptItem": "Tentative", "DeclineItem": "Decline"}


def get_item(request: Request) -> Element:
    def one(named: Element) -> Element:
        shape = item_shape(request.element, request.version)
        mail = mail_post.found(request, named)
        if mail is not None:
            reader = Reader(shape, request.zone, request.version)
            return success("GetItem", m("Items", mail_view.message(*mail, reader)))
        folder, item = access.item(request, named)
        return success("GetItem", _shown(request, folder, item, shape))

    return each("GetItem", children(find(request.element, "m:ItemIds")), one)


def create_item(request: Request) -> Element:
    """A mail to send, a new calendar item, or an answer to one: AcceptItem, TentativelyAcceptItem, DeclineItem,
    CancelCalendarItem.

    A calendar item stands in SavedItemFolderId, else in the default calendar. Invitations go out when
    SendMeetingInvitations says so; without that attribute it is refused ("CreateItem operation (calendar item)").
    """

    def one(given: Element) -> Element:
        if local(given) == "Message":
            return mail_post.create(request, given)
        if local(given) in _ANSWERS:
            return _answered(request, given)
        if local(given) == "CancelCalendarItem":
            return _cancelled(request, given)
        if local(given) != "CalendarItem":
            raise EwsError("ErrorInvalidOperation", f"A {local(given)} is not simulated.")
        return _created(request, given)

    return each("CreateItem", children(find(request.element, "m:Items")), one)


def update_item(request: Request) -> Element:
    resolution = request.element.get("ConflictResolution")
    if resolution not in ("NeverOverwrite", "AutoResolve", "AlwaysOverwrite"):
        raise invalid_schema("The required attribute 'ConflictResolution' is missing.")

    def one(change: Element) -> Element:
        return _updated(request, change, resolution)

    return each("UpdateItem", children(find(request.element, "m:ItemChanges")), one)


def delete_item(request: Request) -> Element:
    kind = request.element.get("DeleteType")
    if kind not in ("HardDelete", "SoftDelete", "MoveToDeletedItems"):
        raise invalid_schema("The required attribute 'DeleteType' is missing.")

    def one(named: Element) -> Element:
        folder, item = access.item(request, named, "writer")
        sends = _sends(request, "SendMeetingCancellations", _SENDS, "ErrorSendMeetingCancellationsRequired")
        remove(request.world, folder, item, keep=kind == "MoveToDeletedItems", tell=sends != "SendToNone")
        return success("DeleteItem")

    return each("DeleteItem", children(find(request.element, "m:ItemIds")), one)


def _created(request: Request, given: Element) -> Element:
    world = request.world
    sends = _sends(request, "SendMeetingInvitations", _SENDS, "ErrorSendMeetingInvitationsRequired")
    folder = _target(request)
    if not folder.is_calendar:
        raise EwsError("ErrorCannotCreateCalendarItemInNonCalendarFolder")
    item = writing.new_item(request.writer, folder, given)
    _check_addresses(item, sends)
    world.put(folder, item)
    if sends != "SendToNone" and item.attendees:
        invitations.send(world, folder, None, item, changed_only=False)
    return success("CreateItem", _shown(request, folder, item, Shape("IdOnly")))


def _updated(request: Request, change: Element, resolution: str) -> Element:
    """One ItemChange. A stale change key conflicts under NeverOverwrite; AutoResolve overwrites, as it does "in most
    cases" ("ConflictResolutionType"; the others, such as Sensitivity, are not simulated).
    """
    world = request.world
    named = next(children(change))
    sends = _sends(
        request, "SendMeetingInvitationsOrCancellations", _UPDATES, "ErrorSendMeetingInvitationsOrCancellationsRequired"
    )
    folder, item = access.item(request, named, "writer")
    if resolution != "AlwaysOverwrite" and local(named) == "ItemId":
        if not named.get("ChangeKey"):
            raise EwsError("ErrorChangeKeyRequiredForWriteOperations")
        if resolution == "NeverOverwrite" and access.is_stale(named, item):
            raise EwsError("ErrorIrresolvableConflict")
    updates = find(change, "t:Updates")
    if updates is None:
        raise invalid_schema("The element 'ItemChange' has incomplete content.")
    before, draft = item.copied(), item.copied()
    writing.change_item(request.writer, draft, updates)
    _check_addresses(draft, sends)
    if item.master is not None and item.original is not None:
        item = occurrences.changed(item.master, item.original)
    writing.change_item(request.writer, item, updates)
    item.sequence += 1
    world.touch(folder, item)
    if sends != "SendToNone" and item.response == "Organizer":
        only = sends in ("SendOnlyToChanged", "SendToChangedAndSaveCopy")
        invitations.send(world, folder, before, item, changed_only=only)
    shown = _shown(request, folder, item, Shape("IdOnly"))
    return success("UpdateItem", shown, m("ConflictResults", t("Count", "0")))


def _answered(request: Request, given: Element) -> Element:
    """Declining moves the item to Deleted Items, as Outlook does ("DeclineItem")."""
    folder, item = _referenced(request, given)
    if item.response == "Organizer":
        raise EwsError("ErrorCalendarIsOrganizerForAccept", "The organizer cannot answer an own meeting.")
    response = _ANSWERS[local(given)]
    invitations.respond(request.world, folder, item, response)
    if response == "Decline":
        remove(request.world, folder, item, keep=True, tell=False)
    return success("CreateItem", m("Items"))


def _cancelled(request: Request, given: Element) -> Element:
    """The organizer calls the meeting off: guests are told, the item moves to Deleted Items ("CancelCalendarItem")."""
    folder, item = _referenced(request, given)
    if item.response != "Organizer":
        raise EwsError("ErrorCalendarIsNotOrganizer", "You must be the organizer to perform this action.")
    remove(request.world, folder, item, keep=True, tell=True)
    return success("CreateItem", m("Items"))


def _referenced(request: Request, given: Element) -> tuple[Folder, CalendarItem]:
    named = find(given, "t:ReferenceItemId")
    if named is None:
        raise EwsError("ErrorInvalidReferenceItem", "The reference item is missing.")
    return access.item(request, named, "writer")


def _target(request: Request) -> Folder:
    named = next(children(find(request.element, "m:SavedItemFolderId")), t("DistinguishedFolderId", Id="calendar"))
    return access.folder(request, named, "writer")


def _sends(request: Request, attribute: str, allowed: tuple[str, ...], missing: str) -> str:
    value = request.element.get(attribute)
    if value is None:
        raise EwsError(missing)
    if value not in allowed:
        raise invalid_schema(f"The '{attribute}' attribute is invalid - The value '{value}' is invalid.")
    return value


def _check_addresses(item: CalendarItem, sends: str) -> None:
    if sends != "SendToNone" and not writing.addresses_are_valid(item):
        raise EwsError("ErrorInvalidRecipients")


def _shown(request: Request, folder: Folder, item: CalendarItem, shape: Shape) -> Element:
    return m("Items", view.calendar_item(folder, item, Reader(shape, request.zone, request.version)))
