"""Reads one folded text with the patterns that it called up; the text stays in here and in memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from .context import IDIOM, NEGATED, PAST_ONLY, QUOTED, THIRD_PERSON, Around, Context
from .normalise import END
from .patterns import Pattern
from .screening import ORDER, Entry, Hit

_COUNT_WITH = frozenset({"A", "B", "C"})
_CONDITION = frozenset({"if", "unless", "kama", "ikiwa"})


@dataclass(frozen=True)
class Rule:
    """One compiled pattern with its entry."""

    entry: Entry
    pattern: Pattern


class Reader:
    """Reads one text with the patterns that it called up."""

    def __init__(self, tokens: list[str], context: Context) -> None:
        self._text = f" {'  '.join(tokens)} "
        self._context = context
        self._excluded: list[tuple[int, int]] = []
        self.cue_entries: list[Entry] = []
        self.deflections: list[Entry] = []
        self.third_party = False
        self.past_attempt = False
        self.idiom = False

    def hits(self, rules: list[Rule]) -> tuple[Hit, ...]:
        """The best hit of each entry, most serious first; the other roles are noted on the way."""
        self._exclude(rule for rule in rules if rule.entry.role == "exclusion")
        best: dict[str, Hit] = {}
        for rule in rules:
            entry = rule.entry
            if entry.role in ("tier", "threat"):
                known = best.get(entry.id)
                if known is None or known.flags:
                    self._match(rule, best)
            elif entry.role != "exclusion" and rule.pattern.search.search(self._text):
                self._note(entry)
        return tuple(sorted(best.values(), key=lambda hit: (ORDER.index(hit.tier), hit.entry)))

    def _exclude(self, rules: Iterable[Rule]) -> None:
        """Note where idioms and titles stand, as ranges that don't overlap."""
        spans = sorted(match.span() for rule in rules for match in rule.pattern.search.finditer(self._text))
        for start, end in spans:
            if self._excluded and start < self._excluded[-1][1]:
                self._excluded[-1] = (self._excluded[-1][0], max(end, self._excluded[-1][1]))
            else:
                self._excluded.append((start, end))

    def _is_excluded(self, start: int, end: int) -> bool:
        """Whether a match overlaps one of those ranges; by bisection, since a hostile text has thousands."""
        index = bisect_left(self._excluded, (end,)) - 1
        return index >= 0 and self._excluded[index][1] > start

    def _note(self, entry: Entry) -> None:
        if entry.role == "cue":
            self.cue_entries.append(entry)
        elif entry.role == "deflection":
            self.deflections.append(entry)
        elif entry.role == "third_party":
            self.third_party = True
        else:
            self.idiom = True

    def _match(self, rule: Rule, best: dict[str, Hit]) -> None:
        entry = rule.entry
        for match in rule.pattern.search.finditer(self._text):
            around = self._around(*match.span())
            flags = self._flags(entry, around, match.span())
            tier = entry.tier
            if entry.conditional and around.after[:1] and around.after[0] in _CONDITION:
                tier = entry.conditional
            cues = entry.cues if tier == entry.tier else ()
            best[entry.id] = Hit(entry.id, tier, entry.language, cues, flags)
            if not flags:
                return

    def _around(self, start: int, end: int) -> Around:
        """The sentence around a match, at most 200 characters to either side: enough, and linear."""
        before = self._text[max(0, start - 200) : start].rsplit(f" {END} ", 1)[-1]
        beyond = self._text[end : end + 200].split()
        after = beyond[: beyond.index(END)] if END in beyond else beyond
        match = self._text[start:end].split()
        follows = " ".join(word for word in (*match, *beyond) if word != END)
        return Around(before.split(), match, after, f" {follows} ")

    def _flags(self, entry: Entry, around: Around, span: tuple[int, int]) -> tuple[str, ...]:
        flags = []
        if self._is_excluded(*span):
            flags.append(IDIOM)
        if not entry.self_negated and self._context.is_negated(around):
            flags.append(NEGATED)
        if entry.bare and not around.is_first_person:
            subject = self._context.subject(around)
            if subject:
                flags.append(THIRD_PERSON)
                self.third_party |= subject == "concern" and entry.tier in ("A", "B", "SH") and not flags[:-1]
        if self._context.is_quoted(around):
            flags.append(QUOTED)
        if self._context.is_past(around):
            flags.append(PAST_ONLY)
            self.past_attempt |= entry.act or entry.attempt
        return tuple(flags)


def cues_of(hits: tuple[Hit, ...], cue_entries: list[Entry]) -> tuple[str, ...]:
    """Cues of counting hits; those that only qualify count beside a tier A, B or C."""
    counting = [hit for hit in hits if hit.counts]
    cues = {cue for hit in counting for cue in hit.cues}
    if _COUNT_WITH.intersection(hit.tier for hit in counting):
        cues |= {cue for entry in cue_entries for cue in entry.cues}
    return tuple(sorted(cues))
