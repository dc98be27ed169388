"""Documents that want too much are refused at once, and nothing is resolved for them (GQ-1 to GQ-3)."""

import asyncio
import time
import tracemalloc
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from meetings.application.links import Links
from meetings.application.page_memory import PageMemory
from meetings.graphql import executing
from meetings.graphql.document_limits import limit_errors, variable_sizes
from meetings.graphql.explorer import example_operations
from meetings.graphql.options import ANONYMOUS, SIGNED_IN, ApiOptions, DocumentLimits
from meetings.graphql.schema import schema
from tests.api.hostile import hostile_documents
from tests.api.probing import Untouchable, connection, execute, refused

HOSTILE = [pytest.param(document, variables, id=what) for what, document, variables in hostile_documents()]
CODES = {"QUERY_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
AT_MOST_SECONDS = 0.05


def test_there_are_enough_hostile_documents() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("signed_in", [False, True], ids=["anonymous", "signed in"])
@pytest.mark.parametrize(("document", "variables"), HOSTILE)
async def test_a_hostile_document_is_refused_fast_and_nothing_is_resolved(
    document: str, variables: dict[str, object], signed_in: bool
) -> None:
    took = []
    for attempt in range(4):  # a blank more each time, so that nothing is remembered
        began = time.process_time()
        codes = await refused(document + " " * attempt, variables, signed_in=signed_in)
        took.append(time.process_time() - began)
        assert set(codes) <= CODES
        if took[-1] <= AT_MOST_SECONDS:
            return
    raise AssertionError(f"refused only after {min(took):.3f} s")


async def test_hostile_documents_take_little_memory() -> None:
    tracemalloc.start()
    try:
        for _, document, variables in hostile_documents():
            await refused(document, variables)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * 2**20


async def test_the_code_says_whether_a_document_is_too_large_or_wrong() -> None:
    assert await refused("{ server { " + "version " * 400 + "} }") == ["QUERY_TOO_COMPLEX"]
    assert await refused("{ " + "a " * 2_000 + "}") == ["QUERY_TOO_COMPLEX"]
    assert await refused("{ server {") == ["GRAPHQL_PARSE_FAILED"]
    assert await refused("{ nope }") == ["GRAPHQL_VALIDATION_FAILED"]
    assert await refused("{ server { version } } { server { version } }") == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize("limits", [ANONYMOUS, SIGNED_IN], ids=["anonymous", "signed in"])
@pytest.mark.parametrize("document", [*example_operations(), get_introspection_query(specified_by_url=True)])
def test_what_front_ends_need_is_within_the_limits(document: str, limits: DocumentLimits) -> None:
    assert limit_errors(schema._schema, parse(document), limits, ()) == ()


@pytest.mark.parametrize(
    ("document", "variables", "cost"),
    [
        ("{ server { version } }", {}, 1),
        ("{ viewer { role } }", {}, 1),
        ("{ viewer { user { name } } }", {}, 2),
        ("{ viewer { schedulingPages { nodes { id } } } }", {}, 1 + 20 * 2),
        ("{ viewer { schedulingPages(first: 5) { nodes { id } } } }", {}, 1 + 5 * 2),
        ("query($n: Int!) { viewer { schedulingPages(first: $n) { nodes { id } } } }", {"n": 7}, 1 + 7 * 2),
        ("query($n: Int = 3) { viewer { schedulingPages(first: $n) { nodes { id } } } }", {}, 1 + 3 * 2),
        ("{ viewer { schedulingPages(first: 5) { edges { node { id } } nodes { id } } } }", {}, 1 + 5 * 4),
        ("{ viewer { calendarConnections { availableCalendars { name } } } }", {}, 1 + 10 * (1 + 10)),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a", "b", "c"]}, 3),
        ('{ nodes(ids: ["a", "b"]) { ... on User { name } } }', {}, 2),
        ("{ __schema { types { name } } }", {}, 2),
        ("{ viewer { ...F } } fragment F on Viewer { user { name } account { name } }", {}, 3),
    ],
)
def test_the_cost_counts_objects_times_the_sizes_of_their_lists(
    document: str, variables: dict[str, object], cost: int
) -> None:
    parsed = parse(document)
    sizes = variable_sizes(parsed, variables)

    def refused_at(most: int) -> bool:
        limits = DocumentLimits(depth=50, tokens=5_000, aliases=50, cost=most, fields=500)
        return bool(limit_errors(schema._schema, parsed, limits, sizes))

    assert (refused_at(cost), refused_at(cost - 1)) == (False, True)


async def test_a_document_that_comes_again_is_checked_once() -> None:
    document = '{ availability(input: {page: {slug: {slug: "a"}}}) { mode } again: nope }'
    before = executing._checked.cache_info()
    for _ in range(20):
        await refused(document)
    after = executing._checked.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 19)


async def test_anonymous_callers_may_ask_about_the_schema_only_where_that_is_switched_on() -> None:
    question = "{ __schema { queryType { name } } }"
    product = Untouchable()
    off, on = ApiOptions(introspection_for_anonymous=False), ApiOptions(introspection_for_anonymous=True)
    closed = await execute(question, None, connection(product, signed_in=False, options=off))
    assert closed.data is None
    assert closed.errors
    assert (closed.errors[0].extensions or {})["code"] == "GRAPHQL_VALIDATION_FAILED"
    for context in (
        connection(product, signed_in=True, options=off),
        connection(product, signed_in=False, options=on),
    ):
        opened = await execute(question, None, context)
        assert (opened.data, opened.errors) == ({"__schema": {"queryType": {"name": "Query"}}}, None)


async def test_an_operation_that_takes_too_long_is_ended_and_nothing_of_it_goes_on() -> None:
    """Finding the page takes for ever; three fields wait for it."""
    waiting, ended = 0, 0

    class SlowReads:
        async def page_at(self, slug: str) -> None:
            nonlocal waiting, ended
            waiting += 1
            try:
                await asyncio.sleep(60)
            finally:
                ended += 1

    tools = SimpleNamespace(reads=SlowReads(), links=Links("http://127.0.0.1", "http://127.0.0.1", [b"key"]))
    options = ApiOptions(execution_seconds=0.1)
    nobody: Any = None
    memory = PageMemory(look=nobody, signs=nobody, pulse=nobody, clock=nobody, policy=nobody)
    context = connection(SimpleNamespace(tools=tools, memory=memory), signed_in=False, options=options)
    page = 'publicSchedulingPage(at: {slug: {slug: "anna"}}) { headline }'
    result = await execute(f"{{ a: {page} b: {page} c: {page} }}", None, context)
    assert result.data is None
    assert result.errors
    assert [(error.extensions or {})["code"] for error in result.errors] == ["UPSTREAM_UNAVAILABLE"]
    assert (waiting, ended) == (3, 3)
