"""A mailbox on any server, connected by IMAP and SMTP with a password: the whole product, real servers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from meetings.application.connect_imap import ConnectImap, ImapRefused, connect_imap
from meetings.application.ports.calendars import LoginProblem
from meetings.application.ports.mail_accounts import ImapCredentials, ServerAddress
from meetings.application.store_connection import StoredAccount
from meetings.domain.account import MailPreset, MailServerKind
from meetings.domain.base import InvalidInput, PermissionMissing
from meetings.domain.calendar_connection import ConnectionStatus, ConsentRequired
from meetings.domain.identifiers import MailboxId
from meetings.domain.mailbox import InboxProvider, MailboxAlreadyConnected
from meetings.domain.user import Permission, User
from tests.contracts.mail.imap_world import ADA, HOST, PASSWORD, ImapMailWorld, imap_mail_world
from tests.inboxes import disconnect, mailboxes_of, send
from tests.world import World


@pytest.fixture
def servers() -> Iterator[ImapMailWorld]:
    with imap_mail_world() as started:
        yield started


@dataclass
class ByImap:
    """Anna, and servers where she has a mailbox; their name resolves to this machine."""

    here: World
    servers: ImapMailWorld

    async def submit(
        self, *, version: str | None = None, user: User | None = None, reconnect: MailboxId | None = None, **other: Any
    ) -> StoredAccount:
        """Press "connect"."""
        tools = self.here.tools
        typed = ImapCredentials(
            ADA,
            PASSWORD,
            imap=ServerAddress(HOST, self.servers.imap.port),
            smtp=ServerAddress(HOST, self.servers.smtp.port),
        )
        accepted = tools.inbox_offers[InboxProvider.IMAP].disclosure.version if version is None else version
        stored = await connect_imap(
            ConnectImap(accepted, replace(typed, **other), reconnect),
            caller=self.here.caller_of(user or self.here.anna),
            begin=tools.begin,
            look=tools.look,
            offers=tools.inbox_offers,
            providers=tools.providers,
            clock=self.here.clock,
        )
        await self.here.settle_down()
        return stored


@pytest.fixture
async def anna(here: World, servers: ImapMailWorld) -> ByImap:
    offers = here.runtime.process.inbox_offers
    assert isinstance(offers, dict)
    offers[InboxProvider.IMAP] = servers.offer
    return ByImap(here, servers)


async def test_one_submit_connects_a_mailbox_that_sends(anna: ByImap) -> None:
    """S79, S91."""
    stored = await anna.submit()
    [mailbox] = await mailboxes_of(anna.here)
    assert (stored.mailbox_id, stored.connection_id) == (mailbox.id, None)
    assert (mailbox.provider, mailbox.email, mailbox.connection_id) == (InboxProvider.IMAP, ADA, None)
    assert mailbox.server is not None
    assert mailbox.server.url == f"imaps://{HOST}:{anna.servers.imap.port}"
    await send(anna.here, mailbox)
    assert len(anna.servers.received("bob@example.com")) == 1


async def test_a_wrong_password_is_told_and_nothing_is_stored(anna: ByImap) -> None:
    with pytest.raises(ImapRefused) as refused:
        await anna.submit(password="wrong")
    assert refused.value.problem is LoginProblem.CREDENTIALS_REJECTED
    assert await mailboxes_of(anna.here) == []


async def test_an_admins_preset_is_taken_where_no_server_is_typed_in(anna: ByImap) -> None:
    """A-EX3."""
    async with anna.here.tools.begin(anna.here.anna.account_id) as work:
        preset = MailPreset("example.com", MailServerKind.IMAP, f"{HOST}:{anna.servers.imap.port}")
        (await work.account()).preset_mail_server(preset, now=anna.here.clock())
        await work.commit()
    await anna.submit(imap=None)
    [mailbox] = await mailboxes_of(anna.here)
    assert mailbox.usable


async def test_the_same_address_twice_is_refused_and_again_is_not(anna: ByImap) -> None:
    """A-IN6: entering a new password is no second mailbox."""
    await anna.submit()
    with pytest.raises(MailboxAlreadyConnected):
        await anna.submit()
    [mailbox] = await mailboxes_of(anna.here)
    await anna.submit(reconnect=mailbox.id)
    await disconnect(anna.here, mailbox)
    await anna.submit()
    [again] = await mailboxes_of(anna.here)
    assert (again.id, again.status) == (mailbox.id, ConnectionStatus.ACTIVE)


async def test_without_reading_the_notice_or_the_permission_nobody_is_asked(anna: ByImap) -> None:
    """S16, A-CC1."""
    with pytest.raises(ConsentRequired):
        await anna.submit(version="imap-1999")
    bob = await anna.here.add_colleague("Bob", "bob@example.com")
    async with anna.here.tools.begin(bob.account_id) as work:
        (await work.users.get(bob.id)).permissions = frozenset(Permission) - {Permission.PERSONAL_EMAIL_ACCESS}
        await work.commit()
    with pytest.raises(PermissionMissing):
        await anna.submit(user=bob)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"email": "nobody"}, ("email",)),
        ({"password": ""}, ("password",)),
        ({"imap": ServerAddress("", 993)}, ("imap", "host")),
        ({"imap": ServerAddress(HOST, 0)}, ("imap", "port")),
        ({"smtp": ServerAddress(HOST, 65_536)}, ("smtp", "port")),
        ({"username": "x" * 257}, ("username",)),
    ],
)
async def test_what_cannot_be_right_is_told_before_anybody_is_asked(
    anna: ByImap, wrong: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await anna.submit(**wrong)
    assert [problem.path for problem in refused.value.problems] == [path]
