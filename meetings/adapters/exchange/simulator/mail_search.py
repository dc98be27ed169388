"""Which mails a restriction of FindItem finds, and in which order ("Restriction", "SortOrder").

Source: MS-OXWSSRCH 2.2.4.2. Only paths that a mailbox is followed by are simulated.
"""

from datetime import datetime
from functools import partial

from meetings.adapters.exchange.simulator.errors import EwsError
from meetings.adapters.exchange.simulator.mail_item import MailItem
from meetings.adapters.exchange.simulator.restrictions import Value, matches
from meetings.adapters.exchange.simulator.shapes import property_key
from meetings.adapters.exchange.simulator.soap import Element, children, local, text
from meetings.adapters.exchange.simulator.world import Folder


def matching(folder: Folder, restriction: Element | None) -> list[MailItem]:
    """In the order they came into the folder."""
    return [mail for mail in folder.mails.values() if matches(restriction, partial(_value, mail))]


def in_order(mails: list[MailItem], orders: list[Element]) -> list[MailItem]:
    """Raises EwsError ErrorUnsupportedPathForSortGroup."""
    for order in reversed(orders):
        path = next(children(order))
        if path.get("FieldURI") != "item:DateTimeReceived":
            raise EwsError("ErrorUnsupportedPathForSortGroup", "The property cannot be sorted by here.")
        mails = sorted(mails, key=_received, reverse=order.get("Order") == "Descending")
    return mails


def _received(mail: MailItem) -> datetime:
    return mail.received_at


def _value(mail: MailItem, path: Element) -> Value:
    """Raises EwsError ErrorUnsupportedPathForQuery."""
    if local(path) == "ExtendedFieldURI":
        held = mail.extended.get(property_key(path))
        return None if held is None else text(held, "t:Value")
    simple: dict[str, Value] = {
        "item:Subject": mail.header("Subject"),
        "item:ItemClass": mail.item_class,
        "item:DateTimeReceived": mail.received_at,
        "message:InternetMessageId": mail.message_id,
    }
    if path.get("FieldURI", "") not in simple:
        raise EwsError("ErrorUnsupportedPathForQuery")
    return simple[path.get("FieldURI", "")]
