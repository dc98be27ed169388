"""Which names of the time zone database are proper ones, and what stands behind the others."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

UTC = "UTC"
_DATABASE_UTC = "Etc/UTC"


def canonical_zone(name: str) -> str | None:
    """The name a zone goes by today: `Asia/Kolkata` for `Asia/Calcutta`; None when there is no such zone.

    Zones that share their clock with a neighbour keep their own name (`Europe/Copenhagen`): what `zone.tab` lists for
    a country is proper, only other links are followed. All spellings of UTC are `UTC`.
    """
    if name in _of_countries():
        return name
    target = _names().get(name)
    if target == _DATABASE_UTC:
        return UTC
    return target if target in (None, name) else canonical_zone(str(target))


@cache
def _of_countries() -> frozenset[str]:
    lines = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8").splitlines()
    return frozenset(line.split("\t")[2] for line in lines if line and not line.startswith("#"))


@cache
def _names() -> Mapping[str, str]:
    """Every name and what it leads to: a zone to itself (`Z name ...`), a link to its target (`L target name`)."""
    lines = files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text("utf-8").splitlines()
    names: dict[str, str] = {}
    for line in lines:
        if line.startswith("Z "):
            zone = line.split()[1]
            names[zone] = zone
        elif line.startswith("L "):
            _, target, alias = line.split()
            names[alias] = target
    return names
