"""What search engines and a proxy that makes certificates ask about our names."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from meetings.application.links import host_and_port
from meetings.domain.web_domain import ROBOTS_LINE, web_host
from meetings.infrastructure.http.state import runtime_of, site_of

router = APIRouter()


@router.get("/robots.txt")
async def robots(request: Request) -> PlainTextResponse:
    """Pages may be indexed unless the owner of a custom domain turned that off (S70), manage links never (RFC 9309)."""
    domain = site_of(request).domain
    lines = ["User-agent: *", "Disallow: /b/"]
    if domain is not None and not domain.indexed:
        lines.append(ROBOTS_LINE)
    return PlainTextResponse("\n".join(lines) + "\n", headers={"Cache-Control": "max-age=300"})


@router.get("/tls/ask")
async def may_have_certificate(request: Request, domain: str = "") -> PlainTextResponse:
    """Whether a certificate may be made for a name: 200 for our own and for connected domains, else 404.

    Caddy asks so before it makes one on demand, with the name as `domain` (its global option `on_demand_tls`, `ask`).
    """
    tools = runtime_of(request).toolbox
    name = web_host(domain)
    own = {named[0] for host in tools.links.standard_hosts if (named := host_and_port(host, tools.links.public_url))}
    good = name is not None and (name in own or await tools.reads.connected_domain(name) is not None)
    return PlainTextResponse("", 200 if good else 404)
