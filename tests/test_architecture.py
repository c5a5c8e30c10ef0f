"""The house rules as machine rules: floors, doors, actions, names and sizes, read from the sources."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("cortex", "patients", "crisis", "clinical")
KINDS = {
    "models",
    "queries",
    "actions",
    "forms",
    "serializers",
    "views",
    "api",
    "tasks",
    "admin",
    "urls",
    "apps",
    "__init__",
    "checks",
}
# Reads and writes through the ORM live in these modules of a feature; doors hold none of it.
DATA_MODULES = {"models", "queries", "actions"}
# Whoever names one of these holds a manager; whoever calls one of those reads or writes through the ORM.
MANAGERS = {"objects", "_default_manager", "_base_manager"}
CALLS = {
    "save", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "select_for_update", "in_bulk",
    "aggregate", "raw", "cursor", "planned_cursor", "get_object_or_404", "get_list_or_404", "get_model",
    "atomic",
}  # fmt: skip


def sources() -> list[Path]:
    found = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


@pytest.fixture(scope="module", autouse=True)
def trees_are_let_go() -> Iterator[None]:
    """Every source is parsed once for all of these tests, and held no longer than they run."""
    yield
    tree.cache_clear()


def listed_modules(*, touching: bool = False) -> set[str]:
    """Return the modules that docs/ARCHITECTURE.md lists, as `feature/noun`; `touching`: those with *."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    rows = re.findall(
        r"^\| `((?:cortex|patients|crisis|clinical)/[\w/]+)` \| ([\w* ]+) \|$", text, re.MULTILINE
    )
    found = {f"{feature}/{name}" for feature, names in rows for name in names.split()}
    return {name.rstrip("*") for name in found if not touching or name.endswith("*")}


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno


def test_nothing_that_is_kept_leads_out_of_the_project() -> None:
    """A link to somebody's own folder works on their machine alone: a clone elsewhere can't set up."""
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    names = kept.stdout.split("\0")
    assert "manage.py" in names
    assert [name for name in names if (ROOT / name).is_symlink()] == []


def test_floors_import_only_downward() -> None:
    wrong = []
    for path in sources():
        floor = FLOORS.index(path.relative_to(ROOT).parts[0])
        for name, line in imports(path):
            target = name.split(".")[0]
            if target in FLOORS and FLOORS.index(target) > floor:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_the_watchdog_shares_no_code_with_what_it_watches() -> None:
    """What runs the clocks is closed to it; its eyes have SQL of their own, and import nothing of ours."""
    wrong = []
    for path in [*(ROOT / "crisis/watchdog").rglob("*.py"), ROOT / "crisis/management/commands/watchdog.py"]:
        for name, line in imports(path):
            watched = name.startswith(("crisis.sweep", "crisis.escalation", "crisis.management"))
            if watched or (path.stem == "eyes" and name.split(".")[0] in (*FLOORS, "django")):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert len(list((ROOT / "crisis/watchdog").glob("*.py"))) >= 7
    assert not wrong, "\n".join(wrong)


def touches(node: ast.AST) -> bool:
    """Whether an expression reads or writes through the ORM.

    Dicts, sets and digests are updated by a value, caches delete by a key: a queryset is updated by names
    alone, and deletes without a word.
    """
    if isinstance(node, ast.Attribute) and node.attr in MANAGERS:
        return True
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if isinstance(called, ast.Attribute) and name == "update":
        return not node.args and bool(node.keywords)
    if isinstance(called, ast.Attribute) and name in ("delete", "adelete"):
        return not node.args and not node.keywords
    return name in CALLS


@pytest.mark.parametrize(
    "line",
    [
        "User.objects.first()", "model._default_manager.all()", "model._base_manager.all()", "row.save()",
        "rows.update(done_at=at)", "rows.filter(a=1).update(**fields)", "rows.delete()", "row.delete()",
        "Model.objects.raw(sql)", "rows.raw(sql)", "connection.cursor()", "connections['keys'].cursor()",
        "connections[alias].cursor()", "manager.bulk_create(rows)", "get_object_or_404(rows, pk=pk)",
        "transaction.atomic()", "apps.get_model('a.B')", "rows.select_for_update()",
        "user.shifts.get_or_create(a=1)", "rows.aggregate(Max('number'))",
    ],
)  # fmt: skip
def test_the_net_catches(line: str) -> None:
    assert any(touches(node) for node in ast.walk(ast.parse(line))), line


@pytest.mark.parametrize(
    "line",
    ["facts.update({'a': 1})", "names |= found", "found.update(names)", "digest.update(b'x')",
     "cache.delete(key)", "client.delete(name, other)", "issued.raw", "self.objects_seen", "path.unlink()"],
)  # fmt: skip
def test_the_net_lets_pass(line: str) -> None:
    assert not any(touches(node) for node in ast.walk(ast.parse(line))), line


def test_doors_hold_no_orm() -> None:
    wrong, touching = [], set()
    allowed = listed_modules(touching=True) | {"cortex/clock"}
    for path in sources():
        relative = path.relative_to(ROOT).with_suffix("")
        if relative.stem in DATA_MODULES:
            continue
        lines = path.read_text().splitlines()
        for node in ast.walk(tree(path)):
            if touches(node):
                touching.add(str(relative))
                wrong.append(f"{relative}.py:{node.lineno}: {lines[node.lineno - 1].strip()[:90]}")  # type: ignore[attr-defined]
    wrong = [one for one in wrong if one.partition(".py:")[0] not in allowed]
    assert not wrong, "Reads belong into queries.py, writes into actions.py:\n" + "\n".join(wrong)
    assert allowed <= touching, f"These have a * and touch nothing: {sorted(allowed - touching)}"


def test_every_public_function_of_actions_is_an_action() -> None:
    wrong = []
    for path in sources():
        if path.name != "actions.py":
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in tree(path).body:
            public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if public and not getattr(getattr(module, node.name), "is_action", False):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not wrong, "Wrap them in @action or @quiet:\n" + "\n".join(wrong)


def test_the_quiet_writes_equal_the_reviewed_list() -> None:
    from cortex.audit.machine import QUIET_WRITES

    for path in sources():
        if path.name == "actions.py":
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    mine = {name: why for name, why in QUIET_WRITES.items() if name.split(".")[0] in FLOORS}
    found = "".join(f"{name}: {why}\n" for name, why in sorted(mine.items()))
    reviewed = (ROOT / "tests" / "quiet_writes.txt").read_text()
    assert found == reviewed, "A write became quiet, or stopped being so: review tests/quiet_writes.txt"


def test_features_hold_only_known_kinds_of_modules() -> None:
    wrong = []
    allowed = listed_modules()
    for path in sources():
        relative = path.relative_to(ROOT).with_suffix("")
        if len(relative.parts) < 3 or "management" in relative.parts or "templatetags" in relative.parts:
            continue
        if relative.parts[1] == "settings":
            continue
        if relative.stem not in KINDS and str(relative) not in allowed:
            wrong.append(str(relative))
    assert not wrong, "List these in docs/ARCHITECTURE.md or name them by section 2:\n" + "\n".join(wrong)


def test_no_file_outgrows_its_room() -> None:
    static = [path for kind in ("js", "css") for path in (ROOT / "static" / kind).rglob(f"*.{kind}")]
    long = {
        str(path.relative_to(ROOT)): count
        for path in [*sources(), *static, *(ROOT / "tests").rglob("*.py")]
        if "vendor" not in path.parts and (count := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_scripts_of_pages_are_short() -> None:
    pages = {
        path.name: len(path.read_text().splitlines())
        for name in ("pages", "session")
        for path in (ROOT / "static/js" / name).glob("*.js")
    }
    lib = sum(len(path.read_text().splitlines()) for path in (ROOT / "static/js/lib").glob("*.js"))
    assert not {name: lines for name, lines in pages.items() if lines > 120}
    assert lib <= 400


def test_every_module_says_in_one_sentence_what_lives_there() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.read_text().strip() and not ast.get_docstring(tree(path))
    ]
    assert not silent, "\n".join(silent)


def test_every_public_function_of_the_code_has_a_docstring() -> None:
    silent = []
    for path in sources():
        if "management" in path.parts:
            continue
        for node in tree(path).body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not silent, "\n".join(silent)


def test_every_admin_class_and_task_of_the_sources_is_registered() -> None:
    from django.contrib import admin as django_admin

    from cortex.celery import app as celery

    registered = {type(one).__name__ for one in django_admin.site._registry.values()}
    celery.loader.import_default_modules()
    classes = [node for path in sources() for node in tree(path).body if isinstance(node, ast.ClassDef)]
    bases = {base.id for node in classes for base in node.bases if isinstance(base, ast.Name)}
    known = registered | bases | {name.rpartition(".")[2] for name in celery.tasks}
    missing = [f"{path.relative_to(ROOT)} {name}" for path in sources() for name in _declared(path) - known]
    assert not missing, "\n".join(missing)


def _declared(path: Path) -> set[str]:
    """Return the names of admin classes or of tasks that a file declares."""
    body = tree(path).body
    if path.name == "admin.py":
        return {one.name for one in body if isinstance(one, ast.ClassDef) and one.name.endswith("Admin")}
    if path.name == "tasks.py":
        return {one.name for one in body if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")}
    return set()


def test_no_signals_between_apps() -> None:
    pattern = re.compile(r"django\.db\.models\.signals|@receiver\(")
    wrong = [str(path.relative_to(ROOT)) for path in sources() if pattern.search(path.read_text())]
    assert not wrong


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "coming " + "soon", "lorem " + "ipsum"])
def test_nothing_is_left_half_done(word: str) -> None:
    files = [*sources(), *(ROOT / "templates").rglob("*.html"), *(ROOT / "static/js").rglob("*.js")]
    assert not [str(path.relative_to(ROOT)) for path in files if word in path.read_text()]
