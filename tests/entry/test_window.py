"""The window: appointments, visits, first-asked responsible, ratings of visits, closed days."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction

from getihu.accounts.contracts import Role
from getihu.audit.models import Event
from getihu.cases import selectors as cases
from getihu.cases import services as casework
from getihu.cases.contracts import State
from getihu.cases.models import Case
from getihu.entry import selectors, services
from getihu.entry.models import Appointment, Closure, HandingOver, Visit, VisitCase, WindowSlot
from getihu.entry.window.limits import limit_of
from getihu.entry.window.offices import CITY_TIME, get_office, open_days, slots_of
from getihu.evaluations import selectors as rating_reads
from getihu.evaluations import services as ratings
from getihu.evaluations.codes import fresh_code
from getihu.evaluations.contracts import Grade, Standing
from getihu.evaluations.models import CaseRated, Rating, Rectification, VisitToRate
from getihu.kernel.errors import InvalidInput
from getihu.notifications import services as notifications
from getihu.notifications.models import Notice
from getihu.reference import selectors as reference
from getihu.registry import selectors as registry
from tests.cases.cast import AT, LUCHENG, SHOP, TOWN, days, id_of, make_cast, officer, person

pytestmark = pytest.mark.django_db
OFFICE = f"amr-{LUCHENG}"
NINE = datetime(2026, 11, 3, 9, tzinfo=CITY_TIME)  # the Tuesday after AT
ANSWERS = {"use_area_m2": "36", "seats": 16, "has_signboard": True}
CATERING = "entry.catering_opening"


@pytest.fixture
def cast(monkeypatch):
    shop = SimpleNamespace(name="鹿城区阿华面馆", town_code=TOWN, county_code=LUCHENG)
    monkeypatch.setattr(registry, "get_trader", lambda code, as_of=None: shop)
    return make_cast()


def book(cast, at=AT, starts_at=NINE, who="owner", **given):
    given = {"trader_code": SHOP, "matters": [CATERING]} | given
    return services.book(OFFICE, starts_at, by=getattr(cast, who), at=at, **given)


def served(cast, at=AT, **given):
    """A walk-in at the officer's window."""
    services.walk_in(OFFICE, by=cast.window, at=at, **given)
    return services.call_next(OFFICE, by=cast.window, at=at)


def known(cast, at=AT):
    visit = served(cast, at, matters=[CATERING])
    services.identify(visit, SHOP, "document", by=cast.window, at=at)
    return visit


# --- hours and slots


def test_an_office_is_open_on_a_sunday_of_调休_and_closed_on_a_friday_of_a_holiday():
    office, calendar = get_office(OFFICE), reference.work_calendar()
    makeup = date(2026, 9, 20)  # 国庆调休
    holiday = date(2026, 10, 2)
    assert makeup.weekday() == 6
    assert calendar.is_workday(makeup)
    assert [f"{s.starts_at:%H:%M}" for s in slots_of(office, makeup, calendar)][:2] == [
        "09:00",
        "09:30",
    ]
    assert slots_of(office, holiday, calendar) == []
    assert holiday not in open_days(office, date(2026, 9, 28), calendar)


def test_no_slot_reaches_into_the_lunch_or_beyond_closing():
    office = get_office(OFFICE)
    slots = slots_of(office, date(2026, 11, 3), reference.work_calendar())
    for slot in slots:
        inside = [
            opens <= slot.starts_at.time() and slot.ends_at.time() <= closes
            for opens, closes in office.hours
        ]
        assert any(inside)
    assert len(slots) == 6 + 7


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("default: {counters: 0}\noffices: []", "default.counters"),
        ("default: {}\noffices: [{agency: amr, level: county, hour: 3}]", "offices.0.hour"),
        ('default: {hours: [["12:00", "09:00"]]}\noffices: []', "default"),
        ("default: {}\noffices: [{agency: amr}]", "offices.0"),
    ],
)
def test_a_broken_file_of_offices_says_where(tmp_path, settings, text, field):
    path = tmp_path / "offices.yaml"
    path.write_text(text, "utf-8")
    settings.OFFICES_FILE = str(path)
    with pytest.raises(InvalidInput) as told:
        selectors.list_offices()
    assert told.value.problems[0].field == field


# --- booking


def test_a_place_is_booked_changed_and_given_back(cast):
    made = book(cast)
    office = get_office(OFFICE)
    assert [s.free for s in selectors.list_slots(office, NINE.date(), AT)][:2] == [1, 2]
    services.move_appointment(made, NINE + timedelta(minutes=30), by=cast.owner, at=AT)
    assert [s.free for s in selectors.list_slots(office, NINE.date(), AT)][:2] == [2, 1]
    services.cancel_appointment(made, by=cast.owner, at=AT)
    assert [s.free for s in selectors.list_slots(office, NINE.date(), AT)][:2] == [2, 2]
    kinds = set(
        Event.objects.filter(kind__startswith="appointment.").values_list("kind", flat=True)
    )
    assert kinds == {"appointment.booked", "appointment.moved", "appointment.cancelled"}


def test_nobody_holds_two_places_at_once(cast):
    book(cast)
    with pytest.raises(services.NotBookable, match="已经约过"):
        book(cast)
    with pytest.raises(services.NotBookable, match="已经约过"):
        book(cast, starts_at=NINE + timedelta(hours=1))
    assert Appointment.objects.count() == 1


def test_a_full_slot_says_so_and_another_is_free(cast):
    for number in range(2):
        services.book(OFFICE, NINE, by=person(f"p{number}"), at=AT)
    with pytest.raises(services.NotBookable, match="约满"):
        book(cast)
    book(cast, starts_at=NINE + timedelta(minutes=30))


def appointment_like(row, **over):
    made = {
        name: getattr(row, name)
        for name in ("slot", "office_id", "on", "starts_at", "booked_by_id", "booked_at")
    }
    return Appointment(code=uuid.uuid4().hex[:6], visitor=uuid.uuid4().hex, **(made | over))


@pytest.mark.parametrize(
    "over",
    [
        {"place": 1},
        {"place": 3},
        {"place": 2, "starts_at": NINE + timedelta(minutes=1)},
        {"place": 2, "office_id": "amr-330382"},
    ],
    ids=["a place taken", "above the capacity", "another time", "another office"],
)
def test_the_database_itself_refuses_a_place_that_is_not_there(cast, over):
    row = Appointment.objects.get(pk=book(cast))
    with pytest.raises(DatabaseError), transaction.atomic():
        appointment_like(row, **over).save()
    appointment_like(row, place=2).save()  # control: the second place is there


def test_the_database_itself_takes_no_appointment_on_a_closed_day(cast):
    row = Appointment.objects.get(pk=book(cast))
    Closure.objects.create(
        office_id=OFFICE, on=NINE.date(), reason="培训", at=AT, by_id=cast.superior.account_id
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        appointment_like(row, place=2).save()


@pytest.mark.django_db(transaction=True)
def test_twenty_people_at_the_same_moment_fill_two_places_and_no_more(cast):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite writes one after the other; the constraints are tested above")
    people = [person(f"p{number}") for number in range(20)]

    def try_it(who):
        try:
            services.book(OFFICE, NINE, by=who, at=AT)
        except services.NotBookable:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, people)) == 2
    assert sorted(Appointment.objects.values_list("place", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    "starts_at",
    [
        NINE.replace(hour=12),
        NINE + timedelta(minutes=10),
        NINE - timedelta(days=1, hours=1),
        NINE + timedelta(days=40),
        datetime(2026, 11, 8, 9, tzinfo=CITY_TIME),
    ],
    ids=["lunch", "between slots", "past", "too far ahead", "Sunday"],
)
def test_what_is_no_slot_cannot_be_booked(cast, starts_at):
    with pytest.raises(services.NotBookable, match="处理办法"):
        book(cast, starts_at=starts_at)


def test_only_who_acts_for_a_shop_books_for_it_and_an_officer_for_whoever_stands_there(cast):
    with pytest.raises(services.NotAtThisWindow):
        book(cast, who="stranger")
    with pytest.raises(services.NotAtThisWindow):
        book(cast, who="elsewhere")
    made = book(cast, who="window")
    row = Appointment.objects.get(pk=made)
    assert (str(row.account_id), str(row.booked_by_id)) == (
        cast.owner.account_id,
        cast.window.account_id,
    )
    assert [each.id for each in selectors.list_appointments(cast.owner)] == [str(made)]
    with pytest.raises(services.NotBookable):
        services.cancel_appointment(made, by=cast.stranger, at=AT)
    services.book(OFFICE, NINE, by=cast.window, at=AT)  # somebody nobody knows


# --- reminders, closed days, no show


def test_a_reminder_goes_the_day_before_and_not_for_what_was_cancelled(cast):
    kept = book(cast, starts_at=NINE + timedelta(days=2))
    gone = services.book(OFFICE, NINE + timedelta(days=2), by=cast.stranger, at=AT)
    services.cancel_appointment(gone, by=cast.stranger, at=AT)
    notifications.deliver(AT)
    assert not Notice.objects.filter(state="sent").exists()
    notifications.deliver(NINE + timedelta(days=1, minutes=1))
    sent = Notice.objects.filter(state="sent", channel="in_app")
    assert [n.obligation for n in sent] == [f"appointment:{kept}"]
    assert "11月5日 09:00" in sent[0].text


def test_a_moved_appointment_is_reminded_of_its_new_time_alone(cast):
    made = book(cast, starts_at=NINE + timedelta(days=2))
    services.move_appointment(made, NINE + timedelta(days=3), by=cast.owner, at=AT)
    notifications.deliver(NINE + timedelta(days=2, minutes=1))
    sent = Notice.objects.filter(state="sent", channel="in_app")
    assert ["11月6日 09:00" in n.text for n in sent] == [True]


def test_a_closed_day_tells_everybody_and_frees_nobody_elses(cast):
    first = book(cast)
    other = services.book(OFFICE, NINE + timedelta(days=1), by=cast.stranger, at=AT)
    with pytest.raises(services.NotAtThisWindow):
        services.close_day(OFFICE, NINE.date(), reason="培训", by=cast.window, at=AT)
    told = services.close_day(OFFICE, NINE.date(), reason="培训", by=cast.superior, at=AT)
    assert told == 1
    assert Appointment.objects.get(pk=first).state == "cancelled"
    assert Appointment.objects.get(pk=other).state == "booked"
    notice = Notice.objects.get(template_id="appointment.closed", channel="in_app")
    assert "培训" in notice.text
    with pytest.raises(services.NotBookable, match="培训"):
        book(cast)
    closed = {day.on: day.closed for day in selectors.list_days(get_office(OFFICE), AT)}
    assert closed[NINE.date()] == "培训"


def test_who_does_not_come_is_noted_and_nothing_follows(cast):
    made = book(cast)
    assert services.sweep_window(NINE + timedelta(hours=12)) == 0
    assert services.sweep_window(NINE + timedelta(days=1)) == 1
    assert services.sweep_window(NINE + timedelta(days=1)) == 0
    row = Appointment.objects.get(pk=made)
    assert row.state == "missed"
    later = NINE + timedelta(days=1)
    book(cast, at=later, starts_at=NINE + timedelta(days=2))  # she books again as before


# --- visits


def test_an_appointment_whose_time_has_come_is_called_before_those_without(cast):
    made = book(cast)
    code = Appointment.objects.get(pk=made).code
    walk = services.walk_in(OFFICE, by=cast.window, at=NINE - timedelta(minutes=30))
    came = services.check_in(code.lower(), by=cast.owner, at=NINE - timedelta(minutes=20))
    assert services.check_in(code, by=cast.owner, at=NINE) == came
    office = get_office(OFFICE)
    early = selectors.list_waiting(office, NINE - timedelta(minutes=20))
    assert [view.id for view in early] == [str(walk), str(came)]
    assert services.call_next(OFFICE, by=cast.window, at=NINE) == came
    assert services.call_next(OFFICE, by=cast.colleague, at=NINE) == walk
    with pytest.raises(services.BadVisit, match="没有办完"):
        services.call_next(OFFICE, by=cast.window, at=NINE)
    with pytest.raises(services.BadVisit, match="没有人等"):
        services.call_next(OFFICE, by=cast.superior, at=NINE)


def test_an_appointment_is_for_its_day_and_its_visitor(cast):
    code = Appointment.objects.get(pk=book(cast)).code
    for by, at in ((cast.owner, AT), (cast.stranger, NINE), (cast.elsewhere, NINE)):
        with pytest.raises(services.BadVisit, match="处理办法"):
            services.check_in(code, by=by, at=at)


def test_the_officer_who_takes_the_question_owns_it_until_it_is_answered(cast):
    visit = served(cast, question="门口能不能摆桌子")
    assert selectors.get_visit(visit, actor=cast.window).owner_id == cast.window.account_id
    services.keep(visit, by=cast.window, at=AT)
    with pytest.raises(services.BadVisit, match="首问责任人"):
        services.answer(visit, "可以", by=cast.colleague, at=days(1))
    services.answer(visit, "沿街不得超出门窗，见市容条例", by=cast.window, at=days(1))
    row = Visit.objects.get(pk=visit)
    assert (row.state, str(row.owner_id)) == ("answered", cast.window.account_id)
    with pytest.raises(services.BadVisit, match="已经结束"):
        services.answer(visit, "再说一次", by=cast.window, at=days(1))


def test_another_owns_it_only_after_taking_it_and_there_is_one_at_every_time(cast):
    visit = served(cast, question="消防要不要检查", matters=[CATERING])
    takers = dict(selectors.list_takers(selectors.get_visit(visit, actor=cast.window), at=AT))
    assert cast.fire.account_id in takers
    assert "鹿城区消防救援大队" in takers[cast.fire.account_id]
    assert cast.elsewhere.account_id not in takers
    with pytest.raises(services.BadVisit, match="原因"):
        services.offer_visit(visit, id_of(cast.fire), reason=" ", by=cast.window, at=AT)
    offer = services.offer_visit(visit, id_of(cast.fire), reason="归消防答", by=cast.window, at=AT)
    assert str(Visit.objects.get(pk=visit).owner_id) == cast.window.account_id
    with pytest.raises(services.BadVisit, match="还没有回音"):
        services.offer_visit(visit, id_of(cast.colleague), reason="忙", by=cast.window, at=AT)
    with pytest.raises(services.BadVisit, match="等同事接手"):
        services.answer(visit, "好", by=cast.window, at=AT)
    with pytest.raises(services.BadVisit, match="只有被请的人"):
        services.take(offer, by=cast.colleague, at=AT)
    assert selectors.get_visit(visit, actor=cast.fire).question == "消防要不要检查"
    services.take(offer, by=cast.fire, at=days(1))
    row = Visit.objects.get(pk=visit)
    assert (str(row.owner_id), row.state) == (cast.fire.account_id, "pending")
    with pytest.raises(services.BadVisit):
        services.take(offer, by=cast.fire, at=days(1))
    services.answer(visit, "五十平方米以上要检查", by=cast.fire, at=days(1))


def test_who_declines_leaves_it_with_its_owner_and_says_why(cast):
    visit = served(cast)
    offer = services.offer_visit(visit, id_of(cast.colleague), reason="午休", by=cast.window, at=AT)
    with pytest.raises(services.BadVisit, match="为什么"):
        services.decline(offer, reason="", by=cast.colleague, at=AT)
    services.decline(offer, reason="我也在窗口", by=cast.colleague, at=AT)
    assert str(Visit.objects.get(pk=visit).owner_id) == cast.window.account_id
    with pytest.raises(DatabaseError), transaction.atomic():
        HandingOver.objects.filter(pk=offer).update(taken_at=AT, declined_at=None, why_not="")


def test_the_database_itself_lets_nobody_take_a_question_without_a_hand_over(cast):
    visit = served(cast)
    for owner in (id_of(cast.colleague), None):
        with pytest.raises(DatabaseError), transaction.atomic():
            Visit.objects.filter(pk=visit).update(owner=owner)
    services.offer_visit(visit, id_of(cast.colleague), reason="午休", by=cast.window, at=AT)
    with pytest.raises(DatabaseError), transaction.atomic():  # offered is not taken
        Visit.objects.filter(pk=visit).update(owner=id_of(cast.colleague))
    HandingOver.objects.update(taken_at=AT)  # control: taken, it may
    Visit.objects.filter(pk=visit).update(owner=id_of(cast.colleague))


def test_the_database_itself_leaves_what_ended(cast):
    visit = served(cast)
    services.answer(visit, "好", by=cast.window, at=AT)
    with pytest.raises(DatabaseError), transaction.atomic():
        Visit.objects.filter(pk=visit).update(answer="另一个说法")


# --- cases at the counter


def test_a_case_at_the_counter_is_hers_and_recorded_as_by_the_officer(cast):
    visit = known(cast)
    case = services.open_for(visit, CATERING, place=TOWN, by=cast.window, at=AT)
    services.save_for(visit, case, ANSWERS, submits=True, by=cast.window, at=AT)
    row = Case.objects.get(pk=case)
    assert (row.trader_code, row.state) == (SHOP, State.SUBMITTED)
    assert str(row.opened_by_id) == cast.window.account_id
    assert VisitCase.objects.get().on_behalf
    event = Event.objects.get(kind="visit.case_opened_on_behalf")
    assert event.actor == f"account:{cast.window.account_id}"
    assert cases.get_case(case, actor=cast.owner, on=AT.date()).title
    casework.accept(case, by=cast.window, at=days(1))
    told = Notice.objects.filter(obligation=f"case:{case}", channel="in_app")
    assert [str(n.recipient_id) for n in told] == [cast.owner.account_id]


def test_without_knowing_who_stands_there_nothing_is_opened(cast):
    visit = served(cast)
    with pytest.raises(services.BadVisit, match="核对"):
        services.open_for(visit, CATERING, place=TOWN, by=cast.window, at=AT)
    with pytest.raises(DatabaseError), transaction.atomic():
        Visit.objects.filter(pk=visit).update(identified_by="document")
    services.identify(visit, SHOP, "code", by=cast.window, at=AT)
    services.open_for(visit, CATERING, place=TOWN, by=cast.window, at=AT)
    with pytest.raises(services.BadVisit, match="另一家店"):
        services.identify(visit, "92330302MA2ABC001M", "code", by=cast.window, at=AT)


def test_the_right_to_act_for_her_ends_with_the_visit_and_is_the_owners_of_it_alone(cast):
    visit = known(cast)
    case = services.open_for(visit, CATERING, place=TOWN, by=cast.window, at=AT)
    with pytest.raises(services.BadVisit):
        services.save_for(visit, case, ANSWERS, submits=False, by=cast.colleague, at=AT)
    other = casework.open_draft("entry.change", SHOP, place=TOWN, by=cast.owner, at=AT)
    with pytest.raises(cases.CaseNotFound):  # not taken up in this visit
        services.save_for(visit, other, {}, submits=False, by=cast.window, at=AT)
    services.continue_for(visit, other, by=cast.window, at=AT)
    services.answer(visit, "填到一半，回家接着填", by=cast.window, at=AT)
    with pytest.raises(services.BadVisit, match="已经结束"):
        services.save_for(visit, case, ANSWERS, submits=False, by=cast.window, at=AT)
    with pytest.raises(casework.NotAllowed):
        casework.open_draft(CATERING, SHOP, place=TOWN, by=cast.window, at=AT)


def test_a_case_goes_with_the_question_that_is_handed_over(cast):
    visit = known(cast)
    case = services.open_for(visit, CATERING, place=TOWN, by=cast.window, at=AT)
    services.save_for(visit, case, ANSWERS, submits=True, by=cast.window, at=AT)
    Case.objects.filter(pk=case).update(owner=id_of(cast.window))
    offer = services.offer_visit(visit, id_of(cast.colleague), reason="换班", by=cast.window, at=AT)
    assert str(Case.objects.get(pk=case).owner_id) == cast.window.account_id
    services.take(offer, by=cast.colleague, at=AT)
    assert str(Case.objects.get(pk=case).owner_id) == cast.colleague.account_id


# --- one visit, one rating


def ended(cast, at=AT):
    visit = served(cast, at)
    services.answer(visit, "好", by=cast.window, at=at)
    return visit


def test_a_visit_is_rated_once_by_whoever_holds_the_ticket(cast):
    visit = ended(cast)
    ticket = ratings.hand_ticket(visit)
    standing = rating_reads.find_visit(ticket.lower().replace("-", " "), on=AT.date())
    assert (standing.visit, standing.standing) == (str(visit), Standing.OPEN)
    code = fresh_code()
    for _ in range(2):  # the same form twice counts once
        ratings.rate_visit(visit, grade=Grade.SATISFIED, code=code, at=AT)
    with pytest.raises(ratings.AlreadyRated):
        ratings.rate_visit(visit, grade=Grade.VERY_DISSATISFIED, code=fresh_code(), at=AT)
    with pytest.raises(ratings.AlreadyRated):
        ratings.hand_ticket(visit)
    assert [r.grade for r in Rating.objects.all()] == [4]
    with pytest.raises(DatabaseError), transaction.atomic():
        VisitToRate.objects.update(rated_on=date(2026, 11, 20))
    assert rating_reads.find_own(code, on=AT.date()).matter_title == "窗口接待"


def test_a_new_ticket_makes_the_old_one_void_and_an_open_visit_has_none(cast):
    visit = served(cast)
    with pytest.raises(rating_reads.RatingNotFound):
        ratings.hand_ticket(visit)
    services.answer(visit, "好", by=cast.window, at=AT)
    old, new = ratings.hand_ticket(visit), ratings.hand_ticket(visit)
    assert rating_reads.find_visit(new, on=AT.date())
    with pytest.raises(rating_reads.RatingNotFound):
        rating_reads.find_visit(old, on=AT.date())
    with pytest.raises(rating_reads.RatingNotFound):
        ratings.rate_visit(visit, grade=Grade.SATISFIED, code=fresh_code(), at=days(31))


def test_nothing_leads_from_a_visit_to_its_rating(cast):
    """The ticket's code, the visit, the officer: none stands in the rating, nor the other way."""
    visit = ended(cast)
    ticket = ratings.hand_ticket(visit)
    ratings.rate_visit(visit, grade=Grade.DISSATISFIED, code=fresh_code(), at=AT)
    ratings.sweep_ratings(AT)
    rating = Rating.objects.get()
    row = VisitToRate.objects.get()
    said = {str(getattr(rating, f.name)) for f in Rating._meta.fields}
    kept = {str(getattr(row, f.name)) for f in VisitToRate._meta.fields} - {
        "amr", LUCHENG, str(row.rated_on),
    }  # fmt: skip
    assert not said & kept
    assert not said & {ticket, cast.window.account_id, str(visit)}
    logged = Event.objects.get(kind="evaluation.visit_rated")
    assert (logged.actor, logged.at.astimezone(CITY_TIME).hour) == ("rater:unnamed", 0)
    assert Rectification.objects.get().rating_id == rating.pk


def test_a_case_decided_at_the_counter_has_one_rating_with_the_visit(cast):
    visit = known(cast)
    case = services.open_for(visit, CATERING, place=TOWN, by=cast.window, at=AT)
    services.save_for(visit, case, ANSWERS, submits=True, by=cast.window, at=AT)
    given = {"reason": "不属于受理范围", "article": "行政许可法 第三十二条"}
    casework.refuse_to_accept(case, by=cast.window, at=AT + timedelta(minutes=5), **given)
    services.answer(visit, "不予受理，去区里办", by=cast.window, at=AT + timedelta(minutes=6))
    ratings.rate_visit(visit, grade=Grade.SATISFIED, code=fresh_code(), at=days(1))
    assert CaseRated.objects.filter(case=case).exists()
    with pytest.raises(ratings.AlreadyRated):
        ratings.rate(case, grade=Grade.SATISFIED, code=fresh_code(), by=cast.owner, at=days(1))
    assert Rating.objects.count() == 1


# --- limits, months


def test_a_limit_says_with_a_word_and_a_mark_what_its_colour_says():
    found = [limit_of(left) for left in (-2, 0, 3, 4)]
    assert [each.tone for each in found] == ["late", "waiting", "waiting", "good"]
    assert [each.word for each in found] == ["超期", "今天到期", "快到期", "期限内"]
    assert len({each.mark for each in found}) == 3
    assert limit_of(None) is None


def test_a_month_speaks_of_kept_words_from_ten_on(cast):
    for number in range(10):
        visit = ended(cast, at=days(number % 5))
        ratings.rate_visit(visit, grade=Grade.SATISFIED, code=fresh_code(), at=days(5))
    november = date(2026, 11, 1)
    now = {row.office_id: row for row in selectors.compare_windows(november, on=date(2026, 12, 2))}
    here, there = now[OFFICE], now["amr-330382"]
    assert (here.answered_by_first, here.ratings, here.good_share) == (1.0, 10, 1.0)
    assert (there.answered_by_first, there.ratings, there.good_share) == (None, None, None)
    before = {row.office_id: row for row in selectors.compare_windows(november, on=AT.date())}
    assert before[OFFICE].ratings is None  # the month is not over


def test_clocks_and_the_one_telling_are_counted_by_the_law(cast):
    for number in range(10):
        case = casework.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
        casework.save_draft(case, ANSWERS, by=cast.owner)
        casework.submit(case, by=cast.owner, at=AT)
        late = 10 if number < 2 else 1  # five working days are given
        casework.request_materials(case, ["招牌的尺寸"], by=cast.window, at=days(late))
    row = cases.kept_promises("amr", LUCHENG, date(2026, 11, 1), date(2026, 12, 1))
    assert (row.clocks_in_time, row.clocks, row.told_once, row.told) == (8, 10, 10, 10)
    nothing = cases.kept_promises("amr", "330382", date(2026, 11, 1), date(2026, 12, 1))
    assert nothing.clocks == 0


def test_不得将个体工商户数量指标纳入考核体系():
    """方案二（四）；条例 第三十二条：数量增长率、年度报告率不得作为考核评价指标."""
    from dataclasses import fields

    from getihu.entry.contracts import WindowMonth

    named = {field.name for field in fields(WindowMonth)}
    assert named == {
        "office_id", "office_name", "clocks_kept", "told_once", "answered_by_first",
        "good_share", "ratings", "rated_until",
    }  # fmt: skip
    source = selectors.compare_windows.__code__.co_names
    assert not {"RegisterRow", "Filing", "count_cases", "list_filings", "registry"} & set(source)


def test_an_officer_of_another_county_sees_no_visit_of_this_one(cast):
    visit = served(cast)
    with pytest.raises(selectors.VisitNotFound):
        selectors.get_visit(visit, actor=cast.elsewhere)
    assert selectors.offices_of(cast.elsewhere)[0].id == "amr-330382"
    town = officer("town", Role.WINDOW_OFFICER, "amr", TOWN)
    assert selectors.offices_of(town) == []
    assert WindowSlot.objects.count() == 0
    assert AT.tzinfo is UTC
