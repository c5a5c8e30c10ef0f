"""What a new password must be: long, not known, not about its person; and nothing about its signs."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError

from tests.cast import Cast

pytestmark = pytest.mark.django_db


def refusals(password: str, user: object = None) -> set[str]:
    try:
        validate_password(password, user)  # type: ignore[arg-type]
    except ValidationError as error:
        return {str(one.code) for one in error.error_list}
    return set()


@pytest.mark.parametrize(
    "password",
    [
        "wandering otter quietly hums",  # no digit, no capital, no sign
        "zwölf müde Störche über Köln",
        "短い川と長い橋と赤い船と青い空と",
        "otter-" + "vjx3 qpl8 " * 20,  # far over 64
        "14 otters, 15 birds",
        "quinze canards!",
    ],
)
def test_a_long_one_of_any_signs_is_taken(password: str) -> None:
    assert refusals(password) == set()


@pytest.mark.parametrize("password", ["", "otter hums 14!", "T0!q"])
def test_one_of_fewer_than_fifteen_signs_is_refused(password: str) -> None:
    assert "password_too_short" in refusals(password)


@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "password1234567!", "aaaaaaaaaaaaaaaaaaa", "qwertyqwertyqwerty", "1234512345123451"],
)
def test_a_known_one_made_long_is_refused(password: str) -> None:
    assert refusals(password) & {"password_predictable", "password_too_common"}


def test_the_list_of_known_ones_is_longer_than_the_standard_asks() -> None:
    assert len(CommonPasswordValidator().passwords) > 3_000  # type: ignore[attr-defined]


def test_one_that_is_about_its_person_is_refused(cast: Cast) -> None:
    cast.alice.email = "alexandrina.featherstone@example.org"
    assert refusals("alexandrina.featherstone", cast.alice) == {"password_too_similar"}
