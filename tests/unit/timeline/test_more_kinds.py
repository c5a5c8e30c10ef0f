"""Addenda, goals with their progress, holds, contacts and proposals on a timeline, and who sees which."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.notes.actions import label_note
from clinical.plans.goals.actions import record_progress, save_goal, take_back_progress, tick_milestone
from clinical.plans.models import GoalProgress
from clinical.sessions.neural.actions import decide_proposal
from clinical.sessions.neural.tasks import propose_from_feedback
from clinical.timeline.actions import pin_entry
from clinical.timeline.registry import kinds
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.audit import NotFound
from cortex.ids import uuid7
from cortex.ui.zone import zone_of
from patients.contacts.actions import add_contact, correct_contact, restore_contact, retire_contact
from patients.holds.actions import issue_hold, release_hold
from patients.holds.models import LegalHold
from patients.registry.access import CHART
from patients.registry.person import EmergencyContact
from patients.registry.queries import local_day
from patients.registry.records import ContactData
from patients.sessions.models import Session
from patients.sessions.neural import NeuralProfileProposal
from tests import makers
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import staff
from tests.unit.notes.test_addenda import keep, sign
from tests.unit.notes.test_notes import join, signed
from tests.unit.sessions.test_neural import heard
from tests.unit.timeline.test_kinds import page_of, told
from tests.unit.timeline.test_moves import own, planned
from tests.unit.timeline.test_timeline import look

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NEW = ("notes", "goals", "opened", "team", "signals")
KEYS = {"addendum", "goal", "goal_progress", "hold", "contact_moved", "neural"}
WHY = "A court asked for the records."


def today(cast: Cast) -> date:
    return local_day(cast.patient, makers.now())


def added(cast: Cast, note_type: str = "soap") -> Any:
    """A signed note with a signed addendum."""
    note = signed(cast, note_type)
    sign(cast, note, keep(cast, note, "She rang afterwards.", 0, uuid7()).addendum.version)
    makers.scope_all()
    return note


def shows(cast: Cast, user: User, words: str) -> bool:
    return words in page_of(user, cast)


def test_an_addendum_stands_where_it_was_signed_and_its_words_stay_closed(cast: Cast) -> None:
    note = signed(cast)
    keep(cast, note, "Still being written.", 0, uuid7())
    assert [one[0] for one in told(cast, kinds=["notes"])] == ["note"], "unsigned"
    sign(cast, note, 1)
    makers.scope_all()
    zone = zone_of(cast.home.default_timezone)
    (found,) = [one for one in told(cast, kinds=["notes"]) if one[0] == "addendum"]
    written = f"{note.occurred_at.astimezone(zone):%-d %b %Y}"
    assert (found[1], found[3]) == ("Addendum: SOAP", "Alice Achieng")
    page = page_of(cast.alice, cast)
    assert f"To the note of {written} by Alice Achieng." in page
    assert "Still being written" not in page
    assert page.count(f'href="{reverse("clinical:note_page", args=[cast.patient.pk, note.pk])}"') == 2


@pytest.mark.parametrize(("label", "team"), [("R", True), ("V", False), ("SUD_PART2", False)])
def test_an_addendum_is_as_open_as_its_note(cast: Cast, label: str, *, team: bool) -> None:
    join(cast, cast.bob)
    note = added(cast)
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=[label])
    outside = makers.make_user(Role.PSYCHIATRIST, cast.home)
    makers.grant(cast.patient, outside, reason_code="consultation", permission=CHART)
    makers.scope_all()
    assert shows(cast, cast.alice, "Addendum: SOAP")
    assert shows(cast, cast.bob, "Addendum: SOAP") == team
    assert not shows(cast, outside, "Addendum: SOAP")
    makers.consent(cast.patient, "part2_tpo")
    assert shows(cast, cast.bob, "Addendum: SOAP") == (label != "V")
    addendum = note.addenda.get()
    if label == "V":
        with pytest.raises(NotFound):
            pin_entry(
                actor=staff(cast.bob), patient_id=cast.patient.pk, source="addendum", item_id=addendum.pk
            )


def test_an_addendum_to_a_process_note_stands_on_nobody_s_timeline(cast: Cast) -> None:
    added(cast, "psychotherapy")
    assert told(cast, kinds=["notes"]) == []


def test_a_goal_is_told_when_it_was_set_and_each_reading_on_its_day(cast: Cast) -> None:
    (slept,) = planned(cast)
    day, where = today(cast), {"goal_id": slept.pk}
    record_progress(**own(cast), **where, value=4.0, observed_on=day - 9 * DAY, note="Rain, she said.")
    wrong = record_progress(**own(cast), **where, value=40.0, observed_on=day - 2 * DAY)
    take_back_progress(**own(cast), entry_id=wrong.pk)
    makers.scope_all()
    by = f"{slept.due_date:%-d %b %Y}"
    set_up = ("goal", "Goal set: Sleep through most nights.", f"To be reached by {by}.", "Alice Achieng")
    read = ("goal_progress", "Progress: Sleep through most nights.", "Nights awake: 4.", "Alice Achieng")
    assert told(cast, kinds=["goals"]) == [set_up, read]
    entry = look(cast, kinds=["goals"]).entries[1]
    assert (entry.is_day, entry.at.astimezone(zone_of(cast.patient.zone())).date()) == (True, day - 9 * DAY)
    assert "Rain, she said" not in page_of(cast.alice, cast)


def test_milestones_are_told_when_they_are_reached_and_times_as_they_are_counted(cast: Cast) -> None:
    planned(cast)
    common = {"achievable_note": "They did it before.", "concerns": ["sleep"], "weight": 3,
              "due_date": today(cast) + 45 * DAY}  # fmt: skip
    steps = common | {"specific": "Go out again.", "measure_type": "milestone"}
    save_goal(**own(cast), fields=steps, steps=[("To the shop", 1), ("To the market", 2)])
    often = common | {"specific": "Move.", "measure_type": "frequency", "metric": "Walks", "target": 3.0,
                      "window_days": 7}  # fmt: skip
    walks = save_goal(**own(cast), fields=often)
    makers.scope_all()
    first, _ = GoalProgress.objects.filter(kind="milestone").order_by("order")
    tick_milestone(**own(cast), entry_id=first.pk, reached=True)
    record_progress(**own(cast), goal_id=walks.pk, value=2.0, observed_on=today(cast))
    makers.scope_all()
    found = {one[1:3] for one in told(cast, kinds=["goals"]) if one[0] == "goal_progress"}
    shop = ("Progress: Go out again.", "Milestone reached: To the shop.")
    assert found == {shop, ("Progress: Move.", "Walks: 2 more.")}
    tick_milestone(**own(cast), entry_id=first.pk, reached=False)
    makers.scope_all()
    assert shop not in {one[1:3] for one in told(cast, kinds=["goals"])}


def moves(cast: Cast) -> list[tuple[str, str, str, str]]:
    return [one for one in told(cast, kinds=["team"]) if one[0] == "contact_moved"]


def rules(cast: Cast) -> list[tuple[str, str, str, str]]:
    return [one for one in told(cast, kinds=["signals"]) if one[0].startswith("neural")]


def held(cast: Cast) -> LegalHold:
    cora = makers.make_user(Role.COMPLIANCE, cast.home, full_name="Cora Chege")
    one = issue_hold(actor=staff(cora), patient_id=cast.patient.pk, matter="HC 12/2026", reason=WHY)
    makers.scope_all()
    return one


def test_a_hold_says_since_when_and_until_when_and_nothing_of_the_matter(cast: Cast) -> None:
    one = held(cast)
    assert told(cast, kinds=["opened"]) == [("hold", "Legal hold begun", "Still running.", "")]
    odo = makers.make_user(Role.COMPLIANCE, cast.home, full_name="Odo Odhiambo")
    release_hold(actor=staff(odo), hold_id=one.pk, reason="The court has closed the case.")
    makers.scope_all()
    assert told(cast, kinds=["opened"]) == [
        ("hold_end", "Legal hold released", "", ""), ("hold", "Legal hold begun", "It was released.", ""),
    ]  # fmt: skip
    page = page_of(cast.alice, cast)
    for words in ("HC 12", "court", "Cora", "Odo "):
        assert words not in page


def test_changes_of_whom_to_call_say_who_made_them_and_name_nobody(cast: Cast) -> None:
    who: dict[str, Any] = {"actor": staff(cast.alice), "patient": cast.patient}
    data = ContactData(name="Akinyi Neighbour", phone="0712 345 678")

    def stands() -> datetime:
        makers.scope_all()
        seen: datetime = EmergencyContact.objects.get(pk=row.pk).updated_at
        return seen

    row = add_contact(**who, data=data)
    later = ContactData(name="Akinyi Neighbour", phone="0712 345 679")
    correct_contact(**who, contact_id=row.pk, seen=stands(), data=later, place=1)
    retire_contact(**who, contact_id=row.pk, seen=stands())
    restore_contact(**who, contact_id=row.pk)
    makers.scope_all()
    by = "Alice Achieng"
    assert moves(cast) == [
        ("contact_moved", "Emergency contact put back", "", by),
        ("contact_moved", "Emergency contact retired", "", by),
        ("contact_moved", "Emergency contact corrected", "", by),
        ("contact_moved", "Emergency contact added", "", by),
    ]
    assert "Akinyi" not in page_of(cast.alice, cast)
    makers.consent(cast.patient, "emergency_contact", granted=False)
    assert moves(cast) == [], "closed, as their list is"
    other = makers.make_patient(cast.home, team=[cast.alice])
    add_contact(actor=staff(cast.alice), patient=other, data=data)
    makers.consent(cast.patient, "emergency_contact")
    assert len(moves(cast)) == 4, "another person's are none of theirs"


def proposed(cast: Cast) -> NeuralProfileProposal:
    for days in range(1, 4):
        heard(cast, 9, days=days)
    assert propose_from_feedback() == 1
    makers.scope_all()
    return NeuralProfileProposal.objects.get()


def test_a_proposal_says_its_rule_and_who_decided(cast: Cast) -> None:
    row = proposed(cast)
    why = "By a fixed rule: helped in three sessions or more. 3 sessions say so."
    title = "preferred frequency (alpha), 10.5"
    waits = ("neural", f"Neural audio, proposed: {title}", f"{why} Waits for a clinician.", "")
    assert rules(cast) == [waits]
    decide_proposal(**own(cast), proposal_id=row.pk, accept=True)
    makers.scope_all()
    assert rules(cast) == [
        ("neural_decided", f"Neural audio, accepted: {title}", "", "Alice Achieng"), (*waits[:2], why, ""),
    ]  # fmt: skip


@pytest.mark.parametrize("label", ["V", "SUD_PART2"])
def test_a_proposal_of_sessions_that_a_label_shuts_is_shut_with_them(cast: Cast, label: str) -> None:
    join(cast, cast.bob)
    row = proposed(cast)
    decide_proposal(**own(cast), proposal_id=row.pk, accept=False)
    makers.scope_all()
    assert shows(cast, cast.bob, "Neural audio, proposed")
    oldest = Session.objects.filter(patient=cast.patient).earliest("started_at")
    Session.objects.filter(pk=oldest.pk).update(sensitivity_labels=[label])
    for words in ("Neural audio, proposed", "Neural audio, refused"):
        assert not shows(cast, cast.bob, words)
    makers.consent(cast.patient, "part2_tpo")
    assert shows(cast, cast.bob, "Neural audio, proposed") == (label == "SUD_PART2")


def test_they_have_filters_pins_and_a_search_finds_them(cast: Cast) -> None:
    assert set(NEW) <= set(kinds())
    added(cast)
    (slept,) = planned(cast)
    record_progress(**own(cast), goal_id=slept.pk, value=4.0, observed_on=today(cast))
    held(cast)
    add_contact(
        actor=staff(cast.alice), patient=cast.patient,
        data=ContactData(name="Akinyi Neighbour", phone="0712 345 678"),
    )  # fmt: skip
    proposed(cast)
    found = [one for one in look(cast, kinds=NEW).entries if one.source in KEYS]
    assert {one.source for one in found} == KEYS
    for entry in found:
        pin_entry(**own(cast), source=entry.source, item_id=entry.id)
    assert {one.id for one in look(cast, only_pinned=True).entries} == {one.id for one in found}
    assert {one.source for one in look(cast, words="legal hold").entries} == {"hold"}
    assert {one.source for one in look(cast, words="sleep through").entries} == {"goal", "goal_progress"}


def test_more_of_them_cost_no_more_statements_and_each_is_found_by_an_index(cast: Cast) -> None:
    def cost() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            look(cast, kinds=NEW)
        return [one["sql"] for one in asked.captured_queries]

    def more(number: int) -> None:
        added(cast)
        record_progress(**own(cast), goal_id=slept.pk, value=4.0, observed_on=today(cast))
        add_contact(
            actor=staff(cast.alice), patient=cast.patient,
            data=ContactData(name=f"Akinyi {number}", phone=f"0712 345 67{number}"),
        )  # fmt: skip

    (slept,) = planned(cast)
    held(cast)
    proposed(cast)
    more(0)
    few = cost()
    for number in range(1, 4):
        more(number)
    many = cost()
    assert len(many) == len(few)
    tables = ("clinical_noteaddendum", "clinical_goal", "clinical_goalprogress", "patients_legalhold",
              "patients_neuralprofileproposal", "audit_auditlog")  # fmt: skip
    asked = [sql for sql in many if any(f'FROM "{one}"' in sql for one in tables)]
    assert len(asked) == 9
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in asked:
            plan = plan_of(cursor, sql)
            assert not any(f"Seq Scan on {name}" in plan for name in tables), plan
