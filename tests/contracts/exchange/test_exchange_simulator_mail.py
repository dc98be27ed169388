"""Mail as the simulated Exchange server keeps it. All calls are checked against the schema of 2010 SP2."""

import base64
from typing import Any

import pytest

from meetings.adapters.exchange.simulator import ExchangeSimulator
from tests.contracts.calendars.world import Clock
from tests.contracts.exchange.clients import ADA, Answer, account, ask, get_item
from tests.contracts.mail.letters import a_bounce, a_mail

BOB, VERA = "bob@example.com", "vera@elsewhere.example"
PROPERTY = (
    '<t:ExtendedFieldURI PropertySetId="3d9e5a0c-6d1b-4a0e-9f1d-7f1c3f0a2b11" PropertyName="Mark" '
    'PropertyType="String"/>'
)
WHOLE = (
    *("item:Subject", "item:ItemClass", "item:DateTimeReceived", "item:InternetMessageHeaders", "item:InReplyTo"),
    *("message:From", "message:ToRecipients", "message:InternetMessageId", "message:IsRead", "message:References"),
)


def _send(exchange: ExchangeSimulator, raw: bytes, *, disposition: str = "SendAndSaveCopy", mark: str = "") -> Answer:
    extended = f"<t:ExtendedProperty>{PROPERTY}<t:Value>{mark}</t:Value></t:ExtendedProperty>" if mark else ""
    return ask(
        exchange,
        f'<m:CreateItem MessageDisposition="{disposition}"><m:SavedItemFolderId>'
        '<t:DistinguishedFolderId Id="sentitems"/></m:SavedItemFolderId><m:Items><t:Message>'
        f'<t:MimeContent CharacterSet="UTF-8">{base64.b64encode(raw).decode()}</t:MimeContent>{extended}'
        "</t:Message></m:Items></m:CreateItem>",
    )


def _find(exchange: ExchangeSimulator, folder: str, restriction: str = "", *, most: int = 100) -> Answer:
    wanted = f"<m:Restriction>{restriction}</m:Restriction>" if restriction else ""
    return ask(
        exchange,
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>'
        '<t:FieldURI FieldURI="message:InternetMessageId"/></t:AdditionalProperties></m:ItemShape>'
        f'<m:IndexedPageItemView MaxEntriesReturned="{most}" Offset="0" BasePoint="Beginning"/>{wanted}'
        f'<m:SortOrder><t:FieldOrder Order="Ascending"><t:FieldURI FieldURI="item:DateTimeReceived"/></t:FieldOrder>'
        f'</m:SortOrder><m:ParentFolderIds><t:DistinguishedFolderId Id="{folder}"/></m:ParentFolderIds></m:FindItem>',
    )


def _sync(exchange: ExchangeSimulator, state: str = "", *, most: int = 100) -> Answer:
    known = f"<m:SyncState>{state}</m:SyncState>" if state else ""
    return ask(
        exchange,
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>"
        f'<t:DistinguishedFolderId Id="inbox"/></m:SyncFolderId>{known}<m:MaxChangesReturned>{most}'
        "</m:MaxChangesReturned></m:SyncFolderItems>",
    )


def _equals(path: str, value: str) -> str:
    constant = f'<t:FieldURIOrConstant><t:Constant Value="{value}"/></t:FieldURIOrConstant>'
    return f"<t:IsEqualTo>{path}{constant}</t:IsEqualTo>"


def _mail(to: str, **about: Any) -> bytes:
    return a_mail(to, sender=f"Ada Lovelace <{ADA}>", id="<1@meetings.example>", **about)


def test_a_mail_leaves_as_it_is_and_a_copy_carries_the_property(exchange: ExchangeSimulator) -> None:
    assert _send(exchange, _mail(VERA), mark="One").code == "NoError"
    assert exchange.mail.received(VERA) == [_mail(VERA)]
    for mark, count in (("One", 1), ("Two", 0)):
        found = _find(exchange, "sentitems", _equals(PROPERTY, mark))
        assert len(found.all("//t:Message")) == count
    assert _find(exchange, "sentitems").first("//t:InternetMessageId/text()") == "<1@meetings.example>"


def test_a_mail_to_a_colleague_arrives_unread_with_its_headers(exchange: ExchangeSimulator) -> None:
    _send(exchange, _mail(BOB, answers="<0@elsewhere.example>", X_Mark="One"))
    found = account(exchange, BOB).inbox.all().only("message_id", "is_read", "in_reply_to", "author")
    (arrived,) = list(found)
    assert (arrived.message_id, arrived.is_read) == ("<1@meetings.example>", False)
    assert (arrived.in_reply_to, arrived.author.email_address) == ("<0@elsewhere.example>", ADA)


def test_recipients_headers_and_bodies_come_with_get_item_only(exchange: ExchangeSimulator) -> None:
    exchange.mail.deliver(ADA, a_mail(ADA, text="Gladly.", X_Mark="One"))
    mail_id = _find(exchange, "inbox").first("//t:ItemId/@Id")
    told = ask(exchange, get_item(mail_id, paths=WHOLE))
    assert told.first("//t:ToRecipients/t:Mailbox/t:EmailAddress/text()") == ADA
    assert told.first("//t:InternetMessageHeader[@HeaderName='X-Mark']/text()") == "One"
    read = ask(exchange, get_item(mail_id, paths=("item:Body",), body="Text"))
    assert read.first("//t:Body/text()").strip() == "Gladly."
    whole = ask(exchange, get_item(mail_id, paths=("item:MimeContent",)))
    assert b"Gladly." in base64.b64decode(whole.first("//t:MimeContent/text()"))


@pytest.mark.parametrize(
    ("sender", "to", "code"),
    [
        ("mallory@example.com", VERA, "ErrorSendAsDenied"),
        (ADA, "gone@elsewhere.example", "ErrorInvalidRecipients"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_nowhere(
    exchange: ExchangeSimulator, sender: str, to: str, code: str
) -> None:
    exchange.mail.refuse("gone@elsewhere.example")
    assert _send(exchange, a_mail(to, sender=sender)).code == code
    assert (exchange.mail.posted, exchange.mail.in_folder(ADA, "sentitems")) == ([], [])


def test_only_mails_that_are_sent_at_once_are_simulated(exchange: ExchangeSimulator) -> None:
    assert _send(exchange, _mail(VERA), disposition="SaveOnly").code == "ErrorInvalidOperation"


def test_synchronization_tells_what_came_was_read_and_went_page_by_page(exchange: ExchangeSimulator) -> None:
    for number in range(3):
        exchange.mail.deliver(ADA, a_mail(ADA, id=f"<{number}@elsewhere.example>"))
    first = _sync(exchange, most=2)
    assert (len(first.all("//t:Create")), first.first("//m:IncludesLastItemInRange/text()")) == (2, "false")
    second = _sync(exchange, first.first("//m:SyncState/text()"))
    assert (len(second.all("//t:Create")), second.first("//m:IncludesLastItemInRange/text()")) == (1, "true")
    exchange.mail.mark_read(ADA, "<0@elsewhere.example>")
    exchange.mail.move(ADA, "<1@elsewhere.example>", "deleteditems")
    exchange.mail.deliver(ADA, a_mail(ADA))
    third = _sync(exchange, second.first("//m:SyncState/text()"))
    assert [len(third.all(f"//t:{kind}")) for kind in ("Create", "Update", "Delete")] == [1, 1, 1]
    exchange.mail.expire_sync_states(ADA)
    assert _sync(exchange, third.first("//m:SyncState/text()")).code == "ErrorInvalidSyncStateData"


def test_mails_are_found_by_when_they_came(exchange: ExchangeSimulator, clock: Clock) -> None:
    for day in (1, 2, 3):
        at = clock().replace(day=day)
        exchange.mail.deliver(ADA, a_mail(ADA, id=f"<{day}@elsewhere.example>"), received_at=at)
    since = f"{clock().replace(day=2):%Y-%m-%dT%H:%M:%SZ}"
    same = _equals('<t:FieldURI FieldURI="item:DateTimeReceived"/>', since)
    found = _find(exchange, "inbox", same.replace("IsEqualTo", "IsGreaterThanOrEqualTo")).all(
        "//t:InternetMessageId/text()"
    )
    assert found == ["<2@elsewhere.example>", "<3@elsewhere.example>"]
    assert _find(exchange, "inbox", _equals('<t:FieldURI FieldURI="item:Size"/>', "1")).code == (
        "ErrorUnsupportedPathForQuery"
    )


def test_a_report_has_the_class_of_what_became_of_the_mail(exchange: ExchangeSimulator) -> None:
    for action in ("failed", "delayed"):
        exchange.mail.deliver(ADA, a_bounce(ADA, "<1@meetings.example>", action=action))
    ids = _find(exchange, "inbox").all("//t:ItemId/@Id")
    classes = [ask(exchange, get_item(each, paths=WHOLE)).first("//t:ItemClass/text()") for each in ids]
    assert sorted(classes) == ["REPORT.IPM.Note.Delayed", "REPORT.IPM.Note.NDR"]


def test_somebody_elses_mail_is_nobodys_business(exchange: ExchangeSimulator) -> None:
    exchange.mail.deliver(ADA, a_mail(ADA))
    mail_id = _find(exchange, "inbox").first("//t:ItemId/@Id")
    assert ask(exchange, get_item(mail_id, paths=WHOLE), email=BOB).code == "ErrorItemNotFound"
