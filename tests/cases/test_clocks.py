"""Statutory clocks: the law's terms, what stops them, and what a slow oracle says."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from getihu.cases.clocks.running import (
    ClockHistory,
    ClockState,
    Extended,
    IllegalClockHistory,
    Pause,
    latest_day,
    read_clock,
)
from getihu.cases.clocks.terms import (
    PauseKind,
    Silence,
    UnknownTerm,
    get_term,
    read_terms,
    statutory_terms,
)
from getihu.kernel.errors import InvalidInput
from getihu.kernel.periods import LegalUnit
from getihu.reference.selectors import work_calendar
from tests.cases.histories import is_paused, oracle_due, random_example, term

CALENDAR = work_calendar()
HISTORIES = 10_000


def in_the_laboratory(since: date, until: date | None) -> Pause:
    return Pause(PauseKind.TESTING, since, until, "送检")


def test_ten_thousand_random_histories_agree_with_the_slow_oracle():
    random = Random(20261031)
    for _ in range(HISTORIES):
        example = random_example(random)
        reading = read_clock(example.term, example.history, example.on, CALENDAR)
        assert reading.due.on == oracle_due(example, CALENDAR), example


def test_every_day_is_either_active_or_paused():
    random = Random(7)
    for _ in range(2_000):
        example = random_example(random)
        reading = read_clock(example.term, example.history, example.on, CALENDAR)
        started = example.history.started
        days = [started + timedelta(days=n + 1) for n in range((example.on - started).days)]
        paused = sum(is_paused(example.history, day) for day in days)
        assert reading.paused_days == paused
        assert reading.active_days + reading.paused_days == len(days)


@pytest.mark.parametrize("unit", [LegalUnit.WORKING_DAY, LegalUnit.NATURAL_DAY])
def test_taking_a_pause_away_gives_back_exactly_what_it_added(unit):
    """Adding and taking away are inverse: the due day moves by the paused days, and back."""
    random = Random(11)
    for _ in range(2_000):
        example = random_example(random)
        plain = replace(example.history, pauses=(), extended=None)
        made = term(unit, 10)
        before = read_clock(made, plain, example.on, CALENDAR)
        since = plain.started + timedelta(days=random.randrange(5))
        until = since + timedelta(days=random.randrange(10))
        with_pause = replace(plain, pauses=(in_the_laboratory(since, until),))
        after = read_clock(made, with_pause, max(example.on, until), CALENDAR)
        if since >= before.due.on:
            assert after.due == before.due
            continue
        if unit is LegalUnit.NATURAL_DAY:
            assert after.due.on - before.due.on == until - since
        else:
            taken = CALENDAR.count_workdays(since, until)
            assert CALENDAR.count_workdays(before.due.on, after.due.on) == taken


def test_the_authority_s_clock_stops_while_goods_are_in_the_laboratory():
    """行政许可法 第四十五条：检验时间不计入；国庆假期和调休不算工作日。"""
    licence = get_term("licence.decision")
    accepted = date(2026, 9, 21)
    pause = in_the_laboratory(date(2026, 9, 23), date(2026, 10, 12))
    plain = read_clock(licence, ClockHistory(accepted), accepted, CALENDAR)
    assert plain.due.on == CALENDAR.add_workdays(accepted, 20).on
    waiting = read_clock(
        licence,
        ClockHistory(accepted, (in_the_laboratory(pause.since, None),)),
        date(2026, 9, 30),
        CALENDAR,
    )
    assert (waiting.state, waiting.waiting_for) == (ClockState.PAUSED, PauseKind.TESTING)
    assert (waiting.used, waiting.total, waiting.is_projected) == (2, 20, True)
    done = read_clock(licence, ClockHistory(accepted, (pause,)), date(2026, 10, 13), CALENDAR)
    assert (done.state, done.used) == (ClockState.RUNNING, 3)
    assert done.due.on == CALENDAR.add_workdays(date(2026, 10, 12), 18).on


def test_silence_is_deemed_acceptance_only_where_the_article_says_so():
    late = date(2026, 11, 20)
    notice = read_clock(
        get_term("licence.correction_notice"), ClockHistory(date(2026, 11, 2)), late, CALENDAR
    )
    assert (notice.state, notice.deemed) == (ClockState.OVERDUE, Silence.DEEMED_ACCEPTED)
    registration = read_clock(
        get_term("registration.decision"), ClockHistory(date(2026, 11, 2)), late, CALENDAR
    )
    assert (registration.state, registration.deemed) == (ClockState.OVERDUE, Silence.NONE)


def test_what_is_done_stays_done():
    history = ClockHistory(date(2026, 11, 2), stopped=date(2026, 11, 9))
    reading = read_clock(get_term("licence.correction_notice"), history, date(2027, 3, 1), CALENDAR)
    assert (reading.state, reading.used, reading.deemed) == (ClockState.DONE, 5, Silence.NONE)
    tardy = replace(history, stopped=date(2026, 11, 10))
    assert (
        read_clock(
            get_term("licence.correction_notice"), tardy, date(2027, 3, 1), CALENDAR
        ).days_late
        == 1
    )


def test_g_22_simple_deregistration_goes_on_after_ten_natural_days():
    """登记条例 第三十三条：推送后十日无异议，可以直接注销。"""
    objection = get_term("registration.simple_deregistration")
    history = ClockHistory(date(2026, 9, 28))
    last = read_clock(objection, history, date(2026, 10, 8), CALENDAR)
    assert (last.due.on, last.deemed) == (date(2026, 10, 8), Silence.NONE)
    assert read_clock(objection, history, date(2026, 10, 9), CALENDAR).deemed is Silence.PROCEEDS


def test_g_23_rest_may_not_pass_three_years_in_all():
    rest = get_term("registration.rest")
    two_years_on = read_clock(rest, ClockHistory(date(2024, 11, 23)), date(2026, 11, 23), CALENDAR)
    assert two_years_on.due.on == date(2027, 11, 23)


def test_g_38_and_g_44_publication_is_counted_in_working_days():
    """45 号令 第九条：2026-05-08 作出的决定，20 个工作日内公示；30 个自然日后已超期。"""
    publication = get_term("penalty.publication")
    decided = ClockHistory(date(2026, 5, 8))
    reading = read_clock(publication, decided, date(2026, 6, 7), CALENDAR)
    assert reading.due.on == CALENDAR.add_workdays(date(2026, 5, 8), 20).on
    assert reading.due.on == date(2026, 6, 4)  # 5 月 9 日（周六）调休上班，也算一天
    assert reading.state is ClockState.OVERDUE
    as_days = term(LegalUnit.NATURAL_DAY, 20)
    assert read_clock(as_days, decided, date(2026, 6, 7), CALENDAR).due.on == date(2026, 5, 28)


def test_g_40_a_bad_rating_is_called_back_in_one_day_and_mended_in_fifteen():
    given = ClockHistory(date(2026, 5, 11))
    call = read_clock(get_term("rating.callback"), given, date(2026, 5, 11), CALENDAR)
    mend = read_clock(get_term("rating.rectification"), given, date(2026, 5, 11), CALENDAR)
    assert (call.due.on, mend.due.on) == (date(2026, 5, 12), date(2026, 5, 26))


def test_terms_counted_back_from_an_end():
    end = date(2026, 10, 12)
    closes = latest_day(get_term("food.renewal_closes"), end, CALENDAR)
    assert CALENDAR.count_workdays(closes - timedelta(days=1), end - timedelta(days=1)) == 15
    assert latest_day(get_term("prepaid_card.closing_notice"), end, CALENDAR) == date(2026, 9, 12)
    with pytest.raises(IllegalClockHistory, match="不是倒算"):
        latest_day(get_term("licence.decision"), end, CALENDAR)
    with pytest.raises(IllegalClockHistory, match="倒算"):
        read_clock(get_term("food.renewal_closes"), ClockHistory(end), end, CALENDAR)


def test_a_year_not_announced_makes_the_due_day_provisional():
    reading = read_clock(
        get_term("licence.decision"), ClockHistory(date(2026, 12, 21)), date(2026, 12, 21), CALENDAR
    )
    assert reading.due.provisional
    assert "2027" in reading.due.note


START = date(2026, 3, 2)
HEARING = Pause(PauseKind.HEARING, date(2026, 3, 4), date(2026, 3, 10), "听证")


@pytest.mark.parametrize(
    ("term_id", "history", "message"),
    [
        ("registration.decision", ClockHistory(START, (HEARING,)), "没有规定"),
        ("licence.decision", ClockHistory(START, (replace(HEARING, reason=" "),)), "写明理由"),
        (
            "licence.decision",
            ClockHistory(START, (HEARING, replace(HEARING, since=date(2026, 3, 9)))),
            "重叠",
        ),
        (
            "licence.decision",
            ClockHistory(START, (replace(HEARING, until=None), HEARING)),
            "还没有结束",
        ),
        ("licence.decision", ClockHistory(START, (replace(HEARING, until=START),)), "早于开始日"),
        ("licence.issue", ClockHistory(START, extended=Extended(START, "忙")), "可以延长"),
        ("licence.decision", ClockHistory(START, extended=Extended(START, "")), "写明理由"),
        (
            "licence.decision",
            ClockHistory(START, extended=Extended(date(2026, 4, 10), "忙")),
            "不算数",
        ),
        ("licence.decision", ClockHistory(START, stopped=date(2026, 3, 1)), "早于起算日"),
    ],
)
def test_what_the_law_does_not_allow_is_refused(term_id, history, message):
    with pytest.raises(IllegalClockHistory, match=message):
        read_clock(get_term(term_id), history, date(2026, 4, 20), CALENDAR)


def test_an_extension_in_time_moves_the_due_day():
    extended = ClockHistory(START, extended=Extended(date(2026, 3, 27), "案情复杂"))
    reading = read_clock(get_term("licence.decision"), extended, date(2026, 3, 27), CALENDAR)
    assert (reading.total, reading.due.on) == (30, CALENDAR.add_workdays(START, 30).on)


def test_no_term_is_without_article_and_units_follow_the_law():
    terms = statutory_terms().values()
    assert len(terms) >= 60
    assert {t.unit for t in terms if "行政许可法" in t.source} == {LegalUnit.WORKING_DAY}
    assert get_term("penalty.case").unit is LegalUnit.NATURAL_DAY
    with pytest.raises(UnknownTerm, match=r"licence\.decision"):
        get_term("licence.decisions")


def test_mistakes_of_the_file_are_all_reported_with_their_lines():
    text = (
        "- {id: a.b, title: 甲, amount: 0, unit: day, starts: 一, ends: 二, source: 法, trust: L}\n"
        "- {id: a.c, title: 乙, amount: 5, unit: month, start: 一, ends: 二, source: 法, trust: L}\n"
        "- {id: a.d, title: 丙, amount: 5, unit: month, starts: 一, ends: 二, source: 法, trust: L,\n"
        "   silence: deemed_granted}\n"
    )
    with pytest.raises(InvalidInput) as caught:
        read_terms(text, "t.yaml")
    found = {(p.line, p.field) for p in caught.value.problems}
    assert {(1, "amount"), (1, "unit"), (2, "start"), (2, "starts"), (3, "")} <= found
    assert "silence_source" in str(caught.value)
