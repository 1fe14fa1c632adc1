"""Settings of the service in a process of its own: the real ones, with the quick key alone and
without a manifest of static files."""

from getihu.config.settings import *  # noqa: F403

AUDIT_SIGNERS = ["getihu.audit.signers.ed25519_from_file"]
STORAGES = {
    "default": {"BACKEND": "getihu.config.storage.DurableStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
ALLOWED_HOSTS = ["testserver"]
