"""Mailboxes as tests and the demo hold them: mails arrive, people write and throw away, and what left is seen."""

from meetings.adapters.google.simulator.mail_sending import hand_over
from meetings.adapters.google.simulator.mailbox import INBOX, SENT, UNREAD, LeftMail, StoredMail
from meetings.adapters.google.simulator.world import World


class MailControl:
    """People at work in Gmail. Mails are bytes of RFC 5322. Thread-safe."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deliver(self, email: str, raw: bytes, labels: tuple[str, ...] = (INBOX, UNREAD)) -> str:
        """A mail comes to the account's mailbox, or lies there with these labels; gives its id."""
        with self._world.lock:
            return self._world.accounts[email].mailbox.add(raw, set(labels), self._world.now()).id

    def send_by_hand(self, email: str, raw: bytes, *to: str) -> str:
        """The account's owner sends a mail in Gmail, to these addresses; gives its id."""
        with self._world.lock:
            mail = self._world.accounts[email].mailbox.add(raw, {SENT}, self._world.now())
            for recipient in to:
                hand_over(self._world, recipient, raw)
            return mail.id

    def erase(self, email: str, message_id: str) -> None:
        """The mails with this Message-ID are gone for good."""
        with self._world.lock:
            mailbox = self._world.accounts[email].mailbox
            for mail in mailbox.by_message_id(message_id):
                del mailbox.mails[mail.id]

    def forget_history(self, email: str) -> None:
        """Every history id so far gives 404."""
        with self._world.lock:
            mailbox = self._world.accounts[email].mailbox
            mailbox.number += 1
            mailbox.forgotten = mailbox.number

    def refuse(self, address: str) -> None:
        """A mail to this address is refused when it is sent."""
        with self._world.lock:
            self._world.refused_recipients.add(address)

    def take_gmail_away(self, email: str) -> None:
        """The account is one without Gmail."""
        with self._world.lock:
            self._world.accounts[email].without_mail = True

    def mails(self, email: str, label: str | None = None) -> list[StoredMail]:
        """The mails of an account, oldest first; only those with a label, when asked."""
        with self._world.lock:
            found = list(self._world.accounts[email].mailbox.mails.values())
            return [mail for mail in found if label is None or label in mail.labels]

    @property
    def left(self) -> list[LeftMail]:
        """What left for people without an account here, oldest first."""
        with self._world.lock:
            return list(self._world.left_mails)
