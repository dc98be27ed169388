"""What people do with mail: writing from elsewhere, sending from Outlook, moving and deleting."""

from datetime import datetime

from meetings.adapters.exchange.simulator import mail_post
from meetings.adapters.exchange.simulator.mail_item import MailItem
from meetings.adapters.exchange.simulator.world import Account, Folder, World


class MailControl:
    """Mails are bytes of RFC 5322. Folders go by distinguished name (`inbox`, `junkemail`) or by the name `add_folder`
    gave them. Mails are named by their Message-ID."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deliver(
        self,
        email: str,
        raw: bytes,
        folder: str = "inbox",
        *,
        received_at: datetime | None = None,
        item_class: str | None = None,
    ) -> None:
        """A mail from elsewhere stands in the folder. `item_class` is its class, such as
        `IPM.Note.Rules.OofTemplate.Microsoft`, where it is not the one that its content tells."""
        with self._world.lock:
            mail = mail_post.new_mail(
                self._world,
                raw,
                received_at=received_at,
                arrived=True,
                draft=folder == "drafts",
                item_class=item_class,
            )
            self._world.put_mail(self._folder(email, folder), mail)

    def send(self, email: str, raw: bytes) -> None:
        """The owner sends a mail from Outlook."""
        with self._world.lock:
            mail = mail_post.new_mail(self._world, raw)
            self._world.put_mail(self._folder(email, "sentitems"), mail)
            mail_post.carry(self._world, raw, mail.recipients)

    def add_folder(self, email: str, name: str, *, within: str = "msgfolderroot") -> None:
        with self._world.lock:
            self._world.add_mail_folder(self._account(email), name, self._folder(email, within))

    def remove_folder(self, email: str, name: str) -> None:
        with self._world.lock:
            self._world.remove_folder(self._folder(email, name))

    def move(self, email: str, message_id: str, folder: str) -> None:
        """Into another folder, under another id ("MoveItem operation")."""
        with self._world.lock:
            held, mail = self._named(email, message_id)
            self._world.move_mail(held, mail, self._folder(email, folder))

    def mark_read(self, email: str, message_id: str) -> None:
        with self._world.lock:
            held, mail = self._named(email, message_id)
            mail.read = True
            self._world.touch_mail(held, mail)

    def erase(self, email: str, message_id: str) -> None:
        """Gone for good."""
        with self._world.lock:
            self._world.remove_mail(*self._named(email, message_id))

    def refuse(self, address: str) -> None:
        """No mail to this address is taken any more."""
        with self._world.lock:
            self._world.refused.add(address.lower())

    def expire_sync_states(self, email: str) -> None:
        """Every state of the mailbox's folders so far gives ErrorInvalidSyncStateData."""
        with self._world.lock:
            for folder in self._account(email).folders.values():
                folder.sync_epoch += 1

    def in_folder(self, email: str, folder: str) -> list[bytes]:
        """The mails that lie there, oldest first."""
        with self._world.lock:
            return [mail.raw for mail in self._folder(email, folder).mails.values()]

    def received(self, address: str) -> list[bytes]:
        """What came to an address by way of this server, oldest first."""
        with self._world.lock:
            return [raw for to, raw in self._world.posted if to.lower() == address.lower()]

    @property
    def posted(self) -> list[tuple[str, bytes]]:
        """Everything that was sent: (address, mail), once for each recipient."""
        with self._world.lock:
            return list(self._world.posted)

    def _account(self, email: str) -> Account:
        found = self._world.account(email)
        if found is None:
            raise KeyError(email)
        return found

    def _folder(self, email: str, told: str) -> Folder:
        account = self._account(email)
        named = account.distinguished(told)
        return named or next(each for each in account.folders.values() if each.name == told)

    def _named(self, email: str, message_id: str) -> tuple[Folder, MailItem]:
        folders = self._account(email).folders.values()
        return next((each, mail) for each in folders for mail in each.mails.values() if mail.message_id == message_id)
