"""Ad-hoc questions of statisticians to the published datasets: counted and grouped, nobody in them.

A question is put together from names of the contracts, never written as SQL; the SQL it became is
shown. Read-only, limited in rows, memory and time, within the region of whoever asks, and each
question stands in the audit log: several questions side by side can tell more than each alone.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from threading import Timer
from typing import Any, Final

import duckdb
from django.db import transaction

from getihu.accounts.contracts import Actor, Role
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import Column, DatasetContract, PersonalClass
from getihu.insight.catalogue.comparing import CITY, withheld
from getihu.insight.contracts import Choices, Explored, Question
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference

MOST_ROWS: Final = 2_000
MEMORY: Final = "1GB"
SECONDS: Final = 20.0
STATISTICIANS: Final = (Role.COCKPIT_VIEWER, Role.DATA_OFFICER)
# Datasets in which counting is counting traders or annual reports (条例 第三十二条).
COUNTS_TRADERS: Final = ("registrations", "annual_reports")
_GROUPED: Final = ("enum", "boolean", "county", "industry", "date", "month", "integer")
_SUMMED: Final = ("money", "decimal", "integer")
_FREE: Final = (PersonalClass.NONE, PersonalClass.BUSINESS)


class CannotExplore(GetihuError):
    """A question that names what there is not, or what may not be asked; says what to ask."""


def choices(dataset: str) -> Choices:
    """What may be asked of a dataset. Raises CannotExplore for one there is not."""
    contract = _contract(dataset)
    by = {"county": "县（市、区）", "trade": "行业大类"}
    by |= {
        column.name: _heading(column)
        for column in contract.columns
        if column.type in _GROUPED
        and column.personal in _FREE
        and column.name not in ("county_code", "industry_code")
    }
    measures = {"records": "记录数", "households": "户数"}
    for column in contract.columns:
        if column.type in _SUMMED:
            measures |= {
                f"sum:{column.name}": f"{column.header}合计",
                f"mean:{column.name}": f"{column.header}平均",
            }
    filters = {
        column.name: (column.header, dict(column.values))
        for column in contract.columns
        if column.values and column.personal in _FREE
    }
    return Choices(contract.id, contract.title, contract.legal_ground, by, measures, filters)


def explore(question: Question, *, by: Actor, at: datetime) -> Explored:
    """The answer, groups of fewer than ten households without numbers, and as many more as it takes
    that none follows from the sums along a row, a column or the whole.

    Raises: CannotExplore (not such a question, too long, outside the right), NothingPublished.
    """
    places = by.scope(*STATISTICIANS).divisions
    if not places:
        raise CannotExplore("查询公布的数据集要有数据管理人员或者市政府办公室的职务。")
    offered = choices(question.dataset)
    _check(question, offered)
    snapshot = dataplane.get_published_snapshot()
    sql = _sql(question, places)
    body = {
        "dataset": question.dataset, "by": list(question.by), "measure": question.measure,
        "where": f"{question.column}={question.value}" if question.column else "",
        "snapshot": snapshot.snapshot_id,
    }  # fmt: skip
    with transaction.atomic():  # a question that is not noted is not answered
        audit.record(
            AuditEvent(
                "insight.explored", f"account:{by.account_id}", f"dataset:{question.dataset}", at,
                body,
            )
        )  # fmt: skip
    rows = _run(question.dataset, snapshot.snapshot_id, sql)
    untold = _untold([(tuple(row[:-2]), Decimal(row[-2])) for row in rows])
    labelled = [
        (*(_label(question, name, cell) for name, cell in zip(question.by, row, strict=False)),
         None if tuple(row[:-2]) in untold else row[-2],
         None if tuple(row[:-2]) in untold else _number(row[-1]))
        for row in rows
    ]  # fmt: skip
    digest = hashlib.sha256(f"{snapshot.snapshot_id}\n{sql}".encode()).hexdigest()
    return Explored(
        question,
        tuple(offered.by[name] for name in question.by),
        offered.measures[question.measure],
        tuple(labelled),
        len(untold),
        sql,
        snapshot.snapshot_id,
        snapshot.data_until,
        digest,
    )


def _check(question: Question, offered: Choices) -> None:
    strange = [name for name in question.by if name not in offered.by]
    if strange or not 1 <= len(question.by) <= 2 or len(set(question.by)) != len(question.by):
        raise CannotExplore("分组要选一项或者两项，从列表里选，不重复。")
    if question.measure not in offered.measures:
        raise CannotExplore("没有这个统计量。处理办法：从列表里选。")
    if question.column:
        if question.column not in offered.filters:
            raise CannotExplore("不能按这一列筛选。处理办法：从列表里选。")
        if question.value not in offered.filters[question.column][1]:
            raise CannotExplore("筛选的值不在列表里。")
    counting = question.measure in ("records", "households")
    if counting and "county" in question.by and question.dataset in COUNTS_TRADERS:
        raise CannotExplore(
            "户数和年报数不在县（市、区）之间比较：促进个体工商户发展条例 第三十二条。"
            "处理办法：不按地区分组，或者看金额和比例。"
        )


def _contract(dataset: str) -> DatasetContract:
    found = dataplane.dataset_contracts().get(dataset)
    if found is None:
        raise CannotExplore("没有这个数据集。处理办法：从列表里选。")
    return found


def _heading(column: Column) -> str:
    return f"{column.header}（按月）" if column.type in ("date", "month") else column.header


def _sql(question: Question, places: frozenset[str]) -> str:
    """One SELECT over ``records`` (the dataset) and ``register``; names come from the contract."""
    contract = _contract(question.dataset)
    groups = [f"{_group(contract, name)} AS g{n}" for n, name in enumerate(question.by)]
    kind, _, column = question.measure.partition(":")
    measure = {
        "records": "count(*)", "households": "count(DISTINCT d.trader_code)",
        "sum": f"sum(d.{column})", "mean": f"avg(d.{column})",
    }[kind]  # fmt: skip
    wanted = [f"d.{question.column} = '{question.value}'"] if question.column else []
    if not any(CITY.startswith(place) or place == CITY for place in places):
        within = " OR ".join(f"r.county_code = '{place[:6]}'" for place in sorted(places))
        wanted.append(f"({within})")
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    named = ", ".join(f"g{n}" for n in range(len(groups)))
    return (
        f"SELECT {', '.join(groups)}, count(DISTINCT d.trader_code) AS households,"
        f" {measure} AS measure FROM records d LEFT JOIN register r USING (trader_code){where}"
        f" GROUP BY {named} ORDER BY {named} LIMIT {MOST_ROWS + 1}"
    )


def _group(contract: DatasetContract, name: str) -> str:
    if name == "county":
        return "r.county_code"
    if name == "trade":
        return "left(r.industry_code, 2)"
    column = contract.column(name)
    if column.type in ("date", "month"):
        return f"strftime(d.{name}, '%Y-%m')"
    return f"CAST(d.{name} AS VARCHAR)"


def _run(dataset: str, snapshot_id: str, sql: str) -> list[tuple[Any, ...]]:
    with _limited() as engine:
        engine.execute(f"CREATE VIEW records AS {dataplane.dataset_sql(dataset, snapshot_id)}")
        engine.execute(
            "CREATE VIEW register AS SELECT trader_code, county_code, industry_code"
            f" FROM ({dataplane.dataset_sql('registrations', snapshot_id)})"
        )
        rows = engine.execute(sql).fetchall()
    if len(rows) > MOST_ROWS:
        raise CannotExplore(f"结果超过 {MOST_ROWS:,} 行。处理办法：少分一组，或者加一个筛选。")
    return rows


@contextmanager
def _limited() -> Iterator[duckdb.DuckDBPyConnection]:
    engine = dataplane.connect(memory_limit=MEMORY)
    timer = Timer(SECONDS, engine.interrupt)
    timer.start()
    try:
        yield engine
    except duckdb.InterruptException as error:
        raise CannotExplore(
            f"这个问题 {SECONDS:.0f} 秒里没有算完。处理办法：少分一组，或者加一个筛选。"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise CannotExplore("这个问题要的内存太多。处理办法：少分一组，或者加一个筛选。") from error
    finally:
        timer.cancel()
        engine.close()


def _untold(sizes: Sequence[tuple[tuple[Any, ...], Decimal]]) -> set[tuple[Any, ...]]:
    """Groups without numbers: along the whole, and along each row and column of a table of two,
    again and again until neither sum gives one away."""
    hidden: set[tuple[Any, ...]] = set()
    lines: dict[tuple[int, Any], dict[tuple[Any, ...], Decimal]] = defaultdict(dict)
    for group, size in sizes:
        lines[-1, None][group] = size
        for place, part in enumerate(group if len(group) > 1 else ()):
            lines[place, part][group] = size
    while True:
        before = len(hidden)
        for line in lines.values():
            named = {str(group): group for group in line}
            found = withheld(
                {str(group): size for group, size in line.items()},
                [str(group) for group in line if group in hidden],
            )
            hidden |= {named[each] for each in found}
        if len(hidden) == before:
            return hidden


def _label(question: Question, name: str, cell: Any) -> str:
    if cell is None:
        return "未知"
    if name == "county":
        return {c.code: c.name for c in reference.list_counties()}.get(cell, str(cell))
    if name == "trade":
        return str(cell)
    column = _contract(question.dataset).column(name)
    if column.type == "boolean":
        return {"true": "是", "false": "否"}[str(cell)]
    return column.values.get(str(cell), str(cell))


def _number(value: Any) -> float | int | None:
    if value is None or isinstance(value, int):
        return value
    return round(float(value), 2)
