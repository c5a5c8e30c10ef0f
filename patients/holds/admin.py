"""The back office of legal holds: compliance issues one, and somebody else of compliance releases it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from cortex.accounts.choices import Role
from patients.codes import HeldRecords
from patients.holds.actions import MOST_WORDS, SEALED, SHORTEST_WORDS, issue_hold, release_hold
from patients.holds.models import LegalHold
from patients.registry.admin import UNKEPT, PatientRowAdmin
from patients.registry.predicate import CONSENTS

TYPED = ("patient", "matter", "covers_from", "covers_until", "record_kinds")
SCOPE = ("patient", "matter", "covers_from", "covers_until", "kinds")


def _words(label: str, said: str) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=said, min_length=SHORTEST_WORDS, max_length=MOST_WORDS,
        widget=forms.Textarea({"rows": 4} | UNKEPT),
    )  # fmt: skip


class HoldForm(forms.ModelForm):
    """Whose records are kept, which, for which matter and why."""

    record_kinds = forms.MultipleChoiceField(
        choices=HeldRecords.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: all of them.",
    )  # fmt: skip
    why = _words("Reason", "Sealed; compliance alone reads it.")

    class Meta:
        model = LegalHold
        fields = TYPED
        help_texts: ClassVar[dict[str, str]] = {
            "matter": "The reference of the case or claim. Name nobody: it is kept and not sealed.",
            "covers_from": "Empty: from the first record on.",
            "covers_until": "Empty: also what is still to come.",
        }

    def clean(self) -> dict[str, Any]:
        """Say at its field that the days are out of order."""
        typed = super().clean() or self.cleaned_data
        first, last = typed.get("covers_from"), typed.get("covers_until")
        if first and last and last < first:
            self.add_error("covers_until", "The last day comes before the first.")
        return typed

    def _post_clean(self) -> None:
        """Build no row from the form: the action makes it."""


class ReleaseForm(forms.ModelForm):
    """Why a hold may end."""

    why = _words(
        "Release: the reason", "Saving releases the hold; what it kept follows its usual rules again."
    )

    class Meta:
        model = LegalHold
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The second of two posts finds it released: the action says so, not an empty field.
        self.fields["why"].required = self.instance.is_running

    def _post_clean(self) -> None:
        """Build no row from the form."""


class StateFilter(admin.EmptyFieldListFilter):
    """Whether a hold was released, in words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "state"

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Name what the date being empty means."""
        for words, choice in zip(("All", "In force", "Released"), super().choices(changelist), strict=True):
            yield {**choice, "display": words}


@admin.register(LegalHold)
class LegalHoldAdmin(PatientRowAdmin):
    """Issued and released after the password once more; never changed otherwise, and never deleted."""

    asks_again = True
    add_action = issue_hold
    change_action = release_hold
    view_roles = frozenset({Role.COMPLIANCE})
    write_roles = frozenset({Role.COMPLIANCE})
    autocomplete_fields = ("patient",)
    sealed_fields = SEALED
    opens = CONSENTS
    list_display = ("patient", "matter", "kinds", "issued_at", "issued_by", "released_at", "released_by")
    list_filter = (("released_at", StateFilter),)
    list_select_related = ("patient", "issued_by", "released_by")
    search_fields: ClassVar[tuple[str, ...]] = ("patient__anonymous_id", "matter")

    @admin.display(description="Records")
    def kinds(self, row: LegalHold) -> str:
        """Name the kinds of records that it keeps."""
        return ", ".join(HeldRecords(kind).label for kind in row.record_kinds) or "All"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask for a hold, or for the reason of its release."""
        return super().get_form(request, obj, change, form=HoldForm if obj is None else ReleaseForm, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what a hold keeps and why; offer its release to somebody else than who issued it."""
        if obj is None:
            return (*TYPED, "why")
        rest = ("why",) if self._may_release(request, obj) else ("released_at", "released_by", *SEALED[1:])
        shown = (*SCOPE, *SEALED[:1], "issued_by", "issued_at", *rest)
        # A form that comes back for its faults has no look that opens what is sealed.
        is_open = getattr(request, "looking", None) is not None
        return shown if is_open else tuple(name for name in shown if name not in SEALED)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing of a hold is typed again."""
        if obj is None:
            return ()
        return (*SCOPE, *SEALED, "issued_by", "issued_at", "released_at", "released_by")

    def _may_release(self, request: HttpRequest, obj: LegalHold) -> bool:
        return obj.is_running and obj.issued_by_id != request.user.pk

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Offer no button where there is nothing to send."""
        obj = kwargs.get("obj") or context.get("original")
        if obj is not None and not self._may_release(request, obj):
            context = {**context, "show_save": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def id_argument(self) -> str:
        """Return the action's own word."""
        return "hold_id"

    def add_arguments(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Put the form's words into the action's."""
        typed = dict(form.cleaned_data)
        return {"patient_id": typed.pop("patient").pk, "reason": typed.pop("why"), **typed}

    def change_arguments(self, request: HttpRequest, obj: Any, form: Any) -> dict[str, Any]:
        """Send the reason of the release."""
        return {"hold_id": obj.pk, "reason": form.cleaned_data.get("why", "")}
