"""Fields of days and of local times as forms take them; no clock of a form decides anything else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from cortex.clock import steady_now
from cortex.horizon import TOO_FAR, is_far

MINUTE = "%Y-%m-%dT%H:%M"


class DayField(forms.DateField):
    """A day that a form asks for: within a hundred years, so that its end is a time that can be read."""

    def validate(self, value: Any) -> None:
        """Refuse what lies too far off."""
        super().validate(value)
        if value is not None and is_far(value, steady_now()):
            raise ValidationError(TOO_FAR, "too_far")


def moment_here(local: datetime) -> datetime:
    """Return a local time of the zone in force as a moment: the first of two, or the one after a leap.

    Raises ValidationError for what lies too far off to be reckoned with.
    """
    if is_far(local, steady_now()):
        raise ValidationError(TOO_FAR, "too_far")
    return local.replace(tzinfo=timezone.get_current_timezone(), fold=0).astimezone(UTC)


class MomentField(forms.DateTimeField):
    """A local time to the minute (`datetime-local`), in the zone that is in force; within a hundred years.

    Of a time that comes twice, when clocks go back, the first is meant; one that clocks jump over is what
    they show then. What a page showed and nobody changed stays the moment that it was: set `shown` to it.
    """

    shown: datetime | None = None

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"type": "datetime-local", "class": "input"}
        super().__init__(**{"widget": forms.DateTimeInput(attrs, MINUTE)} | kwargs)

    def to_python(self, value: Any) -> datetime | None:
        """Return the moment, or None; no local time is refused for coming twice or never."""
        if self.shown is not None and value == f"{timezone.localtime(self.shown):{MINUTE}}":
            return self.shown
        try:
            return super().to_python(value)
        except ValidationError as refused:
            local = (refused.params or {}).get("datetime")
            if refused.code != "ambiguous_timezone" or not isinstance(local, datetime):
                raise
        return moment_here(local)

    def validate(self, value: Any) -> None:
        """Refuse what lies too far off."""
        super().validate(value)
        if value is not None and is_far(value, steady_now()):
            raise ValidationError(TOO_FAR, "too_far")
