"""The whole city as columns of small numbers: where traders are, what they do, how rules answer.

Everything here is one numpy array per question, a place per trader in the order of the facts
table. The rest of this package only counts in these arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from getihu.dataplane import selectors as dataplane
from getihu.reference import selectors as reference
from getihu.rulebook.compile.expressions import (
    condition_sql,
    literal,
    quote,
    rounded_sql,
    whole_sql,
)
from getihu.rulebook.compile.sweep import amount_column, compile_sweep, outcome_column
from getihu.rulebook.model.expressions import Expression, Fact, ValueType, walk
from getihu.rulebook.model.rules import ELIGIBILITY, UNKNOWN, Amount, Rule

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
Cents = npt.NDArray[np.int64]

NOT_APPLICABLE_CODE: Final = 255
NO_AMOUNT: Final = -1
_SQL_TYPES: Final = {
    ValueType.BOOLEAN: "BOOLEAN",
    ValueType.INTEGER: "BIGINT",
    ValueType.MONEY: "DECIMAL(18,2)",
    ValueType.DECIMAL: "DECIMAL(18,4)",
    ValueType.DATE: "DATE",
    ValueType.TEXT: "VARCHAR",
}


@dataclass(frozen=True)
class Parts:
    """A way to part the city: code and label per part, and each trader's place among them
    (the length of ``codes``: unknown)."""

    codes: tuple[str, ...]
    labels: tuple[str, ...]
    index: Codes


@dataclass(frozen=True)
class Decided:
    """How one rule answers everyone. ``codes`` are places in ``outcomes`` (255: does not apply);
    ``cents`` is what a yes is worth (−1: nothing, or not known), None if the rule pays nothing."""

    outcomes: tuple[str, ...]
    codes: Codes
    cents: Cents | None

    @property
    def applies(self) -> Bools:
        return self.codes != NOT_APPLICABLE_CODE

    def is_(self, outcome: str) -> Bools:
        return self.codes == self.outcomes.index(outcome)


class City:
    """One facts table. Cheap to open; columns are read when first asked for."""

    def __init__(self, facts: Path, as_of: date, snapshot_id: str) -> None:
        self.as_of, self.snapshot_id = as_of, snapshot_id
        self._facts = facts

    @cached_property
    def columns(self) -> frozenset[str]:
        sql = f"SELECT * FROM read_parquet({literal(str(self._facts))}) LIMIT 0"
        cursor = dataplane.engine().cursor().execute(sql)
        return frozenset(column[0] for column in cursor.description or ())

    @cached_property
    def traders(self) -> int:
        return len(self.counties.index)

    @cached_property
    def counties(self) -> Parts:
        listed = reference.list_counties()
        return self._parts("county_code", [c.code for c in listed], [c.name for c in listed])

    @cached_property
    def trades(self) -> Parts:
        sections = [chr(letter) for letter in range(ord("A"), ord("T") + 1)]
        found = [reference.get_industry(code) for code in sections]
        return self._parts("industry_section", sections, [i.name if i else "" for i in found])

    def _parts(self, column: str, codes: list[str], labels: list[str]) -> Parts:
        cases = " ".join(f"WHEN {literal(c)} THEN {n}" for n, c in enumerate(codes))
        found = self._read(
            [f"CAST(CASE {quote(column)} {cases} ELSE {len(codes)} END AS UTINYINT)"]
        )
        return Parts(tuple(codes), tuple(labels), found[0])

    def decide(self, rules: Sequence[Rule]) -> list[Decided]:
        """How each rule (any rule, changed copies too) answers everyone, in one pass."""
        # Several copies of one rule are several rules to the statement.
        named = [replace(rule, id=f"whatif.r{number}") for number, rule in enumerate(rules)]
        relation = self._relation([each for rule in named for each in _expressions(rule)])
        statement = compile_sweep(named, self.as_of, relation)
        wanted = []
        for rule in named:
            cases = " ".join(
                f"WHEN {literal(value)} THEN {n}" for n, value in enumerate(outcomes_of(rule))
            )
            column = quote(outcome_column(rule.id))
            wanted.append(f"CAST(CASE {column} {cases} ELSE {NOT_APPLICABLE_CODE} END AS UTINYINT)")
            if rule.amount:
                amount = quote(amount_column(rule.id))
                wanted.append(f"coalesce(CAST({amount} * 100 AS BIGINT), {NO_AMOUNT})")
        columns = iter(self._read(wanted, f"({statement.sql})"))
        return [
            Decided(outcomes_of(rule), next(columns), next(columns) if rule.amount else None)
            for rule in named
        ]

    def clauses(self, rule: Rule) -> dict[str, tuple[Bools, Bools]]:
        """Clause id → (holds, unknown) of everyone, whether the rule is for her or not."""
        found = self.planes([clause.resolved for clause in rule.clauses])
        return {clause.id: found[clause.resolved] for clause in rule.clauses}

    def planes(self, expressions: Sequence[Expression]) -> dict[Expression, tuple[Bools, Bools]]:
        """Condition → (holds, unknown) of everyone; each distinct one is worked out once."""
        distinct = list(dict.fromkeys(expressions))
        wanted = []
        for expression in distinct:
            sql = condition_sql(expression, self.as_of)
            wanted += [f"coalesce({sql}, FALSE)", f"({sql}) IS NULL"]
        found = self._read(wanted, self._relation(distinct))
        return {each: (found[2 * n], found[2 * n + 1]) for n, each in enumerate(distinct)}

    def cents(self, amounts: Sequence[Amount]) -> list[Cents]:
        """What each amount comes to for everyone, a yes or not (−1: not known)."""
        resolved = [amount.resolved for amount in amounts]
        whole = ", ".join(f"{whole_sql(r, self.as_of)} AS w{n}" for n, r in enumerate(resolved))
        wanted = []
        for number, amount in enumerate(amounts):
            rounded = rounded_sql(f"w{number}", amount.resolved, amount.rounding)
            wanted.append(f"coalesce(CAST(({rounded}) * 100 AS BIGINT), {NO_AMOUNT})")
        return self._read(wanted, f"(SELECT {whole} FROM {self._relation(resolved)})")

    def unknown(self, facts: Sequence[str]) -> dict[str, Bools]:
        """Fact → whether it is unknown of each trader; what no department delivers always is."""
        held = [fact for fact in facts if fact in self.columns]
        found = dict(zip(held, self._read([f"{quote(f)} IS NULL" for f in held]), strict=True))
        everyone = np.ones(self.traders, dtype=bool)
        return {fact: found.get(fact, everyone) for fact in facts}

    def quantiles(self, fact: str, shares: Sequence[float]) -> list[Any]:
        """Values of a fact below which the given shares of those known lie."""
        if fact not in self.columns:
            return []
        listed = ", ".join(map(str, shares))
        sql = (
            f"SELECT quantile_disc({quote(fact)}, [{listed}]) FROM "
            f"read_parquet({literal(str(self._facts))}) WHERE {quote(fact)} IS NOT NULL"
        )
        row = dataplane.engine().cursor().execute(sql).fetchone()
        return list(row[0]) if row and row[0] else []

    def _relation(self, expressions: Sequence[Expression]) -> str:
        """The facts, with an empty column for each answer that no department delivers."""
        table = f"read_parquet({literal(str(self._facts))})"
        lacking = {
            node.name: node.type
            for expression in expressions
            for node in walk(expression)
            if isinstance(node, Fact) and node.name not in self.columns
        }
        if not lacking:
            return table
        empty = ", ".join(
            f"CAST(NULL AS {_SQL_TYPES[kind]}) AS {quote(name)}" for name, kind in lacking.items()
        )
        return f"(SELECT *, {empty} FROM {table})"

    def _read(self, wanted: Sequence[str], relation: str = "") -> list[Any]:
        if not wanted:
            return []
        listed = ", ".join(f"{sql} AS c{number}" for number, sql in enumerate(wanted))
        source = relation or f"read_parquet({literal(str(self._facts))})"
        found = dataplane.engine().cursor().execute(f"SELECT {listed} FROM {source}").fetchnumpy()
        return [np.asarray(found[f"c{number}"]) for number in range(len(wanted))]


def _expressions(rule: Rule) -> list[Expression]:
    amounts = [rule.amount.resolved] if rule.amount else []
    return [clause.resolved for clause in rule.clauses] + amounts


def outcomes_of(rule: Rule) -> tuple[str, ...]:
    """The outcomes a rule can have, as numbered in ``Decided``."""
    if rule.kind == ELIGIBILITY:
        return ("yes", "no", UNKNOWN)
    return (*(value for value, _ in rule.values), UNKNOWN)


def outcome_labels(rule: Rule) -> Mapping[str, str]:
    named = {"yes": "符合", "no": "不符合"} if rule.kind == ELIGIBILITY else dict(rule.values)
    return {**named, UNKNOWN: "还不能判断", "not_applicable": "不适用"}


def open_city(as_of: date, snapshot_id: str) -> City:
    """The city on a date. Raises: FactsNotBuilt, AsOfBeforeData, NothingPublished."""
    path = dataplane.facts_path(as_of, snapshot_id)
    return _open(path, path.stat().st_mtime_ns, as_of, snapshot_id)


@lru_cache(maxsize=2)
def _open(path: Path, written: int, as_of: date, snapshot_id: str) -> City:
    return City(path, as_of, snapshot_id)
