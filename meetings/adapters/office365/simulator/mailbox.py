"""What Exchange keeps of mail: folders, and mails with the changes a reader of one folder is told of.

Source: "mailFolder resource type" for the folders that every mailbox has. Plain state; the world's lock guards it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from meetings.adapters.office365.simulator.mail_content import Content, content_of, properties_of

WELL_KNOWN = {
    "inbox": "Inbox",
    "drafts": "Drafts",
    "sentitems": "Sent Items",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "outbox": "Outbox",
    "archive": "Archive",
}
"""Display names by well-known name."""


@dataclass
class MailFolder:
    """`parent` is the id of a folder, or that of the root, which is not told."""

    id: str
    name: str
    parent: str
    well_known: str | None = None
    hidden: bool = False


@dataclass(eq=False)
class StoredMail:
    """One mail in one folder.

    `entered` is the number of the mailbox's change that put it there, `changed` of the one that touched it last.
    `arrived` says that it came from outside, with headers. `message_class` is Exchange's word for what it is.
    """

    id: str
    folder: str
    raw: bytes
    message_id: str
    conversation_id: str
    received_at: datetime
    sent_at: datetime
    position: int
    entered: int
    changed: int
    message_class: str = "IPM.Note"
    arrived: bool = False
    draft: bool = False
    read: bool = False

    @cached_property
    def content(self) -> Content:
        """Taken apart when somebody looks: most mails of a big mailbox are never looked at."""
        return content_of(self.raw)

    @cached_property
    def extended(self) -> dict[str, str]:
        """Single-value extended properties by their id in small letters."""
        return properties_of(self.content, self.message_id, self.message_class)


@dataclass
class Mailbox:
    """`gone` are mails that left a folder: (folder, id) and the number of the change. `root` is the id of the folder
    that holds all others."""

    email: str
    root: str
    folders: dict[str, MailFolder] = field(default_factory=dict)
    mails: dict[str, StoredMail] = field(default_factory=dict)
    gone: dict[tuple[str, str], int] = field(default_factory=dict)
    change: int = 0
    sync_epoch: int = 0

    def folder_named(self, name: str) -> MailFolder:
        """By well-known name. Raises KeyError."""
        for each in self.folders.values():
            if each.well_known == name.lower():
                return each
        raise KeyError(name)

    def in_folder(self, folder: str) -> list[StoredMail]:
        return [mail for mail in self.mails.values() if mail.folder == folder]

    def next_change(self) -> int:
        self.change += 1
        return self.change

    def remove(self, mail: StoredMail) -> None:
        """Out of its folder and the mailbox."""
        self.gone[mail.folder, mail.id] = self.next_change()
        del self.mails[mail.id]

    def move(self, mail: StoredMail, folder: str) -> None:
        """Into another folder, where it is new; its immutable id stays."""
        self.gone[mail.folder, mail.id] = self.next_change()
        self.gone.pop((folder, mail.id), None)
        mail.folder, mail.entered, mail.changed = folder, self.change, self.change

    def mark_read(self, mail: StoredMail) -> None:
        mail.read, mail.changed = True, self.next_change()
