"""Office 365's simulator as a `MailWorld`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from meetings.adapters.office365.provider import Office365Settings, office365_provider
from meetings.adapters.office365.simulator import CLIENT_ID, CLIENT_SECRET, Call, Office365Simulator
from meetings.application.ports.mail_accounts import InboxOffer
from meetings.domain.account_use import BOTH
from tests.contracts.calendars.world import Clock, HeldCredentials
from tests.contracts.mail.seen import seen
from tests.contracts.mail.world import Folder, SeenMail
from tests.contracts.office365.signing_in import signed_in

ADA, BOB = "ada@example.com", "bob@example.com"
_FOLDERS = {
    Folder.INBOX: "inbox",
    Folder.DRAFTS: "drafts",
    Folder.JUNK: "junkemail",
    Folder.DELETED: "deleteditems",
}


class Office365MailWorld:
    account, colleague = ADA, BOB
    keeps_message_ids = True
    names_threads = True
    renewable = True
    tells_when = True
    uses = BOTH

    def __init__(self, office: Office365Simulator, clock: Callable[[], datetime], settings: dict[str, Any]) -> None:
        self.office = office
        self.clock = clock
        self.offer = self.offer_with(**settings)

    def offer_with(self, **settings: Any) -> InboxOffer:
        """That of another instance of the adapter, as another process would have."""
        given = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "ca_file": self.office.ca_file,
            "login_url": self.office.endpoints.login,
            "graph_url": self.office.endpoints.graph,
        }
        offer = office365_provider(Office365Settings(**given | settings), now=self.clock).inbox
        assert offer is not None
        return offer

    def sign_in(self) -> HeldCredentials:
        return HeldCredentials(signed_in(self.office, ADA, self.clock(), self.uses))

    def deliver(self, raw: bytes, folder: Folder = Folder.INBOX) -> None:
        self.office.mail.deliver(ADA, raw, _FOLDERS[folder])

    def send_by_hand(self, raw: bytes) -> None:
        self.office.mail.send(ADA, raw)

    def erase(self, message_id: str) -> None:
        self.office.mail.erase(ADA, message_id)

    def received(self, address: str) -> list[SeenMail]:
        return [seen(raw) for raw in self.office.mail.received(address)]

    def sent(self) -> list[SeenMail]:
        return [seen(raw) for raw in self.office.mail.in_folder(ADA, "sentitems")]

    def refuse(self, address: str) -> None:
        self.office.mail.refuse(address)

    def expire_cursors(self) -> None:
        self.office.mail.expire_sync_tokens(ADA)

    def expire_access(self) -> None:
        self.office.expire_access_tokens(ADA)

    def revoke(self) -> None:
        self.office.revoke_grants(ADA)

    def small_pages(self, size: int) -> None:
        self.office.settings.largest_page = size

    def during_news(self, action: Callable[[], object]) -> None:
        self.office.on_call(lambda call: call.operation in ("mailFolders.delta", "messages.delta"), action)

    def during_send(self, action: Callable[[], object]) -> None:
        self.office.on_call("messages.send", action)

    def lose_answers(self, times: int) -> None:
        self.office.fault("messages.send", drop_after_commit=True, times=times)

    def fail(self, times: int | None = 1) -> None:
        self.office.fault(_of_graph, status=500, times=times)

    def limit_rate(self, seconds: int) -> None:
        self.office.fault(_of_graph, status=429, retry_after=seconds)

    def recover(self) -> None:
        self.office.clear_faults()

    def calls(self) -> int:
        return len(self.office.calls)


def _of_graph(call: Call) -> bool:
    return not call.operation.startswith("oauth.")


@contextmanager
def office365_mail_world(
    *, clock: Callable[[], datetime] | None = None, **settings: Any
) -> Iterator[Office365MailWorld]:
    """A served simulator, with a standing clock unless there is another. Microsoft's description of Graph at hand knows
    no mail, so these calls are checked against nothing."""
    clock = clock or Clock()
    with Office365Simulator(now=clock).serve() as office:
        office.add_account(ADA, "Ada Lovelace", time_zone="Europe/Berlin")
        office.add_account(BOB, "Bob Stone", time_zone="America/New_York")
        yield Office365MailWorld(office, clock, settings)
