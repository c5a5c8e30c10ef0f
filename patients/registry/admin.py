"""The back office of people: demographics by logged access, contacts; clinical notes never show here."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format

from cortex.access.context import AccessContext
from cortex.accounts.choices import Role
from cortex.clock import clock, steady_now
from cortex.ui.admin import ActionAdmin
from cortex.ui.again import that_comes_back
from patients.codes import RETENTION_DAYS, ConsentType, PatientStatus
from patients.holds.queries import held_since
from patients.privacy.queries import has_consent
from patients.registry.actions import update_patient
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact, LastLocation, PatientPreference, PatientProfile
from patients.registry.queries import found_by

SEALED = (
    "given_name", "middle_name", "family_name", "pronouns", "sex", "gender", "email", "phone",
    "date_of_birth", "home_address", "mrn",
)  # fmt: skip
LONG = frozenset({"home_address"})
# What is typed about a person stays out of the browser's own memory of forms.
UNKEPT = {"autocomplete": "off"}
# A telephone number as people write it; shorter ones are parts of something else.
PHONE = re.compile(r"\+?[\d\s().-]+")
SHORTEST_PHONE = 9
# Erasing a person is a process of its own, never a choice in a list.
SETTABLE = (PatientStatus.ACTIVE, PatientStatus.SUSPENDED)


class PatientRowAdmin(ActionAdmin):
    """Rows of one patient each: found by pseudonym, every look named in the trail, nothing typed."""

    view_roles = frozenset({Role.ADMIN})
    list_select_related: ClassVar[tuple[str, ...]] = ("patient",)
    search_fields: ClassVar[tuple[str, ...]] = ("patient__anonymous_id",)
    patient_path: ClassVar[str] = "patient_id"

    def note_look(self, looking: AccessContext, rows: list[Any]) -> None:
        """Name whose rows were shown."""
        people = sorted({getattr(row, self.patient_path) for row in rows} - {None})
        if people:
            looking.saw(f"{self.opts.model_name}_admin", subjects=people, object_type=self.opts.label)


class PatientForm(forms.ModelForm):
    """Demographics as plain fields: the sealed columns are opened for the page and sealed by the action."""

    status = forms.ChoiceField(choices=[(value, PatientStatus(value).label) for value in SETTABLE])
    data_retention_days = forms.IntegerField(min_value=RETENTION_DAYS[0], max_value=RETENTION_DAYS[1])

    class Meta:
        model = Patient
        fields = ("status", "language", "timezone", "data_retention_days", "external_provider_ref")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SEALED:
            self.fields[name] = _field(name)
            if not self.is_bound and self.instance.pk:
                self.fields[name].initial = getattr(self.instance, name)


def _field(name: str) -> forms.Field:
    if name == "date_of_birth":
        return forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"} | UNKEPT))
    limit = getattr(Patient._meta.get_field(name), "max_length", None) or 500
    widget = forms.Textarea(attrs={"rows": 3} | UNKEPT) if name in LONG else forms.TextInput(attrs=UNKEPT)
    return forms.CharField(required=False, max_length=limit, widget=widget)


@admin.register(Patient)
class PatientAdmin(ActionAdmin):
    """A list of pseudonyms; a person's page opens their demographics and says so in the trail."""

    change_action = update_patient
    locks_lightly = True
    view_roles = frozenset({Role.ADMIN})
    form = PatientForm
    fields = (
        "anonymous_id", "organization", "is_provisional", "merged_into", "age_band", "registered_at",
        "last_active_at", "legal_hold", *PatientForm.Meta.fields, *SEALED,
    )  # fmt: skip
    readonly_fields = fields[:8]
    list_display = ("anonymous_id", "status", "age_band", "language", "is_provisional", "registered_at")
    list_filter = ("status", "age_band", "language", "is_provisional")
    search_fields = ("anonymous_id",)
    search_help_text = "A pseudonym, or a whole e-mail address or phone number."
    sealed_fields = SEALED

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return our form as it is: its sealed fields are no model fields to the factory."""
        return that_comes_back(PatientForm, request)

    @admin.display(description="Legal hold")
    def legal_hold(self, row: Patient) -> str:
        """Say since when the person is under a hold; why is for compliance to know."""
        since = held_since(row.pk)
        return f"Since {date_format(timezone.localtime(since), 'j M Y')}" if since else "None"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find by pseudonym, or by the blind index of a whole e-mail or phone number."""
        term = search_term.strip()
        organization = request.user.organization  # type: ignore[union-attr]
        if "@" in term:
            return queryset & found_by(organization, email=term), False
        if PHONE.fullmatch(term) and sum(mark.isdigit() for mark in term) >= SHORTEST_PHONE:
            return queryset & found_by(organization, phone=term), False
        return super().get_search_results(request, queryset, search_term)

    def note_look(self, looking: AccessContext, rows: list[Any]) -> None:
        """Name the person whose demographics were opened."""
        for row in rows:
            looking.saw(
                "demographics", subjects=[row.pk], object_type="patients.Patient", object_id=row.pk,
                organization_id=row.organization_id,
            )  # fmt: skip

    def note_list(self, looking: AccessContext, rows: list[Any]) -> None:
        """Name whom a list, a search or a choice showed by pseudonym: a look-up is a look."""
        looking.saw("patient_admin", subjects=[row.pk for row in rows], object_type="patients.Patient")

    def change_arguments(self, request: HttpRequest, obj: Any, form: Any) -> dict[str, Any]:
        """Send everything that was typed: the action compares, since only it may open what is on record."""
        return {"patient_id": obj.pk, "changes": dict(form.cleaned_data)}

    def construct_change_message(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Say nothing of the values."""
        return []


@admin.register(EmergencyContact)
class EmergencyContactAdmin(PatientRowAdmin):
    """Whom to call: opened with the person's consent alone, and no more once a contact was retired."""

    fields = (
        "patient", "order", "name", "relationship", "phone", "email", "language", "legacy_text", "is_active",
    )  # fmt: skip
    readonly_fields = ("contact",)
    list_display = ("patient", "order", "is_active", "language")
    list_filter = ("is_active",)
    sealed_fields = ("name", "relationship", "phone", "email", "legacy_text")

    def opened_fields(self, row: EmergencyContact) -> tuple[str, ...]:
        """Open whom the person allows to be called now; the emergency exception is the alert page's."""
        return () if _why_closed(row) else self.sealed_fields

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of a page: of a closed contact why it is closed, and nothing sealed."""
        if obj is None or not _why_closed(obj):
            return self.fields
        return ("contact", *(name for name in self.fields if name not in self.sealed_fields))

    @admin.display(description="Contact")
    def contact(self, row: EmergencyContact) -> str:
        """Say why a contact is closed."""
        return _why_closed(row)


def _why_closed(row: EmergencyContact) -> str:
    if not row.is_active:
        return "Closed: this contact was retired."
    if not has_consent(row.patient.person_id, ConsentType.EMERGENCY_CONTACT, clock()):
        return "Closed: the person does not allow calls to their contacts."
    return ""


@admin.register(PatientPreference)
class PatientPreferenceAdmin(PatientRowAdmin):
    """How a person likes their sessions."""

    fields = (
        "patient", "voice_preference", "background_sound_type", "preferred_duration_minutes",
        "morning_routine_time", "evening_routine_time", "notification_preferences",
    )  # fmt: skip
    list_display = ("patient", "voice_preference", "background_sound_type", "preferred_duration_minutes")


@admin.register(PatientProfile)
class PatientProfileAdmin(PatientRowAdmin):
    """That there is a profile, and its settings; what the person wrote in it stays closed here."""

    fields = ("patient", "privacy_settings", "created_at", "updated_at")
    list_display = ("patient", "updated_at")


@admin.register(LastLocation)
class LastLocationAdmin(PatientRowAdmin):
    """When a place was last sent; where it was stays closed here."""

    fields = ("patient", "seen_at", "expires_at")
    list_display = ("patient", "seen_at", "expires_at", "is_over")

    @admin.display(boolean=True, description="expired")
    def is_over(self, row: LastLocation) -> bool:
        """Whether the place may no longer be read."""
        return row.expires_at <= steady_now()
