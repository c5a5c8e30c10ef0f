"""How plans are said: interventions and concerns for staff and, in plain words, for the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

CONCERNS = {
    "depression": "Depression",
    "anxiety": "Anxiety",
    "anger": "Anger",
    "sleep": "Sleep",
    "suicidality": "Suicidality",
    "substance": "Substance use",
    "trauma": "Trauma",
    "grief": "Grief",
    "relationship": "Relationships",
    "work_study": "Work and study",
}


@dataclass(frozen=True, slots=True)
class Intervention:
    """What staff call an intervention, and what the person reads."""

    title: str
    plain: str


INTERVENTIONS = {
    "CBT": Intervention(
        "Cognitive behavioural therapy", "Talking about thoughts and habits, and trying new ones."
    ),
    "BEHAVIOURAL_ACTIVATION": Intervention(
        "Behavioural activation", "Planning small things that are good for you, and doing them step by step."
    ),
    "PROBLEM_SOLVING_THERAPY": Intervention(
        "Problem-solving therapy, PM+", "Taking one problem at a time and working out what can be done."
    ),
    "IPT": Intervention(
        "Interpersonal therapy", "Talking about the people in your life and what is changing there."
    ),
    "DBT_SKILLS": Intervention("DBT skills", "Learning ways to get through strong feelings."),
    "CBT_SP": Intervention(
        "CBT for suicide prevention", "Learning what helps when everything feels too much."
    ),
    "SAFETY_PLANNING": Intervention(
        "Safety planning", "Writing down together what helps when things get very hard."
    ),
    "MEANS_SAFETY": Intervention("Means safety", "Making your home a safer place."),
    "MBCT": Intervention(
        "Mindfulness-based cognitive therapy", "Practising to notice thoughts without being pulled along."
    ),
    "ACT": Intervention(
        "Acceptance and commitment therapy", "Making room for hard feelings and doing what matters to you."
    ),
    "EMDR": Intervention("EMDR", "Working through hard memories with guided attention."),
    "TF_CBT": Intervention("Trauma-focused CBT", "Working through hard memories step by step."),
    "PROLONGED_EXPOSURE": Intervention(
        "Prolonged exposure", "Going back to what is avoided, slowly and together."
    ),
    "ERP": Intervention(
        "Exposure and response prevention", "Facing what you fear in small steps, without the old rituals."
    ),
    "CBT_I": Intervention("CBT for insomnia", "Building better sleep, night by night."),
    "MOTIVATIONAL_INTERVIEWING": Intervention(
        "Motivational interviewing", "Talking about what you want to change, and why."
    ),
    "FAMILY_THERAPY": Intervention("Family therapy", "Talking together with your family."),
    "COUPLE_THERAPY": Intervention("Couple therapy", "Talking together with your partner."),
    "GROUP": Intervention("Group therapy", "Meeting with others in a group."),
    "PSYCHOEDUCATION": Intervention("Psychoeducation", "Learning about what you are going through."),
    "PEER_SUPPORT": Intervention("Peer support", "Talking with somebody who has been through it."),
    "SOCIAL_PRESCRIBING": Intervention(
        "Social prescribing", "Finding groups and places near you that do you good."
    ),
    "PHARMACOTHERAPY": Intervention("Pharmacotherapy", "Medicine, with your doctor."),
    "CASE_MANAGEMENT": Intervention("Case management", "Help with everyday matters: papers, money, housing."),
}
OFTEN_PLAIN = {
    "daily": "every day",
    "twice_weekly": "twice a week",
    "weekly": "every week",
    "fortnightly": "every two weeks",
    "monthly": "every month",
    "as_needed": "when it is needed",
}
PACES = {
    "achieved": "Reached",
    "on_track": "On track",
    "at_risk": "Falling behind",
    "off_track": "Off track",
    "unknown": "No reading yet",
}
DECISIONS = {
    "continue": "Go on as planned",
    "change": "Change the plan",
    "step_up": "Step up: more care",
    "step_down": "Step down: less care",
    "discharge": "End treatment",
}

# How a plan may end, and why: the decisions of a review that end one (domain 6.1).
ENDS = {
    "complete": "Completed: what it was made for is done",
    "discontinue": "Discontinued: it stops before that",
}
END_REASONS = {
    "change": "Another plan takes its place",
    "step_up": DECISIONS["step_up"],
    "step_down": DECISIONS["step_down"],
    "discharge": DECISIONS["discharge"],
}

# Sums of decimals are a hair off behind these.
DECIMALS = 6

# Free words of the plan's forms, as they are called where no form can be shown.
FREE_WORDS = {
    "presenting_problem": "What brings the person here",
    "formulation": "Formulation",
    "specific": "What exactly",
    "metric": "What is counted",
    "steps": "Milestones",
    "achievable_note": "Why it can be reached",
    "patient_view": "How the person sees it",
    "summary": "What you see",
    "substance": "What",
    "reaction": "What happens",
    "name": "Name",
    "dose": "Dose",
    "prescriber": "Prescribed by",
    "indication": "For",
    "side_effects": "Side effects",
    "note": "Note",
}

# What became of a diagnosis and of a medication, wherever it is told.
DIAGNOSIS_ADDED, DIAGNOSIS_CHANGED = "Diagnosis added", "Diagnosis changed"
MEDICATION_BEGUN, MEDICATION_RECORDED = "Medication begun", "Medication recorded"
MEDICATION_STOPPED = "Medication stopped"
IN_ERROR = "Entered in error"


def percent(share: float | None) -> str:
    """Return a share as whole per cent; empty without one."""
    return "" if share is None else f"{share * 100:.0f} %"


def number(value: float | None) -> str:
    """Return a number in all its figures, without needless decimals."""
    if value is None:
        return ""
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def pace_words(pace: str, share: float | None, elapsed: float) -> str:
    """Return where something stands in a sentence."""
    if share is None:
        return "No reading yet."
    if pace == "achieved":
        return "Reached."
    return f"{percent(share)} of the way in {percent(elapsed)} of the time."


def waits_words(since: datetime, at: datetime) -> str:
    """Return how long something has waited, in whole days, within the first in hours."""
    hours = int((at - since) / timedelta(hours=1))
    if hours < 1:
        return "less than an hour"
    count, unit = (hours, "hour") if hours < 24 else (hours // 24, "day")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def version_words(version: int) -> str:
    """Return what a signature was: of a new plan, or of a change."""
    return "Plan signed" if version == 1 else f"Plan changed, version {version}"


def diagnosis_words(said: str, one: Any) -> str:
    """Return what became of a diagnosis: by its code and the title that it had when it was recorded."""
    return f"{said}: {one.code} {one.title}"


def medication_words(said: str, one: Any) -> str:
    """Return what became of a medication, of which name and dose are opened."""
    return f"{said}: {' '.join(filter(None, (one.name, one.dose, one.unit)))}"
