"""Looking at a trader's data leaves a trace, which the trader can read."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from getihu.access.contracts import PolicyRow
from getihu.access.selectors import LOOKED, list_problems
from getihu.access.wall import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.kernel.codes import InvalidCreditCode, normalise_credit_code
from getihu.kernel.errors import GetihuError

__all__ = ["check_policy_is_complete", "over_the_wall", "tell_of_a_look"]


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
