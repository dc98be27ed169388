"""Where what is stored of a person is fetched, by a link that owners and admins ask for."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from meetings.application.export_person import read_export
from meetings.domain.base import NotFound
from meetings.infrastructure.http.state import runtime_of

router = APIRouter(prefix="/exports")

_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@router.get("/{token}")
async def export(request: Request, token: str) -> Response:
    """The document as a file; 404 for every other link."""
    tools = runtime_of(request).toolbox
    try:
        document = await read_export(
            token,
            begin=tools.begin_as("link"),
            look=tools.look,
            crm_of=tools.crm_of,
            links=tools.links,
            clock=tools.clock,
        )
    except NotFound:
        return PlainTextResponse("There is nothing here (any more). Please ask for a new link.", 404, _HEADERS)
    return JSONResponse(document, headers={**_HEADERS, "Content-Disposition": 'attachment; filename="person.json"'})
