"""Graph's mail as the simulator does it, driven by a plain HTTP client. The description of Graph that is at hand covers
the calendar only, so nothing here is checked against it."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from meetings.adapters.office365.simulator import Office365Simulator
from tests.contracts.mail.letters import a_bounce, a_mail
from tests.contracts.office365.clients import refusal

ADA, BOB = "ada@example.com", "bob@example.com"
MAIL = ("openid", "offline_access", "User.Read", "Mail.ReadWrite", "Mail.Send")
INBOX = "/me/mailFolders/inbox/messages/delta"


@pytest.fixture
def client(signed_in: Callable[..., httpx.Client]) -> httpx.Client:
    return signed_in(ADA, scopes=MAIL)


def _draft(client: httpx.Client, raw: bytes) -> httpx.Response:
    return client.post("/me/messages", content=base64.b64encode(raw), headers={"Content-Type": "text/plain"})


def _outgoing(to: str = "vera@elsewhere.example") -> bytes:
    return a_mail(to, sender=f"Ada Lovelace <{ADA}>", id="<1@meetings.example>", X_Mark="One")


def _told(client: httpx.Client, link: str) -> tuple[list[dict[str, Any]], str]:
    """All entries of a round, and the link of the next one."""
    entries: list[dict[str, Any]] = []
    while True:
        page = client.get(link).json()
        entries += page["value"]
        if "@odata.deltaLink" in page:
            return entries, str(page["@odata.deltaLink"])
        link = page["@odata.nextLink"]


def test_a_draft_keeps_its_headers_and_leaves_under_another_id(
    client: httpx.Client, office: Office365Simulator
) -> None:
    made = _draft(client, _outgoing())
    draft = made.json()
    assert (made.status_code, draft["isDraft"], draft["internetMessageId"]) == (201, True, "<1@meetings.example>")
    sent = client.post(f"/me/messages/{draft['id']}/send")
    assert (sent.status_code, sent.content) == (202, b"")
    assert refusal(client.get(f"/me/messages/{draft['id']}")) == (404, "ErrorItemNotFound")
    assert office.mail.received("vera@elsewhere.example") == [_outgoing()]
    (copy,) = client.get("/me/messages").json()["value"]
    assert copy["id"] != draft["id"]
    assert (copy["isDraft"], copy["conversationId"]) == (False, draft["conversationId"])


def test_a_mail_is_found_by_a_header_of_its_own_in_any_letter_case(client: httpx.Client) -> None:
    _draft(client, _outgoing())
    for name, found in (("X-Mark", 1), ("x-mark", 1), ("X-Other", 0)):
        prop = f"String {{00020386-0000-0000-c000-000000000046}} Name {name}"
        wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{prop}' and ep/value eq 'One')"
        assert len(client.get("/me/messages", params={"$filter": wanted}).json()["value"]) == found


def test_a_mail_to_a_colleague_arrives_unread_with_headers(client: httpx.Client, signed_in: Any) -> None:
    client.post(f"/me/messages/{_draft(client, _outgoing(BOB)).json()['id']}/send")
    select = {"$select": "internetMessageHeaders,isRead,from"}
    (arrived,) = signed_in(BOB, scopes=MAIL).get("/me/messages", params=select).json()["value"]
    assert arrived["from"]["emailAddress"] == {"name": "Ada Lovelace", "address": ADA}
    assert {"name": "X-Mark", "value": "One"} in arrived["internetMessageHeaders"]
    assert not arrived["isRead"]


@pytest.mark.parametrize(
    ("content", "refused"),
    [(b"!!!", (400, "ErrorMimeContentInvalidBase64String")), (b"", (400, "BadRequest"))],
)
def test_what_is_no_mime_content_is_refused(client: httpx.Client, content: bytes, refused: tuple[int, str]) -> None:
    answer = client.post("/me/messages", content=content, headers={"Content-Type": "text/plain"})
    assert refusal(answer) == refused


def test_permissions_are_asked_for_by_name(signed_in: Callable[..., httpx.Client]) -> None:
    reader = signed_in(ADA, scopes=("User.Read", "Mail.Read"))
    assert reader.get("/me/messages").status_code == 200
    assert refusal(_draft(reader, _outgoing())) == (403, "ErrorAccessDenied")
    writer = signed_in(ADA, scopes=("User.Read", "Mail.ReadWrite"))
    draft = _draft(writer, _outgoing()).json()["id"]
    assert refusal(writer.post(f"/me/messages/{draft}/send")) == (403, "ErrorAccessDenied")
    assert refusal(signed_in(ADA).get("/me/messages")) == (403, "ErrorAccessDenied")


def test_rounds_tell_what_came_what_was_read_and_what_went(client: httpx.Client, office: Office365Simulator) -> None:
    for number in range(12):
        office.mail.deliver(ADA, a_mail(ADA, id=f"<{number}@elsewhere.example>"))
    entries, link = _told(client, f"{INBOX}?$select=subject,internetMessageId,receivedDateTime")
    assert len(entries) == 12
    office.mail.deliver(ADA, a_mail(ADA, id="<new@elsewhere.example>"))
    office.mail.mark_read(ADA, "<0@elsewhere.example>")
    office.mail.move(ADA, "<1@elsewhere.example>", "archive")
    told, link = _told(client, link)
    assert {each.get("internetMessageId") for each in told} == {"<new@elsewhere.example>", None}
    (read,) = [each for each in told if each.get("isRead")]
    assert set(read) == {"@odata.type", "@odata.etag", "id", "isRead", "parentFolderId"}
    assert [each["@removed"] for each in told if "@removed" in each] == [{"reason": "deleted"}]
    assert _told(client, link)[0] == []


def test_a_round_keeps_the_time_it_began_with(client: httpx.Client, office: Office365Simulator) -> None:
    _, link = _told(client, f"{INBOX}?$filter=receivedDateTime ge 2026-03-01T00:00:00Z")
    old = office.grants.grants[0].granted_at.replace(year=2025)
    office.mail.deliver(ADA, a_mail(ADA), received_at=old)
    assert _told(client, link)[0] == []
    assert refusal(client.get(INBOX, params={"$filter": "isRead eq true"})) == (400, "ErrorInvalidUrlQuery")


def test_tokens_die_and_belong_to_one_folder(client: httpx.Client, office: Office365Simulator) -> None:
    _, link = _told(client, INBOX)
    assert refusal(client.get(link.replace("/inbox/", "/sentitems/"))) == (400, "SyncStateInvalid")
    assert refusal(client.get(f"{INBOX}?$deltatoken=made-up")) == (400, "SyncStateInvalid")
    office.mail.expire_sync_tokens(ADA)
    assert refusal(client.get(link)) == (410, "SyncStateNotFound")


def test_folders_are_told_with_what_they_hold_and_lie_in(client: httpx.Client, office: Office365Simulator) -> None:
    inner = office.mail.add_folder(ADA, "Customers", within="inbox")
    office.mail.deliver(ADA, a_mail(ADA), inner)
    folders = {each["displayName"]: each for each in client.get("/me/mailFolders/delta").json()["value"]}
    assert folders["Customers"]["parentFolderId"] == folders["Inbox"]["id"]
    assert (folders["Customers"]["totalItemCount"], folders["Customers"]["unreadItemCount"]) == (1, 1)
    assert client.get("/me/mailFolders/inbox").json()["id"] == folders["Inbox"]["id"]
    assert refusal(client.get("/me/mailFolders/nowhere")) == (404, "ErrorItemNotFound")


def test_a_report_has_the_class_of_what_became_of_the_mail(client: httpx.Client, office: Office365Simulator) -> None:
    for action in ("failed", "delayed"):
        office.mail.deliver(ADA, a_bounce(ADA, "<1@meetings.example>", action=action))
    expand = {"$expand": "singleValueExtendedProperties($filter=id eq 'String 0x1A')"}
    told = client.get("/me/messages", params=expand).json()["value"]
    classes = {each["singleValueExtendedProperties"][0]["value"] for each in told}
    assert classes == {"REPORT.IPM.Note.NDR", "REPORT.IPM.Note.Delayed"}
    assert b"Content-Type: multipart/report" in client.get(f"/me/messages/{told[0]['id']}/$value").content


def test_a_deleted_mail_lies_in_the_bin_and_then_nowhere(client: httpx.Client, office: Office365Simulator) -> None:
    office.mail.deliver(ADA, a_mail(ADA))
    (mail,) = client.get("/me/messages").json()["value"]
    assert client.delete(f"/me/messages/{mail['id']}").status_code == 204
    assert len(office.mail.in_folder(ADA, "deleteditems")) == 1
    assert client.delete(f"/me/messages/{mail['id']}").status_code == 204
    assert refusal(client.get(f"/me/messages/{mail['id']}")) == (404, "ErrorItemNotFound")


def test_an_account_without_a_mailbox_has_no_mail(office: Office365Simulator, signed_in: Any) -> None:
    office.add_account("max@example.com", mailbox=False)
    asked = signed_in("max@example.com", scopes=MAIL).get("/me/messages")
    assert refusal(asked) == (404, "MailboxNotEnabledForRESTAPI")
