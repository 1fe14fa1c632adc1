"""From a verdict to a decision with every reason, for one trader."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from getihu.dataplane.contracts import FactDeclaration, FactValue, TraderFacts
from getihu.rulebook.contracts import ClauseResult, Decision, FactUsed, ParameterUsed, Truth
from getihu.rulebook.evaluate.expressions import Facts
from getihu.rulebook.evaluate.missing import missing_facts, missing_in, open_clauses
from getihu.rulebook.evaluate.parameters import value_met
from getihu.rulebook.evaluate.trees import deciding_clauses
from getihu.rulebook.evaluate.verdicts import OUTCOMES, Verdict, judge, possible_rows
from getihu.rulebook.explain import words
from getihu.rulebook.model.cases import NOT_APPLICABLE
from getihu.rulebook.model.rules import UNKNOWN, Clause, Parameter, Row, Rule

_LABELS = {"yes": "符合", "no": "不符合", UNKNOWN: "还不能判定", NOT_APPLICABLE: "不适用"}
_INCOMPLETE = "待核"


def decide(rule: Rule, trader: TraderFacts, catalogue: Mapping[str, FactDeclaration]) -> Decision:
    """The decision of one rule on one trader's facts, with every clause, value and source."""
    return _Explanation(rule, trader, catalogue).decision()


class _Explanation:
    def __init__(
        self, rule: Rule, trader: TraderFacts, catalogue: Mapping[str, FactDeclaration]
    ) -> None:
        self.rule = rule
        self.trader = trader
        self.catalogue = rule.with_inputs(catalogue)
        self.as_of: date = trader.as_of
        self.facts: Facts = trader.scalars()
        self.verdict: Verdict = judge(rule, self.facts, self.as_of)
        self.missing = missing_facts(rule, self.verdict, self.facts, self.as_of)

    def decision(self) -> Decision:
        rule, verdict = self.rule, self.verdict
        left_out = self._not_applicable()
        outcome = NOT_APPLICABLE if verdict.applies is False else verdict.outcome
        amount = rule.amount
        shows_amount = amount is not None and verdict.applies is not False
        return Decision(
            rule_id=rule.id,
            rule_version=rule.version,
            title=rule.title,
            kind=rule.kind,
            trader_code=self.trader.trader_code,
            as_of=self.as_of,
            snapshot_id=self.trader.snapshot_id,
            applies=verdict.applies is not False,
            not_applicable=left_out,
            outcome=outcome,
            outcome_label=self._label(outcome),
            reason=left_out or self._reason(),
            amount_yuan=_yuan(verdict.amount),
            amount_note=self._amount_note() if shows_amount else "",
            benefit=rule.benefit,
            source=rule.source,
            clauses=tuple(self._clause(clause) for clause in rule.clauses),
            deciding=self._deciding(),
            missing=self._used(self.missing),
            incomplete=rule.incomplete,
            amount_facts=self._used(amount.facts) if amount and shows_amount else (),
            amount_parameters=self._parameters(amount.parameters)
            if amount and shows_amount
            else (),
        )

    # words

    def _not_applicable(self) -> str:
        rule, verdict = self.rule, self.verdict
        if verdict.in_force is False:
            return words.why_not_in_force(rule, self._deciding_date())
        if verdict.in_region is False:
            return words.why_other_region(rule, str(self.facts["county_code"]))
        if verdict.is_subject is False:
            return words.why_other_subject(rule, self.facts.get("subject_kind"))
        if verdict.not_overridden is False:
            return words.why_overridden(rule, str(self.facts.get("county_code")))
        return ""

    def _deciding_date(self) -> date:
        """The date that says whether the rule is in force, once it is known."""
        fact = self.rule.decides_on.fact
        day = self.facts.get(fact) if fact else self.as_of
        assert isinstance(day, date)
        return day

    def _label(self, outcome: str) -> str:
        if outcome == UNKNOWN and self.rule.incomplete:
            return _INCOMPLETE
        return _LABELS.get(outcome) or dict(self.rule.values)[outcome]

    def _reason(self) -> str:
        rule, verdict = self.rule, self.verdict
        if rule.incomplete:
            return f"{self._visible()}但来源不全，只能待核：{rule.incomplete}"
        if verdict.applies is None:
            return f"{self._open_scope()}，不能判定本条是否适用。"
        if verdict.outcome == UNKNOWN:
            return self._unknown_reason()
        row = self._row()
        if row is not None and row.reason:
            return row.reason
        listed = "；".join(self._labels_of(self._deciding()))
        return {
            "yes": f"符合全部条件：{listed}。",
            "no": f"这些条件不满足：{listed}。",
        }.get(verdict.outcome, listed)

    def _open_scope(self) -> str:
        """What is not known of whether the rule applies."""
        verdict = self.verdict
        if verdict.in_force is None:
            return f"不知道{self.catalogue[self.rule.decides_on.fact].label}"
        if verdict.in_region is None or verdict.not_overridden is None:
            return "不知道这户登记在哪个县（市、区）"
        return "不知道这户是哪一类主体"

    def _visible(self) -> str:
        return {
            "yes": "看得到的条件都满足，",
            "no": f"看得到的条件里有不满足的（{'；'.join(self._labels_of(self._deciding()))}），",
        }.get(self.verdict.visible, "看得到的条件还不能全部判定，")

    def _unknown_reason(self) -> str:
        listed = "；".join(self._labels_of(self._deciding()))
        names = "、".join(self.catalogue[name].label for name in self.missing)
        possible = self._possible_values()
        if not names:
            return f"{possible}这些条件要人工核实：{listed}。"
        return f"{possible}这些条件还不能判定：{listed}。缺少：{names}。"

    def _possible_values(self) -> str:
        """The results a table may still come to; empty for eligibility."""
        rows = [self.rule.rows[number] for number in possible_rows(self.verdict.rows)]
        labels = dict.fromkeys(row.label for row in rows)
        return f"可能是{'、'.join(labels)}。" if labels else ""

    def _labels_of(self, ids: Iterable[str]) -> list[str]:
        return [self.rule.clause_by_id[name].label for name in ids]

    def _amount_note(self) -> str:
        amount, verdict = self.rule.amount, self.verdict
        assert amount is not None
        note = f"{amount.label}（{amount.article}）"
        if verdict.outcome != "yes" or verdict.amount is not None:
            return note
        names = missing_in(amount.resolved, self.facts, self.as_of)
        if not names:
            return f"{note}：按现有文字算不出，须人工核定。"
        listed = "、".join(self.catalogue[name].label for name in names)
        return f"{note}：缺少{listed}，还算不出。"

    # parts

    def _row(self) -> Row | None:
        possible = possible_rows(self.verdict.rows)
        return self.rule.rows[possible[0]] if possible else None

    def _deciding(self) -> tuple[str, ...]:
        """Ids of the clauses that settle the visible answer, in the rule's order."""
        rule, verdict = self.rule, self.verdict
        settled_elsewhere = verdict.applies is None and verdict.visible != UNKNOWN
        if verdict.applies is False or settled_elsewhere:
            return ()
        if rule.requires is not None:
            chosen = deciding_clauses(rule.requires, verdict.clauses)
        elif verdict.visible == UNKNOWN:
            chosen = open_clauses(rule, verdict)
        else:
            chosen = self._deciding_row()
        return tuple(clause.id for clause in rule.clauses if clause.id in chosen)

    def _deciding_row(self) -> set[str]:
        """What holds up the row reached; for the last row, what fails the row before it."""
        rule, verdict = self.rule, self.verdict
        number = possible_rows(verdict.rows)[0]
        when = rule.rows[number].when
        if when is None:
            when = rule.rows[number - 1].when
        return deciding_clauses(when, verdict.clauses) if when is not None else set()

    def _clause(self, clause: Clause) -> ClauseResult:
        return ClauseResult(
            id=clause.id,
            label=clause.label,
            expression=clause.text,
            result=Truth(OUTCOMES[self.verdict.clauses[clause.id]]),
            article=clause.article,
            facts=self._used(clause.facts),
            parameters=self._parameters(clause.parameters),
        )

    def _used(self, names: Iterable[str]) -> tuple[FactUsed, ...]:
        return tuple(self._fact(name) for name in names)

    def _fact(self, name: str) -> FactUsed:
        return show_fact_used(self.catalogue[name], self.trader.values.get(name), self.as_of)

    def _parameters(self, names: Iterable[str]) -> tuple[ParameterUsed, ...]:
        return tuple(self._parameter(self.rule.parameter_by_name[name]) for name in names)

    def _parameter(self, parameter: Parameter) -> ParameterUsed:
        value, source, where = value_met(parameter, self.facts, self.as_of)
        shown = words.show_value(value, parameter.unit)
        return ParameterUsed(
            name=parameter.name,
            label=parameter.label,
            value=value,
            shown=f"{shown}（{where}）" if where else shown,
            source=source,
            is_official=parameter.is_official,
        )


def _yuan(amount: Fraction | None) -> Decimal | None:
    """Exact yuan with two decimals (amounts are already rounded)."""
    if amount is None:
        return None
    cents = amount * 100
    assert cents.denominator == 1
    return Decimal(cents.numerator).scaleb(-2)


def show_fact_used(declared: FactDeclaration, known: FactValue | None, as_of: date) -> FactUsed:
    """A fact as people read it: its value with source and dates, or why it is unknown."""
    value = known.value if known else None
    return FactUsed(
        name=declared.name,
        label=declared.label,
        value=value,
        shown=words.show_fact(value, declared),
        department=declared.department,
        department_name=declared.department_name,
        dataset=declared.dataset,
        recorded_on=known.recorded_on if known else None,
        covered_until=known.covered_until if known else None,
        delivery_id=known.delivery_id if known else None,
        why_unknown=words.why_unknown(declared, known, as_of),
    )
