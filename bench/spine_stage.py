"""One stage of ``bench.spine`` in a process of its own; prints its figures as JSON."""

import json
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django
import duckdb

from bench.spine import SEED, usage


def main() -> None:
    stage, folder, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
    django.setup()
    rows, started = STAGES[stage](folder, size)
    print(json.dumps(usage(started, rows)))


def city(folder: Path, size: int) -> tuple[int, float]:
    from getihu.gateways.demo_city import make_city

    started = time.perf_counter()
    make_city(folder / "inbox", traders=size, seed=SEED)
    return sum(rows for _, rows in delivered_files(folder)), started


def ingest(folder: Path, size: int) -> tuple[int, float]:
    from django.conf import settings
    from django.core.management import call_command

    from getihu.dataplane import services

    call_command("migrate", verbosity=0)
    shutil.copytree(folder / "inbox" / "keys", settings.DEPARTMENT_KEYS_DIR)
    started = time.perf_counter()
    report = services.ingest_directory(folder / "inbox", at=datetime.now(UTC))
    return sum(d.rows_in for d in report.deliveries), started


def ingest_by_hand(folder: Path, size: int) -> tuple[int, float]:
    """Explicit columns and casts, nothing else; the text is UTF-8 before the clock starts."""
    from getihu.dataplane import selectors

    contracts = selectors.dataset_contracts()
    files = []
    for path, _ in delivered_files(folder):
        plain = folder / "by_hand" / f"{path.parent.name}-{path.name}"
        plain.parent.mkdir(exist_ok=True)
        plain.write_text(as_text(path.read_bytes()), "utf-8")
        files.append((path, plain))
    started, rows = time.perf_counter(), 0
    con = duckdb.connect()
    for path, plain in files:
        manifest = json.loads((path.parent / "manifest.json").read_text("utf-8"))
        columns = contracts[manifest["dataset"]].columns
        names = {c.header: "VARCHAR" for c in columns} | {"记录状态": "VARCHAR"}
        casts = ", ".join(cast(c.type, c.header) + f' AS "{c.name}"' for c in columns)
        con.execute(
            f"COPY (SELECT {casts} FROM read_csv('{plain}', columns={names}, header=true, "
            f"auto_detect=false, delim=',', quote='\"', null_padding=true, ignore_errors=true) "
            f"ORDER BY trader_code) TO '{plain}.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
        found = con.execute(f"SELECT count(*) FROM '{plain}.parquet'").fetchone()
        rows += found[0] if found else 0
    return rows, started


def cast(kind: str, header: str) -> str:
    sql = {
        "integer": "BIGINT",
        "year": "INTEGER",
        "money": "DECIMAL(18,2)",
        "decimal": "DECIMAL(18,4)",
        "date": "DATE",
    }.get(kind)
    if kind == "month":
        return f"TRY_CAST(\"{header}\" || '-01' AS DATE)"
    return f'TRY_CAST("{header}" AS {sql})' if sql else f'"{header}"'


def as_text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("gb18030", errors="replace")


def facts(folder: Path, size: int) -> tuple[int, float]:
    from getihu.dataplane import selectors, services

    as_of = selectors.get_published_snapshot().data_until
    started = time.perf_counter()
    path = services.build_facts(as_of=as_of)
    return count(path), started


def facts_by_hand(folder: Path, size: int) -> tuple[int, float]:
    from getihu.dataplane import selectors

    snapshot = selectors.get_published_snapshot()
    sql = selectors.facts_sql(snapshot.data_until)
    out = folder / "facts_by_hand.parquet"
    started = time.perf_counter()
    duckdb.connect().execute(f"COPY ({sql}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")
    return count(out), started


def sweep(folder: Path, size: int) -> tuple[int, float]:
    from getihu.dataplane import selectors
    from getihu.rulebook import services

    as_of = selectors.get_published_snapshot().data_until
    started = time.perf_counter()
    report = services.sweep(as_of=as_of)
    return report.traders, started


def sweep_by_hand(folder: Path, size: int) -> tuple[int, float]:
    from getihu.dataplane import selectors as dataplane
    from getihu.rulebook import selectors
    from getihu.rulebook.compile.sweep import compile_sweep

    as_of = dataplane.get_published_snapshot().data_until
    relation = f"read_parquet('{dataplane.facts_path(as_of)}')"
    sql = compile_sweep(selectors.get_rulebook().governing(as_of), as_of, relation).sql
    out = folder / "sweep_by_hand.parquet"
    started = time.perf_counter()
    duckdb.connect().execute(f"COPY ({sql}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")
    return count(out), started


def delivered_files(folder: Path) -> list[tuple[Path, int]]:
    """Every delivered CSV of the inbox with the rows its manifest states."""
    found = []
    for manifest in sorted((folder / "inbox").glob("*/manifest.json")):
        for entry in json.loads(manifest.read_text("utf-8"))["files"]:
            found.append((manifest.parent / entry["name"], int(entry["rows"])))
    return found


def count(path: Path) -> int:
    row = duckdb.connect().execute(f"SELECT count(*) FROM '{path}'").fetchone()
    return int(row[0]) if row else 0


STAGES = {
    "city": city,
    "ingest": ingest,
    "ingest by hand": ingest_by_hand,
    "facts": facts,
    "facts by hand": facts_by_hand,
    "sweep": sweep,
    "sweep by hand": sweep_by_hand,
}

if __name__ == "__main__":
    main()
