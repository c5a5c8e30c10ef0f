"""What a person types never becomes an address: histories and logs of proxies keep those."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.ui.test_templates import TEMPLATES, name_of

FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
# Chosen, not typed: these may stand in an address, so that a filtered list can be loaded anew.
CHOSEN = {"checkbox", "date", "radio", "hidden"}


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_form_into_which_one_types_is_posted(path: Path) -> None:
    for attributes, inside in FORM.findall(path.read_text()):
        if re.search(r'method="(post|dialog)"', attributes):
            continue
        kinds = set(re.findall(r'<input\b[^>]*\btype="(\w+)"', inside))
        assert len(re.findall(r"<input\b", inside)) == len(re.findall(r'<input\b[^>]*\btype="', inside))
        assert kinds <= CHOSEN, "a typed word would stand in the address"
        assert "<textarea" not in inside
        assert "{{ field }}" not in inside
