"""Random typed expressions, rules and facts, written as rule files would write them."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import yaml
from hypothesis import reject
from hypothesis import strategies as st

from getihu.rulebook.load.document import Document, parse_document
from getihu.rulebook.load.rule import check_rule
from getihu.rulebook.model.rules import Override, Rule
from tests.rulebook.catalogue import declaration

AS_OF = date(2026, 10, 31)
ENUM = "red=红,green=绿,blue=蓝"
FACTS = {
    f.name: f
    for f in (
        declaration("is_a", "boolean"),
        declaration("is_b", "boolean"),
        declaration("count_a", "integer"),
        declaration("count_b", "integer"),
        declaration("sales_yuan", "money"),
        declaration("tax_yuan", "money"),
        declaration("area", "decimal"),
        declaration("rate", "decimal"),
        declaration("opened_on", "date"),
        declaration("closed_on", "date"),
        declaration("colour", "enum", ENUM),
        declaration("trade", "code"),
        declaration("county_code", "code"),
        declaration("subject_kind", "enum", "individual=个体,enterprise=企业"),
        declaration("industry_section", "code"),
        declaration("industry_division", "code"),
        declaration("insured_employees", "integer"),
    )
}
SQL_TYPES = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "money": "DECIMAL(18,2)",
    "decimal": "DECIMAL(18,4)",
    "date": "DATE",
    "enum": "VARCHAR",
    "code": "VARCHAR",
}
PARAMETERS = {
    "cap_yuan": (100000, "yuan"),
    "odd_yuan": (Decimal("0.07"), "yuan"),
    "months": (36, "month"),
    "share": (Decimal("0.35"), "ratio"),
    "third": (3, "count"),
    "start": (date(2024, 2, 29), "date"),
}
ASKED = {
    "label": "问到的数",
    "type": "integer",
    "asked_of": "applicant",
    "question": "几个？",
    "null_means": "没有回答",
}
_DATES = [
    date(1, 1, 1),
    date(2000, 2, 29),
    date(2023, 12, 31),
    date(2024, 1, 31),
    date(2024, 2, 29),
    date(2025, 3, 31),
    date(2024, 10, 31),
    date(2026, 4, 30),
    date(2026, 10, 30),
    date(2026, 10, 31),
    date(2026, 11, 1),
    date(9999, 12, 31),
]
_VALUES = {
    "boolean": st.booleans(),
    "integer": st.one_of(
        st.sampled_from([2, 3, 4, 6, 7, 8, 11, 12, 13]),
        st.integers(-3, 40),
        st.sampled_from([2**63 - 1, -(2**63)]),
        st.integers(0, 10**6),
    ),
    "money": st.one_of(
        st.sampled_from(["0.00", "0.01", "99999.99", "100000.00", "100000.01", "-0.07"]),
        st.sampled_from(["9999999999999999.99", "-9999999999999999.99"]),
        st.decimals(-(10**6), 10**6, places=2).map(str),
    ).map(Decimal),
    "decimal": st.one_of(
        st.sampled_from(["0.0000", "0.3500", "99999999999999.9999"]),
        st.decimals(-100, 100, places=4).map(str),
    ).map(Decimal),
    "date": st.one_of(st.sampled_from(_DATES), st.dates(date(2015, 1, 1), date(2030, 12, 31))),
    "enum": st.sampled_from(["red", "green", "blue"]),
    "code": st.sampled_from(["6210", "5101", "330302", "330382", "440310"]),
}
_SPECIAL = {
    "county_code": st.sampled_from(["330302", "330382", "440310"]),
    "subject_kind": st.sampled_from(["individual", "enterprise"]),
    "industry_section": st.sampled_from(["F", "H"]),
    "industry_division": st.sampled_from(["51", "62"]),
    "insured_employees": st.integers(0, 3),
}


def fact_values(name: str):
    """Known values of one fact."""
    return _SPECIAL[name] if name in _SPECIAL else _VALUES[FACTS[name].type.value]


dates_decided_for = st.sampled_from(
    [
        AS_OF,
        AS_OF,
        AS_OF,
        date(2024, 2, 29),
        date(2024, 2, 29),
        date(2025, 12, 31),
        date(2020, 1, 1),
        date(2019, 12, 31),  # the day before any made rule
    ]
)
"""Dates the engines are asked about; most rules are in force on most of them."""


_known = st.fixed_dictionaries({name: fact_values(name) for name in FACTS})
rows = st.one_of(
    _known,
    st.tuples(_known, st.sets(st.sampled_from(sorted(FACTS)), max_size=4)).map(
        lambda pair: {**pair[0], **dict.fromkeys(sorted(pair[1]))}
    ),
    st.fixed_dictionaries({name: st.none() | fact_values(name) for name in FACTS}),
)
"""Facts of one trader: all known, a few unknown, or about half."""


def _wrap(*parts):
    return st.tuples(*(p if not isinstance(p, str) else st.just(p) for p in parts)).map(
        lambda words: "(" + " ".join(words) + ")"
    )


_small = st.integers(0, 40).map(str)
_number_literals = st.one_of(
    _small, st.sampled_from(["0.5", "1.005", "100000", "0.35", "33.3333", "7"])
)
_divisors = st.sampled_from(["3", "7", "0.5", "share", "third", "(third + 4)", "12"])
_shifts = st.one_of(
    st.integers(-50, 50).map(lambda n: f"INTERVAL '{n}' MONTH"),
    st.integers(-800, 800).map(lambda n: f"INTERVAL ({n}) DAY"),
    st.sampled_from(["INTERVAL 1 YEAR", "months * INTERVAL '1' month", "INTERVAL '40' YEAR"]),
)
dates = st.recursive(
    st.sampled_from(
        ["opened_on", "closed_on", "as_of", "start", "DATE '2024-01-31'", "DATE '2023-03-01'"]
    ),
    lambda inner: st.one_of(
        _wrap(inner, st.sampled_from(["+", "-"]), _shifts),
        _wrap("case when is_a then", inner, "else", inner, "end"),
        _wrap("case when count_a > 3 then", inner, "end"),
    ),
    max_leaves=3,
)
numbers = st.recursive(
    st.one_of(
        st.sampled_from(
            ["count_a", "count_b", "sales_yuan", "tax_yuan", "area", "rate", "cap_yuan", "share"]
        ),
        st.sampled_from(["odd_yuan", "months", "extract(year from as_of)"]),
        _number_literals,
        dates.map(lambda d: f"extract(month from {d})"),
        dates.map(lambda d: f"EXTRACT(DAY FROM {d})"),
    ),
    lambda inner: st.one_of(
        _wrap(inner, st.sampled_from(["+", "-"]), inner),
        _wrap(inner, "*", _number_literals),
        _wrap(inner, "* share"),
        _wrap(inner, "/", _divisors),
        _wrap("-", inner),
        _wrap("case when", inner, "> 7 then", inner, "when is_b then null else", inner, "end"),
    ),
    max_leaves=4,
)
_texts = st.sampled_from(["'red'", "'green'", "'blue'", "null"])
_list = st.lists(_texts, min_size=1, max_size=3).map(", ".join)
_comparisons = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_edges = st.one_of(
    _wrap(st.sampled_from(["count_a", "count_b"]), _comparisons, st.sampled_from(["3", "7", "12"])),
    _wrap(st.sampled_from(["3", "7", "12"]), _comparisons, "count_a"),
    _wrap("count_a", _comparisons, "count_b"),
    _wrap("count_a + 1", _comparisons, st.sampled_from(["7", "count_b", "13"])),
    _wrap("count_a * 2 - count_b", _comparisons, st.sampled_from(["6", "8", "count_a"])),
    _wrap("sales_yuan", _comparisons, st.sampled_from(["cap_yuan", "100000.01", "0", "odd_yuan"])),
    _wrap("100000", _comparisons, "tax_yuan"),
    _wrap(st.sampled_from(["area", "rate"]), _comparisons, st.sampled_from(["share", "0", "0.35"])),
    _wrap("opened_on", _comparisons, st.sampled_from(["as_of", "as_of - INTERVAL '6' MONTH"])),
    _wrap("opened_on + INTERVAL '2' YEAR", _comparisons, "as_of"),
    _wrap("closed_on - INTERVAL '1' DAY", _comparisons, st.sampled_from(["as_of", "start"])),
    _wrap("opened_on + INTERVAL '1' MONTH", _comparisons, "closed_on"),
    _wrap(st.sampled_from(["count_a", "sales_yuan", "opened_on", "is_a", "colour"]), "is not null"),
    _wrap(st.sampled_from(["count_b", "area", "closed_on", "is_b"]), "is null"),
)
"""What rules mostly ask: a fact against a limit that facts do hit."""
_products = st.sampled_from(["count_a * sales_yuan", "sales_yuan * rate", "area * tax_yuan"])
conditions = st.recursive(
    st.one_of(
        _edges,
        st.sampled_from(["is_a", "is_b", "true", "false", "is_a is not null", "tax_yuan is null"]),
        _wrap(numbers, _comparisons, numbers),
        _wrap(_products, _comparisons, numbers),
        _wrap(dates, _comparisons, dates),
        _wrap(dates, "between", dates, "and", dates),
        _wrap(numbers, "between", numbers, "and", numbers),
        _wrap("colour", st.sampled_from(["in (", "not in ("]), _list, ")"),
        _wrap("count_a", st.sampled_from(["in (", "not in ("]), "1, 2.5, null, months)"),
        _wrap("area in (1, 0.35, 0.3333)"),
        _wrap("colour", st.sampled_from(["=", "<>"]), st.sampled_from(["'red'", "'blue'"])),
        _wrap("trade = '6210'"),
        _wrap("is_a", st.sampled_from(["=", "<>"]), "is_b"),
    ),
    lambda inner: st.one_of(
        _wrap(inner, "and", inner),
        _wrap(inner, "or", inner),
        _wrap("not", inner),
        _wrap(inner, "is not null"),
        _wrap("case when", inner, "then", inner, "else", inner, "end"),
        _wrap("case when", inner, "then true when", inner, "then false end"),
    ),
    max_leaves=5,
)


amounts = st.one_of(
    numbers,
    _wrap("sales_yuan", "*", st.sampled_from(["0.005", "share", "0.35", "1.5"])),
    _wrap("tax_yuan", "/", _divisors),
    _wrap("tax_yuan * share", "/", _divisors),
    _wrap("area * odd_yuan"),
    _wrap("rate * sales_yuan"),
    _wrap("count_a", "*", st.sampled_from(["400", "odd_yuan", "33.3333"])),
)


_row_keys = st.sampled_from(
    [
        {"region": "330300"},
        {"region": "330382"},
        {"industry": ["F"]},
        {"industry": "62"},
        {"subject": "enterprise"},
        {"year": 2024},
        {"from": date(2025, 1, 1)},
        {"until": date(2026, 1, 1), "region": "330302"},
    ]
)
_varying = st.fixed_dictionaries(
    {},
    optional={
        "cap_yuan": st.lists(
            st.tuples(_row_keys, st.sampled_from([7, 50000, 100000])), min_size=1, max_size=2
        ),
        "months": st.lists(st.tuples(_row_keys, st.sampled_from([6, 24])), min_size=1, max_size=2),
        "share": st.lists(st.tuples(_row_keys, st.just(Decimal("0.5"))), min_size=1, max_size=1),
    },
)


def _parameters(varying: dict, with_default: bool) -> dict:
    """Parameters whose value depends on the place, trade, kind or time."""
    made = {}
    for name, rows_ in varying.items():
        value, unit = PARAMETERS[name]
        keys = {repr(key): (key, given) for key, given in rows_ if key}
        spec = {"label": name, "unit": unit, "source": "本测试", "value": value}
        if not with_default:
            del spec["value"]
        spec["by"] = [{**key, "value": given} for key, given in keys.values()]
        made[name] = spec
    return made


_bands = st.sampled_from(
    [
        {"how": "step", "rows": [{"up_to": 7, "yuan": 100}, {"up_to": 12, "yuan": "cap_yuan"}]},
        {"how": "step", "rows": [{"up_to": 7, "yuan": "tax_yuan"}, {"yuan": 5}]},
        {"how": "progressive", "rows": [{"up_to": 7, "rate": "share"}, {"rate": Decimal("0.1")}]},
        {
            "how": "progressive",
            "rows": [{"up_to": 3, "rate": Decimal("0.05")}, {"up_to": 12, "rate": 1}],
        },
    ]
)


@st.composite
def _worth(draw) -> dict:
    """What an amount is made of: a formula or bands, and what follows."""
    made: dict = {}
    if draw(st.booleans()):
        made["bands"] = {"of": draw(st.sampled_from(["count_a", "area"])), **draw(_bands)}
    else:
        made["yuan"] = draw(amounts)
    if draw(st.sampled_from([True, False, False])):
        made["per"] = draw(st.sampled_from(["count_b", "2"]))
    if draw(st.sampled_from([True, False, False])):
        made["months"] = {"of": "count_b", "over": 12}
    if draw(st.sampled_from([True, False, False])):
        made["floor"] = draw(st.sampled_from(["0", "odd_yuan"]))
    if draw(st.sampled_from([True, False, False])):
        made["cap"] = draw(st.sampled_from(["cap_yuan", "1000", "tax_yuan"]))
    return made


def _trees(names):
    def grow(inner):
        items = st.lists(inner, min_size=1, max_size=3)
        group = st.sampled_from(["all_of", "any_of", "none_of"])
        return st.one_of(
            st.tuples(group, items).map(lambda pair: {pair[0]: pair[1]}),
            items.flatmap(
                lambda of: st.integers(1, len(of)).map(lambda n: {"at_least": {"n": n, "of": of}})
            ),
        )

    return st.recursive(st.sampled_from(names), grow, max_leaves=6)


class Made(NamedTuple):
    """A rule and the document it was loaded from."""

    document: dict
    rule: Rule


def rules(number: int = 0):
    """One rule that loads: eligibility (perhaps with an amount) or table."""
    return made_rules(number).map(lambda made: made.rule)


@st.composite
def made_rules(draw, number: int = 0) -> Made:
    """One rule that loads, with its document."""
    texts = draw(st.lists(st.one_of(_edges, conditions), min_size=1, max_size=4))
    names = [f"clause_{i}" for i in range(len(texts))]
    document = {
        "id": f"made.rule_{number}",
        "title": "生成的规则",
        "source": {
            "document": "文号",
            "title": "名称",
            "article": "第一条",
            "url": "https://example.org",
            "trust": "D",
        },
        "region": draw(st.sampled_from(["CN", "CN", "330000", "330300", "330382"])),
        "subjects": draw(
            st.sampled_from(
                [
                    ["individual", "enterprise"],
                    ["individual", "enterprise"],
                    ["individual"],
                    ["employer"],
                    ["enterprise", "employer"],
                ]
            )
        ),
        "valid_from": date(2020, 1, 1),
        "decides_on": draw(
            st.sampled_from(
                [
                    "as_of",
                    "as_of",
                    "application",
                    {"event": "opened_on"},
                    {"period_end": "closed_on"},
                ]
            )
        ),
        "benefit": {"kind": "无", "text": "无"},
        "parameters": _parameters(draw(_varying), draw(st.booleans())),
        "incomplete": draw(st.sampled_from(["", "", "", "来源不全"])),
        "clauses": {
            name: {"label": name, "when": text, "article": "第一条"}
            for name, text in zip(names, texts, strict=True)
        },
    }
    if draw(st.sampled_from([True, False, False, False])):
        document["inputs"] = {"asked": ASKED}
        first = document["clauses"]["clause_0"]
        first["when"] = f"({first['when']}) or asked >= 3"
    if draw(st.booleans()):
        document["kind"] = "eligibility"
        if draw(st.sampled_from([True, False, False])):
            text = draw(_edges)
            document["exclusions"] = {"out": {"label": "排除", "when": text, "article": "第二条"}}
        document["requires"] = draw(
            st.one_of(
                st.just({"any_of": names}),
                st.just({"all_of": names}),
                _trees(names).map(lambda tree: {"all_of": [tree, {"any_of": names}]}),
                _trees(names).map(lambda tree: {"any_of": [tree, *names]}),
            )
        )
        if draw(st.sampled_from([True, True, False])):
            document["amount"] = {
                **draw(_worth()),
                "label": "金额",
                "article": "第一条",
                "round": draw(st.sampled_from(["half_up_2", "half_up_0", "down_2", "down_0"])),
            }
    else:
        document["kind"] = "table"
        values = draw(st.lists(st.sampled_from("abc"), min_size=len(names), max_size=len(names)))
        whens = [draw(_trees([name])) for name in names]
        rows_ = [{"when": w, "value": v} for w, v in zip(whens, values, strict=True)]
        document["rows"] = [*rows_, {"otherwise": True, "value": "a"}]
        document["values"] = {v: f"结果{v}" for v in sorted({*values, "a"})}
    rule = load(document)
    if draw(st.sampled_from([True, False, False, False])):
        rule = replace(rule, overridden_by=(draw(_overrides),))
    return Made(document, rule)


_overrides = st.builds(
    Override,
    rule_id=st.just("made.local"),
    title=st.just("当地的规定"),
    region=st.sampled_from(["330300", "330382"]),
    valid_from=st.sampled_from([date(2020, 1, 1), date(2025, 12, 31)]),
    valid_until=st.sampled_from([None, date(2026, 10, 31)]),
)


def load(document: dict) -> Rule:
    """The loaded rule of a document given as Python data; parameters are added as needed."""
    rule, problems, text = read(document)
    if problems and all("38 位" in problem for problem in problems):
        reject()  # too large for some facts: refused when loading, so never run
    assert rule is not None, (text, problems)
    return rule


def read(document: dict) -> tuple[Rule | None, list[str], str]:
    """The rule (None when refused), what is wrong with it, and its rule file."""
    text = rule_file(document)
    found = Document(file=f"{document['id']}.yaml", text=text)
    parse_document(found)
    rule = check_rule(found, FACTS)
    return rule, [str(problem) for problem in found.problems], text


def rule_file(document: dict) -> str:
    """The text of a document, with the parameters it names."""
    words = set(re.findall(r"[a-z_]+", repr({**document, "parameters": None})))
    plain = {
        name: {"label": name, "value": value, "unit": unit, "source": "本测试"}
        for name, (value, unit) in PARAMETERS.items()
    }
    own = {**plain, **(document.get("parameters") or {})}
    parameters = {name: spec for name, spec in own.items() if name in words}
    return as_yaml({**document, "parameters": parameters})


def as_yaml(value: object) -> str:
    return yaml.dump(value, Dumper=_Dumper, width=10_000, allow_unicode=True, sort_keys=False)


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data):
        return True


_Dumper.add_representer(
    Decimal, lambda d, value: d.represent_scalar("tag:yaml.org,2002:float", str(value))
)
