"""Reads of the synthetic house: whether anybody else lives in the database, and who works in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connections
from psycopg import connect

from clinical.assessments.instruments.queries import instruments
from clinical.backoffice.synth.plan import SLUG
from clinical.backoffice.synth.rows import Home
from cortex.accounts.models import Organization, Role, User
from crisis.duty.queries import running_shift
from crisis.escalation.queries import policy_for
from patients.registry.models import Patient

WHERE = ("HOST", "PORT", "NAME")


def inhabitants() -> str:
    """Return who is in the database already, in words, or an empty string when it is empty."""
    people, homes = Patient.objects.count(), Organization.objects.exclude(slug__startswith=SLUG).count()
    if people or homes:
        return f"{people} people, {homes} other organizations"
    return "organizations of an earlier load" if Organization.objects.exists() else ""


def organization_ids() -> list[UUID]:
    """Return the house's organizations in the order of their numbers."""
    found = Organization.objects.filter(slug__startswith=SLUG)
    return [
        pk for pk, _ in sorted(found.values_list("pk", "slug"), key=lambda row: int(row[1].split("-")[1]))
    ]


def home(organization_id: UUID) -> Home:
    """Return one organization with what the rows of its people name."""
    staff = list(User.objects.filter(organization_id=organization_id).order_by("email"))
    return Home(
        organization=Organization.objects.get(pk=organization_id),
        counselors=[one.pk for one in staff if one.role == Role.COUNSELOR],
        therapists=[one.pk for one in staff if one.role == Role.THERAPIST],
        policies={level: policy_for(organization_id, level, waiting=False) for level in ("high", "critical")},
        labels={one.pk: one.full_name for one in staff},
        instruments={one.key: (one.pk, one.version) for one in instruments()},
    )


def patient_ids(pseudonyms: Sequence[str]) -> dict[str, UUID]:
    """Return ids by pseudonym."""
    return dict(Patient.objects.filter(anonymous_id__in=pseudonyms).values_list("anonymous_id", "pk"))


def treating(organization_id: UUID) -> User:
    """Return the therapist whose caseload has years on record."""
    found = User.objects.reaching().filter(organization_id=organization_id, role=Role.THERAPIST)
    therapist = found.order_by("-email").first()
    assert therapist is not None  # noqa: S101 (every house has them)
    return therapist


def counselors(organization_id: UUID) -> list[User]:
    """Return the counselors of an organization, as actors need them."""
    return list(
        User.objects.reaching().filter(organization_id=organization_id, role=Role.COUNSELOR).order_by("email")
    )


def refresh_statistics() -> bool:
    """Let PostgreSQL count what is there now, as the owner of the tables; False when no owner is known."""
    found = settings.CORTEX_OWNER_DATABASES
    here = {alias: connections[alias].settings_dict for alias in found}
    # An owner of another database is no help.
    if not found or any(found[one][part] != here[one][part] for one in found for part in WHERE):
        return False
    for where in found.values():
        address = {
            "dbname": where["NAME"], "user": where["USER"], "password": where["PASSWORD"],
            "host": where["HOST"], "port": where["PORT"] or None,
        }  # fmt: skip
        with connect(**address, autocommit=True) as connection:
            # The catalogs are not the owner's: that they are left out is no news.
            connection.execute("SET client_min_messages = error")
            connection.execute("VACUUM (ANALYZE)")
    return True


def is_on_shift(user_id: UUID, at: datetime) -> bool:
    """Whether somebody has a running shift that isn't over."""
    shift = running_shift(user_id)
    return shift is not None and shift.planned_end > at
