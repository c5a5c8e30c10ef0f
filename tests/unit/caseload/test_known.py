"""A caseload of what a process keeps is the one made anew, whatever was written and whatever the time."""

from __future__ import annotations

import random
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinical.caseload import lines
from clinical.caseload.known import queries as known
from clinical.caseload.queries import caseload
from cortex.audit import system
from patients.care.models import CareTeamMember
from patients.changes.actions import drop_changes
from patients.changes.queries import FORGOTTEN, HOLDS, marks
from patients.changes.tasks import drop_changes as task
from patients.registry.actions import update_patient
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.caseload import written
from tests.unit.caseload.conftest import Reading, kept, known_anew, known_of
from tests.unit.caseload.test_live import client_of
from tests.unit.caseload.written import LATER, WRITES

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CALM = {f"q{number}": 1 for number in range(1, 9)} | {"q9": 0}


def as_role(name: str) -> None:
    """Go on in this transaction as another role of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('role', %s, true)", [name])
    makers.scope_all()


def name_of(write: Any) -> str:
    return str(write.__name__)


@pytest.mark.parametrize("write", WRITES, ids=name_of)
def test_what_was_written_stands_on_the_next_list(
    cast: Cast, asked: None, write: Callable[[Cast, datetime], None]
) -> None:
    written.prepare(cast, write)
    at = makers.now() + timedelta(minutes=1)
    assert known_of(cast, at) == known_anew(cast, at)
    write(cast, makers.now() - HOUR)
    for moment in (at, at + timedelta(minutes=40)):
        assert known_of(cast, moment) == known_anew(cast, moment)


@pytest.mark.parametrize("write", [one for one in WRITES if one not in written.ASKED_ALWAYS], ids=name_of)
def test_it_would_be_missed_if_nobody_told(
    cast: Cast, asked: None, write: Callable[[Cast, datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof of the proof: without the log each of these writes makes the kept list a wrong one."""
    written.prepare(cast, write)
    monkeypatch.setattr(known, "marks", lambda ids: {})
    at = makers.now() + timedelta(minutes=1)
    known_of(cast, at)
    write(cast, makers.now() - HOUR)
    moments = (at, at + timedelta(minutes=40))
    assert any(known_of(cast, moment) != known_anew(cast, moment) for moment in moments)


@pytest.mark.parametrize("seed", range(3))
def test_any_history_at_any_time_is_read_as_it_is(cast: Cast, asked: None, seed: int) -> None:
    """Writes in any order, looked at early and late: times go forward and back as people's clocks do."""
    dice = random.Random(seed)
    written.screened(cast, makers.now() - 25 * DAY)
    for _ in range(40):
        write = dice.choice([*WRITES, written.screened])
        write(cast, makers.now() - dice.choice([HOUR, 3 * DAY, 20 * DAY, 89 * DAY, 700 * DAY]))
        for later in (timedelta(minutes=1), dice.choice(LATER)):
            at = makers.now() + later
            assert known_of(cast, at) == known_anew(cast, at), (write.__name__, later)


def test_whatever_is_kept_is_read_again_before_the_log_forgets_it(cast: Cast, reading: Reading) -> None:
    at = makers.now()
    kept(cast, at)
    reading.taken()
    kept(cast, at + HOLDS - timedelta(seconds=1))
    assert reading.taken() == []
    kept(cast, at + HOLDS)
    assert reading.taken() == [cast.patient.pk]
    kept(cast, at)
    assert reading.taken() == [cast.patient.pk], "what was read later says nothing of a time before"


def test_only_those_of_whom_something_was_written_are_read_again(cast: Cast, reading: Reading) -> None:
    people = [makers.make_patient(cast.home, team=[cast.alice]) for _ in range(4)]
    at = makers.now() + timedelta(minutes=1)
    kept(cast, at)
    assert len(reading.taken()) == 5
    with CaptureQueriesContext(connection) as warm:
        kept(cast, at)
    assert reading.taken() == []
    makers.make_message(people[2], "I went to the market")
    with CaptureQueriesContext(connection) as read:
        kept(cast, at)
    assert reading.taken() == [people[2].pk]
    assert len(read) > len(warm)


def test_nobody_gets_what_was_read_for_another_organization_or_another_time_in_care(
    cast: Cast, reading: Reading
) -> None:
    makers.add_to_team(cast.patient, cast.bob)
    at = makers.now() + timedelta(minutes=1)
    kept(cast, at)
    makers.scope_all()
    caseload(cast.bob, at)
    assert reading.taken() == [cast.patient.pk], "their care began once, whoever looks"
    places = CareTeamMember.objects.filter(patient=cast.patient, user=cast.alice)
    places.update(starts_at=at - 90 * DAY)
    caseload(cast.bob, at)
    assert reading.taken() == [cast.patient.pk], "it began earlier than what was read says"


def test_every_column_that_is_read_for_what_is_kept_tells_of_its_changes(cast: Cast) -> None:
    """Whoever adds a question to the reading must let its table tell, or say here what the key has of it."""
    # Their ids alone, which the key names; instruments are versions that nobody edits.
    named = {"patients_patient", "clinical_instrument"}
    never_changed = {"id", "patient_id", "role"}
    for write in (
        written.message, written.session, written.measure, written.words, written.therapy_while_high,
        written.own_schedule,
    ):  # fmt: skip
        write(cast, makers.now() - DAY)
    at = makers.now() + timedelta(minutes=1)
    with CaptureQueriesContext(connection) as cold:
        kept(cast, at)
    with CaptureQueriesContext(connection) as warm:
        kept(cast, at)
    asked = [one["sql"] for one in cold]
    for one in warm:
        asked.remove(next(sql for sql in asked if sql[:200] == one["sql"][:200]))
    # The schedules are read whole, and the reckoning takes four columns of them.
    asked = [sql.split(" FROM ", 1)[1] if "clinical_measureplan" in sql else sql for sql in asked]
    read: dict[str, set[str]] = defaultdict(set)
    for sql in asked:
        for table in re.findall(r'(?:FROM|JOIN) "?([a-z]+_[a-z]+)"?', sql):
            read[table] |= set(re.findall(r'"(\w+)"', sql)) & columns(table)
    read["clinical_measureplan"] |= {"key", "interval_days", "is_paused", "paused_until"}
    # Another table's column in the same statement.
    read["patients_message"].discard("sensitivity_labels")
    telling = told_columns()
    for table in telling:
        assert {"tell_insert", "tell_delete"} <= triggers(table), table
    assert set(read) - named == set(telling), "a table tells what nobody reads, or the other way round"
    for table in set(read) - named:
        assert read[table] - never_changed - telling[table] == set(), table


def columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {one.name for one in connection.introspection.get_table_description(cursor, table)}


def triggers(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass", [table])
        return {name for (name,) in cursor.fetchall()}


def told_columns() -> dict[str, set[str]]:
    """Return by table the columns whose change its triggers tell of."""
    found: dict[str, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        made = "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger"
        cursor.execute(f"{made} WHERE tgname LIKE 'tell_%'")
        for table, text in cursor.fetchall():
            found[table] |= set(re.findall(r"old\.(\w+)", text))
    return dict(found)


def test_a_name_is_kept_nowhere_and_is_the_present_one(cast: Cast) -> None:
    client = client_of(cast.alice)
    assert "Zawadi Planted" in client.get("/caseload/").content.decode()
    assert len(lines.LINES) == 1
    assert not any("Zawadi" in text for text in lines.LINES._held.values())
    makers.scope_all()
    update_patient(actor=staff(cast.ada), patient_id=cast.patient.pk, changes={"given_name": "<b>Neema</b>"})
    page = client.get("/caseload/").content.decode()
    assert "&lt;b&gt;Neema&lt;/b&gt; Planted" in page
    assert "Zawadi" not in page
    assert len(lines.LINES) == 1, "a line is the same whatever its name"


def test_a_line_says_what_its_row_says_the_second_time_as_well(cast: Cast) -> None:
    client = client_of(cast.alice)
    first, second = (client.get("/caseload/").content.decode().split('id="cases"')[1] for _ in range(2))
    token = re.compile(r'(?<=value=")[A-Za-z0-9]{64}')
    assert token.sub("", first) == token.sub("", second)
    makers.scope_all()
    written.level(cast, makers.now())
    assert "The level rose to high." in client.get("/caseload/").content.decode()


def test_what_a_mark_stood_for_never_comes_back(cast: Cast) -> None:
    """Rows leave while others come: as many, and the mark is another all the same."""
    written.message(cast, makers.now())
    before = marks([cast.patient.pk])[cast.patient.pk]
    as_role("cortex_owner")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE patients_change SET at = now() - %s::interval", [str(2 * FORGOTTEN)])
    as_role("cortex_system")
    assert task() >= before.rows
    assert cast.patient.pk not in marks([cast.patient.pk])
    as_role("cortex_app")
    for _ in range(before.rows):
        CareTeamMember.objects.filter(patient=cast.patient).update(starts_at=makers.now() - DAY)
    after = marks([cast.patient.pk])[cast.patient.pk]
    assert (after.rows, after.total > before.total) == (before.rows, True)
    assert HOLDS < FORGOTTEN, "a row leaves long after the last reading that counted it has ended"


def test_young_rows_of_the_log_stay(cast: Cast) -> None:
    written.message(cast, makers.now())
    as_role("cortex_system")
    assert drop_changes(actor=system("changes")) == 0


@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM patients_change", "UPDATE patients_change SET at = now()",
     "INSERT INTO patients_change (patient_id) VALUES (gen_random_uuid())", "TRUNCATE patients_change"],
    ids=lambda sql: sql.split()[0].lower(),
)  # fmt: skip
def test_the_application_can_neither_write_the_log_nor_take_from_it(cast: Cast, sql: str) -> None:
    refused = pytest.raises(ProgrammingError, match="permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_nobody_else_s_trigger_writes_the_log(cast: Cast) -> None:
    """The functions work with the owner's right: in a table of one's own they would take made-up rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE mine (patient_id uuid, organization_id uuid) ON COMMIT DROP")
        by_rows = "AFTER INSERT ON mine REFERENCING NEW TABLE AS written FOR EACH STATEMENT"
        for how, name in ((by_rows, "rows"), ("AFTER UPDATE ON mine FOR EACH ROW", "row")):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(f"CREATE TRIGGER mine {how} EXECUTE FUNCTION patients_tell_{name}()")


def test_what_is_over_leaves_the_process(cast: Cast) -> None:
    other = makers.make_patient(cast.home, team=[cast.alice])
    at = makers.now()
    kept(cast, at)
    assert {one.pk for one in known.KNOWN._held} == {cast.patient.pk, other.pk}
    makers.scope_all()
    CareTeamMember.objects.filter(patient=other).update(ends_at=makers.now())
    kept(cast, at + 2 * HOLDS)
    assert {one.pk for one in known.KNOWN._held} == {cast.patient.pk}


@pytest.mark.django_db(transaction=True)
def test_who_commits_late_is_seen_and_who_gives_up_is_not(cast: Cast) -> None:
    """The numbers of the log come before the commits: one with a lower number may commit after a higher."""
    at = makers.now() + timedelta(minutes=1)
    wrote_one, read, done = threading.Event(), threading.Event(), threading.Event()

    def late() -> None:
        try:
            with transaction.atomic():
                makers.scope_all()
                written.level(cast, makers.now())
                wrote_one.set()
                read.wait(20)
        finally:
            connection.close()
            done.set()

    with transaction.atomic():
        kept(cast, at)
    writer = threading.Thread(target=late)
    writer.start()
    assert wrote_one.wait(20)
    with transaction.atomic():
        makers.scope_all()
        written.check_in(cast, makers.now())
    with transaction.atomic():
        (case,) = kept(cast, at)
        assert case.level == "", "not yet committed"
    read.set()
    assert done.wait(20)
    writer.join(20)
    with transaction.atomic():
        (case,) = kept(cast, at)
        assert case.level == "high"
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        makers.scope_all()
        written.lower_level(cast, makers.now())
        assert kept(cast, at)[0].level == "low"
        raise ZeroDivisionError
    with transaction.atomic():
        assert kept(cast, at)[0].level == "high"
