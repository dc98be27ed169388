"""Errors of the request as a whole: a code and the request's id, nothing of what went wrong inside (GQ-4)."""

import re
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError, StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from meetings.application.ports.calendars import ProviderError
from meetings.application.ports.reads import BadCursor
from meetings.application.ports.unit_of_work import LockTimeout
from meetings.domain.base import InvalidInput, NotFound, PermissionMissing
from meetings.graphql.messages import message
from meetings.graphql.rate_limits import TooOften

log = structlog.get_logger(__name__)

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
UNAUTHENTICATED = "UNAUTHENTICATED"
FORBIDDEN = "FORBIDDEN"
RATE_LIMITED = "RATE_LIMITED"
TOO_COMPLEX = "QUERY_TOO_COMPLEX"
UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
INTERNAL = "INTERNAL_SERVER_ERROR"

_ECHO = re.compile(r"(, found|cannot represent a non string value): .*", re.DOTALL)
"""Where the library repeats a value it was sent: it may be a whole input, with a password in it."""

_LANGUAGE = "en"
_TOO_MANY_TOKENS = "Document contains more than"


def told(error: GraphQLError, request_id: str, *, default: str) -> GraphQLError:
    """The error as the client may see it, with a code and the request's id.

    `default` is the code of an error that the library itself reports at this stage. What nobody expected is logged
    with its trace under the same id, and masked.
    """
    text, extensions = _words(error, default)
    if extensions["code"] == INTERNAL:
        log.error("an operation failed", request_id=request_id, path=error.path, exc_info=error.original_error or error)
    return GraphQLError(
        text,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**extensions, "requestId": request_id},
    )


def _words(error: GraphQLError, default: str) -> tuple[str, dict[str, Any]]:
    extensions = dict(error.extensions or {})
    if "code" in extensions:
        return error.message, extensions
    if isinstance(error, GraphQLSyntaxError):
        too_long = error.message.startswith(f"Syntax Error: {_TOO_MANY_TOKENS}")
        return error.message, {"code": TOO_COMPLEX if too_long else PARSE_FAILED}
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return _ECHO.sub(r"\1", error.message), {"code": default}
    return _words_of(cause)


def _words_of(cause: Exception) -> tuple[str, dict[str, Any]]:
    match cause:
        case CannotGetOperationTypeError() | InvalidOperationTypeError() | MissingQueryError():
            return "The document holds no operation of this name, or one that cannot be sent this way.", {
                "code": VALIDATION_FAILED
            }
        case InvalidInput():
            return "A value is not accepted.", _bad_input(cause)
        case StrawberryInputCoercionError():
            return str(cause), {"code": BAD_USER_INPUT, "reason": "VALIDATION"}
        case BadCursor():
            return "The cursor is none of this list.", {"code": BAD_USER_INPUT, "reason": "VALIDATION"}
        case NotFound():
            return f"There is no such {cause.what}.", {"code": BAD_USER_INPUT, "reason": "NOT_FOUND"}
        case PermissionMissing():
            return "You are not allowed to do this.", {"code": FORBIDDEN, "permission": cause.permission}
        case TooOften():
            text = message(_LANGUAGE, RATE_LIMITED)
            return text, {"code": RATE_LIMITED, "retryAfterSeconds": cause.retry_after, "limit": cause.limit}
        case TimeoutError():
            return "This took too long.", {"code": UPSTREAM_UNAVAILABLE}
        case ProviderError() | LockTimeout():
            return "Another system cannot be reached at the moment.", {"code": UPSTREAM_UNAVAILABLE}
    return "Something went wrong on our side. If you report it, name the request's id.", {"code": INTERNAL}


def _bad_input(invalid: InvalidInput) -> dict[str, Any]:
    problems = [
        {
            "path": list(problem.path),
            "code": problem.code.name,
            "rule": problem.rule.name,
            "message": message(_LANGUAGE, problem.code.name, problem.rule.name, problem.values),
        }
        for problem in invalid.problems
    ]
    return {"code": BAD_USER_INPUT, "reason": invalid.problems[0].code.name, "problems": problems}


def refusal(text: str, code: str, request_id: str) -> dict[str, list[Any]]:
    """The answer to a request that was refused before it was looked into."""
    return {"errors": [{"message": text, "extensions": {"code": code, "requestId": request_id}}]}
