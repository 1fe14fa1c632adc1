"""The one way the lists of a draw are written: ASCII lines, sorted, none twice, a newline at each
end. Another spelling of the same list would be another digest, so it is refused."""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from getihu.kernel.errors import GetihuError

NAME: Final = re.compile(r"[0-9A-Z][0-9A-Z-]{0,39}", re.ASCII)
WORD: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,39}", re.ASCII)


class NotCanonical(GetihuError):
    """A list is not written in its one form."""


def write_lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows as text: fields by commas, sorted. Raises NotCanonical for a field that is neither a
    name nor a word, and for a first field that comes twice where it stands alone as the key."""
    lines = sorted(",".join(_field(value) for value in row) for row in rows)
    for before, after in itertools.pairwise(lines):
        if before == after:
            raise NotCanonical(f"清单里有一行出现两次：{after}。处理办法：名录按编号去重后再冻结。")
    return "".join(f"{line}\n" for line in lines)


def read_lines(text: str, fields: int) -> list[tuple[str, ...]]:
    """Rows of a text. Raises NotCanonical when it is not exactly what ``write_lines`` writes."""
    rows = [tuple(line.split(",")) for line in text.splitlines()]
    if any(len(row) != fields for row in rows) or write_lines(rows) != text:
        raise NotCanonical(f"清单不是规定的写法（每行 {fields} 项，排好序，没有空格和重复）。")
    return rows


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_json(value: Mapping[str, Any]) -> str:
    """One line, ASCII, sorted keys: the text a commitment is the digest of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


def _field(value: str) -> str:
    if not (NAME.fullmatch(value) or WORD.fullmatch(value)):
        raise NotCanonical(
            f"清单里的“{value}”写法不对：只能是大写字母、数字和连字符，或者小写的词。"
        )
    return value
