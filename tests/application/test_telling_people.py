"""Who is told what by mail, once, and only what is still true."""

import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.change_booking import ByHost
from meetings.application.ports.mail import Letter, Mailer, TeamLetter
from meetings.application.ports.reads import PagePointer
from meetings.domain.booking import BookingState
from meetings.domain.period import Period
from meetings.domain.scheduling_page import BookingBlocked
from meetings.infrastructure.demo.mail_catcher import Answer, CaughtMail, Drop, MailCatcher, Step
from tests.application.conftest import EIGHT
from tests.world import HOST_EMAIL, World, berlin, outside, world

TEN = berlin("2035-12-03 10:00")
ELEVEN = berlin("2035-12-03 11:00")
VISITOR = "grace@example.org"


def kinds(mails: list[CaughtMail]) -> list[str]:
    """What the mails are about: the words before the title."""
    return [mail.subject.split(":")[0] for mail in mails]


def calendar_line(mail: CaughtMail, name: str) -> str:
    assert mail.calendar
    unfolded = mail.calendar.decode().replace("\r\n ", "")
    found = re.search(rf"^{name}(?:;[^:]*)?:(.*)$", unfolded, re.MULTILINE)
    assert found
    return found[1].strip()


def closed_port() -> int:
    """A port of the loopback address that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


# ---- once, and only what is true ----------------------------------------------------------------------------------


async def test_each_thing_that_happens_is_told_to_each_side_once(anywhere: World) -> None:
    await anywhere.connect()
    booking = await anywhere.book(await anywhere.page(), TEN)
    await anywhere.settle_down()
    await anywhere.move(booking, ELEVEN)
    await anywhere.settle_down()
    await anywhere.cancel(booking)
    for _ in range(3):
        await anywhere.settle_down()
        await anywhere.passes(hours=1)
    assert kinds(anywhere.mails_to(VISITOR)) == ["Confirmed", "Moved", "Cancelled"]
    assert len(anywhere.mails_to(HOST_EMAIL)) == 3
    assert len({mail.message["Message-ID"] for mail in anywhere.mail.mails}) == 6
    files = anywhere.mails_to(VISITOR)
    assert len({calendar_line(mail, "UID") for mail in files}) == 1
    assert [calendar_line(mail, "SEQUENCE") for mail in files] == ["0", "1", "2"]
    assert [calendar_line(mail, "METHOD") for mail in files][-1] == "CANCEL"


async def test_a_confirmation_that_is_not_true_any_more_is_not_sent(anywhere: World) -> None:
    await anywhere.connect()
    booking = await anywhere.book(await anywhere.page(), TEN)
    await anywhere.cancel(booking)
    await anywhere.settle_down()
    assert kinds(anywhere.mails_to(VISITOR)) == ["Cancelled"]


async def test_a_move_that_was_overtaken_tells_only_the_newest_time(anywhere: World) -> None:
    await anywhere.connect()
    page = await anywhere.page()
    booking = await anywhere.book(page, TEN)
    await anywhere.settle_down()
    await anywhere.move(booking, ELEVEN)
    await anywhere.move(booking, berlin("2035-12-03 14:00"))
    await anywhere.settle_down()
    told = anywhere.mails_to(VISITOR)
    assert all("8:00" in mail.text for mail in told[1:])  # 14:00 in Berlin, where Grace sits
    assert calendar_line(told[-1], "SEQUENCE") == "2"


async def test_everybody_reads_their_own_zone_and_the_visitor_the_language_of_the_page(here: World) -> None:
    """B-BO2, A-BO9."""
    await here.connect()
    await here.book(await here.page(locale="de"), TEN)
    await here.settle_down()
    [to_visitor], [to_host] = here.mails_to(VISITOR), here.mails_to(HOST_EMAIL)
    assert "Bestätigt" in to_visitor.subject
    assert "04:00" in to_visitor.text
    assert "New York" in to_visitor.text or "New_York" in to_visitor.text
    assert "10:00" in to_host.text
    assert here.tools.links.manage((await here.newest_booking()).id) in to_visitor.text
    assert "/b/" not in to_host.text


async def test_a_reason_reaches_the_other_side(here: World) -> None:
    await here.connect()
    booking = await here.book(await here.page(), TEN)
    await here.settle_down()
    await here.cancel(booking, "I have a cold.", by=ByHost(here.caller))
    await here.settle_down()
    assert "I have a cold." in here.mails_to(VISITOR)[-1].text


# ---- the mail server ----------------------------------------------------------------------------------------------


async def test_a_letter_sent_twice_is_one_letter_to_a_mail_program(anywhere: World) -> None:
    """OB-7: the server took it, and its answer got lost."""
    await anywhere.connect()
    booking = await anywhere.book(await anywhere.page(), TEN)
    anywhere.mail.misbehave(Drop(Step.CONTENT, kept=True))
    await anywhere.settle_down()
    await anywhere.passes(minutes=1)
    await anywhere.settle_down()
    by_id: dict[str, list[CaughtMail]] = {}
    for mail in anywhere.mail.mails:
        by_id.setdefault(str(mail.message["Message-ID"]), []).append(mail)
    assert sorted(len(copies) for copies in by_id.values()) == [1, 2]
    [twice] = [copies for copies in by_id.values() if len(copies) == 2]
    assert twice[0].recipients == twice[1].recipients
    assert {calendar_line(mail, "UID") for mail in anywhere.mails_to(VISITOR)} == {f"{booking.id}@meetings"}
    assert await anywhere.unfinished() == []


async def test_a_mail_server_that_is_away_delays_and_loses_nothing(anywhere: World) -> None:
    await anywhere.connect()
    anywhere.mail.misbehave(*(Answer(Step.SENDER, "451 4.3.0 Try again later") for _ in range(9)))
    await anywhere.book(await anywhere.page(), TEN)
    for _ in range(10):
        await anywhere.settle_down()
        await anywhere.passes(minutes=2)
    assert kinds(anywhere.mails_to(VISITOR)) == ["Confirmed"]
    assert len(anywhere.mails_to(HOST_EMAIL)) == 1
    assert await anywhere.unfinished() == []


async def test_a_server_that_cannot_be_reached_is_tried_again(sqlite_url: str) -> None:
    with outside() as (google, mail):
        nowhere = {"smtp_url": f"smtp://127.0.0.1:{closed_port()}"}
        async with world(sqlite_url, google, mail, now=EIGHT, **nowhere) as here:
            await here.connect()
            await here.book(await here.page(), TEN)
            await here.settle_down()
            waiting = await here.unfinished()
            assert {intent.reaction for intent in waiting} == {"tell_invitee", "tell_host"}
            assert all(intent.attempts == 1 and "MailUnavailable" in intent.error for intent in waiting)


async def test_a_letter_that_is_refused_for_good_is_listed_and_can_be_sent_again(anywhere: World) -> None:
    """OB-6: it stops nobody else's letter."""
    await anywhere.connect()
    await anywhere.book(await anywhere.page(), TEN)
    anywhere.mail.misbehave(Answer(Step.RECIPIENT, "550 5.1.1 No such user"))
    await anywhere.settle_down()
    assert len(anywhere.mail.mails) == 1
    account = anywhere.anna.account_id
    [dead] = await anywhere.tools.outbox.dead(account, 10)
    assert dead.reaction.startswith("tell_")
    assert "550" in dead.error
    assert VISITOR not in dead.error
    await anywhere.passes(hours=1)
    await anywhere.settle_down()
    assert len(anywhere.mail.mails) == 1
    assert await anywhere.tools.outbox.replay(account, dead.id)
    await anywhere.settle_down()
    assert sorted(mail.recipients[0] for mail in anywhere.mail.mails) == [HOST_EMAIL, VISITOR]


# ---- reminders (A-SP13, A-NO2) ------------------------------------------------------------------------------------

A_DAY_AND_AN_HOUR = (Period(days=1), Period(minutes=60))
THURSDAY = berlin("2035-12-06 10:00")


async def reminders(here: World) -> int:
    """How many reminders were sent, once everything due is done."""
    await here.settle_down()
    return kinds(here.mails_to(VISITOR)).count("Reminder")


async def test_reminders_come_when_they_are_due_and_to_the_visitor_only(anywhere: World) -> None:
    await anywhere.connect()
    await anywhere.book(await anywhere.page(reminders=A_DAY_AND_AN_HOUR), THURSDAY)
    await anywhere.passes(days=2, hours=1, minutes=59)
    assert await reminders(anywhere) == 0
    await anywhere.passes(minutes=2)
    assert await reminders(anywhere) == 1
    await anywhere.passes(hours=22)
    assert await reminders(anywhere) == 1
    await anywhere.passes(hours=1)
    assert await reminders(anywhere) == 2
    await anywhere.passes(hours=10)
    assert await reminders(anywhere) == 2
    assert "Reminder" not in kinds(anywhere.mails_to(HOST_EMAIL))


async def test_what_is_too_late_is_not_reminded_of(here: World) -> None:
    """Booked less than a day ahead: only the hour before is left."""
    await here.connect()
    await here.book(await here.page(reminders=A_DAY_AND_AN_HOUR), berlin("2035-12-03 15:00"))
    assert await reminders(here) == 0
    await here.passes(hours=6, minutes=1)
    assert await reminders(here) == 1


async def test_reminders_go_with_a_meeting_that_moves(anywhere: World) -> None:
    await anywhere.connect()
    booking = await anywhere.book(await anywhere.page(reminders=A_DAY_AND_AN_HOUR), THURSDAY)
    await anywhere.settle_down()
    await anywhere.move(booking, THURSDAY + timedelta(days=1))
    await anywhere.passes(days=2, hours=3)
    assert await reminders(anywhere) == 0
    await anywhere.passes(days=1)
    assert await reminders(anywhere) == 1
    await anywhere.passes(hours=22)
    assert await reminders(anywhere) == 2


async def test_a_meeting_that_moved_away_and_back_is_reminded_of_once(anywhere: World) -> None:
    await anywhere.connect()
    booking = await anywhere.book(await anywhere.page(reminders=A_DAY_AND_AN_HOUR), THURSDAY)
    await anywhere.settle_down()
    for start in (THURSDAY + timedelta(days=1), THURSDAY):
        await anywhere.move(booking, start)
        await anywhere.settle_down()
    await anywhere.passes(days=2, hours=2, minutes=1)
    assert await reminders(anywhere) == 1


async def test_reminders_planned_late_are_planned_once(anywhere: World) -> None:
    """The worker was away while a meeting was booked and moved."""
    await anywhere.connect()
    booking = await anywhere.book(await anywhere.page(reminders=A_DAY_AND_AN_HOUR), THURSDAY)
    await anywhere.move(booking, THURSDAY + timedelta(hours=1))
    await anywhere.settle_down()
    await anywhere.passes(days=2, hours=3, minutes=1)
    assert await reminders(anywhere) == 1


async def test_a_meeting_that_was_called_off_is_not_reminded_of(anywhere: World) -> None:
    await anywhere.connect()
    booking = await anywhere.book(await anywhere.page(reminders=A_DAY_AND_AN_HOUR), THURSDAY)
    await anywhere.settle_down()
    await anywhere.cancel(booking)
    await anywhere.passes(days=4)
    assert await reminders(anywhere) == 0
    assert await anywhere.unfinished() == []


async def test_a_reminder_the_mail_server_took_too_late_is_not_sent(here: World) -> None:
    await here.connect()
    await here.book(await here.page(reminders=(Period(minutes=60),)), TEN)
    await here.settle_down()
    here.mail.misbehave(Answer(Step.SENDER, "451 4.3.0 Try again later"))
    await here.passes(hours=1, minutes=1)
    assert await reminders(here) == 0
    await here.passes(hours=1)
    assert await reminders(here) == 0


# ---- attempts on a blocked page (S61) -----------------------------------------------------------------------------


@pytest.fixture
async def blocked(database_url: str) -> AsyncIterator[World]:
    """Anna, one of whose calendars cannot be read any more. The clock agrees with the database's."""
    with GoogleSimulator().serve() as google, MailCatcher() as mail:
        async with world(database_url, google, mail) as here:
            await here.connect()
            google.add_account("bob@example.com", "Bob")
            rota = google.add_calendar("bob@example.com", "Rota")
            google.share_calendar(rota, HOST_EMAIL, "reader")
            await here.select_everything()
            google.lose_access(HOST_EMAIL, rota)
            yield here


async def attempt(here: World, page: PagePointer, hours: int) -> None:
    wished = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
    with pytest.raises(BookingBlocked):
        await here.book(page, wished)


async def test_the_first_attempt_is_told_at_once_and_later_ones_together(blocked: World) -> None:
    """S61: naming the calendar, the time and both remedies."""
    page = await blocked.page()
    await attempt(blocked, page, 24)
    await blocked.settle_down()
    [first] = blocked.mail.mails
    assert first.recipients == (HOST_EMAIL,)
    for words in ("Rota", "Meet Anna", blocked.tools.links.settings()):
        assert words in first.text
    for hours in (25, 26, 27):
        await attempt(blocked, page, hours)
    await blocked.settle_down()
    await blocked.passes(minutes=14)
    await blocked.settle_down()
    assert len(blocked.mail.mails) == 1
    await blocked.passes(minutes=2)
    await blocked.settle_down()
    assert len(blocked.mail.mails) == 2
    assert blocked.mail.mails[1].text.count("Meet Anna") == 3
    assert await blocked.unfinished() == []


async def test_an_attempt_that_comes_while_others_are_being_told_is_told_later(blocked: World) -> None:
    """I5: none vanishes."""
    page = await blocked.page()
    await attempt(blocked, page, 24)

    class Interrupted:
        """Hands letters over, and somebody tries to book meanwhile."""

        def __init__(self, mailer: Mailer) -> None:
            self._mailer = mailer
            self.interrupted = False

        async def send(self, letter: Letter | TeamLetter) -> None:
            if not self.interrupted:
                self.interrupted = True
                await attempt(blocked, page, 30)
            await self._mailer.send(letter)

    blocked.tools = replace(blocked.tools, mailer=Interrupted(blocked.tools.mailer))
    await blocked.settle_down()
    await blocked.passes(minutes=20)
    await blocked.settle_down()
    assert [mail.text.count("Meet Anna") for mail in blocked.mail.mails] == [1, 1]


async def test_attempts_wait_for_a_mail_server_that_is_away(blocked: World) -> None:
    page = await blocked.page()
    blocked.mail.misbehave(Answer(Step.SENDER, "451 4.3.0 Try again later"))
    await attempt(blocked, page, 24)
    await blocked.settle_down()
    await attempt(blocked, page, 25)
    await blocked.passes(minutes=20)
    await blocked.settle_down()
    assert sum(mail.text.count("Meet Anna") for mail in blocked.mail.mails) == 2
    assert await blocked.unfinished() == []


async def test_a_request_on_a_blocked_page_is_an_attempt_too(blocked: World) -> None:
    page = await blocked.page()
    await attempt(blocked, page, 24)
    await blocked.settle_down()
    with pytest.raises(BookingBlocked):
        await blocked.request(page, datetime.now(UTC) + timedelta(hours=30))
    await blocked.passes(minutes=20)
    await blocked.settle_down()
    assert len(blocked.mail.mails) == 2


async def test_a_failed_booking_is_told_to_both_sides(here: World) -> None:
    await here.connect()
    here.google.fault("events.insert", status=400, reason="invalid")
    assert (await here.book(await here.page(), TEN)).state is BookingState.FAILED
    await here.settle_down()
    [to_visitor], [to_host] = here.mails_to(VISITOR), here.mails_to(HOST_EMAIL)
    assert "Grace Hopper" in to_host.text
    assert "Anna" in to_visitor.text
