"""Who is reminded of what waits unsigned, that nobody else learns of process notes, and when it ends."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from clinical.notes.actions import discard_draft
from clinical.notes.addenda.actions import sign_addendum, write_addendum
from clinical.notes.models import PROCESS
from clinical.notes.queries import AnyNote
from clinical.notes.reminders.actions import remind_author
from clinical.notes.reminders.queries import WAITS, late
from clinical.notes.tasks import remind_unsigned
from clinical.pathway.actions import discharge, move_caseload, transfer
from cortex.accounts.models import User
from cortex.ops.models import Notification
from cortex.ops.notices.queries import unseen
from crisis.reviews.models import ReviewItem
from patients.codes import EndingReason
from patients.pathway.actions import EndingData
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_notes import join, sign, signed, written
from tests.unit.notes.test_pages import as_user

pytestmark = pytest.mark.django_db
WORDS = "Something that you wrote waits for your signature."


def added(cast: Cast, note: AnyNote, user: User | None = None, text: str = "He rang later.") -> Any:
    return write_addendum(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, note_id=note.pk, text=text
    ).addendum


def backdate(row: Any, days: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {row._meta.db_table} SET created_at = now() - %s * interval '1 day' WHERE id = %s",  # noqa: S608
            [days, row.pk],
        )
    makers.scope_all()


def remind() -> int:
    count = remind_unsigned()
    makers.scope_all()
    return int(count)


def tasks() -> list[tuple[str, Any, Any, bool]]:
    rows = ReviewItem.objects.order_by("created_at", "pk")
    return [(one.reason_code, one.owner_id, one.source_id, one.done_at is not None) for one in rows]


def told(user: User) -> list[Any]:
    return [one.object_id for one in unseen(user.pk) if one.code == WAITS]


def sign_added(cast: Cast, note: AnyNote, row: Any, user: User | None = None) -> None:
    sign_addendum(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, note_id=note.pk, version=row.version
    )
    makers.scope_all()


def test_an_addendum_unsigned_for_three_days_is_a_task_that_its_signature_ends(cast: Cast) -> None:
    note = signed(cast)
    row = added(cast, note)
    assert remind() == 0
    backdate(row, 2)
    assert remind() == 0
    backdate(row, 4)
    assert remind() == 1
    assert remind() == 0
    assert remind_author(actor=makers.machine(cast.home), kind="note_addendum", row_id=row.pk) is None
    assert tasks() == [("addendum_unsigned", cast.alice.pk, row.pk, False)]
    assert told(cast.alice) == []
    cast.on_duty()
    page = as_user(cast.alice).get(reverse("crisis:review_detail", args=[ReviewItem.objects.get().pk]))
    assert "An addendum to a note waits for its signature" in page.content.decode()
    makers.scope_all()
    sign_added(cast, note, row)
    assert tasks() == [("addendum_unsigned", cast.alice.pk, row.pk, True)]


def test_an_emptied_addendum_ends_its_reminder_and_waits_anew_when_it_is_filled_again(cast: Cast) -> None:
    note = signed(cast)
    row = added(cast, note)
    backdate(row, 8)
    remind()
    assert [one.pk for one in late([cast.home.pk], makers.now()).addenda] == [row.pk]
    write_addendum(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, text=" ", version=row.version
    )
    makers.scope_all()
    assert tasks() == [("addendum_unsigned", cast.alice.pk, row.pk, True)]
    assert late([cast.home.pk], makers.now()).addenda == []
    assert remind() == 0
    write_addendum(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, text="Again.",
        version=row.version + 1,
    )  # fmt: skip
    makers.scope_all()
    assert remind() == 0
    assert late([cast.home.pk], makers.now()).addenda == []


def test_two_who_add_to_notes_of_one_person_are_both_told(cast: Cast) -> None:
    join(cast, cast.bob)
    note = signed(cast)
    first, second = added(cast, note), added(cast, note, cast.bob)
    backdate(first, 5)
    backdate(second, 4)
    assert remind() == 2
    assert remind() == 0
    assert tasks() == [("addendum_unsigned", cast.alice.pk, first.pk, False)]
    assert (told(cast.alice), told(cast.bob)) == ([], [second.pk])
    sign_added(cast, note, second, cast.bob)
    assert told(cast.bob) == []
    assert tasks() == [("addendum_unsigned", cast.alice.pk, first.pk, False)]


def test_after_seven_days_a_supervisor_s_list_says_that_an_addendum_waits(cast: Cast) -> None:
    note, process = signed(cast), signed(cast, PROCESS)
    row, own = added(cast, note, text="secretword"), added(cast, process, text="secretword")
    backdate(row, 6)
    backdate(own, 9)
    assert late([cast.home.pk], makers.now()).addenda == []
    backdate(row, 8)
    found = late([cast.home.pk], makers.now())
    assert ([one.pk for one in found.addenda], found.unsigned) == ([row.pk], [])
    assert late([cast.elsewhere.pk], makers.now()).addenda == []
    page = as_user(cast.sam).get(reverse("clinical:note_late")).content.decode()
    assert "Addendum to SOAP note" in page
    assert "Alice Achieng" in page
    assert cast.patient.anonymous_id in page
    assert "secretword" not in page
    assert "sychotherapy" not in page
    assert 'Unsigned <span class="count">1</span>' in page
    makers.scope_all()
    desk = as_user(cast.alice).get(reverse("clinical:note_desk")).content.decode()
    assert "unsigned for 8 days" in desk
    assert "Addendum to psychotherapy note" in desk


@pytest.mark.parametrize("adds", [False, True], ids=["a process note", "an addendum to one"])
def test_process_notes_are_their_author_s_matter_alone(cast: Cast, adds: bool) -> None:
    note = signed(cast, PROCESS) if adds else written(cast, PROCESS)
    row = added(cast, note) if adds else note
    for user, role in ((cast.bob, "case_manager"), (cast.sam, "supervisor")):
        join(cast, user, role)
    backdate(row, 2)
    assert remind() == 0
    backdate(row, 8)
    assert remind() == 1
    assert remind() == 0
    assert tasks() == []
    assert told(cast.alice) == [row.pk]
    (notice,) = Notification.objects.filter(code=WAITS)
    assert (notice.recipient_id, notice.object_type, notice.codes) == (cast.alice.pk, "", {})
    caseload = reverse("clinical:caseload")
    page = as_user(cast.alice).get(caseload).content.decode()
    assert WORDS in page
    assert f'href="{reverse("clinical:note_desk")}"' in page
    for user in (cast.bob, cast.sam):
        places = [
            reverse("clinical:timeline", args=[cast.patient.pk]),
            caseload,
            reverse("crisis:review_list"),
        ]
        places += [reverse("clinical:note_late")] if user == cast.sam else []
        cast.on_duty(user)
        for place in places:
            answer = as_user(user).get(place)
            makers.scope_all()
            if answer.status_code == 200:
                text = answer.content.decode()
                assert WORDS not in text
                assert "waits for its signature" not in text
                assert "sychotherapy" not in text
    if adds:
        sign_added(cast, note, row)
    else:
        sign(cast, note, note.version)
    makers.scope_all()
    assert told(cast.alice) == []
    assert remind() == 0


def test_a_discarded_process_note_and_an_emptied_addendum_to_one_end_their_notice(cast: Cast) -> None:
    process = signed(cast, PROCESS)
    row, draft = added(cast, process), written(cast, PROCESS)
    for one in (row, draft):
        backdate(one, 4)
    assert remind() == 2
    assert set(told(cast.alice)) == {row.pk, draft.pk}
    discard_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=draft.pk)
    makers.scope_all()
    assert told(cast.alice) == [row.pk]
    write_addendum(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=process.pk, text="", version=row.version
    )
    makers.scope_all()
    assert told(cast.alice) == []
    assert remind() == 0


def test_two_whose_notes_of_one_person_wait_are_both_told(cast: Cast) -> None:
    join(cast, cast.bob)
    first = written(cast)
    second = written(cast, user=cast.bob)
    backdate(first, 5)
    backdate(second, 4)
    assert remind() == 2
    assert tasks() == [("note_unsigned", cast.alice.pk, first.pk, False)]
    assert told(cast.bob) == [second.pk]


def test_who_signed_has_no_task_left_and_a_colleague_s_reminded_draft_has_one_of_its_own(cast: Cast) -> None:
    join(cast, cast.bob)
    first, more, theirs = written(cast), written(cast, "progress"), written(cast, user=cast.bob)
    for one, days in ((first, 6), (more, 5), (theirs, 4)):
        backdate(one, days)
    assert remind() == 3
    assert told(cast.bob) == [theirs.pk]
    sign(cast, first, first.version)
    makers.scope_all()
    # It goes on with what else of Alice's waits, and leads there.
    assert tasks()[-1] == ("note_unsigned", cast.alice.pk, more.pk, False)
    assert [one[3] for one in tasks()] == [True, False]
    discard_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=more.pk)
    makers.scope_all()
    assert [one for one in tasks() if not one[3]] == [("note_unsigned", cast.bob.pk, theirs.pk, False)]
    assert told(cast.bob) == []
    sign(cast, theirs, theirs.version, cast.bob)
    makers.scope_all()
    assert all(done for *_, done in tasks())


def test_a_colleague_who_signs_first_ends_no_task_of_another_author(cast: Cast) -> None:
    join(cast, cast.bob)
    first, second = written(cast), written(cast, user=cast.bob)
    backdate(first, 6)
    backdate(second, 5)
    remind()
    sign(cast, second, second.version, cast.bob)
    makers.scope_all()
    assert tasks() == [("note_unsigned", cast.alice.pk, first.pk, False)]
    assert told(cast.bob) == []


def test_an_addendum_that_was_signed_leaves_the_next_author_a_task(cast: Cast) -> None:
    join(cast, cast.bob)
    note = signed(cast)
    first, second = added(cast, note), added(cast, note, cast.bob)
    backdate(first, 5)
    backdate(second, 4)
    remind()
    sign_added(cast, note, first)
    assert [one for one in tasks() if not one[3]] == [("addendum_unsigned", cast.bob.pk, second.pk, False)]
    assert told(cast.bob) == []


@pytest.mark.parametrize("how", ["transfer", "discharge"])
def test_what_waits_for_an_author_s_signature_is_handed_to_nobody_who_can_t_sign_it(
    cast: Cast, how: str
) -> None:
    note = written(cast)
    backdate(note, 4)
    remind()
    who: dict[str, Any] = {"actor": staff(cast.alice), "patient_id": cast.patient.pk}
    if how == "transfer":
        data = EndingData(EndingReason.PERSON_ASKED, days=7, summary="All is well with them now.")
        transfer(to_id=cast.bob.pk, data=data, **who)
    else:
        data = EndingData(EndingReason.GOALS_REACHED, days=7, summary="All is well with them now.")
        discharge(data=data, **who)
    makers.scope_all()
    papers = [one for one in tasks() if one[0] == "note_unsigned"]
    assert papers == [("note_unsigned", cast.alice.pk, note.pk, False)]
    sign(cast, note, note.version)
    makers.scope_all()
    assert [one[3] for one in tasks() if one[0] == "note_unsigned"] == [True]


def test_a_leaver_s_papers_are_given_up_and_stay_on_the_late_list(cast: Cast) -> None:
    note = written(cast)
    backdate(note, 8)
    remind()
    move_caseload(
        actor=staff(cast.sam), user_id=cast.alice.pk, plan={cast.patient.pk: cast.bob.pk}, notes_known=True
    )
    makers.scope_all()
    assert tasks() == [("note_unsigned", cast.alice.pk, note.pk, True)]
    assert [one.pk for one in late([cast.home.pk], makers.now()).unsigned] == [note.pk]
