"""Bad cells and lines as departments really send them, planted by plan and counted.

Every spoiled row is chosen beforehand from a stream named after the delivery, so a test can ask
the door for exactly these and no others.
"""

from dataclasses import dataclass

import numpy as np

from getihu.gateways.demo_city.calibration import dirt_kinds
from getihu.gateways.demo_city.feeds import Contract, Feed
from getihu.gateways.demo_city.streams import stream
from getihu.kernel.codes import ALPHABET, credit_code_problem

_OTHER_ENCODING = {"utf-8": "gb18030", "gb18030": "utf-8"}
_FULL_WIDTH = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(33, 127)})
_NEEDS = {
    "date_impossible": ("date", "month"),
    "date_compact": ("date", "month"),
    "money_unit": ("money",),
    "money_thousands": ("money",),
    "unknown_label": ("enum",),
}


@dataclass(frozen=True)
class SpoiledRow:
    """What one chosen row becomes: lines of bytes, and how many of them come in."""

    lines: tuple[bytes, ...]
    accepted: int
    quarantined: int
    duplicate: int


def plan_dirt(feed: Feed, seed: int, protected: np.ndarray) -> dict[int, str]:
    """Choose the rows to spoil: row → kind. Never a protected (planted) trader's row."""
    rng = stream(seed, f"dirt {feed.delivery_id}")
    kinds = [k for k in feed.dirt if _fits(k, feed.contract)]
    counts = []
    for kind in kinds:
        expected = dirt_kinds()[kind].rate * len(feed)
        count = int(expected) + int(rng.random() < expected % 1)
        counts.append(max(count, 1) if feed.at_least_one else count)
    free = np.flatnonzero(~protected[feed.traders])
    total = min(sum(counts), len(free))
    rows = rng.choice(free, total, replace=False)
    names = np.repeat(np.array(kinds, dtype=object), counts)[:total]
    return {**dict(zip(rows.tolist(), names.tolist(), strict=True)), **feed.spoil}


def _fits(kind: str, contract: Contract) -> bool:
    return kind not in _NEEDS or any(
        c["type"] in _NEEDS[kind] and c["required"] for c in contract.columns
    )


def spoil_row(
    kind: str, cells: list[str], contract: Contract, encoding: str, rng: np.random.Generator
) -> SpoiledRow:
    """Spoil one row's cells (contract order, record status last) in one way."""
    if kind == "duplicate_row":
        line = _line(cells, encoding)
        return SpoiledRow((line, line), 1, 0, 1)
    if kind == "key_conflict":
        lines = (_line(cells, encoding), _line(_other_content(cells, contract), encoding))
        return SpoiledRow(lines, 0, 2, 0)
    if kind == "wrong_encoding":
        return SpoiledRow((_line(cells, _OTHER_ENCODING[encoding]),), 0, 1, 0)
    spoiled = _SPOILERS[kind](list(cells), contract, rng)
    accepted = int(dirt_kinds()[kind].outcome == "accepted")
    return SpoiledRow((_line(spoiled, encoding),), accepted, 1 - accepted, 0)


def _line(cells: list[str], encoding: str) -> bytes:
    return (",".join(cells) + "\n").encode(encoding)


def _position(contract: Contract, types: tuple[str, ...]) -> int:
    return next(i for i, c in enumerate(contract.columns) if c["type"] in types and c["required"])


def _code_at(contract: Contract) -> int:
    return _position(contract, ("credit_code",))


def _lower_case(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _code_at(contract)
    cells[at] = cells[at].lower()
    return cells


def _full_width(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _code_at(contract)
    cells[at] = cells[at].translate(_FULL_WIDTH)
    return cells


def _blanks(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _code_at(contract)
    cells[at] = f" {cells[at]} "
    return cells


def _wrong_check(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _code_at(contract)
    code = cells[at]
    step = int(rng.integers(1, len(ALPHABET)))
    cells[at] = code[:17] + ALPHABET[(ALPHABET.index(code[17]) + step) % len(ALPHABET)]
    return cells


def _transposed(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    """Swap two neighbours that differ; the check character always notices."""
    at = _code_at(contract)
    code = cells[at]
    places = [i for i in range(8, 16) if code[i] != code[i + 1]]
    place = places[int(rng.integers(0, len(places)))]
    cells[at] = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if credit_code_problem(cells[at]) is None:
        raise AssertionError(f"swapping two characters of {code} left a valid code")
    return cells


def _blank(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    required = [i for i, c in enumerate(contract.columns) if c["required"]]
    cells[required[int(rng.integers(0, len(required)))]] = ""
    return cells


def _impossible_date(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _position(contract, ("date", "month"))
    is_month = contract.columns[at]["type"] == "month"
    cells[at] = f"{cells[at][:4]}-13" if is_month else f"{cells[at][:4]}-02-30"
    return cells


def _compact_date(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _position(contract, ("date", "month"))
    cells[at] = cells[at].replace("-", "")
    return cells


def _unit(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _position(contract, ("money",))
    cells[at] = f"{cells[at]}元"
    return cells


def _thousands(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _position(contract, ("money",))
    head, _, tail = cells[at].partition(".")
    cells[at] = f'"{int(head) + 1000:,}.{tail}"'
    return cells


def _unknown_label(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = _position(contract, ("enum",))
    cells[at] = f"{cells[at]}等"
    return cells


def _extra(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    cells.insert(int(rng.integers(1, len(cells))), "")
    return cells


def _fewer(cells: list[str], contract: Contract, rng: np.random.Generator) -> list[str]:
    at = int(rng.integers(0, len(cells) - 1))
    cells[at : at + 2] = [cells[at] + cells[at + 1]]
    return cells


def _other_content(cells: list[str], contract: Contract) -> list[str]:
    """Return the row with the same key and another value in one column that is not the key."""
    changed = list(cells)
    for at, column in enumerate(contract.columns):
        if column["name"] in (*contract.key, "trader_code") or not column["required"]:
            continue
        if column["type"] in ("integer", "money"):
            head, dot, tail = cells[at].partition(".")
            changed[at] = f"{int(head) + 1}{dot}{tail}"
            return changed
        if column["type"] == "enum":
            others = [label for label in column["values"].values() if label != cells[at]]
            changed[at] = others[0]
            return changed
        if column["type"] == "text":
            changed[at] = f"{cells[at]}二"
            return changed
        if column["type"] == "boolean":
            changed[at] = "否" if cells[at] == "是" else "是"
            return changed
        if column["type"] == "date":
            changed[at] = "2020-01-02" if cells[at] != "2020-01-02" else "2020-01-03"
            return changed
    raise AssertionError(f"{contract.id} has no column beside its key")


_SPOILERS = {
    "code_lower_case": _lower_case,
    "code_full_width": _full_width,
    "code_blanks": _blanks,
    "code_check": _wrong_check,
    "code_transposed": _transposed,
    "blank_required": _blank,
    "date_impossible": _impossible_date,
    "date_compact": _compact_date,
    "unknown_label": _unknown_label,
    "money_unit": _unit,
    "money_thousands": _thousands,
    "cell_extra": _extra,
    "cell_missing": _fewer,
}
