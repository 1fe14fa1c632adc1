"""Small cities of generated facts, as the facts table types them."""

from collections.abc import Sequence

import pyarrow as pa

from getihu.rulebook.columns.city import MemoryColumns
from tests.generative.strategies import FACTS

TYPES = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "money": pa.decimal128(18, 2),
    "decimal": pa.decimal128(18, 4),
    "date": pa.date32(),
    "enum": pa.string(),
    "code": pa.string(),
    "text": pa.string(),
}
FACT_TYPES = {name: TYPES[fact.type.value] for name, fact in FACTS.items()}


def columns_of(rows: Sequence[dict], facts: dict[str, pa.DataType] | None = None) -> MemoryColumns:
    return MemoryColumns(rows, facts or FACT_TYPES)
