"""A medication that has the name of an allergy, and the other way round: asked once, by words alone."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from clinical.plans.allergies.actions import save_allergy
from clinical.plans.allergies.matching import shares_name
from clinical.plans.allergies.models import Allergy
from clinical.plans.medications.actions import save_medication
from clinical.plans.medications.models import Medication
from cortex.accounts.choices import Role
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from patients.registry.access import CHART
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.unit.plans.test_allergies import SEVERE, add, client_of, page, url
from tests.walk.plans import ALLERGY, MEDICINE

pytestmark = pytest.mark.django_db
GO_ON = re.compile(r'name="told" value="([^"]*)">(?:Add|Save) all the same</button>')


def take(cast: Cast, name: str = "Penicillin V", row: Medication | None = None, **more: Any) -> Medication:
    told = more.pop("told", ())
    found = save_medication(
        actor=makers.staff(cast.alice), patient_id=cast.patient.pk, fields=MEDICINE | {"name": name} | more,
        medication_id=row.pk if row else None, told=told,
    )  # fmt: skip
    makers.scope_all()
    return found


def sent(given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {name: value for name, value in (given | more).items() if value not in (None, False)}


def saved() -> tuple[int, int]:
    makers.scope_all()
    return Medication.objects.count(), Allergy.objects.count()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Penicillin", "penicillin", True),
        ("Penicillin", "PENICILLIN V 250", True),
        ("penicillin v (oral)", "Penicillin-V", True),
        ("Acetylsalicylic acid", "Aspirin (acetylsalicylic  acid)", True),
        ("Ｐenicillin", "Penicillin", True),
        ("Weiẞ", "weiss", True),
        ("पेनिसिलिन", "पेनिसिलिन वी", True),
        ("पेन", "पेनिसिलिन", False),
        ("Penicillin", "Penicillinase", False),
        ("Cillin", "Penicillin", False),
        ("acid acetylsalicylic", "acetylsalicylic acid", False),
        ("Penicillin", "Amoxicillin", False),
        ("", "Penicillin", False),
        ("()", "(?)", False),
    ],
)
def test_whole_words_in_a_row_are_the_same_name_whatever_the_case(one: str, other: str, same: bool) -> None:
    assert shares_name(one, other) is same and shares_name(other, one) is same


def test_a_medication_of_an_allergy_s_name_is_asked_about_and_nothing_typed_is_lost(cast: Cast) -> None:
    row = add(cast, **SEVERE)
    add(cast, "Ibuprofen", kind="intolerance")
    client, where = client_of(cast.alice), url(cast, "medication_add")
    given = sent(MEDICINE, name="penicillin V", indication="A sore throat.", side_effects="Nothing yet.")
    answer = client.post(where, given)
    shown = unescape(answer.content.decode())
    assert answer.status_code == 409 and saved() == (0, 2)
    assert "what stands on the list of allergies: Penicillin (severe). Is it right all the same?" in shown
    assert "Ibuprofen (intolerance)" not in shown.split("data-question")[1]
    for words in ('value="penicillin V"', 'value="A sore throat."', "Nothing yet."):
        assert words in shown, words
    assert shown.index(">Record it</button>") < shown.index("Add all the same"), "Enter asks again"
    seen = PhiAccessLog.objects.filter(subject=cast.patient.pk, data_type="plan").latest("id")
    assert seen.sections == ["allergies"]
    assert client.post(where, given).status_code == 409, "the button alone goes on"
    (told,) = GO_ON.findall(shown)
    assert told == str(row.pk)
    assert client.post(where, given | {"told": told}).status_code == 303 and saved() == (1, 2)
    say = AuditLog.objects.filter(event_type="medication.added").latest("id")
    assert say.codes["allergies"] == [str(row.pk)] and "enicillin" not in str(say.codes)


def test_an_allergy_of_a_medication_s_name_is_asked_about_too(cast: Cast) -> None:
    row = take(cast)
    client, where = client_of(cast.alice), url(cast, "allergy_add")
    given = sent(ALLERGY, reaction="Hives on both arms.")
    answer = client.post(where, given)
    shown = unescape(answer.content.decode())
    assert answer.status_code == 409 and saved() == (1, 0)
    assert "The medications on record have this name: Penicillin V. Is it right all the same?" in shown
    assert "Hives on both arms." in shown and 'value="Penicillin"' in shown
    seen = PhiAccessLog.objects.filter(subject=cast.patient.pk, data_type="plan").latest("id")
    assert seen.sections == ["medications"]
    (told,) = GO_ON.findall(shown)
    assert client.post(where, given | {"told": told}).status_code == 303 and saved() == (1, 1)
    say = AuditLog.objects.filter(event_type="allergy.added").latest("id")
    assert say.codes["medications"] == [str(row.pk)]


def test_what_was_told_covers_what_was_told_and_nothing_that_came_since(cast: Cast) -> None:
    first = add(cast)
    client, where = client_of(cast.alice), url(cast, "medication_add")
    given = sent(MEDICINE, name="Penicillin with probenecid")
    (told,) = GO_ON.findall(client.post(where, given).content.decode())
    makers.scope_all()
    second = add(cast, "Probenecid")
    answer = client.post(where, given | {"told": told})
    shown = answer.content.decode()
    assert answer.status_code == 409 and "allergies: Probenecid." in unescape(shown)
    (told,) = GO_ON.findall(shown)
    assert set(told.split()) == {str(first.pk), str(second.pk)}
    for junk in ("", "x", "\x00", "1" * 5000, "é " * 400):
        assert client.post(where, given | {"told": junk}).status_code == 409, junk[:9]
    assert client.post(where, given | {"told": told}).status_code == 303


def test_only_what_stands_and_what_is_taken_is_asked_about(cast: Cast) -> None:
    for fields in ({"clinical_status": "resolved"}, {"verification": "refuted"}):
        add(cast, row=Allergy.objects.first(), **fields)
        take(cast).delete()
    standing = add(cast, row=Allergy.objects.get())
    over = take(cast, status="stopped", stop=makers.now().date() - timedelta(days=9))
    with pytest.raises(RuleBroken) as refused:
        take(cast, row=over)
    assert refused.value.extra["asked"] == [standing.pk], "taken again"
    with pytest.raises(RuleBroken):
        take(cast, "Penicillin G", status="on_hold")
    taken = take(cast, row=over, told=[standing.pk])
    take(cast, row=taken, dose="20", unit="mg")
    add(cast, row=standing, reaction="Hives.")
    assert opened_dose(taken) == "20", "the same name isn't asked about at each change"
    with pytest.raises(RuleBroken):
        take(cast, "Penicillin", row=taken)
    add(cast, row=standing, clinical_status="inactive")
    with pytest.raises(RuleBroken):
        add(cast, row=standing)


def opened_dose(row: Medication) -> Any:
    return makers.opened(Medication.objects.get(pk=row.pk), "dose")


def test_a_medication_that_a_label_shuts_is_not_named_to_whom_it_shuts(cast: Cast) -> None:
    outside = makers.make_user(Role.PSYCHIATRIST, cast.home)
    row = take(cast)
    Medication.objects.filter(pk=row.pk).update(sensitivity_labels=["R"])
    makers.grant(cast.patient, outside, reason_code="consultation", permission=CHART)
    answer = client_of(outside).post(url(cast, "allergy_add"), sent(ALLERGY))
    assert answer.status_code == 303 and saved() == (1, 1)
    assert AuditLog.objects.filter(event_type="allergy.added", codes__has_key="medications").count() == 0
    own = client_of(cast.alice).post(url(cast, "allergy_add"), sent(ALLERGY, substance="V"))
    assert own.status_code == 409 and "Penicillin V" in own.content.decode()


def test_rows_of_one_person_are_compared_together_and_strangers_rows_are_not(cast: Cast) -> None:
    other = makers.make_patient(organization=cast.home)
    makers.add_to_team(other, cast.alice)
    save_allergy(actor=makers.staff(cast.alice), patient_id=other.pk, fields=ALLERGY)
    makers.scope_all()
    take(cast).delete()
    Patient.objects.filter(pk=other.pk).update(merged_into=cast.patient)
    with pytest.raises(RuleBroken):
        take(cast)


def test_a_name_that_does_not_open_and_a_store_that_is_away_lose_no_words(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(cast)

    with monkeypatch.context() as patched:
        patched.setattr("clinical.plans.medications.actions.readable", lambda *_: "")
        take(cast, "one").delete()

    def away(*_: object) -> str:
        raise KeyProviderError("the keys are away")

    client, where = client_of(cast.alice), url(cast, "medication_add")
    with monkeypatch.context() as patched:
        patched.setattr("clinical.plans.medications.views.fact_words", away)
        answer = client.post(where, sent(MEDICINE, name="Penicillin V"))
    assert answer.status_code == 503 and 'value="Penicillin V"' in answer.content.decode()
    assert saved() == (0, 1)
    assert "all the same" not in page(cast, "medication_add")
