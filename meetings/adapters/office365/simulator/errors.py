"""The errors Microsoft answers with: Graph's and Entra's, worded as they word them.

Source: "Microsoft Graph error responses and resource types" for the shape (`error.code`, `error.message`, `innerError`
with `request-id`, `client-request-id` and `date`); "Microsoft Entra authentication and authorization error codes" for
the AADSTS numbers. Codes and messages of Exchange (`ErrorItemNotFound`, ...) were seen in public reports.
"""

import uuid
from datetime import datetime
from typing import Any

Json = dict[str, Any]


class GraphError(Exception):
    """An answer of Graph that is not a success. `more` are further members of the error object."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None, more: Json | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.more = more or {}

    def body(self, request_id: str, client_request_id: str, at: datetime) -> Json:
        inner = {"date": f"{at:%Y-%m-%dT%H:%M:%S}", "request-id": request_id, "client-request-id": client_request_id}
        return {"error": {"code": self.code, "message": self.message, **self.more, "innerError": inner}}


class EntraError(Exception):
    """An error of the token endpoint ("OAuth 2.0 authorization code flow", error response example).

    `claims` goes with conditional access ("Developer guidance for Conditional Access"): JSON as text.
    """

    def __init__(
        self,
        error: str,
        number: int,
        words: str,
        *,
        status: int = 400,
        suberror: str | None = None,
        claims: str | None = None,
    ) -> None:
        super().__init__(f"{error}: AADSTS{number}")
        self.status = status
        self.error = error
        self.number = number
        self.words = words
        self.suberror = suberror
        self.claims = claims

    def description(self, trace_id: str, correlation_id: str, at: datetime) -> str:
        return (
            f"AADSTS{self.number}: {self.words} Trace ID: {trace_id} Correlation ID: {correlation_id}"
            f" Timestamp: {at:%Y-%m-%d %H:%M:%SZ}"
        )

    def body(self, at: datetime) -> Json:
        trace_id, correlation_id = str(uuid.uuid4()), str(uuid.uuid4())
        answer: Json = {
            "error": self.error,
            "error_description": self.description(trace_id, correlation_id, at),
            "error_codes": [self.number],
            "timestamp": f"{at:%Y-%m-%d %H:%M:%SZ}",
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        if self.suberror is not None:
            answer["suberror"] = self.suberror
        if self.claims is not None:
            answer["claims"] = self.claims
        return answer


def bad_token(message: str = "Lifetime validation failed, the token is expired.") -> GraphError:
    """401. The message for an expired token was seen in public reports, the others are assumed."""
    challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    return GraphError(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge})


def access_denied() -> GraphError:
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def item_not_found() -> GraphError:
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def malformed_id() -> GraphError:
    return GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def no_mailbox(*, elsewhere: bool) -> GraphError:
    """The account has no licence for Exchange Online, or its mailbox is on premises.

    Both messages were seen in public reports. The first says neither which of the two it is; that the second, older one
    is for mailboxes elsewhere is assumed.
    """
    message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
    if elsewhere:
        message = "REST API is not yet supported for this mailbox."
    return GraphError(404, "MailboxNotEnabledForRESTAPI", message)


def conflict() -> GraphError:
    """If-Match with an old version. The code was seen in public reports; the wording is that of Exchange."""
    message = (
        "The send or update operation could not be performed because the change key passed in the request does not"
    )
    return GraphError(412, "ErrorIrresolvableConflict", f"{message} match the current change key for the item.")


def invalid_property(message: str) -> GraphError:
    return GraphError(400, "ErrorPropertyValidationFailure", message)


def invalid_request(message: str) -> GraphError:
    return GraphError(400, "ErrorInvalidRequest", message)


def bad_request(message: str) -> GraphError:
    """What the gateway in front of Exchange refuses: unreadable JSON, an unknown path segment or query option."""
    return GraphError(400, "BadRequest", message)


def unknown_zone(name: str) -> GraphError:
    """Code seen in public reports ("400: TimeZoneNotSupportedException"); the message is assumed."""
    return GraphError(400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified: '{name}'.")


def duplicate_transaction(event_id: str) -> GraphError:
    """Code, message and the annotation were seen in public reports of clients; undocumented."""
    message = (
        "Your request can't be completed. The TransactionId specified in the request has already been used to create"
        " a different event."
    )
    return GraphError(400, "ErrorDuplicateTransactionId", message, more={"@event.existingEventId": event_id})


def sync_state_gone() -> GraphError:
    """410 with this code was seen in public reports (microsoft-graph-docs, issues 2350 and 2877)."""
    message = "The sync state generation is not found; generation=149;[highest=157][157][155][156]."
    return GraphError(410, "SyncStateNotFound", message)


def sync_state_unreadable() -> GraphError:
    """A token that was never ours (status and code assumed; SyncStateInvalid is a code of Exchange's sync)."""
    return GraphError(400, "SyncStateInvalid", "The sync state is invalid.")


def mailbox_busy(retry_after: int = 1) -> GraphError:
    """More than four calls at once for one app and mailbox ("Microsoft Graph service-specific throttling limits")."""
    message = "Application is over its MailboxConcurrency limit."
    return GraphError(429, "ApplicationThrottled", message, headers={"Retry-After": str(retry_after)})


def scripted(status: int, code: str | None = None) -> GraphError:
    """What Graph would say with this status: for faults a test orders. `code` replaces the usual one."""
    usual = {
        400: ("ErrorInvalidRequest", "Your request can't be completed."),
        401: ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
        403: ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
        404: ("ErrorItemNotFound", "The specified object was not found in the store."),
        409: ("ErrorIrresolvableConflict", "The item was changed meanwhile."),
        410: ("SyncStateNotFound", "The sync state generation is not found."),
        412: ("ErrorIrresolvableConflict", "The change key passed in the request does not match."),
        429: ("TooManyRequests", "Too many requests."),
        500: ("InternalServerError", "An internal server error occurred. The operation failed."),
        502: ("BadGateway", "Failed to connect to the backend."),
        503: ("ErrorServerBusy", "The server is currently busy. Please try again later."),
        504: ("UnknownError", ""),
    }
    usual_code, message = usual.get(status, ("UnknownError", "Scripted."))
    return GraphError(status, code or usual_code, message)
