"""The operations of Exchange Web Services on mails, each one request. Imports exchangelib.

Sources: the EWS reference (Microsoft Learn), one page per operation; only what the schema of Exchange 2010 SP2 knows.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exchangelib import services
from exchangelib.fields import FieldOrder
from exchangelib.items import ID_ONLY, SEND_AND_SAVE_COPY, SEND_TO_NONE, SHALLOW, Message
from exchangelib.properties import FolderId, ItemId
from exchangelib.util import create_element

from meetings.adapters.exchange.booking_event import PROPERTY_SET
from meetings.adapters.exchange.event_operations import GetItem, GetText
from meetings.adapters.exchange.mail_properties import (
    ATTRIBUTE,
    BODY,
    COUNTED,
    HEADER,
    MIME,
    OWN_ID,
    RECEIVED,
    SENT,
)
from meetings.adapters.exchange.operations import (
    Equals,
    FindFolder,
    FindItem,
    Page,
    folder_with,
    own_folder,
)
from meetings.adapters.exchange.refusals import Refused
from meetings.adapters.exchange.soap import Mailbox, Single

Element = Any

MAIL_CLASS = "IPF.Note"


# ---- folders --------------------------------------------------------------------------------------------------------


class _GetFolders(Single, services.GetFolder):
    """A folder that cannot be had is an answer, among others that can."""

    ERRORS_TO_CATCH_IN_RESPONSE = (Refused,)


def folders_by_role(mailbox: Mailbox, *roles: str) -> list[Element | Refused]:
    """The folders with these roles, in order."""
    return _GetFolders(mailbox).ask(
        folders=[own_folder(role) for role in roles], additional_fields=COUNTED, shape=ID_ONLY
    )


def mail_folders(mailbox: Mailbox, *, page_size: int, offset: int) -> Page:
    """Folders for mail anywhere in the mailbox, with how much they hold."""
    return FindFolder(mailbox).ask_one(
        folders=[own_folder("msgfolderroot")],
        additional_fields=COUNTED,
        restriction=Equals(create_element("t:FieldURI", attrs={"FieldURI": "folder:FolderClass"}), MAIL_CLASS),
        shape=ID_ONLY,
        depth="Deep",
        page_size=page_size,
        offset=offset,
    )


# ---- what is in them ------------------------------------------------------------------------------------------------


class _NotBefore:
    """A restriction: mails that came at an instant or later."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def to_xml(self, version: Any) -> Element:
        constant = create_element("t:FieldURIOrConstant")
        constant.append(create_element("t:Constant", attrs={"Value": f"{self._instant:%Y-%m-%dT%H:%M:%S}Z"}))
        later = create_element("t:IsGreaterThanOrEqualTo")
        later.append(create_element("t:FieldURI", attrs={"FieldURI": "item:DateTimeReceived"}))
        later.append(constant)
        restriction = create_element("m:Restriction")
        restriction.append(later)
        return restriction


def received_since(mailbox: Mailbox, folder: str, instant: datetime, *, page_size: int, offset: int) -> Page:
    """The ids of the mails in a folder that came at `instant` (aware, UTC) or later, the oldest first: what comes
    meanwhile stands behind them."""
    return FindItem(mailbox).ask_one(
        folders=[folder_with(folder)],
        additional_fields=None,
        restriction=_NotBefore(instant),
        order_fields=[FieldOrder(field_path=RECEIVED[0], reverse=False)],
        query_string=None,
        shape=ID_ONLY,
        depth=SHALLOW,
        calendar_view=None,
        page_size=page_size,
        offset=offset,
    )


class _GetItems(GetItem):
    """An item that cannot be had is an answer, among others that can."""

    ERRORS_TO_CATCH_IN_RESPONSE = (Refused,)


def headers(mailbox: Mailbox, mail_ids: Sequence[str]) -> list[Element]:
    """What stands above these mails; those that are gone are left out."""
    items = [ItemId(id=mail_id) for mail_id in mail_ids]
    found = _GetItems(mailbox).ask(items=items, additional_fields=HEADER, shape=ID_ONLY) if items else []
    for each in found:
        if isinstance(each, Refused) and not each.says_gone:
            raise each
    return [each for each in found if not isinstance(each, Refused)]


def mime(mailbox: Mailbox, mail_id: str) -> Element:
    """One mail as it travelled."""
    (element,) = GetItem(mailbox).ask(items=[ItemId(id=mail_id)], additional_fields=MIME, shape=ID_ONLY)
    return element


def text(mailbox: Mailbox, mail_id: str) -> Element:
    """One mail with what it says, as text."""
    (element,) = GetText(mailbox).ask(items=[ItemId(id=mail_id)], additional_fields=BODY, shape=ID_ONLY)
    return element


# ---- sending --------------------------------------------------------------------------------------------------------


class _CreateItem(Single, services.CreateItem):
    pass


def send(mailbox: Mailbox, content: bytes, message_id: str) -> None:
    """Send a mail as it is written, and keep a copy that carries `message_id` as our property."""
    mail = Message(account=mailbox, mime_content=content, **{ATTRIBUTE: message_id})
    _CreateItem(mailbox).ask(
        items=[mail],
        folder=own_folder("sentitems"),
        message_disposition=SEND_AND_SAVE_COPY,
        send_meeting_invitations=SEND_TO_NONE,
    )


def sent_as(mailbox: Mailbox, message_id: str, *places: FolderId) -> list[Element]:
    """The mails in these folders that carry `message_id` as our property."""
    attributes = {"PropertySetId": PROPERTY_SET, "PropertyName": OWN_ID, "PropertyType": "String"}
    pages = FindItem(mailbox).ask(
        folders=list(places),
        additional_fields=SENT,
        restriction=Equals(create_element("t:ExtendedFieldURI", attrs=attributes), message_id),
        order_fields=None,
        query_string=None,
        shape=ID_ONLY,
        depth=SHALLOW,
        calendar_view=None,
        page_size=10,
    )
    return [element for page in pages for element in page.elements]
