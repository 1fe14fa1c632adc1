"""The pages of policies put together from the rulebook's answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import GetihuError
from getihu.portal.contracts import TRUST_NOTES
from getihu.portal.policies.rule_words import (
    SUBJECT_LABELS,
    Branch,
    ParameterRow,
    branch,
    fact_words,
    parameter_row,
    region_name,
)
from getihu.portal.policies.shapes import Cell, Segment, cells, moved_cells, segments
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services
from getihu.rulebook.contracts import (
    ClauseNumbers,
    Comparison,
    DriftReport,
    FrameLine,
    RuleChange,
    RuleNumbers,
    RuleSummary,
    Scenario,
)

NOT_COUNTED: Final = (dataplane.NothingPublished, dataplane.FactsNotBuilt, dataplane.AsOfBeforeData)
CITY_PREFIX: Final = "3303"
# Groups of the list, in its order.
SLICES: Final = {
    "growth": "分型与培育",
    "policies": "政策",
    "entry": "登记与许可（办理时判断）",
    "supervision": "执法裁量与信用（办案时判断）",
}
ENDED: Final = "已经结束或还没施行"
ELSEWHERE: Final = "其他地区的政策"
KINDS: Final = {"eligibility": "符合不符合", "table": "分几类"}


@dataclass(frozen=True)
class ClauseRow:
    """One condition: the text it comes from, what it asks, how many meet it."""

    id: str
    label: str
    article: str
    expression: str
    facts: tuple[str, ...]
    parameters: tuple[ParameterRow, ...]
    numbers: ClauseNumbers | None
    bar: tuple[Segment, ...]


@dataclass(frozen=True)
class AmountRow:
    """What a yes is worth: how it is worked out, from which standards."""

    label: str
    expression: str
    article: str
    parameters: tuple[ParameterRow, ...]


@dataclass(frozen=True)
class Outcome:
    """One outcome one may look at: its name in addresses, its label, whether it is the one."""

    name: str
    label: str
    reason: str
    when: Branch | None
    is_shown: bool


@dataclass(frozen=True)
class CaseRow:
    """One worked case and whether the rule still answers it as expected."""

    name: str
    passed: bool
    message: str


@dataclass(frozen=True)
class PolicyPage:
    """Text beside rule beside numbers. ``numbers`` is None where the city is not decided yet;
    ``not_counted`` then says why. ``counties``, ``trades`` and ``types`` count ``outcome``."""

    summary: RuleSummary
    region_name: str
    subjects: tuple[str, ...]
    in_force: bool
    ended: str
    benefit: str
    date_note: str
    incomplete: str
    trust_note: str
    frame: tuple[FrameLine, ...]
    review: tuple[FrameLine, ...]
    clauses: tuple[ClauseRow, ...]
    requires: Branch | None
    outcomes: tuple[Outcome, ...]
    amount: AmountRow | None
    outcome: str
    outcome_label: str
    count: int
    numbers: RuleNumbers | None
    not_counted: str
    bar: tuple[Segment, ...]
    counties: tuple[Cell, ...]
    trades: tuple[Cell, ...]
    types: tuple[Cell, ...]
    versions: tuple[Any, ...]
    cases: tuple[CaseRow, ...]
    reports: tuple[DriftReport, ...]
    scenarios: tuple[Scenario, ...]
    can_try: bool


@dataclass(frozen=True)
class Editing:
    """One clause (or the amount) as fields to change, filled with what was asked for."""

    id: str
    label: str
    expression: str
    parameters: tuple[ParameterRow, ...]
    is_changed: bool
    is_dropped: bool


@dataclass(frozen=True)
class ListLine:
    """One rule in the list, with the counts of the last sweep where there are any."""

    rule: RuleSummary
    region_name: str
    in_force: bool
    bar: tuple[Segment, ...]


@dataclass(frozen=True)
class ListPage:
    """The rules that fit a filter, and what can be filtered by."""

    groups: tuple[tuple[str, tuple[ListLine, ...]], ...]
    shown: int
    total: int
    regions: tuple[tuple[str, str], ...]
    counted_on: date | None


@dataclass(frozen=True)
class ComparisonPage:
    """A comparison as shapes: what changed, who moves where, what it costs, in which parts."""

    made: Comparison
    outcome_label: str
    moves: tuple[tuple[str, str, int], ...]
    before_bar: tuple[Segment, ...]
    after_bar: tuple[Segment, ...]
    counties: tuple[Cell, ...]
    trades: tuple[Cell, ...]
    types: tuple[Cell, ...]
    matrix_heads: tuple[str, ...]
    matrix: tuple[tuple[str, tuple[tuple[int, bool], ...]], ...]


def get_policy_page(rule_id: str, *, as_of: date | None = None, outcome: str = "") -> PolicyPage:
    """One policy. Raises UnknownRule. Cost: whole-city columns once, a small file after that."""
    rule = rulebook.get_rule(rule_id, as_of)
    numbers, not_counted = _numbers(rule_id, as_of)
    labels = {clause.id: clause.label for clause in rule.clauses}
    wanted = _outcome(rule, outcome)
    parameters = {p.name: parameter_row(p) for p in rule.parameters}
    amount = rule.amount
    return PolicyPage(
        summary=_summary(rule),
        region_name=region_name(rule.region),
        subjects=tuple(SUBJECT_LABELS.get(kind, kind) for kind in rule.subjects),
        in_force=rule.in_force(numbers.as_of if numbers else as_of or _data_until(rule)),
        ended=rule.ended_by.source if rule.ended_by else "",
        benefit=rule.benefit,
        date_note=rule.date_note,
        incomplete=rule.incomplete,
        trust_note=TRUST_NOTES.get(rule.source.trust, ""),
        frame=rulebook.frame_of(rule),
        review=rulebook.review_flags(rule),
        clauses=_clause_rows(rule, parameters, numbers),
        requires=branch(rule.requires, labels) if rule.requires else None,
        outcomes=_outcomes(rule, wanted, labels),
        amount=None
        if amount is None
        else AmountRow(
            amount.label,
            amount.text,
            amount.article,
            tuple(parameters.pop(name) for name in amount.parameters if name in parameters),
        ),
        outcome=wanted,
        outcome_label=dict(numbers.outcomes if numbers else rule.values).get(wanted, "符合"),
        count=numbers.counts.get(wanted, 0) if numbers else 0,
        numbers=numbers,
        not_counted=not_counted,
        bar=segments(numbers.counts, _shown_outcomes(numbers)) if numbers else (),
        counties=cells(numbers.parts["county"], wanted) if numbers else (),
        trades=_inhabited(numbers, "trade", wanted),
        types=_inhabited(numbers, "type", wanted),
        versions=tuple(rulebook.list_rule_versions(rule_id)),
        cases=_cases(rule_id),
        reports=tuple(rulebook.list_drift_reports(rule_id)),
        scenarios=tuple(rulebook.list_scenarios(rule_id)),
        can_try=bool(numbers and rule.parameters and not rule.incomplete),
    )


def _numbers(rule_id: str, as_of: date | None) -> tuple[RuleNumbers | None, str]:
    try:
        return rulebook.get_rule_numbers(rule_id, as_of), ""
    except NOT_COUNTED as error:
        return None, str(error)


def _data_until(rule: Any) -> date:
    """Without any data a rule is looked at on the day it begins."""
    try:
        return dataplane.get_published_snapshot().data_until
    except GetihuError:
        return rule.valid_from


def _summary(rule: Any) -> RuleSummary:
    return next(s for s in rulebook.list_rules() if (s.id, s.version) == (rule.id, rule.version))


def _outcome(rule: Any, wanted: str) -> str:
    names = [value for value, _ in rule.values] or ["yes", "no"]
    if wanted in (*names, "unknown"):
        return wanted
    return rule.rows[-2].value if len(rule.rows) > 1 else names[0]


def _outcomes(rule: Any, shown: str, labels: dict[str, str]) -> tuple[Outcome, ...]:
    """The rows of a table, in its order."""
    return tuple(
        Outcome(
            row.value,
            row.label,
            row.reason,
            branch(row.when, labels) if row.when else None,
            row.value == shown,
        )
        for row in rule.rows
    )


def _shown_outcomes(numbers: RuleNumbers) -> dict[str, str]:
    left_out = {"not_applicable": "不适用"} if numbers.counts["not_applicable"] else {}
    return {**dict(numbers.outcomes), **left_out}


def _inhabited(numbers: RuleNumbers | None, dimension: str, outcome: str) -> tuple[Cell, ...]:
    parts = numbers.parts.get(dimension, ()) if numbers else ()
    return cells([part for part in parts if part.traders], outcome)


def _clause_rows(
    rule: Any, parameters: dict[str, ParameterRow], numbers: RuleNumbers | None
) -> tuple[ClauseRow, ...]:
    """Every clause with the standards first used in it."""
    counted = {clause.id: clause for clause in numbers.clauses} if numbers else {}
    catalogue = dataplane.fact_catalogue()
    rows = []
    for clause in rule.clauses:
        own = counted.get(clause.id)
        rows.append(
            ClauseRow(
                id=clause.id,
                label=clause.label,
                article=clause.article,
                expression=clause.text,
                facts=tuple(fact_words(name, catalogue) for name in clause.facts),
                parameters=tuple(
                    parameters.pop(name) for name in clause.parameters if name in parameters
                ),
                numbers=own,
                bar=_clause_bar(own),
            )
        )
    return tuple(rows)


def _clause_bar(numbers: ClauseNumbers | None) -> tuple[Segment, ...]:
    if numbers is None:
        return ()
    counts = {"yes": numbers.yes, "no": numbers.no, "unknown": numbers.unknown}
    return segments(counts, {"yes": "是", "no": "否", "unknown": "未知"})


def _cases(rule_id: str) -> tuple[CaseRow, ...]:
    try:
        return tuple(CaseRow(c.name, c.passed, c.message) for c in services.run_cases(rule_id))
    except GetihuError:
        return ()


# The list


def get_list_page(
    *, text: str = "", region: str = "", kind: str = "", on: date | None = None
) -> ListPage:
    """What holds here by slice, then what is over, then the rules of other places."""
    every = rulebook.list_rules()
    found = rulebook.find_rules(rulebook.RuleFilter(text, region, kind, on))
    counts, counted_on = _sweep()
    groups: dict[str, list[ListLine]] = {
        title: [] for title in (*SLICES.values(), ENDED, ELSEWHERE)
    }
    for rule in found:
        line = _line(rule, counts, counted_on)
        groups[_group(line)].append(line)
    regions = dict.fromkeys(rule.region for rule in every)
    return ListPage(
        groups=tuple((title, tuple(lines)) for title, lines in groups.items() if lines),
        shown=len(found),
        total=len(every),
        regions=tuple((code, region_name(code)) for code in sorted(regions, key=_region_order)),
        counted_on=counted_on,
    )


def _region_order(code: str) -> tuple[bool, bool, str]:
    return (code != "CN", not _is_here(code), code)


def _line(
    rule: RuleSummary, counts: Mapping[str, Mapping[str, int]], counted_on: date | None
) -> ListLine:
    own = {**counts.get(rule.id, {})}
    on = counted_on or rule.valid_from
    versions = rulebook.get_rulebook().versions(rule.id)
    in_force = any(each.version == rule.version and each.in_force(on) for each in versions)
    own.pop("not_applicable", None)
    labels = {"yes": "符合", "no": "不符合", "unknown": "还不能判断"}
    if rule.kind != "eligibility":
        labels = {**dict(rulebook.get_rule(rule.id).values), "unknown": "还不能判断"}
    known = segments(own, labels) if any(own.values()) else ()
    return ListLine(rule, region_name(rule.region), in_force, known)


def _sweep() -> tuple[Mapping[str, Mapping[str, int]], date | None]:
    try:
        as_of = dataplane.get_published_snapshot().data_until
        return rulebook.sweep_counts(as_of), as_of
    except GetihuError:
        return {}, None


def _group(line: ListLine) -> str:
    """Where a rule stands in the list: by its slice, unless it is of another place or over."""
    if not _is_here(line.rule.region):
        return ELSEWHERE
    if not line.in_force:
        return ENDED
    return SLICES.get(line.rule.id.partition(".")[0], SLICES["policies"])


def _is_here(region: str) -> bool:
    """The country, the province, the city and its counties."""
    return region in ("CN", f"{CITY_PREFIX[:2]}0000") or region.startswith(CITY_PREFIX)


def list_rows(page: ListPage) -> list[list[str]]:
    """The list as a file: a head, then a line per rule."""
    head = ["编号", "版本", "名称", "类别", "地区", "主体", "文件", "标题", "条款", "来源网址"]
    head += ["生效日", "失效日（不含）", "条件数", "案例数"]
    rows = [head]
    for _, lines in page.groups:
        for line in lines:
            rows.append(_list_cells(line))
    return rows


def _list_cells(line: ListLine) -> list[str]:
    rule = line.rule
    return [
        rule.id,
        rule.version,
        rule.title,
        KINDS.get(rule.kind, rule.kind),
        line.region_name,
        "、".join(SUBJECT_LABELS.get(kind, kind) for kind in rule.subjects),
        rule.source.document,
        rule.source.title,
        rule.source.article,
        rule.source.url,
        rule.valid_from.isoformat(),
        rule.valid_until.isoformat() if rule.valid_until else "",
        str(rule.clause_count),
        str(rule.case_count),
    ]


def number_rows(rule_id: str, as_of: date | None = None) -> list[list[str]]:
    """The numbers of one rule as a file: a line per part and outcome. Held back cells say so."""
    numbers = rulebook.get_rule_numbers(rule_id, as_of)
    rows = [["规则", "版本", "截至", "快照", "分组", "代码", "名称", "结果", "户数"]]
    frame = [numbers.rule_id, numbers.version, numbers.as_of.isoformat(), numbers.snapshot_id]
    for name, label in _shown_outcomes(numbers).items():
        rows.append([*frame, "全市", "", "全市", label, str(numbers.counts.get(name, 0))])
    labels = dict(numbers.outcomes)
    titles = {"county": "县（市、区）", "trade": "行业门类", "type": "类型"}
    for dimension, parts in numbers.parts.items():
        for part in parts:
            for name, count in part.counts.items():
                said = "不单列" if count is None else str(count)
                rows.append([*frame, titles[dimension], part.code, part.label, labels[name], said])
    for missing in numbers.missing:
        label = f"缺{missing.department_name}数据"
        rows.append([*frame, "补齐后可判定", missing.department, label, "", str(missing.traders)])
    return rows


# What-ifs, scenarios, drift


def changes_asked(rule_id: str, asked: Mapping[str, Sequence[str]]) -> list[RuleChange]:
    """The changes a form asks for: ``set.NAME``, ``clause.ID`` and ``drop``; fields left as they
    are do not count."""
    rule = rulebook.get_rule(rule_id)
    now = {f"set.{p.name}": parameter_row(p).typed for p in rule.parameters}
    now |= {f"clause.{clause.id}": clause.text for clause in rule.clauses}
    changes = []
    for key, values in asked.items():
        kind, _, name = key.partition(".")
        value = " ".join(values[-1].split()) if values else ""
        if kind == "set" and value and not _same(value, now.get(key)):
            changes.append(RuleChange("parameter", name, value))
        elif kind == "clause" and value and value != now.get(key):
            changes.append(RuleChange("clause", name, value))
        elif key == "drop":
            changes += [RuleChange("drop", each) for each in dict.fromkeys(values) if each]
    dropped = {change.name for change in changes if change.kind == "drop"}
    return [c for c in changes if c.kind != "clause" or c.name not in dropped]


def _same(typed: str, now: str | None) -> bool:
    return typed.replace(",", "") == now


def asked_for(changes: Sequence[RuleChange]) -> list[tuple[str, str]]:
    """The same changes as fields of a form."""
    words = {"parameter": "set", "clause": "clause"}
    return [
        ("drop", change.name)
        if change.kind == "drop"
        else (f"{words[change.kind]}.{change.name}", change.value)
        for change in changes
    ]


def get_comparison_page(made: Comparison) -> ComparisonPage:
    """A comparison ready to be shown."""
    labels = dict(made.outcomes)
    involved = {
        name for before, after, _ in made.moves if before != after for name in (before, after)
    }
    present = [name for name in labels if name in involved]
    counts = {(before, after): n for before, after, n in made.moves}
    moved = [move for move in made.moves if move[0] != move[1]]
    parts = {
        name: moved_cells([m for m in moves if m.before != 0 or m.after != 0])
        for name, moves in made.parts.items()
        if name != "county"
    }
    return ComparisonPage(
        made=made,
        outcome_label=labels[made.outcome],
        moves=tuple((labels[b], labels[a], n) for b, a, n in sorted(moved, key=lambda m: -m[2])),
        before_bar=segments(made.before_counts, labels),
        after_bar=segments(made.after_counts, labels),
        counties=moved_cells(made.parts["county"]),
        trades=parts.get("trade", ()),
        types=parts.get("type", ()),
        matrix_heads=tuple(labels[name] for name in present),
        matrix=tuple(
            (
                labels[before],
                tuple((counts.get((before, after), 0), before == after) for after in present),
            )
            for before in present
        ),
    )


def next_month(day: date) -> date:
    """The first day of the month after: when a draft would usually begin."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def editing(shown: PolicyPage, changes: Sequence[RuleChange]) -> tuple[Editing, ...]:
    """The fields of a what-if: every clause, then the amount."""
    given = {(change.kind, change.name): change.value for change in changes}

    def filled(row: ParameterRow) -> ParameterRow:
        return replace(row, typed=given.get(("parameter", row.name), row.typed))

    fields = [
        Editing(
            clause.id,
            clause.label,
            given.get(("clause", clause.id), clause.expression),
            tuple(map(filled, clause.parameters)),
            ("clause", clause.id) in given or ("drop", clause.id) in given,
            ("drop", clause.id) in given,
        )
        for clause in shown.clauses
    ]
    if shown.amount and shown.amount.parameters:
        own = tuple(map(filled, shown.amount.parameters))
        fields.append(Editing("", f"金额：{shown.amount.label}", "", own, False, False))
    return tuple(fields)
