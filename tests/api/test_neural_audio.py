"""How an app says a neural-audio session was set: kept sealed, shown, and heard by what proposes changes."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.sessions.neural import tasks
from clinical.sessions.neural.queries import people_with_news
from clinical.sessions.neural.tasks import propose_from_feedback
from cortex.audit import SYSTEM
from cortex.crypto.errors import KeyProviderError
from cortex.crypto.fields import Enc
from cortex.ops import bulk
from cortex.ops.letters.actions import set_letter_aside
from cortex.ops.letters.models import DeadLetter
from crisis.alerts.models import RiskAlert
from patients.sessions.models import Session, SessionFeedback
from patients.sessions.neural import NeuralAudioDetail, NeuralProfileProposal
from tests import makers
from tests.api.conftest import TIER_A, Api, ago, issue_key, item, message, results
from tests.api.test_people import token_for
from tests.cast import Cast
from tests.unit.ops.test_letters import spoil

pytestmark = pytest.mark.django_db
SET = {
    "base_frequency_hz": 14, "target_frequency_hz": 10.5, "volume_level": 50, "initial_state": "tense",
    "target_state": "calm",
}  # fmt: skip
HEADACHE = {"code": "headache", "severity": "moderate"}


def started(patient: Any, session: str = "n1", /, **values: Any) -> dict[str, Any]:
    given = {"session_kind": "neural_audio", "at": ago(minutes=30), "neural_audio": SET} | values
    return item("session_started", patient, session=session, **given)


def ended(patient: Any, session: str = "n1", /, **values: Any) -> dict[str, Any]:
    return item("session_ended", patient, session=session, **{"at": ago(minutes=10)} | values)


def rated(patient: Any, session: str = "n1", /, effectiveness: int = 9) -> dict[str, Any]:
    return item("feedback", patient, session=session, effectiveness=effectiveness, at=ago(minutes=9))


def detail(session: str = "n1") -> NeuralAudioDetail:
    return NeuralAudioDetail.objects.get(session__client_ref=session)


def kept(row: NeuralAudioDetail) -> tuple[Any, ...]:
    """What stands in a detail, its side effects opened."""
    return (
        row.base_frequency_hz, row.target_frequency_hz, row.volume_level, row.initial_state,
        row.target_state, makers.opened(row, "side_effects"),
    )  # fmt: skip


def refusals(answer: Any) -> list[tuple[Any, Any]]:
    return [(one.get("reason"), one.get("field")) for one in answer.json()["items"]]


def test_what_was_sent_is_sealed_where_it_says_how_somebody_was_and_stands_on_the_sessions_page(
    api: Api, cast: Cast, client: Any
) -> None:
    settings = {"volume_level": 40, "side_effects": [HEADACHE]}
    answer = api.send(started(cast.patient), ended(cast.patient, neural_audio=settings))
    assert results(answer) == ["stored", "stored"]
    row = detail()
    assert (row.patient, row.organization) == (cast.patient, cast.home)
    assert isinstance(row.__dict__["side_effects"], Enc)
    assert kept(row) == (14.0, 10.5, 40, "tense", "calm", [HEADACHE])
    client.force_login(cast.alice)
    page = client.get(reverse("clinical:session", args=[cast.patient.pk, row.pk])).content.decode()
    for shown in ("14.0 to 10.5 Hz", "<dd>40</dd>", "tense to calm", "headache, moderate"):
        assert shown in page
    client.force_login(cast.bob)
    assert client.get(reverse("clinical:session", args=[cast.patient.pk, row.pk])).status_code == 404


def test_three_sessions_that_helped_propose_the_centre_of_their_band(api: Api, cast: Cast) -> None:
    for number in range(3):
        name = f"n{number}"
        api.send(started(cast.patient, name), ended(cast.patient, name), rated(cast.patient, name))
    assert propose_from_feedback() == 1
    makers.scope_all()
    proposal = NeuralProfileProposal.objects.get()
    assert (proposal.patient, proposal.field, proposal.band) == (cast.patient, "preferred_hz", "alpha")
    assert (proposal.to_value, proposal.evidence_n) == (10.5, 3)


@pytest.mark.parametrize(("severity", "count"), [("mild", 0), ("moderate", 3)])
def test_a_side_effect_noted_in_the_session_proposes_without_any_feedback(
    api: Api, cast: Cast, severity: str, count: int
) -> None:
    effects = [{"code": "headache", "severity": severity}]
    api.send(started(cast.patient), ended(cast.patient, neural_audio={"side_effects": effects}))
    assert propose_from_feedback() == count
    makers.scope_all()
    reasons = {one.reason_code for one in NeuralProfileProposal.objects.all()}
    assert reasons == ({"side_effect"} if count else set())


def test_what_one_person_said_and_nobody_can_read_costs_no_other_their_proposal(api: Api, cast: Cast) -> None:
    effects = {"side_effects": [HEADACHE]}
    others = [cast.patient, makers.make_patient(cast.home), makers.make_patient(cast.home)]
    for number, who in enumerate(others):
        api.send(started(who, f"n{number}"), ended(who, f"n{number}", neural_audio=effects))
    spoilt = detail("n1")
    spoil("side_effects", NeuralAudioDetail._meta.db_table, "session_id", spoilt.pk)
    assert propose_from_feedback() == 6
    makers.scope_all()
    told = set(NeuralProfileProposal.objects.values_list("patient_id", flat=True))
    assert told == {others[0].pk, others[2].pk}
    letter = DeadLetter.objects.get()
    assert (letter.name, letter.row_id) == ("patients.NeuralAudioDetail.side_effects", spoilt.pk)
    assert letter.organization_id == cast.home.pk
    set_letter_aside(actor=SYSTEM, deadletter_id=letter.pk, reason="lost")
    propose_from_feedback()
    assert DeadLetter.objects.get().state == "set_aside"


def test_whose_key_cannot_be_had_now_is_looked_at_by_the_next_run(
    api: Api, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = makers.make_patient(cast.home)
    effects = {"side_effects": [HEADACHE]}
    for number, who in enumerate((cast.patient, other)):
        api.send(started(who, f"n{number}"), ended(who, f"n{number}", neural_audio=effects))
    real = tasks.propose_changes

    def choosy(*, actor: Any, patient_id: Any) -> int:
        if patient_id == cast.patient.pk:
            raise KeyProviderError("away")
        return real(actor=actor, patient_id=patient_id)

    monkeypatch.setattr(tasks, "propose_changes", choosy)
    with pytest.raises(KeyProviderError):
        propose_from_feedback()
    makers.scope_all()
    assert {one.patient_id for one in NeuralProfileProposal.objects.all()} == {other.pk}
    assert not DeadLetter.objects.exists()


def test_settings_that_come_after_the_feedback_are_news_and_settings_alone_are_none(
    api: Api, cast: Cast
) -> None:
    api.send(ended(cast.patient), rated(cast.patient))
    after = makers.now() + timedelta(microseconds=1)
    assert people_with_news(after) == []
    api.send(started(cast.patient, "n2"))
    assert people_with_news(after) == []
    api.send(started(cast.patient))
    assert people_with_news(after) == [cast.patient.pk]
    assert people_with_news(makers.now()) == []


BAD = [
    ({"loudness": 3}, "unknown_key", "/neural_audio/loudness"),
    ({"two words": 3}, "unknown_key", "/neural_audio/(unnamed)"),
    ({"volume_level": 101}, "out_of_range", "/neural_audio/volume_level"),
    ({"base_frequency_hz": -1}, "out_of_range", "/neural_audio/base_frequency_hz"),
    ({"target_frequency_hz": 1001}, "out_of_range", "/neural_audio/target_frequency_hz"),
    ({"target_frequency_hz": True}, "wrong_type", "/neural_audio/target_frequency_hz"),
    ({"initial_state": "very tense"}, "not_a_code", "/neural_audio/initial_state"),
    ({"target_state": "ca\x00lm"}, "not_a_code", "/neural_audio/target_state"),
    ({"side_effects": {"headache": "mild"}}, "wrong_type", "/neural_audio/side_effects"),
    ({"side_effects": [{"code": "headache"}]}, "missing", "/neural_audio/side_effects/0/severity"),
    ([SET], "wrong_type", "/neural_audio"),
    ("loud", "wrong_type", "/neural_audio"),
]


def test_each_bad_value_is_refused_alone_with_its_place_and_costs_no_other_item(api: Api, cast: Cast) -> None:
    bad = [started(cast.patient, f"bad{number}", neural_audio=one[0]) for number, one in enumerate(BAD)]
    answer = api.send(started(cast.patient), *bad, message(cast.patient, TIER_A), rated(cast.patient))
    assert answer.status_code == 200
    assert results(answer) == ["stored", *["rejected"] * len(BAD), "stored", "stored"]
    assert refusals(answer)[1:-2] == [(reason, place) for _, reason, place in BAD]
    assert [row.session.client_ref for row in NeuralAudioDetail.objects.all()] == ["n1"]
    assert not Session.objects.filter(client_ref__startswith="bad").exists()
    assert RiskAlert.objects.filter(kind="self_harm", patient=cast.patient).count() == 1
    mended = [{**one, "neural_audio": SET} for one in bad]
    assert results(api.send(*mended)) == ["stored"] * len(BAD)
    assert NeuralAudioDetail.objects.count() == len(BAD) + 1


def test_not_a_number_is_no_frequency(api: Api, cast: Cast) -> None:
    one = started(cast.patient, neural_audio={"base_frequency_hz": float("nan")})
    answer = api.send(one, message(cast.patient))
    assert answer.status_code == 400
    assert answer.json()["support"]["emergency_number"]
    assert not NeuralAudioDetail.objects.exists()


def test_words_in_the_place_of_a_setting_are_screened_although_they_are_refused(api: Api, cast: Cast) -> None:
    answer = api.send(started(cast.patient, neural_audio={"initial_state": TIER_A}))
    assert results(answer) == ["rejected"]
    assert "support" in answer.json()["items"][0]
    assert RiskAlert.objects.get(kind="self_harm").patient == cast.patient


@pytest.mark.parametrize("kind", ["chat", "self_guided", "voice_checkin"])
def test_a_session_of_another_kind_has_no_such_settings_at_its_start_nor_at_its_end(
    api: Api, cast: Cast, kind: str
) -> None:
    wrong = ("wrong_session_kind", "/neural_audio")
    answer = api.send(
        started(cast.patient, session_kind=kind),
        started(cast.patient, session_kind=kind, neural_audio=None),
        ended(cast.patient, neural_audio=SET),
    )
    assert results(answer) == ["rejected", "stored", "rejected"]
    assert [refusals(answer)[place] for place in (0, 2)] == [wrong, wrong]
    last = ended(cast.patient, neural_audio=SET)
    assert refusals(api.send(last)) == [wrong]
    session = Session.objects.get()
    assert (session.kind, session.status) == (kind, "in_progress")
    assert results(api.send({**last, "neural_audio": {}})) == ["stored"]
    session.refresh_from_db()
    assert (session.kind, session.status) == (kind, "completed")
    assert not NeuralAudioDetail.objects.exists()


@pytest.mark.parametrize("together", [True, False])
def test_the_same_is_kept_whatever_came_first(api: Api, cast: Cast, together: bool) -> None:
    effects = {"volume_level": 40, "target_state": "asleep", "side_effects": [HEADACHE]}
    sent = [
        started(cast.patient, neural_audio=SET | {"side_effects": []}),
        ended(cast.patient, neural_audio=effects),
        rated(cast.patient),
    ]
    for order in itertools.permutations(sent):
        with transaction.atomic():
            answers = [api.send(*order)] if together else [api.send(one) for one in order]
            assert [one for answer in answers for one in results(answer)] == ["stored"] * 3
            assert kept(detail()) == (14.0, 10.5, 40, "tense", "asleep", [HEADACHE])
            session = Session.objects.get()
            assert (session.kind, session.status) == ("neural_audio", "completed")
            transaction.set_rollback(True)
        makers.scope_all()


def test_an_end_without_its_start_makes_the_session_and_a_start_that_says_otherwise_has_the_last_word(
    api: Api, cast: Cast
) -> None:
    settings = {"target_frequency_hz": 10, "side_effects": [HEADACHE]}
    api.send(ended(cast.patient, neural_audio=settings))
    session = Session.objects.get()
    assert (session.kind, session.start_is_inferred) == ("neural_audio", True)
    assert propose_from_feedback() == 3
    makers.scope_all()
    assert results(api.send(started(cast.patient, session_kind="chat", neural_audio=None))) == ["stored"]
    session.refresh_from_db()
    assert session.kind == "chat"
    reader = makers.client_of(cast.alice)
    page = reader.get(reverse("clinical:session", args=[cast.patient.pk, session.pk])).content.decode()
    assert "Chat" in page and 'id="ne"' not in page
    makers.scope_all()
    later = ended(cast.patient, neural_audio=settings)
    assert refusals(api.send(later)) == [("wrong_session_kind", "/neural_audio")]


def test_what_is_sent_again_changes_nothing_and_other_words_under_its_id_are_refused(
    api: Api, cast: Cast
) -> None:
    batch = [started(cast.patient), ended(cast.patient, neural_audio={"side_effects": [HEADACHE]})]
    assert results(api.send(*batch)) == ["stored", "stored"]
    before = kept(detail())
    assert results(api.send(*batch)) == ["duplicate", "duplicate"]
    other = {"side_effects": [{"code": "nausea", "severity": "severe"}]}
    answer = api.send({**batch[1], "neural_audio": other})
    assert results(answer) == ["rejected"] and refusals(answer) == [("id_reused", "/id")]
    assert kept(detail()) == before


def test_the_same_name_of_a_session_is_another_persons_own_session(api: Api, cast: Cast) -> None:
    other = makers.make_patient(cast.home)
    api.send(started(cast.patient), started(other, "n2", session_kind="chat", neural_audio=None))
    api.send(ended(cast.patient, "n2", neural_audio=SET))
    mine = NeuralAudioDetail.objects.get(session__client_ref="n1")
    effects = {"volume_level": 10, "side_effects": [HEADACHE]}
    assert results(api.send(ended(other, neural_audio=effects))) == ["stored"]
    assert NeuralAudioDetail.objects.filter(patient=cast.patient).count() == 2
    assert kept(NeuralAudioDetail.objects.get(patient=other)) == (None, None, 10, "", "", [HEADACHE])
    device = token_for(api, other)
    answer = device.post("me/intake", {"items": [ended(cast.patient, neural_audio=effects)]})
    assert refusals(answer) == [("wrong_patient", "/patient")]
    elsewhere = Api(f"Api-Key {issue_key(cast.elsewhere)[1]}")
    answer = elsewhere.send(ended(cast.patient, neural_audio=effects))
    assert refusals(answer) == [("unknown_patient", "/patient")]
    mine.refresh_from_db()
    assert kept(mine) == (14.0, 10.5, 50, "tense", "calm", None)


def test_a_patients_own_device_says_how_it_was_set(api: Api, cast: Cast) -> None:
    device = token_for(api, cast.patient)
    own = {**started(cast.patient), "patient": None}
    assert results(device.post("me/intake", {"items": [own]})) == ["stored"]
    assert detail().patient == cast.patient


def test_words_about_how_somebody_was_need_the_consent_that_all_words_need(api: Api, cast: Cast) -> None:
    makers.consent(cast.patient, "treatment", granted=False)
    answer = api.send(
        started(cast.patient), started(cast.patient, "n2", neural_audio={"target_frequency_hz": 10})
    )
    assert results(answer) == ["rejected", "stored"]
    assert refusals(answer)[0][0] == "no_consent"
    assert [one.session.client_ref for one in NeuralAudioDetail.objects.all()] == ["n2"]


def test_what_can_not_be_kept_whole_is_not_kept_by_half(api: Api, cast: Cast, monkeypatch: Any) -> None:
    from patients.sessions import builders

    real = builders.put_neural

    def choking(row: Any, data: Any) -> list[str]:
        if data.values.get("volume_level") == 13:
            raise ValueError("no")
        return real(row, data)

    monkeypatch.setattr(builders, "put_neural", choking)
    bad = started(cast.patient, "n2", neural_audio={"volume_level": 13})
    answer = api.send(started(cast.patient), bad, message(cast.patient))
    assert answer.status_code == 503
    assert results(answer) == ["stored", "failed", "stored"]
    assert sorted(Session.objects.values_list("client_ref", flat=True)) == ["chat-1", "n1"]
    monkeypatch.setattr(builders, "put_neural", real)
    assert results(api.send(bad)) == ["stored"]
    assert detail("n2").volume_level == 13


def statements(api: Api, *items: Any) -> list[str]:
    """Return the statements of a batch, when those that are asked once stand behind."""
    api.send()
    # Rows go in by statements that Django does not see.
    with (
        CaptureQueriesContext(connection) as captured,
        mock.patch.object(bulk, "execute", wraps=bulk.execute) as inserted,
    ):
        assert set(results(api.send(*items))) == {"stored"}
    return [one["sql"] for one in captured] + [call.args[0] for call in inserted.call_args_list]


def test_sessions_without_settings_ask_for_none(api: Api, cast: Cast) -> None:
    plain = statements(
        api,
        *(started(cast.patient, f"p{number}", neural_audio=None) for number in range(5)),
        *(ended(cast.patient, f"p{number}") for number in range(5)),
    )
    assert not any("neuralaudiodetail" in one for one in plain)
    few = statements(api, ended(cast.patient, "q0"), started(cast.patient, "q0", session_kind="chat",
                     neural_audio=None))  # fmt: skip
    assert len(few) == len(plain)


def test_the_statements_for_settings_do_not_grow_with_their_sessions(api: Api, cast: Cast) -> None:
    counts = []
    for size in (2, 20):
        names = [f"s{size}-{number}" for number in range(size)]
        settings = {"neural_audio": {"side_effects": [HEADACHE]}}
        batch = [started(cast.patient, name) for name in names]
        batch += [ended(cast.patient, name, **settings) for name in names]
        counts.append(len(statements(api, *batch)))
    assert counts[0] == counts[1]
    assert NeuralAudioDetail.objects.count() == 22
    assert not SessionFeedback.objects.exists()
