"""The kinds of filings, as kinds.yaml says them, and what a filing may say."""

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict

from getihu.kernel.codes import InvalidCreditCode, normalise_credit_code
from getihu.kernel.errors import GetihuError, InvalidInput, Problem, nearest_name

_FILE: Final = Path(__file__).parent / "kinds.yaml"
BASELINE: Final = "baseline"

CAUSES: Final = {
    "natural_disaster": "自然灾害",
    "accident": "事故灾难",
    "public_health": "公共卫生事件",
    "social_security": "社会安全事件",
    "other": "其他原因造成经营困难",
}
PERMIT_PLANS: Final = {
    "applied": "已经向发证机关申请变更或者重新申请",
    "stopped": "先停做要许可的项目",
}
PREPAID: Final = {"none": "没有发过预付卡", "noticed": "发过，已经公告并且可以退余额"}
FORMS: Final = {"personal": "个人经营", "family": "家庭经营"}
COMPANY_FORMS: Final = {
    "limited": "有限责任公司",
    "sole_owner": "个人独资企业",
    "partnership": "合伙企业",
}
# What a filing may say: label, type and, for a choice, its values. The words are the law's.
ITEMS: Final[dict[str, tuple[str, type, dict[str, str]]]] = {
    "name": ("名称", str, {}),
    "premises": ("经营场所", str, {}),
    "town_code": ("乡镇街道", str, {}),
    "county_code": ("县（市、区）", str, {}),
    "scope": ("经营范围", str, {}),
    "industry_code": ("行业代码", str, {}),
    "form": ("组成形式", str, FORMS),
    "operator": ("经营者", str, {}),
    "company_form": ("企业类型", str, COMPANY_FORMS),
    "until": ("歇业到哪一天", date, {}),
    "cause": ("歇业原因", str, CAUSES),
    "service_address": ("法律文书送达地址", str, {}),
    "staff_agreed": ("已与职工协商", bool, {}),
    "replaces_premises": ("用送达地址代替经营场所", bool, {}),
    "tax_cleared": ("已取得清税证明", bool, {}),
    "decided_on": ("决定不再经营的日期", date, {}),
    "prepaid": ("预付卡", str, PREPAID),
    "noticed_on": ("公告终止经营的日期", date, {}),
    "succeeded_by": ("由哪家企业延续（信用代码）", str, {}),
    "permit_plan": ("原有许可怎么办", str, PERMIT_PLANS),
    "year": ("年度", int, {}),
    "publish": ("向社会公示", bool, {}),
    "on_paper": ("纸质报送", bool, {}),
    "employees": ("从业人数", int, {}),
    "revenue": ("营业额或者营业收入", str, {}),
    "online_shop": ("网店或者网站", str, {}),
    "of": ("第几次登记", int, {}),
    "reason": ("理由", str, {}),
}


class UnknownKind(GetihuError):
    """No filing is of this kind."""


class FilingKind(BaseModel):
    """One kind of filing. ``within_days``: natural days after the event; None: no such term.
    ``ends``: the trader ends with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    label: str
    law: str
    status: frozenset[str]
    needs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    within_days: int | None = None
    ends: bool = False


@lru_cache
def filing_kinds() -> dict[str, FilingKind]:
    """Every kind a filing can be of; the baseline is none of them."""
    raw = yaml.safe_load(_FILE.read_text("utf-8"))
    return {name: FilingKind(id=name, **one) for name, one in raw.items()}


def get_kind(kind: str) -> FilingKind:
    """Raises UnknownKind, naming the nearest."""
    found = filing_kinds().get(kind)
    if found is None:
        near = nearest_name(kind, filing_kinds())
        fix = f"是不是想写 {near}？" if near else f"可以写：{'、'.join(filing_kinds())}。"
        raise UnknownKind(f"没有“{kind}”这种登记。{fix}")
    return found


def read_content(kind: FilingKind, raw: dict[str, Any]) -> dict[str, Any]:
    """What a filing says, as it is kept: texts, whole numbers, yes and no, dates as ISO text.
    Answers left empty are left out. Raises InvalidInput naming every field at once."""
    problems, kept = [], {}
    for name, value in raw.items():
        if name not in ITEMS:
            near = nearest_name(name, ITEMS)
            fix = f"是不是想写 {near}？" if near else ""
            problems.append(Problem("登记里没有这一项", field=name, fix=fix))
        elif value not in (None, ""):
            found, problem = _read(name, value)
            if problem:
                problems.append(problem)
            kept[name] = found
    for name in kind.needs:
        if name not in kept and not any(p.field == name for p in problems):
            problems.append(Problem(f"{kind.label}要写明{ITEMS[name][0]}", field=name))
    if kind.id == "change" and not kept and not problems:
        problems.append(Problem("没有写要变更什么", field="name", fix="至少写一项。"))
    if problems:
        raise InvalidInput(problems)
    return kept


def _read(name: str, value: Any) -> tuple[Any, Problem | None]:
    _, kind, values = ITEMS[name]
    if kind is bool:
        return value, None if isinstance(value, bool) else _wrong(name, "写是或者否。")
    if kind is date:
        try:
            return date.fromisoformat(str(value)).isoformat(), None
        except ValueError:
            return None, _wrong(name, "写成 2026-12-31 这样。")
    if kind is int:
        try:
            return int(str(value)), None
        except ValueError:
            return None, _wrong(name, "写整数。")
    text = " ".join(str(value).split())
    if name == "succeeded_by":
        try:
            return normalise_credit_code(text), None
        except InvalidCreditCode:
            return None, _wrong(name, "核对新企业营业执照上的18位统一社会信用代码。")
    if values and text not in values:
        return None, _wrong(name, f"从{'、'.join(values.values())}里选。")
    if len(text) > 500:
        return None, _wrong(name, "最多 500 个字。")
    return text, None


def _wrong(name: str, fix: str) -> Problem:
    return Problem(f"{ITEMS[name][0]}写得不对", field=name, fix=fix)
