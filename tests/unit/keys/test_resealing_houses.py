"""Keys of organizations and of second factors move to a newer version too, while sign-ins go on."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from cortex.accounts.factors.adapter import SUBJECT
from cortex.accounts.factors.codes import new_secret, new_seed, open_secret, sealed
from cortex.accounts.models import User
from cortex.audit.models import AuditLog
from cortex.crypto.errors import KeyDestroyed
from cortex.keys import actions as key_actions
from cortex.keys.cache import cache
from cortex.keys.models import SubjectKey
from cortex.keys.proof.queries import prove
from cortex.keys.resealing import queries, rounds
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.casework.actions import add_note
from tests import makers, stores
from tests.cast import Cast
from tests.unit.keys.test_resealing import let_settle, versions

TOLD = "A neighbour rang: she has locked herself in."


@pytest.fixture
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hour without a change is over at once."""
    monkeypatch.setattr(queries, "REST", timedelta(0))
    monkeypatch.setattr(rounds.walk, "__kwdefaults__", {"sleep": let_settle})


def reseal(*options: str) -> str:
    """Run the command as the system role and return what it said."""
    out = StringIO()
    with stores.role("cortex_system"):
        call_command("keys", "reseal", *options, stdout=out)
    return out.getvalue()


def factor(user: User) -> tuple[Authenticator, str]:
    """An authenticator app of a person, and its secret."""
    secret = new_secret()
    data = {"name": "app", "secret": sealed(user.pk, secret), "last_step": 0}
    row = Authenticator.objects.create(user=user, type="totp", data=data, created_at=timezone.now())
    seed = {"seed": sealed(user.pk, new_seed()), "used_mask": 0}
    Authenticator.objects.create(user=user, type="recovery_codes", data=seed, created_at=timezone.now())
    return row, secret


def about_nobody(cast: Cast) -> RiskAlert:
    """An alert about nobody with a note on it and one in its timeline, sealed for the organization."""
    cast.on_duty()
    alert = raise_alert(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient_id=None, kind="no_cover",
        level="high", reason_code="no_cover", source="system", hand_note=TOLD,
    )  # fmt: skip
    add_note(actor=makers.staff(cast.cleo), alert_id=alert.pk, note="They rang again.")
    return alert


@pytest.mark.django_db
def test_an_organization_s_rows_and_the_factors_leave_the_old_version_and_it_ends(
    cast: Cast, rested: None
) -> None:
    alert = about_nobody(cast)
    row, secret = factor(cast.cleo)
    pending = sealed(cast.sam.pk, new_secret())
    assert versions(cast.home.pk) == versions(SUBJECT) == {1: True}
    said = reseal("--organizations")
    assert "2 people and organizations have a new version" in said
    assert "1 crisis.RiskAlert" in said and "1 crisis.AlertEvent" in said and "2 mfa.Authenticator" in said
    assert versions(cast.home.pk) == versions(SUBJECT) == {1: True, 2: True}
    assert open_secret(cast.sam.pk, pending), "what waits in a session opens until the version ends"
    assert "2 old versions destroyed" in reseal("--destroy")
    assert versions(cast.home.pk) == versions(SUBJECT) == {1: False, 2: True}
    assert versions(cast.patient.pk) == {1: True}, "nobody asked for people's keys"
    cache.forget()
    row.refresh_from_db()
    assert open_secret(cast.cleo.pk, row.data["secret"]) == secret
    with pytest.raises(KeyDestroyed):
        open_secret(cast.sam.pk, pending)
    makers.scope_all()
    with transaction.atomic():
        makers.scope_all()
        alert = RiskAlert.objects.get(pk=alert.pk)
    assert makers.opened(alert, "hand_note").endswith(TOLD)
    with stores.role("cortex_system"):
        assert prove().holds
    told = AuditLog.objects.filter(event_type="key.resealed", subject=SUBJECT).get()
    assert told.codes["rows"] == 2


@pytest.mark.django_db
def test_details_of_the_trail_keep_their_version_and_are_named(cast: Cast, rested: None) -> None:
    key_actions.ensure_keys([cast.home.pk], purpose="organization")
    row = AuditLog(organization_id=cast.home.pk, event_type="test.told", actor_kind="system", actor_label="x")
    field: Any = AuditLog._meta.get_field("details")
    (key,) = key_actions.ensure_keys([cast.home.pk])[cast.home.pk]
    row.details = field.seal({"a": 1}, pk=row.pk, subject=cast.home.pk, key=key)
    row.save(force_insert=True)
    reseal("--organizations")
    said = reseal("--destroy")
    assert "1 audit.AuditLog keep their version" in said
    assert versions(cast.home.pk) == {1: True, 2: True}, "it opens what nobody may seal anew"


@pytest.mark.django_db(transaction=True)
def test_factors_that_change_meanwhile_lose_nothing_and_who_is_locked_is_met_again(
    cast: Cast, rested: None
) -> None:
    people = [cast.cleo, cast.sam, cast.ada]
    found = {user.pk: factor(user) for user in people}
    stop, faults, steps = threading.Event(), [], dict.fromkeys(found, 0)

    def sign_in() -> None:
        """Use a code as the sign-in does: lock the person, open the secret, write the row's data."""
        try:
            while not stop.is_set():
                for user in people:
                    with transaction.atomic():
                        User.objects.select_for_update().get(pk=user.pk)
                        row = Authenticator.objects.get(pk=found[user.pk][0].pk)
                        assert open_secret(user.pk, row.data["secret"]) == found[user.pk][1]
                        assert row.data["last_step"] == steps[user.pk]
                        time.sleep(0.005)
                        row.data["last_step"] = steps[user.pk] + 1
                        row.save(update_fields=["data"])
                    steps[user.pk] += 1
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    worker = threading.Thread(target=sign_in)
    worker.start()
    try:
        while min(steps.values()) < 3:
            time.sleep(0.01)
            assert not faults
        said = reseal("--organizations", "--batch", "1")
    finally:
        stop.set()
        worker.join()
    assert not faults and "6 mfa.Authenticator" in said
    assert queries.behind_elsewhere([SUBJECT], 2) == []
    assert "old versions destroyed" in reseal("--destroy")
    assert not versions(SUBJECT)[1]
    for user_id, (row, secret) in found.items():
        row.refresh_from_db()
        assert (row.data["last_step"], open_secret(user_id, row.data["secret"])) == (steps[user_id], secret)


@pytest.mark.django_db
def test_events_of_an_alert_about_nobody_are_their_organization_s(cast: Cast) -> None:
    alert = about_nobody(cast)
    with stores.role("cortex_system"):
        left: dict[str, int] = queries.left([cast.home.pk], 2)
        holders: set[UUID] = queries.holders([cast.home.pk], 2)
    assert left["crisis.RiskAlert"] == left["crisis.AlertEvent"] == 1 and holders == {cast.home.pk}
    assert AlertEvent.objects.filter(alert=alert, sealed_for=cast.home.pk).exists()
    assert SubjectKey.objects.filter(subject=cast.home.pk, purpose="patient").exists()
    assert queries.houses() == [cast.home.pk], "whatever purpose its key states"
