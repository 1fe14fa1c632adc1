"""City, ingest, facts and sweep, each in a process of its own, against plain DuckDB SQL.

``make bench`` runs 100,000 and 1,100,000 traders and writes ``docs/benchmarks.md``. Every stage
reports wall seconds, CPU seconds (children included) and peak memory; beside it stands the same
work done by hand in DuckDB without any of our checks, run right after it on the same files.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261031
STAGES = ("city", "ingest", "ingest by hand", "facts", "facts by hand", "sweep", "sweep by hand")
LABELS = {
    "city": "make the city: files of 17 datasets, signed",
    "ingest": "ingest: verify, decode, type, audit, publish",
    "facts": "facts table, a row per trader",
    "sweep": "sweep of every rule over every trader",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[100_000, 1_100_000])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of sizes up to 200,000")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    results = {
        size: run_size(size, options.rounds if size <= 200_000 else 1) for size in options.sizes
    }
    options.out.write_text(report(results, options.rounds), "utf-8")
    print(f"写入 {options.out}")


def run_size(size: int, rounds: int) -> dict[str, dict[str, float]]:
    """Medians over the rounds: stage → wall, cpu, peak_mb, rows."""
    measured: dict[str, list[dict[str, float]]] = {stage: [] for stage in STAGES}
    for turn in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="getihu-bench-"))
        try:
            for stage in STAGES:
                figures = run_stage(stage, folder, size)
                measured[stage].append(figures)
                print(f"{size:>9,} 户 第 {turn + 1} 轮 {stage}: {figures}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return {
        stage: {key: statistics.median(f[key] for f in figures) for key in figures[0]}
        for stage, figures in measured.items()
    }


def run_stage(stage: str, folder: Path, size: int) -> dict[str, float]:
    environment = dict(os.environ, GETIHU_DATA_DIR=str(folder), PYTHONUTF8="1")
    environment.pop("GETIHU_DATABASE_URL", None)
    command = [sys.executable, "-m", "bench.spine_stage", stage, str(folder), str(size)]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{stage} 失败")
    return json.loads(done.stdout.splitlines()[-1])


def report(results: dict[int, dict[str, dict[str, float]]], rounds: int) -> str:
    lines = [
        "# Benchmarks",
        "",
        f"Measured on {date.today():%Y-%m-%d} with `make bench` on {os.cpu_count()} cores, "  # noqa: DTZ011
        f"{memory_gib():.0f} GiB, Python {platform.python_version()}. Each stage runs in a process "
        f"of its own on the embedded database; medians of {rounds} rounds at 100,000 traders, one "
        "round at 1,100,000. CPU counts child processes. The machine is shared: trust the ratios "
        "inside one run more than the seconds.",
        "",
        "*By hand* is the same work as one would type it into DuckDB: for ingest the same files "
        "(already decoded to UTF-8) through `read_csv` with explicit columns, casts and "
        "`COPY … TO parquet`, without signatures, digests, decoding, quarantine, duplicates or "
        "conservation; for facts and sweep the very SQL we generate, run in a bare connection. "
        "The sweep is the first one over a new facts table: it also codes the columns, which later "
        "sweeps, what-ifs and curves find ready, and loads the compiled loops.",
        "",
        "The rulebook's engine against other engines: [benchmarks/rulebook.md]"
        "(benchmarks/rulebook.md), written by `python -m bench.rulebook`.",
    ]
    for size, stages in results.items():
        lines += [
            "",
            f"## {size:,} traders",
            "",
            "| stage | wall s | CPU s | peak MB | rows | rows/s | by hand, wall s | ratio |",
            "|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for stage, label in LABELS.items():
            mine, hand = stages[stage], stages.get(f"{stage} by hand")
            ratio = f"{mine['wall'] / hand['wall']:.2f}×" if hand else "–"
            by_hand = f"{hand['wall']:.1f}" if hand else "–"
            lines.append(
                f"| {label} | {mine['wall']:.1f} | {mine['cpu']:.1f} | {mine['peak_mb']:,.0f} "
                f"| {mine['rows']:,.0f} | {mine['rows'] / mine['wall']:,.0f} "
                f"| {by_hand} | {ratio} |"
            )
    return "\n".join(lines) + "\n"


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def usage(started: float, rows: int) -> dict[str, float]:
    """What this process and its children used since ``started``; memory is the larger peak."""
    own, children = (
        resource.getrusage(resource.RUSAGE_SELF),
        resource.getrusage(resource.RUSAGE_CHILDREN),
    )
    return {
        "wall": round(time.perf_counter() - started, 2),
        "cpu": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 2),
        "peak_mb": max(own.ru_maxrss, children.ru_maxrss) / 1024,
        "rows": rows,
    }


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
