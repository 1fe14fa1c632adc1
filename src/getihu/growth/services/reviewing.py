"""The types of the whole city: reviewed, told to those who move, published after objections."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from getihu.accounts.selectors import list_operators
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import selectors as cases
from getihu.dataplane import selectors as dataplane
from getihu.growth.catalogue.settling import settle_sql, settling
from getihu.growth.contracts import ReviewReport
from getihu.growth.models import TypeMove, TypeReview
from getihu.growth.selectors.objections import objection_outcome
from getihu.growth.selectors.types import (
    TYPE_RULE,
    file_sha256,
    last_published,
    type_label,
    types_path,
)
from getihu.growth.services.rights import NotNow, day_of
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.rulebook import selectors as rulebook

Row = TypeVar("Row")
JOB = "job:types"
OBJECTION = "growth.type_objection"
CHUNK = 5_000
VALUES_TOLD = 4
NOBODY = pa.table(
    {
        "trader_code": pa.array([], pa.string()),
        "type": pa.array([], pa.string()),
        "towards": pa.array([], pa.string()),
        "streak": pa.array([], pa.int32()),
        "unknowns": pa.array([], pa.int32()),
    }
)


def review_types(*, as_of: date | None = None, at: datetime) -> ReviewReport:
    """Type the whole city as of a day that is swept, and tell those who move. The first review
    moves nobody. Nothing counts before ``publish_types``.

    Raises: NotSwept, NothingPublished; NotNow (an earlier review is still open, the day is not
    after the last one). Cost: some seconds at 1.1 million traders.
    """
    snapshot = dataplane.get_published_snapshot()
    day = as_of or snapshot.data_until
    before = last_published()
    _check_turn(day, before)
    raw = rulebook.city_outcomes(
        TYPE_RULE, day, snapshot.snapshot_id, facts=["county_code", "industry_section"]
    )
    review = TypeReview(
        as_of=day,
        snapshot_id=snapshot.snapshot_id,
        rule_version=rulebook.get_rule(TYPE_RULE, day).version,
        settling_version=settling().version,
        previous=before,
        state=TypeReview.State.TOLD,
        reviewed_at=at,
        object_until=cases.due_after(OBJECTION, day_of(at)).on,
    )
    settled = _settle(raw, before)
    review.proposed_sha256 = _write(settled, types_path(review.pk, published=False))
    movers = _movers(settled, before)
    review.traders_count, review.moved_count = settled.num_rows, len(movers)
    with transaction.atomic():
        review.save(force_insert=True)
        for chunk in _chunks(movers):
            TypeMove.objects.bulk_create(
                TypeMove(
                    review=review,
                    trader_code=code,
                    county_code=county or "",
                    before=was,
                    after=now,
                    state=TypeMove.State.TOLD,
                )
                for code, county, was, now in chunk
            )
        told = _tell(review, at)
        _record(review, "type_review.told", at, sha256=review.proposed_sha256)
    counts: dict[str, int] = {}
    for pair in settled["type"].value_counts().to_pylist():
        counts[pair["values"]] = pair["counts"]
    return ReviewReport(
        review.pk, day, review.traders_count, len(movers), told, review.object_until, counts
    )


def publish_types(*, at: datetime) -> TypeReview | None:
    """Publish the review whose days to object are over; None when there is none. Whoever objects
    and has no answer yet keeps the type she had, and is looked at again in the next review."""
    with transaction.atomic():
        review = (
            TypeReview.objects.select_for_update()
            .filter(state=TypeReview.State.TOLD, object_until__lt=day_of(at))
            .first()
        )
        if review is None:
            return None
        settle_objections(review)
        proposed = read_types(review, published=False)
        staying = dict(
            review.moves.filter(
                state__in=(TypeMove.State.HELD, TypeMove.State.DROPPED)
            ).values_list("trader_code", "before")
        )
        dropped = set(
            review.moves.filter(state=TypeMove.State.DROPPED).values_list("trader_code", flat=True)
        )
        final = _restored(proposed, staying, dropped) if staying else proposed
        review.published_sha256 = _write(final, types_path(review.pk, published=True))
        review.moves.filter(state=TypeMove.State.TOLD).update(state=TypeMove.State.PUBLISHED)
        review.state, review.published_at = TypeReview.State.PUBLISHED, at
        review.save()
        _record(review, "type_review.published", at, sha256=review.published_sha256)
    return review


def settle_objections(review: TypeReview) -> int:
    """Bring moves with a decided objection to what was decided; returns how many. An objection
    turned down lets the move stand, if the review is still open."""
    done = 0
    for move in review.moves.filter(state=TypeMove.State.HELD):
        outcome = objection_outcome(move.case_id)
        if not outcome:
            continue
        if outcome == "upheld":
            move.state = TypeMove.State.DROPPED
        elif review.state == TypeReview.State.TOLD:
            move.state = TypeMove.State.TOLD
        else:
            move.state = TypeMove.State.LAPSED
        move.save(update_fields=["state"])
        done += 1
    return done


def work_types(at: datetime) -> int:
    """Publish what is due and settle what was decided later; by level, safe to run again."""
    published = publish_types(at=at)
    late = TypeReview.objects.filter(state=TypeReview.State.PUBLISHED, moves__state="held")
    return sum(settle_objections(review) for review in late.distinct()) + bool(published)


def read_types(review: TypeReview, *, published: bool = True) -> pa.Table:
    """The types of a review. Raises NotNow when the file is not the one that was noted."""
    path = types_path(review.pk, published=published)
    wanted = review.published_sha256 if published else review.proposed_sha256
    if not path.exists() or file_sha256(path) != wanted:
        raise NotNow(
            "分型文件和当时的指纹不一样，已停下。处理办法：从备份恢复，或者对照公开日志重算。"
        )
    return pq.read_table(path)


def verify_types(review_id: uuid.UUID | str) -> bool:
    """Make a review's types again from the sweep and the review before; true when the bytes are
    the same. Raises: NotSwept, NotNow."""
    review = TypeReview.objects.select_related("previous").get(pk=review_id)
    raw = rulebook.city_outcomes(
        TYPE_RULE, review.as_of, review.snapshot_id, facts=["county_code", "industry_section"]
    )
    again = _settle(raw, review.previous)
    path = types_path(review.pk, published=False).with_suffix(".again")
    try:
        return _write(again, path) == review.proposed_sha256
    finally:
        path.unlink(missing_ok=True)


def _check_turn(day: date, before: TypeReview | None) -> None:
    if TypeReview.objects.filter(state=TypeReview.State.TOLD).exists():
        raise NotNow("上一次分型还在异议期。处理办法：到期公布以后再评。")
    if before is not None and day <= before.as_of:
        raise NotNow(f"{day} 的分型已经评过，或者比上一次（{before.as_of}）早。")


def _settle(raw: pa.Table, before: TypeReview | None) -> pa.Table:
    standing = read_types(before) if before is not None else NOBODY
    with duckdb.connect() as engine:
        engine.register("raw_rows", raw)
        engine.register("before", standing)
        engine.execute(
            "CREATE VIEW raw AS SELECT trader_code, county_code, industry_section AS section,"
            " outcome AS raw FROM raw_rows"
        )
        return engine.execute(settle_sql(settling())).to_arrow_table()


def _movers(settled: pa.Table, before: TypeReview | None) -> list[tuple[str, str, str, str]]:
    """Who had a type before and would have another; newcomers move nowhere."""
    if before is None:
        return []
    with duckdb.connect() as engine:
        engine.register("settled", settled)
        engine.register("before", read_types(before))
        return engine.execute(
            "SELECT s.trader_code, s.county_code, b.type, s.type FROM settled s JOIN before b"
            " USING (trader_code) WHERE s.type <> b.type ORDER BY s.trader_code"
        ).fetchall()


def _restored(proposed: pa.Table, staying: dict[str, str], dropped: set[str]) -> pa.Table:
    """The types with those who stay; a move that was dropped must be seen afresh."""
    rows = {
        "trader_code": list(staying),
        "was": list(staying.values()),
        "afresh": [code in dropped for code in staying],
    }
    with duckdb.connect() as engine:
        engine.register("proposed", proposed)
        engine.register("staying", pa.table(rows))
        return engine.execute(
            "SELECT p.trader_code, p.county_code, p.section, p.raw,"
            " coalesce(s.was, p.type) AS type,"
            " CASE WHEN s.afresh THEN '' ELSE p.towards END AS towards,"
            " CASE WHEN s.afresh THEN 0 ELSE p.streak END AS streak, p.unknowns"
            " FROM proposed p LEFT JOIN staying s USING (trader_code) ORDER BY p.trader_code"
        ).to_arrow_table()


def _write(table: pa.Table, path: Path) -> str:
    """Write a file whole or not at all; returns its SHA-256. The same rows, the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(table.combine_chunks(), unfinished, compression="zstd")
    unfinished.replace(path)
    return file_sha256(path)


def _tell(review: TypeReview, at: datetime) -> int:
    """Tell every mover with an account what would change, on which values, until when to object."""
    told = 0
    for chunk in _chunks(list(review.moves.order_by("trader_code"))):
        operators = list_operators([move.trader_code for move in chunk])
        for move in chunk:
            if move.trader_code not in operators:
                continue
            values = {
                "before": type_label(move.before),
                "after": type_label(move.after),
                "values": _values_used(move, review),
                "until": review.object_until.isoformat(),
            }
            for account in operators[move.trader_code]:
                told += notifications.queue(
                    NoticeRequest(
                        obligation=f"type_move:{move.pk}",
                        stage="told",
                        recipient=account,
                        template_id="growth.type_moves",
                        values=values,
                        channels=(Channel.IN_APP, Channel.SMS, Channel.EMAIL),
                        guard="type_move_is",
                        guard_argument=f"{move.pk} told",
                    ),
                    at=at,
                )
    return told


def _values_used(move: TypeMove, review: TypeReview) -> str:
    decision = rulebook.explain_rule(
        move.trader_code, TYPE_RULE, as_of=review.as_of, snapshot_id=review.snapshot_id
    )
    deciding = [c for c in decision.clauses if c.id in decision.deciding]
    facts = {f.name: f"{f.label} {f.shown}" for clause in deciding for f in clause.facts}
    return "；".join(list(facts.values())[:VALUES_TOLD])


def _record(review: TypeReview, kind: str, at: datetime, *, sha256: str) -> None:
    body: dict[str, Any] = {
        "as_of": review.as_of,
        "moved": review.moved_count,
        "rule_version": review.rule_version,
        "settling_version": review.settling_version,
        "sha256": sha256,
        "snapshot": review.snapshot_id,
        "traders": review.traders_count,
    }
    audit.record(AuditEvent(kind, JOB, f"type_review:{review.pk}", at, body))


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
