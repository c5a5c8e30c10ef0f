"""What is taken out, by which change of the source, and the tests that must say so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sabotage:
    """One safeguard: `old` stands exactly once in the file, `new` takes its place.

    `raises` are exceptions by which its tests notice beside their assertions: what the next guard says, a row
    that should be there and is not, news that is waited for in vain.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    raises: tuple[str, ...] = ()


# Numbers that commit at once, out of the transaction that they belong to: no lock orders the commits.
UNLOCKED_FEED = """    import psycopg

    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as own:
        row = own.execute(NEXT_NUMBERS, [organization_id, count]).fetchone()
        return int(row[0]) if row else 0"""

CASES = (
    Sabotage(
        "the sweep finds nothing that is due", "crisis/sweep/loop.py",
        "due = [one for one in escalation_queries.due_steps(clock(), BATCH) if one.pk not in seen]",
        "due: list[DueStep] = []",
        ("tests/unit/crisis/test_sweeper_holds.py",),
    ),
    Sabotage(
        "the sweeper anchors no head of the trail", "crisis/sweep/loop.py",
        "            anchor_head()\n",
        "            pass\n",
        ("tests/unit/crisis/test_sweep_anchors.py",),
    ),
    Sabotage(
        "a page that comes back is not sent what it missed", "cortex/live/hub.py",
        "        events = seat.room.kept_after(seat.sent) or await self.read(seat.room, seat.sent)\n",
        "        events = None\n        seat.sent = seat.room.last or 0\n        return\n",
        ("tests/live/test_replay.py",),
        raises=("TimeoutError",),  # of who waits for what was missed
    ),
    Sabotage(
        "feed numbers are taken without the feed's lock", "cortex/live/feed.py",
        "    with connection.cursor() as cursor:\n"
        "        cursor.execute(NEXT_NUMBERS, [organization_id, count])\n"
        "        return cursor.fetchone()[0]",
        UNLOCKED_FEED,
        ("tests/live/test_replay.py",),
    ),
    Sabotage(
        "two people claim one alert", "crisis/alerts/queries.py",
        "        if patient_id is not None:\n"
        "            lock_person(patient_id)\n"
        "    for alert in _locked(alert_id):\n",
        "        pass\n"
        '    for alert in RiskAlert.objects.select_related("assigned_to").filter(pk=alert_id):\n',
        ("tests/faults/test_claims.py::test_a_conflict_says_since_when_and_what_is_allowed",
         "tests/faults/test_claims.py::test_take_overs_at_once_are_written_one_after_the_other"),
    ),
    Sabotage(
        "an alert that somebody has can be claimed", "crisis/ownership/actions.py",
        "    moves.next_state(actor, alert, Move.CLAIM)\n    siblings",
        "    siblings",
        ("tests/unit/crisis/test_transitions.py",),
        raises=("cortex.audit.rules.AuditMissing",),  # the next guard: a claim that changes nothing
    ),
    Sabotage(
        "what was done is not written to the trail", "cortex/audit/machine.py",
        "    AUDIT_ROWS.append(frame.audit)",
        "    pass",
        ("tests/unit/audit/test_trail.py",),
        raises=("cortex.audit.models.AuditLog.DoesNotExist",),  # the row that should be there
    ),
    Sabotage(
        "what an action opened is not written to the trail", "cortex/audit/machine.py",
        "    ACCESS_ROWS.append(frame.access)",
        "    pass",
        ("tests/unit/access/test_context.py",),
    ),
    Sabotage(
        "who looked is not written to the trail", "cortex/access/context.py",
        "            ACCESS_ROWS.append(context.close())",
        "            context.close()",
        ("tests/unit/access/test_context.py",),
        raises=("cortex.audit.models.PhiAccessLog.DoesNotExist",),  # the row that should be there
    ),
    Sabotage(
        "an action without a record is let through", "cortex/audit/machine.py",
        '    raise AuditMissing(f"{frame.name} changed something without record(); it was rolled back")',
        "    return",
        ("tests/unit/audit/test_trail.py",),
        raises=("django.db.utils.ProgrammingError: new row violates row-level",),  # the next guard
    ),
    Sabotage(
        "a stranger's sealed words open", "cortex/access/context.py",
        "        if people - self._related.keys():\n            raise NotFound",
        "        for one in people - self._related.keys():\n            self._related[one] = self.ground",
        ("tests/unit/access/test_context.py",),
    ),
    Sabotage(
        "a sealed value is bound to no place", "cortex/crypto/sealed.py",
        "            return self._binding + b\"\\x00\\x10\" + pk.bytes + subject.bytes",
        "            return self._binding + b\"\\x00\\x10\" + subject.bytes",
        ("tests/unit/crypto",),
    ),
    Sabotage(
        "a stale timer fires after somebody has claimed", "crisis/sweep/actions.py",
        "    if step.kind not in UNFENCED and step.epoch != alert.epoch:",
        "    if step.kind == 'never':",
        ("tests/unit/crisis/test_sweep.py",),
        raises=("cortex.audit.rules.RuleBroken",),  # the next guard: a move that the state forbids
    ),
    Sabotage(
        "a critical step that nobody confirms is left alone", "crisis/sweep/actions.py",
        "    if alert.chain_position < len(alert.policy[\"chain\"]):\n        fire_next(",
        "    if alert.chain_position < 0:\n        fire_next(",
        ("tests/unit/crisis/test_sweep.py",),
    ),
    Sabotage(
        "the organizations that a transaction named stay named on its connection", "cortex/audit/scope.py",
        "set_config('app.orgs', %s, true)",
        "set_config('app.orgs', %s, false)",
        ("tests/unit/access/test_rows.py",),
    ),
    Sabotage(
        "the back office opens without the second factor", "cortex/accounts/factors/gate.py",
        "        if access is None or access.how != \"roles\" or not request.user.is_authenticated:",
        "        if access is None or request.path[:7] == \"/admin/\" or not request.user.is_authenticated:",
        ("tests/unit/accounts/test_factor_gate.py",),
        raises=("KeyError",),  # of who should be led to the second step
    ),
    Sabotage(
        "a job that is given up leaves no dead letter", "cortex/ops/slots/actions.py",
        "    bury_slot(actor=actor, job=row.job, slot=row.slot, error_code=error_code, at=now)",
        "    return",
        ("tests/unit/ops/test_slots.py",),
        raises=("cortex.ops.letters.models.DeadLetter.DoesNotExist",),  # the letter that should be there
    ),
    Sabotage(
        "a row that does not open leaves no dead letter", "cortex/ui/rules.py",
        "            _list(request, error)",
        "            pass",
        ("tests/unit/ops/test_letters.py",),
        raises=("cortex.ops.letters.models.DeadLetter.DoesNotExist",),  # the letter that should be there
    ),
    Sabotage(
        "a slot of the timetable runs for each message that comes", "cortex/ops/slots/actions.py",
        "    if not row.is_free(message, now):\n        return False\n",
        "",
        ("tests/unit/ops/test_slots.py",),
    ),
    Sabotage(
        "the text model alone reaches a level that pages", "crisis/risk/engine.py",
        "    if soft > policy.cap_model and _rests_on_model(parts, policy):",
        "    if soft > 1 and _rests_on_model(parts, policy):",
        ("tests/unit/risk/test_text_model.py",),
    ),
    Sabotage(
        "a backup's file is not held against its digest", "cortex/ops/backups/manifest.py",
        "    if source.size != manifest.sealed_bytes or source.digest.hexdigest() != manifest.sha256:",
        "    if source.size != manifest.sealed_bytes:",
        ("tests/unit/ops/test_backups.py",),
    ),
    Sabotage(
        "a backup is put back without its proof", "cortex/ops/backups/house.py",
        "        return path, manifest.prove(path, kind, backup_key(kind))",
        "        return path, manifest.read(path, kind, backup_key(kind))",
        ("tests/unit/ops/test_backups.py",),
    ),
    Sabotage(
        "a legal hold keeps nothing from being deleted", "patients/holds/queries.py",
        "    return (holds if moment is None else holds.around(moment)).exists()",
        "    return False and holds.exists()",
        ("tests/unit/patients/test_held_records.py",),
    ),
    Sabotage(
        "a legal hold doesn't stop the purge of words", "patients/holds/queries.py",
        "    return Q(Exists(whose.around(Subquery(start, output_field=DateTimeField()))))",
        "    return Q(Exists(whose.none()))",
        ("tests/unit/patients/test_holds.py",),
    ),
    Sabotage(
        "labels shut no note", "clinical/notes/labels.py",
        "    shut = sorted(closed_to(relation, part2=part2))\n",
        "    shut = sorted(closed_to(relation, part2=part2) & {\"\"})\n",
        ("tests/unit/notes/test_notes.py", "tests/unit/timeline/test_labelled.py"),
    ),
    Sabotage(
        "records of Part 2 open without the person's word", "patients/labels/rules.py",
        "    return shut if part2 and relation in MAY_AGREE else shut | {PART2}",
        "    return shut",
        ("tests/unit/notes/test_notes.py", "tests/unit/sessions/test_labels.py"),
    ),
    Sabotage(
        "whoever saves last wins, whatever stands there", "clinical/notes/actions.py",
        "knows_newest=version == row.version",
        "knows_newest=True",
        ("tests/unit/notes/test_notes.py",),
    ),
    Sabotage(
        "a note is signed by whoever finds the screen open", "clinical/notes/views.py",
        "    ask_again_unless_recent(request, \"Sign the note\")\n    actions.sign_note(",
        "    actions.sign_note(",
        ("tests/unit/notes/test_pages.py",),
    ),
    Sabotage(
        "a note is signed though it isn't what was read", "clinical/notes/actions.py",
        "    if row.version != version:\n        raise RuleBroken(\"This note was saved",
        "    if version < 0:\n        raise RuleBroken(\"This note was saved",
        ("tests/unit/notes/test_notes.py",),
    ),
    Sabotage(
        "item 9 is scored and nobody hears of it", "clinical/assessments/actions.py",
        "        drafts = [from_item9(one.items.get(\"q9\"), origin)]",
        "        drafts = []",
        ("tests/unit/assessments/test_administrations.py",),
        raises=("ValueError",),  # of one alert that should be there
    ),
    Sabotage(
        "break-glass writes in the chart", "patients/registry/access.py",
        "    if standing.name == BREAK_GLASS and (bool(frames()) if writes is None else writes):",
        "    if standing.name == BREAK_GLASS and writes:",
        ("tests/unit/pathway/test_breakglass.py",),
    ),
    Sabotage(
        "a grant outlives its hours", "patients/care/models.py",
        "        \"\"\"Keep grants that hold at `at`.\"\"\"\n        return self.filter(running(at))",
        "        \"\"\"Keep grants that hold at `at`.\"\"\"\n        return self.filter(starts_at__lte=at)",
        ("tests/unit/patients/test_access.py", "tests/unit/pathway/test_breakglass.py"),
    ),
    Sabotage(
        "a cover outlives the place that it covers", "patients/care/models.py",
        "        return self.filter(running(at) & covered)",
        "        return self.filter(running(at))",
        ("tests/unit/patients/test_access.py",),
    ),
    Sabotage(
        "waits for a server that says nothing add up without end", "cortex/ops/postgres/base.py",
        "    if left <= 0:\n        raise psycopg.OperationalError(\"the time for all answers is over\")\n"
        "    return left",
        "    return None if left <= 0 else left",
        ("tests/unit/ops/test_waits.py",),
    ),
    Sabotage(
        "a slot runs before its time when a clock is ahead", "cortex/ops/slots/actions.py",
        "    if slot > now + AHEAD:\n        return False\n",
        "",
        ("tests/unit/ops/test_leaps.py",),
    ),
    Sabotage(
        "a password that was typed in the future counts", "cortex/accounts/signin/recent.py",
        "    return -SKEW < time.time() - records[-1][\"at\"] < span.total_seconds()",
        "    return bool(time.time() - records[-1][\"at\"] < span.total_seconds())",
        ("tests/unit/ops/test_leaps.py",),
    ),
    Sabotage(
        "a disk that is nearly full is ready", "cortex/ops/health.py",
        "    is_short = any(share is None or share >= FULL_SHARE for share in shares.values())",
        "    is_short = False",
        ("tests/unit/ops/test_health.py",),
    ),
    Sabotage(
        "whoever reads of everybody is told of to nobody", "cortex/audit/bulkreads/queries.py",
        "WHERE opened.people > %(opened)s OR listed.people > %(listed)s ORDER BY",
        "WHERE opened.people > 1000 * %(opened)s OR listed.people > 1000 * %(listed)s ORDER BY",
        ("tests/unit/audit/test_bulk_reading.py",),
        raises=("ValueError",),  # of one notice that should be there
    ),
    Sabotage(
        "a search of the caseload finds what a label shuts", "clinical/notes/labels.py",
        "    return Q(author_id=user_id) | Q(cosigned_by_id=user_id) | ~(shut | part2)",
        "    return Q(author_id=user_id) | Q(cosigned_by_id=user_id) | ~(shut & part2)",
        ("tests/unit/notes/test_search_labels.py",),
    ),
    Sabotage(
        "a week outside the alarm budget asks nobody", "crisis/calibration/watch.py",
        "    if is_asked or all(line.holds is not False for line in budget(report)):",
        "    if is_asked or all(line.holds is not None for line in budget(report)):",
        ("tests/unit/crisis/test_alarm_budget.py",),
        raises=("ValueError",),  # of one task that should be there
    ),
)  # fmt: skip
