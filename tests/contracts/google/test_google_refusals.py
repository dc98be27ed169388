"""The table of answers that are no success, and what each means (RT-2)."""

import json
from datetime import UTC, datetime

import pytest

from meetings.adapters.google.refusals import (
    Asked,
    Refused,
    as_provider_error,
    free_busy_error,
    reason_in,
)
from meetings.application.ports.calendars import (
    CalendarUnreadable,
    CodeRejected,
    CursorExpired,
    EventRefused,
    EventRemoved,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
)

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)

ANSWERS: list[tuple[Asked, int, str | None, type[ProviderError]]] = [
    # For a while: whatever was asked.
    (Asked.ACCOUNT, 408, "requestTimeout", ProviderUnavailable),
    (Asked.EVENT, 425, "tooEarly", ProviderUnavailable),
    (Asked.CALENDAR, 500, "backendError", ProviderUnavailable),
    (Asked.EVENT, 500, "backendError", ProviderUnavailable),
    (Asked.CHANGES, 502, None, ProviderUnavailable),
    (Asked.CHANNEL, 503, "backendError", ProviderUnavailable),
    (Asked.REFRESH, 503, "server_error", ProviderUnavailable),
    (Asked.CODE, 500, "server_error", ProviderUnavailable),
    (Asked.EVENT, 504, None, ProviderUnavailable),
    # Too many.
    (Asked.ACCOUNT, 429, "rateLimitExceeded", RateLimited),
    (Asked.EVENT, 429, None, RateLimited),
    (Asked.REFRESH, 429, None, RateLimited),
    (Asked.CALENDAR, 403, "rateLimitExceeded", RateLimited),
    (Asked.CHANGES, 403, "userRateLimitExceeded", RateLimited),
    (Asked.EVENT, 403, "quotaExceeded", RateLimited),
    (Asked.CHANNEL, 403, "dailyLimitExceeded", RateLimited),
    # The grant.
    (Asked.REFRESH, 400, "invalid_grant", ReauthorizationNeeded),
    (Asked.REFRESH, 401, "unauthorized_client", ReauthorizationNeeded),
    (Asked.REFRESH, 400, "admin_policy_enforced", ReauthorizationNeeded),
    (Asked.REFRESH, 401, "invalid_client", ProviderUnavailable),
    (Asked.ACCOUNT, 403, "insufficientPermissions", ReauthorizationNeeded),
    (Asked.ACCOUNT, 403, "notACalendarUser", ReauthorizationNeeded),
    (Asked.ACCOUNT, 401, "authError", ProviderUnavailable),
    (Asked.EVENT, 401, "authError", ProviderUnavailable),
    (Asked.ACCOUNT, 403, "accessNotConfigured", ProviderUnavailable),
    (Asked.CALENDAR, 403, "accessNotConfigured", ProviderUnavailable),
    (Asked.CODE, 400, "invalid_grant", CodeRejected),
    (Asked.CODE, 400, "redirect_uri_mismatch", CodeRejected),
    (Asked.CODE, 401, "invalid_client", ProviderUnavailable),
    # One calendar.
    (Asked.CALENDAR, 403, "forbidden", CalendarUnreadable),
    (Asked.CALENDAR, 404, "notFound", CalendarUnreadable),
    (Asked.CHANGES, 403, "forbidden", CalendarUnreadable),
    (Asked.CHANGES, 404, "notFound", CalendarUnreadable),
    (Asked.EVENT, 403, "requiredAccessLevel", CalendarUnreadable),
    (Asked.EVENT, 404, "notFound", CalendarUnreadable),
    (Asked.CHANNEL, 404, "notFound", CalendarUnreadable),
    (Asked.ACCOUNT, 404, "notFound", ProviderUnavailable),
    # A page of something between Google and us says nothing about a calendar.
    (Asked.CALENDAR, 403, None, ProviderUnavailable),
    (Asked.CALENDAR, 404, None, ProviderUnavailable),
    (Asked.EVENT, 400, None, ProviderUnavailable),
    (Asked.CALENDAR, 302, None, ProviderUnavailable),
    # A cursor.
    (Asked.CHANGES, 410, "fullSyncRequired", CursorExpired),
    (Asked.CHANGES, 410, "updatedMinTooLongAgo", CursorExpired),
    (Asked.CHANGES, 400, "invalid", CursorExpired),
    (Asked.CALENDAR, 410, "fullSyncRequired", CursorExpired),
    (Asked.CALENDAR, 400, "invalid", ProviderUnavailable),
    # A write.
    (Asked.EVENT, 400, "invalid", EventRefused),
    (Asked.EVENT, 400, "timeRangeEmpty", EventRefused),
    (Asked.EVENT, 403, "forbiddenForNonOrganizer", EventRefused),
    (Asked.EVENT, 410, "deleted", EventRemoved),
    (Asked.EVENT, 409, "duplicate", ProviderUnavailable),
    (Asked.EVENT, 412, "conditionNotMet", ProviderUnavailable),
    (Asked.EVENT, 413, "uploadTooLarge", EventRefused),
    # A channel.
    (Asked.CHANNEL, 400, "push.webhookUrlNotHttps", EventRefused),
    (Asked.CHANNEL, 401, "push.webhookUrlUnauthorized", EventRefused),
    (Asked.CHANNEL, 400, "channelIdNotUnique", EventRefused),
]


@pytest.mark.parametrize(("asked", "status", "reason", "meaning"), ANSWERS)
def test_each_answer_has_its_meaning(
    asked: Asked, status: int, reason: str | None, meaning: type[ProviderError]
) -> None:
    assert type(as_provider_error(Refused(status, reason), asked, NOW)) is meaning


def test_an_unavailable_service_that_says_when_to_return_is_obeyed() -> None:
    error = as_provider_error(Refused(503, "backendError", "120"), Asked.CALENDAR, NOW)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 120


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": {"errors": [{"domain": "global", "reason": "notFound"}], "code": 404}}, "notFound"),
        ({"error": {"code": 403, "status": "PERMISSION_DENIED"}}, "PERMISSION_DENIED"),
        ({"error": "invalid_grant", "error_description": "Bad Request"}, "invalid_grant"),
        ({"error": {"errors": [], "code": 500}}, None),
        ({"error": {"errors": ["text"]}}, None),
        ({"error": 7}, None),
        ({"error": {"errors": [{"reason": "two\nlines <b>"}]}}, "two?lines??b?"),
        (["error"], None),
        ({}, None),
    ],
)
def test_the_reason_is_found_in_each_form_of_error(body: object, reason: str | None) -> None:
    assert reason_in(json.dumps(body).encode()) == reason


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_error_of_googles_has_no_reason(content: bytes) -> None:
    assert reason_in(content) is None


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("notFound", CalendarUnreadable),
        ("forbidden", CalendarUnreadable),
        ("internalError", ProviderUnavailable),
        ("tooManyCalendarsRequested", ProviderUnavailable),
        ("groupTooBig", ProviderUnavailable),
    ],
)
def test_a_calendar_missing_from_free_busy_is_an_error_of_its_own(reason: str, meaning: type[ProviderError]) -> None:
    assert type(free_busy_error(reason)) is meaning


def test_only_a_rejected_token_asks_for_a_new_one() -> None:
    assert Refused(401, "authError").access_token_rejected
    assert Refused(401, None).access_token_rejected
    assert not Refused(401, "push.webhookUrlUnauthorized").access_token_rejected
    assert not Refused(403, "forbidden").access_token_rejected
