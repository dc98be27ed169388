"""The contract runs once per provider. Another one is a line more in `WORLDS`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from meetings.application.ports.mail_accounts import MailAccount
from tests.contracts.calendars.world import HeldCredentials
from tests.contracts.mail.exchange_world import exchange_mail_world
from tests.contracts.mail.google_world import google_mail_world
from tests.contracts.mail.imap_world import imap_mail_world
from tests.contracts.mail.office365_world import office365_mail_world
from tests.contracts.mail.world import MailWorld

WORLDS: dict[str, Callable[..., AbstractContextManager[MailWorld]]] = {
    "google": google_mail_world,
    "office365": office365_mail_world,
    "exchange": exchange_mail_world,
    "imap": imap_mail_world,
}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[MailWorld]:
    with WORLDS[request.param]() as started:
        yield started


@pytest.fixture
def credentials(world: MailWorld) -> HeldCredentials:
    return world.sign_in()


@pytest.fixture
def mail(world: MailWorld, credentials: HeldCredentials) -> MailAccount:
    return world.offer.mail(credentials)
