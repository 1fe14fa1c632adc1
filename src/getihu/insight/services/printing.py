"""A report on paper: as PDF/A for reading and keeping, as Word for offices that go on writing."""

import io
from pathlib import Path
from typing import Any, Final

from docx import Document
from docx.document import Document as WordFile
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from getihu.insight.models import Report
from getihu.insight.selectors.lines import as_svg
from getihu.insight.selectors.reports import charts_of
from getihu.ui.services import draw_png, print_pdf

TEMPLATE: Final = Path(__file__).parents[1] / "reports" / "report.typ"
# What 党政机关公文格式 (GB/T 9704-2012) sets: 3 号 仿宋 for the text, 黑体 for its headings.
BODY, HEADING = "仿宋", "黑体"


def as_pdf(report: Report) -> bytes:
    """The report as PDF/A-2b; the same report gives the same bytes. Raises FontMissing."""
    drawings = _drawings(report)
    sections = [
        {**section, "drawing": f"chart-{number}.svg" if number in drawings else ""}
        for number, section in enumerate(report.content["sections"])
    ]
    data = {
        **report.content, "sections": sections, "edition": report.edition, "sha256": report.sha256,
        "footnotes": _footnotes(report),
    }  # fmt: skip
    return print_pdf(
        TEMPLATE, data, at=report.made_at,
        drawings={f"chart-{number}.svg": svg for number, svg in drawings.items()},
    )  # fmt: skip


def as_word(report: Report) -> bytes:
    """The report as a Word file, with styles an office can go on with. Raises FontMissing."""
    content = report.content
    paper = Document()
    _set_up(paper)
    title = paper.add_heading(content["title"], level=0)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paper.add_paragraph(
        f"{content['quarter']} · 数据到 {content['until']} · 第 {report.edition} 版 · 送{content['for']}"
    )
    drawings = _drawings(report)
    for number, section in enumerate(content["sections"]):
        paper.add_heading(section["title"], level=1)
        for sentence in section["sentences"]:
            paper.add_paragraph("".join(piece["text"] for piece in sentence))
        if number in drawings:
            paper.add_picture(io.BytesIO(draw_png(drawings[number])), width=Cm(15))
            paper.add_paragraph(f"图：{section['chart']['title']}各月的数，纵轴不从零起。")
    paper.add_heading("方案的目标", level=1)
    _table(
        paper, ("编号", "目标", "要求", "这一季", "到了没有"),
        [(t["number"], t["title"], t["aim"], t["now"], t["met"]) for t in content["targets"]],
    )  # fmt: skip
    counties = content["counties"]
    if counties["head"]:
        paper.add_heading("各县（市、区）", level=1)
        paper.add_paragraph(
            f"按行政区划代码排，不排名；不满 {counties['fewest']} 户的不单列。户数和年报率不在地区之间比较"
            "（促进个体工商户发展条例 第三十二条）。"
        )
        _table(
            paper, ("地区", *counties["head"]),
            [(row["name"], *row["cells"]) for row in counties["rows"]],
        )  # fmt: skip
    paper.add_heading("口径和重算", level=1)
    for each in content["methods"]:
        mark = "（本项目设定，非官方）" if each["unofficial"] else ""
        paper.add_paragraph(
            f"{each['title']}（第 {each['version']} 版）{mark}：{each['definition']} 不得用来："
            f"{each['not_for']} 重算：getihu indicator rerun {each['digest'][:16]}"
        )
    paper.add_paragraph(
        f"这份季报的摘要：{report.sha256}。核对：getihu report check {report.quarter}"
    )
    out = io.BytesIO()
    paper.core_properties.title = content["title"]
    paper.core_properties.author = "个体工商户服务平台"
    paper.core_properties.created = paper.core_properties.modified = report.made_at.replace(
        tzinfo=None
    )
    paper.save(out)
    return out.getvalue()


def _drawings(report: Report) -> dict[int, str]:
    """SVG drawings by the number of their section."""
    sections = report.content["sections"]
    return {n: as_svg(c, sections[n]["chart"]["title"]) for n, c in charts_of(report).items()}


def _footnotes(report: Report) -> list[dict[str, Any]]:
    """What the PDF says of each indicator at the end, with the number its figures carry."""
    return [
        {"number": number, **each} for number, each in enumerate(report.content["methods"], start=1)
    ]


def _set_up(paper: WordFile) -> None:
    section = paper.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin, section.bottom_margin = Cm(3.7), Cm(3.5)
    section.left_margin, section.right_margin = Cm(2.8), Cm(2.6)
    for name, font, size in (
        ("Normal", BODY, 14), ("Title", HEADING, 22), ("Heading 1", HEADING, 16),
    ):  # fmt: skip
        style = paper.styles[name]
        style.font.name, style.font.size = font, Pt(size)
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _table(paper: WordFile, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = paper.add_table(rows=1, cols=len(head), style="Table Grid")
    for cell, words in zip(table.rows[0].cells, head, strict=True):
        cell.text = words
    for row in rows:
        for cell, words in zip(table.add_row().cells, row, strict=True):
            cell.text = words
