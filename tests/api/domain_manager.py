"""Domains in conversations: documents, and the steps everybody takes."""

from typing import Any

from meetings.infrastructure.demo.name_server import NameServer
from tests.api.documents import ERRORS
from tests.product import ApiClient, Product

DOMAIN = (
    "domain { id host state record { type name value } isPrimary indexingAllowed robotsHint "
    "connectedAt checkedAt missingSince }"
)
ADD = f"mutation($host: String!) {{ addDomain(host: $host) {{ {DOMAIN} {ERRORS} }} }}"
CHECK = f"mutation($id: ID!) {{ checkDomain(id: $id) {{ {DOMAIN} {ERRORS} }} }}"
PRIMARY = f"mutation($id: ID!) {{ setPrimaryDomain(id: $id) {{ {DOMAIN} {ERRORS} }} }}"
INDEXING = (
    "mutation($id: ID!, $allowed: Boolean!) { setDomainIndexing(id: $id, allowed: $allowed) "
    f"{{ {DOMAIN} {ERRORS} }} }}"
)
REMOVE = f"mutation($id: ID!) {{ removeDomain(id: $id) {{ removedId {ERRORS} }} }}"
CHOOSE = (
    "mutation($domain: String!) { setMeetingDomain(domain: $domain) "
    f"{{ domains {{ domain standard isDefault robotsHint }} {ERRORS} }} }}"
)
CHOICES = "{ viewer { meetingDomains { domain standard isDefault robotsHint } } }"
DOMAINS = "{ viewer { domains { id host state isPrimary missingSince } } }"
URLS = "{ viewer { schedulingPages { nodes { slug url } } } }"
PUBLIC_AT = "query($at: PageAddress!) { publicSchedulingPage(at: $at) { url headline } }"


async def tell(client: ApiClient, document: str, **variables: object) -> dict[str, Any]:
    """The payload of the one mutation in a document."""
    [payload] = (await client.ask(document, **variables)).values()
    assert isinstance(payload, dict)
    return payload


async def claim(host: ApiClient, name: str) -> dict[str, Any]:
    """A claim on a domain, with the record it wants."""
    told = await tell(host, ADD, host=name)
    assert told["errors"] == []
    found: dict[str, Any] = told["domain"]
    return found


async def connect(host: ApiClient, dns: NameServer, name: str) -> dict[str, Any]:
    """A connected domain: claimed, the record set, looked up."""
    domain = await claim(host, name)
    dns.set(domain["record"]["name"], domain["record"]["value"])
    told = await tell(host, CHECK, id=domain["id"])
    assert told["errors"] == []
    found: dict[str, Any] = told["domain"]
    return found


def host_of(served: Product, name: str) -> str:
    """What a browser sends as `Host` for a name that leads to this server."""
    return f"{name}:{served.url.rpartition(':')[2]}"


def at_host(served: Product, name: str) -> ApiClient:
    """A visitor who came by a name."""
    return served.visitor(Host=host_of(served, name))


async def choices(host: ApiClient) -> list[tuple[str, bool, bool]]:
    """Domain, standard, default of each choice."""
    found = (await host.ask(CHOICES))["viewer"]["meetingDomains"]
    return [(each["domain"], each["standard"], each["isDefault"]) for each in found]


async def urls(host: ApiClient) -> list[str]:
    return [page["url"] for page in (await host.ask(URLS))["viewer"]["schedulingPages"]["nodes"]]
