"""What HubSpot's refusals mean.

Sources: "Error handling" and "API usage guidelines" of HubSpot's developer documentation.
"""

import json
from collections.abc import Mapping
from typing import Any

from meetings.application.ports.calendars import (
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from meetings.application.ports.crm import CrmAccessLost, RecordRefused

DAILY_PAUSE = 900.0
"""Seconds until the next try when the day's calls are used up; when the day ends there is not told."""
LOCKED_PAUSE = 2.0


class NotThere(RecordRefused):
    """There is no such object (404)."""


class Conflict(ProviderUnavailable):
    """Somebody made it at the same moment, or it is there already (409)."""


class TokenRejected(CrmAccessLost):
    """HubSpot does not accept the access token (401); of a sign-in there may be a newer one."""


class GrantNotTaken(ProviderError):
    """The code or refresh token is used, expired, taken back or not ours."""


def refusal(status: int, headers: Mapping[str, str], body: str | None) -> ProviderError:
    """The error that an answer stands for. Its text repeats no value, only names of properties."""
    told = _read(body)
    if status == 401:
        return TokenRejected("HubSpot does not accept the access token")
    if status == 403:
        return CrmAccessLost("HubSpot grants too little")
    if status == 429:
        return RateLimited("HubSpot wants fewer calls", retry_after=_pause(headers, told))
    if status == 423:
        return RateLimited("HubSpot has locked what is to be changed", retry_after=LOCKED_PAUSE)
    if status == 409:
        return Conflict("HubSpot has it already")
    if status == 404:
        return NotThere("HubSpot has no such object")
    if 400 <= status < 500 and status not in (408, 477):
        return RecordRefused(f"HubSpot does not accept {', '.join(_properties(told)) or 'the record'}")
    return ProviderUnavailable(f"HubSpot answered {status}")


def refusal_of_grant(status: int, headers: Mapping[str, str], body: str | None) -> ProviderError:
    """The same for the server that trades codes and tokens: RFC 6749, 5.2, beside the words HubSpot had before. What is
    wrong with our own client says nothing about anybody's grant."""
    told = _read(body)
    if status == 429:
        return RateLimited("HubSpot wants fewer calls", retry_after=_pause(headers, told))
    if told.get("error") == "invalid_grant" or told.get("status") in ("BAD_REFRESH_TOKEN", "BAD_AUTH_CODE"):
        return GrantNotTaken("HubSpot does not take the grant")
    if told.get("error") in ("invalid_client", "unauthorized_client"):
        return ProviderUnavailable("HubSpot does not know our client")
    return ProviderUnavailable(f"HubSpot answered {status}")


def _pause(headers: Mapping[str, str], told: Mapping[str, Any]) -> float:
    given = next((value for name, value in headers.items() if name.casefold() == "retry-after"), "")
    if given.isdigit():
        return float(given)
    policy = str(told.get("policyName", ""))
    if policy == "DAILY":
        return DAILY_PAUSE
    return 1.0 if policy == "SECONDLY" else 10.0


def _read(body: str | None) -> Mapping[str, Any]:
    try:
        told = json.loads(body or "")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _properties(told: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for each in told.get("errors") or ():
        context = each.get("context") if isinstance(each, dict) else None
        names = context.get("propertyName") if isinstance(context, dict) else None
        found += [name for name in names or () if isinstance(name, str) and name.isidentifier()]
    return sorted(set(found))
