"""Drafts of safety plans, saved as they are written: what comes twice, late or from elsewhere is not lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.spells import Page
from crisis.reviews.actions import make_item
from crisis.reviews.models import PLAN_REVIEW, ReviewItem
from crisis.safetyplans import queries
from crisis.safetyplans.actions import discard_draft, finish_plan, keep_beside, retire_plan, save_draft
from crisis.safetyplans.models import SafetyPlan
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.safetyplans.plans import finish, save, token, written
from tests.unit.safetyplans.test_pages import as_user, form_of, get, post, url

pytestmark = pytest.mark.django_db
FETCH = {"HX-Request": "true"}


def coping(text: str) -> Any:
    return {"self_coping": [(text, "")]}


def coping_kept(text: str) -> Any:
    return {"self_coping": [[text, ""]]}


def keep(cast: Cast, text: str, page: Page, seen: str = "", user: Any = None) -> SafetyPlan:
    row = save_draft(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, written=written(lines=coping(text)),
        seen=seen, page=page,
    )  # fmt: skip
    makers.scope_all()
    return row


def aside(cast: Cast, text: str, page: Page, user: Any = None) -> SafetyPlan:
    row = keep_beside(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, written=written(lines=coping(text)),
        page=page,
    )  # fmt: skip
    makers.scope_all()
    return row


def draft_of(cast: Cast) -> Any:
    return makers.opened(SafetyPlan.objects.get(status="draft"), "draft")


def trail(cast: Cast) -> list[str]:
    rows = AuditLog.objects.filter(event_type__startswith="safety_plan.", subject=cast.patient.pk)
    return list(rows.order_by("id").values_list("event_type", flat=True))


def test_one_page_saves_on_and_on_and_the_trail_says_so_once(cast: Cast) -> None:
    page = Page()
    keep(cast, "W", page)
    before = PhiAccessLog.objects.count()
    for number, text in enumerate(("Wal", "Walk", "Walk to"), 2):
        keep(cast, text, Page(page.spell, number))  # the answers were lost: it still knows the first token
    assert (trail(cast), PhiAccessLog.objects.count()) == (["safety_plan.drafted"], before)
    assert draft_of(cast) == {"self_coping": [["Walk to", ""]]}
    keep(cast, "Walk far", Page(), token(cast))
    assert (draft_of(cast), trail(cast)) == ({"self_coping": [["Walk far", ""]]}, ["safety_plan.drafted"] * 2)


def test_a_save_that_comes_late_or_twice_changes_nothing_and_other_words_are_a_conflict(cast: Cast) -> None:
    page = Page()
    keep(cast, "First", page)
    row = keep(cast, "Second", Page(page.spell, 2))
    assert keep(cast, "First", page).revision == row.revision
    assert keep(cast, "Second", Page(page.spell, 2)).revision == row.revision
    with pytest.raises(RuleBroken, match="meanwhile"):
        keep(cast, "Gone back to, and changed", Page(page.spell, 2))
    makers.scope_all()
    assert draft_of(cast) == {"self_coping": [["Second", ""]]}


def test_words_that_may_not_take_a_place_are_kept_beside_once_and_sealed(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    keep(cast, "Alice was first", Page())
    late = Page()
    with pytest.raises(RuleBroken, match="meanwhile"):
        keep(cast, "Xylokarpowitz", late, user=cast.bob)
    makers.scope_all()
    row = aside(cast, "Xylokarpowitz", late, cast.bob)
    assert aside(cast, "Xylokarpowitz", Page(late.spell, 2), cast.bob).pk == row.pk
    assert aside(cast, "Xylokarpowitz and more", Page(late.spell, 3), cast.bob).pk == row.pk
    assert aside(cast, "Xylo", Page(late.spell, 2), cast.bob).pk == row.pk, "a late one takes nothing's place"
    assert makers.opened(SafetyPlan.objects.get(pk=row.pk), "draft") == coping_kept("Xylokarpowitz and more")
    assert aside(cast, "Of another page", Page(), cast.bob).pk != row.pk
    assert draft_of(cast) == {"self_coping": [["Alice was first", ""]]}
    assert trail(cast) == ["safety_plan.drafted", *["safety_plan.kept_beside"] * 3]
    with connection.cursor() as cursor:
        cursor.execute("SELECT draft FROM crisis_safetyplan")
        assert not [one for (one,) in cursor.fetchall() if b"Xylo" in bytes(one)]
    page = get(cast, url("safety_plan_edit", cast))
    assert "2 earlier or parallel texts" in page and url("safety_plan_version", cast, row.pk) in page
    shown = get(cast, url("safety_plan_version", cast, row.pk))
    assert "Xylokarpowitz" in shown and "This is no version." in shown and cast.bob.full_name in shown
    look = PhiAccessLog.objects.filter(object_id=row.pk, actor_id=cast.alice.pk).latest("id")
    assert look.sections == ["beside"]


def test_words_beside_a_plan_open_to_whoever_writes_it_alone(cast: Cast) -> None:
    alert = makers.make_alert(cast.patient)
    keep(cast, "Alice was first", Page())
    row = aside(cast, "Beside", Page())
    address = url("safety_plan_version", cast, row.pk)
    cast.on_duty()
    assert [as_user(user).get(address).status_code for user in (cast.bob, cast.charlie)] == [404, 404]
    assert as_user(cast.sam).get(url("safety_plan", cast)).status_code == 200, "a supervisor reads"
    assert as_user(cast.sam).get(address).status_code == 404, alert.pk
    makers.scope_all()
    for user in (cast.bob, cast.cleo):
        with pytest.raises(NotFound):
            aside(cast, "Not theirs", Page(), user)
        makers.scope_all()
    with pytest.raises(RuleBroken, match="read here"):
        aside(cast, "Not theirs", Page(), cast.sam)
    makers.scope_all()
    assert SafetyPlan.objects.beside().count() == 1


def test_what_a_colleague_goes_on_from_stays_beside_until_the_plan_is_finished(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    keep(cast, "Alice wrote this", Page())
    keep(cast, "Alice wrote this, changed", Page(), token(cast))
    assert not SafetyPlan.objects.beside().exists(), "one's own other page saw what it changed"
    keep(cast, "Bob wrote over it", Page(), token(cast), cast.bob)
    row = SafetyPlan.objects.beside().get()
    assert (row.authored_by, trail(cast)[-2:]) == (
        cast.alice, ["safety_plan.kept_beside", "safety_plan.drafted"],
    )  # fmt: skip
    assert makers.opened(row, "draft") == {"self_coping": [["Alice wrote this, changed", ""]]}
    assert queries.words_beside([cast.patient.pk]) == ([row], False)
    plan = finish(cast, cast.bob)
    assert queries.words_beside([cast.patient.pk]) == ([], False)
    retire_plan(
        actor=staff(cast.bob), patient_id=cast.patient.pk, plan_id=plan.pk, reason="mistaken"
    )  # fmt: skip
    makers.scope_all()
    assert queries.words_beside([cast.patient.pk]) == ([], False), "its time is over for good"


def test_a_list_of_kept_texts_that_is_cut_says_so(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(queries, "MOST_BESIDE", 2)
    for text in ("One", "Two"):
        aside(cast, text, Page())
    assert "Older ones" not in get(cast, url("safety_plan_edit", cast))
    aside(cast, "Three", Page())
    page = get(cast, url("safety_plan_edit", cast))
    assert "2 earlier or parallel texts" in page and "Older ones are kept too" in page


def test_finishing_twice_is_once_and_a_save_that_comes_after_it_begins_no_draft(cast: Cast) -> None:
    page, who = Page(number=3), cast.patient.pk
    keep(cast, "Before", Page(page.spell, 1))
    last = {"actor": staff(cast.alice), "patient_id": who, "written": written(), "seen": "", "page": page}
    plan = finish_plan(**last)
    makers.scope_all()
    assert finish_plan(**last).pk == plan.pk
    makers.scope_all()
    keep(cast, "Overtaken", Page(page.spell, 2))
    assert SafetyPlan.objects.get().in_force
    assert trail(cast) == ["safety_plan.drafted", "safety_plan.finished"]
    with pytest.raises(RuleBroken, match="meanwhile"):
        finish_plan(**last | {"written": written(lines=coping("Gone back to"))})


def finish_by_script(cast: Cast, spell: str, number: int, seen: str, lines: Any = None) -> Any:
    """One press of Finish: the page saves all that stands in it, then sends the form itself."""
    sent = form_of(cast, lines, spell=spell, number=str(number), seen=seen, means_review_on="2027-01-04")
    saved = post(cast, sent, **FETCH)
    assert saved.status_code == 200, saved.content
    sent.update({"finish": "1"})
    sent["number"], sent["seen"] = str(number + 1), saved.json()["version"]
    return post(cast, sent)


def test_finish_pressed_again_by_a_page_that_saves_first_begins_no_draft(cast: Cast) -> None:
    spell = "0" * 31 + "1"
    assert finish_by_script(cast, spell, 1, "").status_code == 303
    plan = SafetyPlan.objects.get()
    for number in (3, 5):  # the first answer was slow, and nobody told the page what became of it
        assert finish_by_script(cast, spell, number, "stale").status_code == 303
        assert SafetyPlan.objects.get() == plan
    last = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "written": written()}
    row = finish_plan(**last, seen="stale", page=Page(UUID(spell), 9))
    makers.scope_all()
    assert row.pk == plan.pk and trail(cast) == ["safety_plan.drafted", "safety_plan.finished"]
    with pytest.raises(InputRefused, match="Nothing is other"):
        finish_plan(**last, seen=token(cast), page=Page())


def test_a_page_whose_draft_was_finished_or_discarded_meets_the_rule_of_conflicts(cast: Cast) -> None:
    page = Page()
    first = keep(cast, "Walk", page).token
    finish_plan(
        actor=staff(cast.alice), patient_id=cast.patient.pk, written=written(), seen=first,
        page=Page(page.spell, 2),
    )  # fmt: skip
    makers.scope_all()
    with pytest.raises(RuleBroken, match="meanwhile"):  # gone back to, with words of its own
        keep(cast, "Walk on", Page(page.spell, 3), first)
    makers.scope_all()
    in_force, other = token(cast), Page()
    keep(cast, "Run", other, in_force)  # the page went before it heard of it
    discard_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, seen=token(cast))
    makers.scope_all()
    with pytest.raises(RuleBroken, match="meanwhile"):
        keep(cast, "Run on", Page(other.spell, 2), in_force)
    makers.scope_all()
    sent = form_of(cast, coping("Run on"), spell=str(other.spell), number="2", seen=in_force)
    assert "In force now is what you finished" in post(cast, sent, **FETCH).content.decode()
    keep(cast, "Run on", Page(other.spell, 3), in_force)  # it was asked, and wants it
    assert draft_of(cast) == coping_kept("Run on")


def test_a_process_of_the_version_before_moves_the_draft_and_keeps_the_spell(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    page = Page()
    keep(cast, "Alice", page)
    spell = (page.spell, 1)
    keep(cast, "Bob", Page(), token(cast), cast.bob)
    SafetyPlan.objects.filter(status="draft").update(spell=spell[0], spell_number=spell[1])
    with pytest.raises(RuleBroken, match="meanwhile"):
        keep(cast, "Alice, on", Page(page.spell, 2))
    makers.scope_all()
    assert draft_of(cast) == coping_kept("Bob")
    keep(cast, "Alice, on", Page(page.spell, 3), token(cast))
    beside = SafetyPlan.objects.beside().filter(authored_by=cast.bob)
    assert makers.opened(beside.get(), "draft") == coping_kept("Bob")


def test_two_pages_that_say_the_same_are_no_conflict(cast: Cast) -> None:
    row = keep(cast, "Walk", Page())
    other = Page()
    assert keep(cast, "Walk", other, "stale").token == row.token
    assert not SafetyPlan.objects.beside().exists()
    keep(cast, "Walk on", Page(other.spell, 2), row.token)
    assert draft_of(cast) == coping_kept("Walk on")


def test_the_count_of_saves_has_no_rule_that_would_have_to_read_the_whole_table(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'"
            " AND conrelid = 'crisis_safetyplan'::regclass"
        )
        assert [rule for (rule,) in cursor.fetchall() if "spell_number" in rule] == []


def test_a_draft_keeps_a_number_without_words_and_only_finishing_asks_for_them(cast: Cast) -> None:
    half = {"people_to_ask": [("", "0770 090 0318")]}
    save(cast, lines=half)
    assert draft_of(cast) == {"people_to_ask": [["", "0770 090 0318"]]}
    assert 'value="0770 090 0318"' in get(cast, url("safety_plan_edit", cast))
    with pytest.raises(InputRefused, match="say who or what"):
        finish(cast, lines=half)


def test_a_draft_is_no_look_and_what_says_the_same_as_the_plan_is_no_draft(cast: Cast) -> None:
    plan = finish(cast)
    make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code=PLAN_REVIEW,
    )  # fmt: skip
    makers.scope_all()
    save(cast)
    assert not SafetyPlan.objects.filter(status="draft").exists()
    keep(cast, "Walk", Page(), token(cast))
    plan.refresh_from_db()
    assert plan.in_force and plan.reviewed_at == plan.finished_at
    assert ReviewItem.objects.get(reason_code=PLAN_REVIEW).done_at is None


def test_a_draft_that_was_discarded_elsewhere_does_not_come_back_unasked(cast: Cast) -> None:
    page = Page()
    keep(cast, "Walk", page)
    discard_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, seen=token(cast))
    makers.scope_all()
    sent = form_of(cast, coping("Walk and run"), spell=str(page.spell), number="2", seen="stale")
    answer = post(cast, sent, **FETCH)
    said = answer.content.decode()
    assert answer.status_code == 409 and 'data-version=""' in said
    assert "discarded or taken out of force meanwhile" in said
    assert not SafetyPlan.objects.filter(status="draft").exists()
    sent["seen"], sent["number"] = "", "3"
    assert post(cast, sent, **FETCH).status_code == 200
    assert draft_of(cast) == {"self_coping": [["Walk and run", ""]]}


def test_a_script_hears_what_became_of_its_save_and_never_finishes(cast: Cast) -> None:
    spell = {"spell": "0" * 31 + "1", "number": "1"}
    answer = post(cast, form_of(cast, coping("Walk"), finish="1", **spell), **FETCH)
    assert answer.json()["version"] == token(cast) and len(answer.json()["at"]) == 8
    assert SafetyPlan.objects.get().is_draft, "finishing is a button's"
    answer = post(cast, form_of(cast, coping("x" * 301), spell=spell["spell"], number="2"), **FETCH)
    assert answer.status_code == 422 and "longer than 300 signs" in answer.json()["message"]
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    stale = form_of(cast, coping("Mine <b>"), spell="0" * 31 + "2")
    keep(cast, "Theirs", Page(), token(cast), cast.bob)
    answer = post(cast, stale, **FETCH)
    said = answer.content.decode()
    assert answer.status_code == 409 and said.startswith("<section") and "Mine &lt;b&gt;" in said
    assert f'data-version="{token(cast)}"' in said and 'data-text="Theirs"' in said
    assert cast.bob.full_name in said and "<!doctype" not in said
    assert draft_of(cast) == {"self_coping": [["Theirs", ""]]}
    assert makers.opened(SafetyPlan.objects.beside().latest("ended_at"), "draft") == {
        "self_coping": [["Mine <b>", ""]]
    }


def test_what_is_said_beside_the_lines_is_shown_and_can_be_taken(cast: Cast) -> None:
    save(cast, lines=coping("Walk"))
    sent = form_of(cast, coping("Walk"), seen="stale", means_review_on="2027-02-03")
    del sent["created_with_patient"]
    said = post(cast, sent, **FETCH).content.decode()
    assert 'data-section="means_review_on"' in said and 'data-value="2027-01-04"' in said
    assert "3 Feb 2027" in said and 'data-value="on"' in said and "on another page" in said


def test_a_page_gone_back_to_without_a_script_loses_nothing_in_either_direction(cast: Cast) -> None:
    sent = form_of(cast, coping("Walk"), keep="1", spell="0" * 31 + "1", number="1")
    assert post(cast, sent).status_code == 303
    sent.setlist("self_coping_text", ["Run"])
    sent.setlist("self_coping_contact", [""])
    answer = post(cast, sent)
    page = answer.content.decode()
    assert answer.status_code == 409 and "Run</textarea>" in page and "Walk" in page
    sent["seen"], sent["number"] = token(cast), "2"
    assert 'name="number" value="1"' in page and f'value="{sent["spell"]}"' not in page
    assert post(cast, sent).status_code == 303
    assert draft_of(cast) == {"self_coping": [["Run", ""]]}
