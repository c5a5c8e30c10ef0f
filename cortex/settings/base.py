"""Settings that every environment shares; the environment is read here and nowhere else."""

import base64
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.schedules import crontab

from cortex.ops.logs import logging_settings
from cortex.settings.env import (
    Environment,
    celery_broker,
    email_settings,
    known_databases,
    redis_url,
    role_databases,
    web_address,
)

env = Environment()
BASE_DIR = Path(__file__).resolve().parents[2]
CORTEX_DATA_DIR = Path(env.text("CORTEX_DATA_DIR", str(BASE_DIR / ".cortex")))

# Secrets and hosts
SECRET_KEY = env.secret("CORTEX_SECRET_KEY")
SECRET_KEY_FALLBACKS = env.listing("CORTEX_OLD_SECRET_KEYS")
CORTEX_MASTER_KEYS = env.text("CORTEX_MASTER_KEYS")
CORTEX_MASTER_KEY_FILE = env.text("CORTEX_MASTER_KEY_FILE")
CORTEX_KEY_PROVIDER = env.text("CORTEX_KEY_PROVIDER")
# AWS KMS, when its keys are listed; its credentials are boto3's business and stand in no setting.
CORTEX_KMS_KEYS = env.text("CORTEX_KMS_KEYS")
CORTEX_KMS_ENDPOINT = env.text("CORTEX_KMS_ENDPOINT")
CORTEX_INDEX_KEY = env.secret("CORTEX_INDEX_KEY")
CORTEX_AUDIT_SIGNING_KEY = env.secret("CORTEX_AUDIT_SIGNING_KEY")
CORTEX_METRICS_TOKEN = env.secret("CORTEX_METRICS_TOKEN")
# Two keys, so that whoever opens a backup of the words can't open one of their keys. The commands of backups
# alone ask for them; they are no business of any other process.
CORTEX_BACKUP_KEY = env.secret("CORTEX_BACKUP_KEY")
CORTEX_KEYS_BACKUP_KEY = env.secret("CORTEX_KEYS_BACKUP_KEY")
# Public halves of all keys that ever signed, `name:base64` each; empty: the present one has always signed.
CORTEX_AUDIT_PUBLIC_KEYS = env.secret("CORTEX_AUDIT_PUBLIC_KEYS")
CORTEX_AUDIT_ANCHOR_FILE = env.text("CORTEX_AUDIT_ANCHOR_FILE", str(CORTEX_DATA_DIR / "anchors.jsonl"))
# Folders whose disks must not fill up either, mounted here: a database's, its log's, the backups'.
CORTEX_WATCHED_FOLDERS = env.listing("CORTEX_WATCHED_FOLDERS")
# The package behind the sealed fields wants a key at import; a new random one proves that nothing uses it.
FIELD_ENCRYPTION_KEY = base64.urlsafe_b64encode(os.urandom(32)).decode()
DEBUG = False
ALLOWED_HOSTS = env.listing("CORTEX_ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.listing("CORTEX_TRUSTED_ORIGINS")
# Where links in mails and pages to a pager lead to.
CORTEX_PUBLIC_URL = env.text("CORTEX_PUBLIC_URL", "http://localhost:8000")
# The watchdog: how often it looks, where it opens its own board, and who is told that it lives.
CORTEX_WATCHDOG_SECONDS = env.integer("CORTEX_WATCHDOG_SECONDS", 60, minimum=5, maximum=600)
CORTEX_WATCHDOG_URL = web_address("CORTEX_WATCHDOG_URL", env.text("CORTEX_WATCHDOG_URL"))
CORTEX_DEADMAN_URL = web_address("CORTEX_DEADMAN_URL", env.secret("CORTEX_DEADMAN_URL"), secure=True)
CORTEX_PAGER_ALLOW_PRIVATE = env.flag("CORTEX_PAGER_ALLOW_PRIVATE", False)
CORTEX_TRUSTED_PROXIES = env.integer("CORTEX_TRUSTED_PROXIES", 0, maximum=5)

INSTALLED_APPS = [
    "cortex.accounts",
    "cortex.access",
    "cortex.audit",
    "cortex.crypto",
    "cortex.keys",
    "cortex.live",
    "cortex.ops",
    "cortex.ui",
    "patients",
    "crisis",
    "clinical",
    "cortex.ui.site.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "cortex.ops.staticfiles.StaticFiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "guardian",
    "encrypted_model_fields",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    "cortex.ops.middleware.MachineDoorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "cortex.ops.middleware.ClientAddressMiddleware",
    "cortex.ops.middleware.RequestLogMiddleware",
    "cortex.ops.staticfiles.WholeFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "cortex.ops.middleware.StandingPolicyMiddleware",
    "django.middleware.common.CommonMiddleware",
    "cortex.access.middleware.CrossSiteMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "cortex.accounts.signin.middleware.SignedInMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "cortex.accounts.signin.recent.AskAgainMiddleware",
    "cortex.accounts.limits.SessionLimitsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "cortex.accounts.factors.gate.SecondFactorMiddleware",
    "cortex.access.middleware.DeclaredAccessMiddleware",
    "cortex.ui.zone.OrganizationZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "cortex.ui.rules.RuleBrokenMiddleware",
]

ROOT_URLCONF = "cortex.urls"
ASGI_APPLICATION = "cortex.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cortex.ui.context_processors.frame",
            ],
        },
    }
]

# Databases: one process, one role
CORTEX_DB_ROLE = env.choice("CORTEX_DB_ROLE", ("owner", "app", "system"), "app")
DATABASES = role_databases(env, CORTEX_DB_ROLE, pool=env.integer("CORTEX_DB_POOL", 0, maximum=64))
# A restore is written by the owner and compared by the system role; empty where no owner is named.
CORTEX_OWNER_DATABASES = known_databases(env, "owner")
DATABASE_ROUTERS = ["cortex.keys.router.KeysRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis carries hints and rate windows; sessions live in the database, since Redis may lose everything
REDIS_URL = redis_url("REDIS_URL", env.required("REDIS_URL"))
SESSION_ENGINE = "cortex.accounts.sessions.store"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# The longest that the setting session.absolute_hours allows; the row itself ends sessions earlier.
SESSION_COOKIE_AGE = int(timedelta(hours=24).total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "cortex.accounts.sessions.views.token_refused"
CSRF_COOKIE_SAMESITE = "Lax"

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "cortex.accounts.signin.backends.EmailBackend",
    "patients.registry.backends.RelationshipBackend",
]
# guardian's own backend would answer from stored rows alone, without their start and end.
SILENCED_SYSTEM_CHECKS = ["guardian.W001", "auth.W004"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "cortex.accounts.passwords.PredictablePasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "cortex.accounts.signin.adapter.AccountAdapter"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "cortex.accounts.signin.tokens.ResetTokens"  # noqa: S105
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Throttling is rows in the database, so that it holds with Redis stopped.
ACCOUNT_RATE_LIMITS = False
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())
USERSESSIONS_TRACK_ACTIVITY = False
# Who needs a second factor where an organization doesn't say it itself: roles by name, or "none".
CORTEX_MFA_REQUIRED_ROLES = env.roles(
    "CORTEX_MFA_REQUIRED_ROLES",
    ("counselor", "therapist", "psychiatrist", "supervisor", "admin", "compliance", "auditor"),
)
MFA_ADAPTER = "cortex.accounts.factors.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Cortex"
# One step of 30 seconds to either side, for a phone whose clock is off.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 10
# A session ends with the browser and by its limits; no browser is trusted to skip the factor.
MFA_TRUST_ENABLED = False
MFA_PASSKEY_LOGIN_ENABLED = False
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False

# API
REST_FRAMEWORK = {
    "DEFAULT_PARSER_CLASSES": ["cortex.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["cortex.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["cortex.access.drf.DeclaredAccess"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "cortex.api.problems.handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
# Over this many items a minute a key reads 429, but words that need a person are taken all the same.
CORTEX_API_ITEMS_PER_MINUTE = env.integer("CORTEX_API_ITEMS_PER_MINUTE", 60_000, minimum=1)
SPECTACULAR_SETTINGS = {
    "TITLE": "Cortex API",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "For patients' apps: registration and tokens, intake of messages, voice features and check-ins, SOS "
        "and the way back, due measures and their answers, the person's own safety plan and appointments."
    ),
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "PREPROCESSING_HOOKS": ["cortex.api.schema.only_declared"],
    "POSTPROCESSING_HOOKS": ["cortex.api.schema.add_components"],
}

# Content: one strict policy for every page, the admin included
CSP_REPORT_PATH = "/csp-reports"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'none'"],
        # Browsers that know the second ignore the first.
        "report-uri": [CSP_REPORT_PATH],
        "report-to": "csp",
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
# A body that spills into a temporary file would put somebody's words on a disk in the clear: a document of
# 10 MB and the fields beside it stay in memory, and nothing longer is taken (cortex/ops/pages.py).
FILE_UPLOAD_MAX_MEMORY_SIZE = 12 * 2**20
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("CORTEX_STATIC_ROOT", str(CORTEX_DATA_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "cortex.ops.staticfiles.ModuleManifestStorage"},
}

# Language and time. The pages are English alone: a browser of another language would get Django's own
# sentences in it, and times written in its way, without the zone.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["cortex.ui.formats"]
TIME_ZONE = "UTC"

# Mail
DEFAULT_FROM_EMAIL = env.text("CORTEX_FROM_EMAIL", "Cortex <cortex@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
globals().update(email_settings("EMAIL_URL", env.text("EMAIL_URL", "console://")))

# Celery: no alert rests on it (rows do); every argument is an id, every result is dropped
CELERY_BROKER_URL = celery_broker(REDIS_URL)
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Kombu asks for it in three places; it must be longer than the hard limit and than any countdown.
_VISIBILITY = {"visibility_timeout": 3600}
CELERY_BROKER_TRANSPORT_OPTIONS = _VISIBILITY | {"socket_timeout": 30, "socket_keepalive": True}
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = _VISIBILITY
CELERY_VISIBILITY_TIMEOUT = 3600
CELERY_TIMEZONE = "UTC"
# Each entry is a job; its schedule names the slots that are each run once (cortex/ops/slots).
CELERY_BEAT_SCHEDULER = "cortex.ops.slots.beats:SlotScheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep out sessions": {"task": "cortex.accounts.sweep_out", "schedule": crontab(minute="41")},
    "make months": {"task": "cortex.ops.tasks.make_months", "schedule": crontab(minute="17", hour="2")},
    "drop old months": {
        "task": "cortex.ops.tasks.drop_old_months",
        "schedule": crontab(minute="27", hour="2"),
    },
    "drop old slots": {
        "task": "cortex.ops.tasks.drop_old_slots",
        "schedule": crontab(minute="37", hour="2"),
    },
    # Asked every minute and done once a day: a machine that sleeps at night is not left out.
    "verify trail": {"task": "cortex.audit.tasks.verify_trail_daily", "schedule": crontab()},
    "watch bulk reading": {
        "task": "cortex.audit.bulkreads.tasks.watch_bulk_reading",
        "schedule": crontab(minute="*/5"),
    },
    "record metrics": {"task": "cortex.ops.tasks.record_metrics", "schedule": crontab()},
    "extract voice": {"task": "patients.upkeep.tasks.extract_voice", "schedule": crontab()},
    "purge words": {"task": "patients.upkeep.tasks.purge_words", "schedule": crontab(minute="41")},
    "purge places": {"task": "patients.upkeep.tasks.purge_places", "schedule": crontab(minute="11")},
    "drop changes": {"task": "patients.changes.tasks.drop_changes", "schedule": crontab(minute="53")},
    "propose neural profiles": {
        "task": "clinical.sessions.neural.tasks.propose_from_feedback",
        "schedule": crontab(minute="19"),
    },
    "forget intake keys": {
        "task": "crisis.intake.tasks.forget_expired_keys",
        "schedule": crontab(minute="23"),
    },
    "drop canaries": {
        "task": "crisis.watchdog.tasks.drop_old_canaries",
        "schedule": crontab(minute="47", hour="2"),
    },
    "verify crisis lines": {
        "task": "crisis.reviews.tasks.ask_to_verify_resources",
        "schedule": crontab(minute="5", hour="6", day_of_month="1"),
    },
    "watch alarm budgets": {
        "task": "crisis.calibration.tasks.watch_budgets",
        "schedule": crontab(minute="43", hour="3"),
    },
    "ask for safety plan reviews": {
        "task": "crisis.safetyplans.tasks.ask_for_plan_reviews",
        "schedule": crontab(minute="27", hour="4"),
    },
    "chase overdue measures": {
        "task": "clinical.assessments.planning.tasks.chase_overdue_measures",
        "schedule": crontab(minute="13", hour="3"),
    },
    "remind of appointments": {
        "task": "clinical.scheduling.tasks.send_due_reminders",
        "schedule": crontab(),
    },
    "sweep orphan keys": {
        "task": "cortex.keys.tasks.sweep_orphan_keys",
        "schedule": crontab(minute="51", hour="2"),
    },
    "remind of unsigned notes": {
        "task": "clinical.notes.tasks.remind_unsigned",
        "schedule": crontab(minute="13"),
    },
    "refresh age bands": {
        "task": "patients.upkeep.tasks.refresh_age_bands",
        "schedule": crontab(minute="31", hour="22"),
    },
}

LOGGING = logging_settings(env.text("CORTEX_LOG_LEVEL", "INFO"))
LOGGING_CONFIG = "cortex.ops.logs.configure"
