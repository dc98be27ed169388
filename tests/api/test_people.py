"""Who belongs to an account and what they may do: inviting, joining, roles, permissions (A-CC1, A-SP15, A-SP16),
leaving; seats."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from meetings.domain.user import Role
from tests.api.documents import BOOK, CREATE_PAGE, UPDATE_PAGE, at, book
from tests.api.gates import ASSIGN, codes, create, id_of, new_page
from tests.api.people import ACCEPT, AGAIN, ALLOW, DEACTIVATE, INVITE, REACTIVATE, ROLE
from tests.api.refusals import every_code_of
from tests.api.test_host_refusals import RACES, START
from tests.databases import BOTH_DATABASES
from tests.product import ApiClient, Product, TopLevelErrors, until

PEOPLE = (
    "query($first: Int!, $after: String) { viewer { account { users(first: $first, after: $after) "
    "{ nodes { name state role seats } pageInfo { hasNextPage endCursor } } } } }"
)
EMAIL = "cleo@example.com"
PASSWORD = "a new long password"


async def told(client: ApiClient, document: str, **variables: object) -> dict[str, Any]:
    """The payload of a mutation."""
    payload: dict[str, Any]
    (payload,) = (await client.ask(document, **variables)).values()
    return payload


@asynccontextmanager
async def colleague(served: Product, name: str, role: Role = Role.MEMBER) -> AsyncIterator[tuple[ApiClient, str]]:
    """Somebody of Anna's account, signed in, with their id."""
    email = f"{name.lower()}@example.com"
    user = await served.here.add_colleague(name, email, role)
    async with ApiClient(served.url) as client:
        await client.sign_in(email)
        yield client, id_of(user)


async def invited(served: Product, host: ApiClient, **more: object) -> tuple[str, str]:
    """Cleo is asked to join: her id, and the token in her mail."""
    wish = {"name": "Cleo", "email": EMAIL, **more}
    user = (await told(host, INVITE, input=wish))["user"]
    assert (user["state"], user["role"]) == ("INVITED", more.get("role", "MEMBER"))
    return user["id"], await token_in_mail(served)


async def token_in_mail(served: Product, number: int = 1) -> str:
    mails = await until(
        "the invitation",
        lambda: [mail for mail in served.mail.mails if mail.recipients == (EMAIL,)][number - 1 : number] or None,
    )
    found = re.search(rf"{served.url}/invitations/(\S+)", mails[0].text)
    assert found
    return found[1]


# ---- joining --------------------------------------------------------------------------------------------------------


async def test_somebody_is_invited_by_mail_joins_once_and_is_signed_in(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    who, token = await invited(served, host, role="ADMIN", locale="de-DE")
    mail = next(mail for mail in served.mail.mails if mail.recipients == (EMAIL,))
    assert "Example" in mail.subject
    joined = await told(visitor, ACCEPT, token=token, password=PASSWORD, name="Cleo Curie")
    assert joined["errors"] == []
    assert (joined["user"]["id"], joined["user"]["name"], joined["user"]["state"]) == (who, "Cleo Curie", "ACTIVE")
    assert (await visitor.ask("{ viewer { role } }"))["viewer"] == {"role": "ADMIN"}
    assert codes(await told(visitor, ACCEPT, token=token, password=PASSWORD)) == ["TOKEN_INVALID"]
    async with served.visitor() as later:
        await later.sign_in(EMAIL, PASSWORD)


async def test_nobody_signs_in_before_they_joined(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await invited(served, host)
    for password in ("", PASSWORD):
        sign_in = "mutation($e: String!, $p: String!) { signIn(email: $e, password: $p) { token errors { code } } }"
        assert codes(await told(visitor, sign_in, e=EMAIL, p=password)) == ["CREDENTIALS_REJECTED"]


async def test_a_newer_invitation_a_withdrawn_one_and_any_other_text_are_void(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    who, first = await invited(served, host)
    assert (await told(host, AGAIN, who=who))["errors"] == []
    second = await token_in_mail(served, 2)
    assert first != second
    async with every_code_of(served, "acceptInvitation", elsewhere=[RACES, "RATE_LIMITED"]) as refused:
        for token in (first, second[:-1] + ("A" if second[-1] != "A" else "B"), "", "x" * 78, "ü"):
            await refused.one(visitor, ACCEPT, "TOKEN_INVALID", ["token"], token=token, password=PASSWORD)
        error = await refused.one(visitor, ACCEPT, "VALIDATION", ["password"], token=second, password="short")
        assert error["rule"] == "TOO_SMALL"
        await refused.one(visitor, ACCEPT, "VALIDATION", ["name"], token=second, password=PASSWORD, name=" ")
        await told(host, DEACTIVATE, who=who)
        await refused.one(visitor, ACCEPT, "TOKEN_INVALID", ["token"], token=second, password=PASSWORD)


async def test_the_link_of_the_mail_is_a_page_to_join_on_without_scripts(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    _, token = await invited(served, host)
    for _ in range(2):
        shown = await visitor.http.get(f"/invitations/{token}")
        assert (shown.status_code, "Join Example" in shown.text, "<script" in shown.text) == (200, True, False)
    short = await visitor.http.post(f"/invitations/{token}", data={"name": "Cleo", "password": "short"})
    assert (short.status_code, "10 to 200 characters" in short.text) == (422, True)
    done = await visitor.http.post(f"/invitations/{token}", data={"name": "Cleo", "password": PASSWORD})
    assert (done.status_code, "You have joined" in done.text) == (200, True)
    for answer in (
        await visitor.http.get(f"/invitations/{token}"),
        await visitor.http.post(f"/invitations/{token}", data={"name": "Cleo", "password": PASSWORD}),
        await visitor.http.get("/invitations/nonsense"),
    ):
        assert answer.status_code == 404
    await visitor.sign_in(EMAIL, PASSWORD)


# ---- who may what ---------------------------------------------------------------------------------------------------


async def test_inviting_is_refused(served: Product, host: ApiClient) -> None:
    async with every_code_of(served, "inviteUser") as refused, colleague(served, "Ben") as (ben, _):
        good = {"name": "Cleo", "email": EMAIL}
        await refused.one(ben, INVITE, "PERMISSION_MISSING", input=good)
        errors = await refused.all(host, INVITE, input={"name": " ", "email": "cleo", "locale": "klingon"})
        assert {(error["code"], *error["path"]) for error in errors} == {
            ("VALIDATION", "input", "name"),
            ("EMAIL_INVALID", "input", "email"),
            ("VALIDATION", "input", "locale"),
        }
        await refused.one(host, INVITE, "EMAIL_TAKEN", ["input", "email"], input={**good, "email": "BEN@example.com"})


async def test_admins_manage_everybody_but_owners(served: Product, host: ApiClient) -> None:
    anna = id_of(served.here.anna)
    async with colleague(served, "Ada", Role.ADMIN) as (ada, ada_id), colleague(served, "Ben") as (ben, ben_id):
        assert (await told(ada, ROLE, who=ben_id, role="ADMIN"))["user"]["role"] == "ADMIN"
        assert (await told(ada, ROLE, who=ben_id, role="MEMBER"))["user"]["role"] == "MEMBER"
        for document, variables in (
            (ROLE, {"who": ben_id, "role": "OWNER"}),
            (ROLE, {"who": ada_id, "role": "OWNER"}),
            (ROLE, {"who": anna, "role": "MEMBER"}),
            (DEACTIVATE, {"who": anna}),
            (ALLOW, {"who": anna, "may": []}),
            (INVITE, {"input": {"name": "Cleo", "email": EMAIL, "role": "OWNER"}}),
        ):
            assert codes(await told(ada, document, **variables)) == ["PERMISSION_MISSING"]
        for document, variables in (
            (ROLE, {"who": ben_id, "role": "ADMIN"}),
            (ALLOW, {"who": ben_id, "may": ["CREATE_PAGES_FOR_OTHERS"]}),
            (DEACTIVATE, {"who": ada_id}),
            (REACTIVATE, {"who": ada_id}),
            (AGAIN, {"who": ada_id}),
            (ASSIGN, {"hub": "SALES", "users": [ben_id]}),
        ):
            assert codes(await told(ben, document, **variables)) == ["PERMISSION_MISSING"]
        assert codes(await told(host, ROLE, who="nonsense", role="ADMIN")) == ["NOT_FOUND"]
        assert (await told(host, ROLE, who=ben_id, role="OWNER"))["user"]["role"] == "OWNER"


async def test_an_account_always_keeps_an_owner(served: Product, host: ApiClient) -> None:
    anna = id_of(served.here.anna)
    for document, variables in ((ROLE, {"who": anna, "role": "ADMIN"}), (DEACTIVATE, {"who": anna})):
        (error,) = (await told(host, document, **variables))["errors"]
        assert (error["code"], error["rule"], error["path"]) == ("VALIDATION", "LAST_OWNER", ["userId"])
    async with colleague(served, "Ben", Role.OWNER) as (_, ben_id):
        assert (await told(host, DEACTIVATE, who=ben_id))["user"]["state"] == "DEACTIVATED"
    assert codes(await told(host, ROLE, who=anna, role="MEMBER")) == ["VALIDATION"]


@pytest.mark.parametrize("database_url", BOTH_DATABASES, indirect=True)
async def test_two_owners_who_demote_each_other_at_once_leave_one(served: Product, host: ApiClient) -> None:
    anna = id_of(served.here.anna)
    async with colleague(served, "Ben", Role.OWNER) as (ben, ben_id):
        for _ in range(5):
            await asyncio.gather(told(host, ROLE, who=ben_id, role="ADMIN"), told(ben, ROLE, who=anna, role="ADMIN"))
            people = (await host.ask(PEOPLE, first=10))["viewer"]["account"]["users"]["nodes"]
            owners = [person["name"] for person in people if person["role"] == "OWNER"]
            assert len(owners) == 1
            (owner, other) = (host, ben_id) if owners == ["Anna Albers"] else (ben, anna)
            assert (await told(owner, ROLE, who=other, role="OWNER"))["errors"] == []


async def test_acc1_without_the_permission_nobody_connects_a_calendar(served: Product, host: ApiClient) -> None:
    async with colleague(served, "Ben") as (ben, ben_id):
        offered = (await ben.ask("{ viewer { calendarDisclosure(provider: GOOGLE) { version } } }"))["viewer"]
        start = {
            "provider": "GOOGLE",
            "acceptedDisclosure": offered["calendarDisclosure"]["version"],
            "returnTo": served.url,
        }
        assert (await told(host, ALLOW, who=ben_id, may=[]))["user"]["permissions"] == []
        (error,) = (await told(ben, START, input=start))["errors"]
        assert (error["code"], error["permission"]) == ("PERMISSION_MISSING", "PERSONAL_EMAIL_ACCESS")
        await told(host, ALLOW, who=ben_id, may=["PERSONAL_EMAIL_ACCESS"])
        assert (await told(ben, START, input=start))["errors"] == []


async def test_asp15_a_page_for_somebody_else_takes_the_permission(served: Product, host: ApiClient) -> None:
    for_anna = new_page("for-anna", organizerId=id_of(served.here.anna))
    async with colleague(served, "Ben") as (ben, ben_id):
        (error,) = (await told(ben, CREATE_PAGE, input=for_anna))["errors"]
        assert (error["code"], error["permission"]) == ("PERMISSION_MISSING", "CREATE_PAGES_FOR_OTHERS")
        await told(host, ALLOW, who=ben_id, may=["CREATE_PAGES_FOR_OTHERS"])
        page = (await told(ben, CREATE_PAGE, input=for_anna))["page"]
        assert page["slug"] == "for-anna"
        assert codes(await told(ben, UPDATE_PAGE, id=page["id"], input={"headline": "Mine?"})) == ["PERMISSION_MISSING"]


async def test_asp16_colleagues_see_pages_and_their_links_and_only_admins_edit_them(
    served: Product, host: ApiClient
) -> None:
    page = (await create(host, "anna/intro"))["page"]
    pages = "{ viewer { schedulingPages { nodes { id url } } } }"
    async with colleague(served, "Ben") as (ben, _), colleague(served, "Ada", Role.ADMIN) as (ada, _):
        assert (await ben.ask(pages))["viewer"]["schedulingPages"]["nodes"] == [{"id": page["id"], "url": page["url"]}]
        edit = {"id": page["id"], "input": {"headline": "Edited"}}
        assert codes(await told(ben, UPDATE_PAGE, **edit)) == ["PERMISSION_MISSING"]
        assert (await told(ada, UPDATE_PAGE, **edit))["page"]["headline"] == "Edited"


# ---- leaving --------------------------------------------------------------------------------------------------------


async def test_a_deactivated_person_is_out_at_once_and_cannot_be_booked(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    async with colleague(served, "Ben") as (ben, ben_id):
        assert (await create(ben, "anna/intro"))["errors"] == []
        await told(host, ASSIGN, hub="SALES", users=[ben_id])
        gone = (await told(host, DEACTIVATE, who=ben_id))["user"]
        assert (gone["state"], gone["seats"]) == ("DEACTIVATED", [])
        assert (await told(host, DEACTIVATE, who=ben_id))["errors"] == []
        with pytest.raises(TopLevelErrors) as refused:
            await ben.ask("mutation { updateSettings(input: { hour12: true }) { errors { code } } }")
        assert refused.value.codes == ["UNAUTHENTICATED"]
        assert codes(await told(visitor, BOOK, input=book(at("10:00")))) == ["BOOKING_BLOCKED"]
        assert (await told(host, REACTIVATE, who=ben_id))["user"]["state"] == "ACTIVE"
        with pytest.raises(TopLevelErrors):
            await ben.ask("mutation { updateSettings(input: { hour12: true }) { errors { code } } }")
        await ben.sign_in("ben@example.com")
        assert codes(await told(visitor, BOOK, input=book(at("10:00")))) == ["PAGE_OFFLINE"]


async def test_who_never_joined_is_invited_again_and_not_reactivated(served: Product, host: ApiClient) -> None:
    who, _ = await invited(served, host)
    await told(host, DEACTIVATE, who=who)
    assert codes(await told(host, REACTIVATE, who=who)) == ["VALIDATION"]
    assert (await told(host, AGAIN, who=who))["user"]["state"] == "INVITED"
    assert codes(await told(host, AGAIN, who=id_of(served.here.anna))) == ["VALIDATION"]


# ---- seats and lists ------------------------------------------------------------------------------------------------


async def test_seats_are_refused(served: Product, host: ApiClient) -> None:
    async with every_code_of(served, "assignSeats", elsewhere=[RACES]) as refused:
        error = await refused.one(host, ASSIGN, "VALIDATION", ["userIds", "0"], hub="SALES", users=["nonsense"])
        assert error["rule"] == "UNKNOWN"
        error = await refused.one(host, ASSIGN, "VALIDATION", ["hub"], hub="CMS", users=[])
        assert error["rule"] == "NOT_ONE_OF"


async def test_everybody_sees_who_belongs_to_the_account_page_by_page(served: Product, host: ApiClient) -> None:
    await invited(served, host)
    async with colleague(served, "Ben") as (ben, ben_id):
        await told(host, ASSIGN, hub="SERVICE", users=[ben_id])
        first = (await ben.ask(PEOPLE, first=2))["viewer"]["account"]["users"]
        rest = (await ben.ask(PEOPLE, first=2, after=first["pageInfo"]["endCursor"]))["viewer"]["account"]["users"]
    assert [(person["name"], person["state"], person["seats"]) for person in first["nodes"] + rest["nodes"]] == [
        ("Anna Albers", "ACTIVE", []),
        ("Cleo", "INVITED", []),
        ("Ben", "ACTIVE", ["SERVICE"]),
    ]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
