"""The folders of a mailbox, and which of them mail comes and goes in.

Sources: "mailFolder resource type" (well-known names, counts), "mailFolder: delta", which without a token tells all
folders of the mailbox, those within others too, each with the folder it lies in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.places import few_at_once
from meetings.adapters.office365.reading import items_of, read
from meetings.adapters.office365.refusals import Asked, Refused

INBOX, SENT = "inbox", "sentitems"
_LEFT_OUT = ("drafts", "deleteditems", "junkemail", "outbox")
_WELL_KNOWN = (INBOX, SENT, *_LEFT_OUT)
_SELECT = "id,parentFolderId,totalItemCount,unreadItemCount,isHidden"
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class MailFolder:
    """`counts` are all mails in it, and the unread ones."""

    id: str
    parent: str | None
    counts: tuple[int, int]
    hidden: bool


@dataclass(frozen=True, slots=True)
class MailFolders:
    """Reading the folders of one mailbox."""

    calls: AuthorizedCalls

    async def all(self) -> tuple[MailFolder, ...]:
        """Every folder, in Graph's order; one call for a few hundred of them."""
        question = Question(
            "GET", "/me/mailFolders/delta", params={"$select": _SELECT}, prefer=(f"odata.maxpagesize={_AT_ONCE}",)
        )
        found: list[MailFolder] = []
        async for page in self.calls.pages(question, Asked.MAIL, None):
            found += _folders_in(page)
        return tuple(found)

    async def well_known(self) -> Mapping[str, str]:
        """The ids of the folders that every mailbox has, by their well-known names. They never change."""
        ids = await few_at_once(self._id, _WELL_KNOWN)
        return {name: id for name, id in zip(_WELL_KNOWN, ids, strict=True) if id is not None}

    async def _id(self, name: str) -> str | None:
        question = Question("GET", f"/me/mailFolders/{name}", params={"$select": "id"})
        try:
            answer = await self.calls.attempt(question, self.calls.limit())
        except Refused as refused:
            if refused.says_gone and name not in (INBOX, SENT):
                return None
            raise self.calls.error(refused, Asked.MAIL) from None
        return read(lambda: str(answer["id"]))


def followed(folders: tuple[MailFolder, ...], well_known: Mapping[str, str]) -> tuple[MailFolder, ...]:
    """Those in which mail is looked for: all but drafts, junk, deleted mails, what is about to leave, hidden ones, and
    whatever lies within these."""
    parents = {folder.id: folder.parent for folder in folders}
    out = {well_known[name] for name in _LEFT_OUT if name in well_known} | {each.id for each in folders if each.hidden}
    return tuple(folder for folder in folders if not _within(folder.id, out, parents))


def _within(folder: str | None, out: set[str], parents: Mapping[str, str | None]) -> bool:
    """The walk ends at the root, which is not told, or after as many steps as there are folders."""
    for _ in range(len(parents) + 1):
        if folder is None or folder in out:
            return folder is not None
        folder = parents.get(folder)
    return True


def _folders_in(page: Any) -> list[MailFolder]:
    items = [item for item in items_of(page) if "@removed" not in item]
    return read(lambda: [_folder(item) for item in items])


def _folder(item: dict[str, object]) -> MailFolder:
    return MailFolder(
        id=str(item["id"]),
        parent=str(item["parentFolderId"]) if item.get("parentFolderId") else None,
        counts=(int(str(item["totalItemCount"])), int(str(item["unreadItemCount"]))),
        hidden=item.get("isHidden") is True,
    )
