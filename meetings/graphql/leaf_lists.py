"""Lists of objects that are known in wire form, answered without executing each field of each item.

A resolver gives a `LeafList` in place of a list of objects. If every field asked for is one it knows a column of, the
rows are put together from the columns; else it is a list of objects like any other. What can be asked for and what
comes out is the same: a test compares both ways.

Overrides one method of graphql-core's executor that its documentation calls private.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

Row = dict[str, Any]
Nested = Callable[["LeafList"], list[Row] | None]
"""Makes the rows of a list within an item, with what is asked for there."""


class LeafList(Protocol):
    """`column` gives the values of a field, in wire form, one per item; None for a field it knows nothing of."""

    def __iter__(self) -> Iterator[object]: ...

    def __len__(self) -> int: ...

    def column(self, field: str, nested: Nested) -> Sequence[Any] | None: ...


@dataclass(frozen=True)
class Columns:
    """What is asked of each item of a list of `type_name`: its fields by the names they are told under, each with what
    is asked of its own items, if it is a list of objects itself."""

    type_name: str
    fields: Sequence[tuple[str, str, "Columns | None"]]

    def rows(self, items: LeafList) -> list[Row] | None:
        """One per item; None when there is a field the list knows no column of."""
        columns = []
        for _, field, inner in self.fields:
            column: Sequence[Any] | None = (
                [self.type_name] * len(items)
                if field == "__typename"
                else items.column(field, inner.rows if inner else _no_rows)
            )
            if column is None:
                return None
            columns.append(column)
        names = [name for name, _, _ in self.fields]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _no_rows(_: LeafList) -> None:
    return None


def type_of_items(kind: Any) -> GraphQLObjectType | None:
    """The type of the objects in a list; None for any other type."""
    found = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return named_object(found.of_type) if isinstance(found, GraphQLList) else None


def named_object(kind: Any) -> GraphQLObjectType | None:
    """The type itself, null or not; None if it is no object."""
    found = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return found if isinstance(found, GraphQLObjectType) else None


class LeafListExecutor(StrawberryGraphQLCoreExecutionContext):
    """The executor of every operation."""

    def complete_iterable_value(
        self, item_type: Any, field_details_list: Any, info: Any, path: Any, items: Any, position_context: Any
    ) -> Any:
        if hasattr(items, "column") and not self.get_stream_usage(field_details_list, path):
            columns = self._columns(named_object(item_type), field_details_list)
            rows = columns.rows(items) if columns else None
            if rows is not None:
                return rows
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _columns(self, named: GraphQLObjectType | None, field_details_list: Any) -> Columns | None:
        """None when more is asked than columns can tell."""
        if named is None:
            return None
        selected, deferred, *_ = self.collect_subfields(named, field_details_list)
        if deferred:
            return None
        fields = []
        for name, details in selected.items():
            node = details[0].node
            if node.arguments or any(each.defer_usage for each in details):
                return None
            inner = None
            if node.selection_set is not None:
                inner = self._columns(type_of_items(named.fields[node.name.value].type), details)
                if inner is None:
                    return None
            fields.append((name, node.name.value, inner))
        return Columns(named.name, fields)
