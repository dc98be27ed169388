"""The operations of Exchange Web Services that read, each one request; answers are XML elements for `wire`.

Importing this module imports exchangelib: only threads that call Exchange do. Sources: the EWS reference (Microsoft
Learn), one page per operation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from exchangelib import services
from exchangelib.errors import UnknownTimeZone
from exchangelib.ewsdatetime import EWSDateTime, EWSTimeZone
from exchangelib.items import ID_ONLY, SHALLOW
from exchangelib.properties import (
    CalendarView,
    DistinguishedFolderId,
    EWSElement,
    FolderId,
    UserConfigurationNameMNS,
)
from exchangelib.properties import Mailbox as Address
from exchangelib.util import MNS, create_element

from meetings.adapters.exchange.named_properties import EVENT, FOLDER
from meetings.adapters.exchange.refusals import Refused
from meetings.adapters.exchange.soap import Mailbox, Single
from meetings.adapters.exchange.wire import CALENDAR_CLASS
from meetings.domain.timespan import TimeSpan

Element = Any

SYNC_LARGEST = 512
"""MaxChangesReturned goes no further ("SyncFolderItems operation")."""


@dataclass(frozen=True, slots=True)
class Page:
    """Elements of one answer, of `total`; `complete` when it holds the last, `next` is the offset to go on from."""

    elements: tuple[Element, ...]
    complete: bool
    total: int
    next: int | None = None

    @property
    def whole(self) -> bool:
        """Whether all there is stands here. One that is short of elements is not, whatever it says of itself: an
        event that is missing would be taken for free time."""
        return self.complete and len(self.elements) >= self.total


@dataclass(frozen=True, slots=True)
class SyncPage:
    """Changes of one answer, and the state to go on from; `complete` when there are no more now."""

    entries: tuple[Element, ...]
    state: str
    complete: bool


# ---- folders --------------------------------------------------------------------------------------------------------


def folder_with(folder_id: str) -> FolderId:
    return FolderId(id=folder_id)


class OwnFolder(DistinguishedFolderId):
    """A folder by its role. Without a mailbox it is that of whoever signs in; exchangelib would insist on one."""

    __slots__ = ()

    def clean(self, version: Any = None) -> None:
        EWSElement.clean(self, version=version)


def own_folder(role: str) -> OwnFolder:
    return OwnFolder(id=role)


def folder_of(role: str, address: str) -> OwnFolder:
    """The folder with this role in the mailbox with this address."""
    return OwnFolder(id=role, mailbox=Address(email_address=address))


class _GetFolder(Single, services.GetFolder):
    pass


def folders(mailbox: Mailbox, *asked: FolderId) -> list[Element]:
    """These folders, in order. One that cannot be had refuses the whole question."""
    return _GetFolder(mailbox).ask(folders=list(asked), additional_fields=FOLDER, shape=ID_ONLY)


class _Pages(Single):
    """For services that answer in pages: pages instead of what is in them."""

    # Given by the service.
    element_container_name: str
    paging_container_name: str
    _get_element_container: Callable[..., Element]

    def ask_one(self, **named: Any) -> Page:
        """The one page of an answer about one folder. Arguments are those of `ask`."""
        page: Page
        (page,) = self.ask(**named)
        return page

    def _get_page(self, message: Element) -> Page:
        container = self._get_element_container(message=message, name=self.paging_container_name)
        inside = container.find(self.element_container_name)
        elements = tuple(inside) if inside is not None else ()
        complete = container.get("IncludesLastItemInRange", "").lower() in ("true", "1")
        offset = container.get("IndexedPagingOffset", "")
        return Page(
            elements=elements,
            complete=complete,
            total=int(container.get("TotalItemsInView", len(elements))),
            next=int(offset) if offset.isdigit() and not complete else None,
        )


class FindFolder(_Pages, services.FindFolder):
    pass


def calendar_folders(mailbox: Mailbox, *, page_size: int, offset: int) -> Page:
    """Folders for appointments anywhere in the mailbox."""
    return FindFolder(mailbox).ask_one(
        folders=[own_folder("msgfolderroot")],
        additional_fields=FOLDER,
        restriction=Equals(_folder_class(), CALENDAR_CLASS),
        shape=ID_ONLY,
        depth="Deep",
        page_size=page_size,
        offset=offset,
    )


class Equals:
    """A restriction: one property has one value."""

    def __init__(self, uri: Element, value: str) -> None:
        self._uri = uri
        self._value = value

    def to_xml(self, version: Any) -> Element:
        constant = create_element("t:FieldURIOrConstant")
        constant.append(create_element("t:Constant", attrs={"Value": self._value}))
        equals = create_element("t:IsEqualTo")
        equals.append(self._uri)
        equals.append(constant)
        restriction = create_element("m:Restriction")
        restriction.append(equals)
        return restriction


def _folder_class() -> Element:
    return create_element("t:FieldURI", attrs={"FieldURI": "folder:FolderClass"})


# ---- what is in a calendar ------------------------------------------------------------------------------------------


class FindItem(_Pages, services.FindItem):
    pass


def calendar_view(mailbox: Mailbox, folder: str, span: TimeSpan, *, largest: int) -> Page:
    """The events and instances of series that touch `span`; a page that is not `whole` cannot be gone on from."""
    end = span.end + timedelta(microseconds=-span.end.microsecond % 1_000_000)
    return FindItem(mailbox).ask_one(
        folders=[folder_with(folder)],
        additional_fields=EVENT,
        restriction=None,
        order_fields=None,
        query_string=None,
        shape=ID_ONLY,
        depth=SHALLOW,
        calendar_view=CalendarView(start=_utc(span.start.replace(microsecond=0)), end=_utc(end), max_items=largest),
        page_size=largest,
    )


def _utc(instant: datetime) -> EWSDateTime:
    return EWSDateTime.from_datetime(instant.astimezone(UTC))


class SyncFolderItems(Single, services.SyncFolderItems):
    def ask_one(self, **named: Any) -> SyncPage:
        """The one page of an answer. Arguments are those of `ask`."""
        page: SyncPage
        (page,) = self.ask(**named)
        return page

    def _get_elements_in_response(self, response: Any) -> Any:
        for message in response:
            container = self._get_element_container(message=message, name=self.element_container_name)
            yield SyncPage(
                entries=tuple(container),
                state=message.find(f"{{{MNS}}}SyncState").text or "",
                complete=message.find(self.last_in_range_name).text == "true",
            )

    def _get_element_container(self, message: Any, name: str | None = None) -> Any:
        return services.EWSService._get_element_container(self, message=message, name=name)


def sync(mailbox: Mailbox, folder: str, state: str | None, *, largest: int, fields: Any = EVENT) -> SyncPage:
    """The changes in a folder since `state`; without one, all that is in it. Series appear as one item.

    Of each item its id and `fields`.
    """
    return SyncFolderItems(mailbox).ask_one(
        folder=folder_with(folder),
        shape=ID_ONLY,
        additional_fields=fields,
        sync_state=state,
        ignore=None,
        max_changes_returned=min(largest, SYNC_LARGEST),
        sync_scope=None,
    )


# ---- the mailbox ----------------------------------------------------------------------------------------------------


class _GetUserConfiguration(Single, services.GetUserConfiguration):
    pass


def configuration(mailbox: Mailbox, name: str, folder: FolderId, kind: str) -> Element | None:
    """A configuration item of a folder; None where there is none. `kind` is Dictionary or XmlData."""
    try:
        (element,) = _GetUserConfiguration(mailbox).ask(
            user_configuration_name=UserConfigurationNameMNS(name=name, folder=folder), properties=kind
        )
    except Refused as refused:
        if refused.says_gone:
            return None
        raise
    return element


def iana_zone(windows: str) -> str | None:
    """The IANA name of a zone of Windows, by CLDR; None for one that is not in its table."""
    try:
        return str(EWSTimeZone.from_ms_id(windows).key)
    except (UnknownTimeZone, ValueError, OSError):
        return None


class _Subscribe(Single, services.SubscribeToStreaming):
    pass


def subscribe(mailbox: Mailbox, calendars: Sequence[str]) -> str:
    """The id of a new streaming subscription to these folders. Exchange forgets it half an hour after its stream."""
    kinds = ("CreatedEvent", "DeletedEvent", "ModifiedEvent", "MovedEvent", "CopiedEvent")
    (element,) = _Subscribe(mailbox).ask(folders=[folder_with(each) for each in calendars], event_types=kinds)
    return str(element.text)
