"""The rulebook's engine against others on one workload, every case in a process of its own.

``make bench`` writes ``docs/benchmarks/rulebook.md``. All engines must count the same traders for
every rule, or nothing is written. Rounds are shuffled; figures are medians. The machine is
shared: trust the ratios inside one run more than the seconds.
"""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from bench.spine import ROOT, memory_gib

WHOLE_CITY = {
    "ours": 7,
    "ours, new rules": 5,
    "Polars, resident": 3,
    "OpenFisca-core": 3,
    "DuckDB, a count per rule": 2,
    "DuckDB, one wide query": 2,
}
ON_SAMPLE = {
    "zen-engine": 2,
    "CEL (common-expression-language)": 2,
    "ours, trader by trader": 2,
}
OTHERS = {"1,000 changed": 5, "curve": 5, "one trader explained": 1, "one trader in words": 1}
QUESTIONS = {
    "1,000 changed": "1,000 changed traders decided again, pool differences of every rule",
    "curve": "curve of a threshold: 41 values, counts by county and section, cost",
    "one trader explained": "one trader: every rule's outcome, every clause, the deciding ones "
    "(ready facts, no query engine)",
    "one trader in words": "the same as whole decisions in words, every value with its source",
}
GROWTH = (50, 100, 200, 500, 1000, 2000)
Figures = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traders", type=int, default=1_100_000)
    parser.add_argument("--large", type=int, default=10_000_000, help="0: leave it out")
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--facts", type=Path, help="a folder to keep the cities in")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "rulebook.md")
    options = parser.parse_args()
    folder = options.facts or Path(tempfile.mkdtemp(prefix="getihu-bench-"))
    try:
        text = report(options, folder)
    finally:
        if options.facts is None:
            shutil.rmtree(folder, ignore_errors=True)
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(text, "utf-8")
    print(f"写入 {options.out}")


def report(options: argparse.Namespace, folder: Path) -> str:
    facts = city(folder, options.traders)
    coding = stage("coding", facts, options.rules, 1)
    cases = {**WHOLE_CITY, **ON_SAMPLE, **OTHERS}
    rounds = [shuffled_round(cases, facts, options.rules, n) for n in range(options.rounds)]
    results = {case: median_of([found[case] for found in rounds]) for case in cases}
    check_agreement(results)
    growth = {n: stage("ours", facts, n, 5) for n in GROWTH}
    afresh = {n: stage("ours, new rules", facts, n, 3) for n in GROWTH}
    large = None
    if options.large:
        big = city(folder, options.large)
        large = (stage("coding", big, options.rules, 1), stage("ours", big, options.rules, 5))
    return written(options, results, coding, growth, afresh, large)


def city(folder: Path, traders: int) -> Path:
    path = folder / f"city-{traders}.parquet"
    if not path.exists():
        from bench.rulebook_workload import make_city

        make_city(path, traders)
    return path


def shuffled_round(cases: dict[str, int], facts: Path, rules: int, turn: int) -> dict[str, Figures]:
    order = list(cases)
    random.Random(turn).shuffle(order)
    return {case: stage(case, facts, rules, cases[case]) for case in order}


def stage(case: str, facts: Path, rules: int, runs: int) -> Figures:
    command = [
        sys.executable,
        "-m",
        "bench.rulebook_stage",
        case,
        str(facts),
        str(rules),
        str(runs),
    ]
    environment = dict(os.environ, PYTHONUTF8="1")
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{case} 失败")
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    said = {k: round(v, 4) for k, v in found.items() if isinstance(v, float)}
    print(f"{facts.stem} {rules} 条 {case}: {said}", flush=True)
    return found


def median_of(rounds: list[Figures]) -> Figures:
    numbers = {
        key: statistics.median(found[key] for found in rounds)
        for key, value in rounds[0].items()
        if isinstance(value, int | float)
    }
    return {**rounds[0], **numbers}


def check_agreement(results: dict[str, Figures]) -> None:
    for group in (WHOLE_CITY, ON_SAMPLE):
        counts = {case: results[case]["yes"] for case in group}
        reference = counts["ours" if "ours" in counts else "ours, trader by trader"]
        wrong = [case for case, found in counts.items() if found != reference]
        if wrong:
            raise SystemExit(f"结果不一致：{'、'.join(wrong)}")


def written(
    options: argparse.Namespace,
    results: dict[str, Figures],
    coding: Figures,
    growth: dict[int, Figures],
    afresh: dict[int, Figures],
    large: tuple[Figures, Figures] | None,
) -> str:
    ours = results["ours"]
    n, rules = options.traders, options.rules
    lines = [
        "# The rulebook's engine",
        "",
        f"Measured on {date.today():%Y-%m-%d} with `python -m bench.rulebook` on "  # noqa: DTZ011
        f"{os.cpu_count()} cores, {memory_gib():.0f} GiB, Python {platform.python_version()}; "
        f"load average at the end {os.getloadavg()[0]:.1f}. {n:,} traders, {rules} rules of 5 "
        f"clauses, {ours['distinct']:,} of them distinct, 60 facts with 5–35 % unknown; medians "
        f"of {options.rounds} shuffled rounds, every case in a process of its own, the first run "
        "in it shown apart. Our cases give yes, no and unknown and keep every clause of every "
        f"trader; {sum(ours['yes']):,} yes and {sum(ours['unknown']):,} unknown. **All engines "
        "count the same yes for every rule** (the run stops otherwise).",
        "",
        "| engine | wall s | first run s | CPU s | peak MB | against ours |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for case in WHOLE_CITY:
        found = results[case]
        lines.append(
            f"| {case} | {found['wall']:.3f} | {found['first']:.3f} | {found['cpu']:.2f} "
            f"| {found['peak_mb']:,.0f} | {found['wall'] / ours['wall']:.1f}× |"
        )
    lines += [
        "",
        "*Ours* has the rules planned and the facts coded (the codes lie beside the facts table, "
        f"{coding['bytes'] / n:.0f} bytes a trader, made once in {coding['wall']:.1f} s); *new "
        "rules* plans them again each time. DuckDB runs hand-written SQL on a native table; "
        "Polars has the frame in memory; OpenFisca-core has words as numbers and its inputs set "
        "before the clock, shares a variable per clause, and knows no unknown.",
        "",
        "## Trader by trader",
        "",
        f"On a sample of {results['zen-engine']['sample']} traders, worked out for all: two "
        "values with guards against null, yes or no only (ours: three values and every clause).",
        "",
        "| engine | µs a trader | all traders, s | against ours over the city |",
        "|---|---:|---:|---:|",
    ]
    for case in ON_SAMPLE:
        found = results[case]
        each = found["wall"] / found["sample"]
        lines.append(
            f"| {case} | {each * 1e6:,.0f} | {each * n:,.0f} | {each * n / ours['wall']:,.0f}× |"
        )
    lines += [
        "",
        "## Questions to a city that was swept",
        "",
        "| question | wall ms | CPU ms |",
        "|---|---:|---:|",
        *(
            f"| {label} | {results[case]['wall'] * 1e3:.2f} | {results[case]['cpu'] * 1e3:.2f} |"
            for case, label in QUESTIONS.items()
        ),
        "",
        "## Cost grows with distinct clauses, not with rules",
        "",
        "| rules | distinct clauses | sweep s | with planning s | peak MB |",
        "|---:|---:|---:|---:|---:|",
    ]
    for many, found in growth.items():
        lines.append(
            f"| {many:,} | {found['distinct']:,} | {found['wall']:.3f} "
            f"| {afresh[many]['wall']:.3f} | {found['peak_mb']:,.0f} |"
        )
    if large:
        coded, swept = large
        lines += [
            "",
            f"## {options.large:,} traders",
            "",
            f"{rules} rules in {swept['wall']:.2f} s (first run {swept['first']:.1f} s), peak "
            f"{swept['peak_mb']:,.0f} MB with every clause kept; facts coded once in "
            f"{coded['wall']:.0f} s.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
