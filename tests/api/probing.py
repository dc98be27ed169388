"""Executing operations against a product that must not be touched."""

from typing import Any, cast

from starlette.requests import Request
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import ExecutionResult

from meetings.application.ports.identities import Caller, Scope
from meetings.graphql.context import Connection, Product
from meetings.graphql.options import ApiOptions
from meetings.graphql.rate_limits import Limiter
from meetings.graphql.schema import schema
from tests.builders import account_id, user_id


class Untouchable:
    """Fails the test when a resolver asks anything of it."""

    def __init__(self) -> None:
        self.touched: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.touched.append(name)
        raise AssertionError(f"a resolver ran and asked for {name}")


def connection(product: object, *, signed_in: bool, options: ApiOptions | None = None) -> Connection:
    options = options or ApiOptions(introspection_for_anonymous=True)
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "client": ("192.0.2.1", 50_000)}
    made = Connection(cast(Product, product), options, Limiter(options.rate_storage), Request(scope))
    made.caller = Caller(account_id(), user_id(), frozenset(Scope)) if signed_in else None
    return made


async def refused(document: str, variables: dict[str, object] | None = None, *, signed_in: bool = False) -> list[str]:
    """The codes a document is refused with, before anything was resolved."""
    product = Untouchable()
    try:
        result = await execute(document, variables, connection(product, signed_in=signed_in))
    except (CannotGetOperationTypeError, MissingQueryError):  # the router answers 400
        return ["GRAPHQL_VALIDATION_FAILED"]
    assert product.touched == []
    assert result.data is None
    assert result.errors
    return [str((error.extensions or {})["code"]) for error in result.errors]


async def execute(document: str, variables: dict[str, object] | None, context: Connection) -> ExecutionResult:
    return await schema.execute(document, variables, context_value=context)
