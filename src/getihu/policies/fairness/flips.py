"""Two traders who differ in one thing alone: does the rule treat them alike?"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactScalar, TraderFacts
from getihu.rulebook import selectors as rulebook

SAMPLE: Final = 1_000  # traders tried, drawn by the rule's own version; 本项目设定，非官方
MOST_KEPT: Final = 64  # a version on a snapshot never changes its answer
_KEPT: dict[tuple[str, str, date, str], tuple["Flip", ...]] = {}
COUNTY, TOWN, KIND = "county_code", "town_code", "subject_kind"


@dataclass(frozen=True)
class Flip:
    """One thing changed for ``tried`` traders, everything else as it is: how many lose or win what
    they had not. ``can_tell`` False: no fact says it, so the rule cannot look at it."""

    id: str
    label: str
    article: str
    tried: int
    lose: int
    win: int
    can_tell: bool = True

    @property
    def is_unequal(self) -> bool:
        return bool(self.lose or self.win)


def flip_rule(rule: Any, *, as_of: date, snapshot_id: str | None = None) -> list[Flip]:
    """Legal form, registered place and ownership, each changed alone.

    A place outside the rule's own region is no flip: a city's rule is for the city. Raises:
    FactsNotBuilt, NothingPublished. Cost: some seconds.
    """
    snapshot_id = snapshot_id or dataplane.get_published_snapshot().snapshot_id
    key = (rule.id, rule.version, as_of, snapshot_id)
    if key not in _KEPT:
        while len(_KEPT) >= MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
        _KEPT[key] = _flips(rule, as_of, snapshot_id)
    return list(_KEPT[key])


def _flips(rule: Any, as_of: date, snapshot_id: str) -> tuple[Flip, ...]:
    traders = list(_drawn(rule, as_of, snapshot_id))
    counties = sorted({str(t.values[COUNTY].value) for t in traders if t.values[COUNTY].value})
    inside = [code for code in counties if code.startswith(rule.region_prefix)]
    return (
        _tried("legal_form", "只把个体工商户换成企业，或者反过来", "第八条第（四）项、第十条第（二）项",
               rule, traders, _other_form),
        _tried("registered_place", "只把登记地换成辖区里的另一个县（市、区）", "第九条第（二）项",
               rule, traders, lambda t: _other_county(t, inside)),
        Flip("ownership", "只换所有制", "第八条第（四）项", 0, 0, 0, can_tell=False),
    )  # fmt: skip


def _drawn(rule: Any, as_of: date, snapshot_id: str | None) -> Iterator[TraderFacts]:
    """Traders drawn by SHA-256 of the rule's version and their code: the same every time."""
    path = dataplane.facts_path(as_of, snapshot_id)
    codes = [
        code
        for (code,) in dataplane.engine()
        .execute(
            "SELECT trader_code FROM read_parquet($path) WHERE registration_status = 'active'",
            {"path": str(path)},
        )
        .fetchall()
    ]
    codes.sort(key=lambda code: hashlib.sha256(f"{rule.version}|{code}".encode()).digest())
    wanted = {*rule.facts, COUNTY, TOWN, KIND}
    yield from dataplane.list_trader_facts(codes[:SAMPLE], as_of, snapshot_id, facts=wanted)


def _tried(flip_id, label, article, rule, traders, change) -> Flip:
    tried = lose = win = 0
    for trader in traders:
        changed = change(trader)
        if changed is None:
            continue
        before = rulebook.outcome_of(rule, trader)
        after = rulebook.outcome_of(rule, changed)
        tried += 1
        lose += before == "yes" != after
        win += after == "yes" != before
    return Flip(flip_id, label, f"公平竞争审查条例 {article}", tried, lose, win)


def _other_form(trader: TraderFacts) -> TraderFacts | None:
    kind = trader.values[KIND].value
    other = {"individual": "enterprise", "enterprise": "individual"}.get(str(kind))
    return _with(trader, {KIND: other}) if other else None


def _other_county(trader: TraderFacts, counties: list[str]) -> TraderFacts | None:
    here = trader.values[COUNTY].value
    others = [code for code in counties if code != here]
    if here is None or not others:
        return None
    place = int(hashlib.sha256(trader.trader_code.encode()).hexdigest(), 16) % len(others)
    return _with(trader, {COUNTY: others[place], TOWN: None})


def _with(trader: TraderFacts, changes: dict[str, FactScalar | None]) -> TraderFacts:
    values = {
        name: replace(fact, value=changes[name]) if name in changes else fact
        for name, fact in trader.values.items()
    }
    return replace(trader, values=values)
