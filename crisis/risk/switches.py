"""What an organization lets a rule or a version of the lexicon do, and what none may change; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .textmodel import ModelState
from .types import Floor

RULE, LEXICON = "rule", "lexicon"
# Only what the engine infers may rest: hopelessness that it hears in a voice, a goodbye that it reads
# together with other words. What a person said outright, answered, or pressed, what others reported and what
# a human decided has no switch, and neither has the weight of any evidence in the score.
SWITCHABLE = ("H12", "H14")


@dataclass(frozen=True, slots=True)
class Switches:
    """What an organization changed: the state of each named rule and of each named version of the lexicon.

    A rule that isn't named is live. A version that isn't named is off, but for the package's own, which is
    live unless another one is: words of every tier are always read by one.
    """

    rules: Mapping[str, ModelState] = field(default_factory=dict)
    lexicons: Mapping[str, ModelState] = field(default_factory=dict)

    @property
    def resting(self) -> tuple[tuple[str, str], ...]:
        """The rules that are not live with their states, sorted; of rules without a switch, none."""
        return tuple(
            sorted(
                (rule, str(state))
                for rule, state in self.rules.items()
                if rule in SWITCHABLE and state is not ModelState.LIVE
            )
        )

    @property
    def live_lexicon(self) -> str:
        """The version that is live in place of the package's own; empty for that one."""
        return next((name for name, state in self.lexicons.items() if state is ModelState.LIVE), "")

    @property
    def shadow_lexicons(self) -> tuple[str, ...]:
        """The versions that are read beside the live one."""
        return tuple(sorted(name for name, state in self.lexicons.items() if state is ModelState.SHADOW))


NOTHING = Switches()


def parted(
    found: Iterable[Floor], resting: Iterable[tuple[str, str]]
) -> tuple[tuple[Floor, ...], tuple[Floor, ...]]:
    """Return the floors that stand, and those that rules in shadow would have set; an off one sets none."""
    states = {rule: state for rule, state in resting if rule in SWITCHABLE}
    floors = tuple(found)
    return (
        tuple(each for each in floors if each.rule not in states),
        tuple(each for each in floors if states.get(each.rule) == ModelState.SHADOW),
    )


def needs_reader(kind: str, before: ModelState, state: ModelState) -> bool:
    """Whether a second reader must agree first (domain 3.7): a rule rests, or other words take the place.

    The way back, to a live rule and to the package's own words, is open at once.
    """
    if kind == LEXICON:
        return state is ModelState.LIVE and before is not ModelState.LIVE
    return before is ModelState.LIVE and state is not ModelState.LIVE
