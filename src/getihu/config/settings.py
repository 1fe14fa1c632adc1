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
THIS_MACHINE = {"127.0.0.1", "localhost", "[::1]"}
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
    "django_otp",
    "django_otp.plugins.otp_totp",
    "axes",
    "getihu.audit",
    "getihu.ui",
    "getihu.accounts",
    "getihu.access",
    "getihu.reference",
    "getihu.dataplane",
    "getihu.registry",
    "getihu.rulebook",
    "getihu.notifications",
    "getihu.cases",
    "getihu.evaluations",
    "getihu.entry",
    "getihu.passport",
    "getihu.policies",
    "getihu.growth",
    "getihu.support",
    "getihu.supervision",
    "getihu.insight",
    "getihu.journeys",
    "getihu.portal",
]

AUTH_USER_MODEL = "accounts.Account"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "getihu.config.room.RoomMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "getihu.accounts.middleware.ActorMiddleware",
    "getihu.access.middleware.AccessMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

# Axes first: it refuses before a password is looked at.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Five wrong attempts on one login name stop it for a quarter of an hour.  本项目设定，非官方
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = ["username"]
# It asks for the address as well; counting by name alone stops guessing from many addresses.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]
AXES_USERNAME_FORM_FIELD = "username"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or anybody could lock her out for ever
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password", "code", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True  # the audit log holds who signed in
AXES_VERBOSE = False

ROOT_URLCONF = "getihu.config.urls"
ASGI_APPLICATION = "getihu.config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "getihu.portal.views.notices.shell",
            ],
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
    "init_command": f"{_SQLITE_JOURNAL} PRAGMA foreign_keys=ON; PRAGMA mmap_size=0;"
    # What is erased is overwritten in the file too, not only taken out of its index.
    " PRAGMA secure_delete=ON;",
}

DATABASES = {
    "default": env.db_url(
        "GETIHU_DATABASE_URL", default=f"sqlite:///{(DATA_DIR / 'getihu.sqlite3').as_posix()}"
    )
}
POSTGRESQL_BIN = env.str("GETIHU_POSTGRESQL_BIN", default="")  # where pg_dump and pg_restore lie
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
    "default": {"BACKEND": "getihu.config.storage.DurableStorage"},
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
# A working day at most, and gone with the browser.  本项目设定，非官方
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
# Served to others, cookies travel over TLS alone; the proxy in front says so in the header.
HTTPS = env.bool("GETIHU_HTTPS", default=bool(set(ALLOWED_HOSTS) - THIS_MACHINE))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SESSION_COOKIE_SAMESITE = "Lax"  # an identity provider sends the browser back from outside
LOGIN_URL = "/sign-in"
# The organisation's own identity provider (OpenID Connect). Without an issuer there is none.
OIDC = {
    "issuer": env.str("GETIHU_OIDC_ISSUER", default=""),
    "client_id": env.str("GETIHU_OIDC_CLIENT_ID", default=""),
    "client_secret": env.str("GETIHU_OIDC_CLIENT_SECRET", default=""),
    "name": env.str("GETIHU_OIDC_NAME", default="单位统一身份认证"),
}
# The provincial login (accounts/ports.py). Without an address there is none. ``sign_in`` is where
# the browser goes; the province sends it back to /sign-in/province with a ticket.
PROVINCIAL_LOGIN = "getihu.accounts.provincial.from_settings"
PROVINCE = {
    "url": env.str("GETIHU_PROVINCE_URL", default=""),
    "sign_in": env.str("GETIHU_PROVINCE_SIGN_IN", default=""),
    "key": env.str("GETIHU_PROVINCE_KEY", default=""),
    "secret": env.str("GETIHU_PROVINCE_SECRET", default=""),
    "name": env.str("GETIHU_PROVINCE_NAME", default="浙江省统一身份认证"),
}
# Whose consent a rule needs before it uses what the law protects (rulebook/ports.py). Off, the
# installation answers for having a consent of everyone some other way.
CONSENTS_ASKED = env.bool("GETIHU_CONSENTS_ASKED", default=True)
RULE_CONSENTS = "getihu.config.consents.RegistryConsents" if CONSENTS_ASKED else ""
# Where a trader is registered, asked by the access policy of the layer that knows.
ACCESS_DIVISION_OF = "getihu.config.access.division_of"
# An account that looks at so many different people within so many hours raises an alarm to the
# security administrator; every row of an export counts.  本项目设定，非官方
BULK_READING = {
    "people": env.int("GETIHU_BULK_READING_PEOPLE", default=200),
    "hours": env.int("GETIHU_BULK_READING_HOURS", default=24),
}
# Below the reserve no write is begun: the rest is for the log and for the looks that reading must
# record; below the share left, /health and ``getihu work`` say that the disk fills.  本项目设定，非官方
ROOM = {
    "reserve_mb": env.int("GETIHU_ROOM_RESERVE_MB", default=200),
    "warn_percent": env.int("GETIHU_ROOM_WARN_PERCENT", default=20),
}
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "getihu.portal.views.csrf_failure"

# Where rule files lie. Slices own their rules; the rulebook only reads folders it is told.
RULE_DIRS = [
    PACKAGE_DIR / slice_ / "rules" for slice_ in ("entry", "growth", "policies", "supervision")
]

# Rules published from the desk (policies/services/writing.py): written from the database.
PUBLISHED_RULES_DIR = DATA_DIR / "rules"

# Where kinds of help lie: one file each (docs/how-to/add-a-kind-of-help.md).
HELP_DIRS = [PACKAGE_DIR / "support" / "help"]

# Where matter files lie, likewise.
MATTER_DIRS = [
    PACKAGE_DIR / slice_ / "matters" for slice_ in ("entry", "growth", "policies", "supervision")
]

# Where bundle files (一类事) lie, likewise.
BUNDLE_DIRS = [PACKAGE_DIR / slice_ / "bundles" for slice_ in ("entry",)]

# The first four characters of the subject numbers this registrar was given to allot.
CREDIT_CODE_BLOCK = env.str("GETIHU_CREDIT_CODE_BLOCK", default="MAHU")

# Where indicators lie: what is measured, and how.
INDICATOR_DIRS = [PACKAGE_DIR / "insight" / "indicators"]

# Where fonts for print lie, besides those of the system.
FONT_DIRS = env.list("GETIHU_FONT_DIRS", default=[])

# Where award programmes lie: how a rule's money reaches traders without an application.
PROGRAMME_DIRS = [PACKAGE_DIR / "policies" / "awards"]

# What is checked (fields of supervision), what brings a check, and what may be found. Since when
# every department's findings are kept here: before that day nobody can say "first" from this
# memory; empty, never.
FIELD_DIRS = [PACKAGE_DIR / "supervision" / "fields"]
# Where stalls may stand: a city's own folder takes the place of the demo's made-up zones.
STALL_ZONE_DIRS = [PACKAGE_DIR / "supervision" / "zones"]
TRIGGER_DIR = PACKAGE_DIR / "supervision" / "triggers"
BREACH_ITEMS_FILE = PACKAGE_DIR / "supervision" / "lists" / "items.yaml"
BREACH_MEMORY_SINCE = env.str("GETIHU_BREACH_MEMORY_SINCE", default="")

# Where cultivation pools and the yearly windows for applying to them lie.
POOL_DIRS = [PACKAGE_DIR / "growth" / "pools"]
WINDOW_DIRS = [PACKAGE_DIR / "growth" / "windows"]

# What a demo city adds to these; read only where ``demo.json`` marks the data folder as a demo's.
DEMO_DIRS = {
    "rules": PACKAGE_DIR / "gateways" / "demo_city" / "rules",
    "awards": PACKAGE_DIR / "gateways" / "demo_city" / "awards",
    "windows": PACKAGE_DIR / "gateways" / "demo_city" / "windows",
}

# What looks into a file before it is kept (cases/ports.py), and where files lie: no address leads
# there, they are only given out through the case they belong to.
CLAMD_ADDRESS = env.str("GETIHU_CLAMD", default="")  # a socket file, or host:port
ATTACHMENT_SCANNER = (
    "getihu.gateways.virus_scanner.scan"
    if CLAMD_ADDRESS
    else "getihu.cases.ports.look_for_active_content"
)
MEDIA_ROOT = DATA_DIR / "files"

# Carriers of notices by channel, tried in order; and what is asked again before a notice goes.
# A carrier is there once its machine is named; without one a notice waits, and says so in the end.
NOTICE_CARRIERS: dict[str, list[str]] = {"sms": [], "email": []}
SMS_GATEWAY = {
    "url": env.str("GETIHU_SMS_GATEWAY_URL", default=""),
    "token": env.str("GETIHU_SMS_GATEWAY_TOKEN", default=""),
}
if SMS_GATEWAY["url"]:
    NOTICE_CARRIERS["sms"].append("getihu.notifications.carriers.sms.HttpSms")
if env.str("GETIHU_EMAIL_URL", default=""):
    vars().update(env.email_url("GETIHU_EMAIL_URL"))
    NOTICE_CARRIERS["email"].append("getihu.notifications.carriers.mail.Mail")
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = env.str("GETIHU_EMAIL_FROM", default="getihu@localhost")
# Other systems that are told of events: a list of {name, url, secret, types}.
WEBHOOK_ENDPOINTS = env.json("GETIHU_WEBHOOKS", default=[])
NOTICE_GUARDS = {
    "record_is_open": "getihu.supervision.selectors.record_is_open",
    "alarm_is_open": "getihu.access.selectors.alarm_is_open",
    "case_is": "getihu.cases.selectors.case_is",
    "rectification_is": "getihu.evaluations.selectors.is_still",
    "award_is": "getihu.policies.selectors.award_is",
    "push_is": "getihu.policies.selectors.push_is",
    "appointment_is": "getihu.entry.selectors.appointment_is",
    "handover_is_open": "getihu.entry.selectors.handover_is_open",
    "type_move_is": "getihu.growth.selectors.type_move_is",
    "exit_is": "getihu.growth.selectors.exit_is",
    "appeal_is": "getihu.support.selectors.appeal_is",
    "recommendation_is_open": "getihu.growth.selectors.recommendation_is_open",
}

# A city's own offices with their hours; empty: those of entry/window/offices.yaml.
OFFICES_FILE = env.str("GETIHU_OFFICES_FILE", default="")

# Public keys of departments: <department>.pem, added by an operator (or by the demo city).
DEPARTMENT_KEYS_DIR = DATA_DIR / "keys" / "departments"
# What signs the register's own deliveries (getihu deliver-register): the registrar's Ed25519 key.
REGISTER_KEY_FILE = DATA_DIR / "keys" / "register.pem"

# What seals traders' bank accounts; made by the first use, and part of every backup.
PAYEE_KEY_FILE = DATA_DIR / "keys" / "payees.key"
# What signs licences (passport/ports.py) and where its keys lie; what seals the traders' own keys.
PASSPORT_KEYS = "getihu.passport.credentials.keys.from_settings"
PASSPORT_KEY_DIR = DATA_DIR / "keys" / "passport"
WALLET_KEY_FILE = DATA_DIR / "keys" / "wallets.key"
# Where this service is reached from outside: in licences, status lists and codes.
PUBLIC_URL = env.str("GETIHU_PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")

# The treasury that pays awards (policies/ports.py): files in a folder, or its HTTP interface.
TREASURY = "getihu.gateways.treasury.from_settings"
TREASURY_FOLDER = env.str("GETIHU_TREASURY_FOLDER", default=str(DATA_DIR / "treasury"))
TREASURY_HTTP = {
    "url": env.str("GETIHU_TREASURY_URL", default=""),
    "key_id": env.str("GETIHU_TREASURY_KEY_ID", default=""),
    "secret": env.str("GETIHU_TREASURY_SECRET", default=""),
}

# The networks of credit repair: over HTTP once an address is known, else files in a folder.
REPAIR_NETWORKS = "getihu.gateways.credit_repair.from_settings"
REPAIR_FOLDER = env.str("GETIHU_REPAIR_FOLDER", default=str(DATA_DIR / "repairs"))
REPAIR_HTTP = {
    "market": {
        "url": env.str("GETIHU_REPAIR_MARKET_URL", default=""),
        "key_id": env.str("GETIHU_REPAIR_MARKET_KEY_ID", default=""),
        "secret": env.str("GETIHU_REPAIR_MARKET_SECRET", default=""),
    },
    "national": {
        "url": env.str("GETIHU_REPAIR_NATIONAL_URL", default=""),
        "key_id": env.str("GETIHU_REPAIR_NATIONAL_KEY_ID", default=""),
        "secret": env.str("GETIHU_REPAIR_NATIONAL_SECRET", default=""),
    },
}

# The audit log's public name, for ever, and what opens its signing keys: Ed25519 first. A signing
# machine takes the place of a file key by one more function of the same shape.
AUDIT_ORIGIN = env.str("GETIHU_AUDIT_ORIGIN", default="getihu.example/audit")
# Witnesses under other administrators (tools/witness.py), a list of {url, key}, and how many must
# have signed a checkpoint before it is published; 0: whichever answer.
AUDIT_WITNESSES = env.json("GETIHU_AUDIT_WITNESSES", default=[])
AUDIT_WITNESS_QUORUM = env.int("GETIHU_AUDIT_WITNESS_QUORUM", default=0)
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
    "loggers": {
        "django.request": {"level": "ERROR"},
        "axes": {"level": "CRITICAL"},  # it names people who mistype
    },
}
