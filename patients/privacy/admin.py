"""The back office of consents: what people allowed, and consents given on paper; rows are never changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from cortex.accounts.choices import Role
from patients.codes import ConsentMethod
from patients.privacy.actions import record_consent
from patients.privacy.models import Consent
from patients.privacy.records import ConsentData
from patients.registry.admin import PatientRowAdmin
from patients.registry.predicate import CONSENTS

OFFICE = frozenset({Role.ADMIN, Role.COMPLIANCE})
UNKEPT = {"autocomplete": "off"}
TYPED = ("consent_type", "granted", "method", "version", "language", "expires_at", "evidence_ref")


class ConsentForm(forms.ModelForm):
    """One decision that did not come from the app."""

    guardian = forms.CharField(
        required=False, max_length=160, widget=forms.TextInput(UNKEPT), label="Who consents for them",
        help_text="Needed under 18. Sealed.",
    )  # fmt: skip

    class Meta:
        model = Consent
        fields = ("patient", *TYPED)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "method" in self.fields:
            self.fields["method"].initial = ConsentMethod.PAPER


@admin.register(Consent)
class ConsentAdmin(PatientRowAdmin):
    """Every decision, the newest first."""

    asks_again = True
    add_action = record_consent
    view_roles = OFFICE
    write_roles = OFFICE
    form = ConsentForm
    autocomplete_fields = ("patient",)
    list_display = (
        "patient", "consent_type", "granted", "recorded_at", "expires_at", "method", "recorded_by",
    )  # fmt: skip
    list_filter = ("consent_type", "granted", "method")
    list_select_related = ("patient", "recorded_by")
    sealed_fields = ("guardian",)
    opens = CONSENTS

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show everything of a row, ask for the decision alone."""
        shown = ("scope", "guardian", "recorded_at", "said_at", "recorded_by", "recorded_by_client")
        return ("patient", *TYPED, *(shown if obj is not None else ("guardian",)))

    def add_arguments(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Put the form's words into the action's."""
        typed = dict(form.cleaned_data)
        patient, typed["guardian"] = typed.pop("patient"), typed["guardian"].strip() or None
        return {"patient": patient, "consents": [ConsentData(**typed)]}
