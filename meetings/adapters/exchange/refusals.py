"""What an answer of Exchange that is not a success means for us.

Sources: "ResponseCode" (EWS reference) for the codes, "EWS throttling in Exchange" for the ones that ask to wait,
RFC 9110 10.2.3 for Retry-After. Codes that are not named here say nothing final: the outcome is unknown.
"""

from datetime import datetime
from enum import Enum

from meetings.application.ports.calendars import (
    CalendarUnreadable,
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
    """What a call was about; the same code means different things."""

    ACCOUNT = "ACCOUNT"
    CALENDAR = "CALENDAR"
    CHANGES = "CHANGES"
    EVENT = "EVENT"
    MAIL = "MAIL"
    MAIL_CHANGES = "MAIL_CHANGES"
    NEW_MAIL = "NEW_MAIL"


class Refused(Exception):
    """Exchange answered, and it was no success.

    `code` is its word for why, or "HTTP" and the status where there is no word. `wait` is what it wants us to wait:
    seconds, or the raw Retry-After header. Stays inside this folder.
    """

    def __init__(self, code: str, *, wait: float | str | None = None) -> None:
        self.code = word(code)
        self.wait = wait
        super().__init__(f"Exchange answered {self.code}")

    @classmethod
    def by_status(cls, status: int, retry_after: str | None = None) -> "Refused":
        return cls(f"HTTP{status}", wait=retry_after)

    @property
    def says_gone(self) -> bool:
        """The item is not there, or not any more."""
        return self.code in ("ErrorItemNotFound", "ErrorInvalidIdMalformed", "ErrorInvalidId")

    @property
    def is_about_a_calendar(self) -> bool:
        """Whether one calendar cannot be had, while others may."""
        return _meaning(self.code, Asked.CALENDAR) is CalendarUnreadable

    @property
    def says_unknown(self) -> bool:
        """Whether a write may have been carried out all the same."""
        return issubclass(_meaning(self.code, Asked.EVENT), ProviderUnavailable)


_WAIT = frozenset(
    "ErrorServerBusy ErrorExceededConnectionCount ErrorExceededFindCountLimit ErrorExceededSubscriptionCount"
    " ErrorTooManyObjectsOpened ErrorBatchProcessingStopped ErrorMessageSubmissionQuotaExceeded HTTP429".split()
)
# The person has to do something about their account; no retry of ours changes that.
_PERSON = frozenset(
    "ErrorAccountDisabled ErrorPasswordExpired ErrorPasswordChangeRequired ErrorImpersonationDenied".split()
)
_NO_MAILBOX = frozenset(
    "ErrorNonExistentMailbox ErrorMissingEmailAddress ErrorMissingInformationEmailAddress"
    " ErrorMailRecipientNotFound".split()
)
_NO_CALENDAR = frozenset(
    "ErrorAccessDenied ErrorItemNotFound ErrorFolderNotFound ErrorParentFolderNotFound ErrorManagedFolderNotFound"
    " ErrorSyncFolderNotFound ErrorInvalidFolderId ErrorInvalidIdMalformed ErrorInvalidId"
    " ErrorInvalidIdNotAnItemAttachmentId ErrorNoPublicFolderReplicaAvailable ErrorCreateItemAccessDenied"
    " ErrorCannotCreateCalendarItemInNonCalendarFolder ErrorDeleteDistinguishedFolder".split()
)
_FINAL = frozenset(
    "ErrorInvalidRecipients ErrorInvalidSmtpAddress ErrorInvalidPropertySet ErrorInvalidPropertyUpdateSentMessage"
    " ErrorInvalidPropertyDelete ErrorInvalidPropertyAppend ErrorInvalidPropertyRequest ErrorInvalidRequest"
    " ErrorSchemaValidation ErrorInvalidOperation ErrorInvalidValueForProperty ErrorPropertyUpdate"
    " ErrorPropertyValidationFailure ErrorCalendarEndDateIsEarlierThanStartDate ErrorCalendarDurationIsTooLong"
    " ErrorCalendarOutOfRange ErrorCalendarIsCancelledForUpdate ErrorCalendarIsNotOrganizer"
    " ErrorMessageSizeExceeded ErrorQuotaExceeded ErrorTimeZone ErrorUnsupportedTimeZone"
    " ErrorRequiredPropertyMissing ErrorInvalidExtendedProperty".split()
)
_MAIL_REFUSED = _FINAL | frozenset(
    "ErrorSendAsDenied ErrorMimeContentInvalid ErrorMimeContentInvalidBase64String"
    " ErrorMimeContentConversionFailed".split()
)
_OF_MAIL = (Asked.MAIL, Asked.MAIL_CHANGES, Asked.NEW_MAIL)
_DEAD_CURSOR = frozenset("ErrorInvalidSyncStateData ErrorInvalidSyncState ErrorInvalidWatermark".split())


def _meaning(code: str, asked: Asked) -> type[ProviderError]:
    if code in _WAIT:
        return RateLimited
    if code in _PERSON or code.startswith("HTTP401"):
        return ReauthorizationNeeded
    if code in _NO_MAILBOX:
        return MailboxNotFound
    if asked in (Asked.CHANGES, Asked.MAIL_CHANGES) and code in _DEAD_CURSOR:
        return CursorExpired
    if asked in _OF_MAIL:
        return MailNotAccepted if asked is Asked.NEW_MAIL and code in _MAIL_REFUSED else ProviderUnavailable
    if asked is not Asked.ACCOUNT and code in _NO_CALENDAR:
        return CalendarUnreadable
    if asked is Asked.EVENT and code in _FINAL:
        return EventRefused
    return ProviderUnavailable


def as_provider_error(refused: Refused, asked: Asked, now: datetime) -> ProviderError:
    """The port's error for an answer.

    A 401 is the password's end and never repeated: each further try with a wrong one brings the account nearer to
    being locked (S38, B-EX4). A 503 that says how long to wait is a request to wait, any other one a failure.
    """
    text = str(refused)
    kind = _meaning(refused.code, asked)
    if kind is RateLimited or (refused.code == "HTTP503" and refused.wait is not None):
        return RateLimited(text, retry_after=seconds(refused.wait, now))
    return kind(text)


def seconds(wait: float | str | None, now: datetime) -> float | None:
    """Seconds to wait, from a number of them or a Retry-After header. None for what is neither, and for no wait."""
    if isinstance(wait, float | int):
        return float(wait) if wait > 0 else None
    return retry_after_seconds(wait, now)
