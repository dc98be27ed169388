"""What an answer of Microsoft that is not a success means for us.

Sources: "Microsoft Graph error responses and resource types", "Microsoft Graph throttling guidance" and "Entra
authentication and authorization error codes" (Microsoft's documentation), RFC 6749 5.2, RFC 9110 10.2.3 for
Retry-After; what mailboxes that are elsewhere answer was seen in public reports (microsoft-graph-docs, issues 4340,
5146, 6869).
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from meetings.application.ports.calendars import (
    AccessNotGranted,
    AuthorizationDenied,
    CalendarUnreadable,
    CodeRejected,
    CursorExpired,
    EventRefused,
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
    NEW_EVENT = "NEW_EVENT"
    EVENT = "EVENT"
    CHANNEL = "CHANNEL"
    MAIL = "MAIL"
    NEW_MAIL = "NEW_MAIL"
    MAIL_CHANGES = "MAIL_CHANGES"


class Refused(Exception):
    """Graph answered, and it was no success. `code` is its word for why, `retry_after` the raw header.

    `claims` says that Entra wants to see the person again ("Claims challenges"), `elsewhere` that there is a mailbox
    which is not in the cloud. Stays inside this folder: callers of the port see what `as_provider_error` makes of it.
    """

    def __init__(
        self,
        status: int,
        code: str | None = None,
        retry_after: str | None = None,
        *,
        claims: bool = False,
        elsewhere: bool = False,
    ) -> None:
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.claims = claims
        self.elsewhere = elsewhere
        super().__init__(f"Microsoft Graph answered {status} ({code or 'no code given'})")

    @property
    def says_gone(self) -> bool:
        """Graph itself says that there is no such thing, or not any more."""
        return self.status in (404, 410) and self.code is not None and self.code not in _NO_MAILBOX


# Beside the mailbox that was never made, also one without a licence, and one of a guest from another organisation.
_NO_MAILBOX = frozenset(
    "MailboxNotEnabledForRESTAPI MailboxNotSupportedForRESTAPI MailboxNotHostedInExchangeOnline ResourceNotFound"
    " ErrorNonExistentMailbox ErrorMailboxNotFound ErrorMissingEmailAddress ErrorNoMailbox MailboxNotFound".split()
)
# Of a mailbox it says that it "could not be discovered"; of a subscription, that there is none.
_NO_CHANNEL = (Asked.CHANNEL, "ResourceNotFound")
_MOVING = frozenset("ErrorMailboxMoveInProgress MailboxNotHostedInExchangeOnline".split())
# Not the words "either inactive, soft-deleted, or is hosted on-premise": who never had a mailbox gets them too.
_ELSEWHERE = re.compile(r"REST API is not (yet )?(supported|enabled)|migrat", re.IGNORECASE)
# The calendar is fine; the account as a whole has not granted enough, or its organisation forbids it.
_PERSON = frozenset("Authorization_RequestDenied AccessRestrictedByAdmin ErrorAccountDisabled".split())

_NO_ID = frozenset("ErrorInvalidIdMalformed ErrorInvalidIdEmpty ErrorInvalidId".split())
_OF_A_CALENDAR = (Asked.CALENDAR, Asked.NEW_EVENT, Asked.CHANNEL)

_BY_STATUS: dict[tuple[Asked, int], type[ProviderError]] = {
    (Asked.ACCOUNT, 403): ReauthorizationNeeded,
    (Asked.CALENDAR, 403): CalendarUnreadable,
    (Asked.CALENDAR, 404): CalendarUnreadable,
    (Asked.CHANGES, 400): CursorExpired,
    (Asked.CHANGES, 403): CalendarUnreadable,
    (Asked.CHANGES, 404): CalendarUnreadable,
    (Asked.CHANGES, 410): CursorExpired,
    (Asked.CALENDAR, 410): CursorExpired,
    (Asked.NEW_EVENT, 400): EventRefused,
    (Asked.NEW_EVENT, 403): CalendarUnreadable,
    (Asked.NEW_EVENT, 404): CalendarUnreadable,
    (Asked.NEW_EVENT, 413): EventRefused,
    (Asked.EVENT, 400): EventRefused,
    (Asked.EVENT, 403): CalendarUnreadable,
    (Asked.EVENT, 413): EventRefused,
    (Asked.CHANNEL, 400): EventRefused,
    (Asked.CHANNEL, 403): CalendarUnreadable,
    (Asked.CHANNEL, 404): CalendarUnreadable,
    (Asked.MAIL, 403): ReauthorizationNeeded,
    (Asked.NEW_MAIL, 400): MailNotAccepted,
    (Asked.NEW_MAIL, 403): ReauthorizationNeeded,
    (Asked.NEW_MAIL, 413): MailNotAccepted,
    (Asked.MAIL_CHANGES, 400): CursorExpired,
    (Asked.MAIL_CHANGES, 403): ReauthorizationNeeded,
    (Asked.MAIL_CHANGES, 410): CursorExpired,
}
# What a mailbox may send in a day is used up, or Microsoft wants to see its owner first (seen in public reports).
_ENOUGH_SENT = frozenset("ErrorExceededMessageLimit ErrorSubmissionQuotaExceeded".split())
_NOT_TAKEN = frozenset("ErrorInvalidRecipients ErrorMessageSizeExceeded ErrorSendAsDenied".split())
_DEAD_CURSOR = frozenset("syncstatenotfound syncstateinvalid resyncrequired".split())


def as_provider_error(refused: Refused, asked: Asked, now: datetime) -> ProviderError:
    """The port's error for an answer. Whatever is not known to be final is `ProviderUnavailable`.

    A 401 arrives here only after a fresh access token was tried: with a claims challenge only the person can help,
    otherwise it is Microsoft's trouble, because a lost grant shows itself when refreshing. An error without a code is
    not Graph's but of something in between, and says nothing about a calendar. An event that was there a moment ago and
    is not any more (404), or not as it was (412), is looked at again by whoever repeats the write.
    """
    text, status, code = str(refused), refused.status, refused.code
    if status in (429, 509) or (status == 503 and refused.retry_after):
        return RateLimited(text, retry_after=retry_after_seconds(refused.retry_after, now))
    if status == 401:
        return ReauthorizationNeeded(text) if refused.claims else ProviderUnavailable(text)
    if code is None:
        return ProviderUnavailable(text)
    if code in _MOVING or (code in _NO_MAILBOX and 400 <= status < 500 and (asked, code) != _NO_CHANNEL):
        return MailboxNotFound(text, hybrid=refused.elsewhere or code in _MOVING)
    if code.lower() in _DEAD_CURSOR:
        return CursorExpired(text)
    if asked is Asked.NEW_MAIL and code in _ENOUGH_SENT:
        return RateLimited(text)
    if asked is Asked.NEW_MAIL and code in _NOT_TAKEN:
        return MailNotAccepted(text)
    if code in _NO_ID and asked in _OF_A_CALENDAR:
        return CalendarUnreadable(text)
    if status == 403 and code in _PERSON:
        return ReauthorizationNeeded(text)
    return _BY_STATUS.get((asked, status), ProviderUnavailable)(text)


def refused(status: int, headers: Mapping[str, str], content: bytes) -> Refused:
    """An answer that is no success, read; `headers` with names in lower case. Its message is not kept: it may name
    people."""
    error = _error_in(content)
    code, message = error.get("code"), str(error.get("message", ""))
    challenge = headers.get("www-authenticate", "")
    return Refused(
        _status_within(message, status) if code == "ExtensionError" else status,
        code=word(code) if isinstance(code, str) and code else None,
        retry_after=headers.get("retry-after"),
        claims="claims=" in challenge or "insufficient_claims" in challenge,
        elsewhere=_ELSEWHERE.search(message) is not None,
    )


def _error_in(content: bytes) -> Mapping[str, Any]:
    try:
        error = json.loads(content)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    return error if isinstance(error, dict) else {}


def _status_within(message: str, status: int) -> int:
    """Subscriptions wrap what the mailbox said: "Operation: Create; Exception: [Status Code: NotFound; ...]"."""
    found = re.search(r"Status Code: (NotFound|Forbidden)\b", message)
    return {"NotFound": 404, "Forbidden": 403}[found[1]] if found else status


_ASK_AGAIN = frozenset("invalid_grant interaction_required login_required consent_required".split())
# The app was taken out of the organisation, or never let in: signing in again, and approving it, is what helps.
_APP_GONE = frozenset({700016, 650052, 650053})


def refresh_error(answer: Mapping[str, Any] | None) -> ProviderError:
    """Why Entra gives no new access token; None: there is nothing to ask it with."""
    if answer is None:
        return ReauthorizationNeeded("the stored credentials hold nothing to refresh with")
    lost = answer.get("error") in {*_ASK_AGAIN, "access_denied"} or _APP_GONE & _codes(answer)
    return ReauthorizationNeeded(_said(answer)) if lost else ProviderUnavailable(_said(answer))


def code_error(answer: Mapping[str, Any]) -> ProviderError:
    """Why Entra does not take the code of a callback."""
    error, text = answer.get("error"), _said(answer)
    if error == "access_denied":
        return AuthorizationDenied(text)
    if error == "consent_required":
        return AccessNotGranted("consent of an administrator")
    return CodeRejected(text) if error in _ASK_AGAIN else ProviderUnavailable(text)


def _codes(answer: Mapping[str, Any]) -> set[Any]:
    codes = answer.get("error_codes")
    return {code for code in codes if isinstance(code, int)} if isinstance(codes, list) else set()


def _said(answer: Mapping[str, Any]) -> str:
    """Entra's own words are not kept: they name the person's address."""
    numbers = "".join(f", AADSTS{code}" for code in sorted(_codes(answer)))
    return f"Microsoft's sign-in says {word(str(answer.get('error')))}{numbers}"
