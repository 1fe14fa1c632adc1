"""Looking at a trader's data leaves a trace, which the trader can read."""

from datetime import datetime

from django.db import transaction

from getihu.access.contracts import PolicyRow
from getihu.access.selectors import LOOKED
from getihu.access.wall import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent

__all__ = ["over_the_wall", "tell_of_a_look"]


def tell_of_a_look(row: PolicyRow, actor: Actor, trader_code: str, *, at: datetime) -> bool:
    """Record that somebody else than its owner read a trader's data; says whether it was.

    Comes before the answer leaves: what cannot be recorded is not shown (个人信息保护法 第五十一条
    asks for measures against looking without right; that it is shown to her is 本项目设定，非官方).
    """
    if not row.reads_personal or trader_code in actor.own:
        return False
    roles = sorted(role.value for role in actor.roles & row.who.roles)
    agencies = sorted(actor.agencies(*row.who.roles)) if roles else []
    with transaction.atomic():
        audit.record(
            AuditEvent(
                kind=LOOKED,
                actor=f"account:{actor.account_id}",
                object=f"trader:{trader_code}",
                at=at,
                body={"route": row.route, "roles": roles, "agencies": agencies},
            )
        )
    return True
