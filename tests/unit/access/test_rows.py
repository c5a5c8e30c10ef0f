"""PostgreSQL is the second line: without a named organization nothing, without the filter nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse

from cortex.access.context import scoped, set_scope
from cortex.access.rows import IN_SCOPE
from cortex.accounts.choices import Role
from cortex.ids import uuid7
from cortex.ui.admin import ActionAdmin
from crisis.alerts import access
from crisis.alerts.models import RiskAlert
from crisis.desk import boards
from crisis.duty.models import DutyShift
from patients.registry.models import Patient
from tests import scopes, stores
from tests.cast import Cast
from tests.makers import consent, machine, make_alert, make_message, make_user, scope_all, staff

pytestmark = pytest.mark.django_db
# Rows that everybody may see: crisis lines, and the clocks that hold for every organization.
OPEN_TO_ALL = {"crisis_crisisresource"}
OWNED = """
    SELECT c.relname, c.relkind, c.relispartition, c.relrowsecurity AND c.relforcerowsecurity
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND c.relname ~ '^(patients|crisis|clinical)_' ORDER BY 1
"""


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall()


def guarded() -> list[str]:
    """The tables that the application reads, partitions left out."""
    return [name for name, _, is_month, _ in rows(OWNED) if not is_month]


def alert_of(cast: Cast, patient: Patient) -> RiskAlert:
    return make_alert(patient)


# The policies


def test_every_table_of_people_and_alerts_has_its_policies_months_included() -> None:
    found = rows(OWNED)
    assert len(found) > 45
    assert [name for name, _, _, forced in found if not forced] == []
    policies = rows("SELECT tablename, policyname, roles::text[], qual, with_check FROM pg_policies")
    own = {table: (qual, check) for table, name, _, qual, check in policies if name == "own_rows"}
    assert sorted(own) == [name for name, *_ in found]
    # The log of changes, of which a list reads thousands of rows, asks once which organizations were named.
    (once,) = {*own.pop("patients_change")}
    (said,) = {part for both in own.values() for part in both}
    for one in (said, once):
        assert all(word in one for word in ("organization_id", "ANY", "app.orgs", "NULLIF")), (one, IN_SCOPE)
    assert ("SELECT" in said, "SELECT" in once) == (False, True)
    for_others = {(name, role) for _, name, roles, _, _ in policies for role in roles if role != "cortex_app"}
    assert for_others == {("machines", f"cortex_{role}") for role in ("owner", "system", "eraser")}


def test_tables_without_an_organization_hold_nobody_s_data() -> None:
    """A table that is made without the column would pass the walk above unseen."""
    named = "^(patients|crisis|clinical)_"
    every = f"SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname ~ '{named}'"  # noqa: S608
    owned = {name for name, *_ in rows(OWNED)}
    assert {name for (name,) in rows(every)} - owned == {
        "crisis_lexicon", "crisis_lexiconentry", "clinical_instrument", "clinical_instrumenttext",
    }  # fmt: skip


def test_without_a_named_organization_no_row_is_seen(cast: Cast) -> None:
    cast.on_duty()
    make_message(cast.patient, "I went to the market")
    alert_of(cast, cast.patient)
    seen = {}
    for role in ("cortex_app", "cortex_system"):
        with stores.role(role):
            set_scope(None)
            seen[role] = {
                table: rows(f'SELECT count(*) FROM "{table}" WHERE organization_id IS NOT NULL')[0][0]  # noqa: S608
                for table in guarded()
                if table not in OPEN_TO_ALL
            }
    scope_all()
    assert set(seen["cortex_app"].values()) == {0}
    held = {table for table, number in seen["cortex_system"].items() if number}
    assert held >= {"patients_patient", "patients_consent", "patients_message", "patients_session",
                    "crisis_riskalert", "crisis_alertevent", "crisis_alertstep", "crisis_dutyshift",
                    "crisis_notificationattempt"}  # fmt: skip


def test_without_a_named_organization_no_row_is_written_nor_one_of_another(cast: Cast) -> None:
    for table in guarded():
        for named, wanted in ((None, cast.home), (cast.elsewhere, cast.home)):
            with pytest.raises(ProgrammingError) as refused, transaction.atomic():
                set_scope(machine(named) if named else None)
                insert(table, wanted.pk)
            # The log of changes takes rows from its triggers alone.
            closed = (
                "permission denied" if table == "patients_change" else "violates row-level security policy"
            )
            assert closed in str(refused.value), table
    cast.on_duty()
    for named in (None, cast.elsewhere):
        with transaction.atomic():
            set_scope(machine(named) if named else None)
            assert Patient.objects.filter(pk=cast.patient.pk).update(status="suspended") == 0
            assert DutyShift.objects.all().delete()[0] == 0
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        set_scope(machine(cast.home))
        Patient.objects.filter(pk=cast.patient.pk).update(organization=cast.elsewhere)


def insert(table: str, organization: UUID) -> None:
    """Try to add a row; its id places it in a month where there are months."""
    uuid_key = rows("SELECT 1 FROM information_schema.columns WHERE table_name = %s AND column_name = 'id' "
                    "AND data_type = 'uuid'", table)  # fmt: skip
    columns, values = (
        ("id, organization_id", [uuid7(), organization]) if uuid_key else ("organization_id", [organization])
    )
    places = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', values)  # noqa: S608


def test_a_new_month_carries_the_policies_of_its_parent() -> None:
    with stores.role("cortex_system"):
        rows("SELECT cortex_make_months('2031-03-01', '2031-03-01')")
    made = [(name, forced) for name, _, _, forced in rows(OWNED) if name.endswith("_2031_03")]
    assert made == [("patients_emotionobservation_2031_03", True), ("patients_message_2031_03", True)]
    told = "SELECT policyname, permissive, roles, cmd, qual, with_check FROM pg_policies WHERE tablename = %s"
    assert sorted(rows(told, "patients_message_2031_03")) == sorted(rows(told, "patients_message"))


# A forgotten filter


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> Iterator[Callable[[], str]]:
    """The filters taken out, an alert in each organization; gives a reader of Cleo's and Ada's pages."""
    for patient in (cast.patient, cast.stranger):
        alert_of(cast, patient)
    cast.on_duty()
    both = {cast.home.pk, cast.elsewhere.pk}
    monkeypatch.setattr(access, "desk_organizations", lambda user: set(both))
    monkeypatch.setattr(boards, "desk_of", lambda user: sorted(both))
    monkeypatch.setattr(access, "pages_for", lambda user, at: RiskAlert.objects.all())
    monkeypatch.setattr(ActionAdmin, "get_queryset", lambda self, request: self.model._default_manager.all())

    def read() -> str:
        client, body = Client(), ""
        for user, name in ((cast.cleo, "crisis:board"), (cast.ada, "admin:patients_patient_changelist")):
            client.force_login(user)
            answer = client.get(reverse(name))
            assert answer.status_code == 200
            body += answer.content.decode()
        return body

    yield read


def test_a_page_that_forgot_its_filter_shows_nobody_of_another_organization(
    everything: Callable[[], str], cast: Cast
) -> None:
    with stores.role("cortex_system"):
        unguarded = everything()
    assert unguarded.count(cast.stranger.anonymous_id) >= 2, "the mutation opens both pages"
    guarded_page = everything()
    assert guarded_page.count(cast.patient.anonymous_id) >= 2
    assert cast.stranger.anonymous_id not in guarded_page


def test_the_page_of_another_organization_s_alert_is_not_found(
    everything: Callable[[], str], cast: Cast
) -> None:
    foreign = RiskAlert.objects.get(patient=cast.stranger)
    client = Client()
    client.force_login(cast.cleo)
    assert client.get(reverse("crisis:alert_page", args=[foreign.pk])).status_code == 404
    assert client.get(reverse("crisis:alert_preview", args=[foreign.pk])).status_code == 404


def test_a_record_s_history_leads_its_reader_to_the_trail(cast: Cast) -> None:
    client = Client()
    client.force_login(make_user(Role.COMPLIANCE, cast.home))
    answers = [
        client.get(reverse("admin:patients_consent_history", args=[consent(patient, "treatment").pk]))
        for patient in (cast.patient, cast.stranger)
    ]
    assert [answer.status_code for answer in answers] == [302, 404]


def test_a_door_that_names_no_scope_fails_its_test(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from crisis.desk import counts
    from crisis.duty import views

    for module in (counts, views):
        monkeypatch.setattr(module, "scoped", lambda actor: scopes.nothing())
    client = Client()
    client.force_login(cast.cleo)
    with pytest.raises(AssertionError, match="no named scope"):
        client.get(reverse("crisis:duty_end"))


# The role


@pytest.fixture(scope="module")
def application(
    child_environment: dict[str, str], django_db_setup: None
) -> Iterator[psycopg.Connection[Any]]:
    """A connection that signed in as the application, with its password: no superuser stands behind it."""
    with psycopg.connect(child_environment["DATABASE_URL"], autocommit=True) as found:
        yield found


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE patients_patient DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE patients_patient NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON crisis_riskalert",
        "CREATE POLICY mine ON crisis_riskalert USING (true)",
        "ALTER TABLE patients_patient ADD COLUMN more text",
        "ALTER TABLE audit_auditlog DISABLE TRIGGER append_only",
        "DROP TABLE crisis_riskalert",
        "CREATE TABLE public.mine (id int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION crisis_reach_by_shift(uuid) RESET ALL",
        "SELECT cortex_make_months('2031-03-01', '2031-03-01')",
        "SET ROLE cortex_owner",
        "SET ROLE cortex_system",
        "SET ROLE cortex_eraser",
        "SET SESSION AUTHORIZATION cortex_system",
        "ALTER ROLE cortex_app BYPASSRLS",
        "GRANT cortex_system TO cortex_app",
        "SET session_replication_role = replica",
        "UPDATE audit_auditlog SET actor_label = ''",
        "DELETE FROM audit_auditlog",
        "TRUNCATE audit_auditlog",
        "UPDATE audit_phiaccesslog SET actor_label = ''",
        "DELETE FROM audit_phiaccesslog",
        "UPDATE crisis_alertevent SET kind = 'note'",
        "DELETE FROM patients_consent",
        "DELETE FROM audit_auditlink",
        "DELETE FROM audit_auditinbox",
        "DELETE FROM django_migrations",
        "TRUNCATE patients_patient",
        "COPY patients_patient TO PROGRAM 'cat'",
    ],
)
def test_the_application_s_role_may_not(application: psycopg.Connection[Any], statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute(statement)


def test_no_month_is_open_to_the_application(application: psycopg.Connection[Any]) -> None:
    months = [name for name, _, is_month, _ in application.execute(OWNED) if is_month]
    assert len(months) >= 12
    for month in months:
        for statement in ("SELECT * FROM {}", "DELETE FROM {}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(statement.format(month))


def test_row_security_off_is_an_error_and_no_way_around(application: psycopg.Connection[Any]) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        application.transaction(),
    ):
        application.execute("SET LOCAL row_security = off")
        application.execute("SELECT * FROM patients_patient")


def test_a_scope_ends_with_its_transaction_on_the_same_connection(
    application: psycopg.Connection[Any],
) -> None:
    setting = "SELECT current_setting('app.orgs', true)"
    with application.transaction():
        application.execute("SELECT set_config('app.orgs', %s, true)", [str(uuid4())])
        assert len(application.execute(setting).fetchone()[0]) == 36  # type: ignore[index]
    assert application.execute(setting).fetchone() == ("",)
    assert application.execute("SELECT count(*) FROM patients_patient").fetchone() == (0,)


def test_no_function_with_its_owner_s_rights_looks_among_temporary_tables_first() -> None:
    found = rows(
        "SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )
    assert len(found) >= 5
    assert [name for name, config in found if "pg_temp" not in config[0].split(", ")[-1]] == []


# One connection for two requests


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_two_requests_on_one_pooled_connection_see_their_own(cast: Cast) -> None:
    from django.db import connections

    kept = dict(connections.databases["default"])
    pool = {"min_size": 1, "max_size": 1, "timeout": 5}
    stores.point_at("default", {"CONN_MAX_AGE": 0, "OPTIONS": kept["OPTIONS"] | {"pool": pool}})
    seen, processes = [], set()
    try:
        with scopes.nobody_named():
            for who in (cast.cleo, cast.charlie, None, cast.cleo):
                if who is not None:
                    with scoped(staff(who)):
                        seen.append(set(Patient.objects.values_list("pk", flat=True)))
                else:
                    seen.append(set(Patient.objects.values_list("pk", flat=True)))
                    assert rows("SELECT current_setting('app.orgs', true)") == [("",)]
                processes |= set(rows("SELECT pg_backend_pid()"))
                connections["default"].close()  # back into the pool, as at the end of a request
        connections["default"].close_pool()
    finally:
        stores.point_at("default", kept)
    assert seen == [{cast.patient.pk}, {cast.stranger.pk}, set(), {cast.patient.pk}]
    assert len(processes) == 1


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_what_a_door_names_ends_with_its_transaction_also_where_no_test_puts_it_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scope's fixture sets it anew behind each transaction, which would hide that one stayed open."""
    setting = "SELECT current_setting('app.orgs', true)"
    # Undone here: at the test's end it would come behind the fixture's own, and hold for every later test.
    with monkeypatch.context() as unwatched:
        unwatched.setattr(scopes._now, "depth", None)
        rows("SELECT set_config('app.orgs', '', false)")
        with scoped(staff(cast.cleo)):
            assert rows(setting) == [(str(cast.home.pk),)]
        assert rows(setting) == [("",)]
        with transaction.atomic():  # it runs already when the scope is named, so it can't begin with it
            assert rows("SELECT 1") == [(1,)]
            set_scope(staff(cast.cleo))
            assert rows(setting) == [(str(cast.home.pk),)]
        assert rows(setting) == [("",)]
        assert not Patient.objects.exists()
