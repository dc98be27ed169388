"""What follows when HubSpot does not let us in any more, until it does again (A-CR8)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from meetings.adapters.hubspot.simulator import HubSpotSimulator, SimulatedPortal
from meetings.application.connect_crm import connect_hubspot, disconnect_hubspot
from meetings.application.people import deactivate_person
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.crm import CrmAccessLost
from meetings.application.reactions import LOG_BOOKING
from meetings.domain.identifiers import BookingId
from meetings.domain.user import Role
from meetings.infrastructure.circuits.circuits import Circuits
from meetings.infrastructure.database.tables import intents
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.demo.mail_catcher import Answer, Step
from meetings.infrastructure.hubspot_records import HubSpotRecords, hubspot_transport
from tests.databases import BOTH_DATABASES, Simulators, database_url, simulators, sqlite_template
from tests.faults.test_worker_kills import next_monday
from tests.world import HOST_EMAIL, World, world

__all__ = ["database_url", "simulators", "sqlite_template"]

ADA_EMAIL = "ada@example.com"
BEN_EMAIL = "ben@example.com"
SUBJECT = "HubSpot is no longer connected"


@pytest.fixture
def hubspot() -> Iterator[HubSpotSimulator]:
    with HubSpotSimulator().serve() as started:
        yield started


@pytest.fixture
async def here(database_url: str, simulators: Simulators, hubspot: HubSpotSimulator) -> AsyncIterator[World]:
    """Anna owns the account, Ada is an admin, Ben a member."""
    async with world(database_url, *simulators, hubspot_url=hubspot.url) as here:
        await here.add_colleague("Ada Admin", ADA_EMAIL, Role.ADMIN)
        await here.add_colleague("Ben Beck", BEN_EMAIL)
        yield here


@pytest.fixture
async def portal(here: World, hubspot: HubSpotSimulator) -> SimulatedPortal:
    made = hubspot.add_portal([HOST_EMAIL])
    await connect(here, made)
    await here.settle_down()
    return made


async def connect(here: World, portal: SimulatedPortal) -> None:
    here.clock.passes(seconds=1)
    tools = here.tools
    await connect_hubspot(portal.token, caller=here.caller, begin=tools.begin, try_crm=tools.try_crm, clock=tools.clock)


async def ask(here: World) -> None:
    """Something is read from the records."""
    await (await here.tools.crm_of(here.anna.account_id)).known([BEN_EMAIL])


async def is_refused(here: World) -> None:
    with pytest.raises(CrmAccessLost):
        await ask(here)


def subjects(here: World, address: str) -> list[str]:
    return [mail.subject for mail in here.mails_to(address)]


async def test_owners_and_admins_are_told_once_that_hubspot_refuses_us(here: World, portal: SimulatedPortal) -> None:
    portal.revoked = True
    for _ in range(3):
        await is_refused(here)
        await here.settle_down()
    for address in (HOST_EMAIL, ADA_EMAIL):
        [mail] = here.mails_to(address)
        assert mail.subject == SUBJECT
        assert here.tools.links.settings() in mail.text
        assert portal.token not in mail.text
    assert here.mails_to(BEN_EMAIL) == []
    assert await here.unfinished() == []


async def test_each_loss_is_told_anew(here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator) -> None:
    for number in range(2):
        portal.revoked = True
        await is_refused(here)
        await here.settle_down()
        hubspot.renew_token(portal, f"pat-eu1-number-{number}")
        await connect(here, portal)
        await here.settle_down()
    assert subjects(here, HOST_EMAIL) == subjects(here, ADA_EMAIL) == [SUBJECT] * 2


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_it_is_told_once_although_several_processes_find_out_at_the_same_moment(
    here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator
) -> None:
    portal.revoked = True
    database = here.runtime.database
    processes = [
        HubSpotRecords(database, hubspot_transport(hubspot.url), Circuits(), sign_in=None, clock=here.clock)
        for _ in range(6)
    ]

    async def find_out(process: HubSpotRecords) -> None:
        with pytest.raises(CrmAccessLost):
            await (await process.crm_of(here.anna.account_id)).known([BEN_EMAIL])

    await asyncio.gather(*map(find_out, processes))
    await here.settle_down()
    assert subjects(here, HOST_EMAIL) == subjects(here, ADA_EMAIL) == [SUBJECT]


async def test_somebody_whose_address_is_refused_keeps_nobody_else_from_being_told(
    here: World, portal: SimulatedPortal
) -> None:
    portal.revoked = True
    here.mail.misbehave(Answer(Step.RECIPIENT, "550 5.1.1 No such mailbox"))
    await is_refused(here)
    await here.settle_down()
    assert len(here.mail.mails) == 1
    assert len(await here.tools.outbox.dead(here.anna.account_id, 10)) == 1


async def test_a_connection_that_works_again_before_the_letter_is_written_is_told_to_nobody(
    here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator
) -> None:
    portal.revoked = True
    await is_refused(here)
    hubspot.renew_token(portal, "pat-eu1-another-one")
    await connect(here, portal)
    await here.settle_down()
    assert here.mail.mails == ()
    assert await here.unfinished() == []


async def test_an_admin_who_left_before_the_letter_is_written_is_not_told(here: World, portal: SimulatedPortal) -> None:
    async with here.tools.look(here.anna.account_id) as work:
        admins = await work.users.of(await work.users.active_admins())
    [ada] = [admin for admin in admins.values() if admin.email == ADA_EMAIL]
    portal.revoked = True
    await is_refused(here)
    await here.carry_out_due()
    await deactivate_person(ada.id, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    await here.settle_down()
    assert [mail.recipients for mail in here.mail.mails] == [(HOST_EMAIL,)]
    assert await here.unfinished() == []


async def test_a_call_with_the_token_from_before_is_not_held_against_the_new_one(
    here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator
) -> None:
    old = await here.tools.crm_of(here.anna.account_id)
    hubspot.renew_token(portal, "pat-eu1-another-one")
    await connect(here, portal)
    with pytest.raises(ProviderUnavailable, match="connected again"):
        await old.known([BEN_EMAIL])
    await ask(here)
    await here.settle_down()
    assert here.mail.mails == ()


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_what_waited_is_on_record_at_once_after_connecting_again(
    here: World, portal: SimulatedPortal, hubspot: HubSpotSimulator
) -> None:
    portal.revoked = True
    await here.connect()
    page = await here.page()
    died, waits = [await here.book(page, next_monday() + timedelta(hours=number)) for number in range(2)]
    await here.settle_down()
    assert {row.reaction: row.error.partition(":")[0] for row in await here.unfinished()} == {
        "log_booking": "CrmAccessLost"
    }
    await give_up(here, died.id, "CrmAccessLost: HubSpot does not accept the access token")
    assert portal.objects["meetings"] == {}
    hubspot.renew_token(portal, "pat-eu1-another-one")
    await connect(here, portal)
    await here.settle_down()
    keys = {meeting.properties["meetings_key"] for meeting in portal.objects["meetings"].values()}
    assert keys == {str(died.id), str(waits.id)}
    assert await here.unfinished() == []
    assert await here.tools.outbox.dead(here.anna.account_id, 9) == []


async def test_what_waited_is_on_the_built_in_record_at_once_after_going_back(
    here: World, portal: SimulatedPortal
) -> None:
    portal.revoked = True
    await here.connect()
    await here.book(await here.page(), next_monday())
    await here.settle_down()
    await disconnect_hubspot(caller=here.caller, begin=here.tools.begin, sign_in=None, clock=here.clock)
    await here.settle_down()
    crm = await here.tools.crm_of(here.anna.account_id)
    [contact] = (await crm.contacts(None, first=9, after=None)).items
    assert len((await crm.timeline(contact.id, first=9, after=None)).items) == 1
    assert await here.unfinished() == []


async def test_what_died_of_something_else_stays_dead(here: World, portal: SimulatedPortal) -> None:
    portal.revoked = True
    await here.connect()
    booking = await here.book(await here.page(), next_monday())
    await here.settle_down()
    await give_up(here, booking.id, "RecordRefused: HubSpot does not accept the record")
    portal.revoked = False
    await connect(here, portal)
    await here.settle_down()
    [dead] = await here.tools.outbox.dead(here.anna.account_id, 9)
    assert dead.error.startswith("RecordRefused")


async def give_up(here: World, booking_id: BookingId, error: str) -> None:
    """Nobody tries any more to put a booking on record."""
    theirs = (intents.c.subject == booking_id, intents.c.reaction == LOG_BOOKING)
    async with here.runtime.database.transaction() as connection:
        await connection.execute(update(intents).where(*theirs).values(died_at=database_time(), error=error))
