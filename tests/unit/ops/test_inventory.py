"""The inventory of keys is the code's: its page, its settings, its rows and commands, and every use of it."""

from __future__ import annotations

import ast
import re
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands

from cortex.ops import local_secrets
from cortex.ops.inventory.keypage import named, page, unnamed
from cortex.ops.inventory.kinds import KINDS, UNKEYED
from cortex.ops.inventory.scanning import primitives_in, uses
from cortex.ops.management.commands import inventory
from tests.stores import ROOT

PAGE = ROOT / "docs" / "KEYS.md"
BASE = (ROOT / "cortex/settings/base.py").read_text(encoding="utf-8")
USED = uses(ROOT)


def printed() -> str:
    out = StringIO()
    call_command("inventory", stdout=out)
    return out.getvalue()


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(ROOT) == printed(), "run manage.py inventory --write"


def test_every_use_of_cryptography_stands_in_an_entry_and_every_entry_names_a_use() -> None:
    assert unnamed(USED) == set(), "name these in cortex/ops/inventory/kinds.py"
    assert named() - set(USED) == set()
    bare = {module for modules in UNKEYED.values() for module in modules}
    keyed = {module for kind in KINDS for module in kind.modules}
    assert bare & keyed == set()
    assert [module for module in bare if any("cryptography" in one for one in USED[module])] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import hashlib", "hashlib"),
        ("from hashlib import blake2s", "hashlib"),
        ("import hmac as h", "hmac"),
        ("from secrets import token_hex", "secrets"),
        ("from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305", "cryptography "
         "ChaCha20Poly1305"),
        ("from cryptography.fernet import Fernet", "cryptography Fernet"),
        ("import cryptography.fernet", "cryptography.fernet"),
        ("from django.core import signing", "django.core.signing"),
        ("from django.core.signing import Signer", "django.core.signing"),
        ("from os import urandom", "os.urandom"),
        ("import os\nx = os.urandom(3)", "os.urandom"),
        ("def f():\n    import ssl", "ssl"),
        ("from django.utils.crypto import get_random_string", "django.utils.crypto"),
    ],
)  # fmt: skip
def test_a_new_use_is_seen(line: str, found: str) -> None:
    assert primitives_in(line) == {found}
    assert unnamed({"patients.registry.new_thing": {found}}) == {"patients.registry.new_thing"}


@pytest.mark.parametrize(
    "line", ["import os", "from os import path", "import hashlib_not_ours", "x = 'hmac'"]
)
def test_what_is_no_cryptography_is_passed_by(line: str) -> None:
    assert primitives_in(line) == set()


def test_every_entry_says_whose_what_for_where_and_how_it_is_exchanged() -> None:
    for kind in KINDS:
        said = (
            kind.name,
            kind.owner,
            kind.algorithm,
            kind.used_for,
            kind.never_for,
            kind.lies,
            kind.rotation,
        )
        assert all(said), kind.name
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)


def test_every_secret_setting_stands_in_an_entry_and_each_that_is_named_is_read() -> None:
    calls = [node for node in ast.walk(ast.parse(BASE)) if isinstance(node, ast.Call)]
    secret = {ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "env.secret"}
    listed = {name for kind in KINDS for name in kind.settings}
    assert secret - listed == set()
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cortex/settings").glob("*.py"))
    assert {name for name in listed if name.removeprefix("KEYS_") not in sources} == set()
    own = {name.removesuffix("_password") for name in local_secrets.fresh_secrets()} - {
        "postgres", "owner", "app", "system", "redis",  # of the stores
    }  # fmt: skip
    assert {name for name in own if f"CORTEX_{name.upper()}" not in listed} == set()


def test_every_table_and_command_that_is_named_exists() -> None:
    for kind in KINDS:
        assert not kind.table or apps.get_model(kind.table)
        assert not kind.command or kind.command.split()[0] in get_commands(), kind.name
        first, _, rest = kind.command.partition(" ")
        if rest:
            home = str(get_commands()[first]).replace(".", "/")
            source = (ROOT / home / f"management/commands/{first}.py").read_text(encoding="utf-8")
            assert all(f'"{word}"' in source for word in rest.split()), kind.name


def test_nothing_of_a_key_is_printed() -> None:
    said = printed() + PAGE.read_text(encoding="utf-8")
    values = [str(getattr(settings, name)) for name in dir(settings) if re.search("KEY|TOKEN|SECRET", name)]
    assert str(settings.CORTEX_MASTER_KEYS) in values
    assert [
        one for value in values for one in re.split("[:, ]", value) if len(one) > 15 and one in said
    ] == []


def test_a_use_that_nobody_named_stops_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "uses", lambda root: {"crisis.intake.fresh": {"hmac"}})
    with pytest.raises(CommandError, match=r"crisis\.intake\.fresh"):
        call_command("inventory")


def test_the_page_is_written_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(inventory, "page", lambda root: "new page\n")
    monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
    (tmp_path / "docs").mkdir()
    call_command("inventory", "--write", stdout=StringIO())
    assert (tmp_path / "docs/KEYS.md").read_text() == "new page\n"
