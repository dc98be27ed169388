"""TXT records, asked for over DNS as it is."""

import socket
import time
from collections.abc import Iterator

import pytest

from meetings.adapters.dns import resolver
from meetings.adapters.dns.text_records import DnsTextRecords
from meetings.application.ports.dns import DnsUnavailable
from meetings.infrastructure.demo.name_server import NameServer

NAME = "_meetings-verification.example.test"


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer().serve() as started:
        yield started


@pytest.fixture
def records(server: NameServer) -> DnsTextRecords:
    return DnsTextRecords([(server.host, server.port)])


async def test_all_records_of_a_name_are_seen(server: NameServer, records: DnsTextRecords) -> None:
    server.set(NAME, "one", "two words", 'quoted "text" \\ and more')
    assert await records.at(NAME) == {"one", "two words", 'quoted "text" \\ and more'}


async def test_a_record_of_several_strings_is_one_text(server: NameServer, records: DnsTextRecords) -> None:
    server.set(NAME, "x" * 600)
    assert await records.at(NAME) == {"x" * 600}


async def test_a_name_that_is_not_there_and_one_without_records_have_none(
    server: NameServer, records: DnsTextRecords
) -> None:
    server.set("empty.example.test")
    assert await records.at(NAME) == frozenset()
    assert await records.at("empty.example.test") == frozenset()


async def test_a_change_is_seen_at_once(server: NameServer, records: DnsTextRecords) -> None:
    server.set(NAME, "old")
    assert await records.at(NAME) == {"old"}
    server.set(NAME, "new")
    assert await records.at(NAME) == {"new"}
    server.clear(NAME)
    assert await records.at(NAME) == frozenset()


async def test_a_failure_is_no_answer(server: NameServer, records: DnsTextRecords) -> None:
    server.failing = True
    with pytest.raises(DnsUnavailable):
        await records.at(NAME)


async def test_a_server_that_says_nothing_is_given_up_after_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_SECONDS", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        begun = time.monotonic()
        with pytest.raises(DnsUnavailable):
            await DnsTextRecords([silent.getsockname()]).at(NAME)
    assert time.monotonic() - begun < 5


async def test_the_second_server_is_asked_when_the_first_one_is_gone(server: NameServer) -> None:
    server.set(NAME, "there")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        address = gone.getsockname()
    assert await DnsTextRecords([address, (server.host, server.port)]).at(NAME) == {"there"}
