"""The way back for doors: reads the support block in its own look; never fails for want of a database."""

from __future__ import annotations

import logging
from typing import Any

from django.db import InterfaceError, OperationalError
from rest_framework.request import Request

from cortex.access.context import reading
from cortex.api.authentication import KeyCredential, PatientCredential, known_organization
from cortex.api.problems import encode
from cortex.audit import Actor
from cortex.clock import clock
from crisis.intake.answers import Reply
from crisis.resources.support import general_support, last_known_support, remembers, support_for
from patients.registry.queries import patient

Credential = KeyCredential | PatientCredential
log = logging.getLogger("cortex.api")


def for_patient(actor: Actor, credential: PatientCredential) -> Reply:
    """Return the answer of /me/support."""
    return Reply(200, encode({"support": _own(actor, credential)}), headers={"Cache-Control": "no-store"})


def while_away(request: Request) -> dict[str, Any]:
    """Return the block that goes with a refusal when a store is away: from memory if possible."""
    organization_id = known_organization(request)
    credential: Credential | None = getattr(request, "_auth", None)
    if credential is None or remembers(organization_id):
        return last_known_support(organization_id)
    return for_refusal(credential, request)


def for_refusal(credential: Credential | None, request: Request) -> dict[str, Any]:
    """Return the block that goes with a refused request; from memory when the database can't be asked."""
    if credential is None:
        return last_known_support(None)
    try:
        if isinstance(credential, PatientCredential):
            return _own(credential.actor(request), credential)
        with reading(credential.actor(request), purpose="support"):
            return general_support(credential.organization_id, clock())
    except (OperationalError, InterfaceError) as error:
        log.error("support from memory", exc_info=error)
        return last_known_support(credential.organization_id)


def _own(actor: Actor, credential: PatientCredential) -> dict[str, Any]:
    with reading(actor, purpose="support"):
        row = patient(credential.patient_id)
        language = row.language if row is not None else "en"
        person = (row.merged_into_id or row.pk) if row is not None else credential.patient_id
        return support_for(credential.organization_id, [(person, language)], clock())[person]
