"""The bill of materials names what a fresh install has, each part with its licence, and nothing unpinned."""

from __future__ import annotations

import json
import re
from email.message import Message
from importlib.metadata import distributions
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from packaging.licenses import canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cortex.ops.inventory import bom
from cortex.ops.inventory.licences import licence_of
from tests.stores import ROOT

RUNTIME = [ROOT / "requirements.txt"]
# A virtual environment comes with it; nothing of ours imports it, and no image runs it.
OF_THE_ENVIRONMENT = {"pip"}
KINDS = {"application", "library", "file"}


def pins(*files: str) -> dict[str, str]:
    lines = [line for name in files for line in (ROOT / name).read_text().splitlines() if "==" in line]
    return {canonicalize_name(Requirement(line).name): line.partition("==")[2] for line in lines}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    out = StringIO()
    call_command("sbom", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def packages(made: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["version"] for one in made["components"] if "purl" in one}


def all_components(made: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [file for one in made["components"] for file in one.get("components", [])]
    return [made["metadata"]["component"], *made["components"], *inner]


def test_it_names_all_that_a_fresh_install_has_and_nothing_outside_the_pins(made: dict[str, Any]) -> None:
    assert packages(made) == pins("requirements.txt")
    # What stands in this environment beside it was brought by the other two files.
    installed = {canonicalize_name(one.metadata["Name"]) for one in distributions()}
    beside = set(pins("requirements-dev.txt", "requirements-kms.txt")) | OF_THE_ENVIRONMENT
    assert installed - beside - set(packages(made)) == set()


def test_each_part_has_a_licence_of_the_spdx_list(made: dict[str, Any]) -> None:
    for one in [made["metadata"]["component"], *made["components"]]:
        [said] = one["licenses"]
        text = said["expression"] if "expression" in said else said["license"]["id"]
        assert canonicalize_license_expression(text) == text, one["name"]
        assert not text.startswith("LicenseRef"), one["name"]


def test_it_has_the_shape_of_cyclonedx(made: dict[str, Any]) -> None:
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    parts = all_components(made)
    for one in parts:
        assert one["type"] in KINDS and one["name"]
        assert "version" in one or one["type"] in ("file", "application")
        assert one.get("purl", one["bom-ref"]) == one["bom-ref"]
        assert all(re.fullmatch("[0-9a-f]{64}", digest["content"]) for digest in one.get("hashes", []))
        assert {digest["alg"] for digest in one.get("hashes", [])} <= {"SHA-256"}
        known = {"type", "bom-ref", "name", "version", "licenses", "purl", "hashes", "components"}
        assert set(one) <= known
    refs = [one["bom-ref"] for one in parts]
    assert len(set(refs)) == len(refs)
    top = {made["metadata"]["component"]["bom-ref"], *(one["bom-ref"] for one in made["components"])}
    assert [one["ref"] for one in made["dependencies"]] == list(
        dict.fromkeys(one["ref"] for one in made["dependencies"])
    )
    assert {one["ref"] for one in made["dependencies"]} == top
    assert {ref for one in made["dependencies"] for ref in one["dependsOn"]} <= top
    driver = next(one for one in made["dependencies"] if "/psycopg@" in one["ref"])
    # Its own needs, and those of the extras that are pinned.
    needs = {ref.removeprefix("pkg:pypi/").partition("@")[0] for ref in driver["dependsOn"]}
    assert {"psycopg-binary", "psycopg-pool", "typing-extensions"} <= needs


def test_files_of_others_that_ship_are_in_it_with_their_digests(made: dict[str, Any]) -> None:
    files = {one["bom-ref"].removeprefix("file:") for one in all_components(made) if "hashes" in one}
    shipped = {
        path.relative_to(ROOT).as_posix()
        for folder in ("static/vendor", "static/fonts", "static/img")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".txt"
    }
    assert files == shipped - {"static/img/favicon.svg"}, "name it in ATTRIBUTION.md"
    assert "axe-core" not in {one["name"] for one in made["components"]}, "tests aren't shipped"


def test_two_runs_give_the_same_bytes_and_name_no_machine(tmp_path: Path) -> None:
    places = [tmp_path / "a.json", tmp_path / "deeper" / "b.json"]
    for place in places:
        call_command("sbom", "--to", str(place), stdout=StringIO())
    first, second = (place.read_bytes() for place in places)
    assert first == second
    assert str(ROOT).encode() not in first


def pinned(tmp_path: Path, *lines: str) -> Path:
    place = tmp_path / "pins.txt"
    place.write_text("# pins\n-r other.txt\n" + "\n".join(lines) + "\n")
    return place


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("asgiref==0.0.1", "asgiref==0.0.1 is pinned, and"),
        ("no-such-thing==1.0", "no-such-thing==1.0 is pinned and not installed"),
    ],
)
def test_what_is_not_installed_as_it_is_pinned_is_refused(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        call_command("sbom", "--requirements", str(pinned(tmp_path, line)))


def test_a_need_that_nothing_pins_is_refused_also_one_of_an_extra(tmp_path: Path) -> None:
    known = pins("requirements.txt")
    uvicorn = f"uvicorn[standard]=={known['uvicorn']}"
    bare = [f"{name}=={known[name]}" for name in ("click", "h11")]
    with pytest.raises(CommandError, match=r"needs .*httptools"):
        call_command("sbom", "--requirements", str(pinned(tmp_path, uvicorn, *bare)))
    plain = pinned(tmp_path, uvicorn.replace("[standard]", ""), *bare)
    call_command("sbom", "--requirements", str(plain), stdout=StringIO())


def test_an_unknown_licence_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bom, "licence_of", lambda name, metadata: "" if name == "kombu" else "MIT")
    with pytest.raises(CommandError, match="licence of kombu"):
        call_command("sbom")


def test_a_licence_is_what_the_package_says_or_nothing() -> None:
    def says(**fields: str) -> str:
        metadata = Message()
        for name, value in fields.items():
            metadata[name.replace("_", "-")] = value
        return licence_of("x", metadata)

    assert says(License_Expression="mit or apache-2.0") == "MIT OR Apache-2.0"
    assert says(License="New BSD") == "BSD-3-Clause"
    assert says(Classifier="License :: OSI Approved :: MIT License") == "MIT"
    assert says(License="Copyright (c) somebody", Classifier="License :: OSI Approved :: BSD License") == ""
    assert says() == ""


def test_the_extra_of_aws_kms_can_be_added(tmp_path: Path) -> None:
    place = tmp_path / "bom.json"
    files = [str(ROOT / name) for name in ("requirements.txt", "requirements-kms.txt")]
    call_command("sbom", "--to", str(place), "--requirements", *files, stdout=StringIO())
    assert packages(json.loads(place.read_text())) == pins("requirements.txt", "requirements-kms.txt")
