"""Do the engines agree? If not: the smallest rule and trader they disagree on."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import hypothesis
from hypothesis import strategies as st

from getihu.rulebook.model.rules import Rule
from tests.generative.corners import corner_rules, corner_traders
from tests.generative.engines import ENGINES, Answer, Answers, Engine, Facts, by_evaluator
from tests.generative.shrink import shrink
from tests.generative.steady import CALM
from tests.generative.strategies import (
    AS_OF,
    Made,
    as_yaml,
    dates_decided_for,
    made_rules,
    rows,
    rule_file,
)


class Batch(NamedTuple):
    """Rules and traders that are decided together, on one date."""

    as_of: date
    made: tuple[Made, ...]
    table: tuple[Facts, ...]

    @property
    def rules(self) -> list[Rule]:
        return [made.rule for made in self.made]


class Difference(NamedTuple):
    """One rule and one trader two engines do not agree about."""

    engine: str
    made: Made
    facts: Facts
    as_of: date


def batches(count: int, seed: int, *, rules: int = 6, traders: int = 24) -> list[Batch]:
    """The same batches for the same seed."""
    drawn: list[Batch] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=count, **CALM)
    @hypothesis.given(
        dates_decided_for,
        st.tuples(*(made_rules(number) for number in range(rules))),
        st.lists(rows, min_size=traders, max_size=traders),
    )
    def draw(as_of: date, made: tuple[Made, ...], table: list[Facts]) -> None:
        drawn.append(Batch(as_of, made, tuple(table)))

    draw()
    return drawn


def corners() -> Batch:
    """Every operator where it turns."""
    return Batch(AS_OF, corner_rules(), corner_traders())


@lru_cache(maxsize=1)
def fixed_batches() -> list[Batch]:
    """What every test run goes through."""
    return [corners(), *batches(10, 20261031)]


def differences(
    batch: Batch,
    engines: Mapping[str, Engine] = ENGINES,
    reference: Engine = by_evaluator,
) -> Iterator[Difference]:
    """Every disagreement with the reference, engine by engine."""
    expected = reference(batch.rules, batch.table, batch.as_of)
    for name, engine in engines.items():
        got = engine(batch.rules, batch.table, batch.as_of)
        for rule_id, number in _differing(expected, got):
            made = next(made for made in batch.made if made.rule.id == rule_id)
            yield Difference(name, made, batch.table[number], batch.as_of)


def _differing(expected: Answers, got: Answers) -> Iterable[tuple[str, int]]:
    return [key for key in expected if not same(expected[key], got.get(key))]


def same(expected: Answer, got: Answer | None) -> bool:
    """Value, amount, every clause asked, deciding clauses and missing facts."""
    if got is None or expected._replace(clauses=None) != got._replace(clauses=None):
        return False
    asked, answered = expected.clauses or {}, got.clauses or {}
    return all(asked[name] is value for name, value in answered.items())


def disagree(
    engine: Engine, reference: Engine = by_evaluator
) -> Callable[[Rule, Facts, date], bool]:
    """Whether an engine and the reference differ about one rule and one trader."""

    def differs(rule: Rule, facts: Facts, as_of: date) -> bool:
        expected = reference([rule], [facts], as_of)
        got = engine([rule], [facts], as_of)
        return bool(_differing(expected, got))

    return differs


def check(batches: Sequence[Batch], engines: Mapping[str, Engine] = ENGINES) -> None:
    """Raises AssertionError with the smallest disagreement, ready to be pasted as a case."""
    for batch in batches:
        for found in differences(batch, engines):
            raise AssertionError(report(found, engines[found.engine]))


def report(found: Difference, engine: Engine, reference: Engine = by_evaluator) -> str:
    """The shrunk rule as a rule file, the trader as a case, and both answers."""
    small, facts = shrink(found.made, found.facts, found.as_of, disagree(engine, reference))
    rule = small.rule
    (expected,) = reference([rule], [facts], found.as_of).values()
    (got,) = engine([rule], [facts], found.as_of).values()
    case = {
        "name": f"{found.engine} 与逐户计算不一致",
        "as_of": found.as_of,
        "facts": {name: value for name, value in facts.items() if value is not None},
        "expect": expected.outcome or "not_applicable",
    }
    if expected.amount is not None:
        case["amount"] = str(expected.amount)
    return "\n".join(
        (
            f"引擎不一致：{found.engine}",
            f"# {rule.id}.yaml",
            rule_file(small.document),
            f"# {rule.id}.cases.yaml",
            as_yaml({"cases": [case]}),
            f"# 逐户计算：{_shown(expected)}",
            f"# {found.engine}：{_shown(got)}",
        )
    )


def _shown(answer: Answer) -> str:
    return (
        f"{answer.outcome or 'not_applicable'}，金额 {answer.amount}，条件 {answer.clauses}，"
        f"决定 {sorted(answer.deciding)}，缺 {sorted(answer.missing)}"
    )
