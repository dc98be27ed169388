"""SRV records, asked for over DNS as it is."""

from collections.abc import Iterator

import pytest

from meetings.adapters.dns.service_records import DnsServiceRecords
from meetings.application.ports.dns import DnsUnavailable, Service
from meetings.infrastructure.demo.name_server import NameServer

NAME = "_imaps._tcp.example.test"


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer().serve() as started:
        yield started


@pytest.fixture
def records(server: NameServer) -> DnsServiceRecords:
    return DnsServiceRecords([(server.host, server.port)])


async def test_records_come_in_the_order_to_try_them(server: NameServer, records: DnsServiceRecords) -> None:
    server.set_services(NAME, "20 0 993 last.example.test.", "10 1 993 B.example.test.", "10 9 1993 a.example.test.")
    assert await records.at(NAME) == (
        Service("a.example.test", 1993),
        Service("b.example.test", 993),
        Service("last.example.test", 993),
    )


async def test_a_domain_may_say_that_it_has_no_such_service(server: NameServer, records: DnsServiceRecords) -> None:
    """RFC 2782: a target of "."."""
    server.set_services(NAME, "0 0 0 .")
    assert await records.at(NAME) == ()


async def test_a_name_that_is_not_there_has_none(records: DnsServiceRecords) -> None:
    assert await records.at(NAME) == ()


async def test_a_server_that_reaches_nobody_is_told_apart(server: NameServer, records: DnsServiceRecords) -> None:
    server.failing = True
    with pytest.raises(DnsUnavailable):
        await records.at(NAME)


@pytest.mark.parametrize("name", ["a..b", "x" * 300, "\udc80.example"])
async def test_what_is_no_name_raises_nothing_else(records: DnsServiceRecords, name: str) -> None:
    with pytest.raises(DnsUnavailable):
        await records.at(name)
