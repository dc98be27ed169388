"""What people do with mail: writing from elsewhere, sending from Outlook, moving and deleting."""

from datetime import datetime

from meetings.adapters.office365.simulator.mail_content import content_of
from meetings.adapters.office365.simulator.mail_post import Post, Posted
from meetings.adapters.office365.simulator.mailbox import Mailbox, StoredMail
from meetings.adapters.office365.simulator.world import World, immutable_id


class MailControl:
    """Mails are bytes of RFC 5322. Folders go by well-known name (`inbox`, `junkemail`) or by the id `add_folder` gave.
    Mails are named by their Message-ID."""

    def __init__(self, world: World, post: Post) -> None:
        self._world = world
        self._post = post

    def deliver(
        self,
        email: str,
        raw: bytes,
        folder: str = "inbox",
        *,
        received_at: datetime | None = None,
        kind: str | None = None,
    ) -> None:
        """A mail from outside stands in the folder. `kind` is the message class, such as
        `IPM.Note.Rules.OofTemplate.Microsoft`, where it is not the one that its content tells."""
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            self._post.put(
                mailbox,
                self._folder(mailbox, folder),
                raw,
                received_at=received_at,
                arrived=True,
                draft=folder == "drafts",
                kind=kind,
            )

    def send(self, email: str, raw: bytes) -> None:
        """The owner sends a mail from Outlook."""
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            self._post.put(mailbox, mailbox.folder_named("sentitems").id, raw)
            self._post.carry(raw, content_of(raw).recipients)

    def send_draft(self, email: str, id: str) -> None:
        """The owner sends what lies among the drafts."""
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            self._post.send(mailbox, mailbox.mails[immutable_id(id)])

    def add_folder(self, email: str, name: str, *, within: str | None = None) -> str:
        """A further folder; gives its id."""
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            parent = mailbox.root if within is None else self._folder(mailbox, within)
            return self._post.add_folder(mailbox, name, parent).id

    def remove_folder(self, email: str, folder: str) -> None:
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            for mail in mailbox.in_folder(folder):
                mailbox.remove(mail)
            del mailbox.folders[folder]

    def move(self, email: str, message_id: str, folder: str) -> None:
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            mailbox.move(self._named(mailbox, message_id), self._folder(mailbox, folder))

    def mark_read(self, email: str, message_id: str) -> None:
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            mailbox.mark_read(self._named(mailbox, message_id))

    def erase(self, email: str, message_id: str) -> None:
        """Gone for good."""
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            mailbox.remove(self._named(mailbox, message_id))

    def refuse(self, address: str) -> None:
        """No mail to this address is taken any more."""
        with self._world.lock:
            self._post.refused.add(address.lower())

    def expire_sync_tokens(self, email: str) -> None:
        """Every delta and skip token of the mailbox's folders so far gives 410 SyncStateNotFound."""
        with self._world.lock:
            self._post.mailbox(email).sync_epoch += 1

    def in_folder(self, email: str, folder: str) -> list[bytes]:
        """The mails that lie there, oldest first."""
        with self._world.lock:
            mailbox = self._post.mailbox(email)
            return [mail.raw for mail in mailbox.in_folder(self._folder(mailbox, folder))]

    def received(self, address: str) -> list[bytes]:
        """What came to an address by way of this Exchange, oldest first."""
        with self._world.lock:
            return [each.raw for each in self._post.posted if each.to.lower() == address.lower()]

    @property
    def posted(self) -> list[Posted]:
        """Everything that was sent, once for each recipient."""
        with self._world.lock:
            return list(self._post.posted)

    def _folder(self, mailbox: Mailbox, told: str) -> str:
        return told if told in mailbox.folders else mailbox.folder_named(told).id

    def _named(self, mailbox: Mailbox, message_id: str) -> StoredMail:
        return next(mail for mail in mailbox.mails.values() if mail.message_id == message_id)
