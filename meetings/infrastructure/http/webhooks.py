"""Where providers call when a calendar changed (SY-2, SY-5)."""

from fastapi import APIRouter, Request, Response

from meetings.application.plan_sync import take_notice
from meetings.application.ports.calendars import PushCall
from meetings.infrastructure.http.state import runtime_of
from meetings.infrastructure.providers import REGISTRY

router = APIRouter(prefix="/webhooks")

_PROVIDERS = {provider.value.lower(): registration for provider, registration in REGISTRY.items()}
_NOTHING_HERE = 404


@router.post("/{provider}")
async def notified(provider: str, request: Request) -> Response:
    """202 once it is written down that the calendar has to be read; the reading happens elsewhere.

    404, and no work, for a call that names no channel of ours with its secret. When it cannot be written down the
    answer is a 5xx, so that the provider calls again. A provider that wants to see that somebody is here gets its
    text back, as plain text that no browser takes for a page.
    """
    registration = _PROVIDERS.get(provider)
    if registration is None or registration.read_push is None:
        return Response(status_code=_NOTHING_HERE)
    call = PushCall(dict(request.headers), dict(request.query_params), await request.body())
    message = registration.read_push(call)
    if message is None:
        return Response(status_code=_NOTHING_HERE)
    if message.echo is not None:
        return Response(message.echo, media_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})
    schedule = runtime_of(request).toolbox.schedule
    known = [await take_notice(notice, schedule=schedule) for notice in message.notices]
    return Response(status_code=202 if any(known) else _NOTHING_HERE)
