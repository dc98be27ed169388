"""Domains of an account's own: claiming, showing control, choosing, giving up."""

import logging
from datetime import timedelta
from uuid import uuid4

from meetings.application.features import check_feature
from meetings.application.links import Links
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.dns import DnsUnavailable, TextRecords
from meetings.application.ports.identities import Caller
from meetings.application.ports.reads import Reads
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.sites import standard_site
from meetings.domain.base import ConcurrentChange, NotFound, Problem, Rule, refuse
from meetings.domain.identifiers import WebDomainId
from meetings.domain.plan import Feature
from meetings.domain.web_domain import (
    MOST_DOMAINS,
    DomainNotConnected,
    DomainTaken,
    WebDomain,
    web_host,
    web_host_problem,
)

log = logging.getLogger(__name__)

_RECHECK = timedelta(hours=24)
_AT_ONCE = 100


async def add_domain(
    host: str, *, caller: Caller, begin: Begin, reads: Reads, links: Links, clock: Clock, policy: Policy
) -> WebDomainId:
    """Claim a domain. Claims of others do not stand in the way, whoever shows control has it (CD-1); adding it again
    gives the claim there is.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        PlanRequired: see `Feature.CUSTOM_DOMAIN`.
        InvalidInput: no host name, one of the product's own, or too many claims.
        DomainTaken: another account has shown that it controls it.
    """
    refuse(web_host_problem(host, "host"))
    normal = web_host(host) or ""
    own = standard_site(normal, links) or any(each.split(":")[0] == normal for each in links.standard_hosts)
    refuse(Problem(("host",), Rule.RESERVED) if own else None)
    taken = await reads.connected_domain(normal)
    if taken is not None and taken.account_id != caller.account_id:
        raise DomainTaken
    async with begin(caller.account_id) as work:
        await _check_may_edit(work, caller, policy)
        claims = await work.domains.all()
        known = next((claim for claim in claims if claim.host == normal), None)
        if known is not None:
            return known.id
        full = len(claims) >= MOST_DOMAINS
        refuse(Problem(("host",), Rule.TOO_MANY, values={"most": MOST_DOMAINS}) if full else None)
        claim = WebDomain.claim(WebDomainId(uuid4()), host=normal, account_id=caller.account_id, now=clock())
        work.domains.add(claim)
        await work.commit()
    return claim.id


async def check_domain(
    domain_id: WebDomainId, *, caller: Caller, begin: Begin, look: Begin, dns: TextRecords, clock: Clock, policy: Policy
) -> None:
    """Look the domain's TXT record up now: connects a claim, and confirms a connected domain.

    Raises:
        NotFound, PermissionMissing, PlanRequired: the last for a claim that is not connected.
        DnsNotReady: the record is not there, or has another value.
        DnsUnavailable: nobody could say.
        DomainTaken: another account was first.
    """
    async with look(caller.account_id) as work:
        domain = await work.domains.get(domain_id)
        if domain.connected:
            (await work.users.get(caller.user_id)).check_administers()
        else:
            await _check_may_edit(work, caller, policy)
    texts = await dns.at(domain.record_name)
    async with begin(caller.account_id) as work:
        now_there = await work.domains.get(domain_id)
        if now_there.proof != domain.proof:
            raise ConcurrentChange
        now_there.take_records(texts, now=clock())
        await work.commit()


async def set_primary_domain(
    domain_id: WebDomainId, *, caller: Caller, begin: Begin, clock: Clock, policy: Policy
) -> None:
    """Have people of the account who chose no domain get addresses under this one.

    Raises:
        NotFound, PermissionMissing, PlanRequired.
        DomainNotConnected: control was not shown.
    """
    async with begin(caller.account_id) as work:
        await _check_may_edit(work, caller, policy)
        chosen = await work.domains.get(domain_id)
        chosen.choose(now=clock())
        for other in await work.domains.all():
            if other.id != chosen.id:
                other.step_down()
        await work.commit()


async def switch_indexing(domain_id: WebDomainId, *, allowed: bool, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Let search engines look at the pages under a domain, or ask them not to, by its `robots.txt` (S70).

    Raises:
        NotFound, PermissionMissing.
    """
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        (await work.domains.get(domain_id)).switch_indexing(allowed=allowed, now=clock())
        await work.commit()


async def remove_domain(domain_id: WebDomainId, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Give a domain up. Pages under it have addresses under a standard host again (S69); adding it anew takes another
    record (CD-2).

    Raises:
        NotFound, PermissionMissing.
    """
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        domain = await work.domains.get(domain_id)
        domain.give_up(now=clock())
        await work.domains.remove(domain)
        await work.commit()


async def choose_meeting_domain(
    typed: str, *, caller: Caller, begin: Begin, links: Links, clock: Clock, policy: Policy
) -> None:
    """Have addresses of the caller's pages under one of the standard hosts (S65) or a connected domain (S68); where
    they were before, they still answer.

    Raises:
        PlanRequired: a domain of the account's own takes `Feature.CUSTOM_DOMAIN` (S64).
        DomainNotConnected: no such domain is connected (S69).
    """
    site = standard_site(typed.strip(), links)
    async with begin(caller.account_id) as work:
        host = site.host if site else await _connected_host(typed, work, caller, policy)
        (await work.users.get(caller.user_id)).choose_meeting_domain(host, now=clock())
        await work.commit()


async def recheck_domains(*, look: Begin, begin: Begin, reads: Reads, dns: TextRecords, clock: Clock) -> int:
    """Look at every connected domain that was not looked at for a day (CD-2); gives how many were. One nobody can say
    anything about stays as it is, and is asked about again the next time."""
    seen = 0
    for account_id, domain_id in await reads.domains_due(clock() - _RECHECK, _AT_ONCE):
        try:
            async with look(account_id) as work:
                domain = await work.domains.get(domain_id)
            texts = await dns.at(domain.record_name)
            async with begin(account_id) as work:
                now_there = await work.domains.get(domain_id)
                if now_there.connected and now_there.proof == domain.proof:
                    now_there.take_records(texts, now=clock())
                    await work.commit()
                    seen += 1
        except DnsUnavailable as silent:
            log.warning("a domain could not be looked up", extra={"domain": str(domain_id), "error": str(silent)})
        except (NotFound, ConcurrentChange):
            continue
    return seen


async def _connected_host(typed: str, work: UnitOfWork, caller: Caller, policy: Policy) -> str:
    await check_feature(Feature.CUSTOM_DOMAIN, work=work, user_id=caller.user_id, policy=policy)
    host = web_host(typed)
    for domain in await work.domains.all():
        if domain.connected and domain.host == host:
            return domain.host
    raise DomainNotConnected


async def _check_may_edit(work: UnitOfWork, caller: Caller, policy: Policy) -> None:
    (await work.users.get(caller.user_id)).check_administers()
    await check_feature(Feature.CUSTOM_DOMAIN, work=work, user_id=caller.user_id, policy=policy)
