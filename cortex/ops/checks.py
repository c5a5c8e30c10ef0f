"""System checks of the deployment that need the database or look at the whole configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from cortex.ops import queries


@register(Tags.database)
def refuse_superuser(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a role that row-level security doesn't bind (E001)."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        if queries.is_superuser(alias):
            hint = "Connect as cortex_app, cortex_system or cortex_owner (docs/deploy/roles.sql)."
            text = f"The database {alias} is used as a superuser."
            found.append(Error(text, id="cortex.E001", hint=hint))
    return found


@register(Tags.security, deploy=True)
def deployment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse open hosts and a second ASGI server (E002, E004); warn of another content policy (W001)."""
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS lets every host pass.", id="cortex.E002"))
    if "daphne" in settings.INSTALLED_APPS:
        found.append(Error("Daphne has no back-pressure: serve with uvicorn.", id="cortex.E004"))
    if settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].get("default-src") != ["'none'"]:
        found.append(Warning("The content security policy isn't the strict one.", id="cortex.W001"))
    return found
