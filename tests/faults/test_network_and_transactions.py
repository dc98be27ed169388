"""Nothing is sent over the network while a database transaction is open: locks are never held that long (BK-2)."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.adapters.google.transport import Transport
from meetings.adapters.smtp.mailer import SmtpMailer
from meetings.application.answer_request import accept_request
from meetings.application.plan_sync import renew_channels
from meetings.domain.booking import BookingState
from meetings.domain.scheduling_page import BookingBlocked, PageOffline
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.transaction import transaction_open
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.contracts.google.receiver import listening
from tests.databases import BOTH_DATABASES
from tests.world import HOST_EMAIL, Clock, World, berlin, world

TEN = berlin("2035-12-03 10:00")
HALF_AN_HOUR = timedelta(minutes=30)

Sent = list[tuple[str, bool]]
"""What was sent over the network, and whether a transaction was open."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Everything goes its way as ever, and is noted: Google's client has one gate for all calls, mail has one too."""
    noted: Sent = []

    def watched(kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
        async def pass_on(self: Any, *given: Any, **named: Any) -> Any:
            noted.append((kind, transaction_open.get()))
            return await original(self, *given, **named)

        return pass_on

    monkeypatch.setattr(Transport, "call", watched("calendar", Transport.call))
    monkeypatch.setattr(Transport, "post_form", watched("sign-in", Transport.post_form))
    monkeypatch.setattr(SmtpMailer, "send", watched("mail", SmtpMailer.send))
    return noted


@asynccontextmanager
async def with_push(database_url: str) -> AsyncIterator[World]:
    """A world that Google can call, with one clock for both."""
    clock = Clock(berlin("2035-12-03 08:00"))
    with GoogleSimulator(now=clock).serve() as google, MailCatcher() as mail, listening() as receiver:
        address = receiver.address.partition("/hooks")[0]
        async with world(database_url, google, mail, now=clock, push=True, public_url=address) as here:
            yield here


async def do_the_main_job(here: World) -> None:
    """From a request on an offline page to a lost grant, with everything that a host and visitors can do between."""
    tools, google = here.tools, here.google
    page = await here.page()
    asked = await here.request(page, berlin("2035-12-03 16:00"))
    await here.connect()
    await accept_request(
        here.caller,
        asked.id,
        asked.start,
        begin=tools.begin,
        look=tools.look,
        calendars_of=tools.calendars_of,
        clock=here.clock,
        policy=tools.policy,
    )
    google.add_event(HOST_EMAIL, "Dentist", TEN - HALF_AN_HOUR, TEN)
    google.expire_access_tokens(HOST_EMAIL)
    await here.sync()
    held = await here.hold(page, TEN)
    booking = await here.book(page, TEN, hold_token=held.token)
    google.fault("events.patch", status=503)
    moved = await here.move(booking, TEN + HALF_AN_HOUR)
    await here.passes(minutes=1)
    await here.settle_down()
    google.move_event(HOST_EMAIL, google.events(HOST_EMAIL)[-1]["id"], TEN, TEN + HALF_AN_HOUR)
    google.expire_sync_tokens(HOST_EMAIL)
    await here.passes(seconds=5)
    await here.sync()
    await here.cancel(moved)
    await here.settle_down()
    google.add_account("bob@example.com", "Bob")
    rota = google.add_calendar("bob@example.com", "Rota")
    google.share_calendar(rota, HOST_EMAIL, "reader")
    await here.select_everything()
    google.lose_access(HOST_EMAIL, rota)
    with pytest.raises(BookingBlocked):
        await here.book(page, TEN)
    google.restore_access(HOST_EMAIL, rota)
    assert (await here.book(page, TEN + 2 * HALF_AN_HOUR)).state is BookingState.CONFIRMED
    await here.passes(days=16)
    await renew_channels(
        look=tools.look,
        providers=tools.providers,
        push_of=tools.push_of,
        schedule=tools.schedule,
        links=tools.links,
        clock=here.clock,
    )
    google.revoke_grants(HOST_EMAIL)
    await here.sync()
    with pytest.raises(PageOffline):
        await here.book(page, TEN + timedelta(days=21))
    await here.settle_down()
    await here.connect()
    await here.disconnect()


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_in_the_whole_main_job_nothing_is_sent_inside_a_transaction(database_url: str, sent: Sent) -> None:
    """BK-2."""
    async with with_push(database_url) as here:
        await do_the_main_job(here)
    kinds = [kind for kind, _ in sent]
    assert kinds.count("calendar") > 40
    assert kinds.count("sign-in") >= 5
    assert kinds.count("mail") >= 8
    assert [kind for kind, inside in sent if inside] == []


async def test_a_call_inside_a_transaction_would_be_noticed(database_url: str, sent: Sent) -> None:
    """TH-2: the control for the test above."""
    async with with_push(database_url) as here:
        await here.connect()
        calendars = await here.calendars()
        async with here.tools.look(here.anna.account_id) as work:
            await work.users.get(here.anna.id)
            await calendars.busy([HOST_EMAIL], TimeSpan(TEN, TEN + HALF_AN_HOUR))
    assert ("calendar", True) in sent
