"""Advice for one trader and one rule: the nearest way to yes, by time, by acting or by data."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from getihu.dataplane.contracts import FactDeclaration, FactScalar
from getihu.kernel.periods import add_months
from getihu.rulebook.advise import phrases
from getihu.rulebook.advise.inputs import with_inputs
from getihu.rulebook.advise.interview import next_questions
from getihu.rulebook.advise.knowledge import Knowledge, knowledge_of
from getihu.rulebook.advise.scope import SCOPE_LABELS, period_days, scope_of
from getihu.rulebook.advise.sets import IMPOSSIBLE, Way, cost, ways, ways_to_value
from getihu.rulebook.advise.solver import Budget, Option, Solver
from getihu.rulebook.advise.timeline import DAY, Timeline, turning_days
from getihu.rulebook.contracts import Advice, Remedy
from getihu.rulebook.evaluate.expressions import Facts, closure
from getihu.rulebook.evaluate.verdicts import Verdict, judge
from getihu.rulebook.model.cases import NOT_APPLICABLE
from getihu.rulebook.model.expressions import Expression, facts_in
from getihu.rulebook.model.rules import ELIGIBILITY, UNKNOWN, Rule
from getihu.rulebook.model.scope import ALWAYS

SOON_MONTHS = 12  # waiting so long is advised rather than a change that could be made today
WAYS_TRIED = 12
DAYS_TRIED = 8
YES = "yes"


def advise_facts(
    rule: Rule,
    facts: Facts,
    as_of: date,
    catalogue: Mapping[str, FactDeclaration],
    *,
    goal: str = "",
    asks: bool = True,
) -> Advice:
    """What separates ``facts`` from the goal on ``as_of``; by default yes, or the next value of
    a table that has rungs. ``asks`` False leaves the questions out."""
    declared, knowledge = with_inputs(rule, catalogue), knowledge_of(catalogue)
    advising = _Advising(rule, facts, as_of, declared, knowledge, goal, asks)
    rungs = knowledge.ladders.get(rule.id, ())
    if goal or advising.goal not in rungs[:1] or advising.verdict.visible in rungs:
        return advising.advice()
    # Off the ladder altogether: back onto whichever rung takes least, the higher of equals.
    tried = [
        _Advising(rule, facts, as_of, declared, knowledge, rung, asks).advice()
        for rung in reversed(rungs)
    ]
    return min(tried, key=lambda advice: (not advice.is_possible, len(advice.failing)))


def can_turn(
    rule: Rule,
    facts: Facts,
    as_of: date,
    catalogue: Mapping[str, FactDeclaration],
    clause_id: str,
) -> bool:
    """Whether time or a welcome step alone makes one known clause of a trader answer otherwise."""
    declared, knowledge = with_inputs(rule, catalogue), knowledge_of(catalogue)
    return _Advising(rule, facts, as_of, declared, knowledge, "", False).can_turn(clause_id)


@dataclass(frozen=True)
class _Plan:
    """One way to the goal: on which day, through which clauses, with which changes."""

    day: date
    way: Way
    changed: Mapping[str, FactScalar]
    price: int

    @property
    def is_possible(self) -> bool:
        return self.price < IMPOSSIBLE


class _Advising:
    def __init__(
        self,
        rule: Rule,
        facts: Facts,
        as_of: date,
        catalogue: Mapping[str, FactDeclaration],
        knowledge: Knowledge,
        goal: str,
        asks: bool,
    ) -> None:
        self.rule = rule
        self.as_of = as_of
        self.catalogue = catalogue
        self.knowledge = knowledge
        self.verdict = judge(rule, facts, as_of)
        self.goal = goal or self._next_goal()
        self.asks = asks
        self.budget = Budget()
        used = _used(rule, as_of)
        moves = {name: move for name, move in knowledge.moves.items() if name in used}
        near = knowledge.near(used)
        self.facts: Facts = {name: value for name, value in facts.items() if name in near}
        self.timeline = Timeline(self.facts, as_of, moves)
        self.days: list[date] = []
        self._expressions_on: dict[date, Mapping[str, Expression]] = {}

    def advice(self) -> Advice:
        if not self.goal or self._reached(self.verdict):
            return self._worded(None, None)
        barred = self._barred()
        if barred:
            return self._worded(_Plan(self.as_of, barred, {}, IMPOSSIBLE), None)
        self.days = self.days or self._turning_days()
        cured_on = next((day for day in self.days if self._is_goal(day)), None)
        plan = self._choose(cured_on)
        return self._worded(plan, cured_on)

    # goals

    def _next_goal(self) -> str:
        """Yes, or the rung above the value reached; empty on the highest and without rungs."""
        if self.rule.kind == ELIGIBILITY:
            return YES
        rungs = self.knowledge.ladders.get(self.rule.id, ())
        if self.verdict.visible not in rungs:
            return rungs[0] if rungs else ""
        above = rungs.index(self.verdict.visible) + 1
        return rungs[above] if above < len(rungs) else ""

    def _reached(self, verdict: Verdict) -> bool:
        return verdict.applies is True and verdict.visible == self.goal

    def _is_goal(self, day: date) -> bool:
        return self._reached(judge(self.rule, self.timeline.at(day), day))

    # time

    def _turning_days(self) -> list[date]:
        scope = scope_of(self.rule, self.as_of)
        expressions = [*(clause.resolved for clause in self.rule.clauses), *scope.values()]
        days = turning_days(expressions, self.timeline)
        own = [day for day in period_days(self.rule) if self.as_of < day <= self.timeline.last]
        return sorted({*days, *own}) if own else days

    def _barred(self) -> Way:
        """The conditions on applying at all that nothing will ever meet: another place, another
        kind of subject, a period that is over. What else is missing then does not matter."""
        never = Solver(self.facts, self.as_of, self.catalogue, self.knowledge, Budget(600))
        return frozenset(
            (name, True)
            for name, expression in scope_of(self.rule, self.as_of).items()
            if closure(expression)(self.facts, self.as_of) is False
            and not never.solve([(expression, True)], 1)
            and not any(self._holds_later(name))
        )

    def _holds_later(self, name: str) -> Iterator[bool]:
        days = self.days = self.days or self._turning_days()
        for day in days:
            yield closure(self._expressions(day)[name])(self.timeline.at(day), day) is True

    # plans

    def _choose(self, cured_on: date | None) -> _Plan | None:
        now = self._plan(self.as_of)
        soon = add_months(self.as_of, SOON_MONTHS)
        if cured_on is not None and (now is None or not now.is_possible or cured_on <= soon):
            return self._time_plan(cured_on)
        if now is not None and now.is_possible:
            return now
        for day in self.days[:DAYS_TRIED]:
            later = self._plan(day)
            if later is not None and later.is_possible:
                return later
        return now

    def _time_plan(self, day: date) -> _Plan | None:
        """The way that stands open on ``day``, with the fewest clauses that do not hold today."""
        today = self._answers(self.as_of, self.facts)
        then = self._answers(day, self.timeline.at(day))
        price = _price_of(then, lambda name, want: IMPOSSIBLE)
        open_ = [way for way in self._ways(price) if cost(way, price) == 0]
        missing = _price_of(today, lambda name, want: 1)
        best = min(open_, key=lambda way: cost(way, missing), default=None)
        return None if best is None else _Plan(day, best, {}, 0)

    def _plan(self, day: date) -> _Plan | None:
        """The cheapest way on ``day``: fewest clauses changed, then the smallest changes."""
        facts = self.timeline.at(day)
        solver = Solver(facts, day, self.catalogue, self.knowledge, self.budget)
        expressions = self._expressions(day)
        price = _price_of(
            self._answers(day, facts),
            lambda name, want: 1 if solver.solve([(expressions[name], want)], 1) else IMPOSSIBLE,
        )
        found = self._ways(price)
        if not found:
            return None
        cheapest: tuple[_Plan, float] | None = None
        for way in found[:WAYS_TRIED]:
            price_of_way = cost(way, price)
            if price_of_way >= IMPOSSIBLE or (cheapest and price_of_way > cheapest[0].price):
                break
            option = self._solved(solver, expressions, way, day)
            if option is not None and (cheapest is None or option.cost < cheapest[1]):
                plan = _Plan(day, way, solver.changed(option.facts), price_of_way)
                cheapest = (plan, option.cost)
        if cheapest is not None:
            return cheapest[0]
        return _Plan(day, found[0], {}, max(IMPOSSIBLE, cost(found[0], price)))

    def _solved(
        self, solver: Solver, expressions: Mapping[str, Expression], way: Way, day: date
    ) -> Option | None:
        wanted = [(expressions[name], want) for name, want in _in_order(self.rule, way)]
        for option in solver.solve(wanted):
            if self._reached(judge(self.rule, option.facts, day)):
                return option
        return None

    def _ways(self, price: Callable[[str, bool], int]) -> list[Way]:
        scope = frozenset((name, True) for name in scope_of(self.rule, self.as_of))
        if self.rule.requires is not None:
            inner = ways(self.rule.requires, True, price)
        else:
            inner = ways_to_value(self.rule.rows, self.goal, price)
        return [scope | way for way in inner]

    def _expressions(self, day: date) -> Mapping[str, Expression]:
        if day not in self._expressions_on:
            self._expressions_on[day] = {
                **dict.fromkeys(scope_of(self.rule, self.as_of), ALWAYS),
                **scope_of(self.rule, day),
                **{clause.id: clause.resolved for clause in self.rule.clauses},
            }
        return self._expressions_on[day]

    def _answers(self, day: date, facts: Facts) -> dict[str, bool | None]:
        return {name: closure(e)(facts, day) for name, e in self._expressions(day).items()}

    # words

    def _worded(self, plan: _Plan | None, cured_on: date | None) -> Advice:
        rule, verdict = self.rule, self.verdict
        remedies = self._remedies(plan) if plan is not None else ()
        outcome = NOT_APPLICABLE if verdict.applies is False else verdict.outcome
        labels = {YES: "符合", **dict(rule.values)}
        asks = self.asks and UNKNOWN in (outcome, verdict.visible) and verdict.applies is not False
        return Advice(
            rule_id=rule.id,
            rule_version=rule.version,
            as_of=self.as_of,
            outcome=outcome,
            goal=self.goal,
            goal_label=labels.get(self.goal, ""),
            failing=tuple(remedy.clause_id for remedy in remedies),
            cured_on=cured_on,
            at_latest=cured_on is not None and self._may_come_sooner(cured_on),
            remedies=remedies,
            is_near=plan is not None and plan.is_possible and self._is_near(remedies),
            is_possible=plan is not None and plan.is_possible and bool(remedies),
            caveat=self._caveat(cured_on),
            next_questions=next_questions([rule], self.facts, self.as_of, self.catalogue)
            if asks
            else (),
        )

    def _is_near(self, remedies: tuple[Remedy, ...]) -> bool:
        """One clause in the way, known, and time or a welcome step changes it."""
        verdict = self.verdict
        if len(remedies) != 1 or verdict.applies is not True or verdict.outcome == UNKNOWN:
            return False
        remedy = remedies[0]
        if remedy.kind not in ("time", "change") or remedy.clause_id in SCOPE_LABELS:
            return False
        if self.rule.id in self.knowledge.no_gain:
            return False
        return not self._is_unwelcome(dict(remedy.changes))

    def _is_unwelcome(self, changes: Mapping[str, FactScalar]) -> bool:
        return any(
            self.knowledge.is_unwelcome(name, self.facts.get(name), value)
            for name, value in changes.items()
        )

    def can_turn(self, clause_id: str) -> bool:
        """Whether time or a welcome step alone makes one known clause answer otherwise."""
        expression = self._expressions(self.as_of)[clause_id]
        want = not closure(expression)(self.facts, self.as_of)
        solver = Solver(self.facts, self.as_of, self.catalogue, self.knowledge, self.budget)
        for option in solver.solve([(expression, want)]):
            if not self._is_unwelcome(solver.changed(option.facts)):
                return True
        self.days = self._turning_days()
        return self._clause_in_time(clause_id, want) is not None

    def _may_come_sooner(self, cured_on: date) -> bool:
        """True when it cannot be told that the day before is still too early."""
        before = judge(self.rule, self.timeline.at(cured_on - DAY), cured_on - DAY)
        if before.applies is None or before.visible == UNKNOWN:
            return True
        return any(
            move.kind == "months_since" and self.facts.get(move.of) is None
            for name, move in self.timeline.moves.items()
            if name in self.rule.facts
        )

    def _caveat(self, cured_on: date | None) -> str:
        """What the day rests on: figures of a year that will have been replaced by then."""
        if cured_on is None or cured_on.year == self.as_of.year:
            return ""
        stale = [self.catalogue[n].label for n in self.rule.facts if n in self.knowledge.renewed]
        return f"按现有数据推算；届时按新一年的{'、'.join(stale[:2])}等重新判定。" if stale else ""

    def _remedies(self, plan: _Plan) -> tuple[Remedy, ...]:
        today = self._answers(self.as_of, self.facts)
        return tuple(
            self._remedy(name, want, plan)
            for name, want in _in_order(self.rule, plan.way)
            if today.get(name, True) is not want
        )

    def _remedy(self, name: str, want: bool, plan: _Plan) -> Remedy:
        expression = self._expressions(self.as_of)[name]
        then = self._expressions(plan.day)[name]
        if closure(then)(self.timeline.at(plan.day), plan.day) is want:
            return self._time_remedy(name, want, plan.day)
        used = facts_in(expression)
        if plan.is_possible:
            return self._change_remedy(name, used, plan.changed, plan.day)
        solver = Solver(self.facts, self.as_of, self.catalogue, self.knowledge, Budget(600))
        alone = solver.solve([(expression, want)], 1)
        if alone:
            return self._change_remedy(name, used, solver.changed(alone[0].facts), self.as_of)
        return self._clause_in_time(name, want) or self._fixed_remedy(name, used)

    def _clause_in_time(self, name: str, want: bool) -> Remedy | None:
        """Time alone for one clause of a way that is not open as a whole."""
        for day in self.days:
            if closure(self._expressions(day)[name])(self.timeline.at(day), day) is want:
                return self._time_remedy(name, want, day)
        return None

    def _time_remedy(self, name: str, want: bool, last: date) -> Remedy:
        on = next(
            day
            for day in [*self.days, last]
            if closure(self._expressions(day)[name])(self.timeline.at(day), day) is want
        )
        moved = [
            fact
            for fact in facts_in(self._expressions(on)[name])
            if fact in self.timeline.moves and self.timeline.at(on)[fact] != self.facts[fact]
        ]
        fact = self.catalogue[moved[0]] if moved else None
        now, needed = self._values_in_time(fact, on)
        wait = now_gap = phrases.span(self.as_of, on)
        if fact is not None and self.knowledge.moves[fact.name].kind == "months_since":
            now_gap = phrases.gap(self.facts[fact.name], self.timeline.at(on)[fact.name], fact)  # type: ignore[arg-type]
        text = f"再过 {wait}（{on}）就满足，到时自动重判，不用办理。"
        if name == "in_force":
            text = f"从 {on} 起才施行，到时自动重判，不用办理。"
        return self._made(name, "time", fact, now, needed, f"还差 {now_gap}", on, (), text)

    def _values_in_time(self, fact: FactDeclaration | None, on: date) -> tuple[str, str]:
        if fact is None:
            return self.as_of.isoformat(), on.isoformat()
        then = self.timeline.at(on)[fact.name]
        return phrases.show(self.facts[fact.name], fact), phrases.show(then, fact)

    def _change_remedy(
        self, name: str, used: Iterable[str], changed: Mapping[str, FactScalar], day: date
    ) -> Remedy:
        mine = [fact for fact in used if fact in changed]
        unknown = [fact for fact in mine if self.facts.get(fact) is None]
        main = self.catalogue[(unknown or mine or [next(iter(changed))])[0]]
        needed, changes = changed[main.name], tuple(sorted(changed.items()))
        now = self.facts.get(main.name)
        if now is None:
            labels = "、".join(f"“{self.catalogue[fact].label}”" for fact in unknown)
            who = tuple(dict.fromkeys(phrases.answers(self.catalogue[fact]) for fact in unknown))
            text = f"还不知道{labels}，{'、'.join(who)}提供以后就能判断。"
            shown = phrases.needed_text(None, needed, main)
            return self._made(name, "data", main, "未知", shown, "", None, who, text, changes)
        said, gap = phrases.change(now, needed, main, self.knowledge)
        shown = phrases.needed_text(now, needed, main)
        more = [self._also(fact, changed[fact]) for fact in mine if fact != main.name]
        note = self.knowledge.renewed.get(main.name, "")
        waits = f"到 {day} 以后，" if day > self.as_of else ""
        text = f"{waits}{'，并且'.join([said, *more])}（现在 {phrases.show(now, main)}，要{shown}）"
        text += f"；{note}。" if note else "。"
        who = phrases.who_acts(main, self.knowledge)
        on = day if day > self.as_of else None
        kind = "change"
        return self._made(
            name, kind, main, phrases.show(now, main), shown, gap, on, who, text, changes
        )

    def _also(self, name: str, needed: FactScalar) -> str:
        fact, now = self.catalogue[name], self.facts.get(name)
        if now is None:
            return f"“{fact.label}”为{phrases.show(needed, fact)}"
        return phrases.change(now, needed, fact, self.knowledge)[0]

    def _fixed_remedy(self, name: str, used: Iterable[str]) -> Remedy:
        listed = list(used)
        fixed = next((fact for fact in listed if fact in self.knowledge.fixed), None)
        declared = self.catalogue.get(fixed or (listed[0] if listed else ""))
        if name == "in_force":
            text = "本条已经过了有效期，不会再适用。"
        elif fixed is not None and declared is not None:
            text = f"“{declared.label}”{self.knowledge.fixed[fixed].reason}。"
        else:
            text = "按现有文字，这一项没有可以做的改变，须人工核实。"
        now = phrases.show(self.facts.get(declared.name), declared) if declared else ""
        return self._made(name, "fixed", declared, now, "", "", None, (), text)

    def _made(
        self,
        name: str,
        kind: str,
        fact: FactDeclaration | None,
        now: str,
        needed: str,
        gap: str,
        on: date | None,
        who: tuple[str, ...],
        text: str,
        changes: tuple[tuple[str, FactScalar], ...] = (),
    ) -> Remedy:
        clause = self.rule.clause_by_id.get(name)
        label = clause.label if clause else SCOPE_LABELS[name]
        fact_name = fact.name if fact else ""
        return Remedy(name, label, kind, fact_name, now, needed, gap, on, who, text, changes)


def _used(rule: Rule, as_of: date) -> frozenset[str]:
    """Every fact the rule may look at on a day, those of its scope included."""
    scope = scope_of(rule, as_of).values()
    return frozenset({*rule.facts, *(name for part in scope for name in facts_in(part))})


def _price_of(
    answers: Mapping[str, bool | None], otherwise: Callable[[str, bool], int]
) -> Callable[[str, bool], int]:
    """Nothing for a clause that answers as wanted; worked out once for every other."""
    known: dict[tuple[str, bool], int] = {}

    def price(name: str, want: bool) -> int:
        if answers.get(name) is want:
            return 0
        key = (name, want)
        if key not in known:
            known[key] = otherwise(name, want)
        return known[key]

    return price


def _in_order(rule: Rule, way: Way) -> list[tuple[str, bool]]:
    """The parts of a way in the order of the rule, its scope first."""
    places = {clause.id: number for number, clause in enumerate(rule.clauses)}
    return sorted(way, key=lambda part: (places.get(part[0], -1), part))
