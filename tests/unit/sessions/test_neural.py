"""Neural audio: what forbids it blocks it, proposals come of feedback, and a clinician alone applies them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from clinical.sessions.neural import actions
from clinical.sessions.neural.contraindications import QUESTIONS
from clinical.sessions.neural.tasks import propose_from_feedback
from cortex.audit import InputRefused, NotFound, RuleBroken
from crisis.risk.actions import append_evidence
from crisis.risk.evidence import Origin, from_factor
from patients.sessions.models import Session
from patients.sessions.neural import NeuralAudioDetail, NeuralProfile, NeuralProfileProposal
from patients.sessions.records import Batch, FeedbackData
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.audit.test_trail import superuser
from tests.unit.sessions.test_running import client_of

pytestmark = pytest.mark.django_db
NO = dict.fromkeys(QUESTIONS, "no")


def check(cast: Cast, **answers: str) -> NeuralProfile:
    profile = actions.check_contraindications(
        actor=staff(cast.alice), patient_id=cast.patient.pk, answers=NO | answers
    )
    makers.scope_all()
    return profile


def assign(cast: Cast, band: str = "alpha") -> NeuralProfile:
    try:
        return actions.assign_band(actor=staff(cast.alice), patient_id=cast.patient.pk, band=band)
    finally:
        makers.scope_all()


def heard(
    cast: Cast, effectiveness: int | None = None, *, hz: float = 10.0, effect: Any = None, days: int = 0
) -> None:
    at = makers.now() - timedelta(days=days)
    session = makers.make_session(cast.patient, kind="neural_audio", received_at=at)
    NeuralAudioDetail.objects.create(
        session=session, organization=cast.home, patient=cast.patient, target_frequency_hz=hz, received_at=at
    )
    data = FeedbackData(
        cast.patient.pk, cast.home.pk, makers.now(), session_id=session.pk, given_at=at,
        effectiveness_raw=effectiveness, physical_effects=effect,
    )  # fmt: skip
    makers.store(
        actor=makers.machine(cast.home), patient=cast.patient, sessions=[], batch=Batch(feedback=[data])
    )
    makers.scope_all()


def test_an_assignment_needs_a_check_first_and_answers_that_forbid_nothing(cast: Cast) -> None:
    with pytest.raises(RuleBroken, match="Ask what forbids it first"):
        assign(cast)
    check(cast, pregnancy="unknown")
    with pytest.raises(RuleBroken, match=r"Pregnancy: not known\. Ask first"):
        assign(cast)
    check(cast)
    assert assign(cast).assigned_band == "alpha"


@pytest.mark.parametrize("key", list(QUESTIONS))
def test_an_answer_that_forbids_it_ends_an_assignment_at_once(cast: Cast, key: str) -> None:
    check(cast)
    assign(cast)
    assert check(cast, **{key: "yes"}).assigned_band == ""
    with pytest.raises(RuleBroken) as refused:
        assign(cast)
    assert QUESTIONS[key] in refused.value.message


def test_psychosis_on_record_as_a_factor_blocks_whatever_was_answered(cast: Cast) -> None:
    check(cast)
    origin = Origin("clinician", makers.now())
    append_evidence(
        actor=makers.machine(cast.home), drafts={cast.patient.pk: [from_factor("RF_DX_PSYCHOSIS", origin)]}
    )
    makers.scope_all()
    with pytest.raises(RuleBroken, match="on record as a risk factor"):
        assign(cast)


def test_the_database_refuses_an_assignment_without_a_check_and_bounds_out_of_order(cast: Cast) -> None:
    for wrong in (
        {"assigned_band": "alpha"}, {"alpha_min_hz": 9.0, "alpha_max_hz": 8.0}, {"volume_level": 101},
        {"alpha_min_hz": 9.0}, {"paused_bands": ["beta"]}, {"sensitivity_level": 0},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            NeuralProfile.objects.create(organization=cast.home, patient=cast.patient, **wrong)


def test_bounds_outside_of_the_usual_are_taken_with_a_warning(cast: Cast) -> None:
    who = {"actor": staff(cast.alice), "patient_id": cast.patient.pk}
    actions.set_profile(**who, values={"alpha_min_hz": 7.0, "alpha_max_hz": 12.0, "preferred_hz": 20.0})
    page = client_of(cast.alice).get(reverse("clinical:neural", args=[cast.patient.pk])).content.decode()
    assert "Alpha is set to 7-12 Hz; usual is 8-13 Hz." in page
    assert "The preferred 20 Hz lies in no band." in page
    with pytest.raises(InputRefused, match="lower bound"):
        actions.set_profile(**who, values={"alpha_min_hz": 12.0, "alpha_max_hz": 7.0})
    with pytest.raises(InputRefused, match="both bounds"):
        actions.set_profile(**who, values={"alpha_min_hz": 12.0})


def test_three_helpful_sessions_propose_the_centre_once_and_accepting_applies_it(cast: Cast) -> None:
    for days in range(3):
        heard(cast, 9, days=days)
    assert propose_from_feedback() == 1
    assert propose_from_feedback() == 0
    makers.scope_all()
    (row,) = NeuralProfileProposal.objects.all()
    assert (row.field, row.band, row.to_value, row.evidence_n, row.status) == (
        "preferred_hz",
        "alpha",
        10.5,
        3,
        "open",
    )
    client = client_of(cast.alice)
    page = client.get(reverse("clinical:neural", args=[cast.patient.pk])).content.decode()
    assert "Preferred frequency" in page
    assert "3 sessions, the newest" in page and "A fixed rule, no machine" in page
    to = reverse("clinical:neural_decide", args=[cast.patient.pk, row.pk])
    assert client.post(to, {"decision": "accept"}).status_code == 303
    makers.scope_all()
    assert NeuralProfile.objects.get().preferred_hz == 10.5
    assert client.post(to, {"decision": "refuse"}).status_code == 409


def test_a_side_effect_pauses_the_band_when_accepted_and_a_refusal_is_not_asked_again(cast: Cast) -> None:
    check(cast)
    assign(cast)
    heard(cast, 9, effect={"headache": "moderate"})
    assert propose_from_feedback() == 3
    makers.scope_all()
    for row in NeuralProfileProposal.objects.all():
        actions.decide_proposal(
            actor=staff(cast.alice), patient_id=cast.patient.pk, proposal_id=row.pk,
            accept=row.field != "volume_level",
        )  # fmt: skip
        makers.scope_all()
    profile = NeuralProfile.objects.get()
    assert (profile.paused_bands, profile.assigned_band) == (["alpha"], "")
    assert (profile.volume_level, profile.sensitivity_level) == (50, 4)
    assert propose_from_feedback() == 0
    makers.scope_all()
    with pytest.raises(RuleBroken, match="paused"):
        assign(cast)


def test_a_decision_that_leaves_no_row_is_none_and_says_so(cast: Cast) -> None:
    """A button alone has no form that could come back: the page of a store that is away stands instead."""
    for days in range(3):
        heard(cast, 9, days=days)
    assert propose_from_feedback() == 1
    makers.scope_all()
    row = NeuralProfileProposal.objects.get()
    to = reverse("clinical:neural_decide", args=[cast.patient.pk, row.pk])
    with superuser() as cursor:
        cursor.execute("ALTER TABLE audit_auditlog ADD CONSTRAINT broken CHECK (id IS NULL) NOT VALID")
    answer = client_of(cast.alice).post(to, {"decision": "accept"})
    assert answer.status_code == 503 and answer["Retry-After"]
    makers.scope_all()
    assert NeuralProfileProposal.objects.get().status == "open"


def test_a_proposal_on_a_profile_that_changed_since_is_not_applied(cast: Cast) -> None:
    heard(cast, None, effect={"headache": "severe"})
    propose_from_feedback()
    makers.scope_all()
    actions.set_profile(actor=staff(cast.alice), patient_id=cast.patient.pk, values={"volume_level": 20})
    makers.scope_all()
    row = NeuralProfileProposal.objects.get(field="volume_level")
    with pytest.raises(RuleBroken, match="changed since"):
        actions.decide_proposal(
            actor=staff(cast.alice), patient_id=cast.patient.pk, proposal_id=row.pk, accept=True
        )


def test_only_who_treats_decides_and_counselors_only_read(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.cleo, role="counselor")
    url = reverse("clinical:neural", args=[cast.patient.pk])
    client = client_of(cast.cleo)
    page = client.get(url).content.decode()
    assert "can&#x27;t be assigned" in page or "can't be assigned" in page
    assert "Save the answers" not in page
    assert client.post(f"{url}check/", NO).status_code == 403
    with pytest.raises(NotFound):
        actions.check_contraindications(actor=staff(cast.bob), patient_id=cast.patient.pk, answers=NO)


def test_the_page_s_forms_give_refused_words_back(cast: Cast) -> None:
    client, url = client_of(cast.alice), reverse("clinical:neural", args=[cast.patient.pk])
    assert client.post(f"{url}check/", NO).status_code == 303
    assert client.post(f"{url}assign/", {"band": "theta"}).status_code == 303
    assert "Theta, since" in client.get(url).content.decode()
    assert client.post(f"{url}check/", NO | {"implanted_device": "yes"}).status_code == 303
    refused = client.post(f"{url}assign/", {"band": "theta"})
    assert refused.status_code == 409
    assert "Implanted electronic device." in refused.content.decode()
    assert client.post(f"{url}profile/", {"volume_level": "200", "sensitivity_level": "5"}).status_code == 422
    good = {"volume_level": "30", "sensitivity_level": "5", "alpha_min_hz": "8.5", "alpha_max_hz": "12"}
    assert client.post(f"{url}profile/", good).status_code == 303
    assert client.post(f"{url}end/").status_code == 303


def test_a_proposal_whose_session_a_label_shuts_is_counted_and_decided_by_nobody_whom_it_shuts(
    cast: Cast,
) -> None:
    at = makers.now()
    heard = makers.make_session(cast.patient, kind="neural_audio")
    Session.objects.filter(pk=heard.pk).update(sensitivity_labels=["V"], started_at=at - timedelta(days=1))
    rows = [
        NeuralProfileProposal.objects.create(
            organization=cast.home, patient=cast.patient, field=field, band="alpha",
            reason_code="side_effect", evidence_n=1, newest_at=at - timedelta(days=1), status=status,
            decided_at=decided, decided_by=cast.alice if decided else None,
        )
        for field, status, decided in (("paused_bands", "open", None), ("preferred_hz", "refused", at))
    ]  # fmt: skip
    client = client_of(cast.alice)
    url = reverse("clinical:neural", args=[cast.patient.pk])
    page = client.get(url).content.decode()
    told = page.split('id="pr"')[1].split("</section>")[0]
    assert "<li" not in told and "Pause the band" not in told
    assert "2 proposals of this person are not shown to you" in page
    decide = reverse("clinical:neural_decide", args=[cast.patient.pk, rows[0].pk])
    assert client.post(decide, {"decision": "accept"}).status_code == 404
    makers.scope_all()
    Session.objects.filter(pk=heard.pk).update(sensitivity_labels=[])
    page = client.get(url).content.decode()
    assert "Pause the band" in page and "not shown to you" not in page
    assert client.post(decide, {"decision": "accept"}).status_code == 303
