"""A team's name and address for mail."""

import re
from uuid import uuid4

import pytest

from meetings.domain.base import InvalidInput
from meetings.domain.identifiers import MailboxId, TeamChannelId
from meetings.domain.team_channel import (
    TeamChannel,
    TeamChannelCreated,
    TeamChannelRemoved,
    TeamMailboxAttached,
    TeamMailProvider,
    TeamMailUnsupported,
    hosted_address,
)
from tests.builders import NOW, account_id, user_id


def a_channel(name: str = "Support", provider: TeamMailProvider = TeamMailProvider.HOSTED) -> TeamChannel:
    return TeamChannel.create(
        TeamChannelId(uuid4()),
        account_id=account_id(),
        provider=provider,
        name=name,
        hosted_domain="meetings.test",
        created_by=user_id(),
        now=NOW,
    )


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("Support", "support-"),
        ("Größe & Café!", "groe-cafe-"),
        ("チーム", "team-"),
        ("x" * 60, f"{'x' * 40}-"),
        ("-- --", "team-"),
    ],
)
def test_an_address_is_made_of_the_name_and_is_nobody_elses(name: str, begins: str) -> None:
    one, other = (hosted_address(name, TeamChannelId(uuid4()), "meetings.test") for _ in range(2))
    assert one.startswith(begins)
    assert re.fullmatch(r"[a-z0-9-]{1,64}@meetings\.test", one)
    assert one != other


@pytest.mark.parametrize("provider", [TeamMailProvider.EXCHANGE, TeamMailProvider.IMAP])
def test_personal_mailboxes_are_not_for_teams(provider: TeamMailProvider) -> None:
    """S93, A-IN7."""
    with pytest.raises(TeamMailUnsupported):
        a_channel(provider=provider)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 61])
def test_a_name_has_to_be_one_that_can_be_shown(name: str) -> None:
    with pytest.raises(InvalidInput):
        a_channel(name)


def test_what_happens_to_a_channel_is_news_once() -> None:
    channel, mailbox = a_channel(), MailboxId(uuid4())
    for _ in range(2):
        channel.attach(mailbox, now=NOW)
    for _ in range(2):
        channel.remove(now=NOW)
    assert [type(event) for event in channel.pull_events()] == [
        TeamChannelCreated,
        TeamMailboxAttached,
        TeamChannelRemoved,
    ]
