"""ASGI entry: one door for everything. Reads the catalogues before it opens, so that the first
visitor does not wait for them, and a mistake in a rule file stops the start with its line."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
application = get_asgi_application()


def _read_catalogues() -> None:
    from getihu.dataplane import selectors as dataplane
    from getihu.reference import selectors as reference
    from getihu.rulebook import selectors as rulebook

    dataplane.dataset_contracts()
    rulebook.list_rules()  # reads facts, rules and cases
    reference.division_name("330300")


_read_catalogues()
