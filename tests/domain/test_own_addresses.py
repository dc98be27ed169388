"""Colleagues are told from contacts by their addresses (A-CR1)."""

import pytest

from meetings.domain.own_addresses import OwnAddresses

OWN = OwnAddresses.of(["Anna@Acme.example", "bob@gmail.com"], ["acme-group.example"])


@pytest.mark.parametrize(
    "address",
    [
        "anna@acme.example",
        "ANNA@ACME.EXAMPLE",
        "new.colleague@acme.example",
        "carl@sales.acme.example",
        "dora@acme-group.example",
        "Bob@GMail.com",
    ],
)
def test_an_address_of_ours_is_a_colleagues(address: str) -> None:
    assert OWN.hold(address)


@pytest.mark.parametrize(
    "address", ["eve@gmail.com", "eve@notacme.example", "eve@example", "eve@acme.example.evil.example", "", "@", "eve"]
)
def test_any_other_is_not(address: str) -> None:
    assert not OWN.hold(address)


def test_a_free_domain_is_ours_only_if_somebody_says_so() -> None:
    assert OwnAddresses.of([], ["gmail.com"]).hold("eve@gmail.com")
