"""Which Exchange a server is, from the build it reports, and whether we work with it (S23, S30, X10).

Source: "Exchange Server build numbers and release dates" (Microsoft Learn).
"""

import re
from dataclasses import dataclass

_NAMES = {
    (8, 0): "Exchange 2007",
    (8, 1): "Exchange 2007 SP1",
    (8, 2): "Exchange 2007 SP2",
    (8, 3): "Exchange 2007 SP3",
    (14, 0): "Exchange 2010",
    (14, 1): "Exchange 2010 SP1",
    (14, 2): "Exchange 2010 SP2",
    (14, 3): "Exchange 2010 SP3",
    (15, 0): "Exchange 2013",
    (15, 1): "Exchange 2016",
    (15, 2): "Exchange 2019",
}
_FIRST_OF_SUBSCRIPTION_EDITION = (15, 2, 2562)


@dataclass(frozen=True, slots=True, order=True)
class ServerBuild:
    """A build as the ServerVersionInfo header tells it."""

    major: int
    minor: int
    build: int = 0
    revision: int = 0

    @classmethod
    def parse(cls, text: str) -> "ServerBuild":
        """From "15.1.2507.0". Raises ValueError."""
        if re.fullmatch(r"\d{1,5}(\.\d{1,5}){1,3}", text) is None:
            raise ValueError("no build number")
        return cls(*map(int, text.split(".")))

    @property
    def supported(self) -> bool:
        """2010 SP2 and later. Exchange Online reports 15.20 and is another provider."""
        return self >= OLDEST

    @property
    def is_online(self) -> bool:
        """Builds 15.20 run in Microsoft's cloud only."""
        return (self.major, self.minor) >= (15, 20)

    @property
    def has_streaming(self) -> bool:
        """Streaming notifications came with 2010 SP1 ("GetStreamingEvents operation")."""
        return self >= ServerBuild(14, 1)

    @property
    def name(self) -> str:
        if not self.is_online and (self.major, self.minor, self.build) >= _FIRST_OF_SUBSCRIPTION_EDITION:
            return "Exchange Server Subscription Edition"
        return "Exchange Online" if self.is_online else _NAMES.get((self.major, self.minor), "Exchange")

    @property
    def shown(self) -> str:
        """As people see it: "Exchange 2016 (15.1.2507.0)"."""
        return f"{self.name} ({self})"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}.{self.revision}"


OLDEST = ServerBuild(14, 2)
