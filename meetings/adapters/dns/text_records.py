"""TXT records over DNS (RFC 1035, 3.3.14)."""

from collections.abc import Sequence

import dns.rdatatype

from meetings.adapters.dns.resolver import records_at


class DnsTextRecords:
    """See the port. `servers` are the resolvers to ask, as address and port; without any, those of the system.

    Nothing is kept between two look-ups, so a record that was just set or removed is seen once the resolver sees it.
    """

    def __init__(self, servers: Sequence[tuple[str, int]] = ()) -> None:
        self._servers = tuple(servers)

    async def at(self, name: str) -> frozenset[str]:
        records = await records_at(name, dns.rdatatype.TXT, self._servers)
        return frozenset(b"".join(record.strings).decode("utf-8", "replace") for record in records)
