"""What no department delivers, described like facts: the inputs of rules."""

from collections.abc import Mapping
from typing import Any

from getihu.dataplane.contracts import FactDeclaration, FactType, PersonalClass
from getihu.rulebook.advise.phrases import ANSWERED_BY
from getihu.rulebook.model.rules import Rule


def with_inputs(
    rule: Rule, catalogue: Mapping[str, FactDeclaration]
) -> Mapping[str, FactDeclaration]:
    """The catalogue and the rule's own inputs under their names."""
    inputs = getattr(rule, "inputs", ())
    if not inputs:
        return catalogue
    return {**catalogue, **{each.name: declared_input(each) for each in inputs}}


def declared_input(each: Any) -> FactDeclaration:
    """An input as a fact: who is asked stands for the department."""
    return FactDeclaration(
        name=each.name,
        label=each.label,
        type=FactType(each.type),
        unit=each.unit or None,
        group="inputs",
        dataset="",
        department=each.asked_of,
        department_name=ANSWERED_BY[each.asked_of],
        null_means=each.null_means,
        personal=PersonalClass.PERSONAL,
        description=each.question,
        values=dict(each.values),
    )
