"""What the intake's bench asks of Django, each in a process of its own: prepare, count, open, profile."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

TABLES = {"message": "patients_message", "emotion": "patients_emotionobservation"}


def prepare(text_model: str) -> dict[str, Any]:
    """Issue a key, set the text model and return who may be written about (system role)."""
    from bench.board_children import api_key, staff
    from cortex.accounts.models import ApiKey, Organization
    from crisis.risk.textmodel import text_model as load
    from patients.registry.models import Patient
    from patients.sessions.observations import DailyCheckIn

    raw, home = api_key(), staff()[0].organization_id
    model = load()
    if text_model != "off" and model is not None:
        row = Organization.objects.get(pk=home)
        row.settings = row.settings | {"text_models": {model.version: text_model}}
        row.save(update_fields=["settings"])
    people = Patient.objects.filter(organization_id=home, status="active", merged_into=None).order_by("pk")
    first = DailyCheckIn.objects.order_by("date").values_list("date", flat=True).first()
    client = ApiKey.objects.order_by("-created_at").values_list("client_id", flat=True)[0]
    return {"key": raw, "client": str(client), "people": list(people.values_list("anonymous_id", flat=True)),
            "day": (first or datetime.now(UTC).date()).isoformat(), "organization": str(home)}  # fmt: skip


def count(client: str, tag: str, since: str) -> dict[str, int]:
    """Return what stands in the tables of what one client sent (system role).

    Ids are counted by the rows that they name; sessions by their names, check-ins by when they came.
    """
    from django.db import connection

    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for kind, table in TABLES.items():
            cursor.execute(
                f"SELECT count(*) FROM crisis_intakekey k JOIN {table} t ON t.id = k.object_id "  # noqa: S608
                "WHERE k.sender = %s AND k.object_type = %s AND k.result = 'stored'",
                [f"client:{client}", kind],
            )
            found[kind] = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM crisis_intakekey WHERE sender = %s", [f"client:{client}"])
        found["ids"] = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM patients_session WHERE client_ref LIKE %s AND status = 'completed' "
            "AND NOT start_is_inferred",
            [f"{tag}-s%"],
        )
        found["sessions"] = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM patients_dailycheckin WHERE received_at >= %s", [since])
        found["checkin"] = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(DISTINCT (patient_id, content_hash)) FROM patients_message WHERE received_at >= %s",
            [since],
        )
        found["texts"] = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM crisis_riskalert WHERE raised_at >= %s", [since])
        found["alerts"] = cursor.fetchone()[0]
    return found


def open_sample(client: str, organization: str, path: str) -> dict[str, Any]:
    """Open the stored row of each item in a file and hold it against what was sent (system role)."""
    from cortex.access.context import reading
    from cortex.audit import Actor

    items = json.loads(Path(path).read_text())
    home = UUID(organization)
    actor = Actor("system", None, "system:bench", "system", organization_id=home, org_ids=(home,))
    wrong = []
    with reading(actor, purpose="bench") as ctx:
        for item in items:
            try:
                if not _equals(ctx, client, item):
                    wrong.append(item["id"])
            except Exception as error:
                wrong.append(f"{item['id']}: {type(error).__name__}")
    return {"opened": len(items) - len(wrong), "of": len(items), "wrong": wrong[:5]}


def _equals(ctx: Any, client: str, item: dict[str, Any]) -> bool:
    """Whether what is stored of an item is what was sent, sealed columns opened."""
    from crisis.intake.models import IntakeKey, key_id
    from patients.registry.models import Patient
    from patients.sessions.messages import Message
    from patients.sessions.models import Session
    from patients.sessions.observations import DailyCheckIn, EmotionObservation

    patient = Patient.objects.get(anonymous_id=item["patient"])
    known = IntakeKey.objects.get(pk=key_id("item", f"client:{client}", patient.pk, item["id"]))
    kind, at = item["kind"], datetime.fromisoformat(item["at"])
    names: tuple[str, ...]
    if kind == "message":
        message = Message.objects.get(pk=str(known.object_id))
        ctx.open([message])
        return bool(
            message.content == item["text"] and message.role == item["role"] and message.sent_at == at
        )
    if kind == "emotion":
        seen = EmotionObservation.objects.get(pk=str(known.object_id))
        ctx.open([seen])
        names = ("label", "valence", "arousal", "confidence", "clinical_markers")
        return all(getattr(seen, name) == item.get(name) for name in names)
    if kind == "checkin":
        day = DailyCheckIn.objects.get(patient=patient, date=item["date"])
        ctx.open([day])
        names = ("mood", "sleep_quality", "stress_level", "notes")
        return all(getattr(day, name) == item.get(name) for name in names)
    session = Session.objects.get(patient=patient, client_ref=item["session"])
    ctx.open([session])
    if kind == "session_ended":
        return bool(session.status == item["status"] and session.ended_at == at)
    return bool(
        session.metrics == item["metrics"] and session.mood_label == "calm" and session.started_at == at
    )


def link() -> dict[str, Any]:
    """Link what waits and walk the whole chain (system role)."""
    from django.conf import settings

    from cortex.audit import queries, signing
    from cortex.audit.sequencer import link_pending

    while link_pending(5000):
        pass
    verdict = queries.verdict(signing.public_keys(), Path(settings.CORTEX_AUDIT_ANCHOR_FILE))
    return {"holds": bool(verdict.holds), "verdict": str(verdict)}


def profile(key: str, path: str, size: str, rounds: str) -> None:
    """Print where a request's processor time goes in one thread: statements, then functions."""
    import cProfile
    import logging
    import pstats

    from django.db import connection
    from django.test import Client

    from bench.intake_items import Load, body

    facts = json.loads(Path(path).read_text())
    load = Load(facts["people"], 1, f"p{time.time_ns() % 10**9}", datetime.fromisoformat(facts["at"]),
                date.fromisoformat(facts["day"]))  # fmt: skip
    logging.disable(logging.WARNING)
    many, headers = int(size), {"Authorization": f"Api-Key {key}"}
    numbers, client = iter(range(10**6)), Client()

    def send() -> tuple[float, float]:
        number = next(numbers)
        raw = body(load.batch(number, many) if many > 1 else [load.single(number)])
        begun, cpu = time.perf_counter(), time.thread_time()
        answer = client.post("/api/v1/intake", raw, content_type="application/json", headers=headers)
        took = time.perf_counter() - begun, time.thread_time() - cpu
        if answer.status_code != 200 or answer.json()["counts"] != {"stored": many}:
            raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
        return took

    for _ in range(5):
        send()
    asked: list[tuple[float, str]] = []

    def look(execute: Any, sql: str, params: Any, several: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, several, context)
        finally:
            asked.append((time.perf_counter() - begun, sql))

    with connection.execute_wrapper(look):
        send()
    for took, sql in asked:
        print(f"{took * 1000:7.2f} ms  {sql[:170]}")
    print(f"{len(asked)} statements, {sum(took for took, _ in asked) * 1000:.1f} ms in them")
    times = sorted(send() for _ in range(int(rounds)))
    wall, cpu = (sum(one[at] for one in times) / len(times) for at in (0, 1))
    print(f"{wall * 1000:.1f} ms a request, CPU {cpu * 1000:.1f} ms: {cpu / many * 1e6:.0f} µs an item")
    profiler = cProfile.Profile()
    for _ in range(int(rounds)):
        profiler.enable()
        send()
        profiler.disable()
    shown = pstats.Stats(profiler)
    shown.sort_stats("cumulative").print_stats(130)
    shown.sort_stats("tottime").print_stats(70)


if __name__ == "__main__":
    import django

    django.setup()
    task, *arguments = sys.argv[1:]
    if task == "profile":
        profile(*arguments)
    else:
        print(json.dumps(globals()[task](*arguments)))
