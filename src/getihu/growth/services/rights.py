"""Who may do a step, and when: asked again in every service, whatever the page showed."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from getihu.accounts.contracts import Actor, Role
from getihu.kernel.errors import GetihuError

CITY_TIME = ZoneInfo("Asia/Shanghai")
TENDING = (Role.CASE_OFFICER, Role.SUPERVISOR)
AGENCY = "amr"  # 市场监管: 方案第10条 names it for the pools


class NotAllowed(GetihuError):
    """This person may not do this step."""


class NotNow(GetihuError):
    """It is not the time for this step."""


def check_tender(by: Actor, county_code: str, what: str, *roles: Role) -> Actor:
    """An officer of the market regulator over the county, in one of ``roles`` (by default those
    who tend pools). Raises NotAllowed."""
    wanted = roles or TENDING
    for grant in by.grants:
        if grant.role in wanted and grant.agency == AGENCY and grant.scope.covers(county_code):
            return by
    raise NotAllowed(f"您的职务不能{what}。处理办法：请本县（市、区）市场监管部门有权限的人办理。")


def day_of(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()
