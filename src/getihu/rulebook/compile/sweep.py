"""All rules as one DuckDB statement: each distinct clause once, then trees, then outcomes.

Layers over the facts table: ``clauses`` (one BOOLEAN per distinct clause of all rules, whether a
region and subject kind fit, and the whole numbers behind amounts), ``answers`` (one BOOLEAN per
eligibility rule or row of a table), ``stops`` (the first row of a table that holds), and the
result, one row per trader. Cost grows with distinct clauses.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from getihu.dataplane.contracts import FactType
from getihu.rulebook.compile.expressions import (
    condition_sql,
    literal,
    quote,
    rounded_sql,
    whole_sql,
)
from getihu.rulebook.model.expressions import Expression
from getihu.rulebook.model.rules import (
    ELIGIBILITY,
    UNKNOWN,
    AllOf,
    AnyOf,
    AtLeast,
    ClauseRef,
    NoneOf,
    Rule,
    Tree,
)
from getihu.rulebook.model.scope import ALWAYS, NEVER

INPUT_TYPES = {
    FactType.BOOLEAN: "BOOLEAN",
    FactType.INTEGER: "BIGINT",
    FactType.MONEY: "DECIMAL(18,2)",
    FactType.DECIMAL: "DECIMAL(18,4)",
    FactType.DATE: "DATE",
    FactType.ENUM: "VARCHAR",
}


def outcome_column(rule_id: str) -> str:
    """Column of a rule's outcome in the decisions table (NULL: the rule does not apply)."""
    return rule_id.replace(".", "__")


def amount_column(rule_id: str) -> str:
    return f"{outcome_column(rule_id)}__amount_yuan"


@dataclass(frozen=True)
class SweepStatement:
    """A SELECT over a facts relation. ``facts`` are the columns it reads beside trader_code.

    ``clauses`` names the column of each clause, by rule id and clause id, when they were asked for.
    """

    sql: str
    facts: tuple[str, ...]
    distinct_clauses: int
    clauses: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass
class _Layers:
    """The columns of each layer while the rules are gone through."""

    facts: dict[str, str] = field(default_factory=dict)  # fact → its SQL over the facts table
    inputs: set[str] = field(default_factory=set)
    clauses: dict[Expression, str] = field(default_factory=dict)
    scopes: dict[Expression, str] = field(default_factory=dict)  # "is for this trader" → column
    amounts: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    result: list[str] = field(default_factory=list)

    def clause(self, expression: Expression) -> str:
        """The column of a clause, the same for every rule that asks the same."""
        return self.clauses.setdefault(expression, f"c{len(self.clauses)}")

    def scope(self, expression: Expression) -> str:
        return self.scopes.setdefault(expression, f"s{len(self.scopes)}")


def compile_sweep(
    rules: Sequence[Rule], as_of: date, relation: str, *, with_clauses: bool = False
) -> SweepStatement:
    """The statement that decides ``rules`` (one version each) on ``as_of``.

    ``relation`` is SQL for the facts table (``read_parquet('…')``). Rules not in force cost
    nothing. ``with_clauses`` adds a BOOLEAN column per distinct clause (NULL: unknown), so that
    reasons can be read off. Grain: one row per trader, in the order of the facts table.
    """
    layers = _Layers()
    for number, rule in enumerate(rules):
        _add_rule(layers, rule, f"r{number}", as_of)
    asked = _asked(layers, rules, as_of) if with_clauses else {}
    facts = ["trader_code", *layers.facts.values()]
    clauses = [
        f"{condition_sql(expression, as_of)} AS {name}"
        for expression, name in layers.clauses.items()
    ]
    scopes = [f"{condition_sql(asked, as_of)} AS {name}" for asked, name in layers.scopes.items()]
    first = ["trader_code", *scopes, *clauses, *layers.amounts]
    sql = "\n".join(
        (
            f"WITH facts AS (SELECT {', '.join(facts)} FROM {relation}),",
            f"clauses AS (SELECT {_listed(first)} FROM facts),",
            f"answers AS (SELECT {_listed(['*', *layers.answers])} FROM clauses),",
            f"stops AS (SELECT {_listed(['*', *layers.stops])} FROM answers)",
            f"SELECT {_listed(['trader_code', *layers.result, *dict.fromkeys(asked.values())])} FROM stops",
        )
    )
    read = tuple(name for name in layers.facts if name not in layers.inputs)
    return SweepStatement(sql, read, len(layers.clauses), asked)


def _asked(layers: _Layers, rules: Sequence[Rule], as_of: date) -> dict[tuple[str, str], str]:
    """Rule and clause → its column, for rules in force; those of an incomplete source too."""
    return {
        (rule.id, clause.id): layers.clause(clause.resolved)
        for rule in rules
        if rule.scope(as_of).in_force != NEVER
        for clause in rule.clauses
    }


def _listed(columns: list[str]) -> str:
    return ",\n  ".join(columns)


def _add_rule(layers: _Layers, rule: Rule, name: str, as_of: date) -> None:
    outcome, money = quote(outcome_column(rule.id)), quote(amount_column(rule.id))
    applies = rule.scope(as_of).whole
    if applies == NEVER:
        layers.result.append(f"CAST(NULL AS VARCHAR) AS {outcome}")
        if rule.amount:
            layers.result.append(f"CAST(NULL AS DECIMAL(38,2)) AS {money}")
        return
    layers.facts.update({name: quote(name) for name in rule.facts})
    for each in rule.inputs:  # nobody delivers them: unknown for everyone
        layers.inputs.add(each.name)
        layers.facts[each.name] = f"CAST(NULL AS {INPUT_TYPES[each.type]}) AS {quote(each.name)}"
    scope = "" if applies == ALWAYS else layers.scope(applies)
    if rule.incomplete:
        decided = literal(UNKNOWN)
    elif rule.kind == ELIGIBILITY:
        decided = _eligibility(layers, rule, name)
    else:
        decided = _table(layers, rule, name)
    if scope:
        left_out = f"WHEN NOT {scope} THEN NULL WHEN {scope} IS NULL THEN {literal(UNKNOWN)}"
        decided = f"CASE {left_out} ELSE {decided} END"
    layers.result.append(f"CAST({decided} AS VARCHAR) AS {outcome}")
    if rule.amount:
        layers.result.append(f"{_amount(layers, rule, name, scope, as_of)} AS {money}")


def _eligibility(layers: _Layers, rule: Rule, name: str) -> str:
    assert rule.requires is not None
    layers.answers.append(f"{_tree(layers, rule, rule.requires)} AS {name}")
    return f"CASE WHEN {name} THEN 'yes' WHEN NOT {name} THEN 'no' ELSE {literal(UNKNOWN)} END"


def _tree(layers: _Layers, rule: Rule, tree: Tree) -> str:
    if isinstance(tree, ClauseRef):
        return layers.clause(rule.clause_by_id[tree.id].resolved)
    items = [_tree(layers, rule, item) for item in tree.items]
    match tree:
        case AllOf():
            return f"({' AND '.join(items)})"
        case AnyOf():
            return f"({' OR '.join(items)})"
        case NoneOf():
            return f"(NOT ({' OR '.join(items)}))"
        case AtLeast(n):
            yes = " + ".join(f"CAST(coalesce({item}, FALSE) AS INTEGER)" for item in items)
            possible = " + ".join(f"CAST(coalesce({item}, TRUE) AS INTEGER)" for item in items)
            return f"(CASE WHEN {yes} >= {n} THEN TRUE WHEN {possible} < {n} THEN FALSE END)"


def _table(layers: _Layers, rule: Rule, name: str) -> str:
    """The one value all still possible rows share, else unknown.

    Row by row from the top: a row that holds ends the search, a row that is unknown stays
    possible. ``possible`` is the set of values still possible, one bit each.
    """
    bits = {value: 1 << number for number, (value, _) in enumerate(rule.values)}
    rows = []
    for number, row in enumerate(rule.rows):
        if row.when is not None:
            column = f"{name}_{number}"
            layers.answers.append(f"{_tree(layers, rule, row.when)} AS {column}")
            rows.append((number, column, bits[row.value]))
    first = " ".join(f"WHEN {column} THEN {number}" for number, column, _ in rows)
    layers.stops.append(f"CASE {first} ELSE {len(rows)} END AS {name}_stop")
    earlier = [
        f"(CASE WHEN {column} IS NULL AND {number} < {name}_stop THEN {bit} ELSE 0 END)"
        for number, column, bit in rows
    ]
    at_stop = " ".join(f"WHEN {number} THEN {bit}" for number, _, bit in rows)
    settled = f"(CASE {name}_stop {at_stop} ELSE {bits[rule.rows[-1].value]} END)"
    possible = " | ".join([*earlier, settled])
    values = " ".join(f"WHEN {bit} THEN {literal(value)}" for value, bit in bits.items())
    return f"CASE ({possible}) {values} ELSE {literal(UNKNOWN)} END"


def _amount(layers: _Layers, rule: Rule, name: str, scope: str, as_of: date) -> str:
    """The amount of a yes; NULL for every other outcome."""
    amount = rule.amount
    if amount is None or rule.incomplete:
        return "CAST(NULL AS DECIMAL(38,2))"
    layers.amounts.append(f"{whole_sql(amount.resolved, as_of)} AS {name}_whole")
    rounded = rounded_sql(f"{name}_whole", amount.resolved, amount.rounding)
    yes = f"{scope} AND {name}" if scope else name
    return f"CAST(CASE WHEN {yes} THEN {rounded} END AS DECIMAL(38,2))"
