"""From problem to rule: appeals that point at one rule become a task; the mended rule carries them
on as a worked case, and everybody concerned is told."""

import uuid
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.rulebook import selectors as rulebook
from getihu.support.contracts import BadAppeal, Event, IllegalMove, NotAllowed, Side
from getihu.support.models import Appeal, Ticket
from getihu.support.selectors.oversight import list_clusters
from getihu.support.selectors.reads import CITY_TIME, leads
from getihu.support.services.steps import note
from getihu.support.services.telling import tell_her

RULE = "rule:"


@transaction.atomic
def open_ticket(node: str, subject: str, *, by: Actor, at: datetime) -> str:
    """Open a task for a cluster; its appeals belong to it from now on. Returns its number."""
    if not leads(by):
        raise NotAllowed("由联席会议办公室提出。")
    if not any((c.node, c.subject) == (node, subject) for c in list_clusters(by)):
        raise IllegalMove("没有这样一批诉求，或者已经提出过。处理办法：刷新页面。")
    year = at.astimezone(CITY_TIME).year
    count = Ticket.objects.filter(number__startswith=f"T-{year}-").count()
    row = Ticket.objects.create(
        number=f"T-{year}-{count + 1:03}",
        node=node,
        subject=subject,
        opened_at=at,
        opened_by_id=by.account_id,
    )
    with over_the_wall():
        Appeal.objects.filter(node=node, subject=subject, ticket=None).update(ticket=row)
    _log(row, "ticket.opened", by, at)
    return row.number


@transaction.atomic
def mend(ticket_id: uuid.UUID, *, case_name: str, change: str, by: Actor, at: datetime) -> int:
    """The rule was mended: its cases hold one whose name names the ticket, so that the problem does
    not come back. Tells everybody whose appeal it was; returns how many appeals those are. Raises
    NotAllowed, IllegalMove, BadAppeal."""
    row = _open_ticket(ticket_id, by)
    if not change.strip():
        raise BadAppeal("要写改了什么，诉求人看得到。")
    if not row.node.startswith(RULE):
        raise IllegalMove("这一项不是规则，写“不改”和原因，或者由数据部门更正。")
    rule_id = row.node.removeprefix(RULE)
    if row.number not in case_name or case_name not in rulebook.list_case_names(rule_id):
        raise IllegalMove(
            f"规则的例子里还没有叫“{case_name}”、写着 {row.number} 的一条。处理办法：先在"
            f" {rule_id}.cases.yaml 里加上这一条例子，改好规则再来。"
        )
    return _end(row, "mended", change, by, at, case_name)


@transaction.atomic
def keep(ticket_id: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> int:
    """The rule stays as it is, and why; everybody concerned is told."""
    row = _open_ticket(ticket_id, by)
    if not reason.strip():
        raise BadAppeal("不改要写明原因，诉求人看得到。")
    return _end(row, "kept", reason, by, at)


def _open_ticket(ticket_id: uuid.UUID, by: Actor) -> Ticket:
    if not (leads(by) or Role.POLICY_WRITER in by.roles):
        raise NotAllowed("由政策编写人员或者联席会议办公室办。")
    row = Ticket.objects.select_for_update(of=("self",)).filter(pk=ticket_id, ended_at=None).first()
    if row is None:
        raise IllegalMove("没有这个任务，或者已经办完。")
    return row


def _end(
    row: Ticket, outcome: str, result: str, by: Actor, at: datetime, case_name: str = ""
) -> int:
    row.outcome, row.result, row.mended_case = outcome, result.strip(), case_name
    row.ended_at, row.ended_by_id = at, uuid.UUID(by.account_id)
    row.save()
    _log(row, f"ticket.{outcome}", by, at)
    with over_the_wall():
        appeals = list(Appeal.objects.filter(ticket=row))
        for each in appeals:
            event = note(each, Event.MENDED, side=Side.LEAD, by=by, at=at, reason=result)
            title = row.node.partition(":")[2]
            tell_her(each, "appeal.mended", event, at, rule=title, change=result.strip())
    return len(appeals)


def _log(row: Ticket, kind: str, by: Actor, at: datetime) -> None:
    audit.record(
        AuditEvent(
            kind=kind,
            actor=f"account:{by.account_id}",
            object=f"ticket:{row.number}",
            at=at,
            body={"node": row.node, "subject": row.subject},
        )
    )
