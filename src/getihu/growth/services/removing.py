"""Taking a recognition away, by a person with reason and article; and giving it back after an
objection. No machine can do either."""

from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import list_operators
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import selectors as cases
from getihu.growth.catalogue.pools import LEVEL_LABELS, get_pool
from getihu.growth.models import Removal
from getihu.growth.selectors.objections import objection_outcome
from getihu.growth.selectors.pools import members_now
from getihu.growth.services.pooling import belief, close, enter
from getihu.growth.services.rights import NotNow, check_tender, day_of
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest


@over_the_wall()
@transaction.atomic
def remove(
    pool_id: str,
    level: str,
    trader_code: str,
    *,
    reason: str,
    article: str,
    by: Actor,
    at: datetime,
) -> int:
    """Take a member out of a pool people keep, from today; she is told why, by which article and
    until when she can object. Returns the removal. Raises: UnknownPool, NotAllowed, NotNow."""
    pool, on = get_pool(pool_id), day_of(at)
    if pool.admission.by != "people":
        raise NotNow("这个库按规则进出，不用撤销。处理办法：在“不再符合条件”里决定。")
    found = members_now(on).filter(pool_id=pool_id, level=level, trader_code=trader_code)
    row = found.select_for_update().first()
    if row is None:
        raise NotNow("这一户不在库里。处理办法：刷新页面。")
    check_tender(by, row.county_code, "撤销认定", Role.SUPERVISOR)
    if not (reason.strip() and article.strip()):
        raise NotNow("撤销要写理由和依据的条款。处理办法：写好再交。")
    close(
        pool_id,
        level,
        [trader_code],
        on=on,
        why="decided",
        ground=article.strip()[:200],
        at=at,
        by=by,
    )
    made = Removal.objects.create(
        pool_id=pool_id,
        level=level,
        trader_code=trader_code,
        county_code=row.county_code,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        reason=reason.strip()[:500],
        article=article.strip()[:200],
        removed_at=at,
        by_id=by.account_id,
        object_until=cases.due_after(pool.leaving.notice or pool.objection, on).on,
    )
    _record("pool.removed", made, by, at)
    _tell(made, "growth.removed", at)
    return made.pk


@over_the_wall()
@transaction.atomic
def restore(removal_id: int, *, by: Actor, at: datetime) -> None:
    """Give a recognition back after her objection was upheld, as if it had not been taken: the same
    term. Said again, no change. Raises: NotAllowed, NotNow."""
    row = Removal.objects.select_for_update().filter(pk=removal_id).first()
    if row is None:
        raise NotNow("没有这一条撤销。处理办法：刷新页面。")
    check_tender(by, row.county_code, "恢复认定", Role.SUPERVISOR)
    if row.restored_at is not None:
        return
    if objection_outcome(row.case_id) != "upheld":
        raise NotNow("没有成立的异议，不能恢复。处理办法：先办结异议。")
    enter(
        [
            belief(
                row.pool_id,
                row.level,
                row.trader_code,
                row.county_code,
                valid_from=day_of(row.removed_at),
                valid_until=row.valid_until,
                at=at,
                why="objection",
                ground="异议成立，恢复认定",
                by=by,
            )
        ]
    )
    row.restored_at, row.restored_by_id = at, by.account_id
    row.save(update_fields=["restored_at", "restored_by_id"])
    _record("pool.restored", row, by, at)
    _tell(row, "growth.restored", at)


def _tell(row: Removal, template: str, at: datetime) -> None:
    pool = get_pool(row.pool_id)
    values = {"pool": f"{pool.title}（{LEVEL_LABELS[row.level]}）"}
    if template == "growth.removed":
        values |= {
            "reason": row.reason,
            "article": row.article,
            "until": row.object_until.isoformat(),
        }
    for account in list_operators([row.trader_code]).get(row.trader_code, ()):
        notifications.queue(
            NoticeRequest(
                obligation=f"removal:{row.pk}",
                stage=template.removeprefix("growth."),
                recipient=account,
                template_id=template,
                values=values,
                channels=(Channel.IN_APP, Channel.SMS, Channel.EMAIL),
            ),
            at=at,
        )


def _record(kind: str, row: Removal, by: Actor, at: datetime) -> None:
    body = {"pool": row.pool_id, "level": row.level, "article": row.article}
    audit.record(AuditEvent(kind, f"account:{by.account_id}", f"removal:{row.pk}", at, body))
