"""The bill of materials as CycloneDX 1.6: what is installed of our pins, and files of others in static/."""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cortex.ops.inventory.licences import licence_of, spdx

PRODUCT = {"type": "application", "bom-ref": "cortex", "name": "cortex"}
OURS = "Apache-2.0"
# The words of ATTRIBUTION.md, as SPDX names them.
ATTRIBUTED = {
    "Zero-Clause BSD": "0BSD", "SIL Open Font License 1.1": "OFL-1.1", "MIT": "MIT",
    "Mozilla Public License 2.0": "MPL-2.0",
}  # fmt: skip
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<version>[\d.]+) \| `(?P<place>[^`|]+)` \| (?P<licence>[^,|]+),")


class BomRefused(Exception):
    """What is installed isn't what is pinned, or somebody's licence isn't known."""


def bill(root: Path, requirements: list[Path]) -> dict[str, Any]:
    """Return the bill of what these files pin and of what others made under `root`, in one order.

    Raise BomRefused for a pin that isn't installed as it says, for a package that needs one outside of the
    pins, and for whatever has no licence.
    """
    pins = _pins(requirements)
    parts = {name: _installed(name, pin) for name, pin in sorted(pins.items())}
    needs = {name: _needs(part, pins[name], set(pins)) for name, part in parts.items()}
    files = [file for line in _lines(root / "ATTRIBUTION.md") if (file := _vendored(root, line))]
    packages = [_package(name, part) for name, part in parts.items()]
    refs = {name: package["bom-ref"] for name, package in zip(parts, packages, strict=True)}
    everything = [*packages, *files]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": PRODUCT | {"licenses": [{"license": {"id": OURS}}]}},
        "components": everything,
        "dependencies": [
            {"ref": PRODUCT["bom-ref"], "dependsOn": sorted(one["bom-ref"] for one in everything)},
            *({"ref": refs[name], "dependsOn": [refs[one] for one in needs[name]]} for name in parts),
            *({"ref": one["bom-ref"], "dependsOn": []} for one in files),
        ],
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _pins(files: list[Path]) -> dict[str, Requirement]:
    """Return the pins of these files by name; a line that takes in another file is none of them."""
    found = (Requirement(line) for file in files for line in _lines(file) if line and line[0] not in "#-")
    return {canonicalize_name(pin.name): pin for pin in found}


def _installed(name: str, pin: Requirement) -> Distribution:
    try:
        part = distribution(name)
    except PackageNotFoundError:
        raise BomRefused(f"{pin} is pinned and not installed.") from None
    if not pin.specifier.contains(part.version, prereleases=True):
        raise BomRefused(f"{pin} is pinned, and {part.version} is installed.")
    return part


def _needs(part: Distribution, pin: Requirement, pins: set[str]) -> list[str]:
    """Return whom a package needs here, with the extras that its pin asks for."""
    asked = [Requirement(text) for text in part.requires or []]
    extras = pin.extras or {""}
    here = [
        one for one in asked if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras)
    ]
    names: list[str] = sorted({canonicalize_name(one.name) for one in here})
    if outside := [name for name in names if name not in pins]:
        raise BomRefused(f"{pin} needs {', '.join(outside)}, which nothing pins.")
    return names


def _package(name: str, part: Distribution) -> dict[str, Any]:
    licence = licence_of(name, part.metadata)
    if not licence:
        raise BomRefused(f"The licence of {name} {part.version} is not known: read it, then name it in READ.")
    ref = f"pkg:pypi/{name}@{part.version}"
    return _component("library", ref, name, part.version, licence) | {"purl": ref}


def _component(kind: str, ref: str, name: str, version: str, licence: str) -> dict[str, Any]:
    simple = " " not in licence
    said = {"license": {"id": licence}} if simple else {"expression": licence}
    return {"type": kind, "bom-ref": ref, "name": name, "version": version, "licenses": [said]}


def _vendored(root: Path, line: str) -> dict[str, Any] | None:
    """Return the component of a row of ATTRIBUTION.md about files that ship, with their digest."""
    row = ROW.match(line)
    if row is None or not row["place"].startswith("static/"):
        return None
    place = root / row["place"]
    files = sorted(path for path in place.rglob("*") if path.suffix != ".txt") if place.is_dir() else [place]
    licence = spdx(ATTRIBUTED.get(row["licence"], ""), {})
    if not licence or not files or not all(path.is_file() for path in files):
        raise BomRefused(f"ATTRIBUTION.md says {row['what']} at {row['place']}: file or licence isn't known.")
    name = row["what"].split(",")[0]
    ref = f"file:{row['place']}"
    part = _component("library", ref, name, row["version"], licence)
    return part | (
        _digest(place) if place.is_file() else {"components": [_file(root, path) for path in files]}
    )


def _file(root: Path, path: Path) -> dict[str, Any]:
    name = path.relative_to(root).as_posix()
    return {"type": "file", "bom-ref": f"file:{name}", "name": name} | _digest(path)


def _digest(path: Path) -> dict[str, Any]:
    return {"hashes": [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]}
