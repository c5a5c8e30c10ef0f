"""`make sabotage` takes minutes; that each of its changes still fits the sources is seen at once."""

from __future__ import annotations

import pytest

from tests.sabotage.cases import CASES, Sabotage
from tests.stores import ROOT


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_a_sabotage_fits_its_source_once_and_names_tests_that_exist(case: Sabotage) -> None:
    assert (ROOT / case.file).read_text("utf-8").count(case.old) == 1
    assert [name for name in case.tests if not (ROOT / name.split("::")[0]).exists()] == []
