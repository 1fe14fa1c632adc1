"""Reads of the rulebook: rules, decisions with reasons, counts of the last sweep."""

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from django.conf import settings

from getihu.accounts.selectors import is_demo
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactDeclaration, FactScalar, TraderFacts
from getihu.kernel.errors import GetihuError, nearest_name
from getihu.rulebook.advise import reads as advising
from getihu.rulebook.advise.reads import Answers, UnknownAnswer, check_answers
from getihu.rulebook.compile.sweep import amount_column, outcome_column
from getihu.rulebook.contracts import (
    Advice,
    Comparison,
    ConsentNeed,
    Decision,
    DraftVersion,
    DriftReport,
    Explanation,
    FactUsed,
    FrameLine,
    Granted,
    NearRule,
    NearTrader,
    ParameterCurve,
    PastAward,
    Question,
    RuleChange,
    RuleNumbers,
    RuleSummary,
    Scenario,
    Settled,
)
from getihu.rulebook.explain import frame as frames
from getihu.rulebook.explain import labels, masking
from getihu.rulebook.explain.canonical import canonical_json
from getihu.rulebook.explain.consent import protected, withhold
from getihu.rulebook.explain.decisions import decide, show_fact_used
from getihu.rulebook.explain.sentences import sentence
from getihu.rulebook.explain.words import region_name
from getihu.rulebook.load import skeleton, texts
from getihu.rulebook.load.cases import read_cases
from getihu.rulebook.load.folder import cases_file, load_rulebook, rule_files
from getihu.rulebook.load.texts import TextCheck
from getihu.rulebook.model.rules import SUBJECT_LABELS, Rule, Rulebook
from getihu.rulebook.permitted import Permitted, facts_for, facts_of_many
from getihu.rulebook.settle.budgets import Claim, Queue, queue
from getihu.rulebook.settle.reads import settle_decisions
from getihu.rulebook.slips.record import with_answers
from getihu.rulebook.whatif import changes, differences, live, reads
from getihu.rulebook.whatif.listing import RuleFilter, RuleVersion, filter_rules, versions_of
from getihu.rulebook.whatif.live import first_days
from getihu.rulebook.whatif.reads import UnknownDriftReport, UnknownScenario, UnknownVersion

__all__ = [
    "Claim",
    "NotSwept",
    "Queue",
    "RuleFilter",
    "TextCheck",
    "UnknownAnswer",
    "UnknownDriftReport",
    "UnknownRule",
    "UnknownScenario",
    "UnknownVersion",
    "advise",
    "advise_trader",
    "amount_sentence",
    "applies_to",
    "ask_facts",
    "ask_next",
    "canonical_json",
    "check_text",
    "city_outcomes",
    "clause_sentences",
    "compare_changes",
    "consent_needed",
    "decide_facts",
    "decide_without",
    "decisions_path",
    "draft_rule",
    "drift_report_of",
    "explain_many",
    "explain_rule",
    "explain_trader",
    "file_name_of",
    "find_rules",
    "first_days",
    "frame_of",
    "get_drift_report",
    "get_rule",
    "get_rule_numbers",
    "get_rulebook",
    "get_scenario",
    "governing_rules",
    "ground_of",
    "list_curves",
    "list_decided",
    "list_drift_reports",
    "list_granted",
    "list_near_rules",
    "list_near_traders",
    "list_rule_versions",
    "list_rules",
    "list_scenarios",
    "list_yes",
    "outcome_of",
    "protected_facts",
    "queue",
    "read_answers",
    "readers_of_facts",
    "review_flags",
    "rule_folders",
    "rule_in_words",
    "scene_of",
    "settle",
    "show_facts",
    "stale_labels",
    "starting_texts",
    "sweep_counts",
    "swept_versions",
    "texts_of",
    "unbacked_numbers",
    "with_clause",
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
    folders = rule_folders()
    return _rulebook(folders, _stamps(folders))


Stamps = tuple[tuple[str, int, int], ...]


def rule_folders() -> tuple[Path, ...]:
    """The folders of ``settings.RULE_DIRS``, one for each slice that keeps rules; a demo's own; and
    what was published here, which takes the place of a file with the same name."""
    demo = [settings.DEMO_DIRS["rules"]] if is_demo() else []
    published = Path(settings.PUBLISHED_RULES_DIR)
    own = [published] if published.is_dir() else []
    return tuple(Path(folder) for folder in [*settings.RULE_DIRS, *demo, *own])


def _stamps(paths: Iterable[Path]) -> Stamps:
    """Names, times and sizes: what changes when somebody edits a file. Asked several times for a
    page, so that it looks through each folder once."""
    found: Stamps = ()
    for path in paths:
        if not path.is_dir():
            if path.exists():
                stat = path.stat()
                found += ((str(path), stat.st_mtime_ns, stat.st_size),)
            continue
        with os.scandir(path) as entries:
            listed = [
                (entry.path, entry.stat().st_mtime_ns, entry.stat().st_size)
                for entry in entries
                if entry.name.endswith(".yaml") and not entry.name.endswith(".cases.yaml")
            ]
        found += tuple(sorted(listed))
    return found


@lru_cache(maxsize=4)
def _rulebook(folders: tuple[Path, ...], stamps: Stamps) -> Rulebook:
    return load_rulebook(folders, dataplane.fact_catalogue(), _proved_folder())


def _proved_folder() -> Path:
    """Where it is remembered which texts were found free of contradictions."""
    return Path(settings.DATA_DIR) / "rulebook" / "proved"


def get_rule(rule_id: str, as_of: date | None = None) -> Rule:
    """One rule: the version that governs ``as_of``, by default the newest. Raises UnknownRule."""
    book = get_rulebook()
    _check_known(book, rule_id)
    return book.at(rule_id, as_of) if as_of else book.versions(rule_id)[-1]


def governing_rules(as_of: date) -> dict[str, Rule]:
    """Rule id → the version that governs a date, in the rulebook's order."""
    return {rule.id: rule for rule in get_rulebook().governing(as_of)}


def _check_known(book: Rulebook, rule_id: str) -> None:
    if not book.versions(rule_id):
        near = nearest_name(rule_id, book.ids)
        hint = f"是不是想找 {near}？" if near else f"现有：{'、'.join(book.ids)}。"
        raise UnknownRule(f"没有编号为“{rule_id}”的规则。{hint}")


def list_rules() -> list[RuleSummary]:
    """Every version of every rule, by id and date of effect."""
    files = rule_files(rule_folders())
    stamps = _stamps([*files, *map(cases_file, files)])
    return list(_summaries(get_rulebook(), stamps))


def list_case_names(rule_id: str) -> frozenset[str]:
    """What the worked cases of a rule are called, over all its versions. Raises: UnknownRule."""
    book = get_rulebook()
    _check_known(book, rule_id)
    catalogue = dataplane.fact_catalogue()
    files = [(cases_file(Path(rule.file)), rule) for rule in book.versions(rule_id)]
    return frozenset(
        case.name
        for file, rule in files
        if file.exists()
        for case in read_cases(file, rule, catalogue)[0]
    )


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
    permitted = Permitted(trader)
    decisions = {r.id: decide(r, permitted.facts_for(r.id), catalogue) for r in rules}
    type_decision = decisions.pop(TYPE_RULE_ID)
    return Explanation(
        trader_code=trader.trader_code,
        as_of=as_of,
        snapshot_id=trader.snapshot_id,
        type_decision=type_decision,
        policies=tuple(decisions.values()),
    )


def settle(explanation: Explanation, awards: Sequence[PastAward] = ()) -> tuple[Settled, ...]:
    """What each policy that gives money pays beside the others and after earlier awards.

    One row per yes whose rule states an amount, in the order of the explanation. Raises as
    ``explain_trader``.
    """
    as_of = explanation.as_of
    trader = _facts_of(explanation.trader_code, as_of, explanation.snapshot_id)
    return settle_decisions(explanation.policies, governing_rules(as_of), trader, awards)


MASKED_BECAUSE = masking.WHY


def mask_explanation(explanation: Explanation, hidden: Collection[str]) -> Explanation:
    """The explanation for somebody who may not see the ``hidden`` classes of facts."""
    return replace(
        explanation,
        type_decision=mask_decision(explanation.type_decision, hidden),
        policies=tuple(mask_decision(each, hidden) for each in explanation.policies),
    )


def mask_decision(decision: Decision, hidden: Collection[str]) -> Decision:
    """The decision, without whatever would tell a fact of a ``hidden`` class (dataplane's
    PersonalClass values)."""
    return (
        masking.mask(decision) if is_masked(decision.rule_id, decision.as_of, hidden) else decision
    )


def is_masked(rule_id: str, as_of: date, hidden: Collection[str]) -> bool:
    """Whether a rule's answer would tell a fact of a ``hidden`` class. Raises UnknownRule."""
    if not hidden:
        return False
    return masking.is_masked(get_rule(rule_id, as_of), dataplane.fact_catalogue(), hidden)


def frame_of(rule: Rule) -> tuple[FrameLine, ...]:
    """What a rule says beside its conditions: date, groups, budget, legal basis, consent."""
    return frames.frame_of(rule, dataplane.fact_catalogue())


def consent_needed(rule: Rule) -> tuple[ConsentNeed, ...]:
    """Facts of a rule that may be used only with written consent, by article."""
    return frames.consent_needed(rule, dataplane.fact_catalogue())


def review_flags(rule: Rule) -> tuple[FrameLine, ...]:
    """What a fair-competition review must still answer about a rule; empty when nothing."""
    return frames.review_flags(rule)


def applies_to(rule: Rule) -> str:
    """Whom and where a rule is for, in words."""
    kinds = "、".join(SUBJECT_LABELS[kind] for kind in rule.subjects)
    return f"{region_name(rule)}的{kinds}"


def rule_in_words(rule: Rule) -> list[tuple[str, list[str]]]:
    """Headings with lines: a rule's standards, conditions, how they are joined, its amount."""
    return differences.rule_in_words(rule)


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
    trader = with_answers(facts_for(rule.id, trader), answers or {}, dataplane.fact_catalogue())
    return decide(rule, trader, dataplane.fact_catalogue())


def explain_many(
    rule_id: str, trader_codes: Sequence[str], *, as_of: date, snapshot_id: str
) -> Iterator[Decision]:
    """One rule on many traders, sorted by code, each as ``explain_rule`` gives it; who is not on the
    register is left out. Raises: FactsNotBuilt, AsOfBeforeData, UnknownRule, UnknownSnapshot."""
    _check_known(get_rulebook(), rule_id)
    rule = get_rule(rule_id, as_of)
    traders = dataplane.list_trader_facts(trader_codes, as_of, snapshot_id, facts=rule.facts)
    for trader in facts_of_many(rule, traders):
        yield decide(rule, trader, dataplane.fact_catalogue())


def decide_without(trader: TraderFacts, rule_id: str, given: Collection[str] | None) -> Decision:
    """One rule on given facts, those that articles outside ``given`` protect left out (None: all
    are used). Raises UnknownRule."""
    catalogue = dataplane.fact_catalogue()
    used = trader if given is None else withhold(trader, given, catalogue)
    return decide(get_rule(rule_id, trader.as_of), used, catalogue)


def show_facts(trader: TraderFacts) -> tuple[FactUsed, ...]:
    """Every declared fact of one trader as people read it: value, source and dates, or why it is
    unknown. In the order of the catalogue."""
    return tuple(
        show_fact_used(declared, trader.values.get(name), trader.as_of)
        for name, declared in dataplane.fact_catalogue().items()
    )


def readers_of_facts(as_of: date) -> dict[str, tuple[Rule, ...]]:
    """Fact → the rules in force on a date that read it."""
    found: dict[str, list[Rule]] = {}
    for rule in get_rulebook().governing(as_of):
        if rule.in_force(as_of) and not rule.is_about_event:
            for name in rule.facts:
                found.setdefault(name, []).append(rule)
    return {name: tuple(rules) for name, rules in found.items()}


def protected_facts() -> dict[str, str]:
    """Fact → the article that asks the operator's own consent before it is used."""
    return protected(dataplane.fact_catalogue())


def outcome_of(rule: Rule | str, trader: TraderFacts) -> str:
    """What a rule (or a draft of one) says of facts that are given, true or supposed, as far as it
    may use them: ``not_applicable`` or the outcome, without reasons. Raises UnknownRule."""
    found = get_rule(rule, trader.as_of) if isinstance(rule, str) else rule
    decision = decide(found, facts_for(found.id, trader), dataplane.fact_catalogue())
    return decision.outcome if decision.applies else "not_applicable"


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
    rule, trader = get_rule(rule_id, trader.as_of), facts_for(rule_id, trader)
    return advising.advise_trader(rule, trader, answers or {}, goal)


def advise_trader(
    trader_code: str,
    *,
    as_of: date | None = None,
    snapshot_id: str | None = None,
    rule_ids: Collection[str] | None = None,
) -> dict[str, Advice]:
    """Rule id → advice, for some rules of one trader or all. Raises as ``explain_trader``."""
    trader = _facts_of(trader_code, as_of, snapshot_id)
    rules, permitted = get_rulebook().governing(trader.as_of), Permitted(trader)
    return {
        rule.id: advising.advise_trader(rule, permitted.facts_for(rule.id), {})
        for rule in rules
        if rule_ids is None or rule.id in rule_ids
    }


def ask_next(
    trader_code: str,
    rule_id: str = "",
    *,
    as_of: date | None = None,
    answers: Answers | None = None,
    hidden: Collection[str] = (),
) -> tuple[Question, ...]:
    """The interview: what to ask next, best first, over one rule or all; empty when all is
    settled. Rules that rest on ``hidden`` classes of facts are left out: what is still to be asked
    would tell them. Raises as ``explain_rule``, and UnknownAnswer."""
    trader = _facts_of(trader_code, as_of, None)
    book = get_rulebook()
    if rule_id:
        _check_known(book, rule_id)
    rules = [get_rule(rule_id, trader.as_of)] if rule_id else book.governing(trader.as_of)
    rules = [r for r in rules if not is_masked(r.id, trader.as_of, hidden)]
    return advising.questions(rules, trader, answers or {})


def ask_facts(rule_id: str, facts: Answers, as_of: date) -> tuple[Question, ...]:
    """What to ask next of somebody who is on no register yet. Raises: UnknownRule, UnknownAnswer."""
    rule = get_rule(rule_id, as_of)
    return advising.questions([rule], TraderFacts("", as_of, "", {}), facts)


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
    return get_rule(rule_id, trader.as_of), facts_for(rule_id, trader)


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


def swept_versions(as_of: date, snapshot_id: str) -> dict[str, str]:
    """Rule id → version of the last sweep for ``as_of``; empty when there was none."""
    path = decisions_path(as_of, snapshot_id).with_suffix(".json")
    versions: dict[str, str] = json.loads(path.read_text("utf-8"))["rules"] if path.exists() else {}
    return versions


def list_granted(
    rule_id: str, as_of: date, snapshot_id: str, *, facts: Sequence[str] = ()
) -> list[Granted]:
    """Everybody the sweep says yes to under a rule that states an amount, sorted by code, with
    some facts. Grain: a row of the sweep; a code that comes twice stays twice.

    Raises: NotSwept, FactsNotBuilt.
    """
    path = decisions_path(as_of, snapshot_id)
    if not path.exists():
        raise NotSwept(f"{as_of} 还没有按快照 {snapshot_id} 判定全市。先运行 getihu decide。")
    named = "".join(f', f."{name}"' for name in facts)
    outcome, amount = outcome_column(rule_id), amount_column(rule_id)
    found = dataplane.engine().execute(
        f'SELECT d.trader_code, d."{amount}", coalesce(f.town_code, f.county_code){named}'
        " FROM read_parquet($decisions) d LEFT JOIN read_parquet($facts) f USING (trader_code)"
        f" WHERE d.\"{outcome}\" = 'yes' ORDER BY d.trader_code",
        {"decisions": str(path), "facts": str(dataplane.facts_path(as_of, snapshot_id))},
    )
    return [
        Granted(code, yuan, place or "", dict(zip(facts, values, strict=True)))
        for code, yuan, place, *values in found.fetchall()
    ]


def city_outcomes(
    rule_id: str, as_of: date, snapshot_id: str, *, facts: Sequence[str] = ()
) -> pa.Table:
    """What the sweep says of every trader under one rule: ``trader_code``, ``outcome`` (NULL: the
    rule does not apply) and some facts as text. Grain: a row of the sweep, in no order.

    Raises: NotSwept, FactsNotBuilt. Cost: the columns asked for, read once.
    """
    path = decisions_path(as_of, snapshot_id)
    if rule_id not in swept_versions(as_of, snapshot_id):
        raise NotSwept(
            f"{as_of} 还没有按快照 {snapshot_id} 用规则 {rule_id} 判定全市。先运行 getihu decide。"
        )
    named = "".join(f', f."{name}"::VARCHAR AS "{name}"' for name in facts)
    return (
        dataplane.engine()
        .execute(
            f'SELECT d.trader_code, d."{outcome_column(rule_id)}"::VARCHAR AS outcome{named}'
            " FROM read_parquet($decisions) d LEFT JOIN read_parquet($facts) f USING (trader_code)",
            {"decisions": str(path), "facts": str(dataplane.facts_path(as_of, snapshot_id))},
        )
        .to_arrow_table()
    )


def list_yes(rule_id: str, as_of: date, snapshot_id: str) -> list[Granted]:
    """Everybody the sweep says yes to, whether the rule pays or not, with their places; no amounts.

    Raises: NotSwept, FactsNotBuilt.
    """
    path = decisions_path(as_of, snapshot_id)
    if not path.exists():
        raise NotSwept(f"{as_of} 还没有按快照 {snapshot_id} 判定全市。先运行 getihu decide。")
    found = dataplane.engine().execute(
        "SELECT d.trader_code, coalesce(f.town_code, f.county_code)"
        " FROM read_parquet($decisions) d LEFT JOIN read_parquet($facts) f USING (trader_code)"
        f" WHERE d.\"{outcome_column(rule_id)}\" = 'yes' ORDER BY d.trader_code",
        {"decisions": str(path), "facts": str(dataplane.facts_path(as_of, snapshot_id))},
    )
    return [Granted(code, None, place or "", {}) for code, place in found.fetchall()]


def list_decided(
    rule_id: str, trader_codes: Sequence[str], as_of: date, snapshot_id: str
) -> dict[str, tuple[str | None, Decimal | None]]:
    """Trader code → outcome (None: the rule does not apply) and amount, by the sweep; who is not in
    it is left out. Raises NotSwept."""
    path = decisions_path(as_of, snapshot_id)
    if not path.exists():
        raise NotSwept(f"{as_of} 还没有按快照 {snapshot_id} 判定全市。先运行 getihu decide。")
    outcome = outcome_column(rule_id)
    pays = get_rule(rule_id, as_of).amount is not None
    amount = f'"{amount_column(rule_id)}"' if pays else "NULL"
    found = dataplane.engine().execute(
        f'SELECT trader_code, "{outcome}", {amount} FROM read_parquet($decisions)'
        " WHERE trader_code IN (SELECT unnest($codes))",
        {"decisions": str(path), "codes": list(trader_codes)},
    )
    return {code: (answer, yuan) for code, answer, yuan in found.fetchall()}


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


def get_rule_numbers(rule_id: Rule | str, as_of: date | None = None) -> RuleNumbers:
    """One rule (or a draft of one) over the whole city: who, where, for want of whose data, one step away.

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


def check_text(text: str, cases_text: str) -> TextCheck:
    """Read a rule and its cases as if they lay among the rules in force, in the place of the file
    with the same name. Names of files in problems are those they would have."""
    facts = dataplane.fact_catalogue()
    return texts.check_text(text, cases_text, rule_folders(), facts, _proved_folder())


def file_name_of(text: str) -> str:
    """What the file of a text is called: that of the version with the same first day, else
    ``id@first-day.yaml`` beside other versions, else ``id.yaml``. Empty when it cannot be read."""
    return texts.file_name(text, rule_folders())


def starting_texts(rule_id: str, region: str) -> tuple[str, str]:
    """The texts a new policy starts from. Raises: NotARuleName."""
    return skeleton.starting_texts(rule_id, region)


def texts_of(rule_id: str) -> tuple[str, str]:
    """The newest version of a rule and its cases, as they are written. Raises: UnknownRule."""
    rule = get_rule(rule_id)
    cases = cases_file(Path(rule.file))
    return changes.rule_text(rule), cases.read_text("utf-8") if cases.exists() else ""


def with_clause(
    text: str,
    clause_id: str,
    clause: Mapping[str, object],
    parameter: Mapping[str, object] | None = None,
) -> str:
    """A rule's text with one condition more, its standard as parameter ``<clause_id>_standard``.
    Raises: UnknownPart."""
    return changes.with_clause(text, clause_id, clause, parameter)


def drift_report_of(rule: Rule) -> str:
    """The key of a report on who moves from the version that decides now to this one; ``none`` when
    it needs none (a first version); empty when it is still to be made."""
    return live.drift_report_of(rule)


def clause_sentences(rule: Rule) -> dict[str, str]:
    """Clause id → the condition written out in Chinese from what decides, standards as values."""
    catalogue = rule.with_inputs(dataplane.fact_catalogue())
    return {c.id: sentence(c.expression, rule, catalogue) for c in rule.clauses}


def amount_sentence(rule: Rule) -> str:
    """How the amount is worked out, in Chinese; empty when the rule states none."""
    if rule.amount is None:
        return ""
    return sentence(rule.amount.expression, rule, rule.with_inputs(dataplane.fact_catalogue()))


def stale_labels(rule: Rule) -> list[tuple[str, str]]:
    """Labels of clauses that name a number the clause does not decide by, with that number."""
    catalogue = rule.with_inputs(dataplane.fact_catalogue())
    return [(clause.label, text) for clause, text in labels.stale_labels(rule, catalogue)]


def unbacked_numbers(rule: Rule) -> tuple[str, ...]:
    """Numbers in the text on what a rule gives that nothing in the rule decides by."""
    return labels.unbacked_numbers(rule, rule.with_inputs(dataplane.fact_catalogue()))
