"""Every address of the resolver with its declaration and the groups of its pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from cortex.access.declare import Access
from cortex.access.middleware import declared

# Groups that name no row: the app of the back office's index, and whatever nobody serves.
NO_ID = {"app_label": "crisis", "url": "nothing/here"}


@dataclass(frozen=True, slots=True)
class Address:
    """One pattern: its text, the full name, who is declared, which groups it has."""

    pattern: str
    name: str
    access: Access | None
    groups: tuple[str, ...]
    view: Callable[..., Any]

    @property
    def ids(self) -> tuple[str, ...]:
        """The groups that name a row."""
        return tuple(group for group in self.groups if group not in NO_ID)

    @property
    def is_admin(self) -> bool:
        """Whether it belongs to the back office."""
        return self.pattern.startswith("admin/")

    @property
    def is_api(self) -> bool:
        """Whether keys and tokens are asked there."""
        return self.access is not None and self.access.how in ("key", "patient_token")

    def path(self, **values: Any) -> str:
        """Return the path with the groups filled in."""
        from django.urls.resolvers import RoutePattern

        filled = self.pattern
        for group in self.groups:
            value = str(values.get(group, NO_ID.get(group, "")))
            for kind in ("uuid", "path", "str", "slug"):
                filled = filled.replace(f"<{kind}:{group}>", value)
            filled = filled.replace(f"<int:{group}>", value if value.isdigit() else "1")
        if "(?P<" in filled:
            filled = _filled_regex(filled, values)
        assert RoutePattern is not None
        return "/" + filled.replace("^", "").replace("$", "").replace("\\", "")


def _filled_regex(pattern: str, values: dict[str, Any]) -> str:
    import re

    def put(match: Any) -> str:
        return str(values.get(match.group(1), NO_ID.get(match.group(1), "")))

    return re.sub(r"\(\?P<(\w+)>[^()]*\)", put, pattern)


def addresses() -> list[Address]:
    """Return every address, in the resolver's order; static files are served before it."""
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, prefix: str, space: str) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _walk(entry, pattern, inner)
        elif isinstance(entry, URLPattern):
            groups = _groups(resolver, entry, prefix, pattern)
            yield Address(
                pattern, f"{space}{entry.name or ''}", declared(entry.callback), groups, entry.callback
            )


def _groups(resolver: URLResolver, entry: URLPattern, prefix: str, pattern: str) -> tuple[str, ...]:
    import re

    return tuple(re.findall(r"<(?:\w+:)?(\w+)>", pattern))
