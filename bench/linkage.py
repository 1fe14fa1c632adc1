"""Records without a code find their traders: time, precision and recall on generated near-twins.

``python -m bench.linkage`` writes ``docs/benchmarks/linkage.md``. Beside ours stand what a user
would pick (Splink, where it is installed: ``--splink`` names a Python that has it) and the floor:
an equal name in the same county, joined.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPLINK_MOST = 10_000  # at the next size it was stopped after half an hour on a busy machine
SIZES = ((1_000, 10_000), (10_000, 100_000), (100_000, 1_100_000))


@dataclass(frozen=True)
class Result:
    """``linked``: record → the trader it was linked with, no person asked."""

    seconds: float
    linked: dict[str, str]
    review: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splink", default="", help="a Python that has splink 5")
    parser.add_argument(
        "--largest", type=int, default=SIZES[-1][0], help="records of the last size"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "linkage.md")
    options = parser.parse_args()
    text = report(options.splink, options.largest)
    options.out.write_text(text, "utf-8")
    print(text)


def report(splink: str, largest: int) -> str:
    rows = []
    for records, traders in SIZES:
        if records <= largest:
            rows += measure(records, traders, splink)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return "\n".join(
        [
            "# Linking records without a code",
            "",
            "<!-- Written by python -m bench.linkage; do not edit. -->",
            "",
            "Generated records as offices write them (a wrong character in a quarter of the names,"
            " town, trade or area left out, dates some days off, a fifth about nobody there), against"
            " a register in which every tenth trader has a near-twin: the same name next door,"
            " opened later. Precision: of the links made without asking a person, those that are"
            " right. Recall: of the records that are about somebody, those rightly linked; with"
            " “review” also those that wait for a person. 2 cores, one process, DuckDB; the floor"
            " joins equal names within a county where only one trader bears it.",
            "",
            "| records | traders | how | seconds | precision | recall | waiting for a person |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"Peak memory, everything of the run included: {memory:,} MB.",
            "",
        ]
    )


def measure(records: int, traders: int, splink: str) -> list[str]:
    from tests.profile import twins

    made = twins.make(seed=7, traders=traders, records=records, towns=max(48, traders // 5_000))
    results = {"getihu": ours(made), "floor: equal names": floor(made)}
    if splink and records <= SPLINK_MOST:
        results["Splink 5"] = theirs(made, splink)
    return [_row(records, traders, name, each, made.truth) for name, each in results.items()]


def ours(made: "object") -> Result:
    from getihu.growth.linkage import compare_records, estimate, score

    engine = made.engine  # type: ignore[attr-defined]
    began = time.monotonic()
    compare_records(engine, "records", "traders")
    found = score(engine, estimate(engine))
    seconds = time.monotonic() - began
    sure = {each.record: each.trader_code for each in found if each.is_sure}
    return Result(seconds, sure, len(found) - len(sure))


def floor(made: "object") -> Result:
    began = time.monotonic()
    rows = made.engine.execute(  # type: ignore[attr-defined]
        "SELECT l.id, any_value(r.id) FROM records l JOIN traders r USING (county_code, name)"
        " GROUP BY 1 HAVING count(*) = 1"
    ).fetchall()
    return Result(time.monotonic() - began, dict(rows))


def theirs(made: "object", python: str) -> Result:
    """Splink with its own estimation, comparisons of the same columns and comparable blocks."""
    with tempfile.TemporaryDirectory() as folder:
        for table in ("records", "traders"):
            made.engine.execute(f"COPY {table} TO '{folder}/{table}.parquet'")  # type: ignore[attr-defined]
        script = Path(__file__).with_name("linkage_splink.py")
        done = subprocess.run(
            [python, str(script), folder], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        raw = json.loads((Path(folder) / "out.json").read_text("utf-8"))
    return Result(raw["seconds"], raw["linked"])


def _row(records: int, traders: int, name: str, each: Result, truth: dict[str, str | None]) -> str:
    right = sum(truth[record] == code for record, code in each.linked.items())
    real = sum(code is not None for code in truth.values())
    precision = right / max(len(each.linked), 1)
    return (
        f"| {records:,} | {traders:,} | {name} | {each.seconds:,.1f} | {precision:.1%} |"
        f" {right / real:.1%} | {each.review:,} |"
    )


if __name__ == "__main__":
    main()
