"""The methods of Gmail API v1 that are simulated, one function each, from a read request to an answer's body."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from meetings.adapters.google.simulator import mail_search, mail_sending, mail_view
from meetings.adapters.google.simulator.api import Request, Settings
from meetings.adapters.google.simulator.errors import GoogleError, Json
from meetings.adapters.google.simulator.mailbox import SPAM, TRASH, Added, Mailbox
from meetings.adapters.google.simulator.world import World

T = TypeVar("T")


@dataclass
class MailApi:
    """`handlers` answers by method name."""

    world: World
    settings: Settings
    handlers: dict[str, Callable[[Request], Json | None]] = field(init=False)

    def __post_init__(self) -> None:
        self.handlers = {
            "users.getProfile": self.get_profile,
            "users.messages.send": self.send,
            "users.messages.list": self.list_messages,
            "users.messages.get": self.get_message,
            "users.messages.attachments.get": self.get_attachment,
            "users.history.list": self.list_history,
        }

    def get_profile(self, request: Request) -> Json:
        mailbox = _mailbox(request)
        return {
            "emailAddress": request.account.email,
            "messagesTotal": len(mailbox.mails),
            "threadsTotal": len({mail.thread_id for mail in mailbox.mails.values()}),
            "historyId": str(mailbox.number),
        }

    def send(self, request: Request) -> Json:
        _mailbox(request)
        return mail_view.labelled(mail_sending.send(self.world, request.account, request.body))

    def list_messages(self, request: Request) -> Json:
        """Newest first, at most 500 to a page, default 100; junk and deleted mails only when asked for."""
        query, wanted = request.query, set(request.query.get("labelIds", []))
        hidden = set() if query.get("includeSpamTrash") else {SPAM, TRASH} - wanted
        found = [
            mail
            for mail in reversed(_mailbox(request).mails.values())
            if wanted <= mail.labels and not hidden & mail.labels and mail_search.fits(query.get("q", ""), mail)
        ]
        shown, token = self._page(found, query)
        answer: Json = {"resultSizeEstimate": len(found)}
        if shown:
            answer["messages"] = [mail_view.reference(mail) for mail in shown]
        return {**answer, "nextPageToken": token} if token else answer

    def get_message(self, request: Request) -> Json:
        mail = _mailbox(request).get(request.path["id"])
        query = request.query
        format_, headers = query.get("format", "full"), query.get("metadataHeaders", [])
        return mail_view.message_json(mail, format_, headers, self.settings.inline_bytes)

    def get_attachment(self, request: Request) -> Json:
        mail = _mailbox(request).get(request.path["messageId"])
        found = mail_view.attachment(mail, request.path["id"])
        if found is None:
            raise GoogleError(400, "invalidArgument", "Invalid attachment token", canonical="INVALID_ARGUMENT")
        return found

    def list_history(self, request: Request) -> Json:
        """Additions only: other kinds of records are not kept. A page's `historyId` is the newest there is."""
        query, mailbox = request.query, _mailbox(request)
        began = query.get("startHistoryId", "")
        if not began.isdigit():
            raise GoogleError(400, "invalidArgument", "Invalid startHistoryId", canonical="INVALID_ARGUMENT")
        records = mailbox.since(int(began))
        if query.get("historyTypes") not in (None, [], ["messageAdded"]):
            raise GoogleError(501, "notImplemented", "Only messageAdded is simulated.")
        if query.get("labelId"):
            records = [record for record in records if query["labelId"] in record.labels]
        shown, token = self._page(records, query)
        answer: Json = {"historyId": str(mailbox.number)}
        if shown:
            answer["history"] = [_record(record) for record in shown]
        return {**answer, "nextPageToken": token} if token else answer

    def _page(self, found: Sequence[T], query: Json) -> tuple[Sequence[T], str | None]:
        """Pages of what there is now: a mail that comes between two of them moves what follows (assumed)."""
        size = min(query.get("maxResults", 100), 500, self.settings.largest_page or 500)
        token = query.get("pageToken") or "0"
        if not token.isdigit():
            raise GoogleError(400, "invalidArgument", "Invalid pageToken", canonical="INVALID_ARGUMENT")
        offset = int(token)
        more = offset + size < len(found)
        return found[offset : offset + size], str(offset + size) if more else None


def _record(record: Added) -> Json:
    """A record names what it is about twice: in `messages`, and by what happened (History)."""
    mail = {"id": record.mail_id, "threadId": record.thread_id}
    added = {"message": {**mail, "labelIds": list(record.labels)}}
    return {"id": str(record.number), "messages": [mail], "messagesAdded": [added]}


def _mailbox(request: Request) -> Mailbox:
    """The account's own; somebody else's is not anybody's to read (wording seen in public reports)."""
    account, user = request.account, request.path["userId"]
    if user not in ("me", account.email):
        message = f"Delegation denied for {account.email}"
        raise GoogleError(403, "forbidden", message, canonical="PERMISSION_DENIED")
    if account.without_mail:
        raise GoogleError(400, "failedPrecondition", "Mail service not enabled", canonical="FAILED_PRECONDITION")
    return account.mailbox
