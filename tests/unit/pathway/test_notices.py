"""Every notice that the product writes has words of its own, and leads to where something can be done."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.assessments.planning.actions import NOTICE
from clinical.breakglass.showing import ELSEWHERE, NOTICES
from cortex.ops.notices.actions import notify
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[3]
WRITERS = re.compile(r"(\w+\.)?notify|Notification(\.objects\.create)?")
CALLS = (ast.FunctionDef, ast.AsyncFunctionDef)


def written(source: Path) -> set[str]:
    """The codes that a module's calls write notices by."""
    tree = ast.parse(source.read_text())
    name = ".".join(source.relative_to(ROOT).with_suffix("").parts)
    places = [
        (around, call)
        for around in ast.walk(tree) if isinstance(around, CALLS)
        for call in ast.walk(around) if isinstance(call, ast.Call)
    ]  # fmt: skip
    found: set[str] = set()
    for around, call in places:
        if WRITERS.fullmatch(ast.unparse(call.func)):
            code = next(one.value for one in call.keywords if one.arg == "code")
            found |= meant(code, around, places, import_module(name))
    return found


def meant(code: ast.expr, around: Any, places: list[tuple[Any, ast.Call]], module: ModuleType) -> set[str]:
    """What an expression may be: a text, one of a table, or what the function's own callers say."""
    if isinstance(code, ast.Constant):
        return {code.value}
    if isinstance(code, ast.IfExp):
        return meant(code.body, around, places, module) | meant(code.orelse, around, places, module)
    if isinstance(code, ast.Subscript):
        return {str(one) for one in getattr(module, ast.unparse(code.value)).values()}
    names = [one.arg for one in (*around.args.args, *around.args.kwonlyargs)]
    if ast.unparse(code) not in names:
        return {str(getattr(module, ast.unparse(code)))}
    place = names.index(ast.unparse(code))
    calls = [(inside, call) for inside, call in places if ast.unparse(call.func) == around.name]
    return {one for inside, call in calls for one in meant(call.args[place], inside, places, module)}


def test_every_code_that_is_written_has_words_and_no_words_are_for_nothing() -> None:
    sources = [
        path
        for floor in ("cortex", "patients", "crisis", "clinical")
        for path in (ROOT / floor).rglob("*.py")
        if "migrations" not in path.parts and re.search(r"notify\(|Notification\b", path.read_text())
    ]  # fmt: skip
    by_place = {path.relative_to(ROOT).as_posix(): written(path) for path in sources}
    found = set().union(*by_place.values())
    assert {"referral_declined", "plan_given_back", "cover", NOTICE} <= found, "the reader reads"
    assert found == set(NOTICES) | ELSEWHERE


@pytest.mark.django_db
def test_an_overdue_measure_is_told_in_words_and_leads_to_the_persons_measures(cast: Cast) -> None:
    other = makers.make_patient(cast.home, team=[cast.alice])

    def tell(patient: Patient) -> str:
        notify(
            actor=makers.machine(cast.home), organization_id=cast.home.pk, user_ids=[cast.alice.pk],
            code=NOTICE, object_type="patients.Patient", object_id=patient.pk, codes={"keys": "gad7"},
        )  # fmt: skip
        makers.scope_all()
        client = Client()
        client.force_login(cast.alice)
        page = client.get(reverse("clinical:caseload")).content.decode()
        makers.scope_all()
        (line,) = re.findall(r"A measure is more than three weeks late\..*?</p>", page)
        (leads,) = re.findall(r'href="([^"]+)"', line)
        assert client.get(leads).status_code == 200
        makers.scope_all()
        return str(leads)

    assert tell(cast.patient) == reverse("clinical:measures", args=[cast.patient.pk])
    assert tell(cast.patient) == reverse("clinical:measures", args=[cast.patient.pk]), "twice of one person"
    assert tell(other) == reverse("clinical:measures_due"), "of several people: where all of them stand"


@pytest.mark.django_db
def test_several_notices_fold_into_one_line_and_an_opened_chart_stays_open(cast: Cast) -> None:
    def told(*codes: str) -> str:
        makers.scope_all()
        for code in codes:
            notify(
                actor=makers.staff(cast.sam), organization_id=cast.home.pk, user_ids=[cast.alice.pk],
                code=code, object_type="patients.Referral", object_id=cast.patient.pk,
                codes={"patient": str(cast.patient.pk)},
            )  # fmt: skip
        client = Client()
        client.force_login(cast.alice)
        answer = client.get(reverse("clinical:caseload"))
        return answer.content.decode().split('aria-label="News for you"')[1].split("</section>")[0]

    one = told("referral")
    assert NOTICES["referral"] in one and "<details" not in one
    news = told("cover", "plan_approved", "break_glass")
    before, folded = news.split('<details class="news">')
    assert "3 notices for you" in folded
    assert NOTICES["break_glass"] in before and NOTICES["break_glass"] not in folded
    for code in ("referral", "cover", "plan_approved"):
        assert NOTICES[code] in folded
