"""Looking up what a domain says of itself."""

from typing import Protocol


class DnsUnavailable(Exception):
    """No server gave an answer that says anything: neither that the records are there, nor that they are not."""


class TextRecords(Protocol):
    async def at(self, name: str) -> frozenset[str]:
        """All TXT records at a name, the strings of each joined; none when the name does not exist.

        Raises:
            DnsUnavailable: nobody answered in time, or only with a failure.
        """
