"""The doors of intake: read the request, call one action, answer its bytes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from cortex.access.declare import requires_key, requires_patient_token
from cortex.api import throttle
from cortex.api.authentication import ANY_KEY, KeyCredential, PatientCredential, PatientTokenAuthentication
from cortex.api.base import ApiView
from cortex.api.parsers import Body, RawParser
from cortex.api.schema import refusals
from cortex.api.strict import BodyRefused
from cortex.ops.turns import turn
from crisis.enrolment import actions as enrolment
from crisis.enrolment.registration import read_registration
from crisis.intake import actions, openapi, support
from crisis.intake.answers import Reply
from crisis.intake.parcels import Parcel, read_form, read_parcel, read_press


class IntakeDoor(ApiView):
    """What all doors share: refusals carry support, and a reply is sent as it was kept."""

    def problem_extra(self, *, is_away: bool) -> dict[str, Any]:
        """Return the support block of a refusal; a caller without a credential gets the general one.

        With a store away it comes from memory: asking who calls would wait, and fail, once more.
        """
        if is_away:
            return {"support": support.while_away(self.request)}
        return {"support": support.for_refusal(getattr(self.request, "auth", None), self.request)}

    def parcel(self, route: str) -> Parcel:
        """Return the request as a parcel; `route` keeps the answers of two addresses apart."""
        body, credential = self.body(), self.credential
        patient_id = credential.patient_id if isinstance(credential, PatientCredential) else None
        return Parcel(
            organization_id=credential.organization_id, sender=credential.sender, client=credential.client,
            patient_id=patient_id, route=route, digest=body.digest(f"{route}:{patient_id or ''}"),
        )  # fmt: skip

    @property
    def idempotency_key(self) -> str | None:
        """The header as it was sent."""
        return self.request.META.get("HTTP_IDEMPOTENCY_KEY")

    def take(self, route: str) -> HttpResponse:
        """Count the parcel against the sender's rate and hand it to the action."""
        parcel = read_parcel(self.parcel(route), self.body(), self.idempotency_key)
        if parcel.refusal is None:
            parcel.allowed, parcel.wait = throttle.take(parcel.sender, len(parcel.raw_items))
        with turn(len(parcel.raw_items)):
            reply = actions.take_batch(actor=self.actor, parcel=parcel)
        return respond(reply)

    def press(self, named: str = "") -> HttpResponse:
        """Read a button from whatever was sent and hand it to the action."""
        credential = self.credential
        press = read_press(_whatever(self.request), named)
        patient_id = credential.patient_id if isinstance(credential, PatientCredential) else None
        with turn(1):
            reply = actions.take_sos(
                actor=self.actor,
                organization_id=credential.organization_id,
                press=press,
                patient_id=patient_id,
            )
        return respond(reply)


def respond(reply: Reply) -> HttpResponse:
    """Return a reply as a response, byte for byte."""
    return HttpResponse(
        reply.body, status=reply.status, content_type=reply.content_type, headers=reply.headers
    )


def _whatever(request: Request) -> bytes:
    try:
        data = request.data
    except BodyRefused:
        return b""
    return data.raw if isinstance(data, Body) else b""


@requires_key("intake:write")
class Intake(IntakeDoor):
    """Take a batch of items of any of the organization's patients."""

    @extend_schema(operation_id="intake", summary="Send a batch of items", **openapi.INTAKE_DOCS)
    def post(self, request: Request) -> HttpResponse:
        """Store and screen each item; each stands alone, and the order per patient is kept."""
        return self.take("intake")


@requires_key(ANY_KEY)
class Sos(IntakeDoor):
    """Take a pressed button: any working key and a known patient are enough."""

    parser_classes = [RawParser]

    @extend_schema(operation_id="sos", summary="The person pressed a button", **openapi.PRESS_DOCS)
    def post(self, request: Request) -> HttpResponse:
        """Open or join an alert at once; a missing or unreadable button counts as in danger."""
        return self.press(request.query_params.get("patient", ""))


@requires_key("patients:write")
class Patients(IntakeDoor):
    """Register a patient."""

    @extend_schema(
        operation_id="patients", summary="Register a patient", tags=["Patients"],
        parameters=[openapi.IDEMPOTENCY],
        request={"application/json": {"$ref": "#/components/schemas/Patient"}},
        examples=[openapi.PATIENT_EXAMPLE],
        responses={201: openapi.PATIENT_ANSWER, **refusals(400, 401, 403, 409, 413, 415, 422)},
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Put a person on record with language, zone, consents and contacts, all or nothing."""
        parcel, data = read_form(
            self.parcel("patients"), self.body(), self.idempotency_key, read_registration
        )
        return respond(enrolment.take_registration(actor=self.actor, parcel=parcel, data=data))


@requires_key("tokens:mint")
class Tokens(IntakeDoor):
    """Mint a short-lived token for one patient's own device."""

    @extend_schema(
        operation_id="patient_tokens", summary="Mint a patient token", tags=["Patients"],
        parameters=[openapi.PSEUDONYM], request={"application/json": openapi.TOKEN_ASK},
        responses={201: openapi.TOKEN_ANSWER, **refusals(400, 401, 403, 404, 413, 415, 422)},
    )  # fmt: skip
    def post(self, request: Request, pseudonym: str) -> HttpResponse:
        """The token dies after 15 minutes, or with the key that minted it."""
        minutes = self.members().get("minutes", 15) if isinstance(request.data, Body) else 15
        if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 60:
            raise BodyRefused("out_of_range", "minutes is 1 to 60.", status=422, pointer="/minutes")
        credential = cast(KeyCredential, self.credential)
        reply = enrolment.mint_token(
            actor=self.actor, organization_id=credential.organization_id, key_id=credential.key.pk,
            pseudonym=pseudonym, life=timedelta(minutes=minutes),
        )  # fmt: skip
        return respond(reply)


class OwnDoor(IntakeDoor):
    """A door of a patient's own device."""

    authentication_classes = [PatientTokenAuthentication]


@requires_patient_token
class OwnIntake(OwnDoor):
    """Take a batch of the patient's own items."""

    @extend_schema(operation_id="me_intake", summary="Send a batch of one's own items", **openapi.INTAKE_DOCS)
    def post(self, request: Request) -> HttpResponse:
        """As /intake; items need not name the patient, and may name nobody else."""
        return self.take("me/intake")


@requires_patient_token
class OwnSos(OwnDoor):
    """Take the patient's own button."""

    parser_classes = [RawParser]

    @extend_schema(operation_id="me_sos", summary="Press a button oneself", **openapi.PRESS_DOCS)
    def post(self, request: Request) -> HttpResponse:
        """As /sos, for the patient of the token."""
        return self.press()


@requires_patient_token
class OwnSupport(OwnDoor):
    """Tell the patient where they stand."""

    @extend_schema(
        operation_id="me_support", summary="Where one's call stands, and help near by", tags=["Support"],
        responses={200: openapi.SUPPORT_ANSWER, **refusals(401)},
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """At any time: told, taken, nobody on duty or none; verified resources and the emergency number."""
        return respond(support.for_patient(self.actor, cast(PatientCredential, self.credential)))
