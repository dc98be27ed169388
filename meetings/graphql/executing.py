"""How an operation is carried out: checked against the limits, with a context of its own, errors masked."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    execute,
    parse,
    specified_rules,
)
from graphql import ExecutionResult as GraphQLResult
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import StreamResult, validate_document
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType
from strawberry.utils.aio import aclosing

from meetings.graphql.context import Connection, Operation
from meetings.graphql.document_limits import Sizes, limit_errors, variable_sizes
from meetings.graphql.leaf_lists import LeafListExecutor
from meetings.graphql.options import SIGNED_IN, ApiOptions, DocumentLimits
from meetings.graphql.planned_documents import PlannedDocument, Posted, plan
from meetings.graphql.top_level_errors import BAD_USER_INPUT, INTERNAL, VALIDATION_FAILED, told

_KEPT = 128
_LONGEST_KEPT = 3_000
"""How many documents, of at most how many characters, are kept parsed and checked: front ends send the same ones again
and again. A parsed token takes 370 bytes, so that nobody fills more than 70 MB with documents made up for it."""

_RULES: tuple[type[ASTValidationRule], ...] = tuple(specified_rules)
_RULES_WITHOUT_INTROSPECTION = (*_RULES, NoSchemaIntrospectionCustomRule)


class CheckedDocument(SchemaExtension):
    """Parses and checks a document once, however often it comes; the limits before the rules of the language.

    The limits are cheap to check, and keep those rules from being handed something they take long for.
    """

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        parsed = _parsed if _is_kept(context) else _parsed.__wrapped__
        context.graphql_document = parsed(context.query or "", _limits(context).tokens)
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        assert document is not None, "what cannot be parsed is not validated"
        sizes = variable_sizes(document, context.variables)
        checked = _checked if _is_kept(context) else _checked.__wrapped__
        asked = _Asked(context.query or "", document, context.schema._schema)
        context.pre_execution_errors = list(checked(asked, _limits(context), sizes, _rules(context)))
        yield


class TimeLimit(SchemaExtension):
    """Ends an operation that takes too long (GQ-2); of a subscription, only its beginning."""

    async def on_execute(self) -> AsyncIterator[None]:
        operation = self.execution_context.context
        seconds = operation.options.execution_seconds if isinstance(operation, Operation) else None
        async with asyncio.timeout(seconds) as limit:
            if isinstance(operation, Operation):
                operation.time_limit = limit
            yield


def _is_kept(context: ExecutionContext) -> bool:
    return len(context.query or "") <= _LONGEST_KEPT


def _limits(context: ExecutionContext) -> DocumentLimits:
    operation = context.context
    if not isinstance(operation, Operation):
        return SIGNED_IN
    return operation.options.signed_in if operation.caller else operation.options.anonymous


def _rules(context: ExecutionContext) -> tuple[type[ASTValidationRule], ...]:
    operation = context.context
    if not isinstance(operation, Operation) or operation.caller or operation.options.introspection_for_anonymous:
        return _RULES
    return _RULES_WITHOUT_INTROSPECTION


@lru_cache(maxsize=_KEPT)
def _parsed(query: str, max_tokens: int) -> DocumentNode:
    return parse(query, max_tokens=max_tokens)


@dataclass(frozen=True)
class _Asked:
    """A document, told apart by its text: to hash it as a tree takes longer than all the rest."""

    query: str
    document: DocumentNode = field(compare=False)
    schema: GraphQLSchema = field(compare=False)


@lru_cache(maxsize=_KEPT)
def _checked(
    asked: _Asked, limits: DocumentLimits, sizes: Sizes, rules: tuple[type[ASTValidationRule], ...]
) -> tuple[GraphQLError, ...]:
    """The limits first; the rules of the language only within them. There is one schema in a process."""
    beyond = limit_errors(asked.schema, asked.document, limits, sizes)
    return tuple(beyond) or tuple(validate_document(asked.schema, asked.document, rules))


class Api(strawberry.Schema):
    """The schema, executed with a context per operation and told with masked errors on every transport."""

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        operation = _operation(context_value)
        result = await super().execute(
            query,
            variable_values,
            operation or context_value,
            root_value,
            operation_name,
            allowed_operation_types,
            operation_extensions,
        )
        if operation is not None and not result.errors:
            operation.sources.finish(result.data)
        return _told(result, operation)

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> StreamResult:
        operation = _operation(context_value)
        source = await super().stream(
            query,
            variable_values,
            operation or context_value,
            root_value,
            operation_name,
            operation_extensions,
            allowed_operation_types,
        )
        return _each_told(source, operation)

    def plan(self, asked: Posted, options: ApiOptions) -> PlannedDocument | None:
        """How to answer a document, which was just answered without errors, with other variables; None if it has no
        plan."""
        return plan(self._schema, _parsed(asked.query, options.anonymous.tokens), asked)

    async def tell(
        self,
        event: object,
        query: str,
        variable_values: dict[str, Any] | None,
        operation_name: str | None,
        operation: Operation,
    ) -> ExecutionResult:
        """The answer of a subscription, whose document was checked before, to one event of its source stream."""
        document = _parsed(query, operation.options.anonymous.tokens)
        executed = execute(
            self._schema,
            document,
            root_value=event,
            context_value=operation,
            variable_values=variable_values,
            operation_name=operation_name,
            executor_class=LeafListExecutor,
        )
        result = await executed if isawaitable(executed) else executed
        assert isinstance(result, GraphQLResult), "nothing is deferred"
        return _told(ExecutionResult(data=result.data, errors=result.errors), operation)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: what has to be logged is logged where it is masked, under the request's id."""


def _operation(context_value: object) -> Operation | None:
    if isinstance(context_value, Operation):
        return context_value
    return Operation(context_value) if isinstance(context_value, Connection) else None


async def _each_told(source: StreamResult, operation: Operation | None) -> StreamResult:
    """The library's stream raises what cannot be parsed; it is told like everything else."""
    try:
        async with aclosing(source):
            async for result in source:
                yield _told(result, operation) if isinstance(result, ExecutionResult) else result
    except GraphQLError as refused:
        yield _told(PreExecutionError(data=None, errors=[refused]), operation)


def _told(result: ExecutionResult, operation: Operation | None) -> ExecutionResult:
    if result.errors:
        request_id = operation.request_id if operation else "-"
        validated = not isinstance(result, PreExecutionError)
        result.errors = [told(error, request_id, default=_stage(error, validated)) for error in result.errors]
    return result


def _stage(error: GraphQLError, validated: bool) -> str:
    """What an error of the library's own is about: the document, then its variables, then something of ours."""
    if not validated:
        return VALIDATION_FAILED
    return BAD_USER_INPUT if error.path is None else INTERNAL
