"""Loads the contract files of ``datasets/``, one per kind of delivery."""

import re
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from getihu.dataplane.catalogue.documents import Document, read_document
from getihu.dataplane.contracts import Column, DatasetContract, PersonalClass
from getihu.kernel.errors import InvalidInput, Problem, nearest_name
from getihu.kernel.periods import add_months, month_end
from getihu.reference import selectors as reference

DATASETS_DIR: Final = Path(__file__).resolve().parent.parent / "datasets"
RECORD_STATUS: Final = "记录状态"
"""Header of the last column of every file: 有效, or 撤回 when the department takes a row back."""

COLUMN_TYPES: Final = [
    "credit_code",
    "text",
    "integer",
    "money",
    "decimal",
    "date",
    "month",
    "year",
    "boolean",
    "enum",
    "county",
    "town",
    "industry",
]
KINDS: Final = ("state", "period", "event")
CADENCES: Final = {"monthly": 1, "quarterly": 3, "yearly": 12}
"""Months between two deliveries."""


def next_due(contract: DatasetContract, covered_until: date) -> date:
    """The last day the next delivery may come before this one is late, grace included.

    One cadence on, month end to month end; then the contract's natural days of grace.
    """
    following = add_months(covered_until, CADENCES[contract.cadence])
    if covered_until == month_end(covered_until):
        following = month_end(following)
    return following + timedelta(days=contract.grace_days)


_TOP_KEYS: Final = [
    "id",
    "title",
    "department",
    "kind",
    "cadence",
    "grace_days",
    "key",
    "valid_on",
    "legal_ground",
    "absence",
    "columns",
    "note",
]
_OPTIONAL: Final = {"note"}
_COLUMN_KEYS: Final = [
    "name",
    "header",
    "type",
    "required",
    "personal",
    "unit",
    "null_means",
    "values",
]
_COLUMN_OPTIONAL: Final = {"unit", "null_means", "values"}
_TOP_SHAPES: Final[dict[str, tuple[type, str]]] = {
    "id": (str, "文字"),
    "title": (str, "文字"),
    "department": (str, "文字"),
    "kind": (str, "文字"),
    "cadence": (str, "文字"),
    "grace_days": (int, "整数"),
    "key": (list, "列名的列表"),
    "valid_on": (str, "列名"),
    "legal_ground": (str, "文字"),
    "absence": (str, "文字"),
    "columns": (list, "列的列表"),
}
_COLUMN_SHAPES: Final[dict[str, tuple[type, str]]] = {
    "name": (str, "文字"),
    "header": (str, "文字"),
    "type": (str, "文字"),
    "required": (bool, " true 或 false"),
    "personal": (str, "文字"),
    "unit": (str, "文字"),
    "null_means": (str, "文字"),
    "values": (dict, "取值: 标签"),
}
_IDENTIFIER: Final = re.compile("[a-z][a-z0-9_]{0,40}")
# What the platform adds to every stored row.
_RESERVED: Final = {
    "record_status",
    "record_status_text",
    "known_at",
    "delivery_id",
    "line_no",
    "file_no",
    "file",
    "is_bad",
}


@lru_cache
def load_contracts(folder: Path = DATASETS_DIR) -> dict[str, DatasetContract]:
    """Return dataset id → contract, by id.

    Raises: InvalidInput with every problem of every file.
    """
    problems: list[Problem] = []
    contracts: dict[str, DatasetContract] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = read_document(path)
        except InvalidInput as unreadable:
            problems += unreadable.problems
            continue
        found = _problems(document)
        if not found:
            contract = _contract(document.content)
            contracts[contract.id] = contract
        problems += found
    if problems:
        raise InvalidInput(problems)
    return contracts


def _problems(document: Document) -> list[Problem]:
    """Everything wrong with one file: its shape first, and only then what the values mean."""
    content = document.content
    if not isinstance(content, dict):
        return [document.problem("不是一份数据契约", fix="参照同目录的其他契约文件")]
    problems = _key_problems(document, content, (), _TOP_KEYS, _OPTIONAL)
    problems += _shape_problems(document, content, (), _TOP_SHAPES)
    if problems:
        return problems
    for index, column in enumerate(content["columns"]):
        place = ("columns", index)
        if not isinstance(column, dict):
            problems.append(document.problem("列应写成 {name: …, header: …}", *place))
            continue
        problems += _key_problems(document, column, place, _COLUMN_KEYS, _COLUMN_OPTIONAL)
        problems += _shape_problems(document, column, place, _COLUMN_SHAPES)
    if problems:
        return problems
    problems += _choice(document, "kind", KINDS)
    problems += _choice(document, "cadence", tuple(CADENCES))
    departments = tuple(d.code for d in reference.list_departments())
    problems += _choice(document, "department", departments)
    if content["id"] != document.path.stem:
        problems.append(document.problem("id 与文件名不同", "id", fix=f"改为 {document.path.stem}"))
    for index, column in enumerate(content["columns"]):
        problems += _column_problems(document, column, ("columns", index))
    return problems + _repeated(document) + _reference_problems(document)


def _shape_problems(
    document: Document,
    content: dict[str, Any],
    place: tuple[str | int, ...],
    shapes: dict[str, tuple[type, str]],
) -> list[Problem]:
    """Values that are not of the YAML type their key asks for; empty text is none."""
    return [
        document.problem(f"{key} 应为{name}", *place, key, fix=f"改成{name}，不能为空")
        for key, (kind, name) in shapes.items()
        if key in content
        and (type(content[key]) is not kind or (kind in (str, list, dict) and not content[key]))
    ]


def _column_problems(
    document: Document, column: dict[str, Any], place: tuple[str | int, ...]
) -> list[Problem]:
    problems = _choice(document, "type", tuple(COLUMN_TYPES), column, place)
    problems += _choice(document, "personal", tuple(PersonalClass), column, place)
    name, header, values = column["name"], column["header"], column.get("values", {})
    if not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
        fix = f"用小写英文、数字和下划线；{'、'.join(sorted(_RESERVED))} 留给平台"
        problems.append(document.problem(f"不能用作列名：{name}", *place, "name", fix=fix))
    if set(header) & set(',"\r\n') or header != header.strip() or header == RECORD_STATUS:
        fix = f"去掉逗号、引号和空白；“{RECORD_STATUS}”由平台加在最后"
        problems.append(document.problem(f"不能用作表头：{header}", *place, "header", fix=fix))
    if (column["type"] == "enum") != bool(values):
        fix = "枚举列写出每个取值和标签；其他列不写 values"
        problems.append(document.problem("只有枚举列才有 values", *place, fix=fix))
    labels = [*values, *values.values()]
    if not all(isinstance(label, str) for label in labels):
        problems.append(document.problem("取值和标签应为文字", *place, "values", fix="加上引号"))
    elif len(set(values.values())) != len(values):
        problems.append(document.problem("两个取值同一个标签", *place, "values", fix="改其中一个"))
    if not column["required"] and not column.get("null_means"):
        problems.append(document.problem("可空的列没有说明空值含义", *place, fix="补 null_means"))
    return problems


def _repeated(document: Document) -> list[Problem]:
    """Column names and headers that occur a second time."""
    problems = []
    for key in ("name", "header"):
        seen: set[str] = set()
        for index, column in enumerate(document.content["columns"]):
            if column[key] in seen:
                message = f"两列同用 {key} {column[key]}"
                problems.append(document.problem(message, "columns", index, key, fix="改其中一个"))
            seen.add(column[key])
    return problems


def _reference_problems(document: Document) -> list[Problem]:
    """Columns that the rest of the file, or the platform, relies on."""
    content = document.content
    columns = {column["name"]: column for column in content["columns"]}
    wanted: list[tuple[Any, str, tuple[str, ...]]] = [(n, "key", ()) for n in content["key"]]
    wanted.append((content["valid_on"], "valid_on", ("date", "month")))
    wanted.append(("trader_code", "columns", ("credit_code",)))
    problems = []
    for name, place, types in wanted:
        if name not in columns:
            problems.append(_unknown(document, "列", str(name), list(columns), place))
        elif not columns[name]["required"]:
            message = f"{place} 所用的列 {name} 可以为空"
            problems.append(document.problem(message, place, fix="把该列写成 required: true"))
        elif types and columns[name]["type"] not in types:
            message = f"列 {name} 的类型应为 {' 或 '.join(types)}"
            problems.append(document.problem(message, place, fix=f"改 {name} 的 type，或另指一列"))
    kinds = [column["type"] for column in content["columns"]]
    if "town" in kinds and kinds.count("county") != 1:
        message = "有乡镇街道列，就要有且只有一个县区列"
        problems.append(document.problem(message, "columns", fix="补一列 type: county"))
    return problems


def _key_problems(
    document: Document,
    content: dict[str, Any],
    place: tuple[str | int, ...],
    known: list[str],
    optional: set[str],
) -> list[Problem]:
    problems = [
        _unknown(document, "键", key, known, *place, key) for key in content if key not in known
    ]
    problems += [
        document.problem(f"缺少 {key}", *place, fix=f"补上 {key}")
        for key in known
        if key not in content and key not in optional
    ]
    return problems


def _choice(
    document: Document,
    key: str,
    valid: tuple[str, ...],
    content: dict[str, Any] | None = None,
    place: tuple[str | int, ...] = (),
) -> list[Problem]:
    value = (content or document.content)[key]
    return [] if value in valid else [_unknown(document, key, str(value), valid, *place, key)]


def _unknown(document: Document, what: str, name: str, valid: Any, *place: str | int) -> Problem:
    nearest = nearest_name(name, valid)
    fix = f"是不是 {nearest}？" if nearest else f"可用的有：{'、'.join(valid)}"
    return document.problem(f"没有这个{what}：{name}", *place, fix=fix)


def _contract(content: dict[str, Any]) -> DatasetContract:
    return DatasetContract(
        id=content["id"],
        title=content["title"],
        department=content["department"],
        kind=content["kind"],
        cadence=content["cadence"],
        grace_days=content["grace_days"],
        key=tuple(content["key"]),
        valid_on=content["valid_on"],
        legal_ground=content["legal_ground"],
        absence=content["absence"],
        columns=tuple(
            Column(
                name=c["name"],
                header=c["header"],
                type=c["type"],
                required=c["required"],
                personal=PersonalClass(c["personal"]),
                unit=c.get("unit"),
                null_means=c.get("null_means"),
                values=c.get("values") or {},
            )
            for c in content["columns"]
        ),
    )
