"""Writes the SQL of the facts table: one row per trader, from the stored rows of all deliveries.

Pure: deliveries and dates in, SQL text out. The whole city, a range of codes and one trader get
the very same SQL; only the predicate on the trader's code differs, in every CTE that reads files.
One statement per group, laid side by side: a chain of left joins breaks DuckDB's vectors into
crumbs (a row found and a row not found leave in different chunks), which cost most of the time.

How a row comes to count. Of all rows with the same key known by the moment asked, the newest
(known_at, delivery_id, line_no) speaks; if it withdraws, nothing does; it counts when its
``valid_on`` is not after the as-of date. A state (registrations) is different: of the versions
valid and known by then, the latest by (valid_on, known_at, delivery_id, line_no) speaks.
"""

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from getihu.dataplane.catalogue.contracts import next_due
from getihu.dataplane.catalogue.facts import (
    REGISTRATION,
    Absent,
    FactDefinition,
    FactGroup,
    period_column,
)
from getihu.dataplane.contracts import DatasetContract, FactState, FactType
from getihu.kernel.periods import add_months

SQL_TYPES: Final = {
    FactType.BOOLEAN: "BOOLEAN",
    FactType.INTEGER: "BIGINT",
    FactType.MONEY: "DECIMAL(18,2)",
    FactType.DECIMAL: "DECIMAL(18,4)",
    FactType.DATE: "DATE",
    FactType.TEXT: "VARCHAR",
    FactType.ENUM: "VARCHAR",
    FactType.CODE: "VARCHAR",
}
COLUMN_TYPES: Final = {
    "integer": "BIGINT",
    "year": "INTEGER",
    "money": "DECIMAL(18,2)",
    "decimal": "DECIMAL(18,4)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "month": "DATE",
}
"""DuckDB type of a contract column type; every other type is VARCHAR."""
VERSION_COLUMNS: Final = {
    "record_status": "VARCHAR",
    "valid_on": "DATE",
    "known_at": "TIMESTAMP",
    "delivery_id": "VARCHAR",
    "line_no": "INTEGER",
}
_ABSENT_SQL: Final = {Absent.UNKNOWN: "NULL", Absent.NONE: "NULL", Absent.FALSE: "false"} | {
    Absent.ZERO: "0"
}
_COVERAGE: Final = {"covered_until": "DATE", "late": "BOOLEAN"} | {
    "last_month": "DATE",
    "first_month": "DATE",
}
_PLACEHOLDER: Final = re.compile(
    r"\$(?P<name>as_of|last_month|covered_until|first_month|established_on)"
    r"(_minus_(?P<months>[0-9]+)m)?"
)


@dataclass(frozen=True)
class StoredDelivery:
    """A published delivery as the facts see it.

    ``issued_at`` is its known time (aware). ``period_from`` is the first day it is about (None if
    its period does not say). ``rows`` and ``waiting`` are its Parquet files of accepted and of
    quarantined rows, None where there are none.
    """

    delivery_id: str
    dataset: str
    issued_at: datetime
    covers_until: date
    divisions: tuple[str, ...]
    period_from: date | None
    rows: Path | None
    waiting: Path | None

    def covers(self, county_code: str) -> bool:
        """Tell whether it speaks for a county: by its own code, or its city's or province's."""
        return any(
            county_code == division or county_code.startswith(_division_prefix(division))
            for division in self.divisions
        )


@dataclass(frozen=True)
class Codes:
    """Which traders: all (the default), one code, or a half-open range of codes."""

    one: str | None = None
    from_: str | None = None
    until: str | None = None

    @property
    def is_narrowed(self) -> bool:
        return (self.one, self.from_, self.until) != (None, None, None)

    def predicate(self, column: str = "trader_code") -> str:
        if self.one is not None:
            return f"{column} = {_text(self.one)}"
        parts = []
        if self.from_ is not None:
            parts.append(f"{column} >= {_text(self.from_)}")
        if self.until is not None:
            parts.append(f"{column} < {_text(self.until)}")
        return " AND ".join(parts) or "true"


EVERYONE: Final = Codes()


@dataclass(frozen=True)
class Coverage:
    """How far a dataset's deliveries reach for one county, and whether that is too short.

    ``last_month`` is the first day of the last month both delivered and over on the as-of date;
    ``first_month`` the earliest day the deliveries are about.
    """

    covered_until: date | None = None
    late: bool = False
    last_month: date | None = None
    first_month: date | None = None

    @property
    def speaks(self) -> bool:
        """Tell whether a missing record means anything, and a record is still current."""
        return self.covered_until is not None and not self.late


def coverage_of(
    contract: DatasetContract, deliveries: Iterable[StoredDelivery], county_code: str, as_of: date
) -> Coverage:
    """Work out one county's coverage; all None when nothing was ever delivered for it.

    Late means: covered_until + one cadence + the contract's days of grace < as_of.
    """
    mine = [d for d in deliveries if d.dataset == contract.id and d.covers(county_code)]
    if not mine:
        return Coverage()
    until = max(d.covers_until for d in mine)
    next_day = min(until, as_of) + timedelta(days=1)
    starts = [d.period_from for d in mine if d.period_from is not None]
    return Coverage(
        covered_until=until,
        late=next_due(contract, until) < as_of,
        last_month=add_months(next_day.replace(day=1), -1),
        first_month=min(starts, default=None),
    )


@dataclass(frozen=True)
class FactsPlan:
    """The SQL of a facts table, in pieces that fit side by side.

    ``trader`` selects the traders, numbered by code (``n``). Each of ``groups`` reads the relation
    ``trader`` and gives one row per trader in that order: ``n``, then the group's ``columns``.
    So the table is the groups' columns side by side, for the whole city as for one trader.
    """

    trader: str
    groups: dict[str, str]
    columns: dict[str, tuple[str, ...]]

    def in_one_statement(self) -> str:
        """The same as one statement, for reading and for engines that plan it whole."""
        steps = [f"trader AS MATERIALIZED (\n{_indent(self.trader)}\n)"]
        steps += [f"{name} AS (\n{_indent(sql)}\n)" for name, sql in self.groups.items()]
        shown = [f"{name}.{column}" for name in self.groups for column in self.columns[name]]
        first, *others = self.groups
        joins = "".join(f"\n  JOIN {group} ON {group}.n = {first}.n" for group in others)
        return (
            "WITH "
            + ",\n".join(steps)
            + "\nSELECT\n  "
            + ",\n  ".join(shown)
            + f"\nFROM {first}{joins}\nORDER BY {first}.n"
        )


def plan_facts(
    groups: Mapping[str, FactGroup],
    deliveries: Sequence[StoredDelivery],
    counties: Sequence[str],
    *,
    as_of: date,
    known_at: datetime | None = None,
    codes: Codes = EVERYONE,
) -> FactsPlan:
    """Write the SQL of the facts of a date.

    Grain: one row per trader known by ``as_of``; per group state, recorded_on, delivery_id and
    covered_until, then its facts. ``known_at`` leaves out what was issued later (None: nothing).
    ``counties`` are the codes the register may name.
    """
    known = [d for d in deliveries if known_at is None or d.issued_at <= known_at]
    question = _Question(as_of, known_at, codes, tuple(counties))
    parts = [_part(group, known, question) for group in groups.values()]
    return FactsPlan(
        trader=_trader_sql(parts[0]),
        groups={part.name: _group_sql(part) for part in parts},
        columns={part.name: tuple(name for name, _ in _output(part)) for part in parts},
    )


@dataclass(frozen=True)
class _Question:
    as_of: date
    known_at: datetime | None
    codes: Codes
    counties: tuple[str, ...]

    def known(self) -> str:
        """The predicate on a row's known time."""
        if self.known_at is None:
            return "true"
        moment = self.known_at.astimezone(UTC).replace(tzinfo=None)
        return f"known_at <= TIMESTAMP '{moment.isoformat(sep=' ')}'"

    def asked(self) -> str:
        """The predicate on rows of files: known by then, of the traders asked about."""
        return f"{self.known()} AND {self.codes.predicate()}"


@dataclass(frozen=True)
class _Part:
    """One group with what was delivered for it."""

    group: FactGroup
    question: _Question
    files: tuple[Path, ...]
    waiting: tuple[StoredDelivery, ...]
    coverage: dict[str, Coverage]  # by county

    @property
    def name(self) -> str:
        return self.group.name

    @property
    def is_register(self) -> bool:
        return self.name == REGISTRATION

    @property
    def speaking(self) -> list[str]:
        """Counties whose deliveries are there and not late."""
        return [county for county, coverage in self.coverage.items() if coverage.speaks]

    @property
    def always_speaks(self) -> bool:
        return len(self.speaking) == len(self.coverage)

    def differs(self, column: str) -> bool:
        return len({getattr(coverage, column) for coverage in self.coverage.values()}) > 1

    def differing(self) -> list[str]:
        return [column for column in _COVERAGE if self.differs(column)]

    def cover(self, column: str) -> str:
        """SQL of a coverage column: a constant where all counties agree."""
        if self.differs(column):
            return f"coverage.{column}"
        values = {getattr(coverage, column) for coverage in self.coverage.values()} or {None}
        return f"CAST({_constant(values.pop())} AS {_COVERAGE[column]})"

    def outside(self) -> dict[str, str]:
        """Placeholder → SQL where a trader and his coverage are joined."""
        return {name: self.cover(name) for name in _COVERAGE if name != "late"} | {
            "established_on": "trader.registered_on"
        }

    def inside(self) -> dict[str, str]:
        """Placeholder → SQL among the trader's rows: a constant, or a column they carry."""
        return {
            name: name if sql.startswith(("coverage.", "trader.")) else sql
            for name, sql in self.outside().items()
        }

    def carried(self) -> dict[str, str]:
        """The columns the rows must carry beside their own, in a fixed order."""
        text = "\n".join(self.group.sql_texts())
        inside, outside = self.inside(), self.outside()
        return {n: outside[n] for n in outside if inside[n] == n and f"${n}" in text}

    def stored(self) -> str:
        """The stored rows; an empty relation of the same columns where none came."""
        if self.files:
            return f"read_parquet([{', '.join(_text(str(path)) for path in self.files)}])"
        contract = self.group.contract
        columns = {c.name: COLUMN_TYPES.get(c.type, "VARCHAR") for c in contract.columns}
        columns |= VERSION_COLUMNS
        empty = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns.items())
        return f"(SELECT {empty} WHERE false)"


def _part(group: FactGroup, deliveries: Sequence[StoredDelivery], question: _Question) -> _Part:
    mine = [d for d in deliveries if d.dataset == group.contract.id]
    return _Part(
        group,
        question,
        files=tuple(d.rows for d in mine if d.rows),
        waiting=tuple(d for d in mine if d.waiting),
        coverage={
            county: coverage_of(group.contract, mine, county, question.as_of)
            for county in question.counties
        },
    )


def _trader_sql(part: _Part) -> str:
    """The traders there are: the version of each that speaks on the as-of date."""
    key = ", ".join(part.group.contract.key)
    return (
        f"SELECT *, row_number() OVER () AS n FROM (\n"
        f"  SELECT trader_code, county_code, established_on AS registered_on,\n"
        f"  {_indent(_values(part, prefix='f_'))},\n"
        f"    {part.group.recorded_on} AS recorded_on, delivery_id\n"
        f"  FROM (\n"
        f"    SELECT * FROM {part.stored()}\n"
        f"    WHERE {part.question.asked()} AND valid_on <= {_constant(part.question.as_of)}\n"
        f"    QUALIFY row_number() OVER (PARTITION BY {key}"
        f" ORDER BY valid_on DESC, known_at DESC, delivery_id DESC, line_no DESC) = 1\n"
        f"  ) AS newest\n"
        f"  WHERE record_status = 'active'\n"
        f"  ORDER BY trader_code\n"
        f") AS sorted_traders"
    )


def _group_sql(part: _Part) -> str:
    """One row per trader, in the order of their codes: n, then the group's columns."""
    steps = [*_coverage_steps(part), *_held_steps(part)]
    joins = []
    if part.differing():
        joins.append("LEFT JOIN coverage ON coverage.county_code = trader.county_code")
    if part.waiting:
        joins.append("LEFT JOIN held ON held.trader_code = trader.trader_code")
    if not part.is_register:
        steps += _row_steps(part)
        joins.append("LEFT JOIN told ON told.trader_code = trader.trader_code")
    columns = ",\n  ".join(f"{sql} AS {name}" for name, sql in _output(part))
    return (
        (f"WITH {', '.join(steps)}\n" if steps else "")
        + f"SELECT trader.n,\n  {columns}\n"
        + "\n  ".join(["FROM trader", *joins])
        + "\nORDER BY trader.n"
    )


def _coverage_steps(part: _Part) -> list[str]:
    """One row per county with what differs between counties; nothing where nothing does."""
    columns = part.differing()
    if not columns:
        return []
    rows = [
        ", ".join(
            [_text(county)]
            + [f"CAST({_constant(getattr(coverage, c))} AS {_COVERAGE[c]})" for c in columns]
        )
        for county, coverage in part.coverage.items()
    ]
    body = ",\n    ".join(f"({row})" for row in rows)
    return [f"coverage ({', '.join(['county_code', *columns])}) AS (\n  VALUES\n    {body}\n)"]


def _row_steps(part: _Part) -> list[str]:
    """Which rows count, the group's relation over them, and what they tell of each trader."""
    steps, source = [f"counting AS (\n{_counting_rows(part)}\n)"], "counting"
    if part.group.relation:
        source = "relation"
        relation = fill(part.group.relation.strip(), part.question.as_of, part.inside())
        relation = re.sub(r"\brows\b", "counting", relation)
        steps.append(f"relation AS (\n{_indent(relation)}\n)")
    many = part.group.shape == "many"
    by = "\n  GROUP BY " + ", ".join(["trader_code", *part.carried()]) if many else ""
    recorded_on = fill(part.group.recorded_on, part.question.as_of, part.inside())
    steps.append(
        f"told AS (\n"
        f"  SELECT trader_code,\n  {_indent(_values(part))},\n"
        f"    {recorded_on} AS recorded_on,\n"
        f"    {_newest_delivery(part.group) if many else 'delivery_id'} AS delivery_id\n"
        f"  FROM {source}{by}\n)"
    )
    return steps


def _values(part: _Part, prefix: str = "") -> str:
    return ",\n  ".join(
        f"CAST({fill(fact.value, part.question.as_of, part.inside())}"
        f" AS {SQL_TYPES[fact.declaration.type]}) AS {prefix}{fact.name}"
        for fact in part.group.facts
        if fact.needs_rows
    )


def _newest_delivery(group: FactGroup) -> str:
    """The delivery of the newest row; among equals the greatest name, never chance."""
    return f"arg_max(delivery_id, {period_column(group.contract) or '(valid_on, delivery_id)'})"


def _counting_rows(part: _Part) -> str:
    """The newest version of each key, unless withdrawn, not yet valid, held or not covered.

    A key that does not hold the trader's code may move to another trader when corrected, so the
    rows of a narrowed question are chosen by key first and by trader last.
    """
    contract, question = part.group.contract, part.question
    key = ", ".join(contract.key)
    chosen = question.asked()
    if "trader_code" not in contract.key:
        chosen = question.known()
        if question.codes.is_narrowed:
            chosen += (
                f" AND ({key}) IN (SELECT {key} FROM {part.stored()} WHERE {question.asked()})"
            )
    carried = part.carried()
    counting = [
        "record_status = 'active'",
        f"valid_on <= {_constant(question.as_of)}",
        question.codes.predicate("newest.trader_code"),
        *_fresh(part),
    ]
    if part.waiting:
        held = "SELECT 1 FROM held WHERE held.trader_code = newest.trader_code"
        counting.append(f"NOT EXISTS ({held})")
    return (
        f"  SELECT newest.*{''.join(f', {sql} AS {name}' for name, sql in carried.items())}\n"
        f"  FROM (\n"
        f"    SELECT * FROM {part.stored()}\n"
        f"    WHERE {chosen}\n"
        f"    QUALIFY row_number() OVER (PARTITION BY {key}"
        f" ORDER BY known_at DESC, delivery_id DESC, line_no DESC) = 1\n"
        f"  ) AS newest{_trader_joins(part, carried)}\n"
        f"  WHERE {' AND '.join(counting)}"
    )


def _trader_joins(part: _Part, carried: Mapping[str, str]) -> str:
    needs = {sql.split(".")[0] for sql in carried.values()}
    joins = ""
    if needs or _fresh(part):
        joins += "\n  JOIN trader ON trader.trader_code = newest.trader_code"
    if "coverage" in needs:
        joins += "\n  JOIN coverage ON coverage.county_code = trader.county_code"
    return joins


def _held_steps(part: _Part) -> list[str]:
    """Traders with a quarantined row not older than their newest accepted row of the dataset."""
    if not part.waiting:
        return []
    asked = part.question.asked()
    files = ", ".join(_text(str(d.waiting)) for d in part.waiting)
    return [
        # A quarantine file is named for its delivery.
        f"waiting AS (\n"
        f"  SELECT trader_code, max(known_at) AS known_at,"
        f" arg_max(parse_filename(filename, true), (known_at, filename)) AS delivery_id\n"
        f"  FROM read_parquet([{files}], filename = true)\n"
        f"  WHERE {asked} AND trader_code IS NOT NULL\n  GROUP BY trader_code\n)",
        f"held AS (\n"
        f"  SELECT waiting.trader_code, waiting.delivery_id\n"
        f"  FROM waiting LEFT JOIN (\n"
        f"    SELECT trader_code, max(known_at) AS known_at FROM {part.stored()}\n"
        f"    WHERE {asked} AND trader_code IN (SELECT trader_code FROM waiting)\n"
        f"    GROUP BY trader_code\n"
        f"  ) AS accepted ON accepted.trader_code = waiting.trader_code\n"
        f"  WHERE accepted.known_at IS NULL OR waiting.known_at >= accepted.known_at\n)",
    ]


def _output(part: _Part) -> list[tuple[str, str]]:
    """The group's columns and their SQL: its state first, then what follows from it."""
    g = part.name
    source = "trader" if part.is_register else "told"
    recorded_on, delivery = f"{source}.recorded_on", f"{source}.delivery_id"
    if part.is_register:
        recorded_on, delivery = _if_fit(part, recorded_on), _if_fit(part, delivery)
    if part.waiting:
        # A trader of a county without a current delivery is late, not held.
        held = " AND ".join(["held.trader_code IS NOT NULL", *_fresh(part)])
        delivery = f"CASE WHEN {held} THEN held.delivery_id ELSE {delivery} END"
    first = [("trader_code", "trader.trader_code")] if part.is_register else []
    return [
        *first,
        (f"{g}__state", _state(part)),
        (f"{g}__recorded_on", recorded_on),
        (f"{g}__delivery_id", delivery),
        (f"{g}__covered_until", part.cover("covered_until")),
        *((fact.name, _output_value(part, fact)) for fact in part.group.facts),
    ]


def _state(part: _Part) -> str:
    """The state, with only the cases that can happen among the counties asked about."""
    cases = []
    if any(c.covered_until is None for c in part.coverage.values()):
        cases.append(f"WHEN {part.cover('covered_until')} IS NULL THEN '{FactState.UNDELIVERED}'")
    if any(c.late for c in part.coverage.values()):
        cases.append(f"WHEN {part.cover('late')} THEN '{FactState.LATE}'")
    if part.waiting:
        cases.append(f"WHEN held.trader_code IS NOT NULL THEN '{FactState.HELD}'")
    otherwise = FactState.RECORDED
    if not part.is_register:
        cases.append(f"WHEN told.trader_code IS NOT NULL THEN '{FactState.RECORDED}'")
        otherwise = part.group.state_without_record
    return f"CASE {' '.join(cases)} ELSE '{otherwise}' END" if cases else f"'{otherwise}'"


def _fresh(part: _Part) -> list[str]:
    """Predicates for: this trader's county has a delivery that is not late."""
    if part.always_speaks:
        return []
    if not part.speaking:
        return ["false"]
    return [f"trader.county_code IN ({', '.join(map(_text, part.speaking))})"]


def _fit(part: _Part) -> list[str]:
    """Predicates for: recorded or absent, so that the facts may have a value."""
    return _fresh(part) + (["held.trader_code IS NULL"] if part.waiting else [])


def _if_fit(part: _Part, sql: str) -> str:
    fit = _fit(part)
    return f"CASE WHEN {' AND '.join(fit)} THEN {sql} END" if fit else sql


def _output_value(part: _Part, fact: FactDefinition) -> str:
    if part.is_register:
        return _if_fit(part, f"trader.f_{fact.name}")
    filled = fill(fact.absent_sql or "NULL", part.question.as_of, part.outside())
    absent = _ABSENT_SQL.get(fact.absent, filled)
    sql_type = SQL_TYPES[fact.declaration.type]
    if not fact.needs_rows:
        return _if_fit(part, f"CAST({absent} AS {sql_type})")
    # A trader who is late, held or undelivered is not in ``told``, so NULL needs no case.
    if absent == "NULL":
        return f"told.{fact.name}"
    without = " AND ".join(["told.trader_code IS NULL", *_fit(part)])
    return f"CASE WHEN {without} THEN CAST({absent} AS {sql_type}) ELSE told.{fact.name} END"


def fill(sql: str, as_of: date, columns: Mapping[str, str]) -> str:
    """Put dates and columns in the place of $ names."""

    def put(found: re.Match[str]) -> str:
        name, months = found["name"], int(found["months"] or 0)
        if name == "as_of":
            return _constant(add_months(as_of, -months))
        column = columns.get(name, name)
        return f"CAST({column} - INTERVAL {months} MONTH AS DATE)" if months else column

    return _PLACEHOLDER.sub(put, sql)


def _division_prefix(division: str) -> str:
    """The digits that a division's parts share: 3303 for a city, 33 for a province."""
    return division if not division.endswith("00") else division[:4].removesuffix("00")


def _indent(sql: str) -> str:
    return textwrap.indent(sql, "  ")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _constant(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    raise TypeError(f"没有 SQL 写法的值：{type(value).__name__}")
