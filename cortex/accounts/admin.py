"""The back office of accounts: organizations, people, invitations; every write goes through an action."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from cortex.accounts import actions
from cortex.accounts.apikeys import admin as _keys  # noqa: F401 (registers its models)
from cortex.accounts.appointments import is_operator
from cortex.accounts.choices import Role
from cortex.accounts.houseform import OrganizationForm
from cortex.accounts.invitations import actions as invitations
from cortex.accounts.mail.actions import queue_mail
from cortex.accounts.mail.models import MailKind
from cortex.accounts.models import (
    Invitation,
    LoginAttempt,
    Organization,
    StaffProfile,
    Subscription,
    UsageRecord,
    User,
)
from cortex.accounts.signin.actions import unlock_account
from cortex.accounts.signin.queries import account_marks
from cortex.accounts.signin.recent import ask_again_unless_recent
from cortex.audit import actor_of
from cortex.ui.admin import ActionAdmin

# What is typed about a person stays out of the browser's own memory of forms.
UNKEPT = {"autocomplete": "off"}
LEADERS = frozenset({Role.ADMIN, Role.SUPERVISOR})


@admin.register(Organization)
class OrganizationAdmin(ActionAdmin):
    """One's own organization; new ones are made by `create_admin`."""

    asks_again = True
    change_action = actions.update_organization
    organization_path = "pk"
    form = OrganizationForm
    fieldsets = (
        (None, {"fields": OrganizationForm.Meta.fields[:-1]}),
        ("Desk", {"fields": ("desk_phone", "leads", "notify_by_email", "unplanned_clinicians")}),
        ("Records", {"fields": (
            "plans_need_approval", "part2_program", "document_max_mb", "voice_retention_days",
        )}),
        ("Signing in", {"fields": ("factor_rule", "mfa_required_roles")}),
        ("Lists by id", {"fields": ("settings",)}),
    )  # fmt: skip
    list_display = ("name", "jurisdiction", "default_timezone", "emergency_number", "is_active")
    search_fields = ("name", "slug")

    def change_arguments(self, request: HttpRequest, obj: Any, form: Any) -> dict[str, Any]:
        """Send the settings that were changed, never all that the form was drawn with."""
        sent = super().change_arguments(request, obj, form)
        if sent.pop("settings", None) is not None:
            sent["setting_changes"] = form.setting_changes()
        return sent


class UserForm(forms.ModelForm):
    """Name and role; e-mail, password and PIN are the person's own."""

    class Meta:
        model = User
        fields = ("full_name", "role")


@admin.register(User)
class UserAdmin(ActionAdmin):
    """People of one's own organization; they come by invitation."""

    asks_again = True
    change_action = actions.update_user
    view_roles = LEADERS
    form = UserForm
    fields = (
        "full_name", "role", "email", "organization", "is_active", "is_operator", "is_verified", "last_login",
        "locked_until", "failed_login_count", "role_changed_at", "date_joined",
    )  # fmt: skip
    readonly_fields = fields[2:]
    list_display = ("full_name", "email", "role", "is_active", "locked_until", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("full_name", "email")
    actions = ("unlock", "disable", "enable")

    @admin.action(description="Unlock sign-in", permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: Any) -> None:
        """Let the chosen people sign in again at once."""
        self.each(request, queryset, unlock_account, "Unlocked")

    @admin.action(description="Disable", permissions=["run"])
    def disable(self, request: HttpRequest, queryset: Any) -> None:
        """Shut the chosen people out; it ends their sessions."""
        ask_again_unless_recent(request, "Disable accounts")
        self.each(request, queryset, actions.disable_user, "Disabled")

    @admin.action(description="Enable", permissions=["run"])
    def enable(self, request: HttpRequest, queryset: Any) -> None:
        """Let the chosen people in again."""
        self.each(request, queryset, actions.enable_user, "Enabled")

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Supervisors may unlock too."""
        return str(getattr(request.user, "role", "")) in LEADERS


class InvitationForm(forms.ModelForm):
    """Who is invited as what."""

    class Meta:
        model = Invitation
        fields = ("email", "full_name", "role", "organization")


@admin.register(Invitation)
class InvitationAdmin(ActionAdmin):
    """Invitations of one's own organization."""

    asks_again = True
    add_action = invitations.invite_person
    write_roles = LEADERS
    form = InvitationForm
    fields = ("email", "full_name", "role", "organization")
    list_display = ("email", "full_name", "role", "expires_at", "sent_at", "accepted_at", "revoked_at")
    search_fields = ("email", "full_name")
    actions = ("renew", "revoke")

    def after_action(self, request: HttpRequest, done: Invitation, *, change: bool) -> None:
        """Have the link mailed."""
        self._mail(request, [done])

    @admin.action(description="Renew and mail again", permissions=["run"])
    def renew(self, request: HttpRequest, queryset: Any) -> None:
        """Give the chosen invitations another week and a new link."""
        ask_again_unless_recent(request, "Renew invitations")
        chosen = list(queryset)
        self.each(request, chosen, invitations.renew_invitation, "Renewed")
        self._mail(request, chosen)

    @admin.action(description="Withdraw", permissions=["run"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """Withdraw the chosen invitations."""
        self.each(request, queryset, invitations.revoke_invitation, "Withdrawn")

    def _mail(self, request: HttpRequest, invitations: list[Invitation]) -> None:
        address = request.build_absolute_uri("/")
        for invitation in invitations:
            queue_mail(kind=MailKind.INVITATION, about=invitation.pk, base_url=address)


class StaffProfileForm(forms.ModelForm):
    """A clinician's standing; licence and phone are opened for the page and sealed by the action."""

    license_number = forms.CharField(max_length=80, required=False, widget=forms.TextInput(UNKEPT))
    phone = forms.CharField(max_length=32, required=False, widget=forms.TextInput(UNKEPT))
    verified = forms.BooleanField(required=False, label="Checked just now")

    class Meta:
        model = StaffProfile
        fields = ("user", "title", "specialty", "is_trainee")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound and not self.instance._state.adding:
            for name in StaffProfileAdmin.sealed_fields:
                self.fields[name].initial = getattr(self.instance, name)

    def _post_clean(self) -> None:
        """Build no row from the form: the action does, with the keys that sealing needs."""


@admin.register(StaffProfile)
class StaffProfileAdmin(ActionAdmin):
    """Titles, specialties and licences of clinicians, and who is in training."""

    asks_again = True
    add_action = actions.save_staff_profile
    change_action = actions.change_staff_profile
    form = StaffProfileForm
    sealed_fields = ("license_number", "phone")
    list_display = ("user", "title", "specialty", "is_trainee", "verified_at")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Leave the sealed columns to the form's own fields: the factory would read them closed."""
        columns = [name for name in StaffProfileForm.Meta.fields if obj is None or name != "user"]
        return super().get_form(request, obj, change, **kwargs | {"fields": columns})

    def get_fields(self, request: HttpRequest, obj: StaffProfile | None = None) -> tuple[str, ...]:
        """Whose it is stays; the last check is shown beside the next one."""
        typed = (*StaffProfileForm.Meta.fields, *self.sealed_fields, "verified")
        return (*typed, "verified_at") if obj else typed

    def get_readonly_fields(self, request: HttpRequest, obj: StaffProfile | None = None) -> tuple[str, ...]:
        """Whose it is never changes."""
        return ("user", "verified_at") if obj else ()

    def add_arguments(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Send what was typed: what was left empty stays as it is, where there is a profile already."""
        return {name: value for name, value in super().add_arguments(request, form).items() if value}

    def change_arguments(self, request: HttpRequest, obj: Any, form: Any) -> dict[str, Any]:
        """Send everything: the action compares, since only it may open what is on record."""
        return {"staffprofile_id": obj.pk, **form.cleaned_data}


@admin.register(LoginAttempt)
class LoginAttemptAdmin(ActionAdmin):
    """Attempts to sign in, by digests: for whoever looks into an attack.

    An administrator sees those on their own people; an operator also those on addresses that nobody has.
    """

    organization_path = None
    list_display = ("at", "outcome", "locks", "account_hash", "network_hash", "device_hash")
    list_filter = ("outcome", "locks")
    search_fields = ("account_hash", "network_hash")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the attempts on one's own people, or all for an operator."""
        actor = actor_of(request)
        rows = super().get_queryset(request)
        return rows if is_operator(actor) else rows.filter(account_hash__in=account_marks(actor.org_ids))


@admin.register(Subscription)
class SubscriptionAdmin(ActionAdmin):
    """Who pays; the plan changes nobody's access."""

    organization_path = "user__organization"
    list_display = ("user", "plan_type", "status", "amount_cents", "currency", "started_at", "ends_at")
    list_select_related = ("user",)


@admin.register(UsageRecord)
class UsageRecordAdmin(ActionAdmin):
    """What was used in a billing period."""

    organization_path = "user__organization"
    list_display = ("user", "resource_type", "quantity", "billing_period_start", "billing_period_end")
