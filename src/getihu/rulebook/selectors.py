"""Reads of the rulebook: rules, decisions with reasons, counts of the last sweep."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactDeclaration, FactScalar, TraderFacts
from getihu.kernel.errors import GetihuError, nearest_name
from getihu.rulebook.advise import reads as advising
from getihu.rulebook.advise.reads import Answers, UnknownAnswer, check_answers
from getihu.rulebook.contracts import (
    Advice,
    Comparison,
    Decision,
    DraftVersion,
    DriftReport,
    Explanation,
    NearRule,
    NearTrader,
    ParameterCurve,
    Question,
    RuleChange,
    RuleNumbers,
    RuleSummary,
    Scenario,
)
from getihu.rulebook.explain.canonical import canonical_json
from getihu.rulebook.explain.decisions import decide
from getihu.rulebook.load.cases import read_cases
from getihu.rulebook.load.folder import cases_file, load_rulebook, rule_files
from getihu.rulebook.model.rules import Rule, Rulebook
from getihu.rulebook.slips.record import with_answers
from getihu.rulebook.whatif import reads
from getihu.rulebook.whatif.listing import RuleFilter, RuleVersion, filter_rules, versions_of
from getihu.rulebook.whatif.reads import UnknownDriftReport, UnknownScenario, UnknownVersion

__all__ = [
    "NotSwept",
    "RuleFilter",
    "UnknownAnswer",
    "UnknownDriftReport",
    "UnknownRule",
    "UnknownScenario",
    "UnknownVersion",
    "advise",
    "advise_trader",
    "ask_next",
    "canonical_json",
    "compare_changes",
    "decide_facts",
    "decisions_path",
    "draft_rule",
    "explain_rule",
    "explain_trader",
    "find_rules",
    "get_drift_report",
    "get_rule",
    "get_rule_numbers",
    "get_rulebook",
    "get_scenario",
    "ground_of",
    "list_curves",
    "list_drift_reports",
    "list_near_rules",
    "list_near_traders",
    "list_rule_versions",
    "list_rules",
    "list_scenarios",
    "read_answers",
    "scene_of",
    "sweep_counts",
]

TYPE_RULE_ID = "growth.trader_type"


class UnknownRule(GetihuError):
    """No rule has this id."""


class NotSwept(GetihuError):
    """The whole city has not been decided for this date and snapshot."""

    exit_code = 3


def get_rulebook() -> Rulebook:
    """All rules of ``settings.RULE_DIRS``, checked. Read again when a file has changed.

    Raises: InvalidInput with every problem of every file.
    """
    folders = _folders()
    return _rulebook(folders, _stamps(rule_files(folders)))


Stamps = tuple[tuple[str, int, int], ...]


def _folders() -> tuple[Path, ...]:
    return tuple(Path(folder) for folder in settings.RULE_DIRS)


def _stamps(files: Iterable[Path]) -> Stamps:
    """Names, times and sizes: what changes when somebody edits a file."""
    found = ((path, path.stat()) for path in files if path.exists())
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)


@lru_cache(maxsize=4)
def _rulebook(folders: tuple[Path, ...], stamps: Stamps) -> Rulebook:
    return load_rulebook(folders, dataplane.fact_catalogue())


def get_rule(rule_id: str, as_of: date | None = None) -> Rule:
    """One rule: the version that governs ``as_of``, by default the newest. Raises UnknownRule."""
    book = get_rulebook()
    _check_known(book, rule_id)
    return book.at(rule_id, as_of) if as_of else book.versions(rule_id)[-1]


def _check_known(book: Rulebook, rule_id: str) -> None:
    if not book.versions(rule_id):
        near = nearest_name(rule_id, book.ids)
        hint = f"是不是想找 {near}？" if near else f"现有：{'、'.join(book.ids)}。"
        raise UnknownRule(f"没有编号为“{rule_id}”的规则。{hint}")


def list_rules() -> list[RuleSummary]:
    """Every version of every rule, by id and date of effect."""
    files = rule_files(_folders())
    stamps = _stamps([*files, *map(cases_file, files)])
    return list(_summaries(get_rulebook(), stamps))


@lru_cache(maxsize=4)
def _summaries(book: Rulebook, stamps: Stamps) -> tuple[RuleSummary, ...]:
    catalogue = dataplane.fact_catalogue()
    return tuple(_summary(rule, catalogue) for rule in book.rules)


def _summary(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> RuleSummary:
    cases, _ = read_cases(cases_file(Path(rule.file)), rule, catalogue)
    return RuleSummary(
        id=rule.id,
        version=rule.version,
        title=rule.title,
        kind=rule.kind,
        region=rule.region,
        subjects=rule.subjects,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        superseded_by=rule.ended_by.rule_id if rule.ended_by else None,
        source=rule.source,
        clause_count=len(rule.clauses),
        case_count=len(cases),
    )


def explain_trader(
    trader_code: str, *, as_of: date | None = None, snapshot_id: str | None = None
) -> Explanation:
    """The type of one trader and every other rule, each with its reasons.

    Rules about something that happened (an officer fills in what) are left out: they say nothing
    of a trader by herself; ask ``explain_rule`` with answers.

    ``as_of`` is by default the last day of the published data. Raises: UnknownTrader,
    NothingPublished, FactsNotBuilt, AsOfBeforeData, UnknownRule (no type rule installed).
    """
    trader = _facts_of(trader_code, as_of, snapshot_id)
    as_of = trader.as_of
    catalogue = dataplane.fact_catalogue()
    book = get_rulebook()
    _check_known(book, TYPE_RULE_ID)
    rules = [rule for rule in book.governing(as_of) if not rule.is_about_event]
    decisions = {rule.id: decide(rule, trader, catalogue) for rule in rules}
    type_decision = decisions.pop(TYPE_RULE_ID)
    return Explanation(
        trader_code=trader.trader_code,
        as_of=as_of,
        snapshot_id=trader.snapshot_id,
        type_decision=type_decision,
        policies=tuple(decisions.values()),
    )


def explain_rule(
    trader_code: str,
    rule_id: str,
    *,
    as_of: date | None = None,
    snapshot_id: str | None = None,
    answers: Answers | None = None,
) -> Decision:
    """One rule on one trader with its reasons. ``answers`` fill what is asked (the rule's inputs)
    and facts nobody delivered. Raises as ``explain_trader``, UnknownRule, UnknownAnswer."""
    _check_known(get_rulebook(), rule_id)
    trader = _facts_of(trader_code, as_of, snapshot_id)
    rule = get_rule(rule_id, trader.as_of)
    check_answers([rule], answers or {})
    trader = with_answers(trader, answers or {}, dataplane.fact_catalogue())
    return decide(rule, trader, dataplane.fact_catalogue())


def decide_facts(rule_id: str, facts: Answers, as_of: date) -> Decision:
    """One rule on facts told, about nobody in particular: a worked case, a question at a counter.

    A fact left out is unknown. Raises: UnknownRule, UnknownAnswer.
    """
    rule = get_rule(rule_id, as_of)
    check_answers([rule], facts)
    nobody = TraderFacts("", as_of, "", {})
    told = with_answers(nobody, facts, dataplane.fact_catalogue())
    return decide(rule, told, dataplane.fact_catalogue())


def advise(
    trader_code: str,
    rule_id: str,
    *,
    as_of: date | None = None,
    snapshot_id: str | None = None,
    answers: Answers | None = None,
    goal: str = "",
) -> Advice:
    """Why not, when, and what would change it. ``goal``: by default yes, or a table's next value.

    Raises as ``explain_rule``, and UnknownAnswer. Cost: some milliseconds.
    """
    _check_known(get_rulebook(), rule_id)
    trader = _facts_of(trader_code, as_of, snapshot_id)
    return advising.advise_trader(get_rule(rule_id, trader.as_of), trader, answers or {}, goal)


def advise_trader(
    trader_code: str,
    *,
    as_of: date | None = None,
    snapshot_id: str | None = None,
    rule_ids: Collection[str] | None = None,
) -> dict[str, Advice]:
    """Rule id → advice, for some rules of one trader or all. Raises as ``explain_trader``."""
    trader = _facts_of(trader_code, as_of, snapshot_id)
    rules = get_rulebook().governing(trader.as_of)
    return {
        rule.id: advising.advise_trader(rule, trader, {})
        for rule in rules
        if rule_ids is None or rule.id in rule_ids
    }


def ask_next(
    trader_code: str,
    rule_id: str = "",
    *,
    as_of: date | None = None,
    answers: Answers | None = None,
) -> tuple[Question, ...]:
    """The interview: what to ask next, best first, over one rule or all; empty when all is
    settled. Raises as ``explain_rule``, and UnknownAnswer."""
    trader = _facts_of(trader_code, as_of, None)
    book = get_rulebook()
    if rule_id:
        _check_known(book, rule_id)
    rules = [get_rule(rule_id, trader.as_of)] if rule_id else book.governing(trader.as_of)
    return advising.questions(rules, trader, answers or {})


def read_answers(rule_id: str, written: Mapping[str, str]) -> dict[str, FactScalar | None]:
    """Answers written as text (是, 320.50, 2026-01-31) as values of the facts they answer; an
    empty text is unknown. With ``rule_id`` that rule's inputs count too.

    Raises: UnknownRule, UnknownAnswer, InvalidInput (not a value of the fact).
    """
    rules = [get_rule(rule_id)] if rule_id else list(get_rulebook().rules)
    return advising.read_answers(rules, written)


def list_near_rules(as_of: date | None = None) -> list[NearRule]:
    """差一步 over the city: per rule how many one clause keeps from it, most first.

    Raises: NothingPublished, FactsNotBuilt. Cost: one pass over the columns of the rules.
    """
    published = dataplane.get_published_snapshot()
    as_of = as_of or published.data_until
    rules = get_rulebook().governing(as_of)
    return advising.near_city(rules, as_of, published.snapshot_id)


def list_near_traders(
    rule_id: str, as_of: date | None = None, *, offset: int = 0, limit: int = 100
) -> list[NearTrader]:
    """The traders one step away from a rule. Raises as ``list_near_rules``, and UnknownRule."""
    published = dataplane.get_published_snapshot()
    as_of = as_of or published.data_until
    rule = get_rule(rule_id, as_of)
    return advising.near_traders(rule, as_of, published.snapshot_id, offset, limit)


def ground_of(
    trader_code: str, rule_id: str, as_of: date | None = None, snapshot_id: str | None = None
) -> tuple[Rule, TraderFacts]:
    """The rule that governs a date and the facts of one trader: what a decision rests on.

    Raises as ``explain_rule``.
    """
    _check_known(get_rulebook(), rule_id)
    trader = _facts_of(trader_code, as_of, snapshot_id)
    return get_rule(rule_id, trader.as_of), trader


def _facts_of(trader_code: str, as_of: date | None, snapshot_id: str | None) -> TraderFacts:
    """The facts of one trader, all from one snapshot whatever is published meanwhile."""
    if as_of is None or snapshot_id is None:
        published = dataplane.get_published_snapshot()
        snapshot_id = snapshot_id or published.snapshot_id
        as_of = as_of or published.data_until
    return dataplane.get_trader_facts(trader_code, as_of, snapshot_id)


def decisions_path(as_of: date, snapshot_id: str) -> Path:
    """Where the decisions of a whole-city sweep lie (whether made or not).

    Grain: one row per trader; ``trader_code``, per rule the outcome (NULL: does not apply) and,
    where the rule pays, ``…__amount_yuan``.
    """
    folder = Path(settings.DATA_DIR) / "dataplane" / "decisions" / snapshot_id
    return folder / f"{as_of.isoformat()}.parquet"


def sweep_counts(as_of: date, snapshot_id: str | None = None) -> dict[str, dict[str, int]]:
    """Rule id → outcome → traders, of the last sweep for ``as_of``. Raises NotSwept."""
    snapshot_id = snapshot_id or dataplane.get_published_snapshot().snapshot_id
    path = decisions_path(as_of, snapshot_id).with_suffix(".json")
    if not path.exists():
        raise NotSwept(f"{as_of} 还没有按快照 {snapshot_id} 判定全市。先运行 getihu decide。")
    counts: dict[str, dict[str, int]] = json.loads(path.read_text("utf-8"))["counts"]
    return counts


def find_rules(wanted: RuleFilter) -> list[RuleSummary]:
    """The rules that fit a filter: words, region, kind, in force on a day."""
    return filter_rules(get_rulebook(), list_rules(), wanted)


def list_rule_versions(rule_id: str) -> list[RuleVersion]:
    """Every version of a rule, on file or once live, with what it changed. Raises UnknownRule."""
    return versions_of(get_rulebook().versions(get_rule(rule_id).id))


def scene_of(rule: Rule | str, as_of: date | None = None) -> reads.Scene:
    """A rule (or any copy of one) on the city of one date: the ground of the questions below.

    Raises: UnknownRule, NothingPublished.
    """
    found = get_rule(rule, as_of) if isinstance(rule, str) else rule
    return reads.scene(get_rulebook(), TYPE_RULE_ID, found, as_of)


def get_rule_numbers(rule_id: str, as_of: date | None = None) -> RuleNumbers:
    """One rule over the whole city: who, where, for want of whose data, one step away.

    Raises: UnknownRule, NothingPublished, FactsNotBuilt, AsOfBeforeData. Cost: some passes over
    the columns of the rule the first time, a small file after that.
    """
    return reads.numbers(scene_of(rule_id, as_of))


def list_curves(
    rule_id: str, *, outcome: str = "", as_of: date | None = None
) -> list[ParameterCurve]:
    """Count and cost at every value of each parameter of a rule, everything else as it is.

    Raises and costs as ``get_rule_numbers``.
    """
    return reads.curves(scene_of(rule_id, as_of), outcome)


def compare_changes(
    rule_id: str, changes: Sequence[RuleChange], *, outcome: str = "", as_of: date | None = None
) -> Comparison:
    """The city under a rule and under a changed copy of it.

    Raises: as ``get_rule_numbers``; UnknownPart, InvalidInput when the copy is wrong.
    """
    return reads.changed(scene_of(rule_id, as_of), changes, outcome)


def draft_rule(rule_id: str, changes: Sequence[RuleChange], valid_from: date) -> DraftVersion:
    """The text of a version with the changes, in force from ``valid_from``, and its cases.

    Raises: UnknownRule, UnknownPart, InvalidInput, DraftTooEarly.
    """
    return reads.draft(get_rule(rule_id), changes, valid_from)


def list_scenarios(rule_id: str = "") -> list[Scenario]:
    """The kept what-ifs of a rule, or of all, the latest first."""
    return reads.scenarios(rule_id)


def get_scenario(number: int) -> Scenario:
    """One kept what-if. Raises UnknownScenario."""
    return reads.scenario(number)


def list_drift_reports(rule_id: str) -> list[DriftReport]:
    """The drift reports of a rule, the latest first."""
    return reads.drift_reports(rule_id)


def get_drift_report(key: str) -> DriftReport:
    """One drift report. Raises UnknownDriftReport."""
    return reads.drift_report(key)
