"""Lists of objects that are known in wire form, answered without executing each field of each item.

A resolver gives a `LeafList` in place of a list of objects. If every field asked for is one it knows a column of, the
rows are put together from the columns; else it is a list of objects like any other. What can be asked for and what
comes out is the same: a test compares both ways.

Overrides one method of graphql-core's executor that its documentation calls private.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from graphql import GraphQLNonNull, GraphQLObjectType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

Row = dict[str, Any]
Nested = Callable[["LeafList"], list[Row] | None]
"""Makes the rows of a list within an item, with what is asked for there."""


class LeafList(Protocol):
    """`column` gives the values of a field, in wire form, one per item; None for a field it knows nothing of."""

    def __iter__(self) -> Iterator[object]: ...

    def __len__(self) -> int: ...

    def column(self, field: str, nested: Nested) -> Sequence[Any] | None: ...


class LeafListExecutor(StrawberryGraphQLCoreExecutionContext):
    """The executor of every operation."""

    def complete_iterable_value(
        self, item_type: Any, field_details_list: Any, info: Any, path: Any, items: Any, position_context: Any
    ) -> Any:
        if hasattr(items, "column") and not self.get_stream_usage(field_details_list, path):
            rows = self._rows(item_type, field_details_list, items)
            if rows is not None:
                return rows
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _rows(self, item_type: Any, field_details_list: Any, items: LeafList) -> list[Row] | None:
        named = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
        if not isinstance(named, GraphQLObjectType):
            return None
        fields, deferred, *_ = self.collect_subfields(named, field_details_list)
        if deferred:
            return None
        names, columns = [], []
        for name, details in fields.items():
            node = details[0].node
            if node.arguments or any(each.defer_usage for each in details):
                return None
            field = node.name.value
            if field == "__typename":
                column: Sequence[Any] | None = [named.name] * len(items)
            else:
                column = items.column(field, self._nested(named, field, details))
            if column is None:
                return None
            names.append(name)
            columns.append(column)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _nested(self, parent: GraphQLObjectType, field: str, details: Any) -> Nested:
        def rows(items: LeafList) -> list[Row] | None:
            kind = parent.fields[field].type
            kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
            return self._rows(getattr(kind, "of_type", None), details, items)

        return rows
