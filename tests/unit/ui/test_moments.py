"""Days and local times as forms take them: hours that clocks repeat or skip, and what lies too far off."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BaseForm
from django.urls import get_resolver
from django.utils import timezone

from clinical.pathway.forms import ReferralForm
from clinical.sessions.forms import EndForm
from cortex.ui.admin import ActionAdmin
from cortex.ui.moments import DayField, MomentField

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


# Fields that are plain all the same, and why.
PLAIN = {
    "clinical.pathway.forms.ReferralForm: date_of_birth": "people over a hundred; the registration bounds it",
    "clinical.record.forms.SeenForm: seen": "hidden, a moment with its offset; unreadable counts as stale",
}
# The same where a field is made elsewhere than in the body of a form.
MADE = {
    "patients/registry/admin.py": "a date of birth: people over a hundred; the action bounds it",
    "clinical/pathway/forms.py": "as above",
    "clinical/record/forms.py": "as above",
}
FLOORS = ("cortex", "patients", "crisis", "clinical")


def _forms(kind: type) -> set[type]:
    return {kind}.union(*(_forms(one) for one in kind.__subclasses__()))


def test_every_day_and_local_time_that_is_typed_in_the_house_is_such_a_field() -> None:
    get_resolver().url_patterns  # noqa: B018  loads every door, and with it every form
    ours = [one for one in _forms(BaseForm) if one.__module__.split(".")[0] in FLOORS]
    fields = [
        (one, name, field) for one in ours for name, field in getattr(one, "declared_fields", {}).items()
    ]
    kinds = {type(field) for _, _, field in fields}
    assert {DayField, MomentField} <= kinds and len(ours) > 50
    plain = {
        f"{one.__module__}.{one.__qualname__}: {name}"
        for one, name, field in fields
        if isinstance(field, (forms.DateField, forms.DateTimeField))
        and not isinstance(field, (DayField, MomentField))
    }
    assert plain == PLAIN.keys()


def test_a_session_ends_in_the_hour_that_comes_twice_and_people_over_a_hundred_are_sent_here() -> None:
    form = EndForm({"status": "completed", "ended_at": "2026-11-01T01:30"})
    assert form.is_valid() and form.cleaned_data["ended_at"] == FIRST
    born = timezone.now().date() - timedelta(days=366 * 104)
    assert ReferralForm.base_fields["date_of_birth"].clean(f"{born}") == born


def test_no_plain_field_of_a_day_is_made_on_the_way_either() -> None:
    root = Path(settings.BASE_DIR)
    made = {
        str(path.relative_to(root))
        for floor in FLOORS for path in (root / floor).rglob("*.py")
        if re.search(r"\bforms\.(?:Split)?Date(?:Time)?Field\(", path.read_text())
    }  # fmt: skip
    assert made == MADE.keys()


def test_every_local_time_of_the_back_office_is_such_a_field() -> None:
    for registered in admin.site._registry.values():
        assert not isinstance(registered, ActionAdmin) or (
            registered.formfield_overrides[models.DateTimeField]["form_class"] is MomentField
        )
