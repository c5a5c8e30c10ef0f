"""The tokens reach WCAG 2.2 AA in both themes: text 4.5:1, controls and marks 3:1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text()
PAIR = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9a-fA-F]{6}),\s*(#[0-9a-fA-F]{6})\)")
PLAIN = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{6});")
TOKENS = {name: (light, dark) for name, light, dark in PAIR.findall(CSS)} | {
    name: (value, value) for name, value in PLAIN.findall(CSS)
}

TEXT = [
    ("ink", "surface"),
    ("ink-2", "surface"),
    ("ink-3", "surface"),
    ("ink-3", "bg"),
    ("ink-3", "surface-2"),
    ("ink-3", "accent-tint"),
    ("ink-2", "surface-3"),
    ("accent", "surface"),
    ("accent", "bg"),
    ("accent-strong", "accent-tint"),
    ("on-accent", "accent-bg"),
    ("rail-ink", "rail"),
    ("r4-on", "r4-bg"),
    ("r4-ink", "r4-tint"),
    ("r4-ink", "surface"),
    ("r3-ink", "r3-tint"),
    ("r3-ink", "surface"),
    ("r2-ink", "r2-tint"),
    ("r2-ink", "surface"),
    ("r1-ink", "r1-tint"),
    ("r1-ink", "surface"),
    ("ok-ink", "surface"),
    ("ok-ink", "ok-tint"),
]
MARKS = [
    ("control", "surface"),
    ("control", "bg"),
    ("focus", "surface"),
    ("focus", "bg"),
    ("r4-bg", "surface"),
    ("r3-bg", "surface"),
    ("d1", "surface"),
    ("d2", "surface"),
    ("d3", "surface"),
    ("d4", "surface"),
]


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), [(*p, 4.5) for p in TEXT] + [(*p, 3.0) for p in MARKS])
def test_tokens_are_readable(ink: str, ground: str, least: float, theme: int) -> None:
    assert contrast(TOKENS[ink][theme], TOKENS[ground][theme]) >= least
