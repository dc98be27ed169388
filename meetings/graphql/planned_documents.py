"""Documents that ask for availability alone, planned once and answered without the executor.

Front ends send the same few documents with other variables. What the libraries do for each of them, converting
arguments and going through every field, takes longer than the answer itself. A document is planned after the executor
answered it, if it is as plain as those are: one query of `availability` whose `input` is a variable, fields without
directives, no fragments, lists that are known in wire form. Whatever does not fit the plan or does not go well is left
to the executor, which answers or refuses as if nobody had tried. Tests compare both ways.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    get_argument_values,
    get_variable_values,
    is_leaf_type,
)
from graphql.execution.values import VariableValues

from meetings.graphql.availability import Availability, AvailabilityInput, availability_of, days_of
from meetings.graphql.context import Operation
from meetings.graphql.document_limits import Sizes, variable_sizes
from meetings.graphql.leaf_lists import Columns, type_of_items
from meetings.graphql.page_address import PageAddress, PageSlug

MOST_PLANS = 256
LONGEST_PLANNED = 3_000
_KNOWN_KEYS = {"query", "variables", "operationName"}

Headers = Sequence[tuple[bytes, bytes]]
Told = Callable[[Availability, VariableValues], Any]
"""What a field tells, in wire form."""


class DoesNotFit(Exception):
    """This is for the executor."""


@dataclass(frozen=True)
class Posted:
    """An operation as it was posted, with nothing in it but what every client sends."""

    query: str
    name: str | None
    variables: Mapping[str, object]


def posted(body: bytes) -> Posted | None:
    """What a request's body says; None for anything unusual."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not found.keys() <= _KNOWN_KEYS:
        return None
    query, name, variables = found.get("query"), found.get("operationName"), found.get("variables")
    if not isinstance(query, str) or not isinstance(name, str | None) or not isinstance(variables, dict):
        return None
    return Posted(query, name, variables) if len(query) <= LONGEST_PLANNED else None


@dataclass(frozen=True)
class PlannedDocument:
    """How one document is answered. `sizes` are those of its variables for which the limits were checked."""

    schema: GraphQLSchema
    document: DocumentNode
    operation: OperationDefinitionNode
    sizes: Sizes
    told_as: str
    input_name: str
    fields: Sequence[tuple[str, Told]]

    async def answer(self, variables: Mapping[str, object], operation: Operation) -> bytes:
        """The body of the answer to these variables; `operation.sources` then tells what it was answered from.

        Says what is to be counted, and counts nothing.

        Raises:
            DoesNotFit: and whatever else went wrong: the executor finds out, and says so properly.
        """
        if variable_sizes(self.document, variables) != self.sizes:
            raise DoesNotFit
        values = get_variable_values(self.schema, _definitions(self.operation), dict(variables))
        if not isinstance(values, VariableValues):
            raise DoesNotFit
        found = await availability_of(operation, _input(values.coerced.get(self.input_name)))
        if found is None:
            raise DoesNotFit
        operation.sources.counted.append((operation.options.rates.availability, "availability"))
        told = {name: tell(found, values) for name, tell in self.fields}
        data = {self.told_as: told}
        operation.sources.finish(data)
        return bytes(memoryview(orjson.dumps({"data": data})))  # a copy: its buffer is many times what it says


def plan(schema: GraphQLSchema, document: DocumentNode, asked: Posted) -> PlannedDocument | None:
    """The plan of a document that was checked, and answered without errors, before; None when it is not of the kind."""
    try:
        return _plan(schema, document, asked)
    except DoesNotFit:
        return None


def _plan(schema: GraphQLSchema, document: DocumentNode, asked: Posted) -> PlannedDocument:
    [operation] = document.definitions if len(document.definitions) == 1 else [None]
    if not isinstance(operation, OperationDefinitionNode) or operation.operation is not OperationType.QUERY:
        raise DoesNotFit
    name = operation.name.value if operation.name else None
    if operation.directives or asked.name not in (None, name) or any(d.directives for d in _definitions(operation)):
        raise DoesNotFit
    selections = operation.selection_set.selections
    root = _plain(selections[0]) if len(selections) == 1 else None
    if root is None or root.name.value != "availability" or not root.arguments:
        raise DoesNotFit
    given = root.arguments[0].value  # there is no other than `input`
    if not isinstance(given, VariableNode):
        raise DoesNotFit
    kind = schema.get_type("Availability")
    assert isinstance(kind, GraphQLObjectType), "there is one in the schema"
    return PlannedDocument(
        schema=schema,
        document=document,
        operation=operation,
        sizes=variable_sizes(document, asked.variables),
        told_as=_name(root),
        input_name=given.name.value,
        fields=[(_name(node), _told(kind, node)) for node in _fields(root)],
    )


def _definitions(operation: OperationDefinitionNode) -> Sequence[Any]:
    return operation.variable_definitions or ()


def _plain(node: object) -> FieldNode:
    if not isinstance(node, FieldNode) or node.directives:
        raise DoesNotFit
    return node


def _name(node: FieldNode) -> str:
    return (node.alias or node.name).value


def _fields(node: FieldNode) -> list[FieldNode]:
    """What is asked of an object: plain fields, each told once."""
    assert node.selection_set is not None, "what has none is a leaf"
    found = [_plain(each) for each in node.selection_set.selections]
    if len({_name(each) for each in found}) != len(found):
        raise DoesNotFit
    return found


def _told(kind: GraphQLObjectType, node: FieldNode) -> Told:
    name = node.name.value
    if name == "__typename":
        return lambda found, values: kind.name
    field = kind.fields[name]
    if name == "days":
        return _days(field, node, _columns(type_of_items(field.type), node))
    leaf = getattr(field.type, "of_type", field.type)
    resolve = field.resolve
    if not is_leaf_type(leaf) or node.arguments or resolve is None:
        raise DoesNotFit

    def told(found: Availability, values: VariableValues) -> Any:
        value = leaf.coerce_output_value(resolve(found, None))
        if value is None:
            raise DoesNotFit
        return value

    return told


def _days(field: GraphQLField, node: FieldNode, columns: Columns) -> Told:
    def told(found: Availability, values: VariableValues) -> Any:
        rows = columns.rows(days_of(found.found, get_argument_values(field, node, values).get("on")))
        if rows is None:
            raise DoesNotFit
        return rows

    return told


def _columns(kind: GraphQLObjectType | None, node: FieldNode) -> Columns:
    if kind is None:
        raise DoesNotFit
    fields = []
    for each in _fields(node):
        if each.arguments:
            raise DoesNotFit
        inner = _columns(type_of_items(kind.fields[each.name.value].type), each) if each.selection_set else None
        fields.append((_name(each), each.name.value, inner))
    return Columns(kind.name, fields)


def _input(given: object) -> AvailabilityInput:
    """A variable of the type `AvailabilityInput` as the resolver gets it, for a page named by its path."""
    if not isinstance(given, dict) or given["page"].keys() != {"slug"}:
        raise DoesNotFit
    page = given["page"]["slug"]
    return AvailabilityInput(
        page=PageAddress(
            url=None, slug=strawberry.Some(PageSlug(slug=page["slug"], host=page.get("host"))), link_token=None
        ),
        from_=given["from"],
        to=given["to"],
        time_zone=given["timeZone"],
        duration_minutes=given.get("durationMinutes"),
        reschedule_token=given.get("rescheduleToken"),
    )


@dataclass(frozen=True)
class Ready:
    """A planned document with the headers that its answers go out with, but their length and the request's id."""

    document: PlannedDocument
    headers: Headers


class PlannedDocuments:
    """Those of one process by who asks and what, the latest ones."""

    def __init__(self) -> None:
        self._ready: OrderedDict[tuple[object, ...], Ready] = OrderedDict()

    def find(self, deciding: tuple[bytes, ...], asked: Posted) -> Ready | None:
        """`deciding` are the headers that an answer depends on."""
        key = (*deciding, asked.query, asked.name)
        found = self._ready.get(key)
        if found is not None:
            self._ready.move_to_end(key)
        return found

    def keep(self, deciding: tuple[bytes, ...], asked: Posted, ready: Ready) -> None:
        self._ready[(*deciding, asked.query, asked.name)] = ready
        while len(self._ready) > MOST_PLANS:
            self._ready.popitem(last=False)
