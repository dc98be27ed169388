"""The mail of teams through the API."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

from meetings.application.uses import disclosure_of
from meetings.domain.account_use import EMAIL_ONLY
from meetings.domain.calendar_connection import Provider
from tests.api.inbox_documents import CHANNELS, CONNECT_CHANNEL, CREATE_CHANNEL, REMOVE_CHANNEL, SEND_AS_TEAM
from tests.api.refusals import every_code_of
from tests.product import ApiClient, Product

RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py
TEAM = "support@example.com"


def accepted(served: Product) -> str:
    return disclosure_of(served.here.tools.providers[Provider.GOOGLE], EMAIL_ONLY).version


async def hosted(host: ApiClient, name: str = "Support") -> dict[str, Any]:
    payload = (await host.ask(CREATE_CHANNEL, provider="HOSTED", name=name))["createTeamChannel"]
    assert (payload["errors"], payload["authorizationUrl"]) == ([], None)
    return dict(payload["channel"])


def mail(channel: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"to": "grace@example.org", "subject": "Hello", "text": "How are you?", "idempotencyKey": "k"}
    return {"channelId": channel["id"], **given, **more}


async def test_a_team_gets_an_address_and_sends(served: Product, host: ApiClient) -> None:
    """A-IN9; S93: the dialog names hosted mail."""
    assert (await host.ask(CHANNELS))["viewer"] == {"teamChannels": [], "teamMailProviders": ["HOSTED", "GOOGLE"]}
    channel = await hosted(host)
    assert (channel["address"], channel["mailbox"], channel["mailboxStatus"]) == (channel["hostedAddress"], None, None)
    assert (await host.ask(CHANNELS))["viewer"]["teamChannels"] == [channel]
    node = await host.ask("query($id: ID!) { node(id: $id) { ... on TeamChannel { name } } }", id=channel["id"])
    assert node["node"] == {"name": "Support"}
    sent = (await host.ask(SEND_AS_TEAM, input=mail(channel)))["sendTeamEmail"]
    assert sent == {"sentFrom": channel["address"], "errors": []}
    [caught] = served.here.mail.mails
    assert caught.recipients == ("grace@example.org",)
    removed = (await host.ask(REMOVE_CHANNEL, id=channel["id"]))["removeTeamChannel"]
    assert removed == {"removedId": channel["id"], "errors": []}
    assert (await host.ask(CHANNELS))["viewer"]["teamChannels"] == []


async def test_a_teams_own_mailbox_is_signed_in_to(served: Product, host: ApiClient) -> None:
    """A-IN7."""
    served.google.add_account(TEAM, "Support")
    payload = (
        await host.ask(
            CREATE_CHANNEL,
            provider="GOOGLE",
            name="Support",
            returnTo=f"{served.url}/dashboard",
            version=accepted(served),
        )
    )["createTeamChannel"]
    assert payload["errors"] == []
    assert payload["channel"]["address"] == payload["channel"]["hostedAddress"]
    back = await asyncio.to_thread(served.google.auto_consent, TEAM, payload["authorizationUrl"])
    answer = await host.http.get(back)
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"channel": ["connected"]}
    shown = await host.ask("{ viewer { inboxes { email } teamChannels { address mailbox mailboxStatus } } }")
    viewer = shown["viewer"]
    assert viewer == {
        "inboxes": [],
        "teamChannels": [{"address": TEAM, "mailbox": TEAM, "mailboxStatus": "ACTIVE"}],
    }
    channel = payload["channel"]
    again = (
        await host.ask(
            CONNECT_CHANNEL,
            id=channel["id"],
            provider="GOOGLE",
            returnTo=f"{served.url}/dashboard",
            version=accepted(served),
        )
    )["connectTeamMailbox"]
    assert again["errors"] == []
    assert again["authorizationUrl"].startswith(served.google.endpoints.authorize)


async def test_making_a_channel_is_refused(served: Product, host: ApiClient) -> None:
    """S93, A-IN7, A-IN9."""
    await hosted(host)
    bob = await served.here.add_colleague("Bob", "bob@example.com")
    async with every_code_of(served, "createTeamChannel") as refused:
        for provider in ("EXCHANGE", "IMAP"):
            error = await refused.one(
                host, CREATE_CHANNEL, "CAPABILITY_UNSUPPORTED", ["provider"], provider=provider, name="Sales"
            )
            assert "hosted team mail" in error["message"]
        error = await refused.one(host, CREATE_CHANNEL, "VALIDATION", ["name"], provider="HOSTED", name=" SUPPORT ")
        assert error["rule"] == "DUPLICATE"
        there = {"returnTo": f"{served.url}/dashboard"}
        await refused.one(
            host, CREATE_CHANNEL, "CONSENT_REQUIRED", ["acceptedDisclosure"], provider="GOOGLE", name="Sales", **there
        )
        for wrong, rule in (({}, "REQUIRED"), ({"returnTo": "https://evil.example/"}, "NOT_ONE_OF")):
            error = await refused.one(
                host, CREATE_CHANNEL, "VALIDATION", ["returnTo"], provider="GOOGLE", name="Sales", **wrong
            )
            assert error["rule"] == rule
        error = await refused.one(
            host, CREATE_CHANNEL, "VALIDATION", ["provider"], provider="OFFICE365", name="Sales", **there
        )
        assert error["rule"] == "NOT_AVAILABLE_YET"
        async with served.visitor() as colleague:
            await colleague.sign_in(bob.email)
            await refused.one(colleague, CREATE_CHANNEL, "PERMISSION_MISSING", provider="HOSTED", name="Sales")
    assert len((await host.ask(CHANNELS))["viewer"]["teamChannels"]) == 1


async def test_connecting_and_removing_are_refused(served: Product, host: ApiClient) -> None:
    channel = await hosted(host)
    given = {"provider": "GOOGLE", "returnTo": f"{served.url}/dashboard", "version": accepted(served)}
    async with every_code_of(served, "connectTeamMailbox") as refused:
        for provider in ("EXCHANGE", "IMAP"):
            wrong = {**given, "id": channel["id"], "provider": provider}
            await refused.one(host, CONNECT_CHANNEL, "CAPABILITY_UNSUPPORTED", ["provider"], **wrong)
        error = await refused.one(
            host, CONNECT_CHANNEL, "VALIDATION", ["provider"], **{**given, "id": channel["id"], "provider": "HOSTED"}
        )
        assert error["rule"] == "NOT_AVAILABLE_YET"
        wrong = {**given, "id": channel["id"], "version": "x"}
        await refused.one(host, CONNECT_CHANNEL, "CONSENT_REQUIRED", ["acceptedDisclosure"], **wrong)
        await refused.one(host, CONNECT_CHANNEL, "NOT_FOUND", ["channelId"], **given, id="nonsense")
    async with every_code_of(served, "removeTeamChannel", elsewhere=[RACES]) as refused:
        await refused.one(host, REMOVE_CHANNEL, "NOT_FOUND", ["channelId"], id="nonsense")


async def test_sending_for_a_team_is_refused(served: Product, host: ApiClient) -> None:
    channel = await hosted(host)
    elsewhere = ["PROVIDER_UNAVAILABLE", "RATE_LIMITED"]  # a mail server that is away; a hundred mails
    async with every_code_of(served, "sendTeamEmail", elsewhere=elsewhere) as refused:
        await refused.one(host, SEND_AS_TEAM, "NOT_FOUND", ["input", "channelId"], input=mail({"id": "nonsense"}))
        await refused.one(host, SEND_AS_TEAM, "EMAIL_INVALID", ["input", "to"], input=mail(channel, to="nobody"))
        await refused.one(host, SEND_AS_TEAM, "VALIDATION", ["input", "subject"], input=mail(channel, subject=""))
        assert not served.here.mail.mails
        for _ in range(2):
            sent = (await host.ask(SEND_AS_TEAM, input=mail(channel)))["sendTeamEmail"]
            assert sent["sentFrom"] == channel["hostedAddress"]
        assert len(served.here.mail.mails) == 1
        path = ["input", "idempotencyKey"]
        await refused.one(host, SEND_AS_TEAM, "IDEMPOTENCY_CONFLICT", path, input=mail(channel, text="Well?"))
