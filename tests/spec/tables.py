"""Reads the text tables of this folder: an expression, then facts and the result they give."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from getihu.dataplane.contracts import FactType
from getihu.rulebook.load.document import Document, parse_document
from getihu.rulebook.load.rule import check_rule
from getihu.rulebook.model.rules import Rule
from tests.rulebook.catalogue import declaration

FOLDER = Path(__file__).parent
AS_OF = date(2026, 10, 31)
UNKNOWN = "未知"
_TYPES = {
    "boolean": "a b c",
    "integer": "n m",
    "money": "x y",
    "decimal": "r",
    "date": "d e",
    "code": "k",
}
FACTS = {
    name: declaration(name, kind) for kind, names in _TYPES.items() for name in names.split()
} | {
    "t": declaration("t", "enum", "red=红,green=绿,blue=蓝"),
    "county_code": declaration("county_code", "code"),
    "subject_kind": declaration("subject_kind", "enum", "individual=个体,enterprise=企业"),
    "industry_section": declaration("industry_section", "code"),
    "industry_division": declaration("industry_division", "code"),
    "insured_employees": declaration("insured_employees", "integer"),
}
_PARAMETERS = {
    "cap": "{label: 上限, value: 100000, unit: yuan, source: 本表}",
    "months": "{label: 月数, value: 3, unit: month, source: 本表}",
    "rate": "{label: 比率, value: 0.03, unit: ratio, source: 本表}",
    "three": "{label: 三, value: 3, unit: count, source: 本表}",
}
_BLOCK = re.compile(r"```(\w+) ?(\w*)\n(.*?)\n```\n\n((?:\|[^\n]*\n?)+)", re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One line of a table."""

    kind: str
    rounding: str
    text: str
    as_of: date
    facts: dict[str, object]
    expected: str
    place: str


def read_examples() -> list[Example]:
    """Every line of every table, in order."""
    return [
        example
        for path in sorted(FOLDER.glob("*.md"))
        for block in _BLOCK.finditer(path.read_text("utf-8"))
        for example in _examples(path.stem, *block.groups())
    ]


def _examples(stem: str, kind: str, rounding: str, text: str, table: str) -> list[Example]:
    header, _, *lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().split("\n")
    ]
    assert header[-1] == "=", (stem, text)
    return [_example(stem, kind, rounding, text, header, cells) for cells in lines]


def _example(
    stem: str, kind: str, rounding: str, text: str, header: list[str], cells: list[str]
) -> Example:
    given = dict(zip(header[:-1], cells[:-1], strict=True))
    as_of = date.fromisoformat(given.pop("as_of", AS_OF.isoformat()))
    facts = {name: _value(name, shown) for name, shown in given.items()}
    shown = ", ".join(f"{name}={value}" for name, value in zip(header[:-1], cells, strict=False))
    return Example(kind, rounding, text, as_of, facts, cells[-1], f"{stem}: {text} | {shown}")


def _value(name: str, shown: str) -> object:
    if shown == UNKNOWN:
        return None
    match FACTS[name].type:
        case FactType.BOOLEAN:
            return {"是": True, "否": False}[shown]
        case FactType.INTEGER:
            return int(shown)
        case FactType.MONEY | FactType.DECIMAL:
            return Decimal(shown)
        case FactType.DATE:
            return date.fromisoformat(shown)
    return shown


def rule_of(example: Example) -> Rule:
    """A rule whose outcome, amount or clause is the example's expression."""
    if example.kind == "rule":
        return _load(example.text)
    when, rounding, amount = example.text, "half_up_2", ""
    if example.kind == "date":
        when = f"({example.text}) = DATE '{example.expected}'"
        if example.expected == UNKNOWN:
            when = f"({example.text}) is not null"
    if example.kind == "amount":
        when, rounding = "true", example.rounding
        amount = (
            f"amount:\n  yuan: >-\n    {example.text}\n"
            f"  label: 金额\n  round: {rounding}\n  article: 无\n"
        )
    clauses = {"asked": when}
    outcome = "kind: eligibility\nrequires: asked\n"
    if example.kind in ("tree", "table"):
        clauses = {name: name for name in "abc" if re.search(rf"\b{name}\b", example.text)}
        outcome = f"kind: eligibility\nrequires: {example.text}\n"
    if example.kind == "table":
        values = "{high: 高, middle: 中, low: 低}"
        outcome = f"kind: table\nvalues: {values}\nrows: {example.text}\n"
    used = "\n".join(
        f"  {name}: {text}"
        for name, text in _PARAMETERS.items()
        if re.search(rf"\b{name}\b", example.text)
    )
    asked = "".join(
        f"  {name}:\n    label: 问\n    article: 无\n    when: >-\n      {text}\n"
        for name, text in clauses.items()
    )
    return _load(f"{outcome}{amount}parameters:\n{used or '  {}'}\nclauses:\n{asked}")


_HEAD = {
    "id": "spec.example",
    "title": "例",
    "kind": "eligibility",
    "region": "CN",
    "subjects": "[individual, enterprise]",
    "source": "{document: 无, title: 无, article: 无, url: https://example.org, trust: D}",
    "valid_from": "2000-01-01",
    "decides_on": "as_of",
    "benefit": "{kind: 无, text: 无}",
    "clauses": "{a: {label: 甲, when: a, article: 无}}",
    "requires": "a",
}


def _load(body: str) -> Rule:
    """A rule whose keys are the body's; what the body leaves out is the plainest there is."""
    own = set(re.findall(r"^([a-z_]+):", body, re.MULTILINE))
    has_tree = own & {"rows", "requires"}
    left_out = {"requires"} if has_tree else set()
    head = "".join(f"{k}: {v}\n" for k, v in _HEAD.items() if k not in own | left_out)
    document = Document(file="spec.example.yaml", text=head + body)
    parse_document(document)
    rule = check_rule(document, FACTS)
    assert rule is not None, (body, [str(problem) for problem in document.problems])
    return rule
