"""The page that is meant where none is named: S4, S47, S51."""

from typing import Any

from tests.api.gates import RENDER, SET_DEFAULT, codes, create
from tests.api.refusals import every_code_of
from tests.product import ApiClient, Product

TEMPLATE = "Hello,\n\nbook a time: {{ meeting_link }}\n\nor here: {{meeting_link}}\n{{ sender_name }}"
PAGES = "query($own: ID!) { viewer { schedulingPages(organizerId: $own) { nodes { id isDefault } } } }"
ARCHIVE = "mutation($id: ID!) { archiveSchedulingPage(id: $id) { errors { code } } }"


async def render(host: ApiClient, template: str = TEMPLATE) -> dict[str, Any]:
    payload: dict[str, Any] = (await host.ask(RENDER, template=template))["renderEmailTemplate"]
    return payload


async def test_s47_the_default_page_is_the_link_in_mails_and_rendered_mails_keep_theirs(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    first, second = [(await create(host, slug))["page"] for slug in ("anna/first", "anna/second")]
    before = (await render(host))["text"]
    assert before == f"Hello,\n\nbook a time: {first['url']}\n\nor here: {first['url']}\nAnna Albers"
    chosen = (await host.ask(SET_DEFAULT, id=second["id"]))["setDefaultSchedulingPage"]
    assert (chosen["errors"], chosen["page"]["isDefault"]) == ([], True)
    assert (await render(host))["text"] == before.replace(first["url"], second["url"])
    for url in (first["url"], second["url"]):
        assert (await visitor.http.get(url)).status_code == 200


async def test_s4_and_s51_exactly_one_of_ones_own_pages_is_the_default(served: Product, host: ApiClient) -> None:
    pages = [(await create(host, f"anna/{number}"))["page"]["id"] for number in range(3)]
    ben = await served.here.add_colleague("Ben", "ben@example.com")
    own = (await host.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    for page in pages:
        await host.ask(SET_DEFAULT, id=page)
        listed = (await host.ask(PAGES, own=own))["viewer"]["schedulingPages"]["nodes"]
        assert [each["id"] for each in listed] == pages
        assert [each["id"] for each in listed if each["isDefault"]] == [page]
    await served.here.page("ben/intro", owner=ben)
    async with served.visitor() as other:
        await other.sign_in("ben@example.com")
        bens = (await other.ask("{ viewer { defaultSchedulingPage { id } } }"))["viewer"]["defaultSchedulingPage"]["id"]
    await host.ask(ARCHIVE, id=pages[0])
    for bad in (bens, pages[0], "nonsense"):
        assert codes((await host.ask(SET_DEFAULT, id=bad))["setDefaultSchedulingPage"]) == ["VALIDATION"]


async def test_rendering_is_refused(served: Product, host: ApiClient) -> None:
    async with every_code_of(served, "renderEmailTemplate") as refused:
        await refused.one(host, RENDER, "PAGE_NOT_FOUND", ["template"], template=TEMPLATE)
        assert (await render(host, "{{ sender_email }}"))["text"] == "anna@example.com"
        error = await refused.one(host, RENDER, "VALIDATION", ["template"], template="{{ meetings_link }}")
        assert error["rule"] == "UNKNOWN_TOKEN"
        assert "meeting_link" in error["message"]
        error = await refused.one(host, RENDER, "VALIDATION", ["template"], template="x" * 50_001)
        assert error["rule"] == "TOO_LONG"
