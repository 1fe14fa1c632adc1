"""What writes until the power goes, and what looks afterwards: ``python -m tests.ops.cut VERB``.

``write`` tells on its standard output, which is not on the disk in question, each number whose
transaction it was told is kept: one file of a case, its row, its event; now and then the log is
signed and published. ``look TOLD`` prints JSON: which of the numbers below TOLD are missing, and
whether database, files and log are sound. With ``--careless`` SQLite does not wait for its disk.
"""

import hashlib
import json
import os
import sys
from itertools import count
from typing import Any

import django


def careless() -> None:
    """Control: what is committed is only handed to the operating system."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
        else:
            cursor.execute("SET synchronous_commit = off")


def content(number: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + number.to_bytes(8, "big") + b"plan" * 200


def write() -> None:
    from getihu.audit import services as audit
    from getihu.cases import services as cases
    from tests.cases.cast import AT, SHOP, TOWN, make_cast
    from tests.cases.test_cases import CATERING, FORM

    cast, case = make_cast(), None
    audit.sequence(AT)
    if "--careless" in sys.argv:
        os.sync()  # so that it starts from something whole
        careless()
    for number in count():
        if number % 15 == 0:
            case = cases.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
            cases.save_draft(case, FORM, by=cast.owner)
        cases.attach(case, "layout", content(number), by=cast.owner, at=AT)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if number % 20 == 19:
            audit.sequence(AT)


def look(told: int) -> dict[str, Any]:
    from django.core.files.storage import default_storage
    from django.db import connection

    from getihu.audit import selectors, services
    from getihu.cases.models import Attachment
    from getihu.cases.services.attachments import path_of
    from tests.cases.cast import AT

    kept = set(Attachment.objects.values_list("sha256", flat=True))
    digests = [hashlib.sha256(content(number)).hexdigest() for number in range(told)]
    broken = 0
    for digest in kept:
        try:
            with default_storage.open(path_of(digest)) as file:
                broken += hashlib.sha256(file.read()).hexdigest() != digest
        except OSError:
            broken += 1
    sound = "ok"
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            sound = cursor.fetchone()[0]
    try:
        services.sequence(AT)
        log = selectors.check_log()
    except Exception as error:
        log = [f"{type(error).__name__}: {error}"]
    missing = sum(digest not in kept for digest in digests)
    return {"missing": missing, "broken": broken, "sound": sound, "log": log}


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.ops.room_settings"
    django.setup()
    if sys.argv[1] == "write":
        write()
    try:
        told = look(int(sys.argv[2]))
    except Exception as error:
        told = {"missing": int(sys.argv[2]), "broken": 0, "sound": str(error)[:200], "log": []}
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
