"""Blind indexes: what is equal, what must differ, and that a missing key is an error."""

from __future__ import annotations

import base64
import os
from uuid import UUID

import pytest

from cortex.crypto.blind import (
    BLIND_INDEX_BYTES,
    blind_index,
    blind_indexes,
    index_key_fault,
    normalise_email,
    normalise_phone,
)
from cortex.crypto.errors import IndexKeyMissing
from cortex.ids import uuid7


def key_text() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def organization(settings: object) -> UUID:
    settings.CORTEX_INDEX_KEY = key_text()  # type: ignore[attr-defined]
    return uuid7()


@pytest.mark.parametrize("written", ["A@X.org ", "a@x.org", "\tA@x.ORG", "Ａ@x.org"])
def test_one_address_written_differently_has_one_index(written: str, organization: UUID) -> None:
    wanted = blind_index("a@x.org", column="patients.email", organization_id=organization)
    assert (
        blind_index(normalise_email(written), column="patients.email", organization_id=organization) == wanted
    )
    assert len(wanted) == BLIND_INDEX_BYTES == 32 and wanted[0] == 1


def test_two_organizations_and_two_columns_differ(organization: UUID) -> None:
    found = {
        blind_index("a@x.org", column=column, organization_id=tenant)
        for column in ("patients.email", "patients.phone")
        for tenant in (organization, uuid7())
    }
    assert len(found) == 4


def test_a_hundred_thousand_values_do_not_collide(organization: UUID) -> None:
    found = {blind_index(f"{n}@x.org", column="c", organization_id=organization) for n in range(100_000)}
    assert len(found) == 100_000


@pytest.mark.parametrize(
    "broken", ["", "x", "1:", base64.b64encode(b"short").decode(), "a:b,c:d", "0:" + "A" * 43]
)
def test_a_missing_or_broken_key_is_an_error_and_no_empty_answer(broken: str, settings: object) -> None:
    settings.CORTEX_INDEX_KEY = broken  # type: ignore[attr-defined]
    with pytest.raises(IndexKeyMissing):
        blind_index("a@x.org", column="c", organization_id=uuid7())
    assert index_key_fault()


def test_while_rotating_both_versions_are_found(settings: object) -> None:
    old, new, tenant = key_text(), key_text(), uuid7()
    settings.CORTEX_INDEX_KEY = old  # type: ignore[attr-defined]
    stored = blind_index("a@x.org", column="c", organization_id=tenant)
    settings.CORTEX_INDEX_KEY = f"2:{new},1:{old}"  # type: ignore[attr-defined]
    both = blind_indexes("a@x.org", column="c", organization_id=tenant)
    assert [index[0] for index in both] == [2, 1] and both[1] == stored
    assert blind_index("a@x.org", column="c", organization_id=tenant) == both[0]
    with pytest.raises(IndexKeyMissing):
        blind_index("a@x.org", column="c", organization_id=tenant, version=3)


def test_an_empty_value_has_no_index(organization: UUID) -> None:
    with pytest.raises(ValueError, match="empty"):
        blind_index("", column="c", organization_id=organization)


@pytest.mark.parametrize("wrong", ["", "@", "a@", "@x.org", "no address", "a b@x.org"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        normalise_email(wrong)


@pytest.mark.parametrize(
    ("written", "jurisdiction", "wanted"),
    [
        ("0712 345 678", "KE", "+254712345678"),
        ("712345678", "KE", "+254712345678"),
        ("+254 712-345-678", "UG", "+254712345678"),
        ("+254 (0)712 345 678", "KE", "+254712345678"),
        ("254712345678", "KE", "+254712345678"),
        ("00254712345678", "GB", "+254712345678"),
        ("٠٧١٢٣٤٥٦٧٨", "KE", "+254712345678"),
        ("+254712345678", "KE", "+254712345678"),
        ("0772 123 456", "UG", "+256772123456"),
        ("(202) 555-0143", "US-CA", "+12025550143"),
        ("1 202 555 0143", "US", "+12025550143"),
        ("020 7946 0018", "GB", "+442079460018"),
    ],
)
def test_phones_become_one_form(written: str, jurisdiction: str, wanted: str) -> None:
    assert normalise_phone(written, jurisdiction) == wanted


@pytest.mark.parametrize("wrong", ["", "call me", "1199", "+0712345678", "+" + "1" * 16, "0712 345 678 x2"])
def test_what_is_no_phone_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="phone"):
        normalise_phone(wrong)


def test_a_national_number_of_an_unknown_country_is_refused() -> None:
    with pytest.raises(ValueError, match="country"):
        normalise_phone("0712345678", "XX")
