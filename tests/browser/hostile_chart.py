"""A chart whose every word is hostile, by the real ways in, and the fields that hold any."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from clinical.assessments.actions import begin_assessment, finish_assessment, install_text
from clinical.assessments.definitions import packaged
from clinical.caseload.actions import keep_view
from clinical.caseload.filters import Filters
from clinical.documents.actions import DocumentData, mark_error, upload_document
from clinical.notes.actions import (
    begin_note,
    save_block,
    save_draft,
    sign_note,
)
from clinical.notes.addenda.actions import sign_addendum, write_addendum
from clinical.notes.models import PROCESS, NoteType
from clinical.notes.wording import names_of
from clinical.plans.actions import begin_plan, change_plan, decide_approval, sign_plan
from clinical.plans.allergies.actions import save_allergy
from clinical.plans.diagnoses.actions import add_diagnosis
from clinical.plans.goals.actions import record_progress, save_goal
from clinical.plans.interventions.actions import save_intervention
from clinical.plans.medications.actions import save_medication
from clinical.plans.reviews.actions import hold_review
from clinical.scheduling.actions import book_appointment, note_held
from clinical.scheduling.billing.actions import add_code, bill_appointment
from clinical.sessions.actions import assess_risk, end_session, log_entry, start_session
from clinical.timeline.actions import pin_entry, review_finding
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.audit import SYSTEM
from cortex.audit.actors import Actor
from cortex.ids import uuid7
from cortex.signs import holds_unseen
from crisis.exceptions.actions import open_contacts
from crisis.ownership.actions import claim_alert
from crisis.reviews.models import ReviewItem
from crisis.risk.models import RiskAssessment
from patients.breakglass.actions import break_glass, close_incident, review_break_glass
from patients.care.actions import add_to_care_team
from patients.pathway.actions import EndingData, ReferralData, decline_referral, end_care, make_referral
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact
from patients.sessions.models import Session
from tests import makers
from tests.api.conftest import Api, issue_key, item, message
from tests.browser.hostile import CORPUS, Pen, _person, _raised, _safety_plan
from tests.cast import Cast
from tests.walk.plans import ALLERGY, MEDICINE
from tests.walk.sessions import plant_sessions

# Text columns of the floor in which nobody's words can stand, and why; everything else must be planted.
CODES = "a code, chosen from a list or given by the machine"
PACKAGE = "ships with the package, loaded by migrations alone"
COPIED = "a copy of words that stand hostile in the row it was taken from"
NOT_TYPED = {
    "Instrument.key": PACKAGE, "Instrument.version": PACKAGE, "Instrument.title": PACKAGE,
    "Instrument.definition": PACKAGE, "Instrument.licence": PACKAGE, "Instrument.credit": PACKAGE,
    "InstrumentText.language": CODES, "AssessmentDraft.language": CODES, "AssessmentDraft.items": CODES,
    "Assessment.language": CODES, "Assessment.items": CODES, "Assessment.band": CODES,
    "Assessment.flags": CODES, "Assessment.scored_by_version": CODES, "MeasurePlan.key": CODES,
    "MeasureChase.key": CODES, "CaseView.filters": CODES, "Document.language": CODES,
    "NoteVersion.sections": COPIED, "PsychotherapyNoteVersion.sections": COPIED,
    "PlanVersion.content": COPIED,
    "Note.level_at_signing": CODES, "TreatmentPlan.risk_level": CODES,
    "Goal.concerns": CODES, "PlanReview.pace": CODES, "PlanReview.goals": CODES, "PlanReview.measures": CODES,
    "PlanReview.risk_level": CODES, "Diagnosis.code_system": CODES, "Diagnosis.code": CODES,
    "Diagnosis.title": "the title of a code of the table", "DiagnosisFavourite.code": CODES,
    "Medication.code_system": CODES, "Medication.code": "letters and digits alone",
    "Medication.unit": CODES, "Medication.route": CODES, "CalendarPreference.timezone": CODES,
    "TimelinePin.source": CODES, "FindingReview.code": CODES, "FindingReview.said_by": CODES,
    "BillingCode.requires": "codes of other lines", "BillingCode.jurisdiction": CODES,
    "BillingLine.code": COPIED, "BillingLine.own_label": COPIED, "BillingLine.currency": COPIED,
    "BillingLine.warnings": CODES,
}  # fmt: skip
# Words that are kept and stand on no page.
STORED_ALONE = {
    "Referral.decision_note": "the answer's reason is a code; its note is read in no page yet",
    "InstrumentText.source": "says whose file it was; read in the back office alone",
    "BillingCode.currency": "three signs hold no more than the beginning of a mark",
}


def text_fields() -> set[str]:
    """Return every column of the clinical floor in which text can stand, as Model.column."""
    return {
        f"{model.__name__}.{one.name}"
        for model in apps.get_app_config("clinical").get_models() for one in model._meta.concrete_fields
        if _holds_text(one) and one.name not in ("sensitivity_labels", "legacy_ids")
    }  # fmt: skip


def _holds_text(one: Any) -> bool:
    if isinstance(one, ArrayField):
        return _holds_text(one.base_field)
    is_text = isinstance(one, models.CharField | models.TextField | models.JSONField)
    return is_text and not one.choices and not one.primary_key


@dataclass
class Written:
    """The chart's person, ids of what stands in it, more pages, those of others, sessions with words."""

    patient: Patient
    ids: dict[str, str] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)
    supervisor: list[str] = field(default_factory=list)
    compliance: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def words(pen: Pen, place: str, room: int) -> str:
    """Return the whole corpus where it fits, else one payload."""
    return pen.prose(place) if room > len(CORPUS) + 8 else pen.line(place, room)


def write(people: Cast, pen: Pen, judge: User) -> Written:
    """Write a chart of Alice's; `judge` is who judges opened charts."""
    app = Api(f"Api-Key {issue_key(people.home)[1]}")
    people.on_duty()
    patient, other = _person(_raised(people, app, pen)), _raised(people, app, pen)
    for user, role in ((people.alice, "primary_therapist"), (people.sam, "supervisor")):
        makers.add_to_team(patient, user, role=role)
    alice = makers.staff(people.alice)
    called = EmergencyContact.objects.get(patient=patient)
    found = Written(patient, {"patient_id": str(patient.pk), "contact_id": str(called.pk)})
    _measures(alice, pen, found)
    _notes(alice, pen, found)
    _plan(people, pen, found)
    _document(alice, pen, found)
    _hours(people, alice, pen, found)
    _sessions(people, app, pen, found)
    _marks(alice, pen, found)
    _safety_plan(alice, pen, patient)
    makers.scope_all()
    _ways(people, alice, pen, found)
    _openings(people, pen, found, other, judge)
    makers.scope_all()
    return found


def _measures(alice: Actor, pen: Pen, found: Written) -> None:
    """Answers of a questionnaire whose operator loaded a hostile wording."""
    gad7 = packaged()["gad7"]
    install_text(
        actor=SYSTEM, key="gad7", version=gad7.version, language="en",
        texts={
            "stem": pen.prose("InstrumentText.texts of the stem"),
            "items": {one.key: pen.line("InstrumentText.texts of a question") for one in gad7.items},
            "answers": {
                str(one.value): pen.line("InstrumentText.texts of an answer") for one in gad7.answers
            },
            "item_answers": {},
        },
        source=pen.line("InstrumentText.source", 240), notice=pen.prose("InstrumentText.notice"),
    )  # fmt: skip
    calm: dict[str, int | None] = {one.key: 0 for one in gad7.items}
    one, _ = finish_assessment(actor=alice, patient_id=found.patient.pk, key="gad7", answers=calm)
    begin_assessment(actor=alice, patient_id=found.patient.pk, key="gad7")
    found.ids |= {"assessment_id": str(one.pk), "key": "gad7"}


def _notes(alice: Actor, pen: Pen, found: Written) -> None:
    """A signed note of each type with addenda, a process note, and a draft that two pages wrote in."""
    who: dict[str, Any] = {"actor": alice, "patient_id": found.patient.pk}
    day = makers.now().date() + timedelta(days=7)

    def save(row: Any, version: int) -> Any:
        kind = getattr(row, "note_type", PROCESS)
        name = type(row).__name__
        return save_draft(
            **who, note_id=row.pk, version=version, spell=uuid7(), number=1, follow_up_on=day,
            sections={one: pen.prose(f"{name}.{one}") for one in names_of(kind)},
        ).note  # fmt: skip

    for kind in (*NoteType.values, PROCESS):
        row = save(begin_note(**who, note_type=kind), 1)
        signed = sign_note(**who, note_id=row.pk, version=row.version)
        table = f"{type(row).__name__}Addendum.text"
        kept = write_addendum(**who, note_id=row.pk, text=pen.prose(f"{table} signed"))
        sign_addendum(**who, note_id=row.pk, version=kept.addendum.version)
        write_addendum(**who, note_id=row.pk, text=pen.prose(f"{table} as a draft"))
        found.more.append(f"/charts/{found.patient.pk}/notes/{signed.pk}/")
    found.ids["note_id"] = str(signed.pk)
    draft = save(begin_note(**who, note_type=NoteType.SOAP), 1)
    again = save(draft, draft.version)
    found.ids["draft_id"] = str(again.pk)
    save_block(
        actor=alice, title=pen.line("TextBlock.title", 60), note_type="",
        sections={"text": pen.prose("TextBlock.sections of a phrase")},
    )  # fmt: skip
    save_block(
        actor=alice, title=pen.line("TextBlock.title", 60), note_type=NoteType.SOAP,
        sections={"plan": pen.prose("TextBlock.sections of a template")},
    )  # fmt: skip


def _plan(people: Cast, pen: Pen, found: Written) -> None:
    """A plan in force, gone through, changed, and given back by the supervisor; diagnosis and medication."""
    alice, who, today = makers.staff(people.alice), found.patient.pk, makers.now().date()
    own: dict[str, Any] = {"actor": alice, "patient_id": who}
    span = {"start": today, "target_end": today + timedelta(days=60)}

    def said() -> dict[str, str]:
        return {"presenting_problem": words(pen, "TreatmentPlan.presenting_problem", 4000),
                "formulation": words(pen, "TreatmentPlan.formulation", 8000)}  # fmt: skip

    def smart(**more: Any) -> dict[str, Any]:
        return {"specific": pen.line("Goal.specific", 1000), "concerns": ["sleep"], "weight": 2,
                "achievable_note": pen.line("Goal.achievable_note", 1000), "due_date": span["target_end"],
                **more}  # fmt: skip

    plan = begin_plan(**own, **span, **said())
    metric = pen.line("Goal.metric", 60)
    walks = save_goal(**own, fields=smart(measure_type="frequency", metric=metric, target=5.0, window_days=7))
    save_goal(**own, fields=smart(measure_type="milestone"), steps=[(pen.line("GoalProgress.title", 200), 1)])
    record_progress(
        **own, goal_id=walks.pk, value=1, observed_on=today, note=pen.line("GoalProgress.note", 1000)
    )
    done = save_intervention(
        **own, code="CBT", frequency="weekly", evidence_level="A",
        note=pen.line("PlannedIntervention.note", 1000),
    )  # fmt: skip
    ill = add_diagnosis(**own, code="F33.1", status="confirmed", note=pen.line("Diagnosis.note", 2000))
    rooms = {
        "name": 160,
        "dose": 40,
        "frequency": 80,
        "prescriber": 160,
        "indication": 200,
        "side_effects": 2000,
    }
    taken = save_medication(
        **own, fields=MEDICINE | {name: pen.line(f"Medication.{name}", room) for name, room in rooms.items()}
    )
    bad_for = save_allergy(
        **own, fields=ALLERGY | {"substance": _seen(pen, "Allergy.substance", 160),
                                 "reaction": pen.line("Allergy.reaction", 2000)},
    )  # fmt: skip
    sign_plan(**own, patient_agreed=True)
    hold_review(
        **own, patient_view=words(pen, "PlanReview.patient_view", 4000), decision="continue",
        summary=words(pen, "PlanReview.summary", 4000),
    )  # fmt: skip
    people.home.settings = people.home.settings | {"plans_need_approval": True}
    people.home.save()
    change_plan(**own, **span, **said())
    waits = sign_plan(**own, patient_agreed=True)
    decide_approval(
        actor=makers.staff(people.sam), patient_id=who, version=waits.version, approved=False,
        note=pen.line("PlanApproval.note", 2000),
    )  # fmt: skip
    found.ids |= {
        "plan_id": str(plan.pk), "version": "1", "goal_id": str(walks.pk), "intervention_id": str(done.pk),
        "diagnosis_id": str(ill.pk), "medication_id": str(taken.pk), "allergy_id": str(bad_for.pk),
    }  # fmt: skip


def _seen(pen: Pen, place: str, room: int) -> str:
    """Return a line in which everything is seen."""
    line = pen.line(place, room)
    while holds_unseen(line):
        line = pen.line(place, room)
    return line


def _document(alice: Actor, pen: Pen, found: Written) -> None:
    """A document with a title in which everything is seen, as its form asks; entered in error."""
    title = _seen(pen, "Document.title", 200)
    row = upload_document(
        actor=alice, patient_id=found.patient.pk, upload_id=uuid7(), content=b"They came every week.",
        data=DocumentData(kind="report", title=title),
    )  # fmt: skip
    mark_error(
        actor=alice, patient_id=found.patient.pk, document_id=row.pk,
        reason=pen.line("Document.error_reason", 1000),
    )  # fmt: skip
    found.ids["document_id"] = str(row.pk)


def _hours(people: Cast, alice: Actor, pen: Pen, found: Written) -> None:
    """An appointment that was held, and a line of it by a code of the house's own words."""
    at = makers.now() - timedelta(hours=2)
    (one,) = book_appointment(actor=alice, patient_id=found.patient.pk, starts=[at], minutes=50)
    book_appointment(actor=alice, patient_id=found.patient.pk, starts=[at + timedelta(days=2)], minutes=50)
    note_held(actor=alice, appointment_id=one.pk)
    code = add_code(
        actor=makers.staff(people.ada), code=pen.line("BillingCode.code", 16), system="own",
        own_label=pen.line("BillingCode.own_label", 80), service="psychotherapy", active_from="2020-01-01",
        jurisdiction=people.home.jurisdiction, currency=pen.line("BillingCode.currency", 3),
    )  # fmt: skip
    bill_appointment(actor=alice, appointment_id=one.pk, code=code.code)
    found.ids["appointment_id"] = str(one.pk)


def _sessions(people: Cast, app: Api, pen: Pen, found: Written) -> None:
    """One run to its end and one under way, one by voice and one by chat with everything that apps send."""
    patient = found.patient
    said = message(patient, pen.prose("Message.content in a chat"), session="c")
    answer = app.send(
        item("session_started", patient, session="c", session_kind="chat"), said,
        item("tool_action", patient, session="c", tool_name="timer", status="failed",
             params={"x": pen.line("ToolAction.params in a chat")},
             error=pen.line("ToolAction.error in a chat")),
        item("rationale", patient, message=said["id"], citations=[pen.line("Rationale.citations in a chat")]),
    )  # fmt: skip
    assert {one["result"] for one in answer.json()["items"]} == {"stored"}, answer.content
    own: dict[str, Any] = {"actor": makers.staff(people.alice), "patient_id": patient.pk}
    over = start_session(**own, channel="video", beside=True)
    log_entry(**own, session_id=over.pk, kind="interaction", text=words(pen, "A session's entry", 4000))
    log_entry(
        **own, session_id=over.pk, kind="intervention", code="CBT", text=pen.line("A session's act", 400)
    )
    assess_risk(**own, session_id=over.pk, level="same", note=pen.line("A session's risk", 400), factors={})
    end_session(**own, session_id=over.pk)
    running = plant_sessions(people.alice, patient, pen.prose("A session's entry under way"))
    found.ids["session_id"] = running["session"]
    refs = list(
        Session.objects.filter(patient=patient, client_ref__in=("v", "c")).values_list("pk", flat=True)
    )
    found.more += [f"/charts/{patient.pk}/sessions/{one}/" for one in (*refs, over.pk)]
    found.told = [f"/charts/{patient.pk}/sessions/{one}/" for one in refs]


def _marks(alice: Actor, pen: Pen, found: Written) -> None:
    """A pin, a comment on what the engine found, and a kept view."""
    who = found.patient
    pin_entry(actor=alice, patient_id=who.pk, source="measure", item_id=UUID(found.ids["assessment_id"]))
    # The first evaluation: what says the same again is no entry of the timeline.
    level = RiskAssessment.objects.filter(patient_id=who.person_id).earliest("computed_at", "pk")
    for verdict in ("commented", "rejected"):
        review_finding(
            actor=alice, patient_id=who.pk, source="level", finding_id=level.pk, verdict=verdict,
            comment=pen.prose("FindingReview.comment"),
        )  # fmt: skip
    keep_view(actor=alice, name=pen.line("CaseView.name", 60), filters=Filters(view="need"))


def _ways(people: Cast, alice: Actor, pen: Pen, found: Written) -> None:
    """A referral that waits and one that was declined, a caregiver, and somebody whose care ended."""
    add_to_care_team(
        actor=makers.staff(people.ada), patient_id=found.patient.pk, role="caregiver",
        outside_name=pen.line("CareTeamMember.outside_name of a caregiver"),
    )  # fmt: skip
    gone = makers.make_patient(people.home, team=[people.alice], given_name=pen.line("A name on a caseload"))

    def refer(patient: Patient) -> Any:
        data = ReferralData(
            "colleague", "soon", pen.prose("Referral.reason"), pen.line("Referral.referrer", 160),
            asked_id=people.bob.pk,
        )  # fmt: skip
        return make_referral(actor=alice, patient=patient, data=data)

    waits, declined = refer(found.patient), refer(gone)
    decline_referral(
        actor=makers.staff(people.bob), referral_id=declined.pk, code="no_room",
        note=pen.prose("Referral.decision_note"),
    )  # fmt: skip
    end = EndingData(
        "other_service", pen.prose("CareEnding.summary"), pen.line("CareEnding.to_outside", 200), 7
    )
    end_care(actor=alice, patient=gone, data=end)
    new = makers.make_patient(people.home, team=[people.alice], given_name=pen.line("A name without a plan"))
    found.more += [f"/charts/{gone.pk}/people/", f"/charts/{new.pk}/plan/begin/"]
    found.supervisor += ["/ways/", f"/ways/referrals/{waits.pk}/"]


def _openings(people: Cast, pen: Pen, found: Written, alert: Any, judge: User) -> None:
    """A chart that was opened from outside, judged as an incident, and contacts opened without consent."""
    person = _person(alert)
    glass = break_glass(
        actor=makers.staff(people.bob), asked=person.anonymous_id, reason_code="imminent_risk",
        reason=pen.prose("PatientUserObjectPermission.reason of an opened chart"),
    )  # fmt: skip
    assert glass is not None and judge.role == Role.COMPLIANCE
    review_break_glass(
        actor=makers.staff(judge), glass_id=glass.pk, verdict="inappropriate",
        note=pen.prose("BreakGlassGrant.review_note"),
    )  # fmt: skip
    close_incident(
        actor=makers.staff(judge), glass_id=glass.pk, note=pen.prose("BreakGlassGrant.incident_note")
    )
    found.compliance += ["/break-glass/reviews/", f"/break-glass/reviews/{glass.pk}/"]
    makers.consent(person, "emergency_contact", granted=False)
    cleo = makers.staff(people.cleo)
    claim_alert(actor=cleo, alert_id=alert.pk)
    open_contacts(actor=cleo, alert_id=alert.pk, reason=pen.line("ContactException.reason", 2000))
    makers.scope_all()
    read = ReviewItem.objects.get(patient=person, reason_code="contacts_opened")
    found.supervisor += [f"/reviews/{read.pk}/", f"/alerts/{alert.pk}/"]
