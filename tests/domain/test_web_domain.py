"""Custom domains and addresses that are refused, by themselves."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from meetings.domain.blocked_addresses import blocked_problem, is_reserved
from meetings.domain.identifiers import AccountId, WebDomainId
from meetings.domain.web_domain import DnsNotReady, DomainNotConnected, DomainState, WebDomain, web_host

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def claim() -> WebDomain:
    return WebDomain.claim(WebDomainId(uuid4()), host="meet.example", account_id=AccountId(uuid4()), now=NOW)


def connected() -> WebDomain:
    domain = claim()
    domain.take_records([domain.record_value], now=NOW)
    return domain


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" Meet.Example.COM. ", "meet.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a-b.example", "a-b.example"),
        ("example", None),
        ("", None),
        ("a..example", None),
        ("a_b.example", None),
        ("10.0.0.1", None),
        ("[::1]", None),
        ("a.example:443", None),
        ("a@b.example", None),
        ("x" * 64 + ".example", None),
        (".".join(["x" * 60] * 5), None),
    ],
)
def test_names_have_one_form(typed: str, normal: str | None) -> None:
    assert web_host(typed) == normal


def test_every_claim_has_a_proof_of_its_own_of_256_bits() -> None:
    proofs = {claim().proof for _ in range(100)}
    assert len(proofs) == 100
    assert {len(bytes.fromhex(proof)) for proof in proofs} == {32}


def test_only_the_whole_value_among_the_records_connects() -> None:
    domain = claim()
    for texts in ([], [domain.proof], [domain.record_value + "x"], [domain.record_value.upper()], ["", "x"]):
        with pytest.raises(DnsNotReady):
            domain.take_records(texts, now=NOW)
    assert domain.state is DomainState.PENDING
    domain.take_records(["x", domain.record_value], now=NOW)
    assert (domain.state, domain.connected_at, domain.due_at) == (
        DomainState.CONNECTED,
        NOW,
        NOW + timedelta(hours=24),
    )


@pytest.mark.parametrize(("hours", "kept"), [(0, True), (71.9, True), (72, False), (500, False)])
def test_a_domain_is_given_up_when_its_record_was_gone_for_72_hours(hours: float, kept: bool) -> None:
    domain = connected()
    proof = domain.proof
    domain.choose(now=NOW)
    domain.take_records([], now=NOW)
    domain.take_records([], now=NOW + timedelta(hours=hours))
    assert domain.state is (DomainState.ENDANGERED if kept else DomainState.PENDING)
    assert (domain.proof == proof) is kept
    assert domain.primary is kept


def test_a_record_that_comes_back_ends_the_count() -> None:
    domain = connected()
    domain.take_records([], now=NOW)
    domain.take_records([domain.record_value], now=NOW + timedelta(hours=71))
    domain.take_records([], now=NOW + timedelta(hours=100))
    domain.take_records([], now=NOW + timedelta(hours=171))
    assert domain.state is DomainState.ENDANGERED


def test_what_is_not_connected_cannot_be_primary() -> None:
    with pytest.raises(DomainNotConnected):
        claim().choose(now=NOW)


@pytest.mark.parametrize(
    ("address", "reserved"),
    [
        ("a@example.com", True),
        ("a@mail.example.org", True),
        ("a@anything.test", True),
        ("a@x.invalid", True),
        ("a@example.de", False),
        ("a@notexample.com", False),
        ("nobody", False),
        ("", False),
    ],
)
def test_reserved_names(address: str, reserved: bool) -> None:
    assert is_reserved(address) is reserved


@pytest.mark.parametrize(
    ("address", "free_too", "blocked"),
    [
        ("a@bad.example", False, True),
        ("a@MAIL.Bad.example", False, True),
        ("a@notbad.example", False, False),
        ("a@gmail.com", False, False),
        ("a@GMAIL.com", True, True),
        ("a@company.example", True, False),
        ("", True, False),
    ],
)
def test_blocked_domains_take_those_under_them_along(address: str, free_too: bool, blocked: bool) -> None:
    assert (blocked_problem(address, ["bad.example"], "email", free_too=free_too) is not None) is blocked
