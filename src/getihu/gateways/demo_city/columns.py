"""Columns of a department's file: from numbers to the text in the cells, chunk by chunk."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Column = Callable[[np.ndarray], pa.StringArray]
"""Give it row numbers, get the cells; an empty cell is ''."""

MISSING = np.iinfo(np.int64).min
"""Marks an empty cell in whole numbers, money and decimals."""


def take(words: Sequence[str] | pa.StringArray, index: np.ndarray) -> pa.StringArray:
    """Return ``words[index]``."""
    vocabulary = words if isinstance(words, pa.Array) else pa.array(list(words), pa.string())
    return vocabulary.take(pa.array(index.astype(np.int32)))


def join(*parts: pa.StringArray | str) -> pa.StringArray:
    """Return the parts written together, row by row."""
    return pc.binary_join_element_wise(*parts, "")


def whole_text(values: np.ndarray) -> pa.StringArray:
    """Return whole numbers as text; MISSING as an empty cell."""
    array = pa.array(values.astype(np.int64), mask=values == MISSING)
    return pc.fill_null(array.cast(pa.string()), "")


def codes(all_codes: pa.StringArray, traders: np.ndarray) -> Column:
    """The traders' credit codes."""
    return lambda rows: all_codes.take(pa.array(traders[rows]))


def dates(values: np.ndarray) -> Column:
    """Days as YYYY-MM-DD."""

    def render(rows: np.ndarray) -> pa.StringArray:
        days = pa.array(values[rows].astype("datetime64[D]"))
        return pc.fill_null(days.cast(pa.date32()).cast(pa.string()), "")

    return render


def months(values: np.ndarray) -> Column:
    """Months as YYYY-MM."""
    known, index = np.unique(values.astype("datetime64[M]"), return_inverse=True)
    names = pa.array([str(m) for m in known], pa.string())
    return lambda rows: take(names, index[rows])


def whole(values: np.ndarray) -> Column:
    """Whole numbers; MISSING is empty."""
    return lambda rows: whole_text(values[rows])


def scaled(values: np.ndarray, places: int) -> Column:
    """Decimals kept as whole numbers of the last place (cents for money); MISSING is empty."""
    scale = 10**places
    tails = pa.array([f".{i:0{places}d}" for i in range(scale)], pa.string())

    def render(rows: np.ndarray) -> pa.StringArray:
        value = values[rows].astype(np.int64)
        empty = value == MISSING
        head, tail = np.divmod(np.where(empty, 0, value), scale)
        text = join(whole_text(head), take(tails, tail))
        return pc.if_else(pa.array(empty), "", text) if empty.any() else text

    return render


def yuan(values: np.ndarray) -> Column:
    """Whole yuan written with two decimals; MISSING is empty."""
    return lambda rows: _with_cents(whole_text(values[rows]))


def _with_cents(text: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(text, ""), "", join(text, ".00"))


def labels(names: Sequence[str], index: np.ndarray) -> Column:
    """One of the labels; −1 is empty."""
    vocabulary = pa.array([*names, ""], pa.string())
    last = len(names)
    return lambda rows: take(vocabulary, np.where(index[rows] < 0, last, index[rows]))


def flags(index: np.ndarray) -> Column:
    """是 for 1, 否 for 0, empty for −1."""
    return labels(("否", "是"), index.astype(np.int8))


def numbered(heads: Sequence[str], head: np.ndarray, numbers: np.ndarray, tail: str = "") -> Column:
    """Document numbers: a head chosen per row, a number, a tail."""
    vocabulary = pa.array(list(heads), pa.string())
    return lambda rows: join(take(vocabulary, head[rows]), whole_text(numbers[rows]), tail)
