"""The API's description: the OpenAPI document, and the same as plain rows for the reference page; pure."""

from __future__ import annotations

import functools
import json
from typing import Any

from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")
REF = "#/components/schemas/"


@functools.cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document; it is the same for everybody and made once per process."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return dict(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


def page() -> dict[str, Any]:
    """Return what the reference page shows: addresses by group, and the shared schemas as rows of members."""
    found = document()
    schemas = found["components"]["schemas"]
    return {
        "info": found["info"],
        "groups": _groups(found["paths"]),
        "schemes": [{**one, "name": name} for name, one in found["components"]["securitySchemes"].items()],
        "schemas": [_schema(name, one) for name, one in schemas.items()],
    }


def _groups(paths: dict[str, Any]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in paths.items():
        for method in METHODS:
            if method in methods:
                operation = _operation(path, method, methods[method])
                groups.setdefault(operation["group"], []).append(operation)
    return [{"name": name, "operations": operations} for name, operations in groups.items()]


def _operation(path: str, method: str, one: dict[str, Any]) -> dict[str, Any]:
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {
        "id": one["operationId"],
        "group": one.get("tags", ["Other"])[0],
        "method": method.upper(),
        "path": path,
        "summary": one.get("summary", ""),
        "about": one.get("description", ""),
        "security": sorted({name for way in one.get("security", []) for name in way}),
        "parameters": one.get("parameters", []),
        "body": _schema("", body["schema"]) if "schema" in body else None,
        "examples": [_example(name, example) for name, example in body.get("examples", {}).items()],
        "responses": [_response(code, answer) for code, answer in one.get("responses", {}).items()],
    }


def _example(name: str, example: dict[str, Any]) -> dict[str, str]:
    text = json.dumps(example.get("value"), ensure_ascii=False, indent=2)
    return {"name": example.get("summary") or name, "text": text}


def _response(code: str, answer: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = next(iter(answer.get("content", {}).values()), {})
    return {"code": code, "type": type_of(content.get("schema", {})), "about": answer.get("description", "")}


def _schema(name: str, one: dict[str, Any]) -> dict[str, Any]:
    needed = set(one.get("required", []))
    rows = [
        {"name": member, "type": type_of(inner), "needed": member in needed,
        "about": inner.get("description", ""),
         "limits": _limits(inner)}
        for member, inner in one.get("properties", {}).items()
    ]  # fmt: skip
    return {"name": name, "type": type_of(one), "about": one.get("description", ""), "members": rows,
            "choices": [_name(way) for way in one.get("oneOf", []) if "$ref" in way]}  # fmt: skip


def type_of(one: dict[str, Any]) -> str:
    """Return a short word for the type of a schema."""
    if "$ref" in one:
        return _name(one)
    if one.get("type") == "array":
        return f"list of {type_of(one.get('items', {}))}"
    if "oneOf" in one:
        return "one of " + ", ".join(type_of(way) for way in one["oneOf"])
    if isinstance(one.get("type"), list):
        return " or ".join(one["type"])
    return str(one.get("format") or one.get("type") or "any")


def _name(one: dict[str, Any]) -> str:
    return str(one["$ref"]).removeprefix(REF)


def _limits(one: dict[str, Any]) -> str:
    if "enum" in one:
        return ", ".join(str(value) for value in one["enum"])
    words = {
        "minimum": "from", "maximum": "to", "minLength": "at least", "minItems": "at least",
        "maxLength": "at most",
        "maxItems": "at most", "pattern": "like",
    }  # fmt: skip
    return " ".join(f"{word} {one[name]}" for name, word in words.items() if name in one)
