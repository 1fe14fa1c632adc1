"""May I stand here now: a zone's place and time, and what the law says of stalls."""

from datetime import datetime
from typing import Final

from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.zones import GOODS, StallAnswer, Zone, get_zone

RULE: Final = "entry.open_stall"
_ANYWHERE: Final = "330302"  # the rule is the province's: any county of the city decides alike


def may_stand(
    zone_id: str, goods: str, at: datetime, *, near_school: bool | None = None
) -> StallAnswer:
    """The answer for a local time in a zone, or outside every zone (``zone_id`` empty).

    ``near_school``: within the area around schools, where the zone does not say. Unknown stays
    unknown. Raises: UnknownZone, ValueError for goods there are not.
    """
    if goods not in GOODS:
        raise ValueError(goods)
    zone = get_zone(zone_id) if zone_id else None
    is_open = zone is not None and zone.is_open(at)
    school = zone.near_school if zone and zone.near_school is not None else near_school
    told: dict[str, object] = {
        "subject_kind": "individual", "has_fixed_shop": False, "in_stall_zone": is_open,
        "sells_food": goods == "food", "county_code": zone.division[:6] if zone else _ANYWHERE,
    }  # fmt: skip
    if school is not None:
        told["in_school_ban"] = school
    decision = rulebook.decide_facts(RULE, told, at.date())  # type: ignore[arg-type]
    allowed = None if decision.outcome == "unknown" else decision.outcome == "place"
    reasons = [_time(zone, at, is_open)]
    if zone and goods not in zone.goods:
        allowed = False
        listed = "、".join(GOODS[each] for each in zone.goods)
        reasons.append((f"这里只能卖{listed}，不能卖{GOODS[goods]}", zone.source))
    if goods == "food" and is_open:
        reasons.append(_school(school))
    next_at = None if allowed or zone is None or goods not in zone.goods else zone.opens_next(at)
    if goods == "food" and school:
        next_at = None
    return StallAnswer(allowed, zone, tuple(reasons), next_at, RULE)


def _time(zone: Zone | None, at: datetime, is_open: bool) -> tuple[str, str]:
    if zone is None:
        return (
            "不在划定的摆摊区域里，不能占道摆摊",
            "温州市市容和环境卫生管理条例 第二十一条；浙江省食品小作坊小餐饮店小食杂店和食品摊贩管理规定 第十四条",
        )
    if not zone.is_valid(at.date()):
        return "这个区域那一天不开放", zone.source
    if at.date() in zone.closed_on:
        return "这个区域那一天停市", zone.source
    return ("在开放的时间里" if is_open else "不在开放的时间里"), zone.source


def _school(near: bool | None) -> tuple[str, str]:
    article = "浙江省食品小作坊小餐饮店小食杂店和食品摊贩管理规定 第十四条第二款"
    if near is None:
        return "在不在中小学、幼儿园周边还不知道：没有划定范围的，看100米以内", article
    return (("在中小学、幼儿园周边，不能卖食品" if near else "不在中小学、幼儿园周边"), article)
