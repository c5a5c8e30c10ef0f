"""What a long password may still not be; composition rules there are none."""

from __future__ import annotations

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from cortex.accounts.models import User

FEWEST_LETTERS = 5


def unit_of(password: str) -> str:
    """Return the shortest piece that, repeated and cut off, makes the password; itself when none does."""
    pieces = (password[:size] for size in range(1, len(password) // 2 + 1))
    return next((one for one in pieces if (one * len(password))[: len(password)] == password), password)


class PredictablePasswordValidator:
    """Refuses a common password made long: repeated, padded with digits, or of very few different letters."""

    def __init__(self) -> None:
        self.common: set[str] = CommonPasswordValidator().passwords  # type: ignore[attr-defined]

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError for a predictable password."""
        low = password.lower()
        bare = low.strip("0123456789 !.-_")
        tried = {unit_of(low), unit_of(bare), bare} - {low}
        if len(set(low)) < FEWEST_LETTERS or any(piece in self.common for piece in tried):
            raise ValidationError(
                "This password is too easy to guess, long as it is.", code="password_predictable"
            )

    def get_help_text(self) -> str:
        """Say the rule to people."""
        return "Not a common word repeated, and not a common word with digits around it."
