"""Which mail domains are the organisation's own, set by its admins (A-CR1)."""

from meetings.domain.blocked_addresses import MOST_BLOCKED
from tests.api.documents import INTERNAL_DOMAINS
from tests.api.refusals import every_code_of
from tests.product import ApiClient, Product

RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py


async def test_an_admin_sets_the_domains_of_the_organisation(served: Product, host: ApiClient) -> None:
    ask = "{ viewer { account { internalDomains } } }"
    assert (await host.ask(ask))["viewer"]["account"] == {"internalDomains": []}
    changed = (
        await host.ask(INTERNAL_DOMAINS, domains=["Sub.Group.example.", "b\u00fccher.example", "group.example"])
    )["setInternalDomains"]
    expected = {"internalDomains": ["group.example", "sub.group.example", "xn--bcher-kva.example"]}
    assert changed == {"account": expected, "errors": []}
    assert (await host.ask(ask))["viewer"]["account"] == expected
    assert (await host.ask(INTERNAL_DOMAINS, domains=[]))["setInternalDomains"]["account"] == {"internalDomains": []}


async def test_what_is_no_domain_is_refused_and_so_is_who_may_not(served: Product, host: ApiClient) -> None:
    async with every_code_of(served, "setInternalDomains", elsewhere=[RACES]) as refused:
        for wrong in (["eve@group.example"], ["no domain"], [""]):
            await refused.one(host, INTERNAL_DOMAINS, "VALIDATION", ["domains", "1"], domains=["group.example", *wrong])
        many = [f"group{number}.example" for number in range(MOST_BLOCKED + 1)]
        await refused.one(host, INTERNAL_DOMAINS, "VALIDATION", ["domains"], domains=many)
        await served.here.add_colleague("Cleo", "cleo@example.com")
        async with ApiClient(served.url) as cleo:
            await cleo.sign_in("cleo@example.com")
            await refused.one(cleo, INTERNAL_DOMAINS, "PERMISSION_MISSING", domains=[])
    assert (await host.ask("{ viewer { account { internalDomains } } }"))["viewer"]["account"] == {
        "internalDomains": []
    }
