"""What the API reference says about intake: schemas from the kinds themselves, and examples that work."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from cortex.api.schema import COUNT, SHARED, TEXT, TIME, object_of, ref, refusals
from crisis.enrolment.registration import CONSENT, CONTACT, MOST, PATIENT, PREFERENCES, PROFILE, schema_of
from crisis.intake.answers import STATUS, Result
from crisis.intake.items import MAX_ITEMS
from crisis.intake.kinds import BUTTONS, KINDS

WHEN = "2026-11-21T06:00:00+03:00"


RESOURCE = object_of(
    "A line, service or place.", ("name", "kind"),
    **dict.fromkeys(("name", "kind", "phone", "sms", "url", "address", "hours", "verified_on"), TEXT),
    languages={"type": "array", "items": TEXT},
)  # fmt: skip
SHARED.update({
    "Support": object_of(
        "What to show the person: whether somebody knows, and where help is near.",
        ("state", "message", "emergency_number", "resources"),
        state={"type": "string", "enum": ["none", "told", "taken", "nobody_on_duty"]}, message=TEXT,
        since=TIME,
        person_waiting={"type": "boolean"}, emergency_number=TEXT,
        resources={"type": "array", "items": RESOURCE},
        unchecked=object_of("Resources that nobody verified within 90 days; show the warning first.",
                          warning=TEXT, resources={"type": "array", "items": RESOURCE}),
    ),
    "Item": {"oneOf": [ref(f"Item_{name}") for name in KINDS], "discriminator": {"propertyName": "kind"}},
    **{f"Item_{name}": kind.schema() for name, kind in KINDS.items()},
    "ItemResult": object_of(
        "What became of one item. `duplicate`: the same id with the same words was stored before. Other "
        "words under a known id are screened and rejected with `id_reused`. What no consent allows is "
        "rejected with `no_consent`, unread.", ("index", "result", "status"),
        index=COUNT, id=TEXT, kind=TEXT, result={"type": "string", "enum": [str(one) for one in Result]},
        status={"type": "integer", "enum": sorted(set(STATUS.values()))}, reason=TEXT,
        field={"type": "string", "description": "JSON pointer below the item."},
        record={"type": "string", "format": "uuid"}, retry_after=COUNT,
        notes={"type": "array", "items": TEXT}, support=ref("Support"),
    ),
    "BatchAnswer": object_of(
        "One result per item. 503 or 429 when any item has to be sent again: send the same request, what was "
        "stored answers `duplicate`.", ("received_at", "counts", "items"),
        received_at=TIME, counts={"type": "object", "additionalProperties": COUNT},
        items={"type": "array", "items": ref("ItemResult")},
    ),
    "Patient": schema_of(PATIENT) | {"properties": schema_of(PATIENT)["properties"] | {
        "consents": {"type": "array", "maxItems": MOST["consents"], "items": schema_of(CONSENT)},
        "contacts": {"type": "array", "maxItems": MOST["contacts"], "items": schema_of(CONTACT)},
        "profile": schema_of(PROFILE), "preferences": schema_of(PREFERENCES),
    }},
})  # fmt: skip

BATCH = object_of(
    f"1 to {MAX_ITEMS} items; each stands alone.", ("items",),
    items={"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": ref("Item")},
)  # fmt: skip
PRESS = object_of("The button; a missing or unreadable one counts as in_danger.", patient=TEXT,
                button={"type": "string", "enum": list(BUTTONS)})  # fmt: skip
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER,
    description="1 to 200 visible ASCII characters. The same key and body get the same bytes for 24 hours. "
                "A server's keys are its own, a device's those of its patient.",
)  # fmt: skip
PSEUDONYM = OpenApiParameter("pseudonym", str, OpenApiParameter.PATH, description="The patient's pseudonym.")

EXAMPLES = [
    OpenApiExample("A session with one message", request_only=True, value={"items": [
        {"id": "s-1", "kind": "session_started", "patient": "CX-10000001", "session": "chat-1",
         "session_kind": "chat", "at": WHEN},
        {"id": "m-1", "kind": "message", "patient": "CX-10000001", "session": "chat-1", "role": "patient",
         "text": "Leo nimelala vizuri.", "language": "sw", "at": WHEN},
    ]}),
    OpenApiExample("Neural audio, and how it was set", request_only=True, value={"items": [
        {"id": "s-2", "kind": "session_started", "patient": "CX-10000001", "session": "audio-1",
         "session_kind": "neural_audio", "at": WHEN, "neural_audio": {
             "base_frequency_hz": 14, "target_frequency_hz": 10, "volume_level": 50,
             "initial_state": "tense", "target_state": "calm"}},
        {"id": "s-3", "kind": "session_ended", "patient": "CX-10000001", "session": "audio-1",
         "at": "2026-11-21T06:20:00+03:00",
         "neural_audio": {"volume_level": 40, "side_effects": [{"code": "headache", "severity": "mild"}]}},
    ]}),
    OpenApiExample("The answer", response_only=True, status_codes=["200"], value={
        "received_at": "2026-11-21T03:00:01+00:00", "counts": {"stored": 2},
        "items": [
            {"index": 0, "id": "s-1", "kind": "session_started", "result": "stored", "status": 200},
            {"index": 1, "id": "m-1", "kind": "message", "result": "stored", "status": 200,
             "record": "019aa3c5-7c80-7000-8000-000000000001"},
        ],
    }),
]  # fmt: skip
PATIENT_EXAMPLE = OpenApiExample("A new patient", request_only=True, value={
    "language": "sw", "timezone": "Africa/Nairobi", "given_name": "Asha",
    "consents": [{"consent_type": "treatment", "granted": True}, {"consent_type": "voice_processing",
    "granted": True}],
    "contacts": [{"name": "Juma", "relationship": "brother", "phone": "+254 700 000 000"}],
})  # fmt: skip

SUPPORT_ANSWER = object_of("Where the person's call stands.", ("support",), support=ref("Support"))
PRESS_ANSWER = object_of(
    "The button was taken.", ("result", "support"), result={"type": "string", "enum": ["taken"]},
    support=ref("Support"),
)  # fmt: skip
PATIENT_ANSWER = object_of(
    "The pseudonym under which the patient's items are sent.", ("patient",),
    patient=TEXT, registered_at=TIME, consents={"type": "array", "items": TEXT},
    consents_refused={
        "type": "array", "description": "A child's grants that no guardian gave; they were not recorded.",
        "items": {"type": "object", "properties": {"consent_type": TEXT, "reason": TEXT}},
    },
)  # fmt: skip
TOKEN_ASK = object_of(
    "How long the token should work.", minutes={"type": "integer", "minimum": 1, "maximum": 60}
)
TOKEN_ANSWER = object_of(
    "A token for the patient's own device.", ("token", "expires_at"), token=TEXT, expires_at=TIME
)

INTAKE_DOCS: dict[str, Any] = {
    "tags": ["Intake"], "parameters": [IDEMPOTENCY], "request": {"application/json": BATCH},
    "examples": EXAMPLES,
    "responses": {200: ref("BatchAnswer"), 429: ref("BatchAnswer"), 503: ref("BatchAnswer"),
                  **refusals(400, 401, 403, 409, 413, 415, 422)},
}  # fmt: skip
PRESS_DOCS: dict[str, Any] = {
    "tags": ["SOS"], "request": {"application/json": PRESS},
    "responses": {200: PRESS_ANSWER, **refusals(401, 422)},
}  # fmt: skip
