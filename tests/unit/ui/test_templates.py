"""Templates and scripts as files: what the strict policy, the frame and the page budget ask of each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from cortex.ui.nav import ITEMS

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = sorted(path for name in ("pages", "session") for path in (ROOT / "static/js" / name).glob("*.js"))
FLOORS = ("cortex", "patients", "crisis", "clinical")
LIBRARY = sorted((ROOT / "static/js/lib").glob("*.js"))
SPRITE = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/img/icons.svg").read_text()))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


each_template = pytest.mark.parametrize("path", TEMPLATES, ids=name_of)


@each_template
def test_no_template_needs_an_unsafe_policy(path: Path) -> None:
    text = re.sub(r"{[%{#].*?[%}#]}", "", path.read_text())
    assert not re.search(r"<[^>]*\sstyle\s*=", text), "inline style"
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), "inline handler"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "inline script"
    assert "<style" not in text
    assert "javascript:" not in text
    assert "hx-on" not in text
    assert not re.search(r"""(src|href|url\()\s*=?\s*["']?(https?:)?//""", text), "from elsewhere"


@each_template
def test_every_template_compiles_and_is_short(path: Path) -> None:
    get_template(name_of(path))
    assert len(path.read_text().splitlines()) < 150


@each_template
def test_every_posted_form_carries_its_token(path: Path) -> None:
    for form in re.findall(r"<form\b.*?</form>", path.read_text(), flags=re.S):
        if re.search(r'method="post"', form.split(">")[0]):
            assert "{% csrf_token %}" in form, form[:80]


def test_a_part_with_a_posted_form_is_handed_the_token() -> None:
    """`only` leaves the token behind, and a form without one is refused in a browser, though not in tests."""
    posting = {name_of(path) for path in TEMPLATES if "{% csrf_token %}" in path.read_text()}
    bare = [
        f"{name_of(path)}: {name}"
        for path in TEMPLATES
        for name, given in re.findall(r'{% include "([^"]+)"([^%]*) only %}', path.read_text())
        if name in posting and "csrf_token=csrf_token" not in given
    ]
    assert bare == []


@each_template
def test_every_icon_is_in_the_sprite(path: Path) -> None:
    named = set(re.findall(r'{% icon "([a-z0-9-]+)"', path.read_text()))
    assert named <= SPRITE, named - SPRITE


@each_template
def test_every_button_says_its_type_or_sits_in_a_form(path: Path) -> None:
    text = re.sub(r"<form\b.*?</form>", "", path.read_text(), flags=re.S)
    for button in re.findall(r"<button\b[^>]*>", text):
        assert "type=" in button, button


def test_the_navigation_uses_icons_of_the_sprite() -> None:
    assert {item.icon for item in ITEMS} <= SPRITE


def test_every_symbol_of_the_sprite_is_named_somewhere() -> None:
    code = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    text = "\n".join(path.read_text() for path in [*TEMPLATES, *code])
    named = set(re.findall(r"""["'#]([a-z0-9-]+)["']""", text))
    assert SPRITE - named == {f"risk-{level}" for level in range(5)}, "put together by `risk` alone"


def test_page_scripts_stay_small() -> None:
    assert {path.name: n for path in PAGES if (n := len(path.read_text().splitlines())) > 120} == {}
    assert sum(len(path.read_text().splitlines()) for path in LIBRARY) <= 400


def test_scripts_keep_nothing_in_the_browser() -> None:
    for path in [*PAGES, *LIBRARY, ROOT / "static/js/cortex.js"]:
        text = path.read_text()
        assert "sessionStorage" not in text
        assert "indexedDB" not in text
        assert "localStorage" not in text
        assert not re.search(r"\beval\(|new Function\(", text)


def test_every_vendored_file_has_its_licence_beside_it() -> None:
    for folder in ("static/vendor", "static/fonts", "static/img", "tests/browser/vendor"):
        names = [path.name for path in (ROOT / folder).iterdir()]
        assert any("LICENSE" in name or name == "OFL.txt" for name in names), folder


def test_the_frame_of_every_page_names_no_template_of_the_floors_above() -> None:
    frame = [ROOT / "templates/base.html", ROOT / "templates/base_plain.html"]
    frame += [*(ROOT / "templates/components").glob("*.html"), *(ROOT / "templates/accounts").rglob("*.html")]
    assert [path.name for path in frame if re.search(r"(include|extends) \"crisis/", path.read_text())] == []
