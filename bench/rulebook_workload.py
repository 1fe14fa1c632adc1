"""Workload of the rulebook's benchmark, from a seed: a city of 60 facts, rules that share clauses.

Every clause is a small tree of leaves that each engine's case writes in its own language: our
rule text, SQL, Polars expressions, NumPy formulas for OpenFisca, zen and CEL expressions. Numbers
follow perf.md: thresholds from the small sets real documents use, so 200 rules of 5 clauses ask
about 350 different questions.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from getihu.dataplane.contracts import (
    FactDeclaration,
    FactState,
    FactType,
    FactValue,
    PersonalClass,
    TraderFacts,
)
from getihu.rulebook.load.document import Document, parse_document
from getihu.rulebook.load.rule import check_rule
from getihu.rulebook.model.rules import Rule

SEED = 20261031
AS_OF = date(2026, 10, 31)
_EPOCH = date(1970, 1, 1)

COUNTIES = [f"3303{n:02d}" for n in (2, 3, 4, 5, 24, 26, 27, 28, 29, 81, 82, 83)]
TOWNS = [f"{county}{n:03d}" for county in COUNTIES for n in range(100, 115)]
INDUSTRIES = [f"{n:04d}" for n in range(100, 9900, 7)]
SECTIONS = list("ABCDEFGHIJKLMNOPQRST")
KINDS = {
    "levy_kind": ["books", "assessed"],
    "vat_kind": ["general", "small"],
    "status": ["active", "suspended", "cancelled", "revoked"],
    "composition": ["person", "family", "household"],
    "premises": ["owned", "rented", "market", "home"],
    "grade": ["A", "B", "C", "D", "M"],
}
DATES = [
    "established_on",
    "changed_on",
    "reported_on",
    "first_tax_on",
    "insured_on",
    "licensed_on",
    "honoured_on",
    "inspected_on",
]
MONEY = [
    "sales_yuan",
    "tax_yuan",
    "income_yuan",
    "payroll_yuan",
    "rent_yuan",
    "loan_yuan",
    "online_yuan",
    "energy_yuan",
    "fines_yuan",
    "assets_yuan",
    "invest_yuan",
    "export_yuan",
]
COUNTS = [
    "employees",
    "insured",
    "graduates",
    "trademarks",
    "patents",
    "penalties",
    "shops",
    "vat_months",
    "area_m2",
    "certificates",
]
FLAGS = [
    f"is_{name}"
    for name in [
        "veteran",
        "disabled",
        "graduate",
        "online",
        "exporter",
        "general",
        "marked",
        "dishonest",
        "overdue",
        "insured_unit",
        "reported",
        "heritage",
        "designer",
        "tourist",
        "farm",
        "green",
        "night",
        "market",
    ]
]
FACTS = 4 + len(KINDS) + len(DATES) + len(MONEY) + len(COUNTS) + len(FLAGS)


@dataclass(frozen=True)
class Leaf:
    """One question. ``kind``: compare, between, list, flag, ratio. Dates and money are given as
    people write them; ``negated`` turns the answer round where it is known."""

    kind: str
    column: str
    operator: str = ""
    value: object = None
    other: object = None
    negated: bool = False


Clause = tuple[Leaf, ...]  # any of them


@dataclass(frozen=True)
class Made:
    """Clauses by id and, per rule, the ids of its five clauses (all must hold)."""

    clauses: dict[str, Clause]
    rules: tuple[tuple[str, ...], ...]


def make_rules(rules: int, *, distinct: int = 350, each: int = 5, seed: int = SEED) -> Made:
    """``rules`` rules of ``each`` clauses drawn from ``distinct`` different ones."""
    draw = random.Random(seed)
    pool: dict[Clause, None] = {}
    while len(pool) < distinct:
        pool[_clause(draw)] = None
    clauses = {f"c{number}": clause for number, clause in enumerate(pool)}
    wide = [name for name, clause in clauses.items() if clause[0].kind != "list"]
    chosen: list[tuple[str, ...]] = []
    waiting = list(clauses)
    draw.shuffle(waiting)
    for _ in range(rules):
        mine: list[str] = []
        while len(mine) < each:
            # Every clause is used once before any is used again.
            name = waiting.pop() if waiting and len(mine) < 2 else draw.choice(wide)
            if name not in mine:
                mine.append(name)
        chosen.append(tuple(mine))
    used = {name for mine in chosen for name in mine}
    return Made({n: c for n, c in clauses.items() if n in used}, tuple(chosen))


def _clause(draw: random.Random) -> Clause:
    if draw.random() < 0.12:
        return (_leaf(draw), _leaf(draw))
    return (_leaf(draw),)


def _leaf(draw: random.Random) -> Leaf:
    kind = draw.choices(
        [
            "date",
            "money",
            "between",
            "count",
            "flag",
            "enum",
            "trades",
            "towns",
            "section",
            "ratio",
        ],
        [18, 16, 6, 16, 18, 8, 8, 4, 3, 5],
    )[0]
    match kind:
        case "date":
            days = draw.choice([90, 180, 365, 730, 1095, 1825, 3650])
            operator = draw.choice(["<=", ">"])
            return Leaf("compare", draw.choice(DATES), operator, AS_OF - timedelta(days=days))
        case "money":
            value = Decimal(draw.choice([0, 5000, 20000, 50000, 100000, 300000, 1000000, 5000000]))
            return Leaf("compare", draw.choice(MONEY), draw.choice([">=", "<="]), value)
        case "between":
            low = draw.choice([1000, 20000, 100000])
            high = Decimal(low * draw.choice([10, 50]))
            return Leaf("between", draw.choice(MONEY), "", Decimal(low), high)
        case "count":
            value = draw.choice([0, 1, 2, 3, 5, 8, 10, 20])
            return Leaf("compare", draw.choice(COUNTS), draw.choice([">=", "<="]), value)
        case "flag":
            return Leaf("flag", draw.choice(FLAGS), negated=draw.random() < 0.6)
        case "enum":
            column = draw.choice(list(KINDS))
            some = tuple(sorted(draw.sample(KINDS[column], draw.choice([1, 1, 2]))))
            return Leaf("list", column, value=some, negated=draw.random() < 0.3)
        case "trades":
            some = tuple(sorted(draw.sample(INDUSTRIES, draw.choice([5, 20, 60, 200]))))
            return Leaf("list", "industry_code", value=some, negated=draw.random() < 0.7)
        case "towns":
            some = tuple(sorted(draw.sample(TOWNS, draw.choice([5, 30, 90]))))
            return Leaf("list", "town_code", value=some, negated=draw.random() < 0.5)
        case "section":
            column, values = draw.choice([("section", SECTIONS), ("county_code", COUNTIES)])
            some = tuple(sorted(draw.sample(values, draw.choice([2, 4, 6]))))
            return Leaf("list", column, value=some)
    a, b = draw.sample(MONEY[:6], 2)
    return Leaf("ratio", a, ">=", Decimal(draw.choice(["0.03", "0.1", "0.5", "2"])), b)


# the city


def make_city(path: Path, traders: int, *, seed: int = SEED, stretch: int = 1_100_000) -> None:
    """A facts table: trader_code and 60 facts, 5 to 35 % of each unknown."""
    writer = None
    for start in range(0, traders, stretch):
        table = _stretch(start, min(stretch, traders - start), seed)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=122_880)
    assert writer is not None
    writer.close()


def _stretch(start: int, n: int, seed: int) -> pa.Table:
    rng = np.random.default_rng([seed, start])
    size = rng.lognormal(0, 1, n)
    columns: dict[str, pa.Array] = {
        "trader_code": pa.array([f"92330300{start + i:010d}" for i in range(n)])
    }
    drawn = np.random.default_rng(seed)
    shares = iter(drawn.uniform(0.05, 0.35, FACTS))

    def nulls() -> np.ndarray:
        return rng.random(n) < next(shares)

    town = rng.integers(0, len(TOWNS), n)
    columns["county_code"] = _chosen(COUNTIES, town // 15, nulls())
    columns["town_code"] = _chosen(TOWNS, town, nulls())
    trade = np.minimum((rng.random(n) ** 2 * len(INDUSTRIES)).astype(int), len(INDUSTRIES) - 1)
    columns["industry_code"] = _chosen(INDUSTRIES, trade, nulls())
    columns["section"] = _chosen(SECTIONS, trade * 20 // len(INDUSTRIES), nulls())
    for name, values in KINDS.items():
        columns[name] = _chosen(values, rng.integers(0, len(values), n), nulls())
    last = (AS_OF - _EPOCH).days
    for name in DATES:
        days = (last - rng.gamma(1.6, 1200, n)).astype(np.int32)
        columns[name] = pa.array(days, pa.int32(), mask=nulls()).cast(pa.date32())
    for number, name in enumerate(MONEY):
        scale = [200_000, 6_000, 40_000, 60_000, 30_000, 50_000][number % 6]
        cents = np.minimum(size * rng.lognormal(0, 0.8, n) * scale * 100, 1.9e9).astype(np.int64)
        cents[rng.random(n) < 0.25] = 0
        columns[name] = _money(cents, nulls())
    for name in COUNTS:
        columns[name] = pa.array(rng.poisson(size * 2).astype(np.int64), mask=nulls())
    for name in FLAGS:
        columns[name] = pa.array(rng.random(n) < rng.uniform(0.05, 0.5), mask=nulls())
    return pa.table(columns)


def _chosen(values: list[str], places: np.ndarray, nulls: np.ndarray) -> pa.Array:
    indices = pa.array(places.astype(np.int32), mask=nulls)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values)).cast(pa.string())


def _money(cents: np.ndarray, nulls: np.ndarray) -> pa.Array:
    pairs = np.zeros(2 * len(cents), dtype=np.int64)
    pairs[::2] = cents
    mask = pa.array(~nulls)
    return pa.Array.from_buffers(
        pa.decimal128(18, 2), len(cents), [mask.buffers()[1], pa.py_buffer(pairs)]
    )


# our rules


def catalogue() -> dict[str, FactDeclaration]:
    kinds = {
        **dict.fromkeys(["county_code", "town_code", "industry_code", "section"], FactType.CODE),
        **dict.fromkeys(KINDS, FactType.ENUM),
        **dict.fromkeys(DATES, FactType.DATE),
        **dict.fromkeys(MONEY, FactType.MONEY),
        **dict.fromkeys(COUNTS, FactType.INTEGER),
        **dict.fromkeys(FLAGS, FactType.BOOLEAN),
    }
    return {name: _declared(name, kind) for name, kind in kinds.items()}


def _declared(name: str, kind: FactType) -> FactDeclaration:
    return FactDeclaration(
        name=name,
        label=f"事实{name}",
        type=kind,
        unit="yuan" if kind is FactType.MONEY else "count" if kind is FactType.INTEGER else None,
        group="g",
        dataset="d",
        department="amr",
        department_name="某局",
        null_means="没有数据",
        personal=PersonalClass.BUSINESS,
        values={value: value for value in KINDS.get(name, [])},
    )


def load_rules(made: Made) -> list[Rule]:
    """The rules as the rulebook loads them from text."""
    facts = catalogue()
    return [_load(number, names, made, facts) for number, names in enumerate(made.rules)]


def _load(
    number: int, names: tuple[str, ...], made: Made, facts: dict[str, FactDeclaration]
) -> Rule:
    clauses = "".join(
        f'  {n}: {{label: 条件{n}, when: "{sql(made.clauses[n])}", article: 第一条}}\n'
        for n in names
    )
    text = _RULE.format(number=number, clauses=clauses, all_of=", ".join(names))
    document = Document(file=f"bench.rule_{number}.yaml", text=text)
    parse_document(document)
    rule = check_rule(document, facts)
    assert rule is not None, [str(problem) for problem in document.problems]
    return rule


_RULE = """\
id: bench.rule_{number}
title: 第{number}条
kind: eligibility
source: {{document: 测, title: 测, article: 第一条, url: "https://example.org", trust: D}}
region: CN
subjects: [individual, enterprise]
valid_from: 2020-01-01
decides_on: as_of
benefit: {{kind: 无, text: 无}}
clauses:
{clauses}requires: {{all_of: [{all_of}]}}
"""


# SQL, ours and DuckDB's alike


def sql(clause: Clause) -> str:
    """The clause in the SQL that rules and DuckDB share."""
    leaves = [_leaf_sql(leaf) for leaf in clause]
    return leaves[0] if len(leaves) == 1 else f"({' or '.join(leaves)})"


def _leaf_sql(leaf: Leaf) -> str:
    match leaf.kind:
        case "compare":
            text = f"{leaf.column} {leaf.operator} {_literal(leaf.value)}"
        case "between":
            text = f"{leaf.column} between {leaf.value} and {leaf.other}"
        case "flag":
            text = leaf.column
        case "list":
            assert isinstance(leaf.value, tuple)
            text = f"{leaf.column} in ({', '.join(map(_literal, leaf.value))})"
        case _:
            text = f"{leaf.column} * {leaf.value} >= {leaf.other}"
    return f"not ({text})" if leaf.negated else text


def _literal(value: object) -> str:
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return f"'{value}'" if isinstance(value, str) else str(value)


def used_columns(made: Made) -> list[str]:
    return sorted({name for clause in made.clauses.values() for name in columns_of(clause)})


def columns_of(clause: Clause) -> Iterator[str]:
    for leaf in clause:
        yield leaf.column
        if leaf.kind == "ratio":
            yield str(leaf.other)


# single traders


def sample(path: Path, traders: int) -> list[dict[str, object]]:
    """The first traders of a facts table as Python values."""
    batch = next(pq.ParquetFile(path).iter_batches(batch_size=traders))
    rows: list[dict[str, object]] = batch.to_pylist()
    return [{k: v for k, v in row.items() if k != "trader_code"} for row in rows]


def trader_facts(row: dict[str, object]) -> TraderFacts:
    """A trader's facts as the data plane hands them over."""
    values = {
        name: FactValue(name, value, FactState.RECORDED, AS_OF, AS_OF, "d1")  # type: ignore[arg-type]
        for name, value in row.items()
    }
    return TraderFacts("92330300000000000X", AS_OF, "s0", values)


def slider_rule() -> Rule:
    """A rule with one parameter that is slid."""
    text = _RULE.format(
        number="slider",
        clauses=(
            '  small: {label: 小, when: "sales_yuan <= cap_yuan", article: 第一条}\n'
            "  old: {label: 老, when: \"established_on <= DATE '2023-10-31'\", article: 第一条}\n"
            '  clean: {label: 净, when: "not is_marked", article: 第一条}\n'
            '  staffed: {label: 有人, when: "employees >= 1", article: 第一条}\n'
            '  taxed: {label: 缴税, when: "tax_yuan >= 1000", article: 第一条}\n'
        ),
        all_of="small, old, clean, staffed, taxed",
    )
    text += "parameters: {cap_yuan: {label: 上限, value: 100000, unit: yuan, source: 测}}\n"
    text += "amount: {yuan: tax_yuan * 0.5, label: 减征, article: 第一条, round: half_up_2}\n"
    document = Document(file="bench.rule_slider.yaml", text=text)
    parse_document(document)
    rule = check_rule(document, catalogue())
    assert rule is not None, [str(problem) for problem in document.problems]
    return rule
