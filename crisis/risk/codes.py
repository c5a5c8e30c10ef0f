"""The closed lists of evidence codes and domains (domain 3.2 and 4.1); plain names, no rule."""

from __future__ import annotations

BEHAVIOURAL = frozenset({"dissonance", "emotion", "baseline", "trajectory"})
RISK_DOMAINS = (
    "text", "dissonance", "emotion", "phq", "cssrs", "trajectory", "baseline", "history", "stressors",
    "disengagement",
)  # fmt: skip
DOMAINS = (
    *RISK_DOMAINS,
    "state",
    "warning",
    "protective",
    "sos",
    "third_party",
    "others",
    "review",
    "context",
)

TIERS = ("A", "B", "V", "SH", "C", "D")

HISTORY = (
    "RF_ATTEMPT_3M", "RF_ATTEMPT_12M", "RF_ATTEMPT_LIFETIME", "RF_NSSI", "RF_FAMILY_SUICIDE",
    "RF_ABUSE_TRAUMA", "RF_INPATIENT_30D", "RF_DX_MOOD", "RF_DX_PSYCHOSIS", "RF_DX_SUD", "RF_DX_PERSONALITY",
    "RF_CHRONIC_PAIN_ILLNESS", "RF_PERINATAL",
)  # fmt: skip
STATE = (
    "RF_HOPELESS", "RF_ENTRAPMENT", "RF_BURDEN", "RF_ISOLATION", "RF_INSOMNIA", "RF_AGITATION",
    "RF_IMPULSIVITY", "RF_INTOXICATED", "RF_COMMAND_HALLUC", "RF_SHAME_HUMILIATION", "RF_PAIN_ACUTE",
    "RF_DISENGAGED",
)  # fmt: skip
SITUATION = (
    "RF_LOSS_BEREAVE", "RF_LOSS_RELATIONSHIP", "RF_JOB_FINANCE", "RF_DEBT_MOBILE_LOAN", "RF_SCHOOL_EXAM_FEES",
    "RF_LEGAL", "RF_VIOLENCE_GBV", "RF_STIGMA_HIV_SGM", "RF_EXPOSURE_SUICIDE", "RF_MEANS_ACCESS",
)  # fmt: skip
WARNING = (
    "WS_INTENT", "WS_PLAN", "WS_PREPARATION", "WS_MEANS_SEEKING", "WS_GOODBYE_GIVING_AWAY", "WS_SUDDEN_CALM",
    "WS_RAGE", "WS_RECKLESS", "WS_WITHDRAWAL_SUDDEN", "WS_INTOX_ESCALATION",
)  # fmt: skip
PROTECTIVE = (
    "PF_REASONS_LIVING", "PF_SOCIAL_SUPPORT", "PF_ENGAGED_CARE", "PF_SAFETY_PLAN", "PF_MEANS_SAFE",
    "PF_DEPENDANTS", "PF_FAITH_CULTURE", "PF_PROBLEM_SOLVING", "PF_FUTURE_PLANS",
)  # fmt: skip

# What speaks of substance use (domain 7.4): the engine counts it, and names it to whom Part 2 opens alone.
SUBSTANCE = frozenset({"RF_DX_SUD", "RF_INTOXICATED", "WS_INTOX_ESCALATION"})
# What stands in its place for everybody else.
PROTECTED = "PROTECTED"

TEXT_MODEL = "TEXT_MODEL"
TEXT_MODEL_SHADOW = "TEXT_MODEL_SHADOW"
ATTEMPT_NOW = "ATTEMPT_NOW"
HARM_TO_OTHERS = "HARM_TO_OTHERS"
THIRD_PARTY_CONCERN = "THIRD_PARTY_CONCERN"
THIRD_PARTY_IMMINENT = "THIRD_PARTY_IMMINENT"
SOS_IN_DANGER = "SOS_IN_DANGER"
SOS_TALK = "SOS_TALK"
DISSONANCE = "DISSONANCE_CONCEALMENT"
DISSONANCE_MASKED = "DISSONANCE_MASKED"
BASELINE = "BASELINE_DEVIATION"
BASELINE_PROVISIONAL = "BASELINE_DEVIATION_PROVISIONAL"
ITEM9 = "PHQ9_ITEM9"
ITEM9_MISSING = "PHQ9_ITEM9_MISSING"
PHQ_TOTAL = "PHQ9_TOTAL"
CSSRS = "CSSRS_TRIAGE"
CSSRS_SINCE = "CSSRS_SINCE_CONTACT"
CSSRS_PARTIAL = "CSSRS_PARTIAL"
CSSRS_DECLINED = "CSSRS_DECLINED"
# A screener that was answered to its end, in either form.
CSSRS_COMPLETE = frozenset({CSSRS, CSSRS_SINCE})
CLINICIAN_LEVEL = "CLINICIAN_LEVEL"
CLINICIAN_REVIEW = "CLINICIAN_REVIEW"
RAISE = "raise"
LOWER = "lower"
ALERT_RESOLVED = "ALERT_RESOLVED"


def shadow(code: str) -> str:
    """The code under which evidence is kept that a version in shadow found: it counts for nothing."""
    return f"{code}_SHADOW"


def rule_code(rule: str) -> str:
    """The code of what a rule in shadow would have set."""
    return shadow(f"RULE_{rule}")


def text_code(tier: str) -> str:
    """The evidence code of a lexicon tier."""
    return f"TEXT_{tier}"


def domain_of(code: str) -> str:
    """The domain of a coded factor of domain 3.2; ValueError for a code that isn't one."""
    for domain, codes in _FACTOR_DOMAINS:
        if code in codes:
            return domain
    raise ValueError(f"{code} is not a coded factor")


_FACTOR_DOMAINS = (
    ("disengagement", frozenset({"RF_DISENGAGED"})),
    ("history", frozenset(HISTORY)),
    ("state", frozenset(STATE)),
    ("stressors", frozenset(SITUATION)),
    ("warning", frozenset({*WARNING, ATTEMPT_NOW})),
    ("protective", frozenset(PROTECTIVE)),
    ("others", frozenset({HARM_TO_OTHERS})),
    ("third_party", frozenset({THIRD_PARTY_CONCERN, THIRD_PARTY_IMMINENT})),
    ("sos", frozenset({SOS_IN_DANGER, SOS_TALK})),
)
