"""The key store: made once, unwrapped once, bound to its subject, rotated, destroyed, rewrapped."""

from __future__ import annotations

import base64
import logging
import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cortex.audit.actors import system
from cortex.audit.models import AuditLog
from cortex.crypto.errors import KeyDestroyed, KeyMissing, UnwrapError
from cortex.crypto.keys import DataKey
from cortex.crypto.provider import get_provider
from cortex.ids import uuid7
from cortex.keys import actions, queries, store
from cortex.keys.cache import cache
from cortex.keys.models import Purpose, SubjectKey
from tests.unit.crypto.letters import opened

pytestmark = pytest.mark.django_db
ACTOR = system("tests")


def only(subject: UUID) -> DataKey:
    """Return the one key of a subject, read anew."""
    cache.forget()
    (key,) = queries.data_keys([subject])[subject]
    return key


def test_missing_keys_are_made_and_come_back_the_same() -> None:
    subjects = [uuid7() for _ in range(5)]
    made = actions.ensure_keys(subjects)
    blob = made[subjects[0]][0].seal(b"words", b"aad")
    assert only(subjects[0]).unseal(blob, b"aad") == b"words"
    actions.ensure_keys(subjects)
    assert SubjectKey.objects.count() == 5
    assert set(SubjectKey.objects.values_list("purpose", flat=True)) == {Purpose.PATIENT}


def test_many_subjects_cost_one_query_and_cached_ones_none() -> None:
    subjects = [uuid7() for _ in range(50)]
    store.ensure_keys(subjects)
    cache.forget()
    with CaptureQueriesContext(connections["keys"]) as queries_made:
        assert len(queries.data_keys(subjects)) == 50
    assert len(queries_made) == 1
    with CaptureQueriesContext(connections["keys"]) as queries_made:
        assert len(store.ensure_keys(subjects)) == 50
    assert len(queries_made) == 0


def test_keys_for_gives_wrapped_keys_that_show_nothing() -> None:
    subject = uuid7()
    store.ensure_keys([subject], purpose=Purpose.ORGANIZATION)
    (wrapped,) = queries.keys_for([subject, uuid7()])[subject]
    assert wrapped.blob and wrapped.version == 1 and repr(wrapped.blob) not in repr(wrapped)
    assert SubjectKey.objects.get(subject=subject).purpose == Purpose.ORGANIZATION


def test_a_wrapped_key_moved_to_another_subject_does_not_open(as_system: None) -> None:
    one, two = uuid7(), uuid7()
    store.ensure_keys([one, two])
    SubjectKey.objects.filter(subject=two).update(wrapped=SubjectKey.objects.get(subject=one).wrapped)
    cache.forget()
    with pytest.raises(UnwrapError):
        queries.data_keys([two])


def test_a_wrong_master_key_is_an_error_and_nothing_opens(settings: Any) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    cache.forget()
    key_id = get_provider().wrap(b"x" * 32, b"")[0]
    settings.CORTEX_MASTER_KEYS = f"{key_id}:{base64.b64encode(os.urandom(32)).decode()}"
    with pytest.raises(UnwrapError):
        queries.data_keys([subject])
    with pytest.raises(UnwrapError):
        store.ensure_keys([subject])


def test_a_short_outage_of_the_provider_is_not_felt(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = uuid7()
    store.ensure_keys([subject])

    def down() -> None:
        raise UnwrapError("the provider does not answer")

    monkeypatch.setattr(queries, "get_provider", down)
    assert queries.data_keys([subject])
    cache.forget()
    with pytest.raises(UnwrapError):
        queries.data_keys([subject])


def test_the_context_loads_and_makes_keys() -> None:
    one, two = uuid7(), uuid7()
    with opened(one, two) as context:
        assert context.key_for(one).subject_id == one
        context.load_keys([uuid7()])
    with opened(one) as context:
        lost = uuid7()
        context.load_keys([lost])
        with pytest.raises(KeyMissing):
            context.key_for(lost)


def test_destroying_leaves_a_tombstone_and_is_recorded(as_system: None) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    assert actions.destroy_key(actor=ACTOR, subject_id=subject, reason="erasure") == 1
    row = SubjectKey.objects.get(subject=subject)
    assert row.wrapped is None and row.destroyed_at is not None
    assert queries.data_keys([subject])[subject][0].is_destroyed
    with opened(subject) as context, pytest.raises(KeyDestroyed):
        context.key_for(subject)
    audit = AuditLog.objects.get(event_type="key.destroyed")
    assert (audit.subject, audit.codes) == (subject, {"reason": "erasure", "versions": 1})
    assert actions.destroy_key(actor=ACTOR, subject_id=subject, reason="erasure") == 0
    assert SubjectKey.objects.filter(subject=subject).count() == 1


def test_a_destroyed_key_is_never_replaced(as_system: None) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    store.erase_material(subject)
    assert [key.is_destroyed for key in store.ensure_keys([subject])[subject]] == [True]
    with pytest.raises(KeyDestroyed):
        actions.rotate_key(actor=ACTOR, subject_id=subject)


def test_a_new_version_seals_only_once_every_cache_has_met_it(as_system: None) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    assert actions.rotate_key(actor=ACTOR, subject_id=subject) == 2
    assert AuditLog.objects.get(event_type="key.rotated").codes == {"version": 2}
    versions = {key.version: key for key in queries.data_keys([subject])[subject]}
    assert queries.pick(versions, subject).version == 1
    assert queries.pick(versions, subject, 2).version == 2
    SubjectKey.objects.filter(subject=subject, version=2).update(
        created_at=timezone.now() - timedelta(minutes=3)
    )
    cache.forget()
    versions = {key.version: key for key in queries.data_keys([subject])[subject]}
    assert queries.pick(versions, subject).version == 2
    assert SubjectKey.objects.get(subject=subject, version=1).rotated_at is not None
    with pytest.raises(KeyMissing):
        actions.rotate_key(actor=ACTOR, subject_id=uuid7())


def test_master_keys_are_rotated_by_rewrapping_alone(as_system: None, settings: Any) -> None:
    subjects = [uuid7() for _ in range(5)]
    blobs = {s: store.ensure_keys([s])[s][0].seal(b"words", b"") for s in subjects}
    old = settings.CORTEX_MASTER_KEYS
    settings.CORTEX_MASTER_KEYS = f"new:{base64.b64encode(os.urandom(32)).decode()},{old}"
    assert actions.rewrap_keys(actor=ACTOR, limit=3) == (3, 2, {})
    assert {only(s).unseal(blobs[s], b"") for s in subjects} == {b"words"}
    assert actions.rewrap_keys(actor=ACTOR, limit=3) == (2, 0, {})
    assert actions.rewrap_keys(actor=ACTOR, limit=3) == (0, 0, {})
    settings.CORTEX_MASTER_KEYS = settings.CORTEX_MASTER_KEYS.partition(",")[0]
    assert {only(s).unseal(blobs[s], b"") for s in subjects} == {b"words"}
    assert AuditLog.objects.filter(event_type="key.rewrapped").count() == 2


@pytest.mark.parametrize(
    "act",
    [
        lambda subject: SubjectKey.objects.filter(subject=subject).delete(),
        lambda subject: SubjectKey.objects.filter(subject=subject).update(wrapped=b"x"),
        lambda subject: SubjectKey.objects.filter(subject=subject).update(version=9),
    ],
)
def test_the_application_role_can_neither_delete_nor_change_a_key(act: Any) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(using="keys"):
        act(subject)
    with pytest.raises(ProgrammingError, match="permission denied"):
        store.erase_material(subject)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 1},
        {"version": 2, "wrapped": None},
        {"version": 2, "destroyed_at": timezone.now()},
        {"version": 0},
        {"version": 65536},
        {"version": 2, "purpose": "other"},
    ],
)
def test_the_table_refuses_what_makes_no_sense(wrong: dict[str, Any]) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    with pytest.raises(IntegrityError), transaction.atomic(using="keys"):
        SubjectKey.objects.create(**{"subject": subject, "wrapped": b"w", **wrong})


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="cortex")
    store.ensure_keys([uuid7()])
    assert not [entry for entry in caplog.records if entry.name.startswith("cortex")]


def test_only_the_key_store_lives_in_the_keys_database() -> None:
    from django.apps import apps

    from cortex.keys.router import KeysRouter

    router = KeysRouter()
    for model in apps.get_models():
        own = model._meta.app_label == "keys"
        assert router.db_for_read(model) == router.db_for_write(model) == ("keys" if own else None)
        assert router.allow_migrate("keys", model._meta.app_label) is own
        assert router.allow_migrate("default", model._meta.app_label) is not own
        assert router.allow_relation(SubjectKey, model) is own
    tables = set(connections["keys"].introspection.table_names())
    assert tables == {"keys_subjectkey", "django_migrations"}
    assert "keys_subjectkey" not in connections["default"].introspection.table_names()
