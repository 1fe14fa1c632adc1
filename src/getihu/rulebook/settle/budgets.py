"""Who is served when there is not enough for all: the order the rule states, then a draw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from getihu.dataplane.contracts import FactScalar
from getihu.rulebook.model.rules import Budget

_NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class Claim:
    """One trader's claim. ``values`` hold what the order asks (facts, ``applied_on``)."""

    trader_code: str
    yuan: Decimal
    values: Mapping[str, FactScalar | None]


@dataclass(frozen=True)
class Queue:
    """Everybody, in order: ``served`` while there is enough, ``waiting`` after that.

    ``unplaced`` lack a value the order asks for; they have no place, and nobody who comes after
    them by another value may be told "no" because of them. ``left_yuan`` and ``left_places`` are
    what remains (None: no such limit).
    """

    served: tuple[Claim, ...]
    waiting: tuple[Claim, ...]
    unplaced: tuple[Claim, ...]
    left_yuan: Decimal | None
    left_places: int | None


def queue(budget: Budget, claims: Iterable[Claim], seed: str) -> Queue:
    """Claims in the rule's order of payment, cut where the money or the places end.

    Equal claims are drawn: by SHA-256 of ``seed`` and code, so anyone with the published seed
    makes the same order. The first claim that no longer fits ends it: a smaller one behind it
    does not jump the queue (本项目设定，非官方).
    """
    everybody = list(claims)
    unplaced = [c for c in everybody if any(_value(c, key) is None for key in budget.order)]
    out = {id(claim) for claim in unplaced}
    placed = sorted(
        (claim for claim in everybody if id(claim) not in out),
        key=lambda claim: (
            *(_sortable(claim, key) for key in budget.order),
            _drawn(seed, claim.trader_code),
        ),
    )
    left_yuan, left_places = budget.yuan, budget.places
    served = 0
    for claim in placed:
        lacks_yuan = left_yuan is not None and claim.yuan > left_yuan
        if lacks_yuan or left_places == 0:
            break
        served += 1
        left_yuan = None if left_yuan is None else left_yuan - claim.yuan
        left_places = None if left_places is None else left_places - 1
    return Queue(
        served=tuple(placed[:served]),
        waiting=tuple(placed[served:]),
        unplaced=tuple(unplaced),
        left_yuan=left_yuan,
        left_places=left_places,
    )


def _value(claim: Claim, key: str) -> FactScalar | None:
    name = key.removeprefix("-")
    return claim.yuan if name == "amount" else claim.values.get(name)


def _sortable(claim: Claim, key: str) -> int | Decimal | str:
    """A value as it sorts; ``-`` turns numbers, dates and yes/no round."""
    value = _value(claim, key)
    assert value is not None
    if isinstance(value, date):
        value = value.toordinal()
    if isinstance(value, str):
        return value
    return -value if key.startswith("-") else value


def _drawn(seed: str, trader_code: str) -> str:
    return sha256(f"{seed}|{trader_code}".encode()).hexdigest()
