"""The Exchange simulator as a `MailWorld`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.provider import ExchangeSettings, exchange_provider
from meetings.adapters.exchange.simulator import PASSWORD, Call, ExchangeSimulator
from meetings.adapters.exchange.versions import ServerBuild
from meetings.application.ports.calendars import ServerAuth
from meetings.application.ports.mail_accounts import InboxOffer
from tests.contracts.calendars.world import Clock, HeldCredentials
from tests.contracts.exchange import schema
from tests.contracts.exchange.schema import SchemaCheck
from tests.contracts.mail.seen import seen
from tests.contracts.mail.world import Folder, SeenMail

ADA, BOB = "ada@example.com", "bob@example.com"
_FOLDERS = {
    Folder.INBOX: "inbox",
    Folder.DRAFTS: "drafts",
    Folder.JUNK: "junkemail",
    Folder.DELETED: "deleteditems",
}
_OF_SCHEMA = "14.2"


class ExchangeMailWorld:
    account, colleague = ADA, BOB
    keeps_message_ids = True
    names_threads = False
    renewable = False
    tells_when = True

    def __init__(self, exchange: ExchangeSimulator, clock: Callable[[], datetime], settings: dict[str, Any]) -> None:
        self.exchange = exchange
        self.clock = clock
        self.offer = self.offer_with(**settings)

    def offer_with(self, **settings: Any) -> InboxOffer:
        """That of another instance of the adapter, as another process would have."""
        given = {"private_networks": (f"localhost:{self.exchange.port}",), "ca_file": self.exchange.ca_file}
        offer = exchange_provider(ExchangeSettings(**given | settings), now=self.clock).inbox
        assert offer is not None
        return offer

    def sign_in(self) -> HeldCredentials:
        access = MailboxAccess(
            email=ADA,
            username=ADA,
            password=PASSWORD,
            url=self.exchange.ews_url,
            auth=ServerAuth.BASIC,
            build=ServerBuild(*self.exchange.settings.version.build),
        )
        return HeldCredentials(access.to_text())

    def deliver(self, raw: bytes, folder: Folder = Folder.INBOX) -> None:
        self.exchange.mail.deliver(ADA, raw, _FOLDERS[folder])

    def send_by_hand(self, raw: bytes) -> None:
        self.exchange.mail.send(ADA, raw)

    def erase(self, message_id: str) -> None:
        self.exchange.mail.erase(ADA, message_id)

    def received(self, address: str) -> list[SeenMail]:
        return [seen(raw) for raw in self.exchange.mail.received(address)]

    def sent(self) -> list[SeenMail]:
        return [seen(raw) for raw in self.exchange.mail.in_folder(ADA, "sentitems")]

    def refuse(self, address: str) -> None:
        self.exchange.mail.refuse(address)

    def expire_cursors(self) -> None:
        self.exchange.mail.expire_sync_states(ADA)

    def expire_access(self) -> None:
        pytest.skip("a password is shown with every call; there is nothing to renew")

    def revoke(self) -> None:
        """The password is another one now."""
        self.exchange.change_password(ADA, "another one")

    def small_pages(self, size: int) -> None:
        self.exchange.settings.find_limit = self.exchange.settings.sync_limit = size

    def during_news(self, action: Callable[[], object]) -> None:
        self.exchange.on_call(lambda call: call.operation in ("FindFolder", "GetFolder", "SyncFolderItems"), action)

    def during_send(self, action: Callable[[], object]) -> None:
        self.exchange.on_call("CreateItem", action)

    def lose_answers(self, times: int) -> None:
        self.exchange.fault("CreateItem", drop_after_commit=True, times=times)

    def fail(self, times: int | None = 1) -> None:
        self.exchange.fault(_asks_a_mailbox, status=500, times=times)

    def limit_rate(self, seconds: int) -> None:
        self.exchange.fault(_asks_a_mailbox, code="ErrorServerBusy", back_off_ms=seconds * 1000)

    def recover(self) -> None:
        self.exchange.clear_faults()

    def calls(self) -> int:
        return len(self.exchange.calls)


def _asks_a_mailbox(call: Call) -> bool:
    return call.account is not None


@contextmanager
def exchange_mail_world(
    *, version: str = _OF_SCHEMA, clock: Callable[[], datetime] | None = None, **settings: Any
) -> Iterator[ExchangeMailWorld]:
    """A served simulator, with a standing clock unless there is another. Of Exchange 2010 SP2 every call is checked
    against the published schema, where that is at hand."""
    clock, check = clock or Clock(), SchemaCheck()
    with ExchangeSimulator(now=clock, version=version).serve() as exchange:
        if schema.AVAILABLE and version == _OF_SCHEMA:
            exchange.observe(check)
        exchange.add_account(ADA, "Ada Lovelace", time_zone="Europe/Berlin")
        exchange.add_account(BOB, "Bob Stone", time_zone="America/New_York")
        yield ExchangeMailWorld(exchange, clock, settings)
    assert check.problems == []
