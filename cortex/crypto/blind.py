"""Blind indexes: keyed digests by which an e-mail or a phone number is found without being readable.

A holder of the index key can try out guesses, so indexes go when the person is erased.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.signals import setting_changed

from cortex.crypto.errors import IndexKeyMissing, KeyProviderError
from cortex.crypto.provider import decode_key

BLIND_INDEX_BYTES = 32
"""One byte of version and 31 bytes (248 bits) of HMAC-SHA-256."""

CALLING_CODES = {
    "BI": "257", "CA": "1", "CD": "243", "DE": "49", "ET": "251", "FR": "33", "GB": "44", "GH": "233",
    "IE": "353", "IN": "91", "KE": "254", "NG": "234", "RW": "250", "SO": "252", "SS": "211", "TZ": "255",
    "UG": "256", "US": "1", "ZA": "27", "ZM": "260",
}  # fmt: skip
"""Country codes of the jurisdictions that the product knows (ITU-T E.164, list of assigned codes)."""
DEFAULT_JURISDICTION = "KE"


def blind_index(value: str, *, column: str, organization_id: UUID, version: int | None = None) -> bytes:
    """Return version byte + 31 bytes for a value that `normalise_email` or `normalise_phone` gave.

    The key is HKDF(index root, column | organization | version): equal values of two organizations or two
    columns differ. Raise IndexKeyMissing without a key (the lookup fails, it isn't empty), ValueError for "".
    """
    if not value:
        raise ValueError("an empty value has no blind index")
    roots = _roots(getattr(settings, "CORTEX_INDEX_KEY", ""))
    number = next(iter(roots)) if version is None else version
    if number not in roots:
        raise IndexKeyMissing(f"version {number} of the index key is not configured")
    key = _derived(roots[number], column, str(organization_id), number)
    return bytes([number]) + hmac.digest(key, value.encode(), hashlib.sha256)[: BLIND_INDEX_BYTES - 1]


def blind_indexes(value: str, *, column: str, organization_id: UUID) -> list[bytes]:
    """Return the index of a value under every configured version, newest first: for lookups."""
    versions = _roots(getattr(settings, "CORTEX_INDEX_KEY", ""))
    return [
        blind_index(value, column=column, organization_id=organization_id, version=version)
        for version in versions
    ]


def normalise_email(value: str) -> str:
    """Return an e-mail in NFKC, folded case and without spaces around; raise ValueError if it is none."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).strip().casefold())
    local, at, domain = text.rpartition("@")
    if not local or not at or not domain or any(mark.isspace() for mark in text):
        raise ValueError("this is no e-mail address")
    return text


def normalise_phone(value: str, jurisdiction: str = DEFAULT_JURISDICTION) -> str:
    """Return a phone number as +<country><number>, 8 to 15 digits; raise ValueError if it is none.

    A number without + or 00 is national to `jurisdiction` ("KE", "US-CA"): its leading zero is the trunk's.
    """
    # "+254 (0)712 …": the trunk's zero is often written in brackets.
    text = unicodedata.normalize("NFKC", value).strip().replace("(0)", "")
    digits = "".join(str(unicodedata.digit(mark)) for mark in text if mark.isdigit())
    if any(mark.isalpha() for mark in text) or not digits:
        raise ValueError("this is no phone number")
    if not text.startswith("+") and not digits.startswith("00"):
        digits = _international(digits, jurisdiction)
    number = digits.lstrip("0") if not text.startswith("+") else digits
    if not 8 <= len(number) <= 15 or number.startswith("0"):
        raise ValueError("this is no phone number")
    return f"+{number}"


def _international(digits: str, jurisdiction: str) -> str:
    code = CALLING_CODES.get(jurisdiction[:2].upper())
    if code is None:
        raise ValueError("the country of this phone number is not known: write it with + and country code")
    # Ten digits or more that begin with the country's own code are written in full, only without the plus.
    if digits.startswith(code) and len(digits) >= len(code) + 9:
        return digits
    return code + digits.removeprefix("0")


def index_key_fault() -> str:
    """Return what is wrong with CORTEX_INDEX_KEY, or an empty string (used by the system checks)."""
    try:
        _roots(getattr(settings, "CORTEX_INDEX_KEY", ""))
    except IndexKeyMissing as fault:
        return str(fault)
    return ""


@lru_cache(maxsize=4)
def _roots(text: str) -> dict[int, bytes]:
    """Return {version: root} of "base64" (version 1) or "2:base64,1:base64", newest first."""
    if not text:
        raise IndexKeyMissing("CORTEX_INDEX_KEY is empty")
    roots: dict[int, bytes] = {}
    for part in text.split(","):
        version, colon, material = part.strip().rpartition(":")
        number = int(version.lstrip("v")) if version.lstrip("v").isdecimal() else 1
        if (colon and not version.lstrip("v").isdecimal()) or number in roots or not 1 <= number <= 255:
            raise IndexKeyMissing("CORTEX_INDEX_KEY must be base64, or <1-255>:<base64>,<1-255>:<base64>")
        try:
            roots[number] = decode_key(material, "CORTEX_INDEX_KEY")
        except KeyProviderError as fault:
            raise IndexKeyMissing(str(fault)) from None
    return roots


@lru_cache(maxsize=1024)
def _derived(root: bytes, column: str, organization: str, version: int) -> bytes:
    info = f"cortex.blind|{column}|{organization}|{version}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(root)


def _forget_on_change(*, setting: str, **_: object) -> None:
    if setting == "CORTEX_INDEX_KEY":
        _roots.cache_clear()
        _derived.cache_clear()


setting_changed.connect(_forget_on_change)
