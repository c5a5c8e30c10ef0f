"""How totals, change and courses are said: plain, with units and direction."""

from __future__ import annotations

from django.utils import timezone

from clinical.assessments.definitions import Definition
from clinical.assessments.queries import Course
from clinical.assessments.scoring import Change

FLAGS = {
    "item9_missing": "Item 9 was left out: ask directly today.",
    "item9_endorsed": "Item 9 was answered with more than not at all.",
    "declined": "Declined. The level before it stands.",
    "incomplete": "Too many answers are missing for a total.",
    "above_cutoff": "At or beyond the cut-off.",
}


# The choices of a PHQ-9, as they stand within a sentence.
ITEM9 = {0: "not at all", 1: "several days", 2: "more than half the days", 3: "nearly every day"}


def item9_words(value: int | None) -> str:
    """Return the answer to item 9, as "item 9: several days"; "" for one that is not known."""
    return f"item 9: {ITEM9[value]}" if value in ITEM9 else ""


def flag_words(flags: list[str] | tuple[str, ...], item9: int | None = None) -> list[str]:
    """Return what the flags of an administration say, with its answer to item 9 where that is known."""
    said = item9_words(item9)
    if said and "item9_endorsed" in flags:
        rest = [flag for flag in flags if flag != "item9_endorsed"]
        return [f"{said[:1].upper()}{said[1:]}.", *flag_words(rest)]
    return [FLAGS.get(flag, flag.replace("_", " ").capitalize()) for flag in flags]


def band_label(course: Course, code: str) -> str:
    """Return a band's name."""
    return next((band.label for band in course.definition.bands if band.code == code), "")


def loinc_words(definition: Definition) -> str:
    """Return the codes of a measure and of its outcome, as "LOINC 44249-1, total 44261-6."; "" of none."""
    outcome = "risk level" if definition.scoring == "cssrs" else "total"
    total = f"{outcome} {definition.loinc_total}" if definition.loinc_total else ""
    codes = ", ".join(filter(None, (definition.loinc_panel, total)))
    return f"LOINC {codes}." if codes else ""


def signed(points: int) -> str:
    """Return +5, 0 or a minus sign with the points."""
    return f"+{points}" if points > 0 else "0" if points == 0 else f"\N{MINUS SIGN}{-points}"


def change_words(change: Change | None) -> str:
    """Return what a change means: "+5, reliably worse", "no change, in remission"; "" without one.

    A response to treatment is not said beside a step the wrong way.
    """
    if change is None:
        return ""
    if change.remission:
        meaning = "in remission"
    elif change.reliable != "no":
        meaning = "reliably better" if change.reliable == "improved" else "reliably worse"
    elif change.significant != "no":
        meaning = "better" if change.significant == "improved" else "worse"
    else:
        meaning = "no clear change" if change.points else ""
    words = ", ".join(filter(None, (signed(change.points) if change.points else "no change", meaning)))
    if change.response == "full" and change.share >= 0 and not change.remission:
        words += ", response"
    return words + (", recall windows overlap" if change.overlaps else "")


def baseline_words(course: Course) -> str:
    """Return which point change is reckoned from, and why it is that one; "" with fewer than two points."""
    one, episode = course.baseline, course.episode
    if one is None or len(course.points) < 2:
        return ""
    words = f"Baseline {one.total} on {timezone.localtime(one.at):%-d %b %Y}: "
    if episode is None:
        return words + "the first of the last two years; no plan is in force."
    began = f"{episode.began:%-d %b %Y}"
    if course.opening is None:
        return words + f"the first of the last two years; none within 14 days of the plan's start, {began}."
    return words + f"the first within 14 days of the plan's start, {began}."


def direction(course: Course) -> str:
    """Return good, bad or "" for the last change, where it is significant."""
    change = course.since_last()
    if change is None or change.significant == "no":
        return ""
    return "good" if change.significant == "improved" else "bad"
