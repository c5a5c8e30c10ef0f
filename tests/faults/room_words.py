"""A therapist's hour in a browser: words into the forms of a chart, then the pages that show them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page

from clinical.notes.models import PROCESS
from tests import makers
from tests.walk.plans import ALLERGY, MEDICINE
from tests.walk.safety import KEYS

LISTS = {"notes/": "notes/", "documents/": "documents/", "sessions/": "sessions/", "plan/": "plan/goals/"}
# A file leaves as it came, and what ends care closes the chart: both are told by what stands beside them.
UNSHOWN = ("letter", "summary", "onward")
SLOW = 30_000  # ms
SENT = "button[type=submit]:not([tabindex='-1']):visible"


@dataclass
class Room:
    """One person's chart in the hands of who treats them; `seed` begins every word that is typed."""

    page: Page
    origin: str
    who: str
    seed: str
    typed: list[str] = field(default_factory=list)

    @property
    def chart(self) -> str:
        """The address of the chart."""
        return f"{self.origin}/charts/{self.who}/"

    def word(self, name: str) -> str:
        """Return the words of one field; a leak is told by its name."""
        self.typed.append(f"{self.seed}{name}")
        return f"Anasema {self.seed}{name}"

    def send(self, path: str, fields: dict[str, Any], *, press: str = SENT) -> str:
        """Fill the form that has these fields, by their names, and send it; return where that led.

        AssertionError when the page shows that something was refused.
        """
        self.page.goto(path)
        box = self.page.locator(f"#main form:has([name='{next(iter(fields))}'])").first
        for name, value in fields.items():
            self.fill(box.locator(f"[name='{name}']"), value)
        with self.page.expect_navigation():
            box.locator(press).first.click()
        wrong = self.page.locator("#main [data-error-summary], #main [aria-invalid=true]")
        assert wrong.count() == 0, (path, wrong.first.inner_text())
        return self.page.url

    def fill(self, fields: Locator, value: Any) -> None:
        """Put a value into a field, or choose it."""
        kind = fields.first.evaluate("(field) => field.type")
        if value is True:
            fields.check()
        elif kind in ("radio", "checkbox"):
            fields.and_(self.page.locator(f"[value='{value}']")).check()
        elif kind == "select-one":
            fields.first.select_option(str(value))
        elif kind == "file":
            fields.first.set_input_files(value)
        else:
            fields.first.fill(str(value))


def work_in_the_room(room: Room) -> None:
    """Write into a chart all that can be written, look for it, then open the pages that show it.

    Each word must stand on a page afterwards: a form that took it and lost it would leak nothing.
    """
    _notes(room)
    _plan(room)
    _people(room)
    _session(room)
    shown = _pages(room)
    room.send(f"{room.chart}discharge/", {
        "reason_code": "goals_reached", "summary": room.word("summary"), "to_outside": room.word("onward"),
    })  # fmt: skip
    missing = [one for one in room.typed if one not in shown and not one.endswith(UNSHOWN)]
    assert missing == [], missing


def _notes(room: Room) -> None:
    page = room.page
    for kind in ("progress", PROCESS):
        room.send(f"{room.chart}notes/", {"note_type": kind})
        text = page.locator("[name=free_text]").first
        text.fill(room.word(f"note{kind}"))
        page.locator("#saved", has_text="Saved").wait_for(timeout=SLOW)
        text.press_sequentially(" tena")
        if page.locator("[name=risk_statement]").count():
            page.locator("[name=risk_statement]").fill(room.word(f"risk{kind}"))
        if page.locator("[name=follow_up_on]").count():
            page.locator("[name=follow_up_on]").fill("2099-01-02")
        page.get_by_role("button", name="Read and sign").click()
        page.get_by_role("button", name="Sign", exact=True).click()
        page.get_by_label("Addendum").fill(room.word(f"addendum{kind}"))
        page.get_by_role("button", name="Add and sign").click()
        page.locator(".nt-add").first.wait_for(timeout=SLOW)
    room.send(f"{room.origin}/notes/texts/", {"title": "Opening", "text": room.word("phrase")})


def _plan(room: Room) -> None:
    plan, word, today = f"{room.chart}plan/", room.word, makers.now().date()
    room.send(f"{plan}begin/", {"presenting_problem": word("problem"), "formulation": word("formulation")})
    room.send(f"{plan}diagnoses/add/", {"code": "F33.1", "status": "confirmed", "note": word("diagnosis")})
    room.send(f"{plan}goals/add/", {
        "specific": word("goal"), "measure_type": "frequency", "metric": word("metric"), "target": "5",
        "window_days": "7", "achievable_note": word("achievable"), "concerns": "sleep",
    })  # fmt: skip
    room.send(f"{plan}interventions/add/", {"code": "CBT", "evidence_level": "A", "note": word("work")})
    told = {"name": word("medicine"), "prescriber": word("prescriber"), "side_effects": word("effects")}
    room.send(f"{plan}medications/add/", _filled(MEDICINE) | told)
    room.send(f"{plan}allergies/add/", _filled(ALLERGY) | {"substance": word("of"), "reaction": word("rash")})
    room.send(f"{plan}sign/", {"patient_agreed": True})
    room.page.get_by_role("link", name="Write down progress").first.click()
    room.send(room.page.url, {"value": "1", "observed_on": today, "note": word("progress")})
    room.send(
        f"{plan}review/", {"patient_view": word("view"), "summary": word("seen"), "decision": "continue"}
    )


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value and name != "code_system"}


def _people(room: Room) -> None:
    word = room.word
    lines = {f"{key}_text": word(f"safety{number}") for number, key in enumerate(KEYS)}
    room.send(f"{room.origin}/people/{room.who}/safety-plan/edit/", lines, press="[name=finish]")
    letter = {"name": f"{room.seed}file.txt", "mimeType": "text/plain", "buffer": word("letter").encode()}
    room.send(f"{room.chart}documents/new/", {"kind": "report", "title": word("title"), "file": letter})
    called = {"name": word("called"), "phone": "+254700000009", "place": "1", "note": word("callnote")}
    room.send(f"{room.chart}people/to-call/add/", called)
    room.send(f"{room.chart}people/", {"role": "caregiver", "outside_name": word("outsider")})


def _session(room: Room) -> None:
    at = room.send(f"{room.chart}sessions/", {"channel": "phone"})
    room.send(at, {"code": "CBT", "text": room.word("entry")})
    room.send(at, {"status": "completed"})


def _pages(room: Room) -> str:
    """Return all that the pages of the chart, its notes, papers and searches say."""
    page, found = room.page, []
    for path in ("", "timeline/", "notes/", "plan/", "plan/print/", "documents/", "people/", "sessions/"):
        page.goto(room.chart + path)
        found.append(page.content())
        if path in LISTS:
            hrefs = page.locator("#main a[href]").evaluate_all("(all) => all.map((one) => one.href)")
            for href in sorted(
                set(filter(re.compile(rf"{LISTS[path]}[0-9a-f-]{{36}}/(progress/)?$").search, hrefs))
            ):
                page.goto(href)
                found.append(page.content())
    page.goto(f"{room.origin}/people/{room.who}/safety-plan/")
    found.append(page.content())
    page.goto(f"{room.origin}/notes/texts/")
    found.append(page.content())
    for path, sought in ((f"{room.origin}/notes/search/", "noteprogress"), (f"{room.chart}timeline/", "")):
        page.goto(path)
        with page.expect_response(lambda one: one.request.method == "POST"):
            page.locator("#main [name=q]").fill(room.seed + sought)
            page.locator("#main [name=q]").press("Enter")
    return "\n".join(found)
