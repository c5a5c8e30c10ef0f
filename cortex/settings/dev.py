"""Development, the demo and `up`: what isn't configured points at the embedded stores of the data folder."""

import os
from pathlib import Path

from cortex.ops.embedded import addresses

_ROOT = Path(__file__).resolve().parents[2]
# A family is taken whole: somebody's own DATABASE_URL must not meet an embedded owner role.
_FAMILIES = {"DATABASE_": "DATABASE_URL", "KEYS_DATABASE_": "KEYS_DATABASE_URL"}
_DEFAULTED: list[str] = []
_OWN = tuple(family for family, name in _FAMILIES.items() if os.environ.get(name))
for _name, _value in addresses(Path(os.environ.get("CORTEX_DATA_DIR") or _ROOT / ".cortex")).items():
    _set = os.environ.get(_name) or os.environ.get(f"{_name}_FILE")
    if not _set and not (_OWN and _name.startswith(_OWN)):
        os.environ[_name] = _value
        _DEFAULTED.append(_name)

from cortex.settings.base import *  # noqa: E402, F403

ALLOWED_HOSTS = env.listing(  # noqa: F405
    "CORTEX_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]", "testserver")
)
# Hashed names as in production, but nothing is compressed: it would only make the first start slower.
STORAGES["staticfiles"] = {"BACKEND": "cortex.ops.staticfiles.PlainModuleManifestStorage"}  # noqa: F405
# What `up` starts itself: the stores that nobody configured.
CORTEX_EMBEDDED_CLUSTERS = tuple(
    cluster
    for cluster, name in (("main", "DATABASE_URL"), ("keys", "KEYS_DATABASE_URL"))
    if name in _DEFAULTED
)
CORTEX_EMBEDDED_REDIS = "REDIS_URL" in _DEFAULTED
