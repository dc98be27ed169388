"""The Message element, its children in the order of the schema (MS-OXWSCORE 2.2.4.24, MS-OXWSMSG 2.2.4.1).

What FindItem and SyncFolderItems do not return: "EWS property sets and response shapes"; recipients, bodies, headers
and MIME content are among it.
"""

import base64
import copy

from meetings.adapters.exchange.simulator.bodies import body
from meetings.adapters.exchange.simulator.identity import folder_id, mailbox
from meetings.adapters.exchange.simulator.ids import Key, change_key
from meetings.adapters.exchange.simulator.mail_item import MailItem, readable
from meetings.adapters.exchange.simulator.soap import Element, t, truth
from meetings.adapters.exchange.simulator.times import written
from meetings.adapters.exchange.simulator.view import Reader
from meetings.adapters.exchange.simulator.world import Folder, Person

_ORDER = """MimeContent ItemId ParentFolderId ItemClass Subject Body DateTimeReceived Size InReplyTo IsDraft
InternetMessageHeaders DateTimeSent DateTimeCreated HasAttachments ExtendedProperty Sender ToRecipients CcRecipients
BccRecipients From InternetMessageId IsRead References""".split()
_NOT_FOUND = frozenset("MimeContent Body InternetMessageHeaders ToRecipients CcRecipients BccRecipients".split())


def message(folder: Folder, mail: MailItem, reader: Reader) -> Element:
    made = t("Message")
    for name in _ORDER:
        if name == "ItemId":
            made.append(item_id(folder, mail))
        elif name == "ExtendedProperty":
            shown = (mail.extended[key] for key in reader.shape.extended if key in mail.extended)
            made.extend(copy.deepcopy(each) for each in shown)
        elif name in reader.shape.names and not (reader.finding and name in _NOT_FOUND):
            value = _value(name, folder, mail, reader)
            if value is not None:
                made.append(value)
    return made


def item_id(folder: Folder, mail: MailItem) -> Element:
    key = Key("I", folder.mailbox.guid, mail.number)
    return t("ItemId", Id=key.to_text(), ChangeKey=change_key("I", mail.version))


def _value(name: str, folder: Folder, mail: MailItem, reader: Reader) -> Element | None:
    if name == "MimeContent":
        return t(name, base64.b64encode(mail.raw).decode(), CharacterSet="UTF-8")
    if name == "ParentFolderId":
        return folder_id(folder, name)
    if name == "Body":
        kind, content = mail.body()
        return body(t("Body", content, BodyType=kind), reader.shape.body)
    if name == "InternetMessageHeaders":
        return _headers(mail)
    if name in ("Sender", "From", "ToRecipients", "CcRecipients", "BccRecipients"):
        return _people(name, mail)
    said = _text(name, mail, reader)
    return t(name, said) if said else None


def _text(name: str, mail: MailItem, reader: Reader) -> str:
    if name in ("DateTimeReceived", "DateTimeSent", "DateTimeCreated"):
        return written(mail.received_at, reader.zone)
    return {
        "ItemClass": mail.item_class,
        "Subject": mail.header("Subject"),
        "Size": str(len(mail.raw)),
        "InReplyTo": mail.header("In-Reply-To"),
        "IsDraft": truth(mail.draft),
        "HasAttachments": "false",
        "InternetMessageId": mail.message_id,
        "IsRead": truth(mail.read),
        "References": mail.header("References"),
    }[name]


def _headers(mail: MailItem) -> Element | None:
    """Only what came from elsewhere has headers (assumed: a sent mail has none)."""
    made = t("InternetMessageHeaders")
    for name, value in mail.headers() if mail.arrived else ():
        made.append(t("InternetMessageHeader", value, HeaderName=readable(name)))
    return made if len(made) else None


def _people(name: str, mail: MailItem) -> Element | None:
    header = {"Sender": "From", "From": "From", "ToRecipients": "To", "CcRecipients": "Cc", "BccRecipients": "Bcc"}
    people = [mailbox(Person(called or address, address)) for called, address in mail.people(header[name])]
    if not people:
        return None
    return t(name, people[0]) if name in ("Sender", "From") else t(name, *people)
