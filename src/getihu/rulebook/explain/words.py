"""Values, dates and reasons in the words people read."""

from datetime import date, timedelta
from decimal import Decimal

from getihu.dataplane.contracts import (
    FactDeclaration,
    FactScalar,
    FactState,
    FactType,
    FactValue,
    PersonalClass,
)
from getihu.reference import selectors as reference
from getihu.rulebook.model.rules import DECIDING_DATES, SUBJECT_LABELS, Parameter, Rule
from getihu.rulebook.model.scope import NATIONAL, region_prefix

UNKNOWN_SHOWN = "未知"
_UNITS = {
    "yuan": "元",
    "person": "人",
    "month": "个月",
    "day": "天",
    "year": "年",
    "m2": "平方米",
    "m": "米",
    "kw": "千瓦",
    "count": "",
    "level": "级",
}


def show_fact(value: FactScalar | None, fact: FactDeclaration) -> str:
    """A fact's value as people read it; 未知 when unknown."""
    if value is None:
        return UNKNOWN_SHOWN
    if fact.type is FactType.ENUM:
        return fact.values.get(str(value), str(value))
    if fact.type is FactType.MONEY:
        return f"{Decimal(str(value)):,.2f} 元"
    if fact.name == "county_code":
        return reference.division_name(str(value))
    return _show(value, fact.unit or "")


def show_parameter(parameter: Parameter) -> str:
    """A parameter's value with its unit; the rows of one that varies, one after the other."""
    parts = [f"{row.where}：{show_value(row.value, parameter.unit)}" for row in parameter.rows]
    if not parts:
        return show_value(parameter.value, parameter.unit)
    return "；".join([*parts, f"别处：{show_value(parameter.value, parameter.unit)}"])


def show_value(value: FactScalar | None, unit: str) -> str:
    """A value with its unit; 未定 where the text sets none."""
    return "未定" if value is None else _show(value, unit)


def _show(value: FactScalar, unit: str) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    if unit == "ratio":
        return f"{(Decimal(value) * 100).normalize():f}%"
    number = f"{value:,}" if isinstance(value, int) else f"{value.normalize():,f}"
    label = _UNITS.get(unit, unit)
    return f"{number} {label}" if label else number


_SENSITIVE = "个人信息保护法 第二十九条"


def consent_article(fact: FactDeclaration) -> str:
    """The article that asks the person's own consent before a fact is used; empty: none does."""
    return fact.consent or (_SENSITIVE if fact.personal is PersonalClass.SENSITIVE else "")


def why_unknown(fact: FactDeclaration, known: FactValue | None, as_of: date) -> str:
    """A sentence that names the department and since when; empty when the fact is known."""
    if known is not None and known.value is not None:
        return ""
    who = fact.department_name
    if not fact.dataset:
        return f"{who}还没有回答：{fact.null_means}。"
    state = known.state if known is not None else FactState.UNDELIVERED
    since = known.covered_until if known is not None else None
    match state:
        case FactState.LATE:
            first = since + timedelta(days=1) if since else None
            begun = f"自 {first} 起" if first else ""
            until = f"只到 {since}" if since else "没有送到"
            return f"{who}的数据{until}，{begun}到 {as_of} 的还没有送来。"
        case FactState.HELD:
            until = f"（数据到 {since}）" if since else ""
            return f"{who}送来的这户最新一条记录有错，等该部门更正后重送{until}。"
        case FactState.UNDELIVERED:
            return f"{who}从来没有送来过本地区的这项数据。"
        case FactState.WITHHELD:
            article = consent_article(fact)
            return f"用这一项要经营者本人书面同意（{article}），现在没有同意，所以没有用。"
        case FactState.RECORDED:
            on = f" {known.recorded_on} " if known and known.recorded_on else ""
            return f"{who}{on}的记录没有写明：{fact.null_means}。"
        case _:
            until = f"（数据到 {since}）" if since else ""
            return f"{who}没有这户的这项记录{until}：{fact.null_means}。"


def why_not_in_force(rule: Rule, as_of: date) -> str:
    """Why the period leaves a date out; empty when the rule is in force."""
    ending = rule.ended_by
    what = DECIDING_DATES[rule.decides_on.kind] if rule.decides_on.fact else ""
    on = f"{what}（{as_of}）" if what else f"{as_of} "
    if as_of < rule.valid_from:
        return f"本条自 {rule.valid_from} 起才施行，{on}还不适用。"
    if ending is not None and as_of >= ending.from_:
        return f"本条自 {ending.from_} 起已提前终止，依据：{ending.source}。"
    if rule.valid_until is not None and as_of >= rule.valid_until:
        last = rule.valid_until - timedelta(days=1)
        return f"本条有效期到 {last} 为止，{on}已不适用。"
    return ""


def region_name(rule: Rule) -> str:
    return "全国" if rule.region == NATIONAL else reference.division_name(rule.region)


def why_other_region(rule: Rule, county_code: str) -> str:
    county = reference.division_name(county_code)
    return f"本条只在{region_name(rule)}适用，这户登记在{county}。"


def why_other_subject(rule: Rule, kind: object) -> str:
    wanted = "、".join(SUBJECT_LABELS[subject] for subject in rule.subjects)
    is_ = SUBJECT_LABELS.get(str(kind), "") if kind is not None else ""
    known = f"，这户是{is_}" if is_ and is_ not in wanted else "，这户不是"
    return f"本条只适用于{wanted}{known}。"


def why_overridden(rule: Rule, county_code: str) -> str:
    """Names the regional rule that holds where the trader is registered."""
    local = [
        other for other in rule.overridden_by if county_code.startswith(region_prefix(other.region))
    ]
    names = "、".join(f"《{other.title}》" for other in local or rule.overridden_by)
    return f"这户登记在{reference.division_name(county_code)}，当地另有规定：{names}。"
