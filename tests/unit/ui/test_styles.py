"""Style sheets are whole and hold nothing that no page uses."""

from __future__ import annotations

import re
from pathlib import Path

from tests.stores import ROOT

FLOORS = ("cortex", "crisis", "patients", "clinical")
USERS = [("templates", "*.html"), ("static/js", "*.js"), *((floor, "*.py") for floor in FLOORS)]
# Made of a prefix and a word or a size: an icon's, the tone of an event.
MADE = re.compile(r"i-\d+|node-(crit|ok)")


def test_every_class_of_the_style_sheets_is_used() -> None:
    words = {
        word
        for folder, pattern in USERS
        for path in (ROOT / folder).rglob(pattern)
        for word in re.findall(r"[A-Za-z_][\w-]*", path.read_text(encoding="utf-8"))
    }
    idle = {}
    for sheet in (ROOT / "static/css").rglob("*.css"):
        rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert rules.count("{") == rules.count("}"), f"{sheet.name}: a rule is never closed"
        named = set(re.findall(r"\.([a-zA-Z][\w-]*)(?=[^{}]*\{)", rules))
        if left := sorted(one for one in named - words if not MADE.fullmatch(one)):
            idle[sheet.name] = left
    # What Django's own back office writes is styled by us and named in its templates.
    idle.pop("admin.css", None)
    assert idle == {}


def bare(sheet: Path) -> set[str]:
    """The classes that a sheet styles wherever they stand, on every screen."""
    rules = re.findall(r"^  ([.][^{}]*) \{", sheet.read_text(), re.MULTILINE)
    return {one for rule in rules for one in re.split(r",\s*", rule) if re.fullmatch(r"\.[\w-]+", one)}


def test_no_page_styles_a_class_of_the_frame() -> None:
    """A legend's dot once shrank the logo of every chart."""
    frame = bare(ROOT / "static/css/layout.css")
    pages = [one for floor in ("clinical", "crisis") for one in (ROOT / "static/css" / floor).glob("*.css")]
    assert {sheet.name: found for sheet in pages if (found := bare(sheet) & frame)} == {}
