"""Asking name servers, by dnspython's asynchronous resolver. Nothing is kept between two look-ups."""

from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver
import dns.rrset

from meetings.application.ports.dns import DnsUnavailable

_SECONDS = 5.0


async def records_at(
    name: str, kind: dns.rdatatype.RdataType, servers: Sequence[tuple[str, int]]
) -> dns.rrset.RRset | tuple[()]:
    """The records of one kind at a name; none when the name does not exist. Without `servers` the system's are asked.

    Raises:
        DnsUnavailable: nobody answered in time, or only with a failure.
    """
    try:
        answer = await _resolver(servers).resolve(name, kind, search=False, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return ()
    except (dns.exception.DNSException, OSError, ValueError) as error:  # UnicodeError is a ValueError
        raise DnsUnavailable(type(error).__name__) from error
    return answer.rrset or ()


def _resolver(servers: Sequence[tuple[str, int]]) -> dns.asyncresolver.Resolver:
    try:
        resolver = dns.asyncresolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration as error:
        raise DnsUnavailable("the system names no resolver") from error
    if servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
    resolver.lifetime = _SECONDS
    resolver.cache = None
    return resolver
