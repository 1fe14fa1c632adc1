"""Links between records without a usable code and traders; conflicts between departments."""

import tempfile
import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import IntegrityError, transaction

from getihu.accounts.contracts import Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.dataplane import selectors as dataplane
from getihu.growth.linkage import compare_records, estimate, score
from getihu.growth.linkage.score import Scored
from getihu.growth.models import ConflictItem, RecordLink
from getihu.growth.selectors.linkage import (
    conflict_owners,
    conflicts_in_reach,
    links_in_reach,
)
from getihu.kernel.errors import GetihuError
from getihu.rulebook import selectors as rulebook

COLUMNS: Final = (
    ("id", pa.string()),
    ("name", pa.string()),
    ("county_code", pa.string()),
    ("town_code", pa.string()),
    ("industry_code", pa.string()),
    ("established_on", pa.date32()),
    ("premises_m2", pa.float64()),
)
TRADERS_SQL: Final = """
    (SELECT trader_code AS id, trade_name AS name, county_code, town_code, industry_code,
            established_on, premises_m2::DOUBLE AS premises_m2
     FROM read_parquet('{path}'))
"""


class NotYours(GetihuError):
    """This link or conflict is another office's."""


class CannotDecide(GetihuError):
    """It was decided already, or without a reason."""


def link_records(
    dataset: str, records: Iterable[Mapping[str, Any]], *, at: datetime
) -> dict[str, int]:
    """Look for the trader of each record that has no usable code. Sure links are made, doubtful ones
    wait for a person, the rest stay unlinked. Again: what was decided stays, nothing is doubled.

    Grain of ``records``: id, name, county_code, town_code, industry_code, established_on,
    premises_m2 (None: not written). Returns counts: linked, review, none. Raises: NothingPublished,
    FactsNotBuilt.
    """
    rows = [dict(each) for each in records]
    path = dataplane.facts_path(dataplane.get_published_snapshot().data_until)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.parquet"
        table = {name: [row.get(name) for row in rows] for name, _ in COLUMNS}
        pq.write_table(pa.table(table, schema=pa.schema(COLUMNS)), file)
        left = f"read_parquet('{file}')"
        right = TRADERS_SQL.format(path=str(path).replace("'", "''"))
        engine = dataplane.engine()
        compare_records(engine, left, right)
        found = score(engine, estimate(engine))
    written = {row["id"]: row for row in rows}
    counts = {"linked": 0, "review": 0, "none": len(rows) - len(found)}
    for each in found:
        counts[_keep(dataset, each, written[each.record], at)] += 1
    return counts


@transaction.atomic
def decide_link(link_id: uuid.UUID, *, is_same: bool, why: str, by: Actor, at: datetime) -> None:
    """A person says whether a record is about the trader. Raises: NotYours, CannotDecide."""
    row = _locked_link(link_id, by)
    if row.state != RecordLink.State.REVIEW:
        raise CannotDecide("这一条已经有人核对过了。处理办法：刷新页面。")
    if not is_same and not why.strip():
        raise CannotDecide("写一句为什么不是同一户。处理办法：写好再交。")
    after = RecordLink.State.LINKED if is_same else RecordLink.State.REJECTED
    _decide(row, after, why or "核对是同一户", by, at)


@transaction.atomic
def undo_link(link_id: uuid.UUID, *, why: str, by: Actor, at: datetime) -> None:
    """Take a link back: both stay on record. Raises: NotYours, CannotDecide."""
    row = _locked_link(link_id, by)
    if row.state != RecordLink.State.LINKED or not why.strip():
        raise CannotDecide("没有连着，或者没有写为什么撤销。处理办法：刷新页面，写一句再交。")
    _decide(row, RecordLink.State.UNDONE, why, by, at)


def find_conflicts(as_of: date, snapshot_id: str, *, at: datetime) -> dict[str, int]:
    """Make work items of what the conflict rules found in the sweep of a day, and close those that
    newer data no longer show. By level, safe to run again. Returns found and gone.
    Raises: NotSwept."""
    counts = {"found": 0, "gone": 0}
    for rule_id, owner in conflict_owners().items():
        standing = _standing(rule_id, as_of, snapshot_id)
        open_ = ConflictItem.objects.filter(rule_id=rule_id, gone_at=None)
        known = set(open_.values_list("trader_code", flat=True))
        gone = open_.exclude(trader_code__in=standing)
        counts["gone"] += gone.update(gone_at=at)
        new = sorted(standing.keys() - known)
        found = [
            ConflictItem(
                rule_id=rule_id,
                trader_code=decision.trader_code,
                department=owner,
                division=standing[decision.trader_code] or "",
                found_at=at,
                found_in=snapshot_id,
                reason=decision.reason[:600],
            )
            for decision in rulebook.explain_many(
                rule_id, new, as_of=as_of, snapshot_id=snapshot_id
            )
        ]
        ConflictItem.objects.bulk_create(found, batch_size=500)
        counts["found"] += len(found)
    return counts


@transaction.atomic
def take_conflict(item_id: int, *, by: Actor, at: datetime) -> None:
    """An officer makes it hers; asked again, no change. Raises: NotYours, CannotDecide."""
    row = _locked_conflict(item_id, by)
    if row.owner_id and str(row.owner_id) != by.account_id:
        raise CannotDecide("已经有人在核对了。处理办法：刷新页面。")
    row.owner_id = by.account_id
    row.save(update_fields=["owner_id"])


@transaction.atomic
def answer_conflict(item_id: int, *, answer: str, by: Actor, at: datetime) -> None:
    """The owner says what it was. Raises: NotYours, CannotDecide."""
    row = _locked_conflict(item_id, by)
    if str(row.owner_id) != by.account_id or not answer.strip() or row.answered_at:
        raise CannotDecide("先接下这一条，再写核对的结果。处理办法：点“我来核对”。")
    row.answered_at, row.answer = at, answer.strip()[:300]
    row.save(update_fields=["answered_at", "answer"])


def _standing(rule_id: str, as_of: date, snapshot_id: str) -> dict[str, str | None]:
    """Code → place of everyone the sweep says yes to."""
    return {
        each.trader_code: each.division for each in rulebook.list_yes(rule_id, as_of, snapshot_id)
    }


def _keep(dataset: str, each: Scored, written: Mapping[str, Any], at: datetime) -> str:
    state = RecordLink.State.LINKED if each.is_sure else RecordLink.State.REVIEW
    decided = RecordLink.objects.filter(
        dataset=dataset, record=each.record, trader_code=each.trader_code
    ).first()
    if decided is not None:
        return "linked" if decided.state == RecordLink.State.LINKED else "review"
    try:
        with transaction.atomic():
            RecordLink.objects.create(
                dataset=dataset,
                record=each.record,
                written={k: str(v) for k, v in written.items() if v is not None and k != "id"},
                trader_code=each.trader_code,
                division=str(written.get("town_code") or written.get("county_code") or ""),
                weight=round(each.weight, 3),
                probability=round(each.probability, 6),
                evidence=[[label, words, round(bits, 2)] for label, words, bits in each.evidence],
                state=state,
                made_at=at,
            )
    except IntegrityError:  # linked to another trader by a person: that stands
        return "review"
    return "linked" if each.is_sure else "review"


def _locked_link(link_id: uuid.UUID, by: Actor) -> RecordLink:
    if not links_in_reach(by).filter(pk=link_id).exists():
        raise NotYours("这一条由市场监管部门在本辖区的工作人员核对。")
    return RecordLink.objects.select_for_update().get(pk=link_id)


def _locked_conflict(item_id: int, by: Actor) -> ConflictItem:
    if not conflicts_in_reach(by).filter(pk=item_id).exists():
        raise NotYours("这一条由承办部门在本辖区的工作人员核对。")
    return ConflictItem.objects.select_for_update().get(pk=item_id)


def _decide(row: RecordLink, after: str, why: str, by: Actor, at: datetime) -> None:
    row.state, row.why, row.decided_at = after, why.strip()[:300], at
    row.decided_by_id = by.account_id
    row.save(update_fields=["state", "why", "decided_at", "decided_by_id"])
    audit.record(
        AuditEvent(
            f"link.{after}", f"account:{by.account_id}", f"link:{row.pk}", at, {"state": str(after)}
        )
    )
