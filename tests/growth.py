"""How the cost of a function grows with its input: a ratio of one run, which a busy machine leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

# Ten times the text may cost this much more: linear work costs 10 times more, quadratic work 100 times.
STEPS, MOST = 10, 40


def assert_linear(work: Callable[[str], object], text: str) -> None:
    """Assert that a text costs no more than its length asks for, compared with its first tenth."""
    tenth = text[: len(text) // STEPS]
    for _ in range(3):  # a pause in one of the two runs must not decide
        part, whole = _cost(work, tenth, repeat=STEPS) / STEPS, _cost(work, text)
        if whole < MOST * part:
            return
    raise AssertionError(f"{STEPS} times the text cost {whole / part:.0f} times as much")


def _cost(work: Callable[[str], object], text: str, *, repeat: int = 1) -> float:
    start = process_time()
    for _ in range(repeat):
        work(text)
    return process_time() - start
