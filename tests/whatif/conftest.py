"""A small city of invented traders, two rules, and every answer of the evaluator to compare with."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from getihu.dataplane import selectors as dataplane
from getihu.reference import selectors as reference
from getihu.rulebook import selectors
from getihu.rulebook.evaluate.verdicts import judge
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.whatif.city import City, open_city
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SIZE_TABLE, SMALL_SHOP, write

AS_OF = date(2026, 10, 31)
SNAPSHOT = "s0123456789ab"
CASES = """\
cases:
  # 最普通的一种
  - name: 税务没有数据
    as_of: 2026-10-31
    facts: {registration_status: active, established_on: 2020-01-01}
    expect: unknown
    missing: [annual_sales_yuan, paid_tax_last_year]
  - name: 小店，两名雇员
    as_of: 2026-10-31
    facts: {registration_status: active, established_on: 2020-01-01, annual_sales_yuan: 250000, insured_employees: 2}
    expect: "yes"
    amount: 67
  - name: 销售额太高，没缴过税
    as_of: 2026-10-31
    facts: {registration_status: active, established_on: 2020-01-01, annual_sales_yuan: 350000, paid_tax_last_year: false}
    expect: "no"
    clauses: {is_small: no}
"""
SIZE_CASES = "cases: [{name: 不知道, as_of: 2026-10-31, facts: {}, expect: unknown}]\n"


def invent(seed: int, number: int) -> list[dict[str, Any]]:
    """Traders with every fact the two rules look at; about one value in eight is unknown."""
    draw = random.Random(seed)
    counties = [county.code for county in reference.list_counties()]

    def maybe(value: Any) -> Any:
        return None if draw.random() < 0.12 else value

    return [
        {
            "trader_code": f"T{n:05}",
            "county_code": maybe(draw.choice(counties)),
            "industry_section": draw.choice("CFH"),
            "subject_kind": draw.choice(["individual"] * 9 + ["enterprise"]),
            "registration_status": maybe(draw.choice(["active", "active", "active", "cancelled"])),
            "annual_sales_yuan": maybe(Decimal(draw.randrange(0, 700) * 1000)),
            "paid_tax_last_year": maybe(draw.random() < 0.3),
            "established_on": maybe(date(2023, 1, 1) + timedelta(days=draw.randrange(1400))),
            "insured_employees": maybe(draw.choice([0, 0, 1, 2, 3, 5, 12])),
        }
        for n in range(number)
    ]


def write_facts(path: Path, traders: list[dict[str, Any]]) -> None:
    kinds = {
        "annual_sales_yuan": pa.decimal128(18, 2),
        "paid_tax_last_year": pa.bool_(),
        "established_on": pa.date32(),
        "insured_employees": pa.int64(),
    }
    table = pa.table(
        {
            name: pa.array([each[name] for each in traders], kinds.get(name, pa.string()))
            for name in traders[0]
        }
    )
    pq.write_table(table, path)


@dataclass
class Small:
    """The city, its rules' folder, and its traders as the evaluator takes them."""

    city: City
    folder: Path
    traders: list[dict[str, Any]]

    def rule(self, rule_id: str = "tests.small_shop") -> Rule:
        return selectors.get_rule(rule_id)

    def outcomes(self, rule: Rule) -> list[str]:
        """What the evaluator says of each trader, one by one."""
        found = []
        for facts in self.traders:
            verdict = judge(rule, facts, AS_OF)
            found.append("not_applicable" if verdict.applies is False else verdict.outcome)
        return found

    def amounts(self, rule: Rule) -> list[Any]:
        return [judge(rule, facts, AS_OF).amount for facts in self.traders]


class Published:
    snapshot_id = SNAPSHOT
    data_until = AS_OF


@pytest.fixture
def small(tmp_path, settings, monkeypatch, db) -> Iterator[Small]:
    folder = tmp_path / "rules"
    folder.mkdir()
    for text, cases in ((SMALL_SHOP, CASES), (SIZE_TABLE, SIZE_CASES)):
        path = write(folder, text)
        path.with_name(path.stem + ".cases.yaml").write_text(cases, "utf-8")
    settings.RULE_DIRS = [folder]
    settings.DATA_DIR = tmp_path
    traders = invent(7, 600)
    write_facts(tmp_path / "facts.parquet", traders)
    known = dict.fromkeys(CATALOGUE)
    facts = {
        "fact_catalogue": lambda: CATALOGUE,
        "facts_path": lambda as_of, snapshot_id=None: tmp_path / "facts.parquet",
        "get_published_snapshot": lambda: Published,
    }
    for name, function in facts.items():
        monkeypatch.setattr(dataplane, name, function)
    monkeypatch.setattr(selectors, "TYPE_RULE_ID", "tests.size")
    yield Small(open_city(AS_OF, SNAPSHOT), folder, [{**known, **each} for each in traders])
