"""The day on which time alone cures a refusal, held against asking every single day."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from getihu.rulebook.advise.advice import advise_facts
from getihu.rulebook.advise.knowledge import Move, knowledge_of
from getihu.rulebook.advise.timeline import Timeline, window_end
from getihu.rulebook.evaluate.verdicts import judge
from tests.generative.strategies import AS_OF, FACTS, rows, rules
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SMALL_SHOP, load

DAY = timedelta(days=1)
DAYS_ASKED = 500
CALM = {"deadline": None, "suppress_health_check": list(HealthCheck)}
days = st.dates(date(2023, 1, 1), date(2028, 12, 31))


def first_yes(rule, facts, as_of, catalogue, goal="yes", days_asked=DAYS_ASKED):
    """By asking every day, one after the other."""
    timeline = Timeline(facts, as_of, knowledge_of(catalogue).moves)
    for number in range(1, days_asked):
        day = as_of + number * DAY
        verdict = judge(rule, timeline.at(day), day)
        if verdict.applies is True and verdict.visible == goal:
            return day
    return None


def check_day(rule, facts, as_of, catalogue):
    advice = advise_facts(rule, facts, as_of, catalogue)
    if not advice.goal or (not advice.failing and advice.cured_on is None):
        return advice
    asked = first_yes(rule, facts, as_of, catalogue, advice.goal)
    if asked is not None or (advice.cured_on and advice.cured_on < as_of + DAYS_ASKED * DAY):
        assert advice.cured_on == asked
    return advice


@settings(max_examples=60, **CALM)
@given(rule=rules(0), facts=rows)
def test_generated_rules_are_cured_on_the_day_found_by_asking_every_day(rule, facts):
    check_day(rule, facts, AS_OF, FACTS)


CONDITIONS = [
    "registered_months >= 36",
    "registered_months between 24 and 30",
    "registered_months * 2 - 5 >= 67",
    "registered_months = 31",
    "established_on + interval '3' year <= as_of",
    "as_of - interval '24' month >= established_on",
    "extract(month from as_of) = 2",
    "extract(year from as_of) > extract(year from established_on) + 2",
    "extract(day from as_of) = 31",
    "penalties_24m = 0",
    "fined_or_worse_12m <= 1",
    "last_penalty_on + interval '6' month < as_of",
    "report_exempt_new",
    "not report_exempt_new and registered_months >= 14",
    "case when registered_months < 20 then false else penalties_24m < 1 end",
]
made_rows = st.fixed_dictionaries(
    {
        "subject_kind": st.just("individual"),
        "county_code": st.just("330302"),
        "established_on": st.none() | days,
        "last_penalty_on": st.none() | days,
        "penalties_24m": st.sampled_from([None, 0, 1, 3]),
        "fined_or_worse_12m": st.sampled_from([None, 0, 1, 2]),
        "registered_months": st.sampled_from([None, 0, 12, 29, 35, 60]),
        "report_exempt_new": st.sampled_from([None, True, False]),
    }
)


@settings(max_examples=150, **CALM)
@given(
    conditions=st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=3, unique=True),
    group=st.sampled_from(["all_of", "any_of", "none_of"]),
    facts=made_rows,
    as_of=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_moving_facts_cure_on_the_day_found_by_asking_every_day(
    tmp_path_factory, conditions, group, facts, as_of
):
    rule = load(tmp_path_factory.mktemp("rule"), with_clauses(conditions, group))
    advice = check_day(rule, facts, as_of, CATALOGUE)
    if advice.cured_on is not None:
        timeline = Timeline(facts, as_of, knowledge_of(CATALOGUE).moves)
        before = judge(rule, timeline.at(advice.cured_on - DAY), advice.cured_on - DAY)
        assert before.visible != "yes" or before.applies is not True


def with_clauses(conditions, group):
    """The small shop with other clauses, in force for ever."""
    head = SMALL_SHOP.split("parameters:")[0].replace("valid_until: 2028-01-01\n", "")
    clauses = "".join(
        f'  c{n}: {{label: 条件{n}, when: "{text}", article: 第一条}}\n'
        for n, text in enumerate(conditions)
    )
    names = ", ".join(f"c{n}" for n in range(len(conditions)))
    return f"{head}clauses:\n{clauses}requires: {{{group}: [{names}]}}\n"


def test_a_year_open_is_reached_exactly_on_the_day(tmp_path):
    rule = load(tmp_path)
    facts = {
        "subject_kind": "individual",
        "county_code": "330302",
        "registration_status": "active",
        "annual_sales_yuan": Decimal("120000.00"),
        "established_on": date(2026, 2, 28),
    }
    advice = advise_facts(rule, facts, date(2026, 10, 31), CATALOGUE)
    assert advice.cured_on == date(2027, 2, 28)
    assert (advice.failing, advice.at_latest, advice.is_near) == (("is_settled",), False, True)
    assert advice.remedies[0].kind == "time"
    assert advice.remedies[0].gap_text == "还差 4 个月"
    assert "2027-02-28" in advice.remedies[0].text
    assert advice.remedies[0].who == ()


def test_months_registered_are_told_in_months_and_to_the_day(tmp_path):
    rule = load(tmp_path, with_clauses(["registered_months >= 12"], "all_of"))
    facts = {
        "subject_kind": "individual",
        "county_code": "330302",
        "established_on": date(2025, 12, 15),
        "registered_months": 10,
    }
    months = replace(CATALOGUE["registered_months"], unit="month")
    catalogue = {**CATALOGUE, "registered_months": months}
    advice = advise_facts(rule, facts, date(2026, 10, 31), catalogue)
    assert advice.cured_on == date(2026, 12, 15)
    assert advice.remedies[0].gap_text == "还差 2 个月"
    assert (advice.remedies[0].now, advice.remedies[0].needed) == ("10 个月", "12 个月")


def test_without_the_day_of_opening_the_day_is_the_latest_possible(tmp_path):
    rule = load(tmp_path, with_clauses(["registered_months >= 12"], "all_of"))
    facts = {"subject_kind": "individual", "county_code": "330302", "registered_months": 10}
    advice = advise_facts(rule, facts, date(2026, 10, 15), CATALOGUE)
    assert (advice.cured_on, advice.at_latest) == (date(2026, 12, 15), True)


def test_a_rule_not_yet_in_force_comes_by_itself(tmp_path):
    facts = {"subject_kind": "individual", "county_code": "330302", "penalties_24m": 0}
    rule = load(tmp_path, with_clauses(["penalties_24m = 0"], "all_of"))
    advice = advise_facts(rule, facts, date(2025, 6, 1), CATALOGUE)
    assert (advice.cured_on, advice.failing) == (date(2026, 1, 1), ("in_force",))
    assert advice.remedies[0].text.startswith("从 2026-01-01 起才施行")
    over = load(tmp_path, SMALL_SHOP)
    assert advise_facts(over, facts, date(2028, 1, 1), CATALOGUE).remedies[0].kind == "fixed"


@pytest.mark.parametrize("months", [12, 24])
@settings(max_examples=30, **CALM)
@given(event=days, later=st.integers(0, 800))
def test_a_window_ends_as_the_facts_count_it(months, event, later):
    """The facts count ``decided_on > as_of - INTERVAL n MONTH`` in DuckDB."""
    day = event + later * DAY
    (counted,) = duckdb.sql(
        f"SELECT DATE '{event}' > DATE '{day}' - INTERVAL {months} MONTH"
    ).fetchone()
    assert counted is (day < window_end(event, months))


@settings(max_examples=60, **CALM)
@given(opened=st.dates(date(2020, 1, 1), date(2026, 10, 31)), later=st.integers(0, 900))
def test_months_registered_move_as_the_facts_count_them(opened, later):
    """Against the SQL of the fact itself."""
    from getihu.dataplane import selectors as dataplane

    fact = next(
        f for f in dataplane.fact_groups()["registration"].facts if f.name == "registered_months"
    )

    def counted(day):
        sql = fact.value.replace("$as_of", f"DATE '{day}'")
        return duckdb.sql(
            f"SELECT {sql} FROM (SELECT DATE '{opened}' AS established_on)"
        ).fetchone()

    day = AS_OF + later * DAY
    facts = {"established_on": opened, "registered_months": counted(AS_OF)[0]}
    moves = {"registered_months": Move("months_since", "established_on")}
    assert Timeline(facts, AS_OF, moves).at(day)["registered_months"] == counted(day)[0]
