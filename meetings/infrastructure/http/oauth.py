"""Where a provider's consent page sends people back to (OA-1, OA-2)."""

import logging

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from meetings.application.connect_calendar import (
    ConnectionFailed,
    FinishedConnection,
    TokenInvalid,
    Wanted,
    finish_connection,
)
from meetings.application.sign_in_to_crm import CRM_NAME, finish_crm_sign_in
from meetings.domain.calendar_connection import Provider
from meetings.graphql.cookies import OAUTH_COOKIE, OAUTH_PATH
from meetings.infrastructure.http.html import language_of, message_page
from meetings.infrastructure.http.state import runtime_of

log = logging.getLogger(__name__)
router = APIRouter(prefix="/oauth")

_PROVIDERS = {provider.value.lower(): provider for provider in Provider}
_LONGEST = 4_096
"""Longer values are no state or code of ours or a provider's."""


@router.get(f"/{CRM_NAME}/callback")
async def came_back_from_crm(request: Request) -> Response:
    """The same for the CRM: `?hubspot=connected`, or `?hubspot=failed&reason=CODE`."""
    state, code, error = (_only(request, name) for name in ("state", "code", "error"))
    tools = runtime_of(request).toolbox
    try:
        return_to = await finish_crm_sign_in(
            state=state or "",
            code=code,
            error=error,
            browser_secret=request.cookies.get(OAUTH_COOKIE),
            begin=tools.begin,
            sign_in=tools.crm_sign_in,
            trips=tools.crm_trips,
            try_crm=tools.try_crm,
            clock=tools.clock,
        )
    except TokenInvalid:
        return _refused(request)
    except ConnectionFailed as failed:
        log.info("an account was not connected", extra={"wanted": failed.wanted.value, "reason": failed.reason})
        return _back(tools.links.with_query(failed.return_to, hubspot="failed", reason=failed.reason))
    return _back(tools.links.with_query(return_to, hubspot="connected"))


@router.get("/{provider}/callback")
async def came_back(provider: str, request: Request) -> Response:
    """Finish the connection and send the browser where it wanted to go, with how it went in the query.

    `?calendar=connected` or `?inbox=connected` or both, with `account=other` or `selection=reset` where that has to be
    said, or `?calendar=failed&reason=CODE`; the reason why a mailbox is not there is `inboxReason` beside a calendar
    that is. A team's mailbox is told as `channel`. Without a state of ours that this browser brought along nobody
    knows where it wanted to go: a plain page, 400.
    """
    known = _PROVIDERS.get(provider)
    state, code, error = (_only(request, name) for name in ("state", "code", "error"))
    tools = runtime_of(request).toolbox
    if known is None or known not in tools.providers or not state:
        return _refused(request)
    try:
        finished = await finish_connection(
            provider=known,
            state=state,
            code=code,
            error=error,
            browser_secret=request.cookies.get(OAUTH_COOKIE),
            begin=tools.begin,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            clock=tools.clock,
        )
    except TokenInvalid:
        return _refused(request)
    except ConnectionFailed as failed:
        log.info("an account was not connected", extra={"wanted": failed.wanted.value, "reason": failed.reason})
        said = {failed.wanted.value: "failed", "reason": failed.reason}
        return _back(tools.links.with_query(failed.return_to, **said))
    return _back(tools.links.with_query(finished.return_to, **_told(finished)))


def _told(finished: FinishedConnection) -> dict[str, str]:
    """What the page that the browser comes back to has to know."""
    said: dict[str, str] = {}
    if finished.channel is not None:
        return {Wanted.CHANNEL.value: "connected"}
    if finished.connection_id is not None:
        said[Wanted.CALENDAR.value] = "connected"
    elif finished.calendar_failed is not None:
        said |= {Wanted.CALENDAR.value: "failed", "reason": finished.calendar_failed}
    if finished.mailbox_id is not None:
        said[Wanted.INBOX.value] = "connected"
    elif finished.inbox_failed is not None:
        said |= {Wanted.INBOX.value: "failed", "inboxReason": finished.inbox_failed}
    if finished.other_account:
        said["account"] = "other"
    if not finished.selection_kept:
        said["selection"] = "reset"
    return said


def _only(request: Request, name: str) -> str | None:
    """A query value that is there exactly once and not absurdly long."""
    values = request.query_params.getlist(name)
    return values[0] if len(values) == 1 and len(values[0]) <= _LONGEST else None


def _back(address: str) -> Response:
    answer = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
    answer.delete_cookie(OAUTH_COOKIE, path=OAUTH_PATH)
    return answer


def _refused(request: Request) -> Response:
    return message_page("connection_refused", language_of(request), status=400)
