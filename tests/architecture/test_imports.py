"""The shape of the code: dependencies point inwards, the domain is plain and synchronous, clocks are handed in."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "meetings"
DOMAIN = PACKAGE / "domain"

CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
}


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_dependencies_keep_the_contracts_in_pyproject() -> None:
    lint = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert lint.returncode == 0, lint.stdout + lint.stderr
    assert "0 broken" in lint.stdout


def test_the_layers_contract_sees_an_import_that_points_outwards(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for module in modules(PACKAGE):
        copy = tmp_path / module.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(module.read_text())
    (tmp_path / "meetings" / "domain" / "astray.py").write_text("import meetings.infrastructure\n")
    lint = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert lint.returncode != 0
    assert "meetings.domain.astray" in lint.stdout


# ---- the domain ---------------------------------------------------------------------------------------------------


def imported(tree: ast.Module) -> Iterator[str]:
    """The module of every import, with its dots when it is relative."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def is_plain(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names or (module + ".").startswith("meetings.domain.")


@pytest.mark.parametrize("path", modules(DOMAIN), ids=named)
def test_the_domain_imports_only_itself_and_the_standard_library(path: Path) -> None:
    assert [module for module in imported(ast.parse(path.read_text())) if not is_plain(module)] == []


@pytest.mark.parametrize("path", modules(DOMAIN), ids=named)
def test_the_domain_waits_for_nothing(path: Path) -> None:
    waiting = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    assert [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, waiting)] == []
    assert not {"asyncio", "socket", "subprocess", "threading"} & set(imported(ast.parse(path.read_text())))


# ---- clocks -------------------------------------------------------------------------------------------------------


def clocks(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each place that names a clock, called or handed on: `datetime.now`, `dt.date.today`, `from time import time`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if (name, node.attr) in CLOCKS:
                yield node.lineno, f"{name}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from ((node.lineno, f"time.{alias.name}") for alias in node.names if ("time", alias.name) in CLOCKS)


def without_a_clock() -> list[Path]:
    """All modules but infrastructure, where clocks are handed out, and simulators, which play a server of others."""

    def has_one(module: str) -> bool:
        return module.startswith("meetings/infrastructure/") or "/simulator" in module

    return [path for path in modules(PACKAGE) if not has_one(named(path))]


@pytest.mark.parametrize("path", without_a_clock(), ids=named)
def test_only_infrastructure_reads_a_clock(path: Path) -> None:
    assert list(clocks(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import datetime as dt\nx = dt.datetime.now(dt.UTC)",
        "from datetime import datetime\nx = datetime.utcnow()",
        "from datetime import datetime\ndef f(now=datetime.now): ...",
        "from datetime import date\nx = date.today()",
        "import time\nx = time.time()",
        "from time import time\nx = time()",
    ],
)
def test_a_clock_is_recognised(source: str) -> None:
    assert len(list(clocks(ast.parse(source)))) == 1


def test_a_monotonic_clock_measures_durations_everywhere() -> None:
    assert list(clocks(ast.parse("import time\nx = time.monotonic()"))) == []


# ---- the folder named graphql -------------------------------------------------------------------------------------


def test_the_graphql_library_is_not_hidden_by_our_folder() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import graphql, meetings.graphql; print(graphql.__file__, meetings.graphql.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert Path(found[1]) == PACKAGE / "graphql" / "__init__.py"
    assert not Path(found[0]).is_relative_to(PACKAGE)


def test_no_folder_at_the_root_hides_the_graphql_library() -> None:
    assert not (ROOT / "graphql").exists()
