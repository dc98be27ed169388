"""Finding what a request names, as far as the caller may see it.

Sources: "FolderId", "DistinguishedFolderId" (its Mailbox says whose), "ItemId", "OccurrenceItemId",
"RecurringMasterItemId"; error codes: "ResponseCode".
"""

from meetings.adapters.exchange.simulator import occurrences
from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.ids import read_change_key, read_id
from meetings.adapters.exchange.simulator.request import Request
from meetings.adapters.exchange.simulator.soap import Element, local, text
from meetings.adapters.exchange.simulator.versions import EXCHANGE_2013
from meetings.adapters.exchange.simulator.world import RIGHTS, Account, CalendarItem, Folder

_KNOWN = """calendar contacts deleteditems drafts inbox journal notes outbox sentitems tasks msgfolderroot root
junkemail searchfolders voicemail publicfoldersroot recoverableitemsroot recoverableitemsdeletions
recoverableitemsversions recoverableitemspurges archiveroot archivemsgfolderroot archivedeleteditems
archiverecoverableitemsroot archiverecoverableitemsdeletions archiverecoverableitemsversions
archiverecoverableitemspurges""".split()
_KNOWN_2013 = """syncissues conflicts localfailures serverfailures recipientcache quickcontacts conversationhistory
adminauditlogs todosearch mycontacts directory imcontactlist peopleconnect favorites archiveinbox""".split()


def folder(request: Request, named: Element, at_least: str = "reader") -> Folder:
    """The folder that a FolderId or DistinguishedFolderId names.

    Raises:
        EwsError: ErrorFolderNotFound, ErrorAccessDenied, ErrorNonExistentMailbox, or what `lose_access` said.
    """
    found = _distinguished(request, named) if local(named) == "DistinguishedFolderId" else _by_id(request, named)
    check(request, found, at_least)
    return found


def check(request: Request, found: Folder, at_least: str) -> None:
    open_mailbox(request, found.mailbox)
    if found.lost is not None:
        raise EwsError(found.lost)
    if RIGHTS.index(found.rights) < RIGHTS.index(at_least):
        raise EwsError("ErrorAccessDenied")


def open_mailbox(request: Request, account: Account) -> None:
    """Raises EwsError when there is no mailbox, it is on the move, or belongs to others (that code is assumed)."""
    if not account.has_mailbox:
        raise EwsError("ErrorNonExistentMailbox")
    if account.moving:
        raise EwsError("ErrorMailboxMoveInProgress")
    if account is not request.account and request.account.email not in account.delegates:
        raise EwsError("ErrorFolderNotFound")


def item(request: Request, named: Element, at_least: str = "reader") -> tuple[Folder, CalendarItem]:
    """The item, occurrence or series that an ItemId, OccurrenceItemId or RecurringMasterItemId names.

    Raises:
        EwsError: ErrorItemNotFound and other codes; ErrorInvalidIdMalformed.
    """
    kind = local(named)
    attribute = {"OccurrenceItemId": "RecurringMasterId", "RecurringMasterItemId": "OccurrenceId"}.get(kind, "Id")
    key = read_id(named.get(attribute, ""))
    if key.kind != "I":
        raise EwsError("ErrorInvalidId")
    if named.get("ChangeKey"):
        read_change_key(named.get("ChangeKey", ""))
    account = request.world.mailbox_of(key.mailbox)
    held = next((each for each in account.folders.values() if key.number in each.items), None) if account else None
    if held is None:
        raise EwsError("ErrorItemNotFound")
    check(request, held, at_least)
    found = held.items[key.number]
    if kind == "OccurrenceItemId":
        if found.recurrence is None:
            raise EwsError("ErrorCalendarCannotUseIdForOccurrenceId", "The id does not belong to a recurring master.")
        return held, occurrences.by_index(found, int(named.get("InstanceIndex", "0")))
    if key.original is not None and kind == "ItemId":
        return held, occurrences.existing(found, key.original)
    return held, found


def is_stale(named: Element, found: CalendarItem) -> bool:
    """Whether the change key is of another version than the item's ("ConflictResolution")."""
    return read_change_key(named.get("ChangeKey", "")) != found.version


def _by_id(request: Request, named: Element) -> Folder:
    if local(named) != "FolderId":
        raise invalid_schema(f"The element '{local(named)}' is not a folder id.")
    key = read_id(named.get("Id", ""))
    if key.kind != "F":
        raise EwsError("ErrorInvalidFolderId")
    account = request.world.mailbox_of(key.mailbox)
    found = account.folders.get(key.number) if account else None
    if found is None:
        raise EwsError("ErrorFolderNotFound")
    return found


def _distinguished(request: Request, named: Element) -> Folder:
    name = named.get("Id", "")
    newer = _KNOWN_2013 if request.version.release >= EXCHANGE_2013.release else []
    if name not in _KNOWN and name not in newer:
        raise invalid_schema(
            f"The 'Id' attribute is invalid - The value '{name}' is invalid according to its datatype "
            "'http://schemas.microsoft.com/exchange/services/2006/types:DistinguishedFolderIdNameType'."
        )
    email = text(named, "t:Mailbox/t:EmailAddress")
    account = request.world.account(email) if email else request.account
    if account is None:
        raise EwsError("ErrorNonExistentMailbox")
    open_mailbox(request, account)
    found = account.distinguished("msgfolderroot" if name == "root" else name)
    if found is None:
        raise EwsError("ErrorFolderNotFound")
    return found
