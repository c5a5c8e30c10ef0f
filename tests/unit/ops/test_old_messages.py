"""Messages of another release in the queue: a task that is gone, arguments that it took, no task at all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery import shared_task
from celery.app.trace import build_tracer
from celery.signals import task_rejected, task_unknown

from cortex.celery import app
from cortex.clock import clock
from cortex.ops.letters.models import DeadLetter
from cortex.ops.slots.tasking import BEAT, headers

pytestmark = pytest.mark.django_db


@shared_task(name="tests.narrow")
def narrow(one: str) -> str:
    """The work of this release: it takes one argument."""
    return one


def letters() -> list[tuple[str, str, int]]:
    return list(DeadLetter.objects.order_by("name").values_list("name", "error_code", "times"))


def work(*args: Any, **request: Any) -> Any:
    """Let a worker do a message, as it came from the queue."""
    task = app.tasks["tests.narrow"]
    trace = build_tracer(task.name, task, app=app)
    own = {"id": "m-1", "is_eager": False, "called_directly": False, "headers": {}, **request}
    return trace("m-1", args, {}, own)


def test_a_message_with_arguments_of_another_release_leaves_a_letter() -> None:
    work("as it is now")
    assert letters() == []
    work("as it was", "before")
    work("as it was", "before")
    assert letters() == [("tests.narrow", "TypeError", 2)]


def test_who_calls_a_task_by_hand_hears_of_it_and_leaves_no_letter() -> None:
    with pytest.raises(TypeError):
        narrow("one", "two")
    assert letters() == []


def test_a_task_that_this_release_has_not_leaves_a_letter_unless_its_slot_stays_due() -> None:
    plain, slotted = SimpleNamespace(headers={}), SimpleNamespace(headers=headers("tick", clock(), BEAT))
    task_unknown.send(sender=None, name="crisis.gone", id="m-2", message=plain, exc=KeyError())
    task_unknown.send(sender=None, name="crisis.gone", id="m-3", message=slotted, exc=KeyError())
    task_rejected.send(sender=None, message=SimpleNamespace(headers=None), exc=None)
    assert letters() == [("crisis.gone", "NotRegistered", 1), ("unreadable", "NotRegistered", 1)]
