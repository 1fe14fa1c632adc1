"""The same city under two versions of a rule: who moves, from where to where, at what cost."""

from decimal import Decimal

import numpy as np

from getihu.rulebook.contracts import Comparison, PartMove
from getihu.rulebook.model.rules import ELIGIBILITY, Rule
from getihu.rulebook.whatif.city import (
    NOT_APPLICABLE_CODE,
    Bools,
    City,
    Decided,
    Parts,
    outcome_labels,
)
from getihu.rulebook.whatif.differences import differences
from getihu.rulebook.whatif.numbers import (
    Catalogue,
    dimensions,
    outcome_counts,
    total_yuan,
    yuan,
)
from getihu.rulebook.whatif.privacy import guarded, is_few, is_guarded

NOT_APPLICABLE = "not_applicable"


def compare(
    city: City,
    before: Rule,
    after: Rule,
    type_rule: Rule | None,
    catalogue: Catalogue,
    *,
    outcome: str = "",
) -> Comparison:
    """Both versions on every trader. ``outcome`` is the one the parts count (default: yes, or
    the outcome of a table whose count changes most)."""
    old, new = city.decide([before, after])
    old, new = _same_outcomes(old, new)
    guard = is_guarded([before, after], catalogue)
    by = dimensions(city, type_rule if type_rule and type_rule.id != after.id else None)
    if outcome not in old.outcomes:
        outcome = "yes" if after.kind == ELIGIBILITY else _most_moved(old, new)
    gained, lost, changed = _amounts(old, new)
    return Comparison(
        rule_id=after.id,
        title=after.title,
        before_version=before.version,
        after_version=after.version,
        as_of=city.as_of,
        snapshot_id=city.snapshot_id,
        traders=city.traders,
        outcomes=tuple({**outcome_labels(before), **outcome_labels(after)}.items()),
        outcome=outcome,
        moves=_moves(old, new),
        before_counts=outcome_counts(old),
        after_counts=outcome_counts(new),
        before_yuan=total_yuan(old),
        after_yuan=total_yuan(new),
        gained_yuan=gained,
        lost_yuan=lost,
        amount_changed=changed,
        parts={name: _part_moves(old, new, outcome, parts, guard) for name, parts in by.items()},
        differences=differences(before, after),
        is_guarded=guard,
    )


def _same_outcomes(old: Decided, new: Decided) -> tuple[Decided, Decided]:
    """Both numbered alike, when the versions name different outcomes."""
    if old.outcomes == new.outcomes:
        return old, new
    names = tuple(dict.fromkeys([*old.outcomes[:-1], *new.outcomes[:-1], old.outcomes[-1]]))
    return _renumbered(old, names), _renumbered(new, names)


def _renumbered(decided: Decided, names: tuple[str, ...]) -> Decided:
    places = np.full(256, NOT_APPLICABLE_CODE, dtype=np.uint8)
    for number, name in enumerate(decided.outcomes):
        places[number] = names.index(name)
    return Decided(names, places[decided.codes], decided.cents)


def _most_moved(old: Decided, new: Decided) -> str:
    before, after = outcome_counts(old), outcome_counts(new)
    # Of two that trade places the later one is the one people ask about (生存型 → 成长型).
    return max(reversed(old.outcomes), key=lambda name: abs(after[name] - before[name]))


def _moves(old: Decided, new: Decided) -> tuple[tuple[str, str, int], ...]:
    pairs = np.bincount(old.codes.astype(np.int32) * 256 + new.codes, minlength=65536)
    named = dict(enumerate(old.outcomes)) | {NOT_APPLICABLE_CODE: NOT_APPLICABLE}
    return tuple(
        (named[int(place) // 256], named[int(place) % 256], int(pairs[place]))
        for place in np.flatnonzero(pairs)
    )


def _amounts(old: Decided, new: Decided) -> tuple[Decimal | None, Decimal | None, int]:
    """Yuan single traders gain, yuan they lose, and how many stay a yes with another amount."""
    if old.cents is None and new.cents is None:
        return None, None, 0
    before, after = _paid(old), _paid(new)
    more, less = after > before, after < before
    both = _yes(old) & _yes(new) & (before != after)
    gained = None if is_few(int(more.sum())) else yuan((after - before)[more])
    lost = None if is_few(int(less.sum())) else yuan((before - after)[less])
    return gained, lost, int(both.sum())


def _paid(decided: Decided) -> np.ndarray:
    if decided.cents is None:
        return np.zeros(len(decided.codes), dtype=np.int64)
    return np.maximum(decided.cents, 0)


def _yes(decided: Decided) -> Bools:
    return decided.is_("yes") if "yes" in decided.outcomes else np.zeros(len(decided.codes), bool)


def _part_moves(
    old: Decided, new: Decided, outcome: str, by: Parts, guard: bool
) -> tuple[PartMove, ...]:
    before, after = old.is_(outcome), new.is_(outcome)
    size = len(by.codes) + 1
    columns = [
        np.bincount(by.index[who], minlength=size)[:-1]
        for who in (before & after, before & ~after, after & ~before)
    ]
    rows = guarded(np.stack(columns, axis=1).tolist(), guard)
    return tuple(_part_move(code, by.labels[n], *rows[n]) for n, code in enumerate(by.codes))


def _part_move(
    code: str, label: str, stay: int | None, lost: int | None, gained: int | None
) -> PartMove:
    before = None if stay is None or lost is None else stay + lost
    after = None if stay is None or gained is None else stay + gained
    return PartMove(code, label, before, after, gained, lost)
