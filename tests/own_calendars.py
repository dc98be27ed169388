"""Anna and Ben planning in their own calendars, at Google or at Microsoft, in a world of the whole product."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from meetings.adapters.google.simulator.calls import Call
from meetings.adapters.office365.disclosure import DISCLOSURE
from meetings.adapters.office365.simulator import CLIENT_ID, CLIENT_SECRET, Office365Simulator, weekly
from meetings.application.change_settings import change_settings
from meetings.application.connect_calendar import StartConnection, start_connection
from meetings.application.ports.crm import ContactDetails, RecordedMeeting
from meetings.domain.calendar_connection import Capability, Provider
from meetings.domain.identifiers import CalendarId
from meetings.domain.user import User
from tests.contracts.calendars import google_world, office365_world
from tests.world import DASHBOARD, HOST_EMAIL, Callback, World, berlin, outside, world

BEN_EMAIL = "ben@example.com"
GRACE, EVE = "grace@visitor.example", "eve@visitor.example"
TEN = berlin("2035-12-04 10:00")
HOUR = timedelta(hours=1)
EIGHT = berlin("2035-12-03 08:00")


class Planner(Protocol):
    """One provider's calendars, as people use them. A person is named by address; `more` is as in the contract of
    calendars: `guests`, `text`, `place`, `private`, `weekly`, `organizer`."""

    def plan(self, person: str, title: str, start: datetime, **more: Any) -> str: ...

    def replan(self, person: str, event: str, **more: Any) -> None: ...

    def move(self, person: str, event: str, start: datetime) -> None: ...

    def cancel(self, person: str, event: str) -> None: ...

    def copy_of(self, person: str, event: str) -> str:
        """The id that an event of somebody else's has in a person's calendar."""

    def decline(self, person: str, event: str) -> None: ...

    def second_calendar(self, person: str) -> str: ...

    def expire_cursors(self, person: str) -> None: ...

    def news_calls(self) -> int:
        """How often what events say was asked for, in pages."""


@dataclass
class People:
    """`here` with Anna and Ben, whose calendars are connected, and Grace, who is a contact."""

    here: World
    planner: Planner
    ben: User

    async def settled(self) -> None:
        """Whatever happened in the calendars has come to the records."""
        for calendar in await self.calendars():
            await self.here.tools.schedule.request(calendar)
        await self.here.settle_down()

    async def calendars(self, *users: User) -> list[CalendarId]:
        """The calendars that block time of these people, of both without any."""
        wanted = [user.id for user in users or (self.here.anna, self.ben)]
        async with self.here.tools.look(self.ben.account_id) as work:
            connections = await work.connections.of_users(wanted)
        return [calendar.id for user in wanted for calendar in connections[user].selected_calendars]

    async def add_contact(self, email: str) -> None:
        crm = await self.here.tools.crm_of(self.here.anna.account_id)
        await crm.put_contact(ContactDetails(email))

    async def meetings(self, email: str = GRACE) -> list[RecordedMeeting]:
        """What stands on somebody's timeline, newest first."""
        crm = await self.here.tools.crm_of(self.here.anna.account_id)
        contact = (await crm.known([email]))[email]
        page = await crm.timeline(contact.id, first=100, after=None)
        return [entry for entry in page.items if isinstance(entry, RecordedMeeting)]

    async def meeting(self, email: str = GRACE) -> RecordedMeeting:
        """The only one."""
        (only,) = await self.meetings(email)
        return only

    async def contacts(self) -> set[str]:
        crm = await self.here.tools.crm_of(self.here.anna.account_id)
        return {contact.email for contact in (await crm.contacts(None, first=100, after=None)).items}

    async def switch_sync(self, *, on: bool, user: User | None = None) -> None:
        await change_settings(
            lambda settings: replace(settings, calendar_sync=on),
            caller=self.here.caller_of(user or self.here.anna),
            begin=self.here.tools.begin,
            clock=self.here.clock,
            needs=(Capability.CALENDAR_SYNC,),
        )


def asks_for_busy_time(call: Call) -> bool:
    """Whether a call of Google lists events for their times alone: series are told expanded then."""
    return call.operation == "events.list" and call.query.get("singleEvents") == "true"


@dataclass
class AtGoogle:
    here: World

    def plan(self, person: str, title: str, start: datetime, **more: Any) -> str:
        times, organizer = more.pop("weekly", None), more.pop("organizer", None)
        calendar, length = more.pop("calendar", person), more.pop("length", HOUR)
        series: dict[str, Any] = {"recurrence": [f"RRULE:FREQ=WEEKLY;COUNT={times}"]} if times else {}
        made = self.here.google.add_event(
            calendar, title, start, start + length, organizer=organizer, **google_world.planned(more), **series
        )
        return str(made["id"])

    def replan(self, person: str, event: str, **more: Any) -> None:
        self.here.google.change_event(person, event, **google_world.planned(more))

    def move(self, person: str, event: str, start: datetime) -> None:
        self.here.google.move_event(person, event, start, start + HOUR)

    def cancel(self, person: str, event: str) -> None:
        self.here.google.cancel_event(person, event)

    def copy_of(self, person: str, event: str) -> str:
        return event

    def decline(self, person: str, event: str) -> None:
        self.here.google.respond(person, event, "declined")

    def second_calendar(self, person: str) -> str:
        return self.here.google.add_calendar(person, "Second")

    def expire_cursors(self, person: str) -> None:
        self.here.google.expire_sync_tokens(person)

    def news_calls(self) -> int:
        calls = self.here.google.requests_for("events.list")
        return sum(not asks_for_busy_time(call) for call in calls)


@dataclass
class AtMicrosoft:
    office: Office365Simulator

    def plan(self, person: str, title: str, start: datetime, **more: Any) -> str:
        times, organizer = more.pop("weekly", None), more.pop("organizer", None)
        calendar, length = more.pop("calendar", self._calendar(person)), more.pop("length", HOUR)
        series = {"recurrence": weekly(start, times=times)} if times else {}
        made = self.office.add_event(
            calendar, title, start, start + length, organizer=organizer, **office365_world.planned(more), **series
        )
        return str(made["id"])

    def replan(self, person: str, event: str, **more: Any) -> None:
        self.office.change_event(self._calendar(person), event, **office365_world.planned(more))

    def move(self, person: str, event: str, start: datetime) -> None:
        self.office.move_event(self._calendar(person), event, start, start + HOUR)

    def cancel(self, person: str, event: str) -> None:
        self.office.cancel_event(self._calendar(person), event)

    def copy_of(self, person: str, event: str) -> str:
        return self.office.copy_id(person, event)

    def decline(self, person: str, event: str) -> None:
        self.office.respond(person, event, "declined")

    def second_calendar(self, person: str) -> str:
        return self.office.add_calendar(person, "Second")

    def expire_cursors(self, person: str) -> None:
        self.office.expire_sync_tokens(self._calendar(person))

    def news_calls(self) -> int:
        calls = self.office.requests_for("calendarView.delta")
        return len(calls)

    def _calendar(self, person: str) -> str:
        return self.office.default_calendar(person)


@asynccontextmanager
async def at_google(database_url: str, *, now: datetime = EIGHT) -> AsyncIterator[People]:
    with outside() as (google, mail):
        async with world(database_url, google, mail, now=now) as here:
            google.add_account(BEN_EMAIL, "Ben Bauer", time_zone="Europe/Berlin")
            people = People(here, AtGoogle(here), await here.add_colleague("Ben Bauer", BEN_EMAIL))
            await people.add_contact(GRACE)
            await here.connect()
            await here.connect(email=BEN_EMAIL, user=people.ben)
            yield people


@asynccontextmanager
async def at_microsoft(database_url: str, *, now: datetime = EIGHT) -> AsyncIterator[People]:
    with outside() as (google, mail), Office365Simulator(now=lambda: now).serve() as office:
        settings: dict[str, Any] = {
            "office365_client_id": CLIENT_ID,
            "office365_client_secret": CLIENT_SECRET,
            "office365_ca_file": office.ca_file,
            "office365_login_url": office.endpoints.login,
            "office365_graph_url": office.endpoints.graph,
        }
        async with world(database_url, google, mail, now=now, **settings) as here:
            office.register_client(CLIENT_ID, CLIENT_SECRET, (here.tools.links.oauth_callback("OFFICE365"),))
            for email, name in ((HOST_EMAIL, "Anna Albers"), (BEN_EMAIL, "Ben Bauer")):
                office.add_account(email, name, time_zone="Europe/Berlin")
            people = People(here, AtMicrosoft(office), await here.add_colleague("Ben Bauer", BEN_EMAIL))
            await people.add_contact(GRACE)
            for user in (here.anna, people.ben):
                await _sign_in(here, office, user)
            await here.settle_down()
            yield people


async def _sign_in(here: World, office: Office365Simulator, user: User) -> None:
    tools = here.tools
    started = await start_connection(
        StartConnection(Provider.OFFICE365, DISCLOSURE.version, DASHBOARD),
        caller=here.caller_of(user),
        look=tools.look,
        providers=tools.providers,
        attempts=tools.sign_in_attempts,
        links=tools.links,
        clock=here.clock,
        policy=tools.policy,
    )
    back = parse_qs(urlsplit(office.auto_consent(user.email, started.authorization_url)).query)
    await here.come_back(Callback(back["state"][0], back["code"][0], None, started.browser_secret, Provider.OFFICE365))
