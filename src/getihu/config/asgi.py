"""ASGI entry: one door for everything."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
application = get_asgi_application()
