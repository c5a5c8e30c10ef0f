"""The page of the key inventory, written from code; it names kinds of keys and never reads one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from cortex.ops.inventory.kinds import KINDS, UNKEYED, KeyKind
from cortex.ops.inventory.scanning import uses

HEAD = """# Keys

What keys and secrets the house has: who owns each, what it is for and must never be used for, where it
lies and how it is exchanged. `manage.py inventory --write` writes this page from the code: from the entries
in `cortex/ops/inventory/kinds.py`, and from imports. A test fails when they differ, or when code uses
cryptography that no entry names. No key is read to write it. [OPERATIONS.md](OPERATIONS.md) says step by
step how a key is exchanged.

After a suspected leak: exchange the key first, then look at the trail for what it opened. A key is held by
the processes that its entry names, by nobody's own machine; when somebody leaves who could read one, it ends.
"""


def page(root: Path) -> str:
    """Return the whole page for the code under `root`."""
    used = uses(root)
    parts = [HEAD, *(_entry(kind, used) for kind in KINDS), "## Without a key\n", _unkeyed(used)]
    return "\n".join(parts)


def unnamed(used: Iterable[str]) -> set[str]:
    """Return those of these modules that no entry names."""
    return set(used) - named()


def named() -> set[str]:
    """Return every module that an entry names."""
    keyed = {module for kind in KINDS for module in kind.modules}
    return keyed | {module for modules in UNKEYED.values() for module in modules}


def _entry(kind: KeyKind, used: Mapping[str, Set[str]]) -> str:
    rows = {
        "owner": kind.owner,
        "algorithm": kind.algorithm,
        "used for": kind.used_for,
        "never for": kind.never_for,
        "lies": kind.lies,
        "set by": ", ".join(f"`{name}`" for name in kind.settings),
        "rows": f"`{kind.table}`" if kind.table else "",
        "rotation": kind.rotation,
        "command": f"`manage.py {kind.command}`" if kind.command else "none",
        "code": _code(kind.modules, used) or "a library's own",
    }
    table = "\n".join(f"| {name} | {text} |" for name, text in rows.items() if text)
    return f"## {kind.name}\n\n| | |\n|---|---|\n{table}\n"


def _unkeyed(used: Mapping[str, Set[str]]) -> str:
    rows = (f"| {what} | {_code(modules, used)} |" for what, modules in UNKEYED.items())
    return "\n".join(["| for | code |", "|---|---|", *rows, ""])


def _code(modules: Iterable[str], used: Mapping[str, Set[str]]) -> str:
    return "; ".join(f"`{module}` ({', '.join(sorted(used.get(module, ())))})" for module in modules)
