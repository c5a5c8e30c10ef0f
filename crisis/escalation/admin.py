"""Clocks, pagers, due steps and notifications in the back office."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from cortex.audit import actor_of
from cortex.ui.admin import ActionAdmin
from cortex.ui.again import that_comes_back
from crisis.alerts.admin import AlertRowAdmin
from crisis.escalation.models import AlertStep, NotificationAttempt, PagerEndpoint, SlaPolicy
from crisis.policies.actions import add_pager, change_pager, change_policy
from crisis.policies.chain import MEDIUM
from crisis.policies.forms import MediumForm, PolicyForm

MEDIUM_FIELDS = ("level", "organization", "acknowledge_seconds", "contact_seconds", "repeat_seconds")


def _is_medium(policy: SlaPolicy | None) -> bool:
    return policy is not None and policy.level == MEDIUM


@admin.register(SlaPolicy)
class SlaPolicyAdmin(ActionAdmin):
    """The clocks of alerts that open from now on; open ones keep their copy."""

    asks_again = True
    form = PolicyForm
    change_action = change_policy
    organization_path: ClassVar[str | None] = None
    list_display = ("level", "organization", "acknowledge_seconds", "contact_seconds", "disposition_seconds")
    list_filter = ("level",)
    fields: ClassVar[tuple[str, ...]] = (
        "level",
        "organization",
        "acknowledge_seconds",
        "contact_seconds",
        "disposition_seconds",
        "confirm_seconds",
        "warn_claim_seconds",
        "release_claim_seconds",
        "check_in_seconds",
        "owner_gone_seconds",
        "repeat_seconds",
        "chain",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the clocks that a level has: medium opens no alert."""
        return MEDIUM_FIELDS if _is_medium(obj) else self.fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form of a level: there is no chain where nobody is called."""
        form = {"form": MediumForm} if _is_medium(obj) else {}
        return super().get_form(request, obj, change=change, **form | kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the clocks of one's own organization and the common ones."""
        own = Q(organization_id__in=list(actor_of(request).org_ids))
        return super().get_queryset(request).filter(own | Q(organization__isnull=True))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Which level and whose it is stays."""
        return ("level", "organization")

    def id_argument(self) -> str:
        """Return the name by which the action takes the row's id."""
        return "policy_id"


class PagerForm(forms.ModelForm):  # type: ignore[type-arg]
    """An endpoint; the secret is typed, sealed and never shown again."""

    secret = forms.CharField(
        min_length=32,
        max_length=200,
        required=False,
        widget=forms.PasswordInput(render_value=False),
        help_text="At least 32 characters. Leave it empty to keep the present one.",
    )

    class Meta:
        model = PagerEndpoint
        fields = ("name", "url", "is_active")


@admin.register(PagerEndpoint)
class PagerEndpointAdmin(ActionAdmin):
    """Signed webhooks that let a pager service ring a phone."""

    asks_again = True
    # Typed and never read back: a form that was sent too late comes back with it, and no session keeps it.
    sealed_fields = ("secret",)
    form = PagerForm
    add_action = add_pager
    change_action = change_pager
    list_display = ("name", "url", "is_active", "updated_at")
    fields = ("name", "url", "is_active", "secret")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return our form as it is: its secret is typed, and no model field to the factory."""
        return that_comes_back(PagerForm, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Offer the secret to whoever may type one; nobody reads it back."""
        may_type = self.has_change_permission(request, obj) or obj is None
        return self.fields if may_type else PagerForm.Meta.fields

    def id_argument(self) -> str:
        """Return the name by which the actions take the row's id."""
        return "pager_id"

    def opened_fields(self, row: PagerEndpoint) -> tuple[str, ...]:
        """Open nothing: no page shows the secret."""
        return ()

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the sealed secret out of the query."""
        return super().get_queryset(request).defer("secret")


@admin.register(AlertStep)
class AlertStepAdmin(AlertRowAdmin):
    """Duties with a due time, and what came of them."""

    list_display = ("due_at", "kind", "alert", "epoch", "position", "done_at", "outcome", "tries")
    list_filter = ("kind", "outcome", "due_at")
    search_fields = ("alert__id__exact",)
    ordering = ("-due_at",)
    list_select_related = ("alert",)


@admin.register(NotificationAttempt)
class NotificationAttemptAdmin(AlertRowAdmin):
    """Who was told, how, and whether it arrived; `dead` is the dead-letter list."""

    list_display = (
        "created_at",
        "channel",
        "state",
        "user",
        "webhook",
        "alert",
        "item",
        "shift",
        "tries",
        "error_code",
        "confirmed_at",
    )
    list_filter = ("state", "channel", "created_at")
    search_fields = ("alert__id__exact", "user__full_name__icontains")
    ordering = ("-id",)
    list_select_related = ("alert", "item", "shift", "user", "webhook")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the endpoint's secret out of the query."""
        return super().get_queryset(request).defer("webhook__secret", "item__outcome_note", "shift__phone")
