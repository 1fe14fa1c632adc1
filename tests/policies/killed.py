"""Kills an award run at every step from the confirmation to the reconciled payment, and finishes it.

``python -m tests.policies.killed FOLDER STRIDE [--from STEP] [--changed] [--commit-early]`` prints
JSON. FOLDER holds ``rows.json`` of the city in GETIHU_DATA_DIR; the database is that of
GETIHU_DATABASE_URL. A step is a statement, a commit, or a call that syncs or renames a file; each
run starts from the same database, is ended by SIGKILL just before one of them, and a process of
its own then does the whole again from the start.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import django

from tests.audit.killed import in_child

AWARDS = 2
WAY = ("confirm", "sample", "check", "clear", "prepare", "release", "submit", "pay", "reconcile")


def kill_before_step(last: int, counted: dict[str, int], begun: list[str]) -> None:
    """From now on count the steps of this process and end it before step ``last``."""
    from django.db import connection

    def step() -> None:
        counted["all"] = counted.get("all", 0) + 1
        counted[begun[-1]] = counted["all"]
        if counted["all"] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            step()
            return function(*args, **kwargs)

        return call

    for name in ("fsync", "replace"):
        setattr(os, name, wrapped(getattr(os, name)))
    connection._commit = wrapped(connection._commit)
    connection.execute_wrappers.append(lambda run, *rest: (step(), run(*rest))[1])


class Place:
    """The database and the treasury's folder, and how both are put back to the start."""

    def __init__(self) -> None:
        from django.conf import settings

        self.treasury = Path(settings.TREASURY_FOLDER)
        self.database = settings.DATABASES["default"]

    def keep(self) -> None:
        self._copy(self.name, f"{self.name}_base")

    def put_back(self) -> None:
        shutil.rmtree(self.treasury, ignore_errors=True)
        self._copy(f"{self.name}_base", self.name)

    @property
    def name(self) -> str:
        return str(self.database["NAME"])

    @property
    def is_file(self) -> bool:
        return str(self.database["ENGINE"]).endswith("sqlite3")

    def _copy(self, source: str, target: str) -> None:
        if self.is_file:
            for old in (target, f"{target}-wal", f"{target}-shm"):
                Path(old).unlink(missing_ok=True)
            shutil.copy(source, target)
            return
        self._say(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
        self._say(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

    def drop(self) -> None:
        if not self.is_file:
            self._say(f'DROP DATABASE IF EXISTS "{self.name}_base" WITH (FORCE)')

    def _say(self, statement: str) -> None:
        import psycopg

        address = os.environ["GETIHU_DATABASE_URL"].replace("postgres://", "postgresql://")
        with psycopg.connect(f"{address.rpartition('/')[0]}/postgres", autocommit=True) as own:
            own.execute(statement)


def prepare(rows: str) -> None:
    """The city published, a run with two awards of which one is confirmed, and who acts."""
    from decimal import Decimal

    from django.core import serializers
    from django.core.management import call_command
    from django.db import connection

    from getihu.accounts.contracts import Role
    from getihu.config.demo_awards import answer_review
    from getihu.policies.fairness import flips
    from tests.policies import conftest as cast

    call_command("migrate", verbosity=0)
    flips.SAMPLE = 60
    for row in serializers.deserialize("json", rows):
        row.save()
    writer, supervisor = cast.officer(Role.POLICY_WRITER), cast.officer(Role.SUPERVISOR)
    cast.officer(Role.FINANCE_OFFICER), cast.officer(Role.CASE_OFFICER)
    answer_review(cast.RULE, supervisor, cast.AT)
    run = cast.awarded(writer, supervisor, total_yuan=Decimal(6000))
    ours = list(run.awards.filter(state="entitled").order_by("position")[:AWARDS])
    for award in ours:
        cast.operator(award.trader_code)
    cast.confirmed(run, 1)
    connection.close()
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


def go_the_way(begun: list[str], *, until: str = "") -> None:
    """What people and jobs do, from the start; each looks first whether it is done already."""
    from getihu.accounts.contracts import Role
    from getihu.policies import selectors, services
    from getihu.policies.contracts import yuan_of
    from getihu.policies.models import AwardRun, Batch
    from tests.policies import conftest as cast

    at, run = cast.AT, AwardRun.objects.get(state="allotted")
    clerk, cashier = cast.officer(Role.CASE_OFFICER), cast.officer(Role.FINANCE_OFFICER)
    supervisor = cast.officer(Role.SUPERVISOR)
    batches = Batch.objects.filter(withdrawn_at=None).order_by("prepared_at")

    def confirm() -> None:
        for number, award in enumerate(run.awards.order_by("position")[:AWARDS]):
            if award.state == "entitled":
                services.confirm(
                    award.pk,
                    number=f"62284800000{number:08}",
                    bank="示例银行",
                    consents=selectors.consents_needed(award),
                    by=cast.operator(award.trader_code),
                    at=at,
                )

    def check() -> None:
        for award in run.awards.filter(is_sampled=True, state="confirmed", check_made=None):
            services.check_award(award.pk, is_right=True, by=clerk, at=at)

    def clear() -> None:
        if run.awards.filter(state="confirmed").exists():
            services.clear(run.pk, by=clerk, at=at)

    def prepared() -> None:
        if not batches.filter(released_at=None).exists() and run.awards.filter(state="cleared"):
            services.prepare_batch(run.pk, by=cashier, at=at)

    def release() -> None:
        for batch in batches.filter(released_at=None):
            total = yuan_of(batch.cents)
            if services.release_batch(batch.pk, total_yuan=total, by=supervisor, at=at)[1]:
                prepared()
                release()

    def pay() -> None:
        from django.conf import settings

        from getihu.gateways.treasury_fake import FakeTreasury

        folder = Path(settings.TREASURY_FOLDER)
        FakeTreasury(folder).work_through(folder, at.date())

    deeds = {
        "confirm": confirm,
        "sample": lambda: services.draw_sample(run.pk, at=at),
        "check": check,
        "clear": clear,
        "prepare": prepared,
        "release": release,
        "submit": lambda: [services.submit_due(at + minutes(n)) for n in (0, 11)],
        "pay": pay,
        "reconcile": lambda: services.reconcile(at.date(), at=at),
    }
    for step in WAY:
        begun.append(step)
        deeds[step]()  # type: ignore[operator]


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def change_one() -> None:
    """Between clearing and release the first award's trader has changed, by the newest data."""
    from dataclasses import replace

    from getihu.policies.services import paying

    look = paying.recheck

    def looked(run: Any, awards: Any) -> Any:
        return [
            replace(check, why="登记状态变了") if check.award.position == 1 else check
            for check in look(run, awards)
        ]

    paying.recheck = looked


def commit_early() -> None:
    """Take the guard away: a line of the statement is kept before what it means is done."""
    from django.db import connection

    from getihu.policies.models import Statement

    keep = Statement.objects.create

    def kept(**row: Any) -> None:
        keep(**row)
        connection.connection.commit()

    Statement.objects.create = kept  # type: ignore[method-assign]


def seen() -> dict[str, Any]:
    """All that must come out the same; numbers the database gives by itself are left out."""
    from django.conf import settings

    from getihu.audit.models import Event
    from getihu.policies import models
    from getihu.policies.services.paying import file_sha256

    folder = Path(settings.TREASURY_FOLDER)
    batches = list(models.Batch.objects.order_by("prepared_at", "sha256"))
    files = sorted(path.read_bytes() for path in (folder / "out").glob("*.csv"))
    for batch in batches:  # the last line tells the digest, which is compared by itself
        files = [content.replace(batch.sha256.encode(), b"digest") for content in files]
    paid = json.loads((folder / "paid.json").read_text("utf-8"))
    return {
        "files": [hashlib.sha256(content).hexdigest() for content in files],
        "digests": sorted(b.sha256 for b in batches if b.withdrawn_at is None),
        "digests_hold": all(file_sha256(b) == b.sha256 for b in batches if not b.withdrawn_at),
        "paid": {key: each["cents"] for key, each in paid.items()},
        "awards": _rows(models.Award, "position", "state", "cents", "is_sampled", "paid_on"),
        "moves": _rows(models.AwardMove, "award__position", "before", "after"),
        "ledger": _rows(models.LedgerEntry, "award__position", "source", "target", "cents"),
        "budget": _rows(models.Budget, "reserved_cents", "ordered_cents", "paid_cents"),
        "accounts": _rows(models.PayeeAccount, "trader_code", "ending", "replaced_at"),
        "orders": _rows(models.Order, "id", "cents", "result", "attempt", "answered_on"),
        "discrepancies": _rows(models.Discrepancy, "kind", "about"),
        "told": sorted(
            event.kind
            for event in Event.objects.exclude(kind__in=("batch.prepared", "batch.withdrawn"))
        ),
    }


def _rows(model: Any, *names: str) -> list[list[str]]:
    return sorted([str(value) for value in row] for row in model.objects.values_list(*names))


def whole(into: Path, last: int) -> None:
    """The way with the kill in it; without one, how many steps each part took and what came out."""
    counted: dict[str, int] = {}
    begun = ["begin"]
    kill_before_step(last, counted, begun)
    go_the_way(begun)
    into.write_text(json.dumps({"steps": dict(counted), "seen": seen()}), "utf-8")


def main() -> None:
    folder, stride, options = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    django.setup()
    place, rows = Place(), (folder / "rows.json").read_text("utf-8")
    if in_child(partial(prepare, rows)):
        raise SystemExit("not prepared")
    place.keep()
    if "--changed" in options:
        change_one()
    if "--commit-early" in options:
        commit_early()
    try:
        print(json.dumps(kill_and_resume(folder, place, stride, options)))
    finally:
        place.drop()


def kill_and_resume(folder: Path, place: Place, stride: int, options: list[str]) -> dict[str, Any]:
    def done(last: int) -> tuple[int, dict[str, Any]]:
        out = folder / "out.json"
        out.unlink(missing_ok=True)
        ended = in_child(partial(whole, out, last))
        return ended, json.loads(out.read_text("utf-8")) if out.exists() else {}

    place.put_back()
    ended, right = done(0)
    if ended:
        raise SystemExit("not even without a kill")
    steps, wanted = right["steps"], right["seen"]
    first = 1
    if "--from" in options:
        part = options[options.index("--from") + 1]
        first = steps[WAY[WAY.index(part) - 1]] + 1
    killed, wrong = 0, {}
    for last in range(first, steps["all"] + 1, stride):
        place.put_back()
        ended, _ = done(last)
        killed += ended == -signal.SIGKILL
        ended, found = done(0)
        got = dict(found.get("seen", {"resumed": ended}))
        expected = dict(wanted)
        if last <= steps["confirm"] and got.get("digests_hold"):
            # The digest names rows of accounts, and a lost insert may have used a number up.
            expected["digests"] = got["digests"]
        bad = sorted(key for key in expected if got.get(key) != expected[key])
        if bad:
            wrong[last] = bad
            break
    return {"killed": killed, "wrong": wrong, "steps": steps, "seen": wanted}


if __name__ == "__main__":
    main()
