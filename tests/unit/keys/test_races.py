"""Keys commit first: racing writers share one, a rolled-back row leaves an orphan, and the sweep finds it."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from cortex.accounts.models import Organization
from cortex.audit.actors import system
from cortex.audit.models import AuditLog
from cortex.ids import uuid7
from cortex.keys import actions, queries, registry, store, tasks
from cortex.keys.actions import SweepRefused
from cortex.keys.cache import cache
from cortex.keys.models import SubjectKey
from cortex.keys.tasks import sweep_orphan_keys

ACTOR = system("tests")
DAY = timedelta(hours=24)


def backdate(*subjects: UUID, hours: float = 48) -> None:
    """Make keys look as if nobody had asked for them since."""
    SubjectKey.objects.filter(subject__in=subjects).update(wanted_at=timezone.now() - timedelta(hours=hours))
    cache.forget()


def nobody(subjects: Collection[UUID]) -> Collection[UUID]:
    return []


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_racing_writers_end_with_one_key() -> None:
    subjects = [uuid7() for _ in range(6)]
    gate = threading.Barrier(12)
    sealed: list[dict[UUID, bytes]] = []

    def writer() -> None:
        try:
            gate.wait(30)
            # As separate processes would: nobody profits from another's cache.
            found = store.ensure_keys(subjects)
            sealed.append({subject: found[subject][0].seal(b"words", b"") for subject in subjects})
        finally:
            connections.close_all()

    threads = [threading.Thread(target=writer) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(sealed) == 12
    assert SubjectKey.objects.count() == len(subjects)
    cache.forget()
    keys = queries.data_keys(subjects)
    for blobs in sealed:
        for subject, blob in blobs.items():
            assert keys[subject][0].unseal(blob, b"") == b"words"


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_the_key_commits_even_when_the_row_does_not_and_the_sweep_removes_it() -> None:
    orphan = uuid7()
    with pytest.raises(RuntimeError, match="the row fails"), transaction.atomic():
        Organization.objects.create(id=orphan, name="never", slug="never")
        store.ensure_keys([orphan])
        raise RuntimeError("the row fails")
    assert not Organization.objects.filter(pk=orphan).exists()
    assert SubjectKey.objects.filter(subject=orphan).exists()
    alive = Organization.objects.create(name="alive", slug="alive")
    store.ensure_keys([alive.pk])
    as_system()
    backdate(orphan, alive.pk)
    young = uuid7()
    store.ensure_keys([young])
    removed = actions.sweep_orphans(actor=ACTOR, existing=queries.existing_organizations)
    assert removed == 1
    assert set(SubjectKey.objects.values_list("subject", flat=True)) == {alive.pk, young}
    assert SubjectKey.objects.get(subject=alive.pk).confirmed_at is not None
    row = AuditLog.objects.get(event_type="key.orphans_swept")
    assert row.codes == {"count": 1, "confirmed": 1}


def as_system() -> None:
    """Change the role of both connections; transactional tests take no fixture for it."""
    for alias in ("default", "keys"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SET ROLE cortex_system")


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_inside_a_transaction_of_the_key_store_no_key_is_made() -> None:
    # It would not commit before the row that it seals.
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(using="keys"):
        store.ensure_keys([uuid7()])
    assert SubjectKey.objects.count() == 0


@pytest.mark.django_db
def test_the_application_role_never_sweeps() -> None:
    # Row security would hide live patients from it, and their keys would be lost.
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("cortex_app",)
    with pytest.raises(SweepRefused) as caught:
        actions.sweep_orphans(actor=ACTOR, existing=nobody)
    assert caught.value.code == "wrong_role"


@pytest.mark.django_db
def test_a_sweep_without_an_owner_for_each_purpose_is_refused(
    as_system: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_OWNERS", {"organization": [nobody]})
    with pytest.raises(SweepRefused) as caught:
        actions.sweep_orphans(actor=ACTOR)
    assert caught.value.code == "no_owner" and registry.unregistered() == ["patient"]


@pytest.mark.django_db
def test_any_owner_saves_a_key_whatever_purpose_it_states(
    as_system: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, organization, orphan = uuid7(), uuid7(), uuid7()
    monkeypatch.setattr(registry, "_OWNERS", {})
    registry.register(lambda ids: {patient} & set(ids))
    registry.register(lambda ids: {organization} & set(ids), purpose="organization")
    store.ensure_keys([patient, organization, orphan])
    backdate(patient, organization, orphan)
    assert actions.sweep_orphans(actor=ACTOR) == 1
    assert not SubjectKey.objects.filter(subject=orphan).exists()
    assert actions.sweep_orphans(actor=ACTOR) == 0


@pytest.mark.django_db
def test_a_night_sweeps_them_all(as_system: None, monkeypatch: pytest.MonkeyPatch) -> None:
    orphans = [uuid7() for _ in range(5)]
    store.ensure_keys(orphans)
    backdate(*orphans)
    monkeypatch.setattr(tasks, "sweep_orphans", partial(actions.sweep_orphans, limit=2))
    sweep_orphan_keys()
    assert not SubjectKey.objects.filter(subject__in=orphans).exists()


@pytest.mark.django_db
def test_a_young_key_is_never_swept(as_system: None) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    backdate(subject, hours=23)
    assert actions.sweep_orphans(actor=ACTOR, existing=nobody) == 0
    with pytest.raises(SweepRefused):
        actions.sweep_orphans(actor=ACTOR, existing=nobody, older_than=timedelta(minutes=59))


@pytest.mark.django_db
def test_a_key_that_is_asked_for_again_is_not_swept(as_system: None) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    backdate(subject)
    before = timezone.now() - DAY
    candidates = queries.orphan_candidates(before, 10)
    assert candidates == [subject]
    # Between the look and the deletion a writer comes back with the same subject.
    store.ensure_keys([subject])
    assert store.drop_orphans(candidates, before) == 0
    assert SubjectKey.objects.filter(subject=subject).exists()


@pytest.mark.django_db
def test_a_destroyed_key_is_no_orphan(as_system: None) -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    store.erase_material(subject)
    backdate(subject)
    assert actions.sweep_orphans(actor=ACTOR, existing=nobody) == 0
    assert SubjectKey.objects.filter(subject=subject).exists()


@pytest.mark.django_db
def test_the_task_sweeps_by_the_registered_owners(as_system: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[UUID]] = []

    def nobody_of(subjects: Collection[UUID]) -> Collection[UUID]:
        seen.append(set(subjects))
        return []

    monkeypatch.setattr(registry, "_OWNERS", {})
    registry.register(nobody_of)
    registry.register(queries.existing_organizations, purpose="organization")
    subject = uuid7()
    store.ensure_keys([subject])
    backdate(subject)
    sweep_orphan_keys()
    assert seen == [{subject}]
    assert SubjectKey.objects.count() == 0


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_a_key_that_is_rotated_while_it_is_destroyed_leaves_no_live_version() -> None:
    subject = uuid7()
    store.ensure_keys([subject])
    added, erased = threading.Event(), []

    def destroy() -> None:
        try:
            added.wait(30)
            as_system()
            erased.append(store.erase_material(subject))
        finally:
            connections.close_all()

    thread = threading.Thread(target=destroy)
    thread.start()
    # A version is added and not yet committed when the other begins to destroy what it sees.
    with transaction.atomic(using=store.ALIAS):
        rows = SubjectKey.objects.select_for_update().filter(subject=subject)
        [newest] = rows
        fresh = store._fresh_row(subject, newest.version + 1, newest.purpose)
        fresh.save(force_insert=True)
        added.set()
        wait_for_lock()
    thread.join(60)
    assert erased == [2]
    assert not SubjectKey.objects.filter(subject=subject, destroyed_at=None).exists()


def wait_for_lock() -> None:
    """Return once somebody waits for a lock in the keys' database."""
    for _ in range(300):
        with connections[store.ALIAS].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.1)
    raise AssertionError("nobody came to wait")
