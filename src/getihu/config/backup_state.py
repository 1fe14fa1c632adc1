"""Prints, as JSON, what a restored copy holds: run by the drill in a process of its own."""

import json
import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
    django.setup()
    from getihu.audit import selectors as audited
    from getihu.config import backup

    findings = [str(finding) for finding in audited.check_log()]
    json.dump({**backup.read_state(), "findings": findings}, sys.stdout)


if __name__ == "__main__":
    main()
