"""An award run over a whole city, from the decision to the payment file, beside bare SQL.

``python -m bench.awards`` writes ``docs/benchmarks/awards.md``. The machine's part only: what
operators say (account, consent) is put in by the thousand between the steps and not counted.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
AT = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)
FLOOR = "bare SQL: decide, insert, sum"
PROGRAMME, RULE = "demo.steady_jobs_2026", "policies.demo_steady_jobs_2026"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traders", type=int, default=1_100_000)
    parser.add_argument("--city", type=Path, help="a folder to keep the city in")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "awards.md")
    parser.add_argument("--only-city", action="store_true", help="make the city and stop")
    options = parser.parse_args()
    if options.only_city:
        make_city(options.city, options.traders)
        return
    folder = options.city or Path(tempfile.mkdtemp(prefix="getihu-bench-"))
    try:
        text = report(folder, options.traders)
    finally:
        if options.city is None:
            shutil.rmtree(folder, ignore_errors=True)
    options.out.write_text(text, "utf-8")
    print(text)


def report(folder: Path, traders: int) -> str:
    use(folder)
    if not (folder / "city.txt").exists():
        # A process of its own: its memory is not the run's.
        asked = ["--only-city", "--city", str(folder), "--traders", str(traders)]
        subprocess.run([sys.executable, "-m", "bench.awards", *asked], check=True, cwd=ROOT)
    import django

    django.setup()
    steps, facts = measure()
    whole = sum(seconds for name, seconds in steps.items() if name != FLOOR)
    awards = facts["awards"]
    rows = [
        f"| {name} | {seconds:,.1f} | {seconds / awards * 1e3:.2f} |"
        for name, seconds in steps.items()
    ]
    return "\n".join(
        [
            "# An award run over a city",
            "",
            "<!-- Written by python -m bench.awards; do not edit. -->",
            "",
            f"{facts['traders']:,} traders, {awards:,} awards, SQLite, 2 cores, one process. The"
            " machine's part only: what operators say is put in between the steps and not counted."
            " Bare SQL that inserts code and money into the same database and sums them is the floor:"
            " it decides once, freezes nothing, reserves nothing, and can pay twice the next day.",
            "",
            "| step | seconds | ms per award |",
            "|---|---|---|",
            *rows,
            "",
            f"From the decision to the payment file: **{whole:,.0f} s**, {whole / steps[FLOOR]:,.0f}"
            f" times the floor, {whole / awards * 1e3:,.1f} ms per award; peak memory"
            f" {facts['memory_mb']:,} MB, database {facts['database_mb']:,} MB,"
            f" payment file {facts['file_mb']:.1f} MB. Every award was decided four times (sweep,"
            " one by one with its slip, before clearing, before release) and left"
            " four entries in the log.",
            "",
        ]
    )


def use(folder: Path) -> None:
    os.environ |= {
        "GETIHU_DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "getihu.config.settings",
        "GETIHU_AUDIT_ORIGIN": "bench.example/audit",
    }


def make_city(folder: Path, traders: int) -> None:
    """The demo city's data, decided; without the people and cases of the demo, which an award run
    does not need."""
    use(folder)
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from getihu.dataplane import services as dataplane
    from getihu.gateways.demo_city import make_city as make
    from getihu.rulebook import services as rulebook

    call_command("migrate", verbosity=0)
    inbox = folder / "demo" / "inbox"
    make(inbox, traders=traders, seed=20261031)
    (folder / "demo.json").write_text("{}")  # the demo's own rules and programmes are read
    shutil.copytree(inbox / "keys", settings.DEPARTMENT_KEYS_DIR, dirs_exist_ok=True)
    dataplane.ingest_directory(inbox, at=AT)
    dataplane.build_facts(as_of=_as_of())
    rulebook.sweep(as_of=_as_of())
    (folder / "city.txt").write_text(f"{traders}\n")


def measure() -> tuple[dict[str, float], dict[str, Any]]:
    from getihu.accounts.contracts import Role
    from getihu.config.demo_awards import answer_review
    from getihu.gateways.treasury import batch_file
    from getihu.policies import services
    from getihu.policies.models import Award, Batch
    from getihu.policies.services import paying

    clean()
    answer_review(RULE, officer(Role.SUPERVISOR), AT)
    steps: dict[str, float] = {}
    clock = timed(steps)
    writer, chief = officer(Role.POLICY_WRITER), officer(Role.SUPERVISOR)
    checker, cashier = officer(Role.CASE_OFFICER), officer(Role.FINANCE_OFFICER)
    with clock(FLOOR):
        bare()
    with clock("dry run: sweep, list, order"):
        dry = services.plan_run(PROGRAMME, by=writer, at=AT)
    services.approve_run(dry.pk, by=chief, at=AT)
    with clock("the run's own plan, breaker"):
        run = services.start_run(dry.pk, at=AT, total_yuan=Decimal(10**9))
    with clock("awards: slip, budget, ledger, log"):
        services.allot(run.pk, at=AT)
    say_yes(run)
    services.draw_sample(run.pk, at=AT)
    for award in Award.objects.filter(is_sampled=True):
        services.check_award(award.pk, is_right=True, by=checker, at=AT)
    with clock("decided again and cleared"):
        services.clear(run.pk, by=checker, at=AT)
    with clock("payment list prepared"):
        batch = services.prepare_batch(run.pk, by=cashier, at=AT)
    with clock("decided again and released"):
        total = Decimal(batch.cents).scaleb(-2)
        services.release_batch(batch.pk, total_yuan=total, by=chief, at=AT)
    with clock("payment file"):
        content = batch_file(paying.payment_batch(Batch.objects.get(pk=batch.pk)))
    from django.conf import settings

    from getihu.dataplane import selectors as dataplane

    return steps, {
        "awards": batch.count,
        "traders": dataplane.engine()
        .execute("SELECT count(*) FROM read_parquet(?)", [str(dataplane.facts_path(run.as_of))])
        .fetchone()[0],  # type: ignore[index]
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "database_mb": Path(settings.DATABASES["default"]["NAME"]).stat().st_size // 2**20,
        "file_mb": len(content) / 2**20,
    }


def timed(steps: dict[str, float]) -> Callable[[str], Any]:
    @contextmanager
    def clock(name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        steps[name] = time.monotonic() - started
        print(f"{name}: {steps[name]:.1f} s", flush=True)

    return clock


def bare() -> Decimal:
    """What one would write in an afternoon: who gets what, a row for each, the sum."""
    from django.db import connection, transaction

    from getihu.dataplane import selectors as dataplane

    found = dataplane.engine().execute(
        "SELECT trader_code, CAST(least(insured_employees * 300, 1500) AS BIGINT)"
        f" FROM read_parquet('{dataplane.facts_path(_as_of())}')"
        " WHERE insured_employees >= 1 AND fully_paid_3m AND NOT is_seriously_dishonest"
        " AND subject_kind = 'individual' ORDER BY established_on"
    )
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("DROP TABLE IF EXISTS bench_bare")
        cursor.execute("CREATE TABLE bench_bare (trader_code TEXT PRIMARY KEY, yuan INTEGER)")
        cursor.executemany("INSERT INTO bench_bare VALUES (%s, %s)", found.fetchall())
        cursor.execute("SELECT sum(yuan) FROM bench_bare")
        return Decimal(cursor.fetchone()[0])


def _as_of() -> Any:
    from getihu.dataplane import selectors as dataplane

    return dataplane.get_published_snapshot().data_until


def clean() -> None:
    """No awards of the demo's own run or of an earlier bench."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table in (
            "instalment", "adjustment", "order", "batch", "samplecheck", "ledgerentry",
            "awardmove", "award", "budget", "payeeaccount", "awardrun",
        ):  # fmt: skip
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute(f'DELETE FROM "policies_{table}"')


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
        services.assign(
            key, role, agency="hrss", division="330300", reason="bench", at=began, by=None
        )
        found = Account.objects.get(pk=key)
    return actor_of(found.pk, AT)


def say_yes(run: Any) -> None:
    """Every operator has confirmed: what would take them weeks, without their forms."""
    from django.db import transaction

    from getihu.accounts.contracts import Role
    from getihu.policies.machine import AwardState, Side
    from getihu.policies.models import Award, PayeeAccount
    from getihu.policies.services.moves import move_many
    from getihu.policies.services.payees import keep_account

    anybody = officer(Role.CASE_OFFICER)
    sealed = keep_account("bench", number="62000000000", bank="示例银行", by=anybody, at=AT)
    awards = list(Award.objects.filter(run=run, state="entitled").defer("slip"))
    for start in range(0, len(awards), 5000):
        stretch = awards[start : start + 5000]
        with transaction.atomic():
            PayeeAccount.objects.bulk_create(
                PayeeAccount(
                    trader_code=award.trader_code,
                    sealed=sealed.sealed,
                    ending="0000",
                    bank="示例银行",
                    consented_at=AT,
                    by_id=anybody.account_id,
                )
                for award in stretch
            )
            move_many(stretch, AwardState.CONFIRMED, side=Side.TRADER, by=anybody, at=AT)


if __name__ == "__main__":
    main()
