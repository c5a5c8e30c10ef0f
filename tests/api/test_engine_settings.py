"""Rules and versions of the lexicon by organization: off, in shadow, live, and who may say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from cortex.audit import InputRefused, NotFound, RuleBroken, system
from cortex.audit.models import AuditLog
from crisis.alerts.models import RiskAlert
from crisis.intake import actions as intake_actions
from crisis.policies.actions import agree_engine_state, refuse_engine_state, set_engine_state
from crisis.risk import lexicons
from crisis.risk.actions import evaluate_patients
from crisis.risk.lexicon import Lexicon, lexicon, packaged
from crisis.risk.models import EngineSetting, Evidence, RiskAssessment
from crisis.risk.policy import ENGINE_VERSION
from crisis.risk.screening import Screening
from patients.registry.models import Patient
from tests import makers
from tests.api.conftest import CALM, TIER_A, Api, issue_key, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db
GOODBYE = "Goodbye forever. I have no future"
NEW = "The green lamp is lit"


class Candidate(Lexicon):
    """The package's lexicon with one entry more; it can be made to fail."""

    is_broken = False

    def screen(self, text: str, *, turn: int | None = None, greeted: bool | None = None) -> Screening:
        if self.is_broken:
            raise ArithmeticError("broken")
        return super().screen(text, turn=turn, greeted=greeted)


@pytest.fixture(scope="module")
def compiled() -> Candidate:
    raw = packaged()
    entry = {"id": "en.b.lamp", "role": "tier", "tier": "B", "language": "en", "patterns": ["green lamp"]}
    return Candidate(raw | {"version": "9.9.9", "entries": [*raw["entries"], entry]})


@pytest.fixture
def candidate(compiled: Candidate) -> Iterator[Candidate]:
    compiled.is_broken = False
    lexicons.provide([lambda: compiled])
    yield compiled
    lexicons.provide(None)


def put(cast: Cast, subject: str, state: str, *, elsewhere: bool = False) -> EngineSetting:
    """Set it as an administrator, with a supervisor's word where one is needed."""
    house = cast.elsewhere if elsewhere else cast.home
    admin = makers.make_user("admin", house) if elsewhere else cast.ada
    reader = makers.make_user("supervisor", house) if elsewhere else cast.sam
    setting = set_engine_state(
        actor=makers.staff(admin), subject=subject, state=state, reason="To see what it adds."
    )
    if setting.is_waiting:
        setting = agree_engine_state(actor=makers.staff(reader), enginesetting_id=setting.pk)
    makers.scope_all()
    return setting


def told(patient: Patient) -> dict[str, str]:
    rows = Evidence.objects.filter(patient=patient)
    return dict(rows.values_list("code", "domain"))


def about_words() -> RiskAlert:
    """The one alert about somebody's words; that nobody is on shift is another."""
    return RiskAlert.objects.get(kind="self_harm")


def newest(patient: Patient) -> RiskAssessment:
    return RiskAssessment.objects.filter(patient=patient).latest("computed_at")


# Rules


def test_a_rule_in_shadow_pages_nobody_here_and_still_does_elsewhere(api: Api, cast: Cast) -> None:
    put(cast, "rule:H14", "shadow")
    there = Api(f"Api-Key {issue_key(cast.elsewhere)[1]}")
    for app, person in ((api, cast.patient), (there, cast.stranger)):
        assert results(app.send(message(person, GOODBYE, language="en"))) == ["stored"]
    here = newest(cast.patient)
    assert (here.level, here.rule_states) == ("medium", {"H14": "shadow"})
    assert not RiskAlert.objects.filter(patient=cast.patient).exists()
    row = Evidence.objects.get(patient=cast.patient, code="RULE_H14_SHADOW")
    assert (row.domain, row.tier, row.lexicon_version) == ("context", "high", here.engine_version)
    assert row.source_id in Evidence.objects.filter(code="TEXT_V").values_list("source_id", flat=True)
    foreign = newest(cast.stranger)
    assert (foreign.level, foreign.rule_states) == ("high", {})
    assert RiskAlert.objects.get(patient=cast.stranger).rules_fired == ["H14"]
    assert "RULE_H14_SHADOW" not in told(cast.stranger)


def test_a_rule_in_shadow_is_told_once_for_each_piece_of_evidence(api: Api, cast: Cast) -> None:
    put(cast, "rule:H14", "shadow")
    api.send(message(cast.patient, GOODBYE, language="en"))
    api.send(message(cast.patient, "I wish I was dead", language="en", sent_at=makers.now().isoformat()))
    evaluate_patients(actor=system("test"), patient_ids=[cast.patient.pk])
    makers.scope_all()
    assert RiskAssessment.objects.filter(patient=cast.patient).count() == 3
    assert Evidence.objects.filter(code="RULE_H14_SHADOW").count() == 2


def test_an_off_rule_writes_nothing_and_a_live_one_counts_again(api: Api, cast: Cast) -> None:
    put(cast, "rule:H14", "off")
    api.send(message(cast.patient, GOODBYE, language="en"))
    assert newest(cast.patient).level == "medium"
    assert not Evidence.objects.filter(code__startswith="RULE_").exists()
    put(cast, "rule:H14", "live")
    api.send(message(cast.patient, GOODBYE, language="en"))
    assert (newest(cast.patient).level, newest(cast.patient).rule_states) == ("high", {})


@pytest.mark.parametrize(
    "subject", ["rule:H1", "rule:H11", "rule:H13", "rule:H99", "tier:A", "", "lexicon:1"]
)
def test_what_has_no_switch_can_not_be_set(cast: Cast, subject: str) -> None:
    for state in ("off", "shadow", "live"):
        with pytest.raises(InputRefused, match="no switch"):
            set_engine_state(actor=makers.staff(cast.ada), subject=subject, state=state, reason="Loud.")
    with pytest.raises(InputRefused, match="no switch"):
        name = f"lexicon:{lexicon().version}"
        set_engine_state(actor=makers.staff(cast.ada), subject=name, state="off", reason="Loud.")


def test_a_row_that_somehow_rests_a_fixed_rule_rests_nothing(api: Api, cast: Cast) -> None:
    EngineSetting.objects.create(
        organization=cast.home, kind="rule", name="H1", state="off", reason="By hand.",
        asked_at=makers.now(), in_force_at=makers.now(),
    )  # fmt: skip
    api.send(message(cast.patient, TIER_A, language="en"))
    assert about_words().rules_fired[:1] == ["H1"]


# Who decides


def test_a_live_rule_rests_only_when_a_second_reader_agreed(cast: Cast) -> None:
    ada, sam = makers.staff(cast.ada), makers.staff(cast.sam)
    asked = set_engine_state(actor=ada, subject="rule:H12", state="off", reason="Voices are noisy here.")
    assert asked.is_waiting
    with pytest.raises(RuleBroken, match="asked about this already"):
        set_engine_state(actor=ada, subject="rule:H12", state="shadow", reason="Rather so.")
    for stranger in (cast.ada, cast.cleo):
        with pytest.raises((NotFound, RuleBroken)):
            agree_engine_state(actor=makers.staff(stranger), enginesetting_id=asked.pk)
    other = makers.make_user("supervisor", cast.elsewhere)
    with pytest.raises(NotFound):
        agree_engine_state(actor=makers.staff(other), enginesetting_id=asked.pk)
    done = agree_engine_state(actor=sam, enginesetting_id=asked.pk)
    assert (done.agreed, done.decided_by, done.is_waiting) == (True, cast.sam, False)
    with pytest.raises(RuleBroken, match="decided already"):
        refuse_engine_state(actor=sam, enginesetting_id=asked.pk)
    trail = AuditLog.objects.filter(event_type__startswith="engine.").order_by("occurred_at")
    assert [(row.event_type, row.actor_id) for row in trail] == [
        ("engine.change_asked", cast.ada.pk), ("engine.state_set", cast.sam.pk),
    ]  # fmt: skip
    assert trail[1].codes == {"subject": "rule:H12", "state": "off", "before": "live"}
    back = set_engine_state(actor=ada, subject="rule:H12", state="live", reason="It missed somebody.")
    assert not back.is_waiting  # the way back needs nobody


def test_nobody_reads_their_own_question_and_a_refusal_leaves_everything_as_it_is(
    api: Api, cast: Cast
) -> None:
    asked = set_engine_state(actor=makers.staff(cast.sam), subject="rule:H14", state="off", reason="Loud.")
    with pytest.raises(RuleBroken, match="Somebody else"):
        agree_engine_state(actor=makers.staff(cast.sam), enginesetting_id=asked.pk)
    second = makers.make_user("supervisor", cast.home)
    refuse_engine_state(actor=makers.staff(second), enginesetting_id=asked.pk)
    api.send(message(cast.patient, GOODBYE, language="en"))
    assert newest(cast.patient).level == "high"
    with pytest.raises(InputRefused, match="so already"):
        set_engine_state(actor=makers.staff(cast.ada), subject="rule:H14", state="live", reason="Sure.")
    with pytest.raises(InputRefused, match="Say why"):
        set_engine_state(actor=makers.staff(cast.ada), subject="rule:H14", state="off", reason=" ")


# Lexicons


def test_a_version_in_shadow_is_read_beside_the_live_one_and_decides_nothing(
    api: Api, cast: Cast, candidate: Candidate
) -> None:
    api.send(message(cast.patient, NEW, language="en"))
    assert told(cast.patient) == {}
    assert not put(cast, f"lexicon:{candidate.version}", "shadow").is_waiting
    assert results(api.send(message(cast.patient, NEW, language="en"))) == ["stored"]
    row = Evidence.objects.get(patient=cast.patient)
    assert (row.code, row.domain, row.lexicon_version, row.lexicon_entry) == (
        "TEXT_B_SHADOW", "context", candidate.version, "en.b.lamp",
    )  # fmt: skip
    assert RiskAssessment.objects.count() == 0
    api.send(message(cast.patient, TIER_A, language="en"))
    assert told(cast.patient)["TEXT_A"] == "text" and told(cast.patient)["TEXT_A_SHADOW"] == "context"
    assert newest(cast.patient).lexicon_version == lexicon().version
    assert about_words().level == "critical"


def test_a_version_in_shadow_that_fails_holds_up_no_message(
    api: Api, cast: Cast, candidate: Candidate
) -> None:
    put(cast, f"lexicon:{candidate.version}", "shadow")
    candidate.is_broken = True
    assert results(api.send(message(cast.patient, TIER_A, language="en"))) == ["stored"]
    assert about_words().level == "critical"
    assert not RiskAlert.objects.filter(kind="could_not_screen").exists()
    assert lexicons.check_lexicons().detail[f"{candidate.version} in shadow"] == "ArithmeticError"
    candidate.is_broken = False
    api.send(message(cast.patient, CALM, language="en"))
    assert lexicons.check_lexicons().state == "ok"


def test_a_version_goes_live_for_one_organization_with_a_second_reader_alone(
    api: Api, cast: Cast, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[Any] = []
    monkeypatch.setattr(intake_actions, "score_rows", lambda rows, *_: scored.extend(rows))
    there = Api(f"Api-Key {issue_key(cast.elsewhere)[1]}")
    name = f"lexicon:{candidate.version}"
    asked = set_engine_state(actor=makers.staff(cast.ada), subject=name, state="live", reason="Signed.")
    api.send(message(cast.patient, NEW, language="en"))
    assert told(cast.patient) == {}  # not yet
    agree_engine_state(actor=makers.staff(cast.sam), enginesetting_id=asked.pk)
    for app, person in ((api, cast.patient), (there, cast.stranger)):
        app.send(message(person, NEW, language="en"))
    assert newest(cast.patient).lexicon_version == candidate.version
    assert about_words().rules_fired == ["H11"]
    assert told(cast.stranger) == {}
    # The text model was trained beside the package's lexicon: it reads before, and elsewhere.
    assert [row.person for row in scored] == [cast.patient, cast.stranger]
    put(cast, name, "off")  # at once
    other = makers.make_patient(cast.home)
    api.send(message(other, NEW, language="en"), message(other, TIER_A, language="en"))
    assert newest(other).lexicon_version == lexicon().version
    assert set(told(other)) >= {"TEXT_A"} and "TEXT_B" not in told(other)


# The page


@pytest.fixture
def office() -> Any:
    return makers.client_of


def test_the_back_office_asks_and_a_supervisor_agrees(api: Api, cast: Cast, office: Any) -> None:
    ada, sam = office(cast.ada), office(cast.sam)
    add = reverse("admin:crisis_enginesetting_add")
    page = ada.get(add).content.decode()
    assert "Rule H14" in page and "Rule H12" in page and "Rule H1:" not in page
    sent = ada.post(add, {"subject": "rule:H14", "state": "off", "reason": "Too loud."})
    assert sent.status_code == 302, sent.content[:2000]
    makers.scope_all()
    row = EngineSetting.objects.get()
    assert row.is_waiting and row.asked_by == cast.ada
    refused = ada.post(add, {"subject": "rule:H1", "state": "off", "reason": "Too loud."})
    assert refused.status_code == 200 and "Select a valid choice" in refused.content.decode()
    rows = reverse("admin:crisis_enginesetting_changelist")
    assert "waits for a second reader" in sam.get(rows).content.decode()
    sam.post(rows, {"action": "agree", "_selected_action": [str(row.pk)]})
    makers.scope_all()
    row.refresh_from_db()
    assert (row.agreed, row.decided_by) == (True, cast.sam)
    assert "H14: Says goodbye, with words of despair (is off)" in sam.get("/calibration/").content.decode()
    assert sam.get(add).status_code == 403
    assert ada.post(rows, {"action": "agree", "_selected_action": [str(row.pk)]}).status_code in (302, 303)


def test_what_ran_in_shadow_stands_apart_on_the_supervisors_page(
    api: Api, cast: Cast, candidate: Candidate, office: Any
) -> None:
    put(cast, "rule:H14", "shadow")
    put(cast, f"lexicon:{candidate.version}", "shadow")
    api.send(message(cast.patient, GOODBYE, language="en"), message(cast.patient, NEW, language="en"))
    report = office(cast.sam).get("/calibration/").context["report"]
    found = {(one.code, one.version): one.readings for one in report.shadows}
    assert found["RULE_H14_SHADOW", ENGINE_VERSION] == 1
    assert found["TEXT_B_SHADOW", candidate.version] == 1
    assert report.everything.alerts == 0
