"""Fact columns as a sorted dictionary and small whole-number codes (0: unknown)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from getihu.rulebook.columns.vectors import EPOCH, Vector

Codes = npt.NDArray[Any]  # uint8, uint16 or uint32
WORD: Final = 64
NO_NUMBER: Final = -(2**63)
FEW: Final = 8  # columns of so few codes have their bit planes ready


@dataclass(frozen=True, eq=False)
class Column:
    """One fact of every trader. ``codes`` are places in the dictionary plus one, padded with
    unknowns to whole 64s; ``known`` is the sorted dictionary, unknown left out."""

    codes: Codes
    known: pa.Array
    has_unknown: bool
    ready: npt.NDArray[np.uint64] | None = None

    @cached_property
    def planes(self) -> npt.NDArray[np.uint64]:
        """Per code, the bits of those who have it."""
        if self.ready is not None:
            return self.ready
        return np.stack([pack(self.codes == code) for code in range(self.size)])

    @property
    def size(self) -> int:
        """How many codes there are, the one for unknown included."""
        return len(self.known) + 1

    @cached_property
    def values(self) -> list[Any]:
        """The dictionary in Python's types, sorted."""
        found: list[Any] = self.known.to_pylist()
        return found

    @cached_property
    def vector(self) -> Vector:
        """The dictionary as the evaluator of columns takes it, code by code (0 is unknown)."""
        kind = self.known.type
        if pa.types.is_boolean(kind):
            return _with_unknown(np.array(self.values, dtype=bool))
        if pa.types.is_date(kind):
            return _with_unknown(self.numbers)
        if pa.types.is_integer(kind):
            return _with_unknown(self.numbers, Fraction(1))
        if pa.types.is_decimal(kind):
            return _with_unknown(self.numbers, Fraction(1, 10**kind.scale))
        return _with_unknown(np.array(self.values, dtype=object))

    @cached_property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The dictionary of a number or date as whole numbers: units of the last place, days."""
        kind = self.known.type
        if pa.types.is_decimal(kind):
            return _as_integers(self.known).to_numpy(zero_copy_only=False)
        if pa.types.is_date(kind):
            days = pc.cast(self.known, pa.int32()).to_numpy(zero_copy_only=False)
            return days.astype(np.int64) + EPOCH
        return pc.cast(self.known, pa.int64()).to_numpy(zero_copy_only=False)

    @cached_property
    def spread(self) -> npt.NDArray[np.int64]:
        """The number of every trader, ``NO_NUMBER`` where it is unknown: to be read in order,
        where a dictionary of many values would be read all over the place."""
        numbers = np.empty(self.size, dtype=np.int64)
        numbers[0], numbers[1:] = NO_NUMBER, self.numbers
        return numbers[self.codes]

    def place(self, value: Any) -> int | None:
        """The code of a value; None when nobody has it."""
        if pa.types.is_string(self.known.type):
            return self._text_codes.get(value)
        values = self.values if pa.types.is_boolean(self.known.type) else None
        found = self.places_below(value) if values is None else _index(values, value)
        if found is None or found >= len(self.known):
            return None
        return found + 1 if self.value(found) == value else None

    @cached_property
    def _text_codes(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(self.values, start=1)}

    def value(self, number: int) -> Any:
        return self.known[number].as_py()

    def places_below(self, value: Any, *, including: bool = False) -> int:
        """How many entries of the dictionary lie below a value (exact, whatever its places)."""
        side: Any = "right" if including else "left"
        kind = self.known.type
        if pa.types.is_decimal(kind) or pa.types.is_integer(kind):
            scale = kind.scale if pa.types.is_decimal(kind) else 0
            scaled = Fraction(value) * 10**scale
            return _below(self.numbers, scaled, including)
        if isinstance(value, date):
            return int(np.searchsorted(self.numbers, value.toordinal(), side))
        return int(np.searchsorted(self.texts, value, side))

    @cached_property
    def texts(self) -> npt.NDArray[Any]:
        return np.array(self.values, dtype=object)


def _index(values: list[Any], value: Any) -> int | None:
    return values.index(value) if value in values else None


def _below(numbers: npt.NDArray[np.int64], scaled: Fraction, including: bool) -> int:
    floor = scaled.numerator // scaled.denominator
    whole = scaled.denominator == 1
    if not -(2**63) <= floor < 2**63 - 1:
        return 0 if floor < 0 else int(np.searchsorted(numbers, 2**63 - 1, "right"))
    side: Any = "left" if whole and not including else "right"
    return int(np.searchsorted(numbers, floor, side))


def _with_unknown(values: npt.NDArray[Any], factor: Fraction | None = None) -> Vector:
    full = np.empty(len(values) + 1, dtype=values.dtype)
    full[1:] = values
    full[0] = "" if values.dtype == object else 0
    known = np.ones(len(full), dtype=bool)
    known[0] = False
    bound = max(abs(int(full.min())), abs(int(full.max()))) if factor is not None else 0
    return Vector(full, known, factor, bound)


def code_type(size: int) -> type[np.unsignedinteger[Any]]:
    """The smallest code that tells ``size`` values (unknown included) apart."""
    return np.uint8 if size <= 2**8 else np.uint16 if size <= 2**16 else np.uint32


def encode(values: pa.ChunkedArray | pa.Array) -> Column:
    """A column of values, coded. Floats are refused: nothing exact can be said of them."""
    if pa.types.is_floating(values.type):
        raise TypeError(f"事实不能是浮点数：{values.type}")
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    kind = whole.type
    coded = (_as_integers(whole) if pa.types.is_decimal(kind) else whole).dictionary_encode()
    order = pc.sort_indices(coded.dictionary)
    known = coded.dictionary.take(order)
    rank = np.zeros(len(known) + 1, dtype=code_type(len(known) + 1))
    rank[order.to_numpy()] = np.arange(1, len(known) + 1, dtype=rank.dtype)
    has_unknown = coded.indices.null_count > 0  # the last rank, 0, is where unknown points
    places = coded.indices.fill_null(len(known)) if has_unknown else coded.indices
    codes = padded(rank[places.to_numpy(zero_copy_only=False)])
    return Column(codes, _as_decimals(known, kind), has_unknown)


def _as_integers(values: pa.Array) -> pa.Array:
    """Decimals as whole numbers of their last place: hashed and sorted four times as fast."""
    whole = values.cast(pa.decimal128(values.type.precision, values.type.scale))
    # 128 bits, little end first; the 18 digits a fact may have fit the lower half.
    pairs = np.frombuffer(whole.buffers()[1], dtype=np.int64)[2 * whole.offset :]
    unknown = whole.is_null().to_numpy(zero_copy_only=False)
    return pa.array(pairs[: 2 * len(whole) : 2].copy(), mask=unknown)


def _as_decimals(known: pa.Array, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_decimal(kind):
        return known
    numbers = known.to_numpy(zero_copy_only=False)
    pairs = np.empty(2 * len(numbers), dtype=np.int64)
    pairs[::2], pairs[1::2] = numbers, numbers >> 63
    wide = pa.decimal128(kind.precision, kind.scale)
    return pa.Array.from_buffers(wide, len(numbers), [None, pa.py_buffer(pairs)])


def padded(codes: Codes) -> Codes:
    """Filled up with unknowns to a whole number of 64-bit words."""
    short = -len(codes) % WORD
    return np.pad(codes, (0, short)) if short else codes


def encode_values(values: Sequence[Any], kind: pa.DataType) -> Column:
    """A short column of Python values of one fact."""
    return encode(pa.array(values, type=kind))


def as_date(ordinal: int) -> date:
    return date(1, 1, 1) + timedelta(days=ordinal - 1)


def pack(answers: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Bools (whole 64s of them) as words of bits, the first the lowest."""
    return np.packbits(answers, bitorder="little").view(np.uint64)
