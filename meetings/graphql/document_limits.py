"""How large a document is with its fragments expanded, measured before anything is resolved (GQ-1)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_interface_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from meetings.graphql.options import DocumentLimits
from meetings.graphql.paging import DEFAULT_PAGE, MAX_PAGE

BOUNDED_LIST = 10
"""What a list counts that does not grow with use, such as a page's hosts."""

_DEEPEST_NESTING = 60
"""Braces within braces, inline fragments included; more than any depth that is allowed, less than the stack holds."""

_DIGITS = 9
"""No size has more; far longer numbers cannot even be read."""

Sizes = tuple[tuple[str, int], ...]
"""Sizes of pages, and lengths of lists, that come in variables."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a selection holds: levels of fields, aliases, directives, fields, and its cost.

    Cost: each object counts one, each list as often as it is long: `first` for a paged one, the number of ids for one
    asked for by ids, ten for any other. Scalars are free.
    """

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    cost: int = 0

    def beside(self, other: "Extent") -> "Extent":
        return Extent(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
            self.cost + other.cost,
        )


def too_complex(message: str) -> GraphQLError:
    """A document beyond a limit."""
    return GraphQLError(message, extensions={"code": "QUERY_TOO_COMPLEX"})


def variable_sizes(document: DocumentNode, variables: Mapping[str, object] | None) -> Sizes:
    """The integers and the lengths of lists among the variables that the document declares."""
    given = variables or {}
    sizes = []
    for operation in _operations(document):
        for definition in operation.variable_definitions or ():
            name = definition.variable.name.value
            value = given.get(name)
            default = definition.default_value
            if value is None and isinstance(default, IntValueNode):
                value = int(default.value) if len(default.value) <= _DIGITS else MAX_PAGE
            if isinstance(value, int) and not isinstance(value, bool):
                sizes.append((name, value))
            elif isinstance(value, list):
                sizes.append((name, len(value)))
    return tuple(sorted(sizes))


def limit_errors(
    schema: GraphQLSchema, document: DocumentNode, limits: DocumentLimits, sizes: Sizes
) -> tuple[GraphQLError, ...]:
    """Why a document is refused; empty when it is within the limits. Knows no more of it than its size."""
    operations = list(_operations(document))
    if len(operations) != 1:
        return (
            GraphQLError(
                f"A request holds exactly one operation, not {len(operations)}.",
                extensions={"code": "GRAPHQL_VALIDATION_FAILED"},
            ),
        )
    try:
        return tuple(_excesses(schema, document, operations[0], limits, sizes))
    except GraphQLError as refused:
        return (refused,)


def _excesses(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    limits: DocumentLimits,
    sizes: Sizes,
) -> Iterator[GraphQLError]:
    measuring = _Measuring(schema, document, dict(sizes))
    root = schema.get_root_type(operation.operation)
    found = measuring.selection(operation.selection_set, root, 0)
    directives = found.directives + len(operation.directives or ())
    directives += sum(len(definition.directives or ()) for definition in operation.variable_definitions or ())
    most_roots = limits.mutations if operation.operation is OperationType.MUTATION else limits.root_fields
    for what, value, most in (
        ("levels of fields", found.depth, limits.depth),
        ("aliases", found.aliases, limits.aliases),
        ("directives", directives, limits.directives),
        ("fields", found.fields, limits.fields),
        ("cost", found.cost, limits.cost),
        ("fields at the top", measuring.root_fields(operation.selection_set, 0), most_roots),
    ):
        if value > most:
            told = value if value < 1_000_000 else "more than a million"
            yield too_complex(f"The operation is too large: {what} {told}, at most {most}.")


class _Measuring:
    """One walk over a document. Fragments are measured once, so that no nesting of them makes it long."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, sizes: Mapping[str, int]) -> None:
        self._schema = schema
        self._sizes = sizes
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[str, Extent] = {}
        self._roots: dict[str, int] = {}
        self._open: set[str] = set()

    def selection(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None, nesting: int) -> Extent:
        if nesting > _DEEPEST_NESTING:
            raise too_complex(f"The operation is nested too deeply: at most {_DEEPEST_NESTING} levels of braces.")
        found = Extent()
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                part = self._field(node, parent, nesting)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                part = self.selection(node.selection_set, inner, nesting + 1)
            elif isinstance(node, FragmentSpreadNode):
                part = self._fragment(node.name.value, nesting)
            found = found.beside(part).beside(Extent(directives=len(node.directives or ())))
        return found

    def root_fields(self, selection_set: SelectionSetNode, nesting: int) -> int:
        """How many fields stand at the top, with fragments expanded."""
        count = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                count += 1
            elif isinstance(node, InlineFragmentNode):
                count += self.root_fields(node.selection_set, nesting + 1)
            elif isinstance(node, FragmentSpreadNode) and (fragment := self._fragments.get(node.name.value)):
                name = node.name.value
                if name not in self._roots:
                    self._roots[name] = self.root_fields(fragment.selection_set, nesting + 1)
                count += self._roots[name]
        return count

    def _fragment(self, name: str, nesting: int) -> Extent:
        fragment = self._fragments.get(name)
        if fragment is None:
            return Extent()
        if name in self._open:
            raise GraphQLError(
                "A fragment holds itself.", nodes=fragment, extensions={"code": "GRAPHQL_VALIDATION_FAILED"}
            )
        if name not in self._measured:
            self._open.add(name)
            inner = self._schema.get_type(fragment.type_condition.name.value)
            found = self.selection(fragment.selection_set, inner, nesting + 1)
            self._measured[name] = found.beside(Extent(directives=len(fragment.directives or ())))
            self._open.discard(name)
        return self._measured[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, nesting: int) -> Extent:
        definition = self._definition(node.name.value, parent)
        inner = get_named_type(definition.type) if definition else None
        below = Extent()
        if node.selection_set:
            below = self.selection(node.selection_set, inner, nesting + 1)
        composite = inner is None or is_composite_type(inner)
        about_schema = node.name.value.startswith("__") or (parent is not None and parent.name.startswith("__"))
        own = 1 if composite and node.name.value != "__typename" else 0
        length = 1 if about_schema else self._length(node, definition, parent)
        return Extent(
            # asking about the schema does not lead into the data, however deep it goes
            depth=1 if about_schema else below.depth + 1,
            aliases=below.aliases + (node.alias is not None),
            directives=below.directives,
            fields=below.fields + 1,
            cost=length * (own + below.cost),
        )

    def _definition(self, name: str, parent: GraphQLNamedType | None) -> GraphQLField | None:
        if parent is None:
            return None
        if name.startswith("__") and (is_object_type(parent) or is_interface_type(parent)):
            return self._schema.get_field(parent, name)
        return parent.fields.get(name) if is_object_type(parent) or is_interface_type(parent) else None

    def _length(self, node: FieldNode, definition: GraphQLField | None, parent: GraphQLNamedType | None) -> int:
        if definition is None:
            return 1
        if "first" in definition.args:
            return self._argument(node, "first", DEFAULT_PAGE, most=MAX_PAGE)
        if "ids" in definition.args:
            return self._argument(node, "ids", MAX_PAGE, most=MAX_PAGE)
        of_connection = parent is not None and parent.name.endswith("Connection") and "pageInfo" in _names(parent)
        return BOUNDED_LIST if _is_list(definition) and not of_connection else 1

    def _argument(self, node: FieldNode, name: str, default: int, *, most: int) -> int:
        value = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
        size = default
        if isinstance(value, IntValueNode):
            size = int(value.value) if len(value.value) <= _DIGITS else most
        elif isinstance(value, ListValueNode):
            size = len(value.values)
        elif isinstance(value, VariableNode):
            size = self._sizes.get(value.name.value, default)
        return max(1, min(size, most))


def _operations(document: DocumentNode) -> Iterator[OperationDefinitionNode]:
    return (definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode))


def _is_list(definition: GraphQLField) -> bool:
    type_ = definition.type
    return is_list_type(type_.of_type if is_non_null_type(type_) else type_)


def _names(parent: GraphQLNamedType) -> Mapping[str, object]:
    return parent.fields if is_object_type(parent) or is_interface_type(parent) else {}
