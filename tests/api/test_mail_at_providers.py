"""Mail with contacts through a mailbox at each provider: one conversation with the API per statement (S79, S83, S85 to
S87, S98)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from meetings.domain.user import Role
from tests.api.at_providers import (
    MAILBOXES,
    Anna,
    at_provider,
    connect_exchange,
    connect_imap,
    settings_of_imap,
)
from tests.api.available_times import INSERT
from tests.api.documents import BOOK, PAGES, book, working_day
from tests.api.email_documents import SEND_EMAIL, THREADS
from tests.api.inbox_documents import INBOXES
from tests.api.records import codes, made
from tests.api.sequence_documents import CREATE_SEQUENCE, ENROLL, ENROLLED
from tests.contracts.calendars.exchange_world import ExchangeWorld
from tests.contracts.mail.imap_world import imap_mail_world
from tests.contracts.mail.letters import a_mail
from tests.databases import Simulators
from tests.hosted import now
from tests.product import ApiClient
from tests.world import PASSWORD

VERA = "vera@visitors.example"
ALWAYS = """mutation { updateSettings(input: {workingHours: {timeZone: "Europe/Berlin", weekly: [
  {days: [MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY], from: "00:00", to: "24:00"}
]}}) { errors { code } } }"""
MINE = f"{{ viewer {{ enrollments {{ nodes {{ {ENROLLED} }} }} }} }}"
AT_EXCHANGE = pytest.mark.parametrize("anna", ["exchange"], indirect=True)


@pytest.fixture(params=MAILBOXES)
async def anna(request: pytest.FixtureRequest, database_url: str, simulators: Simulators) -> AsyncIterator[Anna]:
    """Anna at each provider in turn, not connected yet."""
    async with at_provider(request.param, database_url, simulators) as found:
        yield found


def mail(contact: dict[str, Any], **other: Any) -> dict[str, Any]:
    given = {"contactId": contact["id"], "subject": "Next steps", "bodyMarkdown": "Shall we **meet**?"}
    return {**given, "idempotencyKey": str(uuid4()), **other}


async def sent(host: ApiClient, wish: dict[str, Any]) -> dict[str, Any]:
    payload = (await host.ask(SEND_EMAIL, input=wish))["sendEmail"]
    assert (payload["errors"], payload["message"]["status"]) == ([], "SENT")
    return dict(payload["message"])


def answer(anna: Anna) -> str:
    """A minute later Vera answers the newest mail she got; gives the message id of her answer."""
    anna.clock.ahead += timedelta(minutes=1)
    own = f"<{uuid4()}@mail.visitors.example>"
    got = anna.inbox.received(VERA)[-1]
    sender, subject = f"Vera Stranger <{VERA}>", f"Re: {got.subject}"
    raw = a_mail(anna.inbox.account, sender=sender, subject=subject, answers=got.message_id, id=own)
    anna.inbox.deliver(raw)
    return own


async def replies(anna: Anna, contact: dict[str, Any]) -> list[dict[str, Any]]:
    """What stands on the contact's record as written to us."""
    return [entry for entry in await anna.timeline(contact) if entry["direction"] == "INBOUND"]


async def directions(anna: Anna, contact: dict[str, Any]) -> list[str]:
    """Those of all mails on the record, sorted: the provider's clock is ahead of ours."""
    return sorted(entry["direction"] for entry in await anna.timeline(contact))


# ---- one to one ---------------------------------------------------------------------------------------------------


async def test_s85_a_mail_to_a_contact_leaves_through_the_mailbox_and_stands_on_the_timeline(anna: Anna) -> None:
    """Without an inbox: `NOT_CONNECTED`, and no provider is called. The same key sends it once."""
    vera = await made(anna.host, VERA)
    refused = (await anna.host.ask(SEND_EMAIL, input=mail(vera)))["sendEmail"]
    assert (codes(refused), anna.inbox.calls()) == ([("NOT_CONNECTED", None)], 0)
    await anna.connect()
    wish = mail(vera)
    message = await sent(anna.host, wish)
    assert (await sent(anna.host, wish))["id"] == message["id"]
    [seen] = anna.inbox.received(VERA)
    assert (seen.sender, seen.subject) == (anna.inbox.account, "Next steps")
    assert "<p>Shall we <strong>meet</strong>?</p>" in seen.html
    await anna.follow_up()
    [entry] = await anna.timeline(vera)
    assert (entry["direction"], entry["from"], entry["to"]) == ("OUTBOUND", anna.inbox.account, [VERA])
    assert anna.served.mail.mails == ()  # nothing left by the product's own mail server


async def test_s87_a_reply_is_logged_once_on_the_contact_and_nothing_else_of_the_mailbox(anna: Anna) -> None:
    """A-IN1: from another address too. A-IN3: her other mails are not logged. What is written next names the answer."""
    vera = await made(anna.host, VERA)
    await anna.connect()
    message = await sent(anna.host, mail(vera))
    reply = answer(anna)
    anna.inbox.deliver(a_mail(anna.inbox.account, sender=f"Vera <{VERA}>", subject="Private"))
    for _ in range(3):
        await anna.follow_up()
    assert await directions(anna, vera) == ["INBOUND", "OUTBOUND"]
    [logged] = await replies(anna, vera)
    assert (logged["from"], logged["subject"], logged["text"]) == (VERA, "Re: Next steps", "Gladly.")
    [thread] = (await anna.host.ask(THREADS))["viewer"]["emailThreads"]["nodes"]
    assert sorted(each["direction"] for each in thread["messages"]["nodes"]) == ["INBOUND", "OUTBOUND"]
    await sent(anna.host, mail(vera, subject="Re: Next steps", threadId=message["thread"]["id"]))
    first, second = anna.inbox.received(VERA)
    assert (second.in_reply_to, second.references) == (reply, (first.message_id, reply))
    anna.inbox.deliver(
        a_mail(anna.inbox.account, sender="Vera <vera@private.example>", answers=second.message_id, text="Again.\n")
    )
    await anna.follow_up()
    assert {entry["from"] for entry in await replies(anna, vera)} == {VERA, "vera@private.example"}
    assert await directions(anna, vera) == ["INBOUND"] * 2 + ["OUTBOUND"] * 2


# ---- sequences ----------------------------------------------------------------------------------------------------


async def test_s86_a_contact_in_a_sequence_gets_its_first_mail_from_the_mailbox_and_by_answering_no_other(
    anna: Anna,
) -> None:
    """A-IN4: whoever answers is left alone."""
    vera = await made(anna.host, VERA)
    await anna.connect()
    assert (await anna.host.ask(ALWAYS))["updateSettings"]["errors"] == []
    steps = [
        {"delay": "PT0M", "subject": "Hello", "bodyMarkdown": "Shall we **meet**?"},
        {"delay": "P2D", "subject": "Re: Hello", "bodyMarkdown": "Any thoughts?"},
    ]
    written = (await anna.host.ask(CREATE_SEQUENCE, input={"name": "New people", "steps": steps}))["createSequence"]
    assert written["errors"] == []
    entered = await anna.host.ask(ENROLL, id=written["sequence"]["id"], contacts=[vera["id"]])
    assert entered["enrollInSequence"]["errors"] == []
    await anna.follow_up()
    [seen] = anna.inbox.received(VERA)
    assert (seen.sender, seen.subject) == (anna.inbox.account, "Hello")
    [inside] = (await anna.host.ask(MINE))["viewer"]["enrollments"]["nodes"]
    assert (inside["status"], inside["stepsSent"], inside["nextSendAt"] is None) == ("ACTIVE", 1, False)
    answer(anna)
    await anna.follow_up()
    [left] = (await anna.host.ask(MINE))["viewer"]["enrollments"]["nodes"]
    assert (left["status"], left["nextSendAt"]) == ("ENDED_BY_REPLY", None)
    assert await directions(anna, vera) == ["INBOUND", "OUTBOUND"]
    assert anna.served.mail.mails == ()


# ---- clickable times ----------------------------------------------------------------------------------------------


async def insert(anna: Anna) -> dict[str, Any]:
    day = working_day().date().isoformat()
    page = (await anna.host.ask(PAGES))["viewer"]["schedulingPages"]["nodes"][0]["id"]
    wish = {"page": page, "from": day, "to": day, "zone": "Europe/Berlin", "count": 3}
    return dict((await anna.host.ask(INSERT, **wish))["insertAvailableTimes"])


async def books_by_a_click(anna: Anna) -> None:
    """Times are inserted; a click leads to booking one of them, and a second one, too late, to others."""
    inserted = await insert(anna)
    assert inserted["errors"] == []
    first = inserted["availableTimes"]["times"][0]
    assert first["url"] in inserted["availableTimes"]["text"]
    async with anna.served.visitor() as visitor:
        link = urlsplit(first["url"])
        assert 'name="firstName"' in (await visitor.http.get(first["url"])).text
        booked = (await visitor.ask(BOOK, input=book(first["slot"]["start"])))["bookMeeting"]
        assert (booked["errors"], booked["booking"]["status"]) == ([], "CONFIRMED")
        late = await visitor.http.get(first["url"])
        assert 'name="firstName"' not in late.text
        assert f'href="{link.path}' in late.text
    taken = parse_qs(link.query)
    again = [parse_qs(urlsplit(time["url"]).query) for time in (await insert(anna))["availableTimes"]["times"]]
    assert len(again) == 3
    assert taken not in again


@pytest.mark.parametrize("anna", ["google", "office365"], indirect=True)
async def test_ain8_times_in_a_mail_lead_to_the_page_with_that_time_and_when_taken_to_others(anna: Anna) -> None:
    await anna.connect()
    await anna.served.here.page()
    await books_by_a_click(anna)


@AT_EXCHANGE
async def test_s98_with_exchange_a_mail_takes_a_plain_link_and_no_clickable_times(anna: Anna) -> None:
    """B-EX3: until the account lifts the limits."""
    vera = await made(anna.host, VERA)
    await anna.connect()
    await anna.served.here.page()
    refused = await insert(anna)
    assert (codes(refused), refused["availableTimes"]) == ([("CAPABILITY_UNSUPPORTED", None)], None)
    [error] = refused["errors"]
    assert (error["provider"], error["capability"]) == ("EXCHANGE", "CLICKABLE_TIMES")
    await sent(anna.host, mail(vera, bodyMarkdown="Book {{ meeting_link }} please."))
    [seen] = anna.inbox.received(VERA)
    assert f"{anna.served.url}/meetings/anna/intro" in seen.text
    await anna.lift_limits()
    await books_by_a_click(anna)


# ---- whose, and which ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", MAILBOXES)
async def test_s79_and_s99_a_member_without_a_seat_in_a_free_account_connects_and_writes(
    provider: str, database_url: str, simulators: Simulators
) -> None:
    async with at_provider(provider, database_url, simulators, policy={"all_features": False}) as anna:
        await anna.served.here.add_colleague("Ben", "ben@example.com", Role.MEMBER)
        async with ApiClient(anna.served.url) as client:
            await client.sign_in("ben@example.com", PASSWORD)
            ben = replace(anna, host=client)
            await ben.connect()
            [inbox] = (await client.ask(INBOXES))["viewer"]["inboxes"]
            assert (inbox["email"], inbox["status"]) == (anna.inbox.account, "ACTIVE")
            await sent(client, mail(await made(client, VERA)))
            assert len(anna.inbox.received(VERA)) == 1


async def test_s83_a_mailbox_by_imap_becomes_one_by_exchange_and_keeps_its_history(
    database_url: str, simulators: Simulators
) -> None:
    """The same inbox, the same conversations, and answers to what left by the old way are found by the new one."""
    with imap_mail_world(clock=now, host="localhost") as servers:
        async with at_provider("exchange", database_url, simulators, **settings_of_imap(servers)) as anna:
            old = await connect_imap(anna.host, servers)
            vera = await made(anna.host, VERA)
            message = await sent(anna.host, mail(vera))
            await anna.follow_up()
            [by_imap] = servers.received(VERA)
            assert isinstance(anna.place, ExchangeWorld)
            new = (await connect_exchange(anna.served, anna.host, anna.place, ("EMAIL",)))["inbox"]
            assert (new["id"], new["email"]) == (old["id"], old["email"])
            assert (old["provider"], new["provider"]) == ("IMAP", "EXCHANGE")
            [inbox] = (await anna.host.ask(INBOXES))["viewer"]["inboxes"]
            assert inbox["provider"] == "EXCHANGE"
            await anna.follow_up()
            connections = servers.calls()
            anna.inbox.deliver(a_mail(anna.inbox.account, sender=f"Vera <{VERA}>", answers=by_imap.message_id))
            await anna.follow_up()
            await sent(anna.host, mail(vera, subject="Re: Next steps", threadId=message["thread"]["id"]))
            assert len(anna.inbox.received(VERA)) == 1
            await anna.follow_up()
            assert await directions(anna, vera) == ["INBOUND", "OUTBOUND", "OUTBOUND"]
            assert (len(servers.received(VERA)), servers.calls()) == (1, connections)
