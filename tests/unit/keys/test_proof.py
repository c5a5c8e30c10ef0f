"""Keys and sealed rows are held against each other, rotated under load, and stay destroyed."""

from __future__ import annotations

import base64
import os
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import connections

from cortex.accounts.factors.adapter import SUBJECT
from cortex.accounts.factors.codes import sealed
from cortex.audit.actors import system
from cortex.audit.models import AuditLog
from cortex.clock import clock
from cortex.crypto.errors import UnknownMasterKey, UnwrapError
from cortex.ids import uuid7
from cortex.keys import actions, store
from cortex.keys.cache import cache
from cortex.keys.management.commands import keys as command
from cortex.keys.models import SubjectKey
from cortex.keys.proof import queries
from cortex.keys.proof.actions import replay_destructions
from patients.sessions.messages import Message
from tests import makers, stores
from tests.cast import Cast
from tests.unit.keys.load import desk_at_work, opens, sealed_words

ACTOR = system("tests")


def master(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("keys", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_whole_house_fits(cast: Cast, as_system: None) -> None:
    makers.make_message(cast.patient, "hello")
    proof = queries.prove()
    assert proof.holds and not proof.orphans
    assert proof.keys == sum(proof.by_master.values()) == SubjectKey.objects.count()
    fields = {one.label for one in queries.sealed_values()}
    assert {"patients.Message.content", "patients.Patient.given_name"} <= fields
    assert "Every key opens" in run("verify")


@pytest.mark.django_db
def test_a_lost_key_a_strange_version_and_a_changed_row_are_named(cast: Cast, as_system: None) -> None:
    makers.make_message(cast.patient, "hello")
    key = SubjectKey.objects.filter(subject=cast.patient.pk)
    kept = key.get()
    key.update(version=2)
    proof = queries.prove(sample=5)
    assert f"patients.Message.content: version 1 of subject {cast.patient.pk}" in proof.keyless
    assert any(f"version 2 of subject {cast.patient.pk}" in one for one in proof.unopened)
    key.delete()
    with pytest.raises(CommandError, match="do not fit"):
        run("verify")
    kept.save(force_insert=True)
    assert queries.prove().holds
    SubjectKey.objects.filter(subject=cast.stranger.pk).update(wrapped=kept.wrapped)
    assert [str(cast.stranger.pk) in one for one in queries.prove().unopened] == [True]


@pytest.mark.django_db
def test_a_value_that_was_moved_changed_or_cut_off_is_named(cast: Cast, as_system: None) -> None:
    key = f"version 1 of subject {cast.patient.pk}"
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE patients_patient SET given_name = family_name, phone = substr(phone, 1, 3),"
            " family_name = set_byte(family_name, 20, 255 - get_byte(family_name, 20)) WHERE id = %s",
            [cast.patient.pk],
        )
    proof = queries.prove()
    assert sorted(proof.unreadable) == [
        f"patients.Patient.{name} of row {cast.patient.pk}: {key}" for name in ("family_name", "given_name")
    ]
    assert proof.keyless == [f"patients.Patient.phone: version 0 of subject {cast.patient.pk}"]
    with pytest.raises(CommandError, match="do not fit"):
        run("verify")


@pytest.mark.django_db
def test_the_key_of_second_factors_is_tried_too(cast: Cast, as_system: None) -> None:
    secret = sealed(cast.cleo.pk, "an app's secret")
    row = Authenticator.objects.create(user=cast.cleo, type="totp", data={"secret": secret})
    assert queries.prove().holds
    key = SubjectKey.objects.filter(subject=SUBJECT)
    kept = key.get()
    key.delete()
    assert queries.prove().keyless == [f"mfa.Authenticator.data.secret: version 1 of subject {SUBJECT}"]
    kept.save(force_insert=True)
    for damaged, named in (
        (f"{secret[:-8]}AAAAAAA=", f".secret of row {row.pk}: version 1"),
        ("in the clear", ".secret: version 0"),
    ):
        Authenticator.objects.filter(pk=row.pk).update(data={"secret": damaged})
        proof = queries.prove()
        assert [named in one for one in proof.unreadable + proof.keyless] == [True]


@pytest.mark.django_db
def test_a_role_that_might_not_see_every_row_proves_nothing(cast: Cast) -> None:
    with pytest.raises(CommandError, match="sees every row"):
        run("verify")


@pytest.mark.django_db
def test_orphans_are_named_but_for_those_on_their_way(as_system: None) -> None:
    old, young = uuid7(), uuid7()
    store.ensure_keys([old, young])
    SubjectKey.objects.filter(subject=old).update(wanted_at=clock() - timedelta(hours=2))
    proof = queries.prove()
    assert proof.orphans == [old] and proof.holds
    assert str(old) in run("verify")


@pytest.mark.django_db
def test_a_destroyed_key_that_an_old_backup_brought_back_is_destroyed_again(
    cast: Cast, as_system: None
) -> None:
    row = makers.make_message(cast.patient, "hello")
    before = SubjectKey.objects.get(subject=cast.patient.pk)
    actions.destroy_key(actor=ACTOR, subject_id=cast.patient.pk, reason="erasure")
    assert queries.prove().erased_rows > 0 and queries.prove().holds
    SubjectKey.objects.filter(pk=before.pk).delete()
    before.save(force_insert=True)
    cache.forget()
    assert queries.prove().revived == [cast.patient.pk]
    with pytest.raises(CommandError, match="do not fit"):
        run("verify")
    assert replay_destructions(actor=ACTOR) == 1
    assert queries.prove().holds and Message.objects.get(pk=row.pk).__dict__["content"]
    assert AuditLog.objects.get(event_type="key.destructions_replayed").codes == {"count": 1}
    assert replay_destructions(actor=ACTOR) == 0


@pytest.mark.django_db
def test_a_wrong_or_missing_master_key_is_a_clear_failure(as_system: None, settings: Any) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    name, right = settings.CORTEX_MASTER_KEYS.partition(":")[0], settings.CORTEX_MASTER_KEYS
    for masters, fault in (
        (f"{master('new')},{master(name)}", "does not open"),
        (master("new"), "is not configured"),
    ):
        settings.CORTEX_MASTER_KEYS = masters
        out = StringIO()
        with pytest.raises(CommandError, match="Not every key"):
            call_command("keys", "rotate", stdout=out)
        assert re.search(rf"version 1 of subject {subject}: .*{fault}", out.getvalue())
        assert len(queries.prove().unopened) == 1
        cache.forget()
        with pytest.raises((UnwrapError, UnknownMasterKey)):
            store.ensure_keys([subject])
    settings.CORTEX_MASTER_KEYS = right
    assert store.ensure_keys([subject])[subject][0].unseal(
        store.ensure_keys([subject])[subject][0].seal(b"words", b""), b""
    ) == (b"words")


@pytest.mark.django_db
def test_rotation_passes_over_a_key_that_does_not_open_names_it_and_fails(
    as_system: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = [uuid7() for _ in range(6)]
    for one in subjects:
        store.ensure_keys([one])
    broken = subjects[1:3]
    kept = bytes(SubjectKey.objects.get(subject=subjects[0]).wrapped or b"")
    SubjectKey.objects.filter(subject__in=broken).update(wrapped=kept)
    settings.CORTEX_MASTER_KEYS = f"{master('new')},{settings.CORTEX_MASTER_KEYS}"
    out = StringIO()
    with pytest.raises(CommandError, match="keep the old ones"):
        call_command("keys", "rotate", "--batch", "2", stdout=out)
    said = out.getvalue()
    assert "4 keys wrapped anew" in said and "0 left" not in said
    named = said.partition("don't open")[2]
    assert [one for one in subjects if str(one) in named] == broken
    assert queries.by_master()["new"] == 4
    codes = AuditLog.objects.filter(event_type="key.rewrapped").latest("pk").codes
    assert codes == {"count": 2, "left": 0, "unopened": 2}
    monkeypatch.setattr(command, "MOST_UNOPENED", 1)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("keys", "rotate", "--batch", "1", stdout=out)
    assert "Stopped with 1 left: 1 keys didn't open" in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_rotation_goes_on_where_it_was_stopped_under_load_and_leaves_nothing_on_the_old_key(
    settings: Any,
) -> None:
    subjects = [uuid7() for _ in range(int(os.environ.get("CORTEX_EXPLORE", "8")) * 30)]
    sealed = sealed_words(subjects)
    old = settings.CORTEX_MASTER_KEYS
    settings.CORTEX_MASTER_KEYS = f"{master('new')},{old}"
    with stores.role("cortex_system"):
        assert actions.rewrap_keys(actor=ACTOR, limit=50) == (50, len(subjects) - 50, {})
    with desk_at_work(sealed, threads=3), stores.role("cortex_system"):
        said = run("rotate", "--batch", "40")
    assert f"{len(subjects) - 50} keys wrapped anew" in said and "0 left" in said
    settings.CORTEX_MASTER_KEYS = settings.CORTEX_MASTER_KEYS.partition(",")[0]
    cache.forget()
    with stores.role("cortex_system"):
        assert queries.by_master().keys() == {"new"} and queries.prove().holds
    assert opens(sealed)
