"""Refusals, in the form of "Error handling" of HubSpot's documentation."""

from typing import Any
from uuid import uuid4

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        self.status = status
        self.body = refusal_body(category, message, **more)
        super().__init__(message)


def refusal_body(category: str, message: str, **more: Any) -> Json:
    return {
        "status": "error",
        "message": message,
        "correlationId": str(uuid4()),
        "category": category,
        **more,
    }


def invalid(name: str, code: str) -> Refusal:
    """A property that is not accepted."""
    detail = {"message": "not accepted", "code": code, "context": {"propertyName": [name]}}
    return Refusal(400, "VALIDATION_ERROR", "Property values were not valid", errors=[detail])
