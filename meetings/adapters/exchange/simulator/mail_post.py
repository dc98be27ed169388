"""Mail on its way: out of a mailbox, into mailboxes here, and to people elsewhere.

Source: "CreateItem operation (e-mail message)". Mails keep the text and the headers they were made with, and arrive at
once (assumed; Exchange writes HTML anew and sends when it is ready).
"""

import base64
import binascii
import copy
import uuid
from datetime import datetime

from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.ids import read_id
from meetings.adapters.exchange.simulator.mail_item import MailItem, class_of
from meetings.adapters.exchange.simulator.request import Request, success
from meetings.adapters.exchange.simulator.shapes import property_key
from meetings.adapters.exchange.simulator.soap import Element, children, find, m, text
from meetings.adapters.exchange.simulator.world import Account, Folder, World


def create(request: Request, given: Element) -> Element:
    """A Message with MIME content, sent at once; a copy stands in SavedItemFolderId, which is the folder of sent mails
    unless said otherwise. The answer has no item: it is not known yet where the copy will be.

    Raises:
        EwsError: ErrorInvalidRecipients, ErrorSendAsDenied, ErrorMimeContentInvalid...; other dispositions are not
            simulated.
    """
    if request.element.get("MessageDisposition") != "SendAndSaveCopy":
        raise EwsError("ErrorInvalidOperation", "Only mails that are sent at once are simulated.")
    raw = _mime(given)
    sender = request.account
    mail = new_mail(request.world, raw)
    for each in children(given):
        uri = find(each, "t:ExtendedFieldURI")
        if uri is not None:
            mail.extended[property_key(uri)] = copy.deepcopy(each)
    _check(request.world, sender, mail)
    request.world.put_mail(_of(sender, "sentitems"), mail)
    carry(request.world, raw, mail.recipients)
    return success("CreateItem", m("Items"))


def new_mail(
    world: World,
    raw: bytes,
    *,
    received_at: datetime | None = None,
    arrived: bool = False,
    draft: bool = False,
    item_class: str | None = None,
) -> MailItem:
    """A mail that is in no folder yet. One that came from elsewhere is unread."""
    return MailItem(
        number=world.new_number(),
        raw=raw,
        received_at=(received_at or world.now()).replace(microsecond=0),
        spare_id=f"<{uuid.uuid4().hex}@exchange.example.com>",
        item_class=item_class or class_of(raw),
        arrived=arrived,
        draft=draft,
        read=not arrived,
    )


def carry(world: World, raw: bytes, recipients: list[str]) -> None:
    """Bring a mail to everybody it is for."""
    for address in dict.fromkeys(recipients):
        world.posted.append((address, raw))
        account = world.account(address)
        if account is not None and account.has_mailbox:
            world.put_mail(_of(account, "inbox"), new_mail(world, raw, arrived=True))


def found(request: Request, named: Element) -> tuple[Folder, MailItem] | None:
    """The mail that an ItemId names, in the mailbox of whoever asks; None when it names something else.

    Raises EwsError ErrorInvalidIdMalformed.
    """
    key = read_id(named.get("Id", "")) if named.get("Id") else None
    account = request.world.mailbox_of(key.mailbox) if key else None
    if key is None or account is not request.account:
        return None
    held = next((each for each in account.folders.values() if key.number in each.mails), None)
    return (held, held.mails[key.number]) if held is not None else None


def _mime(given: Element) -> bytes:
    content = text(given, "t:MimeContent")
    if not content:
        raise EwsError("ErrorInvalidOperation", "Only mails with MIME content are simulated.")
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise invalid_schema("The 'MimeContent' element is invalid.") from None


def _check(world: World, sender: Account, mail: MailItem) -> None:
    claimed = [address for _, address in mail.people("From")]
    if any(each.lower() != sender.email.lower() for each in claimed):
        words = "The user account which was used to submit this request does not have the right to send mail on behalf"
        raise EwsError("ErrorSendAsDenied", f"{words} of the specified sending account.")
    if not mail.recipients or world.refused & {each.lower() for each in mail.recipients}:
        raise EwsError("ErrorInvalidRecipients")


def _of(account: Account, role: str) -> Folder:
    folder = account.distinguished(role)
    assert folder is not None
    return folder
