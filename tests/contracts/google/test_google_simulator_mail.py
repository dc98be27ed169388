"""Mail of the simulator, driven by google-api-python-client."""

import base64
from typing import Any

import httplib2
import pytest
import requests
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from meetings.adapters.google.simulator import MAIL_SCOPES, GoogleSimulator
from tests.contracts.google.clients import credentials, refusal
from tests.contracts.mail.letters import a_mail, message_id

ADA, BOB, VERA = "ada@example.com", "bob@example.com", "vera@elsewhere.example"


def _client(google: GoogleSimulator, of: str = ADA, *, scopes: tuple[str, ...] = MAIL_SCOPES) -> Any:
    http = AuthorizedHttp(credentials(google, of, scopes=scopes), http=httplib2.Http(timeout=5))
    return build(
        "gmail",
        "v1",
        http=http,
        static_discovery=True,
        cache_discovery=False,
        client_options={"api_endpoint": google.endpoints.mail_api},
    )


def _messages(google: GoogleSimulator, of: str = ADA) -> Any:
    return _client(google, of).users().messages()


def _send(google: GoogleSimulator, raw: bytes, of: str = ADA, **more: str) -> Any:
    body = {"raw": base64.urlsafe_b64encode(raw).decode(), **more}
    return _messages(google, of).send(userId="me", body=body).execute()


def _headers(mail: Any) -> dict[str, str]:
    return {each["name"]: each["value"] for each in mail["payload"]["headers"]}


def test_what_is_sent_is_in_the_mailboxes_of_both(google: GoogleSimulator) -> None:
    sent = _send(google, a_mail(BOB, sender=ADA, subject="Hello"))
    assert sent["labelIds"] == ["SENT"]
    (arrived,) = google.mail.mails(BOB)
    assert arrived.labels == {"INBOX", "UNREAD"}
    assert arrived.header("Subject") == "Hello"


def test_what_is_sent_to_others_has_left(google: GoogleSimulator) -> None:
    _send(google, a_mail(f"{VERA}, {BOB}", sender=ADA))
    assert [mail.to for mail in google.mail.left] == [VERA]
    assert len(google.mail.mails(BOB)) == 1


def test_the_message_id_is_gmails_own(google: GoogleSimulator) -> None:
    ours = message_id()
    sent = _send(google, a_mail(VERA, sender=ADA, id=ours))
    told = _headers(_messages(google).get(userId="me", id=sent["id"]).execute())["Message-ID"]
    assert told != ours
    assert told.endswith("@mail.gmail.com>")


def test_nobody_writes_in_anothers_name(google: GoogleSimulator) -> None:
    _send(google, a_mail(VERA, sender="Bob <bob@example.com>"))
    assert b"From: ada@example.com" in google.mail.left[0].raw


def test_blind_copies_are_blind(google: GoogleSimulator) -> None:
    _send(google, a_mail(VERA, sender=ADA, Bcc=BOB))
    assert len(google.mail.mails(BOB)) == 1
    assert b"Bcc" not in google.mail.left[0].raw


@pytest.mark.parametrize("raw", [b"Subject: to nobody\r\n\r\nHello", b"To: @@@\r\n\r\nHello"])
def test_a_mail_without_recipients_is_refused(google: GoogleSimulator, raw: bytes) -> None:
    with pytest.raises(HttpError) as refused:
        _send(google, raw)
    assert refusal(refused.value) == (400, "invalidArgument")


def test_a_thread_is_joined_by_name_subject_and_references_together(google: GoogleSimulator) -> None:
    first = _send(google, a_mail(VERA, sender=ADA, subject="Next steps"))
    known = _headers(_messages(google).get(userId="me", id=first["id"]).execute())["Message-ID"]
    thread = first["threadId"]
    fits = a_mail(VERA, sender=ADA, subject="Re: Next steps", answers=known)
    assert _send(google, fits, threadId=thread)["threadId"] == thread
    other = a_mail(VERA, sender=ADA, subject="Something else", answers=known)
    assert _send(google, other, threadId=thread)["threadId"] != thread
    alone = a_mail(VERA, sender=ADA, subject="Next steps")
    assert _send(google, alone, threadId=thread)["threadId"] != thread


def test_each_format_shows_what_it_promises(google: GoogleSimulator) -> None:
    id_ = google.mail.deliver(ADA, a_mail(ADA, text="Hello", html="<p>Hello</p>"))
    get = _messages(google).get
    minimal = get(userId="me", id=id_, format="minimal").execute()
    assert "payload" not in minimal
    assert minimal["labelIds"] == ["INBOX", "UNREAD"]
    metadata = get(userId="me", id=id_, format="metadata", metadataHeaders=["from"]).execute()
    assert [each["name"] for each in metadata["payload"]["headers"]] == ["From"]
    full = get(userId="me", id=id_, format="full").execute()
    assert [part["mimeType"] for part in full["payload"]["parts"]] == ["text/plain", "text/html"]
    raw = get(userId="me", id=id_, format="raw").execute()
    assert b"Hello" in base64.urlsafe_b64decode(raw["raw"])


def test_lists_come_newest_first_without_junk_in_pages(google: GoogleSimulator) -> None:
    ids = [google.mail.deliver(ADA, a_mail(ADA)) for _ in range(5)]
    junk = google.mail.deliver(ADA, a_mail(ADA), ("SPAM",))
    first = _messages(google).list(userId="me", maxResults=3).execute()
    rest = _messages(google).list(userId="me", maxResults=3, pageToken=first["nextPageToken"]).execute()
    assert [each["id"] for each in first["messages"] + rest["messages"]] == ids[::-1]
    everything = _messages(google).list(userId="me", includeSpamTrash=True).execute()
    assert junk in [each["id"] for each in everything["messages"]]
    labelled = _messages(google).list(userId="me", labelIds=["SPAM"]).execute()
    assert [each["id"] for each in labelled["messages"]] == [junk]


def test_a_search_finds_by_message_id_place_and_time(google: GoogleSimulator, clock: Any) -> None:
    id_ = google.mail.deliver(ADA, a_mail(ADA, id="<known@elsewhere.example>"))
    draft = google.mail.deliver(ADA, a_mail(ADA), ("DRAFT",))
    now = int(clock().timestamp())

    def found(query: str) -> list[str]:
        page = _messages(google).list(userId="me", q=query).execute()
        return [each["id"] for each in page.get("messages", [])]

    assert found("rfc822msgid:known@elsewhere.example") == [id_]
    assert found("in:drafts") == [draft]
    assert found(f"after:{now} -in:drafts") == [id_]
    assert found(f"after:{now + 1}") == []


def test_history_tells_what_was_added_since(google: GoogleSimulator) -> None:
    users = _client(google).users()
    began = users.getProfile(userId="me").execute()["historyId"]
    ids = [google.mail.deliver(ADA, a_mail(ADA)) for _ in range(3)]
    page = users.history().list(userId="me", startHistoryId=began, maxResults=2).execute()
    rest = users.history().list(userId="me", startHistoryId=began, pageToken=page["nextPageToken"]).execute()
    told = [record["messagesAdded"][0]["message"]["id"] for each in (page, rest) for record in each.get("history", [])]
    assert told[:2] == ids[:2]
    nothing = users.history().list(userId="me", startHistoryId=rest["historyId"]).execute()
    assert "history" not in nothing


def test_forgotten_and_invented_history_is_not_found(google: GoogleSimulator) -> None:
    users = _client(google).users()
    began = users.getProfile(userId="me").execute()["historyId"]
    google.mail.forget_history(ADA)
    for number in (began, "1", str(2**60)):
        with pytest.raises(HttpError) as refused:
            users.history().list(userId="me", startHistoryId=number).execute()
        assert refusal(refused.value) == (404, "notFound")
    fresh = users.getProfile(userId="me").execute()["historyId"]
    users.history().list(userId="me", startHistoryId=fresh).execute()


def test_a_batch_answers_each_request_by_its_name(google: GoogleSimulator) -> None:
    ids = [google.mail.deliver(ADA, a_mail(ADA)) for _ in range(3)]
    client, answers = _client(google), {}

    def answered(name: str, answer: Any, error: HttpError | None) -> None:
        answers[name] = error.status_code if error else answer["id"]

    batch = BatchHttpRequest(callback=answered, batch_uri=f"{google.endpoints.mail_api}/batch")
    for id_ in (*ids, "00000000deadbeef"):
        batch.add(client.users().messages().get(userId="me", id=id_), request_id=id_)
    batch.execute()
    assert answers == {**{id_: id_ for id_ in ids}, "00000000deadbeef": 404}
    assert [call.within for call in google.calls if call.within] == [google.calls[-5].number] * 4


def test_a_batch_of_more_than_a_hundred_is_refused(google: GoogleSimulator) -> None:
    client = _client(google)
    batch = BatchHttpRequest(batch_uri=f"{google.endpoints.mail_api}/batch")
    for _ in range(101):
        batch.add(client.users().getProfile(userId="me"))
    with pytest.raises(HttpError) as refused:
        batch.execute()
    assert refused.value.status_code == 400


def test_nobody_reads_anothers_mailbox(google: GoogleSimulator) -> None:
    with pytest.raises(HttpError) as refused:
        _messages(google).list(userId=BOB).execute()
    assert refusal(refused.value)[0] == 403


def test_a_permission_to_send_does_not_read(google: GoogleSimulator) -> None:
    users = _client(google, scopes=MAIL_SCOPES[:1]).users()
    users.messages().send(userId="me", body={"raw": base64.urlsafe_b64encode(a_mail(VERA)).decode()}).execute()
    with pytest.raises(HttpError) as refused:
        users.messages().list(userId="me").execute()
    assert refusal(refused.value) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")


def test_a_mail_from_elsewhere_joins_the_thread_it_answers(google: GoogleSimulator) -> None:
    sent = _send(google, a_mail(VERA, sender=ADA, subject="Next steps"))
    known = google.mail.mails(ADA, "SENT")[0].header("Message-ID")
    google.mail.deliver(ADA, a_mail(ADA, subject="AW: Next steps", answers=known))
    assert google.mail.mails(ADA, "INBOX")[0].thread_id == sent["threadId"]


def test_a_person_watching_sees_the_mails(google: GoogleSimulator) -> None:
    google.mail.deliver(ADA, a_mail(ADA, subject="<b>Hello</b>", text="Gladly.\n"))
    shown = requests.get(f"{google.url}/mail/u/{ADA}", timeout=5)
    assert shown.status_code == 200
    assert "&lt;b&gt;Hello&lt;/b&gt;" in shown.text
    assert "Gladly." in shown.text
    assert "/mail/u/ada@example.com" in requests.get(f"{google.url}/", timeout=5).text
    assert "No mail." in requests.get(f"{google.url}/mail/u/{BOB}", timeout=5).text
