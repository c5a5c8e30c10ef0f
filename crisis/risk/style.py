"""How a text speaks, in few numbers: what the lexicon saw in it, whom and when its words are about; pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from .screening import Screening

TIERS = ("A", "B", "SH", "V", "C", "D")
# English words as crisis.risk.normalise leaves them: lower case, without apostrophes.
GROUPS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "first_person": "i im ive id ill me my myself mine",
        "second_person": "you your youre yourself u ur youve youll",
        "third_person": "he she him her they them his their",
        "negation": "not no never dont cant wont didnt isnt doesnt nothing none",
        "past": "was were had did tried went been used took",
        "future": "will going gonna ill want plan planning about ready",
        "soon": "tonight today now tomorrow soon morning night",
        "parting": "goodbye bye sorry note letter last final",
        "means": "pills gun rope knife bridge jump overdose hang hanging blade cut cutting bleach pill shoot"
        " noose train",
        "helping": "help please advice talk call try hope better therapist doctor",
        "attempt": "attempt attempted tried hospital er woke survived failed",
    }.items()
}
_PLACE = {word: place for place, words in enumerate(GROUPS.values()) for word in words}
_SHARED = tuple(
    (place, word) for place, words in enumerate(GROUPS.values()) for word in words if _PLACE[word] != place
)
NAMES = (
    *(f"tier_{tier}" for tier in TIERS),
    *(f"taken_back_{tier}" for tier in TIERS),
    "third_party",
    "past_attempt",
    "any_cue",
    "means_seeking",
    *GROUPS,
    "log_words",
)
"""What each number of `style_of` is, in its order."""


def style_of(words: Sequence[str], screening: Screening) -> list[float]:
    """The numbers of NAMES for one text, from its normalised words and what the lexicon said of it.

    Tiers and cues are 0 or 1; a group is its words divided by the text's length to the power of 0.7.
    """
    counting = set(screening.tiers)
    taken_back = {hit.tier for hit in screening.hits if hit.flags}
    size = max(1, len(words))
    counts = [0] * len(GROUPS)
    for word in words:
        place = _PLACE.get(word)
        if place is not None:
            counts[place] += 1
    for place, word in _SHARED:
        counts[place] += words.count(word)
    part = size**0.7
    return [
        *(float(tier in counting) for tier in TIERS),
        *(float(tier in taken_back) for tier in TIERS),
        float(screening.third_party_concern),
        float(screening.past_attempt),
        float(bool(screening.cues)),
        float("WS_MEANS_SEEKING" in screening.cues),
        *(count / part for count in counts),
        log(size),
    ]
