"""The whole city as columns of small numbers: where traders are, what they do, how rules answer.

Everything here is one numpy array per question, a place per trader in the order of the facts
table; the answers come from the planes of ``rulebook.columns``. The rest of this package only
counts in these arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from getihu.reference import selectors as reference
from getihu.rulebook.columns.city import CityColumns, ConsentColumns
from getihu.rulebook.columns.sweep import CitySweep, JoinedSweep
from getihu.rulebook.model.rules import ELIGIBILITY, UNKNOWN, Rule
from getihu.rulebook.permitted import columns_for, sweep_permitted

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
Cents = npt.NDArray[np.int64]

NOT_APPLICABLE_CODE: Final = 255


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

    def __init__(self, columns: CityColumns, as_of: date, snapshot_id: str) -> None:
        self.as_of, self.snapshot_id = as_of, snapshot_id
        self.columns = columns

    @property
    def traders(self) -> int:
        return self.columns.traders

    @cached_property
    def counties(self) -> Parts:
        listed = reference.list_counties()
        return self._parts("county_code", [c.code for c in listed], [c.name for c in listed])

    @cached_property
    def trades(self) -> Parts:
        sections = [chr(letter) for letter in range(ord("A"), ord("T") + 1)]
        found = [reference.get_industry(code) for code in sections]
        return self._parts("industry_section", sections, [i.name if i else "" for i in found])

    def _parts(self, fact: str, codes: list[str], labels: list[str]) -> Parts:
        places = {code: place for place, code in enumerate(codes)}
        held = ["", *self.columns.dictionary(fact)]
        table = np.array([places.get(value, len(codes)) for value in held], dtype=np.uint8)
        found = self.columns.codes(fact)
        index = table[found] if found is not None else np.full(self.traders, len(codes), np.uint8)
        return Parts(tuple(codes), tuple(labels), index)

    def columns_for(self, rule: Rule) -> CityColumns | ConsentColumns:
        """The facts of everyone that a rule may use."""
        return columns_for(rule, self.columns)

    def sweep(self, rules: Sequence[Rule]) -> JoinedSweep:
        """Rules over everyone; copies of one rule are told apart by ``rule_key``."""
        named = [replace(rule, id=rule_key(number)) for number, rule in enumerate(rules)]
        asked_as = [rule.id for rule in rules]
        return sweep_permitted(self.columns, named, self.as_of, asked_as=asked_as)

    def decide(self, rules: Sequence[Rule]) -> list[Decided]:
        """How each rule (any rule, changed copies too) answers everyone."""
        swept, keys = self.sweep(rules), [rule_key(number) for number in range(len(rules))]
        return [decided(swept.of(key), key) for key in keys]

    def unknown(self, rule: Rule) -> dict[str, Bools]:
        """Fact of a rule → whether it is unknown to it of each trader; what no department delivers
        always is."""
        found, columns = {}, self.columns_for(rule)
        for fact in rule.facts:
            codes = columns.codes(fact)
            found[fact] = np.ones(self.traders, dtype=bool) if codes is None else codes == 0
        return found

    def quantile(self, rule: Rule, fact: str, share: float) -> Any:
        """The value of a fact below which that share of those known to a rule lie; None when it
        knows of none."""
        columns = self.columns_for(rule)
        codes, values = columns.codes(fact), columns.dictionary(fact)
        if codes is None or not values:
            return None
        below = np.bincount(codes, minlength=len(values) + 1)[1:].cumsum()
        if not below[-1]:
            return None
        return values[int(np.searchsorted(below, share * below[-1]))]


def rule_key(number: int) -> str:
    return f"whatif.r{number}"


def decided(swept: CitySweep, key: str) -> Decided:
    """One rule of a sweep, answered."""
    cents = swept.amounts(key) if swept.planned(key).rule.amount else None
    return Decided(swept.outcomes(key), swept.codes(key), cents)


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
    return _open(CityColumns.open(as_of, snapshot_id), as_of, snapshot_id)


@lru_cache(maxsize=2)
def _open(columns: CityColumns, as_of: date, snapshot_id: str) -> City:
    return City(columns, as_of, snapshot_id)
