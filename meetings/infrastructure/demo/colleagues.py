"""The part of the tour at Ben's and Carla's, whose calendars are at other providers: they can do what Anna can."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from meetings.adapters.office365.simulator import Office365Simulator
from meetings.infrastructure.demo import operations
from meetings.infrastructure.demo.client import Frontend
from meetings.infrastructure.demo.outlook import Outlook, ShownEvent
from meetings.infrastructure.demo.people import BEN, CARLA, CARLA_PASSWORD, PASSWORD, Person
from meetings.infrastructure.demo.report import NotAsExpected

if TYPE_CHECKING:
    from meetings.infrastructure.demo.tour import Tour


@dataclass
class Colleague:
    """A host, their browser, and their calendars as the provider holds them."""

    person: Person
    provider: str
    slug: str
    outlook: Outlook
    browser: Frontend = field(init=False)
    connection: dict[str, Any] = field(default_factory=dict)
    slots: list[str] = field(default_factory=list)
    booked: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.person.name.split()[0]


@dataclass
class Colleagues:
    """The steps at Ben's and Carla's; `tour` is the one they are part of."""

    tour: "Tour"
    office: Office365Simulator
    exchange_url: str
    ben: Colleague
    carla: Colleague

    async def walk(self) -> None:
        """All steps in order. Raises what the tour raises."""
        async with AsyncExitStack() as browsers:
            for host in (self.ben, self.carla):
                host.browser = await browsers.enter_async_context(Frontend(self.tour.base_url))
                await host.browser.sign_in(host.person.email, PASSWORD)
            await self.connect_office365()
            await self.connect_exchange()
            await self.publish()
            await self.book()
            await self.lose_and_regain()
            await self.cancel_in_office365()
            await self.refuse_in_exchange()
            await self.lift_the_limits()

    async def connect_office365(self) -> None:
        report, ben = self.tour.report, self.ben
        report.step("Ben connects his Office 365 calendar")
        wish = {
            "provider": "OFFICE365",
            "acceptedDisclosure": await self._disclosed(ben),
            "returnTo": f"{self.tour.base_url}/dashboard",
        }
        started = (await ben.browser.ask(operations.START, input=wish))["startCalendarConnection"]
        if started["errors"]:
            raise NotAsExpected(f"the connection was refused: {started['errors']}")
        back = await asyncio.to_thread(self.office.auto_consent, ben.person.email, started["authorizationUrl"])
        landed = await ben.browser.http.get(back)
        report.expect(
            "calendar=connected" in landed.headers.get("location", ""),
            "he allowed it on Microsoft's consent page and landed on his dashboard",
            (landed.status_code, landed.headers.get("location"), landed.text),
        )

    async def connect_exchange(self) -> None:
        report, carla = self.tour.report, self.carla
        report.step("Carla connects her mailbox on the company's own Exchange server")
        typed = {"email": carla.person.email, "password": CARLA_PASSWORD, "serverUrl": self.exchange_url}
        dry = (await carla.browser.ask(operations.TEST_EXCHANGE, input=typed))["testExchangeConnection"]
        for check in dry["checks"] or []:
            report.saw(f"{check['outcome']:<8}{check['step']:<15} {check['detail']}")
        outcomes = [check["outcome"] for check in dry["checks"] or []]
        report.expect("PASSED" in outcomes and "FAILED" not in outcomes, "a dry run passes every step", dry)
        wrong = await self._connect_exchange({**typed, "username": carla.person.email, "password": "not hers"})
        report.expect(
            [error["code"] for error in wrong["errors"]] == ["CREDENTIALS_REJECTED"],
            "a wrong password is refused (CREDENTIALS_REJECTED), and tried once",
            wrong,
        )
        connected = await self._connect_exchange(typed)
        report.expect(
            not connected["errors"] and connected["connection"] is not None,
            f"connected, {connected['connection'] and connected['connection']['serverVersion']}",
            connected,
        )

    async def _connect_exchange(self, typed: dict[str, Any]) -> dict[str, Any]:
        disclosure = await self._disclosed(self.carla)
        answer = await self.carla.browser.ask(operations.CONNECT_EXCHANGE, input=typed, disclosure=disclosure)
        connected: dict[str, Any] = answer["connectExchangeCalendar"]
        return connected

    async def _disclosed(self, host: Colleague) -> str:
        viewer = (await host.browser.ask(operations.DISCLOSURE, provider=host.provider))["viewer"]
        version: str = viewer["calendarDisclosure"]["version"]
        return version

    async def publish(self) -> None:
        report = self.tour.report
        report.step("Both choose a second calendar that blocks, and publish a page")
        for host in (self.ben, self.carla):
            await self._read_connection(host)
            names = {each["name"]: each["id"] for each in host.connection["availableCalendars"]}
            report.expect(host.outlook.second_calendar in names, f"{host.name}'s calendars: {', '.join(names)}", names)
            chosen = [host.connection["defaultCalendar"]["id"], names[host.outlook.second_calendar]]
            await host.browser.ask(operations.SELECT, connection=host.connection["id"], calendars=chosen)
            await self.tour.until(f"{host.name}'s first sync to end", partial(self._is_active, host))
            page = await self.tour.create_page(host.browser, host.slug, f"Meet {host.name}")
            report.expect(page["mode"] == "ONLINE", f"{page['url']} books at once", page)

    async def _read_connection(self, host: Colleague) -> None:
        host.connection = (await host.browser.ask(operations.CONNECTION))["viewer"]["calendarConnections"][0]

    async def _is_active(self, host: Colleague) -> bool:
        await self._read_connection(host)
        return len(host.connection["busyCalendars"]) == 2 and host.connection["status"] == "ACTIVE"

    async def book(self) -> None:
        report = self.tour.report
        report.step("A visitor books both; each provider's own view of the event")
        for host in (self.ben, self.carla):
            host.slots = await self._free(host)
            answer = await self.tour.book_slot(
                self.tour.wish(host.slots[0], "Katherine", "Johnson", "katherine@example.org", host.slug)
            )
            report.expect(
                answer["booking"] is not None and answer["booking"]["status"] == "CONFIRMED",
                f"{host.name}: CONFIRMED for {self.tour.clock(host.slots[0], '%a %H:%M')} New York time",
                answer,
            )
            host.booked = answer["booking"]
            event = self._event(host)
            report.saw(f"as {host.outlook.title} holds it:", *(f"  {line}" for line in event.lines))
            report.expect(event.start == datetime.fromisoformat(host.slots[0]), "at that time", event.raw)
        links = [_token(host.booked) in self._event(host).body for host in (self.ben, self.carla)]
        report.expect(links == [True, False], "Ben's invitation carries the manage link, Carla's none", links)

    async def _free(self, host: Colleague) -> list[str]:
        """The free starts of a day that has plenty."""
        address = {"slug": {"slug": host.slug}}
        month = {**self.tour.month(), "page": address}
        seen = await self.tour.visitor.ask(operations.BOOKING_PAGE, at=address, month=month, day=[])
        days = [each["date"] for each in seen["availability"]["month"] if each["slotCount"] >= 4]
        if len(days) < 2:
            raise NotAsExpected(f"{host.name}'s page has no free days: {seen['availability']}")
        day = date.fromisoformat(days[1]).isoformat()
        seen = await self.tour.visitor.ask(operations.BOOKING_PAGE, at=address, month=month, day=[day])
        return [slot["start"] for slot in seen["availability"]["chosen"][0]["slots"]]

    def _event(self, host: Colleague) -> ShownEvent:
        found = host.outlook.event_of("Katherine Johnson")
        if found is None:
            raise NotAsExpected(f"no event of Katherine's at {host.outlook.title}")
        return found

    async def lose_and_regain(self) -> None:
        report = self.tour.report
        report.step("Each loses access to the second calendar, and gets it back")
        for host in (self.ben, self.carla):
            host.outlook.lose_access()
            wish = self.tour.wish(host.slots[2], "Dorothy", "Vaughan", "dorothy@example.org", host.slug)
            answer = await self.tour.book_slot(wish)
            report.expect(
                [error["code"] for error in answer["errors"]] == ["BOOKING_BLOCKED"],
                f"{host.name} cannot be booked (BOOKING_BLOCKED)",
                answer,
            )
            mail = await self.tour.mail_to(host.person.email, host.outlook.second_calendar)
            report.saw(f"mail to {host.person.email}: {mail.subject}")
            host.outlook.restore_access()
            answer = await self.tour.book_slot(
                self.tour.wish(host.slots[2], "Dorothy", "Vaughan", "dorothy@example.org", host.slug)
            )
            report.expect(
                answer["booking"] is not None and answer["booking"]["status"] == "CONFIRMED",
                "once it can be read again, the next booking works",
                answer,
            )

    async def cancel_in_office365(self) -> None:
        report, ben = self.tour.report, self.ben
        report.step("The visitor cancels the meeting with Ben")
        answer = await self._cancel_as_visitor(ben)
        report.expect(answer["booking"] is not None, "CANCELLED", answer)
        await self._gone(ben)

    async def refuse_in_exchange(self) -> None:
        report, carla = self.tour.report, self.carla
        report.step("Carla's meeting is to be cancelled as well: not on Exchange, by default")
        booking = await self._booking(carla)
        report.expect(not booking["canCancel"], "her dashboard says so: canCancel is false", booking)
        for who, answer in (
            ("Carla", await self._cancel_as_host(carla, booking)),
            ("her visitor", await self._cancel_as_visitor(carla)),
        ):
            error = answer["errors"][0] if answer["errors"] else {}
            report.expect(
                error.get("code") == "CAPABILITY_UNSUPPORTED",
                f"{who}: {error.get('code')} ({error.get('provider')}, {error.get('capability')})",
                answer,
            )
        report.expect(carla.outlook.event_of("Katherine Johnson") is not None, "the event stands as before")

    async def lift_the_limits(self) -> None:
        report, carla = self.tour.report, self.carla
        report.step("Anna, the account's owner, lifts the limits of Exchange: exchangeFullSync")
        refused = (await carla.browser.ask(operations.FULL_SYNC, on=True))["setExchangeFullSync"]
        report.expect(
            [error["code"] for error in refused["errors"]] == ["PERMISSION_MISSING"],
            "Carla may not do that herself (PERMISSION_MISSING)",
            refused,
        )
        switched = (await self.tour.anna.ask(operations.FULL_SYNC, on=True))["setExchangeFullSync"]
        report.expect(not switched["errors"], "switched on", switched)
        answer = await self._cancel_as_host(carla, await self._booking(carla))
        report.expect(
            answer["booking"] is not None and answer["booking"]["status"] == "CANCELLED",
            "now Carla cancels the same meeting",
            answer,
        )
        await self._gone(carla)

    async def _booking(self, host: Colleague) -> dict[str, Any]:
        found = (await host.browser.ask(operations.BOOKINGS))["viewer"]["bookings"]["nodes"]
        for booking in found:
            if booking["invitee"]["name"] == "Katherine Johnson" and booking["page"]["slug"] == host.slug:
                hers: dict[str, Any] = booking
                return hers
        raise NotAsExpected(f"no booking of Katherine's on {host.name}'s dashboard: {found}")

    async def _cancel_as_host(self, host: Colleague, booking: dict[str, Any]) -> dict[str, Any]:
        answer = await host.browser.ask(operations.CANCEL, booking={"id": booking["id"]}, reason="Something came up")
        cancelled: dict[str, Any] = answer["cancelBooking"]
        return cancelled

    async def _cancel_as_visitor(self, host: Colleague) -> dict[str, Any]:
        booking = {"token": _token(host.booked)}
        cancelled: dict[str, Any] = (await self.tour.visitor.ask(operations.CANCEL, booking=booking))["cancelBooking"]
        return cancelled

    async def _gone(self, host: Colleague) -> None:
        async def gone() -> bool:
            return host.outlook.event_of("Katherine Johnson") is None

        await self.tour.until("the event to go", gone)
        self.tour.report.expect(True, f"the event is gone from {host.outlook.title}")


def _token(booked: dict[str, Any]) -> str:
    token: str = booked["manageUrl"].rsplit("/", 1)[-1]
    return token


def bens(outlook: Outlook) -> Colleague:
    return Colleague(BEN, "OFFICE365", "ben/intro", outlook)


def carlas(outlook: Outlook) -> Colleague:
    return Colleague(CARLA, "EXCHANGE", "carla/intro", outlook)
