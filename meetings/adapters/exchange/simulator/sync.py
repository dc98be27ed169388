"""SyncFolderItems ("SyncFolderItems operation", MS-OXWSSYNC): what changed in a folder since a state.

Series and single items come along, occurrences do not; an occurrence that changes is a change of its series. A removed
item leaves its id. The state is opaque; one that was expired, or of another folder, is ErrorInvalidSyncStateData.
"""

import base64
import json
from collections.abc import Callable
from functools import partial

from meetings.adapters.exchange.simulator import access, mail_view, view
from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.ids import Key
from meetings.adapters.exchange.simulator.request import Request, each, success
from meetings.adapters.exchange.simulator.shapes import item_shape
from meetings.adapters.exchange.simulator.soap import Element, children, find, m, t, text, truth
from meetings.adapters.exchange.simulator.view import Reader
from meetings.adapters.exchange.simulator.world import Folder


def sync_folder_items(request: Request) -> Element:
    def one(_: Element) -> Element:
        named = next(children(find(request.element, "m:SyncFolderId")), None)
        if named is None:
            raise invalid_schema("The element 'SyncFolderItems' has incomplete content.")
        folder = access.folder(request, named)
        since = _since(folder, text(request.element, "m:SyncState"))
        reader = Reader(item_shape(request.element, request.version, finding=True), request.zone, request.version, True)
        found = _changes(folder, since, reader)
        most = _most(request)
        shown = found[:most]
        last = len(found) <= most
        reached = folder.change if last else shown[-1][0]
        return success(
            "SyncFolderItems",
            m("SyncState", _state(folder, reached)),
            m("IncludesLastItemInRange", truth(last)),
            m("Changes", *(told() for _, told in shown)),
        )

    return each("SyncFolderItems", [request.element], one)


def _most(request: Request) -> int:
    most = int(text(request.element, "m:MaxChangesReturned", "0"))
    if not 1 <= most <= 512:
        raise invalid_schema(f"The 'MaxChangesReturned' element is invalid - The value '{most}' is invalid.")
    return min(most, request.settings.sync_limit)


def _changes(folder: Folder, since: int, reader: Reader) -> list[tuple[int, Callable[[], Element]]]:
    """(number of the change, what makes its Create, Update or Delete), oldest change first."""
    found: list[tuple[int, Callable[[], Element]]] = []
    for item in folder.items.values():
        if item.change > since:
            tag = "Create" if item.created_change > since else "Update"
            found.append((item.change, partial(_told, tag, view.calendar_item, folder, item, reader)))
    for mail in folder.mails.values():
        if mail.change > since:
            tag = "Create" if mail.created_change > since else "Update"
            found.append((mail.change, partial(_told, tag, mail_view.message, folder, mail, reader)))
    for number, (change, born) in folder.gone.items():
        if change > since >= born:
            key = Key("I", folder.mailbox.guid, number)
            found.append((change, partial(t, "Delete", t("ItemId", Id=key.to_text()))))
    return sorted(found, key=lambda each: each[0])


def _told(tag: str, shown: Callable[..., Element], *about: object) -> Element:
    return t(tag, shown(*about))


def _state(folder: Folder, change: int) -> str:
    # Real states are longer than what they have to say, too.
    own = {"folder": folder.id, "epoch": folder.sync_epoch, "change": change, "padding": "." * 600}
    return base64.b64encode(json.dumps(own).encode()).decode()


def _since(folder: Folder, state: str) -> int:
    if not state:
        return 0
    try:
        own = json.loads(base64.b64decode(state, validate=True))
        if (own["folder"], own["epoch"]) != (folder.id, folder.sync_epoch):
            raise EwsError("ErrorInvalidSyncStateData")
        return int(own["change"])
    except (ValueError, KeyError, TypeError):
        raise EwsError("ErrorInvalidSyncStateData") from None
