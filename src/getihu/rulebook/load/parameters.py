"""Reads the parameters of a rule: values with unit and source, and rows where they vary."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.load.document import Document, Located
from getihu.rulebook.load.values import parameter_constant
from getihu.rulebook.model.expressions import (
    And,
    Constant,
    Expression,
    Fact,
    OneOf,
    Or,
    ValueType,
)
from getihu.rulebook.model.rules import SUBJECT_LABELS, DecidingDate, Parameter, ParameterRow
from getihu.rulebook.model.scope import ALWAYS, KIND, in_period, in_region

OURS = "本项目设定，非官方"
_SECTION = Fact("industry_section", ValueType.TEXT)
_DIVISION = Fact("industry_division", ValueType.TEXT)
_VALUE_FIX = "日期用 unit: date，文字用 text，是否用 flag，数用 yuan、month 等。"


def read_parameters(
    document: Document,
    located: Located,
    facts: Mapping[str, FactDeclaration],
    decides_on: DecidingDate,
) -> tuple[Parameter, ...]:
    """The parameters that could be read; problems of the others stand in the document."""
    read = (_Reading(document, located, facts, decides_on, name) for name, _ in located.items())
    return tuple(parameter for each in read if (parameter := each.parameter()) is not None)


class _Reading:
    """The reading of one parameter."""

    def __init__(
        self,
        document: Document,
        group: Located,
        facts: Mapping[str, FactDeclaration],
        decides_on: DecidingDate,
        name: str,
    ) -> None:
        self.document = document
        self.group = group
        self.name = name
        self.at: Located = group.value[name]
        self.facts = facts
        self.decides_on = decides_on
        self.field = f"parameters.{name}"

    def parameter(self) -> Parameter | None:
        self._check_name()
        unit = self._text("unit")
        source = self._text("source")
        is_official = self._is_official(source)
        value = self.at.get("value")
        rows = self._rows(unit)
        if not unit or rows is None:
            return None
        constant = self._constant(value, unit, f"{self.field}.value") if value else None
        if value is not None and constant is None:
            return None
        if value is None and not rows:
            return None  # the shape is wrong and already told
        kinds = {row.constant.type for row in rows} | ({constant.type} if constant else set())
        kind = kinds.pop() if len(kinds) == 1 else ValueType.DECIMAL
        return Parameter(
            name=self.name,
            label=self._text("label"),
            value=value.value if value else None,
            unit=unit,
            source=source,
            is_official=is_official,
            constant=Constant(constant.value if constant else None, kind),
            rows=tuple(replace(r, constant=Constant(r.constant.value, kind)) for r in rows),
        )

    def _text(self, key: str) -> str:
        located = self.at.get(key)
        return str(located.value) if located and isinstance(located.value, str) else ""

    def _check_name(self) -> None:
        if self.name in self.facts or self.name in ("as_of", "decided_on"):
            self.document.report(
                f"参数“{self.name}”和事实同名",
                self.group.key_place(self.name),
                "给参数另起一个名字。",
                field=self.field,
            )

    def _is_official(self, source: str) -> bool:
        official = self.at.get("official")
        is_official = official is None or official.value is not False
        if source and source.startswith(OURS) == is_official:
            self.document.report(
                f"参数“{self.name}”的 source 和 official 不一致",
                self.at.get("source"),
                f"自己定的数写 official: false，source 以“{OURS}”开头；有出处的不写 official。",
                field=f"{self.field}.source",
            )
        return is_official

    def _constant(self, value: Located, unit: str, field: str) -> Constant | None:
        constant = None
        if value.value is not None and not isinstance(value.value, dict | list):
            constant = parameter_constant(value.value, unit)
        if constant is None and value.value is not None and unit:
            self.document.report(
                f"参数“{self.name}”的值“{value.written}”和单位 {unit} 不相配",
                value,
                _VALUE_FIX,
                field=field,
            )
        return constant

    # rows

    def _rows(self, unit: str) -> tuple[ParameterRow, ...] | None:
        by = self.at.get("by")
        if by is None:
            return ()
        read = [self._row(n, row, unit) for n, row in enumerate(by.elements(), 1)]
        rows = tuple(row for row in read if row is not None)
        if len(rows) < len(read):
            return None
        self._check_reach(by, rows)
        return rows

    def _row(self, number: int, located: Located, unit: str) -> ParameterRow | None:
        field = f"{self.field}.by.{number}"
        value = located.get("value")
        if value is None or not isinstance(located.value, dict):
            return None
        constant = self._constant(value, unit, f"{field}.value")
        conditions = self._conditions(located, field)
        if constant is None or conditions is None:
            return None
        source = located.get("source")
        condition = conditions[0][1] if len(conditions) == 1 else _all(c for _, c in conditions)
        return ParameterRow(
            condition=condition,
            constant=constant,
            value=value.value,
            source=str(source.value) if source else self._text("source"),
            where="，".join(words for words, _ in conditions),
        )

    def _conditions(self, located: Located, field: str) -> list[tuple[str, Expression]] | None:
        """What a row asks for, each in words and as a condition; None once a problem was told."""
        found: list[tuple[str, Expression]] = []
        plain = located.plain()
        if "region" in plain:
            found.append((str(plain["region"]), in_region(str(plain["region"]))))
        if "industry" in plain:
            found.append(_industry(plain["industry"]))
        if "subject" in plain:
            kind = str(plain["subject"])
            one = OneOf(KIND, (Constant(kind, ValueType.TEXT),))
            found.append((SUBJECT_LABELS.get(kind, kind), one))
        period = self._period(located, plain, field)
        if period is None:
            return None
        if period[1] != ALWAYS:
            found.append(period)
        if not found:
            self.document.report(
                f"参数“{self.name}”的这一行没有写对谁、何时",
                located,
                "写 region、industry、subject、year 或 from/until；处处一样的写成 value。",
                field=field,
            )
            return None
        return found

    def _period(
        self, located: Located, plain: Mapping[str, Any], field: str
    ) -> tuple[str, Expression] | None:
        ends = [located.get(key) for key in ("from", "until")]
        start, end = (each.value if each else None for each in ends)
        if "year" in plain and isinstance(plain["year"], int):
            start, end = date(plain["year"], 1, 1), date(plain["year"] + 1, 1, 1)
        start = start if isinstance(start, date) else None
        end = end if isinstance(end, date) else None
        if start and end and end <= start:
            self.document.report(
                "until 不晚于 from，这一行永远用不到",
                located.get("until") or located,
                "until 写不再适用的第一天。",
                field=f"{field}.until",
            )
            return None
        words = f"自 {start} 起" if start else ""
        words += f"到 {end} 前" if end else ""
        return words, in_period(self.decides_on.expression, start, end)

    def _check_reach(self, by: Located, rows: tuple[ParameterRow, ...]) -> None:
        """A row under one with the very same condition is never reached."""
        seen: set[Expression] = set()
        for located, row in zip(by.elements(), rows, strict=True):
            if row.condition in seen:
                self.document.report(
                    f"参数“{self.name}”的这一行和前面一行条件相同，永远用不到",
                    located,
                    "删掉这一行，或改它的条件。",
                    field=self.field,
                )
            seen.add(row.condition)


def _all(conditions: Any) -> Expression:
    flat: list[Expression] = []
    for condition in conditions:
        flat += condition.operands if isinstance(condition, And) else (condition,)
    return And(tuple(flat))


def _industry(written: Any) -> tuple[str, Expression]:
    """GB/T 4754: a letter is a section, two digits a division."""
    codes = [str(code) for code in (written if isinstance(written, list) else [written])]
    sections = tuple(Constant(c, ValueType.TEXT) for c in codes if c.isalpha())
    divisions = tuple(Constant(c[-2:], ValueType.TEXT) for c in codes if not c.isalpha())
    parts: list[Expression] = []
    if sections:
        parts.append(OneOf(_SECTION, sections))
    if divisions:
        parts.append(OneOf(_DIVISION, divisions))
    return f"行业 {'、'.join(codes)}", parts[0] if len(parts) == 1 else Or(tuple(parts))
