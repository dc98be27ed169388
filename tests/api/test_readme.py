"""What the README shows is what the server understands."""

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from meetings.graphql.schema import schema
from meetings.infrastructure.demo import operations

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
SHOWN = [part for block in BLOCKS for part in re.split(r"\n(?=# \d+\. )", block)]


def test_the_readme_shows_five_operations() -> None:
    assert len(SHOWN) == 5


@pytest.mark.parametrize("operation", SHOWN)
def test_an_operation_of_the_readme_is_valid(operation: str) -> None:
    assert validate(schema._schema, parse(operation)) == []


@pytest.mark.parametrize("name", [name for name in vars(operations) if name.isupper()])
def test_an_operation_of_the_tour_is_valid(name: str) -> None:
    assert validate(schema._schema, parse(vars(operations)[name])) == []


def test_files_the_readme_names_exist() -> None:
    root = Path(__file__).parents[2]
    assert [name for name in re.findall(r"\]\(([^)#:]+)\)", README) if not (root / name).exists()] == []
