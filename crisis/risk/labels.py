"""Short words for levels, factors and gaps in English and Swahili; plain, no method, no quote."""

from __future__ import annotations

LEVELS = {
    "en": {"low": "No current signals", "medium": "Medium", "high": "High", "critical": "Critical"},
    "sw": {"low": "Hakuna dalili kwa sasa", "medium": "Wastani", "high": "Juu", "critical": "Hatari kubwa"},
}

FACTORS = {
    "TEXT_A": ("words of immediate danger", "maneno ya hatari ya haraka"),
    "TEXT_B": ("words about suicide", "maneno kuhusu kujiua"),
    "TEXT_V": ("words of goodbye", "maneno ya kuaga"),
    "TEXT_SH": ("words about self-harm", "maneno kuhusu kujidhuru"),
    "TEXT_C": ("a wish to be dead", "hamu ya kufa"),
    "TEXT_D": ("words of hopelessness", "maneno ya kukata tamaa"),
    "TEXT_MODEL": ("the text model sees risk in the words", "mfumo wa maandishi unaona hatari"),
    "DISSONANCE_CONCEALMENT": ("voice heavier than words", "sauti nzito kuliko maneno"),
    "DISSONANCE_MASKED": (
        "a hopeless voice behind fine words",
        "sauti ya kukata tamaa nyuma ya maneno mazuri",
    ),
    "EMO_HOPELESS": ("mostly hopeless in tone", "hali ya kukata tamaa"),
    "EMO_RESIGNED": ("mostly resigned in tone", "hali ya kukubali kushindwa"),
    "EMO_NUMB": ("mostly numb in tone", "hali ya kufa ganzi kihisia"),
    "PHQ9_ITEM9": ("PHQ-9 item 9 endorsed", "PHQ-9 swali la 9 limekubaliwa"),
    "PHQ9_TOTAL": ("PHQ-9 total in the severe bands", "jumla ya PHQ-9 iko juu"),
    "CSSRS_TRIAGE": ("C-SSRS answers", "majibu ya C-SSRS"),
    "CSSRS_SINCE_CONTACT": ("C-SSRS answers since the last contact", "majibu ya C-SSRS tangu mara ya mwisho"),
    "CSSRS_PARTIAL": ("C-SSRS begun, with a yes", "C-SSRS imeanzwa, kuna ndiyo"),
    "TRAJECTORY_DECLINING": ("falling mood", "hali inashuka"),
    "TRAJECTORY_VOLATILE": ("mood swings", "hali inayobadilika sana"),
    "BASELINE_DEVIATION": ("voice far from their own usual", "sauti tofauti na kawaida yake"),
    "BASELINE_DEVIATION_PROVISIONAL": (
        "voice far from their first usual",
        "sauti tofauti na kawaida ya awali",
    ),
    "RF_ATTEMPT_3M": ("an attempt within 3 months on record", "jaribio ndani ya miezi 3 kwenye rekodi"),
    "RF_ATTEMPT_12M": ("an attempt within 12 months on record", "jaribio ndani ya miezi 12 kwenye rekodi"),
    "RF_ATTEMPT_LIFETIME": ("a lifetime attempt on record", "jaribio la zamani kwenye rekodi"),
    "RF_INPATIENT_30D": ("a hospital stay within 30 days", "kulazwa ndani ya siku 30"),
    "RF_NSSI": ("self-harm on record", "kujidhuru kwenye rekodi"),
    "RF_DISENGAGED": ("missed contacts", "amekosa mawasiliano"),
    "RF_LOSS_BEREAVE": ("a bereavement", "msiba"),
    "RF_LOSS_RELATIONSHIP": ("a broken relationship", "kuvunjika kwa uhusiano"),
    "RF_JOB_FINANCE": ("work or money trouble", "shida ya kazi au pesa"),
    "RF_DEBT_MOBILE_LOAN": ("mobile loan debt", "deni la mkopo wa simu"),
    "RF_SCHOOL_EXAM_FEES": ("school, exams or fees", "shule, mitihani au karo"),
    "RF_LEGAL": ("trouble with the law", "shida ya kisheria"),
    "RF_VIOLENCE_GBV": ("violence", "ukatili"),
    "RF_STIGMA_HIV_SGM": ("stigma", "unyanyapaa"),
    "RF_EXPOSURE_SUICIDE": ("a suicide close to them", "kujiua kwa mtu wa karibu"),
    "RF_MEANS_ACCESS": ("means within reach", "njia ziko karibu"),
    "RF_DX_SUD": ("a substance use disorder on record", "tatizo la pombe au dawa kwenye rekodi"),
    "RF_INTOXICATED": ("intoxicated", "amelewa"),
    "WS_INTOX_ESCALATION": ("drinks or uses more", "anakunywa au kutumia zaidi"),
    "PROTECTED": ("protected factor", "kigezo kinacholindwa"),
}

MISSING = {
    "cssrs": ("no C-SSRS in 30 days", "hakuna C-SSRS kwa siku 30"),
    "phq9": ("no PHQ-9 in 42 days", "hakuna PHQ-9 kwa siku 42"),
    "item9": ("PHQ-9 item 9 not answered", "PHQ-9 swali la 9 halijajibiwa"),
    "voice": ("no voice in 7 days", "hakuna sauti kwa siku 7"),
    "history": ("history not recorded", "historia haijarekodiwa"),
    "protective": ("protective factors not asked", "vinavyolinda havijaulizwa"),
}

ACTIONS = {
    "critical": (
        "contact now, ask about safety and means, C-SSRS if safe to ask",
        "wasiliana sasa, uliza kuhusu usalama na njia, C-SSRS ikiwa salama kuuliza",
    ),
    "high": (
        "contact within the hour, C-SSRS, safety plan and means",
        "wasiliana ndani ya saa moja, C-SSRS, mpango wa usalama na njia",
    ),
    "medium": (
        "review today, offer a safety plan, PHQ-9 or C-SSRS",
        "pitia leo, pendekeza mpango wa usalama, PHQ-9 au C-SSRS",
    ),
    "low": ("keep the next planned contact", "endelea na mawasiliano yaliyopangwa"),
}


def label(table: dict[str, tuple[str, str]], code: str, locale: str) -> str:
    """The words of a code; one without words reads as a coded signal, so that nothing is left out."""
    words = table.get(code)
    if words is None:
        return code.replace("_", " ").lower()
    return words[1] if locale == "sw" else words[0]
