"""What SQL itself refuses about flags, settings and retention."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from cortex.audit import SYSTEM, InputRefused
from cortex.audit.models import AuditLog
from cortex.ops import actions, queries, tasks
from cortex.ops.models import FeatureFlag, RetentionPolicy, RetentionRun, SystemSetting
from tests.forms import fields_of
from tests.makers import client_of, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["crisis-board", "escalation", "audit-log", "sos", "screening-v2"])
def test_a_safety_function_has_no_switch(name: str) -> None:
    with pytest.raises(IntegrityError, match="flag_not_safety"), transaction.atomic():
        FeatureFlag(name=name).save()


def test_a_flag_reaches_its_share_of_its_segment() -> None:
    FeatureFlag(name="charts", is_enabled=True, rollout_percentage=30, target_segments=["pilot"]).save()
    assert queries.is_flag_on("charts", percentile=29, segment="pilot")
    assert not queries.is_flag_on("charts", percentile=30, segment="pilot")
    assert not queries.is_flag_on("charts", percentile=1, segment="others")
    assert not queries.is_flag_on("unknown")


def test_a_setting_has_one_active_version() -> None:
    SystemSetting(key="zone", value="a", version=1, is_active=False).save()
    SystemSetting(key="zone", value="b", version=2).save()
    assert queries.setting("zone") == "b"
    assert queries.setting("other", "default") == "default"
    with pytest.raises(IntegrityError, match="setting_one_active"), transaction.atomic():
        SystemSetting(key="zone", value="c", version=3).save()


def test_a_retention_run_is_recorded_and_its_counts_add_up() -> None:
    policy = queries.active_policies("ops.ServiceMetric")[0]
    assert isinstance(policy, RetentionPolicy)
    run = actions.note_retention_run(actor=SYSTEM, policy_id=policy.id, scanned=5, deleted=3, held=2)
    assert AuditLog.objects.filter(event_type="retention.ran", object_id=run.id).exists()
    with pytest.raises(IntegrityError, match="run_counts_add_up"), transaction.atomic():
        RetentionRun(policy=policy, scanned=1, deleted=2).save()


def test_a_switch_is_changed_on_record_and_a_safety_switch_refused_in_words() -> None:
    flag = actions.add_flag(actor=SYSTEM, name="charts")
    actions.change_flag(actor=SYSTEM, featureflag_id=flag.id, is_enabled=True)
    assert queries.is_flag_on("charts")
    changed = AuditLog.objects.get(event_type="flag.changed", object_id=flag.id)
    assert (changed.fields, changed.codes) == (["is_enabled"], {"name": "charts", "on": True})
    with pytest.raises(InputRefused, match="Safety functions can't be switched"):
        actions.add_flag(actor=SYSTEM, name="escalation")


def test_a_new_setting_follows_the_old_one_which_stays() -> None:
    actions.set_setting(actor=SYSTEM, key="zone", value="a", category="board")
    actions.set_setting(actor=SYSTEM, key="zone", value={"b": 1})
    assert queries.setting("zone") == {"b": 1}
    rows = SystemSetting.objects.filter(key="zone").order_by("version")
    assert [(row.version, row.is_active, row.category) for row in rows] == [
        (1, False, "board"),
        (2, True, "board"),
    ]


def test_a_changed_retention_rule_is_on_record() -> None:
    policy = queries.active_policies("ops.TelemetryEvent")[0]
    actions.change_policy(actor=SYSTEM, retentionpolicy_id=policy.id, days=400)
    assert queries.active_policies("ops.TelemetryEvent")[0].days == 400
    assert AuditLog.objects.get(event_type="retention.changed").codes["days"] == 400


@pytest.mark.parametrize("days", [0, 36_501, 2**31 - 1])
def test_a_rule_lasts_a_day_to_a_century(days: int) -> None:
    policy = queries.active_policies("ops.ScheduledSlot")[0]
    with pytest.raises(InputRefused, match="Between 1 and 36500 days") as refused:
        actions.change_policy(actor=SYSTEM, retentionpolicy_id=policy.id, days=days)
    assert refused.value.extra["field"] == "days"
    page = reverse("admin:ops_retentionpolicy_change", args=[policy.pk])
    client = client_of(make_user("admin", is_operator=True))
    sent = fields_of(client.get(page).content.decode(), "retentionpolicy_form")
    answer = client.post(page, sent | {"days": str(days)})
    assert answer.status_code == 200 and 'id="id_days_error"' in answer.content.decode()
    for kept in (1, 36_500):
        actions.change_policy(actor=SYSTEM, retentionpolicy_id=policy.id, days=kept)


@pytest.mark.parametrize("task", [tasks.drop_old_months, tasks.drop_old_slots])
def test_a_rule_that_fails_stops_no_other_and_is_told(task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tasks.BY_MONTH if task is tasks.drop_old_months else tasks.BY_ROW
    first, *others = models
    RetentionPolicy.objects.filter(model=first).update(days=2**31 - 1)
    asked: list[str] = []
    read = queries.active_policies
    monkeypatch.setattr(queries, "active_policies", lambda model: [asked.append(model), read(model)][1])
    with pytest.raises(OverflowError):
        task()
    assert asked == [first, *others]


def test_a_rule_that_no_job_reads_is_refused_another_number() -> None:
    row = RetentionPolicy.objects.create(model="patients.VoiceSession", basis_field="extracted_at", days=14)
    for change in ({"days": 3}, {"is_active": False}, {"overridable_by": "nobody"}):
        with pytest.raises(InputRefused, match="No job reads this row"):
            actions.change_policy(actor=SYSTEM, retentionpolicy_id=row.id, legal_basis="other", **change)
    actions.change_policy(actor=SYSTEM, retentionpolicy_id=row.id, legal_basis="Data minimisation.", days=14)
    row.refresh_from_db()
    assert (row.days, row.is_active, row.legal_basis) == (14, True, "Data minimisation.")
    with pytest.raises(ValueError, match="BY_POLICY"):
        queries.active_policies("patients.VoiceSession")


def test_every_rule_that_may_be_changed_is_read_by_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()

    def reads(model: str) -> list[RetentionPolicy]:
        read.add(model)
        return []

    monkeypatch.setattr(queries, "active_policies", reads)
    tasks.drop_old_months()
    tasks.drop_old_slots()
    assert read == queries.BY_POLICY
