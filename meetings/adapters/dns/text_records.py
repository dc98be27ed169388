"""TXT records over DNS, by dnspython's asynchronous resolver (RFC 1035, 3.3.14)."""

from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver

from meetings.application.ports.dns import DnsUnavailable

_SECONDS = 5.0


class DnsTextRecords:
    """See the port. `servers` are the resolvers to ask, as address and port; without any, those of the system.

    Nothing is kept between two look-ups, so a record that was just set or removed is seen once the resolver sees it.
    """

    def __init__(self, servers: Sequence[tuple[str, int]] = ()) -> None:
        self._servers = tuple(servers)

    async def at(self, name: str) -> frozenset[str]:
        try:
            answer = await self._resolver().resolve(name, dns.rdatatype.TXT, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return frozenset()
        except (dns.exception.DNSException, OSError) as error:
            raise DnsUnavailable(type(error).__name__) from error
        records = answer.rrset or ()
        return frozenset(b"".join(record.strings).decode("utf-8", "replace") for record in records)

    def _resolver(self) -> dns.asyncresolver.Resolver:
        try:
            resolver = dns.asyncresolver.Resolver(configure=not self._servers)
        except dns.resolver.NoResolverConfiguration as error:
            raise DnsUnavailable("the system names no resolver") from error
        if self._servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in self._servers]
        resolver.lifetime = _SECONDS
        resolver.cache = None
        return resolver
