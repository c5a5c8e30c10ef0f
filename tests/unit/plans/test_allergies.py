"""Allergies: the list, the banner of every page, "none known", errors taken back, and who learns of them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.plans.allergies.actions import mark_error, save_allergy, say_none_known, undo_error
from clinical.plans.allergies.models import Allergy
from cortex.accounts.models import User
from cortex.audit import InputRefused, RuleBroken
from cortex.audit.models import AuditLog
from cortex.crypto.errors import DecryptError
from tests import makers
from tests.cast import Cast
from tests.unit.chart.test_news import age, changed
from tests.unit.chart.test_overview import session
from tests.walk.plans import ALLERGY

pytestmark = pytest.mark.django_db
SEVERE = {"criticality": "high"}


def add(cast: Cast, substance: str = "Penicillin", row: Allergy | None = None, **fields: Any) -> Allergy:
    found = save_allergy(
        actor=makers.staff(cast.alice), patient_id=cast.patient.pk,
        fields=ALLERGY | {"substance": substance} | fields, allergy_id=row.pk if row else None,
    )  # fmt: skip
    makers.scope_all()
    return found


def own(cast: Cast, row: Allergy | None = None) -> dict[str, Any]:
    found = {"actor": makers.staff(cast.alice), "patient_id": cast.patient.pk}
    return found | ({"allergy_id": row.pk} if row else {})


def client_of(user: User) -> Client:
    return makers.client_of(user, makers.now() - timedelta(hours=1))


def url(cast: Cast, name: str, *ids: Any) -> str:
    return reverse(f"clinical:{name}", args=[cast.patient.pk, *ids])


def page(cast: Cast, name: str = "plan", user: User | None = None) -> str:
    answer = client_of(user or cast.alice).get(url(cast, name))
    assert answer.status_code == 200
    makers.scope_all()
    return unescape(answer.content.decode())


def flags(cast: Cast, name: str = "timeline") -> list[tuple[str, str]]:
    """What the banner says of allergies on a page, with its tone."""
    found = re.findall(r'<a class="tag tag-(\w+)" href="[^"]+#allergies">([^<]*)</a>', page(cast, name))
    return [(words, tone) for tone, words in found]


def section(cast: Cast, user: User | None = None) -> str:
    found = re.search(r'<section class="card" id="allergies".*?</section>', page(cast, "plan", user), re.S)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def test_the_banner_of_every_page_names_what_is_active_and_nothing_where_nothing_is(cast: Cast) -> None:
    assert flags(cast) == [] and "Nothing is on record" in section(cast)
    add(cast)
    for name in ("chart", "plan", "timeline", "notes", "measures", "documents", "chart_people"):
        assert flags(cast, name) == [("Allergy: Penicillin", "warn")], name
    for fields in (
        {"clinical_status": "inactive"},
        {"clinical_status": "resolved"},
        {"verification": "refuted"},
    ):
        add(cast, row=Allergy.objects.get(), **fields)
        assert flags(cast) == [], fields
        assert "Penicillin" in section(cast), "the list keeps it"


def test_severe_ones_come_first_set_the_tone_and_three_are_named(cast: Cast) -> None:
    add(cast, "Pollen", category="environment")
    add(cast, "Lactose", kind="intolerance", category="food")
    assert flags(cast) == [("Allergy: Pollen, Lactose (intolerance)", "warn")]
    add(cast, "Penicillin", **SEVERE)
    assert flags(cast) == [("Allergy: Penicillin (severe), Pollen, Lactose (intolerance)", "crit")]
    add(cast, "Latex", criticality="unable-to-assess")
    add(cast, "Peanuts", **SEVERE)
    assert flags(cast) == [("Allergy: Penicillin (severe), Peanuts (severe), Pollen and 2 more", "crit")]
    told = section(cast)
    places = [told.index(name) for name in ("Penicillin", "Peanuts", "Pollen", "Lactose", "Latex")]
    assert places == sorted(places), told


def test_a_long_name_is_cut_in_the_banner_and_whole_on_the_list(cast: Cast) -> None:
    name = "Amoxicillin with clavulanic acid and something more"
    add(cast, name, kind="adverse-reaction")
    [(words, _)] = flags(cast)
    assert words == f"Adverse reaction: {name[:39].rstrip()}…" and name in section(cast)


def test_none_known_is_said_once_stands_on_the_list_and_is_no_flag(cast: Cast) -> None:
    first = say_none_known(**own(cast))
    assert say_none_known(**own(cast)).pk == first.pk
    makers.scope_all()
    assert Allergy.objects.count() == 1
    assert AuditLog.objects.filter(event_type="allergy.none_known").count() == 1
    assert "No known allergies" in section(cast) and flags(cast) == []
    with pytest.raises(IntegrityError, match="allergy_none_known_once"), transaction.atomic():
        Allergy.objects.create(
            organization=cast.home, patient=cast.patient, none_known=True, source="person",
            verification="confirmed",
        )  # fmt: skip


def test_an_active_allergy_ends_none_known_and_forbids_it(cast: Cast) -> None:
    said = say_none_known(**own(cast))
    past = add(cast, "Eggs", clinical_status="resolved")
    assert Allergy.objects.get(pk=said.pk).says_none, "one that is over ends nothing"
    add(cast)
    assert not Allergy.objects.get(pk=said.pk).says_none
    assert AuditLog.objects.filter(event_type="allergy.added").latest("id").codes["ended_none_known"] == 1
    assert "No known allergies" not in section(cast)
    with pytest.raises(RuleBroken, match="active allergy stands"):
        say_none_known(**own(cast))
    answer = client_of(cast.alice).post(url(cast, "allergies_none_known"))
    assert answer.status_code == 409
    makers.scope_all()
    for row in Allergy.objects.filter(none_known=False).exclude(pk=past.pk):
        add(cast, row=row, clinical_status="inactive")
    say_none_known(**own(cast))
    makers.scope_all()
    add(cast, "Eggs", row=past, clinical_status="active")
    assert not any(one.says_none for one in Allergy.objects.all()), "a change to active ends it too"


def test_an_error_leaves_the_banner_stays_on_record_and_is_taken_back_as_it_was(cast: Cast) -> None:
    row = add(cast, verification="confirmed", **SEVERE)
    client = client_of(cast.alice)
    assert client.post(url(cast, "allergy_error", row.pk)).status_code == 303
    assert flags(cast) == [] and "1 entered in error" in section(cast)
    assert client.get(url(cast, "allergy_edit", row.pk)).status_code == 409
    makers.scope_all()
    with pytest.raises(RuleBroken, match="Undo that"):
        add(cast, row=row)
    mark_error(**own(cast, row))
    assert client.post(url(cast, "allergy_error_undo", row.pk)).status_code == 303
    makers.scope_all()
    back = Allergy.objects.get()
    assert (back.verification, back.verification_before) == ("confirmed", "")
    assert flags(cast) == [("Allergy: Penicillin (severe)", "crit")]
    undo_error(**own(cast, row))
    verbs = list(AuditLog.objects.filter(event_type__startswith="allergy.").order_by("id").values_list(
        "event_type", flat=True))  # fmt: skip
    assert verbs == ["allergy.added", "allergy.entered_in_error", "allergy.error_undone"]
    with pytest.raises(IntegrityError, match="allergy_error_knows_what_was"), transaction.atomic():
        Allergy.objects.update(verification="entered-in-error")


def test_taking_an_error_back_keeps_the_rules_of_the_list(cast: Cast) -> None:
    wrong = add(cast)
    mark_error(**own(cast, wrong))
    said = say_none_known(**own(cast))
    undo_error(**own(cast, wrong))
    assert not Allergy.objects.get(pk=said.pk).says_none, "what comes back ends the statement"
    mark_error(**own(cast, wrong))
    add(cast, "penicillin ")
    with pytest.raises(RuleBroken, match="Another entry of this"):
        undo_error(**own(cast, wrong))
    add(cast, "Penicillin", row=Allergy.objects.exclude(pk=wrong.pk).get(none_known=False),
        clinical_status="resolved")  # fmt: skip
    again = say_none_known(**own(cast))
    mark_error(**own(cast, again))
    say_none_known(**own(cast))
    with pytest.raises(RuleBroken, match="said already"):
        undo_error(**own(cast, again))
    add(cast, "Latex")
    with pytest.raises(RuleBroken, match="active allergy"):
        undo_error(**own(cast, again))


def test_a_substance_stands_once(cast: Cast) -> None:
    first, other = add(cast), add(cast, "Latex")
    for row in (None, other):
        with pytest.raises(InputRefused, match="on the list already"):
            add(cast, "  PENICILLIN", row=row)
    add(cast, "penicillin", row=first)
    assert Allergy.objects.count() == 2


def test_the_database_holds_what_a_row_must_say(cast: Cast) -> None:
    row = add(cast)
    for name, fields in (
        ("allergy_is_something_or_none", {"none_known": True}),
        ("allergy_is_something_or_none", {"criticality": ""}),
        ("allergy_status_known", {"clinical_status": "gone"}), ("allergy_source_known", {"source": "web"}),
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Allergy.objects.filter(pk=row.pk).update(**fields)


def test_a_name_that_does_not_open_leaves_the_chart_open(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    add(cast)

    def broken(row: Allergy) -> str:
        raise DecryptError("changed")

    monkeypatch.setattr(Allergy, "substance", property(broken, lambda row, value: None))
    assert flags(cast) == [("Allergy: one that can't be read", "warn")]
    with pytest.raises(DecryptError):
        page(cast)  # as any other row that doesn't open: a dead letter comes of it


def test_what_changed_since_the_last_session_is_told(cast: Cast) -> None:
    gone, kept, moved = add(cast, "Eggs"), add(cast, "Latex"), add(cast, "Nuts")
    age(Allergy)
    session(cast, 5)
    assert "llergy" not in changed(cast)
    add(cast, "Penicillin", **SEVERE)
    add(cast, "Lactose", kind="intolerance", category="food")
    add(cast, "Nuts", row=moved, clinical_status="resolved")
    mark_error(**own(cast, gone))
    mark_error(**own(cast, add(cast, "Typo")))
    makers.scope_all()
    told = changed(cast)
    for words in (
        "Allergy recorded: Penicillin, severe", "Intolerance recorded: Lactose",
        "Allergy changed: Nuts, resolved", "Allergy was entered in error: Eggs",
    ):  # fmt: skip
        assert words in told, told
    assert "Typo" not in told and "Latex" not in told and kept.stands
    session(cast, 0)
    assert "llergy" not in changed(cast)


def test_none_known_is_news_while_it_holds(cast: Cast) -> None:
    session(cast, 5)
    say_none_known(**own(cast))
    makers.scope_all()
    assert "No known allergies is on record" in changed(cast)
    add(cast)
    assert "No known" not in changed(cast)


@pytest.mark.parametrize("name", ["chart", "plan", "timeline", "notes"])
def test_twenty_cost_no_more_queries_than_one(cast: Cast, name: str) -> None:
    session(cast, 5)
    client, counts = client_of(cast.alice), []
    for number in (1, 19):
        for place in range(number):
            add(cast, f"Substance {number} {place}")
        client.get(url(cast, name))
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url(cast, name)).status_code == 200
        counts.append(len(seen))
        makers.scope_all()
    assert counts[0] == counts[1]


def test_the_list_and_the_banner_ask_once(cast: Cast) -> None:
    add(cast)
    client = client_of(cast.alice)
    # A timeline asks for its own page of what was recorded and of what was changed besides.
    for name, count in (("chart", 1), ("plan", 1), ("plan_print", 1), ("timeline", 3)):
        client.get(url(cast, name))
        with CaptureQueriesContext(connection) as seen:
            client.get(url(cast, name))
        asked = [one["sql"] for one in seen if "clinical_allergy" in one["sql"]]
        assert len(asked) == count, (name, asked)
