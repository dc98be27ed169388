"""Mail on its way: out of a mailbox, into mailboxes here, and to people elsewhere.

Source: "message: send", "Create message"; microsoft-graph-docs, issue 6250: what is among the sent mails is another
item than the draft was, and the draft is gone. Mails keep the text and the headers they were made with, and arrive at
once (assumed; Exchange writes HTML anew and sends when it is ready).
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from meetings.adapters.office365.simulator.errors import GraphError
from meetings.adapters.office365.simulator.mail_content import ids_of, message_class
from meetings.adapters.office365.simulator.mailbox import WELL_KNOWN, Mailbox, MailFolder, StoredMail
from meetings.adapters.office365.simulator.world import World


@dataclass(frozen=True)
class Posted:
    """A mail as it came to one address."""

    to: str
    raw: bytes


class Post:
    """All mailboxes, by the address of their account, made when first looked at. `posted` is what came to whom, oldest
    first; `refused` are addresses that nothing is taken for."""

    def __init__(self, world: World) -> None:
        self.posted: list[Posted] = []
        self.refused: set[str] = set()
        self._world = world
        self._mailboxes: dict[str, Mailbox] = {}

    def mailbox(self, email: str) -> Mailbox:
        """Raises KeyError for an account without one."""
        if not self._world.accounts[email].mailbox:
            raise KeyError(email)
        if email not in self._mailboxes:
            made = Mailbox(email, root=self._world.new_id("AQMkAD"))
            for well_known, name in WELL_KNOWN.items():
                self.add_folder(made, name, made.root, well_known)
            self._mailboxes[email] = made
        return self._mailboxes[email]

    def add_folder(self, mailbox: Mailbox, name: str, parent: str, well_known: str | None = None) -> MailFolder:
        folder = MailFolder(self._world.new_id("AQMkAD"), name, parent, well_known)
        mailbox.folders[folder.id] = folder
        return folder

    def put(
        self,
        mailbox: Mailbox,
        folder: str,
        raw: bytes,
        *,
        received_at: datetime | None = None,
        arrived: bool = False,
        draft: bool = False,
        kind: str | None = None,
        conversation: str | None = None,
    ) -> StoredMail:
        """A mail stands in a folder from now on."""
        message_id, ids = ids_of(raw)
        change = mailbox.next_change()
        at = received_at or self._world.now()
        mail = StoredMail(
            id=self._world.new_id(),
            folder=folder,
            raw=raw,
            # One that has none gets one on arrival.
            message_id=message_id or f"<{uuid.uuid4().hex}@prod.outlook.example>",
            conversation_id=conversation or self._conversation(mailbox, ids),
            received_at=at,
            sent_at=at,
            position=self._world.new_position(),
            entered=change,
            changed=change,
            message_class=kind or message_class(raw),
            arrived=arrived,
            draft=draft,
            read=not arrived,
        )
        mailbox.mails[mail.id] = mail
        return mail

    def send(self, mailbox: Mailbox, draft: StoredMail) -> None:
        """Raises GraphError 400 ErrorInvalidRecipients (seen in public reports), 403 ErrorSendAsDenied."""
        content = draft.content
        if content.sender.lower() not in ("", mailbox.email.lower()):
            words = "The user account which was used to submit this request does not have the right to send mail on"
            raise GraphError(403, "ErrorSendAsDenied", f"{words} behalf of the specified sending account.")
        if not content.recipients or self.refused & {each.lower() for each in content.recipients}:
            raise GraphError(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
        mailbox.remove(draft)
        sent = mailbox.folder_named("sentitems").id
        self.put(mailbox, sent, draft.raw, conversation=draft.conversation_id)
        self.carry(draft.raw, content.recipients)

    def carry(self, raw: bytes, recipients: list[str]) -> None:
        """Bring a mail to everybody it is for."""
        for address in dict.fromkeys(recipients):
            self.posted.append(Posted(address, raw))
            account = self._world.accounts.get(address)
            if account is not None and account.mailbox:
                theirs = self.mailbox(address)
                self.put(theirs, theirs.folder_named("inbox").id, raw, arrived=True)

    def _conversation(self, mailbox: Mailbox, ids: list[str]) -> str:
        """That of a mail it answers; a new one otherwise (assumed: Exchange looks at the subject, too)."""
        for known in mailbox.mails.values():
            if known.message_id in ids:
                return known.conversation_id
        return self._world.new_id("AAQkAD")
