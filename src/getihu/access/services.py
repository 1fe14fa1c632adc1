"""Looking at a trader's data leaves a trace, which the trader can read."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from getihu.access.contracts import PolicyRow
from getihu.access.models import BulkAlarm
from getihu.access.selectors import LOOKED, list_problems
from getihu.access.wall import over_the_wall
from getihu.accounts import selectors as accounts
from getihu.accounts.contracts import Actor, Role
from getihu.audit import selectors as log
from getihu.audit import services as audit
from getihu.audit.contracts import Activity, AuditEvent
from getihu.kernel.codes import InvalidCreditCode, normalise_credit_code
from getihu.kernel.errors import GetihuError

__all__ = [
    "AlarmRefused",
    "check_policy_is_complete",
    "close_alarm",
    "over_the_wall",
    "raise_alarms",
    "tell_of_a_look",
]


class AlarmRefused(GetihuError):
    """An alarm that is not hers to close, or is closed already."""


class PolicyIncomplete(GetihuError):
    """Routes without a row, or rows without a route: nobody may be served meanwhile."""


def check_policy_is_complete() -> None:
    """Raises PolicyIncomplete, and PolicyBroken for a file that cannot be read."""
    if problems := list_problems():
        more = f"，等 {len(problems)} 处" if len(problems) > 3 else ""
        raise PolicyIncomplete(
            f"权限表不完整，先不做：{'；'.join(problems[:3])}{more}。"
            "处理办法：在 src/getihu/access/policy.yaml 补齐，再运行。"
        )


def tell_of_a_look(row: PolicyRow, actor: Actor, whose: Iterable[str], *, at: datetime) -> int:
    """Record that somebody else than its owner read data of each of ``whose``: codes of traders,
    or references such as ``rectification:…``. Returns how many looks it was.

    Comes before the answer leaves: what cannot be recorded is not shown (个人信息保护法 第五十一条
    asks for measures against looking without right; that it is shown to her is 本项目设定，非官方).
    """
    if not row.reads_personal:
        return 0
    looked_at = sorted({_reference(name) for name in whose} - {f"trader:{c}" for c in actor.own})
    roles = sorted(role.value for role in actor.roles & row.who.roles)
    agencies = sorted(actor.agencies(*row.who.roles)) if roles else []
    with transaction.atomic():
        for reference in looked_at:
            audit.record(
                AuditEvent(
                    kind=LOOKED,
                    actor=f"account:{actor.account_id}",
                    object=reference,
                    at=at,
                    body={"route": row.route, "roles": roles, "agencies": agencies},
                )
            )
    return len(looked_at)


def _reference(name: str) -> str:
    if ":" in name:
        return name
    try:
        return f"trader:{normalise_credit_code(name)}"
    except InvalidCreditCode:  # a shop that only asks to be registered has none yet
        return f"trader:{name}"


@transaction.atomic
def raise_alarms(at: datetime) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Open an alarm for every account that looked at ``BULK_READING["people"]`` different people or
    more within ``BULK_READING["hours"]`` until ``at``; returns (alarm, account) of the new ones.

    By level, so it may run in several processes and after any stop: an open alarm grows and is not
    raised again, and what was seen before an alarm was closed counts for none after it. Looking is
    already an event, an export one for each row of it (``tell_of_a_look``).
    """
    limits = settings.BULK_READING
    after = at - timedelta(hours=limits["hours"])
    raised = []
    for busy in log.list_active(LOOKED, after=after, until=at, least=limits["people"]):
        account = _account_of(busy.actor)
        seen = _not_yet_explained(busy, account, after, at) if account else None
        if account is None or seen is None or _grow(account, seen):
            continue
        alarm = _open(account, seen, at)
        if alarm is not None:
            raised.append((alarm, account))
    return raised


def _account_of(actor: str) -> uuid.UUID | None:
    kind, _, name = actor.partition(":")
    return uuid.UUID(name) if kind == "account" else None


def _not_yet_explained(
    busy: Activity, account: uuid.UUID, after: datetime, at: datetime
) -> Activity | None:
    """What an account looked at since its last alarm was closed; None where that is not much."""
    closed = BulkAlarm.objects.filter(account=account).aggregate(last=Max("closed_at"))["last"]
    if closed is None or closed <= after:
        return busy
    least = settings.BULK_READING["people"]
    found = log.list_active(LOOKED, after=closed, until=at, least=least, actor=busy.actor)
    return found[0] if found else None


def _grow(account: uuid.UUID, seen: Activity) -> bool:
    """Bring the open alarm of an account up to date; False where it has none."""
    alarm = BulkAlarm.objects.filter(account=account, closed_at=None).first()
    if alarm is None:
        return False
    if alarm.people < seen.things:
        BulkAlarm.objects.filter(pk=alarm.pk, closed_at=None).update(
            people=seen.things, last_look_at=seen.last_at
        )
    return True


def _open(account: uuid.UUID, seen: Activity, at: datetime) -> uuid.UUID | None:
    """None where another process was first."""
    try:
        with transaction.atomic():
            alarm = BulkAlarm.objects.create(
                account_id=account,
                people=seen.things,
                first_look_at=seen.first_at,
                last_look_at=seen.last_at,
                raised_at=at,
            )
    except IntegrityError:
        return None
    body = {"alarm": str(alarm.pk), "people": seen.things, "since": seen.first_at}
    audit.record(AuditEvent("personal.bulk_looking", "job:watch", f"account:{account}", at, body))
    return alarm.pk


@transaction.atomic
def close_alarm(alarm_id: uuid.UUID, *, finding: str, by: Actor, at: datetime) -> None:
    """Say what bulk looking was, and close its alarm. Only a security administrator of the
    account's region does, never of her own account. Raises AlarmRefused."""
    alarm = BulkAlarm.objects.select_for_update().filter(pk=alarm_id).first()
    scope = by.scope(Role.SECURITY_ADMINISTRATOR)
    if (
        alarm is None
        or str(alarm.account_id) == by.account_id
        or not accounts.is_administered(alarm.account_id, scope, at)
    ):
        raise AlarmRefused("没有这条警报，或者不在您管理的地区。处理办法：从列表里重新打开。")
    if alarm.closed_at is not None:
        raise AlarmRefused("这条警报已经有人处理了。处理办法：刷新页面看结果。")
    said = finding.strip()[:200]
    if not said:
        raise AlarmRefused("没有写查下来是什么情况。处理办法：写明后再交。")
    alarm.closed_at, alarm.closed_by_id, alarm.finding = at, uuid.UUID(by.account_id), said
    alarm.save(update_fields=["closed_at", "closed_by", "finding"])
    audit.record(
        AuditEvent(
            kind="personal.bulk_looking_explained",
            actor=f"account:{by.account_id}",
            object=f"account:{alarm.account_id}",
            at=at,
            body={"alarm": str(alarm.pk), "finding": said},
        )
    )
