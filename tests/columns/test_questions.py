"""One step away, whose data is lacking, curves and changed traders, each against brute force."""

import random
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from getihu.rulebook.columns.changes import redecide
from getihu.rulebook.columns.city import CityColumns
from getihu.rulebook.columns.curves import curve, with_value
from getihu.rulebook.columns.questions import missing_by_department, near
from getihu.rulebook.columns.sweep import sweep_columns
from getihu.rulebook.evaluate.missing import missing_facts
from getihu.rulebook.evaluate.verdicts import judge
from tests.columns.cities import FACT_TYPES, columns_of
from tests.columns.test_shapes import UNKNOWN, document
from tests.generative.strategies import AS_OF, load

CLAUSES = {
    "old": "opened_on <= as_of - months * INTERVAL '1' MONTH",
    "small": "sales_yuan <= cap_yuan",
    "staffed": "count_a >= third and is_a",
    "clean": "not is_b",
    "rich": "tax_yuan * share >= sales_yuan",
}


def rule_of(requires, only=tuple(CLAUSES), **parts):
    clauses = {name: {"label": name, "when": CLAUSES[name], "article": "第一条"} for name in only}
    return load(document(kind="eligibility", clauses=clauses, requires=requires, **parts))


RULE = rule_of(
    {"all_of": ["old", "clean", {"any_of": ["small", "staffed"]}, {"none_of": ["rich"]}]},
    amount={
        "yuan": "sales_yuan * 0.01",
        "label": "金额",
        "article": "第一条",
        "round": "half_up_2",
    },
)


@pytest.fixture(scope="module")
def rows():
    draw = random.Random(7)

    def maybe(value):
        return None if draw.random() < 0.15 else value

    return [
        UNKNOWN
        | {
            "is_a": maybe(draw.random() < 0.5),
            "is_b": maybe(draw.random() < 0.3),
            "count_a": maybe(draw.randrange(8)),
            "sales_yuan": maybe(Decimal(draw.randrange(20_000_000)) / 100),
            "tax_yuan": maybe(Decimal(draw.randrange(40_000_000)) / 100),
            "opened_on": maybe(AS_OF - timedelta(days=draw.randrange(3000))),
            "colour": maybe(draw.choice(["red", "green"])),
        }
        for _ in range(700)
    ]


@pytest.fixture(scope="module")
def swept(rows):
    return sweep_columns(columns_of(rows), [RULE], AS_OF)


def test_near_names_the_clause_whose_turning_makes_a_yes(swept, rows):
    found = near(swept, RULE.id)
    for number, facts in enumerate(rows):
        verdict = judge(RULE, facts, AS_OF)
        cures = [
            name
            for name, value in verdict.clauses.items()
            if verdict.outcome == "no" and value is not None and _turned(verdict, name) is True
        ]
        assert bool(found.who[number]) is bool(cures), facts
        if cures:
            assert found.clauses[found.first[number]] == cures[0]
    assert found.who.sum() > 20


def _turned(verdict, name):
    from getihu.rulebook.evaluate.trees import tree_value

    return tree_value(RULE.requires, {**verdict.clauses, name: not verdict.clauses[name]})


def test_missing_data_is_counted_where_one_department_alone_would_settle_it(swept, rows):
    owners = {"is_a": "hrss", "count_a": "hrss", "sales_yuan": "tax", "tax_yuan": "tax"}
    owners |= {"opened_on": "amr", "is_b": "amr"}
    expected: dict[str, int] = {}
    for facts in rows:
        verdict = judge(RULE, facts, AS_OF)
        names = missing_facts(RULE, verdict, facts, AS_OF)
        departments = {owners[name] for name in names}
        if verdict.outcome == "unknown" and len(departments) == 1:
            (department,) = departments
            expected[department] = expected.get(department, 0) + 1
    assert missing_by_department(swept, RULE.id, owners) == expected
    assert len(expected) == 3


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("months", [0, 1, 12, 36, 60, 90]),
        ("cap_yuan", [0, 50_000, Decimal("99999.99"), 100_000, 150_000, 10**9]),
        ("third", [0, 1, 3, 7, 8]),
        ("share", [Decimal("0.1"), Decimal("0.35"), 1]),
    ],
)
def test_a_curve_is_what_deciding_again_at_every_value_gives(swept, rows, parameter, values):
    drawn = curve(swept, RULE.id, parameter, values, by=["colour"])
    for place, value in enumerate(values):
        copy = with_value(RULE, parameter, value)
        verdicts = [judge(copy, facts, AS_OF) for facts in rows]
        yes = [v.outcome == "yes" for v in verdicts]
        assert drawn.counts[place] == sum(yes), value
        paid = sum((v.amount for v in verdicts if v.amount is not None), start=0)
        assert drawn.amounts_yuan[place] == paid // 1
        for colour, counts in drawn.parts["colour"].items():
            here = [y for y, facts in zip(yes, rows, strict=True) if facts["colour"] == colour]
            assert counts[place] == sum(here)
    assert len(set(drawn.counts)) > 1


def test_a_curve_of_a_value_that_moves_the_amount_too():
    rule = rule_of(
        {"all_of": ["clean"]},
        ["clean"],
        amount={"yuan": "count_a * cap_yuan", "label": "x", "article": "1", "round": "down_0"},
    )
    rows = [UNKNOWN | {"is_b": n % 2 == 0, "count_a": n} for n in range(10)]
    swept = sweep_columns(columns_of(rows), [rule], AS_OF)
    drawn = curve(swept, rule.id, "cap_yuan", [1, Decimal("2.5")])
    assert drawn.counts == (5, 5)
    assert drawn.amounts_yuan == (25, sum(int(n * 2.5) for n in (1, 3, 5, 7, 9)))


@pytest.fixture
def city(tmp_path, rows):
    codes = [f"9233{number:014d}" for number in range(len(rows))]
    columns = {"trader_code": pa.array(codes)}
    for name, kind in FACT_TYPES.items():
        columns[name] = pa.array([row[name] for row in rows], type=kind)
    path = tmp_path / "facts.parquet"
    pq.write_table(pa.table(columns), path)
    return CityColumns(path), codes


def test_changed_traders_move_as_a_whole_new_sweep_would_move_them(city, rows):
    columns, codes = city
    swept = sweep_columns(columns, [RULE], AS_OF)
    changes = {
        codes[n]: {"is_b": False, "sales_yuan": Decimal(n), "opened_on": date(2001, 2, 3 + n % 9)}
        for n in range(0, 300, 3)
    }
    changes[codes[1]] = {"is_b": None}
    changes["9233999999"] = {"is_b": True}  # nobody
    moved = redecide(swept, columns, changes)
    expected: dict[tuple[str, str], int] = {}
    for number, facts in enumerate(rows):
        old = judge(RULE, facts, AS_OF).outcome
        new = judge(RULE, {**facts, **changes.get(codes[number], {})}, AS_OF).outcome
        if old != new:
            expected[old, new] = expected.get((old, new), 0) + 1
    assert moved[RULE.id].moves == expected
    assert len(expected) > 2
    assert all(len(moved[RULE.id].traders[move]) == many for move, many in expected.items())


def test_codes_are_kept_beside_the_facts_and_made_again_when_they_change(city, tmp_path, rows):
    columns, codes = city
    assert columns.dictionary("count_a") == list(range(8))
    assert columns.row_of(codes[5]) == 5
    assert columns.row_of("nobody") is None
    assert columns.trader_code(np.array([3, 1])) == [codes[3], codes[1]]
    assert columns.values(4) == {name: rows[4][name] for name in FACT_TYPES}
    again = CityColumns(columns.facts)
    kept = again.column("count_a")
    assert isinstance(kept.codes, np.memmap)
    pq.write_table(pq.read_table(columns.facts).slice(0, 10), columns.facts)
    changed = CityColumns(columns.facts)
    assert changed.traders == 10
    assert len(changed.codes("count_a")) == 10
    assert [path.name for path in changed.folder.parent.iterdir()] == [changed.folder.name]


def test_breakdowns_by_a_fact_count_unknown_apart(swept, rows):
    found = swept.by(RULE.id, "yes", "colour")
    expected: dict[str | None, int] = {}
    for facts in rows:
        if judge(RULE, facts, AS_OF).outcome == "yes":
            expected[facts["colour"]] = expected.get(facts["colour"], 0) + 1
    assert found == expected
