"""Plans, seats and people from the command line."""

from pathlib import Path

import pytest

from meetings.domain.plan import Hub, Subscription, Tier
from meetings.infrastructure.people_commands import BadSubscription, subscription_of
from tests.infrastructure.test_cli import Command, folder, init, meetings

__all__ = ["folder", "meetings"]


def test_people_are_invited_and_get_roles_and_leave(meetings: Command, folder: Path) -> None:
    init(meetings)
    meetings("add-user", "--name", "Ben", "--email", "ben@example.com")
    invited = meetings("users", "invite", "--name", "Cleo", "--email", "cleo@example.com", "--role", "admin")
    assert invited.out == "cleo@example.com is invited as admin; a worker sends the mail.\n"
    assert meetings("users", "role", "BEN@example.com", "admin").out == "BEN@example.com is admin now.\n"
    assert meetings("users", "deactivate", "ben@example.com").code == 0
    assert meetings("users", "list").out.splitlines() == [
        "anna@example.com  owner  active  Anna Albers",
        "ben@example.com  admin  deactivated  Ben",
        "cleo@example.com  admin  invited  Cleo",
    ]
    assert meetings("users", "reactivate", "ben@example.com").code == 0
    assert "ben@example.com  admin  active  Ben" in meetings("users", "list").out
    last = meetings("users", "deactivate", "anna@example.com")
    assert (last.code, last.err) == (1, "meetings: This cannot be used: userId: last_owner.\n")
    unknown = meetings("users", "role", "nobody@example.com", "admin")
    assert (unknown.code, "nobody@example.com" in unknown.err) == (1, True)


def test_a_plan_is_set_and_shown_with_its_seats(meetings: Command, folder: Path) -> None:
    init(meetings)
    with (folder / ".env").open("a") as settings:
        settings.write("MEETINGS_POLICY__ALL_FEATURES=false\n")
    assert meetings("plan", "show").out == "MARKETING: FREE\nSALES: FREE\nSERVICE: FREE\nCMS: FREE\n"
    refused = meetings("plan", "seats", "sales", "anna@example.com")
    assert (refused.code, refused.err) == (1, "meetings: This cannot be used: userIds: too_many.\n")
    assert meetings("plan", "set", "sales=starter:1", "CMS=ENTERPRISE").code == 0
    assert meetings("plan", "seats", "sales", "anna@example.com").code == 0
    assert "SALES: STARTER, 1 of 1 seats used" in meetings("plan", "show").out
    assert meetings("plan", "seats", "sales", "anna@example.com", "--revoke").code == 0
    assert "SALES: STARTER, 0 of 1 seats used" in meetings("plan", "show").out
    assert meetings("plan", "set", "--everything").code == 0
    assert "Nothing is gated" in meetings("plan", "show").out
    wrong = meetings("plan", "set", "SALES")
    assert wrong.err == "meetings: 'SALES' is no subscription: write HUB=TIER or HUB=TIER:SEATS.\n"


def test_a_subscription_reads_as_it_is_typed() -> None:
    assert subscription_of(" service=professional ") == Subscription(Hub.SERVICE, Tier.PROFESSIONAL, None)
    assert subscription_of("SALES=STARTER:12") == Subscription(Hub.SALES, Tier.STARTER, 12)
    for text in (
        "",
        "SALES",
        "SALES=",
        "=STARTER",
        "SALES=BASIC",
        "SALES=STARTER:",
        "SALES=STARTER:-1",
        "SALES=STARTER:²",
    ):
        with pytest.raises(BadSubscription):
            subscription_of(text)
