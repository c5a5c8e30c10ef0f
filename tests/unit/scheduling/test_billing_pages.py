"""The list of billing lines: it keeps its place, confirms several at once, gives the file of an export."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.scheduling.billing.actions import export_lines
from clinical.scheduling.billing.models import BillingCode, BillingLine
from clinical.scheduling.billing.queries import Wanted
from clinical.scheduling.models import Appointment
from clinical.scheduling.queries import locked_appointment
from cortex.accounts.models import User
from cortex.audit.models import AuditLog, PhiAccessLog
from patients.sessions.models import Session
from tests import makers
from tests.cast import Cast
from tests.unit.scheduling.test_appointments import book

pytestmark = pytest.mark.django_db
TODAY = "2026-03-02"


def lines(cast: Cast, count: int = 1, **more: Any) -> list[BillingLine]:
    code = BillingCode.objects.filter(code="90834").first()
    given: dict[str, Any] = {
        "organization": cast.home, "patient": cast.patient, "provider": cast.alice, "billing_code": code,
        "code": "90834", "system": "cpt", "own_label": "Psychotherapy", "service_date": TODAY, "minutes": 45,
        "units": 1,
    } | more  # fmt: skip
    sittings = [makers.make_session(cast.patient, kind="therapy") for _ in range(count)]
    return [BillingLine.objects.create(**given, session=one) for one in sittings]


def states(*rows: BillingLine) -> list[str]:
    makers.scope_all()
    found = dict(BillingLine.objects.values_list("pk", "status"))
    return [found[one.pk] for one in rows]


def test_a_decision_leads_back_to_the_same_choice_page_and_place(cast: Cast) -> None:
    rows = lines(cast, 52)
    client = makers.client_of(cast.alice)
    page = client.get("/billing/?status=proposed&page=2").content.decode()
    form = re.search(r'(?s)<form method="post" id="bl-one".*?</form>', page)
    assert form is not None
    sent = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.group()))
    assert (sent["status"], sent["page"]) == ("proposed", "2")
    assert re.search(r'form="bl-one" formaction="/billing/[\w-]+/confirm/" name="place" value="2"', page)
    sent["place"] = "2"
    for row, what in ((rows[0], "confirm"), (rows[1], "void")):
        answer = client.post(f"/billing/{row.pk}/{what}/", sent)
        assert answer["Location"] == "/billing/?status=proposed&page=2#line-2"
    assert 'id="line-1"' in client.get("/billing/?status=proposed").content.decode()
    strange = client.post(f"/billing/{rows[2].pk}/void/", sent | {"place": "x\"'", "page": "<b>"})
    assert strange["Location"] == "/billing/?status=proposed&page=%3Cb%3E"


def test_the_ticked_lines_are_confirmed_at_once_each_with_its_row_of_the_trail(cast: Cast) -> None:
    first, second, third = lines(cast, 3)
    client = makers.client_of(cast.alice)
    answer = client.post("/billing/confirm/", {"line": [first.pk, second.pk], "status": "proposed"})
    assert answer["Location"] == "/billing/?status=proposed"
    assert "2 lines are confirmed." in client.get("/billing/").content.decode()
    assert states(first, second, third) == ["confirmed", "confirmed", "proposed"]
    rows = AuditLog.objects.filter(event_type="billing.confirmed")
    assert {one.object_id for one in rows} == {first.pk, second.pk}
    assert {one.subject for one in rows} == {cast.patient.pk}


def test_a_line_with_a_warning_is_left_out_and_said_so(cast: Cast) -> None:
    (plain,) = lines(cast)
    (warned,) = lines(cast, warnings=["conflict:90837"])
    (done,) = lines(cast, status="void", decided_at=makers.now(), decided_by=cast.alice)
    client = makers.client_of(cast.alice)
    page = client.get("/billing/").content.decode()
    assert "1 with a warning is left out" in page
    assert f'name="line" value="{plain.pk}"' in page and f'name="line" value="{warned.pk}"' not in page
    shown = re.findall(r'name="shown" value="([^"]+)"', page)
    assert shown == [str(plain.pk)]
    sent = {"all": "1", "shown": [*shown, warned.pk, done.pk]}
    told = client.post("/billing/confirm/", sent, follow=True).content.decode()
    assert "1 line is confirmed." in told
    assert "1 line is left out because of a warning" in told and "1 line is decided before." in told
    assert states(plain, warned, done) == ["confirmed", "proposed", "void"]


def test_nothing_ticked_is_said_and_nobody_confirms_another_s_lines(cast: Cast) -> None:
    (own,) = lines(cast)
    (other,) = lines(cast, provider=cast.bob)
    client = makers.client_of(cast.alice)
    empty = client.post("/billing/confirm/", {"status": "proposed"})
    assert empty.status_code == 422
    assert "Tick the lines that are right first." in empty.content.decode()
    assert client.post("/billing/confirm/", {"line": [own.pk, other.pk]}).status_code == 404
    assert client.post("/billing/confirm/", {"line": ["x"]}).status_code == 404
    assert states(own, other) == ["proposed", "proposed"]


def test_after_the_password_the_list_says_that_the_file_is_made_and_gives_it(cast: Cast) -> None:
    kept = {"status": "confirmed", "decided_at": makers.now(), "decided_by": cast.alice}
    (line,) = lines(cast, **kept)
    client = makers.client_of(cast.alice, makers.now() - timedelta(minutes=6))
    asked = client.post(
        "/billing/export/", {"only_new": "on"}, headers={"referer": "http://testserver/billing/?only_new=on"}
    )
    page = client.get(asked["Location"]).content.decode()
    assert "Export the confirmed billing lines" in page
    assert 'href="/billing/?only_new=on">Cancel' in page
    assert re.search(r'<input type="password"[^>]*autofocus', page)
    sent = {"password": makers.PASSWORD, "next": "/billing/export/"}
    went_on = client.post("/accounts/reauthenticate/", sent)
    assert went_on.status_code == 303
    assert went_on["Location"].startswith("/billing/?only_new=on&made=")
    shown = client.get(went_on["Location"]).content.decode()
    assert "The file of 1 line is made." in shown
    link = re.search(r'href="(/billing/export/file/[^"]+)" download data-download', shown)
    assert link is not None and "js/pages/download" in shown
    file = client.get(link.group(1).replace("&amp;", "&"))
    assert file["Content-Type"].startswith("text/csv") and "attachment" in file["Content-Disposition"]
    assert str(line.pk) in file.content.decode()
    makers.scope_all()
    assert AuditLog.objects.filter(event_type="billing.exported").count() == 1, "the file is read, not made"
    looks = PhiAccessLog.objects.filter(data_type="billing_export", subject=cast.patient.pk)
    assert looks.count() == 2, "the export and the file"


def test_the_file_of_another_moment_or_person_is_not_there(cast: Cast) -> None:
    lines(cast, status="confirmed", decided_at=makers.now(), decided_by=cast.alice)
    client = makers.client_of(cast.alice)
    made = client.post("/billing/export/", {"only_new": "on"})["Location"].split("made=")[1]
    place = "/billing/export/file/?only_new=on&made="
    assert client.get(f"{place}{made}").status_code == 200
    for strange in ("", "yesterday", "2026-03-02T00:00:00", "2026-03-02T00:00:00%2B00:00"):
        assert client.get(f"{place}{strange}").status_code == 404
    assert makers.client_of(cast.bob).get(f"{place}{made}").status_code == 404
    late = makers.client_of(cast.alice, makers.now() - timedelta(minutes=6)).get(f"{place}{made}")
    assert "reauthenticate" in late["Location"]


def test_an_export_names_everybody_whose_lines_it_took_in_one_row(cast: Cast) -> None:
    kept = {"status": "confirmed", "decided_at": makers.now(), "decided_by": cast.alice}
    other = makers.make_patient(cast.home)
    lines(cast, 3, **kept)
    lines(cast, 2, patient=other, **kept)
    with CaptureQueriesContext(connection) as asked:
        export_lines(actor=makers.staff(cast.alice), wanted=Wanted())
    makers.scope_all()
    row = PhiAccessLog.objects.get(data_type="billing_export")
    assert (row.subjects, row.purpose) == (sorted([cast.patient.pk, other.pk]), "billing")
    assert AuditLog.objects.get(event_type="billing.exported").codes == {"count": 5, "first_time": 5}
    lines(cast, 20, **kept)
    with CaptureQueriesContext(connection) as again:
        export_lines(actor=makers.staff(cast.alice), wanted=Wanted())
    assert len(again) <= len(asked)


@pytest.mark.parametrize("label", ["V", "R"])
def test_an_hour_whose_sitting_a_label_shuts_is_nowhere_for_others(cast: Cast, label: str) -> None:
    (line,) = lines(cast, own_label="Crisis hour of hers")
    one = book(cast, makers.now() + timedelta(hours=1))
    began = makers.now() - timedelta(days=2)
    Appointment.objects.filter(pk=one.pk).update(
        session=line.session, status="held", starts_at=began, ends_at=began + timedelta(minutes=50),
        status_at=began,
    )  # fmt: skip
    makers.grant(cast.patient, cast.bob, permission="view_chart")
    page, put_back = (
        reverse(f"clinical:{name}", args=[one.pk]) for name in ("appointment", "appointment_back")
    )
    listed = reverse("clinical:person_appointments", args=[cast.patient.pk])

    def seen(user: User) -> tuple[bool, int, bool]:
        client = makers.client_of(user)
        in_list, answer = page in client.get(listed).content.decode(), client.get(page)
        makers.scope_all()
        return in_list, answer.status_code, line.own_label in answer.content.decode()

    assert seen(cast.bob) == (True, 200, True)
    Session.objects.filter(pk=line.session_id).update(sensitivity_labels=[label])
    assert seen(cast.bob) == (False, 404, False)
    assert makers.client_of(cast.bob).post(put_back).status_code == 404
    makers.scope_all()
    one.refresh_from_db()
    assert one.status == "held", "nobody moves or puts back what is shut to them"
    assert seen(cast.alice) == (True, 200, True), "one's own hour stays"
    assert locked_appointment(makers.machine(cast.home), one.pk, makers.now()).pk == one.pk, (
        "nor for the demo"
    )
