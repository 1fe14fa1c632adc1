"""Who may do a step, and when: asked again in every service, whatever the page showed."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from getihu.accounts.contracts import Actor, Role
from getihu.supervision.contracts import NotAllowed

CITY_TIME = ZoneInfo("Asia/Shanghai")
CHECKING = (Role.CASE_OFFICER, Role.SUPERVISOR)


def check_officer(by: Actor, agency: str, place: str, what: str, *roles: Role) -> None:
    """An officer of the agency over the place, in one of ``roles``. Raises NotAllowed."""
    for grant in by.grants:
        if (
            grant.role in (roles or CHECKING)
            and grant.agency == agency
            and grant.scope.covers(place)
        ):
            return
    raise NotAllowed(f"您的职务不能{what}。处理办法：请本机关管这个地方、有权限的人办理。")


def day_of(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()
