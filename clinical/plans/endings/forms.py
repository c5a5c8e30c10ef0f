"""Fields of an ending: how and why; no writes here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms

from clinical.plans.wording import END_REASONS, ENDS


class EndForm(forms.Form):
    """How a plan ends and why; `hows` are those that its state allows."""

    how = forms.ChoiceField(
        label="How it ends", widget=forms.RadioSelect, error_messages={"required": "Choose how it ends."}
    )
    reason = forms.ChoiceField(
        label="Why", choices=list(END_REASONS.items()), widget=forms.RadioSelect,
        error_messages={"required": "Choose why it ends."},
    )  # fmt: skip

    def __init__(self, *args: Any, hows: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["how"].choices = [(key, ENDS[key]) for key in hows]  # type: ignore[attr-defined]
        if len(hows) == 1:
            self.fields["how"].initial = next(iter(hows))
