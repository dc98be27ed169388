"""The rules of logging by themselves; `tests/mail` has them in conversations."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.domain.base import InvalidInput, Rule
from meetings.domain.email import Correspondent, Email, EmailOrigin, EmailState, EmailText
from meetings.domain.identifiers import AccountId, EmailId, EmailThreadId, MailboxId, UserId
from meetings.domain.reply_logging import (
    MOST_NEVER_LOGGED,
    EmailLogging,
    LoggingRule,
    NotLogged,
    Sighting,
    Watch,
    bare_subject,
    others_than,
    same_subject,
    why_no_reply,
    why_not_heard,
    why_not_logged,
    why_not_ours,
)
from tests.builders import NOW

VERA = "vera@elsewhere.example"
REPLIES = EmailLogging()
OPEN = Watch(connected_since=NOW, user_active=True, log_replies=True)
LATER = NOW + timedelta(hours=1)


def a_mail(origin: EmailOrigin = EmailOrigin.PERSON, **other: Any) -> Email:
    given: dict[str, Any] = {
        "id": EmailId(uuid4()),
        "account_id": AccountId(uuid4()),
        "thread_id": EmailThreadId(uuid4()),
        "mailbox_id": MailboxId(uuid4()),
        "user_id": UserId(uuid4()),
        "origin": origin,
        "state": EmailState.SENT,
        "contacts": ("c",),
        "sender": Correspondent("Anna", "anna@example.com"),
        "recipients": (VERA,),
        "content": EmailText("Next steps", "Shall we meet?"),
        "message_id": "<1@example.com>",
        "created_at": NOW,
    }
    return Email(**{**given, **other})


def a_sighting(**other: Any) -> Sighting:
    given: dict[str, Any] = {"at": LATER, "subject": "Re: Next steps", "sender": VERA, "others": (VERA,)}
    return Sighting(**{**given, **other})


def test_an_answer_to_our_mail_is_logged() -> None:
    assert why_no_reply(a_sighting(), a_mail(), watch=OPEN, logging=REPLIES) is None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"watch": Watch(NOW, user_active=True, log_replies=False)}, NotLogged.MAILBOX_SWITCHED_OFF),
        ({"watch": Watch(NOW, user_active=False, log_replies=True)}, NotLogged.USER_INACTIVE),
        (
            {"watch": Watch(LATER + timedelta(seconds=1), user_active=True, log_replies=True)},
            NotLogged.BEFORE_CONNECTED,
        ),
        ({"original": None}, NotLogged.ANSWERS_NOTHING),
        ({"original": a_mail(EmailOrigin.RECEIVED)}, NotLogged.ANSWERS_NOTHING),
        ({"found": a_sighting(subject="Something else")}, NotLogged.OTHER_SUBJECT),
        ({"logging": EmailLogging(never_log=(VERA,))}, NotLogged.NEVER_LOGGED),
        ({"logging": EmailLogging(never_log=("elsewhere.example",))}, NotLogged.NEVER_LOGGED),
        (
            {"logging": EmailLogging(never_log=(VERA,)), "found": a_sighting(sender="a@b.example")},
            NotLogged.NEVER_LOGGED,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, NotLogged) else "",
)
def test_each_condition_alone_keeps_an_answer_from_being_logged(changed: dict[str, Any], why: NotLogged) -> None:
    given: dict[str, Any] = {"found": a_sighting(), "original": a_mail(), "watch": OPEN, "logging": REPLIES, **changed}
    found, original = given["found"], given["original"]
    assert why_no_reply(found, original, watch=given["watch"], logging=given["logging"]) is why


@pytest.mark.parametrize(
    ("watch", "why"),
    [
        (OPEN, None),
        (Watch(NOW, user_active=True, log_replies=False), None),
        (Watch(NOW, user_active=False, log_replies=True), NotLogged.USER_INACTIVE),
        (Watch(LATER + timedelta(seconds=1), user_active=True, log_replies=True), NotLogged.BEFORE_CONNECTED),
    ],
)
def test_that_somebody_wrote_is_noticed_also_where_nothing_is_logged(watch: Watch, why: NotLogged | None) -> None:
    """A-IN4."""
    assert why_not_heard(a_sighting(), watch=watch) is why


def test_a_mail_of_the_very_second_of_the_connection_counts() -> None:
    """Providers tell whole seconds."""
    watch = Watch(LATER.replace(microsecond=900_000), user_active=True, log_replies=True)
    assert why_not_logged(a_sighting(at=LATER.replace(microsecond=0)), watch=watch, logging=REPLIES) is None


def test_a_colleague_in_copy_who_is_never_logged_does_not_hide_a_contacts_mail() -> None:
    found = a_sighting(others=(VERA, "bob@example.com"))
    never = EmailLogging(never_log=("example.com",))
    assert why_no_reply(found, a_mail(), watch=OPEN, logging=never) is None
    sent = a_sighting(sender=None, others=(VERA, "bob@example.com"))
    assert why_not_logged(sent, watch=OPEN, logging=never) is NotLogged.NEVER_LOGGED


def test_what_the_owner_sends_on_is_logged_only_to_whom_the_conversation_is_with() -> None:
    received = a_mail(EmailOrigin.RECEIVED, sender=Correspondent("Vera", "vera@home.example"))
    to_her = a_sighting(sender=None, others=("vera@home.example",))
    assert why_not_ours(to_her, received, watch=OPEN, logging=REPLIES) is None
    forwarded = a_sighting(sender=None, others=("bob@example.com",))
    assert why_not_ours(forwarded, received, watch=OPEN, logging=REPLIES) is NotLogged.OTHER_PEOPLE
    other = a_sighting(sender=None, others=("vera@home.example",), subject="Lunch")
    assert why_not_ours(other, received, watch=OPEN, logging=REPLIES) is NotLogged.OTHER_SUBJECT


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Next steps", "AW: WG: next  steps", "RE[2]: Next steps", "[EXTERN] Re: Next steps", "Sv: Next Steps",
        "回复：Next steps",
    ],
)  # fmt: skip
def test_a_subject_is_the_same_whatever_programs_put_before_it(subject: str) -> None:
    assert same_subject(subject, "Next steps")


@pytest.mark.parametrize("subject", ["Next step", "Next steps again", "", "Real: Next steps"])
def test_another_subject_is_another_one(subject: str) -> None:
    assert not same_subject(subject, "Next steps")


@given(st.text(max_size=300))
def test_a_bare_subject_stays_as_it_is(subject: str) -> None:
    assert bare_subject(bare_subject(subject)) == bare_subject(subject)
    assert same_subject(f"Re: {subject}", subject)


def test_what_is_never_logged_is_addresses_and_domains_with_all_below_them() -> None:
    logging = EmailLogging.of(LoggingRule.REPLIES_ONLY, [" Boss@Example.COM ", "Private.example", "private.example"])
    assert logging.never_log == ("boss@example.com", "private.example")
    assert logging.never_logs("BOSS@example.com")
    assert logging.never_logs("anybody@deep.below.private.example")
    assert not logging.never_logs("else@example.com")
    assert not logging.never_logs("a@notprivate.example")


def test_what_is_neither_address_nor_domain_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        EmailLogging.of(LoggingRule.REPLIES_ONLY, ["fine.example", "", "no domain", "@"])
    assert [(problem.path, problem.rule) for problem in refused.value.problems] == [
        (("neverLog", "1"), Rule.REQUIRED),
        (("neverLog", "2"), Rule.NOT_A_DOMAIN),
        (("neverLog", "3"), Rule.NOT_AN_EMAIL),
    ]
    with pytest.raises(InvalidInput):
        EmailLogging.of(LoggingRule.REPLIES_ONLY, [f"d{n}.example" for n in range(MOST_NEVER_LOGGED + 1)])


def test_the_others_are_everybody_but_oneself_once() -> None:
    assert others_than({"anna@example.com"}, ["anna@example.com", VERA, "", VERA]) == (VERA,)
