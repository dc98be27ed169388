"""Operations made at random from the schema, sound and broken: none fails by a mistake of ours, none tells too much.

MEETINGS_TEST_OPERATIONS says how many; release candidates run 2,000.
"""

import os
import random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

from meetings.graphql import top_level_errors
from meetings.graphql.schema import schema
from tests.api.documents import BOOK, BOOKINGS, CONNECTIONS, PAGES, SLUG, at, book, working_day
from tests.api.setting_up import online
from tests.product import ApiClient, Product

COUNT = int(os.environ.get("MEETINGS_TEST_OPERATIONS", "150"))
CORE = schema._schema
CODES = {value for name, value in vars(top_level_errors).items() if name.isupper()} - {"INTERNAL_SERVER_ERROR"}
TELLING = ("traceback", "sqlite", "sqlalchemy", "site-packages", "select ", "/work", ".py", "127.0.0.1:", "exception")
NOT_CALLED = {"signOut", "revokeApiToken"}
"""Whoever calls these cannot go on."""


TEXTS = (SLUG, "x", "", "grace@example.org", "google-2026-11", "{{host}}", "x" * 300, "\\u202e", "é")


class Writer:
    """Writes operations. About one value in eight is broken."""

    def __init__(self, seed: int, known: dict[str, list[str]]) -> None:
        self.random = random.Random(seed)
        self._known = known

    def operation(self) -> str:
        kind, root = self.random.choice(
            [("query", CORE.query_type), ("query", CORE.query_type), ("mutation", CORE.mutation_type)]
        )
        assert root is not None
        names = [name for name in root.fields if name not in NOT_CALLED]
        return f"{kind} {{ {self._field(root, self.random.choice(names), 5)} }}"

    def _field(self, parent: GraphQLObjectType | GraphQLInterfaceType, name: str, depth: int) -> str:
        field = parent.fields[name]
        given = {argument: self._argument(argument, definition) for argument, definition in field.args.items()}
        told = ", ".join(f"{argument}: {value}" for argument, value in given.items() if value is not None)
        return f"{name}{f'({told})' if told else ''} {self._selection(get_named_type(field.type), depth)}".strip()

    def _selection(self, type_: GraphQLNamedType, depth: int) -> str:
        if not is_composite_type(type_):
            return ""
        if isinstance(type_, GraphQLUnionType) or depth <= 0:
            return "{ __typename }"
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        chosen = self.random.sample(sorted(type_.fields), k=min(len(type_.fields), self.random.randint(1, 5)))
        parts = [self._field(type_, name, depth - 1) for name in chosen]
        if isinstance(type_, GraphQLInterfaceType):
            concrete = self.random.choice(CORE.get_possible_types(type_))
            parts.append(f"... on {concrete.name} {self._selection(concrete, depth - 2)}")
        if self.random.random() < 0.02:
            parts.append("nope")
        return "{ __typename " + " ".join(parts) + " }"

    def _argument(self, name: str, definition: GraphQLArgument) -> str | None:
        if not isinstance(definition.type, GraphQLNonNull) and self.random.random() < 0.4:
            return None
        return self._value(name, definition.type)

    def _value(self, name: str, type_: GraphQLInputType) -> str:
        if self.random.random() < 0.03:
            return self.random.choice(["null", '""', "-1", "1e400", "[]", "{}", "true", "NOPE", '"\\u0000"', "[[1]]"])
        if isinstance(type_, GraphQLNonNull):
            return self._value(name, type_.of_type)
        if isinstance(type_, GraphQLList):
            return "[" + ", ".join(self._value(name, type_.of_type) for _ in range(self.random.randint(0, 3))) + "]"
        if isinstance(type_, GraphQLEnumType):
            return str(self.random.choice(list(type_.values)))
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_)
        return self._scalar(name, type_.name)

    def _object(self, type_: GraphQLInputObjectType) -> str:
        names = list(type_.fields)
        if type_.is_one_of or type_.name in ("PageAddress", "BookingRef"):
            names = [self.random.choice(names)]
        parts = []
        for name in names:
            field = type_.fields[name]
            if isinstance(field.type, GraphQLNonNull) or len(names) == 1 or self.random.random() < 0.3:
                parts.append(f"{name}: {self._value(name, field.type)}")
        return "{" + ", ".join(parts) + "}"

    def _scalar(self, name: str, scalar: str) -> str:
        day = working_day().date().isoformat()
        values: dict[str, list[Any]] = {
            "Int": [0, 1, 15, 30, 60, -1, 2**31 - 1, 100],
            "Boolean": ["true", "false"],
            "DateTime": [f'"{at("10:00")}"', f'"{at("11:30")}"', '"1999-01-01T00:00:00Z"', '"2199-12-31T23:59:59Z"'],
            "Date": [f'"{day}"', '"2026-11-02"', '"2199-12-31"', '"2026-13-01"'],
            "LocalTime": ['"09:00"', '"17:00"', '"24:00"', '"25:00"'],
            "TimeZone": ['"Europe/Berlin"', '"Pacific/Apia"', '"Mars/X"'],
            "Duration": ['"P1D"', '"PT30M"', '"PT0M"', '"P999999D"', '"P1Y"'],
            "URL": ['"http://x.example/"', '"javascript:alert(1)"'],
            "Locale": ['"de"', '"en-GB"', '"?"'],
            "ID": [f'"{each}"' for each in [*self._known["ids"], "nonsense", ""]],
            "String": [
                f'"{each}"'
                for each in (
                    SLUG,
                    "x",
                    "",
                    "grace@example.org",
                    "google-2026-11",
                    "{{host}}",
                    "x" * 300,
                    "\\u202e",
                    "é",
                )
            ],
        }
        if name == "token":
            return f'"{self.random.choice([*self._known["tokens"], "nonsense"])}"'
        if name in ("slug", "idempotencyKey"):
            return self.random.choice([f'"{SLUG}"', f'"key-{self.random.randrange(10**9)}"'])
        return str(self.random.choice(values[scalar]))


async def test_generated_operations_are_answered_and_tell_nothing_of_the_inside(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await online(served)
    booked = (await visitor.ask(BOOK, input=book(at("09:00"))))["bookMeeting"]["booking"]
    known = {"tokens": [booked["manageToken"]], "ids": await _ids(host)}
    answered = 0
    for seed in range(COUNT):
        document = Writer(seed, known).operation()
        client = host if seed % 3 else visitor
        answer = await client.send(document)
        assert answer.status_code == 200, (seed, document, answer.text)
        body = answer.json()
        for error in body.get("errors", []):
            assert error["extensions"]["code"] in CODES, (seed, document, error)
            assert not [word for word in TELLING if word in error["message"].lower()], (seed, document, error)
        answered += body.get("data") is not None
    assert answered > COUNT // 3


async def _ids(host: ApiClient) -> list[str]:
    pages = (await host.ask(PAGES))["viewer"]["schedulingPages"]["nodes"]
    bookings = (await host.ask(BOOKINGS))["viewer"]["bookings"]["nodes"]
    connections = (await host.ask(CONNECTIONS))["viewer"]["calendarConnections"]
    calendars = [calendar for connection in connections for calendar in connection["availableCalendars"]]
    users = [(await host.ask("{ viewer { user { id } } }"))["viewer"]["user"]]
    return [each["id"] for each in (*pages, *bookings, *connections, *calendars, *users)]
