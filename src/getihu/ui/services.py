"""Printing: a typst template and its data made into a PDF, a drawing made into a picture."""

import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import typst
from django.conf import settings

from getihu.kernel.errors import GetihuError

__all__ = ["CannotPrint", "FontMissing", "draw_png", "print_pdf"]

FAMILIES: Final = ("Noto Serif CJK SC", "Noto Sans CJK SC")
_STANDARD: Final = "a-2b"  # PDF/A-2b: readable in thirty years, fonts inside
_PICTURE: Final = (
    '#set page(width: auto, height: auto, margin: 4pt)\n#image("drawing.svg", width: 16cm)\n'
)


class CannotPrint(GetihuError):
    """A template does not compile with its data; says where."""


class FontMissing(CannotPrint):
    """The fonts that hold every character of a place name are not on this machine."""


def print_pdf(
    template: Path, data: Mapping[str, Any], *, drawings: Mapping[str, str], at: datetime
) -> bytes:
    """A PDF/A-2b of a template (it reads ``data.json``) with some SVG drawings by file name. The
    same input gives the same bytes; ``at`` is the time written into it.

    Raises: FontMissing (a character would be a box, and nothing would say so), CannotPrint.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "main.typ").write_bytes(template.read_bytes())
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
        for file, svg in drawings.items():
            (folder / file).write_text(svg, "utf-8")
        return _compile(folder, at, format="pdf", pdf_standards=[_STANDARD])


def draw_png(svg: str) -> bytes:
    """A drawing as a picture, for files that hold no SVG. Raises as ``print_pdf``."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "main.typ").write_text(_PICTURE, "utf-8")
        (folder / "drawing.svg").write_text(svg, "utf-8")
        return _compile(folder, datetime(2000, 1, 1, tzinfo=UTC), format="png", ppi=200)


def _compile(folder: Path, at: datetime, **how: Any) -> bytes:
    fonts = _fonts(tuple(map(str, settings.FONT_DIRS)))
    missing = [family for family in FAMILIES if family not in fonts.families()]
    if missing:
        raise FontMissing(
            f"这台机器没有字体 {'、'.join(missing)}，地名里的生僻字会印成空框，所以没有印。"
            "处理办法：安装 Debian 软件包 fonts-noto-cjk，或者把字体放进 GETIHU_FONT_DIRS 写的文件夹。"
        )
    compiler = typst.Compiler(folder / "main.typ", root=folder, font_paths=fonts)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", typst.TypstWarning)
            made = compiler.compile(timestamp=int(at.timestamp()), **how)
    except (typst.TypstError, typst.TypstWarning) as error:
        raise CannotPrint(f"排版没有成功：{error}") from error
    assert isinstance(made, bytes)
    return made


@lru_cache(maxsize=2)
def _fonts(folders: tuple[str, ...]) -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=True, include_embedded_fonts=True, font_paths=list(folders)
    )
