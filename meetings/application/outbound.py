"""Which addresses the product may call when somebody else has a say in them: a typed-in server, a redirect, discovery.

Two steps, and both are needed. `check_url` judges what is written; `resolve` judges what the name means, and gives the
addresses to connect to. Whoever resolves a second time, or connects to the name, has gained nothing (DNS rebinding).
"""

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from meetings.application.ip_addresses import IPAddress, belongs_to_no_server, is_public, translated, within

Resolver = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text. Raises OSError when there are none."""

USUAL_PORTS = (range(443, 444), range(8443, 8444))
"""Where web servers are called."""
LONGEST_URL = 2048


class Objection(Enum):
    """Why an address is not called."""

    NOT_AN_ADDRESS = "NOT_AN_ADDRESS"
    NOT_HTTPS = "NOT_HTTPS"
    CREDENTIALS = "CREDENTIALS"
    FRAGMENT = "FRAGMENT"
    ODD_HOST = "ODD_HOST"
    PORT = "PORT"
    UNKNOWN_HOST = "UNKNOWN_HOST"
    NOT_PUBLIC = "NOT_PUBLIC"

    @property
    def about_spelling(self) -> bool:
        """Whether somebody could mend it by writing the address differently."""
        return self not in (Objection.UNKNOWN_HOST, Objection.NOT_PUBLIC)


class AddressRefused(Exception):
    """An address that the product does not call. The text says why and repeats nothing of what was asked for."""

    def __init__(self, objection: Objection, why: str) -> None:
        self.objection = objection
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a checked address leads: the host in lower case (no brackets), and the port."""

    host: str
    port: int


class OutboundGuard:
    """The rules, and what the operator adds to them.

    `ports` are the ones that are called anywhere. `private` lists what may be called although the rules forbid it, each
    entry a network (`10.0.0.0/8`), an address, or a host by its exact name (`mail.corp.example`). An entry may end in a
    port or a range of them, and stands for these ports instead of `ports` (`mail.corp.example:4443`,
    `127.0.0.1:1024-65535`, `[fd00::/8]:8443`). Nothing opens addresses that are no server's: link-local ones, those of
    cloud metadata, multicast, 0.0.0.0, and tunnels that hide an IPv4 address.
    """

    def __init__(
        self,
        private: Iterable[str] = (),
        *,
        resolver: Resolver | None = None,
        ports: tuple[range, ...] = USUAL_PORTS,
    ) -> None:
        """Raises ValueError, naming the entry, for one that is none of these."""
        self._ports = ports
        self._private = tuple(_Entry.parse(entry, ports) for entry in private)
        self._resolver = resolver or system_resolver

    def check_url(self, url: str) -> Target:
        """Where `url` leads, as far as its text tells. No name is looked up.

        Raises:
            AddressRefused: it is no plain `https://host[:port]/path` address, or its port is neither usual nor listed.
        """
        target = _target(url)
        literal = _literal(target.host)
        if literal is not None:
            self._check(target, literal)
        elif not _among(target.port, self._ports) and not any(entry.opens(target.port) for entry in self._private):
            raise AddressRefused(Objection.PORT, "only the usual ports are called")
        return target

    def resolve(self, host: str, port: int) -> tuple[IPAddress, ...]:
        """The addresses of `host`, each of them checked, in the resolver's order and without repetitions.

        Asks the resolver once. Connect to one of these, not to the name.

        Raises:
            AddressRefused: there is none, or one of them is forbidden, which refuses them all.
        """
        host = host.lower()
        literal = _literal(host)
        addresses = (literal,) if literal is not None else self._look_up(host, port)
        for address in addresses:
            self._check(Target(host, port), address)
        return addresses

    def _look_up(self, host: str, port: int) -> tuple[IPAddress, ...]:
        try:
            answers = self._resolver(host, port)
            addresses = tuple(dict.fromkeys(map(ip_address, answers)))
        except (OSError, ValueError):  # UnicodeError, of names that DNS cannot carry, is a ValueError
            addresses = ()
        if not addresses:
            raise AddressRefused(Objection.UNKNOWN_HOST, "the host has no address")
        return addresses

    def _check(self, target: Target, address: IPAddress) -> None:
        if belongs_to_no_server(address):
            raise AddressRefused(Objection.NOT_PUBLIC, "the address is not a server's")
        if any(entry.permits(target, address) for entry in self._private):
            return
        if not is_public(address):
            raise AddressRefused(Objection.NOT_PUBLIC, "the address is not public")
        if not _among(target.port, self._ports):
            raise AddressRefused(Objection.PORT, "only the usual ports are called")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the operator's list: a network or a host, and the ports there."""

    where: IPv4Network | IPv6Network | str
    ports: tuple[range, ...]

    @classmethod
    def parse(cls, text: str, usual: tuple[range, ...]) -> "_Entry":
        where, ports = _apart(text.strip().lower())
        try:
            return cls(_network_or_host(where), _port_ranges(ports) or usual)
        except ValueError:
            raise ValueError(f"`{text}` is neither a network nor a host, with or without ports") from None

    def permits(self, target: Target, address: IPAddress) -> bool:
        if not self.opens(target.port):
            return False
        if isinstance(self.where, str):
            return self.where == target.host
        return within(address, self.where) or within(translated(address), self.where)

    def opens(self, port: int) -> bool:
        return _among(port, self.ports)


def _apart(entry: str) -> tuple[str, str]:
    """What stands before the colon of the ports, and the ports; an IPv6 network has brackets when ports follow."""
    if entry.startswith("["):
        where, _, ports = entry[1:].partition("]")
        return where, ports.removeprefix(":")
    if entry.count(":") > 1:
        return entry, ""
    where, _, ports = entry.partition(":")
    return where, ports


def _network_or_host(where: str) -> IPv4Network | IPv6Network | str:
    try:
        return ip_network(where)
    except ValueError:
        _check_host(where)
        return where


def _port_ranges(ports: str) -> tuple[range, ...]:
    if not ports:
        return ()
    first, _, last = ports.partition("-")
    if _port(last or first) < _port(first):
        raise ValueError("not a range")
    return (range(_port(first), _port(last or first) + 1),)


def _among(port: int, ranges: tuple[range, ...]) -> bool:
    return any(port in ports for ports in ranges)


# ---- what is written ----------------------------------------------------------------------------------------------

# What RFC 3986 lets stand in an address, so that no two parsers can read it differently: no blanks, controls, "\\".
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]@]+)(?::(?P<port>[^:]*))?", re.ASCII | re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def _target(url: str) -> Target:
    if len(url) > LONGEST_URL or _PLAIN.fullmatch(url) is None:
        raise AddressRefused(Objection.NOT_AN_ADDRESS, "it is no address")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() != "https":
        raise AddressRefused(Objection.NOT_HTTPS, "the address does not begin with https://")
    if "#" in rest:
        raise AddressRefused(Objection.FRAGMENT, "the address has a fragment")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise AddressRefused(Objection.CREDENTIALS, "the address holds a user name or a password")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise AddressRefused(Objection.ODD_HOST, "the address names no host")
    return Target(_host(match["host"].lower()), 443 if match["port"] is None else _port_of(match["port"]))


def _host(written: str) -> str:
    try:
        if written.startswith("["):
            return str(IPv6Address(written.strip("[]")))
        if _literal(written) is None:
            _check_host(written)
        return written
    except ValueError:
        raise AddressRefused(Objection.ODD_HOST, "the host is not written as a plain name or address") from None


def _port_of(written: str) -> int:
    try:
        return _port(written)
    except ValueError:
        raise AddressRefused(Objection.PORT, "the port is no number") from None


def _port(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > 65535:
        raise ValueError("not a port")
    return int(text)


def _literal(host: str) -> IPAddress | None:
    """The address that the host is, in the one spelling that everybody reads alike; None for names."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _check_host(host: str) -> None:
    """Names of letters, digits and hyphens; others as `xn--`. No dot at the end, which would make the name another one
    for certificates; nothing that ends in a number, which resolvers take for IPv4 in octal, hex or one piece
    (https://url.spec.whatwg.org/#ends-in-a-number-checker)."""
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
        raise ValueError("not a host")


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The answers of the system's resolver, IPv6 and IPv4 in its order. Blocks; has no time limit of its own."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(address[0]) for _, _, _, _, address in found]
