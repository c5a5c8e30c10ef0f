"""Writes of people and organizations: made, changed, disabled, their password, PIN and preferences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.contrib.auth.hashers import make_password
from django.utils.text import slugify

from cortex.access.context import opening
from cortex.accounts import pins, policies
from cortex.accounts.appointments import refuse_appointment
from cortex.accounts.choices import DESK_ROLES, Attempt, Role
from cortex.accounts.models import LoginAttempt, Organization, StaffProfile, User
from cortex.accounts.queries import user_by_email
from cortex.accounts.sessions.actions import end_sessions_of
from cortex.accounts.signin.devices import account_mark
from cortex.audit import HOUSE, Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.places import emergency_number_of, jurisdiction_of
from cortex.signs import holds_unseen, looks

ORGANIZATION_FIELDS = frozenset(
    {"name", "domain", "jurisdiction", "default_timezone", "default_language", "emergency_number", "settings"}
)
PROFILE = frozenset({"title", "specialty", "license_number", "phone", "is_trainee"})
ZONES = available_timezones()
PREFERENCES: dict[str, tuple[object, ...]] = {
    "theme": ("", "light", "dark"),
    "shortcuts": (True, False),
    "sound": (True, False),
}


@action
def create_organization(*, actor: Actor, name: str, slug: str = "", **fields: Any) -> Organization:
    """Create a tenant; its slug is made of its name unless it is given."""
    unknown = set(fields) - ORGANIZATION_FIELDS
    if unknown:
        raise InputRefused("These fields are not known.", "unknown_field", field=sorted(unknown)[0])
    _refuse_unknown_zone(fields)
    _check_places(fields)
    policies.refuse_unknown(fields.get("settings", {}), {}, by_system=actor.is_system)
    slug = slug or slugify(name)
    if not slug or Organization.objects.filter(slug=slug).exists():
        raise InputRefused("Another organization has this name.", "name_taken", field="name")
    organization = Organization.objects.create(name=name, slug=slug, **fields)
    record(actor, "organization.created", organization, fields=["name", *sorted(fields)])
    return organization


@action
def update_organization(
    *, actor: Actor, organization_id: UUID, setting_changes: Mapping[str, Any] | None = None, **fields: Any
) -> Organization:
    """Change what an organization says about itself; its settings are those of `policies`.

    `settings` are all of them; `setting_changes` those that change (None: as usual), and no other moves.
    """
    if set(fields) - ORGANIZATION_FIELDS:
        raise InputRefused("These fields can't be changed here.", "unknown_field")
    rows = Organization.objects.select_for_update()
    found = rows.filter(pk=organization_id).first()
    if found is None or not (actor.is_system or found.pk in actor.org_ids):
        raise NotFound("There is no such organization.", "no_such_organization")
    _refuse_unknown_zone(fields)
    _check_places(fields)
    if setting_changes:
        merged = {**found.settings, **setting_changes}
        fields["settings"] = {name: value for name, value in merged.items() if value is not None}
    if "settings" in fields:
        policies.refuse_unknown(fields["settings"], found.settings, by_system=actor.is_system)
        _refuse_strange_leads(actor, found, fields["settings"].get("leads", []))
    changed = sorted(name for name, value in fields.items() if getattr(found, name) != value)
    if not changed:
        return Unchanged(found)  # type: ignore[return-value]
    before, after = found.settings, fields.get("settings", found.settings)
    codes = {"settings": sorted(name for name in before | after if before.get(name) != after.get(name))}
    for name in changed:
        setattr(found, name, fields[name])
    found.save(update_fields=[*changed, "updated_at"])
    record(actor, "organization.changed", found, fields=changed, codes=codes if codes["settings"] else {})
    return found


@action
def create_user(
    *,
    actor: Actor,
    organization_id: UUID,
    email: str,
    full_name: str,
    role: str,
    password: str | None = None,
    pin: str = "",
    is_verified: bool = False,
    is_operator: bool = False,
) -> User:
    """Create a person; without a password they can't sign in until a reset or an invitation sets one."""
    refuse_appointment(actor, organization_id, role, is_operator=is_operator)
    if user_by_email(email) is not None:
        raise InputRefused("Somebody has this e-mail address already.", "email_taken", field="email")
    _refuse_taken_name(organization_id, full_name)
    user = User.objects.create_user(
        email,
        password,
        full_name=full_name.strip(),
        role=role,
        organization_id=organization_id,
        is_verified=is_verified,
        is_operator=is_operator,
        pin_hash=make_password(pins.checked(pin)) if pin else "",
    )
    record(actor, "user.created", user, codes={"role": role})
    if is_operator:
        record(actor, "operator.granted", user, purpose=HOUSE)
    return user


def _refuse_taken_name(organization_id: UUID | None, name: str, but: User | None = None) -> None:
    """Refuse a colleague's name, and one of somebody who left: the trail says by it who did what."""
    if holds_unseen(name):
        raise InputRefused(
            "This name holds signs that nobody sees. Type it anew.", "bad_name", field="full_name"
        )
    rows = User.objects.filter(organization_id=organization_id) if organization_id else User.objects.none()
    others = rows.exclude(pk=but.pk) if but else rows
    wanted = looks(name)
    if any(looks(one) == wanted for one in others.values_list("full_name", flat=True)):
        raise InputRefused(
            "A colleague has this name. Add what tells you apart.", "name_taken", field="full_name"
        )


@action
def update_user(
    *,
    actor: Actor,
    user_id: UUID,
    full_name: str | None = None,
    role: str | None = None,
    at: datetime | None = None,
) -> User:
    """Change a person's name or role; a new role closes their open sockets and is never one's own doing."""
    user = _theirs(actor, user_id)
    changed: list[str] = []
    if full_name is not None and full_name.strip() != user.full_name:
        _refuse_taken_name(user.organization_id, full_name, but=user)
        user.full_name = full_name.strip()
        changed.append("full_name")
    if role is not None and role != user.role:
        _refuse_own(actor, user)
        refuse_appointment(actor, user.organization_id, role)
        refuse_appointment(actor, user.organization_id, user.role)
        user.role = role
        user.role_changed_at = clock(at)
        user.access_version += 1
        changed += ["role", "role_changed_at", "access_version"]
        if user.is_operator:
            user.is_operator = False
            changed.append("is_operator")
            record(actor, "operator.revoked", user, purpose=HOUSE)
    if not changed:
        return Unchanged(user)  # type: ignore[return-value]
    user.save(update_fields=[*changed, "updated_at"])
    record(actor, "user.changed", user, fields=changed, codes={"role": user.role})
    return user


@action
def disable_user(*, actor: Actor, user_id: UUID, at: datetime | None = None) -> User:
    """Shut a person out: their sessions and sockets end, what they did stays."""
    user = _theirs(actor, user_id)
    _refuse_own(actor, user)
    refuse_appointment(actor, user.organization_id, user.role)
    if not user.is_active:
        return Unchanged(user)  # type: ignore[return-value]
    user.is_active = False
    user.disabled_at = clock(at)
    user.access_version += 1
    user.save(update_fields=["is_active", "disabled_at", "access_version", "updated_at"])
    end_sessions_of(actor=actor, user_id=user.pk, why="disabled", at=at)
    record(actor, "user.disabled", user, fields=["is_active"])
    return user


@action
def enable_user(*, actor: Actor, user_id: UUID) -> User:
    """Let a disabled person sign in again."""
    user = _theirs(actor, user_id)
    refuse_appointment(actor, user.organization_id, user.role)
    if user.is_active:
        return Unchanged(user)  # type: ignore[return-value]
    user.is_active = True
    user.disabled_at = None
    user.access_version += 1
    user.save(update_fields=["is_active", "disabled_at", "access_version", "updated_at"])
    record(actor, "user.enabled", user, fields=["is_active"])
    return user


@action
def set_operator(*, actor: Actor, user_id: UUID, is_operator: bool) -> User:
    """Let an administrator run the whole house, or no longer; the command line alone may (NotFound)."""
    if not actor.is_system:
        raise NotFound("Ask whoever runs the servers: `manage.py operator`.", "not_here")
    user = _theirs(actor, user_id)
    if is_operator and (user.role != Role.ADMIN or not user.is_active):
        raise RuleBroken("Only an active administrator can be an operator.", "not_administrator")
    if user.is_operator == is_operator:
        return Unchanged(user)  # type: ignore[return-value]
    user.is_operator = is_operator
    user.access_version += 1
    user.save(update_fields=["is_operator", "access_version", "updated_at"])
    record(actor, "operator.granted" if is_operator else "operator.revoked", user, purpose=HOUSE)
    return user


@action
def set_password(
    *, actor: Actor, user_id: UUID, password: str, how: str, spare: str = "", at: datetime | None = None
) -> User:
    """Set a password and end all other sessions; `how` is a code: change, reset, command."""
    user = User.objects.select_for_update().get(pk=user_id)
    user.set_password(password)
    user.failed_login_count = 0
    user.locked_until = None
    user.access_version += 1
    user.save(
        update_fields=["password", "failed_login_count", "locked_until", "access_version", "updated_at"]
    )
    # Whoever proved the mailbox or the old password is not kept out by what others tried.
    LoginAttempt.objects.create(account_hash=account_mark(user.email), outcome=Attempt.UNLOCKED, at=clock(at))
    end_sessions_of(actor=actor, user_id=user.pk, why="password", spare=spare, at=at)
    record(actor, "password.changed", user, fields=["password"], codes={"how": how})
    return user


@action
def set_pin(*, actor: Actor, user_id: UUID, pin: str) -> User:
    """Set the PIN that uncovers the board (6 to 12 digits, no simple row)."""
    digits = pins.checked(pin)
    user = User.objects.select_for_update().get(pk=user_id)
    user.pin_hash = make_password(digits)
    user.save(update_fields=["pin_hash", "updated_at"])
    record(actor, "pin.changed", user, fields=["pin_hash"])
    return user


@quiet("how a person likes their own screen is nobody's care")
def set_preferences(*, user_id: UUID, **wanted: object) -> User:
    """Set theme (`light`, `dark`, empty), shortcuts and sound (yes or no) of one's own pages."""
    for name, value in wanted.items():
        if name not in PREFERENCES or not any(
            value is allowed or value == allowed for allowed in PREFERENCES[name]
        ):
            raise InputRefused("This preference is not known.", "unknown_preference", field=name)
    user = User.objects.select_for_update().get(pk=user_id)
    user.preferences = user.preferences | wanted
    user.save(update_fields=["preferences", "updated_at"])
    return user


@action
def save_staff_profile(
    *, actor: Actor, user_id: UUID, verified: bool = False, at: datetime | None = None, **said: Any
) -> StaffProfile:
    """Keep what makes a person a clinician; licence and phone are sealed. What isn't said stays as it is.

    `said`: `title`, `specialty`, `license_number`, `phone` and `is_trainee`.
    """
    user = _theirs(actor, user_id)
    row = StaffProfile.objects.select_for_update().filter(user=user).first() or StaffProfile(user=user)
    row.organization_id = user.organization_id
    return _keep_profile(actor, row, said, verified=verified, at=at)


@action
def change_staff_profile(
    *, actor: Actor, staffprofile_id: UUID, verified: bool = False, at: datetime | None = None, **said: Any
) -> StaffProfile:
    """Change a profile as `save_staff_profile` does; NotFound outside the actor's organizations."""
    row = StaffProfile.objects.select_for_update(of=("self",)).filter(pk=staffprofile_id).first()
    if row is None or not (actor.is_system or row.organization_id in actor.org_ids):
        raise NotFound("There is no such profile in your organization.", "no_such_profile")
    return _keep_profile(actor, row, said, verified=verified, at=at)


def _keep_profile(
    actor: Actor, row: StaffProfile, said: dict[str, Any], *, verified: bool, at: datetime | None
) -> StaffProfile:
    if unknown := said.keys() - PROFILE:
        raise InputRefused("These fields are not known.", "unknown_field", field=min(unknown))
    wanted = {name: one.strip() if isinstance(one, str) else one for name, one in said.items()}
    with opening(actor, purpose="staff_record") as ctx:
        ctx.load_keys([row.organization_id], create=True)
        is_new = row._state.adding
        if not is_new:
            ctx.open([row])
        said_otherwise = (name for name, one in wanted.items() if one is not None)
        changed = [name for name in said_otherwise if (getattr(row, name) or "") != (wanted[name] or "")]
        for name in changed:
            setattr(row, name, wanted[name])
        if verified:
            row.verified_at = clock(at)
        if not (is_new or changed or verified):
            return Unchanged(row)  # type: ignore[return-value]
        row.save()
    codes = {"is_trainee": row.is_trainee} if "is_trainee" in changed else {}
    record(
        actor, "staff.changed", row, fields=[*changed, *(["verified_at"] if verified else [])], codes=codes
    )
    return row


def _theirs(actor: Actor, user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None or not (actor.is_system or user.pk == actor.id or user.organization_id in actor.org_ids):
        raise NotFound("There is no such person in your organization.", "no_such_person")
    return user


def _refuse_own(actor: Actor, user: User) -> None:
    if actor.id == user.pk:
        raise RuleBroken("Ask another administrator to change your own rights.", "own_rights")


def _refuse_unknown_zone(fields: dict[str, Any]) -> None:
    """The days and nights of everybody in the house are counted in it: a name that is none is UTC to all."""
    if "default_timezone" in fields and fields["default_timezone"] not in ZONES:
        raise InputRefused(
            "There is no such default time zone. Give its name, like Africa/Nairobi or Europe/London.",
            "timezone_unknown",
            field="default_timezone",
        )


def _check_places(fields: dict[str, Any]) -> None:
    """Put jurisdiction and emergency number as they are kept; refuse at its field what is none."""
    for name, read in (("jurisdiction", jurisdiction_of), ("emergency_number", emergency_number_of)):
        if name in fields:
            try:
                fields[name] = read(fields[name])
            except ValueError as error:
                raise InputRefused(str(error), f"{name}_unknown", field=name) from error


def _refuse_strange_leads(actor: Actor, organization: Organization, leads: list[str]) -> None:
    """Leads hear the coded board: only the desk's own people may, and nobody names themself."""
    new = set(leads) - set(organization.lead_ids)
    known = User.objects.filter(
        pk__in=new, organization=organization, is_active=True, role__in=DESK_ROLES
    ).count()
    if known != len(new):
        raise InputRefused(
            "Leads must be active people of this organization who work at the desk.",
            "unknown_lead",
            field="settings",
        )
    if str(actor.id) in new:
        raise RuleBroken("Ask another administrator to change your own rights.", "own_rights")
