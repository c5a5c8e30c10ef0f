"""What production refuses; a guard raises ImproperlyConfigured with the name, never the value."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured

from cortex.audit.publickeys import key_id, parse

SUPERUSERS = {"postgres", "root", "rdsadmin"}
VERIFIED = {"verify-full", "verify-ca"}
# With one of these libpq goes elsewhere than to the host that was looked at.
LEADS_ELSEWHERE = {"hostaddr", "service", "servicefile"}
VERIFIED_REDIS = {
    "ssl_cert_reqs": {"required", "CERT_REQUIRED"},
    "ssl_check_hostname": {"true", "True", "1"},
}
MAIL_SERVERS = {"smtp", "smtps", "smtp+tls"}
DEFAULT_PORT = "5432"
# Where `up` puts its sockets when the data folder's own path is too long for one.
SHORT_FOLDER = re.compile(r"cortex-[0-9a-f]{12}")


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
    elsewhere = LEADS_ELSEWHERE & settings["OPTIONS"].keys()
    if elsewhere or "," in settings["HOST"]:
        name = min(elsewhere, default="several hosts")
        raise ImproperlyConfigured(f"The database {alias} must name one host and nothing beside it: {name}.")
    if settings["HOST"].startswith("/"):
        return
    if settings["OPTIONS"].get("sslmode") not in VERIFIED:
        raise ImproperlyConfigured(
            f"The database {alias} needs sslmode=verify-full in its address, or a local socket."
        )


def refuse_other_addresses(environment: Mapping[str, str]) -> None:
    """Refuse libpq's own variables that lead a connection elsewhere than its address says."""
    for name in sorted({"PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE"} & environment.keys()):
        raise ImproperlyConfigured(f"{name} must not be set: the address alone says where a database is.")


def require_keys_apart(databases: Mapping[str, dict[str, Any]]) -> None:
    """Refuse keys in the cluster of the data that they open: a stolen copy would hold both."""
    places = {(one["HOST"], one["PORT"] or DEFAULT_PORT) for one in databases.values()}
    if len(places) < len(databases):
        raise ImproperlyConfigured("The keys need a PostgreSQL of their own, on another host or port.")


def require_mail(name: str, url: str) -> None:
    """Demand a mail server, or the word that there is none: a link in a log is read by whoever reads logs."""
    if not url:
        raise ImproperlyConfigured(f"{name} is not set: name a mail server, or say none.")
    if url != "none" and urlsplit(url).scheme not in MAIL_SERVERS:
        raise ImproperlyConfigured(f"{name} must start with smtp+tls:// or smtps://, or be none.")


def require_safe_redis(name: str, url: str) -> None:
    """Demand verified TLS unless Redis is on a local socket."""
    parts = urlsplit(url)
    if parts.scheme == "redis":
        raise ImproperlyConfigured(f"{name} must be rediss:// or a local socket (unix://).")
    options = parse_qs(parts.query, keep_blank_values=True)
    for option, fine in VERIFIED_REDIS.items():
        if set(options.get(option, [])) - fine:
            raise ImproperlyConfigured(f"{name} must verify the server's certificate and name: {option}.")


def refuse_embedded(name: str, folder: str) -> None:
    """Refuse the sockets of the stores that `up` starts: they are for one developer and have no backups.

    A link is followed first. A connection to an embedded PostgreSQL is refused once more by what the server
    says of itself (`cortex.ops.apps`).
    """
    if not folder.startswith("/"):
        return
    place = Path(folder).resolve()
    known = place.match("*/stores/run") or SHORT_FOLDER.fullmatch(place.name)
    inside = {".cortex", "/var/lib/cortex"} & {*place.parts, *map(str, place.parents)}
    if known or inside or any(place.parent.glob("postgres-*.furnished")):
        raise ImproperlyConfigured(f"{name} points at an embedded store; production needs its own.")


def require_anchors_apart(name: str, path: str, data_dir: Path) -> None:
    """Demand a place for the trail's anchors apart from the data: whoever rewrites one must not find both."""
    if not path:
        raise ImproperlyConfigured(f"{name} is not set: name a file on another disk or host than the data.")
    place = Path(path)
    if not place.is_absolute() or place.resolve().is_relative_to(data_dir.resolve()):
        raise ImproperlyConfigured(f"{name} must be an absolute path outside CORTEX_DATA_DIR.")


def require_listed_key(name: str, text: str, seed: str) -> None:
    """Demand that a list of public keys can be read and holds the one that signs; an empty list is none."""
    try:
        listed = parse(text)
        own = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed)).public_key()
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} or CORTEX_AUDIT_SIGNING_KEY can't be read: {error}.") from None
    if listed and key_id(own) not in listed:
        raise ImproperlyConfigured(f"{name} does not list the key that signs now (manage.py audit_key).")
