"""What owners and admins are told when the record that keeps a domain goes missing (CD-2)."""

from collections.abc import AsyncIterator, Iterator

import pytest

from meetings.application.people import deactivate_person
from meetings.application.web_domains import add_domain, check_domain, recheck_domains, remove_domain
from meetings.domain.identifiers import WebDomainId
from meetings.domain.user import Role
from meetings.domain.web_domain import WebDomain
from meetings.infrastructure.demo.mail_catcher import Answer, Step
from meetings.infrastructure.demo.name_server import NameServer
from tests.world import HOST_EMAIL, World, berlin, outside, world

ADA_EMAIL = "ada@example.com"
BEN_EMAIL = "ben@example.com"
NAME = "meet.example.test"


@pytest.fixture
def dns() -> Iterator[NameServer]:
    with NameServer().serve() as server:
        yield server


@pytest.fixture
async def here(database_url: str, dns: NameServer) -> AsyncIterator[World]:
    """Anna owns the account, Ada is an admin, Ben a member."""
    with outside() as (google, mail):
        async with world(database_url, google, mail, now=berlin("2035-12-03 08:00"), dns_servers=dns.address) as here:
            await here.add_colleague("Ada Admin", ADA_EMAIL, Role.ADMIN)
            await here.add_colleague("Ben Beck", BEN_EMAIL)
            yield here


async def connected(here: World, dns: NameServer, host: str = NAME) -> WebDomain:
    tools = here.tools
    domain_id = await add_domain(
        host,
        caller=here.caller,
        begin=tools.begin,
        reads=tools.reads,
        links=tools.links,
        clock=here.clock,
        policy=tools.policy,
    )
    claim = await the_domain(here, domain_id)
    dns.set(claim.record_name, claim.record_value)
    await check(here, domain_id)
    return await the_domain(here, domain_id)


async def check(here: World, domain_id: WebDomainId) -> None:
    tools = here.tools
    await check_domain(
        domain_id,
        caller=here.caller,
        begin=tools.begin,
        look=tools.look,
        dns=tools.dns,
        clock=here.clock,
        policy=tools.policy,
    )


async def the_domain(here: World, domain_id: WebDomainId) -> WebDomain:
    async with here.tools.look(here.anna.account_id) as work:
        return await work.domains.get(domain_id)


async def days_pass(here: World, days: int = 1) -> None:
    """Each day the domains are looked at, and what follows is done."""
    for _ in range(days):
        await look_again(here)
        await here.settle_down()


async def look_again(here: World) -> None:
    tools = here.tools
    await here.passes(hours=25)
    await recheck_domains(look=tools.look, begin=tools.begin, reads=tools.reads, dns=tools.dns, clock=here.clock)


def subjects(here: World, address: str) -> list[str]:
    return [mail.subject for mail in here.mails_to(address)]


GONE = f"The DNS record of {NAME} is gone"
LOST = f"{NAME} no longer serves your scheduling pages"


async def test_owners_and_admins_are_told_once_that_the_record_is_gone_and_once_that_the_domain_is_lost(
    here: World, dns: NameServer
) -> None:
    domain = await connected(here, dns)
    dns.clear(domain.record_name)
    await days_pass(here)
    for address in (HOST_EMAIL, ADA_EMAIL):
        [mail] = here.mails_to(address)
        assert mail.subject == GONE
        assert domain.record_name in mail.text
        assert domain.record_value in mail.text
        assert here.tools.links.settings() in mail.text
    await days_pass(here, 2)
    assert subjects(here, HOST_EMAIL) == subjects(here, ADA_EMAIL) == [GONE]
    await days_pass(here, 3)
    assert subjects(here, HOST_EMAIL) == subjects(here, ADA_EMAIL) == [GONE, LOST]
    lost = await the_domain(here, domain.id)
    assert lost.record_value in here.mails_to(ADA_EMAIL)[-1].text
    assert domain.record_value not in here.mails_to(ADA_EMAIL)[-1].text
    assert here.mails_to(BEN_EMAIL) == []
    assert await here.unfinished() == []


async def test_each_loss_is_told_anew(here: World, dns: NameServer) -> None:
    domain = await connected(here, dns)
    for _ in range(2):
        dns.clear(domain.record_name)
        await days_pass(here, 2)
        dns.set(domain.record_name, domain.record_value)
        await days_pass(here, 2)
    assert subjects(here, HOST_EMAIL) == [GONE, GONE]


async def test_a_record_that_is_back_before_the_letter_is_written_is_told_to_nobody(
    here: World, dns: NameServer
) -> None:
    domain = await connected(here, dns)
    dns.clear(domain.record_name)
    await look_again(here)
    dns.set(domain.record_name, domain.record_value)
    await check(here, domain.id)
    await here.settle_down()
    assert here.mail.mails == ()
    assert await here.unfinished() == []


async def test_a_domain_that_was_removed_meanwhile_is_told_to_nobody_and_leaves_nothing_open(
    here: World, dns: NameServer
) -> None:
    domain = await connected(here, dns)
    dns.clear(domain.record_name)
    await look_again(here)
    await remove_domain(domain.id, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    await here.settle_down()
    assert here.mail.mails == ()
    assert await here.unfinished() == []
    assert await here.tools.outbox.dead(here.anna.account_id, 10) == []


async def test_a_dns_that_says_nothing_is_no_loss(here: World, dns: NameServer) -> None:
    await connected(here, dns)
    dns.failing = True
    await days_pass(here, 5)
    assert here.mail.mails == ()


async def test_somebody_whose_address_is_refused_keeps_nobody_else_from_being_told(
    here: World, dns: NameServer
) -> None:
    domain = await connected(here, dns)
    dns.clear(domain.record_name)
    here.mail.misbehave(Answer(Step.RECIPIENT, "550 5.1.1 No such mailbox"))
    await days_pass(here)
    assert len(here.mail.mails) == 1
    assert len(await here.tools.outbox.dead(here.anna.account_id, 10)) == 1


async def test_a_mail_server_that_is_away_has_nobody_told_twice(here: World, dns: NameServer) -> None:
    domain = await connected(here, dns)
    dns.clear(domain.record_name)
    here.mail.misbehave(Answer(Step.SENDER, "451 4.3.0 Try again later"))
    await days_pass(here)
    await here.passes(hours=1)
    await here.settle_down()
    assert subjects(here, HOST_EMAIL) == subjects(here, ADA_EMAIL) == [GONE]


async def test_an_admin_who_left_is_not_told(here: World, dns: NameServer) -> None:
    domain = await connected(here, dns)
    async with here.tools.look(here.anna.account_id) as work:
        admins = await work.users.of(await work.users.active_admins())
    assert {admin.email for admin in admins.values()} == {HOST_EMAIL, ADA_EMAIL}
    [ada] = [admin for admin in admins.values() if admin.email == ADA_EMAIL]
    dns.clear(domain.record_name)
    await look_again(here)
    await deactivate_person(ada.id, caller=here.caller, begin=here.tools.begin, clock=here.clock)
    await here.settle_down()
    assert (subjects(here, HOST_EMAIL), subjects(here, ADA_EMAIL)) == ([GONE], [])
