"""The doors of measures in an app: what is due, and answers; by a server's key or a person's own device."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from clinical.assessments.own import actions, openapi, queries
from clinical.assessments.own.answers import offer_members
from clinical.assessments.own.sent import read_sent
from cortex.access.context import reading
from cortex.access.declare import requires_key, requires_patient_token
from cortex.api.authentication import PatientCredential
from cortex.api.problems import encode
from cortex.clock import clock
from crisis.intake.answers import Reply
from crisis.intake.api import IntakeDoor, OwnDoor, respond
from crisis.intake.parcels import read_form
from crisis.intake.queries import person_of
from crisis.resources.support import support_for


class MeasureDoor(IntakeDoor):
    """What both kinds of caller share."""

    def due(self, pseudonym: str, patient_id: UUID | None) -> HttpResponse:
        """Answer what is due for one person, with where help is near."""
        at, organization_id = clock(), self.credential.organization_id
        with reading(self.actor, purpose="intake") as context:
            person = person_of(organization_id, pseudonym, patient_id)
            found = queries.offer(context, person, at)
            support = support_for(organization_id, [(person.pk, person.language)], at)[person.pk]
        body = encode(offer_members(found, support))
        return respond(Reply(200, body, headers={"Cache-Control": "no-store"}))

    def answer(self, route: str, pseudonym: str) -> HttpResponse:
        """Take one administration."""
        parcel, sent = read_form(self.parcel(route), self.body(), self.idempotency_key, read_sent)
        return respond(actions.take_answers(actor=self.actor, parcel=parcel, pseudonym=pseudonym, sent=sent))


@requires_key("intake:write")
class Measures(MeasureDoor):
    """Which measures of one of the organization's patients are due."""

    @extend_schema(operation_id="measures", summary="Which measures are due", **openapi.DUE_OF_DOCS)
    def get(self, request: Request, pseudonym: str) -> HttpResponse:
        """With their questions in the person's language; what must not be shown now says why."""
        return self.due(pseudonym, None)


@requires_key("intake:write")
class MeasureAnswers(MeasureDoor):
    """Answers of one of the organization's patients."""

    @extend_schema(operation_id="measure_answers", summary="Send answers", **openapi.ANSWER_OF_DOCS)
    def post(self, request: Request, pseudonym: str) -> HttpResponse:
        """One administration; the server scores it, and what needs a person reaches one at once."""
        return self.answer(f"measures:{pseudonym[:64]}", pseudonym)


@requires_patient_token
class OwnMeasures(MeasureDoor, OwnDoor):
    """Which measures of the patient of the token are due."""

    @extend_schema(operation_id="me_measures", summary="Which of one's own are due", **openapi.DUE_DOCS)
    def get(self, request: Request) -> HttpResponse:
        """As /patients/{pseudonym}/measures."""
        return self.due("", cast(PatientCredential, self.credential).patient_id)


@requires_patient_token
class OwnMeasureAnswers(MeasureDoor, OwnDoor):
    """Answers of the patient of the token."""

    @extend_schema(operation_id="me_measure_answers", summary="Send own answers", **openapi.OWN_ANSWER_DOCS)
    def post(self, request: Request) -> HttpResponse:
        """As /patients/{pseudonym}/measures/answers, for the patient of the token."""
        return self.answer("me/measures", "")
