"""The host names this product answers under: its own two, and the domains accounts connected."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from meetings.application.links import Links, host_and_port
from meetings.application.ports.reads import ConnectedDomain, Reads
from meetings.domain.user import User
from meetings.domain.web_domain import WebDomain, web_host


class SiteKind(Enum):
    """MAIN: everything, pages below `/meetings/`. PAGES: pages at `/`. CUSTOM: pages of one account."""

    MAIN = "MAIN"
    PAGES = "PAGES"
    CUSTOM = "CUSTOM"


@dataclass(frozen=True, slots=True)
class Site:
    """One of these names; `domain` is set for CUSTOM, and for nothing else."""

    kind: SiteKind
    host: str
    domain: ConnectedDomain | None = None

    def serves(self, account_id: object) -> bool:
        """Whether pages of an account answer here: not under another account's domain (A-DO2)."""
        return self.domain is None or self.domain.account_id == account_id


def standard_site(host: str, links: Links) -> Site | None:
    """Which of the product's own sites a `Host` header means; None when none of them."""
    named = host_and_port(host, links.public_url)
    if named is None:
        return None
    for kind, standard in zip((SiteKind.MAIN, SiteKind.PAGES), links.standard_hosts, strict=False):
        if host_and_port(standard, links.public_url) == named:
            return Site(kind, standard)
    return None


async def site_at(host: str, *, links: Links, reads: Reads) -> Site | None:
    """Which site a `Host` header means, by exact comparison (CD-3); None when it is nobody's."""
    standard = standard_site(host, links)
    if standard is not None:
        return standard
    named = host_and_port(host, links.public_url)
    own = host_and_port(links.standard_hosts[0], links.public_url)
    if named is None or own is None or named[1] != own[1] or web_host(named[0]) != named[0]:
        return None
    domain = await reads.connected_domain(named[0])
    return Site(SiteKind.CUSTOM, domain.host, domain) if domain else None


def meeting_host(user: User | None, domains: Sequence[WebDomain], links: Links) -> str:
    """The host of somebody's page addresses: the one they chose while it is there, else the account's primary domain,
    else the product's own (S68, S69). `domains` are all claims of their account."""
    connected = [domain for domain in domains if domain.connected]
    hosts = [domain.host for domain in connected]
    if user and user.meeting_domain in (*links.standard_hosts, *hosts):
        return str(user.meeting_domain)
    return next((domain.host for domain in connected if domain.primary), links.standard_hosts[0])
