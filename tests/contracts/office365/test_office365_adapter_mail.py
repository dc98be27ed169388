"""Mail through Graph: what the contract of mailboxes leaves open, because only Graph does it so."""

from collections.abc import Iterator
from typing import Any

import pytest

from meetings.adapters.office365.mail_cursor import MailCursor
from meetings.application.ports.calendars import (
    MailboxNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.mail_accounts import CursorExpired, MailAccount, MailNotAccepted
from meetings.domain.account_use import CALENDAR_ONLY
from tests.contracts.calendars.world import HeldCredentials
from tests.contracts.mail.following import Follower, following
from tests.contracts.mail.letters import VERA, a_bounce, a_mail, an_outgoing, message_id
from tests.contracts.mail.office365_world import ADA, Office365MailWorld, office365_mail_world
from tests.contracts.office365.signing_in import signed_in


@pytest.fixture
def world() -> Iterator[Office365MailWorld]:
    with office365_mail_world() as started:
        yield started


@pytest.fixture
def mail(world: Office365MailWorld) -> MailAccount:
    return world.offer.mail(world.sign_in())


# ---- folders ------------------------------------------------------------------------------------------------------


async def test_mail_that_a_rule_moved_on_is_found_wherever_it_lies(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    outer = world.office.mail.add_folder(ADA, "Customers", within="inbox")
    inner = world.office.mail.add_folder(ADA, "Vera", within=outer)
    follower = await following(mail)
    for folder in (outer, inner, "archive"):
        world.office.mail.deliver(ADA, a_mail(ADA), folder)
    assert len(await follower.follow()) == 3
    assert await follower.follow() == []


async def test_a_folder_that_came_to_be_since_is_followed_too(world: Office365MailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    folder = world.office.mail.add_folder(ADA, "New")
    world.office.mail.deliver(ADA, a_mail(ADA, id=(id := message_id())), folder)
    assert [each.message_id for each in await follower.follow()] == [id]


async def test_a_folder_that_was_thrown_away_is_left_out(world: Office365MailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    folder = world.office.mail.add_folder(ADA, "Old", within="deleteditems")
    world.office.mail.deliver(ADA, a_mail(ADA), world.office.mail.add_folder(ADA, "Older", within=folder))
    assert await follower.follow() == []


async def test_a_folder_that_goes_away_stops_nobody(world: Office365MailWorld, mail: MailAccount) -> None:
    folder = world.office.mail.add_folder(ADA, "Customers")
    follower = await following(mail)
    world.office.mail.deliver(ADA, a_mail(ADA), folder)
    world.office.on_call("mailFolders.delta", lambda: world.office.mail.remove_folder(ADA, folder))
    assert await follower.follow() == []
    world.office.mail.deliver(ADA, a_mail(ADA, id=(id := message_id())))
    assert [each.message_id for each in await follower.follow()] == [id]


async def test_only_folders_in_which_something_changed_are_asked(world: Office365MailWorld, mail: MailAccount) -> None:
    folders = [world.office.mail.add_folder(ADA, f"Folder {number}") for number in range(20)]
    follower = await following(mail)
    world.office.forget_calls()
    await follower.follow()
    asked = [call.operation for call in world.office.calls]
    assert asked == ["mailFolders.delta", "messages.delta", "messages.delta"]
    world.office.mail.deliver(ADA, a_mail(ADA), folders[7])
    world.office.forget_calls()
    assert len(await follower.follow()) == 1
    assert len(world.office.calls) == 4


async def test_many_folders_are_listed_page_by_page(world: Office365MailWorld, mail: MailAccount) -> None:
    world.small_pages(3)
    folders = [world.office.mail.add_folder(ADA, f"Folder {number}") for number in range(8)]
    follower = await following(mail)
    for folder in folders:
        world.office.mail.deliver(ADA, a_mail(ADA), folder)
    assert len(await follower.follow()) == 8


async def test_junk_that_the_owner_says_is_none_is_told_then(world: Office365MailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    world.office.mail.deliver(ADA, a_mail(ADA, id=(id := message_id())), "junkemail")
    assert await follower.follow() == []
    world.office.mail.move(ADA, id, "inbox")
    assert [each.message_id for each in await follower.follow()] == [id]


async def test_an_old_mail_that_is_moved_is_no_news(world: Office365MailWorld, mail: MailAccount) -> None:
    before = world.clock().replace(year=2025)
    world.office.mail.deliver(ADA, a_mail(ADA, id=(id := message_id())), received_at=before)
    folder = world.office.mail.add_folder(ADA, "Customers")
    follower = await following(mail)
    world.office.mail.move(ADA, id, folder)
    assert await follower.follow() == []


async def test_a_mail_that_was_only_read_since_is_no_news(world: Office365MailWorld, mail: MailAccount) -> None:
    follower = await following(mail)
    world.office.mail.deliver(ADA, a_mail(ADA, id=(id := message_id())))
    assert len(await follower.follow()) == 1
    world.office.mail.mark_read(ADA, id)
    assert await follower.follow() == []
    assert world.office.requests_for("messages.delta")[-2].answer["value"] != []


async def test_a_link_in_a_cursor_that_leads_elsewhere_is_not_followed(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    assert follower.cursor is not None
    world.office.forget_calls()
    spoilt = follower.cursor.replace(world.office.endpoints.graph, "https://graph.evil.example")
    assert MailCursor.from_text(spoilt)
    with pytest.raises(CursorExpired):
        [page async for page in mail.news(spoilt)]
    assert world.office.calls == []


# ---- what a mail is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["IPM.Note.Rules.OofTemplate.Microsoft", "IPM.Note.Rules.ReplyTemplate.Microsoft"])
async def test_an_answer_of_outlooks_own_machine_is_known_by_its_class(
    world: Office365MailWorld, mail: MailAccount, kind: str
) -> None:
    follower = await following(mail)
    world.office.mail.deliver(ADA, a_mail(ADA), kind=kind)
    (told,) = await follower.follow()
    assert (told.automatic, told.bounce) == (True, False)


async def test_a_report_that_is_gone_before_it_is_read_is_told_as_a_machines(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    world.office.mail.deliver(ADA, a_bounce(ADA, message_id()))
    world.office.fault("messages.value", status=404)
    (told,) = await follower.follow()
    assert (told.automatic, told.bounce) == (True, False)


async def test_mails_with_very_long_headers_keep_nobody_from_being_found(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    for _ in range(80):
        world.deliver(b"Subject: Hello\r\nX-Long: " + b"x " * 100_000 + b"\r\n\r\nHello\r\n")
    world.deliver(a_mail(ADA, id=(id := message_id())))
    assert len(await follower.follow()) == 81
    assert id in follower.seen


async def test_a_bounce_that_brings_a_very_long_mail_back_is_one_all_the_same(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    world.office.mail.deliver(ADA, a_bounce(ADA, message_id()))
    world.office.fault("messages.value", endless=True)
    (told,) = await follower.follow()
    assert told.bounce


async def test_what_the_owner_answers_by_hand_tells_what_it_answers(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    theirs = message_id()
    world.send_by_hand(a_mail(VERA.email, sender=ADA, answers=theirs))
    (told,) = await follower.follow()
    assert (told.outgoing, told.in_reply_to, told.references) == (True, theirs, (theirs,))


async def test_no_text_of_a_mail_is_asked_for_but_that_of_one_to_read(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    world.deliver(a_mail(ADA, text="Private words"))
    (told,) = await follower.follow()
    assert "Private words" not in str([call.answer for call in world.office.calls])
    body = await mail.read(told.mail_id)
    assert body is not None
    assert body.text.strip() == "Private words"


async def test_of_a_text_that_is_too_long_to_be_read_the_beginning_is(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    follower = await following(mail)
    world.deliver(a_mail(ADA, text="Gladly. " + "x" * 11_000_000))
    (told,) = await follower.follow()
    body = await mail.read(told.mail_id)
    assert body is not None
    assert body.text.startswith("Gladly.")
    assert len(body.text) <= 255


# ---- sending ------------------------------------------------------------------------------------------------------


async def test_a_draft_that_never_left_is_taken_away_when_it_is_looked_for(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    """It could leave later, by its owner's hand, after the mail was sent again."""
    outgoing = an_outgoing(ADA)
    world.office.fault("messages.send", status=503)
    with pytest.raises(ProviderUnavailable):
        await mail.send(outgoing)
    assert len(world.office.mail.in_folder(ADA, "drafts")) == 1
    assert await mail.find_sent(outgoing.message_id) is None
    assert world.office.mail.in_folder(ADA, "drafts") == []


async def test_a_mail_that_leaves_in_the_very_moment_it_is_looked_for_is_found(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    outgoing = an_outgoing(ADA)
    world.office.fault("messages.send", status=503)
    with pytest.raises(ProviderUnavailable):
        await mail.send(outgoing)
    draft = world.office.requests_for("messages.create")[-1].answer["id"]
    world.office.on_call("messages.list", lambda: world.office.mail.send_draft(ADA, draft))
    assert await mail.find_sent(outgoing.message_id) is not None
    assert len(world.received(VERA.email)) == 1


async def test_a_mail_that_is_refused_leaves_no_draft(world: Office365MailWorld, mail: MailAccount) -> None:
    world.refuse(VERA.email)
    with pytest.raises(MailNotAccepted):
        await mail.send(an_outgoing(ADA))
    assert world.office.mail.in_folder(ADA, "drafts") == []


async def test_a_mail_that_has_to_wait_leaves_no_draft_behind_to_be_sent_beside_it(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    outgoing = an_outgoing(ADA)
    world.office.fault("messages.send", status=429, retry_after=3)
    with pytest.raises(RateLimited):
        await mail.send(outgoing)
    assert world.office.mail.in_folder(ADA, "drafts") == []
    await mail.send(outgoing)
    assert len(world.received(VERA.email)) == 1


async def test_a_draft_that_cannot_be_taken_away_changes_nothing_about_the_refusal(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    world.refuse(VERA.email)
    world.office.fault("messages.delete", status=503)
    with pytest.raises(MailNotAccepted):
        await mail.send(an_outgoing(ADA))


async def test_nobody_is_written_to_in_another_name(world: Office365MailWorld, mail: MailAccount) -> None:
    with pytest.raises(MailNotAccepted):
        await mail.send(an_outgoing("somebody.else@example.com"))
    assert world.received(VERA.email) == []


async def test_a_lost_answer_to_the_first_call_leaves_nothing_that_was_sent(
    world: Office365MailWorld, mail: MailAccount
) -> None:
    outgoing = an_outgoing(ADA)
    world.office.fault("messages.create", drop_after_commit=True)
    with pytest.raises(ProviderUnavailable):
        await mail.send(outgoing)
    assert await mail.find_sent(outgoing.message_id) is None
    await mail.send(outgoing)
    assert len(world.received(VERA.email)) == 1
    assert world.office.mail.in_folder(ADA, "drafts") == []


# ---- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 403}, ReauthorizationNeeded),
        ({"status": 404, "reason": "MailboxNotEnabledForRESTAPI"}, MailboxNotFound),
        ({"status": 429, "retry_after": 3}, RateLimited),
        ({"status": 429, "reason": "ErrorExceededMessageLimit"}, RateLimited),
        ({"status": 403, "reason": "ErrorExceededMessageLimit"}, RateLimited),
        ({"status": 400}, MailNotAccepted),
        ({"status": 413}, MailNotAccepted),
        ({"status": 404}, ProviderUnavailable),
        ({"body": "no"}, ProviderUnavailable),
        ({"reset": True}, ProviderUnavailable),
    ],
)
async def test_trouble_while_a_mail_is_handed_over_is_told_apart(
    world: Office365MailWorld, mail: MailAccount, fault: dict[str, Any], meaning: type[ProviderError]
) -> None:
    world.office.fault("messages.create", **fault)
    with pytest.raises(ProviderError) as refused:
        await mail.send(an_outgoing(ADA))
    assert type(refused.value) is meaning


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 400}, CursorExpired),
        ({"status": 410}, CursorExpired),
        ({"status": 403}, ReauthorizationNeeded),
        ({"body": "{}"}, ProviderUnavailable),
        ({"body": '{"value": [{"subject": "without an id"}]}'}, ProviderUnavailable),
        ({"body": '{"value": [{"id": "1", "receivedDateTime": "yesterday"}]}'}, ProviderUnavailable),
        ({"body": '{"value": [], "@odata.nextLink": "https://evil.example/"}'}, ProviderUnavailable),
        ({"body": '{"value": [], "@odata.deltaLink": "https://evil.example/"}'}, ProviderUnavailable),
    ],
)
async def test_trouble_while_news_are_read_is_told_apart(
    world: Office365MailWorld, mail: MailAccount, fault: dict[str, Any], meaning: type[ProviderError]
) -> None:
    follower = await following(mail)
    world.office.fault("messages.delta", **fault)
    with pytest.raises(ProviderError) as refused:
        [page async for page in mail.news(follower.cursor)]
    assert type(refused.value) is meaning


async def test_a_grant_for_calendars_alone_opens_no_mailbox(world: Office365MailWorld) -> None:
    credentials = HeldCredentials(signed_in(world.office, ADA, world.clock(), CALENDAR_ONLY))
    mail = world.offer.mail(credentials)
    with pytest.raises(ReauthorizationNeeded):
        await Follower(mail).follow()
    with pytest.raises(ReauthorizationNeeded):
        await mail.send(an_outgoing(ADA))


async def test_an_account_without_a_mailbox_says_so(world: Office365MailWorld) -> None:
    world.office.add_account("max@example.com", mailbox=False)
    text = signed_in(world.office, "max@example.com", world.clock(), world.uses)
    with pytest.raises(MailboxNotFound):
        await Follower(world.offer.mail(HeldCredentials(text))).follow()
