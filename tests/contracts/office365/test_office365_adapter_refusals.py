"""The table of Microsoft's answers that are no success, and what each means (RT-2, OA-5, A-CC7)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from meetings.adapters.office365.refusals import (
    Asked,
    Refused,
    as_provider_error,
    code_error,
    refresh_error,
    refused,
)
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

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)

ANSWERS: list[tuple[Asked, int, str | None, type[ProviderError]]] = [
    # For a while: whatever was asked.
    (Asked.ACCOUNT, 408, "requestTimeout", ProviderUnavailable),
    (Asked.EVENT, 425, None, ProviderUnavailable),
    (Asked.CALENDAR, 500, "ErrorInternalServerError", ProviderUnavailable),
    (Asked.NEW_EVENT, 500, "ErrorInternalServerTransientError", ProviderUnavailable),
    (Asked.CHANGES, 502, None, ProviderUnavailable),
    (Asked.CHANNEL, 503, "serviceNotAvailable", ProviderUnavailable),
    (Asked.EVENT, 504, "UnknownError", ProviderUnavailable),
    (Asked.NEW_EVENT, 409, "ErrorDuplicateTransactionId", ProviderUnavailable),
    (Asked.EVENT, 412, "ErrorIrresolvableConflict", ProviderUnavailable),
    (Asked.EVENT, 423, "ErrorItemLocked", ProviderUnavailable),
    # Gone between a look and a write: whoever repeats it looks again.
    (Asked.EVENT, 404, "ErrorItemNotFound", ProviderUnavailable),
    # Too many.
    (Asked.ACCOUNT, 429, "TooManyRequests", RateLimited),
    (Asked.EVENT, 429, "ApplicationThrottled", RateLimited),
    (Asked.CALENDAR, 429, None, RateLimited),
    (Asked.CHANGES, 509, "BandwidthLimitExceeded", RateLimited),
    # The grant.
    (Asked.ACCOUNT, 403, "ErrorAccessDenied", ReauthorizationNeeded),
    (Asked.CALENDAR, 403, "Authorization_RequestDenied", ReauthorizationNeeded),
    (Asked.ACCOUNT, 401, "InvalidAuthenticationToken", ProviderUnavailable),
    (Asked.EVENT, 401, None, ProviderUnavailable),
    # One calendar.
    (Asked.CALENDAR, 403, "ErrorAccessDenied", CalendarUnreadable),
    (Asked.CALENDAR, 404, "ErrorItemNotFound", CalendarUnreadable),
    (Asked.CALENDAR, 400, "ErrorInvalidIdMalformed", CalendarUnreadable),
    (Asked.CHANGES, 403, "ErrorAccessDenied", CalendarUnreadable),
    (Asked.CHANGES, 404, "ErrorItemNotFound", CalendarUnreadable),
    (Asked.NEW_EVENT, 403, "ErrorAccessDenied", CalendarUnreadable),
    (Asked.NEW_EVENT, 404, "ErrorItemNotFound", CalendarUnreadable),
    (Asked.EVENT, 403, "ErrorAccessDenied", CalendarUnreadable),
    (Asked.CHANNEL, 403, "ErrorAccessDenied", CalendarUnreadable),
    (Asked.CHANNEL, 404, "ErrorItemNotFound", CalendarUnreadable),
    (Asked.CALENDAR, 400, "ErrorInvalidRequest", ProviderUnavailable),
    (Asked.ACCOUNT, 404, "itemNotFound", ProviderUnavailable),
    # A page of something between Microsoft and us says nothing about a calendar.
    (Asked.ACCOUNT, 403, None, ProviderUnavailable),
    (Asked.CALENDAR, 403, None, ProviderUnavailable),
    (Asked.CALENDAR, 404, None, ProviderUnavailable),
    (Asked.NEW_EVENT, 400, None, ProviderUnavailable),
    (Asked.CALENDAR, 302, None, ProviderUnavailable),
    # A cursor.
    (Asked.CHANGES, 410, "SyncStateNotFound", CursorExpired),
    (Asked.CHANGES, 410, "syncStateNotFound", CursorExpired),
    (Asked.CHANGES, 410, "resyncRequired", CursorExpired),
    (Asked.CHANGES, 410, "Gone", CursorExpired),
    (Asked.CHANGES, 400, "SyncStateInvalid", CursorExpired),
    (Asked.CHANGES, 400, "BadRequest", CursorExpired),
    (Asked.CALENDAR, 410, "SyncStateNotFound", CursorExpired),
    (Asked.CHANGES, 410, None, ProviderUnavailable),
    # A write that will never do.
    (Asked.NEW_EVENT, 400, "ErrorInvalidRecipients", EventRefused),
    (Asked.NEW_EVENT, 413, "RequestEntityTooLarge", EventRefused),
    (Asked.EVENT, 400, "ErrorPropertyValidationFailure", EventRefused),
    (Asked.CHANNEL, 400, "ValidationError", EventRefused),
    # No mailbox.
    (Asked.ACCOUNT, 404, "MailboxNotEnabledForRESTAPI", MailboxNotFound),
    (Asked.CALENDAR, 404, "MailboxNotEnabledForRESTAPI", MailboxNotFound),
    (Asked.NEW_EVENT, 404, "MailboxNotEnabledForRESTAPI", MailboxNotFound),
    (Asked.ACCOUNT, 404, "ResourceNotFound", MailboxNotFound),
    (Asked.ACCOUNT, 404, "ErrorNonExistentMailbox", MailboxNotFound),
    (Asked.ACCOUNT, 400, "ErrorMissingEmailAddress", MailboxNotFound),
    (Asked.ACCOUNT, 503, "ErrorMailboxMoveInProgress", MailboxNotFound),
]


@pytest.mark.parametrize(("asked", "status", "code", "meaning"), ANSWERS)
def test_each_answer_has_its_meaning(asked: Asked, status: int, code: str | None, meaning: type[ProviderError]) -> None:
    assert type(as_provider_error(Refused(status, code), asked, NOW)) is meaning


MESSAGES = [
    ("MailboxNotEnabledForRESTAPI", "REST API is not yet supported for this mailbox.", True),
    ("MailboxNotEnabledForRESTAPI", "REST API is not enabled for this mailbox.", True),
    ("MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.", False),
    ("MailboxNotEnabledForRESTAPI", "The account has no licence.", False),
    ("ResourceNotFound", "Resource could not be discovered.", False),
    ("ErrorMailboxMoveInProgress", "Mailbox move in progress.", True),
]


@pytest.mark.parametrize(("code", "message", "hybrid"), MESSAGES)
def test_a_mailbox_that_is_elsewhere_is_told_from_one_that_is_nowhere(code: str, message: str, hybrid: bool) -> None:
    error = as_provider_error(refused(404, {}, _body(code, message)), Asked.ACCOUNT, NOW)
    assert isinstance(error, MailboxNotFound)
    assert error.hybrid is hybrid


def test_a_claims_challenge_is_for_the_person_to_answer() -> None:
    challenge = 'Bearer realm="", authorization_uri="https://login", error="insufficient_claims", claims="eyJ9"'
    answer = refused(401, {"www-authenticate": challenge}, _body("InvalidAuthenticationToken", "CAE"))
    assert isinstance(as_provider_error(answer, Asked.CALENDAR, NOW), ReauthorizationNeeded)


def test_what_a_subscription_was_refused_for_is_inside_the_message() -> None:
    message = "Operation: Create; Exception: [Status Code: NotFound; Reason: The specified object was not found.]"
    answer = refused(400, {}, _body("ExtensionError", message))
    assert isinstance(as_provider_error(answer, Asked.CHANNEL, NOW), CalendarUnreadable)
    other = refused(400, {}, _body("ExtensionError", "Operation: Create; Exception: [Status Code: BadRequest]"))
    assert isinstance(as_provider_error(other, Asked.CHANNEL, NOW), EventRefused)


@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_is_obeyed_in_seconds_and_as_a_date(status: int) -> None:
    for header, seconds in (("17", 17.0), ("Mon, 02 Mar 2026 08:01:30 GMT", 90.0)):
        error = as_provider_error(refused(status, {"retry-after": header}, b""), Asked.CALENDAR, NOW)
        assert isinstance(error, RateLimited)
        assert error.retry_after == seconds


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"error": 1}', b'{"error": {"code": 5}}', b"[" * 200_000, b"\xff", b"<h1>Hm</h1>"],
)
def test_an_answer_without_a_code_is_read_all_the_same(content: bytes) -> None:
    assert (refused(404, {}, content).code, refused(404, {}, content).status) == (None, 404)


def test_what_others_wrote_comes_to_logs_in_a_safe_form_only() -> None:
    answer = refused(404, {}, _body("Error\r\nInjected: x" + "y" * 500, "ada@example.com has no such calendar"))
    assert answer.code is not None
    assert ("\n" in str(answer), "ada@" in str(answer), len(answer.code)) == (False, False, 64)


REFRESHES: list[tuple[dict[str, Any] | None, type[ProviderError]]] = [
    (None, ReauthorizationNeeded),
    ({"error": "invalid_grant", "error_codes": [50173]}, ReauthorizationNeeded),
    ({"error": "invalid_grant", "suberror": "consent_required"}, ReauthorizationNeeded),
    ({"error": "interaction_required", "error_codes": [50079], "claims": "{}"}, ReauthorizationNeeded),
    ({"error": "login_required"}, ReauthorizationNeeded),
    ({"error": "consent_required"}, ReauthorizationNeeded),
    ({"error": "access_denied"}, ReauthorizationNeeded),
    ({"error": "unauthorized_client", "error_codes": [700016]}, ReauthorizationNeeded),
    ({"error": "invalid_client", "error_codes": [7000215]}, ProviderUnavailable),
    ({"error": "unauthorized_client", "error_codes": [7000112]}, ProviderUnavailable),
    ({"error": "temporarily_unavailable"}, ProviderUnavailable),
    ({"error": "invalid_request", "error_codes": ["700016", None]}, ProviderUnavailable),
    ({}, ProviderUnavailable),
]


@pytest.mark.parametrize(("answer", "meaning"), REFRESHES)
def test_why_there_is_no_new_token(answer: dict[str, Any] | None, meaning: type[ProviderError]) -> None:
    assert type(refresh_error(answer)) is meaning


CODES: list[tuple[dict[str, Any], type[ProviderError]]] = [
    ({"error": "invalid_grant", "error_codes": [70008]}, CodeRejected),
    ({"error": "interaction_required"}, CodeRejected),
    ({"error": "access_denied"}, AuthorizationDenied),
    ({"error": "consent_required", "error_codes": [65001]}, AccessNotGranted),
    ({"error": "invalid_client", "error_codes": [7000215]}, ProviderUnavailable),
    ({"error": "invalid_scope"}, ProviderUnavailable),
    ({}, ProviderUnavailable),
]


@pytest.mark.parametrize(("answer", "meaning"), CODES)
def test_why_a_code_is_not_taken(answer: dict[str, Any], meaning: type[ProviderError]) -> None:
    error = code_error({**answer, "error_description": "AADSTS70008: ada@example.com"})
    assert type(error) is meaning
    assert "ada@" not in str(error)


def test_the_numbers_of_entra_are_told_to_the_operator() -> None:
    assert "AADSTS50173" in str(refresh_error({"error": "invalid_grant", "error_codes": [50173]}))


def _body(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "innerError": {}}}).encode()
