"""The door of a person's own safety plan in their app: read it, by their device's token."""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from cortex.access.context import reading
from cortex.access.declare import requires_patient_token
from cortex.api.authentication import PatientCredential
from cortex.api.problems import encode
from crisis.intake.answers import Reply
from crisis.intake.api import OwnDoor, respond
from crisis.safetyplans import openapi, queries, showing


@requires_patient_token
class OwnSafetyPlan(OwnDoor):
    """The plan in force of the patient of the token."""

    @extend_schema(
        operation_id="me_safety_plan", summary="One's own safety plan", tags=["Safety plan"], **openapi.DOCS
    )
    def get(self, request: Request) -> HttpResponse:
        """In the person's own words, by step; `plan` is null where none is in force. Keep it for offline."""
        credential = cast(PatientCredential, self.credential)
        with reading(self.actor, purpose="safety_plan") as context:
            person = queries.own_person(credential.patient_id)
            found, lines = queries.at_hand(context, person)
            body = encode(showing.members(found, lines))
        return respond(Reply(200, body, headers={"Cache-Control": "no-store"}))
