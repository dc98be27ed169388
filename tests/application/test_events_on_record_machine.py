"""Random weeks of planning in two colleagues' calendars: the records agree with what a simple rule says of them."""

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from meetings.domain.engagement import MeetingOutcome
from tests.own_calendars import BEN_EMAIL, EVE, GRACE, TEN, People, at_google, at_microsoft
from tests.world import HOST_EMAIL

STEPS = 16
STRANGER = "nobody@visitor.example"
COLLEAGUES = {HOST_EMAIL: BEN_EMAIL, BEN_EMAIL: HOST_EMAIL}
Line = tuple[str, datetime, MeetingOutcome, frozenset[str]]


@dataclass
class Plan:
    """An event as it stands in its organizer's calendar, and what the records should say of it."""

    person: str
    title: str
    start: datetime
    guests: set[str]
    private: bool = False
    gone: bool = False
    contacts: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    line: tuple[str, datetime, MeetingOutcome] | None = None

    def come_to_records(self) -> None:
        """The rule: with a contact, and unless it is private, it is on record from here on, as it stands."""
        if self.gone:
            if self.line is not None:
                self.line = (*self.line[:2], MeetingOutcome.CANCELLED)
            return
        contacts = self.guests & {GRACE, EVE}
        if self.private or not (contacts or self.line):
            return
        before = self.line or (self.title, self.start, MeetingOutcome.SCHEDULED)
        outcome = before[2] if before[1] == self.start else MeetingOutcome.RESCHEDULED
        self.line = (self.title, self.start, outcome)
        self.contacts |= contacts
        self.owners |= {self.person, *(self.guests & set(COLLEAGUES))}


class Weeks:
    """What people do, by chance, at the provider and by the rule."""

    def __init__(self, people: People, seed: int) -> None:
        self._people = people
        self._chance = random.Random(seed)
        self.plans: dict[str, Plan] = {}

    async def step(self) -> None:
        for _ in range(self._chance.randrange(1, 4)):
            acts = [self._plan] if not self._live() else [self._plan, self._move, self._rename, self._invite]
            acts += [self._cancel, self._hide] if len(self._live()) > 1 else []
            self._chance.choice(acts)()
        if self._chance.random() < 0.25:
            self._people.planner.expire_cursors(self._chance.choice(list(COLLEAGUES)))
        await self._people.settled()
        for plan in self.plans.values():
            plan.come_to_records()

    def expected(self, contact: str) -> list[Line]:
        lines = ((plan.line, plan) for plan in self.plans.values() if contact in plan.contacts)
        return [(*line, frozenset(plan.owners)) for line, plan in lines if line]

    def _live(self) -> list[str]:
        return [event for event, plan in self.plans.items() if not plan.gone]

    def _some(self) -> tuple[str, Plan]:
        event = self._chance.choice(self._live())
        return event, self.plans[event]

    def _time(self) -> datetime:
        return TEN + timedelta(hours=self._chance.randrange(24 * 20))

    def _guests(self, person: str) -> set[str]:
        known = [GRACE, EVE, STRANGER, COLLEAGUES[person]]
        return set(self._chance.sample(known, self._chance.randrange(4)))

    def _plan(self) -> None:
        person = self._chance.choice(list(COLLEAGUES))
        plan = Plan(person, f"Plan {len(self.plans)}", self._time(), self._guests(person))
        event = self._people.planner.plan(person, plan.title, plan.start, guests=sorted(plan.guests))
        self.plans[event] = plan

    def _move(self) -> None:
        event, plan = self._some()
        plan.start = self._time()
        self._people.planner.move(plan.person, event, plan.start)

    def _rename(self) -> None:
        event, plan = self._some()
        plan.title = f"{plan.title.split(',')[0]}, {self._chance.randrange(1000)}"
        self._people.planner.replan(plan.person, event, title=plan.title)

    def _invite(self) -> None:
        event, plan = self._some()
        plan.guests |= self._guests(plan.person) - (set(COLLEAGUES) if plan.private else set())
        self._people.planner.replan(plan.person, event, guests=sorted(plan.guests))

    def _cancel(self) -> None:
        event, plan = self._some()
        plan.gone = True
        self._people.planner.cancel(plan.person, event)

    def _hide(self) -> None:
        """Only what no colleague takes part in: each of them decides about their own copy."""
        event, plan = self._some()
        if not plan.guests & set(COLLEAGUES):
            plan.private = not plan.private
            self._people.planner.replan(plan.person, event, private=plan.private)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("place", [at_google, at_microsoft], ids=["google", "office365"])
async def test_whatever_is_planned_the_records_agree_with_the_rule(
    sqlite_url: str, place: Callable[[str], AbstractAsyncContextManager[People]], seed: int
) -> None:
    async with place(sqlite_url) as people:
        await people.add_contact(EVE)
        weeks = Weeks(people, seed)
        for step in range(STEPS):
            await weeks.step()
            for contact in (GRACE, EVE):
                told = [
                    (each.title, each.start, each.outcome, frozenset(each.owners))
                    for each in await people.meetings(contact)
                ]
                assert sorted(told, key=str) == sorted(weeks.expected(contact), key=str), (seed, step, contact)
        assert await people.contacts() == {GRACE, EVE}
        assert any(plan.line for plan in weeks.plans.values())
