"""Ratings: five grades, one per case, nobody forced, nobody found; bad ones are worked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, models, transaction

from getihu.audit.models import Event
from getihu.cases import selectors as case_reads
from getihu.cases import services as cases
from getihu.cases.contracts import State
from getihu.cases.models import Case
from getihu.evaluations import selectors, services
from getihu.evaluations.codes import fresh_code, read_code
from getihu.evaluations.contracts import BAD, Grade, Outcome, RectificationState, Standing
from getihu.evaluations.models import (
    CaseRated,
    FollowUp,
    Rating,
    RatingContact,
    Rectification,
    SealedDay,
)
from getihu.notifications.models import Notice
from tests.cases.cast import AT, days, id_of, make_cast
from tests.cases.test_cases import accepted, submitted

pytestmark = pytest.mark.django_db
RATED_AT = datetime(2026, 11, 11, 15, 30, tzinfo=UTC)  # 23:30 in Wenzhou


@pytest.fixture
def cast():
    return make_cast()


def refused(cast):
    """A decided case: not accepted, on the second day."""
    case = submitted(cast)
    given = {"reason": "不属于受理范围", "article": "行政许可法 第三十二条"}
    cases.refuse_to_accept(case, by=cast.window, at=days(1), **given)
    return case


def rate(cast, case, grade=Grade.SATISFIED, code=None, at=RATED_AT, **given):
    code = code or fresh_code()
    services.rate(case, grade=grade, code=code, by=cast.owner, at=at, **given)
    return code


def bad(cast, **given):
    """A bad rating with its rectification: the code and the row."""
    code = rate(cast, refused(cast), Grade.DISSATISFIED, **given)
    services.sweep_ratings(given.get("at", RATED_AT))
    return code, Rectification.objects.get()


def standing(cast, case, who="owner"):
    view = case_reads.get_case(case, actor=cast.owner, on=date(2026, 11, 12))
    return selectors.standing_of(view, getattr(cast, who))


# --- giving a rating


def test_only_a_decided_case_can_be_rated(cast):
    case = accepted(cast)
    assert standing(cast, case) is Standing.CLOSED
    with pytest.raises(services.BadRating, match="办结以后"):
        rate(cast, case)
    with pytest.raises(DatabaseError), transaction.atomic():
        CaseRated.objects.create(case_id=case, on=date(2026, 11, 11))


@pytest.mark.parametrize("state", sorted(State))
def test_decided_means_decided_by_the_office(cast, state):
    case = refused(cast)
    view = case_reads.get_case(case, actor=cast.owner, on=date(2026, 11, 12))
    found = selectors.standing_of(replace(view, state=state), cast.owner)
    decided = state in {State.GRANTED, State.REFUSED, State.NOT_ACCEPTED}
    assert found is (Standing.OPEN if decided else Standing.CLOSED)


def test_a_case_is_rated_once(cast):
    case = refused(cast)
    rate(cast, case)
    assert standing(cast, case) is Standing.RATED
    with pytest.raises(services.AlreadyRated):
        rate(cast, case, Grade.VERY_DISSATISFIED)
    with pytest.raises(DatabaseError), transaction.atomic():
        CaseRated.objects.create(case_id=case, on=date(2026, 11, 12))
    assert Rating.objects.get().grade == Grade.SATISFIED


def test_the_same_form_twice_counts_once(cast):
    case = refused(cast)
    code = rate(cast, case)
    rate(cast, case, code=code)
    assert (Rating.objects.count(), CaseRated.objects.count()) == (1, 1)


def test_a_code_is_good_for_one_case(cast):
    code = rate(cast, refused(cast))
    with pytest.raises(services.BadRating, match="用过"):
        rate(cast, refused(cast), code=code)
    assert (Rating.objects.count(), CaseRated.objects.count()) == (1, 1)


def test_only_who_may_act_for_the_trader_rates(cast):
    case = refused(cast)
    with pytest.raises(case_reads.CaseNotFound):
        services.rate(case, grade=Grade.SATISFIED, code=fresh_code(), by=cast.stranger, at=AT)
    with pytest.raises(services.BadRating):  # the office sees the case and cannot rate itself
        services.rate(case, grade=Grade.SATISFIED, code=fresh_code(), by=cast.window, at=AT)


def test_nobody_who_says_nothing_is_taken_to_be_satisfied(cast):
    """不评不算：no rating is put in by itself, however long one waits."""
    refused(cast)
    for late in range(0, 400, 40):
        services.sweep_ratings(days(late))
    assert Rating.objects.count() == 0


@pytest.mark.parametrize("grade", [0, 6])
def test_the_database_knows_five_grades(cast, grade):
    rate(cast, refused(cast))
    row = Rating.objects.get()
    row.pk, row._state.adding, row.grade, row.code_digest = None, True, grade, "x"
    with pytest.raises(DatabaseError), transaction.atomic():
        row.save(force_insert=True)


def test_nothing_that_was_said_is_changed(cast):
    code, _ = bad(cast)
    services.follow_up(code, grade=Grade.SATISFIED, at=days(20))
    for row, change in (
        (Rating.objects, {"grade": 5}),
        (FollowUp.objects, {"grade": 5}),
        (CaseRated.objects, {"on": date(2026, 1, 1)}),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            row.update(**change)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_rate_once():
    cast = make_cast()
    case = refused(cast)

    def one(number: int) -> str:
        try:
            rate(cast, case, Grade(number % 5 + 1))
            return "rated"
        except services.AlreadyRated:
            return "already"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(8))) == ["already"] * 7 + ["rated"]
    assert Rating.objects.count() == 1


# --- nobody finds the rater


def linking_values(cast, case) -> set[str]:
    row = Case.objects.get(pk=case)
    linked = {row.number, row.pk.hex, str(row.pk), row.trader_code}
    return linked | {cast.owner.account_id, cast.owner.account_id.replace("-", "")}


def rows_about_what_was_said() -> str:
    said = ""
    for model in (Rating, RatingContact, FollowUp, Rectification, SealedDay):
        for row in model.objects.values():
            said += repr(sorted(row.items()))
    return said


def test_nothing_leads_from_a_rating_to_its_rater(cast):
    """No column of what was said holds the case, the trader or the account, or a time of day."""
    case = refused(cast)
    code = rate(cast, case, Grade.DISSATISFIED, comment="等了三次", contact="13800000000")
    services.sweep_ratings(RATED_AT)
    services.follow_up(code, grade=Grade.SATISFIED, at=days(20))
    said = rows_about_what_was_said()
    assert not [value for value in linking_values(cast, case) if value in said]
    assert code not in said
    assert read_code(code) not in said
    said_models = (Rating, RatingContact, FollowUp)
    kinds = {type(f) for m in said_models for f in m._meta.concrete_fields}
    assert models.DateTimeField not in kinds
    people = [f for m in said_models for f in m._meta.concrete_fields if f.is_relation]
    assert {f.related_model for f in people} == {Rating}
    case_side = {f.name for f in CaseRated._meta.concrete_fields}
    assert case_side == {"case", "on"}  # that it was rated, never how


def test_control_a_rating_with_its_case_is_noticed(cast):
    """The check above is red when a link slips in."""
    case = refused(cast)
    rate(cast, case, comment=f"编号 {Case.objects.get(pk=case).number}")
    assert [v for v in linking_values(cast, case) if v in rows_about_what_was_said()]


def test_the_log_does_not_set_rating_and_case_side_by_side(cast):
    case = refused(cast)
    code = rate(cast, case, Grade.DISSATISFIED, comment="说得很难听")
    told = Event.objects.filter(kind__startswith="evaluation").values_list("record", flat=True)
    [event] = [bytes(record).decode() for record in told]
    assert Case.objects.get(pk=case).number in event
    assert "grade" not in event
    services.sweep_ratings(RATED_AT)
    services.sweep_ratings(RATED_AT + timedelta(days=1))
    services.follow_up(code, grade=Grade.SATISFIED, at=days(20))
    for row in Event.objects.exclude(kind__in=["evaluation.case_rated"]):
        if row.kind.split(".")[0] in ("evaluation", "rectification"):
            record = bytes(row.record).decode()
            assert not [v for v in linking_values(cast, case) if v in record], row.kind
            assert "难听" not in record


def test_the_office_sees_no_case_behind_a_rectification(cast):
    case = refused(cast)
    rate(cast, case, Grade.VERY_DISSATISFIED, comment="态度差")
    services.sweep_ratings(RATED_AT)
    [seen] = selectors.list_rectifications(cast.window, on=date(2026, 11, 12))
    assert seen.comment == "态度差"
    assert not [value for value in linking_values(cast, case) if value in repr(seen)]


# --- bad ratings


@pytest.mark.parametrize("grade", list(Grade))
def test_the_two_lowest_grades_open_a_rectification_and_no_other(cast, grade):
    """基本满意 is not a bad rating (浙江 2019-10)."""
    rate(cast, refused(cast), grade)
    opened = services.sweep_ratings(RATED_AT).opened
    assert opened == (1 if grade in (Grade.DISSATISFIED, Grade.VERY_DISSATISFIED) else 0)
    assert services.sweep_ratings(RATED_AT).opened == 0


def test_call_back_in_one_day_mend_in_fifteen(cast):
    """不满意 handed in on 2026-05-11: called back by 05-12; mended within 15 days of that."""
    at = datetime(2026, 5, 11, 2, tzinfo=UTC)
    Rating.objects.create(
        matter_id="entry.catering_opening", agency="amr", division="330302",
        on=date(2026, 5, 11), grade=2, channel="web", code_digest="a",
    )  # fmt: skip
    services.sweep_ratings(at)
    row = Rectification.objects.get()
    assert row.due_on == date(2026, 5, 12)
    services.call_back(row.pk, reply="回访", by=cast.window, at=at + timedelta(days=1))
    row.refresh_from_db()
    assert row.due_on == date(2026, 5, 27)


def test_the_clock_of_calling_back_runs_from_the_rating_however_late_the_pass(cast):
    rate(cast, refused(cast), Grade.DISSATISFIED)
    services.sweep_ratings(RATED_AT + timedelta(days=3))
    assert Rectification.objects.get().due_on == date(2026, 11, 12)


def test_the_loop_closes(cast):
    code, row = bad(cast, comment="窗口没人")
    with pytest.raises(services.BadRating, match="先回访"):
        services.report_result(
            row.pk, outcome=Outcome.MENDED, result="x", by=cast.window, at=RATED_AT
        )
    services.call_back(row.pk, reply="午休没有留人", by=cast.window, at=days(10))
    services.report_result(
        row.pk, outcome=Outcome.MENDED, result="中午留一个窗口", by=cast.colleague, at=days(12)
    )
    own = selectors.find_own(code.lower().replace("-", " "), on=date(2026, 11, 20))
    assert own.rectification.reply == "午休没有留人"
    assert own.rectification.result == "中午留一个窗口"
    assert own.rectification.state is RectificationState.ENDED
    services.follow_up(code, grade=Grade.SATISFIED, comment="改了", at=days(20))
    with pytest.raises(services.AlreadyRated):
        services.follow_up(code, grade=Grade.VERY_SATISFIED, at=days(21))
    [seen] = selectors.list_rectifications(cast.window, on=date(2026, 11, 20))
    assert seen.follow_up.grade is Grade.SATISFIED
    assert Rating.objects.get().grade == Grade.DISSATISFIED  # the first one stays and counts


def test_who_handled_it_cannot_say_that_nothing_was_wrong(cast):
    _, row = bad(cast)
    services.call_back(row.pk, reply="核实过", by=cast.window, at=days(10))
    given = {"outcome": Outcome.UNFOUNDED, "result": "当天窗口一直有人", "at": days(11)}
    for officer in (cast.window, cast.colleague):
        with pytest.raises(services.BadRating, match="负责人"):
            services.report_result(row.pk, by=officer, **given)
    services.report_result(row.pk, by=cast.superior, **given)
    row.refresh_from_db()
    assert row.outcome == "unfounded"


def test_the_database_keeps_the_order_of_the_steps(cast):
    _, row = bad(cast)
    rows = Rectification.objects.filter(pk=row.pk)
    ended = {"state": "ended", "due_on": None, "ended_at": days(9), "outcome": "mended"}
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(**ended, result="x", ended_by=id_of(cast.window))
    services.call_back(row.pk, reply="核实过", by=cast.superior, at=days(10))
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(called_back_at=days(11))
    with pytest.raises(DatabaseError), transaction.atomic():  # the same person
        rows.update(**{**ended, "outcome": "unfounded"}, result="x", ended_by=id_of(cast.superior))


@pytest.mark.parametrize("who", ["owner", "stranger", "fire", "elsewhere"])
def test_other_offices_and_people_do_not_see_it(cast, who):
    _, row = bad(cast)
    actor = getattr(cast, who)
    assert selectors.list_rectifications(actor, on=date(2026, 11, 12)) == []
    with pytest.raises(selectors.RatingNotFound):
        services.call_back(row.pk, reply="x", by=actor, at=days(10))


def test_a_late_office_is_told_on_once_for_each_clock(cast):
    _, row = bad(cast)
    assert services.sweep_ratings(datetime(2026, 11, 12, 12, tzinfo=UTC)).escalated == 0
    for _ in range(2):
        services.sweep_ratings(datetime(2026, 11, 13, 12, tzinfo=UTC))
    told = Notice.objects.filter(template_id="rating.late")
    assert [n.recipient_id for n in told] == [id_of(cast.superior)]
    services.call_back(row.pk, reply="来晚了", by=cast.window, at=days(12))
    assert services.sweep_ratings(days(60)).escalated == 1


def test_the_office_is_told_at_once(cast):
    bad(cast)
    told = Notice.objects.filter(template_id="rating.to_rectify")
    assert {n.recipient_id for n in told} == {id_of(cast.window), id_of(cast.colleague)}
    assert "2026年11月12日" in told[0].text


def test_a_contact_is_kept_for_a_bad_rating_alone_and_erased_in_time(cast):
    assert services.rate(
        refused(cast), grade=Grade.SATISFIED, code=fresh_code(), contact="13800000000",
        by=cast.owner, at=RATED_AT,
    ) is False  # fmt: skip
    assert RatingContact.objects.count() == 0
    _, row = bad(cast, contact="13800000000")
    assert selectors.get_rectification(row.pk, actor=cast.window, on=date(2026, 11, 12)).contact
    services.call_back(row.pk, reply="电话里说过", by=cast.window, at=days(10))
    services.report_result(
        row.pk, outcome=Outcome.MENDED, result="改了", by=cast.window, at=days(11)
    )
    assert services.erase_contacts(days(10), at=days(40)) == 0
    assert services.erase_contacts(days(12), at=days(42)) == 1
    assert RatingContact.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_several_workers_open_each_rectification_once():
    cast = make_cast()
    for _ in range(6):
        rate(cast, refused(cast), Grade.DISSATISFIED)

    def work(_: int) -> int:
        try:
            return services.sweep_ratings(RATED_AT).opened
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 6
    assert Rectification.objects.count() == 6


# --- what is published


def given(month: int, grade: int, count: int, day: int = 3, agency: str = "amr") -> None:
    start = Rating.objects.count()
    Rating.objects.bulk_create(
        Rating(
            matter_id="entry.catering_opening", agency=agency, division="330302",
            on=date(2026, month, day), grade=grade, comment=f"话{start + n}", channel="web",
            code_digest=f"{start + n}",
        )
        for n in range(count)
    )  # fmt: skip


def published(on=date(2026, 11, 20)):
    [row] = selectors.list_statistics(on=on)
    return row


def test_fewer_than_ten_are_not_published(db):
    given(9, 5, selectors.FEWEST - 1)
    row = published()
    assert (row.total, row.counts, row.good_share, row.until) == (None, None, None, None)
    given(9, 1, 1)
    assert published().total == 10


def test_a_month_that_runs_is_not_published(db):
    given(11, 5, 40)
    assert selectors.list_statistics(on=date(2026, 11, 30)) == []
    assert published(date(2026, 12, 1)).total == 40


def test_the_share_counts_fairly_satisfied_as_good(db):
    given(9, 5, 4)
    given(9, 3, 4)
    given(9, 2, 2)
    row = published()
    assert row.good_share == 0.8
    assert row.counts == {5: 4, 4: 0, 3: 4, 2: 2, 1: 0}
    assert row.until == date(2026, 9, 30)


@pytest.mark.parametrize("new", range(1, 10))
def test_two_publications_never_differ_by_a_handful(db, new):
    """Ten in August and a few in September: the few wait, or their grades could be worked out."""
    given(8, 5, 10)
    given(9, 1, new)
    assert published().total == 10
    given(10, 5, 10 - new)
    assert published().total == 20


def test_control_without_waiting_the_handful_shows(db, monkeypatch):
    monkeypatch.setattr(selectors, "FEWEST", 1)
    given(8, 5, 10)
    given(9, 1, 1)
    assert published().counts[Grade.VERY_DISSATISFIED] == 1


def test_an_office_reads_comments_of_published_batches_alone(cast):
    given(9, 5, 9)
    assert selectors.list_comments(cast.window, on=date(2026, 11, 20)) == []
    given(9, 2, 1)
    shown = selectors.list_comments(cast.window, on=date(2026, 11, 20))
    assert len(shown) == 9  # the bad one is worked as a rectification
    assert selectors.list_comments(cast.fire, on=date(2026, 11, 20)) == []


# --- what the log holds of a day


def test_a_rating_taken_away_or_changed_after_its_day_is_noticed(cast):
    rate(cast, refused(cast))
    rate(cast, refused(cast), Grade.VERY_SATISFIED)
    assert services.sweep_ratings(RATED_AT + timedelta(hours=1)).sealed == 1
    assert services.sweep_ratings(RATED_AT + timedelta(hours=2)).sealed == 0
    assert selectors.list_changed_days() == []
    event = Event.objects.get(kind="evaluation.day_sealed")
    assert SealedDay.objects.get().digest in bytes(event.record).decode()
    Rating.objects.filter(grade=5).delete()
    assert selectors.list_changed_days() == [date(2026, 11, 11)]
    rate(cast, refused(cast), at=RATED_AT + timedelta(days=1))
    with pytest.raises(services.RatingsChanged, match="2026-11-11"):
        services.sweep_ratings(RATED_AT + timedelta(days=3))


def test_a_rating_without_its_event_does_not_happen(cast, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("broken on purpose")

    case = refused(cast)
    monkeypatch.setattr("getihu.audit.services.record", fail)
    with pytest.raises(RuntimeError):
        rate(cast, case)
    assert (Rating.objects.count(), CaseRated.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("k7qm-2f9d-xp3c-8wtn", "K7QM2F9DXP3C8WTN"),
        (" K7QM 2F9D XP3C 8WTO ", "K7QM2F9DXP3C8WT0"),
        ("K7QM-2F9D-XP3C-8WT", None),
        ("K7QM-2F9D-XP3C-8WTU", None),
        ("", None),
    ],
)
def test_a_code_is_read_however_it_is_typed(typed, read):
    assert read_code(typed) == read


def test_codes_are_long_and_never_the_same():
    codes = {fresh_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(read_code(code) for code in codes)
    assert set(BAD) == {Grade.DISSATISFIED, Grade.VERY_DISSATISFIED}


# --- the worker


def test_one_rating_that_cannot_be_worked_holds_up_no_other(cast, monkeypatch):
    rate(cast, refused(cast), Grade.DISSATISFIED, comment="stuck")
    rate(cast, refused(cast), Grade.DISSATISFIED)
    real = services._open_one

    def stuck(rating, at):
        if rating.comment == "stuck":
            raise RuntimeError("broken on purpose")
        return real(rating, at)

    monkeypatch.setattr(services, "_open_one", stuck)
    assert services.sweep_ratings(RATED_AT).opened == 1
    with pytest.raises(services.RatingsNotSwept):
        services.sweep_ratings(RATED_AT)
    monkeypatch.undo()
    assert services.sweep_ratings(RATED_AT).opened == 1


def test_the_worker_opens_tells_and_sends(cast, settings):
    from getihu.config.cli_ops import run_pass
    from tests.notifications.gateways import http_server
    from tests.notifications.test_events import endpoint

    with http_server((204, b"")) as received:
        settings.WEBHOOK_ENDPOINTS = [endpoint(received.url)]
        rate(cast, refused(cast), Grade.DISSATISFIED)
        report = run_pass(RATED_AT)
    assert report.rectified == 1
    assert report.notices_sent == 2 + 1  # two officers, and the owner of her case
    # submitted, not accepted, and each notice in the app
    assert report.events_sent == len(received.requests) == 2 + 3
    assert [name for name in report.failed if name != "log"] == []
