"""What no department delivers, described like facts: the inputs of rules."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from getihu.dataplane.contracts import FactDeclaration, FactScalar, FactType
from getihu.kernel.errors import InvalidInput, Problem
from getihu.rulebook.model.rules import Rule


def with_inputs(
    rule: Rule, catalogue: Mapping[str, FactDeclaration]
) -> Mapping[str, FactDeclaration]:
    """The catalogue and the rule's own inputs under their names."""
    return rule.with_inputs(catalogue)


def read_answer(fact: FactDeclaration, text: str) -> FactScalar | None:
    """One answer as people write it; empty is unknown. Raises InvalidInput."""
    text = text.strip()
    if not text:
        return None
    try:
        return _typed(fact, text)
    except (ValueError, InvalidOperation):
        message = f"“{text}”不能回答“{fact.label}”"
        raise InvalidInput([Problem(message, field=fact.name, fix=_FIXES[fact.type])]) from None


def _typed(fact: FactDeclaration, text: str) -> FactScalar:
    match fact.type:
        case FactType.BOOLEAN:
            return _TRUTHS[text.lower()] if text.lower() in _TRUTHS else _wrong()
        case FactType.INTEGER:
            return int(text.replace(",", ""))
        case FactType.MONEY | FactType.DECIMAL:
            number = Decimal(text.replace(",", ""))
            places = 2 if fact.type is FactType.MONEY else 4
            return number if number == round(number, places) else _wrong()
        case FactType.DATE:
            return date.fromisoformat(text)
        case FactType.ENUM:
            labels = {label: value for value, label in fact.values.items()}
            return labels.get(text) or (text if text in fact.values else _wrong())
    return text


def _wrong() -> FactScalar:
    raise ValueError


_TRUTHS = {"是": True, "yes": True, "true": True, "否": False, "no": False, "false": False}
_FIXES = {
    FactType.BOOLEAN: "写 是 或 否。",
    FactType.INTEGER: "写整数，如 3。",
    FactType.MONEY: "写金额，单位元，最多两位小数，如 320.50。",
    FactType.DECIMAL: "写数，最多四位小数，如 0.05。",
    FactType.DATE: "写日期，如 2026-01-31。",
    FactType.ENUM: "写列出的选项之一。",
    FactType.TEXT: "写文字。",
    FactType.CODE: "写代码。",
}
