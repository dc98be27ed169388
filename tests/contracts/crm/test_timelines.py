"""What happened with a contact: meetings and mails, each written once under its key."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from meetings.application.ports.crm import Crm, RecordedMail, RecordedMeeting, RecordRefused, TimelineEntry
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from tests.contracts.crm.world import START, CrmWorld, a_mail, a_meeting, a_person

HOUR = timedelta(hours=1)


async def whole_timeline(crm: Crm, contact: str, *, first: int = 100) -> list[TimelineEntry]:
    """A timeline, walked page by page."""
    found: list[TimelineEntry] = []
    after: str | None = None
    while True:
        page = await crm.timeline(contact, first=first, after=after)
        found += page.items
        if not page.has_more:
            return found
        after = page.cursors[-1]


async def test_a_meeting_stands_on_its_contacts_timeline_as_it_was_written(world: CrmWorld) -> None:
    """A-CR3."""
    anna, ben = world.owners
    vera = await world.crm.put_contact(a_person())
    record = a_meeting(
        vera.id,
        owners=(anna, ben),
        title="Intro with Vera",
        body="See you.",
        location="Room 1",
        join_url="https://video.example.com/1",
        activity_type="Intro",
        source=MeetingSource.API,
    )
    meeting_id = await world.crm.put_meeting(record)
    (found,) = await whole_timeline(world.crm, vera.id)
    assert found == RecordedMeeting(
        id=meeting_id,
        key=record.key,
        contacts=(vera.id,),
        owners=(anna, ben),
        title="Intro with Vera",
        body="See you.",
        start=START,
        end=START + HOUR / 2,
        outcome=MeetingOutcome.SCHEDULED,
        source=MeetingSource.API,
        location="Room 1",
        join_url="https://video.example.com/1",
        activity_type="Intro",
    )
    assert await world.crm.meetings_by_key([record.key]) == {record.key: found}


async def test_the_same_key_makes_one_meeting_that_says_what_was_said_last(crm: Crm, world: CrmWorld) -> None:
    vera = await crm.put_contact(a_person())
    record = a_meeting(vera.id, body="See you.", location="Room 1")
    first = await crm.put_meeting(record)
    moved = replace(record, start=START + HOUR, end=START + 2 * HOUR, outcome=MeetingOutcome.RESCHEDULED, location=None)
    assert [await crm.put_meeting(moved) for _ in range(2)] == [first, first]
    (found,) = await whole_timeline(crm, vera.id)
    assert isinstance(found, RecordedMeeting)
    assert (found.start, found.end, found.outcome) == (START + HOUR, START + 2 * HOUR, MeetingOutcome.RESCHEDULED)
    assert found.location is None
    assert found.body == "See you."
    assert await world.count() == (1, 1, 0)


async def test_the_same_key_at_the_same_moment_makes_one_meeting_and_one_mail(world: CrmWorld) -> None:
    """PW-4."""
    vera = await world.crm.put_contact(a_person())
    meeting, mail = a_meeting(vera.id), a_mail(vera.id)
    crms = [world.crm, world.rival] * 8
    assert len(set(await asyncio.gather(*(crm.put_meeting(meeting) for crm in crms)))) == 1
    assert len(set(await asyncio.gather(*(crm.put_mail(mail) for crm in crms)))) == 1
    assert await world.count() == (1, 1, 1)
    assert len(await whole_timeline(world.crm, vera.id)) == 2


async def test_whoever_stands_on_a_meeting_stays_there_when_fewer_are_named(crm: Crm) -> None:
    vera, willi = [await crm.put_contact(a_person(f"{name}@visitors.example")) for name in ("vera", "willi")]
    record = a_meeting(vera.id)
    await crm.put_meeting(record)
    await crm.put_meeting(replace(record, contacts=(vera.id, willi.id)))
    await crm.put_meeting(replace(record, contacts=(willi.id,)))
    for contact in (vera, willi):
        (found,) = await whole_timeline(crm, contact.id)
        assert sorted(found.contacts) == sorted([vera.id, willi.id])


async def test_a_meeting_or_a_mail_of_nobody_on_record_is_refused_and_nothing_is_written(world: CrmWorld) -> None:
    theirs = await world.elsewhere.put_contact(a_person())
    for contacts in ((), (theirs.id,), ("no id of anybody",)):
        with pytest.raises(RecordRefused):
            await world.crm.put_meeting(a_meeting(*contacts))
        with pytest.raises(RecordRefused):
            await world.crm.put_mail(a_mail(*contacts))
    assert await world.count() == (1, 0, 0)
    assert await whole_timeline(world.elsewhere, theirs.id) == []


async def test_those_on_record_are_taken_when_others_are_not(crm: Crm) -> None:
    vera = await crm.put_contact(a_person())
    await crm.put_meeting(a_meeting(vera.id, "no id of anybody"))
    (found,) = await whole_timeline(crm, vera.id)
    assert found.contacts == (vera.id,)


async def test_a_mail_stands_as_it_was_written_and_never_changes(crm: Crm, world: CrmWorld) -> None:
    vera = await crm.put_contact(a_person())
    record = a_mail(vera.id, owner=world.owners[0], sender=world.owners[0], html="<p>How are you?</p>")
    mail_id = await crm.put_mail(record)
    assert await crm.put_mail(replace(record, subject="Something else", text="else")) == mail_id
    (found,) = await whole_timeline(crm, vera.id)
    assert found == RecordedMail(
        id=mail_id,
        key=record.key,
        contacts=(vera.id,),
        owner=world.owners[0],
        direction=record.direction,
        sender=record.sender,
        recipients=record.recipients,
        subject="Hello",
        text="How are you?",
        sent_at=START,
    )


async def test_a_timeline_is_newest_first_meetings_and_mails_together(crm: Crm) -> None:
    vera = await crm.put_contact(a_person())
    titles = {}
    for hours in (3, 0, 4, 1, 2):
        at = START + hours * HOUR
        if hours % 2:
            await crm.put_mail(a_mail(vera.id, sent_at=at, subject=f"at {hours}"))
        else:
            titles[hours] = a_meeting(vera.id, start=at, title=f"at {hours}")
            await crm.put_meeting(titles[hours])
    seen = [
        entry.title if isinstance(entry, RecordedMeeting) else entry.subject
        for entry in await whole_timeline(crm, vera.id)
    ]
    assert seen == ["at 4", "at 3", "at 2", "at 1", "at 0"]
    await crm.put_meeting(replace(titles[0], start=START + 9 * HOUR, end=START + 10 * HOUR))
    assert (await whole_timeline(crm, vera.id))[0].key == titles[0].key


async def test_walking_a_timeline_meets_each_entry_once_however_many_share_an_instant(crm: Crm) -> None:
    vera = await crm.put_contact(a_person())
    written = [await crm.put_meeting(a_meeting(vera.id, title=f"{number}")) for number in range(7)]
    written += [await crm.put_mail(a_mail(vera.id, subject=f"{number}")) for number in range(4)]
    walked = [entry.id for entry in await whole_timeline(crm, vera.id, first=2)]
    assert sorted(walked) == sorted(written)
    assert walked == [entry.id for entry in await whole_timeline(crm, vera.id)]
    assert (await crm.timeline(vera.id, first=2, after=None)).total in (11, None)


async def test_several_timelines_begin_as_each_alone_does(world: CrmWorld) -> None:
    crm = world.crm
    people = [await crm.put_contact(a_person(f"visitor{number}@visitors.example")) for number in range(3)]
    theirs = await world.elsewhere.put_contact(a_person())
    await crm.put_meeting(a_meeting(*(person.id for person in people[:2])))
    for number, person in enumerate(people[:2]):
        for hours in range(4):
            await crm.put_meeting(a_meeting(person.id, start=START + (hours - number) * HOUR))
            await crm.put_mail(a_mail(person.id, sent_at=START + hours * HOUR))
    ids = [*(person.id for person in people), theirs.id, "no id of anybody"]
    for first in (1, 3, 9, 100):
        assert await crm.timelines(ids, first=first) == {
            contact: await crm.timeline(contact, first=first, after=None) for contact in ids
        }
    assert await crm.timelines([], first=3) == {}


async def test_a_contact_that_does_not_exist_has_an_empty_timeline(world: CrmWorld) -> None:
    vera = await world.crm.put_contact(a_person())
    await world.crm.put_meeting(a_meeting(vera.id))
    for contact in ("no id of anybody", "00000000000000000000000000000000"):
        assert await whole_timeline(world.crm, contact) == []
    assert await whole_timeline(world.elsewhere, vera.id) == []


async def test_meetings_are_found_by_their_keys_within_the_account(world: CrmWorld) -> None:
    vera = await world.crm.put_contact(a_person())
    records = [a_meeting(vera.id, title=f"{number}") for number in range(3)]
    for record in records:
        await world.crm.put_meeting(record)
    keys = [record.key for record in records]
    assert {key: found.title for key, found in (await world.crm.meetings_by_key(keys)).items()} == {
        record.key: record.title for record in records
    }
    assert await world.elsewhere.meetings_by_key(keys) == {}
    by_id = {found.id: found for found in (await world.crm.meetings_by_key(keys)).values()}
    assert await world.crm.meetings_by_id([*by_id, "no id of anybody"]) == by_id
    assert await world.elsewhere.meetings_by_id(list(by_id)) == await world.crm.meetings_by_id([]) == {}
    assert await world.crm.meetings_by_key([]) == {}
