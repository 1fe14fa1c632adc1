"""Bring pools to what is known: only what changed is written, and nothing of the past is changed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection, transaction
from django.db.models import F

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import list_operators
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import selectors as cases
from getihu.dataplane import selectors as dataplane
from getihu.growth.catalogue.pools import LEVEL_LABELS, Pool, all_pools, get_pool
from getihu.growth.contracts import RunReport
from getihu.growth.models import Exit, Membership, PoolPlaces, PoolRun
from getihu.growth.selectors.objections import objection_outcome
from getihu.growth.selectors.types import last_published, types_path
from getihu.growth.services.rights import NotNow, check_tender, day_of
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.rulebook import selectors as rulebook

JOB = "job:pools"
CHUNK = 500
OPEN = (Exit.State.TOLD, Exit.State.WAITING, Exit.State.HELD)
COLUMNS = (
    "pool_id, level, trader_code, county_code, valid_from, valid_until, known_from, known_until,"
    " why, ground, run_id, by_id"
)
INSERT = f"INSERT INTO growth_membership ({COLUMNS}) VALUES ({', '.join(['%s'] * 12)})"
MEMBERS = """
    SELECT trader_code, county_code FROM growth_membership
    WHERE pool_id = %s AND level = %s AND known_until IS NULL AND valid_until IS NULL
"""
# Sides of the difference: in it by the rule, not in it, not known; and in it now or not.
DIFFERENCE = """
    SELECT coalesce(w.trader_code, m.trader_code) AS code,
      coalesce(w.county_code, m.county_code, '') AS county,
      CASE WHEN m.trader_code IS NULL THEN 'enter'
           WHEN w.outcome = 'unknown' THEN 'unknown'
           WHEN coalesce(w.outcome, 'no') <> 'yes' THEN 'leave'
           ELSE 'move' END AS what
    FROM wanted w FULL JOIN members m USING (trader_code)
    WHERE (m.trader_code IS NULL AND w.outcome = 'yes')
       OR (m.trader_code IS NOT NULL AND (coalesce(w.outcome, 'no') <> 'yes'
           OR coalesce(w.county_code, '') <> coalesce(m.county_code, '')))
    ORDER BY code
"""


@dataclass(frozen=True)
class Ground:
    """What a pass rests on: day, snapshot, version of the rule or of the review of types."""

    as_of: date
    snapshot_id: str
    version: str
    wanted: pa.Table  # trader_code, county_code, outcome


def update_pools(
    *, at: datetime, as_of: date | None = None, pool_ids: Iterable[str] = ()
) -> list[RunReport]:
    """Bring every pool the machine keeps (or some) to the newest published data. Again: nothing is
    written. A pool by type waits for the first published review.

    Raises: UnknownPool, NothingPublished, NotSwept.
    """
    wanted = list(pool_ids) or [p.id for p in all_pools().values() if p.admission.by != "people"]
    reports = []
    for pool_id in wanted:
        pool = get_pool(pool_id)
        if pool.admission.by == "type" and last_published() is None:
            continue
        reports.append(update_pool(pool_id, at=at, as_of=as_of))
    return reports


def update_pool(
    pool_id: str, *, at: datetime, as_of: date | None = None, county_code: str = ""
) -> RunReport:
    """One pool, in the whole city or one county: those the rule says yes to come in at once; those
    it no longer holds for are told, and leave as the pool says. One transaction.

    Raises: UnknownPool, NothingPublished, NotSwept, NoTypesYet; NotNow (a pool people keep).
    """
    pool = get_pool(pool_id)
    if pool.admission.by == "people":
        raise NotNow(f"“{pool.title}”由人认定，不按规则自动入库。")
    ground = _ground(pool, as_of)
    level = pool.levels[0]
    with transaction.atomic():
        members = _members(pool_id, level)
        changes, kept = _difference(ground, members, county_code)
        sides: dict[str, list[tuple[str, str]]] = {
            "enter": [], "leave": [], "unknown": [], "move": []
        }  # fmt: skip
        for code, county, what in changes:
            sides[what].append((code, county))
        run = PoolRun(
            pool_id=pool_id,
            county_code=county_code,
            as_of=ground.as_of,
            snapshot_id=ground.snapshot_id,
            rule_version=ground.version,
            unknown_count=len(sides["unknown"]),
            kept_count=kept,
            at=at,
        )
        if sides["enter"] or sides["leave"] or sides["move"] or not _has_run(run):
            run.save(force_insert=True)
            _write_changes(pool, level, run, sides, at)
            run.save()
            _record_run(run, at)
    return RunReport(
        pool_id,
        ground.as_of,
        run.entered_count,
        run.left_count,
        run.leaving_count,
        run.kept_count,
        run.unknown_count,
        run.written_count,
    )


def end_exits(at: datetime) -> int:
    """Let go whom the rule no longer holds for, whose days to object are over without an objection,
    where leaving takes nothing away. Returns how many left."""
    done = 0
    for pool_id in list(_due(at).values_list("pool_id", flat=True).distinct()):
        pool = get_pool(pool_id)
        with transaction.atomic():
            due = list(_due(at).select_for_update().filter(pool_id=pool_id)[:5000])
            by_level: dict[str, list[Exit]] = {}
            for row in due:
                by_level.setdefault(row.level, []).append(row)
            for level, rows in by_level.items():
                codes = [row.trader_code for row in rows]
                ground = f"不再符合条件，告知后没有异议（{pool.leaving.source}）"[:200]
                close(pool_id, level, codes, on=day_of(at), why="rule", ground=ground, at=at)
                Exit.objects.filter(pk__in=[row.pk for row in rows]).update(
                    state=Exit.State.DONE, ended_at=at
                )
                done += len(rows)
    _settle_held(at)
    return done


@over_the_wall()
def decide_exit(
    exit_id: int, *, leaves: bool, reason: str, article: str = "", by: Actor, at: datetime
) -> None:
    """A person decides whether a member leaves. Raises: NotAllowed, NotNow."""
    with transaction.atomic():
        row = Exit.objects.select_for_update().get(pk=exit_id)
        check_tender(by, row.county_code, "决定退出", Role.SUPERVISOR)
        if row.state not in OPEN:
            raise NotNow("这一户已经有决定了。")
        if row.state == Exit.State.HELD and not objection_outcome(row.case_id):
            raise NotNow("有异议正在核实。处理办法：先办结异议。")
        if day_of(at) <= row.object_until:
            raise NotNow(f"还在异议期（到 {row.object_until} 止）。处理办法：到期以后再决定。")
        if not reason.strip() or (leaves and not article.strip()):
            raise NotNow("决定退出要写理由和依据的条款；不退出要写理由。")
        if leaves:
            close(
                row.pool_id,
                row.level,
                [row.trader_code],
                on=day_of(at),
                why="decided",
                ground=article[:200],
                at=at,
                by=by,
            )
        row.state = Exit.State.DONE if leaves else Exit.State.DROPPED
        row.decided_by_id, row.ended_at = by.account_id, at
        row.reason, row.article = reason, article
        row.save()
        _tell_exit(row, "growth.left" if leaves else "growth.stays", at)
        body = {"leaves": leaves, "pool": row.pool_id, "article": article}
        audit.record(
            AuditEvent("pool.exit_decided", f"account:{by.account_id}", f"exit:{row.pk}", at, body)
        )


# writing beliefs


def enter(rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert beliefs; see ``COLUMNS``. Returns how many."""
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, rows)
    return len(rows)


def belief(
    pool_id: str,
    level: str,
    code: str,
    county: str,
    *,
    valid_from: date,
    valid_until: date | None = None,
    at: datetime,
    why: str,
    ground: str,
    run: PoolRun | None = None,
    by: Actor | None = None,
) -> tuple[Any, ...]:
    """One row for ``enter``."""
    prepared = connection.ops
    run_id = PoolRun._meta.pk.get_db_prep_value(run.pk, connection) if run else None
    by_id = PoolRun._meta.pk.get_db_prep_value(by.account_id, connection) if by else None
    return (
        pool_id,
        level,
        code,
        county,
        prepared.adapt_datefield_value(valid_from),
        prepared.adapt_datefield_value(valid_until),
        prepared.adapt_datetimefield_value(at),
        None,
        why,
        ground,
        run_id,
        by_id,
    )


def close(
    pool_id: str,
    level: str,
    codes: Sequence[str],
    *,
    on: date,
    why: str,
    ground: str,
    at: datetime,
    run: PoolRun | None = None,
    by: Actor | None = None,
) -> int:
    """From now on we know that these left on a day: their open belief is closed and one with an
    end takes its place. Returns how many rows were written."""
    written = 0
    for start in range(0, len(codes), CHUNK):
        part = codes[start : start + CHUNK]
        open_rows = Membership.objects.filter(
            pool_id=pool_id, level=level, trader_code__in=part, known_until=None
        )
        ending = list(open_rows.filter(valid_until=None) | open_rows.filter(valid_until__gt=on))
        Membership.objects.filter(pk__in=[row.pk for row in ending]).update(known_until=at)
        new = [
            belief(
                pool_id,
                level,
                row.trader_code,
                row.county_code,
                valid_from=row.valid_from,
                valid_until=max(on, row.valid_from),
                at=at,
                why=why,
                ground=ground,
                run=run,
                by=by,
            )
            for row in ending
        ]
        written += enter(new) + len(ending)
        years = {row.valid_from.year for row in ending}
        _give_back(pool_id, level, [row.county_code for row in ending], years)
    return written


def _give_back(pool_id: str, level: str, counties: list[str], years: set[int]) -> None:
    quota = get_pool(pool_id).quota
    if quota is None:
        return
    for county in counties:
        PoolPlaces.objects.filter(
            quota_id=quota.id, level=level, county_code=county, year=max(years), taken__gt=0
        ).update(taken=F("taken") - 1)


# the difference


def _ground(pool: Pool, as_of: date | None) -> Ground:
    if pool.admission.by == "type":
        review = last_published(as_of)
        if review is None:
            raise NotNow("分型还没有公布过。处理办法：先评一次分型，异议期满后公布。")
        table = pq.read_table(types_path(review.pk), columns=["trader_code", "county_code", "type"])
        return Ground(
            review.as_of,
            review.snapshot_id,
            review.rule_version,
            _as_outcome(table, pool.admission.value),
        )
    snapshot = dataplane.get_published_snapshot()
    day = as_of or snapshot.data_until
    rule = rulebook.get_rule(pool.admission.rule, day)
    wanted = rulebook.city_outcomes(rule.id, day, snapshot.snapshot_id, facts=["county_code"])
    return Ground(day, snapshot.snapshot_id, rule.version, wanted)


def _as_outcome(types: pa.Table, value: str) -> pa.Table:
    with duckdb.connect() as engine:
        engine.register("types", types)
        return engine.execute(
            "SELECT trader_code, county_code, CASE WHEN type = ? THEN 'yes' ELSE 'no' END"
            " AS outcome FROM types",
            [value],
        ).to_arrow_table()


def _members(pool_id: str, level: str) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, [pool_id, level])
        rows = cursor.fetchall()
    return pa.table(
        {
            "trader_code": pa.array([code for code, _ in rows], pa.string()),
            "county_code": pa.array([county for _, county in rows], pa.string()),
        }
    )


def _difference(
    ground: Ground, members: pa.Table, county_code: str
) -> tuple[list[tuple[str, str, str]], int]:
    """What changes, and how many stay as they are. With a county, only what lies in it."""
    with duckdb.connect() as engine:
        engine.register("wanted", ground.wanted)
        engine.register("members", members)
        changes = engine.execute(DIFFERENCE).fetchall()
    if county_code:
        changes = [row for row in changes if row[1] == county_code]
        stock = sum(1 for c in members["county_code"].to_pylist() if c == county_code)
    else:
        stock = members.num_rows
    return changes, stock - sum(1 for row in changes if row[2] != "enter")


def _has_run(run: PoolRun) -> bool:
    """A pass that finds nothing to do is noted once for each ground, not each time."""
    return PoolRun.objects.filter(
        pool_id=run.pool_id,
        county_code=run.county_code,
        as_of=run.as_of,
        snapshot_id=run.snapshot_id,
        rule_version=run.rule_version,
    ).exists()


def _write_changes(
    pool: Pool, level: str, run: PoolRun, sides: dict[str, list[tuple[str, str]]], at: datetime
) -> None:
    ground = f"{pool.admission.rule or '分型公布'}@{run.rule_version[:12]}"
    again = [code for code, _ in sides["move"]]
    run.written_count += close(
        pool.id,
        level,
        again,
        on=run.as_of,
        why="moved",
        ground="经营场所迁到别的县",
        at=at,
        run=run,
    )
    run.written_count += enter(
        [
            belief(
                pool.id,
                level,
                code,
                county,
                valid_from=run.as_of,
                at=at,
                why=pool.admission.by,
                ground=ground,
                run=run,
            )
            for code, county in [*sides["enter"], *sides["move"]]
        ]
    )
    run.entered_count = len(sides["enter"])
    run.written_count += _drop_exits(pool.id, level, run, sides["leave"], at)
    leaving = sides["leave"]
    if pool.leaving.by == "with_type":
        codes = [code for code, _ in leaving]
        run.written_count += close(
            pool.id, level, codes, on=run.as_of, why="with_type", ground=ground, at=at, run=run
        )
        run.left_count = len(codes)
        return
    run.leaving_count = len(leaving)
    run.written_count += _open_exits(pool, level, run, leaving, at)


def _open_exits(
    pool: Pool, level: str, run: PoolRun, leaving: list[tuple[str, str]], at: datetime
) -> int:
    known = set(
        Exit.objects.filter(pool_id=pool.id, level=level, state__in=OPEN).values_list(
            "trader_code", flat=True
        )
    )
    takes = pool.leaving.by == "people"
    state = Exit.State.WAITING if takes else Exit.State.TOLD
    until = cases.due_after(pool.leaving.notice, day_of(at)).on
    new = [
        Exit(
            pool_id=pool.id,
            level=level,
            trader_code=code,
            county_code=county,
            run=run,
            takes_away=takes,
            state=state,
            told_at=at,
            object_until=until,
        )
        for code, county in leaving
        if code not in known
    ]
    rows = Exit.objects.bulk_create(new, batch_size=CHUNK)
    operators = list_operators([row.trader_code for row in rows]) if rows else {}
    for row in rows:
        if row.trader_code in operators:
            _tell_exit(row, "growth.leaves", at)
    return len(rows)


def _drop_exits(
    pool_id: str, level: str, run: PoolRun, leaving: list[tuple[str, str]], at: datetime
) -> int:
    """The rule holds again for some who were told: they stay."""
    still = {code for code, _ in leaving}
    rows = Exit.objects.filter(
        pool_id=pool_id, level=level, state__in=(Exit.State.TOLD, Exit.State.WAITING)
    )
    if run.county_code:
        rows = rows.filter(county_code=run.county_code)
    back = [row.pk for row in rows if row.trader_code not in still]
    for start in range(0, len(back), CHUNK):
        Exit.objects.filter(pk__in=back[start : start + CHUNK]).update(
            state=Exit.State.DROPPED, ended_at=at, reason="重新符合条件"
        )
    return len(back)


def _due(at: datetime) -> Any:
    return Exit.objects.filter(
        state=Exit.State.TOLD, takes_away=False, object_until__lt=day_of(at)
    ).order_by("pk")


def _settle_held(at: datetime) -> None:
    """An objection turned down puts the exit back where it was."""
    for row in Exit.objects.filter(state=Exit.State.HELD).iterator():
        if objection_outcome(row.case_id) == "rejected":
            back = Exit.State.WAITING if row.takes_away else Exit.State.TOLD
            Exit.objects.filter(pk=row.pk, state=Exit.State.HELD).update(state=back)


def _tell_exit(row: Exit, template: str, at: datetime) -> None:
    pool = get_pool(row.pool_id)
    for account in list_operators([row.trader_code]).get(row.trader_code, ()):
        notifications.queue(
            NoticeRequest(
                obligation=f"exit:{row.pk}",
                stage=row.state,
                recipient=account,
                template_id=template,
                values={
                    "pool": f"{pool.title}（{LEVEL_LABELS[row.level]}）",
                    "until": row.object_until.isoformat(),
                    "reason": row.reason or pool.leaving.source,
                },
                channels=(Channel.IN_APP, Channel.SMS, Channel.EMAIL),
                guard="exit_is",
                guard_argument=f"{row.pk} {row.state}",
            ),
            at=at,
        )


def _record_run(run: PoolRun, at: datetime) -> None:
    body = {
        "as_of": run.as_of,
        "county": run.county_code,
        "entered": run.entered_count,
        "left": run.left_count,
        "leaving": run.leaving_count,
        "pool": run.pool_id,
        "rule_version": run.rule_version,
        "snapshot": run.snapshot_id,
        "written": run.written_count,
    }
    audit.record(AuditEvent("pool.updated", JOB, f"pool_run:{run.pk}", at, body))


def chunks(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(codes), CHUNK):
        yield codes[start : start + CHUNK]
