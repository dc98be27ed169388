"""The releases of Exchange Server that can be simulated, and what each says about itself.

Build numbers: "Exchange Server build numbers and release dates". The texts of `Version` in `ServerVersionInfo` are
those seen in answers of such servers.
"""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class ServerVersion:
    """One release. `schemas` are the values of RequestServerVersion it knows, the newest last."""

    build: tuple[int, int, int, int]
    name: str
    schemas: tuple[str, ...]
    reported: str

    @property
    def release(self) -> tuple[int, int]:
        return self.build[0], self.build[1]

    @property
    def text(self) -> str:
        return ".".join(str(part) for part in self.build)


_2007 = ("Exchange2007", "Exchange2007_SP1")
_2010_SP1 = (*_2007, "Exchange2010", "Exchange2010_SP1")
_2010_SP2 = (*_2010_SP1, "Exchange2010_SP2")
_2013 = (*_2010_SP2, "Exchange2013", "Exchange2013_SP1")
_2016 = (*_2013, "Exchange2015", "Exchange2016")

EXCHANGE_2007_SP1 = ServerVersion((8, 1, 436, 0), "Exchange 2007 SP1", _2007, "Exchange2007_SP1")
EXCHANGE_2010_SP1 = ServerVersion((14, 1, 438, 0), "Exchange 2010 SP1", _2010_SP1, "Exchange2010_SP1")
EXCHANGE_2010_SP2 = ServerVersion((14, 2, 390, 3), "Exchange 2010 SP2", _2010_SP2, "Exchange2010_SP2")
EXCHANGE_2013 = ServerVersion((15, 0, 1497, 2), "Exchange 2013", _2013, "V2_23")
EXCHANGE_2016 = ServerVersion((15, 1, 2507, 6), "Exchange 2016", _2016, "V2017_07_11")
EXCHANGE_2019 = ServerVersion((15, 2, 1118, 7), "Exchange 2019", _2016, "V2017_07_11")

VERSIONS = (
    EXCHANGE_2007_SP1,
    EXCHANGE_2010_SP1,
    EXCHANGE_2010_SP2,
    EXCHANGE_2013,
    EXCHANGE_2016,
    EXCHANGE_2019,
)


def version_of(release: str) -> ServerVersion:
    """The release by its first two numbers, such as "14.2". Raises ValueError for another."""
    for version in VERSIONS:
        if f"{version.build[0]}.{version.build[1]}" == release:
            return version
    raise ValueError(f"{release} is not one of {[f'{v.build[0]}.{v.build[1]}' for v in VERSIONS]}")
