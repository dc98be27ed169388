"""Forgetting a person (TP-4)."""

from meetings.application.ports.crm import Crm, RecordedMeeting
from tests.contracts.crm.test_timelines import whole_timeline
from tests.contracts.crm.world import CrmWorld, a_mail, a_meeting, a_person


async def test_contact_and_mails_go_and_meetings_keep_their_time_but_not_the_person(world: CrmWorld) -> None:
    crm = world.crm
    vera = await crm.put_contact(a_person(first_name="Vera", last_name="Vogt"))
    record = a_meeting(vera.id, title="Intro with Vera Vogt", body="Call Vera", location="at Vera's")
    await crm.put_meeting(record)
    await crm.put_mail(a_mail(vera.id))
    await crm.erase("VERA@visitors.example")
    assert await world.count() == (0, 1, 0)
    found = (await crm.meetings_by_key([record.key]))[record.key]
    assert (found.start, found.end, found.outcome) == (record.start, record.end, record.outcome)
    assert found.contacts == ()
    assert "vera" not in str(found).casefold()
    assert await whole_timeline(crm, vera.id) == []


async def test_what_others_have_with_us_stays(world: CrmWorld) -> None:
    crm = world.crm
    vera = await crm.put_contact(a_person())
    willi = await crm.put_contact(a_person("willi@visitors.example"))
    both, his = a_meeting(vera.id, willi.id), a_meeting(willi.id, title="Just Willi")
    for record in (both, his):
        await crm.put_meeting(record)
    await crm.put_mail(a_mail(willi.id, recipients=("willi@visitors.example",)))
    await crm.put_mail(a_mail(willi.id, recipients=("willi@visitors.example", "Vera@Visitors.example")))
    await crm.erase("vera@visitors.example")
    entries = await whole_timeline(crm, willi.id)
    assert {entry.key for entry in entries if isinstance(entry, RecordedMeeting)} == {both.key, his.key}
    assert "Just Willi" in {entry.title for entry in entries if isinstance(entry, RecordedMeeting)}
    assert await world.count() == (1, 2, 1)


async def test_forgetting_nobody_and_forgetting_twice_is_success(crm: Crm, world: CrmWorld) -> None:
    await crm.put_contact(a_person())
    for email in ("nobody@visitors.example", "vera@visitors.example", "vera@visitors.example"):
        await crm.erase(email)
    assert await world.count() == (0, 0, 0)


async def test_another_account_forgets_nobody_of_ours(world: CrmWorld) -> None:
    vera = await world.crm.put_contact(a_person())
    await world.crm.put_mail(a_mail(vera.id))
    await world.elsewhere.erase(vera.email)
    assert await world.count() == (1, 0, 1)


async def test_whoever_comes_again_is_a_new_contact(crm: Crm) -> None:
    before = await crm.put_contact(a_person(first_name="Vera"))
    await crm.erase(before.email)
    after = await crm.put_contact(a_person())
    assert after.id != before.id
    assert after.first_name is None
