"""What happened in an account, for its owners (I9, TP-5)."""

from typing import Any

import pytest

from meetings.domain.user import Role
from meetings.infrastructure.database.audit import audit
from tests.api.inbox_documents import DISCONNECT_INBOX, INBOXES
from tests.api.privacy_documents import ERASE, EXPORT
from tests.api.records import CHANGE_MEETING, made, planned
from tests.api.test_emails import with_mailbox
from tests.product import ApiClient, Product, TopLevelErrors

LOG = (
    "query($first: Int!, $after: String) { viewer { account { auditLog(first: $first, after: $after) { "
    "nodes { position kind subject actor at details { key value } } pageInfo { hasNextPage endCursor } } } } }"
)
TOKEN = 'mutation { createApiToken(name: "a program", scopes: [READ]) { token apiToken { id } errors { code } } }'
REVOKE = "mutation($id: ID!) { revokeApiToken(id: $id) { errors { code } } }"


async def log(client: ApiClient, first: int = 100, after: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = (await client.ask(LOG, first=first, after=after))["viewer"]["account"]["auditLog"]
    return found


async def test_an_owner_sees_what_happened_and_that_they_looked(served: Product, host: ApiClient) -> None:
    await served.here.page()
    nodes = (await log(host))["nodes"]
    assert [node["kind"] for node in nodes[:2]] == ["AuditLogRead", "PageCreated"]
    assert nodes[0]["actor"] == f"user:{served.here.anna.id}"
    again = (await log(host))["nodes"]
    assert again[1:] == nodes
    assert [node["position"] for node in again] == list(range(len(again), 0, -1))


async def test_the_log_comes_in_pages(served: Product, host: ApiClient) -> None:
    for number in range(4):
        await served.here.page(f"anna/page{number}")
    whole = (await log(host))["nodes"]
    first = await log(host, first=2)
    assert first["pageInfo"]["hasNextPage"]
    rest = await log(host, first=100, after=first["pageInfo"]["endCursor"])
    assert rest["nodes"] == whole[len(whole) - len(rest["nodes"]) :]
    assert not rest["pageInfo"]["hasNextPage"]
    for wrong in ("x", "-1", "9" * 40, ""):
        with pytest.raises(TopLevelErrors) as refused:
            await log(host, after=wrong)
        assert refused.value.codes == ["BAD_USER_INPUT"]


async def test_only_owners_see_the_log(served: Product) -> None:
    for role in (Role.MEMBER, Role.ADMIN):
        email = f"{role.value.lower()}@example.com"
        await served.here.add_colleague("Cleo", email, role)
        async with ApiClient(served.url) as cleo:
            await cleo.sign_in(email)
            with pytest.raises(TopLevelErrors) as refused:
                await log(cleo)
            assert refused.value.codes == ["FORBIDDEN"]


async def test_people_and_keys_that_come_and_go_stand_in_the_log_without_secrets(
    served: Product, host: ApiClient
) -> None:
    made = (await host.ask(TOKEN))["createApiToken"]
    assert (await host.ask(REVOKE, id=made["apiToken"]["id"]))["revokeApiToken"]["errors"] == []
    await served.here.add_colleague("Cleo", "cleo@example.com")
    nodes = (await log(host))["nodes"]
    assert [node["kind"] for node in nodes[1:4]] == ["PersonAdded", "ApiTokenRevoked", "ApiTokenCreated"]
    told = str(nodes)
    assert made["token"] not in told
    assert "a program" not in told
    assert "cleo" not in told.casefold()
    found = await audit(served.here.runtime.database, served.here.anna.account_id)
    assert (found.broken_at, found.entries) == (None, len(nodes))


async def test_what_happens_to_mailboxes_meetings_on_record_and_people_from_outside_stands_in_the_log_once(
    served: Product, host: ApiClient
) -> None:
    """I9: each change has one entry with who did it, and repeating it has none."""
    await with_mailbox(served)
    vera = await made(host)
    [inbox] = (await host.ask(INBOXES))["viewer"]["inboxes"]
    meeting = await planned(host, vera, sendInvitation=False)
    for _ in range(2):
        cancelled = await host.ask(CHANGE_MEETING, id=meeting["id"], input={"outcome": "CANCELLED"})
        assert cancelled["updateMeetingEngagement"]["errors"] == []
        assert (await host.ask(DISCONNECT_INBOX, id=inbox["id"]))["disconnectInbox"]["errors"] == []
    assert (await host.ask(EXPORT, email=vera["email"]))["exportPerson"]["errors"] == []
    assert (await host.ask(ERASE, email=vera["email"]))["erasePerson"]["errors"] == []
    nodes = (await log(host))["nodes"]
    anna = f"user:{served.here.anna.id}"
    once = ["EngagementCreated", "EngagementChanged", "MailboxDisconnected", "PersonExportRequested", "PersonErased"]
    assert [(node["kind"], node["actor"]) for node in reversed(nodes) if node["kind"] in once] == [
        (kind, anna) for kind in once
    ]
    assert [node["kind"] for node in nodes].count("MailboxConnected") == 1
    assert "vera" not in str(nodes).casefold()
