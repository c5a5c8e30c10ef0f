"""How the six steps of a safety plan are called, for staff and for the person; nothing that anybody wrote.

The structure follows Stanley and Brown, "Safety planning intervention: a brief intervention to mitigate
suicide risk", Cognitive and Behavioral Practice 19 (2012) 256-264. Their form is under copyright: headings,
questions and hints here are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Section:
    """One step: its number (0: beside the steps), what staff and the person read, and what is asked."""

    key: str
    number: int
    title: str
    own_title: str
    asks: str
    beside: str = ""


SECTIONS = (
    Section(
        "warning_signs", 1, "Warning signs", "How I notice that it is getting hard",
        "What do they notice first: thoughts, moods, what they do or stop doing?",
    ),
    Section(
        "self_coping", 2, "What they can do alone", "What I can do by myself",
        "What takes the edge off without anybody else? Ask how likely it is that they would do it.",
    ),
    Section(
        "distraction_people_places", 3, "People and places that take their mind off it",
        "Where I can go, and who is good to be with",
        "Company that helps without talking about it.", "Number, or where",
    ),
    Section(
        "people_to_ask", 4, "People they can ask for help", "Whom I can ask for help",
        "Who may know how bad it is? Ask whether that person knows.", "Number",
    ),
    Section(
        "professionals_services", 5, "Professionals and services", "Who helps at any hour",
        "The lines of this place stand here already. Add who treats them.", "Number",
    ),
    Section(
        "safer_environment", 6, "Making it safer", "How I make it safer around me",
        "What could be used, and how it is put out of reach for now.", "Who holds it",
    ),
    Section(
        "reasons_for_living", 0, "Reasons for living", "What I live for",
        "Whom and what they want to be there for. It may stay empty.",
    ),
)  # fmt: skip
BY_KEY = {one.key: one for one in SECTIONS}
# What is missing of a plan, as a reader hears it (rules.missing).
MISSING = {one.key: one.title.lower() for one in SECTIONS} | {
    "somebody": "a person or place, or somebody to ask"
}
# Why a plan is no longer in force; a draft that nobody finished is discarded.
RETIRED = {
    "declined": "The person doesn't want it any more",
    "elsewhere": "They keep a plan elsewhere",
    "mistaken": "It was entered in error",
}
DISCARDED = "discarded"
# Words that lie beside the plan: they came too late to take a place, or a colleague went on from them.
BESIDE = "beside"


def missing_words(found: list[str]) -> str:
    """Return what a plan lacks as the end of a sentence; "" for a complete one."""
    words = [MISSING[one] for one in found]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def ago_words(since: timedelta) -> str:
    """Return how long ago in whole days: "today", "yesterday", "7 days ago"."""
    days = max(0, since.days)
    return ("today", "yesterday")[days] if days < 2 else f"{days} days ago"


def reviewed_words(reviewed_at: datetime, at: datetime) -> str:
    """Return when a plan was last looked at, as its flag and card say it; the year where it is another."""
    local = timezone.localtime(reviewed_at)
    day = f"{local:%-d %b}" if local.year == timezone.localtime(at).year else f"{local:%-d %b %Y}"
    return f"{day}, {ago_words(at - reviewed_at)}"
