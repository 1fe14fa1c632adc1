"""All indicators over a whole city and two years of months.

``python -m bench.insight`` writes ``docs/benchmarks/insight.md``.
"""

import argparse
import os
import resource
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AT = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traders", type=int, default=1_100_000)
    parser.add_argument("--city", type=Path, help="a folder to keep the city in")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "insight.md")
    options = parser.parse_args()
    folder = options.city or Path(tempfile.mkdtemp(prefix="getihu-bench-"))
    try:
        text = report(folder, options.traders)
    finally:
        if options.city is None:
            shutil.rmtree(folder, ignore_errors=True)
    options.out.write_text(text, "utf-8")
    print(text)


def report(folder: Path, traders: int) -> str:
    os.environ |= {
        "GETIHU_DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "getihu.config.settings",
        "GETIHU_AUDIT_ORIGIN": "bench.example/audit",
    }
    import django

    django.setup()
    from bench.pools import make_city
    from getihu.dataplane import selectors as dataplane
    from getihu.insight import selectors, services
    from getihu.insight.models import Measurement

    if not (folder / "decided").exists():
        make_city(folder, traders)
        (folder / "decided").write_text("1")
    Measurement.objects.all().delete()
    steps: list[tuple[str, float]] = []

    def progress(name: str) -> None:
        steps.append((name, time.monotonic()))

    began = time.monotonic()
    services.measure(at=AT, progress=progress)
    ended = time.monotonic()
    marks = [*[at for _, at in steps], ended]
    each = [(name, marks[n + 1] - marks[n]) for n, (name, _) in enumerate(steps)]
    plain = floor(
        dataplane.dataset_sql("registrations", dataplane.get_published_snapshot().snapshot_id)
    )
    page = median_read(selectors)
    registered = selectors.list_figures("vitality.registered")[-1].part
    figures = sum(m.figures.count() for m in Measurement.objects.all())
    rows = [f"| `{name}` | {seconds:.2f} |" for name, seconds in each]
    return "\n".join(
        [
            "# All indicators over the city",
            "",
            "<!-- Written by python -m bench.insight; do not edit. -->",
            "",
            f"{registered:,.0f} traders on the register, 24 months and the deadline of the targets, 13"
            f" places: {figures:,} figures kept, each with its digest. SQLite, 2 cores, DuckDB, one"
            f" process; load of the machine meanwhile {os.getloadavg()[0]:.0f}.",
            "",
            f"**{ended - began:.1f} s** in all, of which {marks[0] - began:.1f} s freeze the work tables and"
            f" read the datasets into the engine. Peak memory"
            f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB. For comparison, one count of"
            f" the register by county, on one day, read from the delivered files: {plain:.2f} s. The"
            f" figures of the board are read in {page * 1000:.0f} ms (median of 9).",
            "",
            "| indicator | seconds |",
            "|---|---:|",
            *rows,
            "",
        ]
    )


def floor(register: str) -> float:
    """One count of the register by county, from the delivered files; the median of three."""
    from getihu.dataplane import selectors as dataplane

    def once() -> float:
        began = time.monotonic()
        dataplane.engine().execute(
            f"SELECT county_code, count(*) FROM ({register}) WHERE status = 'active' GROUP BY 1"
        ).fetchall()
        return time.monotonic() - began

    return statistics.median(once() for _ in range(3))


def median_read(selectors: object) -> float:
    """Reading what the board shows: the targets and the newest figure of every indicator."""

    def once() -> float:
        began = time.monotonic()
        selectors.list_targets()  # type: ignore[attr-defined]
        selectors.list_latest()  # type: ignore[attr-defined]
        return time.monotonic() - began

    return statistics.median(once() for _ in range(9))


if __name__ == "__main__":
    main()
