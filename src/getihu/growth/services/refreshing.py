"""The yearly refresh of a pool in a county: listed, open to objection, concluded; never changed."""

import csv
import hashlib
import io
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import selectors as cases
from getihu.growth.catalogue.pools import get_pool
from getihu.growth.models import PoolRun, Refresh
from getihu.growth.selectors.objections import objection_outcome
from getihu.growth.selectors.pools import Line, is_member, known_list
from getihu.growth.services.pooling import belief, close, enter, update_pool
from getihu.growth.services.rights import NotNow, check_tender, day_of


@over_the_wall()
def list_refresh(pool_id: str, county_code: str, year: int, *, by: Actor, at: datetime) -> Refresh:
    """Bring the county's part of a pool to the newest data and list it. Only what changed is
    written. Raises: NotAllowed; NotNow (listed already this year); as ``update_pool``."""
    pool = get_pool(pool_id)
    check_tender(by, county_code, "列名单")
    with transaction.atomic():
        if _this_year(pool_id, county_code, year):
            raise NotNow(f"{year} 年的名单已经列过。处理办法：打开那一份，或者先取消。")
        run = None
        as_of = day_of(at)
        if pool.admission.by != "people":
            as_of = update_pool(pool_id, at=at, county_code=county_code).as_of
            run = (
                PoolRun.objects.filter(pool_id=pool_id, county_code__in=("", county_code))
                .order_by("-at")
                .first()
            )
        lines = known_list(pool_id, county_code, on=as_of, known_at=at)
        before = _last_list(pool_id, county_code, year)
        codes = {(line.level, line.trader_code) for line in lines}
        refresh = Refresh.objects.create(
            pool_id=pool_id,
            county_code=county_code,
            year=year,
            as_of=as_of,
            run=run,
            state=Refresh.State.LISTED,
            members_count=len(lines),
            added_count=len(codes - before),
            removed_count=len(before - codes),
            list_sha256=write_list(lines),
            listed_at=at,
            listed_by_id=by.account_id,
        )
        _record(refresh, "pool_list.listed", by, at, refresh.list_sha256)
    return refresh


@over_the_wall()
def open_refresh(refresh_id: uuid.UUID | str, *, by: Actor, at: datetime) -> Refresh:
    """A second person publishes the list for objection. Raises: NotAllowed, NotNow."""
    with transaction.atomic():
        refresh = Refresh.objects.select_for_update().get(pk=refresh_id)
        check_tender(by, refresh.county_code, "公示名单", Role.SUPERVISOR)
        if refresh.state != Refresh.State.LISTED:
            raise NotNow("这份名单已经公示过，或者取消了。")
        if str(refresh.listed_by_id) == by.account_id:
            raise NotNow("列名单的人不能自己公示。处理办法：请另一位负责人公示。")
        verify(refresh)
        refresh.state, refresh.opened_at = Refresh.State.OPEN, at
        refresh.opened_by_id = by.account_id
        refresh.object_until = cases.due_after(get_pool(refresh.pool_id).objection, day_of(at)).on
        refresh.save()
        _record(refresh, "pool_list.opened", by, at, refresh.list_sha256)
    return refresh


@over_the_wall()
def conclude_refresh(refresh_id: uuid.UUID | str, *, by: Actor, at: datetime) -> Refresh:
    """Publish the list for good, after the days to object and every objection decided. What a
    person struck meanwhile is out of the final list. Raises: NotAllowed, NotNow."""
    with transaction.atomic():
        refresh = Refresh.objects.select_for_update().get(pk=refresh_id)
        check_tender(by, refresh.county_code, "公布名单", Role.SUPERVISOR)
        if refresh.state != Refresh.State.OPEN or refresh.object_until is None:
            raise NotNow("先要公示。")
        if day_of(at) <= refresh.object_until:
            raise NotNow(f"公示到 {refresh.object_until} 止。处理办法：到期以后再公布。")
        settle_holds(refresh, at)
        if waiting := refresh.holds.filter(outcome="").count():
            raise NotNow(f"还有 {waiting} 件异议没有办结。处理办法：先办结异议。")
        verify(refresh)
        final = known_list(refresh.pool_id, refresh.county_code, on=refresh.as_of, known_at=at)
        listed = {
            (line.level, line.trader_code)
            for line in known_list(
                refresh.pool_id,
                refresh.county_code,
                on=refresh.as_of,
                known_at=refresh.listed_at,
            )
        }
        held = {hold.trader_code for hold in refresh.holds.filter(outcome="upheld")}
        final = [
            line
            for line in final
            if (line.level, line.trader_code) in listed or line.trader_code in held
        ]
        refresh.final_sha256 = write_list(final)
        refresh.state, refresh.concluded_at = Refresh.State.CONCLUDED, at
        refresh.concluded_by_id = by.account_id
        refresh.save()
        _record(refresh, "pool_list.concluded", by, at, refresh.final_sha256)
    return refresh


@over_the_wall()
def cancel_refresh(refresh_id: uuid.UUID | str, *, reason: str, by: Actor, at: datetime) -> None:
    """Take a list back that was not published yet. Raises: NotAllowed, NotNow."""
    with transaction.atomic():
        refresh = Refresh.objects.select_for_update().get(pk=refresh_id)
        check_tender(by, refresh.county_code, "取消名单")
        if refresh.state != Refresh.State.LISTED or not reason.strip():
            raise NotNow("只有还没公示的名单可以取消，并且要写理由。")
        refresh.state = Refresh.State.CANCELLED
        refresh.save()
        _record(refresh, "pool_list.cancelled", by, at, refresh.list_sha256)


@over_the_wall()
def strike(
    refresh_id: uuid.UUID | str,
    trader_code: str,
    level: str,
    *,
    reason: str,
    article: str,
    by: Actor,
    at: datetime,
) -> None:
    """A person takes a member off after an objection to a list was upheld. Raises: NotAllowed,
    NotNow."""
    with transaction.atomic():
        refresh = Refresh.objects.select_for_update().get(pk=refresh_id)
        check_tender(by, refresh.county_code, "移出名单", Role.SUPERVISOR)
        settle_holds(refresh, at)
        if not refresh.holds.filter(trader_code=trader_code, outcome="upheld").exists():
            raise NotNow("没有成立的异议，不能移出。处理办法：先办结异议。")
        if not (reason.strip() and article.strip()):
            raise NotNow("移出要写理由和依据的条款。")
        close(
            refresh.pool_id,
            level,
            [trader_code],
            on=refresh.as_of,
            why="struck",
            ground=article[:200],
            at=at,
            by=by,
        )
        _record(refresh, "pool_list.struck", by, at, refresh.list_sha256, article=article)


@over_the_wall()
def put_in(
    refresh_id: uuid.UUID | str, trader_code: str, *, article: str, by: Actor, at: datetime
) -> None:
    """A person puts in somebody who was left out, after her objection was upheld. Raises: NotAllowed,
    NotNow."""
    with transaction.atomic():
        refresh = Refresh.objects.select_for_update().get(pk=refresh_id)
        check_tender(by, refresh.county_code, "补入名单", Role.SUPERVISOR)
        settle_holds(refresh, at)
        if not refresh.holds.filter(trader_code=trader_code, outcome="upheld").exists():
            raise NotNow("没有成立的异议，不能补入。处理办法：先办结异议。")
        pool = get_pool(refresh.pool_id)
        if refresh.state != Refresh.State.OPEN:
            raise NotNow("名单不在公示中，不能补入。处理办法：下一次更新时再列。")
        if not article.strip():
            raise NotNow("补入要写依据的条款。处理办法：写好再交。")
        if is_member(pool.id, trader_code, refresh.as_of):
            raise NotNow("这一户已经在库里。处理办法：刷新页面。")
        enter(
            [
                belief(
                    pool.id,
                    pool.levels[0],
                    trader_code,
                    refresh.county_code,
                    valid_from=refresh.as_of,
                    at=at,
                    why="objection",
                    ground=article[:200],
                    by=by,
                )
            ]
        )
        _record(refresh, "pool_list.put_in", by, at, refresh.list_sha256, article=article)


def settle_holds(refresh: Refresh, at: datetime) -> None:
    """Bring the objections to a list to what their cases decided."""
    for hold in refresh.holds.filter(outcome=""):
        if outcome := objection_outcome(hold.case_id):
            hold.outcome, hold.ended_at = outcome, at
            hold.save(update_fields=["outcome", "ended_at"])


def verify(refresh: Refresh) -> None:
    """The list as it was known when it was listed still has the hash of then. Raises NotNow."""
    lines = known_list(
        refresh.pool_id, refresh.county_code, on=refresh.as_of, known_at=refresh.listed_at
    )
    if list_sha256(lines) != refresh.list_sha256:
        raise NotNow("名单和列出时的指纹不一样，已停下。处理办法：对照公开日志查是谁改了库。")


def verify_lists() -> list[str]:
    """Every published list, made again from what was known then; returns what does not fit."""
    wrong = []
    for refresh in Refresh.objects.exclude(state=Refresh.State.CANCELLED).order_by("listed_at"):
        try:
            verify(refresh)
        except NotNow as error:
            wrong.append(f"{refresh.pool_id} {refresh.county_code} {refresh.year}：{error}")
    return wrong


def write_list(lines: Sequence[Line]) -> str:
    """Keep a list under its own SHA-256, which it returns."""
    content = list_bytes(lines)
    digest = hashlib.sha256(content).hexdigest()
    path = list_path(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(content)
        unfinished.replace(path)
    return digest


def list_path(digest: str) -> Path:
    return Path(settings.DATA_DIR) / "growth" / "lists" / f"{digest}.csv"


def list_sha256(lines: Sequence[Line]) -> str:
    return hashlib.sha256(list_bytes(lines)).hexdigest()


def list_bytes(lines: Sequence[Line]) -> bytes:
    """A list as a file: level, code, since. The same members, the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("level", "trader_code", "valid_from"))
    writer.writerows((line.level, line.trader_code, line.valid_from.isoformat()) for line in lines)
    return out.getvalue().encode()


def _this_year(pool_id: str, county_code: str, year: int) -> bool:
    rows = Refresh.objects.filter(pool_id=pool_id, county_code=county_code, year=year)
    return rows.exclude(state=Refresh.State.CANCELLED).exists()


def _last_list(pool_id: str, county_code: str, year: int) -> set[tuple[str, str]]:
    last = (
        Refresh.objects.filter(
            pool_id=pool_id,
            county_code=county_code,
            year__lt=year,
            state=Refresh.State.CONCLUDED,
        )
        .order_by("-year")
        .first()
    )
    if last is None:
        return set()
    text = list_path(last.final_sha256).read_text("utf-8")
    return {(row["level"], row["trader_code"]) for row in csv.DictReader(io.StringIO(text))}


def _record(refresh: Refresh, kind: str, by: Actor, at: datetime, sha256: str, **more: str) -> None:
    body = {
        "as_of": refresh.as_of,
        "county": refresh.county_code,
        "members": refresh.members_count,
        "pool": refresh.pool_id,
        "sha256": sha256,
        "year": refresh.year,
        **more,
    }
    audit.record(AuditEvent(kind, f"account:{by.account_id}", f"pool_list:{refresh.pk}", at, body))
