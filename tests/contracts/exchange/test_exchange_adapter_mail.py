"""Mail through Exchange Web Services: what the contract of mailboxes leaves open, because only Exchange does it so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from meetings.adapters.exchange.mail_cursor import MailCursor
from meetings.adapters.exchange.simulator import PASSWORD
from meetings.application.ports.calendars import (
    LoginProblem,
    LoginRefused,
    MailboxCredentials,
    MailboxNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.mail_accounts import CursorExpired, ImapCredentials, MailAccount, MailNotAccepted
from tests.contracts.calendars.world import Clock, HeldCredentials
from tests.contracts.mail.exchange_world import ADA, BOB, ExchangeMailWorld, exchange_mail_world
from tests.contracts.mail.following import following
from tests.contracts.mail.letters import VERA, a_bounce, a_mail, an_outgoing, message_id


@pytest.fixture
def world() -> Iterator[ExchangeMailWorld]:
    with exchange_mail_world() as started:
        yield started


@pytest.fixture
def mail(world: ExchangeMailWorld) -> MailAccount:
    return world.offer.mail(world.sign_in())


# ---- folders ------------------------------------------------------------------------------------------------------


async def test_mail_that_a_rule_moved_on_is_found_wherever_it_lies(world: ExchangeMailWorld, mail: MailAccount) -> None:
    world.exchange.mail.add_folder(ADA, "Customers", within="inbox")
    world.exchange.mail.add_folder(ADA, "Vera", within="Customers")
    follower = await following(mail)
    for folder in ("Customers", "Vera"):
        world.exchange.mail.deliver(ADA, a_mail(ADA), folder)
    assert len(await follower.follow()) == 2
    assert await follower.follow() == []


async def test_a_folder_that_came_to_be_since_is_looked_at_too(world: ExchangeMailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    world.exchange.mail.add_folder(ADA, "New")
    world.exchange.mail.deliver(ADA, a_mail(ADA, id=(id := message_id())), "New")
    assert [each.message_id for each in await follower.follow()] == [id]


async def test_a_folder_that_was_thrown_away_is_left_out(world: ExchangeMailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    world.exchange.mail.add_folder(ADA, "Old", within="deleteditems")
    world.exchange.mail.add_folder(ADA, "Older", within="Old")
    world.exchange.mail.deliver(ADA, a_mail(ADA), "Older")
    assert await follower.follow() == []


async def test_a_folder_that_goes_away_stops_nobody(world: ExchangeMailWorld, mail: MailAccount) -> None:
    world.exchange.mail.add_folder(ADA, "Customers")
    follower = await following(mail)
    world.exchange.mail.deliver(ADA, a_mail(ADA), "Customers")
    world.exchange.on_call("FindFolder", lambda: world.exchange.mail.remove_folder(ADA, "Customers"))
    assert await follower.follow() == []
    world.exchange.mail.deliver(ADA, a_mail(ADA, id=(id := message_id())))
    assert [each.message_id for each in await follower.follow()] == [id]


async def test_only_folders_in_which_something_changed_are_searched(
    world: ExchangeMailWorld, mail: MailAccount
) -> None:
    for number in range(20):
        world.exchange.mail.add_folder(ADA, f"Folder {number}")
    follower = await following(mail)
    world.exchange.forget_calls()
    await follower.follow()
    asked = [call.operation for call in world.exchange.calls]
    assert asked == ["FindFolder", "SyncFolderItems", "SyncFolderItems"]
    world.exchange.mail.deliver(ADA, a_mail(ADA), "Folder 7")
    world.exchange.forget_calls()
    assert len(await follower.follow()) == 1
    assert [call.operation for call in world.exchange.calls[3:]] == ["FindItem", "GetItem"]


async def test_a_folder_that_looked_unchanged_is_searched_from_when_it_was_searched_last(
    world: ExchangeMailWorld, mail: MailAccount
) -> None:
    """As many mails went as came."""
    world.exchange.mail.add_folder(ADA, "Customers")
    world.exchange.mail.deliver(ADA, a_mail(ADA, id="<goes@elsewhere.example>"), "Customers")
    follower = await following(mail)
    world.exchange.mail.deliver(ADA, a_mail(ADA, id=(late := message_id())), "Customers", received_at=world.clock())
    world.exchange.mail.erase(ADA, "<goes@elsewhere.example>")
    clock = world.clock
    assert isinstance(clock, Clock)
    for _ in range(3):
        clock.at += timedelta(hours=1)
        assert await follower.follow() == []
    world.exchange.mail.mark_read(ADA, late)
    assert [each.message_id for each in await follower.follow()] == [late]


async def test_many_folders_and_mails_are_listed_page_by_page(world: ExchangeMailWorld, mail: MailAccount) -> None:
    world.small_pages(3)
    for number in range(8):
        world.exchange.mail.add_folder(ADA, f"Folder {number}")
        world.deliver(a_mail(ADA))
    follower = await following(mail)
    for number in range(8):
        world.exchange.mail.deliver(ADA, a_mail(ADA), f"Folder {number}")
        world.exchange.mail.deliver(ADA, a_mail(ADA), "Folder 0")
    assert len(await follower.follow()) == 16


async def test_beginning_reads_nothing_but_ids(world: ExchangeMailWorld, mail: MailAccount) -> None:
    for _ in range(5):
        world.deliver(a_mail(ADA, subject="Private, and old"))
    await following(mail)
    assert {call.operation for call in world.exchange.calls} == {"GetFolder", "FindFolder", "SyncFolderItems"}
    assert b"Private" not in b"".join(call.answer for call in world.exchange.calls)


async def test_junk_that_the_owner_says_is_none_is_told_then(world: ExchangeMailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    world.exchange.mail.deliver(ADA, a_mail(ADA, id=(id := message_id())), "junkemail")
    assert await follower.follow() == []
    world.exchange.mail.move(ADA, id, "inbox")
    assert [each.message_id for each in await follower.follow()] == [id]


async def test_an_old_mail_that_is_moved_is_no_news(world: ExchangeMailWorld, mail: MailAccount) -> None:
    before = world.clock().replace(year=2025)
    world.exchange.mail.add_folder(ADA, "Customers")
    for folder in ("inbox", "Customers"):
        world.exchange.mail.deliver(ADA, a_mail(ADA, id=f"<{folder}@old.example>"), folder, received_at=before)
    follower = await following(mail)
    world.exchange.mail.move(ADA, "<inbox@old.example>", "Customers")
    world.exchange.mail.move(ADA, "<Customers@old.example>", "inbox")
    assert await follower.follow() == []


async def test_a_mail_that_was_only_read_since_is_no_news(world: ExchangeMailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    world.deliver(a_mail(ADA, id=(id := message_id())))
    assert len(await follower.follow()) == 1
    world.exchange.mail.mark_read(ADA, id)
    world.exchange.forget_calls()
    assert await follower.follow() == []
    assert b"<t:Update>" in b"".join(call.answer for call in world.exchange.calls)
    assert world.exchange.requests_for("GetItem") == []


async def test_a_cursor_without_its_folders_is_expired(world: ExchangeMailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    assert follower.cursor is not None
    spoilt = follower.cursor.replace('"inbox"', '"nobox"')
    with pytest.raises(CursorExpired):
        MailCursor.from_text(spoilt)


# ---- what a mail is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["IPM.Note.Rules.OofTemplate.Microsoft", "IPM.Note.Rules.ReplyTemplate.Microsoft"])
async def test_an_answer_of_outlooks_own_machine_is_known_by_its_class(
    world: ExchangeMailWorld, mail: MailAccount, kind: str
) -> None:
    follower = await following(mail)
    world.exchange.mail.deliver(ADA, a_mail(ADA), item_class=kind)
    (told,) = await follower.follow()
    assert (told.automatic, told.bounce) == (True, False)


async def test_a_report_that_is_gone_before_it_is_read_is_told_as_a_machines(
    world: ExchangeMailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    world.deliver(a_bounce(ADA, message_id()))
    world.exchange.fault("GetItem", on_call=2, code="ErrorItemNotFound")
    (told,) = await follower.follow()
    assert (told.automatic, told.bounce) == (True, False)


async def test_mails_with_very_long_headers_keep_nobody_from_being_found(
    world: ExchangeMailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    for _ in range(80):
        world.deliver(b"Subject: Hello\r\nX-Long: " + b"x " * 100_000 + b"\r\n\r\nHello\r\n")
    world.deliver(a_mail(ADA, id=(id := message_id())))
    assert len(await follower.follow()) == 81
    assert id in follower.seen


async def test_a_bounce_that_brings_a_very_long_mail_back_is_one_all_the_same(
    world: ExchangeMailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    world.deliver(a_bounce(ADA, message_id()))
    world.exchange.fault("GetItem", on_call=2, endless=True)
    (told,) = await follower.follow()
    assert told.bounce


async def test_what_the_owner_answers_by_hand_tells_what_it_answers(
    world: ExchangeMailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    theirs = message_id()
    world.send_by_hand(a_mail(VERA.email, sender=ADA, answers=theirs))
    (told,) = await follower.follow()
    assert (told.outgoing, told.in_reply_to, told.references) == (True, theirs, (theirs,))


async def test_no_text_of_a_mail_is_asked_for_but_that_of_one_to_read(
    world: ExchangeMailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    world.deliver(a_mail(ADA, text="Private words"))
    (told,) = await follower.follow()
    assert b"Private words" not in b"".join(call.answer for call in world.exchange.calls)
    body = await mail.read(told.mail_id)
    assert body is not None
    assert body.text.strip() == "Private words"


async def test_a_text_that_is_too_long_to_be_read_is_none(world: ExchangeMailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    world.deliver(a_mail(ADA))
    (told,) = await follower.follow()
    world.exchange.fault("GetItem", endless=True)
    body = await mail.read(told.mail_id)
    assert body is not None
    assert body.text == ""


# ---- sending and refusals -----------------------------------------------------------------------------------------


async def test_a_mail_is_sent_in_one_request(world: ExchangeMailWorld, mail: MailAccount) -> None:
    await mail.send(an_outgoing(ADA))
    assert [call.operation for call in world.exchange.calls] == ["CreateItem"]


async def test_a_sent_mail_is_found_after_its_owner_deleted_it(world: ExchangeMailWorld, mail: MailAccount) -> None:
    outgoing = an_outgoing(ADA)
    sent = await mail.send(outgoing)
    world.exchange.mail.move(ADA, sent.message_id, "deleteditems")
    assert await mail.find_sent(outgoing.message_id) == sent


async def test_nobody_is_written_to_in_another_name(world: ExchangeMailWorld, mail: MailAccount) -> None:
    with pytest.raises(MailNotAccepted):
        await mail.send(an_outgoing("somebody.else@example.com"))
    assert world.received(VERA.email) == []


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"code": "ErrorInvalidRecipients"}, MailNotAccepted),
        ({"code": "ErrorMessageSizeExceeded"}, MailNotAccepted),
        ({"code": "ErrorMimeContentConversionFailed"}, MailNotAccepted),
        ({"code": "ErrorMessageSubmissionQuotaExceeded"}, RateLimited),
        ({"code": "ErrorServerBusy", "back_off_ms": 4000}, RateLimited),
        ({"code": "ErrorNonExistentMailbox"}, MailboxNotFound),
        ({"code": "ErrorAccountDisabled"}, ReauthorizationNeeded),
        ({"code": "ErrorFolderNotFound"}, ProviderUnavailable),
        ({"code": "ErrorInternalServerError"}, ProviderUnavailable),
        ({"status": 401}, ReauthorizationNeeded),
        ({"body": "<html/>"}, ProviderUnavailable),
        ({"hostile": "dtd"}, ProviderUnavailable),
        ({"reset": True}, ProviderUnavailable),
    ],
)
async def test_trouble_while_a_mail_is_handed_over_is_told_apart(
    world: ExchangeMailWorld, mail: MailAccount, fault: dict[str, Any], meaning: type[ProviderError]
) -> None:
    world.exchange.fault("CreateItem", **fault)
    with pytest.raises(ProviderError) as refused:
        await mail.send(an_outgoing(ADA))
    assert type(refused.value) is meaning


@pytest.mark.parametrize("operation", ["FindFolder", "SyncFolderItems", "GetItem"])
@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"code": "ErrorServerBusy", "back_off_ms": 4000}, RateLimited),
        ({"code": "ErrorInternalServerError"}, ProviderUnavailable),
        ({"body": "<html/>"}, ProviderUnavailable),
    ],
)
async def test_trouble_while_news_are_read_is_told_apart(
    world: ExchangeMailWorld,
    mail: MailAccount,
    operation: str,
    fault: dict[str, Any],
    meaning: type[ProviderError],
) -> None:
    follower = await following(mail)
    world.deliver(a_mail(ADA))
    world.exchange.fault(operation, **fault)
    with pytest.raises(ProviderError) as refused:
        [page async for page in mail.news(follower.cursor)]
    assert type(refused.value) is meaning
    assert len(await follower.follow()) == 1


@pytest.mark.parametrize("version", ["15.0", "15.1", "15.2"])
async def test_newer_servers_are_followed_the_same_way(version: str) -> None:
    with exchange_mail_world(version=version) as world:
        mail = world.offer.mail(world.sign_in())
        follower = await following(mail)
        sent = await mail.send(an_outgoing(ADA))
        world.deliver(a_mail(ADA, answers=sent.message_id))
        assert len(await follower.follow()) == 2
        assert await mail.find_sent(sent.message_id) == sent


# ---- the login ----------------------------------------------------------------------------------------------------


def _typed(world: ExchangeMailWorld, email: str = ADA, password: str = PASSWORD) -> MailboxCredentials:
    return MailboxCredentials(email=email, password=password, server_url=world.exchange.ews_url)


async def test_one_login_opens_the_mailbox_and_sends_nothing(world: ExchangeMailWorld) -> None:
    assert world.offer.login is not None
    opened = await world.offer.login.connect(_typed(world))
    assert (opened.email, opened.server_url) == (ADA, world.exchange.ews_url)
    assert "14.2" in opened.server_version or "2010" in opened.server_version
    assert PASSWORD not in repr(opened)
    assert world.exchange.requests_for("CreateItem") == []
    mail = world.offer.mail(HeldCredentials(opened.credentials))
    await mail.send(an_outgoing(ADA))
    assert len(world.received(VERA.email)) == 1


async def test_a_wrong_password_is_tried_once(world: ExchangeMailWorld) -> None:
    assert world.offer.login is not None
    given = MailboxCredentials(email=ADA, password="wrong", username=ADA, server_url=world.exchange.ews_url)
    with pytest.raises(LoginRefused) as refused:
        await world.offer.login.connect(given)
    assert refused.value.problem is LoginProblem.CREDENTIALS_REJECTED
    assert world.exchange.failed_sign_ins(ADA) == 1


async def test_s92_a_shared_mailbox_is_refused(world: ExchangeMailWorld) -> None:
    assert world.offer.login is not None
    world.exchange.add_account("team@example.com", "Team", kind="shared")
    world.exchange.share_mailbox("team@example.com", BOB)
    given = MailboxCredentials(
        email="team@example.com", password=PASSWORD, username=BOB, server_url=world.exchange.ews_url
    )
    with pytest.raises(LoginRefused) as refused:
        await world.offer.login.connect(given)
    assert refused.value.problem is LoginProblem.SHARED_MAILBOX


async def test_what_is_typed_in_for_another_kind_of_server_is_refused_without_a_call(world: ExchangeMailWorld) -> None:
    assert world.offer.login is not None
    with pytest.raises(LoginRefused):
        await world.offer.login.connect(ImapCredentials(ADA, PASSWORD))
    assert world.exchange.calls == []


async def test_a_mailbox_whose_inbox_cannot_be_had_is_not_connected(world: ExchangeMailWorld) -> None:
    assert world.offer.login is not None
    world.exchange.mail.remove_folder(ADA, "inbox")
    with pytest.raises(LoginRefused) as refused:
        await world.offer.login.connect(_typed(world))
    assert refused.value.problem is LoginProblem.MAILBOX_NOT_FOUND


def test_s93_the_disclosure_points_teams_to_hosted_addresses(world: ExchangeMailWorld) -> None:
    assert "use a hosted address" in " ".join(world.offer.disclosure.notes)
