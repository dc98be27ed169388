"""What an answer of Google that is not a success means for us.

Sources: "Handle API errors" (Calendar API guides) and "Resolve errors" (Gmail API guides) for statuses and reasons,
RFC 6749 5.2 for the token endpoint, RFC 9110 10.2.3 for Retry-After; the rest was seen in public reports of the client
libraries.
"""

import json
from datetime import datetime
from enum import Enum

from meetings.application.ports.calendars import (
    CalendarUnreadable,
    CodeRejected,
    CursorExpired,
    EventRefused,
    EventRemoved,
    MailboxNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)
from meetings.application.ports.mail_accounts import MailNotAccepted
from meetings.application.ports.provider_answers import retry_after_seconds, word


class Asked(Enum):
    """What a call was about; the same status means different things."""

    ACCOUNT = "ACCOUNT"
    CALENDAR = "CALENDAR"
    CHANGES = "CHANGES"
    EVENT = "EVENT"
    CHANNEL = "CHANNEL"
    MAILBOX = "MAILBOX"
    HISTORY = "HISTORY"
    SENDING = "SENDING"
    CODE = "CODE"
    REFRESH = "REFRESH"


class Refused(Exception):
    """Google answered, and it was no success. `reason` is its word for why, `retry_after` the raw header.

    Stays inside this folder: callers of the port see what `as_provider_error` makes of it.
    """

    def __init__(self, status: int, reason: str | None = None, retry_after: str | None = None) -> None:
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(f"Google answered {status} ({reason or 'no reason given'})")

    @property
    def access_token_rejected(self) -> bool:
        """A new access token may help. A push address that is not accepted is a 401 too, but of another kind."""
        return self.status == 401 and not (self.reason or "").startswith("push.")

    @property
    def says_gone(self) -> bool:
        """Google itself says that there is no such thing, or not any more."""
        return self.status in (404, 410) and self.reason is not None


_RATE = frozenset(
    "rateLimitExceeded userRateLimitExceeded quotaExceeded dailyLimitExceeded concurrentLimitExceeded"
    " calendarLimitExceeded RATE_LIMIT_EXCEEDED".split()
)
# The person has to tick a box, get a calendar or be let in again; no retry of ours changes that.
_PERSON = frozenset(
    "insufficientPermissions ACCESS_TOKEN_SCOPE_INSUFFICIENT notACalendarUser accountDeleted accountDisabled"
    " accountUnverified domainPolicy".split()
)
# The operator has to mend the project: no calendar should look lost meanwhile.
_OPERATOR = frozenset("accessNotConfigured SERVICE_DISABLED keyInvalid ipRefererBlocked".split())
_NO_ACCESS = frozenset("forbidden requiredAccessLevel notFound PERMISSION_DENIED".split())
_LOST_GRANT = frozenset("invalid_grant unauthorized_client access_denied admin_policy_enforced".split())

_BY_STATUS: dict[tuple[Asked, int], type[ProviderError]] = {
    (Asked.CALENDAR, 403): CalendarUnreadable,
    (Asked.CALENDAR, 404): CalendarUnreadable,
    (Asked.CALENDAR, 410): CursorExpired,
    (Asked.CHANGES, 400): CursorExpired,
    (Asked.CHANGES, 403): CalendarUnreadable,
    (Asked.CHANGES, 404): CalendarUnreadable,
    (Asked.CHANGES, 410): CursorExpired,
    (Asked.EVENT, 400): EventRefused,
    (Asked.EVENT, 403): EventRefused,
    (Asked.EVENT, 404): CalendarUnreadable,
    (Asked.EVENT, 410): EventRemoved,
    (Asked.EVENT, 413): EventRefused,
    (Asked.CHANNEL, 400): EventRefused,
    (Asked.CHANNEL, 401): EventRefused,
    (Asked.CHANNEL, 403): CalendarUnreadable,
    (Asked.CHANNEL, 404): CalendarUnreadable,
    (Asked.HISTORY, 400): CursorExpired,
    (Asked.HISTORY, 404): CursorExpired,
    (Asked.SENDING, 400): MailNotAccepted,
    (Asked.SENDING, 413): MailNotAccepted,
}
_MAIL = frozenset({Asked.MAILBOX, Asked.HISTORY, Asked.SENDING})


def as_provider_error(refused: Refused, asked: Asked, now: datetime) -> ProviderError:
    """The port's error for an answer. Whatever is not known to be final is `ProviderUnavailable`.

    A 401 arrives here only after a fresh access token was tried: that is Google's trouble, because a lost grant shows
    itself when refreshing. An error without a reason is not Google's but of something in between, and says nothing
    about a calendar. A dead cursor is a 410, or a 400 when it cannot even be read.
    """
    text, status, reason = str(refused), refused.status, refused.reason
    if status == 429 or (status == 403 and reason in _RATE) or (status == 503 and refused.retry_after):
        return RateLimited(text, retry_after=retry_after_seconds(refused.retry_after, now))
    if reason is None:
        return ProviderUnavailable(text)
    if asked is Asked.CODE:
        return CodeRejected(text) if status == 400 else ProviderUnavailable(text)
    if asked is Asked.REFRESH:
        lost = 400 <= status <= 403 and reason in _LOST_GRANT
        return ReauthorizationNeeded(text) if lost else ProviderUnavailable(text)
    if refused.access_token_rejected:
        return ProviderUnavailable(text)
    if status == 403 and reason in _PERSON:
        return ReauthorizationNeeded(text)
    if status == 403 and reason in _OPERATOR:
        return ProviderUnavailable(text)
    if asked in _MAIL and status == 400 and reason == "failedPrecondition":
        # "Mail service not enabled" (seen in public reports): an account of Google without Gmail.
        return MailboxNotFound(text)
    if asked is Asked.EVENT and status == 403 and reason in _NO_ACCESS:
        return CalendarUnreadable(text)
    return _BY_STATUS.get((asked, status), ProviderUnavailable)(text)


def free_busy_error(reason: str) -> ProviderError:
    """Why one calendar is missing from a free/busy answer of 200 (Freebusy resource, `errors[].reason`)."""
    text = f"Google cannot tell free/busy ({word(reason)})"
    return CalendarUnreadable(text) if reason in ("notFound", "forbidden") else ProviderUnavailable(text)


def reason_in(content: bytes) -> str | None:
    """Google's word for why, from the body of an error in one of its three forms; None when there is none.

    `{"error": {"errors": [{"reason": ...}]}}` (Calendar), `{"error": {"status": ...}}` (the gate before it) and
    `{"error": "invalid_grant"}` (OAuth).
    """
    try:
        error = json.loads(content)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if isinstance(error, str):
        return word(error)
    details = error.get("errors") if isinstance(error, dict) else None
    first = details[0] if isinstance(details, list) and details else {}
    found = (first.get("reason") if isinstance(first, dict) else None) or (
        error.get("status") if isinstance(error, dict) else None
    )
    return word(found) if isinstance(found, str) else None
