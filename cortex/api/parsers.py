"""DRF's way into the strict reader: a body is bounded before it is read, and read only once."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from cortex.api.problems import Problem
from cortex.api.strict import Limits, Parsed, read_json, too_large

LIMITS = Limits()


class Body:
    """What was sent, as bytes; it is read as JSON only when somebody asks."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def read(self) -> Parsed:
        """Return the value with the places that were repaired, or raise BodyRefused with the place."""
        return read_json(self.raw, LIMITS)

    def digest(self, route: str) -> bytes:
        """Return a keyed digest of route and bytes: a bare hash of a person's words could be guessed."""
        return hmac.new(
            settings.SECRET_KEY.encode(), route.encode() + b"\0" + self.raw, hashlib.sha256
        ).digest()


class RawParser(BaseParser):
    """Takes any body as bytes, for the door that must not fail on what it says (SOS)."""

    media_type = "*/*"

    def parse(  # type: ignore[override]
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read the body without a look at it; a declared size over the limit isn't read at all."""
        request = (parser_context or {}).get("request")
        declared = request.META.get("CONTENT_LENGTH", "") if request is not None else ""
        if str(declared).isdigit() and int(declared) > LIMITS.size:
            raise too_large(LIMITS)
        return Body(stream.read(LIMITS.size + 1))


class StrictJSONParser(RawParser):
    """Gives `request.data` a Body that is read strictly; another type or charset is refused with 415."""

    media_type = "application/json"

    def parse(  # type: ignore[override]
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read the body, at most one byte over the limit."""
        charset = (media_type or "").lower().partition("charset=")[2].strip("\"' ;") or "utf-8"
        if charset not in ("utf-8", "utf8"):
            raise Problem("unsupported_charset", "Send the body in UTF-8.", status=415)
        return super().parse(stream, media_type, parser_context)
