"""一图读懂: the reading of a policy as one SVG page, for a phone screen, a wall or a printer.

Only the reading goes in, and only text and lines come out: no script, no address is fetched.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as ET

from getihu.policies.library.reading import Reading

WIDTH: Final = 760
_MARGIN: Final = 40
_HEAD: Final = 112  # where the lines begin, beside their heading
_FONT: Final = "PingFang SC, Hiragino Sans GB, Microsoft YaHei, Noto Sans CJK SC, sans-serif"
_INK, _SOFT, _BRAND, _LINE, _WAITING = "#1b2430", "#5b6470", "#0b5f73", "#dfe3e0", "#8a6d00"
_LONGEST: Final = 40  # lines under one heading; the page itself has them all
# Never the first of a line.
_CLOSING: Final = "，。；：、？！）》”’％%·"
_ISO_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def picture(reading: Reading, *, address: str) -> bytes:
    """The page as an SVG file (UTF-8). ``address`` is printed below it: where the rest is."""
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
    ET.SubElement(root, "title").text = reading.title
    ET.SubElement(root, "desc").text = "；".join(
        f"{head}：{''.join(lines)}" for head, lines in reading.sheet
    )
    page = ET.SubElement(root, "g", {"font-family": _FONT})
    ET.SubElement(page, "rect", width=str(WIDTH), height="100%", fill="#ffffff")
    ET.SubElement(page, "rect", width=str(WIDTH), height="8", fill=_BRAND)
    y = 56
    for line in _wrap(reading.title, 26, WIDTH - 2 * _MARGIN):
        _text(page, line, _MARGIN, y, 26, _BRAND, bold=True)
        y += 38
    for head, lines in reading.sheet:
        y = _section(page, head, lines, y + 10)
    _rule(page, y + 6)
    _text(
        page, f"由规则 {reading.id}（版本 {reading.version}）自动生成，", _MARGIN, y + 34, 13, _SOFT
    )
    _text(page, f"全文、原因和数据：{address}", _MARGIN, y + 54, 13, _SOFT)
    height = y + 78
    root.set("viewBox", f"0 0 {WIDTH} {height}")
    root.set("width", str(WIDTH))
    root.set("height", str(height))
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _section(page: ET.Element, head: str, lines: tuple[str, ...], y: int) -> int:
    """A heading with its lines beside it; returns where the next begins."""
    _rule(page, y - 4)
    y += 26
    waiting = _WAITING if head == "原文不全" else _BRAND
    heads = list(_wrap(head, 16, _HEAD - 24))
    for number, part in enumerate(heads):
        _text(page, part, _MARGIN, y + 24 * number, 16, waiting, bold=True)
    top = y
    shown = [*lines[:_LONGEST], *(["……其余见全文"] if len(lines) > _LONGEST else [])]
    for line in shown:
        colour = _SOFT if line.lstrip("　").startswith("即：") else _INK
        indent = 16 * (len(line) - len(line.lstrip("　")))
        width = WIDTH - _MARGIN - _MARGIN - _HEAD - indent
        for part in _wrap(_dated(line.lstrip("　")), 16, width):
            _text(page, part, _MARGIN + _HEAD + indent, y, 16, colour)
            y += 26
    return max(y, top + 24 * len(heads)) + 2


def _dated(line: str) -> str:
    return _ISO_DATE.sub(lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日", line)


def _wrap(text: str, size: int, width: int) -> Iterator[str]:
    """Lines that fit, counting a Chinese character as ``size`` wide and a Latin one a little over
    half; a closing mark hangs on the line before."""
    line, used = "", 0.0
    for character in text:
        wide = unicodedata.east_asian_width(character) in "WFA"
        step = size * (1.0 if wide else 0.58)
        if line and used + step > width and character not in _CLOSING:
            yield line
            line, used = "", 0.0
        line, used = line + character, used + step
    if line:
        yield line


def _rule(page: ET.Element, y: int) -> None:
    ends = {"x1": str(_MARGIN), "x2": str(WIDTH - _MARGIN), "y1": str(y), "y2": str(y)}
    ET.SubElement(page, "line", {**ends, "stroke": _LINE})


def _text(
    page: ET.Element, text: str, x: int, y: int, size: int, colour: str, *, bold: bool = False
) -> None:
    given = {"x": str(x), "y": str(y), "font-size": str(size), "fill": colour}
    if bold:
        given["font-weight"] = "600"
    ET.SubElement(page, "text", given).text = text
