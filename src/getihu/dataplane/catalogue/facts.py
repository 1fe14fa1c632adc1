"""Loads the fact files of ``facts/``: what each fact means, and the SQL that computes it.

One file per group. ``shape: one`` reads each value from a trader's only row, ``shape: many``
aggregates all his rows. ``absent`` says what no row means where the delivery is complete:
unknown, zero, false, none (there is none), or sql (``absent_sql`` works it out).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from getihu.dataplane.catalogue.documents import Document, read_document
from getihu.dataplane.contracts import (
    DatasetContract,
    FactDeclaration,
    FactState,
    FactType,
    PersonalClass,
)
from getihu.kernel.errors import InvalidInput, Problem, nearest_name
from getihu.reference import selectors as reference

FACTS_DIR: Final = Path(__file__).resolve().parent.parent / "facts"
REGISTRATION: Final = "registration"
"""The group that decides which traders exist, and in which county each one is."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PLACEHOLDER: Final = re.compile(r"\$[a-z_0-9]*")
_VALID_PLACEHOLDER: Final = re.compile(
    r"\$(as_of|last_month)(_minus_[1-9][0-9]?m)?|\$(covered_until|first_month|established_on)"
)
_PLACEHOLDERS: Final = (
    "$as_of",
    "$last_month",
    "$covered_until",
    "$first_month",
    "$established_on",
)
_NEEDS_UNIT: Final = {FactType.INTEGER, FactType.MONEY, FactType.DECIMAL}
_GROUP_KEYS: Final = {
    "group": True,
    "label": True,
    "dataset": True,
    "shape": True,
    "null_means": True,
    "facts": True,
    "relation": False,
    "recorded_on": False,
}
_FACT_KEYS: Final = {
    "name": True,
    "label": True,
    "type": True,
    "value": True,
    "absent": True,
    "personal": True,
    "unit": False,
    "null_means": False,
    "description": False,
    "values": False,
    "absent_sql": False,
    "consent": False,
    "may_be_negative": False,
}


class Absent(StrEnum):
    """What it means for a fact that a complete delivery holds no record of the trader."""

    UNKNOWN = "unknown"
    ZERO = "zero"
    FALSE = "false"
    NONE = "none"  # there is none: a date or text without value
    SQL = "sql"


_ABSENT_FITS: Final = {
    Absent.ZERO: {FactType.INTEGER, FactType.MONEY, FactType.DECIMAL},
    Absent.FALSE: {FactType.BOOLEAN},
    Absent.NONE: {FactType.DATE, FactType.TEXT, FactType.ENUM, FactType.CODE, FactType.INTEGER}
    | {FactType.DECIMAL},
}


@dataclass(frozen=True)
class FactDefinition:
    """One declared fact with its SQL. ``line`` is where it begins in its file."""

    declaration: FactDeclaration
    value: str
    absent: Absent
    absent_sql: str | None
    line: int

    @property
    def name(self) -> str:
        return self.declaration.name

    @property
    def needs_rows(self) -> bool:
        """False for a fact that is worked out the same way with a record and without."""
        return self.value != self.absent_sql

    @property
    def state_without_record(self) -> FactState:
        return FactState.MISSING if self.absent is Absent.UNKNOWN else FactState.ABSENT


@dataclass(frozen=True)
class FactGroup:
    """The facts of one dataset, computed together: one row per trader.

    ``recorded_on`` is the date of the record that speaks, by default the newest one's.
    ``relation`` is SQL over ``rows`` (the rows that count on the as-of date); None takes them all.
    """

    name: str
    label: str
    contract: DatasetContract
    shape: str
    relation: str | None
    recorded_on: str
    facts: tuple[FactDefinition, ...]
    file: str

    @property
    def state_without_record(self) -> FactState:
        """The group's state for a trader without a record: absent if that tells us anything."""
        known = any(f.state_without_record is FactState.ABSENT for f in self.facts)
        return FactState.ABSENT if known else FactState.MISSING

    def sql_texts(self) -> tuple[str, ...]:
        """Every piece of SQL that is computed from the trader's rows."""
        values = (f.value for f in self.facts if f.needs_rows)
        texts = (self.relation, self.recorded_on, *values)
        return tuple(text for text in texts if text)


def load_fact_groups(
    contracts: Mapping[str, DatasetContract], folder: Path = FACTS_DIR
) -> dict[str, FactGroup]:
    """Load every fact file, the registration group first.

    Raises: InvalidInput with every problem found, each with file, line, field and what to do.
    """
    problems: list[Problem] = []
    groups: dict[str, FactGroup] = {}
    for path in sorted(folder.glob("*.yaml"), key=lambda p: (p.stem != REGISTRATION, p.stem)):
        try:
            group = _group(read_document(path), contracts)
        except InvalidInput as error:
            problems += error.problems
        else:
            groups[group.name] = group
    problems += _names_used_twice(groups.values())
    if problems:
        raise InvalidInput(problems)
    return groups


def declarations(groups: Iterable[FactGroup]) -> dict[str, FactDeclaration]:
    """All facts by name, in the order of their groups."""
    return {fact.name: fact.declaration for group in groups for fact in group.facts}


def _group(document: Document, contracts: Mapping[str, DatasetContract]) -> FactGroup:
    content = document.content
    problems = _key_problems(document, content, _GROUP_KEYS, ())
    if problems:
        raise InvalidInput(problems)
    if content["group"] != document.path.stem:
        problems.append(
            document.problem(
                f"事实组名“{content['group']}”与文件名不一致",
                "group",
                fix=f"改为 group: {document.path.stem}",
            )
        )
    problems += _choice(document, content["shape"], ("one", "many"), "shape")
    problems += _choice(document, content["dataset"], contracts, "dataset")
    problems += _placeholders(document, content, "relation")
    problems += _placeholders(document, content, "recorded_on")
    if not isinstance(content["facts"], list) or not content["facts"]:
        problems.append(document.problem("没有列出任何事实", "facts", fix="至少声明一个事实"))
    if problems:
        raise InvalidInput(problems)
    contract = contracts[content["dataset"]]
    definitions = []
    for index in range(len(content["facts"])):
        try:
            definitions.append(_definition(document, index, contract))
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return FactGroup(
        name=content["group"],
        label=content["label"],
        contract=contract,
        shape=content["shape"],
        relation=content.get("relation"),
        recorded_on=content.get("recorded_on") or _recorded_on(content["shape"], contract),
        facts=tuple(definitions),
        file=document.path.name,
    )


def _recorded_on(shape: str, contract: DatasetContract) -> str:
    if shape == "one":
        return "valid_on"
    period = period_column(contract)
    return f"arg_max(valid_on, {period})" if period else "max(valid_on)"


def period_column(contract: DatasetContract) -> str | None:
    """The column that, with the trader's code, is the whole key (None where it is not so)."""
    rest = [column for column in contract.key if column != "trader_code"]
    return rest[0] if len(rest) == 1 and len(contract.key) == 2 else None


def _definition(document: Document, index: int, contract: DatasetContract) -> FactDefinition:
    at: tuple[str | int, ...] = ("facts", index)
    entry = document.content["facts"][index]
    problems = _key_problems(document, entry, _FACT_KEYS, at)
    if problems:
        raise InvalidInput(problems)
    absent = "false" if entry["absent"] is False else entry["absent"]
    problems += _choice(document, entry["type"], FactType, *at, "type")
    problems += _choice(document, entry["personal"], PersonalClass, *at, "personal")
    problems += _choice(document, absent, Absent, *at, "absent")
    problems += _placeholders(document, entry, "value", at)
    problems += _placeholders(document, entry, "absent_sql", at)
    if not _NAME.fullmatch(str(entry["name"])):
        problems.append(
            document.problem(
                f"事实名“{entry['name']}”不合规则", *at, "name", fix="用小写字母、数字和下划线"
            )
        )
    if problems:
        raise InvalidInput(problems)
    kind = FactType(entry["type"])
    problems = _consistency(document, entry, kind, Absent(absent), at)
    if problems:
        raise InvalidInput(problems)
    declaration = FactDeclaration(
        name=entry["name"],
        label=entry["label"],
        type=kind,
        unit=entry.get("unit"),
        group=document.content["group"],
        dataset=contract.id,
        department=contract.department,
        department_name=reference.department_name(contract.department),
        null_means=entry.get("null_means") or document.content["null_means"],
        personal=PersonalClass(entry["personal"]),
        description=entry.get("description", ""),
        values=dict(entry.get("values") or {}),
        consent=entry.get("consent", ""),
        may_be_negative=entry.get("may_be_negative", False) is True,
    )
    return FactDefinition(
        declaration,
        str(entry["value"]),
        Absent(absent),
        entry.get("absent_sql"),
        document.line(*at),
    )


def _consistency(
    document: Document, entry: dict[str, Any], kind: FactType, absent: Absent, at: tuple[Any, ...]
) -> list[Problem]:
    """Problems between the fields of one fact, each valid by itself."""
    problems = []
    if kind in _NEEDS_UNIT and not entry.get("unit"):
        problems.append(
            document.problem(
                f"{kind} 类型的事实没有单位", *at, "unit", fix="写明 unit，如 yuan、count"
            )
        )
    if (kind is FactType.ENUM) != bool(entry.get("values")):
        problems.append(
            document.problem(
                "values 与类型不符", *at, "values", fix="enum 必须列出 values，其他类型不能有"
            )
        )
    if absent in _ABSENT_FITS and kind not in _ABSENT_FITS[absent]:
        problems.append(
            document.problem(
                f"{kind} 类型不能用 absent: {absent}", *at, "absent", fix="改用 unknown"
            )
        )
    if (absent is Absent.SQL) != bool(entry.get("absent_sql")):
        problems.append(
            document.problem(
                "absent_sql 与 absent 不符",
                *at,
                "absent_sql",
                fix="只在 absent: sql 时写 absent_sql",
            )
        )
    return problems


def _key_problems(
    document: Document, content: Any, keys: Mapping[str, bool], at: tuple[str | int, ...]
) -> list[Problem]:
    if not isinstance(content, dict):
        return [document.problem("应当是“名称: 值”的对照", *at, fix="见同目录其他文件的写法")]
    unknown = [key for key in content if key not in keys]
    misspelt = {nearest_name(key, keys) for key in unknown}
    problems = [
        document.problem(f"没有名为“{key}”的项", *at, key, fix=_suggest(key, keys))
        for key in unknown
    ]
    problems += [
        document.problem(f"缺少“{key}”", *at, key, fix=f"补上 {key}")
        for key, required in keys.items()
        if required and content.get(key) in (None, "") and key not in misspelt
    ]
    return problems


def _choice(document: Document, value: Any, valid: Iterable[str], *at: str | int) -> list[Problem]:
    names = [str(name) for name in valid]
    if str(value) in names:
        return []
    return [document.problem(f"不认识“{value}”", *at, fix=_suggest(str(value), names))]


def _placeholders(
    document: Document, entry: dict[str, Any], field: str, at: tuple[str | int, ...] = ()
) -> list[Problem]:
    return [
        document.problem(
            f"没有名为“{found}”的代入项", *at, field, fix=_suggest(found, _PLACEHOLDERS)
        )
        for found in _PLACEHOLDER.findall(str(entry.get(field) or ""))
        if not _VALID_PLACEHOLDER.fullmatch(found)
    ]


def _suggest(name: str, valid: Iterable[str]) -> str:
    names = list(valid)
    near = nearest_name(name, names)
    return f"改为“{near}”" if near else f"可用的有：{'、'.join(names)}"


def _names_used_twice(groups: Iterable[FactGroup]) -> list[Problem]:
    seen: dict[str, FactGroup] = {}
    problems = []
    for group in groups:
        for fact in group.facts:
            if fact.name in seen:
                other = seen[fact.name].file
                problems.append(
                    Problem(
                        f"事实“{fact.name}”在 {other} 中已经声明",
                        group.file,
                        fact.line,
                        field="name",
                        fix="换一个名称",
                    )
                )
            seen.setdefault(fact.name, group)
    return problems
