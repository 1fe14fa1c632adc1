"""The coded columns of a facts table: files beside it, made on first use, mapped into memory."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from getihu.dataplane import selectors as dataplane
from getihu.rulebook.columns.coding import FEW, WORD, Codes, Column, encode, encode_values
from getihu.rulebook.columns.leaves import Parts
from getihu.rulebook.columns.simple import Simplifier

_CODE: Final = "trader_code"
_GROUP_MARK: Final = "__"  # state, source and dates of a group of facts: no facts themselves


class _WithParts:
    """What was worked out on dictionaries, kept with them for the next sweep."""

    simple: Simplifier | None = None

    def column(self, fact: str) -> Column | None:
        raise NotImplementedError

    def parts(self, as_of: date) -> Parts:
        found: Parts | None = self.__dict__.get("_parts")
        if found is None or found.as_of != as_of or found.is_full:
            found = self.__dict__["_parts"] = Parts(self.column, as_of, self.simple)
        return found


class MemoryColumns(_WithParts):
    """Facts of a few traders given as Python values, coded the same way."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], types: Mapping[str, pa.DataType]) -> None:
        self.traders, self._rows, self._types = len(rows), rows, types
        self._columns: dict[str, Column] = {}

    def column(self, fact: str) -> Column | None:
        if fact not in self._types:
            return None
        if fact not in self._columns:
            values = [row.get(fact) for row in self._rows]
            self._columns[fact] = encode_values(values, self._types[fact])
        return self._columns[fact]


class TableColumns(_WithParts):
    """Facts of some traders as an Arrow table, coded. ``simple``: expressions simplified before
    for a city that holds the same facts."""

    def __init__(self, table: pa.Table, simple: Simplifier | None = None) -> None:
        self.traders, self._table, self.simple = table.num_rows, table, simple
        self._columns: dict[str, Column] = {}

    def column(self, fact: str) -> Column | None:
        if fact not in self._table.schema.names:
            return None
        if fact not in self._columns:
            self._columns[fact] = encode(self._table[fact])
        return self._columns[fact]


class CityColumns(_WithParts):
    """The facts of everyone on a date, in the order of the facts table.

    A column is coded when first asked for and kept in a folder named after the very facts file:
    a table built again gets new codes, and the old ones go. Threads and processes may race: each
    writes whole files under names of its own, the last one stays.
    """

    def __init__(self, facts: Path) -> None:
        self.facts = facts
        self._columns: dict[str, Column] = {}
        self._lock = threading.Lock()
        self._file = pq.ParquetFile(facts)
        self.traders: int = self._file.metadata.num_rows

    @staticmethod
    def open(as_of: date, snapshot_id: str | None = None) -> "CityColumns":
        """The city on a date. Raises: FactsNotBuilt, AsOfBeforeData, NothingPublished."""
        path = dataplane.facts_path(as_of, snapshot_id)
        return _open(path, _stamp(path))

    @cached_property
    def types(self) -> dict[str, pa.DataType]:
        """The facts the table holds and their types."""
        schema = self._file.schema_arrow
        return {
            field.name: field.type
            for field in schema
            if field.name != _CODE and _GROUP_MARK not in field.name
        }

    def column(self, fact: str) -> Column | None:
        """A coded fact; None when the table does not hold it."""
        if fact not in self.types:
            return None
        found = self._columns.get(fact)
        if found is None:
            with self._lock:
                found = self._columns.get(fact)
                if found is None:
                    found = self._columns[fact] = self._read(fact)
        return found

    def read(self, name: str) -> pa.ChunkedArray:
        """A column of the facts table as it is."""
        return self._file.read([name])[name]

    def codes(self, fact: str) -> Codes | None:
        column = self.column(fact)
        return None if column is None else column.codes[: self.traders]

    def dictionary(self, fact: str) -> list[Any]:
        """The values of a fact, sorted, unknown left out; code 1 is the first."""
        column = self.column(fact)
        return [] if column is None else column.values

    def trader_code(self, rows: npt.NDArray[np.int64]) -> list[str]:
        return [code.decode() for code in self._trader_codes[rows].tolist()]

    def row_of(self, trader_code: str) -> int | None:
        """The place of a trader; None when she is not in the table."""
        codes = self._trader_codes
        wanted = np.array(trader_code.encode(), dtype=codes.dtype)
        place = int(np.searchsorted(codes, wanted))
        found = place < len(codes) and codes[place].decode() == trader_code
        return place if found else None

    def values(self, row: int) -> dict[str, Any]:
        """Every fact of one trader."""
        found = {}
        for fact in self.types:
            column = self.column(fact)
            assert column is not None
            code = int(column.codes[row])
            found[fact] = column.value(code - 1) if code else None
        return found

    # files

    @cached_property
    def folder(self) -> Path:
        """Where the codes lie. Codes of an earlier facts file of the same name are removed."""
        parent = self.facts.with_suffix(".columns")
        folder = parent / "-".join(map(str, _stamp(self.facts)))
        folder.mkdir(parents=True, exist_ok=True)
        for other in parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        return folder

    @cached_property
    def _trader_codes(self) -> npt.NDArray[Any]:
        path = self.folder / "trader_code.npy"
        if not path.exists():
            codes = self._file.read([_CODE])[_CODE].to_numpy()
            _write_whole(path, lambda name: np.save(name, codes.astype(bytes)))
        return np.load(path, mmap_mode="r")

    def _read(self, fact: str) -> Column:
        codes, known = self.folder / f"{fact}.npy", self.folder / f"{fact}.parquet"
        if not codes.exists() or not known.exists():
            self._write(fact, codes, known)
        table = pq.read_table(known, memory_map=True)
        values = table.column(0).combine_chunks()
        if isinstance(values, pa.ChunkedArray):
            values = values.chunk(0) if values.num_chunks else pa.array([], values.type)
        has_unknown = (table.schema.metadata or {}).get(b"has_unknown") == b"1"
        planes = self.folder / f"{fact}.planes.npy"
        ready = np.load(planes, mmap_mode="r") if len(values) < FEW else None
        return Column(np.load(codes, mmap_mode="r"), values, has_unknown, ready)

    def _write(self, fact: str, codes: Path, known: Path) -> None:
        column = encode(pq.read_table(self.facts, columns=[fact])[fact])
        table = pa.table({fact: column.known})
        metadata = {b"has_unknown": b"1" if column.has_unknown else b"0"}
        table = table.replace_schema_metadata(metadata)
        if column.size <= FEW:
            planes = self.folder / f"{fact}.planes.npy"
            _write_whole(planes, lambda name: np.save(name, column.planes))
        _write_whole(codes, lambda name: np.save(name, column.codes))
        _write_whole(known, lambda name: pq.write_table(table, name))

    def load(self, facts: Sequence[str]) -> None:
        """Have these columns ready."""
        for fact in facts:
            self.column(fact)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _write_whole(target: Path, write: Callable[[str], Any]) -> None:
    """The file takes its name only when complete."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".columns-", suffix=target.suffix)
    os.close(handle)
    try:
        write(name)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


@lru_cache(maxsize=2)
def _open(path: Path, stamp: tuple[int, int]) -> CityColumns:
    return CityColumns(path)


class ConsentColumns(_WithParts):
    """A city in which what an article protects is unknown of everyone who does not consent under
    it. ``consents``: article → codes; ``protected``: fact → article."""

    def __init__(
        self,
        city: CityColumns,
        protected: Mapping[str, str],
        consents: Mapping[str, Collection[str]],
    ) -> None:
        self.traders, self._city = city.traders, city
        self._protected, self._consents = protected, consents
        self._columns: dict[str, Column] = {}
        self._allowed: dict[str, npt.NDArray[np.bool_]] = {}

    def column(self, fact: str) -> Column | None:
        found = self._city.column(fact)
        if found is None or fact not in self._protected:
            return found
        if fact not in self._columns:
            codes = np.where(self._who(self._protected[fact]), found.codes, 0)
            codes = codes.astype(found.codes.dtype)
            self._columns[fact] = Column(codes, found.known, has_unknown=True)
        return self._columns[fact]

    def codes(self, fact: str) -> Codes | None:
        column = self.column(fact)
        return None if column is None else column.codes[: self.traders]

    def dictionary(self, fact: str) -> list[Any]:
        """The values of a fact in the whole city, sorted; of some nobody here may be known."""
        column = self.column(fact)
        return [] if column is None else column.values

    def values(self, row: int) -> dict[str, Any]:
        """Every fact of one trader, as far as it may be used."""
        held = self._city.values(row)
        return {
            fact: None if fact in self._protected and not self._may(fact, row) else value
            for fact, value in held.items()
        }

    def _may(self, fact: str, row: int) -> bool:
        return bool(self._who(self._protected[fact])[row])

    def _who(self, article: str) -> npt.NDArray[np.bool_]:
        """Who consents, in the order of the facts table, padded as codes are."""
        if article not in self._allowed:
            given = pa.array(sorted(self._consents.get(article, ())), type=pa.string())
            codes = self._city.read(_CODE).cast(pa.string())
            held = pc.is_in(codes, value_set=given).to_numpy(zero_copy_only=False)
            padded = np.zeros(-(-self.traders // WORD) * WORD, dtype=bool)
            padded[: self.traders] = held
            self._allowed[article] = padded
        return self._allowed[article]
