"""Migrations go back and forward again, and after the first one of a part none holds a long lock."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid
from django.core.management import call_command
from django.db import OperationalError, connections

from tests import stores
from tests.stores import ROOT

FLOORS = ("cortex", "patients", "crisis", "clinical")
SPARE = {"default": "cortex_spare", "keys": "cortex_keys_spare"}
OURS = [app.label for app in apps.get_app_configs() if app.name.split(".")[0] in FLOORS]
# The long form of `make proof` goes back to nothing, a short one back over so many migrations of each part.
TO_NOTHING = bool(os.environ.get("CORTEX_EXPLORE"))
NEWEST = 4
COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1, 2
"""
GUARDS = """
    SELECT conrelid::regclass::text, conname, convalidated::text FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tablename, indexname, '' FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT tgrelid::regclass::text, tgname, '' FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2
"""
# A first migration makes empty tables. What comes later meets full ones, so these would lock people out.
SLOW = {
    "AddIndex": "take AddIndexConcurrently, in a migration of its own with atomic = False",
    "AddConstraint": "take AddConstraintNotValid, and ValidateConstraint in the next migration",
    "AlterUniqueTogether": "take a unique index made concurrently",
    "AlterIndexTogether": "take AddIndexConcurrently",
}
# migration -> why what it does can't hurt
SAFE: dict[str, str] = {}
# Old and new code run side by side for a while, and an update is taken back by starting the old code again.
CONTRACTS = {
    "RemoveField": "leave the column until no release reads or writes it",
    "RenameField": "add the new one, write both, drop the old one a release later",
    "RenameModel": "add the new table, write both, drop the old one a release later",
    "DeleteModel": "leave the table until no release reads or writes it",
    "AlterModelTable": "add the new table, write both, drop the old one a release later",
}
# migration -> why the release before it goes on all the same
OLD = "made before this rule; no release that doesn't fill the column can be beside one that has it"
KNOWN_BREAKS: dict[str, str] = {"0008_alert_evidence_and_hand_token": OLD, "0010_note_diagnoses": OLD}


@pytest.fixture
def spare(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Copies of the migrated databases that are this test's own, with the owner at work."""
    for alias, (cluster, name) in stores.DATABASES.items():
        stores.recreate(cluster, SPARE[alias], stores.template_of(name))
    with django_db_blocker.unblock(), stores.owning(SPARE):  # type: ignore[attr-defined]
        yield


def shape(alias: str) -> list[tuple[str, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(COLUMNS)
        found = cursor.fetchall()
        cursor.execute(GUARDS)
        return found + cursor.fetchall()


def test_migrations_go_back_and_forward_to_the_same(spare: None) -> None:
    """The newest of each part; in the long form all of them, to nothing."""
    before = {alias: shape(alias) for alias in SPARE}
    for alias in SPARE:
        # Everything of ours stands on people and organizations, so it leaves with them.
        for label in ("accounts", *OURS):
            if names := applied(alias, label):
                target = "zero" if TO_NOTHING else names[max(len(names) - 1 - NEWEST, 0)]
                call_command("migrate", label, target, database=alias, verbosity=0, interactive=False)
        if TO_NOTHING:
            assert not {row[0] for row in shape(alias) if row[0].split("_")[0] in OURS}
    for alias in SPARE:
        call_command("migrate", database=alias, verbosity=0, interactive=False)
        assert set(shape(alias)) ^ set(before[alias]) == set()


def test_the_migration_of_addenda_runs_again_after_a_lock_that_it_did_not_get(
    spare: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shape("default")
    call_command("migrate", "clinical", "0012", verbosity=0, interactive=False)
    with monkeypatch.context() as patch:
        patch.setattr(AddConstraintNotValid, "database_forwards", _no_lock)
        with pytest.raises(OperationalError):
            call_command("migrate", "clinical", verbosity=0, interactive=False)
    call_command("migrate", "clinical", verbosity=0, interactive=False)
    assert set(shape("default")) ^ set(before) == set()


def _no_lock(*_: object) -> None:
    raise OperationalError("canceling statement due to lock timeout")


def applied(alias: str, label: str) -> list[str]:
    """Return the migrations of an app that are in place, oldest first; one without tables leaves rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT name FROM django_migrations WHERE app = %s ORDER BY id", [label])
        return [name for (name,) in cursor.fetchall()]


def later_migrations() -> list[Path]:
    """Every migration of ours after the first of its app."""
    found = [path for floor in FLOORS for path in (ROOT / floor).rglob("migrations/[0-9]*.py")]
    return [path for path in found if not path.name.startswith("0001")]


def faults_of(source: str) -> list[str]:
    """Return what a later migration does that would hold a long lock on a full table."""
    module = ast.parse(source)
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    made = {_said(call, "name").lower() for call in calls if _name(call) == "CreateModel"}
    met = [call for call in calls if _said(call, "model_name", "name").lower() not in made]
    wrong = [f"{_name(call)}: {SLOW[_name(call)]}" for call in met if _name(call) in SLOW]
    for call in [call for call in met if _name(call) == "AddField"]:
        parts = [part for part in ast.walk(call) if isinstance(part, ast.Call)]
        words = {word.arg for part in parts for word in part.keywords if not _is_false(word.value)}
        wrong += [f"AddField with {word}: index it concurrently" for word in words & {"unique", "db_index"}]
    concurrent = any(_name(call).endswith("Concurrently") for call in calls)
    if concurrent and "atomic = False" not in source:
        wrong.append("an index that is made concurrently needs atomic = False")
    return wrong


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _said(call: ast.Call, *names: str) -> str:
    """Return the first of these words that a call was given by name."""
    values = {word.arg: word.value for word in call.keywords}
    found = (values[name] for name in names if isinstance(values.get(name), ast.Constant))
    return str(next((one.value for one in found), ""))  # type: ignore[attr-defined]


def breaks_of(source: str) -> list[str]:
    """Return what a later migration does that the code of the release before would stumble over."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    made = {_said(call, "name").lower() for call in calls if _name(call) == "CreateModel"}
    met = [call for call in calls if _said(call, "model_name", "name").lower() not in made]
    wrong = [f"{_name(call)}: {CONTRACTS[_name(call)]}" for call in met if _name(call) in CONTRACTS]
    for call in [call for call in met if _name(call) == "AddField"]:
        field = next(word.value for word in call.keywords if word.arg == "field")
        if not isinstance(field, ast.Call):
            continue
        words = {word.arg for word in field.keywords if word.arg == "db_default" or not _is_false(word.value)}
        if not words & {"null", "db_default"} and _name(field) not in ("ManyToManyField", "GeneratedField"):
            wrong.append(f"AddField {_said(call, 'name')}: give it null or db_default")
    return wrong


def test_each_migration_keeps_the_code_of_the_release_before_at_work() -> None:
    wrong = {
        path.stem: faults
        for path in later_migrations()
        if (faults := breaks_of(path.read_text())) and not KNOWN_BREAKS.get(path.stem)
    }
    assert not wrong, wrong
    stems = {path.stem for path in later_migrations()}
    assert KNOWN_BREAKS.keys() <= stems, "a reason for a migration that is gone"


@pytest.mark.parametrize(
    "operation",
    [
        'migrations.AddField(model_name="alert", name="a", field=models.CharField(max_length=3))',
        'migrations.AddField(model_name="alert", name="a", field=models.CharField(default="", max_length=3))',
        'migrations.RemoveField(model_name="alert", name="a")',
        'migrations.RenameField(model_name="alert", old_name="a", new_name="b")',
        'migrations.RenameModel(old_name="Alert", new_name="Alarm")',
        'migrations.DeleteModel(name="Alert")',
    ],
)
def test_the_rule_sees_each_way_of_breaking_the_release_before(operation: str) -> None:
    assert breaks_of(f"operations = [{operation}]")


def test_what_the_release_before_does_not_notice_passes() -> None:
    free = 'migrations.AddField(model_name="alert", name="a", field=models.TextField(null=True))'
    filled = 'migrations.AddField(model_name="alert", name="a", field=models.TextField(db_default=""))'
    made = 'migrations.CreateModel(name="Alarm", fields=[])'
    assert breaks_of(f"operations = [{free}, {filled}, {made}]") == []


def test_no_later_migration_holds_a_long_lock() -> None:
    wrong = {
        str(path.relative_to(ROOT)): faults
        for path in later_migrations()
        if (faults := faults_of(path.read_text())) and not SAFE.get(path.stem)
    }
    assert not wrong, "\n".join(f"{path}: {faults}" for path, faults in wrong.items())


@pytest.mark.parametrize(
    "operation",
    [
        'migrations.AddIndex(model_name="alert", index=models.Index(fields=["a"], name="b"))',
        'migrations.AddConstraint(model_name="alert", constraint=models.CheckConstraint())',
        'migrations.AddField(model_name="alert", name="a", field=models.CharField(unique=True))',
        'AddIndexConcurrently(model_name="alert", index=models.Index(fields=["a"], name="b"))',
    ],
)
def test_the_rule_sees_each_way_of_locking(operation: str) -> None:
    assert faults_of(f"operations = [{operation}]")


def test_the_rule_lets_new_tables_and_the_slow_ways_pass() -> None:
    made = 'migrations.CreateModel(name="Alert", fields=[])'
    index = 'migrations.AddIndex(model_name="alert", index=models.Index(fields=["a"], name="b"))'
    assert faults_of(f"operations = [{made}, {index}]") == []
    assert (
        faults_of(f"atomic = False\noperations = [{index.replace('AddIndex', 'AddIndexConcurrently')}]") == []
    )
    assert faults_of('operations = [AddConstraintNotValid(model_name="alert", constraint=c)]') == []
