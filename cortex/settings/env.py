"""Parsers of environment variables that fail loudly; no setting is decided here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class Environment:
    """Reads named values; a wrong one raises ImproperlyConfigured with its name, never its value."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = os.environ if values is None else values

    def text(self, name: str, default: str = "") -> str:
        """Return the value without spaces around it, or the default when unset or empty."""
        return self.values.get(name, "").strip() or default

    def required(self, name: str, why: str = "") -> str:
        """Return the value, or raise when it is unset or empty."""
        value = self.text(name)
        if not value:
            raise ImproperlyConfigured(f"{name} is not set. {why}".strip())
        return value

    def secret(self, name: str) -> str:
        """Return NAME's value, or the content of the file that NAME_FILE names; empty without both."""
        path = self.text(f"{name}_FILE")
        if not path:
            return self.text(name)
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE can't be read: {error.strerror}.") from error

    def flag(self, name: str, default: bool) -> bool:
        """Return a yes or no."""
        value = self.text(name).lower()
        if not value:
            return default
        if value in TRUE | FALSE:
            return value in TRUE
        raise ImproperlyConfigured(f"{name} must be one of 1, 0, true, false, yes, no, on, off.")

    def integer(self, name: str, default: int, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
        """Return a whole number within its bounds."""
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not minimum <= int(value) <= maximum:
            raise ImproperlyConfigured(f"{name} must be a whole number from {minimum} to {maximum}.")
        return int(value)

    def listing(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """Return the comma-separated values."""
        value = self.text(name)
        return [part.strip() for part in value.split(",") if part.strip()] or list(default)

    def roles(self, name: str, every: tuple[str, ...]) -> list[str]:
        """Return some of the roles, all of them when unset, and none for the word "none"."""
        found = self.listing(name, every)
        if found == ["none"]:
            return []
        if not set(found) <= set(every):
            raise ImproperlyConfigured(f"{name} must be none, or some of {', '.join(every)}.")
        return found

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return one of the allowed words."""
        value = self.text(name, default)
        if value not in allowed:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}.")
        return value


def postgres_settings(name: str, url: str) -> dict[str, Any]:
    """Turn postgresql://user:password@host:port/database?host=/socket&sslmode=… into Django's settings."""
    parts = _split(name, url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured(f"{name} must start with postgresql://.")
    database = unquote(parts.path.lstrip("/"))
    if not database or not parts.username:
        raise ImproperlyConfigured(f"{name} must name a user and a database.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    if not host:
        raise ImproperlyConfigured(f"{name} must name a host, or a socket folder as ?host=/….")
    return {
        "ENGINE": "cortex.ops.postgres",
        "NAME": database,
        "USER": unquote(parts.username),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


ROLES = {"app": "", "system": "_SYSTEM", "owner": "_OWNER"}
# How long one statement may take, in seconds: a page's, a machine's. Migrations take what they take.
STATEMENT_SECONDS = {"app": 15, "system": 120}
# A process that stopped in the middle of a transaction must not hold its locks, a feed's above all, for ever:
# a page's is over anyway when its request is (cortex/ops/pages.py).
IDLE_SECONDS = {"app": 25, "system": 60}
# The server, too, finds out that a network has swallowed whoever asked, and stops working for nobody.
NOTICED = ("client_connection_check_interval=10s", "tcp_user_timeout=10000", "tcp_keepalives_idle=10",
           "tcp_keepalives_interval=5", "tcp_keepalives_count=3")  # fmt: skip
# A page's statements that are planned once (cortex/ops/postgres/planned.py) name what varies by number, ids
# and times, and all else as constants: one plan fits every value, and none is planned anew for each request.
ONE_PLAN = "-c plan_cache_mode=force_generic_plan"
# Longer than the server's own limits: this one is for a server, or a network, that says nothing any more.
PATIENCE = 5
CONNECT = {"connect_timeout": "3", "tcp_user_timeout": "10000", "keepalives_idle": "10",
           "keepalives_interval": "5", "keepalives_count": "3"}  # fmt: skip


def role_databases(env: Environment, role: str, *, pool: int = 0) -> dict[str, dict[str, Any]]:
    """Return both databases as one role sees them; `pool` is the most connections of a pool, 0 for none."""
    databases = {}
    for alias, family in (("default", "DATABASE"), ("keys", "KEYS_DATABASE")):
        name = f"{family}{ROLES[role]}_URL"
        settings = postgres_settings(name, env.required(name, f"It is the address for the role {role}."))
        settings |= {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 0 if pool else 60}
        limit_waits(settings, STATEMENT_SECONDS.get(role), IDLE_SECONDS.get(role, 0))
        if role == "app":
            plan_once(settings)
        elif role == "owner":
            # A migration that can't have its lock soon gives up, before the desk queues up behind it.
            settings["OPTIONS"].setdefault("options", "-c lock_timeout=10s")
        if pool:
            # A try to connect anew is given up soon: each later one would wait twice as long.
            settings["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool, "timeout": 5, "max_idle": 300,
                                           "reconnect_timeout": 5}  # fmt: skip
        databases[alias] = settings
    return databases


def known_databases(env: Environment, role: str) -> dict[str, dict[str, Any]]:
    """Return the databases whose address for a role is given, as that role sees them, without any limit."""
    names = {"default": f"DATABASE{ROLES[role]}_URL", "keys": f"KEYS_DATABASE{ROLES[role]}_URL"}
    return {alias: postgres_settings(name, env.text(name)) for alias, name in names.items() if env.text(name)}


def plan_once(settings: dict[str, Any]) -> None:
    """Let a statement that is planned once keep that plan; what the address itself says wins."""
    settings["OPTIONS"]["options"] = f"{ONE_PLAN} {settings['OPTIONS'].get('options', '')}".strip()


def limit_waits(settings: dict[str, Any], seconds: int | None, idle: int = 0) -> None:
    """Put an end to every wait; `seconds` is for one statement, `idle` for a transaction between two.

    What the address itself says wins.
    """
    given = settings["OPTIONS"]
    settings["OPTIONS"] = CONNECT | given
    if seconds is None:
        return
    limits = (f"statement_timeout={seconds}s", f"idle_in_transaction_session_timeout={idle}s", *NOTICED)
    said = " ".join(f"-c {one}" for one in limits)
    settings["OPTIONS"]["options"] = f"{said} {given.get('options', '')}".strip()
    settings["ANSWER_SECONDS"] = seconds + PATIENCE


def redis_url(name: str, url: str) -> str:
    """Check that a Redis address is one of redis://, rediss:// and unix://."""
    parts = _split(name, url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(f"{name} must start with redis://, rediss:// or unix://.")
    if parts.scheme == "unix" and not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} must name a socket file.")
    return url


def web_address(name: str, url: str, *, secure: bool = False) -> str:
    """Check that an address, if there is one, is http(s); `secure` takes https alone, but on this machine."""
    if not url:
        return ""
    parts = _split(name, url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must start with https:// or http://, and name a host.")
    if secure and parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ImproperlyConfigured(f"{name} must start with https://.")
    return url


def celery_broker(url: str) -> str:
    """Return the same address as Celery spells it: redis+socket for a socket, and TLS with its check said.

    Without that word Celery's rediss:// takes any certificate.
    """
    if url.startswith("unix://"):
        return "redis+socket" + url.removeprefix("unix")
    if url.startswith("rediss://") and "ssl_cert_reqs=" not in url:
        return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=required"
    return url


def email_settings(name: str, url: str) -> dict[str, Any]:
    """Turn none, console://, memory:// or smtp[s]://user:password@host:port into Django's mail settings."""
    if url == "none":
        return {"EMAIL_BACKEND": "cortex.ops.nomail.NoMail"}
    parts = _split(name, url)
    backends = {"console": "console", "memory": "locmem", "smtp": "smtp", "smtps": "smtp", "smtp+tls": "smtp"}
    if parts.scheme not in backends:
        raise ImproperlyConfigured(f"{name} must start with console://, smtp://, smtp+tls:// or smtps://.")
    settings: dict[str, Any] = {
        "EMAIL_BACKEND": f"django.core.mail.backends.{backends[parts.scheme]}.EmailBackend"
    }
    if backends[parts.scheme] != "smtp":
        return settings
    if not parts.hostname:
        raise ImproperlyConfigured(f"{name} must name a mail server.")
    return settings | {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_TIMEOUT": 10,
    }


def _split(name: str, url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} isn't a readable address.") from error
    return parts
