"""A case from draft to result: who may, in what order, on whose clock, and what the database
refuses even when the program would not."""

import itertools
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from getihu.cases import services
from getihu.cases.clocks.running import ClockState, IllegalClockHistory
from getihu.cases.clocks.terms import PauseKind
from getihu.cases.machine import FINAL, MOVES, Side, State
from getihu.cases.models import AllowedMove, Case, CaseMove, ClockRun, Escalation, MaterialRequest
from getihu.cases.selectors import (
    CaseNotFound,
    count_by_matter,
    count_running,
    due_by,
    get_case,
    list_cases,
)
from getihu.cases.services import IllegalMove, NoOwner, NotAllowed, sweep
from tests.cases.cast import AT, LUCHENG, SHOP, TOWN, days, id_of, make_cast

pytestmark = pytest.mark.django_db

CATERING, CHANGE = "entry.catering_opening", "entry.operator_change"
FORM = {"use_area_m2": "80", "seats": 20, "has_signboard": True}


@pytest.fixture
def cast():
    return make_cast()


def draft(cast, matter: str = CATERING):
    case = services.open_draft(matter, SHOP, place=TOWN, by=cast.owner, at=AT)
    form = FORM if matter == CATERING else {"reason": "sale"}
    services.save_draft(case, form, by=cast.owner)
    return case


def submitted(cast, matter: str = CATERING):
    case = draft(cast, matter)
    services.submit(case, by=cast.owner, at=AT)
    return case


def accepted(cast, matter: str = CATERING):
    case = submitted(cast, matter)
    services.accept(case, by=cast.window, at=days(1))
    return case


def seen(case, actor, on: int = 1):
    return get_case(case, actor=actor, on=days(on).date())


def test_a_case_from_draft_to_licence(cast):
    case = accepted(cast)
    view = seen(case, cast.owner, 8)
    assert view.state is State.ACCEPTED
    assert {s.stage_id: s.status for s in view.stages} == {
        "food": "open",
        "fire": "open",
        "issue": "waiting",
    }
    assert view.waiting == "等待：鹿城区市场监督管理局 第5/20个工作日"
    services.finish_stage(case, "fire", passed=True, by=cast.fire, at=days(8))
    services.finish_stage(case, "food", passed=True, by=cast.colleague, at=days(9))
    assert seen(case, cast.owner, 9).waiting.startswith("等待：鹿城区市场监督管理局 第0/10")
    services.finish_stage(case, "issue", passed=True, by=cast.window, at=days(10))
    done = seen(case, cast.owner, 10)
    assert (done.state, done.waiting) == (State.GRANTED, "")
    assert [move.label for move in done.moves] == ["提交", "受理", "准予"]
    assert all(clock.stopped_on for clock in done.clocks)
    assert {clock.reading.state for clock in done.clocks} == {ClockState.DONE}


def test_the_critical_path_is_the_longest_way_to_the_end(cast):
    """受理后等食品审查（20 个工作日），不等消防（10 个）；食品先办完，就等消防。"""
    case = accepted(cast)
    critical = {s.stage_id for s in seen(case, cast.owner).stages if s.is_critical}
    assert critical == {"food", "issue"}
    services.finish_stage(case, "food", passed=True, by=cast.colleague, at=days(2))
    view = seen(case, cast.owner, 3)
    assert {s.stage_id for s in view.stages if s.is_critical} == {"fire", "issue"}
    assert view.waiting == "等待：鹿城区消防救援大队 第2/10个工作日"


def test_one_owner_from_submission_on_and_the_least_busy(cast):
    """首问负责：提交就有唯一的承办人。"""
    first, second = submitted(cast), submitted(cast)
    assert {seen(c, cast.window).owner_id for c in (first, second)} == {cast.window.account_id}
    services.hand_over(first, id_of(cast.colleague), reason="休假", by=cast.window, at=days(1))
    assert seen(first, cast.window).owner_id == cast.colleague.account_id
    with pytest.raises(NotAllowed, match="接手人"):
        services.hand_over(first, id_of(cast.elsewhere), reason="忙", by=cast.window, at=days(1))
    with pytest.raises(IllegalMove, match="写明原因"):
        services.hand_over(first, id_of(cast.window), reason=" ", by=cast.window, at=days(1))
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.filter(pk=first).update(owner=None)


def test_nobody_to_take_it_keeps_the_draft(cast):
    case = services.open_draft(CATERING, SHOP, place="330329", by=cast.owner, at=AT)
    services.save_draft(case, FORM, by=cast.owner)
    with pytest.raises(NoOwner, match="草稿已保存"):
        services.submit(case, by=cast.owner, at=AT)
    assert seen(case, cast.owner).state is State.DRAFT


def test_only_whom_the_matter_names_starts_it(cast):
    with pytest.raises(NotAllowed, match="经营者或受托人"):
        services.open_draft(CATERING, SHOP, place=TOWN, by=cast.stranger, at=AT)
    with pytest.raises(NotAllowed, match="经营者本人"):
        services.open_draft(CHANGE, SHOP, place=TOWN, by=cast.window, at=AT)


def test_what_is_missing_is_named(cast):
    case = services.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
    services.save_draft(case, {"seats": 20}, by=cast.owner)
    with pytest.raises(IllegalMove, match="使用面积、要装户外招牌"):
        services.submit(case, by=cast.owner, at=AT)
    with pytest.raises(IllegalMove, match="没有这些内容：colour"):
        services.save_draft(case, {"colour": "red"}, by=cast.owner)


def test_told_once(cast):
    """一次性告知：第二次要材料，要负责人批准并写明理由，而且留痕。"""
    case = submitted(cast)
    items = ["设备布局和操作流程图"]
    services.request_materials(case, items, by=cast.window, at=days(2))
    assert seen(case, cast.owner, 3).waiting == "等待：您补齐材料"
    services.submit(case, by=cast.owner, at=days(5))

    def again(**given):
        services.request_materials(case, ["另一份"], by=cast.window, at=days(6), **given)

    with pytest.raises(NotAllowed, match="一次告知"):
        again()
    with pytest.raises(NotAllowed, match="一次告知"):
        again(reason="漏了", approved_by=cast.window)
    with pytest.raises(NotAllowed, match="一次告知"):
        again(reason="漏了", approved_by=cast.colleague)
    with pytest.raises(IllegalMove, match="写明理由"):
        again(approved_by=cast.superior)
    with pytest.raises(DatabaseError), transaction.atomic():
        MaterialRequest.objects.create(
            case_id=case, sequence=2, items=["直接写表"], at=days(6), by_id=id_of(cast.window)
        )
    again(reason="首次审查漏了一项", approved_by=cast.superior)
    assert MaterialRequest.objects.filter(case=case).count() == 2


def test_what_a_department_holds_is_never_asked_for(cast):
    case = submitted(cast)
    with pytest.raises(IllegalMove, match="营业执照由部门自己调取"):
        services.request_materials(case, ["营业执照"], by=cast.window, at=days(1))


def test_a_refusal_needs_its_reason_and_article(cast):
    case = submitted(cast)
    with pytest.raises(IllegalMove, match="条款"):
        services.refuse_to_accept(case, reason="", article="", by=cast.window, at=days(1))
    other = accepted(cast)
    with pytest.raises(IllegalMove, match="条款"):
        services.finish_stage(other, "fire", passed=False, by=cast.fire, at=days(2))
    services.finish_stage(
        other,
        "fire",
        passed=False,
        by=cast.fire,
        at=days(2),
        reason="疏散通道不足",
        article="消防法 第十五条",
    )
    assert seen(other, cast.owner).state is State.REFUSED


def test_only_the_stage_s_own_department_ends_it(cast):
    case = accepted(cast)
    with pytest.raises(NotAllowed):
        services.finish_stage(case, "fire", passed=True, by=cast.window, at=days(2))
    with pytest.raises(IllegalMove, match="还没有轮到"):
        services.finish_stage(case, "issue", passed=True, by=cast.window, at=days(2))


def test_who_sees_a_case(cast):
    case = submitted(cast)
    for actor in (cast.owner, cast.window, cast.superior, cast.fire):
        assert seen(case, actor).id == str(case)
    for actor in (cast.stranger, cast.elsewhere):
        with pytest.raises(CaseNotFound):
            seen(case, actor)
        assert list_cases(actor, on=AT.date()) == []
        with pytest.raises(CaseNotFound):
            services.accept(case, by=actor, at=days(1))
    private = draft(cast)
    with pytest.raises(CaseNotFound):
        seen(private, cast.window)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (before, after)
        for before, after in itertools.product(State, State)
        if before is not after and (before, after) not in {(m.before, m.after) for m in MOVES}
    ],
)
def test_the_database_refuses_every_other_move(cast, before, after):
    case = in_state(cast, before)
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.filter(pk=case).update(state=after.value, accepted_at=AT, ended_at=AT)


def in_state(cast, state: State):
    """A case in a state, on the way the table allows."""
    ways = {State.DRAFT: []}
    while state not in ways:
        for move in MOVES:
            if move.before in ways and move.after not in ways:
                ways[move.after] = [*ways[move.before], move.after]
    case = draft(cast, CHANGE)
    for step in ways[state]:
        times = {"submitted_at": AT, "owner": id_of(cast.window)}
        if step in (State.ACCEPTED, State.GRANTED, State.REFUSED):
            times["accepted_at"] = AT
        if step in FINAL:
            times["ended_at"] = AT
        Case.objects.filter(pk=case).update(state=step.value, **times)
    return case


def test_the_table_in_the_database_is_the_table_in_the_program():
    kept = set(AllowedMove.objects.values_list("before", "after"))
    assert kept == {(move.before.value, move.after.value) for move in MOVES}


def test_a_case_starts_as_a_draft_and_its_times_do_not_change(cast):
    case = accepted(cast)
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.bulk_create(
            [Case(number="x", matter_id=CHANGE, state="accepted", opened_at=AT,
                  submitted_at=AT, accepted_at=AT, owner_id=id_of(cast.window),
                  opened_by_id=id_of(cast.owner))]
        )  # fmt: skip
    for times in ({"submitted_at": days(3)}, {"accepted_at": days(3)}, {"opened_at": days(-9)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Case.objects.filter(pk=case).update(**times)
    with pytest.raises(DatabaseError), transaction.atomic():
        ClockRun.objects.filter(case=case).update(started_on=date(2026, 12, 1))
    with pytest.raises(DatabaseError), transaction.atomic():
        CaseMove.objects.filter(case=case).update(reason="改过")


def test_an_ended_case_is_taken_up_in_a_new_one(cast):
    case = submitted(cast)
    with pytest.raises(IllegalMove, match="已经办结"):
        services.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT, continues=case)
    services.withdraw(case, by=cast.owner, at=days(1))
    again = services.open_draft(
        CATERING, SHOP, place=TOWN, by=cast.owner, at=days(2), continues=case
    )
    assert seen(again, cast.owner).continues == str(case)
    with pytest.raises(IllegalMove):
        services.submit(case, by=cast.owner, at=days(3))


def test_testing_stops_the_clock_and_moves_the_due_day(cast):
    case = accepted(cast)
    before = clock_of(case, "food").due_on
    services.pause_clock(
        case, "food", PauseKind.TESTING, reason="送检", by=cast.colleague, at=days(3)
    )
    assert clock_of(case, "food").due_on is None
    assert "不计入期限" in next(
        s.clock.reading.waiting_for.value + "不计入期限"
        for s in seen(case, cast.owner, 4).stages
        if s.stage_id == "food"
    )
    services.resume_clock(case, "food", by=cast.colleague, at=days(10))
    assert clock_of(case, "food").due_on > before
    with pytest.raises(IllegalMove, match="没有暂停"):
        services.resume_clock(case, "food", by=cast.colleague, at=days(11))
    with pytest.raises(IllegalClockHistory, match="没有规定"):
        services.pause_clock(
            case, "fire", PauseKind.HEARING, reason="听证", by=cast.fire, at=days(3)
        )


def clock_of(case, stage_id: str) -> ClockRun:
    return ClockRun.objects.get(case=case, stage_id=stage_id, stopped_on=None)


def test_an_extension_is_a_superior_s_once_and_in_time(cast):
    case = accepted(cast)
    with pytest.raises(NotAllowed, match="负责人"):
        services.extend_clock(case, "food", reason="复杂", by=cast.colleague, at=days(5))
    before = clock_of(case, "food").due_on
    services.extend_clock(case, "food", reason="复杂", by=cast.superior, at=days(5))
    assert clock_of(case, "food").due_on > before
    with pytest.raises(IllegalMove, match="延长过"):
        services.extend_clock(case, "food", reason="复杂", by=cast.superior, at=days(6))


def test_silence_is_acceptance_from_the_day_the_papers_came(cast):
    """行政许可法 第三十二条：五个工作日内没有一次告知，自收到材料之日起即为受理。"""
    case = submitted(cast)
    assert services.sweep_due(days(7)) == 0  # 11 月 9 日是第五个工作日
    assert services.sweep_due(days(8)) == 1
    view = seen(case, cast.owner, 8)
    assert view.state is State.ACCEPTED
    assert (view.moves[-1].side, view.moves[-1].article[:5]) == (Side.LAW, "行政许可法")
    assert clock_of(case, "food").started_on == date(2026, 11, 2)
    assert services.sweep_due(days(8)) == 0


def test_after_a_correction_silence_counts_from_the_second_coming(cast):
    case = submitted(cast)
    services.request_materials(case, ["布局图"], by=cast.window, at=days(2))
    assert services.sweep_due(days(30)) == 0
    services.submit(case, by=cast.owner, at=days(31))
    services.sweep_due(days(60))
    assert clock_of(case, "food").started_on == days(31).date()


def test_a_case_that_cannot_move_holds_up_no_other(cast, monkeypatch):
    stuck, fine = submitted(cast), submitted(cast)
    move = sweep.accept_case

    def refuse(case, **how):
        if case.pk == stuck:
            raise IntegrityError("a guard of the database")
        return move(case, **how)

    monkeypatch.setattr(sweep, "accept_case", refuse)
    assert services.sweep_due(days(8)) == 1
    assert seen(fine, cast.owner, 8).state is State.ACCEPTED
    with pytest.raises(sweep.ClocksNotSwept):
        services.sweep_due(days(8))
    monkeypatch.undo()
    assert services.sweep_due(days(8)) == 1
    assert seen(stuck, cast.owner, 8).state is State.ACCEPTED


def test_nothing_due_is_missed_or_escalated_twice_after_a_stop(cast):
    cases = [accepted(cast) for _ in range(5)]
    assert services.sweep_due(days(200), limit=3) == 3
    services.sweep_due(days(200))
    services.sweep_due(days(203))
    overdue = ClockRun.objects.filter(case__in=cases, due_on__lt=days(200).date())
    assert Escalation.objects.count() == overdue.count() > 10


def test_the_inbox_is_ordered_by_what_the_law_says_is_due(cast):
    accepted(cast)
    submitted(cast)
    inbox = due_by(days(60).date(), actor=cast.window, on=days(1).date())
    assert [item.due_on for item in inbox] == sorted(item.due_on for item in inbox)
    assert inbox[0].term_title == "材料不齐的一次性告知"
    assert inbox[0].days_left == 6
    assert due_by(days(60).date(), actor=cast.elsewhere, on=AT.date()) == []


def test_handlers_follow_the_address_not_the_credit_code(cast):
    case = draft(cast)
    assert Case.objects.get(pk=case).division == LUCHENG


def test_what_runs_is_counted_by_county_and_late_once_past_its_day(cast):
    draft(cast)
    accepted(cast)
    assert count_running(days(2).date()) == [(LUCHENG, 1, 0)]
    assert count_running(days(200).date()) == [(LUCHENG, 1, 1)]
    assert count_by_matter(days(200).date()) == {CATERING: (1, 1)}
