"""What two versions of a rule do not share, in the order people read a rule."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.contracts import RuleDifference
from getihu.rulebook.explain.frame import frame_of
from getihu.rulebook.explain.words import show_parameter
from getihu.rulebook.model.rules import AllOf, AnyOf, AtLeast, ClauseRef, Rule, Tree

_FIELDS: tuple[tuple[str, str, Callable[[Rule], Any]], ...] = (
    ("标题", "", lambda r: r.title),
    ("文件", "", lambda r: f"{r.source.document}《{r.source.title}》{r.source.article}"),
    ("地区", "", lambda r: r.region),
    ("主体", "", lambda r: "、".join(r.subjects)),
    ("生效", "", lambda r: r.valid_from.isoformat()),
    ("失效", "", lambda r: r.valid_until.isoformat() if r.valid_until else "未见终止日"),
    ("提前终止", "", lambda r: r.ended_by.source if r.ended_by else ""),
    ("内容", "", lambda r: r.benefit),
    ("按哪一天", "", lambda r: r.date_note),
    ("原文不全", "", lambda r: r.incomplete),
)


def differences(before: Rule, after: Rule) -> tuple[RuleDifference, ...]:
    """Everything that differs: parameters and clauses first, then how they are joined, the
    amount, and the frame around them."""
    catalogue = dataplane.fact_catalogue()
    found = [
        *_both("参数", _parameters(before), _parameters(after)),
        *_both("条件", _clauses(before), _clauses(after)),
        *_both("组合", _joined(before), _joined(after)),
        *_both("金额", _amount(before), _amount(after)),
        *_both("怎样给", _frame(before, catalogue), _frame(after, catalogue)),
    ]
    for what, label, read in _FIELDS:
        found += _both(what, {"": (label, read(before))}, {"": (label, read(after))})
    if not found and before.version != after.version:
        found.append(RuleDifference("文字", "标注、来源等说明文字", "", "有改动，不影响判定"))
    return tuple(found)


def rule_in_words(rule: Rule) -> list[tuple[str, list[str]]]:
    """Headings with lines: standards, conditions, how they are joined, the amount."""
    parts = [
        ("标准", [f"{p.label}：{show_parameter(p)}（{p.source}）" for p in rule.parameters]),
        ("条件", [f"{c.id}  {c.label}（{c.article}）\n      {c.text}" for c in rule.clauses]),
        ("怎样算", [f"{label}：{text}" for label, text in _joined(rule).values()]),
        ("给多少", [f"{label}：{text}" for label, text in _amount(rule).values()]),
    ]
    return [(heading, lines) for heading, lines in parts if lines]


Named = Mapping[str, tuple[str, str]]  # id → (label, as people read it)


def _both(what: str, before: Named, after: Named) -> Iterable[RuleDifference]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name, ("", "")), after.get(name, ("", ""))
        if old[1] != new[1]:
            yield RuleDifference(what, new[0] or old[0], old[1], new[1])


def _parameters(rule: Rule) -> Named:
    return {p.name: (p.label, show_parameter(p)) for p in rule.parameters}


def _clauses(rule: Rule) -> Named:
    return {c.id: (c.label, c.text) for c in rule.clauses}


def _joined(rule: Rule) -> Named:
    labels = {c.id: c.label for c in rule.clauses}
    trees = {"": ("怎样算符合", in_words(rule.requires, labels))} if rule.requires else {}
    for number, row in enumerate(rule.rows):
        words = in_words(row.when, labels) if row.when else "其余"
        trees[str(number)] = (f"第 {number + 1} 行", f"{words} → {row.label}")
    return trees


def _amount(rule: Rule) -> Named:
    return {"": (rule.amount.label, rule.amount.text)} if rule.amount else {}


def _frame(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> Named:
    lines: dict[str, tuple[str, str]] = {}
    for line in frame_of(rule, catalogue):
        before = lines.get(line.id, ("", ""))[1]
        lines[line.id] = (line.label, f"{before}；{line.text}" if before else line.text)
    return lines


def in_words(tree: Tree, labels: Mapping[str, str]) -> str:
    """A tree of clauses on one line."""
    if isinstance(tree, ClauseRef):
        return labels.get(tree.id, tree.id)
    items = "；".join(in_words(item, labels) for item in tree.items)
    match tree:
        case AllOf():
            return f"全部满足（{items}）"
        case AnyOf():
            return f"满足任一（{items}）"
        case AtLeast(n):
            return f"至少满足{n}项（{items}）"
    return f"都没有（{items}）"
