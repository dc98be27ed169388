"""GetFolder, FindFolder and SyncFolderHierarchy ("GetFolder operation" and its siblings; MS-OXWSFOLD, MS-OXWSSRCH)."""

import base64
import json

from meetings.adapters.exchange.simulator import access, identity
from meetings.adapters.exchange.simulator.errors import EwsError
from meetings.adapters.exchange.simulator.request import Request, each, success
from meetings.adapters.exchange.simulator.restrictions import matches_folder
from meetings.adapters.exchange.simulator.shapes import Shape, folder_shape
from meetings.adapters.exchange.simulator.soap import Element, children, find, m, t, truth
from meetings.adapters.exchange.simulator.world import Folder

_TAGS = {"IPF.Appointment": "CalendarFolder", "IPF.Contact": "ContactsFolder", "IPF.Task": "TasksFolder"}
# "EWS property sets and response shapes in EWS in Exchange": what the default shape of a folder shows.
_DEFAULT = {"DisplayName", "TotalCount", "ChildFolderCount", "UnreadCount"}
_NAMES = "ParentFolderId FolderClass DisplayName TotalCount ChildFolderCount EffectiveRights UnreadCount".split()


def get_folder(request: Request) -> Element:
    shape = folder_shape(request.element)

    def one(named: Element) -> Element:
        return success("GetFolder", m("Folders", _folder(access.folder(request, named, "none"), shape)))

    return each("GetFolder", children(find(request.element, "m:FolderIds")), one)


def find_folder(request: Request) -> Element:
    """Shallow gives the children of each folder, Deep everything below; SoftDeleted finds nothing here."""
    shape = folder_shape(request.element)
    deep = request.element.get("Traversal") == "Deep"
    restriction = find(request.element, "m:Restriction")

    def one(named: Element) -> Element:
        parent = access.folder(request, named, "none")
        found = [] if request.element.get("Traversal") == "SoftDeleted" else _below(parent, deep=deep)
        seen = [each for each in found if each.lost is None and matches_folder(restriction, each)]
        return success("FindFolder", _page(request, seen, shape))

    return each("FindFolder", children(find(request.element, "m:ParentFolderIds")), one)


def sync_folder_hierarchy(request: Request) -> Element:
    """The folders of the mailbox when there is no state; later all again when any folder came or went (assumed)."""
    named = next(children(find(request.element, "m:SyncFolderId")), None)
    shape = folder_shape(request.element)

    def one(_: Element) -> Element:
        root = access.folder(request, named, "none") if named is not None else _root(request)
        state = find(request.element, "m:SyncState")
        seen = _read_state(state.text or "") if state is not None and state.text else {}
        now = {str(each.number): each.version for each in _below(root, deep=True) if each.lost is None}
        changes = m("Changes")
        for folder in _below(root, deep=True):
            if str(folder.number) in now and str(folder.number) not in seen:
                changes.append(t("Create", _folder(folder, shape)))
        return success(
            "SyncFolderHierarchy",
            m("SyncState", base64.b64encode(json.dumps(now).encode()).decode()),
            m("IncludesLastFolderInRange", "true"),
            changes,
        )

    return each("SyncFolderHierarchy", [request.element], one)


def _root(request: Request) -> Folder:
    access.open_mailbox(request, request.account)
    root = request.account.distinguished("msgfolderroot")
    assert root is not None
    return root


def _read_state(text: str) -> dict[str, int]:
    try:
        found = json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        raise EwsError("ErrorInvalidSyncStateData") from None
    return found if isinstance(found, dict) else {}


def _below(parent: Folder, *, deep: bool) -> list[Folder]:
    own = [each for each in parent.mailbox.folders.values() if each.parent == parent.number]
    return own if not deep else [found for each in own for found in (each, *_below(each, deep=True))]


def _page(request: Request, found: list[Folder], shape: Shape) -> Element:
    page = find(request.element, "m:IndexedPageFolderView")
    limit = request.settings.find_limit
    first = 0 if page is None else int(page.get("Offset", "0"))
    most = limit if page is None else min(int(page.get("MaxEntriesReturned", limit)), limit)
    shown = found[first : first + most]
    made = m("RootFolder", t("Folders", *(_folder(each, shape) for each in shown)), TotalItemsInView=str(len(found)))
    made.set("IncludesLastItemInRange", truth(first + most >= len(found)))
    if page is not None:
        made.set("IndexedPagingOffset", str(first + len(shown)))
    return made


def _folder(folder: Folder, shape: Shape) -> Element:
    made = t(_TAGS.get(folder.kind, "Folder"), identity.folder_id(folder))
    for name in _NAMES:
        if name in shape.names or shape.base == "AllProperties" or (shape.base == "Default" and name in _DEFAULT):
            value = _value(name, folder)
            if value is not None:
                made.append(value)
    return made


def _value(name: str, folder: Folder) -> Element | None:
    if name == "ParentFolderId":
        parent = folder.mailbox.folders.get(folder.parent or 0)
        return None if parent is None else identity.folder_id(parent, "ParentFolderId")
    if name == "UnreadCount" and folder.kind in _TAGS and folder.kind != "IPF.Task":
        return None  # calendars and contacts have none in the schema
    if name == "EffectiveRights":
        return identity.effective_rights(folder)
    counted = {
        "FolderClass": folder.kind,
        "DisplayName": folder.name,
        "TotalCount": str(len(folder.items) + len(folder.mails)),
        "UnreadCount": str(sum(not mail.read for mail in folder.mails.values())),
        "ChildFolderCount": str(len(_below(folder, deep=False))),
    }
    return t(name, counted[name])
