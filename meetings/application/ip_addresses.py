"""What an IP address is good for: public, private, or no server's at all. IPv4 hidden in IPv6 is seen through.

Sources: the IANA IPv4 and IPv6 special-purpose address registries, and the RFCs named below.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address


def is_public(address: IPAddress) -> bool:
    """Whether the address belongs to the public internet, as the IANA special-purpose registries tell."""
    address = translated(address)
    if any(within(address, network) for network in _NOT_PUBLIC):
        return False
    return address.is_global and (address.version == 4 or within(address, _GLOBAL_UNICAST))


def belongs_to_no_server(address: IPAddress) -> bool:
    """Addresses that no server has, and those that only the machine itself or its cloud answers: never called."""
    address = translated(address)
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        return True
    if any(within(address, network) for network in _NEVER):
        return True
    return isinstance(address, IPv6Address) and not address.is_loopback and _hides_ipv4(address)


def translated(address: IPAddress) -> IPAddress:
    """The IPv4 address behind a mapped one (RFC 4291 2.5.5.2) or one of the well-known translator (RFC 6052): where
    packets to these arrive."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _WELL_KNOWN_NAT64 else address


def _hides_ipv4(address: IPv6Address) -> bool:
    """Tunnels nobody needs for a server: compatible and the other early forms (0000::/8), 6to4, Teredo, ISATAP."""
    isatap = (int(address) >> 32) & 0xFCFFFFFF == 0x00005EFE  # RFC 5214 6.1, whatever its "u" and "g" bits say
    early = within(address, _EARLY_FORMS) and not within(address, _LOCAL_NAT64)
    return isatap or early or address.sixtofour is not None or address.teredo is not None


def within(address: IPAddress, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network


_GLOBAL_UNICAST = IPv6Network("2000::/3")
_EARLY_FORMS = IPv6Network("::/8")
_WELL_KNOWN_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215: as private as what is behind it

# What the standard library of Python 3.11 does not know, or takes for public.
_NOT_PUBLIC = (
    IPv4Network("192.0.0.0/24"),  # RFC 6890
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    IPv6Network("2001::/23"),  # RFC 2928
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)
_NEVER = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("240.0.0.0/4"),
    # Metadata and host services of clouds that are not link-local: Azure, Alibaba, Oracle, AWS, Google.
    IPv4Network("168.63.129.16/32"),
    IPv4Network("100.100.100.200/32"),
    IPv4Network("192.0.0.192/32"),
    IPv6Network("fd00:ec2::/32"),
    IPv6Network("fd20:ce::254/128"),
)
