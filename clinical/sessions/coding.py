"""The closed lists of a therapy session: coded interventions (domain 6.1) and the short risk assessment."""

from __future__ import annotations

from collections.abc import Iterable

INTERVENTIONS: dict[str, str] = {
    "CBT": "Cognitive behavioural therapy",
    "BEHAVIOURAL_ACTIVATION": "Behavioural activation",
    "PROBLEM_SOLVING_THERAPY": "Problem-solving therapy",
    "PM_PLUS": "Problem Management Plus",
    "IPT": "Interpersonal therapy",
    "DBT_SKILLS": "DBT skills",
    "CBT_SP": "CBT for suicide prevention",
    "SAFETY_PLANNING": "Safety planning",
    "MEANS_SAFETY": "Means safety",
    "MBCT": "Mindfulness-based cognitive therapy",
    "ACT": "Acceptance and commitment therapy",
    "EMDR": "EMDR",
    "TF_CBT": "Trauma-focused CBT",
    "PROLONGED_EXPOSURE": "Prolonged exposure",
    "ERP": "Exposure and response prevention",
    "CBT_I": "CBT for insomnia",
    "MOTIVATIONAL_INTERVIEWING": "Motivational interviewing",
    "FAMILY_THERAPY": "Family therapy",
    "COUPLE_THERAPY": "Couple therapy",
    "GROUP": "Group",
    "PSYCHOEDUCATION": "Psychoeducation",
    "PEER_SUPPORT": "Peer support",
    "SOCIAL_PRESCRIBING": "Social prescribing",
    "PHARMACOTHERAPY": "Pharmacotherapy",
    "CASE_MANAGEMENT": "Case management",
}

# Kinds of entries of a session's log, as SessionActivity.activity_type has them.
INTERACTION, INTERVENTION, RISK = "interaction", "intervention", "risk_assessment"
ENTRY_WORDS = {INTERACTION: "Interaction", INTERVENTION: "Intervention", RISK: "Risk assessment"}

# What the short assessment asks, in the order in which it is asked. It is a selection [P] of the factors of
# domain 3.2: acute signs first, means and history next, what protects last.
ASKED: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Now", (
        ("WS_INTENT", "Intends to act"),
        ("WS_PLAN", "Has a plan"),
        ("WS_PREPARATION", "Has prepared or rehearsed"),
        ("WS_GOODBYE_GIVING_AWAY", "Says goodbye, gives things away"),
        ("RF_HOPELESS", "Hopeless"),
        ("RF_ENTRAPMENT", "Trapped, no way out"),
        ("RF_AGITATION", "Agitated or sleepless"),
        ("RF_INTOXICATED", "Intoxicated"),
    )),
    ("Means and history", (
        ("RF_MEANS_ACCESS", "Has access to means"),
        ("WS_MEANS_SEEKING", "Looks for means"),
        ("RF_ATTEMPT_3M", "Attempt in the last 3 months"),
        ("RF_ATTEMPT_12M", "Attempt in the last 12 months"),
        ("RF_ATTEMPT_LIFETIME", "Attempt ever"),
        ("RF_NSSI", "Harms themself without intent to die"),
        ("RF_INPATIENT_30D", "In hospital for it in the last 30 days"),
        ("RF_DISENGAGED", "Missed two contacts or more"),
    )),
    ("What protects", (
        ("PF_REASONS_LIVING", "Names reasons for living"),
        ("PF_SOCIAL_SUPPORT", "Has somebody to turn to"),
        ("PF_MEANS_SAFE", "Means are out of reach"),
    )),
)  # fmt: skip
ASKED_CODES = {code: words for _, group in ASKED for code, words in group}
# What was asked once and stands in logs: read, asked no more.
TOLD_CODES = ASKED_CODES | {"PF_SAFETY_PLAN": "Has a safety plan and would use it"}
# What a clinician who ticks it and sets a level below high gives a reason for [P]: each is direct evidence or
# the beginning of an act, and the next reader would ask.
GRAVE = ("WS_INTENT", "WS_PLAN", "WS_PREPARATION", "RF_ATTEMPT_3M")
STATUSES = (("unknown", "Not asked"), ("present", "Yes"), ("absent", "No"))
# The level of an assessment that leaves it to the signals: it counts as a clinician's review (domain 4.3).
SAME = "same"

# What phrases that put a question aside say (domain 4.6), by the end of the lexicon's id: what was meant, and
# never the phrase itself.
FINE, NO_WORRY, PLAYED_DOWN = "says that all is well", "says not to worry", "plays it down"
DEFLECTIONS = {
    "fine": FINE, "niko_sawa": FINE, "niko_poa": FINE, "shwari": FINE, "dont_worry": NO_WORRY,
    "usijali": NO_WORRY, "hakuna_shida": NO_WORRY, "it_is": PLAYED_DOWN, "ni_sawa_tu": PLAYED_DOWN,
    "ni_life_tu": PLAYED_DOWN, "tunasonga": "says that life goes on", "napambana": "says that they cope",
    "nimezoea": "says that they are used to it", "mambo_ni_mengi": "says that it is much",
    "mungu_yupo": "leaves it to God",
}  # fmt: skip
PUT_ASIDE = "puts the question aside"


def deflection_words(codes: Iterable[str]) -> list[str]:
    """Return how questions were put aside, each once; an entry without words of its own is PUT_ASIDE."""
    return list(dict.fromkeys(DEFLECTIONS.get(code.rpartition(".")[2], PUT_ASIDE) for code in codes))


def code_words(code: str) -> str:
    """Return a coded topic, activity or effect as words."""
    return code.replace("_", " ").replace("-", " ").strip().lower()
