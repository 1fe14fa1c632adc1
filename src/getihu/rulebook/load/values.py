"""Scalars of YAML files as typed values of facts and parameters."""

from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from getihu.dataplane.contracts import FactDeclaration, FactScalar, FactType
from getihu.kernel.errors import nearest_name
from getihu.rulebook.load.document import Document, Located
from getihu.rulebook.model.expressions import Constant, ValueType

_PLACES = {FactType.MONEY: 2, FactType.DECIMAL: 4}
_WANTED: dict[FactType, tuple[str, type[bool | int | str | date]]] = {
    FactType.BOOLEAN: ("true 或 false", bool),
    FactType.INTEGER: ("整数", int),
    FactType.DATE: ("日期，如 2026-10-31", date),
    FactType.TEXT: ("文字", str),
    FactType.ENUM: ("选项", str),
    FactType.CODE: ("加引号的代码", str),
}


def read_fact_value(
    document: Document, located: Located, fact: FactDeclaration, field: str
) -> tuple[bool, FactScalar | None]:
    """(is valid, value) of one fact in a case. Null is unknown and always valid."""
    value = located.value
    if value is None:
        return True, None
    if fact.type in _PLACES:
        number = _decimal(value, _PLACES[fact.type])
        if number is None:
            wanted = f"最多 {_PLACES[fact.type]} 位小数的数"
            document.report(f"“{fact.name}”应当是{wanted}", located, "改成数。", field=field)
            return False, None
        return True, number
    wanted, kind = _WANTED[fact.type]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        document.report(
            f"“{fact.name}”应当是{wanted}，不能是“{located.written}”",
            located,
            f"改成{wanted}；不知道就写 null。",
            field=field,
        )
        return False, None
    if fact.type is FactType.ENUM and fact.values and value not in fact.values:
        near = nearest_name(str(value), fact.values)
        hint = f"是不是想写 {near}？" if near else ""
        document.report(
            f"“{fact.name}”没有“{value}”这个值",
            located,
            f"{hint}可写：{'、'.join(fact.values)}。",
            field=field,
            nearest=near,
        )
        return False, None
    known: FactScalar = value
    return True, known


def _decimal(value: object, places: int) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or number != number.quantize(Decimal(1).scaleb(-places)):
        return None
    return number


def parameter_constant(value: FactScalar, unit: str) -> Constant | None:
    """The typed constant of a parameter; None when value and unit do not fit together."""
    if isinstance(value, bool):
        return Constant(value, ValueType.BOOLEAN) if unit == "flag" else None
    if isinstance(value, date):
        return Constant(value, ValueType.DATE) if unit == "date" else None
    if isinstance(value, str):
        return Constant(value, ValueType.TEXT) if unit == "text" else None
    if unit in ("date", "text", "flag"):
        return None
    number = Fraction(value)
    whole = number.numerator if number.denominator == 1 else number
    if unit == "yuan":
        return Constant(whole, ValueType.MONEY)
    kind = ValueType.INTEGER if isinstance(value, int) else ValueType.DECIMAL
    return Constant(whole, kind)
