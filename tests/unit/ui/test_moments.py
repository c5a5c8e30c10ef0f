"""Days and local times as forms take them: hours that clocks repeat or skip, and what lies too far off."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from clinical.assessments.forms import AnswersForm
from cortex.ui.admin import ActionAdmin
from cortex.ui.moments import DayField, MomentField
from crisis.casework.forms import ResolveForm
from crisis.welfare.forms import DecideForm

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
SECOND = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def new_york() -> Any:
    """On 1 Nov 2026 it is half past one twice there, on 8 Mar 2026 half past two is skipped."""
    with timezone.override("America/New_York"):
        yield


def test_of_a_time_that_comes_twice_the_first_is_meant_and_a_skipped_one_moves_forward() -> None:
    assert MomentField().clean("2026-11-01T01:30") == FIRST
    assert MomentField().clean("2026-03-08T02:30") == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert MomentField().clean("2026-11-01T12:00") == datetime(2026, 11, 1, 17, tzinfo=UTC)
    assert MomentField(required=False).clean("") is None


def test_what_was_shown_and_not_changed_stays_the_moment_that_it_was() -> None:
    field = MomentField()
    field.shown = SECOND + timedelta(seconds=12)
    assert field.clean("2026-11-01T01:30") == field.shown
    assert field.clean("2026-11-01T01:31") == FIRST + timedelta(minutes=1)


@pytest.mark.parametrize("typed", ["9999-12-31T23:59", "0001-01-01T00:00", "2226-01-01T00:00"])
def test_what_lies_too_far_off_is_refused(typed: str) -> None:
    for field, value in ((MomentField(), typed), (DayField(), typed[:10])):
        with pytest.raises(ValidationError, match="within a hundred years"):
            field.clean(value)
    assert DayField().clean("2026-11-01") == date(2026, 11, 1)
    with pytest.raises(ValidationError, match="valid date"):
        MomentField().clean("next week")


def test_every_local_time_that_is_typed_in_the_house_is_such_a_field() -> None:
    typed = [ResolveForm.base_fields["follow_up_at"], DecideForm.base_fields["again_by"],
             AnswersForm.base_fields["administered_at"]]  # fmt: skip
    assert all(type(one) is MomentField for one in typed)
    for registered in admin.site._registry.values():
        assert not isinstance(registered, ActionAdmin) or (
            registered.formfield_overrides[models.DateTimeField]["form_class"] is MomentField
        )
