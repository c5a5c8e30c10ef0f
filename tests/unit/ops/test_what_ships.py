"""What goes into image and repository: the product, no tests, no tools of developers, no secret."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings

from tests.stores import ROOT

SHIPPED = {
    "ATTRIBUTION.md", "clinical", "cortex", "crisis", "docs/deploy", "manage.py", "patients", "static",
    "templates",
}  # fmt: skip
# Written by machines or brought by others; everything else is looked through.
PASSED_BY = {".git", ".venv", ".cortex", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache",
             ".hypothesis", "secrets"}  # fmt: skip
SECRET = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{16}"
    rb"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30}|\bcx_[a-z0-9]{12}_[A-Za-z0-9_-]{43}\b"
)


def copied() -> set[str]:
    """Return what the image takes from this folder into its last stage."""
    last = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    lines = [line.split()[1:-1] for line in last.splitlines() if line.startswith("COPY ")]
    return {source for line in lines if not line[0].startswith("--from") for source in line}


def test_the_image_holds_the_product_and_nothing_else() -> None:
    assert copied() == SHIPPED
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"tests", "bench", ".git", ".cortex", "secrets"} <= set(ignored)
    inside = [path for name in SHIPPED if (ROOT / name).is_dir() for path in (ROOT / name).rglob("*.py")]
    wrong = [path for path in inside if path.name.startswith("test_") or path.name == "conftest.py"]
    assert wrong == []


def test_no_tool_of_developers_is_installed_in_the_product() -> None:
    tools = {"debug_toolbar", "django_extensions", "silk"}
    assert not tools & {name.partition(".")[0] for name in settings.INSTALLED_APPS}
    assert [name for name in tools if find_spec(name)] == []
    assert not any("toolbar" in name or "tests" in name for name in settings.MIDDLEWARE)


def secrets_in(root: Path) -> list[str]:
    found = []
    for path in root.iterdir():
        if path.is_dir() and not path.is_symlink() and path.name not in PASSED_BY:
            found += secrets_in(path)
        elif path.is_file() and SECRET.search(path.read_bytes()):
            found.append(path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name)
    return found


def test_no_secret_stands_in_the_repository() -> None:
    assert secrets_in(ROOT) == []


def test_a_secret_that_stood_there_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    key = "-----BEGIN PRIVATE" + " KEY-----\n" + "M" * 40
    (tmp_path / "deep" / "a.pem").write_text(key)
    (tmp_path / "b.py").write_text("key = 'AK" + "IA" + "Q" * 16 + "'")
    assert sorted(secrets_in(tmp_path)) == ["a.pem", "b.py"]
