"""What a rule says beside its conditions, in the words people read."""

from collections.abc import Iterator, Mapping

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.contracts import ConsentNeed, FrameLine
from getihu.rulebook.explain.words import consent_article, show_value
from getihu.rulebook.model.rules import (
    DECIDING_DATES,
    LEGAL_BASES,
    PAID_KINDS,
    Budget,
    Group,
    Rule,
)
from getihu.rulebook.model.scope import NATIONAL

_HOW = {
    "highest": "同一项目就高不重复",
    "once": "不得重复享受",
    "difference": "晋级补差",
}
_REVIEW = "公平竞争审查条例"


def frame_of(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> tuple[FrameLine, ...]:
    """Every line, in the order people ask: which date, how often, how much, by what right."""
    return tuple(_lines(rule, rule.with_inputs(catalogue)))


def _lines(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> Iterator[FrameLine]:
    date = rule.decides_on
    what = f"（{catalogue[date.fact].label}）" if date.fact else ""
    yield FrameLine("decides_on", "看哪一天", f"{DECIDING_DATES[date.kind]}{what}", "")
    for other in rule.overridden_by:
        yield FrameLine("overridden_by", "当地另有规定", f"《{other.title}》（{other.rule_id}）")
    if rule.overrides:
        yield FrameLine("overrides", "在本地代替", "、".join(rule.overrides))
    if rule.instalments:
        yield FrameLine("instalments", "怎样付", _instalments(rule))
    if rule.group:
        yield FrameLine("group", "和别的政策", _group(rule.group), rule.group.source)
    if rule.ceiling:
        since = rule.ceiling.from_registered_months
        begins = f"登记满{since}个月的，" if since else ""
        most = catalogue[rule.ceiling.fact].label
        yield FrameLine(
            "ceiling", "全年上限", f"{begins}一年内合计不超过{most}", rule.ceiling.source
        )
    if rule.budget:
        yield FrameLine("budget", "有多少、先给谁", _budget(rule, catalogue), rule.budget.source)
    if rule.legal_basis:
        kind = LEGAL_BASES[rule.legal_basis.kind]
        yield FrameLine("legal_basis", "凭什么给", f"{rule.legal_basis.text}（{kind}）")
    for need in consent_needed(rule, catalogue):
        yield FrameLine("consent", "要本人书面同意", "、".join(need.labels), need.article)


def _instalments(rule: Rule) -> str:
    parts = []
    for each in rule.instalments:
        much = show_value(each.yuan, "yuan") if each.yuan else show_value(each.share, "ratio")
        parts.append(f"{each.due}付{much}")
    return "；".join(parts)


def _group(group: Group) -> str:
    window = f"，{group.window_months}个月内算一次" if group.window_months else ""
    return f"{_HOW[group.how]}{window}（项目 {group.id}）"


def _budget(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> str:
    budget = rule.budget
    assert budget is not None
    limits = []
    if budget.yuan is not None:
        limits.append(f"共{show_value(budget.yuan, 'yuan')}")
    if budget.places is not None:
        limits.append(f"{budget.places}个名额")
    return f"{'，'.join(limits)}；{_order(budget, catalogue)}"


def _order(budget: Budget, catalogue: Mapping[str, FactDeclaration]) -> str:
    known = {"applied_on": "申请日期", "amount": "金额"}
    words = []
    for key in budget.order:
        name = key.removeprefix("-")
        label = known.get(name) or catalogue[name].label
        words.append(f"{label}{'从后往前' if key.startswith('-') else '从前往后'}")
    return f"先后按{'、'.join(words)}，相同的公开抽签"


def consent_needed(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> tuple[ConsentNeed, ...]:
    """What of a rule's facts needs written consent (政策元规则 F-08), by article; inputs do not:
    whoever answers gives them."""
    found: dict[str, list[FactDeclaration]] = {}
    asked = {each.name for each in rule.inputs}
    for name in rule.facts:
        fact = catalogue.get(name)
        if fact is None or name in asked:
            continue
        article = consent_article(fact)
        if article:
            found.setdefault(article, []).append(fact)
    return tuple(
        ConsentNeed(article, tuple(f.name for f in facts), tuple(f.label for f in facts))
        for article, facts in sorted(found.items())
    )


def review_flags(rule: Rule) -> tuple[FrameLine, ...]:
    """What a fair-competition review must answer before a local rule gives money to some and not
    to others (政策元规则 F-05). A warning, never an error: the text may be as it is."""
    if rule.region == NATIONAL or rule.benefit_kind not in PAID_KINDS:
        return ()
    flags = []
    basis = rule.legal_basis
    if basis is None or basis.kind in ("local", "none"):
        said = f"只写了{basis.text}" if basis and basis.kind == "local" else "没有写明"
        flags.append(
            FrameLine(
                "no_legal_basis",
                "缺法律依据",
                f"给特定经营者{rule.benefit_kind}，须有法律、行政法规依据或者经国务院批准，{said}",
                f"{_REVIEW} 第十条",
            )
        )
    if rule.last_day_after is None:
        flags.append(
            FrameLine(
                "no_end",
                "没有终止日",
                "例外允许的政策措施要有合理的实施期限或者终止条件",
                f"{_REVIEW} 第十二条",
            )
        )
    return tuple(flags)
