"""The page behind the last line of a sequence's mails: no more of them. Works without scripts.

Following the link changes nothing, for mail scanners follow links; the button does, and so does the button of a mail
program, which posts to the same address without anything of ours (RFC 8058).
"""

from fastapi import APIRouter, Request, Response

from meetings.application.unsubscribing import unsubscribe, unsubscription_of
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.infrastructure.http.html import language_of, message_page, page
from meetings.infrastructure.http.state import runtime_of
from meetings.infrastructure.http.words import WORDS

router = APIRouter(prefix="/unsubscribe")

_TRIES = 5


@router.get("/{token}")
async def show(token: str, request: Request) -> Response:
    """The button."""
    language = language_of(request)
    if unsubscription_of(token, runtime_of(request).toolbox.links.tokens) is None:
        return message_page("unknown", language, status=404)
    return page("unsubscribe.html", language, title=WORDS[language]["unsubscribe_title"], token=token)


@router.post("/{token}")
async def end(token: str, request: Request) -> Response:
    """End all sequences of whoever got the mail; again is fine."""
    tools, language = runtime_of(request).toolbox, language_of(request)
    who = unsubscription_of(token, tools.links.tokens)
    if who is None:
        return message_page("unknown", language, status=404)
    for attempt in range(1, _TRIES + 1):
        try:
            await unsubscribe(who, begin=tools.begin_as("contact"), clock=tools.clock)
            break
        except NotFound:
            return message_page("unknown", language, status=404)
        except ConcurrentChange:
            if attempt == _TRIES:
                raise
    return message_page("unsubscribed", language, status=200)
