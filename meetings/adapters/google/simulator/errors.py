"""The errors Google answers with, worded as Google words them.

Source: "Handle API errors" (Calendar API guides) for status, domain, reason and message; what rests on something else
says so. Calendar's own errors carry `code`, `message` and `errors`; only those of the gate in front of it (a bad
token, a missing scope) also carry `status` (seen in public reports of the client libraries).
"""

from typing import Any

Json = dict[str, Any]


class GoogleError(Exception):
    """An answer that is not a success. `body` is what the client reads; `headers` come with it."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: tuple[str, str] | None = None,
        canonical: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        detail: Json = {"domain": domain, "reason": reason, "message": message}
        if location is not None:
            detail["locationType"], detail["location"] = location
        self.body: Json = {"error": {"errors": [detail], "code": status, "message": message}}
        if canonical is not None:
            self.body["error"]["status"] = canonical
        self.headers = headers or {}


class OAuthError(Exception):
    """An error of the accounts server: RFC 6749 5.2 says the shape, the words are Google's."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{status} {error}: {description}")
        self.status = status
        self.body: Json = {"error": error, "error_description": description}


def invalid(message: str, parameter: str | None = None) -> GoogleError:
    location = ("parameter", parameter) if parameter else None
    return GoogleError(400, "invalid", message, location=location)


def invalid_parameter(message: str, parameter: str) -> GoogleError:
    """A query parameter that cannot be read (wording seen in public reports)."""
    return GoogleError(400, "invalidParameter", message, location=("parameter", parameter))


def required(message: str) -> GoogleError:
    return GoogleError(400, "required", message)


def time_range_empty() -> GoogleError:
    message = "The specified time range is empty."
    return GoogleError(400, "timeRangeEmpty", message, domain="calendar", location=("parameter", "timeMax"))


def time_range_too_long() -> GoogleError:
    """A free/busy question over more than about three months (seen in public reports, limit assumed)."""
    message = "The requested time range is too long."
    return GoogleError(400, "timeRangeTooLong", message, domain="calendar", location=("parameter", "timeMax"))


def sync_token_with_restrictions() -> GoogleError:
    """`syncToken` beside a parameter that events.list forbids (status documented, wording seen in public reports)."""
    return invalid("Sync token cannot be used with other request restrictions.", "syncToken")


def not_found() -> GoogleError:
    return GoogleError(404, "notFound", "Not Found")


def duplicate() -> GoogleError:
    return GoogleError(409, "duplicate", "The requested identifier already exists.")


def already_deleted() -> GoogleError:
    return GoogleError(410, "deleted", "Resource has been deleted")


def full_sync_required() -> GoogleError:
    message = "Sync token is no longer valid, a full sync is required."
    return GoogleError(410, "fullSyncRequired", message, domain="calendar", location=("parameter", "syncToken"))


def updated_min_too_long_ago() -> GoogleError:
    message = "The requested minimum modification time lies too far in the past."
    return GoogleError(410, "updatedMinTooLongAgo", message, domain="calendar", location=("parameter", "updatedMin"))


def condition_not_met() -> GoogleError:
    return GoogleError(412, "conditionNotMet", "Precondition Failed", location=("header", "If-Match"))


def forbidden() -> GoogleError:
    return GoogleError(403, "forbidden", "Forbidden")


def required_access_level(role: str) -> GoogleError:
    """Writing to a calendar that may only be read (seen in public reports)."""
    message = f"You need to have {role} access to this calendar."
    return GoogleError(403, "requiredAccessLevel", message, domain="calendar")


def forbidden_for_non_organizer() -> GoogleError:
    message = "Shared properties can only be changed by the organizer of the event."
    return GoogleError(403, "forbiddenForNonOrganizer", message, domain="calendar")


def invalid_credentials() -> GoogleError:
    return GoogleError(
        401,
        "authError",
        "Invalid Credentials",
        location=("header", "Authorization"),
        canonical="UNAUTHENTICATED",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


def login_required() -> GoogleError:
    return GoogleError(
        401,
        "required",
        "Login Required.",
        location=("header", "Authorization"),
        canonical="UNAUTHENTICATED",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'},
    )


def insufficient_scopes(wanted: list[str]) -> GoogleError:
    """The person did not tick the permission this method needs (shape seen in public reports)."""
    challenge = f'Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="{" ".join(wanted)}"'
    error = GoogleError(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        canonical="PERMISSION_DENIED",
        headers={"WWW-Authenticate": challenge},
    )
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
    error.body["error"]["details"] = [info]
    return error


def scripted(status: int, reason: str | None = None) -> GoogleError:
    """What Google would say with this status: for faults a test orders. `reason` chooses among the 403 and 401 ones."""
    usual = {
        401: ("authError", "Invalid Credentials", "global"),
        403: ("rateLimitExceeded", "Rate Limit Exceeded", "usageLimits"),
        404: ("notFound", "Not Found", "global"),
        410: ("deleted", "Resource has been deleted", "global"),
        429: ("rateLimitExceeded", "Rate Limit Exceeded", "usageLimits"),
        500: ("backendError", "Backend Error", "global"),
        503: ("backendError", "Service Unavailable", "global"),
    }
    messages = {
        "userRateLimitExceeded": ("User Rate Limit Exceeded", "usageLimits"),
        "quotaExceeded": ("Calendar usage limits exceeded.", "usageLimits"),
        "forbidden": ("Forbidden", "global"),
        "notACalendarUser": ("The user must be signed up for Google Calendar.", "calendar"),
        "fullSyncRequired": ("Sync token is no longer valid, a full sync is required.", "calendar"),
    }
    if reason == "insufficientPermissions":
        return insufficient_scopes([])
    usual_reason, message, domain = usual.get(status, ("backendError", "Backend Error", "global"))
    if reason is not None and reason != usual_reason:
        message, domain = messages.get(reason, (reason, "global"))
    return GoogleError(status, reason or usual_reason, message, domain=domain)
