"""Which value of a varying parameter a trader meets."""

from datetime import date

from getihu.dataplane.contracts import FactScalar
from getihu.rulebook.evaluate.expressions import Facts, closure
from getihu.rulebook.model.rules import Parameter


def value_met(
    parameter: Parameter, facts: Facts, as_of: date
) -> tuple[FactScalar | None, str, str]:
    """(value, source, where it holds). None: no value is set here, or it cannot be told which."""
    for row in parameter.rows:
        holds = closure(row.condition)(facts, as_of)
        if holds is None:
            return None, parameter.source, f"还不知道是不是{row.where}"
        if holds:
            return row.value, row.source, row.where
    return parameter.value, parameter.source, ""
