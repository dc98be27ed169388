"""A person's mailbox: connected, lost, given back, connected again."""

from typing import Any
from uuid import uuid4

import pytest

from meetings.domain.calendar_connection import ConnectionStatus, Consent, Provider
from meetings.domain.identifiers import ConnectionId, MailboxId
from meetings.domain.mailbox import (
    InboxProvider,
    Mailbox,
    MailboxConnected,
    MailboxDisconnected,
    MailboxGrantLost,
)
from tests.builders import NOW, account_id, connection_id, user_id

CONSENT = Consent("2026-11", NOW)


def a_mailbox(lender: ConnectionId | None = None, **more: Any) -> Mailbox:
    mailbox = Mailbox.connect(
        MailboxId(uuid4()),
        account_id=account_id(),
        user_id=user_id(),
        provider=InboxProvider.GOOGLE,
        email="Anna@Example.com",
        consent=CONSENT,
        now=NOW,
        connection_id=lender,
        **more,
    )
    assert [type(event) for event in mailbox.pull_events()] == [MailboxConnected]
    return mailbox


def kinds(mailbox: Mailbox) -> list[type]:
    return [type(event) for event in mailbox.pull_events()]


def test_a_lost_grant_is_news_once() -> None:
    mailbox = a_mailbox()
    for _ in range(2):
        mailbox.lose_grant(now=NOW)
    assert kinds(mailbox) == [MailboxGrantLost]
    assert (mailbox.status, mailbox.usable) == (ConnectionStatus.REAUTH_REQUIRED, False)


def test_disconnecting_twice_is_news_once_and_ends_the_borrowing() -> None:
    mailbox = a_mailbox(connection_id())
    for _ in range(2):
        mailbox.disconnect(now=NOW)
    assert kinds(mailbox) == [MailboxDisconnected]
    assert (mailbox.status, mailbox.connection_id) == (ConnectionStatus.DISCONNECTED, None)
    mailbox.lose_grant(now=NOW)
    assert kinds(mailbox) == []


def test_connecting_again_makes_it_usable_whichever_way() -> None:
    """S83."""
    mailbox = a_mailbox(connection_id())
    mailbox.lose_grant(now=NOW)
    mailbox.pull_events()
    mailbox.reconnect(provider=InboxProvider.EXCHANGE, consent=CONSENT, now=NOW)
    assert kinds(mailbox) == [MailboxConnected]
    assert (mailbox.usable, mailbox.provider, mailbox.connection_id) == (True, InboxProvider.EXCHANGE, None)


def test_an_address_is_the_same_in_any_letter_case() -> None:
    assert a_mailbox().has_address(" anna@EXAMPLE.com")
    assert not a_mailbox().has_address("anna@example.org")


@pytest.mark.parametrize(
    ("provider", "calendar", "brand"),
    [
        (InboxProvider.GOOGLE, Provider.GOOGLE, "Google"),
        (InboxProvider.OFFICE365, Provider.OFFICE365, "Office 365"),
        (InboxProvider.EXCHANGE, Provider.EXCHANGE, "Exchange"),
        (InboxProvider.IMAP, None, "IMAP"),
    ],
)
def test_imap_alone_has_no_calendar(provider: InboxProvider, calendar: Provider | None, brand: str) -> None:
    assert (provider.calendar_provider, provider.brand) == (calendar, brand)
