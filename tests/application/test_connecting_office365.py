"""Coming back from Microsoft's consent page without a calendar: why, so that a front end can say it (A-CC7)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from meetings.adapters.office365.disclosure import DISCLOSURE
from meetings.adapters.office365.simulator import CLIENT_ID, CLIENT_SECRET, Office365Simulator
from meetings.application import connect_calendar
from meetings.application.connect_calendar import (
    MAILBOX_ELSEWHERE,
    NO_MAILBOX,
    ConnectionFailed,
    FailureReason,
    FinishedConnection,
    StartConnection,
    start_connection,
)
from meetings.domain.calendar_connection import Provider
from meetings.graphql.schema import schema
from meetings.infrastructure.database.tables import connections, credentials
from tests.world import DASHBOARD, HOST_EMAIL, Callback, World, outside, world


@dataclass
class AtMicrosoft:
    """A world whose Anna has an account at Microsoft."""

    here: World
    office: Office365Simulator

    async def sign_in(self) -> FinishedConnection:
        """To the consent page and back."""
        tools = self.here.tools
        started = await start_connection(
            StartConnection(Provider.OFFICE365, DISCLOSURE.version, DASHBOARD),
            caller=self.here.caller,
            look=tools.look,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            links=tools.links,
            clock=self.here.clock,
            policy=tools.policy,
        )
        back = parse_qs(urlsplit(self.office.auto_consent(HOST_EMAIL, started.authorization_url)).query)
        callback = Callback(back["state"][0], back["code"][0], None, started.browser_secret, Provider.OFFICE365)
        return await self.here.come_back(callback)


@pytest.fixture
async def anna(sqlite_url: str) -> AsyncIterator[AtMicrosoft]:
    with outside() as (google, mail), Office365Simulator().serve() as office:
        settings: dict[str, Any] = {
            "office365_client_id": CLIENT_ID,
            "office365_client_secret": CLIENT_SECRET,
            "office365_ca_file": office.ca_file,
            "office365_login_url": office.endpoints.login,
            "office365_graph_url": office.endpoints.graph,
        }
        async with world(sqlite_url, google, mail, **settings) as here:
            office.register_client(CLIENT_ID, CLIENT_SECRET, (here.tools.links.oauth_callback("OFFICE365"),))
            yield AtMicrosoft(here, office)


@pytest.mark.parametrize(
    ("mailbox", "hybrid", "reason"),
    [(False, False, NO_MAILBOX), (True, True, MAILBOX_ELSEWHERE)],
    ids=["no mailbox", "a mailbox on premises or on the move"],
)
async def test_an_account_without_a_mailbox_connects_nothing_and_says_why(
    anna: AtMicrosoft, mailbox: bool, hybrid: bool, reason: FailureReason
) -> None:
    anna.office.add_account(HOST_EMAIL, "Anna Albers", mailbox=mailbox, hybrid=hybrid)
    with pytest.raises(ConnectionFailed) as failed:
        await anna.sign_in()
    assert (failed.value.reason, failed.value.return_to) == (reason, DASHBOARD)
    async with anna.here.runtime.database.snapshot() as connection:
        for table in (connections, credentials):
            assert (await connection.execute(select(table))).all() == []


async def test_an_account_with_a_mailbox_connects(anna: AtMicrosoft) -> None:
    anna.office.add_account(HOST_EMAIL, "Anna Albers")
    finished = await anna.sign_in()
    connection = await anna.here.connection()
    assert (finished.connection_id, connection.provider) == (connection.id, Provider.OFFICE365)


def test_the_api_describes_every_reason() -> None:
    mutation = schema._schema.mutation_type
    assert mutation is not None
    description = mutation.fields["startCalendarConnection"].description or ""
    reasons = {value for name, value in vars(connect_calendar).items() if name.isupper() and isinstance(value, str)}
    assert len(reasons) == 9
    assert all(f"`{reason}`" in description for reason in reasons)
