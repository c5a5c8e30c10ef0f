"""What rules and versions of the lexicon may do, in the back office: asked for, agreed to, kept."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from cortex.accounts.choices import Role
from cortex.accounts.signin.recent import ask_again_unless_recent
from cortex.ui.admin import ActionAdmin
from crisis.policies import queries
from crisis.policies.actions import agree_engine_state, refuse_engine_state, set_engine_state
from crisis.risk.models import EngineSetting, SettingState


class EngineSettingForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is changed, to what, and why; what has no switch is not offered."""

    subject = forms.ChoiceField(
        label="Rule or lexicon",
        help_text="What a person said, answered or pressed, and what a human decided, has no switch, and "
        "words are always read by one live lexicon. The text model's versions are set under Organizations, "
        "as text_models.",
    )
    state = forms.ChoiceField(
        choices=[("", "Choose"), *SettingState.choices],
        help_text="In shadow it is recorded, shown to supervisors (Calibration) and pages nobody. A rule "
        "that is taken out of force, and another lexicon that goes live, wait until a supervisor agrees.",
    )

    class Meta:
        model = EngineSetting
        fields = ("subject", "state", "reason")
        help_texts: ClassVar[dict[str, str]] = {"reason": "Name nobody: it is kept and not sealed."}
        widgets: ClassVar[dict[str, Any]] = {"reason": forms.TextInput({"size": 80})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "subject" in self.fields:
            self.fields["subject"].choices = [("", "Choose"), *queries.subjects()]  # type: ignore[attr-defined]


@admin.register(EngineSetting)
class EngineSettingAdmin(ActionAdmin):
    """Every change stands here; the newest in force counts. A supervisor agrees to it or refuses."""

    asks_again = True
    add_action = set_engine_state
    view_roles = frozenset({Role.ADMIN, Role.SUPERVISOR})
    form = EngineSettingForm
    list_display = (
        "name",
        "kind",
        "state",
        "stands",
        "in_force_at",
        "reason",
        "asked_by",
        "asked_at",
        "decided_by",
    )
    list_filter = ("kind", "state")
    list_select_related = ("asked_by", "decided_by")
    actions = ("agree", "refuse")
    ordering = ("-asked_at", "-pk")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the form's fields for a new change, and the whole row of one that was made."""
        if obj is None:
            return ("subject", "state", "reason")
        return (
            "kind", "name", "state", "reason", "asked_by", "asked_at", "decided_by", "decided_at", "agreed",
            "in_force_at",
        )  # fmt: skip

    @admin.display(description="Stands")
    def stands(self, row: EngineSetting) -> str:
        """Say where a change stands."""
        if row.is_waiting:
            return "waits for a second reader"
        return "refused" if row.in_force_at is None else "set"

    @admin.action(description="Agree as second reader", permissions=["decide"])
    def agree(self, request: HttpRequest, queryset: Any) -> None:
        """Let the chosen changes hold."""
        ask_again_unless_recent(request, "Agree as second reader")
        self.each(request, queryset, agree_engine_state, "Agreed")

    @admin.action(description="Refuse as second reader", permissions=["decide"])
    def refuse(self, request: HttpRequest, queryset: Any) -> None:
        """Leave everything as it is."""
        self.each(request, queryset, refuse_engine_state, "Refused")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Supervisors are the second readers of the back office."""
        return str(getattr(request.user, "role", "")) == Role.SUPERVISOR
