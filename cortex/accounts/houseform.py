"""The form of an organization: a field for each setting, and JSON for the two that are lists by id."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from cortex.accounts import policies
from cortex.accounts.choices import Role
from cortex.accounts.factors.required import SETTING as FACTOR_ROLES
from cortex.accounts.factors.required import house_roles
from cortex.accounts.models import Organization
from cortex.accounts.queries import may_lead

OWN, NOBODY = "own", "nobody"
YES_OR_NO = ("notify_by_email", "plans_need_approval", "part2_program", "unplanned_clinicians")
NUMBERS = ("document_max_mb", "voice_retention_days")
# What stays one field of JSON: entries by versions, and by other organizations' ids.
AS_JSON = ("covered_by", "text_models")


def _yes_or_no(name: str, label: str, usual: bool) -> forms.ChoiceField:
    choices = [("", f"As usual: {'yes' if usual else 'no'}"), ("yes", "Yes"), ("no", "No")]
    return forms.ChoiceField(
        label=label, required=False, choices=choices, help_text=policies.POLICIES[name].help
    )


def _number(name: str, label: str, low: int, high: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=low, max_value=high, help_text=policies.POLICIES[name].help
    )


class People(forms.ModelMultipleChoiceField):
    """Colleagues to tick, by name and role."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name and role, and that somebody may not sign in any more."""
        left = "" if obj.is_active else ", no longer here"
        return f"{obj.full_name}, {obj.get_role_display().lower()}{left}"


class OrganizationForm(forms.ModelForm):
    """What an organization says about itself; its settings come out as one value, as the action wants it."""

    desk_phone = forms.CharField(
        label="Desk phone", required=False, max_length=40, help_text=policies.POLICIES["desk_phone"].help
    )
    leads = People(
        label="Leads", required=False, queryset=None, widget=forms.CheckboxSelectMultiple,
        help_text=policies.POLICIES["leads"].help,
    )  # fmt: skip
    notify_by_email = _yes_or_no("notify_by_email", "Mail steps of a chain too", True)
    unplanned_clinicians = _yes_or_no("unplanned_clinicians", "Clinicians start shifts unplanned", False)
    plans_need_approval = _yes_or_no("plans_need_approval", "Plans wait for a supervisor", False)
    part2_program = _yes_or_no("part2_program", "A program under 42 CFR Part 2", False)
    document_max_mb = _number("document_max_mb", "Largest document, in megabytes", 1, 10)
    voice_retention_days = _number("voice_retention_days", "Days that transcripts are kept", 0, 7)
    factor_rule = forms.ChoiceField(label="Who must give a second factor", required=False)
    mfa_required_roles = forms.MultipleChoiceField(
        label="The roles", required=False, choices=Role.choices, widget=forms.CheckboxSelectMultiple,
        help_text=policies.POLICIES[FACTOR_ROLES].help,
    )  # fmt: skip

    class Meta:
        model = Organization
        fields = (
            "name", "domain", "jurisdiction", "default_timezone", "default_language", "emergency_number",
            "settings",
        )  # fmt: skip
        labels: ClassVar[dict[str, str]] = {"settings": "Agreements and text models"}
        help_texts: ClassVar[dict[str, str]] = {"settings": policies.help_text(AS_JSON)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = self.instance.settings
        self.before: dict[str, Any] = dict(own) if isinstance(own, dict) else {}
        self.fields["leads"].queryset = may_lead(self.instance)  # type: ignore[attr-defined]
        roles = ", ".join(str(Role(one).label).lower() for one in house_roles()) or "nobody"
        self.fields["factor_rule"].choices = [  # type: ignore[attr-defined]
            ("", f"As the house says: {roles}"), (OWN, "The roles ticked below"), (NOBODY, "Nobody"),
        ]  # fmt: skip
        self.initial = {**self.initial, **self._shown()}

    def _shown(self) -> dict[str, Any]:
        """Return the settings as the fields show them."""
        before, own = self.before, self.before.get(FACTOR_ROLES)
        said = {name: {True: "yes", False: "no"}.get(before.get(name), "") for name in YES_OR_NO}  # type: ignore[arg-type]
        return said | {name: before.get(name) for name in NUMBERS} | {
            "desk_phone": before.get("desk_phone", ""),
            "leads": before.get("leads", []),
            "factor_rule": "" if own is None else OWN if own else NOBODY,
            "mfa_required_roles": own or [],
            "settings": {name: before[name] for name in AS_JSON if name in before},
        }  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Put the settings together; what people don't set stays as it was."""
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        typed = data.get("settings") or {}
        if not isinstance(typed, dict):
            self.add_error("settings", "Give names with values, in curly brackets.")
            return data
        for name in typed.keys() - set(AS_JSON):
            has_field = name in self.fields
            told = "has a field of its own" if has_field else f"is not known here: {', '.join(AS_JSON)}"
            self.add_error("settings", f"{str(name)[:40]} {told}.")
        roles = self._factor_roles(data)
        if self.errors:
            return data
        kept = {name: self.before[name] for name, one in policies.POLICIES.items()
                if not one.by_people and name in self.before}  # fmt: skip
        given: dict[str, Any] = {
            "desk_phone": data["desk_phone"].strip() or None,
            "leads": [str(one.pk) for one in data["leads"]] or None,
            FACTOR_ROLES: roles,
            **{name: {"yes": True, "no": False}.get(data[name]) for name in YES_OR_NO},
            **{name: data[name] for name in NUMBERS},
        }
        given = {name: self._as_stored(name, one) for name, one in given.items()}
        data["settings"] = typed | kept | {name: one for name, one in given.items() if one is not None}
        return data

    def _as_stored(self, name: str, said: Any) -> Any:
        """Return what is stored where it says the same: in another order, or as nothing in other words."""
        stored = self.before.get(name)
        if isinstance(stored, list) and isinstance(said, list) and sorted(stored) == sorted(said):
            return stored
        return stored if said is None and stored in ([], "") and name != FACTOR_ROLES else said

    def _factor_roles(self, data: dict[str, Any]) -> list[str] | None:
        rule, ticked = data["factor_rule"], data[FACTOR_ROLES]
        if rule == OWN:
            if not ticked:
                self.add_error(FACTOR_ROLES, "Tick at least one role, or choose Nobody.")
            return list(ticked)
        if ticked and set(ticked) != set(self.before.get(FACTOR_ROLES) or []):
            self.add_error(FACTOR_ROLES, "These count only with “The roles ticked below”.")
        return [] if rule == NOBODY else None

    def setting_changes(self) -> dict[str, Any]:
        """Return the settings that were changed, None for one that is as usual again."""
        before, after = self.before, self.cleaned_data["settings"]
        return {name: after.get(name) for name in before | after if before.get(name) != after.get(name)}

    @property
    def changed_data(self) -> list[str]:
        """The columns that differ; of the settings' own fields only that the settings do."""
        columns = [
            name
            for name in super().changed_data
            if name in OrganizationForm.Meta.fields and name != "settings"
        ]
        built = getattr(self, "cleaned_data", {}).get("settings")
        return columns if built is None or built == self.before else [*columns, "settings"]
