"""Offers of several rules to one trader, settled against each other and against earlier awards."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from getihu.dataplane.contracts import FactScalar
from getihu.kernel.periods import add_months
from getihu.rulebook.contracts import PastAward, Settled, Settlement
from getihu.rulebook.model.rules import Ceiling, Group

_NOTHING = Decimal("0.00")
_REGISTERED_MONTHS = "registered_months"


@dataclass(frozen=True)
class Offer:
    """What one rule would give by itself. ``yuan`` None: the amount is not known."""

    rule_id: str
    on: date
    yuan: Decimal | None
    group: Group | None = None
    ceiling: Ceiling | None = None


def settle(
    offers: Sequence[Offer],
    awards: Sequence[PastAward],
    facts: Mapping[str, FactScalar | None],
) -> tuple[Settled, ...]:
    """What each offer pays, in the order of the offers.

    First the groups (就高不重复, 不得重复享受, 晋级补差), then the ceilings on what is left. A
    payable amount is never more than the offer, and None where something it depends on is not
    known: nothing is paid on a guess.
    """
    settled = {}
    for members in _by_group(offers):
        for each in _settle_group(members, awards):
            settled[each.rule_id] = each
    for held in _by_ceiling(offers):
        settled |= _hold(held, settled, awards, facts)
    return tuple(settled[offer.rule_id] for offer in offers)


def _by_group(offers: Iterable[Offer]) -> Iterator[list[Offer]]:
    groups: dict[str, list[Offer]] = {}
    for offer in offers:
        name = f"group {offer.group.id}" if offer.group else f"rule {offer.rule_id}"
        groups.setdefault(name, []).append(offer)
    return iter(groups.values())


def _settle_group(offers: list[Offer], awards: Sequence[PastAward]) -> Iterator[Settled]:
    group = offers[0].group
    if group is None:
        for offer in offers:
            how = Settlement.UNKNOWN if offer.yuan is None else Settlement.FULL
            yield Settled(offer.rule_id, offer.yuan, offer.yuan, how)
        return
    best = _best(offers)
    for offer in offers:
        earlier = _earlier(offer, group, awards)
        if earlier and group.how != "difference":
            yield _already(offer, group, earlier)
        elif best is None:
            yield Settled(offer.rule_id, offer.yuan, None, Settlement.UNKNOWN, source=group.source)
        elif offer is not best:
            yield Settled(
                offer.rule_id,
                offer.yuan,
                _NOTHING,
                Settlement.LOWER,
                best.rule_id,
                best.yuan,
                source=group.source,
            )
        elif earlier:
            yield _topped_up(offer, group, earlier)
        else:
            yield Settled(
                offer.rule_id, offer.yuan, offer.yuan, Settlement.FULL, source=group.source
            )


def _best(offers: list[Offer]) -> Offer | None:
    """The highest offer, the first of equals; None while an amount is not known."""
    known = [offer for offer in offers if offer.yuan is not None]
    if len(known) < len(offers):
        return None
    return max(known, key=lambda offer: offer.yuan or _NOTHING)


def _earlier(offer: Offer, group: Group, awards: Sequence[PastAward]) -> list[PastAward]:
    """Awards of the same project that still count on the day of the offer, the newest first."""
    same = [
        award
        for award in awards
        if award.group_id == group.id and _within(award.on, offer.on, group.window_months)
    ]
    return sorted(same, key=lambda award: award.on, reverse=True)


def _within(one: date, other: date, months: int | None) -> bool:
    """A period begins the day after, and its last day is the same day of its last month
    (民法典 第二百零一条、第二百零二条)."""
    first, last = sorted((one, other))
    return months is None or last <= add_months(first, months)


def _already(offer: Offer, group: Group, earlier: list[PastAward]) -> Settled:
    newest = earlier[0]
    again = None
    if group.window_months is not None:
        again = add_months(newest.on, group.window_months) + timedelta(days=1)
    return Settled(
        offer.rule_id,
        offer.yuan,
        _NOTHING,
        Settlement.ALREADY,
        newest.rule_id,
        newest.yuan,
        again_on=again,
        source=group.source,
    )


def _topped_up(offer: Offer, group: Group, earlier: list[PastAward]) -> Settled:
    had = sum((award.yuan for award in earlier), _NOTHING)
    assert offer.yuan is not None
    return Settled(
        offer.rule_id,
        offer.yuan,
        max(offer.yuan - had, _NOTHING),
        Settlement.DIFFERENCE,
        earlier[0].rule_id,
        had,
        source=group.source,
    )


# ceilings


def _by_ceiling(offers: Iterable[Offer]) -> Iterator[list[Offer]]:
    ceilings: dict[str, list[Offer]] = {}
    for offer in offers:
        if offer.ceiling:
            ceilings.setdefault(offer.ceiling.id, []).append(offer)
    return iter(ceilings.values())


def _hold(
    offers: list[Offer],
    settled: Mapping[str, Settled],
    awards: Sequence[PastAward],
    facts: Mapping[str, FactScalar | None],
) -> dict[str, Settled]:
    """The offers under one ceiling, cut where all of the year's awards would go over it."""
    ceiling = offers[0].ceiling
    assert ceiling is not None
    registered, most = facts.get(_REGISTERED_MONTHS), facts.get(ceiling.fact)
    if isinstance(registered, int) and registered < ceiling.from_registered_months:
        return {}
    year = offers[0].on.year
    had = (a.yuan for a in awards if a.ceiling_id == ceiling.id and a.on.year == year)
    left = None
    if isinstance(registered, int) and isinstance(most, Decimal | int):
        left = max(Decimal(most) - sum(had, _NOTHING), _NOTHING)
    held = {}
    for offer in offers:
        before = settled[offer.rule_id]
        if before.payable_yuan in (None, _NOTHING):
            continue
        assert before.payable_yuan is not None
        if left is None:
            held[offer.rule_id] = _changed(before, None, Settlement.UNKNOWN, ceiling)
            continue
        paid = min(before.payable_yuan, left)
        left -= paid
        if paid < before.payable_yuan:
            held[offer.rule_id] = _changed(before, paid, Settlement.CEILING, ceiling)
    return held


def _changed(
    before: Settled, payable: Decimal | None, how: Settlement, ceiling: Ceiling
) -> Settled:
    return Settled(before.rule_id, before.offered_yuan, payable, how, source=ceiling.source)
