"""How drf-spectacular describes credentials and problems; the doors are described beside themselves."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from cortex.access.declare import Access


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The server's key."""

    target_class = "cortex.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        about = "A server's key: Authorization: Api-Key <key> (or X-Api-Key: <key>)."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": about}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The token of a patient's own device."""

    target_class = "cortex.api.authentication.PatientTokenAuthentication"
    name = "patientToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        about = "A short-lived token that a key minted for one patient."
        return {"type": "http", "scheme": "bearer", "description": about}


TEXT, COUNT, TIME = {"type": "string"}, {"type": "integer"}, {"type": "string", "format": "date-time"}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What was refused and why (RFC 9457), with its place and support.",
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "code": {"type": "string", "description": "For machines."},
        "detail": {"type": "string", "description": "For people."},
        "pointer": {"type": "string", "description": "JSON pointer of the place."},
        "place": {
            "type": "object", "description": "Line and column, from 1.",
            "properties": {"line": {"type": "integer"}, "column": {"type": "integer"}},
        },
        "support": {"$ref": "#/components/schemas/Support"},
    },
    "required": ["type", "title", "status", "code", "detail"],
}  # fmt: skip


def ref(name: str) -> dict[str, str]:
    """Return the reference to a shared schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(about: str, required: tuple[str, ...] = (), **members: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with these members, of which some are always there."""
    return {"type": "object", "description": about, "properties": members, "required": list(required)}


def refusals(*codes: int) -> dict[tuple[int, str], dict[str, Any]]:
    """Return the documented refusals of a door, for `extend_schema(responses=…)`."""
    return {(code, "application/problem+json"): ref("Problem") for code in codes}


def add_components(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the shared schemas (a postprocessing hook); floors above register theirs in SHARED."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update({"Problem": PROBLEM, **SHARED})
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


SHARED: dict[str, dict[str, Any]] = {}


def only_declared(endpoints: list[Any], **_: Any) -> list[Any]:
    """Keep the addresses of /api/v1 whose views declared access by key or token (a preprocessing hook)."""
    return [one for one in endpoints if one[0].startswith("/api/v1/") and _is_api(one[3])]


def _is_api(callback: Any) -> bool:
    access: Access | None = getattr(getattr(callback, "cls", callback), "access", None)
    return access is not None and access.how in ("key", "patient_token")
