"""A staff profile: what isn't said stays, its page is filled in, and the trail names who is in training."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from cortex.accounts.actions import change_staff_profile, save_staff_profile
from cortex.accounts.models import StaffProfile
from cortex.audit import InputRefused, NotFound
from cortex.audit.models import AuditLog
from tests import makers
from tests.cast import Cast
from tests.forms import fields_of
from tests.makers import client_of, staff

pytestmark = pytest.mark.django_db
FULL = {"title": "Dr", "specialty": "Trauma", "license_number": "KE-4711", "phone": "+254700000009"}
ADD = reverse("admin:accounts_staffprofile_add")


def profile(cast: Cast) -> StaffProfile:
    return save_staff_profile(actor=staff(cast.ada), user_id=cast.alice.pk, is_trainee=True, **FULL)


def stored(row: StaffProfile) -> dict[str, object]:
    makers.scope_all()
    row = StaffProfile.objects.get(pk=row.pk)
    sealed = {name: makers.opened(row, name) for name in ("license_number", "phone")}
    return {"title": row.title, "specialty": row.specialty, "is_trainee": row.is_trainee} | sealed


def test_what_is_not_said_stays_as_it_is(cast: Cast) -> None:
    row = profile(cast)
    save_staff_profile(actor=staff(cast.ada), user_id=cast.alice.pk, phone="+254700000008")
    assert stored(row) == FULL | {"phone": "+254700000008", "is_trainee": True}
    save_staff_profile(actor=staff(cast.ada), user_id=cast.alice.pk, title="", is_trainee=False)
    assert stored(row) == FULL | {"phone": "+254700000008", "title": "", "is_trainee": False}
    last = AuditLog.objects.filter(event_type="staff.changed").latest("id")
    assert (sorted(last.fields), last.codes) == (["is_trainee", "title"], {"is_trainee": False})
    with pytest.raises(InputRefused):
        save_staff_profile(actor=staff(cast.ada), user_id=cast.alice.pk, user="x")


def test_typing_an_old_profile_anew_takes_nothing_away(cast: Cast) -> None:
    row, client = profile(cast), client_of(cast.ada)
    typed = {"user": cast.alice.pk, "title": "", "specialty": "Grief", "license_number": "", "phone": ""}
    assert client.post(ADD, typed).status_code == 302
    assert stored(row) == FULL | {"specialty": "Grief", "is_trainee": True}


def test_its_page_is_filled_in_and_sent_back_untouched_changes_nothing(cast: Cast) -> None:
    row, client = profile(cast), client_of(cast.ada)
    page = reverse("admin:accounts_staffprofile_change", args=[row.pk])
    sent = fields_of(client.get(page).content.decode(), "staffprofile_form")
    assert sent | FULL == sent and sent["is_trainee"] == ["on"] and "user" not in sent
    makers.scope_all()
    before = AuditLog.objects.filter(event_type="staff.changed").count()
    assert client.post(page, sent).status_code == 302
    makers.scope_all()
    assert AuditLog.objects.filter(event_type="staff.changed").count() == before
    sent.pop("is_trainee")
    assert client.post(page, sent | {"phone": "", "verified": "on"}).status_code == 302
    assert stored(row) == FULL | {"phone": "", "is_trainee": False}
    last = AuditLog.objects.filter(event_type="staff.changed").latest("id")
    assert (sorted(last.fields), last.codes) == (
        ["is_trainee", "phone", "verified_at"],
        {"is_trainee": False},
    )


def test_a_profile_of_another_house_is_not_found(cast: Cast) -> None:
    charlie = makers.make_user("admin", cast.elsewhere)
    with pytest.raises(NotFound):
        change_staff_profile(actor=staff(charlie), staffprofile_id=profile(cast).pk, title="x")


def test_it_asks_for_the_password_and_keeps_nothing_typed_in_the_session(cast: Cast) -> None:
    row, client = profile(cast), client_of(cast.ada, makers.now() - timedelta(hours=1))
    page = reverse("admin:accounts_staffprofile_change", args=[row.pk])
    answer = client.post(page, FULL | {"license_number": "KE-4712"})
    assert answer.status_code == 200 and "Confirm that it is you" in answer.content.decode()
    assert "KE-4712" not in str(dict(client.session.items()))
    assert stored(row)["license_number"] == "KE-4711"
