"""SRV records over DNS (RFC 2782)."""

from collections.abc import Sequence

import dns.rdatatype

from meetings.adapters.dns.resolver import records_at
from meetings.application.ports.dns import Service


class DnsServiceRecords:
    """See the port. Of records with the same priority the one with the largest weight comes first: with as few of them
    as mail servers have, spreading calls by chance gains nothing."""

    def __init__(self, servers: Sequence[tuple[str, int]] = ()) -> None:
        self._servers = tuple(servers)

    async def at(self, name: str) -> tuple[Service, ...]:
        records = await records_at(name, dns.rdatatype.SRV, self._servers)
        ordered = sorted(records, key=lambda record: (record.priority, -record.weight, str(record.target)))
        services = (Service(record.target.to_text(True).lower(), record.port) for record in ordered)
        return tuple(service for service in services if service.host not in ("", "."))
