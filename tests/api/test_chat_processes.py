"""The link beside a chat with several servers: what one changes, the other does not go on telling (S74, S75)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.chat_profile import widget_key
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.chats import LINK, change, switch
from tests.api.gates import create, id_of
from tests.product import NO_RATES, ApiClient, Product, product, served_alone
from tests.waiting import until

AT_ONCE = 2.0
"""Seconds: far more than a poke through Redis takes, far less than what is remembered would live by itself."""
HOUR = 3600.0


@dataclass
class Running:
    """One server and another, each with an event loop, a memory and ears of its own."""

    first: Product
    second: ApiClient


@pytest.fixture
async def running(
    postgres_url: str, redis_url: str, simulators: tuple[GoogleSimulator, MailCatcher]
) -> AsyncIterator[Running]:
    """Two servers over one PostgreSQL and one Redis; a link that nobody is told of lives an hour."""
    more: dict[str, Any] = {"redis_url": redis_url, "policy": {"watch_seconds": HOUR}, "rates": NO_RATES}
    async with (
        product(postgres_url, *simulators, with_worker=False, **more) as first,
        served_alone(postgres_url, *simulators, public_url=first.url, **more) as second,
    ):
        yield Running(first, second)


async def test_s74_a_change_in_one_process_is_seen_in_the_other_at_once(running: Running) -> None:
    anna = running.first.here.anna
    asked = {"key": widget_key(anna.account_id), "agent": id_of(anna)}
    async with running.first.host() as host, running.first.visitor() as beside:

        async def shown(client: ApiClient = running.second) -> dict[str, Any]:
            link: dict[str, Any] | None = (await client.ask(LINK, **asked))["chatMeetingLink"]
            return link or {}

        async def told(**expected: str) -> None:
            async def is_told() -> bool:
                return {name: (await shown()).get(name) for name in expected} == expected

            await until(f"the other process to tell {expected}", is_told, seconds=AT_ONCE)

        async def silent() -> bool:
            return not await shown()

        await create(host, "anna/intro")
        other = (await create(host, "anna/demo", "Demo"))["page"]
        await switch(host, on=True)
        for words in ("One?", "Two?", "Three?"):
            assert await shown()  # kept from here on
            assert (await change(host, meetingLinkText=words))["errors"] == []
            await told(text=words)
        await change(host, schedulingPageId=other["id"])
        await told(url=other["url"])
        for _ in range(3):
            await switch(host, on=False)
            await until("the link to be gone from the other process", silent, seconds=AT_ONCE)
            assert await shown(beside) == {}
            await switch(host, on=True)
            await told(url=other["url"])
