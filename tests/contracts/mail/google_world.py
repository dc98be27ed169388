"""Google's simulator as a `MailWorld`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import getaddresses
from typing import Any

from meetings.adapters.google.provider import GoogleSettings, google_provider
from meetings.adapters.google.simulator import CLIENT_ID, CLIENT_SECRET, MAIL_SCOPES, Call, GoogleSimulator
from meetings.adapters.google.tokens import Grant
from tests.contracts.calendars.world import Clock, HeldCredentials
from tests.contracts.google.discovery import DiscoveryCheck
from tests.contracts.mail.seen import seen
from tests.contracts.mail.world import Folder, SeenMail

ADA, BOB = "ada@example.com", "bob@example.com"
_LABELS = {
    Folder.INBOX: ("INBOX", "UNREAD"),
    Folder.DRAFTS: ("DRAFT",),
    Folder.JUNK: ("SPAM", "UNREAD"),
    Folder.DELETED: ("TRASH",),
}


class GoogleMailWorld:
    account = ADA
    colleague = BOB
    keeps_message_ids = False
    names_threads = True
    renewable = True
    tells_when = True

    def __init__(self, google: GoogleSimulator, clock: Callable[[], datetime], settings: dict[str, Any]) -> None:
        self.google = google
        self.clock = clock
        self.provider = google_provider(GoogleSettings(**{**self.settings(), **settings}), now=clock)
        assert self.provider.inbox is not None
        self.offer = self.provider.inbox

    def settings(self) -> dict[str, Any]:
        endpoints = self.google.endpoints
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "api_url": endpoints.api,
            "mail_api_url": endpoints.mail_api,
            "authorize_url": endpoints.authorize,
            "token_url": endpoints.token,
            "revoke_url": endpoints.revoke,
        }

    def sign_in(self) -> HeldCredentials:
        tokens = self.google.grant(ADA, MAIL_SCOPES)
        ends = self.clock() + timedelta(seconds=tokens["expires_in"])
        return HeldCredentials(
            Grant(tokens["access_token"], tokens["refresh_token"], int(ends.timestamp()), MAIL_SCOPES).to_text()
        )

    def deliver(self, raw: bytes, folder: Folder = Folder.INBOX) -> None:
        self.google.mail.deliver(ADA, raw, _LABELS[folder])

    def send_by_hand(self, raw: bytes) -> None:
        to = [email for _, email in getaddresses([str(message_from_bytes(raw)["To"])])]
        self.google.mail.send_by_hand(ADA, raw, *to)

    def erase(self, message_id: str) -> None:
        self.google.mail.erase(ADA, message_id)

    def received(self, address: str) -> list[SeenMail]:
        if address in (ADA, BOB):
            return [seen(mail.raw) for mail in self.google.mail.mails(address, "INBOX")]
        return [seen(mail.raw) for mail in self.google.mail.left if mail.to == address]

    def sent(self) -> list[SeenMail]:
        return [seen(mail.raw) for mail in self.google.mail.mails(ADA, "SENT")]

    def refuse(self, address: str) -> None:
        self.google.mail.refuse(address)

    def expire_cursors(self) -> None:
        self.google.mail.forget_history(ADA)

    def expire_access(self) -> None:
        self.google.expire_access_tokens(ADA)

    def revoke(self) -> None:
        self.google.revoke_grants(ADA)

    def small_pages(self, size: int) -> None:
        self.google.settings.largest_page = size

    def during_news(self, action: Callable[[], object]) -> None:
        self.google.on_call(_for_news, action)

    def lose_answers(self, times: int) -> None:
        self.google.fault("users.messages.send", times=times, drop_after_commit=True)

    def fail(self, times: int | None = 1) -> None:
        self.google.fault(_is_mail, times=times, status=503)

    def limit_rate(self, seconds: int) -> None:
        self.google.fault(_is_mail, status=429, retry_after=seconds)

    def recover(self) -> None:
        self.google.clear_faults()

    def calls(self) -> int:
        return len([call for call in self.google.calls if call.within is None])


def _is_mail(call: Call) -> bool:
    return call.within is None and (call.operation == "batch" or call.operation.startswith("users."))


def _for_news(call: Call) -> bool:
    return call.operation in ("users.getProfile", "users.history.list", "users.messages.list")


@contextmanager
def google_mail_world(*, clock: Callable[[], datetime] | None = None, **settings: Any) -> Iterator[GoogleMailWorld]:
    """A served simulator. Every call is checked against Google's own description of its API."""
    clock, check = clock or Clock(), DiscoveryCheck()
    with GoogleSimulator(now=clock).serve() as google:
        google.observe(check)
        google.add_account(ADA, "Ada Lovelace", time_zone="Europe/Berlin")
        google.add_account(BOB, "Bob Stone", time_zone="America/New_York")
        yield GoogleMailWorld(google, clock, settings)
    assert check.problems == []
