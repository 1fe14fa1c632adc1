"""One case of ``bench.rulebook`` in a process of its own; prints its figures as JSON.

Every case decides the same rules on the same facts and returns how many say yes to each, so that
the engines can be held against each other. Reading the facts into an engine's own form, and
compiling rules, lie outside its clock where ``setup`` says so.
"""

import json
import os
import resource
import statistics
import sys
import time
import zlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import django

from bench import rulebook_workload as workload
from bench.rulebook_workload import AS_OF, Clause, Leaf, Made

SAMPLE = 300
_UNKNOWN = -(2**31)


def main() -> None:
    case, facts, rules, runs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
    django.setup()
    print(json.dumps(CASES[case](facts, rules, runs)))


def measured(decide: Callable[[], list[int]], runs: int, **more: Any) -> dict[str, Any]:
    """First run and the median of the others: wall and CPU seconds; what it counted."""
    walls, cpus, counts = [], [], []
    for _ in range(runs):
        started, cpu = time.perf_counter(), time.process_time()
        counts = decide()
        walls.append(time.perf_counter() - started)
        cpus.append(time.process_time() - cpu)
    rest = slice(1, None) if runs > 1 else slice(None)
    return {
        "first": walls[0],
        "wall": statistics.median(walls[rest]),
        "cpu": statistics.median(cpus[rest]),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "yes": counts,
        **more,
    }


# ours


def ours(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """Three values, every clause plane kept. The codes of the facts are on disk, mapped."""
    from getihu.rulebook.columns.sweep import sweep_columns

    made = workload.make_rules(rules)
    book = workload.load_rules(made)
    started = time.perf_counter()
    columns = _columns(facts, made)
    opened = time.perf_counter() - started

    def decide() -> list[int]:
        counts = sweep_columns(columns, book, AS_OF).counts()
        return [counts[rule.id].get("yes", 0) for rule in book]

    swept = sweep_columns(columns, book, AS_OF)
    unknown = [swept.counts_of(rule.id).get("unknown", 0) for rule in book]
    distinct = swept.plan.distinct_clauses
    del swept
    return measured(decide, runs, open=opened, unknown=unknown, distinct=distinct)


def coding(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """Every fact the rules use, coded from the Parquet file and written."""
    import shutil

    made = workload.make_rules(rules)

    def decide() -> list[int]:
        shutil.rmtree(facts.with_suffix(".columns"), ignore_errors=True)
        _columns(facts, made)
        return []

    found = measured(decide, 1)
    size = sum(f.stat().st_size for f in facts.with_suffix(".columns").rglob("*") if f.is_file())
    return {**found, "bytes": size}


def planning(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """The sweep of rules never seen before: the plan is made anew each time."""
    from getihu.rulebook.columns.plan import plan
    from getihu.rulebook.columns.sweep import run

    made = workload.make_rules(rules)
    book = workload.load_rules(made)
    columns = _columns(facts, made)

    def decide() -> list[int]:
        counts = run(columns, plan(columns, book, AS_OF), AS_OF).counts()
        return [counts[rule.id].get("yes", 0) for rule in book]

    return measured(decide, runs)


def changed(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """1,000 traders with new turnover, flag and date: pool differences of every rule."""
    from datetime import timedelta

    import numpy as np

    from getihu.rulebook.columns.changes import redecide
    from getihu.rulebook.columns.sweep import sweep_columns

    made = workload.make_rules(rules)
    columns = _columns(facts, made)
    swept = sweep_columns(columns, workload.load_rules(made), AS_OF)
    rows = np.random.default_rng(5).choice(columns.traders, 1000, replace=False)
    changes = {
        code: {
            "sales_yuan": Decimal(n * 311),
            "is_marked": n % 2 == 0,
            "established_on": AS_OF - timedelta(days=n * 3),
        }
        for n, code in enumerate(columns.trader_code(rows))
    }

    def decide() -> list[int]:
        moved = redecide(swept, columns, changes)
        return [sum(difference.moves.values()) for difference in moved.values()]

    return measured(decide, runs + 2)


def curves(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """41 values of one threshold with counts by county and section, others as they are."""
    from getihu.rulebook.columns.curves import curve
    from getihu.rulebook.columns.sweep import sweep_columns

    rule = workload.slider_rule()
    columns = _columns(facts, workload.make_rules(rules))
    swept = sweep_columns(columns, [rule], AS_OF)
    values = [Decimal(n * 10_000) for n in range(41)]

    def decide() -> list[int]:
        by = ("county_code", "section")
        return list(curve(swept, rule.id, "cap_yuan", values, by=by).counts)

    return measured(decide, runs + 2)


def one_trader(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """One trader, every rule: outcome, every clause, the deciding ones; on ready facts."""
    from getihu.rulebook.evaluate.together import Together

    together = Together(workload.load_rules(workload.make_rules(rules)))
    traders = workload.sample(facts, SAMPLE)
    return _each(lambda row: together.decide(row, AS_OF), traders)


def one_in_words(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """The same as whole decisions: every value shown, with its source, department and date."""
    from getihu.rulebook.explain.decisions import decide

    book = workload.load_rules(workload.make_rules(rules))
    catalogue = workload.catalogue()
    traders = [workload.trader_facts(row) for row in workload.sample(facts, 60)]
    return _each(lambda trader: [decide(rule, trader, catalogue) for rule in book], traders)


def _each(explain: Callable[[Any], Any], traders: list[Any]) -> dict[str, Any]:
    walls, cpus = [], []
    for turn in range(3):
        for trader in traders:
            started, cpu = time.perf_counter(), time.process_time()
            explain(trader)
            if turn:
                walls.append(time.perf_counter() - started)
                cpus.append(time.process_time() - cpu)
    return {"wall": statistics.median(walls), "cpu": statistics.median(cpus), "yes": []}


def _columns(facts: Path, made: Made) -> Any:
    from getihu.rulebook.columns.city import CityColumns

    columns = CityColumns(facts)
    columns.load([*workload.used_columns(made), "county_code", "section"])
    return columns


# other engines over the whole city


def duckdb_wide(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """One hand-written query: id and a boolean per rule, from a native table."""
    made = workload.make_rules(rules)
    connection = _duckdb(facts)
    listed = ", ".join(f"{text} AS r{n}" for n, text in enumerate(_rule_sql(made)))

    def decide() -> list[int]:
        connection.execute(f"CREATE OR REPLACE TABLE wide AS SELECT trader_code, {listed} FROM f")
        return []

    found = measured(decide, runs)
    counts = ", ".join(f"count(*) FILTER (r{n})" for n in range(rules))
    row = connection.execute(f"SELECT {counts} FROM wide").fetchone()
    return {**found, "yes": list(row)}


def duckdb_counts(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """One filtered count per rule, from a native table."""
    made = workload.make_rules(rules)
    connection = _duckdb(facts)

    def decide() -> list[int]:
        return [
            connection.execute(f"SELECT count(*) FROM f WHERE {text}").fetchone()[0]
            for text in _rule_sql(made)
        ]

    return measured(decide, runs)


def _duckdb(facts: Path) -> Any:
    import duckdb

    connection = duckdb.connect(str(facts.with_suffix(f".{os.getpid()}.duckdb")))
    Path(facts.with_suffix(f".{os.getpid()}.duckdb")).unlink()  # gone when the process ends
    connection.execute(f"CREATE TABLE f AS SELECT * FROM '{facts}'")
    return connection


def _rule_sql(made: Made) -> list[str]:
    return [
        " and ".join(f"({workload.sql(made.clauses[name])})" for name in names)
        for names in made.rules
    ]


def polars_wide(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """One lazy query over the resident frame: sums of every rule."""
    import polars as pl

    made = workload.make_rules(rules)
    frame = pl.read_parquet(facts, columns=workload.used_columns(made))
    clauses = {name: _polars(clause) for name, clause in made.clauses.items()}
    sums = [
        pl.all_horizontal([clauses[name] for name in names]).sum().alias(f"r{n}")
        for n, names in enumerate(made.rules)
    ]

    def decide() -> list[int]:
        return [int(v) for v in frame.lazy().select(sums).collect().row(0)]

    return measured(decide, runs)


def _polars(clause: Clause) -> Any:
    parts = [_polars_leaf(leaf) for leaf in clause]
    return parts[0] if len(parts) == 1 else parts[0] | parts[1]


def _polars_leaf(leaf: Leaf) -> Any:
    import polars as pl

    column = pl.col(leaf.column)
    match leaf.kind:
        case "compare":
            value = pl.lit(leaf.value)
            if isinstance(leaf.value, Decimal):
                value = value.cast(pl.Decimal(18, 2))
            found = column >= value if leaf.operator == ">=" else column <= value
            found = column > value if leaf.operator == ">" else found
        case "between":
            low, high = (pl.lit(v).cast(pl.Decimal(18, 2)) for v in (leaf.value, leaf.other))
            found = (column >= low) & (column <= high)
        case "flag":
            found = column
        case "list":
            found = column.is_in(list(leaf.value))
        case _:
            # Hundredths of cents as whole numbers: exact.
            a = (column * 100).cast(pl.Int64) * int(leaf.value * 100)
            found = a >= (pl.col(str(leaf.other)) * 100).cast(pl.Int64) * 100
    return ~found if leaf.negated else found


def openfisca(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """OpenFisca-core: an input variable per fact (whole numbers, words as numbers beforehand), a
    shared variable per clause, one per rule. Yes only: it knows no unknown."""
    import numpy as np
    from openfisca_core import entities, simulations, taxbenefitsystems, variables
    from openfisca_core.periods import DateUnit

    made = workload.make_rules(rules)
    values, words = _as_integers(facts, made)
    person = entities.Entity("person", "persons", "", "")
    system = taxbenefitsystems.TaxBenefitSystem([person])

    def variable(name: str, kind: type, formula: Any = None) -> None:
        parts = {
            "value_type": kind,
            "entity": person,
            "definition_period": DateUnit.MONTH,
            "label": name,
        }
        if formula is not None:
            parts["formula"] = formula
        system.add_variable(type(name, (variables.Variable,), parts))

    for name in values:
        variable(name, int)
    for name, clause in made.clauses.items():
        variable(name, bool, _openfisca_formula(clause, words))
    for number, names in enumerate(made.rules):
        variable(f"r{number}", bool, _openfisca_all(names))
    count = len(next(iter(values.values())))

    def decide() -> list[int]:
        simulation = simulations.SimulationBuilder().build_default_simulation(system, count)
        for name, array in values.items():
            simulation.set_input(name, "2026-10", array)
        started = time.perf_counter()
        found = [int(np.sum(simulation.calculate(f"r{n}", "2026-10"))) for n in range(rules)]
        inside.append(time.perf_counter() - started)
        return found

    inside: list[float] = []
    result = measured(decide, runs)
    return {**result, "wall": statistics.median(inside[1:] or inside), "first": inside[0]}


def _openfisca_all(names: tuple[str, ...]) -> Any:
    def formula(persons: Any, period: Any) -> Any:
        found = persons(names[0], period)
        for name in names[1:]:
            found = found & persons(name, period)
        return found

    return formula


def _openfisca_formula(clause: Clause, words: dict[str, dict[str, int]]) -> Any:
    def formula(persons: Any, period: Any) -> Any:
        found = None
        for leaf in clause:
            part = _numpy_leaf(leaf, lambda name: persons(name, period), words)
            found = part if found is None else found | part
        return found

    return formula


def _numpy_leaf(leaf: Leaf, read: Callable[[str], Any], words: dict[str, dict[str, int]]) -> Any:
    """Whether a leaf says yes, unknown being a number of its own."""
    import numpy as np

    x = read(leaf.column)
    known = x != _UNKNOWN
    match leaf.kind:
        case "compare":
            value = _integer(leaf.value)
            found = x >= value if leaf.operator == ">=" else x <= value
            found = x > value if leaf.operator == ">" else found
        case "between":
            found = (x >= _integer(leaf.value)) & (x <= _integer(leaf.other))
        case "flag":
            found = x == 1
        case "list":
            found = np.isin(x, [words[leaf.column][word] for word in leaf.value])
        case _:
            other = read(str(leaf.other))
            known = known & (other != _UNKNOWN)
            found = x.astype(np.int64) * int(leaf.value * 100) >= other.astype(np.int64) * 100
    return (~found if leaf.negated else found) & known


def _integer(value: object) -> int:
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days
    return int(value * 100) if isinstance(value, Decimal) else int(str(value))


def _as_integers(facts: Path, made: Made) -> tuple[dict[str, Any], dict[str, dict[str, int]]]:
    """Every column as 32-bit whole numbers, and the number of each word."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    values, words = {}, {}
    for name in workload.used_columns(made):
        column = pq.read_table(facts, columns=[name])[name].combine_chunks()
        if pa.types.is_string(column.type):
            coded = column.dictionary_encode()
            words[name] = {word: n for n, word in enumerate(coded.dictionary.to_pylist())}
            words[name] |= {w: -1 for w in _all_words(name) if w not in words[name]}
            column = coded.indices
        elif pa.types.is_decimal(column.type):
            column = pc.multiply(column, pa.scalar(Decimal(100), pa.decimal128(3, 0)))
            column = column.cast(pa.int64())
        elif pa.types.is_date(column.type):
            column = column.cast(pa.int32())
        else:
            column = column.cast(pa.int64())
        filled = column.fill_null(_UNKNOWN).to_numpy(zero_copy_only=False)
        values[name] = filled.astype(np.int32)
    return values, words


def _all_words(name: str) -> list[str]:
    return {
        "county_code": workload.COUNTIES,
        "town_code": workload.TOWNS,
        "industry_code": workload.INDUSTRIES,
        "section": workload.SECTIONS,
        **workload.KINDS,
    }[name]


# trader by trader, on a sample


def zen(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """zen-engine: compiled expressions with guards against null, trader by trader."""
    import zen as engine

    made = workload.make_rules(rules)
    texts = _guarded(made, str.lower)
    programs = [engine.compile_expression(text) for text in texts]
    traders = [_plain(row) for row in workload.sample(facts, SAMPLE)]

    def decide() -> list[int]:
        return [sum(bool(program.evaluate(row)) for row in traders) for program in programs]

    return measured(decide, 2, sample=SAMPLE)


def cel(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """common-expression-language (Rust): compiled programs, trader by trader."""
    import cel as engine

    made = workload.make_rules(rules)
    programs = [engine.compile(text) for text in _guarded(made, _cel_words)]
    traders = [_plain(row) for row in workload.sample(facts, SAMPLE)]

    def decide() -> list[int]:
        found = [0] * len(programs)
        for row in traders:
            for number, program in enumerate(programs):
                found[number] += bool(program.execute(row))
        return found

    return measured(decide, 2, sample=SAMPLE)


def ours_on_sample(facts: Path, rules: int, runs: int) -> dict[str, Any]:
    """The single-trader evaluator on the same sample, for the counts of the two above."""
    from getihu.rulebook.evaluate.verdicts import judge

    book = workload.load_rules(workload.make_rules(rules))
    traders = workload.sample(facts, SAMPLE)

    def decide() -> list[int]:
        return [sum(judge(rule, row, AS_OF).outcome == "yes" for row in traders) for rule in book]

    return measured(decide, 2, sample=SAMPLE)


def _cel_words(text: str) -> str:
    return text.replace(" and ", " && ").replace(" or ", " || ")


def _guarded(made: Made, words: Callable[[str], str]) -> list[str]:
    clauses = {
        name: " or ".join(f"({_guarded_leaf(leaf)})" for leaf in clause)
        for name, clause in made.clauses.items()
    }
    return [words(" and ".join(f"({clauses[name]})" for name in names)) for names in made.rules]


def _guarded_leaf(leaf: Leaf) -> str:
    name = leaf.column
    known = f"{name} != null"
    match leaf.kind:
        case "compare":
            sign = leaf.operator
            if leaf.negated:
                sign = {">=": "<", "<=": ">", ">": "<="}[sign]
            return f"{known} and {name} {sign} {_integer(leaf.value)}"
        case "between":
            return (
                f"{known} and {name} >= {_integer(leaf.value)} and {name} <= {_integer(leaf.other)}"
            )
        case "flag":
            return f"{known} and {name} == {0 if leaf.negated else 1}"
        case "list":
            listed = ", ".join(str(_word(word)) for word in leaf.value)
            inside = f"({name} in [{listed}])"
            asked = f"{inside} == false" if leaf.negated else inside
            return f"{known} and {asked}"
    other = str(leaf.other)
    ratio = f"{name} * {int(leaf.value * 100)} >= {other} * 100"
    return f"{known} and {other} != null and {ratio}"


def _word(word: str) -> int:
    """Words as numbers: the engines compare either, and both know these."""
    return int(word) if word.isdigit() else zlib.crc32(word.encode())


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, str):
            found[name] = _word(value)
        else:
            found[name] = (
                value
                if value is None
                else _integer(value if not isinstance(value, bool) else int(value))
            )
    return found


CASES = {
    "coding": coding,
    "ours": ours,
    "ours, new rules": planning,
    "DuckDB, one wide query": duckdb_wide,
    "DuckDB, a count per rule": duckdb_counts,
    "Polars, resident": polars_wide,
    "OpenFisca-core": openfisca,
    "zen-engine": zen,
    "CEL (common-expression-language)": cel,
    "ours, trader by trader": ours_on_sample,
    "1,000 changed": changed,
    "curve": curves,
    "one trader explained": one_trader,
    "one trader in words": one_in_words,
}

if __name__ == "__main__":
    main()
