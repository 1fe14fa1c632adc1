"""Runs a rule's worked cases."""

from fractions import Fraction

from getihu.rulebook.contracts import CaseResult
from getihu.rulebook.evaluate.missing import missing_facts
from getihu.rulebook.evaluate.verdicts import OUTCOMES, judge
from getihu.rulebook.model.cases import NOT_APPLICABLE, Case
from getihu.rulebook.model.rules import Rule


def run_case(rule: Rule, case: Case) -> CaseResult:
    """Whether the rule answers a case as expected; if not, what it answered instead."""
    verdict = judge(rule, case.facts, case.as_of)
    outcome = NOT_APPLICABLE if verdict.applies is False else verdict.outcome
    wrong = []
    if outcome != case.expect:
        wrong.append(f"应当是 {case.expect}，得到 {outcome}")
    wanted = None if case.amount is None else Fraction(case.amount)
    if case.amount_given and verdict.amount != wanted:
        wrong.append(f"金额应当是 {_shown(wanted)}，得到 {_shown(verdict.amount)}")
    for clause_id, expected in case.clauses.items():
        got = OUTCOMES[verdict.clauses[clause_id]]
        if got != expected:
            wrong.append(f"条件 {clause_id} 应当是 {expected}，得到 {got}")
    if case.missing is not None:
        got_missing = set(missing_facts(rule, verdict, case.facts, case.as_of))
        if got_missing != set(case.missing):
            listed = "、".join(sorted(got_missing)) or "没有"
            wrong.append(f"缺的事实应当是 {'、'.join(case.missing)}，得到 {listed}")
    return CaseResult(rule.id, case.name, not wrong, "；".join(wrong))


def _shown(amount: Fraction | None) -> str:
    return "算不出" if amount is None else f"{amount} 元"
