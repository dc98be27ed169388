"""Where providers call when a calendar changed (SY-2, SY-5)."""

from fastapi import APIRouter, Request, Response

from meetings.application.plan_sync import take_notice
from meetings.infrastructure.http.state import runtime_of
from meetings.infrastructure.providers import REGISTRY

router = APIRouter(prefix="/webhooks")

_PROVIDERS = {provider.value.lower(): registered for provider, registered in REGISTRY.items()}


@router.post("/{provider}")
async def notified(provider: str, request: Request) -> Response:
    """202 once it is written down that the calendar has to be read; the reading happens elsewhere.

    404, and no work, for a call that names no channel of ours with its secret. When it cannot be written down the
    answer is a 5xx, so that the provider calls again.
    """
    registered = _PROVIDERS.get(provider)
    notice = registered.notice_in(request.headers) if registered else None
    if notice is None:
        return Response(status_code=404)
    if notice.greeting:
        return Response(status_code=202)
    known = await take_notice(notice.channel_id, notice.secret, schedule=runtime_of(request).toolbox.schedule)
    return Response(status_code=202 if known else 404)
