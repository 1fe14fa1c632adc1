"""Worked cases beside a rule: read, checked against the rule and the facts."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from getihu.dataplane.contracts import FactDeclaration, FactScalar
from getihu.kernel.errors import nearest_name
from getihu.rulebook.load.document import Document, Located, read_document
from getihu.rulebook.load.shape import check_shape
from getihu.rulebook.load.values import read_fact_value
from getihu.rulebook.model.cases import NOT_APPLICABLE, Case
from getihu.rulebook.model.rules import ELIGIBILITY, SUBJECT_KINDS, UNKNOWN, Rule
from getihu.rulebook.model.scope import NATIONAL


def check_possible(document: Document, rule: Rule, facts: Mapping[str, FactDeclaration]) -> None:
    """Report every case that expects an outcome no trader can come to."""
    from getihu.rulebook.load.logic import possible_outcomes  # loads a prover

    possible = possible_outcomes(rule, facts)
    cases = document.root.get("cases") if document.root else None
    for case in cases.elements() if cases else []:
        expect = case.get("expect")
        if expect is None or expect.value in (*possible, UNKNOWN, NOT_APPLICABLE):
            continue
        why = f"来源不全，只能待核（{rule.incomplete}）" if rule.incomplete else "条件里没有这条路"
        document.report(
            f"这条规则对谁都得不出“{expect.value}”：{why}",
            expect,
            f"改 expect，或改规则；能得出：{'、'.join([*sorted(possible), UNKNOWN])}。",
            field="expect",
        )


def read_cases(
    path: Path, rule: Rule, facts: Mapping[str, FactDeclaration]
) -> tuple[tuple[Case, ...], Document]:
    """The cases of a rule; problems are noted in the document.

    A case is about the rule's own conditions: where neither the case nor the defaults name
    ``subject_kind`` or ``county_code``, it supposes a trader the rule is for.
    """
    if not path.exists():
        document = Document(file=str(path), rule_id=rule.id)
        document.report(
            f"规则 {rule.id} 没有案例文件",
            None,
            f"在规则旁边新建 {path.name}，每种结果至少一个案例。",
        )
        return (), document
    document = read_document(path)
    if document.root is None:
        return (), document
    document.rule_id = rule.id
    facts = rule.with_inputs(facts)
    check_shape(document, "cases")
    defaults = document.root.get("defaults")
    base = {
        **_supposed(rule),
        **_read_facts(document, defaults, facts, "defaults"),
    }
    cases = document.root.get("cases")
    read = (
        [_read_case(document, item, rule, facts, base) for item in cases.elements()]
        if (cases)
        else []
    )
    _check_names(document, cases)
    document.problems.sort(key=lambda p: (p.line or 0, p.column or 0))
    return tuple(case for case in read if case is not None), document


def _supposed(rule: Rule) -> dict[str, FactScalar | None]:
    supposed: dict[str, FactScalar | None] = {"subject_kind": None, "county_code": None}
    kinds = [kind for kind in rule.subjects if kind in SUBJECT_KINDS]
    if kinds and set(kinds) != set(SUBJECT_KINDS):
        supposed["subject_kind"] = kinds[0]
    if rule.region != NATIONAL:
        supposed["county_code"] = rule.region
    return supposed


def _read_facts(
    document: Document,
    located: Located | None,
    facts: Mapping[str, FactDeclaration],
    field: str,
) -> dict[str, FactScalar | None]:
    read: dict[str, FactScalar | None] = {}
    for name, item in located.items() if located else []:
        if name not in facts:
            near = nearest_name(name, facts)
            fix = f"是不是想写 {near}？" if near else "看事实目录。"
            assert located is not None
            document.report(
                f"没有叫“{name}”的事实", located.key_place(name), fix, field=field, nearest=near
            )
            continue
        valid, value = read_fact_value(document, item, facts[name], f"{field}.{name}")
        if valid:
            read[name] = value
    return read


def _read_case(
    document: Document,
    located: Located,
    rule: Rule,
    facts: Mapping[str, FactDeclaration],
    base: dict[str, FactScalar | None],
) -> Case | None:
    before = len(document.problems)
    own = _read_facts(document, located.get("facts"), facts, "facts")
    name, as_of, expect = located.get("name"), located.get("as_of"), located.get("expect")
    missing, clauses = located.get("missing"), located.get("clauses")
    _check_expect(document, expect, rule)
    for item in missing.elements() if missing else []:
        _check_known(document, item, str(item.value), rule.facts, "这条规则不看事实")
    for key, item in clauses.items() if clauses else []:
        _check_known(document, item, key, tuple(rule.clause_by_id), "这条规则没有条件")
    amount = _amount(document, located.get("amount"))
    if (
        len(document.problems) > before
        or name is None
        or expect is None
        or as_of is None
        or not isinstance(as_of.value, date)
    ):
        return None
    return Case(
        name=str(name.value),
        as_of=as_of.value,
        facts={**base, **own},
        expect=str(expect.value),
        amount_given=located.get("amount") is not None,
        amount=amount,
        missing=tuple(str(item.value) for item in missing.elements()) if missing else None,
        clauses={key: str(item.value) for key, item in clauses.items()} if clauses else {},
    )


def _amount(document: Document, located: Located | None) -> Decimal | None:
    if located is None or located.value is None:
        return None
    try:
        return Decimal(str(located.value))
    except ArithmeticError:
        document.report(f"金额“{located.value}”不是数", located, '写成 1500 或 "13333.33"。')
        return None


def _check_expect(document: Document, located: Located | None, rule: Rule) -> None:
    if located is None:
        return
    outcomes = ["yes", "no"] if rule.kind == ELIGIBILITY else [value for value, _ in rule.values]
    valid = [*outcomes, "unknown", NOT_APPLICABLE]
    if located.value not in valid:
        near = nearest_name(str(located.value), valid)
        hint = f"是不是想写 {near}？" if near else ""
        document.report(
            f"这条规则不会得出“{located.value}”",
            located,
            f"{hint}可写：{'、'.join(valid)}。",
            field="expect",
            nearest=near,
        )


def _check_known(
    document: Document, located: Located, name: str, valid: tuple[str, ...], what: str
) -> None:
    if name not in valid:
        near = nearest_name(name, valid)
        fix = f"是不是想写 {near}？" if near else f"可写：{'、'.join(valid)}。"
        document.report(f"{what}“{name}”", located, fix, nearest=near)


def _check_names(document: Document, cases: Located | None) -> None:
    seen: set[str] = set()
    for case in cases.elements() if cases else []:
        name = case.get("name")
        if name is None:
            continue
        if name.value in seen:
            document.report(f"案例名“{name.value}”重复", name, "改一个名字。", field="name")
        seen.add(str(name.value))
