"""A mailbox on real servers, for what only IMAP and SMTP do."""

from collections.abc import Iterator

import pytest

from meetings.application.ports.mail_accounts import MailAccount
from tests.contracts.mail.imap_world import ImapMailWorld, imap_mail_world


@pytest.fixture
def world() -> Iterator[ImapMailWorld]:
    with imap_mail_world() as started:
        yield started


@pytest.fixture
def mail(world: ImapMailWorld) -> MailAccount:
    account: MailAccount = world.offer.mail(world.sign_in())
    return account
