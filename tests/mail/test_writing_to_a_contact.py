"""One mail to a contact leaves through its writer's mailbox and stands on the contact's timeline (S85)."""

from meetings.application.ports.crm import MailDirection
from meetings.domain.email import EmailState
from tests.mailed import VERA, Mailed


async def test_a_mail_leaves_through_the_mailbox_and_stands_on_the_timeline(anna: Mailed) -> None:
    """S85."""
    email = await anna.send("Next steps – Grüße", "Shall we **meet**?")
    assert email.state is EmailState.SENT
    (seen,) = anna.delivered()
    assert (seen.sender, seen.subject, seen.message_id) == (anna.place.account, "Next steps – Grüße", email.known_as)
    assert seen.text.strip() == "Shall we **meet**?"
    assert "<p>Shall we <strong>meet</strong>?</p>" in seen.html
    await anna.settle_down()
    (entry,) = await anna.timeline()
    assert (entry.direction, entry.sender, entry.recipients) == (
        MailDirection.OUTBOUND,
        anna.place.account,
        (VERA,),
    )
    assert (entry.subject, entry.key) == ("Next steps – Grüße", email.id)


async def test_a_reply_is_logged_on_the_contact_once_without_what_it_quotes(anna: Mailed) -> None:
    """S87."""
    email = await anna.send()
    anna.answer(
        email, text="Gladly, on Monday.\n\nOn Mon, 2 Mar 2026 at 08:00, Ada <ada@example.com> wrote:\n> Shall\n"
    )
    await anna.read()
    await anna.read()
    (reply,) = await anna.received()
    assert (reply.content.text, reply.contacts, reply.thread_id) == (
        "Gladly, on Monday.",
        (anna.vera.id,),
        email.thread_id,
    )
    assert [entry.direction for entry in await anna.timeline()] == [MailDirection.OUTBOUND, MailDirection.INBOUND]
    assert (await anna.thread(email.thread_id)).unread
