"""What is done in the folders of one mailbox, with a session that is signed in. Everything here blocks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from meetings.adapters.imap import wire
from meetings.adapters.imap.client import ImapSession
from meetings.application.mail_fields import header_of, may_be_a_report
from meetings.application.mail_text import Report, report_in, text_in
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.mail_accounts import CursorExpired, MailHeader

INBOX = "INBOX"
_SENT_BY_DEFAULT = "Sent"
_TEXT_BYTES = 1_000_000
_REPORT_BYTES = 300_000


class Folders:
    """The inbox, the folder of sent mails, and those that people's rules sort mail into."""

    def __init__(self, session: ImapSession) -> None:
        self._session = session
        self._known: list[wire.Listed] | None = None

    def sent(self, *, make: bool = False) -> str | None:
        """The folder of sent mails; None where there is none, unless it is to be made."""
        folder = wire.sent_folder(self._listed())
        if folder is None and make:
            self._session.run(lambda client: client.create_folder(_SENT_BY_DEFAULT))
            return _SENT_BY_DEFAULT
        return folder

    def places(self) -> dict[str, wire.Place]:
        """Where each folder ends now."""
        places = {folder: self._place(folder) for folder in self._watched()}
        return {folder: place for folder, place in places.items() if place is not None}

    def open(self, folder: str) -> wire.Place:
        """Look into a folder, changing nothing in it."""
        told = self._session.run(lambda client: client.select_folder(folder, readonly=True))
        return self._session.run(lambda _: wire.place(told))

    def new_since(self, places: dict[str, wire.Place]) -> tuple[list[tuple[str, wire.Place, list[int]]], str]:
        """The uids that came after these places, by folder, and the cursor for what comes after them.

        Raises:
            CursorExpired: a folder's uids are not the same any more.
        """
        found: list[tuple[str, wire.Place, list[int]]] = []
        following: dict[str, wire.Place] = {}
        for folder in self._watched():
            now = self._place(folder)
            if now is None:
                continue
            known = following[folder] = places.get(folder, now)  # what is in a new folder was in another one before
            if known.validity != now.validity or (now.next and now.next < known.next):
                raise CursorExpired("the folder is another one than it was")
            if now.next == known.next and now.next:
                continue
            self.open(folder)
            # "n:*" always tells the newest mail, even when its uid is lower (RFC 9051, 6.4.4).
            uids = self._search(["UID", f"{known.next}:*"])
            new = [uid for uid in uids if uid >= known.next]
            found.append((folder, now, new))
            # Not `now.next`: a mail that was on its way when the folder was asked may have got a lower number since.
            following[folder] = wire.Place(now.validity, max([known.next, *(uid + 1 for uid in new)]))
        return found, wire.cursor_of(following)

    def all_since(self, instant: datetime) -> tuple[list[tuple[str, wire.Place, list[int]]], str]:
        """The uids of the day of `instant` and later, by folder, and the cursor for what comes after them."""
        found: list[tuple[str, wire.Place, list[int]]] = []
        following: dict[str, wire.Place] = {}
        for folder in self.places():
            now = self.open(folder)
            # Days are those of the server's zone, whichever that is.
            uids = self._search(["SINCE", (instant - timedelta(days=1)).date()])
            found.append((folder, now, uids))
            following[folder] = wire.Place(now.validity, max([now.next, *(uid + 1 for uid in uids)]))
        return found, wire.cursor_of(following)

    def headers(self, folder: str, place: wire.Place, uids: Sequence[int]) -> list[MailHeader]:
        """What stands above these mails of a folder; drafts and deleted ones are left out, and those that are gone."""
        if self.open(folder).validity != place.validity:
            raise CursorExpired("the folder is another one than it was")
        told = self._fetch(uids, ["FLAGS", "INTERNALDATE", wire.HEADERS])
        mails = self._session.run(lambda _: wire.seen(told))
        return [self._header(folder, place, mail) for mail in mails if not mail.hidden]

    def _header(self, folder: str, place: wire.Place, mail: wire.Seen) -> MailHeader:
        outgoing, report = folder == self.sent(), Report(failed=False, about=None)
        if not outgoing and may_be_a_report(mail.fields):
            report = report_in(self._content(mail.uid, _REPORT_BYTES) or b"")
        return header_of(
            mail.fields,
            mail_id=wire.MailId(folder, place.validity, mail.uid).to_text(),
            at=mail.at,
            outgoing=outgoing,
            bounce=report.failed,
            about=report.about if report.failed else None,
        )

    def text(self, name: wire.MailId) -> str | None:
        """The text of a mail, out of its first million bytes; None when it is gone."""
        if name.folder not in self._watched() or self.open(name.folder).validity != name.validity:
            return None
        raw = self._content(name.uid, _TEXT_BYTES)
        return None if raw is None else text_in(raw)

    def with_message_id(self, message_id: str) -> bool:
        """Whether a mail with this message id is among the sent ones."""
        folder = self.sent()
        if folder is None:
            return False
        self.open(folder)
        return bool(self._search(["HEADER", "MESSAGE-ID", message_id]))

    def keep_copy(self, raw: bytes, at: datetime) -> None:
        """Put a mail among the sent ones, read."""
        folder = self.sent(make=True)
        self._session.run(lambda client: client.append(folder, raw, (b"\\Seen",), at))

    def drop_copy(self, message_id: str) -> None:
        """Take a mail that has not left back from among the sent ones."""
        folder = self.sent()
        if folder is None:
            return
        self._session.run(lambda client: client.select_folder(folder))
        uids = self._search(["HEADER", "MESSAGE-ID", message_id])
        if uids:
            self._session.run(lambda client: client.delete_messages(uids))
            self._session.run(lambda client: client.expunge(uids))

    def _watched(self) -> list[str]:
        return wire.watched_folders(self._listed(), INBOX)

    def _listed(self) -> list[wire.Listed]:
        if self._known is None:
            self._known = self._session.run(lambda client: list(client.list_folders()))
        return self._known

    def _place(self, folder: str) -> wire.Place | None:
        """Where a folder ends, without looking into it; None for one that may not be read, unless it is the inbox."""
        asked = ["UIDNEXT", "UIDVALIDITY"]
        ask = self._session.run if folder == INBOX else self._session.attempt
        told = ask(lambda client: client.folder_status(folder, asked))
        return None if told is None else self._session.run(lambda _: wire.place(told))

    def _search(self, criteria: list[Any]) -> list[int]:
        return sorted(self._session.run(lambda client: [int(uid) for uid in client.search(criteria)]))

    def _fetch(self, uids: Sequence[int], what: list[str]) -> Any:
        return self._session.run(lambda client: client.fetch(list(uids), what))

    def _content(self, uid: int, most: int) -> bytes | None:
        """The first bytes of a mail."""
        told = self._fetch([uid], [f"BODY.PEEK[]<0.{most}>"])
        if uid not in told:
            return None
        raw = wire.content(told[uid])
        if len(raw) > most + 1:
            raise ProviderUnavailable("more of a mail than was asked for")
        return raw
