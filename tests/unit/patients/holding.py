"""How the tests of legal holds issue one, release it and read its trail."""

from __future__ import annotations

from typing import Any

from cortex.accounts.models import User
from cortex.audit.models import AuditLog
from patients.holds.actions import issue_hold, release_hold
from patients.holds.models import LegalHold
from tests import makers
from tests.cast import Cast
from tests.makers import staff

WHY = "Claim 12 names these records"
ENOUGH = "The claim was settled in court"


def hold(cast: Cast, user: User, matter: str = "HC 12/2026", **fields: Any) -> LegalHold:
    values: dict[str, Any] = {"patient_id": cast.patient.pk, "reason": WHY} | fields
    done = issue_hold(actor=staff(user), matter=matter, **values)
    makers.scope_all()
    return done


def release(one: LegalHold, user: User, reason: str = ENOUGH) -> LegalHold:
    done = release_hold(actor=staff(user), hold_id=one.pk, reason=reason)
    makers.scope_all()
    return done


def trail(verb: str) -> list[AuditLog]:
    return list(AuditLog.objects.filter(event_type=verb).order_by("id"))
