"""What production refuses; a guard raises ImproperlyConfigured with the name, never the value."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ImproperlyConfigured

SUPERUSERS = {"postgres", "root", "rdsadmin"}
VERIFIED = {"verify-full", "verify-ca"}


def refuse_weak_secret(name: str, value: str, *, least: int) -> None:
    """Refuse a missing, short or monotonous secret."""
    if not value:
        raise ImproperlyConfigured(f"{name} is not set.")
    if len(value) < least or len(set(value)) < 5 or value.startswith("django-insecure-"):
        raise ImproperlyConfigured(f"{name} is too weak: take at least {least} random characters.")


def refuse_open_hosts(name: str, hosts: list[str]) -> None:
    """Refuse missing hosts and wildcards: the socket's origin check and reset mails rest on them."""
    if not hosts:
        raise ImproperlyConfigured(f"{name} is not set: name the host names that people type.")
    if any(host == "*" or host.startswith(".") for host in hosts):
        raise ImproperlyConfigured(f"{name} must name hosts one by one, without wildcards.")


def require_safe_database(alias: str, settings: dict[str, Any]) -> None:
    """Demand a plain role, and verified TLS unless the database is on a local socket."""
    if settings["USER"] in SUPERUSERS:
        raise ImproperlyConfigured(f"The database {alias} must not be used as a superuser.")
    if settings["HOST"].startswith("/"):
        return
    if settings["OPTIONS"].get("sslmode") not in VERIFIED:
        raise ImproperlyConfigured(
            f"The database {alias} needs sslmode=verify-full in its address, or a local socket."
        )


def refuse_same_cluster(main: dict[str, Any], keys: dict[str, Any]) -> None:
    """Refuse keys beside what they seal: one backup of one cluster would open everything."""
    places = [(one["HOST"], one["PORT"] or "5432") for one in (main, keys)]
    if places[0] == places[1]:
        raise ImproperlyConfigured("KEYS_DATABASE_URL must name a cluster of its own.")


def require_safe_redis(name: str, url: str) -> None:
    """Demand TLS unless Redis is on a local socket."""
    parts = urlsplit(url)
    if parts.scheme == "redis":
        raise ImproperlyConfigured(f"{name} must be rediss:// or a local socket (unix://).")
    if parse_qs(parts.query).get("ssl_cert_reqs", ["required"])[0] in ("none", "CERT_NONE"):
        raise ImproperlyConfigured(f"{name} must verify the server's certificate.")


def refuse_embedded(name: str, place: str) -> None:
    """Refuse the stores that `up` starts: they are sized for one developer and have no backups."""
    if "/.cortex/" in place or place.endswith("/stores/run") or "/var/lib/cortex/" in place:
        raise ImproperlyConfigured(f"{name} points at an embedded store; production needs its own.")
