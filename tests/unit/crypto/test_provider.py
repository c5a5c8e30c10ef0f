"""Master keys: where they come from, what they refuse, and that a wrong one never opens anything."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cortex.crypto.errors import KeyProviderError, UnknownMasterKey, UnwrapError
from cortex.crypto.provider import EnvProvider, FileProvider, LocalProvider, get_provider


def text() -> str:
    return base64.b64encode(os.urandom(32)).decode()


class Fake:
    """A provider of somebody else's, named by its dotted path."""

    def wrap(self, plaintext: bytes, context: bytes) -> tuple[str, bytes]:
        return "fake", plaintext[::-1]

    def unwrap(self, key_id: str, blob: bytes, context: bytes) -> bytes:
        return blob[::-1]


def key_file(path: Path, document: Any, mode: int = 0o600) -> str:
    path.write_text(json.dumps(document))
    path.chmod(mode)
    return str(path)


def test_the_first_master_key_wraps_and_all_unwrap(settings: Any) -> None:
    old, new = text(), text()
    settings.CORTEX_MASTER_KEYS = f"v1:{old}"
    key_id, blob = get_provider().wrap(b"k" * 32, b"context")
    assert key_id == "v1" and b"k" * 32 not in blob
    settings.CORTEX_MASTER_KEYS = f"v2:{new}, v1:{old}"
    assert get_provider().unwrap(key_id, blob, b"context") == b"k" * 32
    assert get_provider().wrap(b"k" * 32, b"context")[0] == "v2"


def test_wrong_key_wrong_context_and_changed_bytes_are_refused(settings: Any) -> None:
    settings.CORTEX_MASTER_KEYS = f"v1:{text()}"
    key_id, blob = EnvProvider().wrap(b"k" * 32, b"patient one")
    with pytest.raises(UnwrapError):
        EnvProvider().unwrap(key_id, blob, b"patient two")
    for at in range(len(blob)):
        changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        with pytest.raises(UnwrapError):
            EnvProvider().unwrap(key_id, changed, b"patient one")
    with pytest.raises(UnwrapError):
        EnvProvider().unwrap(key_id, b"", b"patient one")
    settings.CORTEX_MASTER_KEYS = f"v1:{text()}"
    with pytest.raises(UnwrapError):
        EnvProvider().unwrap(key_id, blob, b"patient one")
    settings.CORTEX_MASTER_KEYS = f"v9:{text()}"
    with pytest.raises(UnknownMasterKey):
        EnvProvider().unwrap(key_id, blob, b"patient one")


SHORT = base64.b64encode(b"short").decode()
FLAT = base64.b64encode(b"\x07" * 32).decode()


@pytest.mark.parametrize(
    "broken",
    ["", "v1", "v1:", ":" + "A" * 44, f"v1:{SHORT}", "v1:not base64!", f"v1:{FLAT}", "a b:" + "A" * 44],
)
def test_a_missing_or_broken_master_key_fails_clearly_without_showing_it(broken: str, settings: Any) -> None:
    settings.CORTEX_MASTER_KEYS, settings.CORTEX_MASTER_KEY_FILE = broken, ""
    with pytest.raises(KeyProviderError) as caught:
        get_provider()
    secret = broken.rpartition(":")[2]
    assert "CORTEX_MASTER_KEYS" in str(caught.value)
    assert not secret or secret not in str(caught.value)


def test_an_id_that_stands_twice_is_refused(settings: Any) -> None:
    settings.CORTEX_MASTER_KEYS = f"v1:{text()},v1:{text()}"
    with pytest.raises(KeyProviderError, match="twice"):
        EnvProvider()


def test_a_key_file_of_the_owner_alone_is_read(settings: Any, tmp_path: Path) -> None:
    old, new = text(), text()
    document = {"current": "b", "keys": {"a": old, "b": new}}
    settings.CORTEX_MASTER_KEY_FILE = key_file(tmp_path / "master.json", document)
    provider = get_provider()
    assert isinstance(provider, FileProvider) and provider.current == "b"
    key_id, blob = LocalProvider({"a": base64.b64decode(old)}).wrap(b"k" * 32, b"")
    assert provider.unwrap(key_id, blob, b"") == b"k" * 32
    assert new not in repr(provider)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_may_read_is_refused(mode: int, settings: Any, tmp_path: Path) -> None:
    document = {"current": "a", "keys": {"a": text()}}
    settings.CORTEX_MASTER_KEY_FILE = key_file(tmp_path / "master.json", document, mode)
    with pytest.raises(KeyProviderError, match="chmod 600"):
        get_provider()


@pytest.mark.parametrize(
    "document", [[], {}, {"current": "a", "keys": {}}, {"current": "a", "keys": {"a": SHORT}}]
)
def test_a_key_file_of_another_shape_is_refused(document: Any, settings: Any, tmp_path: Path) -> None:
    settings.CORTEX_MASTER_KEY_FILE = key_file(tmp_path / "master.json", document)
    with pytest.raises(KeyProviderError):
        get_provider()


def test_a_key_file_that_is_not_there_is_refused(settings: Any, tmp_path: Path) -> None:
    settings.CORTEX_MASTER_KEY_FILE = str(tmp_path / "absent.json")
    with pytest.raises(KeyProviderError, match="can't be read"):
        get_provider()


def test_another_provider_joins_by_its_name(settings: Any) -> None:
    settings.CORTEX_KEY_PROVIDER = f"{__name__}.Fake"
    assert get_provider().wrap(b"ab", b"") == ("fake", b"ba")
    settings.CORTEX_KEY_PROVIDER = "cortex.crypto.nowhere.Provider"
    with pytest.raises(KeyProviderError, match="imported"):
        get_provider()
    settings.CORTEX_KEY_PROVIDER = "datetime.date.today"
    with pytest.raises(KeyProviderError):
        get_provider()
