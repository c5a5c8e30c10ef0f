"""A chart's sections: consent that ends at once, the team, contacts by consent, crises, who looked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from clinical.record.actions import end_member
from cortex.audit import RuleBroken
from cortex.audit.models import PhiAccessLog
from patients.care.models import CareTeamMember
from patients.privacy.models import Consent
from patients.privacy.queries import has_consent
from patients.registry.person import PatientProfile
from patients.registry.records import ProfileData
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db


def as_user(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def page(cast: Cast, name: str, user: object = None) -> str:
    answer = as_user(user or cast.alice).get(reverse(f"clinical:{name}", args=[cast.patient.pk]))
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_a_withdrawal_is_one_step_and_counts_at_once(cast: Cast) -> None:
    assert "Otieno Fictional" in page(cast, "chart_people")
    client = as_user(cast.alice)
    url = reverse("clinical:chart_consent_withdraw", args=[cast.patient.pk, "emergency_contact"])
    assert client.post(url).status_code == 303
    makers.scope_all()
    assert not has_consent(cast.patient.pk, "emergency_contact", makers.now())
    assert "Otieno Fictional" not in page(cast, "chart_people")
    assert "Closed: the person does not allow" in page(cast, "chart_people")
    assert "Messages are not screened" not in page(cast, "chart_consent")
    client.post(reverse("clinical:chart_consent_withdraw", args=[cast.patient.pk, "treatment"]))
    assert "Messages are not screened" in page(cast, "chart_consent")
    assert "Messages are not screened" in page(cast, "chart_people")


def test_a_consent_on_paper_is_taken_down_with_wording_end_and_limits(cast: Cast) -> None:
    client, url = as_user(cast.alice), reverse("clinical:chart_consent", args=[cast.patient.pk])
    form = {
        "consent_type": "research", "granted": "yes", "method": "paper", "version": "2026-1",
        "language": "sw", "expires_at": "2099-12-31", "evidence_ref": "Cabinet 4", "purposes": ["research"],
    }  # fmt: skip
    assert client.post(url, form).status_code == 303
    makers.scope_all()
    row = Consent.objects.get(patient=cast.patient, consent_type="research")
    assert (row.version, row.language, row.method) == ("2026-1", "sw", "paper")
    assert (row.scope, row.recorded_by) == ({"purposes": ["research"]}, cast.alice)
    assert "2026-1" in client.get(url).content.decode()
    gone = client.post(url, form | {"expires_at": "2001-01-01"})
    assert gone.status_code == 422


def test_a_consent_is_limited_to_data_and_channels_and_the_limits_are_said(cast: Cast) -> None:
    client, url = as_user(cast.alice), reverse("clinical:chart_consent", args=[cast.patient.pk])
    form: dict[str, object] = {"consent_type": "treatment", "granted": "yes", "method": "spoken"}
    limits = {
        "purposes": ["care"], "data_categories": ["notes", "plan"], "recipients": ["family_doctor"],
        "channels": ["phone", "letter"],
    }  # fmt: skip
    assert client.post(url, form | limits).status_code == 303
    makers.scope_all()
    row = Consent.objects.filter(patient=cast.patient, consent_type="treatment").latest("recorded_at")
    assert row.scope == limits
    shown = page(cast, "chart_consent")
    words = "only for care; only this data: notes, plan and goals; only towards the family doctor; only by "
    assert words + "phone, letter" in shown and "Given with limits" in shown
    assert "Given with limits: " in shown, "the banner"
    assert f"O{words[1:]}phone, letter." in page(cast, "timeline")
    makers.scope_all()
    assert has_consent(cast.patient.pk, "treatment", makers.now()), (
        "a limited one counts, and says its limits"
    )
    for bad in ({"data_categories": ["everything"]}, {"channels": ["pigeon"]}, {"starts_on": "soon"}):
        answer = client.post(url, form | limits | bad)
        assert answer.status_code == 422 and '<details class="disclose" open>' in answer.content.decode(), bad
    answer = client.post(url, form | limits | {"granted": "no"})
    assert answer.status_code == 422 and "limits nothing" in answer.content.decode()


def test_a_consent_that_begins_later_allows_nothing_before_and_can_be_taken_back(cast: Cast) -> None:
    client, url = as_user(cast.alice), reverse("clinical:chart_consent", args=[cast.patient.pk])
    day = (makers.now() + timedelta(days=9)).date()
    form = {"consent_type": "telehealth", "granted": "yes", "method": "spoken", "starts_on": f"{day}"}
    answer = client.post(url, form | {"expires_at": f"{day - timedelta(days=1)}"})
    assert answer.status_code == 422 and "end before it begins" in answer.content.decode()
    assert client.post(url, form).status_code == 303
    makers.scope_all()
    who = cast.patient.pk
    assert not has_consent(who, "telehealth", makers.now())
    assert has_consent(who, "telehealth", makers.now() + timedelta(days=10))
    shown = page(cast, "chart_consent")
    assert "Given, does not count yet" in shown and f"From {day:%-d %b %Y}" in shown
    withdraw = reverse("clinical:chart_consent_withdraw", args=[who, "telehealth"])
    assert withdraw in shown and client.post(withdraw).status_code == 303
    makers.scope_all()
    assert not has_consent(who, "telehealth", makers.now() + timedelta(days=10))


def test_a_childs_consent_names_who_gives_it(cast: Cast) -> None:
    type(cast.patient).objects.filter(pk=cast.patient.pk).update(age_band="13_17")
    client, url = as_user(cast.alice), reverse("clinical:chart_consent", args=[cast.patient.pk])
    form = {"consent_type": "telehealth", "granted": "yes", "method": "spoken", "language": "en"}
    assert "Under 18: write who consents for them." in client.post(url, form).content.decode()
    assert client.post(url, form | {"guardian": "Her aunt", "assent": "on"}).status_code == 303
    assert "Her aunt" in client.get(url).content.decode()


def test_somebody_joins_and_leaves_and_the_last_who_treats_stays(cast: Cast) -> None:
    client, url = as_user(cast.alice), reverse("clinical:chart_people", args=[cast.patient.pk])
    assert client.post(url, {"role": "psychiatrist", "user": str(cast.bob.pk)}).status_code == 303
    assert client.post(url, {"role": "caregiver", "outside_name": "Mama Planted"}).status_code == 303
    assert client.post(url, {"role": "psychiatrist"}).status_code == 422
    text = client.get(url).content.decode()
    assert "Bob Barasa" in text
    assert "Mama Planted" in text
    makers.scope_all()
    bobs = CareTeamMember.objects.get(patient=cast.patient, user=cast.bob)
    client.post(reverse("clinical:chart_team_end", args=[cast.patient.pk, bobs.pk]))
    assert as_user(cast.bob).get(url).status_code == 404
    makers.scope_all()
    mine = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    with pytest.raises(RuleBroken) as refused:
        end_member(actor=staff(cast.alice), patient_id=cast.patient.pk, member_id=mine.pk)
    assert refused.value.code == "last_on_team"


def test_a_look_at_an_alert_in_codes_stands_among_the_looks_at_the_person(cast: Cast) -> None:
    """The panel beside the board opens no word, and says that somebody is in danger: that is a look, too."""
    cast.on_duty()
    alert = makers.make_alert(cast.patient)
    for name in ("alert_preview", "alert_page", "alert_note"):
        url = reverse(f"crisis:{name}", args=[alert.pk])
        assert as_user(cast.cleo).get(url).status_code == 200, name
    text = page(cast, "chart_access")
    assert cast.cleo.full_name in text
    assert "An alert, beside the board" in text and "An alert, in codes" in text


def test_who_looked_stands_on_the_access_page_with_the_reason_page_by_page(cast: Cast) -> None:
    as_user(cast.alice).get(reverse("clinical:chart", args=[cast.patient.pk]))
    text = page(cast, "chart_access")
    assert "Alice Achieng" in text
    assert "On the care team" in text
    assert "Treatment" in text
    for _ in range(28):
        as_user(cast.alice).get(reverse("clinical:chart_crisis", args=[cast.patient.pk]))
    first = page(cast, "chart_access")
    assert 20 < first.count("Crisis section") <= 26
    older = first.partition('href="?before=')[2].partition('"')[0]
    url = reverse("clinical:chart_access", args=[cast.patient.pk])
    rest = as_user(cast.alice).get(f"{url}?before={older}").content.decode()
    assert "Crisis section" in rest
    assert first.count("Crisis section") + rest.count("Crisis section") <= 28


def test_crises_show_their_ends_and_lead_to_pages_that_the_reader_may_open(cast: Cast) -> None:
    alert = makers.make_alert(cast.patient)
    text = page(cast, "chart_crisis")
    assert "Critical, self-harm" in text
    assert reverse("crisis:alert_page", args=[alert.pk]) in text
    assert "nobody has it yet" in text


def test_what_somebody_says_of_themself_stands_on_the_page_of_people_and_the_look_names_it(
    cast: Cast,
) -> None:
    said = ProfileData(self_stated_goals="Sleep through\nthe night", self_reported_medications="Herbs")
    patient = makers.make_patient(cast.home, team=[cast.alice], profile=said)
    client, url = as_user(cast.alice), reverse("clinical:chart_people", args=[patient.pk])
    text = client.get(url).content.decode()
    assert "What they say of themselves" in text and "Sleep through<br>the night" in text
    assert "What they say they take" in text and "Herbs" in text
    assert "What they say they have" not in text
    assert "What they say of themselves" not in page(cast, "chart_people"), "nothing was said"
    makers.scope_all()
    rows = {one.subject: one.sections for one in PhiAccessLog.objects.filter(data_type="people")}
    assert rows == {patient.pk: ["self_told"], cast.patient.pk: []}
    for other in (cast.bob, cast.charlie):
        assert as_user(other).get(url).status_code == 404


def test_what_a_linked_row_says_is_told_where_the_person_s_own_is_silent(cast: Cast) -> None:
    own = ProfileData(self_stated_goals="Sleep")
    patient = makers.make_patient(cast.home, team=[cast.alice], profile=own)
    said = ProfileData(self_stated_goals="Work", self_reported_conditions="Ulcers")
    linked = makers.make_patient(cast.home, team=[cast.alice], profile=said)
    type(linked).objects.filter(pk=linked.pk).update(merged_into=patient)
    PatientProfile.objects.filter(patient=patient).update(updated_at=makers.now() + timedelta(hours=1))
    url = reverse("clinical:chart_people", args=[patient.pk])
    text = as_user(cast.alice).get(url).content.decode()
    assert "Sleep" in text and "Ulcers" in text
    assert "Work" not in text, "the newest word counts"
