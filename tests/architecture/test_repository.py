"""The repository as somebody else finds it: pinned by hash, at home nowhere in particular, finished."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]

# Put together here, so that this file is not among the findings.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
SOMEBODYS_MACHINE = re.compile(
    r"(?<![\w.$}/:-])/(?:ro" + r"ot|ho" + r"me|Us" + r"ers|wo" + r"rk)/[\w.]|[A-Z]:\\Us" + "ers"
)


@cache
def tracked() -> dict[str, str]:
    """The text of every file that git knows or would take, by its path. Binary files are left out."""
    names = subprocess.run(
        # The checkout may belong to somebody else than who runs the tests, as in a container.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    texts = {}
    for name in filter(None, names):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            texts[name] = content.decode(errors="replace")
    return texts


def findings(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, content in tracked().items()
        for number, line in enumerate(content.splitlines(), start=1)
        if pattern.search(line)
    ]


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, str]:
    """What the lock file says of each package, by its canonical name."""
    blocks = re.split(r"^(?=[a-zA-Z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return {canonicalize_name(re.split(r"[=\s\[]", block)[0]): block for block in blocks if block.strip()}


def group(name: str) -> list[str]:
    """The requirements of a dependency group, those of included groups among them."""
    requirements: list[str] = []
    for entry in project()["dependency-groups"][name]:
        requirements += [entry] if isinstance(entry, str) else group(entry["include-group"])
    return requirements


# ---- lock files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_names_one_version_and_its_hashes(lock: str) -> None:
    loose = [
        name
        for name, block in pins(lock).items()
        if not re.match(r"[\w.-]+(\[[\w,-]+\])?==[^\s;]+", block) or not re.search(r"--hash=sha256:[0-9a-f]{64}", block)
    ]
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_says_what_and_not_from_where(lock: str) -> None:
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links|--trusted-host|git\+", tracked()[lock]) == []


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", ["project", "demo", "build"]),
        ("requirements-dev.lock", ["project", "demo", "build", "dev"]),
    ],
)
def test_every_dependency_is_pinned_to_a_version_it_allows(lock: str, wanted: list[str]) -> None:
    requirements = list(project()["project"]["dependencies"])
    requirements += project()["project"]["optional-dependencies"]["demo"]
    requirements += [requirement for name in wanted[2:] for requirement in group(name)]
    pinned = pins(lock)
    wrong = []
    for requirement in map(Requirement, requirements):
        version = re.search(r"==([^\s;]+)", pinned.get(canonicalize_name(requirement.name), ""))
        if version is None or not requirement.specifier.contains(version[1], prereleases=True):
            wrong.append(str(requirement))
    assert wrong == []


def test_developers_run_the_versions_that_users_run() -> None:
    users, developers = pins("requirements.lock"), pins("requirements-dev.lock")
    without_reasons = {
        name: (block.split("# via")[0].strip(), developers.get(name, "").split("# via")[0].strip())
        for name, block in users.items()
    }
    assert [name for name, (ours, theirs) in without_reasons.items() if ours != theirs] == []


# ---- all files ----------------------------------------------------------------------------------------------------


def test_nothing_is_left_for_later() -> None:
    assert findings(UNFINISHED) == []


def test_no_file_knows_whose_machine_it_was_written_on() -> None:
    assert findings(SOMEBODYS_MACHINE) == []


@pytest.mark.parametrize(
    "line",
    [
        "cd /wo" + "rk/main",
        'open("/ro' + 'ot/x")',
        "see /ho" + "me/anna/meetings",
        "(/Us" + "ers/anna)",
        "C:\\Us" + "ers\\a",
    ],
)
def test_a_path_of_one_machine_is_recognised(line: str) -> None:
    assert SOMEBODYS_MACHINE.search(line)


@pytest.mark.parametrize(
    "line", ["tests/ho" + "me/x", "https://host.example/ho" + "me/", "$BASE/wo" + "rk/x", "/tmp/x"]
)
def test_other_paths_are_no_concern(line: str) -> None:
    assert not SOMEBODYS_MACHINE.search(line)


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_the_compose_file_carries_no_secret() -> None:
    """Every password and key comes from the environment and stops the start when it is missing (`${NAME:?...}`)."""
    settings = re.findall(r"^\s+(\w*(?:PASSWORD|SECRET|KEYS)\w*):\s*(.*)$", tracked()["compose.yaml"], re.MULTILINE)
    assert settings != []
    assert [name for name, value in settings if not re.match(r"\"?\$\{\w+:[?-]", value)] == []
