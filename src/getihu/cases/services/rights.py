"""Who may do what with a case."""

import uuid

from getihu.accounts.contracts import Actor, Role
from getihu.cases.matters.model import Matter
from getihu.cases.models import Case
from getihu.cases.selectors import DESK_ROLES, CaseNotFound, visible_cases
from getihu.kernel.errors import GetihuError


class NotAllowed(GetihuError):
    """This actor may not do this with this case."""


def locked_case(case_id: uuid.UUID, by: Actor) -> Case:
    """The case, for this transaction alone. Raises CaseNotFound."""
    if not visible_cases(by).filter(pk=case_id).exists():
        raise CaseNotFound
    return Case.objects.select_for_update().get(pk=case_id)


def check_starter(matter: Matter, trader_code: str, by: Actor) -> None:
    if matter.started_by == "officer":
        allowed = bool(by.roles & set(DESK_ROLES))
    elif matter.started_by in ("owner", "anybody"):
        allowed = trader_code in by.own
    else:
        allowed = by.may_apply_for(trader_code)
    if not allowed:
        who = {"owner": "经营者本人", "anybody": "申请人本人", "officer": "承办机关"}.get(
            matter.started_by, "经营者或受托人"
        )
        raise NotAllowed(f"“{matter.title}”只能由{who}办理。")


def check_officer(by: Actor, agency: str, division: str) -> None:
    reach = [g for g in by.grants if g.role in DESK_ROLES and g.agency == agency]
    if not any(g.scope.covers(division) for g in reach):
        raise NotAllowed("这件事由承办机关在本辖区的工作人员办理。")


def check_desk(case: Case, by: Actor) -> None:
    check_officer(by, case.agency, case.division)


def is_superior(who: Actor | None, by: Actor, case: Case) -> bool:
    return (
        who is not None
        and who.account_id != by.account_id
        and any(
            g.role is Role.SUPERVISOR and g.agency == case.agency and g.scope.covers(case.division)
            for g in who.grants
        )
    )
