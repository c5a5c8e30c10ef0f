"""Answers of page views: a page or its part, the next page, and a long list cut into pages."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from cortex.ui import nav
from cortex.ui.pages import go_to, is_partial, page_of

requests = RequestFactory()


def test_htmx_is_sent_on_by_its_header() -> None:
    answer = go_to(requests.post("/x/", headers={"HX-Request": "true"}), "/board/")
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/board/")


def test_a_plain_form_is_sent_on_by_303() -> None:
    answer = go_to(requests.post("/x/"), "/board/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/board/")


def test_only_the_header_makes_a_part() -> None:
    assert is_partial(requests.get("/", headers={"HX-Request": "true"}))
    assert not is_partial(requests.get("/"))


def test_a_page_number_out_of_range_gives_the_nearest_page() -> None:
    assert page_of(list(range(60)), "9", 20).number == 3
    assert page_of(list(range(60)), "x", 20).number == 1
    assert page_of([], None).object_list == []


def test_each_role_has_a_first_page() -> None:
    assert nav.home_of("counselor") == nav.path_of("crisis:board")
    assert nav.home_of("supervisor") == nav.path_of("crisis:board")
    assert nav.home_of("auditor") == nav.path_of("admin:index")
    # What compliance has three days for stands where they come in.
    assert nav.home_of("compliance") == nav.path_of("clinical:glass_reviews")


def test_a_page_is_marked_as_here_for_what_lies_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    request = requests.get(nav.path_of("crisis:review_list") + "5/")
    monkeypatch.setattr(nav, "_desk", nav.Desk())
    shown = {row["item"].key: row["here"] for row in nav.entries(request, "counselor")}  # type: ignore[attr-defined]
    assert shown["reviews"] is True
    assert shown["board"] is False


def test_figures_of_the_rail_come_from_the_floor_that_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nav, "_desk", nav.Desk())
    nav.register(nav.Desk(counts=lambda request: {"waiting": 3}))
    counts = {row["item"].key: row["count"] for row in nav.entries(requests.get("/"), "counselor")}  # type: ignore[attr-defined]
    assert counts["board"] == 3
    assert counts["cases"] == 0
