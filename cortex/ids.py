"""Time-ordered public ids (UUIDv7) and the times inside them; nothing here knows a table."""

import os
import time
from datetime import UTC, datetime
from uuid import UUID


def uuid7(at: datetime | None = None) -> UUID:
    """Return a UUIDv7 whose first 48 bits are milliseconds since the epoch at `at` (default: now).

    Of now the next 12 bits say which part of the millisecond (RFC 9562, 6.2, method 3): what one process
    writes within a millisecond stands in the order in which it was written.
    """
    chance = int.from_bytes(os.urandom(10), "big")
    if at is not None:
        milliseconds = int(at.timestamp() * 1000)
    else:
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        chance = (rest << 12) // 1_000_000 << 64 | chance & 0xFFFF_FFFF_FFFF_FFFF
    number = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | chance
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=number)


def time_of(identifier: UUID) -> datetime:
    """Return the UTC time that a UUIDv7 carries (milliseconds); raise ValueError for other versions."""
    if identifier.version != 7:
        raise ValueError("only version 7 ids carry a time")
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def floor_of(at: datetime) -> UUID:
    """Return the smallest UUIDv7 of the millisecond of `at`: the lower bound of a window on an id."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
