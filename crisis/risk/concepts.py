"""Turns the words of many texts into concepts (who, wish, act, means, when) near each other; keeps nothing.

A concept, two in their order or three in a row within a few words of one sentence: "i wanna die" and "i just
want to be dead" share most of them and hardly an n-gram. English, as crisis.risk.normalise leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from .ngrams import Grams, Ints, counted, shortened
from .normalise import END, LINE

NEAR, WIDE, LEAD = 3, 8, 25
"""How many words apart concepts of one sentence may be; how many words a text's beginning has."""
KEYS = 1 << 16

GROUPS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "self": "i im ive id me my myself mine",
        "you": "you your youre yourself u ur youve youll",
        "others": "he she him her they them his their hes shes theyre someone somebody people everyone"
        " anyone",
        "kin": "mom mum mother dad father brother sister friend friends boyfriend girlfriend gf bf"
        " wife husband family parents son daughter kid kids children",
        "dying": "die dying dead death dies",
        "suicide": "suicide suicidal suicides suicidality",
        "killing": "kill killing kills killed kms unalive",
        "ending": "end ending ended ends",
        "life": "life alive living live exist existing existence existed born",
        "vanishing": "wake waking sleep asleep disappear gone vanish",
        "it": "it this everything that",
        "poison": "pills pill overdose overdosed overdosing od tylenol xanax medication meds bottle"
        " poison cyanide sodium nitrite drugs tablets mg",
        "means": "gun guns rope knife noose train traffic helium exit bag belt razor bleach cliff"
        " building roof bridge gas carbon monoxide trigger pistol shotgun rifle bullet bullets"
        " cord",
        "act": "jump jumping jumped hang hanging hung hanged shoot shooting shot drown drowning crash"
        " stab slit pull",
        "cutting": "cut cutting cuts scars burn burning harm harming harmed blade blades wrist wrists"
        " vein veins",
        "soon": "tonight today now tomorrow soon morning minutes hours hour",
        "date": "week weekend friday monday sunday saturday date birthday christmas until by",
        "want": "want wanna wanted desire need",
        "wish": "wish wished wishing hope hoping could would",
        "will": "going gonna will ill about",
        "decided": "decide decided deciding ready finally intend intent determined sure",
        "plan": "plan plans planned planning prepared preparing prepare",
        "got": "bought buy buying ordered order arranged got getting",
        "note": "writing wrote written write letter letters note notes",
        "how": "researched researching research method methods way ways painless painlessly easiest"
        " quick quickest how google googled best",
        "trying": "try tried trying attempt attempted attempts attempting",
        "survived": "survived failed fail woke stopped saved almost nearly close",
        "hospital": "hospital hospitalized er icu ward psych ambulance police inpatient",
        "negation": "not no never dont cant wont didnt isnt doesnt nothing none without couldnt wouldnt"
        " havent",
        "thought": "think thinking thought thoughts considering consider contemplating contemplate"
        " fantasize fantasizing imagine idea ideation",
        "feeling": "feel feeling felt feelings",
        "past": "was were had did been took went",
        "ago": "ago last year years before once when month months age since",
        "parting": "bye goodbye sorry forgive farewell",
        "fear": "scared afraid fear coward courage guts balls brave",
        "pain": "pain painful hurt hurts suffering suffer",
        "help": "help please advice talk call therapist doctor therapy counselor hotline",
    }.items()
}
"""What stands for a concept; a word has one concept, and it is no tier: alone it says nothing of anybody."""
_BASE = len(GROUPS) + 2
_STOP = _BASE - 1
_PLACE = {word: place for place, words in enumerate(GROUPS.values(), 1) for word in words}
_PLACE |= {END: _STOP, LINE: _STOP}


def concepts_of(texts: Sequence[Sequence[str]], window: int) -> Grams:
    """The concepts of texts that come as normalised words, with how often each is there.

    Pairs and threes are at most `window` words apart.
    """
    rows, keys, _ = _found(texts, window)
    return counted(rows, keys, len(texts))


def near_and_leading(texts: Sequence[Sequence[str]]) -> tuple[Grams, Grams]:
    """The concepts at most NEAR words apart: of whole texts, and of the first LEAD words of each alone."""
    rows, keys, ends = _found(texts, NEAR)
    leading = ends < LEAD
    return counted(rows, keys, len(texts)), counted(rows[leading], keys[leading], len(texts))


def _found(texts: Sequence[Sequence[str]], window: int) -> tuple[Ints, Ints, Ints]:
    """Each concept, pair and three: whose it is, its key, and the place in its text of its last word."""
    read = [shortened(text) for text in texts]
    sizes = np.array([len(words) for words in read], dtype=np.int64)
    rows = np.repeat(np.arange(len(read)), sizes)
    found = np.array([_PLACE.get(word, 0) for word in chain.from_iterable(read)], dtype=np.int64)
    # Both sums only rise, so that two places are in one sentence of one text where their sum is the same.
    sentences = np.cumsum(found == _STOP) + rows
    places = ((found > 0) & (found != _STOP)).nonzero()[0]
    codes, within, own = found[places], sentences[places], rows[places]
    ends = places - (np.cumsum(sizes) - sizes)[own]
    owners, keys, lasts = [own], [codes], [ends]
    for step in range(1, window + 1):
        near = (within[step:] == within[:-step]) & (places[step:] - places[:-step] <= window)
        if not near.any():
            break
        pairs = codes[:-step][near] * _BASE
        last, of_last, end = codes[step:][near], own[step:][near], ends[step:][near]
        owners.append(of_last)
        keys.append(pairs + last)
        lasts.append(end)
        if step > 1:
            owners.append(of_last)
            keys.append((pairs + codes[step - 1 : -1][near]) * _BASE + last)
            lasts.append(end)
    return np.concatenate(owners), np.concatenate(keys), np.concatenate(lasts)
