"""One sign-in, two uses: an account's calendar and its mailbox are connected and disconnected each by itself (X11)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from meetings.adapters.google.signin import CALENDAR_SCOPE, MAIL_SCOPES
from meetings.application.connect_calendar import ConnectionFailed, Wanted
from meetings.application.grants import note_lost_mailbox
from meetings.application.manage_connection import disconnect_calendar
from meetings.application.ports.calendars import ReauthorizationNeeded
from meetings.domain.account_use import BOTH, CALENDAR_ONLY, EMAIL_ONLY, AccountUse
from meetings.domain.base import NotFound, PermissionMissing
from meetings.domain.booking import BookingState
from meetings.domain.calendar_connection import ConnectionStatus, Consent, Grant
from meetings.domain.identifiers import MailboxId
from meetings.domain.mailbox import InboxProvider, Mailbox, MailboxAlreadyConnected, TeamMailboxNotAllowed
from meetings.domain.user import Permission
from meetings.infrastructure.database.tables import credentials, mailbox_credentials
from tests.contracts.calendars.world import CalendarWorld
from tests.hosted import Hosted, hosted
from tests.hosted import place as place  # a fixture
from tests.inboxes import disconnect, mailboxes_of, send, sign_in
from tests.stored import sealed
from tests.world import HOST_EMAIL, World, berlin, outside

TEN = berlin("2035-12-03 10:00")
OTHER = "anna.private@example.net"


@pytest.fixture
async def anna(sqlite_url: str, place: CalendarWorld) -> AsyncIterator[Hosted]:
    """Anna's account, whose calendar and mail are at each provider in turn; nothing connected yet."""
    with outside() as simulators:
        async with hosted(sqlite_url, place, simulators) as found:
            yield found


async def both_sealed(here: World) -> tuple[list[str | None], list[str | None]]:
    """The stored credentials of calendars, and those of mailboxes."""
    return await sealed(here, credentials), await sealed(here, mailbox_credentials)


# ---- both, and each alone -----------------------------------------------------------------------------------------


async def test_one_sign_in_connects_the_calendar_and_the_mailbox(anna: Hosted) -> None:
    """A-CC3, X11, S78: one credential, two uses."""
    done = await sign_in(anna)
    connection = await anna.here.connection()
    [mailbox] = await mailboxes_of(anna.here)
    assert (done.connection_id, done.mailbox_id) == (connection.id, mailbox.id)
    assert connection.status is ConnectionStatus.ACTIVE
    assert (mailbox.provider.value, mailbox.email) == (anna.provider.value, connection.account_email)
    assert (mailbox.connection_id, mailbox.usable) == (connection.id, True)
    [lent], [own] = await both_sealed(anna.here)
    assert lent
    assert own is None
    await send(anna.here, mailbox)


async def test_a_mailbox_is_connected_without_any_calendar(anna: Hosted) -> None:
    """S78, S79, S91: mail alone works, in one submit or one trip."""
    done = await sign_in(anna, EMAIL_ONLY)
    [mailbox] = await mailboxes_of(anna.here)
    assert (done.connection_id, done.mailbox_id) == (None, mailbox.id)
    assert mailbox.connection_id is None
    assert [own for _, owns in [await both_sealed(anna.here)] for own in owns if own]
    async with anna.here.tools.look(anna.here.anna.account_id) as work:
        assert await work.connections.of_users([anna.here.anna.id]) == {}
    await send(anna.here, mailbox)


async def test_a_calendar_is_connected_without_its_mailbox(anna: Hosted) -> None:
    """S78: the other way round."""
    done = await sign_in(anna, CALENDAR_ONLY)
    assert (done.connection_id is not None, done.mailbox_id) == (True, None)
    assert await mailboxes_of(anna.here) == []


async def test_a_mailbox_can_be_added_to_a_calendar_later(anna: Hosted) -> None:
    await sign_in(anna, CALENDAR_ONLY)
    await sign_in(anna, EMAIL_ONLY)
    [mailbox] = await mailboxes_of(anna.here)
    await send(anna.here, mailbox)
    assert (await anna.here.connection()).status is ConnectionStatus.ACTIVE
    await (await anna.here.calendars()).list_calendars()


# ---- off again ----------------------------------------------------------------------------------------------------


async def test_disconnecting_the_mailbox_leaves_the_calendar_and_its_times(anna: Hosted) -> None:
    """A-CC3."""
    await sign_in(anna)
    [mailbox] = await mailboxes_of(anna.here)
    page = await anna.here.page(durations_minutes=(30,))
    day = next(day for day in ((datetime.now(UTC) + timedelta(days=n)).date() for n in (2, 3, 4)) if day.weekday() < 5)
    before = await anna.here.offered(page, day)
    assert before
    for _ in range(2):
        await disconnect(anna.here, mailbox)
    [mailbox] = await mailboxes_of(anna.here)
    assert (mailbox.status, mailbox.connection_id) == (ConnectionStatus.DISCONNECTED, None)
    assert (await anna.here.connection()).status is ConnectionStatus.ACTIVE
    assert await anna.here.offered(page, day) == before
    await (await anna.here.calendars()).list_calendars()
    with pytest.raises(ReauthorizationNeeded):
        await send(anna.here, mailbox)


async def test_disconnecting_the_calendar_leaves_the_mailbox(anna: Hosted) -> None:
    """X11: the credentials go over to the mailbox, and the access is not revoked."""
    await sign_in(anna)
    await disconnect_the_calendar(anna)
    [mailbox] = await mailboxes_of(anna.here)
    assert (mailbox.usable, mailbox.connection_id) == (True, None)
    assert (await anna.here.connection()).status is ConnectionStatus.DISCONNECTED
    [lent], [own] = await both_sealed(anna.here)
    assert lent is None
    assert own
    await send(anna.here, mailbox)


async def disconnect_the_calendar(anna: Hosted) -> None:
    tools = anna.here.tools
    await disconnect_calendar(
        (await anna.here.connection()).id,
        caller=anna.here.caller,
        begin=tools.begin,
        look=tools.look,
        providers=tools.providers,
        push_of=tools.push_of,
        schedule=tools.schedule,
        clock=anna.here.clock,
    )
    await anna.here.settle_down()


async def test_what_was_disconnected_is_the_same_mailbox_when_it_is_connected_again(anna: Hosted) -> None:
    await sign_in(anna, EMAIL_ONLY)
    [first] = await mailboxes_of(anna.here)
    await disconnect(anna.here, first)
    await sign_in(anna, EMAIL_ONLY)
    [again] = await mailboxes_of(anna.here)
    assert (again.id, again.usable) == (first.id, True)
    await send(anna.here, again)


@pytest.mark.parametrize("calendar_first", [True, False])
async def test_the_last_use_gives_the_access_back(here: World, calendar_first: bool) -> None:
    """OA-4: not before, because Google ends all that an app has at an account."""
    await here.come_back(await here.consent(await here.start(uses=BOTH)))
    await here.settle_down()
    [mailbox] = await mailboxes_of(here)
    if calendar_first:
        await here.disconnect()
    else:
        await disconnect(here, mailbox)
    assert here.google.requests_for("oauth.revoke") == []
    if calendar_first:
        await disconnect(here, mailbox)
    else:
        await here.disconnect()
    assert len(here.google.requests_for("oauth.revoke")) == 1
    of_calendars, of_mailboxes = await both_sealed(here)
    assert {*of_calendars, *of_mailboxes} == {None}


async def test_another_mailbox_of_the_same_account_keeps_the_access_alive(here: World) -> None:
    """Two sign-ins to one Google account are one grant there."""
    await here.connect()
    await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY)))
    await here.settle_down()
    await here.disconnect()
    assert here.google.requests_for("oauth.revoke") == []
    [mailbox] = await mailboxes_of(here)
    await send(here, mailbox)


# ---- what the person allows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("uses", [CALENDAR_ONLY, EMAIL_ONLY, BOTH], ids=["calendar", "mail", "both"])
async def test_no_more_is_asked_for_than_is_needed(here: World, uses: frozenset[AccountUse]) -> None:
    """OA-3."""
    address = (await here.start(uses=uses)).authorization_url.replace("%3A", ":").replace("%2F", "/")
    assert (CALENDAR_SCOPE in address.replace("+", " ").split("scope=")[1].split("&")[0].split(" ")) is (
        AccountUse.CALENDAR in uses
    )
    assert all((scope in address) is (AccountUse.EMAIL in uses) for scope in MAIL_SCOPES)


async def test_whoever_refuses_mail_has_the_calendar_alone_and_is_told(here: World) -> None:
    """OA-3: a refused scope switches off only its use."""
    callback = await here.consent(await here.start(uses=BOTH), scopes=(CALENDAR_SCOPE,))
    finished = await here.come_back(callback)
    assert (finished.mailbox_id, finished.inbox_failed, finished.calendar_failed) == (None, "PERMISSION_MISSING", None)
    assert finished.connection_id == (await here.connection()).id
    assert await mailboxes_of(here) == []


async def test_whoever_refuses_the_calendar_has_the_mailbox_alone_and_is_told(here: World) -> None:
    finished = await here.come_back(await here.consent(await here.start(uses=BOTH), scopes=MAIL_SCOPES))
    assert (finished.connection_id, finished.calendar_failed) == (None, "PERMISSION_MISSING")
    [mailbox] = await mailboxes_of(here)
    assert finished.mailbox_id == mailbox.id
    await send(here, mailbox)


async def test_whoever_refuses_all_that_was_asked_for_has_nothing(here: World) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY), scopes=()))
    assert (failed.value.reason, failed.value.wanted) == ("PERMISSION_MISSING", Wanted.INBOX)
    assert await mailboxes_of(here) == []


async def test_a_person_without_the_permission_connects_no_mailbox(anna: Hosted) -> None:
    """A-CC1."""
    here = anna.here
    bob = await here.add_colleague("Bob", "bob@example.com")
    async with here.tools.begin(bob.account_id) as work:
        person = await work.users.get(bob.id)
        person.permissions = frozenset(Permission) - {Permission.PERSONAL_EMAIL_ACCESS}
        await work.commit()
    with pytest.raises(PermissionMissing):
        await sign_in(anna, EMAIL_ONLY, user=bob)
    assert await mailboxes_of(here, bob) == []


# ---- several, and each once ---------------------------------------------------------------------------------------


async def test_a_person_has_several_mailboxes_and_none_twice(here: World) -> None:
    """A-IN6."""
    here.google.add_account(OTHER)
    for email in (HOST_EMAIL, OTHER):
        await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY), email))
        here.clock.passes(minutes=1)
    assert [mailbox.email for mailbox in await mailboxes_of(here)] == [HOST_EMAIL, OTHER]
    with pytest.raises(ConnectionFailed) as failed:
        await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY), OTHER))
    assert (failed.value.reason, failed.value.wanted) == ("ALREADY_CONNECTED", Wanted.INBOX)


async def test_the_same_address_twice_is_refused_at_every_provider(anna: Hosted) -> None:
    """A-IN6: whichever way the first was connected, and whoever asks."""
    await sign_in(anna)
    bob = await anna.here.add_colleague("Bob", "bob@example.com")
    for user in (None, bob):
        with pytest.raises((MailboxAlreadyConnected, ConnectionFailed)) as refused:
            await sign_in(anna, EMAIL_ONLY, user=user)
        if isinstance(refused.value, ConnectionFailed):
            assert refused.value.reason == "ALREADY_CONNECTED"
    assert len(await mailboxes_of(anna.here)) == 1
    assert await mailboxes_of(anna.here, bob) == []


async def test_a_colleagues_mailbox_does_not_keep_the_calendar_from_being_connected(here: World) -> None:
    bob = await here.add_colleague("Bob", "bob@example.com")
    await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY, user=bob)))
    finished = await here.come_back(await here.consent(await here.start(uses=BOTH)))
    assert (finished.connection_id is not None, finished.inbox_failed) == (True, "ALREADY_CONNECTED")


async def test_a_teams_mailbox_is_neither_calendar_nor_mailbox_of_a_person(anna: Hosted) -> None:
    """A-CC2, S92: nothing is stored."""
    await sign_in(anna, EMAIL_ONLY)
    [mailbox] = await mailboxes_of(anna.here)
    async with anna.here.tools.begin(mailbox.account_id) as work:
        (await work.mailboxes.get(mailbox.id)).team = True
        await work.commit()
    for uses in (CALENDAR_ONLY, EMAIL_ONLY, BOTH):
        with pytest.raises((TeamMailboxNotAllowed, ConnectionFailed)) as refused:
            await sign_in(anna, uses)
        if isinstance(refused.value, ConnectionFailed):
            assert refused.value.reason == "SHARED_MAILBOX_NOT_ALLOWED"
    assert await mailboxes_of(anna.here) == []
    async with anna.here.tools.look(mailbox.account_id) as work:
        assert await work.connections.of_users([anna.here.anna.id]) == {}


async def test_a_mailbox_by_imap_is_replaced_and_stays_the_same_one(anna: Hosted) -> None:
    """S83: so that what was logged through it stays with it."""
    here = anna.here
    typed = anna.place.type_in()
    email = typed.email if typed else "ada@example.com"
    old = Mailbox.connect(
        MailboxId(here.anna.id),
        account_id=here.anna.account_id,
        user_id=here.anna.id,
        provider=InboxProvider.IMAP,
        email=email.upper(),
        consent=Consent("imap-1", here.clock()),
        now=here.clock(),
    )
    async with here.tools.begin(old.account_id) as work:
        work.mailboxes.add(old, "the IMAP password")
        await work.commit()
    await sign_in(anna, EMAIL_ONLY)
    [mailbox] = await mailboxes_of(here)
    assert (mailbox.id, mailbox.provider.value) == (old.id, anna.provider.value)
    await send(here, mailbox)


async def test_nobody_disconnects_or_reconnects_a_colleagues_mailbox(here: World) -> None:
    await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY)))
    [mailbox] = await mailboxes_of(here)
    bob = await here.add_colleague("Bob", "bob@example.com")
    with pytest.raises(NotFound):
        await disconnect(here, mailbox, bob)
    with pytest.raises(NotFound):
        await here.start(uses=EMAIL_ONLY, user=bob, reconnect_mailbox=mailbox.id)
    assert (await mailboxes_of(here))[0].usable


# ---- signing in again ---------------------------------------------------------------------------------------------


async def test_signing_in_to_the_calendar_again_serves_its_mailbox_too(here: World) -> None:
    done = await here.come_back(await here.consent(await here.start(uses=BOTH)))
    await here.settle_down()
    here.google.revoke_grants(HOST_EMAIL)
    await here.sync()
    [mailbox] = await mailboxes_of(here)
    assert mailbox.status is ConnectionStatus.REAUTH_REQUIRED
    again = await here.start(uses=BOTH, reconnect=done.connection_id)
    await here.come_back(await here.consent(again))
    await here.settle_down()
    [mailbox] = await mailboxes_of(here)
    assert (mailbox.usable, mailbox.connection_id) == (True, done.connection_id)
    await send(here, mailbox)


async def test_signing_in_again_for_the_calendar_alone_leaves_the_mailbox_what_it_had(here: World) -> None:
    done = await here.come_back(await here.consent(await here.start(uses=BOTH)))
    await here.settle_down()
    await here.come_back(await here.consent(await here.start(uses=CALENDAR_ONLY, reconnect=done.connection_id)))
    [mailbox] = await mailboxes_of(here)
    assert mailbox.usable
    await send(here, mailbox)


async def test_choosing_another_account_for_the_calendar_leaves_the_mailbox(here: World) -> None:
    """B-CC1: the old grant is not given back while the mailbox uses it."""
    done = await here.come_back(await here.consent(await here.start(uses=BOTH)))
    await here.settle_down()
    here.google.add_account(OTHER)
    again = await here.start(uses=BOTH, reconnect=done.connection_id)
    finished = await here.come_back(await here.consent(again, OTHER))
    await here.settle_down()
    first, second = sorted(await mailboxes_of(here), key=lambda mailbox: mailbox.email == OTHER)
    assert (first.email, first.connection_id, second.email) == (HOST_EMAIL, None, OTHER)
    assert (finished.mailbox_id, second.connection_id) == (second.id, done.connection_id)
    assert here.google.requests_for("oauth.revoke") == []
    await send(here, first)
    await send(here, second)


# ---- losing it ----------------------------------------------------------------------------------------------------


async def test_losing_the_grant_of_both_is_told_in_one_mail(here: World) -> None:
    """B-EX4, OA-5: the calendar's letter says it."""
    await here.come_back(await here.consent(await here.start(uses=BOTH)))
    await here.settle_down()
    here.google.revoke_grants(HOST_EMAIL)
    for _ in range(2):
        await here.sync()
        await here.settle_down()
    [mailbox] = await mailboxes_of(here)
    assert mailbox.grant is Grant.LOST
    [letter] = here.mail.mails
    assert letter.recipients == (HOST_EMAIL,)
    assert "calendar" in letter.message["Subject"]
    body = letter.message.get_body(("plain",))
    assert body is not None
    assert "no mail is sent through the mailbox" in body.get_content()


async def test_losing_the_mailbox_alone_is_told_once_and_leaves_the_pages(here: World) -> None:
    """B-EX4: the person is mailed once; the calendar is another matter."""
    here.google.add_account(OTHER)
    await here.connect()
    await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY), OTHER))
    await here.settle_down()
    [mailbox] = await mailboxes_of(here)
    await lose(here, mailbox)
    await lose(here, mailbox)
    [letter] = here.mail.mails
    assert letter.recipients == (HOST_EMAIL,)
    assert "mailbox" in letter.message["Subject"]
    [mailbox] = await mailboxes_of(here)
    assert mailbox.status is ConnectionStatus.REAUTH_REQUIRED
    page = await here.page()
    assert (await here.book(page, TEN + timedelta(minutes=30))).state is BookingState.CONFIRMED


async def lose(here: World, mailbox: Mailbox) -> None:
    await note_lost_mailbox(mailbox, begin=here.tools.begin, clock=here.clock)
    await here.settle_down()


async def test_who_signed_in_meanwhile_has_lost_nothing(here: World) -> None:
    await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY)))
    await here.settle_down()
    [seen] = await mailboxes_of(here)
    here.clock.passes(minutes=1)
    await here.come_back(await here.consent(await here.start(uses=EMAIL_ONLY, reconnect_mailbox=seen.id)))
    await lose(here, seen)
    [mailbox] = await mailboxes_of(here)
    assert mailbox.usable
    assert not here.mail.mails
