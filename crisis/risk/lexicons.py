"""Versions of the lexicon besides the one in force: packaged folders, compiled once, off until named."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import resources

from cortex.ops.health import Part

from .lexicon import FOLDER, Lexicon, lexicon, packaged

log = logging.getLogger("cortex.risk")

Loader = Callable[[], Lexicon]
_loaders: list[Loader] | None = None
_found: dict[str, Lexicon] | None = None
_failures: dict[str, str] = {}


def provide(loaders: Sequence[Loader] | None) -> None:
    """Say how the other versions are loaded, in place of those before; None means the packaged folders."""
    global _loaders, _found
    _loaders = list(loaders) if loaders is not None else None
    _found = None
    _failures.clear()


def candidates() -> dict[str, Lexicon]:
    """Return the versions besides the package's own by name; one that can't be read is left out, and told."""
    global _found
    if _found is None:
        found: dict[str, Lexicon] = {}
        for number, load in enumerate(_loaders if _loaders is not None else _packaged()):
            try:
                read = load()
            except Exception as error:
                # The lexicon in force goes on; readiness says so until the process starts anew.
                log.error("lexicon not loaded", exc_info=error)
                _failures[f"version {number + 1}"] = type(error).__name__
            else:
                found[read.version] = read
        _found = found
    return _found


def _packaged() -> list[Loader]:
    folders = sorted(
        one.name for one in resources.files(__package__).iterdir() if one.name.startswith("lexicon_v")
    )
    return [lambda name=name: Lexicon(packaged(name)) for name in folders if name != FOLDER]  # type: ignore[misc]


def lexicon_of(version: str) -> Lexicon:
    """Return the version that is live for somebody; the package's own where that one isn't here any more."""
    if not version:
        return lexicon()
    found = candidates().get(version)
    if found is None:
        # Words are read whatever was released: a missing version must never leave a text unread.
        log.error("lexicon %s is not here, the package's own is read", version)
        _failures[version] = "missing"
        return lexicon()
    return found


def shadows_of(versions: Sequence[str]) -> list[Lexicon]:
    """Return the versions that are read in shadow; one that isn't here is told to readiness and left out."""
    here = candidates() if versions else {}
    for version in versions:
        if version not in here:
            _failures[version] = "missing"
    return [here[version] for version in versions if version in here]


def note_shadow(version: str, error: Exception | None) -> None:
    """Keep for readiness whether a version in shadow could read the newest batch."""
    if error is None:
        _failures.pop(f"{version} in shadow", None)
    else:
        log.error("lexicon in shadow could not screen", exc_info=error)
        _failures[f"{version} in shadow"] = type(error).__name__


def check_lexicons() -> Part:
    """Which versions are here besides the package's own, and what is wrong with any."""
    detail = {"in force": lexicon().version, "others": sorted(candidates())}
    return Part("degraded", {**detail, **_failures}) if _failures else Part("ok", detail)
