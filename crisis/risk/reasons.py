"""The one sentence that a card shows for a coded reason: plain, present tense, no quote, no method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .labels import FACTORS, label
from .types import Kind, Level

SENTENCES: dict[str, tuple[str, str]] = {
    "H1": ("Said something that may mean immediate danger", "Amesema jambo linaloweza kuwa hatari ya haraka"),
    "H2": ("Says an attempt happened in the last hours", "Anasema jaribio limetokea saa chache zilizopita"),
    "H3": ("Screening answers need a person now", "Majibu ya uchunguzi yanahitaji mtu sasa"),
    "H4": ("A clinician set this level", "Mtaalamu ameweka kiwango hiki"),
    "H5": ("Speaks of suicide, with means within reach", "Anazungumzia kujiua, na njia ziko karibu"),
    "H6": ("Speaks of suicide, an attempt within a year", "Anazungumzia kujiua, na jaribio ndani ya mwaka"),
    "H7a": ("Says yes to thoughts of death in a questionnaire", "Amekubali mawazo ya kifo kwenye dodoso"),
    "H7b": ("Thoughts of death in a questionnaire and in words", "Mawazo ya kifo kwenye dodoso na maneno"),
    "H8": ("Somebody reports that they are in danger now", "Mtu ameripoti kuwa yuko hatarini sasa"),
    "H9": ("Speaks of harming somebody", "Anazungumzia kumdhuru mtu"),
    "H10": ("A young person speaks of suicide or self-harm", "Kijana anazungumzia kujiua au kujidhuru"),
    "H11": ("Speaks of suicide", "Anazungumzia kujiua"),
    "H12": ("Sounds hopeless behind fine words, on two days", "Sauti ya kukata tamaa kwa siku mbili"),
    "H13": ("Asked for a person", "Ameomba kuzungumza na mtu"),
    "H13_DANGER": ("Pressed the button: in danger", "Amebonyeza kitufe: yuko hatarini"),
    "H14": ("Says goodbye, with words of despair", "Anaaga, na maneno ya kukata tamaa"),
    "H15": ("Mentions death or self-harm", "Anataja kifo au kujidhuru"),
    "SCORE": ("Several signals together need a look", "Dalili kadhaa pamoja zinahitaji kuangaliwa"),
    "HELD": ("Level kept up until a person has looked", "Kiwango kimeshikiliwa hadi mtu aangalie"),
    "STAFF": ("Raised by a colleague", "Imeanzishwa na mwenzako"),
    "could_not_screen": ("A message could not be screened", "Ujumbe haukuweza kuchunguzwa"),
    "could_not_store": ("A message could not be stored", "Ujumbe haukuweza kuhifadhiwa"),
    "no_cover": ("Nobody is on duty", "Hakuna aliye zamu"),
    "risk_review": ("Signals to look at today", "Dalili za kuangaliwa leo"),
    "safeguarding": ("A young person: safeguarding to consider", "Kijana: fikiria ulinzi wa mtoto"),
    "third_party_concern": ("Worries about somebody else", "Ana wasiwasi kuhusu mtu mwingine"),
    "past_attempt_mentioned": ("Mentions an attempt in the past", "Anataja jaribio la zamani"),
    "emotion_flagged": ("An emotion reading needs a look", "Usomaji wa hisia unahitaji kuangaliwa"),
    "phq9_suggested": ("Mentions thinking too much: offer a PHQ-9", "Anafikiria sana: pendekeza PHQ-9"),
}  # fmt: skip

# What a counselor should read first when several rules fired at one level.
_FIRST = (
    "H13",
    "H2",
    "H8",
    "H1",
    "H9",
    "H5",
    "H6",
    "H7b",
    "H3",
    "H4",
    "H10",
    "H11",
    "H14",
    "H7a",
    "H12",
    "H15",
)
_MEDICAL_FIRST = ("H2",)
# So many factors say why a score is what it is.
_LARGEST = 3


def reason_code(rules: Iterable[str], level: Level | str, kind: Kind | str = Kind.SELF_HARM) -> str:
    """The reason that a card names for the rules that fired; "SCORE" when none did."""
    fired = set(rules)
    order = (*_MEDICAL_FIRST, *_FIRST) if kind == Kind.MEDICAL else _FIRST
    first = next((rule for rule in order if rule in fired), "SCORE")
    return "H13_DANGER" if first == "H13" and level == Level.CRITICAL else first


def grounds(
    level_source: str, level: str, rules: Iterable[str], factors: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Codes of what a level rests on: what set or holds it, its rule, else its largest stored factors."""
    by_source = {"clinician": "H4", "held": "HELD", "floor": reason_code(rules, level)}
    if level_source in by_source:
        return [by_source[level_source]]
    return [str(one.get("code", "")) for one in factors[:_LARGEST]]


def ground_words(codes: Iterable[str]) -> str:
    """Say codes of `grounds` within a sentence; "" for none."""
    return "; ".join(
        SENTENCES[code][0][:1].lower() + SENTENCES[code][0][1:]
        if code in SENTENCES
        else label(FACTORS, code, "en")
        for code in codes
    )


def set_words(level: str, after: str, why: Iterable[str]) -> str:
    """Say what a clinician set, and which level stands and why where that is another one.

    `level` is empty or "same" where they left it to the signals; `why` are codes of `grounds`.
    """
    chosen = f"Set {level}" if level in set(Level) else "Left to the signals"
    if not after or level == after:
        return f"{chosen}."
    because = ground_words(why)
    return f"{chosen}; stands at {after}{f': {because}' if because else ''}."


def sentence(code: str, locale: str = "en") -> str:
    """The sentence of a reason code in `en` or `sw`; an unknown code says that a person should look."""
    english, swahili = SENTENCES.get(code, SENTENCES["SCORE"])
    return swahili if locale == "sw" else english
