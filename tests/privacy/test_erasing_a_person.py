"""Erasing a person from outside (TP-4): no word of theirs is left anywhere, and times and hosts stay."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import JSON, Text, select

from meetings.application.erase_person import LOOK_AGAIN_AFTER
from meetings.application.export_person import export_person, read_export
from meetings.domain.base import InvalidInput, PermissionMissing, Rule
from meetings.domain.booking import BookingState
from meetings.domain.erasure import ERASED_EMAIL, UpcomingMeetings
from meetings.domain.user import Role
from meetings.infrastructure.database.audit import audit
from meetings.infrastructure.database.tables import journal, metadata
from tests.databases import BOTH_DATABASES, Simulators
from tests.mailed import mailed
from tests.privacy.canary import EMAIL, MARK, Canary
from tests.unreliable_crm import Line
from tests.world import HOST_EMAIL

on_both_databases = pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)

TRACED = {
    "bookings",
    "crm_contacts",
    "crm_mails",
    "crm_meetings",
    "email_threads",
    "emails",
    "engagements",
    "enrollments",
    "intents",
    "mail_opt_outs",
    "meeting_links",
}
"""Where she stands before. What is added here has to be emptied by erasing."""
OF_THE_ACCOUNT = {
    "accounts",
    "api_tokens",
    "calendars",
    "connections",
    "crm_connections",
    "mailboxes",
    "pages",
    "sequences",
    "team_channels",
    "users",
    "web_domains",
}
"""What people of the account typed or connected; it says nothing about people from outside by itself."""
IDS_AND_SEALS = {
    "account_keys",
    "credentials",
    "crm_trips",
    "found_events",
    "host_times",
    "idempotency_keys",
    "journal",
    "journal_heads",
    "key_check",
    "mail_sync",
    "mailbox_credentials",
    "mirror_states",
    "mirror_times",
    "person_requests",
    "push_channels",
    "record_feeds",
    "sessions",
    "sign_in_attempts",
    "slot_holds",
    "visitors",
}
"""Ids, figures, hashes, cursors of providers, and what is sealed."""


@pytest.fixture
async def vera(database_url: str, simulators: Simulators) -> AsyncIterator[Canary]:
    async with mailed(database_url, "google", simulators) as anna:
        canary = Canary(anna)
        await canary.leave_traces()
        yield canary


@on_both_databases
async def test_no_word_of_an_erased_person_is_left_anywhere(vera: Canary, caplog: pytest.LogCaptureFixture) -> None:
    await vera.time_passes()
    assert set(await vera.hits()) == TRACED
    caplog.clear()
    caplog.set_level(logging.DEBUG, logger="meetings")
    await vera.erase()
    await vera.workers_follow()
    assert await vera.hits() == {}
    assert MARK not in "".join(str(record.__dict__) for record in caplog.records).casefold()
    dead = await vera.mailed.here.tools.outbox.dead(vera.account_id, 100)
    assert [letter.error for letter in dead] == ["LetterRefused"]
    await vera.erase()
    await vera.workers_follow()
    assert await vera.hits() == {}


def test_a_table_that_can_hold_words_is_one_of_which_it_is_known_whose() -> None:
    """Whoever adds one decides here whether erasing and exporting a person have to know it."""
    worded = {
        table.name
        for table in metadata.sorted_tables
        if any(isinstance(column.type, Text | JSON) for column in table.columns)
    }
    assert worded == TRACED | OF_THE_ACCOUNT | IDS_AND_SEALS


@on_both_databases
async def test_what_was_told_and_forgotten_stands_in_the_journal_and_of_whom_does_not(vera: Canary) -> None:
    """I9: when and what, once each; the second time there was nothing left to forget."""
    await vera.time_passes()
    here, tools = vera.mailed.here, vera.mailed.here.tools
    link = await export_person(EMAIL, caller=here.caller, begin=tools.begin, links=tools.links, clock=here.clock)
    token = link.url.rpartition("/")[2]
    await read_export(
        token, begin=tools.begin, look=tools.look, crm_of=tools.crm_of, links=tools.links, clock=here.clock
    )
    for _ in range(2):
        await vera.erase()
    await vera.workers_follow()
    kinds = ("PersonExportRequested", "PersonExportRead", "PersonErased")
    entries = await tools.reads.journal(vera.account_id, after=0, kinds=kinds, limit=10)
    assert [entry.kind for entry in entries] == [*kinds, "PersonErased"]
    async with here.runtime.database.snapshot() as connection:
        told = select(journal.c.at, journal.c.details).where(journal.c.kind.in_(kinds))
        rows = (await connection.execute(told.order_by(journal.c.position))).all()
    assert {row.at for row in rows} == {here.clock.now - LOOK_AGAIN_AFTER - timedelta(seconds=1)}
    nothing = {"bookings": "0", "engagements": "0", "emails": "0", "enrollments": "0"}
    assert [row.details for row in rows[2:]] == [
        {"bookings": "3", "engagements": "1", "emails": "2", "enrollments": "1"},
        nothing,
    ]
    assert (await audit(here.runtime.database, vera.account_id)).broken_at is None


async def test_bookings_keep_their_times_and_hosts_and_lose_the_person(vera: Canary) -> None:
    await vera.time_passes()
    before = {each.id: each for each in (vera.booked, vera.as_guest)}
    await vera.erase()
    after = {booking_id: await vera.booking(booking_id) for booking_id in before}
    for booking_id, was in before.items():
        now = after[booking_id]
        assert (now.start, now.end, now.hosts, now.state) == (was.start, was.end, was.hosts, BookingState.CONFIRMED)
    assert after[vera.booked.id].invitee.email == ERASED_EMAIL
    assert after[vera.as_guest.id].invitee == vera.as_guest.invitee
    assert after[vera.as_guest.id].guests == ("else@example.org",)
    assert (await vera.booking(vera.cancelled.id)).cancellation is not None


async def test_nobody_is_written_to_when_a_person_is_erased(vera: Canary) -> None:
    await vera.time_passes()
    before = len(vera.mailed.here.mail.mails)
    await vera.erase()
    await vera.workers_follow()
    assert len(vera.mailed.here.mail.mails) == before


async def test_meetings_that_are_to_come_have_to_be_called_off_first(vera: Canary) -> None:
    with pytest.raises(UpcomingMeetings) as refused:
        await vera.erase()
    assert refused.value.count == 3
    assert set(await vera.hits()) == TRACED


async def test_people_of_the_account_are_not_erased(vera: Canary) -> None:
    for email in (HOST_EMAIL, f" {HOST_EMAIL.upper()} ", vera.mailed.mailbox.email):
        with pytest.raises(InvalidInput) as refused:
            await vera.erase(email)
        assert [problem.rule for problem in refused.value.problems] == [Rule.NOT_ALLOWED_HERE]
    with pytest.raises(InvalidInput):
        await vera.erase("nobody")


async def test_members_erase_nobody(vera: Canary) -> None:
    await vera.time_passes()
    here = vera.mailed.here
    member = await here.add_colleague("Max Member", "max@example.com", Role.MEMBER)
    anna, here.anna = here.anna, member
    with pytest.raises(PermissionMissing):
        await vera.erase()
    here.anna = anna
    assert set(await vera.hits()) == TRACED


async def test_erasing_somebody_who_was_never_here_succeeds_and_touches_nobody(vera: Canary) -> None:
    await vera.time_passes()
    await vera.erase("stranger@example.org")
    await vera.workers_follow()
    assert set(await vera.hits()) == TRACED


async def test_customer_records_that_are_away_forget_the_person_later(vera: Canary) -> None:
    await vera.time_passes()
    here = vera.mailed.here
    line = Line(here.tools.crm_of, down=True)
    here.tools = replace(here.tools, crm_of=line.crm_of)
    await vera.erase()
    await vera.mailed.settle_down()
    assert set(await vera.hits()) <= {"crm_contacts", "crm_mails", "crm_meetings"}
    assert EMAIL not in str(await here.unfinished())
    line.down = False
    await vera.mailed.passes(hours=2)
    await vera.workers_follow()
    assert await vera.hits() == {}
