"""The door of a person's own appointments in their app, by their device's token."""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from clinical.scheduling.own import openapi, queries
from clinical.scheduling.own.answers import appointment_members
from cortex.access.context import reading
from cortex.access.declare import requires_patient_token
from cortex.api.authentication import PatientCredential
from cortex.api.problems import encode
from cortex.clock import clock
from crisis.intake.answers import Reply
from crisis.intake.api import OwnDoor, respond
from crisis.intake.queries import person_of


@requires_patient_token
class OwnAppointments(OwnDoor):
    """The coming appointments of the patient of the token."""

    @extend_schema(operation_id="me_appointments", summary="One's own appointments", **openapi.DOCS)
    def get(self, request: Request) -> HttpResponse:
        """What isn't over, moved and called off as it stands now. Ask again before reminding anybody."""
        at, credential = clock(), cast(PatientCredential, self.credential)
        with reading(self.actor, purpose="appointment") as context:
            person = person_of(credential.organization_id, "", credential.patient_id)
            rows = queries.coming(context, person, at)
            body = encode(appointment_members(rows, person.zone(), at))
        return respond(Reply(200, body, headers={"Cache-Control": "no-store"}))
