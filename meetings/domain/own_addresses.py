"""Whose addresses are the organisation's own: those people are colleagues, and no contacts (A-CR1)."""

from collections.abc import Iterable
from dataclasses import dataclass

from meetings.domain.blocked_addresses import FREE_DOMAINS
from meetings.domain.mail_domain import mail_domain


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """`addresses` in small letters, `domains` in the form of `mail_domain`, each with everything below it."""

    addresses: frozenset[str]
    domains: frozenset[str]

    @classmethod
    def of(cls, people: Iterable[str], chosen: Iterable[str]) -> "OwnAddresses":
        """The addresses of our people with their domains, and the domains that were chosen beside them.

        A domain where anybody gets a mailbox says nothing about who somebody is, unless it was chosen.
        """
        addresses = frozenset(address.strip().casefold() for address in people)
        of_people = {domain for address in addresses if (domain := mail_domain(address))} - FREE_DOMAINS
        return cls(addresses, frozenset(of_people.union(chosen)))

    def hold(self, address: str) -> bool:
        """Whether it is a colleague's."""
        labels = (mail_domain(address) or "").split(".")
        above = {".".join(labels[at:]) for at in range(len(labels))}
        return address.strip().casefold() in self.addresses or not above.isdisjoint(self.domains)
