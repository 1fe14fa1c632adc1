"""A county's yearly refresh over a whole city, from the decisions to the published list.

``python -m bench.pools`` writes ``docs/benchmarks/pools.md``. What people decide (second person,
objections) is put in between the steps and not counted.
"""

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
AT = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)
SUMMER = date(2026, 8, 31)
COUNTY = "330302"
TYPE_POOLS = ("type_developing", "type_growing", "type_surviving")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traders", type=int, default=1_100_000)
    parser.add_argument("--city", type=Path, help="a folder to keep the city in")
    parser.add_argument(
        "--times", type=int, default=1, help="make the city smaller and repeat it so often"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "pools.md")
    options = parser.parse_args()
    folder = options.city or Path(tempfile.mkdtemp(prefix="getihu-bench-"))
    try:
        text = report(folder, options.traders, options.times)
    finally:
        if options.city is None:
            shutil.rmtree(folder, ignore_errors=True)
    options.out.write_text(text, "utf-8")
    print(text)


def report(folder: Path, traders: int, times: int) -> str:
    os.environ |= {
        "GETIHU_DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "getihu.config.settings",
        "GETIHU_AUDIT_ORIGIN": "bench.example/audit",
    }
    import django

    django.setup()
    if not (folder / "decided").exists():
        make_city(folder, traders // times)
        repeat_city(times)
        (folder / "decided").write_text(str(times))
    times = int((folder / "decided").read_text())
    repeated = f", a city of a {times}th the size repeated {times} times" if times > 1 else ""
    steps, facts = measure()
    rows = [f"| {name} | {seconds:,.1f} | {written:,} |" for name, seconds, written in steps]
    return "\n".join(
        [
            "# A county's yearly refresh",
            "",
            "<!-- Written by python -m bench.pools; do not edit. -->",
            "",
            f"{facts['traders']:,} traders on the register{repeated}, SQLite, 2 cores, one process. The first"
            " rows fill the pools of the whole city; the refresh of one county"
            f" ({facts['county_members']:,} of {facts['members']:,} members) comes after a second"
            " review of the types. “Rows written” counts every row of a membership or an exit that"
            " was added or closed; a pass that finds nothing changed writes none.",
            "",
            "| step | seconds | rows written |",
            "|---|---|---|",
            *rows,
            "",
            f"The refresh of the county, from the published types to the concluded list:"
            f" **{facts['refresh']:,.1f} s**, {facts['refresh_rows']:,} rows written for"
            f" {facts['county_members']:,} members. Peak memory {facts['memory_mb']:,} MB, database"
            f" {facts['database_mb']:,} MB, types of one review {facts['types_mb']:.1f} MB."
            f" Load of the machine meanwhile: {facts['load']:.0f} running processes.",
            "",
        ]
    )


def make_city(folder: Path, traders: int) -> None:
    """A city that came in through the real door, decided on two days. Not counted."""
    from django.core.management import call_command

    from getihu.dataplane import selectors as dataplane
    from getihu.dataplane import services as dataplane_services
    from getihu.gateways.demo_city import make_city as make
    from getihu.rulebook import services as rulebook

    call_command("migrate", verbosity=0)
    inbox = folder / "inbox"
    make(inbox, traders=traders, seed=20261031)
    shutil.copytree(inbox / "keys", folder / "keys" / "departments", dirs_exist_ok=True)
    dataplane_services.ingest_directory(inbox, at=AT)
    for day in (SUMMER, dataplane.get_published_snapshot().data_until):
        dataplane_services.build_facts(as_of=day)
        rulebook.sweep(as_of=day)


def repeat_city(times: int) -> None:
    """Repeat the decided city under other codes: a larger one for what comes after the sweep."""
    from getihu.dataplane import selectors as dataplane
    from getihu.rulebook import selectors as rulebook

    if times == 1:
        return
    snapshot = dataplane.get_published_snapshot()
    for day in (SUMMER, snapshot.data_until):
        for path in (
            dataplane.facts_path(day, snapshot.snapshot_id),
            rulebook.decisions_path(day, snapshot.snapshot_id),
        ):
            larger = path.with_suffix(".larger")
            dataplane.engine().execute(
                "COPY (SELECT printf('%05d', n::INTEGER) || substr(trader_code, 6) AS trader_code,"
                f" * EXCLUDE (trader_code) FROM read_parquet('{path}'), range({times}) r(n)"
                f" ORDER BY 1) TO '{larger}' (FORMAT parquet, COMPRESSION zstd)"
            )
            larger.replace(path)


def measure() -> tuple[list[tuple[str, float, int]], dict[str, Any]]:
    from django.conf import settings

    from getihu.accounts.contracts import Role
    from getihu.dataplane import selectors as dataplane
    from getihu.growth import selectors, services
    from getihu.growth.selectors.types import types_path
    from getihu.rulebook import selectors as rulebook

    clean()
    rulebook.get_rulebook()  # read once by any running service, whatever it does
    steps: list[tuple[str, float, int]] = []
    clock = timed(steps)
    last = dataplane.get_published_snapshot().data_until
    clerk, chief = officer(Role.CASE_OFFICER), officer(Role.SUPERVISOR)
    with clock("first review of the types of the whole city"):
        first = services.review_types(as_of=SUMMER, at=AT - timedelta(days=60))
    services.publish_types(at=AT - timedelta(days=30))
    with clock("all pools filled, whole city") as wrote:
        wrote(sum(r.written for r in services.update_pools(at=AT - timedelta(days=29))))
    with clock("second review, who moves"):
        review = services.review_types(as_of=last, at=AT - timedelta(days=28))
    with clock("types published"):
        services.publish_types(at=AT)
    refresh, refresh_rows = 0.0, 0
    with clock("the county's refresh: update and list") as wrote:
        began = time.monotonic()
        made = services.list_refresh("type_surviving", COUNTY, 2026, by=clerk, at=AT)
        refresh += time.monotonic() - began
        refresh_rows = made.run.written_count if made.run else 0
        wrote(refresh_rows)
    with clock("published for objection, hash checked"):
        began = time.monotonic()
        made = services.open_refresh(made.pk, by=chief, at=AT)
        refresh += time.monotonic() - began
    with clock("concluded, final list"):
        began = time.monotonic()
        services.conclude_refresh(made.pk, by=chief, at=AT + timedelta(days=30))
        refresh += time.monotonic() - began
    with clock("the rest of the city brought up to date") as wrote:
        wrote(sum(r.written for r in services.update_pools(at=AT + timedelta(days=31))))
    with clock("the same again") as wrote:
        wrote(sum(r.written for r in services.update_pools(at=AT + timedelta(days=32))))
    with clock("every list made again and compared"):
        assert not services.verify_lists()
    members = sum(p.members for p in selectors.list_pools(last) if p.id in TYPE_POOLS)
    return steps, {
        "traders": first.traders,
        "moved": review.moved,
        "members": members,
        "county_members": made.members_count,
        "refresh": refresh,
        "refresh_rows": refresh_rows,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "database_mb": Path(settings.DATABASES["default"]["NAME"]).stat().st_size // 2**20,
        "types_mb": types_path(review.review_id).stat().st_size / 2**20,
        "load": os.getloadavg()[0],
    }


def timed(steps: list[tuple[str, float, int]]) -> Callable[[str], Any]:
    @contextmanager
    def clock(name: str) -> Iterator[Callable[[int], None]]:
        rows = [0]
        started = time.monotonic()
        yield lambda written: rows.__setitem__(0, written)
        steps.append((name, time.monotonic() - started, rows[0]))
        print(f"{name}: {steps[-1][1]:.1f} s, {rows[0]:,} rows", flush=True)

    return clock


def clean() -> None:
    """Nothing of an earlier bench."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        for table in (
            "refresh_hold", "refresh", "exit", "membership", "pool_run", "type_move", "type_review",
        ):  # fmt: skip
            cursor.execute(f'DELETE FROM "growth_{table}"')
        cursor.execute("PRAGMA foreign_keys = ON")


def officer(role: Any) -> Any:
    from getihu.accounts import services
    from getihu.accounts.contracts import Duty
    from getihu.accounts.models import Account
    from getihu.accounts.selectors import actor_of

    login = f"bench-{role.value}"
    began = datetime(2026, 1, 1, tzinfo=UTC)
    found = Account.objects.filter(login=login).first()
    if found is None:
        key = services.open_account(login=login, name="示例", duty=Duty.BUSINESS, at=began)
        services.assign(key, role, agency="amr", division=COUNTY, reason="bench", at=began, by=None)
        found = Account.objects.get(pk=key)
    return actor_of(found.pk, AT)


if __name__ == "__main__":
    main()
