"""Looking up what a domain says of itself."""

from dataclasses import dataclass
from typing import Protocol


class DnsUnavailable(Exception):
    """No server gave an answer that says anything: neither that the records are there, nor that they are not."""


class TextRecords(Protocol):
    async def at(self, name: str) -> frozenset[str]:
        """All TXT records at a name, the strings of each joined; none when the name does not exist.

        Raises:
            DnsUnavailable: nobody answered in time, or only with a failure.
        """


@dataclass(frozen=True, slots=True)
class Service:
    """Where a domain offers a service (RFC 2782). The host is in lower case, without a dot at its end."""

    host: str
    port: int


class ServiceRecords(Protocol):
    async def at(self, name: str) -> tuple[Service, ...]:
        """The SRV records at a name such as `_imaps._tcp.example.com`, those to be tried first in front; none when the
        name does not exist, or when the domain says that it has no such service.

        Raises:
            DnsUnavailable: nobody answered in time, or only with a failure.
        """
