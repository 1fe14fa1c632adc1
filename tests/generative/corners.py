"""Every operator once, at the values where it turns: what the fixed run never leaves to chance."""

import random
from datetime import date
from decimal import Decimal
from functools import lru_cache

from tests.generative.strategies import ASKED, FACTS, Made, load

CONDITIONS = (
    *(f"count_a {sign} 7" for sign in ("<", "<=", ">", ">=", "=", "<>")),
    *(f"7 {sign} count_a" for sign in ("<", "<=", ">", ">=")),
    "count_a + 1 <= 7",
    "count_a * 2 - count_b <= 8",
    "count_a <= count_b",
    "-count_a < -7",
    "count_a between 7 and 8",
    "count_a in (7, 2.5, null)",
    "area in (0.35, 1)",
    "sales_yuan / 3 >= 33333.33",
    "sales_yuan * rate >= tax_yuan",
    "sales_yuan - tax_yuan > 0",
    "is_a and is_b",
    "is_a or is_b",
    "not is_a",
    "is_a = is_b",
    "is_a is not null",
    "colour = 'red'",
    "colour <> 'red'",
    "colour in ('red', null)",
    "colour not in ('red', 'blue')",
    "case when is_a then is_b else not is_b end",
    "case when is_a then true when is_b then false end",
    "opened_on <= as_of",
    "opened_on + INTERVAL '1' MONTH <= as_of",
    "opened_on - INTERVAL '1' DAY < as_of",
    "opened_on + INTERVAL '1' YEAR > closed_on",
    "extract(month from opened_on) = 10",
    "extract(day from opened_on + INTERVAL '1' MONTH) = 29",
)
TREES = (
    {"all_of": ["a", "b", "c"]},
    {"any_of": ["a", "b", "c"]},
    {"none_of": ["a", "b", "c"]},
    {"at_least": {"n": 2, "of": ["a", "b", "c"]}},
    {"all_of": [{"any_of": ["a", {"none_of": ["b"]}]}, "c"]},
)
AMOUNTS = (
    ("sales_yuan * 0.005", "half_up_2"),
    ("sales_yuan * 0.005", "down_2"),
    ("tax_yuan / 3", "half_up_0"),
    ("tax_yuan * 0.35", "down_0"),
    ("count_a * 33.3333 - 300", "half_up_2"),
    ("case when is_b then 400 * count_a else 5000 end", "half_up_2"),
)
_AMOUNT = {"label": "金额", "article": "第一条", "round": "half_up_2"}
_STEPS = [{"up_to": 7, "yuan": 100}, {"up_to": 8, "yuan": 200}]
_RATES = [{"up_to": 7, "rate": "0.1"}, {"up_to": 8, "rate": "0.2"}, {"rate": "0.3"}]
WORTHS = (
    {"bands": {"of": "count_a", "how": "step", "rows": _STEPS}},
    {"bands": {"of": "count_a", "how": "progressive", "rows": _RATES}},
    {"yuan": "sales_yuan", "cap": "99999.99", "floor": 1},
    {"yuan": "100", "per": "count_a"},
    {"yuan": "1000", "months": {"of": "count_b", "over": 12}},
)
ROWS = (
    {"region": "330300", "value": 7},
    {"industry": ["F"], "value": 7},
    {"industry": "62", "value": 7},
    {"subject": "enterprise", "value": 7},
    {"from": date(2026, 10, 31), "value": 7},
    {"until": date(2026, 10, 31), "value": 7},
    {"year": 2026, "region": "330382", "value": 7},
)
_POOLS = {
    "boolean": [True, False, None],
    "integer": [6, 7, 8, 12, 3, None],
    "money": [Decimal(n) for n in ("0.01", "99999.99", "100000.00", "0.07", "-0.07", "1.00")]
    + [None],
    "decimal": [Decimal("0.3500"), Decimal("1.0000"), Decimal("0.0000"), None],
    "date": [
        date(2026, 10, 1),
        date(2026, 10, 31),
        date(2026, 11, 1),
        date(2024, 1, 31),
        date(2024, 2, 29),
        date(2025, 10, 31),
        date(9999, 12, 31),
        None,
    ],
    "enum": ["red", "green", "blue", None],
    "code": ["6210", None],
}
_OWN = {
    "county_code": ["330302", "330382", "440310", None],
    "subject_kind": ["individual", "enterprise", None],
    "industry_section": ["F", "H", None],
    "industry_division": ["51", "62", None],
    "insured_employees": [0, 1, None],
}


def document(number: int, conditions: dict[str, str], **more: object) -> dict:
    """A rule file with these conditions; all must hold unless ``more`` says otherwise."""
    base = {
        "id": f"made.corner_{number}",
        "title": "一个运算符",
        "kind": "eligibility",
        "source": {
            "document": "文号",
            "title": "名称",
            "article": "第一条",
            "url": "https://example.org",
            "trust": "D",
        },
        "region": "CN",
        "subjects": ["individual", "enterprise"],
        "valid_from": date(2020, 1, 1),
        "decides_on": "as_of",
        "benefit": {"kind": "无", "text": "无"},
        "clauses": {
            name: {"label": name, "when": text, "article": "第一条"}
            for name, text in conditions.items()
        },
    }
    is_table = "rows" in more
    return {**base, **({} if is_table else {"requires": {"all_of": list(conditions)}}), **more}


def _documents() -> list[dict]:
    abc = {"a": "is_a", "b": "is_b", "c": "count_a > 7"}
    parts: list[tuple[dict, dict]] = [({"only": text}, {}) for text in CONDITIONS]
    parts += [(abc, {"requires": tree}) for tree in TREES]
    for yuan, rounding in AMOUNTS:
        amount = {"yuan": yuan, "label": "金额", "article": "第一条", "round": rounding}
        parts.append(({"a": "is_a"}, {"amount": amount}))
    parts += [
        *(({"a": "is_a"}, {"amount": {**_AMOUNT, **worth}}) for worth in WORTHS),
        *(({"a": "sales_yuan >= cap_yuan"}, {"parameters": _varying(row)}) for row in ROWS),
        ({"a": "sales_yuan >= cap_yuan"}, {"parameters": _varying(ROWS[0], default=False)}),
        ({"a": "is_a"}, {"decides_on": {"event": "opened_on"}, "valid_until": date(2026, 10, 31)}),
        ({"a": "decided_on <= as_of"}, {"decides_on": {"period_end": "closed_on"}}),
        ({"a": "is_a"}, {"subjects": ["employer"]}),
        ({"a": "is_a"}, {"subjects": ["enterprise", "employer"]}),
        ({"a": "is_a or asked >= 3"}, {"inputs": {"asked": ASKED}}),
        ({"a": "is_a"}, {"exclusions": {"b": {"label": "b", "when": "is_b", "article": "无"}}}),
        ({"a": "is_a"}, {"region": "330300"}),
        ({"a": "is_a"}, {"subjects": ["individual"]}),
        ({"a": "is_a"}, {"incomplete": "来源不全"}),
        ({"a": "is_a"}, {"valid_from": date(2026, 11, 1)}),
        (abc, {"kind": "table", "rows": _rows("xyx"), "values": {v: v for v in "xyz"}}),
        (abc, {"kind": "table", "rows": _rows("xxy"), "values": {v: v for v in "xyz"}}),
    ]
    return [document(n, conditions, **more) for n, (conditions, more) in enumerate(parts)]


def _varying(row: dict, *, default: bool = True) -> dict:
    spec = {"label": "上限", "unit": "yuan", "source": "本测试", "by": [row]}
    return {"cap_yuan": {**spec, "value": 100000} if default else spec}


def _rows(values: str) -> list[dict]:
    rows = [{"when": {"all_of": [c]}, "value": v} for c, v in zip("abc", values, strict=True)]
    return [*rows, {"otherwise": True, "value": "z"}]


@lru_cache(maxsize=1)
def corner_rules() -> tuple[Made, ...]:
    return tuple(Made(document, load(document)) for document in _documents())


def corner_traders(many: int = 48) -> tuple[dict, ...]:
    chance = random.Random(20261031)
    pools = {n: _OWN.get(n) or _POOLS[fact.type.value] for n, fact in FACTS.items()}
    return tuple({n: chance.choice(pool) for n, pool in pools.items()} for _ in range(many))
