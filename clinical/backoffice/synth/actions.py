"""Writes of the synthetic house: its organizations and staff by the real actions, its people by COPY."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from clinical.backoffice.synth import queries
from clinical.backoffice.synth.people import people
from clinical.backoffice.synth.plan import EVENTS, SLUG, Chunk, Plan
from clinical.backoffice.synth.records import Records
from clinical.backoffice.synth.rows import Home, Rows
from clinical.backoffice.synth.tables import Table
from cortex.accounts.actions import create_organization, create_user
from cortex.accounts.factors.required import SETTING as FACTOR_RULE
from cortex.accounts.models import Organization
from cortex.audit import Actor, InputRefused, action, record
from cortex.audit.actors import actor_of_user
from cortex.keys.store import copy_keys
from cortex.live.models import Feed
from crisis.alerts.actions import raise_alert
from crisis.duty.actions import plan_shift, start_shift

STAFF = {"counselor": 6, "therapist": 5, "supervisor": 1, "admin": 1}
SHIFT = timedelta(hours=12)


@action
def found_house(*, actor: Actor, plan: Plan, password: str) -> None:
    """Make the organizations with their staff; refuse a database in which anybody lives already."""
    if there := queries.inhabitants():
        raise InputRefused(f"This database is not empty ({there}): take an empty one.", "not_empty")
    for number in range(plan.organizations):
        _found_organization(actor, plan, number, password)
    codes = {"seed": plan.seed, "people": plan.people, "alerts": plan.alerts, "at": plan.at.isoformat()}
    record(actor, "synth.founded", codes=codes)


def _found_organization(actor: Actor, plan: Plan, number: int, password: str) -> None:
    home = create_organization(
        actor=actor,
        name=f"Synthetic service {number} (fictional)",
        slug=f"{SLUG}{number}",
        # As the demo's: everybody is fictional, and the printed password is enough to look around.
        settings={"fictional": True, "notify_by_email": False, FACTOR_RULE: [], "desk_phone": "ext. 4400"},
    )
    for role, count in STAFF.items():
        for one in range(count):
            create_user(
                actor=actor,
                organization_id=home.pk,
                email=f"{role}{one}@{SLUG}{number}.example",
                full_name=f"{role.title()} {one} of {number}",
                role=role,
                # One hash of Argon2 for each organization is enough: who sits at the bench's desk signs in.
                password=password if one == 0 else None,
                is_verified=True,
            )
    # The numbers of the alerts that end before the first live one are taken at once.
    Feed.objects.create(organization=home, number=EVENTS * len(plan.ended(number)))


@action
def load_chunk(*, actor: Actor, plan: Plan, chunk: Chunk, home: Home) -> list[UUID]:
    """Write the people of one chunk with everything that is known of them; return their ids.

    Their keys commit first, as always. One audit row stands for the chunk: it names the numbers, from which
    the seed gives every row again.
    """
    found = people(plan, chunk)
    keys = copy_keys([one.id for one in found])
    rows = Rows(plan, home)
    rows.add(found, keys)
    lines = dict(rows.lines)
    if chunk.organization == 0:
        records = Records(plan, home)
        records.add([one for one in found if one.number in plan.treated])
        lines |= records.lines
    written = _copy(lines)
    codes = {"first": chunk.first, "end": chunk.end, "rows": written, "seed": plan.seed}
    record(actor, "synth.loaded", home.organization, codes=codes)
    return list(keys)


def _copy(tables: dict[Table, list[tuple[Any, ...]]]) -> int:
    written = 0
    with connection.cursor() as cursor:
        # What is lost with the power is built again, not restored.
        cursor.execute("SET LOCAL synchronous_commit = off")
        for table, lines in tables.items():
            if not lines:
                continue
            with cursor.copy(table.sql) as copy:
                for line in lines:
                    copy.write_row(line)
            written += len(lines)
    return written


@action
def staff_desk(*, actor: Actor, organization_id: UUID, at: datetime) -> int:
    """Put the counselors of an organization on shift for twelve hours; return how many were started.

    Whoever is on shift stays where they are.
    """
    started = 0
    for user in queries.counselors(organization_id):
        if queries.is_on_shift(user.pk, at):
            continue
        shift = plan_shift(
            actor=actor,
            user_id=user.pk,
            organization_id=organization_id,
            role="counselor",
            planned_start=at,
            planned_end=at + SHIFT,
        )
        start_shift(actor=actor_of_user(user), shift_id=shift.pk, sound_tested=True, at=at)
        started += 1
    record(actor, "synth.desk_staffed", object_id=organization_id, codes={"started": started})
    return started


@action
def raise_open_alerts(*, actor: Actor, plan: Plan, organization: Organization, at: datetime) -> int:
    """Raise the alerts that wait, by the real action: with their clocks, due steps and notifications."""
    chance, wanted = plan.chance(-1), plan.still_open()
    names = [plan.pseudonym(plan.person_of(alert)) for alert in wanted]
    ids = queries.patient_ids(names)
    for name in names:
        critical = chance.random() < 0.2
        level, rule = ("critical", "H1") if critical else ("high", "H11")
        facts: dict[str, Any] = {"rules_fired": [rule], "missing_inputs": ["cssrs", "phq9", "voice"]}
        raise_alert(
            actor=actor,
            organization_id=organization.pk,
            patient_id=ids[name],
            kind="self_harm",
            level=level,
            reason_code=rule,
            facts=facts,
            at=at,
        )
    record(actor, "synth.alerts_raised", organization, codes={"alerts": len(names)})
    return len(names)
