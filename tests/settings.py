"""Settings of the test suite: the real ones, on a folder of their own and a fixed key."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("GETIHU_DATA_DIR", tempfile.mkdtemp(prefix="getihu-test-"))
os.environ.setdefault("GETIHU_SECRET_KEY", "for tests only")

from getihu.config.settings import *  # noqa: F403

SHARED_DIR = Path(__file__).resolve().parent.parent.parent / "shared"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    # Manifest storage serves only hashed names, which a live test server does not have.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  WhiteNoise warns without it
RULE_CONSENTS = ""  # rules are tried on all facts; tests/growth turns consents on
