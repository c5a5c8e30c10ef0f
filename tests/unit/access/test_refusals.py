"""What a signed-in person is refused is in the trail, once a minute, and tells them nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cortex.accounts.models import User
from cortex.audit.models import AuditLog
from cortex.live import door
from cortex.live.rooms import Person
from crisis.alerts.board_source import BoardSource
from crisis.alerts.models import RiskAlert
from tests import makers
from tests.cast import Cast
from tests.walk.ghosts import said

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """An alert of the house."""
    return makers.make_alert(cast.patient)


def get(user: User, path: str) -> Any:
    client = Client()
    client.force_login(user)
    answer = client.get(path)
    makers.scope_all()
    return answer


def refusals(user: User) -> list[tuple[str, UUID | None, str]]:
    rows = AuditLog.objects.filter(event_type="access.refused", actor_id=user.pk).order_by("id")
    return [(row.codes["place"], row.object_id, row.outcome) for row in rows]


def test_a_strangers_alert_leaves_a_row_with_ids_and_answers_like_one_that_is_not_there(
    cast: Cast, alert: RiskAlert
) -> None:
    nowhere = uuid4()
    there, absent = (get(cast.charlie, f"/alerts/{pk}/") for pk in (alert.pk, nowhere))
    assert (there.status_code, said(there.content)) == (absent.status_code, said(absent.content))
    assert there.status_code == 404
    place = "crisis:alert_page"
    assert refusals(cast.charlie) == [(place, alert.pk, "refused"), (place, nowhere, "refused")]
    row = AuditLog.objects.filter(object_id=alert.pk, event_type="access.refused").get()
    assert row.subject is None and row.codes == {"place": place, "needed": ""}


def test_the_extra_work_is_the_same_for_what_is_there_and_what_is_not(cast: Cast, alert: RiskAlert) -> None:
    client = Client()
    client.force_login(cast.charlie)
    client.get("/me/")
    noted = []
    for pk in (alert.pk, uuid4()):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/alerts/{pk}/").status_code == 404
        # From the refusal on the same is asked and written.
        texts = [one["sql"] for one in seen.captured_queries]
        start = next(number for number, text in enumerate(texts) if "pg_advisory_xact_lock" in text)
        noted.append([text.split(" ")[0] for text in texts[start:]])
    assert noted[0] == noted[1] and "INSERT" in noted[0]


def test_the_back_office_notes_strangers_rows_and_roles_that_are_not_let_in(cast: Cast) -> None:
    page = f"/admin/patients/patient/{cast.stranger.pk}/change/"
    assert get(cast.ada, page).status_code == 404
    assert refusals(cast.ada) == [("admin:patients_patient_change", cast.stranger.pk, "refused")]
    officer = makers.make_user("compliance", cast.home)
    assert get(officer, "/admin/patients/patient/").status_code == 403
    assert get(officer, f"/admin/patients/patient/{cast.patient.pk}/change/").status_code == 403
    assert [place for place, *_ in refusals(officer)] == [
        "admin:patients_patient_changelist", "admin:patients_patient_change",
    ]  # fmt: skip
    assert get(cast.ada, "/board/").status_code == 403
    row = AuditLog.objects.filter(event_type="access.refused", actor_id=cast.ada.pk).latest("id")
    assert row.codes["place"] == "crisis:board" and row.codes["needed"].startswith("roles counselor")


def test_knocking_again_within_the_minute_adds_nothing_and_a_scan_is_cut_off(
    cast: Cast, alert: RiskAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        get(cast.charlie, f"/alerts/{alert.pk}/")
    assert len(refusals(cast.charlie)) == 1
    monkeypatch.setattr("cortex.access.actions.MOST_A_MINUTE", 4)
    for _ in range(6):
        assert get(cast.charlie, f"/alerts/{uuid4()}/").status_code == 404
    assert len(refusals(cast.charlie)) == 4
    assert get(cast.bob, f"/alerts/{alert.pk}/").status_code == 404
    assert len(refusals(cast.bob)) == 1, "one person's scan hides nobody else's"


def test_what_is_given_and_a_missing_token_leave_no_refusal(cast: Cast, alert: RiskAlert) -> None:
    assert get(cast.alice, f"/alerts/{alert.pk}/").status_code == 200
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    assert client.post(f"/alerts/{alert.pk}/claim/").status_code == 403
    assert refusals(cast.alice) == []


def test_a_refusal_stands_when_the_trail_is_away(
    cast: Cast, alert: RiskAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def down(**_: Any) -> None:
        raise OperationalError("no route")

    monkeypatch.setattr("cortex.access.middleware.refuse_access", down)
    assert get(cast.charlie, f"/alerts/{alert.pk}/").status_code == 404


def test_a_refused_socket_leaves_a_row(cast: Cast) -> None:
    cast.on_duty()
    source = BoardSource()
    for user, key in ((cast.charlie, cast.home.pk), (cast.charlie, uuid4()), (cast.cleo, cast.home.pk)):
        person = Person(user.pk, "s" * 32, user.access_version)
        head = door._admission(source, f"board:{key}", str(key), person, 0)
        makers.scope_all()
        assert (head is None) == (user == cast.charlie)
    assert [place for place, *_ in refusals(cast.charlie)] == ["live:board", "live:board"]
    assert refusals(cast.charlie)[0][1] == cast.home.pk and refusals(cast.cleo) == []
