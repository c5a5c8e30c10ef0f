"""What a browser would send of a form of the back office as it stands: each field with what it shows."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

TOKEN = "csrfmiddlewaretoken"


def fields_of(page: str, form_id: str) -> dict[str, Any]:
    """Return the fields of one form, by name; those of several values as lists. No button is pressed."""
    reader = _Reader(form_id)
    reader.feed(page)
    return reader.found


class _Reader(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__(convert_charrefs=True)
        self.form_id, self.inside = form_id, False
        self.found: dict[str, Any] = {}
        self.select = self.area = ""
        self.first = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name = said.get("name") or ""
        if tag == "form":
            self.inside = said.get("id") == self.form_id
        elif not self.inside:
            return
        elif tag == "select":
            self.select, self.first = name, "multiple" not in said
        elif tag == "option" and self.select and ("selected" in said or self.first):
            self.found[self.select] = said.get("value") or ""
            self.first = False
        elif tag == "textarea":
            self.area, self.found[name] = name, ""
        elif tag == "input" and name not in ("", TOKEN) and said.get("type") not in ("submit", "button"):
            self._input(name, said)

    def _input(self, name: str, said: dict[str, str | None]) -> None:
        if said.get("type") in ("checkbox", "radio"):
            if "checked" in said:
                self.found.setdefault(name, []).append(said.get("value") or "on")
        else:
            self.found[name] = said.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self.area:
            # A browser leaves out the first line break of a text area.
            self.found[self.area] += data.removeprefix("\n") if not self.found[self.area] else data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "textarea":
            self.area = ""
        elif tag == "select":
            self.select = ""
