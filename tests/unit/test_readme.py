"""The README says what is there: variables, make targets, commands and files; a stranger starts with it."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from cortex.settings.env import ROLES
from tests.stores import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {page: (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/OPERATIONS.md")}
READERS = {"text", "required", "secret", "flag", "integer", "listing", "roles", "choice"}
# Settings, servers and commands; what tests and benches set for themselves is theirs.
SOURCES = [*(ROOT / "cortex").rglob("*.py"), ROOT / "manage.py"]
DATABASES = {f"{family}{role}_URL" for family in ("DATABASE", "KEYS_DATABASE") for role in ROLES.values()}
NOT_OURS = {"PATH", "HOME", "PYTEST_XDIST_WORKER"}


def names_in(call: ast.Call) -> Iterator[str]:
    """The variable that a call reads by a literal name: env.text("X"), os.environ.get("X")."""
    function = call.func
    if not isinstance(function, ast.Attribute) or not call.args:
        return
    first = call.args[0]
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return
    owner = ast.unparse(function.value)
    if owner == "env" and function.attr in READERS:
        yield first.value
        if function.attr == "secret":
            yield f"{first.value}_FILE"
    if owner == "os.environ" and function.attr in {"get", "setdefault"}:
        yield first.value


def variables_read() -> set[str]:
    """Every variable that the settings and the processes read, by their sources."""
    found = set(DATABASES)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found.update(names_in(node))
    return found - NOT_OURS


def variables_listed(section: str) -> set[str]:
    """The names in the first column of the tables of a section."""
    body = README.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `([A-Z_]+)` \|", body, flags=re.MULTILINE))


def test_the_configuration_table_lists_exactly_what_is_read() -> None:
    assert variables_listed("Configuration") == variables_read()


def test_the_deployment_page_lists_every_variable_of_production() -> None:
    page = (ROOT / "docs/deploy/CONFIGURATION.md").read_text(encoding="utf-8")
    tests_only = {"CORTEX_TEST_SLOT"}
    listed = set(re.findall(r"`([A-Z_]+)`", page))
    assert {name for name in variables_read() if not name.endswith("_FILE")} - tests_only <= listed


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_named_exists(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", PAGES[page], flags=re.MULTILINE))
    assert named <= targets
    if page == "README.md":
        assert {"run", "test"} <= named


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_named_exists(page: str) -> None:
    named = set(re.findall(r"manage\.py ([a-z][a-z_]+)", PAGES[page]))
    assert named, "both pages name commands"
    assert named <= set(get_commands())


def test_every_file_that_is_linked_or_named_exists() -> None:
    pages = [*PAGES, *(f"docs/decisions/{path.name}" for path in (ROOT / "docs/decisions").glob("*.md"))]
    for page in pages:
        text = (ROOT / page).read_text(encoding="utf-8")
        links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
        missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
        folders = ("tests/", "docs/", "bench/", "examples/", "cortex/", "patients/", "crisis/", "clinical/")
        quoted = [name for name in re.findall(r"`([a-z_]+/[\w./-]+)`", text) if name.startswith(folders)]
        missing += [name for name in quoted if not (ROOT / name).exists()]
        assert not missing, f"{page} names what is not there: {missing}"


def test_the_sentences_that_the_lexicon_is_tested_with_are_as_many_as_it_says() -> None:
    there = 0
    for table in (ROOT / "tests/unit/risk/sentences").glob("*.csv"):
        with table.open(encoding="utf-8", newline="") as lines:
            there += sum(1 for _ in csv.DictReader(lines))
    assert re.findall(r"([\d,]+) sentences of our own", README) == [f"{there:,}"]


def test_pictures_stay_small() -> None:
    pictures = [Path(path) for path in (ROOT / "docs/pictures").glob("*.png")]
    assert pictures
    assert all(picture.stat().st_size < 250_000 for picture in pictures)
