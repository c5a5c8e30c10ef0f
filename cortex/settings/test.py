"""The test run: tests/conftest.py's stores, as a superuser that puts on the application's role."""

import os
import shutil
from pathlib import Path

from cortex.ops.embedded import addresses, superuser_address
from cortex.ops.local_secrets import FILE

_HOUSES = Path(__file__).resolve().parents[2] / ".cortex"
_HOUSE = str(_HOUSES / f"test-{os.environ.get('CORTEX_TEST_SLOT', 'main')}")
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
# Tests that run side by side have stores and secrets of their own, not those of the process that hands them
# out; what a test gives to its child processes stays.
if os.environ.get("CORTEX_DATA_DIR", _HOUSE) == _HOUSE:
    os.environ["CORTEX_DATA_DIR"] = _HOUSE + _WORKER
    for _name, _value in addresses(Path(_HOUSE)).items() if _WORKER else ():
        if os.environ.get(_name) == _value:
            del os.environ[_name]
    # A new slot takes the seed's secrets, so that it can begin with a copy of its clusters (tests/stores.py).
    _seed, _own = (Path(_folder) / FILE for _folder in (_HOUSES / "test-seed", os.environ["CORTEX_DATA_DIR"]))
    if _seed.exists() and not _own.exists():
        _own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_seed, _own)

from cortex.settings.dev import *  # noqa: E402, F403
from cortex.settings.env import limit_waits, plan_once, postgres_settings  # noqa: E402

TEST_DATABASES = {"default": ("main", "cortex_test"), "keys": ("keys", "cortex_keys_test")}
for _alias, (_cluster, _database_name) in TEST_DATABASES.items():
    _where = superuser_address(CORTEX_DATA_DIR, _cluster, _database_name)  # noqa: F405
    _settings = postgres_settings(_alias, _where)
    limit_waits(_settings, None)
    # Each connection starts as the application; the fixture `as_system` changes the role.
    _settings["OPTIONS"]["options"] = "-c role=cortex_app"
    plan_once(_settings)
    DATABASES[_alias] = _settings  # noqa: F405

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
CACHES = {"default": {"BACKEND": "cortex.ops.testing.RefusedCache"}}
# Argon2id as in production, with the smallest cost, so that a suite of sign-ins stays quick.
PASSWORD_HASHERS = ["cortex.ops.testing.QuickArgon2PasswordHasher"]
# A sign-in of one step, so that each test says itself when a second factor is asked for.
CORTEX_MFA_REQUIRED_ROLES = []
