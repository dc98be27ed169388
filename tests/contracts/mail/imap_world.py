"""A real IMAP server and an SMTP server as a `MailWorld`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from tempfile import TemporaryDirectory
from typing import Any

import trustme

from meetings.adapters.dns.service_records import DnsServiceRecords
from meetings.adapters.imap.provider import ImapSettings, imap_offer
from meetings.adapters.imap.sealed import Access
from meetings.application.ports.mail_accounts import ServerAddress
from meetings.infrastructure.demo.mail_catcher import Answer, Drop, MailCatcher, Step
from meetings.infrastructure.demo.name_server import NameServer
from tests.contracts.calendars.world import Clock, HeldCredentials
from tests.contracts.imap.imap_server import ImapServer
from tests.contracts.mail.seen import seen
from tests.contracts.mail.world import Folder, SeenMail

ADA, BOB = "ada@example.com", "bob@example.com"
HOST = "mail.example.com"
PASSWORD = "canary-of-a-mailbox-password"
_FOLDERS = {
    Folder.INBOX: "INBOX",
    Folder.DRAFTS: "Drafts",
    Folder.JUNK: "Junk",
    Folder.DELETED: "Trash",
}


class ImapMailWorld:
    account = ADA
    colleague = BOB
    keeps_message_ids = True
    names_threads = False
    renewable = False
    tells_when = False

    def __init__(
        self, imap: ImapServer, smtp: MailCatcher, names: NameServer, ca_file: str, clock: Callable[[], datetime]
    ) -> None:
        self.imap = imap
        self.smtp = smtp
        self.names = names
        self.ca_file = ca_file
        self.clock = clock
        self.offer = self.offer_with()

    def offer_with(self, **settings: Any) -> Any:
        """Another instance of the adapter, as another process would have."""
        usual: dict[str, Any] = {
            "private_networks": (f"{HOST}:1024-65535",),
            "ca_file": self.ca_file,
            "page_size": 5,
        }
        return imap_offer(
            ImapSettings(**{**usual, **settings}),
            records=DnsServiceRecords([(self.names.host, self.names.port)]),
            now=self.clock,
            resolver=lambda host, port: ["127.0.0.1"],
        )

    def access(self, password: str = PASSWORD) -> Access:
        imap, smtp = ServerAddress(HOST, self.imap.port), ServerAddress(HOST, self.smtp.port)
        return Access(ADA, ADA, password, imap, smtp)

    def sign_in(self) -> HeldCredentials:
        return HeldCredentials(self.access().to_text())

    def deliver(self, raw: bytes, folder: Folder = Folder.INBOX) -> None:
        self.imap.append(ADA, _FOLDERS[folder], raw)

    def send_by_hand(self, raw: bytes) -> None:
        self.imap.append(ADA, "Sent", raw, b"\\Seen")

    def erase(self, message_id: str) -> None:
        self.imap.erase(ADA, "INBOX", message_id.encode())

    def received(self, address: str) -> list[SeenMail]:
        return [seen(mail.raw) for mail in self.smtp.mails if address in mail.recipients]

    def sent(self) -> list[SeenMail]:
        return [seen(raw) for raw in self.imap.mails(ADA, "Sent")]

    def refuse(self, address: str) -> None:
        self.smtp.misbehave(Answer(Step.RECIPIENT, f"550 5.1.1 <{address}> is not known here"))

    def expire_cursors(self) -> None:
        self.imap.renumber(ADA, "INBOX", "Sent")

    def expire_access(self) -> None:
        raise NotImplementedError("a password does not expire by itself")

    def revoke(self) -> None:
        self.imap.set_password(ADA, "another one")

    def small_pages(self, size: int) -> None:
        """Pages are as small as the adapter asks for."""

    def during_news(self, action: Callable[[], object]) -> None:
        self.imap.before_second.append(action)

    def lose_answers(self, times: int) -> None:
        self.smtp.misbehave(*[Drop(Step.CONTENT, kept=True)] * times)

    def fail(self, times: int | None = 1) -> None:
        self.imap.dropping = times

    def limit_rate(self, seconds: int) -> None:
        self.imap.refusing.append("NO [LIMIT] Too many connections")

    def recover(self) -> None:
        self.imap.dropping = 0
        self.imap.refusing.clear()

    def calls(self) -> int:
        return self.imap.connections


@contextmanager
def imap_mail_world(*, clock: Callable[[], datetime] | None = None, host: str = HOST) -> Iterator[ImapMailWorld]:
    """Served over TLS with certificates of an authority that only the adapter believes."""
    clock, authority = clock or Clock(), trustme.CA()
    tls = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(tls)
    with TemporaryDirectory() as folder:
        ca_file = Path(folder) / "authority.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        smtp = MailCatcher(tls=tls, implicit_tls=True, login=(ADA, PASSWORD))
        with ImapServer(clock, tls).serve() as imap, smtp, NameServer().serve() as names:
            imap.set_password(ADA, PASSWORD)
            for name in ("Drafts", "Junk", "Trash", "Sent"):
                imap.add_folder(ADA, name)
            yield ImapMailWorld(imap, smtp, names, str(ca_file), clock)
