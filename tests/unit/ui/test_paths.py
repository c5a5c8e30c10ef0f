"""Paths that are looked up once: the same as Django's own, with ids of any person."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import NoReverseMatch, reverse, set_script_prefix

from cortex.ui.paths import path_to


def test_a_path_is_the_one_that_django_makes() -> None:
    one, other = uuid4(), uuid4()
    for name, ids in (
        ("crisis:board", ()),
        ("clinical:chart", (one,)),
        ("clinical:session", (one, other)),
        ("clinical:timeline_pin", (one, "session", other)),
        ("clinical:measure_ask", (one, "phq9")),
    ):
        assert path_to(name, *ids) == path_to(name, *ids) == reverse(name, args=ids)


def test_a_name_that_is_not_there_and_ids_that_do_not_fit_are_refused_like_there() -> None:
    for name, ids in (("clinical:nowhere", ()), ("clinical:chart", ()), ("clinical:chart", ("word",))):
        with pytest.raises(NoReverseMatch):
            path_to(name, *ids)


def test_a_prefix_under_which_the_house_is_served_stands_in_front() -> None:
    set_script_prefix("/house/")
    try:
        assert path_to("crisis:board") == reverse("crisis:board")
        assert path_to("crisis:board").startswith("/house/")
    finally:
        set_script_prefix("/")
    assert not path_to("crisis:board").startswith("/house/")
