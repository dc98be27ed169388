"""The tour: the whole main job, step by step, through the public API alone, as a front end would do it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.adapters.google.simulator import Call, GoogleSimulator
from meetings.adapters.office365.simulator import Office365Simulator
from meetings.infrastructure.demo import operations
from meetings.infrastructure.demo.calendar_steps import OwnCalendar
from meetings.infrastructure.demo.client import Frontend
from meetings.infrastructure.demo.colleagues import Colleagues, bens, carlas
from meetings.infrastructure.demo.mail_catcher import CaughtMail, MailCatcher
from meetings.infrastructure.demo.mail_steps import Correspondence
from meetings.infrastructure.demo.name_server import NameServer
from meetings.infrastructure.demo.outlook import BensOutlook, CarlasOutlook
from meetings.infrastructure.demo.people import ANNA, BOB_EMAIL, DORA, PASSWORD, TEAM_CALENDAR, ZONE, Person
from meetings.infrastructure.demo.record_steps import Records
from meetings.infrastructure.demo.report import NotAsExpected, Report
from meetings.infrastructure.demo.sequence_steps import AnsweredSequence
from meetings.infrastructure.demo.settings_steps import CalendarSettings

VISITOR_ZONE = "America/New_York"
WRITES = {"events.insert", "events.import", "events.update", "events.patch", "events.delete"}
WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]


@dataclass(frozen=True)
class Elsewhere:
    """The simulators of the other providers, and the DNS."""

    office: Office365Simulator
    exchange: ExchangeSimulator
    dns: NameServer


@dataclass
class Tour:
    """One walk through the product. `base_url` is where it listens."""

    base_url: str
    google: GoogleSimulator
    mail: MailCatcher
    team_calendar: str
    elsewhere: Elsewhere
    report: Report = field(default_factory=Report)
    anna: Frontend = field(init=False)
    visitor: Frontend = field(init=False)
    connection: dict[str, Any] = field(default_factory=dict)
    day: date = field(init=False)
    slots: list[str] = field(default_factory=list)
    cursor: str = ""
    page_id: str = ""
    booked_start: str = ""
    token: str = ""
    event_id: str = ""

    async def walk(self) -> None:
        """All steps in order.

        Raises:
            NotAsExpected, Refused, TimeoutError: a step saw something else than it should have.
        """
        async with Frontend(self.base_url) as self.anna, Frontend(self.base_url) as self.visitor:
            await self.sign_in()
            await self.consent()
            await self.calendars()
            await self.publish()
            await self.first_slots()
            await self.live_update()
            await self.book()
            await self.taken()
            await self.move()
            await self.cancel()
            await self.offline()
            await self.blocked()
            await self.overview()
            await Records(self).walk()
            await OwnCalendar(self).walk()
            await self.colleagues()
            await Correspondence(self).walk()
            await AnsweredSequence(self).walk()
            await CalendarSettings(self, self.elsewhere.dns).walk()

    async def sign_in(self) -> None:
        self.report.step("Anna, a host, signs in")
        await self.anna.sign_in(ANNA.email, PASSWORD)
        viewer = (await self.anna.ask(operations.DISCLOSURE))["viewer"]
        self.report.expect(viewer["user"]["email"] == ANNA.email, f"the viewer is {viewer['user']['name']}", viewer)

    async def consent(self) -> None:
        self.report.step("She connects her Google calendar")
        disclosure = (await self.anna.ask(operations.DISCLOSURE))["viewer"]["calendarDisclosure"]
        self.report.saw(f"disclosure {disclosure['version']}: {disclosure['bodyMarkdown'].split('. ')[0]}.")
        refused = await self._start("something older")
        self.report.expect(
            [error["code"] for error in refused["errors"]] == ["CONSENT_REQUIRED"],
            "without accepting the disclosure nothing starts (CONSENT_REQUIRED)",
            refused,
        )
        started = await self._start(disclosure["version"])
        address = started["authorizationUrl"]
        scopes = parse_qs(urlsplit(address).query)["scope"][0].split()
        self.report.saw(f"Google's consent page asks for: {', '.join(scope.rsplit('/', 1)[-1] for scope in scopes)}")
        back = await asyncio.to_thread(self.google.auto_consent, ANNA.email, address)
        landed = await self.anna.http.get(back)
        self.report.expect(
            landed.status_code in (302, 303) and "calendar=connected" in landed.headers["location"],
            f"she allowed it and landed on {landed.headers.get('location')}",
            (landed.status_code, landed.text),
        )

    async def _start(self, version: str) -> dict[str, Any]:
        wish = {"provider": "GOOGLE", "acceptedDisclosure": version, "returnTo": f"{self.base_url}/dashboard"}
        data = await self.anna.ask(operations.START, input=wish)
        started: dict[str, Any] = data["startCalendarConnection"]
        return started

    async def calendars(self) -> None:
        self.report.step("The calendars that were found")
        await self._read_connection()
        for calendar in self.connection["availableCalendars"]:
            marks = [word for word in ("primary", "selected", "isDefault") if calendar[word]]
            self.report.saw(f"- {calendar['name']} ({', '.join(marks) or 'available'})")
        names = {calendar["name"]: calendar for calendar in self.connection["availableCalendars"]}
        self.report.expect(TEAM_CALENDAR in names, f"a calendar shared with her is there: {TEAM_CALENDAR}", names)
        chosen = [self.connection["defaultCalendar"]["id"], names[TEAM_CALENDAR]["id"]]
        answer = (await self.anna.ask(operations.SELECT, connection=self.connection["id"], calendars=chosen))[
            "setBusyCalendars"
        ]
        self.report.expect(
            len(answer["connection"]["busyCalendars"]) == 2, "both now block time; bookings go to her own", answer
        )
        await self.until("the first sync to end", self._is_active)
        self.report.expect(self.connection["status"] == "ACTIVE", "both are read: the connection is ACTIVE")

    async def _read_connection(self) -> None:
        self.connection = (await self.anna.ask(operations.CONNECTION))["viewer"]["calendarConnections"][0]

    async def _is_active(self) -> bool:
        await self._read_connection()
        return bool(self.connection["status"] == "ACTIVE")

    async def publish(self) -> None:
        self.report.step("She publishes a scheduling page")
        page = await self.create_page(self.anna, "anna/intro", "Meet Anna")
        self.page_id = page["id"]
        self.report.expect(page["mode"] == "ONLINE", f"{page['url']} books at once", page)

    async def create_page(self, host: Frontend, slug: str | None, headline: str) -> dict[str, Any]:
        wish = {
            "type": "ONE_ON_ONE",
            "internalName": headline,
            "headline": headline,
            **({} if slug is None else {"slug": slug}),
            "eventTitle": "{{firstName}} {{lastName}} – {{host}}",
            "durationsMinutes": [30, 60],
            "startIncrementMinutes": 30,
            "minimumNotice": "PT1H",
            "rollingWindow": "P30D",
            "locationKind": "VIDEO",
            "availability": {
                "timeZone": ZONE,
                "weekly": [{"days": WEEKDAYS, "from": "09:00", "to": "17:00"}],
            },
            "formFields": [{"key": "topic", "label": "What is it about?", "kind": "SHORT_TEXT"}],
        }
        answer = (await host.ask(operations.CREATE_PAGE, input=wish))["createSchedulingPage"]
        if answer["errors"]:
            raise NotAsExpected(f"the page was refused: {answer['errors']}")
        created: dict[str, Any] = answer["page"]
        return created

    async def first_slots(self) -> None:
        self.report.step("A visitor in New York opens it: the first free slots")
        seen = await self._look()
        page = seen["publicSchedulingPage"]
        self.report.saw(
            f"{page['headline']} with {page['hosts'][0]['displayName']}, {page['durationsMinutes']} minutes"
        )
        days = [day for day in seen["availability"]["month"] if day["slotCount"] >= 4]
        self.report.expect(len(days) >= 3, f"{len(days)} of the coming days have free time", seen["availability"])
        self.day = date.fromisoformat(days[1]["date"])
        seen = await self._look()
        self.slots = [slot["start"] for slot in seen["availability"]["chosen"][0]["slots"]]
        self.cursor = seen["availability"]["cursor"]
        self.report.saw(f"{self.day:%A, %d %B}: {', '.join(self.clock(slot) for slot in self.slots[:6])} …")
        lunch = self._lunch_slots()
        self.report.expect(
            not lunch & set(self.slots), "the lunch that stands in her Google calendar is not on offer", lunch
        )

    def month(self) -> dict[str, Any]:
        today = datetime.now(ZoneInfo(VISITOR_ZONE)).date()
        return {
            "page": {"slug": {"slug": "anna/intro"}},
            "from": today.isoformat(),
            "to": (today + timedelta(days=20)).isoformat(),
            "timeZone": VISITOR_ZONE,
            "durationMinutes": 30,
        }

    async def _look(self) -> dict[str, Any]:
        day = [self.day.isoformat()] if hasattr(self, "day") else []
        return await self.visitor.ask(
            operations.BOOKING_PAGE, at={"slug": {"slug": "anna/intro"}}, month=self.month(), day=day
        )

    def _lunch_slots(self) -> set[str]:
        noon = datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=ZoneInfo(ZONE))
        return {_text(noon + timedelta(minutes=minutes)) for minutes in (0, 30)}

    async def live_update(self) -> None:
        self.report.step("Somebody adds an event in Google Calendar while the page is open")
        wanted = datetime.fromisoformat(self.slots[1])
        async with self.visitor.subscribe(operations.LIVE, month=self.month(), after=self.cursor) as events:
            first = await asyncio.wait_for(anext(events), 10)
            self.report.saw(f"subscribed after the page's cursor: {_what(first)}")
            begun = asyncio.get_running_loop().time()
            self.google.add_event(ANNA.email, "Dentist", wanted, wanted + timedelta(minutes=30))
            while True:
                update = (await asyncio.wait_for(anext(events), 20))["availabilityChanged"]
                changed = {day["date"]: [slot["start"] for slot in day["slots"]] for day in update.get("days", [])}
                if self.slots[1] not in changed.get(self.day.isoformat(), [self.slots[1]]):
                    break
            took = asyncio.get_running_loop().time() - begun
        self.report.expect(
            True, f"{self.clock(self.slots[1])} disappeared from the open page after {took * 1000:.0f} ms"
        )
        self.slots = changed[self.day.isoformat()]
        explained = (await self.anna.ask(operations.EXPLAIN, page=self.page_id, date=self.day.isoformat()))["node"]
        busy = [item for item in explained["explain"] if item["reason"] == "BUSY"]
        self.report.expect(len(busy) >= 2, f"Anna's page explains the day: {len(busy)} busy spans", explained)

    async def book(self) -> None:
        self.report.step("The visitor books")
        self.booked_start = self.slots[0]
        wish = self.wish(self.booked_start, "Grace", "Hopper", "grace@example.org")
        booked = await self.book_slot(wish)
        self.report.expect(
            booked["booking"] is not None and booked["booking"]["status"] == "CONFIRMED",
            f"CONFIRMED for {self.clock(self.booked_start)} New York time",
            booked,
        )
        again = await self.book_slot(wish)
        self.report.expect(again == booked, "the same submit sent twice is one booking, with the same answer", again)
        self.token = booked["booking"]["manageUrl"].rsplit("/", 1)[-1]
        event = self._event("Grace Hopper")
        self.event_id = event["id"]
        self.report.saw(
            "the event, as Google Calendar shows it:",
            f"  {event['summary']} | {event['start']['dateTime']} {event['start'].get('timeZone')}",
            f"  guests: {', '.join(guest['email'] for guest in event['attendees'])} | {event.get('hangoutLink')}",
        )
        self.report.expect(
            datetime.fromisoformat(event["start"]["dateTime"]) == datetime.fromisoformat(self.booked_start)
            and self.token in event["description"],
            "time and manage link stand in it",
            event,
        )
        mail = await self.mail_to("grace@example.org", "Grace")
        self._show(mail)
        self.report.expect(
            self.clock(self.booked_start, "%-I:%M") in mail.text and mail.calendar is not None,
            "the mail tells the time in New York and carries a calendar file",
            mail.text,
        )
        await self.mail_to(ANNA.email, "Grace")
        self.report.expect(True, "Anna has a mail about it as well")

    def wish(self, start: str, first: str, last: str, email: str, slug: str = "anna/intro") -> dict[str, Any]:
        return {
            "page": {"slug": {"slug": slug}},
            "start": start,
            "durationMinutes": 30,
            "timeZone": VISITOR_ZONE,
            "invitee": {"firstName": first, "lastName": last, "email": email},
            "answers": [{"key": "topic", "values": ["Compilers"]}],
            "idempotencyKey": str(uuid4()),
        }

    async def book_slot(self, wish: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.visitor.ask(operations.BOOK, input=wish))["bookMeeting"]
        return answer

    async def taken(self) -> None:
        self.report.step("Somebody else wants the same slot")
        answer = await self.book_slot(self.wish(self.booked_start, "Alan", "Turing", "alan@example.org"))
        error = answer["errors"][0]
        self.report.expect(error["code"] == "SLOT_TAKEN", f"SLOT_TAKEN: {error['message']}", answer)
        offered = [self.clock(slot["start"], "%a %H:%M") for slot in error["alternatives"]]
        self.report.expect(0 < len(offered) <= 3, f"with alternatives: {', '.join(offered)}", error)

    async def move(self) -> None:
        self.report.step("The visitor moves the meeting with the manage link")
        target = self.slots[-1]
        moved = (
            await self.visitor.ask(operations.MOVE, booking={"token": self.token}, start=target, key=str(uuid4()))
        )["rescheduleBooking"]
        self.report.expect(
            moved["booking"] is not None and moved["booking"]["status"] == "CONFIRMED",
            f"moved to {self.clock(target)}",
            moved,
        )
        event = self.google.event(ANNA.email, self.event_id)
        self.report.expect(
            datetime.fromisoformat(event["start"]["dateTime"]) == datetime.fromisoformat(target),
            f"the same event in Google Calendar is at {event['start']['dateTime']} now",
            event,
        )
        self._show(await self.mail_to("grace@example.org", "Grace", skip=1))
        seen = await self._look()
        free = {slot["start"] for day in seen["availability"]["chosen"] for slot in day["slots"]}
        self.report.expect(
            self.booked_start in free and target not in free, "the old time is free again, the new one taken", free
        )

    async def cancel(self) -> None:
        self.report.step("The visitor cancels")
        for attempt in ("cancelled", "cancelling twice succeeds"):
            answer = (await self.visitor.ask(operations.CANCEL, booking={"token": self.token}, reason="Changed plans"))[
                "cancelBooking"
            ]
            self.report.expect(
                answer["booking"] is not None and answer["booking"]["status"] == "CANCELLED", attempt, answer
            )
        await self.until("the event to go", self._event_is_gone)
        self.report.expect(True, "the event is gone from Google Calendar")
        self._show(await self.mail_to("grace@example.org", "Grace", skip=2))

    async def _event_is_gone(self) -> bool:
        return bool(self.google.event(ANNA.email, self.event_id)["status"] == "cancelled")

    async def offline(self) -> None:
        self.report.step("Dora has no calendar at all: her page takes requests")
        async with Frontend(self.base_url) as dora:
            await dora.sign_in(DORA.email, PASSWORD)
            page = await self.create_page(dora, "dora/advice", "Advice from Dora")
        self.report.expect(page["mode"] == "OFFLINE", "the page exists and is OFFLINE", page)
        written = len(self._writes())
        wish = self.wish(self.slots[-1], "Barbara", "Liskov", "barbara@example.org", "dora/advice")
        refused = await self.book_slot(wish)
        self.report.expect(
            refused["errors"][0]["code"] == "PAGE_OFFLINE", "it cannot be booked (PAGE_OFFLINE)", refused
        )
        del wish["start"]
        wish["preferredStarts"] = self.slots[-2:]
        asked = (await self.visitor.ask(operations.REQUEST, input=wish))["requestMeeting"]
        self.report.expect(
            asked["booking"] is not None and asked["booking"]["status"] == "REQUESTED",
            "but two times can be proposed: REQUESTED",
            asked,
        )
        self._show(await self.mail_to("barbara@example.org", "Dora"))
        self._show(await self.mail_to(DORA.email, "Barbara"))
        self.report.expect(len(self._writes()) == written, "no calendar was touched for it", self._writes()[written:])

    def _writes(self) -> list[Call]:
        """What changed an event in Google Calendar; the product reads calendars whenever it likes."""
        return [call for call in self.google.calls if call.operation in WRITES]

    async def blocked(self) -> None:
        self.report.step("Anna loses access to the shared calendar: nobody can book her")
        self.google.lose_access(ANNA.email, self.team_calendar)
        answer = await self.book_slot(self.wish(self.slots[-1], "Edsger", "Dijkstra", "edsger@example.org"))
        self.report.expect(
            [error["code"] for error in answer["errors"]] == ["BOOKING_BLOCKED"], "BOOKING_BLOCKED", answer
        )
        self._show(await self.mail_to(ANNA.email, TEAM_CALENDAR))
        seen = await self._look()
        self.report.expect(
            seen["publicSchedulingPage"]["mode"] == "BLOCKED" and not seen["availability"]["month"],
            "the page says BLOCKED and offers nothing",
            seen,
        )
        self.google.restore_access(ANNA.email, self.team_calendar)
        answer = await self.book_slot(self.wish(self.slots[-1], "Edsger", "Dijkstra", "edsger@example.org"))
        self.report.expect(
            answer["booking"] is not None and answer["booking"]["status"] == "CONFIRMED",
            "access is given back, and the next booking works",
            answer,
        )

    async def overview(self) -> None:
        self.report.step("Anna's bookings, as her dashboard lists them")
        found = (await self.anna.ask(operations.BOOKINGS))["viewer"]["bookings"]
        for booking in found["nodes"]:
            self.report.saw(f"- {booking['status']:<9} {booking['start']} {booking['invitee']['name']}")
        self.report.expect(found["totalCount"] == 2, "one cancelled, one confirmed", found)

    async def colleagues(self) -> None:
        """Ben and Carla, at their own providers."""
        elsewhere = self.elsewhere
        ben, carla = bens(BensOutlook(elsewhere.office)), carlas(CarlasOutlook(elsewhere.exchange))
        await Colleagues(self, elsewhere.office, elsewhere.exchange.ews_url, ben, carla).walk()

    def _event(self, words: str) -> dict[str, Any]:
        for event in self.google.events(ANNA.email):
            if words in event.get("summary", ""):
                return event
        raise NotAsExpected(f"no event with {words!r} in Google Calendar")

    async def mail_to(self, to: str, words: str, *, skip: int = 0) -> CaughtMail:
        """The mail to `to` that mentions `words`, after `skip` others of that kind; waits for it."""
        seen: list[CaughtMail] = []

        def wanted(mail: CaughtMail) -> bool:
            if to in mail.recipients and (words in mail.subject or words in mail.text) and mail not in seen:
                seen.append(mail)
            return len(seen) > skip and mail is seen[skip]

        return await asyncio.to_thread(self.mail.wait_for, wanted, seconds=15)

    def _show(self, mail: CaughtMail) -> None:
        self.report.saw(f"mail to {', '.join(mail.recipients)}: {mail.subject}")
        lines = [line for line in mail.text.splitlines() if line.strip()]
        self.report.saw(*(f"  | {line}" for line in lines[:6]))

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not await holds():
            if asyncio.get_running_loop().time() > deadline:
                raise NotAsExpected(f"waited {seconds:.0f} s for {what}")
            await asyncio.sleep(0.1)

    def clock(self, start: str, pattern: str = "%H:%M") -> str:
        return datetime.fromisoformat(start).astimezone(ZoneInfo(VISITOR_ZONE)).strftime(pattern)


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _what(event: dict[str, Any]) -> str:
    change = event["availabilityChanged"]
    return f"{change['__typename']} with {len(change.get('days', []))} changed days"


def prepare_google(google: GoogleSimulator, people: tuple[Person, ...]) -> str:
    """Fill the simulator: Anna's own calendar with events, and one a colleague shares. Gives the shared one's id."""
    zone = ZoneInfo(ZONE)
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for person in people:
        google.add_account(person.email, person.name, time_zone=ZONE)
    google.add_account(BOB_EMAIL, "Bob", time_zone=ZONE)
    shared = google.add_calendar(BOB_EMAIL, TEAM_CALENDAR, time_zone=ZONE)
    google.share_calendar(shared, ANNA.email, "reader")
    noon = today.replace(hour=12)
    google.add_recurring(ANNA.email, "Lunch", noon, noon + timedelta(hours=1), ["RRULE:FREQ=DAILY;COUNT=400"])
    standup = today.replace(hour=10)
    google.add_recurring(
        shared, "Team stand-up", standup, standup + timedelta(minutes=30), ["RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=100"]
    )
    return shared
