"""Where the code uses cryptography, by its imports; no key and no setting is read."""

from __future__ import annotations

import ast
from pathlib import Path

FLOORS = ("cortex", "patients", "crisis", "clinical")
# Modules that bring primitives, or what a library builds of them, into a file that imports them.
PRIMITIVES = (
    "allauth.mfa.internal.flows", "allauth.mfa.recovery_codes.internal", "allauth.mfa.totp.internal",
    "allauth.mfa.webauthn.internal", "argon2", "bcrypt", "cryptography", "django.contrib.auth.hashers",
    "django.contrib.auth.tokens", "django.core.signing", "django.utils.crypto", "fido2", "hashlib", "hmac",
    "nacl", "secrets", "ssl",
)  # fmt: skip
RANDOM = "os.urandom"


def primitives_in(source: str) -> set[str]:
    """Return what a module's source uses, by the names above; classes of cryptography by their own."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if _is_primitive(alias.name)}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {_named(node.module, alias.name) for alias in node.names} - {""}
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == RANDOM:
            found.add(RANDOM)
    return found


def uses(root: Path) -> dict[str, set[str]]:
    """Return what each module of the floors uses, by its dotted name; those that use nothing are left out."""
    found = {}
    for floor in FLOORS:
        for path in sorted((root / floor).rglob("*.py")):
            if used := primitives_in(path.read_text(encoding="utf-8")):
                found[".".join(path.relative_to(root).with_suffix("").parts)] = used
    return found


def _named(module: str, name: str) -> str:
    whole = f"{module}.{name}"
    if module == "os":
        return whole if whole == RANDOM else ""
    if not _is_primitive(module) and not _is_primitive(whole):
        return ""
    if module.split(".")[0] == "cryptography":
        return f"cryptography {name}"
    return module if _is_primitive(module) else whole


def _is_primitive(name: str) -> bool:
    return any(name == known or name.startswith(f"{known}.") for known in PRIMITIVES)
