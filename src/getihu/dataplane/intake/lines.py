"""Bytes to records: strict decoding, one record per line, nothing repaired and nothing lost.

What comes out is a UTF-8 file in which every record has its line number and exactly the columns
of the contract, and a list of the lines that did not make it.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from getihu.dataplane.catalogue.contracts import RECORD_STATUS
from getihu.dataplane.contracts import DatasetContract
from getihu.dataplane.intake.manifest import DeliveredFile
from getihu.kernel.errors import GetihuError, nearest_name
from getihu.kernel.text import Undecodable, canonical_text, decode_strict

# Small enough for the processor's cache, and for a bad line to spoil only a little around it.
_CHUNK: Final = 256 << 10
_LONGEST_LINE: Final = 16 << 20
# 本项目设定，非官方: a record of a register is far shorter; a longer one is a lost newline.
MAX_LINE: Final = 100_000
_BLANKS: Final = "\t\u00a0\u2002\u2003\u3000"
# Control characters (a bare return ends a line for some readers and not for others), the
# replacement character, and private-use code points no table maps.
_FORBIDDEN: Final = re.compile("[\0-\x08\x0b-\x1f\x7f\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")
# The bytes of UTF-8 that are, or may begin, a forbidden character; see ``may_be_forbidden``.
_SUSPECT: Final = {*range(9), *range(0x0B, 0x20), 0x7F, 0xEE, 0xF3, 0xF4}
_HARMLESS: Final = bytes(byte for byte in range(256) if byte not in _SUSPECT)


class Held(GetihuError):
    """A person must look at the delivery before any of it is used."""


@dataclass(frozen=True)
class BadLine:
    """A line that is no record of the contract. ``excerpt`` holds no cell of the row."""

    line: int
    reason_code: str
    excerpt: str = ""


@dataclass
class CleanFile:
    """The records of one delivered file, ready for the engine.

    ``records`` counts every line after the header, good or bad; the conservation law is checked
    against it and against what the manifest states. ``blanks`` holds the blanks other than the
    plain one that occur anywhere in the records.
    """

    name: str
    path: Path
    encoding: str
    records: int = 0
    blanks: set[str] = field(default_factory=set)
    bad: list[BadLine] = field(default_factory=list)


def clean_file(
    source: Path, stated: DeliveredFile, contract: DatasetContract, target: Path
) -> CleanFile:
    """Decode and split one file into ``target``. Raises Held when it cannot be read at all."""
    encoding = stated.encoding or _find_encoding(source)
    clean = CleanFile(stated.name, target, encoding)
    width = len(contract.columns) + 1
    with target.open("wb") as out:
        line_no = 1
        for number, chunk in enumerate(_chunks(source)):
            if number == 0:
                header, _, chunk = chunk.removeprefix(codecs.BOM_UTF8).partition(b"\n")
                _check_header(header, encoding, stated.name, contract)
            line_no = _clean_chunk(chunk, encoding, line_no, width, clean, out)
    clean.bad.sort(key=lambda bad: bad.line)
    _drop_trailing_blank(clean)
    return clean


def _find_encoding(source: Path) -> str:
    """UTF-8 when the whole file is; else what the kernel's strict reading finds, or Held."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with source.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        return decode_strict(source.read_bytes())[1]
    except Undecodable as error:
        raise Held(
            f"文件 {source.name} 第 {error.line} 行既不是 UTF-8 也不是 GB18030。"
            "处理办法：按一种编码重新导出，并在清单中写明编码。"
        ) from None


def _chunks(source: Path) -> Iterator[bytes]:
    """Whole lines, many at a time. A newline byte is never part of another character."""
    rest = b""
    with source.open("rb") as handle:
        while block := handle.read(_CHUNK):
            block = rest + block
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if end:
                yield block[:end]
            if len(rest) > _LONGEST_LINE:
                raise Held(
                    f"文件 {source.name} 有一行超过 {_LONGEST_LINE >> 20} MB，不是按行的 CSV。"
                    "处理办法：每条记录一行，重新导出。"
                )
    if rest:
        yield rest


def _check_header(header: bytes, encoding: str, name: str, contract: DatasetContract) -> None:
    expected = [c.header for c in contract.columns] + [RECORD_STATUS]
    try:
        text = canonical_text(header.decode(encoding)).removeprefix("\ufeff").rstrip("\r")
    except UnicodeDecodeError:
        raise Held(
            f"文件 {name} 第 1 行（表头）不是 {encoding} 编码。处理办法：重新导出。"
        ) from None
    try:
        found = next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise Held(
            f"文件 {name} 第 1 行（表头）的引号或换行不合 CSV 格式。处理办法：重新导出。"
        ) from None
    if found == expected:
        return
    unknown = [h for h in found if h not in expected]
    lost = [h for h in expected if h not in found]
    parts = []
    for header_text in unknown:
        near = nearest_name(header_text, lost or expected)
        parts.append(f"多出列“{header_text}”" + (f"（是不是“{near}”？）" if near else ""))
    parts += [f"缺少列“{h}”" for h in lost]
    parts += [f"列“{h}”出现两次" for h in dict.fromkeys(found) if found.count(h) > 1]
    parts = parts or ["列的顺序变了"]
    raise Held(
        f"文件 {name} 第 1 行（表头）与《{contract.title}》的数据契约不符：{'；'.join(parts)}。"
        f"处理办法：按契约的列重新导出（{'、'.join(expected)}），或先修订契约。"
    )


def _clean_chunk(
    chunk: bytes, encoding: str, line_no: int, width: int, clean: CleanFile, out: BinaryIO
) -> int:
    """Write the good records of whole lines; return the number of the last line seen."""
    lines = _decoded_lines(chunk, encoding)
    good: list[str] = []
    commas = width - 1
    for offset, line in enumerate(lines, start=line_no + 1):
        if line is None:
            clean.bad.append(BadLine(offset, "encoding"))
        elif len(line) > MAX_LINE:
            clean.bad.append(BadLine(offset, "too_long"))
        elif '"' not in line and line.count(",") == commas:
            good.append(f"{offset},{line}\n")
        else:
            _clean_odd_line(offset, line, width, clean, good)
    text = "".join(good)
    content = text.encode()
    if may_be_forbidden(content):
        text = "".join(_without_forbidden(good, clean))
        content = text.encode()
    out.write(content)
    clean.blanks.update(blank for blank in _BLANKS if blank in text)
    clean.records += len(lines)
    return line_no + len(lines)


def may_be_forbidden(content: bytes) -> bool:
    """Tell whether UTF-8 bytes may hold a forbidden character; False is certain.

    A tenth of the cost of asking each character, and nearly every stretch has none.
    """
    if content.translate(None, _HARMLESS):
        return True
    # U+F000 to U+FFFF begin with EF, and so does every full-width comma: look at what follows.
    found = np.frombuffer(content, np.uint8)
    places = np.flatnonzero(found == 0xEF)
    second, third = found[places + 1], found[places + 2]
    return bool(((second <= 0xA3) | ((second == 0xBF) & (third == 0xBD))).any())


def _decoded_lines(chunk: bytes, encoding: str) -> list[str | None]:
    """Lines without their ends; None where a line is not text in the encoding.

    A stretch with a bad line is halved until the line stands alone, so that a file in another
    encoding than stated costs little more than a good one.
    """
    try:
        return _split(chunk, encoding)
    except UnicodeDecodeError:
        pass
    middle = chunk.find(b"\n", len(chunk) // 2, -1) + 1 or chunk.rfind(b"\n", 0, -1) + 1
    if not middle:
        return [None]
    return _decoded_lines(chunk[:middle], encoding) + _decoded_lines(chunk[middle:], encoding)


def _split(chunk: bytes, encoding: str) -> list[str | None]:
    lines: list[str | None] = [*canonical_text(chunk.decode(encoding)).split("\n")]
    if not lines[-1]:
        lines.pop()
    return (
        [line.removesuffix("\r") for line in lines if line is not None] if b"\r" in chunk else lines
    )


def _clean_odd_line(line_no: int, line: str, width: int, clean: CleanFile, good: list[str]) -> None:
    """A line with quotes, with another number of columns, or blank."""
    if not line.strip():
        clean.bad.append(BadLine(line_no, "blank_line"))
        return
    if _FORBIDDEN.search(line):
        clean.bad.append(BadLine(line_no, "character"))
        return
    try:
        cells = next(csv.reader([line], strict=True))
    except csv.Error:
        clean.bad.append(BadLine(line_no, "quotes"))
        return
    if len(cells) != width:
        clean.bad.append(BadLine(line_no, "columns", f"应有 {width} 列，实有 {len(cells)} 列"))
        return
    quoted = ",".join('"' + cell.replace('"', '""') + '"' if cell else "" for cell in cells)
    good.append(f"{line_no},{quoted}\n")


def _without_forbidden(good: list[str], clean: CleanFile) -> Iterator[str]:
    for line in good:
        if _FORBIDDEN.search(line):
            clean.bad.append(BadLine(int(line.partition(",")[0]), "character"))
        else:
            yield line


def _drop_trailing_blank(clean: CleanFile) -> None:
    """An empty last line is how files end, not a record."""
    last = clean.records + 1
    while clean.bad and clean.bad[-1] == BadLine(last, "blank_line"):
        clean.bad.pop()
        clean.records -= 1
        last -= 1
