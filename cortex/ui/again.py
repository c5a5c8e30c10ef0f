"""Forms of the back office that come back as they were typed: sent too late, or refused by their action."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from cortex.audit import RuleBroken

ASK_AGAIN = (
    'Your password was typed a while ago. <a href="{}" target="_blank" rel="noopener">Confirm that it is you '
    "in a second tab</a>, then save again: what you wrote stays here."
)


def that_comes_back(form: type[forms.ModelForm[Any]], request: HttpRequest) -> type[forms.ModelForm[Any]]:
    """Return a form class that says why nothing was done, where the request knows; else the class itself."""
    refused: RuleBroken | None = getattr(request, "refused", None)
    if refused is not None:
        return _with_own_check(form, _refusal(form, refused))
    if getattr(request, "is_stale", False):
        words = format_html(ASK_AGAIN, reverse("account_reauthenticate"))
        return _with_own_check(form, {NON_FIELD_ERRORS: ValidationError(words, code="stale")})
    return form


def _refusal(form: type[forms.ModelForm[Any]], refused: RuleBroken) -> dict[str, ValidationError]:
    """Return the refusal at its field, where the form has it."""
    said = str(refused.extra.get("field", ""))
    place = said if said in form.base_fields else NON_FIELD_ERRORS
    return {place: ValidationError(refused.message, code=refused.code)}


def _with_own_check(
    form: type[forms.ModelForm[Any]], errors: dict[str, ValidationError]
) -> type[forms.ModelForm[Any]]:
    def clean(self: forms.ModelForm[Any]) -> None:
        """Stand for the form's own check, which has passed or isn't asked yet."""
        raise ValidationError(errors)  # type: ignore[arg-type]

    return type(form.__name__, (form,), {"clean": clean})
