"""Figures for others' programs: as tables (CSV, Parquet, XLSX), as SDMX for statistical offices, and
their catalogue in DCAT. Withheld figures stand in all of them without numbers."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook
from openpyxl.styles import Font
from pysdmx.io import write_sdmx
from pysdmx.io.format import Format
from pysdmx.model import (
    Code,
    Codelist,
    Component,
    Components,
    Concept,
    ConceptScheme,
    Dataflow,
    DataStructureDefinition,
    DataType,
    ItemReference,
    Organisation,
    Role,
)
from pysdmx.model.message import Header

from getihu.insight.catalogue.comparing import CITY
from getihu.insight.catalogue.definitions import Indicator, list_indicators
from getihu.insight.contracts import FigureView
from getihu.insight.selectors.figures import list_figures
from getihu.kernel.text import safe_cell
from getihu.reference import selectors as reference

AGENCY: Final = "WENZHOU_AMR"
FLOW: Final = "SOLE_TRADERS"
VERSION: Final = "1.0"
# SDMX's own list of units has none for households; the codes are ours, the labels as on the pages.
UNITS: Final = {"%": "PT", "元": "CNY", "人": "PS", "户": "HOUSEHOLDS"}
# Of SDMX's code list CL_OBS_STATUS.
STATUSES: Final = {"A": "正常", "M": "没有可以除的数", "Q": "不单列", "E": "估计"}
_DIMENSIONS: Final = ("INDICATOR", "REF_AREA", "TIME_PERIOD")
_ATTRIBUTES: Final = (
    "UNIT_MEASURE", "OBS_STATUS", "LOWER", "UPPER", "UNKNOWN", "DEFINITION_VERSION", "DIGEST",
)  # fmt: skip
COLUMNS: Final = (
    ("指标", pa.string()), ("版本", pa.int32()), ("日期", pa.date32()), ("地区", pa.string()),
    ("值", pa.float64()), ("单位", pa.string()), ("分子", pa.decimal128(22, 2)),
    ("分母", pa.decimal128(22, 2)), ("未知", pa.decimal128(22, 2)), ("区间低", pa.float64()),
    ("区间高", pa.float64()), ("不单列", pa.bool_()), ("摘要", pa.string()),
)  # fmt: skip
Row = tuple[Any, ...]


def rows_of(indicator: Indicator, figures: Iterable[FigureView]) -> list[Row]:
    """A row per day, in the order of COLUMNS; None where there is no number or it is withheld."""
    return [
        (
            indicator.id, indicator.version, each.as_of, each.division, each.value, indicator.unit,
            None if each.is_withheld else each.part, each.whole, each.unknown, each.low, each.high,
            each.is_withheld, each.digest,
        )
        for each in figures
    ]  # fmt: skip


def as_csv(rows: Sequence[Row]) -> bytes:
    """UTF-8 with a mark for spreadsheets; nothing in it is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(name for name, _ in COLUMNS)
    writer.writerows([safe_cell(_text(cell)) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_parquet(rows: Sequence[Row]) -> bytes:
    """Typed columns, money and counts as exact decimals."""
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    table = pa.table(
        {name: pa.array(cells, kind) for (name, kind), cells in zip(COLUMNS, columns, strict=True)}
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def as_xlsx(rows: Sequence[Row]) -> bytes:
    """A spreadsheet: numbers are numbers, days are days, and no text is taken for a formula."""
    book = Workbook(write_only=False)
    sheet = book.active
    assert sheet is not None
    sheet.title = "监测指标"
    sheet.append([name for name, _ in COLUMNS])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WRITERS: Final[dict[str, tuple[Callable[[Sequence[Row]], bytes], str]]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
    "xlsx": (
        as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}  # fmt: skip


def sdmx_structure(at: datetime) -> str:
    """The code lists, concepts and structure of the figures as SDMX-ML 3.0."""
    lists = _code_lists()
    kinds = {
        "INDICATOR": ("指标", lists["CL_INDICATOR"]), "REF_AREA": ("地区", lists["CL_AREA"]),
        "TIME_PERIOD": ("日期", DataType.DATE), "OBS_VALUE": ("值", DataType.DOUBLE),
        "UNIT_MEASURE": ("单位", lists["CL_UNIT"]), "OBS_STATUS": ("状态", lists["CL_OBS_STATUS"]),
        "LOWER": ("区间低", DataType.DOUBLE), "UPPER": ("区间高", DataType.DOUBLE),
        "UNKNOWN": ("未知户数", DataType.DECIMAL),
        "DEFINITION_VERSION": ("定义版本", DataType.INTEGER), "DIGEST": ("摘要", DataType.STRING),
    }  # fmt: skip
    concepts = [
        Concept(
            name, name=label, **({"codes": kind} if isinstance(kind, Codelist) else {"dtype": kind})
        )
        for name, (label, kind) in kinds.items()
    ]
    scheme = ConceptScheme(
        f"CS_{FLOW}", name="个体工商户监测的概念", version=VERSION, agency=AGENCY, items=concepts
    )
    structure = DataStructureDefinition(
        f"DSD_{FLOW}", name="个体工商户监测指标", version=VERSION, agency=AGENCY,
        components=Components([_component(each) for each in concepts]),
    )  # fmt: skip
    flow = Dataflow(
        f"DF_{FLOW}", name="个体工商户监测指标", version=VERSION, agency=AGENCY, structure=structure
    )
    written = write_sdmx(
        [*lists.values(), scheme, structure, flow], Format.STRUCTURE_SDMX_ML_3_0,
        header=Header(id=f"{FLOW}_{VERSION}".replace(".", "_"), prepared=at, sender=Organisation(AGENCY)),
    )  # fmt: skip
    assert written is not None
    return written


def sdmx_csv() -> bytes:
    """Every figure of every place and day as SDMX-CSV 2.0."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        ("STRUCTURE", "STRUCTURE_ID", "ACTION", *_DIMENSIONS, "OBS_VALUE", *_ATTRIBUTES)
    )
    places = [CITY, *(county.code for county in reference.list_counties())]
    for indicator in list_indicators():
        for place in places:
            for each in list_figures(indicator.id, place):
                cells = (
                    "dataflow", f"{AGENCY}:DF_{FLOW}({VERSION})", "I", _code(indicator.id), place,
                    each.as_of, each.value, _unit(indicator.unit), _status(each), each.low,
                    each.high, each.unknown, indicator.version, each.digest,
                )  # fmt: skip
                writer.writerow(_text(cell) for cell in cells)
    return out.getvalue().encode("utf-8")


def dcat(base: str) -> dict[str, Any]:
    """The catalogue of the figures as DCAT 3 in JSON-LD. ``base``: address of ``/insight/``."""
    publisher = {"@type": "foaf:Agent", "foaf:name": _zh("温州市市场监督管理局")}
    datasets = [
        {
            "@id": f"{base}{each.id}/",
            "@type": "dcat:Dataset",
            "dct:identifier": f"{each.id}@{each.version}",
            "dct:title": _zh(each.title),
            "dct:description": _zh(each.definition),
            "dct:publisher": publisher,
            "dcat:theme": [_zh(level) for level in each.path],
            "dct:accrualPeriodicity": {
                "@id": "http://publications.europa.eu/resource/authority/frequency/DAILY"
            },
            "dct:conformsTo": {"@id": f"{base}open/structure.xml"},
            "dcat:landingPage": {"@id": f"{base}{each.id}/"},
            "dcat:distribution": [
                {
                    "@id": f"{base}{each.id}/figures.{kind}",
                    "@type": "dcat:Distribution",
                    "dcat:accessURL": {"@id": f"{base}{each.id}/"},
                    "dcat:downloadURL": {"@id": f"{base}{each.id}/figures.{kind}"},
                    "dcat:mediaType": media.partition(";")[0],
                    "dct:format": kind.upper(),
                }
                for kind, (_, media) in WRITERS.items()
            ],
        }
        for each in list_indicators()
    ]
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
        },
        "@graph": [
            {
                "@id": f"{base}open/",
                "@type": "dcat:Catalog",
                "dct:title": _zh("个体工商户监测指标"),
                "dct:description": _zh("方案的目标和监测指标，逐月、分县（市、区）。"),
                "dct:publisher": publisher,
                "dcat:dataset": [{"@id": each["@id"]} for each in datasets],
            },
            *datasets,
        ],
    }


def _code_lists() -> dict[str, Codelist]:
    indicators = list_indicators()
    items = {
        "CL_INDICATOR": (
            "监测指标",
            [Code(_code(e.id), name=e.title, description=e.definition) for e in indicators],
        ),
        "CL_AREA": (
            "温州市和各县（市、区），GB/T 2260",
            [Code(CITY, name="温州市")]
            + [Code(county.code, name=county.name) for county in reference.list_counties()],
        ),
        "CL_UNIT": (
            "单位",
            [Code(_unit(u), name=u) for u in dict.fromkeys(each.unit for each in indicators)],
        ),
        "CL_OBS_STATUS": ("状态", [Code(code, name=label) for code, label in STATUSES.items()]),
    }
    return {
        name: Codelist(name, name=title, version=VERSION, agency=AGENCY, items=codes)
        for name, (title, codes) in items.items()
    }


def _component(concept: Concept) -> Component:
    role = Role.ATTRIBUTE
    if concept.id in _DIMENSIONS:
        role = Role.DIMENSION
    elif concept.id == "OBS_VALUE":
        role = Role.MEASURE
    return Component(
        concept.id, role is Role.DIMENSION or concept.id == "OBS_STATUS", role,
        ItemReference("Concept", AGENCY, f"CS_{FLOW}", VERSION, concept.id),
        local_codes=concept.codes, local_dtype=concept.dtype,
        attachment_level="O" if role is Role.ATTRIBUTE else None,
    )  # fmt: skip


def _status(figure: FigureView) -> str:
    if figure.is_withheld:
        return "Q"
    if figure.value is None:
        return "M"
    return "A" if figure.low is None else "E"


def _code(indicator_id: str) -> str:
    return indicator_id.replace(".", "_").upper()


def _unit(unit: str) -> str:
    return UNITS.get(unit) or f"U{ord(unit[0]):X}"


def _zh(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "zh"}


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    return "" if cell is None else str(cell)
