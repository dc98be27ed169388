"""The methods of Graph's mail that are simulated, from a read request to an answer.

Source: the reference page of each method in the Microsoft Graph v1.0 documentation. Of "Create message" only the form
with MIME content is simulated.
"""

import base64
import binascii
from collections.abc import Callable

from meetings.adapters.office365.simulator import errors, mail_view
from meetings.adapters.office365.simulator.api import METADATA, Answer, Request, Settings
from meetings.adapters.office365.simulator.errors import GraphError, Json
from meetings.adapters.office365.simulator.mail_post import Post
from meetings.adapters.office365.simulator.mailbox import Mailbox, MailFolder, StoredMail
from meetings.adapters.office365.simulator.odata import page_size, read_filter
from meetings.adapters.office365.simulator.world import check_id, immutable_id

# "the default page size is 10" for mails ("List messages"); as many in a page of delta are assumed.
_PAGE, _LARGEST = 10, 1000


class MailApi:
    """`handlers` answers by operation."""

    def __init__(self, post: Post, settings: Settings) -> None:
        self._post = post
        self._settings = settings
        self.handlers: dict[str, Callable[[Request], Answer]] = {
            "mailFolders.get": self.get_folder,
            "mailFolders.delta": self.folders,
            "messages.list": self.list_mails,
            "messages.create": self.create,
            "messages.get": self.get_mail,
            "messages.value": self.get_mime,
            "messages.delete": self.delete,
            "messages.send": self.send,
            "messages.delta": self.delta,
        }

    def get_folder(self, request: Request) -> Answer:
        mailbox = self._mailbox(request)
        folder = self._folder(mailbox, request.path["folder"])
        context = {"@odata.context": f"{METADATA}#users('{request.account.object_id}')/mailFolders/$entity"}
        return Answer(200, {**context, **mail_view.folder_json(mailbox, folder, request.query.get("$select"))})

    def folders(self, request: Request) -> Answer:
        """The first round of "mailFolder: delta": all folders, whatever they lie in. Later rounds are not simulated."""
        mailbox = self._mailbox(request)
        if request.query.get("$deltatoken"):
            raise errors.bad_request("Later rounds of folders are not simulated.")
        skip = int(request.query.get("$skiptoken") or 0)
        shown = [
            {
                "@odata.type": "#microsoft.graph.mailFolder",
                **mail_view.folder_json(mailbox, each, request.query.get("$select")),
            }
            for each in mailbox.folders.values()
        ]
        size = self._size(request)
        body: Json = {"@odata.context": f"{METADATA}#Collection(mailFolder)", "value": shown[skip : skip + size]}
        if skip + size < len(shown):
            body["@odata.nextLink"] = f"{request.url}?$skiptoken={skip + size}"
        else:
            body["@odata.deltaLink"] = f"{request.url}?$deltatoken=folders"
        return Answer(200, body)

    def list_mails(self, request: Request) -> Answer:
        """Of the whole mailbox, the newest first ("List messages"; the order is assumed)."""
        mailbox = self._mailbox(request)
        wanted = read_filter(request.query.get("$filter"))
        found = sorted(mailbox.mails.values(), key=lambda mail: mail.position, reverse=True)
        if wanted is not None and wanted.extended is None:
            raise errors.bad_request("Only filters over extended properties are simulated.")
        if wanted is not None:
            found = [mail for mail in found if mail_view.has_property(mail, str(wanted.extended), wanted.value)]
        size = min(page_size(request.query, default=_PAGE, most=_LARGEST), self._settings.largest_page or _LARGEST)
        shown = [self._seen(request, mail) for mail in found[:size]]
        return Answer(200, {"@odata.context": self._context(request), "value": shown})

    def create(self, request: Request) -> Answer:
        """201 with the draft. Code and message for what is no base64 are assumed."""
        if request.content is None:
            raise errors.bad_request("Only MIME content is simulated.")
        try:
            raw = base64.b64decode(request.content, validate=True)
        except (binascii.Error, ValueError):
            raise GraphError(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string.") from None
        mailbox = self._mailbox(request)
        draft = self._post.put(mailbox, mailbox.folder_named("drafts").id, raw, draft=True)
        return Answer(201, {"@odata.context": f"{self._context(request)}/$entity", **self._seen(request, draft)})

    def get_mail(self, request: Request) -> Answer:
        mail = self._mail(request)
        return Answer(200, {"@odata.context": f"{self._context(request)}/$entity", **self._seen(request, mail)})

    def get_mime(self, request: Request) -> Answer:
        return Answer(200, content=self._mail(request).raw)

    def delete(self, request: Request) -> Answer:
        """Into Deleted Items, and out of these for good ("Delete message"; that an id goes on to name what lies there
        is how immutable ids work)."""
        mailbox, mail = self._mailbox(request), self._mail(request)
        bin_id = mailbox.folder_named("deleteditems").id
        if mail.folder == bin_id or mail.draft:
            mailbox.remove(mail)
        else:
            mailbox.move(mail, bin_id)
        return Answer(204)

    def send(self, request: Request) -> Answer:
        """202 without a body. What is no draft any more gets 400 (assumed)."""
        mail = self._mail(request)
        if not mail.draft:
            raise errors.invalid_request("Only drafts are sent.")
        self._post.send(self._mailbox(request), mail)
        return Answer(202)

    def delta(self, request: Request) -> Answer:
        mailbox, query = self._mailbox(request), request.query
        folder = self._folder(mailbox, request.path["folder"]).id
        if query.get("$skiptoken"):
            state = mail_view.read_token(query["$skiptoken"], mailbox, folder)
        elif query.get("$deltatoken"):
            state = mail_view.next_round(mailbox, mail_view.read_token(query["$deltatoken"], mailbox, folder))
        else:
            state = mail_view.first_state(mailbox, folder, query)
        entries, token, over = mail_view.delta_page(mailbox, state, self._size(request), request.prefer)
        body: Json = {"@odata.context": f"{METADATA}#Collection(message)", "value": entries}
        name, kind = ("@odata.deltaLink", "$deltatoken") if over else ("@odata.nextLink", "$skiptoken")
        body[name] = f"{request.url}?{kind}={token}"
        return Answer(200, body)

    def _mailbox(self, request: Request) -> Mailbox:
        return self._post.mailbox(request.account.email)

    def _folder(self, mailbox: Mailbox, told: str) -> MailFolder:
        """By id or well-known name. Raises GraphError 404."""
        if told in mailbox.folders:
            return mailbox.folders[told]
        try:
            return mailbox.folder_named(told)
        except KeyError:
            raise errors.item_not_found() from None

    def _mail(self, request: Request) -> StoredMail:
        check_id(request.path["message"])
        found = self._mailbox(request).mails.get(immutable_id(request.path["message"]))
        if found is None:
            raise errors.item_not_found()
        return found

    def _seen(self, request: Request, mail: StoredMail) -> Json:
        return mail_view.mail_json(mail, request.prefer, request.query.get("$select"), request.query.get("$expand"))

    def _size(self, request: Request) -> int:
        return min(request.prefer.page_size or _PAGE, self._settings.largest_page or _LARGEST)

    def _context(self, request: Request) -> str:
        return f"{METADATA}#users('{request.account.object_id}')/messages"
