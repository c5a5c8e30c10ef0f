"""What SQL itself refuses about flags, settings and retention."""

import pytest
from django.db import IntegrityError, transaction

from cortex.audit import SYSTEM
from cortex.audit.models import AuditLog
from cortex.ops import actions, queries
from cortex.ops.models import FeatureFlag, RetentionPolicy, RetentionRun, SystemSetting

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
