"""Mail with contacts over the API: writing, what comes back, conversations, live events, and what is refused."""

from typing import Any
from uuid import uuid4

from meetings.application.ports.crm import ContactDetails
from meetings.domain.account_use import BOTH
from meetings.domain.user import Role
from tests.api.email_documents import (
    EVENTS,
    LOGGED_HOW,
    MARK_THREAD,
    SEND_EMAIL,
    SET_LOGGING,
    THREADS,
)
from tests.api.refusals import every_code_of
from tests.api.test_reading import statements
from tests.contracts.mail.letters import a_mail
from tests.databases import Simulators
from tests.product import ApiClient, Product, product, until
from tests.world import HOST_EMAIL, PASSWORD

VERA = "vera@visitors.example"
RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py
CONTACTS = "query($words: String) { viewer { contacts(query: $words) { nodes { id email } } } }"


async def with_mailbox(served: Product) -> None:
    """Anna's calendar and mailbox are connected by one sign-in."""
    here = served.here
    await here.come_back(await here.consent(await here.start(uses=BOTH)))
    await here.settle_down()


async def contact(served: Product, host: ApiClient, email: str = VERA) -> str:
    """The id of a contact on record."""
    crm = await served.here.tools.crm_of(served.here.anna.account_id)
    await crm.put_contact(ContactDetails(email, "Vera", "Stranger"))
    (found,) = (await host.ask(CONTACTS, words=email))["viewer"]["contacts"]["nodes"]
    return str(found["id"])


def mail(contact_id: str, **other: Any) -> dict[str, Any]:
    given = {"contactId": contact_id, "subject": "Next steps", "bodyMarkdown": "Shall we **meet**?"}
    return {**given, "idempotencyKey": str(uuid4()), **other}


async def send(host: ApiClient, input: dict[str, Any]) -> dict[str, Any]:
    payload = (await host.ask(SEND_EMAIL, input=input))["sendEmail"]
    assert payload["errors"] == []
    message: dict[str, Any] = payload["message"]
    return message


async def answered(served: Product, **more: Any) -> None:
    """Vera answers the newest mail she got, and Anna's mailbox is read."""
    (*_, got) = [left.raw for left in served.google.mail.left if left.to == VERA]
    sent_as = next(line for line in got.decode().splitlines() if line.lower().startswith("message-id:"))
    raw = a_mail(HOST_EMAIL, sender=f"Vera Stranger <{VERA}>", answers=sent_as.split(": ", 1)[1].strip(), **more)
    served.google.mail.deliver(HOST_EMAIL, raw, ("INBOX", "UNREAD"))
    here = served.here
    async with here.tools.look(here.anna.account_id) as work:
        (mailbox,) = await work.mailboxes.of_user(here.anna.id)
    await here.tools.mail_schedule.request(mailbox.id)


async def nothing_under_way(served: Product) -> bool:
    return not await served.here.unfinished()


async def test_a_mail_leaves_is_answered_and_both_stand_in_the_conversation_live(
    served: Product, host: ApiClient
) -> None:
    """S85, S87."""
    await with_mailbox(served)
    vera = await contact(served, host)
    async with host.subscribe(EVENTS, after="0") as events:
        message = await send(host, mail(vera))
        assert (message["status"], message["direction"], message["origin"]) == ("SENT", "OUTBOUND", "PERSON")
        assert (message["from"], message["to"]) == ({"name": "Anna Albers", "email": HOST_EMAIL}, [VERA])
        assert "<strong>meet</strong>" in message["html"]
        await answered(served)
        seen = []
        async for event in events:
            seen.append(event["inboxEvents"])
            if seen[-1]["type"] == "REPLY_RECEIVED":
                break
    assert [event["type"] for event in seen] == ["EMAIL_QUEUED", "EMAIL_SENT", "REPLY_RECEIVED"]
    assert seen[-1]["message"] == {"subject": "Re: Next steps", "text": "Gladly.", "status": "RECEIVED"}
    assert seen[-1]["thread"] == {"unread": True}
    (thread,) = (await host.ask(THREADS, contact=vera, unread=True))["viewer"]["emailThreads"]["nodes"]
    assert thread["contact"] == {"email": VERA}
    assert [entry["direction"] for entry in thread["messages"]["nodes"]] == ["INBOUND", "OUTBOUND"]
    seen_now = (await host.ask(MARK_THREAD, id=thread["id"], read=True))["markEmailThread"]
    assert (seen_now["errors"], seen_now["thread"]["unread"]) == ([], False)
    assert (await host.ask(THREADS, unread=True))["viewer"]["emailThreads"]["nodes"] == []
    node = "query($id: ID!) { node(id: $id) { ... on EmailMessage { subject } ... on EmailThread { subject } } }"
    for id in (message["id"], thread["id"]):
        assert (await host.ask(node, id=id))["node"] == {"subject": "Next steps"}

    async def on_the_timeline() -> bool:
        crm = await served.here.tools.crm_of(served.here.anna.account_id)
        known = (await crm.known([VERA]))[VERA]
        return len((await crm.timeline(known.id, first=10, after=None)).items) == 2

    await until("both to be on the timeline", on_the_timeline)


async def test_the_same_key_sends_one_mail(served: Product, host: ApiClient) -> None:
    await with_mailbox(served)
    wish = mail(await contact(served, host))
    assert (await send(host, wish))["id"] == (await send(host, wish))["id"]
    assert len([left for left in served.google.mail.left if left.to == VERA]) == 1


async def test_what_cannot_be_sent_is_refused(served: Product, host: ApiClient) -> None:
    vera = await contact(served, host)
    async with every_code_of(served, "sendEmail", elsewhere=[RACES, "PROVIDER_UNAVAILABLE", "RATE_LIMITED"]) as refused:
        await refused.one(host, SEND_EMAIL, "NOT_CONNECTED", input=mail(vera))
        await with_mailbox(served)
        await refused.one(host, SEND_EMAIL, "NOT_FOUND", ["input", "contactId"], input=mail("nonsense"))
        wish = mail(vera, threadId="nonsense")
        await refused.one(host, SEND_EMAIL, "NOT_FOUND", ["input", "threadId"], input=wish)
        await refused.one(host, SEND_EMAIL, "NOT_CONNECTED", input=mail(vera, inboxId="nonsense"))
        wish = mail(vera, bodyMarkdown="Book {{ meeting_link }}")
        await refused.one(host, SEND_EMAIL, "PAGE_NOT_FOUND", ["input", "bodyMarkdown"], input=wish)
        wish = mail(vera, includeMeetingLink=True)
        await refused.one(host, SEND_EMAIL, "PAGE_NOT_FOUND", ["input", "includeMeetingLink"], input=wish)
        errors = await refused.all(host, SEND_EMAIL, input=mail(vera, subject=" ", bodyMarkdown=""))
        assert [(error["code"], error["path"]) for error in errors] == [
            ("VALIDATION", ["input", "subject"]),
            ("VALIDATION", ["input", "bodyMarkdown"]),
        ]
        first = mail(vera)
        await send(host, first)
        await until("the mail to be on the record", lambda: nothing_under_way(served))
        again = {**first, "subject": "Something else"}
        await refused.one(host, SEND_EMAIL, "IDEMPOTENCY_CONFLICT", ["input", "idempotencyKey"], input=again)


async def test_which_mails_are_logged_is_for_admins_to_decide(served: Product, host: ApiClient) -> None:
    """A-IN3: replies only at first."""
    assert (await host.ask(LOGGED_HOW))["viewer"]["emailLogging"] == {"rule": "REPLIES_ONLY", "neverLog": []}
    never = ["Boss@Example.com", "private.example"]
    changed = (await host.ask(SET_LOGGING, rule="KNOWN_CONTACTS", never=never))["setEmailLogging"]
    now = {"rule": "KNOWN_CONTACTS", "neverLog": ["boss@example.com", "private.example"]}
    assert changed == {"emailLogging": now, "errors": []}
    back = (await host.ask(SET_LOGGING, rule="REPLIES_ONLY"))["setEmailLogging"]["emailLogging"]
    assert back == {**now, "rule": "REPLIES_ONLY"}
    await served.here.add_colleague("Ben", "ben@example.com", Role.MEMBER)
    async with every_code_of(served, "setEmailLogging", elsewhere=[RACES]) as refused, served.visitor() as ben:
        await ben.sign_in("ben@example.com", PASSWORD)
        await refused.one(ben, SET_LOGGING, "PERMISSION_MISSING", rule="REPLIES_ONLY")
        error = await refused.one(
            host, SET_LOGGING, "VALIDATION", ["neverLog", "0"], rule="REPLIES_ONLY", never=["a b"]
        )
        assert error["rule"] == "NOT_A_DOMAIN"


async def test_conversations_are_their_owners_alone(served: Product, host: ApiClient) -> None:
    await with_mailbox(served)
    message = await send(host, mail(await contact(served, host)))
    await until("the mail to be on the record", lambda: nothing_under_way(served))
    await served.here.add_colleague("Ben", "ben@example.com", Role.ADMIN)
    async with every_code_of(served, "markEmailThread", elsewhere=[RACES]) as refused, served.visitor() as ben:
        await ben.sign_in("ben@example.com", PASSWORD)
        assert (await ben.ask(THREADS))["viewer"]["emailThreads"]["nodes"] == []
        for id in (message["id"], message["thread"]["id"]):
            assert (await ben.ask("query($id: ID!) { node(id: $id) { id } }", id=id))["node"] is None
        await refused.one(ben, MARK_THREAD, "NOT_FOUND", ["threadId"], id=message["thread"]["id"], read=True)


async def test_conversations_come_in_pages_with_few_questions_to_the_database(served: Product, host: ApiClient) -> None:
    """GQ-2."""
    await with_mailbox(served)
    vera = await contact(served, host)
    for number in range(5):
        await send(host, mail(vera, subject=f"Subject {number}"))
    subjects, after = [], None
    while True:
        page = (await host.ask(THREADS, first=2, after=after))["viewer"]["emailThreads"]
        subjects += [thread["subject"] for thread in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert subjects == [f"Subject {number}" for number in reversed(range(5))]
    with statements(served) as asked:
        await host.ask(THREADS, first=5)
    assert len(asked) <= 15


async def test_more_mails_than_a_mailbox_may_send_are_refused(database_url: str, simulators: Simulators) -> None:
    async with product(database_url, *simulators, policy={"mails_per_day": 1}) as served, served.host() as host:
        await with_mailbox(served)
        vera = await contact(served, host)
        await send(host, mail(vera))
        (error,) = (await host.ask(SEND_EMAIL, input=mail(vera)))["sendEmail"]["errors"]
        assert (error["code"], error["limit"], error["path"]) == ("RATE_LIMITED", 1, None)
        assert error["message"] == "Your mailbox has sent 1 mails in 24 hours, which is as many as it may."
        assert error["retryAfter"].startswith("PT23H59M")
