"""The back office of API clients and keys: a new key is shown once, on the page that follows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cortex.accounts.apikeys import actions
from cortex.accounts.apikeys.actions import IssuedKey
from cortex.accounts.choices import Scope
from cortex.accounts.models import ApiClient, ApiKey
from cortex.accounts.signin.recent import ask_again_unless_recent
from cortex.audit import RuleBroken, actor_of
from cortex.ui.admin import ActionAdmin


class ApiClientForm(forms.ModelForm):
    """An app's name, and whether its keys work."""

    class Meta:
        model = ApiClient
        fields = ("organization", "name", "is_active")


@admin.register(ApiClient)
class ApiClientAdmin(ActionAdmin):
    """Apps that may send for one's own organization."""

    asks_again = True
    add_action = actions.create_client
    change_action = actions.update_client
    form = ApiClientForm
    list_display = ("name", "organization", "is_active", "created_at")
    search_fields = ("name",)

    def get_fields(self, request: HttpRequest, obj: ApiClient | None = None) -> tuple[str, ...]:
        """The organization is chosen once."""
        return ("organization", "name", "is_active") if obj else ("organization", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiClient | None = None) -> tuple[str, ...]:
        """The organization never changes."""
        return ("organization",) if obj else ()

    def id_argument(self) -> str:
        """The actions call it a client."""
        return "client_id"


class ApiKeyForm(forms.ModelForm):
    """Whose key, for what, until when."""

    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiKey
        fields = ("client", "scopes", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(ActionAdmin):
    """Keys without their secrets; making one asks for the password again."""

    asks_again = True
    add_action = actions.create_key
    form = ApiKeyForm
    organization_path = "client__organization"
    fields = ("client", "scopes", "expires_at")
    list_display = ("prefix", "client", "scopes", "expires_at", "overlap_until", "revoked_at", "last_used_at")
    search_fields = ("prefix", "client__name")
    actions = ("rotate", "revoke")

    def id_argument(self) -> str:
        """The actions call it a key."""
        return "key_id"

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Show more of an old key than is asked for a new one."""
        more = ("prefix", "overlap_until", "revoked_at", "last_used_at", "rotated_from", "created_by")
        return (*self.fields, *more) if obj else self.fields

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm[ApiKey], change: bool
    ) -> None:
        """Issue the key and keep the raw one for the answer alone."""
        issued = actions.create_key(actor=actor_of(request), **self.add_arguments(request, form))
        obj.pk = issued.key.pk
        request.issued = [issued]  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        """Show the key once."""
        return self._shown(request, request.issued)  # type: ignore[attr-defined]

    @admin.action(
        description="Rotate (a new key for as long again; the old one works on for 24 hours)",
        permissions=["run"],
    )
    def rotate(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Issue successors of the chosen keys and show them once."""
        ask_again_unless_recent(request, "Rotate API keys")
        issued = []
        for key in queryset:
            try:
                issued.append(actions.rotate_key(actor=actor_of(request), key_id=key.pk))
            except RuleBroken as broken:
                messages.error(request, broken.message)
        return self._shown(request, issued) if issued else None

    @admin.action(description="Revoke at once", permissions=["run"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """End the chosen keys."""
        self.each(request, queryset, actions.revoke_key, "Revoked")

    def _shown(self, request: HttpRequest, issued: list[IssuedKey]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "issued": issued, "title": "New API key"}
        response = render(request, "accounts/keys_shown.html", context)
        response["Cache-Control"] = "no-store"
        return response
