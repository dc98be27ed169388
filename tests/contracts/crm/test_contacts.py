"""People on record: known by their address, made once, found again."""

import asyncio
from dataclasses import replace

import pytest

from meetings.application.ports.crm import Crm, RecordRefused
from meetings.application.ports.reads import BadCursor
from meetings.domain.base import NotFound
from tests.contracts.crm.world import CrmWorld, a_person


async def everybody(crm: Crm, query: str | None = None, *, first: int = 100) -> list[str]:
    """The addresses of a list, walked page by page."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = await crm.contacts(query, first=first, after=after)
        assert len(page.items) == len(page.cursors) <= first
        found += [contact.email for contact in page.items]
        if not page.has_more:
            return found
        after = page.cursors[-1]


async def test_a_contact_is_known_by_its_address_whatever_the_letter_case(crm: Crm, world: CrmWorld) -> None:
    first = await crm.put_contact(a_person("Vera@Visitors.example", first_name="Vera"))
    again = await crm.put_contact(a_person("vera@visitors.EXAMPLE", last_name="Vogt"))
    assert again.id == first.id
    assert (again.first_name, again.last_name, again.name) == ("Vera", "Vogt", "Vera Vogt")
    found = await crm.known(["VERA@visitors.example", "nobody@visitors.example"])
    assert found == {"VERA@visitors.example": again}
    assert (await world.count())[0] == 1


async def test_what_is_not_said_clears_nothing_and_what_is_said_is_taken_over(crm: Crm) -> None:
    await crm.put_contact(a_person(first_name="Vera", last_name="Vogt", company="Acme"))
    silent = await crm.put_contact(a_person())
    assert (silent.first_name, silent.last_name, silent.company) == ("Vera", "Vogt", "Acme")
    told = await crm.put_contact(a_person(first_name="Veronika", company="Beta"))
    assert (told.first_name, told.last_name, told.company) == ("Veronika", "Vogt", "Beta")


async def test_a_change_says_other_things_clears_what_it_names_empty_and_leaves_the_rest(world: CrmWorld) -> None:
    anna, ben = world.owners
    vera = await world.crm.put_contact(a_person(first_name="Vera", last_name="Vogt", company="Acme", owner=anna))
    changed = await world.crm.change_contact(vera.id, {"last_name": "Wolf", "company": None, "owner": ben})
    assert changed == replace(vera, last_name="Wolf", company=None, owner=ben)
    assert await world.crm.contacts_by_id([vera.id]) == {vera.id: changed}
    assert await everybody(world.crm, "wolf") == [vera.email]
    assert await everybody(world.crm, "vogt") == await everybody(world.crm, "acme") == []
    assert await world.crm.change_contact(vera.id, {}) == changed


async def test_nobody_and_another_accounts_contact_cannot_be_changed(world: CrmWorld) -> None:
    theirs = await world.elsewhere.put_contact(a_person(first_name="Vera"))
    for contact in (theirs.id, "no id of anybody"):
        with pytest.raises(NotFound):
            await world.crm.change_contact(contact, {"first_name": "Eve"})
    assert (await world.elsewhere.contacts_by_id([theirs.id]))[theirs.id].first_name == "Vera"


async def test_further_properties_are_kept_and_completed(crm: Crm) -> None:
    first = await crm.put_contact(a_person(properties={"phone": "+49 30 1234", "jobtitle": "Buyer"}))
    again = await crm.put_contact(a_person(properties={"jobtitle": "Head of buying"}))
    assert again.id == first.id
    assert again.properties == {"phone": "+49 30 1234", "jobtitle": "Head of buying"}
    assert (await crm.known([first.email]))[first.email] == again


async def test_a_contact_keeps_the_owner_it_has_and_one_without_gets_the_one_named(world: CrmWorld) -> None:
    """A-CR9."""
    anna, ben = world.owners
    assert (await world.crm.put_contact(a_person(owner=anna))).owner == anna
    assert (await world.crm.put_contact(a_person(owner=ben))).owner == anna
    assert (await world.crm.put_contact(a_person("willi@visitors.example"))).owner is None
    assert (await world.crm.put_contact(a_person("willi@visitors.example", owner=ben))).owner == ben


async def test_first_contacts_at_the_same_moment_make_one(world: CrmWorld) -> None:
    """A-CR4: in parallel, from two processes, in two spellings."""
    puts = [
        crm.put_contact(a_person(email, first_name=f"Vera {turn}"))
        for turn in range(10)
        for crm in (world.crm, world.rival)
        for email in ("vera@visitors.example", "VERA@Visitors.Example")
    ]
    assert len({contact.id for contact in await asyncio.gather(*puts)}) == 1
    assert (await world.count())[0] == 1


@pytest.mark.parametrize("address", ["", "vera", "vera@", "vera@visitors", "vera@visitors.example\r\nBcc: x@y.example"])
async def test_what_is_no_address_is_refused_for_good(world: CrmWorld, address: str) -> None:
    with pytest.raises(RecordRefused) as refused:
        await world.crm.put_contact(a_person(address))
    assert not address or address not in str(refused.value)
    assert await world.count() == (0, 0, 0)


async def test_contacts_are_found_by_their_ids_and_others_are_left_out(world: CrmWorld) -> None:
    vera = await world.crm.put_contact(a_person())
    stranger = await world.elsewhere.put_contact(a_person("stranger@visitors.example"))
    assert await world.crm.contacts_by_id([vera.id, stranger.id, "12345", "no id of anybody"]) == {vera.id: vera}
    assert await world.crm.contacts_by_id([]) == {}
    assert await world.crm.known([]) == {}


async def test_a_contact_is_found_by_the_beginnings_of_its_words(crm: Crm) -> None:
    await crm.put_contact(a_person("vera@visitors.example", first_name="Vera", last_name="Vogt", company="Acme Ltd"))
    await crm.put_contact(a_person("willi@visitors.example", first_name="Willi", last_name="Vogt", company="100% Ltd"))
    assert await everybody(crm, "vera") == ["vera@visitors.example"]
    assert await everybody(crm, "VO WIL") == ["willi@visitors.example"]
    assert sorted(await everybody(crm, "ltd")) == ["vera@visitors.example", "willi@visitors.example"]
    assert await everybody(crm, "willi@visitors") == ["willi@visitors.example"]
    assert await everybody(crm, "ogt") == []
    assert await everybody(crm, "vera willi") == []


async def test_signs_with_a_meaning_in_a_database_mean_themselves(crm: Crm) -> None:
    await crm.put_contact(a_person("vera@visitors.example", company="Acme"))
    await crm.put_contact(a_person("willi@visitors.example", company="100% Ltd"))
    assert await everybody(crm, "100%") == ["willi@visitors.example"]
    for query in ("%", "_", "\\", "' OR 1=1 --", "a_me"):
        assert await everybody(crm, query) == [], query


async def test_the_list_is_newest_first_and_walking_it_meets_each_once_while_others_come(crm: Crm) -> None:
    made = [f"visitor{number}@visitors.example" for number in range(7)]
    for email in made:
        await crm.put_contact(a_person(email))
        await asyncio.sleep(0.002)  # a database may tell instants apart by milliseconds only
    assert await everybody(crm) == made[::-1]
    page = await crm.contacts(None, first=3, after=None)
    assert page.has_more
    assert page.total in (7, None)
    await crm.put_contact(a_person("newcomer@visitors.example"))
    rest = await crm.contacts(None, first=100, after=page.cursors[-1])
    assert [contact.email for contact in (*page.items, *rest.items)] == made[::-1]
    assert not rest.has_more
    assert await everybody(crm, first=2) == ["newcomer@visitors.example", *made[::-1]]


@pytest.mark.parametrize("cursor", ["", "nonsense", "bm9uc2Vuc2U=", "[]"])
async def test_a_cursor_that_no_list_gave_is_refused(crm: Crm, cursor: str) -> None:
    vera = await crm.put_contact(a_person())
    with pytest.raises(BadCursor):
        await crm.contacts(None, first=10, after=cursor)
    with pytest.raises(BadCursor):
        await crm.timeline(vera.id, first=10, after=cursor)


async def test_another_account_knows_nobody_of_ours(world: CrmWorld) -> None:
    vera = await world.crm.put_contact(a_person(company="Acme"))
    assert await world.elsewhere.known([vera.email]) == {}
    assert await everybody(world.elsewhere) == await everybody(world.elsewhere, "acme") == []
    theirs = await world.elsewhere.put_contact(a_person())
    assert theirs.id != vera.id
    assert theirs.company is None
