"""What a board PIN must be; pure rules."""

from __future__ import annotations

from itertools import pairwise

from cortex.audit.rules import InputRefused

SHORTEST, LONGEST = 6, 12


def is_simple(pin: str) -> bool:
    """Whether a PIN is one digit repeated, a short pattern repeated, or digits counted up or down."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    repeated = any(pin == pin[:size] * (len(pin) // size) for size in (1, 2, 3) if len(pin) % size == 0)
    return repeated or steps in ({1}, {9})


def checked(pin: str) -> str:
    """Return the PIN, or raise InputRefused with what is wrong with it."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        raise InputRefused(f"A PIN has {SHORTEST} to {LONGEST} digits.", "pin_shape", field="pin")
    if is_simple(pin):
        raise InputRefused(
            "This PIN is too easy to guess: no rows and no repeats.", "pin_simple", field="pin"
        )
    return pin
