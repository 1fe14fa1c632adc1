"""Settings of the running service.

Every variable is read through a typed reader that fails with its name; a secret may also be
given as ``NAME_FILE``. With nothing set, an embedded SQLite database under ``var/`` is used.
"""

import os
import sqlite3
from pathlib import Path

import environ
from csp.constants import NONE, SELF

env = environ.FileAwareEnv()

PACKAGE_DIR = Path(__file__).resolve().parent.parent
BASE_DIR = PACKAGE_DIR.parent.parent

# Everything the service writes: landed deliveries, snapshots, facts, the embedded database.
DATA_DIR = Path(env.str("GETIHU_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

DEBUG = env.bool("GETIHU_DEBUG", default=False)
# The demo has no accounts yet (they come with the service plane): it answers only this machine.
ALLOWED_HOSTS = env.list("GETIHU_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
SECRET_KEY = env.str("GETIHU_SECRET_KEY", default="")
if not SECRET_KEY:
    # A key of this installation, made once and kept beside its data, never in the repository.
    import secrets

    _key_file = DATA_DIR / "secret_key"
    if not _key_file.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        _fd = os.open(_key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(_fd, "w") as handle:
            handle.write(secrets.token_urlsafe(50))
    SECRET_KEY = _key_file.read_text().strip()

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "getihu.audit",
    "getihu.ui",
    "getihu.accounts",
    "getihu.reference",
    "getihu.dataplane",
    "getihu.registry",
    "getihu.rulebook",
    "getihu.notifications",
    "getihu.cases",
    "getihu.portal",
]

AUTH_USER_MODEL = "accounts.Account"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "getihu.config.urls"
ASGI_APPLICATION = "getihu.config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request"],
            "builtins": ["getihu.ui.templatetags.ui"],
        },
    }
]

# SQLite older than 3.51.3 can corrupt a WAL database (WAL-reset bug); there, a rollback journal
# with EXTRA survives power cuts. See docs/adr/0003 and the measurements it cites.
_SQLITE_JOURNAL = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    if sqlite3.sqlite_version_info >= (3, 51, 3)
    else "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;"
)
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": f"{_SQLITE_JOURNAL} PRAGMA foreign_keys=ON; PRAGMA mmap_size=0;",
}

DATABASES = {
    "default": env.db_url(
        "GETIHU_DATABASE_URL", default=f"sqlite:///{(DATA_DIR / 'getihu.sqlite3').as_posix()}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "getihu.portal.views.csrf_failure"

# Where rule files lie. Slices own their rules; the rulebook only reads folders it is told.
RULE_DIRS = [PACKAGE_DIR / slice_ / "rules" for slice_ in ("growth", "policies", "supervision")]

# Where matter files lie, likewise.
MATTER_DIRS = [PACKAGE_DIR / "entry" / "matters"]

# Carriers of notices by channel, tried in order; and what is asked again before a notice goes.
NOTICE_CARRIERS: dict[str, list[str]] = {}
NOTICE_GUARDS = {"case_is": "getihu.cases.selectors.case_is"}

# Public keys of departments: <department>.pem, added by an operator (or by the demo city).
DEPARTMENT_KEYS_DIR = DATA_DIR / "keys" / "departments"

# The audit log's public name, for ever, and what opens its signing keys: Ed25519 first. A signing
# machine takes the place of a file key by one more function of the same shape.
AUDIT_ORIGIN = env.str("GETIHU_AUDIT_ORIGIN", default="getihu.example/audit")
AUDIT_SIGNERS = [
    "getihu.audit.signers.ed25519_from_file",
    "getihu.audit.signers.sm2_from_file",
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # A refused address may carry a trader's code; only faults of ours are logged with it.
    "loggers": {"django.request": {"level": "ERROR"}},
}
