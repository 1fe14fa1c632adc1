"""Loads the contract files of ``datasets/``, one per kind of delivery."""

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


@lru_cache
def load_contracts(folder: Path = DATASETS_DIR) -> dict[str, DatasetContract]:
    """Return dataset id → contract, by id.

    Raises: InvalidInput with every problem of every file.
    """
    problems: list[Problem] = []
    contracts: dict[str, DatasetContract] = {}
    for path in sorted(folder.glob("*.yaml")):
        document = read_document(path)
        found = _problems(document)
        if not found:
            contract = _contract(document.content)
            contracts[contract.id] = contract
        problems += found
    if problems:
        raise InvalidInput(problems)
    return contracts


def _problems(document: Document) -> list[Problem]:
    content = document.content
    if not isinstance(content, dict):
        return [document.problem("不是一份数据契约", fix="参照同目录的其他契约文件")]
    problems = _key_problems(document, content, (), _TOP_KEYS, _OPTIONAL)
    if problems:
        return problems
    problems += _choice(document, "kind", KINDS)
    problems += _choice(document, "cadence", tuple(CADENCES))
    departments = tuple(d.code for d in reference.list_departments())
    problems += _choice(document, "department", departments)
    if content["id"] != document.path.stem:
        problems.append(document.problem("id 与文件名不同", "id", fix=f"改为 {document.path.stem}"))
    for index, column in enumerate(content["columns"]):
        place = ("columns", index)
        found = _key_problems(document, column, place, _COLUMN_KEYS, _COLUMN_OPTIONAL)
        problems += found or _column_problems(document, column, place)
    if problems:
        return problems
    names = [column["name"] for column in content["columns"]]
    for name in [*content["key"], content["valid_on"], "trader_code"]:
        if name not in names:
            problems.append(_unknown(document, "列", name, names, "key"))
    return problems


def _column_problems(
    document: Document, column: dict[str, Any], place: tuple[str | int, ...]
) -> list[Problem]:
    problems = _choice(document, "type", tuple(COLUMN_TYPES), column, place)
    problems += _choice(document, "personal", tuple(PersonalClass), column, place)
    if column["type"] == "enum" and not column.get("values"):
        problems.append(document.problem("枚举列没有 values", *place, fix="写出每个取值和标签"))
    if not column["required"] and not column.get("null_means"):
        problems.append(document.problem("可空的列没有说明空值含义", *place, fix="补 null_means"))
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
