"""The service on a disk that runs full: ``python -m tests.ops.full WHAT ROUNDS`` prints JSON.

The data folder (GETIHU_DATA_DIR) is a small file system of its own with the database in it. WHAT is
``disk``, ``pages`` (the database may not grow) or ``file`` (no file may grow past a limit); with
``--no-telling`` errors are not recognised, with ``--plain-files`` files are written in place.
"""

import hashlib
import io
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import django

SMALL, LARGE = 2_000, 700_000
RESERVE = 8 * 1024**2


class World:
    """An owner with drafts to add files to, and an officer whose reading is recorded."""

    def __init__(self) -> None:
        from django.test import Client

        from getihu.accounts.models import Account
        from getihu.cases import services as cases
        from tests.cases.cast import AT, SHOP, TOWN, make_cast
        from tests.cases.test_cases import CATERING, FORM
        from tests.signed_in import sign_in

        cast = make_cast()
        self.drafts = []
        for _ in range(30):
            draft = cases.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
            cases.save_draft(draft, FORM, by=cast.owner)
            self.drafts.append(draft)
        self.handed_in = cases.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
        cases.save_draft(self.handed_in, FORM, by=cast.owner)
        cases.attach(self.handed_in, "layout", png(0, SMALL), by=cast.owner, at=AT)
        cases.submit(self.handed_in, by=cast.owner, at=AT)
        self.clients = {}
        for name, actor in (("owner", cast.owner), ("window", cast.window)):
            self.clients[name] = Client(raise_request_exception=False)
            sign_in(self.clients[name], Account.objects.get(pk=actor.account_id))
        self.number, self.acknowledged, self.pages = 0, 1, set()

    def write(self, size: int) -> int:
        self.number += 1
        draft = self.drafts[self.number % len(self.drafts)]
        sent = io.BytesIO(png(self.number, size))
        answer = self.clients["owner"].post(
            f"/mine/cases/{draft}/files/", {"document": "layout", "file": sent}
        )
        if answer.status_code == 302:
            self.acknowledged += 1
        elif answer.status_code != 503:
            print(answer.status_code, answer.content.decode()[-400:], file=sys.stderr)
        else:
            self.pages.add(answer.content.decode())
        return answer.status_code

    def read(self) -> int:
        """A look at somebody's case: an event is written before the answer leaves."""
        return self.clients["window"].get(f"/desk/cases/{self.handed_in}/").status_code

    def public(self) -> int:
        return self.clients["window"].get("/guides/").status_code

    def health(self) -> list[Any]:
        answer = self.clients["window"].get("/health")
        return [answer.status_code, answer.json()["state"]]

    def state(self) -> dict[str, Any]:
        """What is kept, counted and looked into: each row's file whole, each event in the log."""
        from django.core.files.storage import default_storage
        from django.db import connection

        from getihu.audit import selectors as audit
        from getihu.audit import services
        from getihu.audit.models import Event
        from getihu.cases.models import Attachment
        from getihu.cases.services.attachments import path_of
        from tests.audit.conftest import AT

        broken = 0
        for digest in Attachment.objects.values_list("sha256", flat=True):
            with default_storage.open(path_of(digest)) as file:
                broken += hashlib.sha256(file.read()).hexdigest() != digest
        services.sequence(AT)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            whole = cursor.fetchone()[0]
        files = [p for p in Path(default_storage.path("")).rglob("*") if p.is_file()]
        return {
            "kept": Attachment.objects.count(),
            "events": Event.objects.filter(kind="case.file_added").count(),
            "broken": broken,
            "part_files": sum(1 for p in files if p.name.endswith(".tmp")),
            "wrong_files": sum(
                1 for p in files if hashlib.sha256(p.read_bytes()).hexdigest() != p.name
            ),
            "database": whole,
            "log": audit.check_log(),
        }


def png(number: int, size: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + number.to_bytes(4, "big") + os.urandom(size)


def fill(folder: Path, leave: int) -> Path:
    """Take the room of the small disk but for ``leave`` bytes."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    chunk = 64 * 1024 if leave else 4096
    with filler.open("wb", buffering=0) as file:
        while True:
            left = os.statvfs(folder)
            if left.f_bavail * left.f_frsize <= leave:
                return filler
            try:
                file.write(bytes(chunk))
            except OSError:
                return filler


def on_a_disk(world: World, folder: Path, rounds: int) -> list[dict[str, Any]]:
    total = os.statvfs(folder).f_blocks * os.statvfs(folder).f_frsize
    seen = []
    for _ in range(rounds):
        told: dict[str, Any] = {"well": [world.write(SMALL), world.read(), world.health()]}
        filler = fill(folder, max(total * 15 // 100, RESERVE + 1024**2))
        told["filling"] = [world.write(SMALL), world.read(), world.health()]
        filler = fill(folder, RESERVE // 2)
        told["reserve"] = [world.write(SMALL), world.read(), world.public(), world.health()]
        filler = fill(folder, 0)
        told["full"] = [world.write(LARGE), world.read(), world.public(), world.health()]
        filler.unlink()
        told["again"] = [world.write(LARGE), world.read(), world.health()]
        seen.append(told)
    return seen


def in_few_pages(world: World, rounds: int) -> list[dict[str, Any]]:
    """The database may not grow: PRAGMA max_page_count."""
    from django.db import connection

    def pragma(text: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {text}")
            return int(cursor.fetchone()[0])

    seen = []
    for _ in range(rounds):
        pragma(f"max_page_count = {pragma('page_count') + 2}")
        health, statuses = world.health(), []
        while len(statuses) < 150 and (not statuses or statuses[-1] == 302):
            statuses.append(world.write(SMALL))
        pragma("max_page_count = 4294967294")
        seen.append({"health": health, "last": statuses[-1], "again": world.write(SMALL)})
    return seen


def with_short_files(world: World, rounds: int) -> list[dict[str, Any]]:
    """No file of this process may grow past what the database has already: RLIMIT_FSIZE."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    seen = []
    for _ in range(rounds):
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGE // 2, limits[1]))
        told = {"short": world.write(LARGE), "read": world.public()}
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        seen.append({**told, "again": world.write(LARGE)})
    return seen


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.ops.room_settings"
    django.setup()
    from django.conf import settings
    from django.test.utils import setup_test_environment

    setup_test_environment()
    what, rounds = sys.argv[1], int(sys.argv[2])
    if "--no-telling" in sys.argv:
        from getihu.config import room

        room.is_passing = lambda error: False
    if "--plain-files" in sys.argv:
        from django.core.files.storage import default_storage

        from getihu.config.storage import DurableStorage

        del DurableStorage._save
        assert default_storage
    world, folder = World(), Path(settings.DATA_DIR)
    if what == "disk":
        seen = on_a_disk(world, folder, rounds)
    else:
        seen = (in_few_pages if what == "pages" else with_short_files)(world, rounds)
    report = {
        "seen": seen,
        "acknowledged": world.acknowledged,
        "state": world.state(),
        "pages": sorted(world.pages),
    }
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
