"""Production: everything must be said, and unsafe answers are refused before the first request."""

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from cortex.settings.base import *  # noqa: F403
from cortex.settings.base import (
    ALLOWED_HOSTS,
    CORTEX_AUDIT_PUBLIC_KEYS,
    CORTEX_AUDIT_SIGNING_KEY,
    CORTEX_DATA_DIR,
    CORTEX_INDEX_KEY,
    CORTEX_KEY_PROVIDER,
    CORTEX_KMS_KEYS,
    CORTEX_MASTER_KEY_FILE,
    CORTEX_MASTER_KEYS,
    CORTEX_METRICS_TOKEN,
    CORTEX_OWNER_DATABASES,
    CORTEX_TRUSTED_PROXIES,
    CSRF_TRUSTED_ORIGINS,
    DATABASES,
    REDIS_URL,
    SECRET_KEY,
    env,
)
from cortex.settings.guards import (
    refuse_embedded,
    refuse_open_hosts,
    refuse_other_addresses,
    refuse_weak_secret,
    require_anchors_apart,
    require_keys_apart,
    require_listed_key,
    require_mail,
    require_safe_database,
    require_safe_redis,
)

refuse_weak_secret("CORTEX_SECRET_KEY", SECRET_KEY, least=50)
refuse_weak_secret("CORTEX_INDEX_KEY", CORTEX_INDEX_KEY, least=32)
refuse_weak_secret("CORTEX_AUDIT_SIGNING_KEY", CORTEX_AUDIT_SIGNING_KEY, least=32)
require_listed_key("CORTEX_AUDIT_PUBLIC_KEYS", CORTEX_AUDIT_PUBLIC_KEYS, CORTEX_AUDIT_SIGNING_KEY)
require_anchors_apart("CORTEX_AUDIT_ANCHOR_FILE", env.text("CORTEX_AUDIT_ANCHOR_FILE"), CORTEX_DATA_DIR)
refuse_weak_secret("CORTEX_METRICS_TOKEN", CORTEX_METRICS_TOKEN, least=16)
if not (CORTEX_MASTER_KEYS or CORTEX_MASTER_KEY_FILE or CORTEX_KMS_KEYS or CORTEX_KEY_PROVIDER):
    raise ImproperlyConfigured("CORTEX_MASTER_KEYS, CORTEX_MASTER_KEY_FILE or CORTEX_KMS_KEYS must be set.")
refuse_open_hosts("CORTEX_ALLOWED_HOSTS", ALLOWED_HOSTS)
refuse_other_addresses(env.values)
for _alias, _database in DATABASES.items():
    require_safe_database(_alias, _database)
    refuse_embedded(_alias, _database["HOST"])
require_keys_apart(DATABASES)
for _alias, _database in CORTEX_OWNER_DATABASES.items():
    require_safe_database(_alias, _database)
    refuse_embedded(_alias, _database["HOST"])
require_safe_redis("REDIS_URL", REDIS_URL)
require_mail("EMAIL_URL", env.text("EMAIL_URL"))
if REDIS_URL.startswith("unix://"):
    refuse_embedded("REDIS_URL", str(PurePosixPath(unquote(urlsplit(REDIS_URL).path)).parent))

CSRF_TRUSTED_ORIGINS = CSRF_TRUSTED_ORIGINS or [f"https://{host}" for host in ALLOWED_HOSTS]
CORTEX_PUBLIC_URL = env.text("CORTEX_PUBLIC_URL", f"https://{ALLOWED_HOSTS[0]}")
if not CORTEX_PUBLIC_URL.startswith("https://"):
    raise ImproperlyConfigured("CORTEX_PUBLIC_URL must start with https://.")
CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
SESSION_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = env.flag("CORTEX_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
# Only believed behind a proxy, which overwrites what a client sends.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CORTEX_TRUSTED_PROXIES else None
EMAIL_TIMEOUT = 10
# Asked of the server itself at the first connection (cortex.ops.apps).
CORTEX_GUARD_CONNECTIONS = True
