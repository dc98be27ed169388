"""The outside of an answer: its status and headers, before anybody looks into it. Pure."""

import re

from requests import Response

from meetings.adapters.exchange.refusals import Refused

WEB_PAGE = "WebPage"
"""An answer for people: the sign-in page of Outlook on the web, or one of a gateway before it."""

UNAUTHORIZED = "HTTP401"
APP_PASSWORD, LOCKED, EXPIRED, DISABLED = (
    f"{UNAUTHORIZED}.{why}" for why in ("AppPassword", "Locked", "Expired", "Disabled")
)

# What servers and the gateways before them say in a 401, in headers or in the page that comes along. There is no
# standard for it: these are the words of public reports, and one that is missing means only a plain 401.
_HINTS = (
    (
        APP_PASSWORD,
        re.compile(rb"app[- ]?password|multi-?factor|two-?factor|second factor|\bmfa\b|AADSTS5007[69]", re.I),
    ),
    (LOCKED, re.compile(rb"locked out|account is locked|0xC0000234|ERROR_ACCOUNT_LOCKED_OUT", re.I)),
    (EXPIRED, re.compile(rb"password (?:has )?(?:is )?expired|must change|0xC0000071|0xC0000224", re.I)),
    (DISABLED, re.compile(rb"account is (?:currently )?disabled|0xC0000072", re.I)),
)
_TOLD_IN = ("WWW-Authenticate", "X-MS-Diagnostics", "MS-Diagnostics-Public", "X-CasErrorCode", "X-Auth-Error")
_LONGEST_PAGE = 64 * 1024


def check_answer(answer: Response) -> None:
    """Pass answers of the web service: 200, and the 500 that carries a SOAP fault.

    Raises:
        Refused: any other.
    """
    kind = answer.headers.get("Content-Type", "").lower()
    if answer.status_code in (200, 500) and "xml" in kind:
        return
    if answer.status_code == 200 or 300 <= answer.status_code < 400:
        raise Refused(WEB_PAGE)
    if answer.status_code == 401:
        raise Refused(_unauthorized(answer))
    raise Refused.by_status(answer.status_code, answer.headers.get("Retry-After", "") or None)


def _unauthorized(answer: Response) -> str:
    told = [answer.headers.get(name, "").encode() for name in _TOLD_IN]
    page = b"\n".join([*told, answer.content[:_LONGEST_PAGE]])
    return next((code for code, hint in _HINTS if hint.search(page)), UNAUTHORIZED)


def offered(answer: Response) -> frozenset[str]:
    """The ways to sign in that a 401 offers, in lower case. requests joins repeated headers by commas."""
    told = re.sub(r'"[^"]*"', "", answer.headers.get("WWW-Authenticate", ""))
    return frozenset(part.split()[0].lower() for part in told.split(",") if part.split() and "=" not in part.split()[0])
