"""The sealed field types; how they seal and open is in `sealed`, whose key they need in `subjects`."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from django.core import validators
from django.db import models
from django.utils import timezone

from cortex.crypto.sealed import SealedMixin
from cortex.crypto.subjects import resolve_subject, subject_of, subject_spec
from cortex.crypto.updates import reseal, seal_now, seal_update
from cortex.crypto.values import Enc

__all__ = [
    "Enc",
    "SealedBooleanField",
    "SealedBytesField",
    "SealedCharField",
    "SealedDateField",
    "SealedDateTimeField",
    "SealedEmailField",
    "SealedIntegerField",
    "SealedJSONField",
    "SealedMixin",
    "SealedTextField",
    "reseal",
    "resolve_subject",
    "seal_now",
    "seal_update",
    "subject_of",
    "subject_spec",
]


class _Text(SealedMixin):
    """Shared by the texts: UTF-8, NUL allowed, the length limit holds at sealing too."""

    def to_bytes(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError("text expected")
        limit = getattr(self, "max_length", None)
        if limit is not None and len(value) > limit:
            raise ValueError("text is longer than max_length")
        return value.encode()

    def from_bytes(self, data: bytes) -> str:
        return data.decode()


class SealedTextField(_Text, models.TextField):
    """Text of any length; a `max_length`, when given, is enforced."""


class SealedCharField(_Text, models.CharField):
    """Text of at most `max_length` characters."""


class SealedEmailField(_Text, models.EmailField):
    """An e-mail address; a lookup needs a blind index beside it."""


class SealedJSONField(SealedMixin, models.JSONField):
    """Anything that JSON can say (NaN refused); a JSON null can't be told from an empty column."""

    def to_bytes(self, value: Any) -> bytes:
        if hasattr(value, "resolve_expression"):
            raise TypeError("a value expected, no expression")
        text = json.dumps(value, cls=self.encoder, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()

    def from_bytes(self, data: bytes) -> Any:
        return json.loads(data, cls=self.decoder)


class SealedDateField(SealedMixin, models.DateField):
    """A calendar date."""

    def to_bytes(self, value: Any) -> bytes:
        parsed: date = self.to_python(value)
        return parsed.isoformat().encode()

    def from_bytes(self, data: bytes) -> date:
        return date.fromisoformat(data.decode())


class SealedDateTimeField(SealedMixin, models.DateTimeField):
    """A moment; it comes back in UTC. A naive one is taken in the default time zone."""

    def to_python(self, value: Any) -> Any:
        parsed = super().to_python(value)
        if isinstance(parsed, datetime) and timezone.is_naive(parsed):
            return timezone.make_aware(parsed, timezone.get_default_timezone())
        return parsed

    def to_bytes(self, value: Any) -> bytes:
        parsed: datetime = self.to_python(value)
        return parsed.astimezone(UTC).isoformat().encode()

    def from_bytes(self, data: bytes) -> datetime:
        return datetime.fromisoformat(data.decode())


class SealedIntegerField(SealedMixin, models.IntegerField):
    """A whole number of up to 64 bits."""

    @cached_property
    def validators(self) -> list[Any]:  # type: ignore[override]
        # Django asks the database for the range of a column type; this column has none.
        limits = [validators.MinValueValidator(-(2**63)), validators.MaxValueValidator(2**63 - 1)]
        return [*self.default_validators, *self._validators, *limits]

    def to_bytes(self, value: Any) -> bytes:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError("a whole number expected")
        parsed: int = self.to_python(value)
        if not -(2**63) <= parsed < 2**63:
            raise ValueError("a number of up to 64 bits expected")
        return b"%d" % parsed

    def from_bytes(self, data: bytes) -> int:
        return int(data)


class SealedBooleanField(SealedMixin, models.BooleanField):
    """Yes or no."""

    def to_bytes(self, value: Any) -> bytes:
        return b"1" if self.to_python(value) else b"0"

    def from_bytes(self, data: bytes) -> bool:
        return data == b"1"


class SealedBytesField(SealedMixin, models.BinaryField):
    """Bytes as they are, for example a person's own embeddings."""

    def to_bytes(self, value: Any) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError("bytes expected")
        data = bytes(value)
        if self.max_length is not None and len(data) > self.max_length:
            raise ValueError("bytes are longer than max_length")
        return data

    def from_bytes(self, data: bytes) -> bytes:
        return data
