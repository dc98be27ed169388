"""People of ours keep contacts while the records cannot be reached: they are told, and nothing is written."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from meetings.application.change_engagement import ChangeEngagement, change_engagement
from meetings.application.contacts import ContactWish, change_contact, create_contact
from meetings.application.create_engagement import CreateEngagement, create_engagement
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.domain.engagement import MeetingText
from meetings.domain.identifiers import EngagementId
from tests.unreliable_crm import Line
from tests.world import World, berlin

TEN, ELEVEN = berlin("2035-12-03 10:00"), berlin("2035-12-03 11:00")
VERA = "vera@visitors.example"


async def test_records_that_are_away_are_told_to_whoever_asks_and_nothing_is_written(anywhere: World) -> None:
    here, tools = anywhere, anywhere.tools
    given: dict[str, Any] = {"caller": here.caller, "look": tools.look}
    vera = await create_contact(VERA, ContactWish({"first_name": "Vera"}), **given, crm_of=tools.crm_of)
    planning = CreateEngagement(vera.id, (), MeetingText("Intro"), TEN, ELEVEN)
    meeting = await create_engagement(
        planning, caller=here.caller, begin=tools.begin, crm_of=tools.crm_of, clock=here.clock
    )
    await here.settle_down()
    away = Line(tools.crm_of, down=True).crm_of

    async def rename() -> None:
        await change_engagement(
            meeting,
            ChangeEngagement(contact=vera.id, title="Other"),
            caller=here.caller,
            begin=tools.begin,
            look=tools.look,
            crm_of=away,
            clock=here.clock,
        )

    attempts: list[Callable[[], Awaitable[object]]] = [
        lambda: create_contact("willi@visitors.example", ContactWish({}), **given, crm_of=away),
        lambda: change_contact(vera.id, ContactWish({"company": "Acme"}), **given, crm_of=away),
        lambda: create_engagement(planning, caller=here.caller, begin=tools.begin, crm_of=away, clock=here.clock),
        rename,
    ]
    for attempt in attempts:
        with pytest.raises(ProviderUnavailable):
            await attempt()
    crm = await tools.crm_of(here.anna.account_id)
    assert (await crm.contacts(None, first=10, after=None)).items == (vera,)
    assert (await crm.timeline(vera.id, first=10, after=None)).total == 1
    async with tools.look(here.anna.account_id) as work:
        assert (await work.engagements.get(meeting)).text.title == "Intro"


async def test_a_change_that_names_no_contact_asks_no_records(anywhere: World) -> None:
    """So it is stored while they are away, and reaches them later."""
    here, tools = anywhere, anywhere.tools
    vera = await create_contact(VERA, ContactWish({}), caller=here.caller, look=tools.look, crm_of=tools.crm_of)
    meeting = await create_engagement(
        CreateEngagement(vera.id, (), MeetingText("Intro"), TEN, ELEVEN),
        caller=here.caller,
        begin=tools.begin,
        crm_of=tools.crm_of,
        clock=here.clock,
    )
    line = Line(tools.crm_of, down=True)
    await change_engagement(
        meeting,
        ChangeEngagement(title="Other"),
        caller=here.caller,
        begin=tools.begin,
        look=tools.look,
        crm_of=line.crm_of,
        clock=here.clock,
    )
    assert line.calls == []
    await here.settle_down()
    crm = await tools.crm_of(here.anna.account_id)
    assert [found.title for found in (await crm.meetings_by_key([meeting])).values()] == ["Other"]
    assert await crm.meetings_by_key([EngagementId(uuid4())]) == {}


async def test_a_meeting_whose_people_were_forgotten_changes_without_a_trace_of_them(anywhere: World) -> None:
    """TP-4: nobody becomes a contact again, and nothing is left over for people to look at."""
    here, tools = anywhere, anywhere.tools
    vera = await create_contact(VERA, ContactWish({}), caller=here.caller, look=tools.look, crm_of=tools.crm_of)
    meeting = await create_engagement(
        CreateEngagement(vera.id, (), MeetingText("Intro with Vera"), TEN, ELEVEN),
        caller=here.caller,
        begin=tools.begin,
        crm_of=tools.crm_of,
        clock=here.clock,
    )
    await here.settle_down()
    crm = await tools.crm_of(here.anna.account_id)
    await crm.erase(VERA)
    await change_engagement(
        meeting,
        ChangeEngagement(title="Vera again"),
        caller=here.caller,
        begin=tools.begin,
        look=tools.look,
        crm_of=tools.crm_of,
        clock=here.clock,
    )
    await here.settle_down()
    assert await crm.known([VERA]) == {}
    [found] = (await crm.meetings_by_key([meeting])).values()
    assert (found.contacts, "Vera" in found.title) == ((), False)
    assert await tools.outbox.dead(here.anna.account_id, 10) == []
    assert await here.unfinished() == []
