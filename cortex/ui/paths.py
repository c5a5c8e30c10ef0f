"""Paths of pages that name their parts by ids: looked up once, where `reverse` would look up each anew."""

from __future__ import annotations

import functools
import re
from uuid import UUID

from django.urls import get_script_prefix, reverse

# They stand for the ids while a path is looked up, as many as any address has.
UUIDS = tuple(UUID(int=2**127 + 5711 + number) for number in range(4))
SLUGS = tuple(f"stands-for-{number}" for number in range(4))


def path_to(name: str, *ids: UUID | str) -> str:
    """Return the path of a page by its name; `ids` are uuids and slugs of ours, in the order of its address.

    For lists with a link in each line. NoReverseMatch for a name that isn't routed with such ids.
    """
    first, *others = _parts(name, tuple(isinstance(one, UUID) for one in ids), get_script_prefix())
    return first + "".join(f"{one}{part}" for one, part in zip(ids, others, strict=True))


@functools.cache
def _parts(name: str, kinds: tuple[bool, ...], _prefix: str) -> tuple[str, ...]:
    """Return what stands between the ids; the prefix under which the application is served is part of it."""
    standing = [UUIDS[place] if is_uuid else SLUGS[place] for place, is_uuid in enumerate(kinds)]
    path = reverse(name, args=standing)
    return tuple(re.split("|".join(map(str, standing)), path)) if standing else (path,)
